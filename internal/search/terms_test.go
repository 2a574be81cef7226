package search

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func fits(d Document, text string) (Tier, bool) { return d.Terms().Fits(Ask(text)) }

func TestWhatFindsWhat(t *testing.T) {
	doc := Document{
		Names: []string{"203.0.113.66"},
		Title: []string{"偽冒更新網站散布惡意程式", "Fake update sites spread malware"},
		Text: []string{
			"攻擊者連往 hxxps://cdn[.]evil.example:8443/a/b，回報至2001:db8:0:42::7。利用CVE-2026-12345與T1059.001（PowerShell）。",
			"src=198.51.100.7:443,dst=host-17.corp.example; sha256 " + strings.Repeat("c0ffee42", 8) + " to x@phish.example",
		},
	}
	for text, want := range map[string]Tier{
		"203.0.113.66": ByName, "203[.]0[.]113[.]66": ByName, "２０３．０．１１３．６６": ByName, "203.0.113.66:443": ByName,
		"惡意程式": ByTitle, "更新 malware": ByTitle, "MALWARE": ByTitle, "ｍａｌｗａｒｅ": ByTitle, "mal\u200bware": ByTitle, "偽": ByTitle, "sites spr": ByTitle,
		"203.0.": ByText, "203.0.11": ByText, "198.51.100.7": ByText, "198.51.100.": ByText, "2001:db8:0:42:0:0:0:7": ByText, "2001:db8:0:": ByText,
		"2001:0db8:0000:": ByText, "2001:db8::": ByText, "2001:db9::": 0, "cdn.evil.example": ByText, "evil.example": ByText, "hxxps://cdn.evil.example:8443/a/b": ByText,
		"cve-2026-12345": ByText, "CVE-2026-123": ByText, "CVE-2026": ByText, "T1059": ByText, "t1059.001": ByText, "powershell": ByText,
		"c0ffee42": ByText, strings.Repeat("C0FFEE42", 8): ByText, "x@phish.example": ByText, "phish.example": ByText, "corp.example": ByText, "host-17": ByText,
		"203.0.113.67": 0, "203.0.12": 0, "malwares": 0, "意惡": 0, "T1059.002": 0, "CVE-2027": 0, "c0ffee43": 0, "": 0, `"'()*:^-+`: 0,
		"malware OR nothing": 0, "\u202emalware": ByTitle,
	} {
		if tier, _ := fits(doc, text); tier != want {
			t.Errorf("%q fits as %d, want %d", text, tier, want)
		}
	}
	// Networks are found by the addresses in them.
	network := Document{Names: []string{"198.51.0.0/16"}}
	for text, want := range map[string]bool{"198.51.7.9": true, "198.51.0.0/16": true, "198.51.": true, "198.52.7.9": false} {
		if _, got := fits(network, text); got != want {
			t.Errorf("the network fits %q: %v", text, got)
		}
	}
}

// NFC and NFD twins, full-width forms and case are one.
func TestTwinsAreOne(t *testing.T) {
	for a, b := range map[string]string{"Café": "Cafe\u0301", "ＣＶＥ－２０２６－１": "cve-2026-1", "ﬁle": "FILE", "資安": "資\u200b安", "ｶﾞ": "ガ"} {
		if d := cmp.Diff(Ask(a).Groups, Ask(b).Groups); d != "" {
			t.Errorf("%q and %q (-first +second):\n%s", a, b, d)
		}
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a megabyte": strings.Repeat("資安 malware ", 100_000), "one word": strings.Repeat("x", 1<<20), "one run": strings.Repeat("資", 1<<20),
		"punctuation": strings.Repeat(`"*()-`, 100_000), "bidi": strings.Repeat("\u202e\u2066", 100_000), "bytes": strings.Repeat("\xff\xfe", 100_000),
	} {
		q := Ask(text)
		if len(q.Groups) > maxGroups {
			t.Errorf("%s: %d groups", name, len(q.Groups))
		}
		if !q.Cut {
			t.Errorf("%s was not cut", name)
		}
	}
}

