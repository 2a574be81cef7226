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

// Sizes of filters, as powers of two: the largest are to stay in a processor's
// second cache.
const minFilter, maxFilter = 10, 17

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
	var gram uint64
	for k := width - 1; k >= 0; k-- {
		gram = gram<<8 | uint64(s[i+k]|0x20)
	}
	return gram
}

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
// literals: a filter says for almost every position of a value that nothing can
// be there, otherwise a hash table gives the literals to compare. Only one
// position in a stride is looked at.
type grams struct {
	width    int
	stride   int
	mask     uint64 // of a gram in eight bytes
	literals []scanLiteral
	entries  []gramEntry
	filter   []byte   // by hash: eight bits by more of the hash; a power of two long
	keys     []uint64 // open addressing; a slot is free when heads is -1
	heads    []int32  // of the chain of entries with the key
}

// gramEntry is a literal found by the bytes at an offset in it.
type gramEntry struct {
	literal, at int32
	next        int32 // -1: the last of its chain
}

// newGrams indexes the literals of the given indexes, of width bytes or more; nil
// where there are none. Where all are long enough their grams are wide.
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
	size := min(max(minFilter, bits.Len(n)+6), maxFilter) // 64 bytes a gram, at least, where there is room
	table := 1 << (bits.Len(n) + 1)
	g := &grams{
		width: width, stride: stride, mask: math.MaxUint64 >> (64 - 8*width), literals: literals,
		filter: make([]byte, 1<<size), keys: make([]uint64, table), heads: make([]int32, table),
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
	place, bit := g.place(key)
	g.filter[place] |= bit
	slot := g.slot(key)
	g.entries = append(g.entries, gramEntry{literal: id, at: at, next: g.heads[slot]})
	g.keys[slot], g.heads[slot] = key, int32(len(g.entries)-1)
}

// slot returns the place of key in the hash table, or the free one for it.
func (g *grams) slot(key uint64) uint64 {
	mask := uint64(len(g.keys) - 1)
	i := key * hashFactor >> 40 & mask
	for g.heads[i] >= 0 && g.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// scan appends the literals that text has. Several positions are looked at in
// one test: seldom is any of them in the filter.
func (g *grams) scan(text string, hits []int32) []int32 {
	n, s, i := len(text), g.stride, 0
	if n < 8 {
		return g.lookup(text, 0, n, hits)
	}
	switch {
	case g.width == longGram && s == 4: // two grams in eight bytes
		for ; i <= n-16; i += 16 {
			x, y := load64(text, i), load64(text, i+8)
			if g.may(x)|g.may(x>>32)|g.may(y)|g.may(y>>32) != 0 {
				hits = g.lookup(text, i, i+16, hits)
			}
		}
	case g.width == shortGram && s == 1: // six
		for ; i <= n-8; i += 6 {
			x := load64(text, i)
			if g.may(x)|g.may(x>>8)|g.may(x>>16)|g.may(x>>24)|g.may(x>>32)|g.may(x>>40) != 0 {
				hits = g.lookup(text, i, i+6, hits)
			}
		}
	case g.width == shortGram && s == 2: // three
		for ; i <= n-14; i += 12 {
			x, y := load64(text, i), load64(text, i+6)
			if g.may(x)|g.may(x>>16)|g.may(x>>32)|g.may(y)|g.may(y>>16)|g.may(y>>32) != 0 {
				hits = g.lookup(text, i, i+12, hits)
			}
		}
	default:
		for ; i <= n-8-3*s; i += 4 * s {
			if g.may(load64(text, i))|g.may(load64(text, i+s))|g.may(load64(text, i+2*s))|g.may(load64(text, i+3*s)) != 0 {
				hits = g.lookup(text, i, i+4*s, hits)
			}
		}
	}
	for ; i <= n-8; i += s {
		if g.may(load64(text, i)) != 0 {
			hits = g.lookup(text, i, i+s, hits)
		}
	}
	last := load64(text, n-8)
	for ; i <= n-g.width; i += s {
		if g.may(last>>(8*(i+8-n)&63)) != 0 {
			hits = g.lookup(text, i, i+s, hits)
		}
	}
	return hits
}

// may is 0 where no literal is found by the first bytes of eight.
func (g *grams) may(eight uint64) byte {
	return g.filter[(eight|case8)&g.mask*hashFactor>>32&uint64(len(g.filter)-1)]
}

// place is where a gram is in the filter.
func (g *grams) place(gram uint64) (at uint64, bit byte) {
	h := gram * hashFactor >> 32
	return h & uint64(len(g.filter)-1), 1 << (h >> 29)
}

// lookup appends the literals with a gram at the positions of [from, to) that
// are looked at.
func (g *grams) lookup(text string, from, to int, hits []int32) []int32 {
	to = min(to, len(text)-g.width+1)
	for i := from; i < to; i += g.stride {
		key := g.gram(text, i)
		if at, bit := g.place(key); g.filter[at]&bit == 0 {
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

// gram is gramAt, by eight bytes at once where the text has them.
func (g *grams) gram(text string, i int) uint64 {
	switch over := i + 8 - len(text); {
	case over <= 0:
		return (load64(text, i) | case8) & g.mask
	case over <= i:
		return (load64(text, i-over)>>(8*over) | case8) & g.mask
	default:
		return gramAt(text, i, g.width)
	}
}
