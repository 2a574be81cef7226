package sigma

import "math"

// through judges the moments of stretch k, of which the first entry is given,
// again, and notes those from … to. It reports whether any but that at the
// beginning changed.
func (c *Correlator) through(g *group, k, first int, from, to int64) (changed bool) {
	p := c.pass(g, k, first)
	end := first + g.story.stretches[k].n
	for p.hi < end {
		at := p.moment(end)
		held := p.held()
		if at >= from && at <= to {
			changed = g.note(&window{hi: p.hi}, held) && at > from || changed
		}
	}
	g.story.stretches[k].left = p.slack
	return changed
}

// rejudgeStretches decides about the moments from … to again.
func (c *Correlator) rejudgeStretches(g *group, from, to int64) (changed bool) {
	st := g.story
	k := max(st.stretchAt(from), 0)
	first := st.first(k)
	for ; k < len(st.stretches) && st.stretches[k].from <= to; k++ {
		changed = c.through(g, k, first, since(from, 1), to) || changed
		first += st.stretches[k].n
	}
	return changed
}

// pass goes through the moments of a stretch.
type pass struct {
	g       *group
	k       int // the stretch
	first   int // its first entry
	lo, hi  int // the window
	n       int // its numbers, and with them those that were shed since
	classes []int32
	total   total
	slack   slack
	near    nearest
}

// pass begins before stretch k, of which the first entry is given.
func (c *Correlator) pass(g *group, k, first int) pass {
	s := &g.story.stretches[k]
	p := pass{g: g, k: k, first: first, lo: g.from(since(s.from, g.owner.span)), hi: first, n: s.before, slack: endless()}
	if s.sum != nil {
		p.total.begin(s.sum)
	} else {
		c.classes = append(c.classes[:0], s.classes...)
		p.classes = c.classes
	}
	return p
}

// count takes in an entry, or lets go of it where times is -1.
func (p *pass) count(e *entry, times int) {
	p.n += times
	if p.classes != nil {
		p.classes[e.class] += int32(times)
	} else {
		p.total.add(p.g.number(e) * float64(times))
	}
}

// moment takes in the next moment of the stretch, which ends before entry end.
func (p *pass) moment(end int) (at int64) {
	entries := p.g.entries
	for at = entries[p.hi].at; p.hi < end && entries[p.hi].at == at; p.hi++ {
		p.count(&entries[p.hi], 1)
	}
	for start := since(at, p.g.owner.span); entries[p.lo].at < start; p.lo++ {
		p.count(&entries[p.lo], -1)
	}
	return at
}

// held decides about the moment that was taken in last.
func (p *pass) held() bool {
	co := p.g.owner
	if p.classes == nil {
		left, sure := co.slackOfSum(p.n, &p.total)
		p.slack.lower(left)
		x := p.total.sum + p.total.rest
		if !sure {
			x = p.exactly()
		}
		if co.c.Type == ValueAvg {
			x /= float64(p.n)
		}
		return co.c.cond.hold(x)
	}
	low, high, left := co.rank(p.classes, p.n)
	p.slack.lower(left)
	if low == high {
		return co.verdicts[low]
	}
	a, b := p.near.of(p, low, high)
	switch {
	case math.IsInf(a, 0): // was shed
		return co.verdicts[high]
	case math.IsInf(b, 0):
		return co.verdicts[low]
	}
	_, part := rank(p.n, co.c.Percentile)
	return co.c.cond.hold(along(a, b, part))
}

// exactly is the sum of the window.
func (p *pass) exactly() float64 {
	g := p.g
	s := &g.story.stretches[p.k]
	sum := s.sum.clone()
	for i := p.first; i < p.hi; i++ {
		sum.add(g.number(&g.entries[i]))
	}
	for i := g.from(since(s.from, g.owner.span)); i < p.lo; i++ {
		sum.add(-g.number(&g.entries[i]))
	}
	return sum.value()
}

// nearest are the numbers next to a cut in a window.
type nearest struct {
	low, high   int // their classes
	from, to    int // entries
	below, over float64
}

// of returns the largest number of a class in the window of a pass and the
// smallest of a higher one; infinite where there is none.
func (a *nearest) of(p *pass, low, high int) (below, over float64) {
	g := p.g
	if a.to == 0 || a.low != low || a.high != high {
		*a = nearest{low: low, high: high}
	}
	for i := a.from; i < p.lo && a.to > 0; i++ { // what has left
		if e := &g.entries[i]; int(e.class) == low && g.number(e) >= a.below || int(e.class) == high && g.number(e) <= a.over {
			a.to = 0
		}
	}
	if a.from = p.lo; a.to == 0 {
		a.below, a.over = math.Inf(-1), math.Inf(1)
		a.before(p)
		a.to = max(p.first, p.lo)
	}
	for ; a.to < p.hi; a.to++ {
		a.take(g, &g.entries[a.to])
	}
	return a.below, a.over
}

// before takes in what of the window is in the stretches before.
func (a *nearest) before(p *pass) {
	g := p.g
	for k, first := p.k-1, p.first; k >= 0 && first > p.lo; k-- {
		s := &g.story.stretches[k]
		end := first
		if first -= s.n; first >= p.lo {
			a.below = max(a.below, s.near[2*a.low])
			a.over = min(a.over, s.near[2*a.high-1])
			continue
		}
		for i := p.lo; i < end; i++ {
			a.take(g, &g.entries[i])
		}
	}
}

func (a *nearest) take(g *group, e *entry) {
	switch int(e.class) {
	case a.low:
		a.below = max(a.below, g.number(e))
	case a.high:
		a.over = min(a.over, g.number(e))
	}
}
