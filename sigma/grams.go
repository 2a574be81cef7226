package sigma

import (
	"math"
	"math/bits"
)

// A literal of width+stride-1 bytes has a gram of width bytes at a multiple of
// stride, wherever it begins. Wide grams are for what is random, like hashes:
// among thousands of those every short gram occurs.
const (
	pairGram, shortGram, longGram, wideGram = 2, 3, 4, 8

	maxStride = 8

	minPair  = pairGram
	minShort = shortGram
	minLong  = longGram + 3
	minWide  = wideGram + 7
)

// gramCounts counts roughly how often grams of each width up to four occur in
// all literals of an engine, by their hashes: what is common there is common in
// events.
type gramCounts [longGram + 1][1 << 16]uint16

func (c *gramCounts) add(s string) {
	for width := pairGram; width <= longGram; width++ {
		for i := 0; i+width <= len(s); i++ {
			if n := c.of(gramAt(s, i, width), width); *n < math.MaxUint16 {
				*n++
			}
		}
	}
}

func (c *gramCounts) of(gram uint64, width int) *uint16 {
	return &c[width][gram*hashFactor>>(64-16)]
}

// gramAt is the gram of a width at i. The bit in which ASCII letters of both
// cases differ is set in every byte, so that nothing need be folded to be looked
// through.
func gramAt(s string, i, width int) uint64 {
	switch width {
	case pairGram:
		return uint64(load16(s, i)) | case8>>48
	case shortGram:
		return uint64(load24(s, i)) | case8>>40
	case longGram:
		return uint64(load32(s, i)) | case8>>32
	default:
		return load64(s, i) | case8
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

const case8 = 0x20 * everyByte

// startsFolded is strings.HasPrefix of the folded text, for text without letters
// outside ASCII or folded already.
func startsFolded(text, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lowerASCII(text[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

const hashFactor = 0x9E3779B97F4A7C15 // 2^64 divided by the golden ratio

// grams finds literals by some of their bytes that are rare among all
// literals: a bit set says for almost every position of a value that nothing
// can be there, otherwise a hash table gives the literals to compare. Only one
// position in a stride is looked at.
type grams struct {
	width    int
	stride   int
	mask     uint64 // of a gram of four bytes or fewer
	literals []scanLiteral
	entries  []gramEntry
	filter   []uint64 // bit set over the hashes of grams
	shift    uint
	keys     []uint64 // open addressing; a slot is free when heads is -1
	heads    []int32  // of the chain of entries with the key
}

// gramEntry is a literal found by the bytes at an offset in it.
type gramEntry struct {
	literal, at int32
	next        int32 // -1: the last of its chain
}

// newGrams indexes the literals of the given indexes, of width bytes or more; where there are none. Where all are long enough their grams are wide.
func newGrams(literals []scanLiteral, ids []int32, width int, counts *gramCounts) *grams {
	if len(ids) == 0 {
		return nil
	}
	least := len(literals[ids[0]].text)
	for _, id := range ids {
		least = min(least, len(literals[id].text))
	}
	if least >= minWide {
		width = wideGram
	}
	stride := min(maxStride, least-width+1)
	n := uint(len(ids) * stride)
	size := min(uint(max(10, bits.Len(n)+8)), 22) // 256 bits a gram, at least, up to half a megabyte
	table := 1 << (bits.Len(n) + 1)
	g := &grams{
		width: width, stride: stride, mask: 1<<(8*width) - 1, literals: literals,
		shift: 64 - size, filter: make([]uint64, 1<<size/64), keys: make([]uint64, table), heads: make([]int32, table),
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

// rarest returns the offset, one of the class modulo stride, of the gram of
// text that occurs least often in literals.
func (g *grams) rarest(text string, class int, counts *gramCounts) int32 {
	if g.width > longGram {
		return int32(class)
	}
	best, least := class, math.MaxInt
	for i := class; i+g.width <= len(text); i += g.stride {
		if n := int(*counts.of(gramAt(text, i, g.width), g.width)); n < least {
			best, least = i, n
		}
	}
	return int32(best)
}

func (g *grams) insert(id, at int32) {
	key := gramAt(g.literals[id].text, int(at), g.width)
	h := g.hash(key)
	g.filter[h>>6] |= 1 << (h & 63)
	slot := g.slot(key)
	g.entries = append(g.entries, gramEntry{literal: id, at: at, next: g.heads[slot]})
	g.keys[slot], g.heads[slot] = key, int32(len(g.entries)-1)
}

// slot returns the place of key in the hash table, or the free one for it.
func (g *grams) slot(key uint64) uint64 {
	mask := uint64(len(g.keys) - 1)
	i := (key * hashFactor >> 32) & mask
	for g.heads[i] >= 0 && g.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// scan appends the literals that text has. Four positions are looked at in one
// test: hardly ever is any of them set.
func (g *grams) scan(text string, hits []int32) []int32 {
	i, s := 0, g.stride
	if g.width <= longGram {
		last := len(text) - longGram
		for ; i+3*s <= last; i += 4 * s {
			if g.bit(g.gram(text, i))|g.bit(g.gram(text, i+s))|g.bit(g.gram(text, i+2*s))|g.bit(g.gram(text, i+3*s)) != 0 {
				hits = g.lookup(text, i, i+4*s, hits)
			}
		}
		for ; i <= last; i += s {
			if g.bit(g.gram(text, i)) != 0 {
				hits = g.lookup(text, i, i+s, hits)
			}
		}
	}
	if i+g.width <= len(text) {
		hits = g.lookup(text, i, len(text), hits)
	}
	return hits
}

// gram is gramAt for grams of up to four bytes where four are there.
func (g *grams) gram(text string, i int) uint64 {
	return (uint64(load32(text, i)) | case8>>32) & g.mask
}

func (g *grams) hash(key uint64) uint64 { return key * hashFactor >> (g.shift & 63) }

// bit is not 0 when a literal may be found by key.
func (g *grams) bit(key uint64) uint64 {
	h := g.hash(key)
	return g.filter[h>>6] >> (h & 63) & 1
}

// lookup appends the literals with a gram at the positions of [from, to) that
// are looked at.
func (g *grams) lookup(text string, from, to int, hits []int32) []int32 {
	for i := from; i < to && i+g.width <= len(text); i += g.stride {
		key := gramAt(text, i, g.width)
		if g.bit(key) == 0 {
			continue
		}
		for e := g.heads[g.slot(key)]; e >= 0; {
			entry := &g.entries[e]
			if start := i - int(entry.at); start >= 0 && startsFolded(text[start:], g.literals[entry.literal].text) {
				hits = append(hits, entry.literal)
			}
			e = entry.next
		}
	}
	return hits
}
