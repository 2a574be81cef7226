package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// narrowed is what is known of the events that an alternative is about: where
// it says by an item which of the log source's events it means, theirs.
func (g *linting) narrowed(base *fieldSet, items []item) *fieldSet {
	if base == nil || base.by == "" {
		return base
	}
	for i := range items {
		it := &items[i]
		if it.field != base.by || it.neg || it.all && len(it.groups) > 1 {
			continue
		}
		var values []string
		for _, group := range it.groups {
			for _, p := range group {
				if p.kind != predExact && p.kind != predNumber {
					return base
				}
				values = append(values, p.lit)
			}
		}
		return base.of(values)
	}
	return base
}

// pinned is narrowed by what a whole condition demands.
func (n demands) pinned(base *fieldSet) *fieldSet {
	if base == nil || base.by == "" {
		return base
	}
	for _, list := range n {
		if p := list[0].pred; p.field == base.by && list[0].holds && (p.kind == predExact || p.kind == predNumber) {
			return base.of([]string{p.lit})
		}
	}
	return base
}

// field checks that events have the field of an item, and can have its values.
func (g *linting) field(it *item, set *fieldSet) {
	if it.field == "" || set == nil {
		return
	}
	k, ok := set.find(it.field)
	switch {
	case !ok:
		g.unknownField(it.field, it.line, set)
		return
	case k.rare:
		g.warn(RareField, it.line, "field %q is one that only some of the products have that write such events", it.field)
	}
	for i, group := range it.groups {
		for _, p := range group {
			if p.kind != predFieldRef {
				continue
			}
			if _, ok := set.find(p.lit); !ok {
				g.unknownField(p.lit, it.line, set)
			}
		}
		if !slices.ContainsFunc(group, k.admits) {
			g.warn(ImpossibleValue, it.line, "field %q is never %q: %s", it.field, short(it.expected[i]), k.allowed())
		}
	}
}

func (g *linting) unknownField(field string, line int, set *fieldSet) {
	if !slices.Contains(g.unknown, field) {
		g.unknown = append(g.unknown, field)
	}
	message := fmt.Sprintf("field %q is not one that events of this log source have", field)
	if _, elsewhere := g.known.find(field); elsewhere && set != g.known {
		message = fmt.Sprintf("field %q is one that other events of this log source have, not those with this %s", field, g.known.by)
	} else if other := set.similar(field); other != "" {
		message += fmt.Sprintf("; %q is", other)
	}
	g.warn(UnknownField, line, "%s", message)
}

// allowed words what a field can be.
func (k known) allowed() string {
	if k.values == "#" {
		return "it is a whole number"
	}
	return "it is one of " + strings.ReplaceAll(k.values, "|", ", ")
}

// admits reports whether a predicate can hold on a field.
func (k known) admits(p *pred) bool {
	switch {
	case k.values == "" || p.kind == predNull || p.kind == predExists || p.kind == predFieldRef:
		return true
	case k.values == "#":
		return p.wholeNumber()
	}
	for value := range strings.SplitSeq(k.values, "|") {
		if held, _ := p.holds(&content{present: true, texts: []text{{raw: value, folded: fold(value)}}}, nil); held {
			return true
		}
	}
	return false
}

// wholeNumber reports whether a predicate can hold on the digits of a number.
func (p *pred) wholeNumber() bool {
	switch p.kind {
	case predExact, predPrefix, predSuffix, predContains:
		return strings.Trim(p.lit, "0123456789") == ""
	case predNumber:
		return plainInteger(p.lit) && p.lit[0] != '-'
	case predCIDR:
		return false
	default:
		return true
	}
}

// canItem is what an item can come out as on the events of a set: one that
// looks at a field that they lack is as if it were missing.
func (g *linting) canItem(it *item, set *fieldSet) can {
	if it.field == "" || set == nil {
		return can{hold: true, fail: true}
	}
	k, there := set.find(it.field)
	missing := &content{}
	var groups []can
	for _, group := range it.groups {
		one := can{fail: true}
		for _, p := range group {
			holds := there && k.admits(p)
			if !there {
				holds, _ = p.holds(missing, missing)
				one.fail = one.fail && !holds
			} else if p.kind == predFieldRef {
				_, other := set.find(p.lit)
				holds = holds && other
			}
			one.hold = one.hold || holds
		}
		groups = append(groups, one)
	}
	out := orCan(groups)
	if it.all {
		out = andCan(groups)
	}
	if it.neg {
		out = out.not()
	}
	return out
}

// correlation warns of names in a correlation that look like a slip of a field
// of the events that it counts. Others may be what whoever runs it adds.
func (l *Linter) correlation(g *linting, r *Rule, set *Ruleset) {
	seen := map[string]bool{}
	for _, id := range r.Correlation.Rules {
		counted, ok := set.Rule(id)
		if !ok || counted.Correlation != nil {
			continue
		}
		known := l.fields.fields(counted.Logsource)
		if known == nil {
			continue
		}
		for _, name := range slices.Concat(r.Correlation.GroupBy, r.Correlation.Fields) {
			field := r.Correlation.field(name, id)
			if _, ok := known.find(field); ok || seen[field] {
				continue
			}
			if other := known.similar(field); other != "" {
				seen[field] = true
				g.warn(UnknownField, 0, "field %q is not one that events of rule %q have; %q is", field, counted.label(), other)
			}
		}
	}
}
