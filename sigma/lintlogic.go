package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// can is what a part of a rule can come out as on events of a log source.
type can struct{ hold, fail bool }

func (c can) not() can { return can{hold: c.fail, fail: c.hold} }

// orCan is what an or of parts can come out as.
func orCan(all []can) can {
	out := can{fail: true}
	for _, c := range all {
		out.hold = out.hold || c.hold
		out.fail = out.fail && c.fail
	}
	return out
}

// andCan is what an and of parts can come out as.
func andCan(all []can) can {
	out := can{hold: true}
	for _, c := range all {
		out.hold = out.hold && c.hold
		out.fail = out.fail || c.fail
	}
	return out
}

// never warns of a rule that cannot match: its conditions contradict
// themselves, or need what the log source's events do not have.
func (g *linting) never(r *Rule) {
	var why []string
	for _, c := range r.detection.conditions {
		must := r.detection.mustHold(c.root, true)
		reason := contradiction(must)
		if reason == "" {
			reason = r.detection.unsatisfiable(c.root)
		}
		if reason == "" && !g.expr(r.detection, c.root, must.pinned(g.known)).hold {
			reason = g.lacking()
		}
		if reason == "" {
			return
		}
		why = append(why, reason)
	}
	g.warn(NeverFires, 0, "no event can match the condition: %s", strings.Join(slices.Compact(why), "; "))
}

// lacking words why events cannot have what a rule needs.
func (g *linting) lacking() string {
	if len(g.unknown) == 0 {
		return "the log source's events do not have such values"
	}
	slices.Sort(g.unknown)
	return fmt.Sprintf("the log source's events do not have %q", g.unknown)
}

// expr is what an expression can come out as on events of which known is known.
func (g *linting) expr(d *detection, e *expr, known *fieldSet) can {
	if e.op == exprSelection {
		return g.selection(&d.selections[e.selection], known)
	}
	kids := make([]can, len(e.kids))
	for i, kid := range e.kids {
		kids[i] = g.expr(d, kid, known)
	}
	switch e.op {
	case exprNot:
		return kids[0].not()
	case exprAnd:
		return andCan(kids)
	default:
		return orCan(kids)
	}
}

func (g *linting) selection(s *selection, known *fieldSet) can {
	var alternatives []can
	for _, items := range s.alternatives {
		set := g.narrowed(known, items)
		var all []can
		for i := range items {
			all = append(all, g.canItem(&items[i], set))
		}
		alternatives = append(alternatives, andCan(all))
	}
	return orCan(alternatives)
}

// unsatisfiable says why no way in which a condition's selections come out
// makes it hold, "" when one does. Selections that mean the same come out
// together.
func (d *detection) unsatisfiable(root *expr) string {
	used := make([]bool, len(d.selections))
	root.mark(used)
	const most = 12 // selections that differ
	place := map[string]int{}
	which := make([]int, len(d.selections))
	for i := range d.selections {
		if !used[i] {
			continue
		}
		shape := d.selections[i].shape()
		if _, ok := place[shape]; !ok {
			place[shape] = len(place)
		}
		which[i] = place[shape]
	}
	if len(place) > most {
		return ""
	}
	held := make([]bool, len(d.selections))
	for outcome := range 1 << len(place) {
		for i := range held {
			held[i] = outcome&(1<<which[i]) != 0
		}
		if root.holds(held) {
			return ""
		}
	}
	return "its parts contradict each other"
}

// demand is a predicate that must hold, or must not.
type demand struct {
	pred  *pred
	holds bool
}

// demands are what all ways to satisfy something have in common.
type demands map[predKey][]demand

func (n demands) add(l demand) {
	if !slices.ContainsFunc(n[l.pred.predKey], func(o demand) bool { return o.holds == l.holds }) {
		n[l.pred.predKey] = append(n[l.pred.predKey], l)
	}
}

// union is what is needed for both.
func union(all []demands) demands {
	out := demands{}
	for _, n := range all {
		for _, list := range n {
			for _, l := range list {
				out.add(l)
			}
		}
	}
	return out
}

// shared is what is needed either way.
func shared(all []demands) demands {
	out := demands{}
	if len(all) == 0 {
		return out
	}
	for key, list := range all[0] {
		for _, l := range list {
			everywhere := !slices.ContainsFunc(all[1:], func(n demands) bool {
				return !slices.ContainsFunc(n[key], func(o demand) bool { return o.holds == l.holds })
			})
			if everywhere {
				out.add(l)
			}
		}
	}
	return out
}

// join is what is needed for all (or any) of the kids to come out as wanted.
func join(all bool, want bool, kids []demands) demands {
	if all == want {
		return union(kids)
	}
	return shared(kids)
}

// mustHold is what is needed for an expression to come out as wanted.
func (d *detection) mustHold(e *expr, want bool) demands {
	switch e.op {
	case exprSelection:
		return d.selections[e.selection].demands(want)
	case exprNot:
		return d.mustHold(e.kids[0], !want)
	}
	kids := make([]demands, len(e.kids))
	for i, kid := range e.kids {
		kids[i] = d.mustHold(kid, want)
	}
	return join(e.op == exprAnd, want, kids)
}

