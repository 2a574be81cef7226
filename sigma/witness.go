package sigma

import "math"

// witness is a text in a field, or that the field has some text, without which a
// predicate cannot hold. Texts are folded: a witness may be seen where the
// predicate does not hold, never the reverse.
type witness struct {
	slot int32
	kind predKind // predExact, predPrefix, predSuffix, predContains or predAny
	lit  string
}

// clause is a set of witnesses of which one is seen whenever a node holds; an
// empty clause says nothing.
type clause struct {
	any    []witness
	chance float64 // rough number of them seen in one event
	known  bool
}

// clause returns a node's clause. Of the operands of an and, the one that is
// seen least often serves; an or needs those of all operands.
func (c *compiler) clause(id int32) clause {
	if c.clauses[id].known {
		return c.clauses[id]
	}
	n := c.engine.nodes[id]
	out := clause{known: true, chance: math.Inf(1)}
	switch n.op {
	case nodePred:
		out = c.predClause(n)
	case nodeAnd:
		for _, kid := range c.engine.kids[n.from:n.to] {
			if k := c.clause(kid); k.any != nil && k.chance < out.chance {
				out = k
			}
		}
	case nodeOr:
		out = c.orClause(n)
	}
	c.clauses[id] = out
	return out
}

func (c *compiler) orClause(n node) clause {
	out := clause{known: true}
	for _, kid := range c.engine.kids[n.from:n.to] {
		k := c.clause(kid)
		if k.any == nil {
			return clause{known: true, chance: math.Inf(1)}
		}
		out.any = append(out.any, k.any...)
		out.chance += k.chance
	}
	return out
}

func (c *compiler) predClause(n node) clause {
	out := clause{known: true}
	out.any = c.engine.shown[n.from]
	for _, w := range out.any {
		out.chance += w.chance(c.uses[w])
	}
	if out.any == nil {
		out.chance = math.Inf(1)
	}
	return out
}

// witnesses returns the predicate's witnesses; nil when it has none.
func (p *pred) witnesses(slot int32) []witness {
	one := func(kind predKind, lit string) []witness {
		return []witness{{slot: slot, kind: kind, lit: fold(lit)}}
	}
	switch p.kind {
	case predExact, predPrefix, predSuffix, predContains:
		return one(p.kind, p.lit)
	case predNumber:
		if p.alt != p.lit {
			return append(one(predExact, p.lit), one(predExact, p.alt)...)
		}
		return one(predExact, p.lit)
	case predGlob:
		best := ""
		for _, lit := range p.glob.literals() {
			if len(lit) > len(best) {
				best = lit
			}
		}
		if best != "" {
			return one(predContains, best)
		}
	case predNull, predExists:
		return nil
	}
	if slot == keywordSlot { // every event has some text
		return nil
	}
	return one(predAny, "")
}

// chance guesses how often the witness is seen in an event, from its length
// and from the number of places in rules that ask for it: what many rules ask
// for is common.
func (w witness) chance(uses int) float64 {
	n := len(w.lit)
	base := 1.0
	switch {
	case w.kind == predAny:
	case w.kind == predExact && canonicalNumber(w.lit) != "":
		base = 0.03
	case w.kind == predExact && n == 0:
		base = 0.5
	case w.kind == predExact:
		n += 4
		fallthrough
	default:
		for range min(n, 16) {
			base *= 0.62
		}
	}
	if w.slot == keywordSlot {
		base *= 4
	}
	return base * (1 + float64(uses)/3)
}

// countUses counts, for every witness, the nodes that could be found by it.
func (c *compiler) countUses() {
	c.uses = map[witness]int{}
	parents := make([]int, len(c.engine.nodes))
	for _, kid := range c.engine.kids {
		parents[kid]++
	}
	for id, n := range c.engine.nodes {
		if n.op != nodePred {
			continue
		}
		for _, w := range c.engine.shown[n.from] {
			c.uses[w] += max(parents[id], 1) - 1
		}
	}
}
