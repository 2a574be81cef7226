package stix

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// PatternLimits bound what the pattern parser accepts.
type PatternLimits struct {
	Bytes int
	Depth int // of parentheses and qualifiers
	Nodes int // of expressions and literals
}

// DefaultPatternLimits are far above any pattern a person would write.
func DefaultPatternLimits() PatternLimits {
	return PatternLimits{Bytes: 1 << 20, Depth: 64, Nodes: 50_000}
}

// ParsePattern parses a pattern within DefaultPatternLimits. Errors are
// *PatternError with the position.
func ParsePattern(text string) (*Pattern, error) {
	return ParsePatternLimited(text, DefaultPatternLimits())
}

// ParsePatternLimited parses a pattern (STIX 2.1, chapter 9, by the grammar
// STIXPattern.g4 of OASIS). AND binds tighter than OR, and OR tighter than
// FOLLOWEDBY.
func ParsePatternLimited(text string, limits PatternLimits) (*Pattern, error) {
	p := &patternParser{lexer: lexer{text: text}, limits: limits}
	if len(text) > limits.Bytes {
		return nil, p.over(limits.Bytes, "longer than %d bytes", limits.Bytes)
	}
	if !utf8.ValidString(text) {
		return nil, p.lexer.fail(0, "not UTF-8")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.observations("FOLLOWEDBY")
	if err != nil {
		return nil, err
	}
	if p.now.kind != tokenEnd {
		return nil, p.unexpected("the end, AND, OR, FOLLOWEDBY or a qualifier")
	}
	return &Pattern{Root: root}, nil
}

type patternParser struct {
	lexer  lexer
	now    token
	limits PatternLimits
	depth  int
	nodes  int
}

func (p *patternParser) over(at int, format string, args ...any) error {
	return &PatternError{Offset: at, Reason: fmt.Sprintf(format, args...), Err: ErrLimit}
}

func (p *patternParser) advance() (err error) {
	p.now, err = p.lexer.next()
	return err
}

func (p *patternParser) is(kind tokenKind, text string) bool {
	return p.now.kind == kind && p.now.text == text
}

// accept passes one token when it is the one named.
func (p *patternParser) accept(kind tokenKind, text string) (bool, error) {
	if !p.is(kind, text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *patternParser) expect(kind tokenKind, text string) error {
	if !p.is(kind, text) {
		return p.unexpected(text)
	}
	return p.advance()
}

func (p *patternParser) unexpected(wanted string) error {
	found := "the end"
	switch p.now.kind {
	case tokenEnd:
	case tokenValue:
		found = "the value " + clip(p.now.value.Text)
	default:
		found = clip(p.now.text)
	}
	return p.lexer.fail(p.now.offset, "expected %s, found %s", wanted, found)
}

func (p *patternParser) count() error {
	if p.nodes++; p.nodes > p.limits.Nodes {
		return p.over(p.now.offset, "more than %d expressions", p.limits.Nodes)
	}
	return nil
}

func (p *patternParser) enter() error {
	if p.depth++; p.depth > p.limits.Depth {
		return p.over(p.now.offset, "nested deeper than %d", p.limits.Depth)
	}
	return nil
}

// observations parses expressions joined by op, each made of the next tighter
// operator.
func (p *patternParser) observations(op string) (Observation, error) {
	operand := func() (Observation, error) {
		switch op {
		case "FOLLOWEDBY":
			return p.observations("OR")
		case "OR":
			return p.observations("AND")
		}
		return p.observation()
	}
	terms, err := joined(p, op, operand)
	if err != nil {
		return nil, err
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return &Joined{Op: op, Terms: terms}, nil
}

func joined[T any](p *patternParser, op string, operand func() (T, error)) ([]T, error) {
	var terms []T
	for {
		term, err := operand()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		more, err := p.accept(tokenWord, op)
		if err != nil {
			return nil, err
		}
		if !more {
			return terms, nil
		}
	}
}

// observation parses one bracket or parenthesis with its qualifiers.
func (p *patternParser) observation() (Observation, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	o, err := p.bareObservation()
	if err != nil {
		return nil, err
	}
	for chain := 0; ; chain++ {
		q, err := p.qualifier()
		if q == nil || err != nil {
			return o, err
		}
		if chain >= p.limits.Depth {
			return nil, p.over(p.now.offset, "more than %d qualifiers", p.limits.Depth)
		}
		q.Of, o = o, q
	}
}

func (p *patternParser) bareObservation() (Observation, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if open, err := p.accept(tokenSymbol, "("); err != nil {
		return nil, err
	} else if open {
		o, err := p.observations("FOLLOWEDBY")
		if err != nil {
			return nil, err
		}
		return o, p.expect(tokenSymbol, ")")
	}
	if err := p.expect(tokenSymbol, "["); err != nil {
		return nil, err
	}
	test, err := p.comparisons("OR")
	if err != nil {
		return nil, err
	}
	return &Match{Test: test}, p.expect(tokenSymbol, "]")
}

// qualifier parses one qualifier, nil when the next word is none.
func (p *patternParser) qualifier() (*Qualified, error) {
	word := p.now.text
	if word != "START" && word != "WITHIN" && word != "REPEATS" {
		return nil, nil
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var q Qualified
	var err error
	switch word {
	case "START":
		return p.startStop()
	case "WITHIN":
		q.Within, err = p.positive("a number of seconds", KindInteger, KindFloat)
		word = "SECONDS"
	case "REPEATS":
		q.Repeats, err = p.positive("a count", KindInteger)
		word = "TIMES"
	}
	if err != nil {
		return nil, err
	}
	return &q, p.expect(tokenWord, word)
}

func (p *patternParser) startStop() (*Qualified, error) {
	start, err := p.literal("a timestamp t'…'", KindTimestamp)
	if err != nil {
		return nil, err
	}
	if err := p.expect(tokenWord, "STOP"); err != nil {
		return nil, err
	}
	at := p.now.offset
	stop, err := p.literal("a timestamp t'…'", KindTimestamp)
	if err != nil {
		return nil, err
	}
	a, errA := ParseTimestamp(start.Text)
	b, errB := ParseTimestamp(stop.Text)
	if errA == nil && errB == nil && !a.Before(b) {
		return nil, p.lexer.fail(at, "STOP must be later than START")
	}
	return &Qualified{Start: start.Text, Stop: stop.Text}, nil
}

// positive parses a number above zero.
func (p *patternParser) positive(wanted string, kinds ...Kind) (string, error) {
	at := p.now.offset
	v, err := p.literal(wanted, kinds...)
	if err == nil && (v.Text[0] == '-' || strings.Trim(v.Text, "0.") == "") {
		err = p.lexer.fail(at, "expected %s above zero, found %s", wanted, clip(v.Text))
	}
	return v.Text, err
}

func (p *patternParser) literal(wanted string, kinds ...Kind) (Value, error) {
	v := p.now.value
	if p.now.kind != tokenValue {
		return v, p.unexpected(wanted)
	}
	for _, kind := range kinds {
		if v.Kind == kind {
			return v, p.advance()
		}
	}
	return v, p.unexpected(wanted)
}
