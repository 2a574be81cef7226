package sigma

import "github.com/aspis-platform/aspis/event"

// Event is what rules are evaluated on; *event.Event is one. Values of other
// types are made by event.StringValue and its like. Where a type also has the
// methods Get, EachNamed, EachLeaf, EachStretch and ASCII of *event.Event, a
// [Matcher] uses them, which is faster.
type Event interface {
	// Field returns the value of a field by its name in Sigma's taxonomy, and
	// false when the event has no such field.
	Field(name string) (event.Value, bool)
	// EachText calls f for every leaf value as text until f returns false.
	EachText(f func(field, text string) bool)
	// Logsource returns what produced the event.
	Logsource() event.Logsource
}

// quickEvent is an Event that takes prepared names, one or a set, and gives its
// texts without their paths, one by one or in stretches; *event.Event is one.
type quickEvent interface {
	Get(name *event.Name) (event.Value, bool)
	EachNamed(names *event.Names, f func(name int, v event.Value)) bool
	EachLeaf(f func(text string) bool)
	EachStretch(f func(stretch string))
	ASCII() bool
}

// EngineOptions changes how an Engine is compiled.
type EngineOptions struct {
	// IgnoreLogsource evaluates every rule on every event.
	IgnoreLogsource bool
}

// Engine is a compiled set of detection rules, shared by any number of
// goroutines, each with a [Matcher] of its own. Correlation rules have no part
// in it. What is looked for in the events of a log source is worked out when its
// first event comes.
type Engine struct {
	rules  []*Rule
	roots  []int32 // node of each rule's condition
	nodes  []node
	kids   []int32
	preds  []*pred
	shown  [][]witness  // by predicate: what it cannot hold without; nil for nothing
	fields []string     // by slot; slot 0 is all leaf values, for keywords
	names  []event.Name // the same, prepared
	slots  map[string]int32
	plans  *plans
}

type nodeOp uint8

const (
	nodePred nodeOp = iota
	nodeAnd
	nodeOr
	nodeNot
)

// node is a Boolean function of predicates; equal functions are one node.
// Its operands are kids[from:to]; a nodePred's predicate is preds[from].
type node struct {
	op       nodeOp
	slot     int32 // nodePred: the field
	other    int32 // nodePred of predFieldRef: the field referred to
	from, to int32
}

const keywordSlot = 0

// NewEngine compiles the detection rules among rules.
func NewEngine(rules []*Rule, opts EngineOptions) *Engine {
	c := newCompiler()
	for _, r := range rules {
		if r.detection != nil {
			c.engine.rules = append(c.engine.rules, r)
			c.engine.roots = append(c.engine.roots, c.rule(r.detection))
		}
	}
	for _, name := range c.engine.fields {
		c.engine.names = append(c.engine.names, event.NewName(name))
	}
	c.engine.plans = c.plans(opts)
	return c.engine
}

// Len returns the number of rules compiled in.
func (e *Engine) Len() int { return len(e.rules) }
