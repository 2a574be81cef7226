package intel

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folded is a text as it is compared: compatibility forms (full width,
// ligatures) made plain, case folded, invisible characters dropped, runs of
// white space made one space (none between Chinese characters), defanging
// undone; with the way back.
type folded struct {
	text string
	// from[i] is the byte offset in the original of the character that byte
	// i of text comes from; it has one element more, the original's length.
	from []int
}

// fold folds a text. It works segment by segment as normalisation does, so
// that every byte of the result can say where it comes from.
func fold(s string) folded {
	var w folder
	caser := cases.Fold()
	var iter norm.Iter
	iter.InitString(norm.NFKC, s)
	for !iter.Done() {
		at := iter.Pos()
		w.put(caser.String(string(iter.Next())), at)
	}
	return undoDefang(folded{w.text.String(), append(w.from, len(s))})
}

// folder writes a folded text. White space waits until the next character
// shows whether it stands between words: between Chinese characters it only
// breaks a line.
type folder struct {
	text  strings.Builder
	from  []int
	last  rune
	space int // offset of white space not yet written, plus one; 0 for none
}

func (w *folder) put(piece string, at int) {
	for _, r := range piece {
		switch {
		case isInvisible(r):
		case unicode.IsSpace(r):
			w.space = at + 1
		default:
			inHan := unicode.Is(unicode.Han, w.last) && unicode.Is(unicode.Han, r)
			if w.space > 0 && !inHan && w.last != 0 {
				w.write(' ', w.space-1)
			}
			w.space = 0
			w.write(r, at)
			w.last = r
		}
	}
}

func (w *folder) write(r rune, at int) {
	for range utf8.RuneLen(r) {
		w.from = append(w.from, at)
	}
	w.text.WriteRune(r)
}

// isInvisible reports whether a character can hide in a word: format
// characters (zero width, soft hyphen, direction marks) and variation
// selectors.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034f' || r == '\ufffd'
}

// undoDefang replaces "[.]" and its like in a folded text.
func undoDefang(f folded) folded {
	spellings := []struct{ is, was string }{
		{".", "[.]"}, {".", "(.)"}, {".", "{.}"}, {".", "[dot]"}, {".", "(dot)"}, {"@", "[@]"}, {"@", "[at]"}, {"@", "(at)"}, {":", "[:]"},
		{"::", "[::]"},
	}
	if !strings.ContainsAny(f.text, "[({") {
		return f
	}
	var b strings.Builder
	var from []int
next:
	for i := 0; i < len(f.text); {
		for _, s := range spellings {
			if strings.HasPrefix(f.text[i:], s.was) {
				b.WriteString(s.is)
				for range len(s.is) {
					from = append(from, f.from[i])
				}
				i += len(s.was)
				continue next
			}
		}
		b.WriteByte(f.text[i])
		from = append(from, f.from[i])
		i++
	}
	return folded{b.String(), append(from, f.from[len(f.text)])}
}

// find returns the spans (byte offsets in the folded text) where the needle
// stands as a word of its own. A needle is folded already.
func (f folded) find(needle string) [][2]int {
	var spans [][2]int
	if needle == "" {
		return nil
	}
	for at := 0; ; {
		i := strings.Index(f.text[at:], needle)
		if i < 0 {
			return spans
		}
		start, end := at+i, at+i+len(needle)
		if wordStarts(f.text, start) && wordEnds(f.text, end) {
			spans = append(spans, [2]int{start, end})
		}
		_, size := utf8.DecodeRuneInString(f.text[start:])
		at = start + size
	}
}

// wordStarts reports whether no alphabetic word runs across the offset.
// Chinese is written without spaces, so a Chinese character always bounds.
func wordStarts(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	first, _ := utf8.DecodeRuneInString(s[at:])
	return !isWordRune(before) || !isWordRune(first)
}

func wordEnds(s string, at int) bool {
	last, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	return !isWordRune(last) || !isWordRune(after)
}

func isWordRune(r rune) bool {
	if r == utf8.RuneError || unicode.Is(unicode.Han, r) {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// original is the span of the original text that a folded span comes from.
func (f folded) original(span [2]int) (start, end int) {
	start = f.from[span[0]]
	for i := span[1]; i < len(f.from); i++ {
		if f.from[i] > f.from[span[1]-1] {
			return start, f.from[i]
		}
	}
	return start, f.from[len(f.from)-1]
}
