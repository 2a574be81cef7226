package sigma

import (
	"cmp"
	"slices"
	"strings"
)

// scanLiteral is a text to be found at the start, at the end or anywhere in a
// folded value.
type scanLiteral struct {
	text string
	kind predKind
	finding
}

// scanner finds many literals in a value. What stands at its start or end is
// looked up there.
type scanner struct {
	literals []scanLiteral
	starts   *edges
	ends     *edges
	plain    anywhere // of ASCII
	foreign  anywhere // with other letters, which only values with such have
}

// anywhere finds literals wherever they stand.
type anywhere struct {
	literals []scanLiteral
	long     *grams  // of those of minLong bytes or more
	short    *grams  // of those of minShort or more
	pairs    *grams  // of those of two
	few      []int32 // of one or two bytes without case, and of one letter
}

func newScanner(literals []scanLiteral, counts *gramCounts) *scanner {
	slices.SortFunc(literals, func(a, b scanLiteral) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.kind, b.kind))
	})
	var starts, ends, plain, foreign []int32
	for i, l := range literals {
		id := int32(i)
		switch {
		case l.kind == predPrefix:
			starts = append(starts, id)
		case l.kind == predSuffix:
			ends = append(ends, id)
		case ascii(l.text):
			plain = append(plain, id)
		default:
			foreign = append(foreign, id)
		}
	}
	return &scanner{
		literals: literals,
		starts:   newEdges(literals, starts, predPrefix), ends: newEdges(literals, ends, predSuffix),
		plain: newAnywhere(literals, plain, counts), foreign: newAnywhere(literals, foreign, counts),
	}
}

func newAnywhere(literals []scanLiteral, ids []int32, counts *gramCounts) anywhere {
	a := anywhere{literals: literals}
	var long, short, pairs []int32
	for _, id := range ids {
		switch text := literals[id].text; {
		case len(text) >= minLong:
			long = append(long, id)
		case len(text) >= minShort:
			short = append(short, id)
		case len(text) == 1 || caseless(text):
			a.few = append(a.few, id)
		default:
			pairs = append(pairs, id)
		}
	}
	a.pairs = newGrams(literals, pairs, pairGram, counts)
	a.long = newGrams(literals, long, longGram, counts)
	a.short = newGrams(literals, short, shortGram, counts)
	return a
}

// scan appends to hits the index of every literal that the text has, some perhaps
// several times. The text is folded, or has no letters outside ASCII.
func (s *scanner) scan(text string, hits []int32) []int32 {
	if s.starts != nil {
		hits = s.starts.scan(text, hits)
	}
	if s.ends != nil {
		hits = s.ends.scan(text, hits)
	}
	hits = s.plain.scan(text, hits)
	if !s.foreign.empty() && !ascii(text) {
		hits = s.foreign.scan(text, hits)
	}
	return hits
}

func (a *anywhere) empty() bool {
	return a.long == nil && a.short == nil && a.pairs == nil && a.few == nil
}

func (a *anywhere) scan(text string, hits []int32) []int32 {
	if a.long != nil {
		hits = a.long.scan(text, hits)
	}
	if a.short != nil {
		hits = a.short.scan(text, hits)
	}
	if a.pairs != nil {
		hits = a.pairs.scan(text, hits)
	}
	for _, id := range a.few {
		if hasFew(text, a.literals[id].text) {
			hits = append(hits, id)
		}
	}
	return hits
}

// hasFew looks for a byte, or for bytes without case.
func hasFew(text, literal string) bool {
	if len(literal) > 1 {
		return strings.Contains(text, literal)
	}
	c := literal[0]
	return strings.IndexByte(text, c) >= 0 || 'a' <= c && c <= 'z' && strings.IndexByte(text, c-('a'-'A')) >= 0
}

// caseless says that no byte is a letter of ASCII.
func caseless(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' })
}
