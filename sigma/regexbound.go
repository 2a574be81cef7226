package sigma

import (
	"regexp/syntax"
	"strings"
)

// regexSize is about the number of steps an expression compiles to.
func regexSize(t *syntax.Regexp) int {
	n := 1
	switch t.Op {
	case syntax.OpLiteral:
		return len(t.Rune)
	case syntax.OpCharClass:
		return 1 + len(t.Rune)/2
	case syntax.OpRepeat:
		return min(n+max(t.Min, t.Max, 1)*regexSize(t.Sub[0]), 1<<30)
	}
	for _, sub := range t.Sub {
		n = min(n+regexSize(sub), 1<<30)
	}
	return n
}

// nestedRepeat reports whether something is repeated, open how often, within a
// group that is so repeated itself: what a backtracking engine can take
// exponential time for. It reads the notation roughly, and rather says yes.
func nestedRepeat(source string) bool {
	groups := []bool{false} // the whole and the open groups: whether a repetition is in them
	last := false           // whether the element that just ended is a group with one
	for i := 0; i < len(source); i++ {
		open := &groups[len(groups)-1]
		switch c := source[i]; {
		case c == '\\':
			last = false
			i++
		case c == '[':
			last = false
			i = classEnd(source, i)
		case c == '(':
			groups = append(groups, false)
			last = false
		case c == ')' && len(groups) > 1:
			last = *open
			groups = groups[:len(groups)-1]
			groups[len(groups)-1] = groups[len(groups)-1] || last
		case c == '*' || c == '+' || c == '{' && openCount(source[i:]):
			if last {
				return true
			}
			*open = true
		case c == '{':
			i += max(strings.IndexByte(source[i:], '}'), 0) // a fixed count
		default:
			last = false
		}
	}
	return false
}

// openCount reports whether s begins with a count like {2,} or {2,9}.
func openCount(s string) bool {
	least, most, ok := strings.Cut(s[1:max(strings.IndexByte(s, '}'), 1)], ",")
	return ok && least != most
}

// classEnd returns where the character class that begins at i ends.
func classEnd(s string, i int) int {
	j := i + 1
	if j < len(s) && s[j] == '^' {
		j++
	}
	if j < len(s) && s[j] == ']' {
		j++
	}
	for ; j < len(s) && s[j] != ']'; j++ {
		if s[j] == '\\' {
			j++
		}
	}
	return j
}
