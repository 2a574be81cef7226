package sigma

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/aspis-platform/aspis/event"
)

// plan is what is looked for in the events of one log source.
type plan struct {
	always   []int32 // rules without a witness
	fields   []fieldIndex
	names    *event.Names // of the fields
	keywords *fieldIndex  // nil for none
	looked   nodeSet      // nodes that do not hold when nothing was seen that they need
}

// roomForMerged is how many rules all plans that join log sources may have in
// all: whoever sends events may say that they are of any log source.
func (e *Engine) roomForMerged() int { return 1000 + 8*len(e.rules) }

// room is what a plan of so many rules takes of that. Its set of nodes counts as
// rules of three kilobytes.
func (e *Engine) room(rules int) int { return rules + len(e.nodes)/8/3000 }

// plans makes plans when they are first asked for and keeps them.
type plans struct {
	engine    *Engine
	witnesses [][]witness // by rule; nil for a rule without
	sources   map[event.Logsource]*source
	counts    *gramCounts
	every     bool // log sources are ignored

	mu     sync.Mutex
	made   map[string]*plan // by the sources that they are of
	merged int              // room of those that are of several
}

// source is the rules that declare one log source.
type source struct {
	id    uint32
	rules []int32
}

// plans sorts the rules by log source.
func (c *compiler) plans(opts EngineOptions) *plans {
	c.clauses = make([]clause, len(c.engine.nodes))
	c.countUses()
	p := &plans{engine: c.engine, counts: &gramCounts{}, sources: map[event.Logsource]*source{}, every: opts.IgnoreLogsource, made: map[string]*plan{}}
	for i, r := range c.engine.rules {
		p.witnesses = append(p.witnesses, c.clause(c.engine.roots[i]).any)
		for _, w := range p.witnesses[i] {
			p.counts.add(w.lit)
		}
		key := r.Logsource
		if p.every {
			key = event.Logsource{}
		}
		if p.sources[key] == nil {
			p.sources[key] = &source{id: uint32(len(p.sources))}
		}
		s := p.sources[key]
		s.rules = append(s.rules, int32(i))
	}
	return p
}

// of returns the plans that events of a log source go through: one where there
// is room for it, else one for each log source that a rule may name for it.
func (p *plans) of(ls event.Logsource) []*plan {
	sources := p.sourcesOf(ls)
	if len(sources) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.one(sources); one != nil {
		return []*plan{one}
	}
	var out []*plan
	for i := range sources {
		out = append(out, p.one(sources[i:i+1]))
	}
	return out
}

// sourcesOf returns the rules of every log source that may be named for ls.
func (p *plans) sourcesOf(ls event.Logsource) []*source {
	if p.every {
		ls = event.Logsource{}
	}
	var out []*source
	add := func(key event.Logsource) {
		if s := p.sources[key]; s != nil && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	also := ls.Also()
	for _, one := range [...]event.Logsource{ls, also[0], also[1]} {
		for _, product := range [...]string{"", one.Product} {
			for _, service := range [...]string{"", one.Service} {
				add(event.Logsource{Product: product, Category: one.Category, Service: service})
				add(event.Logsource{Product: product, Service: service})
			}
		}
	}
	return out
}

// one returns the one plan of several sources, nil when there is no room for it.
func (p *plans) one(sources []*source) *plan {
	var key []byte
	for _, s := range sources {
		key = binary.LittleEndian.AppendUint32(key, s.id)
	}
	if made := p.made[string(key)]; made != nil {
		return made
	}
	var rules []int32
	for _, s := range sources {
		rules = append(rules, s.rules...)
	}
	if len(sources) > 1 {
		room := p.engine.room(len(rules))
		if p.merged+room > p.engine.roomForMerged() {
			return nil
		}
		p.merged += room
	}
	slices.Sort(rules)
	made := p.plan(rules)
	p.made[string(key)] = made
	return made
}
