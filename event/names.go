package event

// Names is a set of prepared names that are looked for in an event all at once:
// what that costs does not grow with their number.
type Names struct {
	names   []Name
	heads   []int32 // by the low bits of a hash: the first entry of a chain, -1 for none
	entries []nameEntry
	ledBy   ledBy // the same in other events than Windows' own
}

type nameEntry struct {
	hash  uint32
	name  int32
	next  int32
	own   bool // the hash is of the name itself
	whole bool // what has it has the field's value
}

// NewNames prepares a set.
func NewNames(names []Name) *Names {
	entries := len(names)
	for i := range names {
		entries += len(names[i].leads)
	}
	size := 16
	for size < 4*entries {
		size *= 2
	}
	s := &Names{names: names, heads: make([]int32, size)}
	for i := range s.heads {
		s.heads[i] = -1
	}
	for i := range names {
		s.add(nameEntry{hash: names[i].hash, name: int32(i), own: true, whole: true})
		for _, l := range names[i].leads {
			s.add(nameEntry{hash: l.hash, name: int32(i), whole: l.whole})
		}
	}
	return s
}

func (s *Names) add(e nameEntry) {
	head := &s.heads[s.place(e.hash)]
	e.next = *head
	s.entries = append(s.entries, e)
	*head = int32(len(s.entries) - 1)
}

func (s *Names) place(hash uint32) uint32 { return hash & uint32(len(s.heads)-1) }

// Index returns the place of a name in the set, -1 where it is not in it.
func (s *Names) Index(name string) int {
	hash := hashName(name)
	for k := s.heads[s.place(hash)]; k >= 0; k = s.entries[k].next {
		if entry := &s.entries[k]; entry.own && entry.hash == hash && s.names[entry.name].text == name {
			return int(entry.name)
		}
	}
	return -1
}

// EachNamed calls f for every text, number and truth value that may be the value
// of a name of the set. For a field that the event may have as a list, an object
// or in another form, f is called with a missing value; [Event.Get] tells. A field
// for which f is not called is not in the event.
//
// It is false for an event that has to be asked about each name, or where that
// costs less; f may have been called then.
func (e *Event) EachNamed(names *Names, f func(name int, v Value)) bool {
	if !e.dialect.ownWindows() {
		return e.eachLed(names, f)
	}
	t := &e.tape
	for i := t.live(1); i < uint32(len(t.nodes)); i = t.live(i + 1) {
		n := &t.nodes[i]
		if n.flags&isMember == 0 {
			continue
		}
		for k := names.heads[names.place(n.hash)]; k >= 0; k = names.entries[k].next {
			switch entry := &names.entries[k]; {
			case entry.hash != n.hash:
			case entry.whole && n.kind != Object && n.kind != List:
				f(int(entry.name), Value{kind: n.kind, text: t.valueText(n)})
			default:
				f(int(entry.name), Value{})
			}
		}
	}
	return true
}
