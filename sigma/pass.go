package sigma

import "math"

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

// slack is how far what verdicts hang on may be pushed up and down before one is
// another.
type slack struct{ up, down float64 }

func (s *slack) lower(o slack) { s.up, s.down = min(s.up, o.up), min(s.down, o.down) }

// gone reports whether there may be another verdict.
func (s *slack) gone() bool { return s.up < 0 || s.down < 0 }

func endless() slack { return slack{math.Inf(1), math.Inf(1)} }

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

// rank returns the classes of the two numbers between which the percentile of n
// is, and the slack. A cut is below both, or above both, or between them, as the
// numbers below it, less one, are up to 1 less than the rank, or more than it,
// or in between: then the two numbers decide, and anything can change that.
func (co *correlated) rank(classes []int32, n int) (low, high int, left slack) {
	left = endless()
	rank := float64(n-1) * co.c.Percentile / 100
	low, high = len(co.cuts), len(co.cuts)
	below := int32(-1)
	for k := range co.cuts {
		below += classes[k]
		over := float64(below) - rank
		switch {
		case over > 0 || over == 0 && co.c.Percentile == 100:
			low, high = min(low, k), min(high, k)
			left.down = min(left.down, over)
		case over <= -1:
			left.up = min(left.up, -1-over)
		default:
			low = min(low, k)
			left = slack{-1, -1}
		}
	}
	return low, high, left
}

// total is a sum that goes up and down, and what was rounded off it (Knuth's
// TwoSum).
type total struct {
	sum, rest float64
	most      float64 // the sum that was furthest from 0
	rough     bool    // something was rounded off
}

func (t *total) begin(s *exactSum) {
	t.sum = s.value()
	s.add(-t.sum)
	t.rest = s.value()
	s.add(t.sum)
	t.most, t.rough = math.Abs(t.sum), t.rest != 0
}

func (t *total) add(x float64) {
	sum := t.sum + x
	back := sum - t.sum
	off := (t.sum - (sum - back)) + (x - back)
	t.sum, t.rest = sum, t.rest+off
	t.most = max(t.most, math.Abs(sum))
	t.rough = t.rough || off != 0
}

// margin is the part of a number that is not counted on, for what was rounded.
const margin = 1.0 / (1 << 30)

// slackOfSum is the slack of a window of n numbers of which the sum is given; it
// is sure when this sum is as good as the exact one.
func (co *correlated) slackOfSum(n int, t *total) (left slack, sure bool) {
	left, sure = endless(), true
	x := t.sum + t.rest
	for _, cut := range co.cuts {
		if co.c.Type == ValueAvg {
			cut *= float64(n)
		}
		over, off := x-cut, (t.most+math.Abs(cut))*(margin/64)
		switch {
		case over > off:
			left.down = min(left.down, over-off)
		case -over > off:
			left.up = min(left.up, -over-off)
		default:
			left, sure = slack{-1, -1}, !t.rough
		}
	}
	return left, sure
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
