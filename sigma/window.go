package sigma

import "slices"

// smallWindow is how many entries are judged without a tally of their own.
const smallWindow = 8

// window is a stretch of a group's entries: those of the timespan before and at
// the newest among them.
type window struct {
	lo, hi int
	tally  *tally // nil: not kept up
}

// fill takes in the entries up to n, which belong to the window.
func (w *window) fill(g *group, n int) {
	for ; w.tally != nil && w.hi < n; w.hi++ {
		w.tally.add(g, &g.entries[w.hi])
	}
	w.hi = n
}

// moment takes in the next moment, all its entries, and lets go of what its
// window no longer holds.
func (w *window) moment(g *group) (at int64) {
	at = g.entries[w.hi].at
	n := w.hi + 1
	for n < len(g.entries) && g.entries[n].at == at {
		n++
	}
	w.fill(g, n)
	w.leave(g, since(at, g.owner.span))
	return at
}

func (w *window) leave(g *group, before int64) {
	for w.lo < w.hi && g.entries[w.lo].at < before {
		if w.tally != nil {
			w.tally.drop(g, &g.entries[w.lo])
		}
		w.lo++
	}
}

// of returns the tally of the window; a small window's is made in small.
func (w *window) of(g *group, small *tally) *tally {
	switch n := w.hi - w.lo; {
	case w.tally != nil && n > smallWindow/2:
		return w.tally
	case w.tally == nil && n > smallWindow:
		w.tally = &tally{}
		w.tally.reset(g.owner)
		for i := w.lo; i < w.hi; i++ {
			w.tally.add(g, &g.entries[i])
		}
		return w.tally
	}
	w.tally = nil
	small.reset(g.owner)
	for i := w.lo; i < w.hi; i++ {
		small.add(g, &g.entries[i])
	}
	return small
}

// measure computes what the condition is about in a window that is not empty.
func (c *Correlator) measure(g *group, w *window) float64 {
	co := g.owner
	if co.c.Type == EventCount {
		return float64(w.hi - w.lo)
	}
	if co.c.Type == ValueCount && g.story != nil && g.story.sketch != nil {
		last := g.entries[w.hi-1].at
		if start := since(last, co.span); start < g.story.floor {
			if w.hi == len(g.entries) {
				return max(g.story.sketch.estimateNewest(start), 1)
			}
			return max(g.story.sketch.estimate(start, last), 1)
		}
	}
	t := w.of(g, &c.small)
	switch {
	case co.c.Type == ValueCount:
		return float64(t.values.n)
	case co.c.Type.temporal():
		return float64(t.seen.len())
	default:
		return c.number(g, w, t)
	}
}

// number computes a value type of a window.
func (c *Correlator) number(g *group, w *window, t *tally) float64 {
	switch g.owner.c.Type {
	case ValueSum:
		return t.sum.value()
	case ValueAvg:
		return t.sum.value() / float64(w.hi-w.lo)
	}
	x, known := t.sorted.percentile()
	if !known {
		c.numbers = c.numbers[:0]
		for i := w.lo; i < w.hi; i++ {
			c.numbers = append(c.numbers, g.number(&g.entries[i]))
		}
		t.sorted.learn(c.numbers)
		x, _ = t.sorted.percentile()
	}
	return x
}

// holds decides whether a condition that need not wait holds in a window of
// which x was measured.
func (c *Correlator) holds(g *group, w *window, x float64) bool {
	co := g.owner
	if co.c.terms == nil {
		return co.c.cond.hold(x)
	}
	t := w.of(g, &c.small)
	last := g.entries[w.hi-1].at
	for i := range co.c.terms {
		if t.holds(co, i, since(last, co.span)) {
			return true
		}
	}
	return false
}

// note writes whether the condition held at the moment that a window ends with
// on its entries. It returns whether that changed anything.
func (g *group) note(w *window, held bool) (changed bool) {
	at := g.entries[w.hi-1].at
	for i := w.hi - 1; i >= 0 && g.entries[i].at == at; i-- {
		changed = changed || g.entries[i].held != held
		g.entries[i].held = held
	}
	return changed
}

// verdicts is what judging some moments again gave.
type verdicts struct {
	changed bool
	peak    float64 // the largest measure of what holds
}

// rejudge decides about the moments from … to again.
func (c *Correlator) rejudge(g *group, from, to int64) (v verdicts) {
	if g.owner.awaits {
		v.changed = c.rejudgeLarge(g, from, min(to, max(g.decided(c.now), g.judged())))
		return v
	}
	if g.stretched() {
		v.changed = c.rejudgeStretches(g, from, to)
		return v
	}
	i := g.from(from)
	if i == len(g.entries) || g.entries[i].at > to {
		return v
	}
	for w := g.replay(i); w.hi < len(g.entries) && g.entries[w.hi].at <= to; {
		w.moment(g)
		x := c.measure(g, w)
		held := c.holds(g, w, x)
		if held {
			v.peak = max(v.peak, x)
		}
		v.changed = g.note(w, held) || v.changed
	}
	return v
}

// replay returns the window before entry i, which begins a moment.
func (g *group) replay(i int) *window {
	lo := g.from(since(g.entries[i].at, g.owner.span))
	w := &window{lo: lo, hi: lo}
	w.fill(g, i)
	return w
}

