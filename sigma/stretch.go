package sigma

import (
	"cmp"
	"math"
	"slices"
)

// stretch is a run of moments of a group with many numbers, up to the next
// stretch. It knows what was in the window before its first moment, so that its
// moments can be judged by going through its own events, and how far what their
// verdicts hang on may be pushed before the first of them is another. What comes
// late is counted in the stretches whose windows it is in, and of these only
// those are gone through that it pushes too far.
//
// A verdict hangs on where the sum of the window is against each cut of the
// condition; of a mean, on the sum of the distances from the cut; of a
// percentile, on how many of the numbers are below the cut against how many the
// rank asks for (see correlated.rank). One more number pushes that by the same amount
// in every window that it comes to.
type stretch struct {
	from    int64
	n       int       // its events
	left    slack     // of its moments; below 0: what is pushed is gone through
	before  int       // numbers in the window of the timespan before it
	classes []int32   // percentile: those by class
	sum     *exactSum // sum and mean: of those
	near    []float64 // percentile: by cut, the largest own number of the class below it and the smallest of that above
}

const (
	manyNumbers = 64  // from how many events on a group has stretches
	stretchSize = 128 // events, and as many again before it is divided
	maxCuts     = 64  // with more the moments are all gone through
)

// meet takes a number into the nearest to the cuts around its class.
func (s *stretch) meet(class uint8, x float64) {
	if k := 2 * int(class); k < len(s.near) {
		s.near[k] = max(s.near[k], x)
	}
	if k := 2*int(class) - 1; k >= 0 && len(s.near) > 0 {
		s.near[k] = min(s.near[k], x)
	}
}

// nearAnew finds the numbers near the cuts among the entries of stretch k, of
// which the first is given.
func (g *group) nearAnew(k, first int) {
	s := &g.story.stretches[k]
	s.nothingNear()
	for i := first; s.near != nil && i < first+s.n; i++ {
		s.meet(g.entries[i].class, g.number(&g.entries[i]))
	}
}

// stretchAt returns the stretch that a time is in; -1 if it is before all.
func (st *story) stretchAt(at int64) int {
	i, found := slices.BinarySearchFunc(st.stretches, at, func(s stretch, at int64) int { return cmp.Compare(s.from, at) })
	if found {
		return i
	}
	return i - 1
}

// first returns the first entry of stretch k.
func (st *story) first(k int) (i int) {
	for _, s := range st.stretches[:k] {
		i += s.n
	}
	return i
}

// end returns the last time of stretch k.
func (st *story) end(k int) int64 {
	if k+1 < len(st.stretches) {
		return st.stretches[k+1].from - 1
	}
	return math.MaxInt64
}

// stretched reports whether the moments of a group are in stretches.
func (g *group) stretched() bool { return g.story != nil && len(g.story.stretches) > 0 }

// stretch puts the moments of a group with many numbers in stretches. It is
// false when the group has few.
func (c *Correlator) stretch(g *group) bool {
	if g.owner.cuts == nil || len(g.entries) <= manyNumbers {
		return false
	}
	st := g.told()
	for i := 0; i < len(g.entries); {
		s := g.owner.newStretch(g.entries[i].at)
		first := i
		for i < len(g.entries) && (i < first+stretchSize || g.entries[i].at == g.entries[i-1].at) {
			i++
		}
		s.n = i - first
		st.stretches = append(st.stretches, s)
		k := len(st.stretches) - 1
		if g.nearAnew(k, first); k > 0 {
			g.follow(k, first)
		} else {
			st.stretches[0].begin(g.owner, nil, 0)
		}
	}
	return true
}

// newStretch returns a stretch without events, of which is not known yet what
// was before.
func (co *correlated) newStretch(from int64) stretch {
	s := stretch{from: from, left: slack{-1, -1}}
	if co.verdicts != nil {
		s.near = make([]float64, 2*len(co.cuts))
		s.nothingNear()
	}
	return s
}

func (s *stretch) nothingNear() {
	for i := range s.near {
		s.near[i] = math.Inf(i%2*2 - 1)
	}
}

// begin says that a stretch has before it what is in a tally of n numbers; nil:
// nothing.
func (s *stretch) begin(co *correlated, t *tally, n int) {
	if t == nil {
		t = &tally{}
		t.reset(co)
	}
	if s.before = n; co.verdicts != nil {
		s.classes = slices.Clone(t.classes)
	} else {
		s.sum = t.sum.clone()
	}
}

// count takes a number into what was before a stretch, or out of it where times
// is -1.
func (s *stretch) count(class uint8, x float64, times int) {
	s.before += times
	if s.sum != nil {
		s.sum.add(x * float64(times))
	} else {
		s.classes[class] += int32(times)
	}
}

