package sector

import (
	"errors"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

func TestLine(t *testing.T) {
	for _, test := range []struct{ name, text, want, key string }{
		{"plain", "  North Bank ", "North Bank", ""},
		{"chinese with full-width marks", "北方銀行（股）", "北方銀行（股）", ""},
		{"decomposed is composed", "Cafe\u0301 Bank", "Café Bank", ""},
		{"greek alone", "Ελλάδα", "Ελλάδα", ""},
		{"right to left override", "North\u202eknaB", "", "text.unseen"},
		{"isolate", "North\u2066 Bank", "", "text.unseen"},
		{"zero-width space", "North\u200bBank", "", "text.unseen"},
		{"joiner", "North\u200dBank", "", "text.unseen"},
		{"byte order mark", "\ufeffNorth Bank", "", "text.unseen"},
		{"soft hyphen", "North\u00adBank", "", "text.unseen"},
		{"tag character", "North\U000e0041", "", "text.unseen"},
		{"line break", "North\nBank", "", "text.unseen"},
		{"full-width letter", "Ｎorth Bank", "", "text.wide"},
		{"full-width digit", "第１銀行", "", "text.wide"},
		{"cyrillic а in latin", "North B\u0430nk", "", "text.scripts"},
		{"hangul filler", "North\u3164Bank", "", "text.unseen"},
		{"braille blank", "North\u2800Bank", "", "text.unseen"},
		{"variation selector", "North\ufe01Bank", "", "text.unseen"},
		{"a mark that composes with nothing", "North B\u0336ank", "", "text.unseen"},
		{"ideographic space", "北方\u3000銀行", "北方\u3000銀行", ""},
		{"thai, whose vowels are marks", "ธนาคาร กรุงไทย ดี", "ธนาคาร กรุงไทย ดี", ""},
		{"long", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", "", "text.long"},
		{"not UTF-8", "a\xff", "", "text.encoding"},
	} {
		got, err := Line(test.text, 40)
		if key := keyOf(err); got != test.want || key != test.key {
			t.Errorf("%s: %q, %q; want %q, %q", test.name, got, key, test.want, test.key)
		}
	}
	if got, err := Prose("a\r\nb", 10); got != "a\nb" || err != nil {
		t.Errorf("two lines: %q, %v", got, err)
	}
	if got, err := Prose("done \u2714\ufe0f", 10); got != "done \u2714\ufe0f" || err != nil {
		t.Errorf("a picture: %q, %v", got, err)
	}
	if Folded("ＮＯＲＴＨ  bank") != Folded("North Bank") || Folded("North") == Folded("South") {
		t.Error("folding does not tell the same from the different")
	}
}

func keyOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Key
	}
	return ""
}

// FuzzLine: what is taken is seen, composed, and taken again as it is.
func FuzzLine(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		line, err := Line(text, 100)
		if err != nil {
			return
		}
		for _, r := range line {
			if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
				t.Fatalf("%q is taken with %U", text, r)
			}
		}
		if again, err := Line(line, 100); err != nil || again != line || !norm.NFC.IsNormalString(line) {
			t.Fatalf("%q is taken as %q, and that as %q (%v)", text, line, again, err)
		}
	})
}
