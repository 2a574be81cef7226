package sigma

import (
	"math/bits"
	"strings"
)

const (
	gramBytes = 4
	minLong   = 2*gramBytes - 1 // has a gram at a multiple of four wherever it begins
)

// gramCounts counts how often the four bytes of a key occur in rules.
type gramCounts map[uint32]int

func (g gramCounts) add(s string) {
	for i := 0; i+gramBytes <= len(s); i++ {
		g[load32(s, i)]++
	}
}

func load32(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func load16(s string, i int) uint16 { return uint16(s[i]) | uint16(s[i+1])<<8 }

const hashFactor = 0x9E3779B1 // 2^32 divided by the golden ratio

// grams finds literals by four of their bytes that are rare among all
// literals: a bit set says for almost every position of a value that nothing
// can be there, otherwise a hash table gives the literals to compare.
type grams struct {
	literals []scanLiteral
	entries  []gramEntry
	filter   []uint64 // bit set over the hashes of keys
	shift    uint
	keys     []uint32 // open addressing; a slot is free when heads is -1
	heads    []int32  // of the chain of entries with the key
}

// gramEntry is a literal found by the bytes at an offset in it.
type gramEntry struct {
	literal, at int32
	next        int32 // -1: the last of its chain
}

// newGrams indexes the literals of the given indexes, which have a gram for
// each of the classes of offsets modulo stride; nil where there are none.
func newGrams(literals []scanLiteral, ids []int32, stride int, counts gramCounts) *grams {
	if len(ids) == 0 {
		return nil
	}
	n := uint(len(ids) * stride)
	size := min(uint(max(10, bits.Len(n)+5)), 22) // 32 bits a key, at least
	table := 1 << (bits.Len(n) + 1)
	g := &grams{literals: literals, shift: 32 - size, filter: make([]uint64, 1<<size/64), keys: make([]uint32, table), heads: make([]int32, table)}
	for i := range g.heads {
		g.heads[i] = -1
	}
	for _, id := range ids {
		for class := range stride {
			g.insert(id, rarest(literals[id].text, class, stride, counts))
		}
	}
	return g
}

// rarest returns the offset, one of the class modulo stride, of the four bytes
// of text that occur least often in rules.
func rarest(text string, class, stride int, counts gramCounts) int32 {
	best := class
	for i := class + stride; i+gramBytes <= len(text); i += stride {
		if counts[load32(text, i)] < counts[load32(text, best)] {
			best = i
		}
	}
	return int32(best)
}

func (g *grams) insert(id, at int32) {
	key := load32(g.literals[id].text, int(at))
	h := key * hashFactor >> (g.shift & 31)
	g.filter[h>>6] |= 1 << (h & 63)
	slot := g.slot(key)
	g.entries = append(g.entries, gramEntry{literal: id, at: at, next: g.heads[slot]})
	g.keys[slot], g.heads[slot] = key, int32(len(g.entries)-1)
}

// slot returns the place of key in the hash table, or the free one for it.
func (g *grams) slot(key uint32) uint32 {
	mask := uint32(len(g.keys) - 1)
	i := (key * hashFactor >> 7) & mask
	for g.heads[i] >= 0 && g.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// everyFourth appends the literals that have a gram at a multiple of four.
func (g *grams) everyFourth(text string, hits []int32) []int32 {
	i := 0
	for ; i+16 <= len(text); i += 16 {
		a, b := load64(text, i), load64(text, i+8)
		// The four positions in one test: hardly ever is any of them set.
		if g.bit(uint32(a))|g.bit(uint32(a>>32))|g.bit(uint32(b))|g.bit(uint32(b>>32)) != 0 {
			for j := i; j < i+16; j += gramBytes {
				hits = g.lookup(text, j, hits)
			}
		}
	}
	for ; i+gramBytes <= len(text); i += gramBytes {
		hits = g.lookup(text, i, hits)
	}
	return hits
}

// everywhere appends the literals that have a gram anywhere.
func (g *grams) everywhere(text string, hits []int32) []int32 {
	i := 0
	for ; i+8 <= len(text); i += 4 {
		w := load64(text, i)
		if g.bit(uint32(w))|g.bit(uint32(w>>8))|g.bit(uint32(w>>16))|g.bit(uint32(w>>24)) != 0 {
			for j := i; j < i+4; j++ {
				hits = g.lookup(text, j, hits)
			}
		}
	}
	for ; i+gramBytes <= len(text); i++ {
		hits = g.lookup(text, i, hits)
	}
	return hits
}

// bit is not 0 when a literal may be found by key.
func (g *grams) bit(key uint32) uint64 {
	h := key * hashFactor >> (g.shift & 31)
	return g.filter[h>>6] >> (h & 63) & 1
}

// lookup appends the literals found by the four bytes at position i.
func (g *grams) lookup(text string, i int, hits []int32) []int32 {
	key := load32(text, i)
	if g.bit(key) == 0 {
		return hits
	}
	for e := g.heads[g.slot(key)]; e >= 0; {
		entry := &g.entries[e]
		if from := i - int(entry.at); from >= 0 && strings.HasPrefix(text[from:], g.literals[entry.literal].text) {
			hits = append(hits, entry.literal)
		}
		e = entry.next
	}
	return hits
}

// pairs finds literals of two and three bytes.
type pairs struct {
	literals []scanLiteral
	filter   [1 << 16 / 64]uint64 // bit set over two bytes
	by       map[uint16][]int32   // literals by their first two bytes
}

// newPairs indexes the literals of the given indexes; nil where there are none.
func newPairs(literals []scanLiteral, ids []int32) *pairs {
	if len(ids) == 0 {
		return nil
	}
	p := &pairs{literals: literals, by: map[uint16][]int32{}}
	for _, id := range ids {
		key := load16(literals[id].text, 0)
		p.filter[key/64] |= 1 << (key % 64)
		p.by[key] = append(p.by[key], id)
	}
	return p
}

func (p *pairs) scan(text string, hits []int32) []int32 {
	for i := 0; i+2 <= len(text); i++ {
		key := load16(text, i)
		if p.filter[key/64]&(1<<(key%64)) == 0 {
			continue
		}
		for _, id := range p.by[key] {
			if strings.HasPrefix(text[i:], p.literals[id].text) {
				hits = append(hits, id)
			}
		}
	}
	return hits
}
