package sigma

import "slices"

// late is what a late event changed.
type late struct {
	own     bool    // whether the condition holds at its own moment
	changed bool    // the same at another moment, or it no longer holds at its own
	peak    float64 // the largest measure of what was judged and holds
	from    int64   // the moments that may have changed
	to      int64
}

// takeLate goes on with entry i, which came in before the newest moment.
func (c *Correlator) takeLate(g *group, i int, out []Finding) []Finding {
	g.slip(i)
	at := g.entries[i].at
	l := c.judgeLate(g, i)
	if ep := c.slipIn(g, i, l); ep != nil {
		out = c.report(g, ep, out)
		if l.changed {
			return c.forward(g, l.from, l.to, false, out)
		}
		return c.handLate(g, at, out)
	}
	if !l.changed && !l.own && !g.inEpisode(l.from, l.to) {
		return out
	}
	return c.forward(g, l.from, l.to, false, c.remake(g, l.from, l.to, out))
}

// slip keeps the window right after entry i came in before the newest moment.
func (g *group) slip(i int) {
	w := &g.window
	e := &g.entries[i]
	g.slipShown(i)
	w.hi++
	if e.at < since(g.newest(), g.owner.span) {
		w.lo++
		return
	}
	switch {
	case w.tally == nil:
	case g.owner.c.Type == TemporalOrdered:
		w.tally.slip(g, i)
	default:
		w.tally.add(g, e)
	}
}

// judgeLate judges the moments that entry i belongs to, which came in late.
// What its coming cannot have changed is not gone through: there may be ten
// thousand events between it and the newest.
func (c *Correlator) judgeLate(g *group, i int) late {
	e := &g.entries[i]
	l := late{from: e.at, to: past(e.at, g.owner.span)}
	if k := g.companion(i); k >= 0 {
		e.held = g.entries[k].held
	}
	switch t := g.owner.c.Type; {
	case t == TemporalOrdered:
		l = c.judgeOrdered(g, i, l)
	case t == ValueCount && g.story != nil && g.story.sketch != nil && since(e.at, g.owner.span) < g.story.floor:
		l.own, l.peak = c.judgeEstimate(g, i)
	case t == ValueCount || t == Temporal:
		l = c.judgeDistinct(g, i, l)
	case t.number():
		l = c.judgeNumber(g, i, l)
	default:
		l.own = c.rejudge(g, e.at, e.at).changed
		l.changed = c.rejudgeOpen(g, past(e.at, 1), past(e.at, g.owner.span))
	}
	l.changed = l.changed || l.own && !e.held
	return l
}

// judgeEstimate judges the moment of a late entry where values are estimated: as
// the moments around it if they agree.
func (c *Correlator) judgeEstimate(g *group, i int) (changed bool, peak float64) {
	if i > 0 && g.entries[i-1].held == g.entries[i+1].held {
		return g.mark(i, g.entries[i-1].held), 0
	}
	v := c.rejudge(g, g.entries[i].at, g.entries[i].at)
	return v.changed, v.peak
}

// companion returns another entry of the same moment as entry i; -1 if there is
// none.
func (g *group) companion(i int) int {
	for _, k := range [...]int{i - 1, i + 1} {
		if k >= 0 && k < len(g.entries) && g.entries[k].at == g.entries[i].at {
			return k
		}
	}
	return -1
}

// rejudgeOpen decides about the moments from … to again unless the condition
// holds at all of them: another event does not change that for a count that
// need not wait.
func (c *Correlator) rejudgeOpen(g *group, from, to int64) bool {
	for i := g.from(from); i < len(g.entries) && g.entries[i].at <= to; i++ {
		if !g.entries[i].held {
			return c.rejudge(g, g.entries[i].at, to).changed
		}
	}
	return false
}

// largeWindow is from how many events on a late one does not correct the
// largest number of distinct values any more where that changes nothing else.
const largeWindow = 128

// judgeDistinct judges a late entry where different values or rules are
// counted: one more of those that are there changes nothing.
func (c *Correlator) judgeDistinct(g *group, i int, l late) late {
	co, e := g.owner, &g.entries[i]
	from, to := past(e.at, 1), l.to
	large := co.c.Type == ValueCount && g.window.hi-g.window.lo > largeWindow
	if near := g.neighbour(i); large && near >= 0 && g.entries[near].held && g.allHeld(from, to) {
		if g.entries[near].at != e.at {
			l.own = g.mark(i, c.reaches(g, i))
		}
		return l
	}
	v := c.judgeOwn(g, i, large)
	l.own, l.peak = v.changed, v.peak
	from, to = g.gap(i)
	if from > to {
		return l
	}
	if large || g.story != nil && g.story.sketch != nil {
		l.changed = c.rejudgeOpen(g, from, to)
		return l
	}
	v = c.rejudge(g, from, to)
	l.changed, l.peak = v.changed, max(l.peak, v.peak)
	return l
}

// judgeOwn judges the moment of a late entry.
func (c *Correlator) judgeOwn(g *group, i int, large bool) verdicts {
	e, near := &g.entries[i], g.neighbour(i)
	known := g.knows(near, i)
	switch {
	case known && (g.entries[near].at == e.at || !g.entries[near].held):
		return verdicts{}
	case known && g.sameLeft(near, e.at):
		return verdicts{changed: g.mark(i, true)}
	case known || large:
		return verdicts{changed: g.mark(i, c.reaches(g, i))}
	default:
		return c.rejudge(g, e.at, e.at)
	}
}

