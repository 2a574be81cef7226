package sigma

// chain updates the chains of an ordered correlation with its next entry: for
// every rule in order, a chain up to it starts where the latest chain up to the
// rule before starts. Entries of one moment are in any order.
func (t *tally) chain(c *Correlation, e *entry) {
	t.last[e.rule] = e.at
	for i := range c.terms {
		start := e.at // of a chain up to the rule before
		for k := range t.starts[i] {
			if !c.terms[i].need.has(k) {
				continue
			}
			if t.last[k] == e.at {
				t.starts[i][k] = start // which never goes back
			}
			start = t.starts[i][k]
		}
	}
}

// slip takes entry i, which came in before the newest of the window, into the
// chains of an ordered correlation.
func (t *tally) slip(g *group, i int) {
	e := &g.entries[i]
	t.rules[e.rule]++
	t.seen.add(int(e.rule))
	t.last[e.rule] = max(t.last[e.rule], e.at)
	for k := range g.owner.c.terms {
		if !g.owner.c.terms[k].need.has(int(e.rule)) {
			continue
		}
		start, ok := g.chainBefore(k, e.at, int(e.rule))
		if !ok {
			continue
		}
		t.starts[k][e.rule] = max(t.starts[k][e.rule], start)
		g.chainAfter(k, e.at, int(e.rule), func(rule int) { t.starts[k][rule] = max(t.starts[k][rule], start) })
	}
}

// chainBefore returns the latest start, within the timespan, of a chain of what
// term k needs of the rules before one, which ends at a time; where it needs
// none that is the time itself.
func (g *group) chainBefore(k int, at int64, rule int) (start int64, ok bool) {
	need := &g.owner.c.terms[k].need
	earliest := since(at, g.owner.span)
	for r := rule - 1; r >= 0; r-- {
		if !need.has(r) {
			continue
		}
		i := g.from(past(at, 1)) - 1
		for i >= 0 && int(g.entries[i].rule) != r && g.entries[i].at >= earliest {
			i--
		}
		if i < 0 || g.entries[i].at < earliest {
			return 0, false
		}
		at = g.entries[i].at
	}
	return at, true
}

// chainAfter returns the earliest end, within the timespan, of a chain of what
// term k needs of the rules after one, which begins at a time, and calls visit,
// if any, for the rules that the chain gets to.
func (g *group) chainAfter(k int, at int64, rule int, visit func(rule int)) (end int64, ok bool) {
	need := &g.owner.c.terms[k].need
	latest := past(at, g.owner.span)
	for r := rule + 1; r < len(g.owner.c.Rules); r++ {
		if !need.has(r) {
			continue
		}
		i := g.from(at)
		for i < len(g.entries) && int(g.entries[i].rule) != r && g.entries[i].at <= latest {
			i++
		}
		if i == len(g.entries) || g.entries[i].at > latest {
			return 0, false
		}
		at = g.entries[i].at
		if visit != nil {
			visit(r)
		}
	}
	return at, true
}

// judgeOrdered judges a late entry of an ordered correlation. It can only make
// moments hold that a chain through it ends by.
func (c *Correlator) judgeOrdered(g *group, i int, l late) late {
	co, e := g.owner, &g.entries[i]
	near := g.neighbour(i)
	wasHeld := near >= 0 && g.entries[near].held
	if wasHeld && g.entries[near].at != e.at {
		l.own = g.mark(i, g.inOrder(e.at))
	}
	for k := range co.c.terms {
		if !co.c.terms[k].need.has(int(e.rule)) {
			continue
		}
		start, ok := g.chainBefore(k, e.at, int(e.rule))
		if !ok {
			continue
		}
		if end, ok := g.chainAfter(k, e.at, int(e.rule), nil); ok {
			own, others := g.hold(e.at, end, past(start, co.span))
			l.own, l.changed = l.own || own, l.changed || others
		}
	}
	if e.held && (!wasHeld || !g.knows(near, i)) {
		l.peak = c.rejudge(g, e.at, e.at).peak
	}
	if from, to := g.gap(i); from <= to {
		v := c.rejudge(g, from, to)
		l.changed, l.peak = l.changed || v.changed, max(l.peak, v.peak)
	}
	return l
}

// inOrder reports whether all that a term needs is there in order in the window
// that a moment closes.
func (g *group) inOrder(at int64) bool {
	for k := range g.owner.c.terms {
		if _, ok := g.chainBefore(k, at, len(g.owner.c.Rules)); ok {
			return true
		}
	}
	return false
}

// hold writes that the condition holds at the moments from … to. It returns
// whether that is new at the moment at and at others.
func (g *group) hold(at, from, to int64) (own, others bool) {
	for i := g.from(from); i < len(g.entries) && g.entries[i].at <= to; i++ {
		e := &g.entries[i]
		own, others = own || !e.held && e.at == at, others || !e.held && e.at != at
		e.held = true
	}
	return own, others
}
