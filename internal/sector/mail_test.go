package sector_test

import (
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func TestMailAddress(t *testing.T) {
	tests := map[string]struct{ in, want, refused string }{
		"as it is":              {"mei.lin@jade-bank.example", "mei.lin@jade-bank.example", ""},
		"case and blanks":       {"  Mei.Lin@Jade-Bank.Example\t", "mei.lin@jade-bank.example", ""},
		"a domain in Chinese":   {"mei@翠玉銀行.example", "mei@xn--oby36x3qgr2k.example", ""},
		"a composed domain":     {"mei@caf\u00e9.example", "mei@xn--caf-dma.example", ""},
		"its decomposed twin":   {"mei@cafe\u0301.example", "mei@xn--caf-dma.example", ""},
		"full-width letters":    {"ｍei@jade-bank.example", "", "sector.mail_width"},
		"full-width at":         {"mei＠jade-bank.example", "", "sector.mail_width"},
		"ideographic full stop": {"mei@jade-bank。example", "mei@jade-bank.example", ""},
		"zero-width space":      {"mei\u200b@jade-bank.example", "", "sector.mail_unseen"},
		"zero-width joiner":     {"mei@jade\u200dbank.example", "", "sector.mail_unseen"},
		"byte order mark":       {"\ufeffmei@jade-bank.example", "", "sector.mail_unseen"},
		"bidi override":         {"mei\u202e@jade-bank.example", "", "sector.mail_unseen"},
		"soft hyphen":           {"mei\u00ad@jade-bank.example", "", "sector.mail_unseen"},
		"a mark on the dot":     {"mei.\u0323lin@jade-bank.example", "", "sector.mail_unseen"},
		"hangul filler":         {"mei\u3164@jade-bank.example", "", "sector.mail_unseen"},
		"variation selector":    {"mei@jade\ufe0fbank.example", "", "sector.mail_unseen"},
		"line break":            {"mei@jade-bank.example\r\nBcc: x@evil.example", "", "sector.mail_unseen"},
		"Cyrillic е":            {"m\u0435i@jade-bank.example", "", "sector.mail_letters"},
		"a domain in Cyrillic":  {"mei@jad\u0435-bank.example", "mei@xn--jad-bank-e8g.example", ""},
		"a name with it":        {"Mei <mei@jade-bank.example>", "", "sector.mail_form"},
		"two":                   {"a@b.example,c@d.example", "", "sector.mail_form"},
		"nothing before the at": {"@jade-bank.example", "", "sector.mail_form"},
		"no at":                 {"mei", "", "sector.mail_form"},
		"nothing":               {"", "", "sector.mail_form"},
		"too long":              {strings.Repeat("x", 250) + "@a.example", "", "sector.mail_long"},
	}
	for name, test := range tests {
		got, err := sector.MailAddress(test.in)
		switch {
		case test.refused == "" && (err != nil || got != test.want):
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		case test.refused != "" && (!errs.Is(err, errs.Invalid) || !strings.HasPrefix(err.Error(), test.refused)):
			t.Errorf("%s: %q, %v; want %s", name, got, err, test.refused)
		}
	}
}

// What is kept is ASCII, and taking it again changes nothing.
func FuzzMailAddress(f *testing.F) {
	f.Add("mei@翠玉銀行.example")
	f.Add("m\u0435i\u200b＠x")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := sector.MailAddress(text)
		if err != nil {
			return
		}
		again, err := sector.MailAddress(got)
		if err != nil || again != got {
			t.Errorf("%q becomes %q, then %q, %v", text, got, again, err)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r > 126 || r < 33 }) {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
