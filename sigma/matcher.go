package sigma

import (
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
)

// Matcher evaluates the rules of one Engine on events. It reuses its memory
// from event to event and belongs to one goroutine.
type Matcher struct {
	engine   *Engine
	epoch    uint32
	memo     []uint32 // by node: epoch<<2 | state
	seen     []uint32 // by rule: the epoch it became a candidate in
	contents []slotContent
	arena    []byte  // folded text of this event
	literals []int32 // found in a value
	found    []int32 // candidates of this event, then its matches
	event    Event
	quick    quickEvent // the event, where it is one
	ascii    bool       // all its texts are ASCII
	routes   map[event.Logsource]*route
	latest   *route
	plans    []*plan  // that this event goes through
	plan     *plan    // the one that see looks in
	round    uint64   // of looking through an event with a plan
	asked    []uint64 // by slot: the round it was asked for in
	value    text     // that it looks at
	looks    func(stretch string)
	sees     func(name int, v event.Value)
	filling  *content // the one that addValue and addText fill
	addValue func(event.Value) bool
	addText  func(text string) bool
	stats    Stats
}

// route is what the events of a log source go through.
type route struct {
	source event.Logsource
	plans  []*plan
}

type slotContent struct {
	epoch uint32
	content
}

// Stats counts the work of a Matcher since it was made.
type Stats struct {
	Events     uint64
	Candidates uint64 // rules evaluated
	Matches    uint64
	Timeouts   uint64 // regular expressions given up after their time limit, taken as not found
}

// NewMatcher returns a Matcher for the engine's rules.
func (e *Engine) NewMatcher() *Matcher {
	m := &Matcher{
		engine:   e,
		memo:     make([]uint32, len(e.nodes)),
		seen:     make([]uint32, len(e.rules)),
		contents: make([]slotContent, len(e.fields)),
		asked:    make([]uint64, len(e.fields)),
		routes:   map[event.Logsource]*route{},
		latest:   &route{},
	}
	m.addValue = m.fill
	m.sees, m.looks = m.see, m.look
	m.addText = func(text string) bool {
		m.filling.texts = append(m.filling.texts, m.textOf(event.StringValue(text)))
		return true
	}
	return m
}

// Stats returns the counts so far.
func (m *Matcher) Stats() Stats { return m.stats }

// Match calls yield for every rule that matches the event, in the order of the
// engine's rules, until yield returns false.
func (m *Matcher) Match(ev Event, yield func(*Rule) bool) {
	m.begin(ev)
	for _, p := range m.route(ev.Logsource()) {
		m.collect(p)
	}
	m.stats.Events++
	m.stats.Candidates += uint64(len(m.found))
	matches := m.found[:0]
	for _, r := range m.found {
		if m.eval(m.engine.roots[r]) {
			matches = append(matches, r)
		}
	}
	m.stats.Matches += uint64(len(matches))
	slices.Sort(matches)
	m.event, m.quick = nil, nil
	for _, r := range matches {
		if !yield(m.engine.rules[r]) {
			return
		}
	}
}

// maxRoutes bounds the log sources whose plans a Matcher remembers.
const maxRoutes = 1024

// route returns the plans for a log source.
func (m *Matcher) route(ls event.Logsource) []*plan {
	if ls != m.latest.source || m.latest.plans == nil {
		r := m.routes[ls]
		if r == nil {
			r = &route{source: ls.Clone(), plans: m.engine.plans.of(ls)}
			if len(m.routes) >= maxRoutes {
				clear(m.routes)
			}
			m.routes[r.source] = r
		}
		m.latest = r
	}
	return m.latest.plans
}

// begin forgets the event before.
func (m *Matcher) begin(ev Event) {
	const lastEpoch = 1<<30 - 1
	if m.epoch++; m.epoch == lastEpoch {
		clear(m.memo)
		clear(m.seen)
		clear(m.contents)
		m.epoch = 1
	}
	m.event = ev
	m.quick, _ = ev.(quickEvent)
	m.ascii = m.quick != nil && m.quick.ASCII()
	m.arena = m.arena[:0]
	m.found = m.found[:0]
	m.plans = m.plans[:0]
}

// The states of a node in the event of its epoch: something was seen that it
// needs, or it is known whether it holds. One that was looked for and has no state
// in this event does not hold.
const (
	stateOpen  = 0
	stateFalse = 1
	stateTrue  = 2
)