func (s *selection) demands(want bool) demands {
	alternatives := make([]demands, len(s.alternatives))
	for i, items := range s.alternatives {
		kids := make([]demands, len(items))
		for j := range items {
			kids[j] = items[j].demands(want)
		}
		alternatives[i] = join(true, want, kids)
	}
	return join(false, want, alternatives)
}

func (it *item) demands(want bool) demands {
	if it.neg {
		want = !want
	}
	groups := make([]demands, len(it.groups))
	for i, group := range it.groups {
		kids := make([]demands, len(group))
		for j, p := range group {
			kids[j] = demands{p.predKey: {{pred: p, holds: want}}}
		}
		groups[i] = join(false, want, kids)
	}
	return join(it.all, want, groups)
}

// required is what the items of an alternative need.
func required(items []item) demands {
	kids := make([]demands, len(items))
	for i := range items {
		kids[i] = items[i].demands(true)
	}
	return union(kids)
}

// contradiction says why demands cannot be met together, "" when nothing is
// against it. A field is taken to have one value.
func contradiction(n demands) string {
	byField := map[string][]demand{}
	for _, list := range n {
		if len(list) == 2 {
			return fmt.Sprintf("field %q must and must not %s", list[0].pred.field, list[0].pred.describe())
		}
		if p := list[0].pred; p.field != "" {
			byField[p.field] = append(byField[p.field], list[0])
		}
	}
	var found []string
	const most = 1000 // of one field, which are compared with each other
	for field, list := range byField {
		list = list[:min(len(list), most)]
		for _, l := range list {
			if !l.holds || l.pred.kind != predExact && l.pred.kind != predNumber {
				continue
			}
			if other := l.pred.excludes(list); other != "" {
				found = append(found, fmt.Sprintf("field %q must %s and %s", field, l.pred.describe(), other))
			}
		}
		if one, other := clash(list); one != nil {
			found = append(found, fmt.Sprintf("field %q must %s and %s", field, one.describe(), other.describe()))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return slices.Min(found)
}

// clash finds two predicates that no value meets together, nil for none.
func clash(list []demand) (one, other *pred) {
	for i, a := range list {
		for _, b := range list[i+1:] {
			if a.holds && b.holds && a.pred.cased == b.pred.cased && a.pred.apart(b.pred) {
				if a.pred.describe() > b.pred.describe() {
					a, b = b, a
				}
				return a.pred, b.pred
			}
		}
	}
	return nil, nil
}

// apart reports whether no value can begin, or end, or be as large, as both
// predicates say.
func (p *pred) apart(q *pred) bool {
	switch {
	case p.kind == predPrefix && q.kind == predPrefix:
		return !strings.HasPrefix(p.lit, q.lit) && !strings.HasPrefix(q.lit, p.lit)
	case p.kind == predSuffix && q.kind == predSuffix:
		return !strings.HasSuffix(p.lit, q.lit) && !strings.HasSuffix(q.lit, p.lit)
	case p.kind == predCompare && q.kind == predCompare:
		return p.below(q) || q.below(p)
	}
	return false
}

// below reports whether all numbers that p allows are less than those of q.
func (p *pred) below(q *pred) bool {
	upper, lower := compareOp(p.op), compareOp(q.op)
	if upper != lt && upper != lte || lower != gt && lower != gte {
		return false
	}
	return p.num < q.num || p.num == q.num && (upper == lt || lower == gt)
}

// excludes describes what a field that has exactly this value cannot meet.
func (p *pred) excludes(list []demand) string {
	t := text{raw: p.lit, folded: fold(p.lit)}
	only := &content{present: true, texts: []text{t}}
	for _, l := range list {
		if l.pred == p || l.pred.kind == predFieldRef || l.pred.cased || p.cased || l.pred.kind == predRegex {
			continue
		}
		if held, _ := l.pred.holds(only, nil); held != l.holds {
			if l.holds {
				return l.pred.describe()
			}
			return "not " + l.pred.describe()
		}
	}
	return ""
}

// describe words a predicate after "must".
func (p *pred) describe() string {
	switch p.kind {
	case predExact, predNumber:
		return fmt.Sprintf("be %q", short(p.lit))
	case predPrefix:
		return fmt.Sprintf("begin with %q", short(p.lit))
	case predSuffix:
		return fmt.Sprintf("end with %q", short(p.lit))
	case predContains:
		return fmt.Sprintf("contain %q", short(p.lit))
	case predNull:
		return "be null"
	case predExists:
		return "exist"
	case predAny:
		return "have a value"
	case predCompare:
		return "be " + [...]string{"less than ", "at most ", "more than ", "at least "}[p.op] + p.lit
	default:
		return fmt.Sprintf("match %q", short(p.lit))
	}
}
