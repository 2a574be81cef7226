package sigma

import (
	"math/bits"
	"strings"
)

// A literal of width+stride-1 bytes has a gram of width bytes at a multiple of
// stride, wherever it begins.
const (
	longGram, longStride   = 4, 4
	shortGram, shortStride = 3, 2

	minLong  = longGram + longStride - 1
	minShort = shortGram + shortStride - 1
)

// gramCounts counts how often grams occur in rules.
type gramCounts map[gram]int

type gram struct {
	width int
	key   uint32
}

func (g gramCounts) add(s string) {
	for i := 0; i+longGram <= len(s); i++ {
		g[gram{longGram, load32(s, i)}]++
	}
	for i := 0; i+shortGram <= len(s); i++ {
		g[gram{shortGram, load24(s, i)}]++
	}
}

func load32(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func load24(s string, i int) uint32 {
	_ = s[i+2]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16
}

func load16(s string, i int) uint16 { return uint16(s[i]) | uint16(s[i+1])<<8 }

const hashFactor = 0x9E3779B1 // 2^32 divided by the golden ratio

// grams finds literals by some of their bytes that are rare among all
// literals: a bit set says for almost every position of a value that nothing
// can be there, otherwise a hash table gives the literals to compare. Only
// every second or fourth position is looked at.
type grams struct {
	width    int
	stride   int
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

// newGrams indexes the literals of the given indexes, of width+stride-1 bytes
// or more; nil where there are none.
func newGrams(literals []scanLiteral, ids []int32, width, stride int, counts gramCounts) *grams {
	if len(ids) == 0 {
		return nil
	}
	n := uint(len(ids) * stride)
	size := min(uint(max(10, bits.Len(n)+5)), 22) // 32 bits a key, at least
	table := 1 << (bits.Len(n) + 1)
	g := &grams{
		width: width, stride: stride, literals: literals,
		shift: 32 - size, filter: make([]uint64, 1<<size/64), keys: make([]uint32, table), heads: make([]int32, table),
	}
	for i := range g.heads {
		g.heads[i] = -1
	}
	for _, id := range ids {
		for class := range stride {
			g.insert(id, g.rarest(literals[id].text, class, counts))
		}
	}
	return g
}

func (g *grams) key(text string, i int) uint32 {
	if g.width == shortGram {
		return load24(text, i)
	}
	return load32(text, i)
}

// rarest returns the offset, one of the class modulo stride, of the gram of
// text that occurs least often in rules.
func (g *grams) rarest(text string, class int, counts gramCounts) int32 {
	best := class
	count := func(i int) int { return counts[gram{g.width, g.key(text, i)}] }
	for i := class + g.stride; i+g.width <= len(text); i += g.stride {
		if count(i) < count(best) {
			best = i
		}
	}
	return int32(best)
}

func (g *grams) insert(id, at int32) {
	key := g.key(g.literals[id].text, int(at))
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

// scan appends the literals that text has. Several positions are looked at in
// one test: hardly ever is any of them set.
func (g *grams) scan(text string, hits []int32) []int32 {
	from := 0
	if g.width == longGram {
		for ; from+16 <= len(text); from += 16 {
			a, b := load64(text, from), load64(text, from+8)
			if g.bit(uint32(a))|g.bit(uint32(a>>32))|g.bit(uint32(b))|g.bit(uint32(b>>32)) != 0 {
				hits = g.lookup(text, from, from+16, hits)
			}
		}
	} else {
		const three = 1<<24 - 1
		for ; from+14 <= len(text); from += 12 {
			a, b := load64(text, from), load64(text, from+6)
			if g.bit(uint32(a)&three)|g.bit(uint32(a>>16)&three)|g.bit(uint32(a>>32)&three)|
				g.bit(uint32(b)&three)|g.bit(uint32(b>>16)&three)|g.bit(uint32(b>>32)&three) != 0 {
				hits = g.lookup(text, from, from+12, hits)
			}
		}
	}
	return g.lookup(text, from, len(text), hits)
}

// bit is not 0 when a literal may be found by key.
func (g *grams) bit(key uint32) uint64 {
	h := key * hashFactor >> (g.shift & 31)
	return g.filter[h>>6] >> (h & 63) & 1
}

// lookup appends the literals with a gram at the positions of [from, to) that
// are looked at.
func (g *grams) lookup(text string, from, to int, hits []int32) []int32 {
	for i := from; i < to && i+g.width <= len(text); i += g.stride {
		key := g.key(text, i)
		if g.bit(key) == 0 {
			continue
		}
		for e := g.heads[g.slot(key)]; e >= 0; {
			entry := &g.entries[e]
			if start := i - int(entry.at); start >= 0 && strings.HasPrefix(text[start:], g.literals[entry.literal].text) {
				hits = append(hits, entry.literal)
			}
			e = entry.next
		}
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
