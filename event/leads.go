package event

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Where events are not Windows' own, a field may stand under other names, and
// below others. What leads to it is found by experiment: [Event.derived] is asked
// for the field of a record that has nothing and that notes what it is asked for.
// An event that has none of that goes the same way, so that it has not got the
// field either.

// trail is a field that leads to another: at its top under that name, or at that
// path.
type trail struct {
	name  string
	whole bool // what is there is the other's value
}

// trails returns what leads to a field in events of a dialect and log source
// that do not have it under its own name, in the order of the search.
func trails(d Dialect, source Logsource, name string) []trail {
	x := experiment{event: Event{dialect: d, source: source}, name: name}
	x.event.tape.missing = x.look
	_, _ = x.derived("", Missing)
	tried := slices.Clone(x.asked)
	var out []trail
	for i, lead := range tried {
		out = append(out, trail{lead, x.passes(tried[:i+1])})
	}
	return out
}

// experiment asks a record for a field and notes what the record is asked for.
type experiment struct {
	event Event
	name  string
	has   string // the only field that the record has
	asked []string
}

// look is what the record's index of names says.
func (x *experiment) look(name string) uint32 {
	if !slices.Contains(x.asked, name) {
		x.asked = append(x.asked, name)
	}
	if x.has != "" && name == x.has {
		return 1
	}
	return 0
}

// derived looks for the field where the record has one field alone, of that
// kind.
func (x *experiment) derived(has string, kind Kind) (Value, bool) {
	t := &x.event.tape
	t.reset(nil)
	start, end := t.intern("a text")
	t.nodes = append(t.nodes, node{kind: Object, next: 3}, node{kind: kind, flags: isMember, start: start, end: end, next: 2})
	if kind == List {
		t.nodes[1].next = 3
	}
	t.nodes = append(t.nodes, node{kind: String, start: start, end: end, next: 3})
	x.has, x.asked = has, x.asked[:0]
	return x.event.derived(x.name)
}

// passes says whether the value of the last of the fields tried is passed on as
// it is where those tried before it are missing, and nothing more is looked at.
func (x *experiment) passes(tried []string) bool {
	for _, kind := range [...]Kind{String, Number, List} {
		v, ok := x.derived(tried[len(tried)-1], kind)
		if !ok || v.tape != &x.event.tape || v.node != 1 || !slices.Equal(x.asked, tried) {
			return false
		}
	}
	return true
}

// maxSplits bounds the dots of a path whose ways to be nested are all prepared;
// of a longer one the beginnings are.
const maxSplits = 4

// under is the hash of a member's path: of the path of what it is in, 0 for the
// record itself, and of its name.
func under(path, name uint32) uint32 {
	if path == 0 {
		return name
	}
	h := (path ^ name*0x9E3779B1) * 0x85EBCA6B
	return h ^ h>>15
}

// eachNesting calls f with the hash of every way in which a dotted name may be
// nested: each dot may be one in a name.
func eachNesting(path uint32, name string, f func(hash uint32)) {
	f(under(path, hashName(name)))
	for dot := 1; dot < len(name); dot++ {
		if name[dot] == '.' {
			eachNesting(under(path, hashName(name[:dot])), name[dot+1:], f)
		}
	}
}

// ledEntry says that what is at a path leads to a name.
type ledEntry struct {
	hash  uint32
	name  int32
	next  int32
	own   bool // it is the name itself, at the top
	whole bool // what is there is the name's value
}

// ledNames finds the names of a set by the paths that lead to them in the events
// of one dialect and log source.
type ledNames struct {
	heads   []int32 // by the low bits of a hash: the first entry of a chain, -1 for none
	entries []ledEntry
}

func newLedNames(names []Name, d Dialect, source Logsource) *ledNames {
	l := &ledNames{}
	for i := range names {
		name := names[i].text
		l.entries = append(l.entries, ledEntry{hash: names[i].hash, name: int32(i), own: true, whole: true})
		l.path(int32(i), name, true)
		for _, lead := range trails(d, source, name) {
			l.path(int32(i), lead.name, lead.whole)
		}
	}
	size := 16
	for size < 4*len(l.entries) {
		size *= 2
	}
	l.heads = make([]int32, size)
	for i := range l.heads {
		l.heads[i] = -1
	}
	for i := range l.entries {
		head := &l.heads[l.place(l.entries[i].hash)]
		l.entries[i].next = *head
		*head = int32(i)
	}
	return l
}

func (l *ledNames) place(hash uint32) uint32 { return hash & uint32(len(l.heads)-1) }

// path adds what leads to a name by a path.
func (l *ledNames) path(name int32, path string, whole bool) {
	add := func(hash uint32, whole bool) {
		for i := range l.entries {
			if e := &l.entries[len(l.entries)-1-i]; e.name != name {
				break
			} else if e.hash == hash {
				return
			}
		}
		l.entries = append(l.entries, ledEntry{hash: hash, name: name, whole: whole})
	}
	if strings.Count(path, ".") <= maxSplits {
		eachNesting(0, path, func(hash uint32) { add(hash, whole) })
		return
	}
	add(hashName(path), whole)
	for _, s := range stepsOf(path) {
		add(s.hash, false)
	}
}

// ledBy is the ledNames of a set, made when the first event asks for them.
type ledBy struct {
	mu   sync.Mutex
	made atomic.Pointer[[]ledFor]
}

type ledFor struct {
	dialect Dialect
	source  Logsource
	*ledNames
}

// maxLed bounds the ledNames of one set: events may say that they are of any log
// source.
const maxLed = 256

// led returns the names of a set by what leads to them, nil where there is no
// more room.
func (s *Names) led(d Dialect, source Logsource) *ledNames {
	var made []ledFor
	if all := s.ledBy.made.Load(); all != nil {
		made = *all
	}
	if l := find(made, d, source); l != nil || len(made) >= maxLed {
		return l
	}
	return s.lead(d, source.Clone())
}

func find(made []ledFor, d Dialect, source Logsource) *ledNames {
	for i := range made {
		if l := &made[i]; l.dialect == d && l.source == source {
			return l.ledNames
		}
	}
	return nil
}

// lead makes them.
func (s *Names) lead(d Dialect, source Logsource) *ledNames {
	s.ledBy.mu.Lock()
	defer s.ledBy.mu.Unlock()
	var made []ledFor
	if all := s.ledBy.made.Load(); all != nil {
		made = *all
	}
	if l := find(made, d, source); l != nil {
		return l
	}
	l := newLedNames(s.names, d, source)
	for i := range made {
		if slices.Equal(l.entries, made[i].entries) {
			l = made[i].ledNames
			break
		}
	}
	made = append(slices.Clip(made), ledFor{d, source, l})
	s.ledBy.made.Store(&made)
	return l
}