// drawText draws text of what documents are made of.
func drawText(t *rapid.T, label string) string {
	part := rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z]{1,12}`), rapid.StringMatching(`[資安惡意程式攻擊網站會員]{1,6}`), rapid.StringN(0, 8, 40),
		rapid.SampledFrom([]string{"203.0.113.5", "198.51.100.0/24", "2001:db8::5", "evil[.]example", "hxxps://a.b.example/x?y=1", "CVE-2026-1234", "T1059.001",
			"x@y.example", strings.Repeat("ab12", 16), "12:30", "1.2.3", "a-b_c", "，", "（", "\u200b", "\u202e", "é", "e\u0301", "１２３", "src=203.0.113.9,"}),
	)
	sep := rapid.SampledFrom([]string{" ", "，", "\n", "", "/", ":"})
	var b strings.Builder
	for range rapid.IntRange(1, 6).Draw(t, label+" parts") {
		b.WriteString(part.Draw(t, label))
		b.WriteString(sep.Draw(t, label+" separator"))
	}
	return b.String()
}

// Everything that a document shows finds it: each of its pieces, alone and
// with another, each term, and the beginning of each word.
func TestEveryTermFindsItsDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := Document{Title: []string{drawText(t, "title")}, Text: []string{drawText(t, "text")}}
		terms := doc.Terms()
		var asked []string
		for _, text := range append(doc.Title, doc.Text...) {
			for _, p := range pieces(fold(text)) {
				if p.ideograph {
					asked = append(asked, pairs(p.text)...)
				}
				asked = append(asked, p.text)
			}
		}
		for _, w := range terms.All {
			if len(words(w)) == 1 && words(w)[0] == w {
				asked = append(asked, w)
			}
		}
		for _, a := range asked {
			q := Ask(a)
			if q.Cut || q.Empty() {
				continue
			}
			if _, ok := terms.Fits(q); !ok {
				t.Fatalf("%q does not find %+v\nasked: %+v\nterms: %q", a, doc, q, terms.All)
			}
		}
	})
}

// A planted fault is caught: without the terms that identities add, addresses
// are no longer found by their beginning.
func TestPlantedFaultIsCaught(t *testing.T) {
	terms := Document{Text: []string{"see 203.0.113.5"}}.Terms()
	terms.All = words("see 203.0.113.5")
	if _, ok := terms.Fits(Ask("203.0.113.5")); ok {
		t.Error("a document without the term fits")
	}
}

func FuzzAsk(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		q := Ask(text)
		if len(q.Groups) > maxGroups || len(q.Names) > 4 {
			t.Fatalf("%d groups, %d names", len(q.Groups), len(q.Names))
		}
		for _, g := range q.Groups {
			if len(g) == 0 || len(g) > 40 {
				t.Fatalf("a group of %d", len(g))
			}
			for _, term := range g {
				if term.Text == "" || len(term.Text) > 4*maxWord || !utf8.ValidString(term.Text) || strings.ContainsAny(term.Text, "\x00 \"'\\") {
					t.Fatalf("term %q", term.Text)
				}
			}
		}
		if once := fold(text); fold(once) != once {
			t.Fatalf("%q folds to %q, and that to %q", text, once, fold(once))
		}
		marked := ""
		for _, s := range NewMarker(text).Mark(text) {
			marked += s.Text
		}
		if marked != text {
			t.Fatalf("marking changed the text: %q", marked)
		}
	})
}

func FuzzTerms(f *testing.F) {
	f.Fuzz(func(t *testing.T, title, text string) {
		terms := Document{Names: []string{title}, Title: []string{title}, Text: []string{text}}.Terms()
		for _, list := range [][]string{terms.Names, terms.Title, terms.All} {
			if len(list) > maxTerms {
				t.Fatalf("%d terms", len(list))
			}
			for _, term := range list {
				if term == "" || !utf8.ValidString(term) || len(term) > 4*maxWord+2048 {
					t.Fatalf("term %q", term)
				}
			}
		}
	})
}

func TestMarks(t *testing.T) {
	for _, c := range []struct{ ask, text, want string }{
		{"malware", "Fake Malware, malwares and antimalware", "Fake [Malware], [malware]s and antimalware"},
		{"惡意程式", "散布惡意程式與惡意網站", "散布[惡意程式]與[惡意]網站"},
		{"cafe\u0301", "Café noir", "[Café] noir"},
		{"203.0.113.", "see 203.0.113.66", "see [203.0.113].66"},
		{"x", "", ""},
	} {
		got := ""
		for _, s := range NewMarker(c.ask).Mark(c.text) {
			if s.Hit {
				got += "[" + s.Text + "]"
			} else {
				got += s.Text
			}
		}
		if got != c.want {
			t.Errorf("%q marks %q as %q, want %q", c.ask, c.text, got, c.want)
		}
	}
}
