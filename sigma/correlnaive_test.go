package sigma

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// The reference correlator: straight from the specification and the package's
// decisions, it keeps everything and goes through all of it for every moment.

// fact is an event that a detection matched.
type fact struct {
	rule, record string
	at           int64
	fields       map[string]string
}

func (f *fact) occurrence() Occurrence {
	return Occurrence{Rule: f.rule, RecordID: f.record, Time: day.Add(microseconds(f.at)), Lookup: func(name string) (string, bool) {
		v, ok := f.fields[name]
		return v, ok
	}}
}

// naiveHit is a match of a detection or a moment of a correlation.
type naiveHit struct {
	at    int64
	id    string
	fact  *fact             // a detection's
	of    *Correlation      // a correlation's
	group map[string]string // of it
	parts []*naiveItem      // its window
}

// naiveItem is a hit in a group.
type naiveItem struct {
	hit   *naiveHit
	rule  int
	value string
}

type recount struct {
	set         *Ruleset
	expressions map[string]string // conditions over rules, by correlation
	done        map[string][]*naiveHit
	begins      map[string][]*naiveHit
	lines       []string
}

// naiveLines returns the episodes that all facts together make.
func naiveLines(set *Ruleset, expressions map[string]string, facts []fact) []string {
	n := &recount{set: set, expressions: expressions, done: map[string][]*naiveHit{}, begins: map[string][]*naiveHit{}}
	for i := range facts {
		f := &facts[i]
		n.done[f.rule] = append(n.done[f.rule], &naiveHit{at: f.at, id: f.record, fact: f})
	}
	for _, r := range set.Rules() {
		n.rule(r)
	}
	slices.Sort(n.lines)
	return n.lines
}

