package sigma

import (
	"math"
	"slices"
	"sort"
)

// ranked are numbers in order, in blocks so that one more costs no pass over
// all of them.
type ranked struct {
	blocks [][]float64 // none is empty
	n      int
}

// maxBlock is how many numbers a block holds before it is split.
const maxBlock = 512

func (r *ranked) reset() {
	if len(r.blocks) > 0 {
		r.blocks = append(r.blocks[:0], r.blocks[0][:0])
	}
	r.n = 0
}

// block returns the first block that has a number that is not below x, or the
// last.
func (r *ranked) block(x float64) int {
	i := sort.Search(len(r.blocks), func(i int) bool { b := r.blocks[i]; return b[len(b)-1] >= x })
	return min(i, len(r.blocks)-1)
}

func (r *ranked) add(x float64) {
	r.n++
	if r.n == 1 {
		if len(r.blocks) == 0 {
			r.blocks = make([][]float64, 1)
		}
		r.blocks[0] = append(r.blocks[0][:0], x)
		return
	}
	k := r.block(x)
	i, _ := slices.BinarySearch(r.blocks[k], x)
	b := slices.Insert(r.blocks[k], i, x)
	r.blocks[k] = b
	if n := len(b); n > maxBlock {
		r.blocks[k] = b[: n/2 : n/2]
		r.blocks = slices.Insert(r.blocks, k+1, slices.Clone(b[n/2:]))
	}
}

// drop takes away a number that is there.
func (r *ranked) drop(x float64) {
	r.n--
	k := r.block(x)
	i, _ := slices.BinarySearch(r.blocks[k], x)
	r.blocks[k] = slices.Delete(r.blocks[k], i, i+1)
	if len(r.blocks[k]) == 0 && len(r.blocks) > 1 {
		r.blocks = slices.Delete(r.blocks, k, k+1)
	}
}

// below returns how many numbers are below x.
func (r *ranked) below(x float64) (n int) {
	for _, b := range r.blocks {
		if b[len(b)-1] >= x {
			i, _ := slices.BinarySearch(b, x)
			return n + i
		}
		n += len(b)
	}
	return n
}

// at returns the number that i others come before.
func (r *ranked) at(i int) float64 {
	for _, b := range r.blocks {
		if i < len(b) {
			return b[i]
		}
		i -= len(b)
	}
	return math.NaN() // no such number
}

// rank is where the p-th percentile of n numbers is: between the numbers that
// the whole part and one more come before, as far as the rest says.
func rank(n int, p float64) (i int, part float64) {
	r := float64(n-1) * p / 100
	i = int(math.Floor(r))
	return i, r - float64(i)
}

// percentile is the p-th percentile, p from 0 to 100, by linear interpolation
// between the two nearest ranks: the number at rank (n-1)·p/100, counted from 0
// (definition 7 of Hyndman and Fan, 1996, which is SQL's PERCENTILE_CONT). The
// 50th is the median.
func (r *ranked) percentile(p float64) float64 {
	i, part := rank(r.n, p)
	if i+1 >= r.n {
		return r.at(r.n - 1)
	}
	return r.at(i)*(1-part) + r.at(i+1)*part
}