// follow finds what was in the window before stretch k, of which the first entry
// is given, from the stretch before.
func (g *group) follow(k, first int) {
	s, last := &g.story.stretches[k], &g.story.stretches[k-1]
	s.before, s.classes = last.before, slices.Clone(last.classes)
	if last.sum != nil {
		s.sum = last.sum.clone()
	}
	for i := first - last.n; i < first; i++ {
		s.count(g.entries[i].class, g.number(&g.entries[i]), 1)
	}
	span := g.owner.span
	for i := g.from(since(last.from, span)); g.entries[i].at < since(s.from, span); i++ {
		s.count(g.entries[i].class, g.number(&g.entries[i]), -1)
	}
}

// divide makes two of stretch k if it is too long.
func (g *group) divide(k int) {
	s := &g.story.stretches[k]
	first, n := g.story.first(k), stretchSize
	for n < s.n && g.entries[first+n].at == g.entries[first+n-1].at {
		n++
	}
	if s.n <= 2*stretchSize || n == s.n {
		return
	}
	rest := g.owner.newStretch(g.entries[first+n].at)
	rest.n, rest.left = s.n-n, s.left
	s.n = n
	g.story.stretches = slices.Insert(g.story.stretches, k+1, rest)
	g.nearAnew(k, first)
	g.nearAnew(k+1, first+n)
	g.follow(k+1, first+n)
}

// stretchNewest takes entry i, which came in at the newest moment, into the last
// stretch or a new one; w is that moment's window, of which x was measured, and
// again says that the moment had entries before.
func (c *Correlator) stretchNewest(g *group, w *window, i int, x float64, again bool) {
	if !g.stretched() {
		if g.owner.c.Type.number() {
			c.stretch(g)
		}
		return
	}
	t, e := w.of(g, &c.small), &g.entries[i]
	s := &g.story.stretches[len(g.story.stretches)-1]
	if !again && s.n >= stretchSize {
		next := g.owner.newStretch(e.at)
		next.left = endless()
		next.begin(g.owner, t, w.hi-w.lo)
		next.count(e.class, g.number(e), -1)
		g.story.stretches = append(g.story.stretches, next)
		s = &g.story.stretches[len(g.story.stretches)-1]
	}
	if s.n++; s.near != nil {
		s.meet(e.class, g.number(e))
	}
	s.left.lower(g.owner.slack(t, w.hi-w.lo, x))
}

// takeOut takes an entry that is no longer there out of the stretches. The
// moments whose windows it was in are judged again after that.
func (g *group) takeOut(e *entry, x float64) {
	if !g.stretched() {
		return
	}
	st := g.story
	own, to := st.stretchAt(e.at), past(e.at, g.owner.span)
	for k := own + 1; k < len(st.stretches) && st.stretches[k].from <= to; k++ {
		st.stretches[k].count(e.class, x, -1)
	}
	if st.stretches[own].n--; st.stretches[own].n > 0 {
		g.nearAnew(own, st.first(own))
	} else {
		st.stretches = slices.Delete(st.stretches, own, own+1)
	}
}

// cutStretches lets go of the first n entries, which are dropped after that. No
// moment to which anything may still come has any before horizon in its window;
// noTime says that they are shed, and go on being counted where they were.
func (g *group) cutStretches(n int, horizon int64) {
	if !g.stretched() {
		return
	}
	st, span := g.story, g.owner.span
	if len(g.entries)-n <= manyNumbers/2 {
		st.stretches = nil
		return
	}
	// Only one stretch before which there are some of them can have such moments.
	if k := st.stretchAt(past(horizon, span)); k >= 0 && horizon != noTime && !st.shed {
		s := &st.stretches[k]
		for i := g.from(since(s.from, span)); i < n && g.entries[i].at < s.from; i++ {
			s.count(g.entries[i].class, g.number(&g.entries[i]), -1)
		}
	}
	k, left := 0, n
	for left >= st.stretches[k].n {
		left -= st.stretches[k].n
		k++
	}
	st.stretches = slices.Delete(st.stretches, 0, k)
	st.stretches[0].n -= left
	g.nearAnew(0, n)
}

// adoptStretches completes what a snapshot tells of a group's stretches. It is
// false when that does not fit.
func (g *group) adoptStretches() bool {
	co := g.owner
	for i := range g.entries {
		if e := &g.entries[i]; co.verdicts != nil {
			e.class = co.class(g.number(e))
		}
	}
	if !g.stretched() {
		return true
	}
	all := g.story.stretches
	if co.cuts == nil || all[0].from > g.entries[0].at {
		return false
	}
	for k, first := 0, 0; k < len(all); k++ {
		s := &all[k]
		s.n = g.from(past(g.story.end(k), 1)) - first
		ranked := co.verdicts != nil
		if s.n <= 0 || ranked && len(s.classes) != len(co.cuts)+1 || ranked == (s.sum != nil) {
			return false
		}
		s.near = co.newStretch(s.from).near
		g.nearAnew(k, first)
		first += s.n
	}
	return true
}