// knows reports whether the window of entry near, a neighbour, has the like of
// entry i without it.
func (g *group) knows(near, i int) bool {
	if near < 0 {
		return false
	}
	before, _ := g.twins(i)
	return before >= 0 && g.entries[before].at >= since(g.entries[near].at, g.owner.span)
}

// gap returns the moments after that of entry i whose windows had nothing like
// it before it came, as the first and the last time.
func (g *group) gap(i int) (from, to int64) {
	at, span := g.entries[i].at, g.owner.span
	from, to = past(at, 1), past(at, span)
	before, after := g.twins(i)
	if before >= 0 {
		from = max(from, past(g.entries[before].at, span+1))
	}
	if after >= 0 {
		to = min(to, g.entries[after].at-1)
	}
	return from, to
}

// neighbour returns an entry of the moment of entry i, or else the one before
// it; -1 if there is none.
func (g *group) neighbour(i int) int {
	if k := g.companion(i); k >= 0 {
		return k
	}
	return i - 1
}

// twins returns the entries nearest to entry i that have its value or rule:
// before it or at its moment, and after that, both within the timespan; -1 for
// none.
func (g *group) twins(i int) (before, after int) {
	e, span := &g.entries[i], g.owner.span
	before, after = -1, -1
	for k := i - 1; k >= 0 && before < 0 && g.entries[k].at >= since(e.at, span); k-- {
		if g.alike(i, k) {
			before = k
		}
	}
	for k := i + 1; k < len(g.entries) && after < 0 && g.entries[k].at <= past(e.at, span); k++ {
		switch {
		case !g.alike(i, k):
		case g.entries[k].at == e.at:
			before = k
		default:
			after = k
		}
	}
	return before, after
}

// alike reports whether two entries have the same value or rule.
func (g *group) alike(i, k int) bool {
	if g.owner.c.Type == ValueCount {
		return g.value(&g.entries[i]) == g.value(&g.entries[k])
	}
	return g.entries[i].rule == g.entries[k].rule
}

// sameLeft reports whether all that the window at a later time no longer has of
// that of entry near is soon followed by the like of it.
func (g *group) sameLeft(near int, at int64) bool {
	const most, ahead = 8, 64
	lo := g.from(since(g.entries[near].at, g.owner.span))
	start := since(at, g.owner.span)
	for k := lo; k < near && g.entries[k].at < start; k++ {
		if k-lo == most {
			return false
		}
		again := false
		for n := k + 1; n <= min(near, k+ahead) && !again; n++ {
			again = g.entries[n].at >= start && g.alike(k, n)
		}
		if !again {
			return false
		}
	}
	return true
}

// reaches reports whether a count that need not wait is reached in the window of
// entry i, and goes back no further than it takes.
func (c *Correlator) reaches(g *group, i int) bool {
	co, at := g.owner, g.entries[i].at
	t := &c.small
	t.reset(co)
	for k := g.from(past(at, 1)) - 1; k >= 0 && g.entries[k].at >= since(at, co.span); k-- {
		t.add(g, &g.entries[k])
		if t.reached(co) {
			return true
		}
	}
	return false
}

// reached reports whether the values or rules counted are enough.
func (t *tally) reached(co *correlated) bool {
	switch {
	case co.c.Type == ValueCount:
		return co.c.cond.hold(float64(t.values.n))
	case co.c.terms == nil:
		return co.c.cond.hold(float64(t.seen.len()))
	}
	return slices.ContainsFunc(co.c.terms, func(x term) bool { return x.need.within(&t.seen) })
}

// mark writes whether the condition holds at the moment of entry i.
func (g *group) mark(i int, held bool) bool {
	return g.note(&window{hi: g.from(past(g.entries[i].at, 1))}, held)
}

// allHeld reports whether the condition held at all moments from … to.
func (g *group) allHeld(from, to int64) bool {
	for i := g.from(from); i < len(g.entries) && g.entries[i].at <= to; i++ {
		if !g.entries[i].held {
			return false
		}
	}
	return true
}

// heldBefore reports whether the condition held from a time to before entry i.
func (g *group) heldBefore(i int, from int64) bool {
	at := g.entries[i].at
	for ; i >= 0 && g.entries[i].at >= from; i-- {
		if g.entries[i].at < at && g.entries[i].held {
			return true
		}
	}
	return false
}

// slipIn takes entry i, which came in late, into the episode around it. It is nil
// when that has to be made anew: it may begin or end elsewhere now, or show
// other records. More moments that hold in its middle are no reason.
func (c *Correlator) slipIn(g *group, i int, l late) *episode {
	e := &g.entries[i]
	switch {
	case g.story == nil:
		return nil
	case g.owner.c.Type.number():
		return c.slipNumber(g, i)
	}
	k := slices.IndexFunc(g.story.episodes, func(ep *episode) bool { return ep.first <= e.at && e.at <= ep.lastHeld })
	if k < 0 {
		return nil
	}
	ep := g.story.episodes[k]
	if len(ep.records) < c.opts.MaxRecords || ep.full >= e.at {
		return nil
	}
	switch {
	case (e.held || l.changed) && !g.heldBefore(i, ep.first): // it may begin earlier, or be one with the one before
		return nil
	case l.changed && g.nextHeld(ep.lastHeld, l.to) != ep.lastHeld:
		return nil
	case g.owner.c.Type == ValueCount && (ep.valued >= e.at || len(ep.values) < c.opts.MaxValues && !slices.Contains(ep.values, g.value(e))):
		return nil
	}
	ep.count++
	ep.cut = true
	ep.peak = max(ep.peak, l.peak)
	return ep
}