func (n *recount) rule(r *Rule) {
	if _, done := n.done[r.ID]; done || r.Correlation == nil {
		return
	}
	n.done[r.ID] = nil
	groups := map[string][]*naiveItem{}
	keys := map[string][]string{}
	for pos, id := range r.Correlation.Rules {
		child, _ := n.set.Rule(id)
		if child != nil {
			n.rule(child)
		}
		hits := n.done[id]
		if child != nil && child.Correlation != nil && r.Correlation.Type == EventCount {
			hits = n.begins[id]
		}
		for _, h := range hits {
			n.sort(r.Correlation, id, pos, h, groups, keys)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		n.group(r, keys[key], groups[key])
	}
}

// sort puts a hit into its groups.
func (n *recount) sort(c *Correlation, rule string, pos int, h *naiveHit, groups map[string][]*naiveItem, keys map[string][]string) {
	var names []string
	for _, name := range slices.Concat(c.GroupBy, c.Fields) {
		names = append(names, c.field(name, rule))
	}
	for _, tuple := range h.tuples(names) {
		by, values := tuple[:len(c.GroupBy)], tuple[len(c.GroupBy):]
		item := &naiveItem{hit: h, rule: pos, value: strings.Join(values, " ")}
		if len(values) > 1 {
			item.value = strings.Trim(fmt.Sprintf("%q", values), "[]")
		}
		if c.Type.number() {
			if _, ok := parseNumber(values[0]); !ok {
				continue
			}
		}
		key := fmt.Sprintf("%q", by)
		same := func(o *naiveItem) bool {
			return o.hit.at == h.at && o.hit.id == h.id && (o.rule == pos || !c.Type.temporal()) && (o.value == item.value || h.fact != nil)
		}
		if !slices.ContainsFunc(groups[key], same) {
			groups[key] = append(groups[key], item)
			keys[key] = by
		}
	}
}

// tuples are the values of fields that the events behind a hit have.
func (h *naiveHit) tuples(names []string) (all [][]string) {
	if h.fact != nil {
		tuple := make([]string, len(names))
		for i, name := range names {
			v, ok := h.fact.fields[name]
			if !ok {
				return nil
			}
			tuple[i] = v
		}
		return [][]string{tuple}
	}
	for _, part := range h.parts {
		var open []string
		for _, name := range names {
			if _, known := h.group[name]; !known {
				open = append(open, h.of.field(name, h.of.Rules[part.rule]))
			}
		}
		for _, found := range part.hit.tuples(open) {
			tuple := make([]string, len(names))
			for i, k := 0, 0; i < len(names); i++ {
				if v, known := h.group[names[i]]; known {
					tuple[i] = v
				} else {
					tuple[i] = found[k]
					k++
				}
			}
			if !slices.ContainsFunc(all, func(t []string) bool { return slices.Equal(t, tuple) }) {
				all = append(all, tuple)
			}
		}
	}
	return all
}

func (h *naiveHit) records() (ids []string) {
	if h.fact != nil {
		return []string{h.id}
	}
	for _, part := range h.parts {
		for _, id := range part.hit.records() {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// between returns the items from a time to another, both included.
func between(items []*naiveItem, from, to int64) (out []*naiveItem) {
	for _, it := range items {
		if from <= it.hit.at && it.hit.at <= to {
			out = append(out, it)
		}
	}
	return out
}

func (n *recount) group(r *Rule, key []string, items []*naiveItem) {
	c := r.Correlation
	span := c.Timespan.Microseconds()
	slices.SortFunc(items, func(a, b *naiveItem) int {
		return cmp.Or(cmp.Compare(a.hit.at, b.hit.at), strings.Compare(a.hit.id+a.value, b.hit.id+b.value), cmp.Compare(a.rule, b.rule))
	})
	group := map[string]string{}
	for i, name := range c.GroupBy {
		group[name] = key[i]
	}
	var held []int64
	for i, it := range items {
		at := it.hit.at
		if i > 0 && items[i-1].hit.at == at || !n.held(r, items, at) {
			continue
		}
		h := &naiveHit{at: at, id: fmt.Sprint(r.ID, key), of: c, group: group, parts: between(items, at-span, at)}
		n.done[r.ID] = append(n.done[r.ID], h)
		if len(held) == 0 || at-held[len(held)-1] > span {
			n.begins[r.ID] = append(n.begins[r.ID], h)
		}
		held = append(held, at)
	}
	if !n.set.Standalone(r) {
		return
	}
	for i := 0; i < len(held); {
		k := i + 1
		for k < len(held) && held[k]-held[k-1] <= span {
			k++
		}
		n.lines = append(n.lines, n.episode(r, key, items, held[i:k]))
		i = k
	}
}

// held decides about a moment.
func (n *recount) held(r *Rule, items []*naiveItem, at int64) bool {
	c := r.Correlation
	span := c.Timespan.Microseconds()
	window := between(items, at-span, at)
	if text := n.expressions[r.ID]; text != "" || c.Type == TemporalOrdered {
		return n.heldRules(c, text, window, between(items, at-span, at+span))
	}
	if !c.Type.counts() || !c.cond.bounded() {
		return c.cond.hold(naiveMeasure(c, window))
	}
	largest := 0.0
	for _, it := range between(items, at, at+span) {
		largest = max(largest, naiveMeasure(c, between(items, it.hit.at-span, it.hit.at)))
	}
	return c.cond.hold(largest)
}

// heldRules looks for any set of rules that is there, in order where that is
// asked for, and makes the condition true.
func (n *recount) heldRules(c *Correlation, text string, window, around []*naiveItem) bool {
	var tree *expr
	if text != "" {
		tree, _ = parseCondition(text, c.Rules)
	}
	missing := func(rule int) bool {
		return !slices.ContainsFunc(around, func(it *naiveItem) bool { return it.rule == rule })
	}
	for set := 1; set < 1<<len(c.Rules); set++ {
		if text == "" && set != 1<<len(c.Rules)-1 || tree != nil && !naiveTrue(tree, false, set, missing) {
			continue
		}
		if naiveThere(c, window, set) {
			return true
		}
	}
	return false
}

func naiveTrue(e *expr, negated bool, set int, missing func(int) bool) bool {
	switch {
	case e.op == exprNot:
		return naiveTrue(e.kids[0], !negated, set, missing)
	case e.op == exprSelection && negated:
		return missing(e.selection)
	case e.op == exprSelection:
		return set&(1<<e.selection) != 0
	}
	all := (e.op == exprAnd) != negated
	for _, kid := range e.kids {
		if naiveTrue(kid, negated, set, missing) != all {
			return !all
		}
	}
	return all
}

func naiveThere(c *Correlation, window []*naiveItem, set int) bool {
	last := int64(-1 << 62)
	for rule := range c.Rules {
		if set&(1<<rule) == 0 {
			continue
		}
		i := slices.IndexFunc(window, func(it *naiveItem) bool {
			return it.rule == rule && (c.Type != TemporalOrdered || it.hit.at >= last)
		})
		if i < 0 {
			return false
		}
		last = window[i].hit.at
	}
	return true
}

func naiveMeasure(c *Correlation, window []*naiveItem) float64 {
	values, rules := map[string]bool{}, map[int]bool{}
	var numbers []float64
	for _, it := range window {
		values[it.value], rules[it.rule] = true, true
		if x, ok := parseNumber(it.value); ok {
			numbers = append(numbers, x)
		}
	}
	switch {
	case c.Type == EventCount:
		return float64(len(window))
	case c.Type == ValueCount:
		return float64(len(values))
	case c.Type.temporal():
		return float64(len(rules))
	case c.Type == ValueSum:
		return naiveSum(numbers)
	case c.Type == ValueAvg:
		return naiveSum(numbers) / float64(len(numbers))
	}
	slices.Sort(numbers)
	rank := float64(len(numbers)-1) * c.Percentile / 100
	low := int(rank)
	high := min(low+1, len(numbers)-1)
	part := rank - float64(low)
	return min(max(numbers[low]*(1-part)+numbers[high]*part, numbers[low]), numbers[high])
}

func naiveSum(numbers []float64) float64 {
	sum := new(big.Rat)
	for _, x := range numbers {
		sum.Add(sum, new(big.Rat).SetFloat64(x))
	}
	out, _ := sum.Float64()
	return out
}

func (n *recount) episode(r *Rule, key []string, items []*naiveItem, held []int64) string {
	c := r.Correlation
	span := c.Timespan.Microseconds()
	last := held[len(held)-1]
	f := Finding{Rule: r, Last: day.Add(microseconds(last))}
	for i, name := range c.GroupBy {
		f.Group = append(f.Group, KeyValue{name, key[i]})
	}
	first := between(items, held[0]-span, held[0])[0].hit.at
	f.First = day.Add(microseconds(first))
	for _, it := range between(items, first, last) {
		f.Count++
		for _, id := range it.hit.records() {
			if !slices.Contains(f.RecordIDs, id) {
				f.RecordIDs = append(f.RecordIDs, id)
			}
		}
		if c.Type == ValueCount && !slices.Contains(f.Values, it.value) {
			f.Values = append(f.Values, it.value)
		}
	}
	peak := 0.0
	for _, at := range held {
		x := naiveMeasure(c, between(items, at-span, at))
		peak = max(peak, x)
		f.Number = x
	}
	if !c.Type.number() {
		f.Number = 0
	}
	if c.Type == ValueCount || c.Type.temporal() {
		f.Distinct = max(int(peak), len(f.Values))
	}
	slices.Sort(f.RecordIDs)
	slices.Sort(f.Values)
	return r.ID + " " + line(f)
}
