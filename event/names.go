package event

// Names is a set of prepared names that are looked for in an event all at once:
// what that costs does not grow with their number.
type Names struct {
	names   []Name
	heads   []int32 // by the low bits of a hash: the first entry of a chain, -1 for none
	entries []nameEntry
}

type nameEntry struct {
	hash uint32
	name int32
	next int32
	lead bool // the name is not the field's own
}

// NewNames prepares a set.
func NewNames(names []Name) *Names {
	size := 16
	for size < 2*len(names) {
		size *= 2
	}
	s := &Names{names: names, heads: make([]int32, size)}
	for i := range s.heads {
		s.heads[i] = -1
	}
	for i := range names {
		s.add(names[i].hash, i, false)
		for _, l := range names[i].leads {
			s.add(l.hash, i, true)
		}
	}
	return s
}

func (s *Names) add(hash uint32, name int, lead bool) {
	head := &s.heads[s.place(hash)]
	s.entries = append(s.entries, nameEntry{hash: hash, name: int32(name), next: *head, lead: lead})
	*head = int32(len(s.entries) - 1)
}

func (s *Names) place(hash uint32) uint32 { return hash & uint32(len(s.heads)-1) }

// Index returns the place of a name in the set, -1 where it is not in it.
func (s *Names) Index(name string) int {
	hash := hashName(name)
	for k := s.heads[s.place(hash)]; k >= 0; k = s.entries[k].next {
		if entry := &s.entries[k]; !entry.lead && entry.hash == hash && s.names[entry.name].text == name {
			return int(entry.name)
		}
	}
	return -1
}

// EachNamed calls f for every text, number and truth value of the event: with
// the name of the set whose value it may be, or with -1 where it is a number or
// has at least so many bytes. For a field that the
// event may have as a list, an object or under another name, f is called with a
// missing value; [Event.Get] tells. A field for which f is not called is not in
// the event.
//
// It is false, and f never called, for events of dialects that have to be asked
// about each name.
func (e *Event) EachNamed(names *Names, least int, f func(name int, v Value)) bool {
	if !e.dialect.ownWindows() {
		return false
	}
	t := &e.tape
	for i := uint32(1); i < uint32(len(t.nodes)); {
		n := &t.nodes[i]
		if n.flags&shadowed != 0 {
			i = n.next
			continue
		}
		i++
		scalar := n.kind != Object && n.kind != List
		told := false
		if n.flags&isMember != 0 {
			for k := names.heads[names.place(n.hash)]; k >= 0; k = names.entries[k].next {
				switch entry := &names.entries[k]; {
				case entry.hash != n.hash:
				case scalar && !entry.lead:
					f(int(entry.name), Value{kind: n.kind, text: t.valueText(n)})
					told = true
				default:
					f(int(entry.name), Value{})
				}
			}
		}
		if scalar && !told && (int(n.end-n.start) >= least || n.kind == Number) && n.kind != Null {
			f(-1, Value{kind: n.kind, text: t.body(n)})
		}
	}
	return true
}
