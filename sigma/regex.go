package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Bounds of a regular expression in a rule.
const (
	maxRegexLen      = 16 << 10
	maxRegexSize     = 20_000 // steps of one expression; see regexSize
	regexMatchTime   = 100 * time.Millisecond
	maxRegexLiterals = 64 // in a list of texts of which a match needs one
	maxRegexNeeds    = 8  // such lists
)

// regex is a compiled "re" value. It runs on Go's linear-time engine where
// that has all the expression needs; otherwise on a backtracking engine with
// a time limit.
type regex struct {
	linear    *regexp.Regexp
	backtrack *regexp2.Regexp
	size      int // see regexSize
	// needs are lists of folded texts: of each list, one is in every text that
	// matches. The first is the most telling one.
	needs [][]string
}

// match reports whether the expression is found in text. A match that takes
// longer than the time limit is an error.
func (r *regex) match(text string) (bool, error) {
	if r.linear != nil {
		return r.linear.MatchString(text), nil
	}
	return r.backtrack.MatchString(text)
}

// compileRegex reads source, in PCRE's notation, with the flags of the
// sub-modifiers i, m and s.
func compileRegex(source, flags string) (*regex, error) {
	if len(source) > maxRegexLen {
		return nil, fmt.Errorf("regular expression is longer than %d bytes", maxRegexLen)
	}
	expr := source
	if flags != "" {
		expr = "(?" + flags + ")" + source
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	size := len(source)
	if err == nil {
		size = regexSize(tree)
	}
	if size > maxRegexSize {
		return nil, fmt.Errorf("regular expression of more than %d steps", maxRegexSize)
	}
	if err == nil && dollarLast(tree) {
		if linear, cerr := regexp.Compile(pcreDollar(tree).String()); cerr == nil {
			return &regex{linear: linear, size: size, needs: needs(tree)}, nil
		}
	}
	return compileBacktracking(source, flags, size, err)
}

// compileBacktracking compiles what Go's engine has no words for. What could
// take exponential time is refused; the time limit remains for the rest.
func compileBacktracking(source, flags string, size int, err error) (*regex, error) {
	if nestedRepeat(source) {
		return nil, errors.New("regular expression that needs backtracking repeats what itself repeats, which can take forever: " +
			"write it without look-around, back-references and long counts, or without the inner repetition")
	}
	opts := regexp2.None
	for _, f := range flags {
		opts |= map[rune]regexp2.RegexOptions{'i': regexp2.IgnoreCase, 'm': regexp2.Multiline, 's': regexp2.Singleline}[f]
	}
	back, berr := regexp2.Compile(source, opts)
	if berr != nil {
		return nil, errors.New("unsupported regular expression: " + firstReason(err, berr))
	}
	back.MatchTimeout = regexMatchTime
	return &regex{backtrack: back, size: size}, nil
}

func firstReason(errs ...error) string {
	for _, err := range errs {
		if err != nil {
			return err.Error()
		}
	}
	return "unknown"
}

// dollarLast reports whether nothing follows a "$" that means the end of the
// text. PCRE lets such a "$" also match before a final newline, which only
// then can be written for Go's engine, which has no look-ahead.
func dollarLast(t *syntax.Regexp) bool {
	for i, sub := range t.Sub {
		last := t.Op != syntax.OpConcat || i == len(t.Sub)-1
		repeated := t.Op == syntax.OpStar || t.Op == syntax.OpPlus || t.Op == syntax.OpRepeat
		if (!last || repeated) && hasDollar(sub) {
			return false
		}
		if !dollarLast(sub) {
			return false
		}
	}
	return true
}

func isDollar(t *syntax.Regexp) bool {
	return t.Op == syntax.OpEndText && t.Flags&syntax.WasDollar != 0
}

func hasDollar(t *syntax.Regexp) bool {
	if isDollar(t) {
		return true
	}
	for _, sub := range t.Sub {
		if hasDollar(sub) {
			return true
		}
	}
	return false
}

// pcreDollar returns the tree with every "$" for the end of the text replaced
// by "\n?\z".
func pcreDollar(t *syntax.Regexp) *syntax.Regexp {
	if isDollar(t) {
		newline := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'\n'}}
		return &syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{
			{Op: syntax.OpQuest, Sub: []*syntax.Regexp{newline}},
			{Op: syntax.OpEndText},
		}}
	}
	if !hasDollar(t) {
		return t
	}
	out := *t
	out.Sub = make([]*syntax.Regexp, len(t.Sub))
	for i, sub := range t.Sub {
		out.Sub[i] = pcreDollar(sub)
	}
	return &out
}

// needs returns what every match of the expression needs, the most telling
// list of texts first.
func needs(t *syntax.Regexp) [][]string {
	lists := needsOf(t)
	slices.SortStableFunc(lists, func(a, b []string) int { return shortest(b) - shortest(a) })
	return lists[:min(len(lists), maxRegexNeeds)]
}

func needsOf(t *syntax.Regexp) [][]string {
	switch t.Op {
	case syntax.OpLiteral:
		// Where the expression says U+FFFD it also means bytes that are not UTF-8.
		if !slices.Contains(t.Rune, utf8.RuneError) {
			return [][]string{{fold(string(t.Rune))}}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needsOf(t.Sub[0])
	case syntax.OpRepeat:
		if t.Min > 0 {
			return needsOf(t.Sub[0])
		}
	case syntax.OpConcat:
		var all [][]string
		for _, sub := range t.Sub {
			all = append(all, needsOf(sub)...)
		}
		return all
	case syntax.OpAlternate:
		return needsOfAlternate(t)
	}
	return nil
}

// needsOfAlternate is one list, of the most telling texts of each alternative.
func needsOfAlternate(t *syntax.Regexp) [][]string {
	var all []string
	for _, sub := range t.Sub {
		lists := needs(sub)
		if len(lists) == 0 || len(all)+len(lists[0]) > maxRegexLiterals {
			return nil
		}
		all = append(all, lists[0]...)
	}
	return [][]string{all}
}

// shortest returns the length of the shortest of texts, 0 for none.
func shortest(texts []string) int {
	n := 0
	for i, s := range texts {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// regexFlags orders and checks the flags given as modifiers.
func regexFlags(mods []string) string {
	var b strings.Builder
	for _, f := range []struct{ flag, long string }{{"i", "ignorecase"}, {"m", "multiline"}, {"s", "dotall"}} {
		for _, m := range mods {
			if (m == f.flag || m == f.long) && !strings.Contains(b.String(), f.flag) {
				b.WriteString(f.flag)
			}
		}
	}
	return b.String()
}
