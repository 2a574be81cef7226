package sigma

import (
	"encoding/binary"
	"slices"
)

// compiler builds an Engine: equal predicates and equal functions of them
// become one node, over all rules.
type compiler struct {
	engine  *Engine
	predIDs map[predKey]int32
	nodeIDs map[string]int32
	costs   []int32 // by node: rough time to evaluate
	clauses []clause
	uses    map[witness]int // places in rules that could be found by a witness
}

func newCompiler() *compiler {
	return &compiler{
		engine:  &Engine{fields: []string{""}, slots: map[string]int32{"": keywordSlot}},
		predIDs: map[predKey]int32{},
		nodeIDs: map[string]int32{},
	}
}

func (c *compiler) rule(d *detection) int32 {
	selections := make([]int32, len(d.selections))
	for i, s := range d.selections {
		selections[i] = c.selection(s)
	}
	roots := make([]int32, len(d.conditions))
	for i, cond := range d.conditions {
		roots[i] = c.expr(cond.root, selections)
	}
	return c.join(nodeOr, roots)
}

func (c *compiler) expr(e *expr, selections []int32) int32 {
	if e.op == exprSelection {
		return selections[e.selection]
	}
	kids := make([]int32, len(e.kids))
	for i, kid := range e.kids {
		kids[i] = c.expr(kid, selections)
	}
	switch e.op {
	case exprNot:
		return c.not(kids[0])
	case exprAnd:
		return c.join(nodeAnd, kids)
	default:
		return c.join(nodeOr, kids)
	}
}

func (c *compiler) selection(s selection) int32 {
	alternatives := make([]int32, len(s.alternatives))
	for i, items := range s.alternatives {
		kids := make([]int32, len(items))
		for j := range items {
			kids[j] = c.item(&items[j])
		}
		alternatives[i] = c.join(nodeAnd, kids)
	}
	return c.join(nodeOr, alternatives)
}

func (c *compiler) item(it *item) int32 {
	groups := make([]int32, len(it.groups))
	for i, preds := range it.groups {
		kids := make([]int32, len(preds))
		for j, p := range preds {
			kids[j] = c.pred(p)
		}
		groups[i] = c.join(nodeOr, kids)
	}
	op := nodeOr
	if it.all {
		op = nodeAnd
	}
	n := c.join(op, groups)
	if it.neg {
		return c.not(n)
	}
	return n
}

func (c *compiler) slot(field string) int32 {
	if s, ok := c.engine.slots[field]; ok {
		return s
	}
	s := int32(len(c.engine.fields))
	c.engine.fields = append(c.engine.fields, field)
	c.engine.slots[field] = s
	return s
}

func (c *compiler) pred(p *pred) int32 {
	if id, ok := c.predIDs[p.predKey]; ok {
		return id
	}
	n := node{op: nodePred, slot: c.slot(p.field), from: int32(len(c.engine.preds))}
	if p.kind == predFieldRef {
		n.other = c.slot(p.lit)
	}
	c.engine.preds = append(c.engine.preds, p)
	c.engine.shown = append(c.engine.shown, p.witnesses(n.slot))
	id := c.add(n, p.cost())
	if p.kind == predRegex {
		id = c.join(nodeAnd, append(c.needs(p), id))
	}
	c.predIDs[p.predKey] = id
	return id
}

// needs is what every match of a regular expression has, as nodes: many
// expressions have it in common, and it is found sooner than they are.
func (c *compiler) needs(p *pred) []int32 {
	var all []int32
	for _, any := range p.re.needs {
		if shortest(any) == 0 {
			continue
		}
		kids := make([]int32, len(any))
		for i, lit := range any {
			kids[i] = c.pred(&pred{predKey: predKey{kind: predContains, field: p.field, lit: lit}})
		}
		all = append(all, c.join(nodeOr, kids))
	}
	return all
}

// cost is a rough time to evaluate the predicate, in units of a comparison.
func (p *pred) cost() int32 {
	var n int32
	switch p.kind {
	case predContains:
		n = 4
	case predGlob, predCIDR, predCompare, predFieldRef:
		n = 8
	case predTime:
		n = 30
	case predRegex:
		if n = 100; p.re.linear == nil {
			n = 1000
		}
	default:
		n = 1
	}
	if p.field == "" {
		n *= 20
	}
	return n
}

func (c *compiler) add(n node, cost int32) int32 {
	id := int32(len(c.engine.nodes))
	c.engine.nodes = append(c.engine.nodes, n)
	c.costs = append(c.costs, cost)
	return id
}

func (c *compiler) not(kid int32) int32 {
	if n := c.engine.nodes[kid]; n.op == nodeNot {
		return c.engine.kids[n.from]
	}
	return c.cons(nodeNot, []int32{kid}, c.costs[kid])
}

// join makes the and or the or of kids, cheapest operand first.
func (c *compiler) join(op nodeOp, kids []int32) int32 {
	var flat []int32
	for _, kid := range kids {
		if n := c.engine.nodes[kid]; n.op == op {
			flat = append(flat, c.engine.kids[n.from:n.to]...)
		} else {
			flat = append(flat, kid)
		}
	}
	slices.SortFunc(flat, func(a, b int32) int {
		if d := c.costs[a] - c.costs[b]; d != 0 {
			return int(d)
		}
		return int(a - b)
	})
	flat = slices.Compact(flat)
	if len(flat) == 1 {
		return flat[0]
	}
	var cost int32
	for _, kid := range flat {
		cost = min(cost+c.costs[kid], 1<<20)
	}
	return c.cons(op, flat, cost)
}

// cons returns the one node of an operator and its operands.
func (c *compiler) cons(op nodeOp, kids []int32, cost int32) int32 {
	key := make([]byte, 0, 1+4*len(kids))
	key = append(key, byte(op))
	for _, kid := range kids {
		key = binary.LittleEndian.AppendUint32(key, uint32(kid))
	}
	if id, ok := c.nodeIDs[string(key)]; ok {
		return id
	}
	from := int32(len(c.engine.kids))
	c.engine.kids = append(c.engine.kids, kids...)
	id := c.add(node{op: op, from: from, to: from + int32(len(kids))}, cost)
	c.nodeIDs[string(key)] = id
	return id
}
