package sigma

import (
	"math"
	"slices"
)

// ranked are the numbers of a window, of which those around one rank are known
// in order; of all others it is only counted how many are below. A window of
// thousands that moves on by one number moves the rank by one at most.
type ranked struct {
	percent   float64 // the rank; see rank
	n         int     // numbers
	low, high float64 // numbers beyond are only counted
	runs      []run   // those that are not, in order
	at        int     // a place in runs, near the rank
	before    int     // how many numbers come before it
}

// run is a number and how often it is there.
type run struct {
	x float64
	n int
}

// maxRuns is how many different numbers are known before those furthest from
// the rank are let go.
const maxRuns = 512

func (r *ranked) reset(percent float64) {
	*r = ranked{percent: percent, low: math.Inf(-1), high: math.Inf(1), runs: r.runs[:0]}
}

// find returns the place of a number in runs, or where it belongs.
func (r *ranked) find(x float64) (i int, found bool) {
	for end := len(r.runs); i < end; {
		if middle := (i + end) / 2; r.runs[middle].x < x {
			i = middle + 1
		} else {
			end = middle
		}
	}
	return i, i < len(r.runs) && r.runs[i].x == x
}

func (r *ranked) add(x float64) {
	r.n++
	switch {
	case x > r.high:
		return
	case x < r.low:
		r.before++
		return
	}
	i, found := r.find(x)
	if i < r.at || i == r.at && !found {
		r.before++
	}
	if found {
		r.runs[i].n++
		return
	}
	r.runs = slices.Insert(r.runs, i, run{x, 1})
	switch {
	case i < r.at:
		r.at++
	case i == r.at: // it is the place now
		r.before--
	}
	if len(r.runs) > maxRuns {
		r.trim()
	}
}

// drop takes away a number that is there.
func (r *ranked) drop(x float64) {
	r.n--
	switch {
	case x > r.high:
		return
	case x < r.low:
		r.before--
		return
	}
	i, found := r.find(x)
	if !found {
		return
	}
	if i < r.at {
		r.before--
	}
	if r.runs[i].n--; r.runs[i].n > 0 {
		return
	}
	r.runs = slices.Delete(r.runs, i, i+1)
	if i < r.at {
		r.at--
	}
}

// trim lets go of the numbers furthest from the rank.
func (r *ranked) trim() {
	i, _ := rank(r.n, r.percent)
	r.seek(i)
	from := min(max(r.at-maxRuns/4, 0), len(r.runs)-maxRuns/2)
	to := from + maxRuns/2
	if from > 0 {
		r.low = r.runs[from].x
	}
	if to < len(r.runs) {
		r.high = r.runs[to-1].x
	}
	for r.at >= to { // the rank is not known
		r.at--
		r.before -= r.runs[r.at].n
	}
	r.runs = slices.Delete(r.runs, to, len(r.runs))
	r.runs = slices.Delete(r.runs, 0, from)
	r.at -= from
}

// seek goes to the run with the number that i others come before. It is false
// when that is not known.
func (r *ranked) seek(i int) bool {
	for r.at > 0 && (r.before > i || r.at == len(r.runs)) {
		r.at--
		r.before -= r.runs[r.at].n
	}
	for r.at < len(r.runs) && r.before+r.runs[r.at].n <= i {
		r.before += r.runs[r.at].n
		r.at++
	}
	return r.at < len(r.runs) && r.before <= i
}

// learn begins anew with all the numbers, which it puts in order.
func (r *ranked) learn(numbers []float64) {
	r.reset(r.percent)
	slices.Sort(numbers)
	for _, x := range numbers {
		if k := len(r.runs) - 1; k >= 0 && r.runs[k].x == x {
			r.runs[k].n++
		} else {
			r.runs = append(r.runs, run{x, 1})
		}
	}
	if r.n = len(numbers); len(r.runs) > maxRuns {
		r.trim()
	}
}

// rank is where the p-th percentile of n numbers is: between the numbers that
// the whole part and one more come before, as far as the rest says.
func rank(n int, p float64) (i int, part float64) {
	r := float64(n-1) * p / 100
	i = int(math.Floor(r))
	return i, r - float64(i)
}

// along is the number as far from a to b as part says, and never beyond them.
func along(a, b, part float64) float64 {
	return min(max(a*(1-part)+b*part, a), b) + 0 // no negative zero
}

// percentile is the p-th percentile, p from 0 to 100, by linear interpolation
// between the two nearest ranks: the number at rank (n-1)·p/100, counted from 0
// (definition 7 of Hyndman and Fan, 1996, which is SQL's PERCENTILE_CONT). The
// 50th is the median. It is false when the numbers there are not known.
func (r *ranked) percentile() (x float64, known bool) {
	i, part := rank(r.n, r.percent)
	if !r.seek(i) {
		return 0, false
	}
	a := r.runs[r.at]
	switch {
	case r.before+a.n > i+1 || i+1 >= r.n:
		return along(a.x, a.x, part), true
	case r.at+1 < len(r.runs):
		return along(a.x, r.runs[r.at+1].x, part), true
	}
	return 0, false
}
