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
}

// scanner finds many literals in a value. What stands at its start or end is
// looked up there. Of the rest, a literal of seven bytes or more has four
// consecutive ones at a position that is a multiple of four, wherever it
// begins: only those positions are looked at for them. Shorter ones are looked
// for at every position.
type scanner struct {
	literals []scanLiteral
	starts   *edges
	ends     *edges
	long     *grams // of literals of minLong bytes or more, for every fourth position
	short    *grams // of those of four to six
	pairs    *pairs // of those of two and three
	single   map[byte][]int32
}

func newScanner(literals []scanLiteral, counts gramCounts) *scanner {
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
		case len(l.text) >= gramBytes:
			short = append(short, id)
		case len(l.text) >= 2:
			pairs = append(pairs, id)
		default:
			if s.single == nil {
				s.single = map[byte][]int32{}
			}
			s.single[l.text[0]] = append(s.single[l.text[0]], id)
		}
	}
	s.starts, s.ends = newEdges(literals, starts, predPrefix), newEdges(literals, ends, predSuffix)
	s.pairs = newPairs(literals, pairs)
	s.long = newGrams(literals, long, gramBytes, counts)
	s.short = newGrams(literals, short, 1, counts)
	return s
}

// scan appends to hits the index of every literal that text has, some perhaps
// several times.
func (s *scanner) scan(text string, hits []int32) []int32 {
	if s.starts != nil {
		hits = s.starts.scan(text, hits)
	}
	if s.ends != nil {
		hits = s.ends.scan(text, hits)
	}
	if s.long != nil {
		hits = s.long.everyFourth(text, hits)
	}
	if s.short != nil {
		hits = s.short.everywhere(text, hits)
	}
	if s.pairs != nil {
		hits = s.pairs.scan(text, hits)
	}
	if s.single != nil {
		for i := range len(text) {
			hits = append(hits, s.single[text[i]]...)
		}
	}
	return hits
}
