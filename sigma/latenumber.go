package sigma

// slipNumber is slipIn where numbers are computed with: of the last episode, of
// which what held before entry i still begins it, only the end may have become
// another.
func (c *Correlator) slipNumber(g *group, i int) *episode {
	st, e, span := g.story, &g.entries[i], g.owner.span
	if len(st.episodes) == 0 {
		return nil
	}
	ep := st.episodes[len(st.episodes)-1]
	prior := g.heldLast(e.at-1, ep.first)
	if prior == noTime && ep.base != nil {
		prior = ep.base.lastHeld
	}
	if prior == noTime || g.newest()-prior > span { // what comes after it may be another episode
		return nil
	}
	last, was := g.heldLast(g.newest(), ep.first), ep.lastHeld
	switch {
	case last == was && e.at > was: // it has nothing to do with e
		return nil
	case last <= ep.full || e.at <= ep.full || len(ep.records) < c.opts.MaxRecords || last != was && g.owner.mixed:
		return nil // it shows other records
	}
	if e.at <= was {
		ep.count++
	}
	if last != was {
		ep.count += g.from(past(last, 1)) - g.from(past(was, 1))
	}
	ep.lastHeld, ep.cut = last, true
	if last != was || last <= past(e.at, span) {
		ep.measure = c.measureAt(g, last)
	}
	return ep
}

// heldLast returns the last moment, from one back to another, at which the
// condition held; noTime if there is none.
func (g *group) heldLast(from, to int64) int64 {
	for i := g.from(past(from, 1)) - 1; i >= 0 && g.entries[i].at >= to; i-- {
		if g.entries[i].held {
			return g.entries[i].at
		}
	}
	return noTime
}

// measureAt computes what the condition is about, which is a number, in the
// window that a moment closes.
func (c *Correlator) measureAt(g *group, at int64) float64 {
	if at == g.newest() {
		return c.measure(g, &g.window)
	}
	lo, hi := g.from(since(at, g.owner.span)), g.from(past(at, 1))
	w := g.told().shown
	if w == nil || lo > w.hi || hi < w.lo {
		w = &window{lo: lo, hi: lo, tally: &tally{}}
		w.tally.reset(g.owner)
		g.story.shown = w
	}
	w.slide(g, lo, hi)
	return c.number(g, w, w.tally)
}

// slide makes a window, of which a tally is kept up, that of the entries from lo
// to hi.
func (w *window) slide(g *group, lo, hi int) {
	w.fill(g, max(w.hi, hi))
	for ; w.lo > lo; w.lo-- {
		w.tally.add(g, &g.entries[w.lo-1])
	}
	for ; w.hi > hi; w.hi-- {
		w.tally.drop(g, &g.entries[w.hi-1])
	}
	for ; w.lo < lo; w.lo++ {
		w.tally.drop(g, &g.entries[w.lo])
	}
}

// slipShown keeps the window shown right after entry i came in.
func (g *group) slipShown(i int) {
	if g.story == nil || g.story.shown == nil {
		return
	}
	w := g.story.shown
	switch {
	case i <= w.lo:
		w.lo++
		w.hi++
	case i < w.hi:
		w.hi++
		w.tally.add(g, &g.entries[i])
	}
}

// cutNumbers keeps what is known of a group's numbers right before the first n
// entries are dropped; see cutStretches.
func (g *group) cutNumbers(n int, horizon int64) {
	if g.story == nil || !g.owner.c.Type.number() {
		return
	}
	g.cutStretches(n, horizon)
	switch w := g.story.shown; {
	case w == nil:
	case n > w.lo:
		g.story.shown = nil
	default:
		w.lo -= n
		w.hi -= n
	}
}
