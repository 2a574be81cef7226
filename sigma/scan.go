package sigma

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// scanLiteral is a text to be found at the start, at the end or anywhere in a
// folded value.
type scanLiteral struct {
	text  string
	kind  predKind
	rules []int32
	at    int   // offset in text of the bytes it is found by
	next  int32 // the next literal found by the same bytes; -1: none
}

// scanner finds many literals in one pass. Each literal is found by four of
// its bytes that are rare among all literals (two where it is shorter): a bit
// set says for almost every position of a value that nothing can be there,
// otherwise a hash table gives the literals to compare.
type scanner struct {
	literals []scanLiteral
	filter   []uint64 // bit set over the hashes of four-byte keys
	shift    uint
	keys     []uint32 // open addressing; a slot is free when heads is -1
	heads    []int32
	pairs    *[1 << 16 / 64]uint64 // bit set over two bytes, for short literals
	pairHead map[uint16]int32
	single   map[byte]int32
}

// gramCounts counts how often the four bytes of a key occur in rules.
type gramCounts map[uint32]int

func (g gramCounts) add(s string) {
	for i := 0; i+4 <= len(s); i++ {
		g[load32(s, i)]++
	}
}

func load32(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func load16(s string, i int) uint16 { return uint16(s[i]) | uint16(s[i+1])<<8 }

const hashFactor = 0x9E3779B1 // 2^32 divided by the golden ratio

func newScanner(literals []scanLiteral, counts gramCounts) *scanner {
	slices.SortFunc(literals, func(a, b scanLiteral) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.kind, b.kind))
	})
	s := &scanner{literals: literals}
	size := uint(max(10, bits.Len(uint(len(literals)))+5)) // 32 bits a literal, at least
	size = min(size, 20)
	s.shift = 32 - size
	s.filter = make([]uint64, 1<<size/64)
	table := 1 << (bits.Len(uint(len(literals))) + 1)
	s.keys, s.heads = make([]uint32, table), make([]int32, table)
	for i := range s.heads {
		s.heads[i] = -1
	}
	for i := range literals {
		s.insert(int32(i), counts)
	}
	return s
}

func (s *scanner) insert(i int32, counts gramCounts) {
	l := &s.literals[i]
	l.next = -1
	switch {
	case len(l.text) >= 4:
		l.at = rarest(l.text, counts)
		key := load32(l.text, l.at)
		h := key * hashFactor >> (s.shift & 31)
		s.filter[h>>6] |= 1 << (h & 63)
		slot := s.slot(key)
		l.next, s.keys[slot], s.heads[slot] = s.heads[slot], key, i
	case len(l.text) >= 2:
		if s.pairs == nil {
			s.pairs, s.pairHead = new([1 << 16 / 64]uint64), map[uint16]int32{}
		}
		key := load16(l.text, 0)
		s.pairs[key/64] |= 1 << (key % 64)
		if head, ok := s.pairHead[key]; ok {
			l.next = head
		}
		s.pairHead[key] = i
	default:
		if s.single == nil {
			s.single = map[byte]int32{}
		}
		if head, ok := s.single[l.text[0]]; ok {
			l.next = head
		}
		s.single[l.text[0]] = i
	}
}

// rarest returns the offset of the four bytes of text that occur least often
// in rules.
func rarest(text string, counts gramCounts) int {
	best := 0
	for i := 1; i+4 <= len(text); i++ {
		if counts[load32(text, i)] < counts[load32(text, best)] {
			best = i
		}
	}
	return best
}

// slot returns the place of key in the hash table, or the free one for it.
func (s *scanner) slot(key uint32) uint32 {
	mask := uint32(len(s.keys) - 1)
	i := (key * hashFactor >> 7) & mask
	for s.heads[i] >= 0 && s.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// scan appends to hits the index of every literal that text has, some perhaps
// several times.
func (s *scanner) scan(text string, hits []int32) []int32 {
	i := 0
	for ; i+8 <= len(text); i += 4 {
		w := load64(text, i)
		// The four positions in one test: hardly ever is any of them set.
		if s.bit(uint32(w))|s.bit(uint32(w>>8))|s.bit(uint32(w>>16))|s.bit(uint32(w>>24)) != 0 {
			for j := i; j < i+4; j++ {
				hits = s.lookup(text, j, hits)
			}
		}
	}
	for ; i+4 <= len(text); i++ {
		hits = s.lookup(text, i, hits)
	}
	if s.pairs != nil {
		hits = s.scanPairs(text, hits)
	}
	if s.single != nil {
		for i := range len(text) {
			if head, ok := s.single[text[i]]; ok {
				hits = s.check(head, text, i, hits)
			}
		}
	}
	return hits
}

// bit is not 0 when a literal may be found by key.
func (s *scanner) bit(key uint32) uint64 {
	h := key * hashFactor >> (s.shift & 31)
	return s.filter[h>>6] >> (h & 63) & 1
}

// lookup appends the literals found by the four bytes at position i.
func (s *scanner) lookup(text string, i int, hits []int32) []int32 {
	key := load32(text, i)
	if s.bit(key) == 0 {
		return hits
	}
	if head := s.heads[s.slot(key)]; head >= 0 {
		hits = s.check(head, text, i, hits)
	}
	return hits
}

func (s *scanner) scanPairs(text string, hits []int32) []int32 {
	for i := 0; i+2 <= len(text); i++ {
		key := load16(text, i)
		if s.pairs[key/64]&(1<<(key%64)) != 0 {
			hits = s.check(s.pairHead[key], text, i, hits)
		}
	}
	return hits
}

// check compares the chain of literals found by the bytes at position at.
func (s *scanner) check(head int32, text string, at int, hits []int32) []int32 {
	for i := head; i >= 0; i = s.literals[i].next {
		l := &s.literals[i]
		from := at - l.at
		if from < 0 || !strings.HasPrefix(text[from:], l.text) {
			continue
		}
		if l.kind == predPrefix && from != 0 || l.kind == predSuffix && from+len(l.text) != len(text) {
			continue
		}
		hits = append(hits, i)
	}
	return hits
}