// eval evaluates a node, once per event.
func (m *Matcher) eval(id int32) bool {
	if known := m.memo[id]; known>>2 != m.epoch {
		if m.looked(id) {
			return false
		}
	} else if state := known & 3; state != stateOpen {
		return state == stateTrue
	}
	n := &m.engine.nodes[id]
	result := false
	switch n.op {
	case nodePred:
		result = m.pred(n)
	case nodeNot:
		result = !m.eval(m.engine.kids[n.from])
	case nodeAnd:
		result = true
		for _, kid := range m.engine.kids[n.from:n.to] {
			if !m.eval(kid) {
				result = false
				break
			}
		}
	case nodeOr:
		for _, kid := range m.engine.kids[n.from:n.to] {
			if m.eval(kid) {
				result = true
				break
			}
		}
	}
	m.memo[id] = m.state(stateFalse)
	if result {
		m.memo[id] = m.state(stateTrue)
	}
	return result
}

// state is a state in this event.
func (m *Matcher) state(s uint32) uint32 { return m.epoch<<2 | s }

// looked says whether all that the node needs was looked for in this event.
func (m *Matcher) looked(id int32) bool {
	for _, p := range m.plans {
		if p.looked.has(id) {
			return true
		}
	}
	return false
}

func (m *Matcher) pred(n *node) bool {
	p := m.engine.preds[n.from]
	c := m.content(n.slot)
	var other *content
	if p.kind == predFieldRef {
		other = m.content(n.other)
		m.foldContent(other)
	}
	if p.folds() {
		m.foldContent(c)
	}
	ok, err := p.holds(c, other)
	if err != nil {
		m.stats.Timeouts++
	}
	return ok
}

// content returns what the event has in a slot, read and folded once.
func (m *Matcher) content(slot int32) *content {
	c := &m.contents[slot]
	if c.epoch == m.epoch {
		return &c.content
	}
	m.begun(c)
	if slot == keywordSlot {
		c.present = true
		m.leaves()
		return &c.content
	}
	if v, ok := m.field(slot); ok {
		m.take(v)
	}
	return &c.content
}

// texts returns the texts of a field. Most rules' fields are in no event:
// nothing is written down of those.
func (m *Matcher) texts(slot int32) []text {
	c := &m.contents[slot]
	if slot == keywordSlot {
		return m.content(slot).texts
	}
	if c.epoch != m.epoch {
		v, ok := m.field(slot)
		if !ok {
			return nil
		}
		m.begun(c)
		m.take(v)
	}
	return c.texts
}

// begun makes a slot's content, still empty, that of this event.
func (m *Matcher) begun(c *slotContent) {
	c.epoch = m.epoch
	c.content = content{texts: c.texts[:0]}
	m.filling = &c.content
}

// take adds a field's value to the content being filled.
func (m *Matcher) take(v event.Value) {
	if v.Kind() == event.Missing {
		return
	}
	m.filling.present = true
	m.fill(v)
	if len(m.filling.texts) == 0 {
		m.filling.null = true
	}
}

// leaves adds every text of the event to the content being filled.
func (m *Matcher) leaves() {
	if m.quick != nil {
		m.quick.EachLeaf(m.addText)
		return
	}
	m.event.EachText(func(_, text string) bool { return m.addText(text) })
}

// fill adds a value, or the elements of a list, to the content being filled.
func (m *Matcher) fill(v event.Value) bool {
	switch v.Kind() {
	case event.Missing:
	case event.Null:
		m.filling.null = true
	case event.List:
		v.Each(m.addValue)
	default:
		m.filling.texts = append(m.filling.texts, m.textOf(v))
	}
	return true
}

func (m *Matcher) field(slot int32) (event.Value, bool) {
	if m.quick != nil {
		return m.quick.Get(&m.engine.names[slot])
	}
	return m.event.Field(m.engine.fields[slot])
}

// foldText makes a value's folded form, once. It lies in the arena, which is
// not reused before the next event.
func (m *Matcher) foldText(t *text) {
	if t.folded != "" || t.raw == "" {
		return
	}
	from := len(m.arena)
	m.arena = appendFold(m.arena, t.raw)
	t.folded = view(m.arena[from:len(m.arena):len(m.arena)])
}

func (m *Matcher) foldContent(c *content) {
	for i := range c.texts {
		m.foldText(&c.texts[i])
	}
}

// textOf prepares a scalar for comparison.
func (m *Matcher) textOf(v event.Value) text {
	return text{raw: v.Text(), num: canonical(v)}
}

// canonical is a number's text where another one is equal to it, else "".
func canonical(v event.Value) string {
	if v.Kind() == event.Number && !plainNumber(v.Text()) {
		return strings.Clone(canonicalNumber(v.Text()))
	}
	return ""
}
