package sigma

import (
	"math"
	"math/bits"
	"slices"
)

// exactSum adds float64 numbers without rounding, so that the order in which
// they come and go changes nothing: a fixed-point number that spans the whole
// range of float64, in digits of 32 bits that may be over- and underfull
// between carries (after Kulisch's long accumulator).
type exactSum struct {
	digits []int64 // the lowest is worth 2^-1074
	lo, hi int     // all digits before lo and from hi on are 0
	adds   int     // since the last carry
}

const (
	sumDigits  = (1074+1024)/32 + 4 // with room for more than 2^60 of the largest numbers
	sumLowest  = -1074
	maxSumAdds = 1 << 30
)

func (s *exactSum) reset() {
	if s.digits == nil {
		s.digits = make([]int64, sumDigits)
	}
	clear(s.digits)
	s.lo, s.hi, s.adds = sumDigits, 0, 0
}

// clone copies the sum.
func (s *exactSum) clone() *exactSum {
	out := *s
	out.digits = slices.Clone(s.digits)
	return &out
}

// add adds a finite number.
func (s *exactSum) add(x float64) {
	b := math.Float64bits(x)
	exp, mantissa := int(b>>52&0x7ff), b&(1<<52-1)
	if exp > 0 {
		mantissa |= 1 << 52
		exp--
	}
	at, shift := exp/32, exp%32
	hi, lo := bits.Mul64(mantissa, 1<<shift)
	parts := [3]int64{int64(lo & math.MaxUint32), int64(lo >> 32), int64(hi)}
	s.lo, s.hi = min(s.lo, at), max(s.hi, at+3)
	for i, part := range parts {
		if b>>63 != 0 {
			part = -part
		}
		s.digits[at+i] += part
	}
	if s.adds++; s.adds >= maxSumAdds {
		carry(s.digits)
		s.hi, s.adds = sumDigits, 0
	}
}

// carry brings every digit but the highest into the range of 32 bits.
func carry(digits []int64) {
	over := int64(0)
	for i := range len(digits) - 1 {
		d := digits[i] + over
		digits[i], over = d&math.MaxUint32, d>>32
	}
	digits[len(digits)-1] += over
}

// value is the sum, rounded once.
func (s *exactSum) value() float64 {
	if s.hi == 0 {
		return 0
	}
	var all [sumDigits]int64
	last := min(s.hi+1, sumDigits-1) // what is carried over goes no further
	digits := all[:last+1]
	copy(digits[s.lo:], s.digits[s.lo:last+1])
	carry(digits[s.lo:])
	sign := 1.0
	if digits[last] < 0 {
		sign = -1
		for i := s.lo; i <= last; i++ {
			digits[i] = -digits[i]
		}
		carry(digits[s.lo:])
	}
	top := last
	for top > 0 && digits[top] == 0 {
		top--
	}
	// The 64 highest bits; the lowest of them also stands for all below.
	var high, low uint64
	high = uint64(digits[top])
	if top > 0 {
		high, low = high<<32|uint64(digits[top-1]), 0
	}
	rest := top - 2
	if rest >= 0 {
		low = uint64(digits[rest]) << 32
		rest--
	}
	if high == 0 {
		return 0
	}
	shift := bits.LeadingZeros64(high)
	high, low = high<<shift|low>>(64-shift), low<<shift
	sticky := low != 0
	for ; rest >= s.lo && !sticky; rest-- {
		sticky = digits[rest] != 0
	}
	if sticky {
		high |= 1
	}
	return sign * math.Ldexp(float64(high), sumLowest+32*max(top-1, 0)-shift)
}
