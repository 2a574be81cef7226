package sigma

import (
	"math"
	"math/bits"
	"slices"
)

// sketch estimates how many distinct values a stretch of time had: a
// HyperLogLog (Flajolet and others, 2007) whose registers remember, for every
// rank that may still be the largest of a window to come, when it was last
// seen (after Chabchoub and Hébrail's Sliding HyperLogLog, 2010). No two marks
// of a register are such that one is both newer and of a higher rank.
type sketch struct {
	registers [][]mark
	newest    reading
}

// reading is what an estimate of the newest window goes by, kept up as values
// come so that each does not cost a pass over all registers.
type reading struct {
	start   int64 // of the window
	until   int64 // no register is different for a window that begins by then; before start: not read
	largest [sketchSize]uint8
	counts  rankCounts
}

// rankCounts are registers by their largest rank.
type rankCounts [sketchRanks + 2]int32

const sketchRanks = 64 - sketchBits

type mark struct {
	at   int64
	rank uint8
}

const (
	sketchBits   = 12
	sketchSize   = 1 << sketchBits
	sketchWeight = 4096 // of a sketch, in events, by the memory it takes
	// SketchError is the relative standard error of an estimated number of
	// distinct values: 1.04 / √4096.
	SketchError = 0.01625
)

func newSketch() *sketch {
	s := &sketch{registers: make([][]mark, sketchSize)}
	s.newest.start, s.newest.until = noTime+1, noTime
	return s
}

// add notes a value that was seen at a time, and forgets what is before.
func (s *sketch) add(value string, at, before int64) {
	h := hash64(value)
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1)) + 1)
	s.note(int(h>>(64-sketchBits)), mark{at, rank}, before)
}

func (s *sketch) note(register int, m mark, before int64) {
	marks := s.registers[register]
	for _, o := range marks {
		if o.at >= m.at && o.rank >= m.rank {
			return
		}
	}
	marks = slices.DeleteFunc(marks, func(o mark) bool { return o.at < before || o.at <= m.at && o.rank <= m.rank })
	i := len(marks)
	for i > 0 && marks[i-1].at > m.at {
		i--
	}
	s.registers[register] = slices.Insert(marks, i, m)
	if r := &s.newest; m.at >= r.start && r.until >= r.start {
		r.set(register, max(m.rank, r.largest[register]))
		r.until = min(r.until, s.lasts(register, r.start))
	}
}

// lasts returns the last start of a window, from one on, for which the largest
// rank of a register stays as it is.
func (s *sketch) lasts(register int, start int64) int64 {
	for _, m := range s.registers[register] {
		if m.at >= start {
			return m.at
		}
	}
	return math.MaxInt64
}

func (r *reading) set(register int, rank uint8) {
	r.counts[r.largest[register]]--
	r.counts[rank]++
	r.largest[register] = rank
}

// estimateNewest is estimate for a window that ends with the newest value.
func (s *sketch) estimateNewest(start int64) float64 {
	r := &s.newest
	if start < r.start || start > r.until {
		r.counts = rankCounts{}
		r.start, r.until = start, math.MaxInt64
		for i, marks := range s.registers {
			r.largest[i] = 0
			for _, m := range marks {
				if m.at >= start {
					r.largest[i] = m.rank
					r.until = min(r.until, m.at)
					break
				}
			}
			r.counts[r.largest[i]]++
		}
	}
	return r.counts.estimate()
}

// estimate returns about how many distinct values were seen from start to end.
func (s *sketch) estimate(start, end int64) float64 {
	var counts rankCounts
	for _, marks := range s.registers {
		largest := uint8(0)
		for _, m := range marks {
			if m.at >= start && m.at <= end {
				largest = m.rank
				break
			}
		}
		counts[largest]++
	}
	return counts.estimate()
}

// estimate is Ertl's improved estimator (2017).
func (counts *rankCounts) estimate() float64 {
	const q = sketchRanks
	z := sketchSize * tau(1-float64(counts[q+1])/sketchSize)
	for k := q; k >= 1; k-- {
		z = 0.5 * (z + float64(counts[k]))
	}
	z += sketchSize * sigmaSum(float64(counts[0])/sketchSize)
	return math.Round(sketchSize / (2 * math.Ln2) * sketchSize / z)
}

// sigmaSum is Ertl's function σ.
func sigmaSum(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for before := -1.0; z != before; {
		x *= x
		before = z
		z += x * y
		y += y
	}
	return z
}

// tau is Ertl's function τ.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for before := -1.0; z != before; {
		x = math.Sqrt(x)
		before = z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
	}
	return z / 3
}

// hash64 is FNV-1a with the finaliser of MurmurHash3. It must stay as it is:
// snapshots and shards depend on it.
func hash64(texts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, t := range texts {
		for i := 0; i < len(t); i++ {
			h = (h ^ uint64(t[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
