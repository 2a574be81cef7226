package intel

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/stix"
)

func TestParseIndicator(t *testing.T) {
	sha := strings.Repeat("AB", 32)
	tests := []struct{ line, kind, want, pattern string }{
		{"198.51.100.7", "ipv4", "198.51.100.7", "[ipv4-addr:value = '198.51.100.7']"},
		{" 198[.]51[.]100[.]7 ", "ipv4", "198.51.100.7", ""},
		{"::ffff:198.51.100.7", "ipv4", "198.51.100.7", ""},
		{"203.0.113.9/24", "ipv4", "203.0.113.0/24", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"},
		{"2001:DB8::1", "ipv6", "2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"},
		{"2001[:]db8::1", "ipv6", "2001:db8::1", ""},
		{"2001[:]db8[:][:]1", "ipv6", "2001:db8::1", ""},
		{"2001:db8[::]1", "ipv6", "2001:db8::1", ""},
		{"2001[:]db8:1::/48", "ipv6", "2001:db8:1::/48", ""},
		{"hxxp://[2001[:]db8::1]:8080/x", "url", "http://[2001:db8::1]:8080/x", ""},
		{"hxxps[:]//evil(dot)example/a[.]html", "url", "https://evil.example/a.html", ""},
		{"Evil.Example.", "domain", "evil.example", "[domain-name:value = 'evil.example']"},
		{"*.evil.example", "domain", "*.evil.example", "[domain-name:value = 'evil.example' OR domain-name:value LIKE '%.evil.example']"},
		{"例子.tw", "domain", "xn--fsqu00a.tw", ""},
		{"hxxps://Evil[.]example/A?b=C", "url", "https://evil.example/A?b=C", "[url:value = 'https://evil.example/A?b=C']"},
		{"http://198.51.100.7:8080/x", "url", "http://198.51.100.7:8080/x", ""},
		{"Bad@Phish.example", "email", "bad@phish.example", "[email-addr:value = 'bad@phish.example']"},
		{sha, "sha256", strings.ToLower(sha), "[file:hashes.'SHA-256' = '" + strings.ToLower(sha) + "']"},
		{sha[:40], "sha1", strings.ToLower(sha[:40]), ""},
		{sha[:32], "md5", strings.ToLower(sha[:32]), "[file:hashes.MD5 = '" + strings.ToLower(sha[:32]) + "']"},
	}
	for _, test := range tests {
		got, err := ParseIndicator(test.line)
		if err != nil || got.Kind.String() != test.kind || got.Line() != test.want {
			t.Errorf("%q: %v %s %q, want %s %q", test.line, err, got.Kind, got.Line(), test.kind, test.want)
			continue
		}
		pattern, err := got.Pattern()
		if err != nil || test.pattern != "" && pattern != test.pattern {
			t.Errorf("%q: pattern %s %v, want %s", test.line, pattern, err, test.pattern)
		}
		if _, err := stix.ParsePattern(pattern); err != nil {
			t.Errorf("%q: pattern %s: %v", test.line, pattern, err)
		}
	}
}

func TestParseIndicatorRefuses(t *testing.T) {
	tests := map[string]string{
		"":                          "indicator.length",
		strings.Repeat("a", 3000):   "indicator.length",
		"10.0.0.1":                  "indicator.internal",
		"172.16.0.0/16":             "indicator.internal",
		"100.64.1.1":                "indicator.internal",
		"127.0.0.1":                 "indicator.internal",
		"fe80::1":                   "indicator.internal",
		"::ffff:192.168.1.1":        "indicator.internal",
		"http://192.168.0.9/x":      "indicator.internal",
		"dc01.bank.local":           "indicator.internal",
		"admin@dc01.corp":           "indicator.internal",
		"com.tw":                    "indicator.public_suffix",
		"*.com.tw":                  "indicator.public_suffix",
		"198.0.0.0/8":               "indicator.too_wide",
		"2001::/16":                 "indicator.too_wide",
		"localhost":                 "indicator.unreadable",
		"not an indicator":          "indicator.unreadable",
		"http://user:pw@a.example/": "indicator.unreadable",
		"a' OR '1'='1.example":      "indicator.unreadable",
		"x@":                        "indicator.unreadable",
		"-bad-.example":             "indicator.unreadable",
		"https://a.example/[[.]]":   "indicator.unreadable",
		"fe80[:]:1":                 "indicator.internal",
	}
	for line, key := range tests {
		got, err := ParseIndicator(line)
		e, ok := err.(*errs.Error) //nolint:errorlint // returned bare
		if !ok || e.Key != key {
			t.Errorf("%q: %+v %v, want %s", line, got, err, key)
		}
	}
}

// TestDefangedComesBack: what we show harmless is read as what it was.
func TestDefangedComesBack(t *testing.T) {
	byte16 := rapid.Custom(func(t *rapid.T) netip.Addr {
		raw := [16]byte{0x20, 0x01, 0x0d, 0xb8} // the network for documentation, RFC 3849
		for i := 4; i < len(raw); i++ {
			raw[i] = rapid.SampledFrom([]byte{0, 0, 0, 1, 0xab, 0xff}).Draw(t, "byte")
		}
		return netip.AddrFrom16(raw)
	})
	rapid.Check(t, func(t *rapid.T) {
		addr := byte16.Draw(t, "addr").String()
		host := rapid.StringMatching(`[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}`).Draw(t, "host") + ".example"
		port := rapid.SampledFrom([]string{"", ":8080"}).Draw(t, "port")
		path := rapid.StringMatching(`(/[a-z.:@]{0,6}){0,3}`).Draw(t, "path")
		line := rapid.SampledFrom([]string{
			addr, addr + "/64", "64:ff9b::198.51.100.7", "198.51.100.7", host, "*." + host, "x.y@" + host,
			"http://" + host + port + path, "https://[" + addr + "]" + port + path, "ftp://198.51.100.7" + port + path,
		}).Draw(t, "line")
		want, err := ParseIndicator(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		shown := web.Defang(want.Line())
		got, err := ParseIndicator(shown)
		if err != nil || !got.same(want) {
			t.Fatalf("%q is shown as %q and read as %+v, %v", want.Line(), shown, got, err)
		}
		if n := strings.Count(shown, "[:]"); n > 1 || (strings.Count(want.host(), ":") > 1) != (n == 1) {
			t.Fatalf("%q is shown as %q", want.Line(), shown)
		}
	})
}

// FuzzParseIndicator: what is accepted is normal (parsing it again changes
// nothing), external, and writes a pattern that STIX reads back.
func FuzzParseIndicator(f *testing.F) {
	f.Fuzz(func(t *testing.T, line string) {
		ind, err := ParseIndicator(line)
		if err != nil {
			return
		}
		again, err := ParseIndicator(ind.Line())
		if err != nil || !again.same(ind) {
			t.Fatalf("%q became %+v, and that %+v (%v)", line, ind, again, err)
		}
		if shown, err := ParseIndicator(web.Defang(ind.Line())); err != nil || !shown.same(ind) {
			t.Fatalf("%q became %+v, is shown as %q, and read as %+v (%v)", line, ind, web.Defang(ind.Line()), shown, err)
		}
		if ind.Kind == event.ObservableUnknown || checkExternal(ind) != nil {
			t.Fatalf("%q: accepted %+v", line, ind)
		}
		text, err := ind.Pattern()
		if err != nil {
			t.Fatal(err)
		}
		pattern, err := stix.ParsePattern(text)
		if err != nil {
			t.Fatalf("%q: pattern %s: %v", line, text, err)
		}
		if found, ok := pattern.Observables(); !ind.Under && (!ok || len(found) != 1 || found[0].Value != ind.Value) {
			t.Fatalf("%q: pattern %s looks for %v", line, text, found)
		}
		if _, err := ind.observable(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestIndicatorsKeepTheirIDs(t *testing.T) {
	a := Advisory{Lineage: stix.RandomUUID().String(), Version: 2}
	one, two := Indicator{Kind: event.ObservableIPv4, Value: "198.51.100.1"}, Indicator{Kind: event.ObservableIPv4, Value: "198.51.100.2"}
	first := a.identify(nil, []Indicator{one, two, one})
	if len(first) != 2 || first[0].ID == first[1].ID || first[0].ID == "" {
		t.Fatalf("ids %+v", first)
	}
	a.Version = 3
	kept := a.identify(first, []Indicator{two})
	if d := cmp.Diff(first[1:], kept); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	a.Version = 4
	if again := a.identify(kept, []Indicator{one, two}); again[0].ID == first[0].ID || again[1].ID != first[1].ID {
		t.Errorf("an indicator that was taken out came back under its old id: %+v", again)
	}
}
