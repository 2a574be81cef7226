package sigma

import (
	"cmp"
	"slices"
	"strings"
)

// scanLiteral is a text to be found at the start, at the end or anywhere in a
// folded value.
type scanLiteral struct {
	text  string
	kind  predKind
	rules []int32
	holds int32 // the keyword's node, which holds where the text is found; -1 for none
}

// scanner finds many literals in a value. What stands at its start or end is
// looked up there; for the rest see [grams].
type scanner struct {
	literals []scanLiteral
	starts   *edges
	ends     *edges
	long     *grams // of literals of minLong bytes or more
	short    *grams // of those of minShort or more
	pairs    *grams // of those of two
	single   map[byte][]int32
}

func newScanner(literals []scanLiteral, counts *gramCounts) *scanner {
	slices.SortFunc(literals, func(a, b scanLiteral) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.kind, b.kind))
	})
	s := &scanner{literals: literals}
	var starts, ends, long, short, pairs []int32
	for i, l := range literals {
		id := int32(i)
		switch {
		case l.kind == predPrefix:
			starts = append(starts, id)
		case l.kind == predSuffix:
			ends = append(ends, id)
		case len(l.text) >= minLong:
			long = append(long, id)
		case len(l.text) >= minShort:
			short = append(short, id)
		case len(l.text) >= minPair:
			pairs = append(pairs, id)
		default:
			if s.single == nil {
				s.single = map[byte][]int32{}
			}
			s.single[l.text[0]] = append(s.single[l.text[0]], id)
		}
	}
	s.starts, s.ends = newEdges(literals, starts, predPrefix), newEdges(literals, ends, predSuffix)
	s.pairs = newGrams(literals, pairs, pairGram, counts)
	s.long = newGrams(literals, long, longGram, counts)
	s.short = newGrams(literals, short, shortGram, counts)
	return s
}

// scan appends to hits the index of every literal that the folded text has, some
// perhaps several times. The text is folded, or has no letters outside ASCII.
func (s *scanner) scan(text string, hits []int32) []int32 {
	if s.starts != nil {
		hits = s.starts.scan(text, hits)
	}
	if s.ends != nil {
		hits = s.ends.scan(text, hits)
	}
	if s.long != nil {
		hits = s.long.scan(text, hits)
	}
	if s.short != nil {
		hits = s.short.scan(text, hits)
	}
	if s.pairs != nil {
		hits = s.pairs.scan(text, hits)
	}
	if s.single != nil {
		for i := range len(text) {
			hits = append(hits, s.single[lowerASCII(text[i])]...)
		}
	}
	return hits
}
