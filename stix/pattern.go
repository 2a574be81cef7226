package stix

import "strings"

// Pattern is a parsed STIX pattern (STIX 2.1, chapter 9). Its String is a pattern
// with the same meaning, and parsing that gives the same tree.
type Pattern struct{ Root Observation }

// Observation is one node of the upper half of a pattern: *Match, *Joined or
// *Qualified.
type Observation interface {
	observation()
	print(*strings.Builder)
}

// Match is one observation expression in brackets: [ … ].
type Match struct{ Test Comparison }

// Joined is observation expressions joined by one operator, in order. The
// operator is "AND", "OR" or "FOLLOWEDBY", from the tightest to the loosest.
type Joined struct {
	Op    string
	Terms []Observation
}

// Qualified is an observation expression with one qualifier after it.
type Qualified struct {
	Of Observation
	// Exactly one of the following is set.
	Start, Stop string // timestamps, START t'…' STOP t'…'
	Within      string // seconds, WITHIN … SECONDS
	Repeats     string // a count, REPEATS … TIMES
}

// Comparison is one node of the lower half of a pattern, inside the brackets:
// *Test or *Combined.
type Comparison interface {
	comparison()
	print(*strings.Builder)
}

// Combined is comparisons joined by "AND" or "OR", in order.
type Combined struct {
	Op    string
	Terms []Comparison
}

// Test is one comparison of a property. Op is "=", "!=", "<", "<=", ">", ">=",
// "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET" or "EXISTS"; Values has one
// element except for IN (any number) and EXISTS (none).
type Test struct {
	Path    Path
	Negated bool
	Op      string
	Values  []Value
}

// Path is an object path, such as file:hashes.'SHA-256'.
type Path struct {
	Type  string
	Steps []Step
}

// Step is one step of a path: a property or dictionary key, or a list index,
// which is digits or "*".
type Step struct {
	Key   string
	Index string // not empty for an index step; Key is then empty
}

// Kind is the kind of a literal.
type Kind int

// The kinds of literals.
const (
	KindString Kind = iota
	KindInteger
	KindFloat
	KindBool
	KindTimestamp
	KindHex
	KindBinary
)

// Value is a literal. Text is its value without quotes, prefix, escapes and plus
// sign: the digits of a number, "true", the base64 of a binary.
type Value struct {
	Kind Kind
	Text string
}

func (*Match) observation()     {}
func (*Joined) observation()    {}
func (*Qualified) observation() {}
func (*Test) comparison()       {}
func (*Combined) comparison()   {}

// String writes the pattern.
func (p *Pattern) String() string {
	var out strings.Builder
	p.Root.print(&out)
	return out.String()
}

// String writes the path, with quotes where a step needs them.
func (p Path) String() string {
	var out strings.Builder
	p.print(&out)
	return out.String()
}

func (m *Match) print(out *strings.Builder) {
	out.WriteByte('[')
	m.Test.print(out)
	out.WriteByte(']')
}

func (j *Joined) print(out *strings.Builder) {
	for i, term := range j.Terms {
		if i > 0 {
			out.WriteString(" " + j.Op + " ")
		}
		inner, nested := term.(*Joined)
		printIn(out, term.print, nested && looseness(inner.Op) >= looseness(j.Op))
	}
}

func (q *Qualified) print(out *strings.Builder) {
	_, joined := q.Of.(*Joined)
	printIn(out, q.Of.print, joined)
	switch {
	case q.Within != "":
		out.WriteString(" WITHIN " + q.Within + " SECONDS")
	case q.Repeats != "":
		out.WriteString(" REPEATS " + q.Repeats + " TIMES")
	default:
		out.WriteString(" START t'" + q.Start + "' STOP t'" + q.Stop + "'")
	}
}

func (c *Combined) print(out *strings.Builder) {
	for i, term := range c.Terms {
		if i > 0 {
			out.WriteString(" " + c.Op + " ")
		}
		inner, nested := term.(*Combined)
		printIn(out, term.print, nested && looseness(inner.Op) >= looseness(c.Op))
	}
}

func (t *Test) print(out *strings.Builder) {
	not := ""
	if t.Negated {
		not = "NOT "
	}
	if t.Op == "EXISTS" {
		out.WriteString(not + "EXISTS ")
		t.Path.print(out)
		return
	}
	t.Path.print(out)
	out.WriteString(" " + not + t.Op + " ")
	if t.Op == "IN" {
		out.WriteByte('(')
	}
	for i, value := range t.Values {
		if i > 0 {
			out.WriteString(", ")
		}
		value.print(out)
	}
	if t.Op == "IN" {
		out.WriteByte(')')
	}
}

func (p Path) print(out *strings.Builder) {
	out.WriteString(p.Type)
	for i, step := range p.Steps {
		switch {
		case step.Index != "":
			out.WriteString("[" + step.Index + "]")
			continue
		case i == 0:
			out.WriteByte(':')
		default:
			out.WriteByte('.')
		}
		if isPlainName(step.Key) {
			out.WriteString(step.Key)
		} else {
			Value{Kind: KindString, Text: step.Key}.print(out)
		}
	}
}

func (v Value) print(out *strings.Builder) {
	switch v.Kind {
	case KindString:
		out.WriteByte('\'')
		out.WriteString(strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v.Text))
		out.WriteByte('\'')
	case KindTimestamp:
		out.WriteString("t'" + v.Text + "'")
	case KindHex:
		out.WriteString("h'" + v.Text + "'")
	case KindBinary:
		out.WriteString("b'" + v.Text + "'")
	default:
		out.WriteString(v.Text)
	}
}

func printIn(out *strings.Builder, print func(*strings.Builder), parens bool) {
	if parens {
		out.WriteByte('(')
	}
	print(out)
	if parens {
		out.WriteByte(')')
	}
}

func looseness(op string) int {
	switch op {
	case "AND":
		return 0
	case "OR":
		return 1
	}
	return 2
}

// isPlainName reports whether a property needs no quotes in a path.
func isPlainName(s string) bool {
	if s == "" || isKeyword(s) {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) || i == 0 && isDigit(s[i]) {
			return false
		}
	}
	return true
}
