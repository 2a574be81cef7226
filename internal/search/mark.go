package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Span is a part of a text: what was asked for, or what is between.
type Span struct {
	Text string
	Hit  bool
}

const (
	maxMarked    = 32 << 10 // bytes of a text that are looked through
	snippetRunes = 90       // of a snippet, about
	snippetLead  = 24       // of them before the first hit
)

// Marker marks what a question asks for.
type Marker struct{ needles []string }

// NewMarker returns a marker for a question as it was typed.
func NewMarker(text string) Marker {
	var m Marker
	for _, p := range pieces(fold(cutRunes(text, MaxQuery))) {
		if p.ideograph {
			m.needles = append(m.needles, p.text)
			m.needles = append(m.needles, pairs(p.text)...)
			continue
		}
		m.needles = append(m.needles, trim(refang(p.text)))
		m.needles = append(m.needles, words(p.text)...)
	}
	for i, n := range m.needles {
		m.needles[i] = norm.NFKD.String(n)
	}
	m.needles = slices.DeleteFunc(m.needles, func(n string) bool { return n == "" })
	// The longest first: a whole run rather than its pairs.
	slices.SortStableFunc(m.needles, func(a, b string) int { return len(b) - len(a) })
	m.needles = slices.Compact(m.needles)
	return m
}

// Mark cuts a text into what is asked for and what is not.
func (m Marker) Mark(text string) []Span { return spans(text, m.find(text)) }

// Snippet is the part of a text around the first thing that is asked for;
// empty when there is none.
func (m Marker) Snippet(text string) []Span {
	if len(text) > maxMarked {
		text = strings.ToValidUTF8(text[:maxMarked], "")
	}
	text = strings.Join(strings.Fields(text), " ")
	found := m.find(text)
	if len(found) == 0 {
		return nil
	}
	from := back(text, found[0][0], snippetLead)
	if space := strings.IndexByte(text[from:found[0][0]], ' '); from > 0 && space >= 0 {
		from += space + 1 // not in the middle of a word
	}
	to := ahead(text, from, snippetRunes)
	list := spans(text[from:to], inside(found, from, to))
	if from > 0 {
		list = append([]Span{{Text: "…"}}, list...)
	}
	if to < len(text) {
		list = append(list, Span{Text: "…"})
	}
	return list
}

func back(text string, at, runes int) int {
	for ; runes > 0 && at > 0; runes-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}

func ahead(text string, at, runes int) int {
	for ; runes > 0 && at < len(text); runes-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// inside moves places into a part of the text.
func inside(found [][2]int, from, to int) [][2]int {
	var list [][2]int
	for _, f := range found {
		if f[0] >= from && f[1] <= to {
			list = append(list, [2]int{f[0] - from, f[1] - from})
		}
	}
	return list
}

func spans(text string, found [][2]int) []Span {
	var list []Span
	at := 0
	for _, f := range found {
		if f[0] > at {
			list = append(list, Span{Text: text[at:f[0]]})
		}
		list = append(list, Span{Text: text[f[0]:f[1]], Hit: true})
		at = f[1]
	}
	if at < len(text) {
		list = append(list, Span{Text: text[at:]})
	}
	return list
}

// find lists where the needles are, as places in the text, in order and apart
// from each other. Words begin where words begin.
func (m Marker) find(text string) [][2]int {
	if len(text) > maxMarked {
		text = text[:maxMarked]
	}
	var b strings.Builder
	var starts, ends []int // of the rune that each folded byte came from
	for at, r := range text {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(text[at:])
		}
		folded := norm.NFKD.String(fold(string(r)))
		b.WriteString(folded)
		for range len(folded) {
			starts, ends = append(starts, at), append(ends, at+size)
		}
	}
	folded := b.String()
	var found [][2]int
	for at := 0; at < len(folded); {
		n := m.at(folded, at)
		if n == 0 {
			_, size := utf8.DecodeRuneInString(folded[at:])
			at += size
			continue
		}
		place := [2]int{starts[at], ends[at+n-1]}
		if last := len(found) - 1; last >= 0 && found[last][1] >= place[0] {
			found[last][1] = max(found[last][1], place[1]) // neighbours are one
		} else {
			found = append(found, place)
		}
		at += n
	}
	return found
}

// at is the length of the needle at a place; 0 for none.
func (m Marker) at(folded string, at int) int {
	before, _ := utf8.DecodeLastRuneInString(folded[:at])
	r, _ := utf8.DecodeRuneInString(folded[at:])
	if at > 0 && isWord(before) && !isIdeograph(r) && !isIdeograph(before) {
		return 0
	}
	for _, n := range m.needles {
		if strings.HasPrefix(folded[at:], n) {
			return len(n)
		}
	}
	return 0
}
