package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// bounds are the comparisons of a condition taken together.
type bounds struct {
	low, high         float64 // infinite: none
	lowOpen, highOpen bool    // the bound itself does not hold
	not               []float64
}

func (b *bounds) hold(x float64) bool {
	return (x > b.low || x == b.low && !b.lowOpen) && (x < b.high || x == b.high && !b.highOpen) && !slices.Contains(b.not, x)
}

// bounded reports whether more can be too much.
func (b *bounds) bounded() bool { return !math.IsInf(b.high, 1) || len(b.not) > 0 }

// never reports whether nothing can hold.
func (b *bounds) never() bool { return b.low > b.high || b.low == b.high && !b.hold(b.low) }

// narrow applies one criterion; whole says that a count is compared.
func (b *bounds) narrow(k criterion, whole bool) error {
	x, ok := parseNumber(k.number)
	switch {
	case !slices.Contains([]string{"gt", "gte", "lt", "lte", "eq", "neq"}, k.op):
		return fmt.Errorf("unknown criterion %q in the condition", k.op)
	case whole && (!ok || x != math.Trunc(x) || x < 0 || x > maxCount):
		return fmt.Errorf("%s must be a whole number from 0 to %d", k.op, maxCount)
	case !ok:
		return fmt.Errorf("%s must be a decimal number", k.op)
	}
	switch k.op {
	case "gt":
		if whole {
			b.atLeast(x+1, false)
		} else {
			b.atLeast(x, true)
		}
	case "gte":
		b.atLeast(x, false)
	case "lt":
		if whole {
			b.atMost(x-1, false)
		} else {
			b.atMost(x, true)
		}
	case "lte":
		b.atMost(x, false)
	case "eq":
		b.atLeast(x, false)
		b.atMost(x, false)
	case "neq":
		b.not = append(b.not, x)
	}
	return nil
}

func (b *bounds) atLeast(x float64, open bool) {
	if x > b.low || x == b.low && open {
		b.low, b.lowOpen = x, open
	}
}

func (b *bounds) atMost(x float64, open bool) {
	if x < b.high || x == b.high && open {
		b.high, b.highOpen = x, open
	}
}

// parseNumber reads a decimal number as events and rules carry it, perhaps as
// text: digits with an optional sign, fraction and exponent.
func parseNumber(s string) (float64, bool) {
	if canonicalNumber(s) == "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsInf(x, 0)
}
