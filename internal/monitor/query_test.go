package monitor_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

func TestParseQuery(t *testing.T) {
	tests := []struct {
		text string
		want monitor.Query
	}{
		{"", monitor.Query{}},
		{"net user", monitor.Query{Text: "net user"}},
		{`"net  user" /add`, monitor.Query{Text: "net  user /add"}},
		{"HOST:ws1 account:CORP\\amy", monitor.Query{Host: "ws1", Account: `CORP\amy`}},
		{`host:"a b\"c\\d"`, monitor.Query{Host: `a b"c\d`}},
		{"source:Windows/process_creation", monitor.Query{Product: "windows", Category: "process_creation"}},
		{"source:/dns", monitor.Query{Category: "dns"}},
		{"ip:203[.]0[.]113[.]7", monitor.Query{Observable: "203.0.113.7"}},
		{"ip:::ffff:203.0.113.7", monitor.Query{Observable: "203.0.113.7"}},
		{"domain:Evil[.]Example.", monitor.Query{Observable: "evil.example"}},
		{"url:hxxps://evil[.]example/A", monitor.Query{Observable: "https://evil.example/A"}},
		{"12:30:45 http://x/ c:\\temp", monitor.Query{Text: `12:30:45 http://x/ c:\temp`}},
		{"foo(bar", monitor.Query{Text: "foo(bar"}},
		{`a) [b OR {c} * x"y AND ^$`, monitor.Query{Text: `a) [b OR {c} * x"y AND ^$`}},
		{"Evil[.]Example hXXps[://]a(.)b 2001[:]db8::1", monitor.Query{Text: "Evil.Example https://a.b 2001:db8::1"}},
		{`"evil[.]example" "hxxp"`, monitor.Query{Text: "evil[.]example hxxp"}},
		{"host:foo(bar", monitor.Query{Host: "foo(bar"}},
		{"member:bank-a 銀行", monitor.Query{Member: "bank-a", Text: "銀行"}},
	}
	for _, test := range tests {
		var q monitor.Query
		if err := monitor.ParseQuery(test.text, &q); err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
		if diff := cmp.Diff(test.want, q); diff != "" {
			t.Errorf("%q: %s", test.text, diff)
		}
	}
}

func TestParseQueryMistakes(t *testing.T) {
	tests := []struct{ text, key, column string }{
		{"host:", "monitor.query.no_value", "6"},
		{"host: x", "monitor.query.no_value", "6"},
		{"銀行 host:a host:b", "monitor.query.twice", "11"},
		{`銀行 "x`, "monitor.query.quote", "4"},
		{"ip:300.1.1.1", "monitor.query.ip", "4"},
		{"hash:abc", "monitor.query.hash", "6"},
		{"ip:1.1.1.1 domain:x.y", "monitor.query.one_value", "19"},
		{"source:a/b/c/d", "monitor.query.source", "8"},
		{strings.Repeat("x", 1001), "monitor.query.text", "1000"},
		{"\xff", "monitor.query.text", "1000"},
	}
	for _, test := range tests {
		var q monitor.Query
		e, ok := errors.AsType[*errs.Error](monitor.ParseQuery(test.text, &q))
		if !ok || e.Kind != errs.Invalid || e.Key != test.key || e.Args[0] != test.column {
			t.Errorf("%.40q: %v, want %s at %s", test.text, e, test.key, test.column)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{`host:"a\"b" x`, "ip:1.1.1.1", "source:a/b/c", `"`, "銀行 hash:", "member:x y:z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var q monitor.Query
		err := monitor.ParseQuery(text, &q)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, part := range []string{q.Text, q.Host, q.Account, q.Observable, q.Product} {
			if !utf8.ValidString(part) || len(part) > 3*len(text) {
				t.Fatalf("%q became %q", text, part)
			}
		}
	})
}
