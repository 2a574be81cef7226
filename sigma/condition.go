package sigma

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

const (
	maxConditionLen   = 64 << 10
	maxConditionDepth = 100
)

type exprOp uint8

const (
	exprSelection exprOp = iota
	exprAnd
	exprOr
	exprNot
)

// expr is a node of a condition. An and or an or may have any number of
// operands, at least one.
type expr struct {
	op        exprOp
	kids      []*expr
	selection int // index of the search identifier
}

// parseCondition reads a condition over the named search identifiers (Sigma
// specification 2.1, Condition).
func parseCondition(text string, names []string) (*expr, error) {
	left := newAllowance()
	return left.condition(text, names)
}

// condition is parseCondition for one of several conditions of a rule, which
// share what the rule may take.
func (a *allowance) condition(text string, names []string) (*expr, error) {
	if len(text) > maxConditionLen {
		return nil, fmt.Errorf("longer than %d bytes", maxConditionLen)
	}
	if strings.Contains(text, "|") {
		return nil, errors.New("an aggregation is not possible here")
	}
	p := &conditionParser{tokens: conditionTokens(text), names: names, left: a}
	if a.nodes -= len(p.tokens); a.nodes < 0 {
		return nil, errNodes
	}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, fmt.Errorf("unexpected %q", p.tokens[p.at])
	}
	return root, nil
}

// conditionTokens splits at white space and around parentheses.
func conditionTokens(text string) []string {
	var out []string
	start := -1
	cut := func(end int) {
		if start >= 0 {
			out = append(out, text[start:end])
		}
		start = -1
	}
	for i, r := range text {
		switch {
		case r == '(' || r == ')':
			cut(i)
			out = append(out, string(r))
		case unicode.IsSpace(r):
			cut(i)
		case start < 0:
			start = i
		}
	}
	cut(len(text))
	return out
}

type conditionParser struct {
	tokens []string
	names  []string
	index  map[string]int // of names, made when it is needed
	at     int
	left   *allowance
}

var errNodes = errors.New("conditions of the rule name more than 100,000 search identifiers")

func (p *conditionParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

// keyword takes the next token if it is the word, in either case.
func (p *conditionParser) keyword(word string) bool {
	if t := p.peek(); t == word || t == strings.ToUpper(word) {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) or(depth int) (*expr, error) {
	return p.joined(exprOr, "or", depth, p.and)
}

func (p *conditionParser) and(depth int) (*expr, error) {
	return p.joined(exprAnd, "and", depth, p.not)
}

func (p *conditionParser) joined(op exprOp, word string, depth int, operand func(int) (*expr, error)) (*expr, error) {
	first, err := operand(depth)
	if err != nil {
		return nil, err
	}
	e := &expr{op: op, kids: []*expr{first}}
	for p.keyword(word) {
		next, err := operand(depth)
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, next)
	}
	if len(e.kids) == 1 {
		return first, nil
	}
	return e, nil
}

func (p *conditionParser) not(depth int) (*expr, error) {
	if depth > maxConditionDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxConditionDepth)
	}
	if p.keyword("not") {
		kid, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &expr{op: exprNot, kids: []*expr{kid}}, nil
	}
	return p.operand(depth)
}

func (p *conditionParser) operand(depth int) (*expr, error) {
	token := p.peek()
	p.at++
	switch {
	case token == "":
		return nil, errors.New("ends too early")
	case token == "(":
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek() != ")" {
			return nil, errors.New("missing )")
		}
		p.at++
		return e, nil
	case p.quantifier(token):
		return p.selector(token)
	}
	if i, ok := p.named(token); ok {
		return &expr{op: exprSelection, selection: i}, nil
	}
	return nil, fmt.Errorf("unknown search identifier %q", token)
}

func (p *conditionParser) named(name string) (int, bool) {
	if p.index == nil {
		p.index = make(map[string]int, len(p.names))
		for i, known := range p.names {
			p.index[known] = i
		}
	}
	i, ok := p.index[name]
	return i, ok
}

// quantifier reports whether token and "of" begin a selector.
func (p *conditionParser) quantifier(token string) bool {
	switch strings.ToLower(token) {
	case "1", "any", "all":
		return strings.EqualFold(p.peek(), "of")
	default:
		return false
	}
}

// selector reads the rest of "1 of …" or "all of …".
func (p *conditionParser) selector(quantifier string) (*expr, error) {
	p.at++ // of
	pattern := p.peek()
	p.at++
	op := exprOr
	if strings.EqualFold(quantifier, "all") {
		op = exprAnd
	}
	e := &expr{op: op}
	if p.left.nodes -= len(p.names); p.left.nodes < 0 {
		return nil, errNodes
	}
	for i, name := range p.names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		if strings.EqualFold(pattern, "them") || matchesName(pattern, name) {
			e.kids = append(e.kids, &expr{op: exprSelection, selection: i})
		}
	}
	if len(e.kids) == 0 {
		return nil, fmt.Errorf("no search identifier is meant by \"%s of %s\"", quantifier, pattern)
	}
	return e, nil
}

// matchesName reports whether name has the form of pattern, in which * stands
// for any characters.
func matchesName(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
