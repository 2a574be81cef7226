package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold writes text in the one form in which terms are compared: compatibility
// forms composed (Unicode NFKC: full-width digits, ligatures), case folded,
// and without characters that cannot be seen (controls, bidi overrides, zero
// widths), which only split words.
func fold(text string) string {
	if isPlain(text) {
		return strings.ToLower(text)
	}
	text = strings.Map(visible, strings.ToValidUTF8(text, " "))
	// Lower case last: x/text folds Cherokee back and forth.
	text = norm.NFKC.String(strings.ToLower(cases.Fold().String(norm.NFKC.String(text))))
	return strings.Map(visible, text)
}

// isPlain reports whether text is printable ASCII.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// visible drops what cannot be seen and makes every kind of space one.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), unicode.Is(unicode.Co, r):
		return -1
	}
	return r
}

// isIdeograph reports whether r is written without spaces between words.
func isIdeograph(r rune) bool {
	return r >= 0x1100 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo))
}

func isWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }

// piece is a part of folded text: a run of ideographs, or a chunk without
// spaces in it.
type piece struct {
	text      string
	ideograph bool
}

// pieces cuts folded text. What is neither letter, digit nor ASCII separates.
func pieces(text string) []piece {
	var list []piece
	from, kind := 0, pieceNone
	for at, r := range text {
		now := kindOf(r)
		if now == kind {
			continue
		}
		if kind != pieceNone {
			list = append(list, piece{text[from:at], kind == pieceIdeographs})
		}
		from, kind = at, now
	}
	if kind != pieceNone {
		list = append(list, piece{text[from:], kind == pieceIdeographs})
	}
	return list
}

type pieceKind int

const (
	pieceNone pieceKind = iota
	pieceChunk
	pieceIdeographs
)

func kindOf(r rune) pieceKind {
	switch {
	case r == ' ':
		return pieceNone
	case r < utf8.RuneSelf:
		return pieceChunk
	case isIdeograph(r):
		return pieceIdeographs
	case isWord(r):
		return pieceChunk
	}
	return pieceNone
}

// maxWord bounds a word in runes; what is longer is cut on both sides.
const maxWord = 64

// words are the runs of letters and digits of a chunk.
func words(chunk string) []string {
	list := strings.FieldsFunc(chunk, func(r rune) bool { return !isWord(r) })
	for i, w := range list {
		if utf8.RuneCountInString(w) > maxWord {
			list[i] = string([]rune(w)[:maxWord])
		}
	}
	return list
}

// pairs are the pairs of neighbours in a run of ideographs; a single one
// stands for itself.
func pairs(run string) []string {
	runes := []rune(run)
	if len(runes) == 1 {
		return []string{run}
	}
	list := make([]string, len(runes)-1)
	for i := range list {
		list[i] = string(runes[i : i+2])
	}
	return list
}
