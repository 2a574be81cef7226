package web

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNoCellIsAFormula: whatever stands in front, what a spreadsheet may take
// for a formula begins with an apostrophe, and other texts are left alone.
func TestNoCellIsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+886": "'+886", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "|cmd": "'|cmd",
		" =1": "' =1", "\n=1": "'\n=1", "＝1": "'＝1", "\u200b=1": "'\u200b=1", "\"=1": "'\"=1",
		"Jade Bank": "Jade Bank", "a=b": "a=b", "": "", "203[.]0[.]113[.]7": "203[.]0[.]113[.]7", "'quoted'": "'quoted'",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ "'\n\t\r]{0,3}[=+\-@]?.{0,5}`).Draw(t, "text")
		if got := harmless(text); strings.ContainsAny(got[:min(1, len(got))], "=+-@\t\r") {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
