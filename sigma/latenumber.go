package sigma

// judgeNumber judges a late entry where numbers are computed with.
func (c *Correlator) judgeNumber(g *group, i int, l late) late {
	e := &g.entries[i]
	was, known := e.held, false
	switch {
	case g.stretched():
		known = g.spread(i)
	case !c.stretch(g):
		l.own = c.rejudge(g, e.at, e.at).changed
		l.changed = c.rejudge(g, past(e.at, 1), l.to).changed
		return l
	}
	st := g.story
	own := st.stretchAt(e.at)
	first := st.first(own)
	for k := own; k < len(st.stretches) && st.stretches[k].from <= l.to; k++ {
		s := &st.stretches[k]
		if k == own && !known || s.left.gone() {
			l.changed = c.through(g, k, first, e.at, l.to) || l.changed
		}
		first += s.n
	}
	l.own = e.held != was
	g.divide(own)
	return l
}

// spread takes entry i, which came in late, into the stretch that it is in and
// those that it comes before. It reports whether its moment needs no judging.
func (g *group) spread(i int) (known bool) {
	st, e := g.story, &g.entries[i]
	st.stretches[0].from = min(st.stretches[0].from, e.at)
	k, to, x := st.stretchAt(e.at), past(e.at, g.owner.span), g.number(e)
	s := &st.stretches[k]
	before := s.left
	if s.n++; s.near != nil {
		s.meet(e.class, x)
	}
	p := g.owner.push(e.class, x)
	s.left.pushed(g.owner, p, false)
	for k++; k < len(st.stretches) && st.stretches[k].from <= to; k++ {
		s := &st.stretches[k]
		s.count(e.class, x, 1)
		s.left.pushed(g.owner, p, st.end(k) <= to)
	}
	if g.companion(i) >= 0 {
		return true
	}
	return g.likePrior(i, s, before)
}

// likePrior judges the moment of entry i, which is alone in it, by the moment
// before, if that is of the same stretch, of which it is known what was left of
// it, and its window is not so different that this is used up.
func (g *group) likePrior(i int, s *stretch, left slack) bool {
	const most = 16
	if i == 0 || g.entries[i-1].at < s.from {
		return false
	}
	span, e, prior := g.owner.span, &g.entries[i], &g.entries[i-1]
	left.pushed(g.owner, g.owner.push(e.class, g.number(e)), true)
	for k, n := g.from(since(prior.at, span)), 0; g.entries[k].at < since(e.at, span); k, n = k+1, n+1 {
		gone := g.owner.push(g.entries[k].class, g.number(&g.entries[k]))
		left.pushed(g.owner, push{-gone.most, -gone.least}, true)
		if n == most {
			return false
		}
	}
	if left.gone() {
		return false
	}
	s.left.lower(left)
	g.mark(i, prior.held)
	return true
}

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
	if hi-lo <= manyNumbers {
		return c.measure(g, &window{lo: lo, hi: hi})
	}
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
