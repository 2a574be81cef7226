package sigma

import (
	"math"
	"slices"
)

// cuts are the numbers from which on the verdict is another than below.
func (b *bounds) cuts() []float64 {
	next := func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }
	all := []float64{b.low, next(b.high)}
	if b.lowOpen {
		all[0] = next(b.low)
	}
	if b.highOpen {
		all[1] = b.high
	}
	for _, x := range b.not {
		all = append(all, x, next(x))
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(x float64) bool {
		return math.IsInf(x, 0) || b.hold(x) == b.hold(math.Nextafter(x, math.Inf(-1)))
	})
}

// classify says how the numbers of a correlation are told apart.
func (co *correlated) classify() {
	if !co.c.Type.number() {
		return
	}
	cuts := co.c.cond.cuts()
	if len(cuts) == 0 || len(cuts) > maxCuts {
		return
	}
	if co.cuts = cuts; !co.c.Type.ranks() {
		return
	}
	co.verdicts = []bool{co.c.cond.hold(math.Nextafter(cuts[0], math.Inf(-1)))}
	for _, x := range cuts {
		co.verdicts = append(co.verdicts, co.c.cond.hold(x))
	}
}

// class is how many cuts are not above x.
func (co *correlated) class(x float64) (k uint8) {
	for _, cut := range co.cuts {
		if x < cut {
			break
		}
		k++
	}
	return k
}

// slack is how far what verdicts hang on may be pushed up and down before one is
// another.
type slack struct{ up, down float64 }

func (s *slack) lower(o slack) { s.up, s.down = min(s.up, o.up), min(s.down, o.down) }

// gone reports whether there may be another verdict.
func (s *slack) gone() bool { return s.up < 0 || s.down < 0 }

func endless() slack { return slack{math.Inf(1), math.Inf(1)} }

// push is by how much one more number moves what verdicts hang on: at the cut
// where that is least, and where it is most.
type push struct{ least, most float64 }

func (co *correlated) push(class uint8, x float64) push {
	last, share := len(co.cuts)-1, co.c.Percentile/100
	switch {
	case co.c.Type == ValueSum:
		return push{x, x}
	case co.c.Type == ValueAvg:
		return push{x - co.cuts[last], x - co.cuts[0]}
	case class == 0:
		return push{1 - share, 1 - share}
	case int(class) > last:
		return push{-share, -share}
	}
	return push{-share, 1 - share}
}

// pushed takes off what a number moves; all says that it is in the windows of
// all moments that this is about.
func (s *slack) pushed(co *correlated, p push, all bool) {
	if !all {
		p = push{min(p.least, 0), max(p.most, 0)}
	}
	*s = slack{co.take(s.up, p.most), co.take(s.down, -p.least)}
}

// take is what is left of a room after something is taken off it that may be
// below 0, less what may be lost in rounding.
func (co *correlated) take(room, x float64) float64 {
	const counted = 1e-8 // ranks: far above what a million numbers can be rounded by
	if x == 0 || room < 0 || math.IsInf(room, 1) {
		return room
	}
	rounded := counted
	if !co.c.Type.ranks() {
		rounded = (math.Abs(room) + math.Abs(x)) * margin
	}
	if room = room - x - rounded; room >= 0 {
		return room
	}
	return -1 // also where numbers are too large to compute with
}

// slack is that of a window of n numbers of which x was measured.
func (co *correlated) slack(t *tally, n int, x float64) (left slack) {
	switch co.c.Type {
	case ValueSum:
		left, _ = co.slackOfSum(n, &total{sum: x, most: math.Abs(x), rough: true})
	case ValueAvg:
		x *= float64(n)
		left, _ = co.slackOfSum(n, &total{sum: x, most: math.Abs(x), rough: true})
	default:
		_, _, left = co.rank(t.classes, n)
	}
	return left
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
