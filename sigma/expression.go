package sigma

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// maxTerms bounds the disjunctive form of a condition over rules.
const maxTerms = 64

// ruleSet is a set of positions in a correlation's rules.
type ruleSet [maxCorrelated / 64]uint64

func (s *ruleSet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *ruleSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s *ruleSet) empty() bool    { return *s == ruleSet{} }

func (s *ruleSet) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// within reports whether every rule of s is in t.
func (s *ruleSet) within(t *ruleSet) bool {
	for i := range s {
		if s[i]&^t[i] != 0 {
			return false
		}
	}
	return true
}

func (s *ruleSet) union(t *ruleSet) (out ruleSet) {
	for i := range s {
		out[i] = s[i] | t[i]
	}
	return out
}

// meets reports whether s and t have a rule in common.
func (s *ruleSet) meets(t *ruleSet) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// term is one way for a condition over rules to hold: all of need are seen and
// none of lack.
type term struct{ need, lack ruleSet }

func allOf(n int) (t term) {
	for i := range n {
		t.need.add(i)
	}
	return t
}

// readExpression reads a condition over rules (Sigma correlation rules
// specification, extended conditions of the temporal types): names or ids of
// rules, and, or, not and parentheses. Without a list of rules those of the
// condition are meant, in the order in which they come in it.
func (c *Correlation) readExpression(d *definition) error {
	if d.expression == "" {
		return nil
	}
	named := namesIn(d.expression)
	if len(named) > maxCorrelated {
		return d.fault("condition", "condition names more than %d rules", maxCorrelated)
	}
	if len(c.Rules) == 0 {
		c.Rules = named
	}
	for _, name := range named {
		if strings.EqualFold(name, "of") {
			return d.fault("condition", "%q has no meaning in a condition over rules; name them", name)
		}
	}
	for _, name := range named {
		if !slices.Contains(c.Rules, name) {
			return d.fault("condition", "condition names rule %q, which is not among the correlation's rules", name)
		}
	}
	for _, rule := range c.Rules {
		if !slices.Contains(named, rule) {
			return d.fault("condition", "condition does not name rule %q; it would have no effect", rule)
		}
	}
	tree, err := parseCondition(d.expression, c.Rules)
	if err == nil {
		c.terms, err = termsOf(tree, false)
	}
	if err == nil {
		err = checkTerms(c.terms)
	}
	if err != nil {
		return d.fault("condition", "condition: %s", err)
	}
	return nil
}

// namesIn returns the names in an expression, each once.
func namesIn(text string) (names []string) {
	for _, t := range conditionTokens(text) {
		switch t {
		case "(", ")", "and", "or", "not", "AND", "OR", "NOT":
			continue
		}
		if !slices.Contains(names, t) {
			names = append(names, t)
		}
	}
	return names
}

func checkTerms(terms []term) error {
	if len(terms) == 0 {
		return errors.New("can never hold")
	}
	for i := range terms {
		if terms[i].need.empty() {
			return errors.New("would hold where nothing is seen; absence alone is no correlation")
		}
	}
	return nil
}

// termsOf writes a condition as an or of terms.
func termsOf(e *expr, negated bool) ([]term, error) {
	switch {
	case e.op == exprNot:
		return termsOf(e.kids[0], !negated)
	case e.op == exprSelection:
		var t term
		if negated {
			t.lack.add(e.selection)
		} else {
			t.need.add(e.selection)
		}
		return []term{t}, nil
	case (e.op == exprAnd) == negated:
		var all []term
		for _, kid := range e.kids {
			terms, err := termsOf(kid, negated)
			if err != nil {
				return nil, err
			}
			if all, err = simplest(append(all, terms...)); err != nil {
				return nil, err
			}
		}
		return all, nil
	default:
		return termsOfAll(e.kids, negated)
	}
}

// termsOfAll joins the terms of conditions that must hold together.
func termsOfAll(kids []*expr, negated bool) ([]term, error) {
	all := []term{{}}
	for _, kid := range kids {
		terms, err := termsOf(kid, negated)
		if err != nil {
			return nil, err
		}
		var next []term
		for i := range all {
			for j := range terms {
				next = append(next, term{need: all[i].need.union(&terms[j].need), lack: all[i].lack.union(&terms[j].lack)})
			}
		}
		if all, err = simplest(next); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// simplest leaves out terms that contradict themselves and terms that ask for
// more than another one.
func simplest(terms []term) ([]term, error) {
	var out []term
	for i := range terms {
		t := &terms[i]
		if t.need.meets(&t.lack) || slices.ContainsFunc(out, func(o term) bool { return o.need.within(&t.need) && o.lack.within(&t.lack) }) {
			continue
		}
		out = slices.DeleteFunc(out, func(o term) bool { return t.need.within(&o.need) && t.lack.within(&o.lack) })
		out = append(out, *t)
	}
	if len(out) > maxTerms {
		return nil, fmt.Errorf("more than %d ways to hold", maxTerms)
	}
	return out, nil
}
