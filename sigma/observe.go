package sigma

import "slices"

// observe adds an entry to its group, whose key is in c.key, unless it is too
// late, and appends the findings it causes.
func (c *Correlator) observe(co *correlated, e *arrival, out []Finding) []Finding {
	g := c.groupOf(co, view(c.key))
	switch {
	case e.at < since(c.watermark(g), co.late):
		c.stats.Late++
		return out
	case g.story != nil && g.story.shed && e.at < g.story.floor:
		c.stats.Shed++
		return out
	}
	return c.take(g, e, out)
}

// watermark is what an event of a group must not be too far behind: what was
// told, but not more than its newest event, so that records from the past have
// their own time.
func (c *Correlator) watermark(g *group) int64 {
	if c.mark == noTime {
		return g.newest()
	}
	return min(c.mark, g.newest())
}

// take adds an entry to a group and appends the findings it causes.
func (c *Correlator) take(g *group, e *arrival, out []Finding) []Finding {
	i, dup := g.search(e)
	if dup {
		out = c.repeat(g, e.at, e.at, out)
		return c.forward(g, e.at, past(e.at, g.owner.span), true, out)
	}
	before := g.newest()
	g.insert(i, e)
	c.stats.Events++
	if g.story != nil && g.story.sketch != nil {
		g.story.sketch.add(e.value, e.at, since(max(before, e.at), g.owner.span+g.owner.late))
	}
	switch {
	case g.owner.awaits:
		out = c.decideTo(g, since(e.at, g.owner.span), past(e.at, g.owner.span), out)
		c.await(g)
	case e.at < before:
		out = c.takeLate(g, i, out)
	default:
		out = c.takeNewest(g, i, e.at == before, out)
	}
	c.trim(g)
	return out
}

// takeNewest goes on with entry i, which came in at the newest moment; again
// says that the moment had entries before.
func (c *Correlator) takeNewest(g *group, i int, again bool, out []Finding) []Finding {
	w, n, at := &g.window, len(g.entries), g.newest()
	held := again && (g.entries[n-2].held || g.entries[n-1].held)
	if w.tally != nil {
		w.tally.add(g, &g.entries[i])
	}
	w.hi = n
	w.leave(g, since(at, g.owner.span))
	x := c.measure(g, w)
	holds := c.holds(g, w, x)
	g.note(w, holds)
	c.stretchNewest(g, w, i, x, again)
	switch {
	case held && !(holds && c.grow(g, i, x)):
		out = c.remake(g, at, at, out)
	case held:
		out = c.report(g, g.story.episodes[len(g.story.episodes)-1], out)
	case holds:
		out = c.report(g, c.extend(g, w, x), out)
	default:
		return out
	}
	return c.forward(g, at, at, false, out)
}

// trim drops entries that nothing can need any more, a quarter at least at a
// time, and more when there is no room.
func (c *Correlator) trim(g *group) {
	horizon := since(c.watermark(g), g.owner.keep)
	old := g.from(horizon)
	if old > 0 && old >= len(g.entries)/4 {
		g.cutNumbers(old, horizon)
		c.dropEntries(g, func(i int) bool { return i < old })
	}
	if n := len(g.entries); n > g.owner.most || len(g.texts) > maxTexts {
		c.shed(g, min(n, g.owner.most)*3/4)
	}
	if g.story != nil {
		g.forget(c, horizon)
	}
}

// forget drops what of a group's story is over.
func (g *group) forget(c *Correlator, horizon int64) {
	st := g.story
	live := slices.IndexFunc(st.episodes, func(ep *episode) bool { return ep.lastHeld >= horizon })
	if live < 0 {
		live = len(st.episodes)
	}
	st.episodes = slices.Delete(st.episodes, 0, live)
	sent := slices.IndexFunc(st.sent, func(s sending) bool { return s.at >= horizon })
	if sent < 0 {
		sent = len(st.sent)
	}
	st.sent = slices.Delete(st.sent, 0, sent)
	st.retired = slices.DeleteFunc(st.retired, func(r retired) bool { return r.at < horizon })
	if st.shed && st.floor < horizon {
		st.shed, st.floor = false, noTime
		st.stretches = nil // what was shed is counted there
		if st.sketch != nil {
			st.sketch = nil
			c.stats.Events -= sketchWeight
		}
	}
}

// shed makes room in a group. Of entries of the same rule in a temporal type
// the newest stays longest; what is still too much goes oldest first.
func (c *Correlator) shed(g *group, room int) {
	st := g.told()
	before := len(g.entries)
	st.shed = true
	if g.owner.sketch && st.sketch == nil {
		st.sketch = newSketch()
		c.stats.Events += sketchWeight
		for i := range g.entries {
			st.sketch.add(g.value(&g.entries[i]), g.entries[i].at, noTime)
		}
	}
	if g.owner.c.Type.temporal() {
		c.shedRepeated(g, before-room)
	}
	if over := len(g.entries) - room; over > 0 {
		st.floor = max(st.floor, past(g.entries[over-1].at, 1))
		g.cutNumbers(over, noTime)
		c.dropEntries(g, func(i int) bool { return i < over })
	}
	c.stats.Shed += uint64(before - len(g.entries))
}

// shedRepeated drops so many of the entries after which another one of the
// same rule comes, oldest first.
func (c *Correlator) shedRepeated(g *group, excess int) {
	var seen ruleSet
	repeated := make([]bool, len(g.entries))
	for i := len(g.entries) - 1; i >= 0; i-- {
		rule := int(g.entries[i].rule)
		repeated[i] = seen.has(rule)
		seen.add(rule)
	}
	c.dropEntries(g, func(i int) bool {
		if !repeated[i] || excess == 0 {
			return false
		}
		excess--
		return true
	})
}

// dropEntries removes the entries chosen, asked in order, after adding them to
// the episodes they are part of, and sets the window up again.
func (c *Correlator) dropEntries(g *group, chosen func(i int) bool) {
	before := len(g.entries)
	kept := g.entries[:0]
	prefix, inOrder := 0, true // whether only the first were dropped
	for i, e := range g.entries {
		if !chosen(i) {
			kept = append(kept, e)
			continue
		}
		inOrder = inOrder && i == prefix
		prefix++
		if g.story == nil {
			continue
		}
		for _, ep := range g.story.episodes {
			ep.absorb(c, g, &e)
		}
	}
	if g.entries = kept; len(kept) < cap(kept)/4 {
		g.entries = slices.Clone(kept)
	}
	g.pack()
	c.stats.Events -= before - len(kept)
	if inOrder && prefix <= g.window.lo {
		g.window.lo -= prefix
		g.window.hi -= prefix
		return
	}
	g.reset()
}
