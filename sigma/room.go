package sigma

import (
	"cmp"
	"math"
	"slices"
)

// stretch is a run of moments of a group with many numbers, up to the next
// stretch, and how much may still come to or go from the window of any of them
// before its verdict can be another: of a sum the sum of the amounts, of a mean
// that of the distances from the bounds of the condition, of a percentile the
// number of events. A late event then costs no pass over thousands of numbers.
type stretch struct {
	from    int64
	room    float64 // below 0: unknown
	moments int     // that were taken in at its end
}

const (
	roomyWindow  = 64 // from how many events on there are stretches
	maxStretches = 64
	leastStretch = 16 // moments
	// margin is the part of a sum's distance from a bound that is not counted
	// on, for what was rounded.
	margin = 1.0 / (1 << 30)
	tiny   = 1e-300 // the same near 0
)

// room computes what is left to a window of which x was measured, as stretch has
// it.
func (c *Correlator) room(g *group, w *window, x float64) float64 {
	n := w.hi - w.lo
	if !g.owner.c.Type.number() || n <= roomyWindow {
		return -1
	}
	left := math.Inf(1)
	for _, edge := range g.owner.edges {
		left = min(left, w.distance(g.owner.c, x, edge))
	}
	if math.IsNaN(left) {
		return -1
	}
	return left
}

// distance is how far a large window of which x was measured is from an edge.
func (w *window) distance(c *Correlation, x, edge float64) float64 {
	n := w.hi - w.lo
	if c.Type == ValuePercentile || c.Type == ValueMedian {
		i, _ := rank(n, c.Percentile)
		wide := math.Abs(edge)*margin + tiny
		above := i - w.tally.sorted.below(math.Nextafter(edge+wide, math.Inf(1)))
		return float64(max(above, w.tally.sorted.below(edge-wide)-i-2))
	}
	if c.Type == ValueAvg {
		x, edge = x*float64(n), edge*float64(n)
	}
	return math.Abs(x-edge)*(1-margin) - (math.Abs(x)+math.Abs(edge))*margin/64
}

// weight is what one more number takes of a room.
func (co *correlated) weight(x float64) float64 {
	switch co.c.Type {
	case ValueSum:
		return math.Abs(x)
	case ValueAvg:
		most := 0.0
		for _, edge := range co.edges {
			most = max(most, math.Abs(x-edge))
		}
		return most
	default:
		return 1
	}
}

// edges are the numbers at which the verdict can change.
func (b *bounds) edges() []float64 {
	edges := slices.Clip(b.not)
	for _, x := range [...]float64{b.low, b.high} {
		if !math.IsInf(x, 0) {
			edges = append(edges, x)
		}
	}
	return edges
}

// leaveRoom notes the room of the newest moment; again says that it was noted
// when the moment had fewer events.
func (c *Correlator) leaveRoom(g *group, w *window, x float64, again bool) {
	if !g.owner.c.Type.number() {
		return
	}
	room := c.room(g, w, x)
	if room < 0 && (g.story == nil || len(g.story.rooms) == 0) {
		return
	}
	st, at := g.told(), g.newest()
	k := len(st.rooms) - 1
	if k >= 0 && (again || st.rooms[k].moments < max(leastStretch, len(g.entries)/(maxStretches/2)) && st.rooms[k].room < 0 == (room < 0)) {
		st.rooms[k].room = min(st.rooms[k].room, room)
		st.rooms[k].moments++
		return
	}
	if st.rooms = append(st.rooms, stretch{at, room, 1}); len(st.rooms) > maxStretches {
		st.joinStretches()
	}
}

// joinStretches makes one of every two.
func (st *story) joinStretches() {
	half := st.rooms[:0]
	for i := 0; i < len(st.rooms); i += 2 {
		s := st.rooms[i]
		if i+1 < len(st.rooms) {
			s.room, s.moments = min(s.room, st.rooms[i+1].room), s.moments+st.rooms[i+1].moments
		}
		half = append(half, s)
	}
	st.rooms = half
}

// at returns the stretch that a time is in; -1 if it is before all.
func (st *story) at(at int64) int {
	i, found := slices.BinarySearchFunc(st.rooms, at, func(s stretch, at int64) int { return cmp.Compare(s.from, at) })
	if found {
		return i
	}
	return i - 1
}

// lower notes that a moment has no more room than this.
func (g *group) lower(at int64, room float64) {
	if g.story == nil || len(g.story.rooms) == 0 {
		return
	}
	if k := g.story.at(at); k >= 0 {
		g.story.rooms[k].room = min(g.story.rooms[k].room, room)
	}
}

// end returns the last time of a stretch, which may be that before all.
func (st *story) end(k int) int64 {
	if k+1 < len(st.rooms) {
		return st.rooms[k+1].from - 1
	}
	return math.MaxInt64
}

// judgeNumber judges a late entry where numbers are computed with.
func (c *Correlator) judgeNumber(g *group, i int, l late) late {
	e, st := &g.entries[i], g.story
	if st == nil || len(st.rooms) == 0 {
		l.own = c.rejudge(g, e.at, e.at).changed
		l.changed = c.rejudge(g, past(e.at, 1), l.to).changed
		return l
	}
	from, to, own, was := e.at, l.to, math.Inf(1), e.held
	weight := g.owner.weight(g.number(e))
	if g.companion(i) < 0 {
		from = past(e.at, 1)
		was, own = c.judgeNew(g, i, weight)
		l.own = was
	}
	first, last := len(st.rooms), -1 // stretches without room
	for k := max(st.at(from), 0); k < len(st.rooms) && st.rooms[k].from <= to; k++ {
		if s := &st.rooms[k]; s.room >= weight {
			s.room -= weight
		} else {
			first, last = min(first, k), k
		}
	}
	if first <= last { // all of them, to know their room
		for k := first; k <= last; k++ {
			st.rooms[k].room = math.Inf(1)
		}
		lo, hi := st.rooms[first].from, st.end(last)
		l.changed = c.rejudge(g, lo, hi).changed
		l.from, l.to = min(l.from, lo), max(l.to, hi)
	}
	if st.at(from) < 0 {
		l.changed = c.rejudge(g, from, min(to, st.end(-1))).changed || l.changed
	}
	l.own = l.own || e.held != was
	g.lower(e.at, own)
	return l
}

// judgeNew judges the moment of a late entry that is the first of it, by the
// moment before. It returns whether the condition holds and the room.
func (c *Correlator) judgeNew(g *group, i int, weight float64) (held bool, room float64) {
	const most = 64
	e, st := &g.entries[i], g.story
	if i > 0 {
		near := &g.entries[i-1]
		room = -1
		if k := st.at(near.at); k >= 0 && near.at >= since(e.at, g.owner.span) {
			room = st.rooms[k].room - weight
		}
		lo := g.from(since(near.at, g.owner.span))
		for k := lo; room >= 0 && g.entries[k].at < since(e.at, g.owner.span); k++ {
			if room -= g.owner.weight(g.number(&g.entries[k])); k-lo == most {
				room = -1
			}
		}
		if room >= 0 {
			return g.mark(i, near.held), room
		}
	}
	return c.rejudge(g, e.at, e.at).changed, math.Inf(1) // which lowered the room
}
