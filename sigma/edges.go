package sigma

import "math/bits"

// edges finds literals at the start of a value, or at its end, by the sixteen
// bytes there, or by eight, four, two or one where the literal is shorter.
type edges struct {
	literals []scanLiteral
	kind     predKind              // predPrefix or predSuffix
	by       [5]map[uint64][]int32 // literals by a key of their first or last 16, 8, 4, 2 and 1 bytes
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

func (e *edges) hash(key uint64) uint64 { return key * hashFactor >> (e.shift & 63) }

func edgeBytes(class int) int { return 16 >> class }

// key is the n bytes at the edge of text, which has that many, or a hash of
// sixteen.
func (e *edges) key(text string, n int) uint64 {
	if e.kind == predSuffix {
		text = text[len(text)-n:]
	}
	switch n {
	case 16:
		return (load64(text, 0)|case8)*hashFactor ^ (load64(text, 8) | case8)
	case 1:
		return uint64(text[0] | 0x20)
	default:
		return gramAt(text, 0, n)
	}
}

// at says whether the folded text has a literal at its edge.
func (e *edges) at(text, literal string) bool {
	if e.kind == predSuffix {
		text = text[max(0, len(text)-len(literal)):]
	}
	return startsFolded(text, literal)
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
			if e.at(text, e.literals[id].text) {
				hits = append(hits, id)
			}
		}
	}
	return hits
}
