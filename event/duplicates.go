package event

import (
	"hash/maphash"
	"strings"
)

// seed differs for every process, so that nobody can prepare names that
// collide, and is one for the process, so that names can be hashed ahead.
var seed = maphash.MakeSeed() //nolint:gochecknoglobals // never changes

// hashName is the hash of a member name.
func hashName(name string) uint32 { return uint32(maphash.String(seed, name)) }

// hideDuplicates marks every member of object self whose name appears again
// later in it: as in encoding/json, the last one wins.
func (s *scanner) hideDuplicates(self uint32, members int) {
	switch {
	case self == 0:
		s.indexRoot(members)
	case members < 2:
	case members <= 12:
		s.hideFew(self)
	default:
		s.hideMany(self, members)
	}
}

// hideFew compares every pair: cheaper than a table for a handful.
func (s *scanner) hideFew(self uint32) {
	end := s.nodes[self].next
	for i := self + 1; i < end; i = s.nodes[i].next {
		n := &s.nodes[i]
		for j := n.next; j < end; j = s.nodes[j].next {
			if m := &s.nodes[j]; m.hash == n.hash && s.key(m) == s.key(n) {
				s.hide(n)
				break
			}
		}
	}
}

func (s *scanner) hide(n *node) {
	n.flags |= shadowed
	s.dups++
}

// hideMany finds duplicates with an open-addressing table of node numbers.
func (s *scanner) hideMany(self uint32, members int) {
	s.scratch = cleared(s.scratch, members)
	end := s.nodes[self].next
	for i := self + 1; i < end; i = s.nodes[i].next {
		if old := s.put(s.scratch, i); old != 0 {
			s.hide(&s.nodes[old])
		}
	}
}

// indexRoot enters the record's own members into the index, which finds
// duplicates on the way.
func (s *scanner) indexRoot(members int) {
	s.index = cleared(s.index, members+members/2)
	end := s.nodes[0].next
	for i := uint32(1); i < end; i = s.nodes[i].next {
		if old := s.put(s.index, i); old != 0 {
			s.hide(&s.nodes[old])
			s.entered--
		}
		s.entered++
	}
}

// enter adds node i to the index unless its name is taken.
func (t *tape) enter(i uint32) {
	if t.find(t.index, t.key(&t.nodes[i])) != 0 {
		return
	}
	if 2*(t.entered+1) > len(t.index) {
		t.grow()
	}
	t.put(t.index, i)
	t.entered++
}

func (t *tape) grow() {
	old := t.index
	t.index = cleared(nil, 2*t.entered+8)
	for _, i := range old {
		if i != 0 {
			t.put(t.index, i)
		}
	}
}

// lookup finds a field by its name in the index, 0 for none.
func (t *tape) lookup(name string) uint32 { return t.find(t.index, name) }

// cleared returns a zeroed table with room for n entries, half full at most.
func cleared(table []uint32, n int) []uint32 {
	size := 16
	for size < 2*n {
		size *= 2
	}
	if cap(table) < size {
		return make([]uint32, size)
	}
	table = table[:size]
	clear(table)
	return table
}

// put enters node i under its name and returns the node it replaced, 0 for
// none: node 0 is the record itself and never a member.
func (t *tape) put(table []uint32, i uint32) uint32 {
	n := &t.nodes[i]
	t.known.add(n.hash)
	mask := uint32(len(table) - 1)
	for at := n.hash & mask; ; at = (at + 1) & mask {
		old := table[at]
		if old == 0 {
			table[at] = i
			return 0
		}
		if m := &t.nodes[old]; m.hash == n.hash && t.key(m) == t.key(n) {
			table[at] = i
			return old
		}
	}
}

// hashes is a bit set over hashes of names: it says of most names that an event
// lacks that it does.
type hashes [8]uint64

func (s *hashes) add(h uint32) { s[h>>29] |= 1 << (h >> 23 & 63) }

func (s *hashes) has(h uint32) bool { return s[h>>29]>>(h>>23&63)&1 != 0 }

// find returns the node entered under name, 0 for none.
func (t *tape) find(table []uint32, name string) uint32 {
	return t.findHashed(table, name, hashName(name))
}

// findHashed is find for a name whose hash is known.
func (t *tape) findHashed(table []uint32, name string, h uint32) uint32 {
	if len(table) == 0 {
		return t.unindexed(name)
	}
	if !t.known.has(h) {
		return 0
	}
	mask := uint32(len(table) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		i := table[at]
		if i == 0 {
			return 0
		}
		if n := &t.nodes[i]; n.hash == h && t.key(n) == name {
			return i
		}
	}
}

// unindexed is what a record without names is asked.
func (t *tape) unindexed(name string) uint32 {
	if t.missing == nil {
		return 0
	}
	return t.missing(strings.Clone(name)) // so that names may be made on the stack
}
