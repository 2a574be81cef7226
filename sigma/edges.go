package sigma

import "math/bits"

// edges finds literals at the start of a value, or at its end, by the eight
// bytes there, or by four, two or one where the literal is shorter.
type edges struct {
	literals []scanLiteral
	kind     predKind              // predPrefix or predSuffix
	by       [4]map[uint64][]int32 // literals by their first or last 8, 4, 2 and 1 bytes
	filter   []uint64              // bit set over the hashes of those bytes
	shift    uint
}

// newEdges indexes the literals of the given indexes; nil where there are none.
func newEdges(literals []scanLiteral, ids []int32, kind predKind) *edges {
	if len(ids) == 0 {
		return nil
	}
	size := uint(bits.Len(uint(len(ids))) + 5) // 32 bits a key, at least
	e := &edges{literals: literals, kind: kind, shift: 64 - size, filter: make([]uint64, (1<<size+63)/64)}
	for _, id := range ids {
		text := literals[id].text
		class := 0
		for edgeBytes(class) > len(text) {
			class++
		}
		if e.by[class] == nil {
			e.by[class] = map[uint64][]int32{}
		}
		key := e.key(text, edgeBytes(class))
		e.by[class][key] = append(e.by[class][key], id)
		h := e.hash(key)
		e.filter[h>>6] |= 1 << (h & 63)
	}
	return e
}

func (e *edges) hash(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> e.shift }

func edgeBytes(class int) int { return 8 >> class }

// key is the n bytes at the edge of text, which has that many.
func (e *edges) key(text string, n int) uint64 {
	if e.kind == predSuffix {
		text = text[len(text)-n:]
	}
	switch n {
	case 8:
		return load64(text, 0)
	case 4:
		return uint64(load32(text, 0))
	case 2:
		return uint64(load16(text, 0))
	default:
		return uint64(text[0])
	}
}

// scan appends to hits the literals at the edge of text.
func (e *edges) scan(text string, hits []int32) []int32 {
	for class, by := range e.by {
		n := edgeBytes(class)
		if by == nil || n > len(text) {
			continue
		}
		key := e.key(text, n)
		if h := e.hash(key); e.filter[h>>6]>>(h&63)&1 == 0 {
			continue
		}
		for _, id := range by[key] {
			if relates(e.kind, text, e.literals[id].text) {
				hits = append(hits, id)
			}
		}
	}
	return hits
}