// rejudgeLarge decides about moments whose condition later events can make
// false: a count is the largest among the windows that the moment is in, and a
// rule that must be missing is missing from all of them.
func (c *Correlator) rejudgeLarge(g *group, from, to int64) (changed bool) {
	i := g.from(from)
	if i == len(g.entries) || g.entries[i].at > to {
		return false
	}
	co := g.owner
	end := past(to, co.span)
	var moments []closed
	for w := g.replay(i); w.hi < len(g.entries) && g.entries[w.hi].at <= end; {
		at := w.moment(g)
		m := closed{at: at, hi: w.hi, x: c.measure(g, w)}
		if co.c.terms != nil && at <= to {
			m.held = c.holdsAround(g, w)
		}
		moments = append(moments, m)
	}
	if co.c.terms == nil {
		largest(moments, co.span)
	}
	for k := range moments {
		m := &moments[k]
		if m.at > to {
			break
		}
		w := window{hi: m.hi}
		held := m.held
		if co.c.terms == nil {
			held = co.c.cond.hold(m.x)
		}
		changed = g.note(&w, held) || changed
	}
	return changed
}

// closed is a window that was gone through.
type closed struct {
	at   int64
	hi   int
	x    float64
	held bool
}

// largest replaces every measure by the largest of those within the span after
// it.
func largest(all []closed, span int64) {
	var best []closed // falling from the back: the first is the largest
	for i := len(all) - 1; i >= 0; i-- {
		for len(best) > 0 && best[0].at > past(all[i].at, span) {
			best = best[1:]
		}
		for len(best) > 0 && best[len(best)-1].x <= all[i].x {
			best = best[:len(best)-1]
		}
		best = append(best, all[i])
		all[i].x = best[0].x
	}
}

// holdsAround decides about a condition with rules that must be missing.
func (c *Correlator) holdsAround(g *group, w *window) bool {
	co := g.owner
	last := g.entries[w.hi-1].at
	t := w.of(g, &c.small)
	var around ruleSet
	for i := range co.c.terms {
		if !t.holds(co, i, since(last, co.span)) {
			continue
		}
		if around.empty() {
			around = t.seen
			for k := w.hi; k < len(g.entries) && g.entries[k].at <= past(last, co.span); k++ {
				around.add(int(g.entries[k].rule))
			}
		}
		if !co.c.terms[i].lack.meets(&around) {
			return true
		}
	}
	return false
}

// tally is what is kept up of a window.
type tally struct {
	values  valueCounts // value_count
	rules   []int32     // temporal types: entries by rule
	seen    ruleSet     // the rules with any
	last    []int64     // temporal_ordered: by rule, its latest time
	starts  [][]int64   // by term and rule in order, the latest start of a chain up to it
	sum     exactSum    // value_sum, value_avg
	sorted  ranked      // value_percentile, value_median
	classes []int32     // the same: numbers by class
}

func (t *tally) reset(co *correlated) {
	t.seen = ruleSet{}
	switch c := co.c; {
	case c.Type == ValueCount:
		t.values.reset()
	case c.Type == ValueSum || c.Type == ValueAvg:
		t.sum.reset()
	case c.Type.ranks():
		t.sorted.reset(c.Percentile)
		t.classes = zeroed(t.classes, len(co.cuts)+1, 0)
	case c.Type.temporal():
		t.rules = zeroed(t.rules, len(c.Rules), 0)
	}
	if co.c.Type != TemporalOrdered {
		return
	}
	t.last = zeroed(t.last, len(co.c.Rules), noTime)
	t.starts = slices.Grow(t.starts[:0], len(co.c.terms))[:len(co.c.terms)]
	for i := range t.starts {
		t.starts[i] = zeroed(t.starts[i], len(co.c.Rules), noTime)
	}
}

func zeroed[T int32 | int64](s []T, n int, x T) []T {
	s = slices.Grow(s[:0], n)[:n]
	for i := range s {
		s[i] = x
	}
	return s
}

func (t *tally) add(g *group, e *entry) {
	switch c := g.owner.c; c.Type {
	case ValueCount:
		t.values.add(g.value(e))
	case ValueSum, ValueAvg:
		t.sum.add(g.number(e))
	case ValuePercentile, ValueMedian:
		t.sorted.add(g.number(e))
		t.classes[e.class]++
	case Temporal, TemporalOrdered:
		t.rules[e.rule]++
		t.seen.add(int(e.rule))
		if c.Type == TemporalOrdered {
			t.chain(c, e)
		}
	}
}

func (t *tally) drop(g *group, e *entry) {
	switch g.owner.c.Type {
	case ValueCount:
		t.values.drop(g.value(e))
	case ValueSum, ValueAvg:
		t.sum.add(-g.number(e))
	case ValuePercentile, ValueMedian:
		t.sorted.drop(g.number(e))
		t.classes[e.class]--
	case Temporal, TemporalOrdered:
		if t.rules[e.rule]--; t.rules[e.rule] == 0 {
			t.seen[e.rule/64] &^= 1 << (e.rule % 64)
		}
	}
}

// holds reports whether a window that begins at start has all that term i
// needs, in order where that is asked for; what must be missing is not looked
// at.
func (t *tally) holds(co *correlated, i int, start int64) bool {
	need := &co.c.terms[i].need
	if !need.within(&t.seen) {
		return false
	}
	if co.c.Type != TemporalOrdered {
		return true
	}
	last := int64(noTime)
	for k := range t.starts[i] {
		if need.has(k) {
			last = t.starts[i][k]
		}
	}
	return last != noTime && last >= start
}
