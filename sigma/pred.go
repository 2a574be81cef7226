package sigma

import (
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"github.com/aspis-platform/aspis/event"
)

// predKind says how one value of a rule is compared with a field.
type predKind uint8

const (
	predExact predKind = iota
	predPrefix
	predSuffix
	predContains
	predGlob
	predAny      // present with some text, also the empty one
	predNull     // missing, null or an empty list
	predExists   // present; op 0 means it must not be
	predNumber   // equal to a number
	predCompare  // op: compareOp
	predCIDR     // an address in a network
	predRegex    // lit: flags, a slash, the source
	predFieldRef // lit: the other field; op: a predKind from predExact to predContains
	predTime     // op: timePart; lit: the number
)

type compareOp uint8

const (
	lt compareOp = iota
	lte
	gt
	gte
)

// predKey identifies a predicate: equal keys always have the same result on
// the same event. Field is "" for keywords. Text is folded unless cased.
type predKey struct {
	kind  predKind
	op    uint8
	cased bool
	field string
	lit   string
	alt   string // predNumber: the literal as written, folded
}

// pred is a predicate over one field.
type pred struct {
	predKey
	num  float64      // predCompare
	re   *regex       // predRegex
	glob *glob        // predGlob
	cidr netip.Prefix // predCIDR
}

// text is one scalar value of a field in the forms predicates need.
type text struct {
	raw    string
	folded string
	num    string // canonical form of a number; "" when it is the raw text or no number
}

// content is what an event has under one field name.
type content struct {
	present bool // the field exists
	null    bool // it has a null, or is an empty list
	texts   []text
}

// folds reports whether the predicate looks at folded text.
func (p *pred) folds() bool {
	return !p.cased && p.kind <= predFieldRef && p.kind != predRegex
}

// holds evaluates the predicate; other is the content of the field referred
// to by predFieldRef. The error is a regular expression out of time.
func (p *pred) holds(c, other *content) (bool, error) {
	switch p.kind {
	case predNull:
		return !c.present || c.null, nil
	case predExists:
		return c.present == (p.op != 0), nil
	case predFieldRef:
		return p.refers(c, other), nil
	case predRegex:
		return p.matches(c)
	}
	for i := range c.texts {
		if p.one(&c.texts[i]) {
			return true, nil
		}
	}
	return false, nil
}

func (p *pred) matches(c *content) (bool, error) {
	var late error
	for i := range c.texts {
		ok, err := p.re.match(c.texts[i].raw)
		if ok && err == nil {
			return true, nil
		}
		if err != nil {
			late = err
		}
	}
	return false, late
}

// one evaluates the predicate on one value.
func (p *pred) one(t *text) bool {
	s := t.folded
	if p.cased {
		s = t.raw
	}
	switch p.kind {
	case predExact:
		return s == p.lit
	case predPrefix:
		return strings.HasPrefix(s, p.lit)
	case predSuffix:
		return strings.HasSuffix(s, p.lit)
	case predContains:
		return strings.Contains(s, p.lit)
	case predGlob:
		return p.glob.match(s)
	case predAny:
		return true
	case predNumber:
		return s == p.lit || s == p.alt || t.num == p.lit
	case predCompare:
		return p.compares(t)
	case predCIDR:
		return inNetwork(p.cidr, t.raw)
	case predTime:
		return timePart(p.op).of(t.raw) == p.lit
	default:
		return false
	}
}

func (p *pred) compares(t *text) bool {
	n, ok := event.StringValue(t.raw).Number()
	if !ok {
		return false
	}
	switch compareOp(p.op) {
	case lt:
		return n < p.num
	case lte:
		return n <= p.num
	case gt:
		return n > p.num
	default:
		return n >= p.num
	}
}

// refers compares every value of the field with every value of the other.
func (p *pred) refers(c, other *content) bool {
	for i := range c.texts {
		for j := range other.texts {
			a, b := c.texts[i].folded, other.texts[j].folded
			if p.cased {
				a, b = c.texts[i].raw, other.texts[j].raw
			}
			if relates(predKind(p.op), a, b) {
				return true
			}
		}
	}
	return false
}

func relates(how predKind, a, b string) bool {
	switch how {
	case predPrefix:
		return strings.HasPrefix(a, b)
	case predSuffix:
		return strings.HasSuffix(a, b)
	case predContains:
		return strings.Contains(a, b)
	default:
		return a == b
	}
}

// inNetwork reports whether s is an address in the network. An IPv4 address
// written as IPv4-mapped IPv6 is that IPv4 address; a zone is ignored.
func inNetwork(network netip.Prefix, s string) bool {
	if n := len(s); n < 2 || n > 64 || !strings.ContainsAny(s, ".:") {
		return false
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	return network.Contains(addr.Unmap().WithZone(""))
}

// canonicalNumber writes a decimal number in one way, exactly: without exponent,
// or, where that would be long, as digits with one. It returns "" for anything
// that is not a decimal number.
func canonicalNumber(s string) string {
	if plainNumber(s) {
		return s
	}
	return rewrittenNumber(s)
}

// rewrittenNumber is canonicalNumber for a number that may be written otherwise.
func rewrittenNumber(s string) string {
	if _, err := strconv.ParseFloat(s, 64); err != nil || strings.ContainsAny(s, "xXpPnNiI_") {
		return ""
	}
	sign, mantissa := "", strings.TrimLeft(s, "+-")
	if s[0] == '-' {
		sign = "-"
	}
	exponent := 0
	if at := strings.IndexAny(mantissa, "eE"); at >= 0 {
		var err error
		if exponent, err = strconv.Atoi(mantissa[at+1:]); err != nil {
			return ""
		}
		mantissa = mantissa[:at]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	exponent -= len(fraction)
	short := strings.TrimRight(digits, "0")
	return sign + plainDecimal(short, exponent+len(digits)-len(short))
}

// longestPlain is the most digits behind the point, or zeros before it, that are
// written out.
const longestPlain = 400

// plainDecimal writes digits × 10^exponent; neither end of digits is a zero.
func plainDecimal(digits string, exponent int) string {
	switch point := len(digits) + exponent; {
	case max(exponent, -exponent) > longestPlain:
		return digits + "e" + strconv.Itoa(exponent)
	case exponent >= 0:
		return digits + strings.Repeat("0", exponent)
	case point > 0:
		return digits[:point] + "." + digits[point:]
	default:
		return "0." + strings.Repeat("0", -point) + digits
	}
}

// plainInteger reports whether s is an integer in its shortest form.
func plainInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 1 && digits[0] == '0' || s == "-0" {
		return false
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// plainNumber says whether a number is written as canonicalNumber does: an
// integer, or a fraction that ends in no zero.
func plainNumber(s string) bool {
	whole, fraction, ok := strings.Cut(s, ".")
	if !ok {
		return plainInteger(s)
	}
	if !plainInteger(whole) && whole != "-0" || fraction == "" || len(fraction) > longestPlain || fraction[len(fraction)-1] == '0' {
		return false
	}
	return strings.Trim(fraction, "0123456789") == ""
}

// view lends bytes as a string. It is the only use of unsafe here; whoever
// calls it must not change the bytes while the string is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
