package sector

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Line is the one form in which a name or another line for people is kept and
// compared: trimmed, composed (NFC), at most max characters. What would make
// it look like another line is refused (errs.Invalid), with the character and
// what to do: what cannot be seen, marks that turn the direction of writing,
// full-width letters and digits, Latin mixed with letters that look like it.
func Line(text string, limit int) (string, error) {
	return clean(text, limit, wideBlank)
}

// Prose is [Line] for a text of several lines.
func Prose(text string, limit int) (string, error) {
	return clean(strings.ReplaceAll(text, "\r\n", "\n"), limit, wideBlank+"\n\t\ufe0f") // U+FE0F: pictures in colour
}

// wideBlank is the blank between Chinese characters.
const wideBlank = "\u3000"

func clean(text string, limit int, besides string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errs.New(errs.Invalid, "text.encoding")
	}
	text = norm.NFC.String(strings.TrimSpace(text))
	if n := utf8.RuneCountInString(text); n > limit {
		return "", errs.New(errs.Invalid, "text.long", limit, n)
	}
	if r, ok := unseen(text, besides); ok {
		return "", errs.New(errs.Invalid, "text.unseen", fmt.Sprintf("U+%04X", r))
	}
	var latin, other bool
	for _, r := range text {
		if isWide(r) {
			return "", errs.New(errs.Invalid, "text.wide", string(r), string(r-'\uff01'+'!'))
		}
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
	}
	if latin && other {
		return "", errs.New(errs.Invalid, "text.scripts")
	}
	return text, nil
}

// unseen is the first character of a composed text that its readers cannot
// see, so that it could pass for another: controls, zero widths, marks that
// turn the direction of writing, letters that are drawn as nothing, and marks
// stacked onto a letter that they do not compose with. besides are those that
// may be there.
func unseen(composed, besides string) (rune, bool) {
	for _, r := range composed {
		switch {
		case strings.ContainsRune(besides, r):
		case !unicode.IsPrint(r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r), r == brailleBlank,
			unicode.Is(unicode.Mn, r) && unicode.Is(unicode.Inherited, r):
			return r, true
		}
	}
	return 0, false
}

// brailleBlank is a symbol without dots.
const brailleBlank = '\u2800'

// isWide reports whether r is a letter or a digit in its full-width form.
// Full-width punctuation is ordinary in Chinese.
func isWide(r rune) bool {
	return r >= '\uff01' && r <= '\uff5e' && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// Folded is what two lines have in common that people would take for the
// same: without regard to case, width and spaces.
func Folded(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(text))), " ")
}
