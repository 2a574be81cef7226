package stix

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Each pattern is written as the package prints it.
func TestPatternRoundTrip(t *testing.T) {
	for _, text := range []string{
		`[domain-name:value = 'x.example']`,
		`[ipv4-addr:value ISSUBSET '198.51.100.0/24']`,
		`[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f' AND file:mime_type = 'application/x-pdf']`,
		`[file:hashes.MD5 = 'x'] AND [ipv4-addr:value = '198.51.100.1'] OR [a:b = 1]`,
		`([a:b = 1] OR [a:b = 2]) AND [a:c = 3]`,
		`[a:b = 1] FOLLOWEDBY ([a:b = 2] FOLLOWEDBY [a:b = 3])`,
		`([a:b = 1] FOLLOWEDBY [a:b = 2]) WITHIN 600 SECONDS REPEATS 5 TIMES`,
		`[a:b = 1] START t'2015-03-31T00:00:00Z' STOP t'2015-04-01T00:00:00.5Z'`,
		`[(a:b = 1 OR a:b = 2) AND NOT EXISTS a:c AND EXISTS a:d]`,
		`[a:b NOT IN ('x', 2, -3.5, true, h'0aFF', b'aGk=', t'2015-03-31T23:59:60Z')]`,
		`[a:b IN ()]`,
		`[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' MATCHES '^\\\\d\'$']`,
		`[email-message:body_multipart[*].body_raw_ref.name NOT LIKE '%.exe' OR a:b[0].c ISSUPERSET '10.0.0.0/8']`,
		`[x:'AND' != 1 AND x:y < 2 AND x:y <= 2 AND x:y > 2.0 AND x:y >= -2]`,
		`[url:value = 'http://a.example/?q=\'[OR]//*']`,
		`[file:name = '惡意程式.exe']`,
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := p.String(); got != text {
			t.Errorf("\n got %s\nwant %s", got, text)
		}
	}
}

func TestPatternSpellings(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"[a:b == +5]", "[a:b = 5]"},
		{"[a:b <> .5]", "[a:b != .5]"},
		{"/* x */ [ a:b\u3000=\n'x' // end\n ]", "[a:b = 'x']"},
		{"[(((a:b = 1)))]", "[a:b = 1]"},
		{"(([a:b = 1]))", "[a:b = 1]"},
		{"[a:b=1 OR a:b=2 AND a:b=3]", "[a:b = 1 OR a:b = 2 AND a:b = 3]"},
		{"[a:'plain' = 1]", "[a:plain = 1]"},
	} {
		p, err := ParsePattern(tt.in)
		if err != nil || p.String() != tt.want {
			t.Errorf("%q became %v, %v, want %s", tt.in, p, err, tt.want)
		}
	}
}

func TestPatternPrecedence(t *testing.T) {
	p, err := ParsePattern("[a:b=1] FOLLOWEDBY [a:b=2] OR [a:b=3] AND [a:b=4]")
	if err != nil {
		t.Fatal(err)
	}
	one := func(n string) Observation {
		return &Match{&Test{Path: Path{Type: "a", Steps: []Step{{Key: "b"}}}, Op: "=", Values: []Value{{KindInteger, n}}}}
	}
	want := &Joined{"FOLLOWEDBY", []Observation{one("1"), &Joined{"OR", []Observation{one("2"), &Joined{"AND", []Observation{one("3"), one("4")}}}}}}
	if diff := cmp.Diff(want, p.Root); diff != "" {
		t.Error(diff)
	}
}

func TestPatternErrors(t *testing.T) {
	for _, tt := range []struct {
		in     string
		offset int
		reason string
	}{
		{"", 0, "found the end"},
		{"[a:b = 1", 8, "expected ]"},
		{"[a:b = 1]]", 9, "expected the end"},
		{"[a:b = ]", 7, "expected a value"},
		{"[a = 1]", 3, "expected :"},
		{"[a:b-c = 1]", 3, "property name"},
		{"[file:hashes.SHA-256 = 'x']", 13, "in quotes"},
		{"[a:b LIKE 5]", 10, "expected a string"},
		{"[a:b > true]", 7, "has an order"},
		{"[a:b = 'x]", 7, "string without end"},
		{`[a:b = '\n']`, 8, "backslash"},
		{"[a:b = 007]", 7, "start with 0"},
		{"[a:b = h'abc']", 7, "literal of kind h"},
		{"[a:b = b'?']", 7, "literal of kind b"},
		{"[a:b = t'2015-02-30T00:00:00Z']", 7, "literal of kind t"},
		{"[a:b = t'2015-02-20T00:00Z']", 7, "literal of kind t"},
		{"[a:b = 1] WITHIN 0 SECONDS", 17, "above zero"},
		{"[a:b = 1] REPEATS 1.5 TIMES", 18, "expected a count"},
		{"[a:b = 1] REPEATS -1 TIMES", 18, "above zero"},
		{"[a:b = 1] START t'2015-01-02T00:00:00Z' STOP t'2015-01-01T00:00:00Z'", 45, "later than START"},
		{"[NOT a:b = 1]", 5, "expected EXISTS"},
		{"[a:b NOT = 1 a:c = 2]", 13, "expected ]"},
		{"[a:b ! 1]", 5, "unexpected character"},
		{"[a:b = 1] /* x", 10, "comment without end"},
		{"[a:b[x] = 1]", 5, "index or *"},
		{"[a:'' = 1]", 3, "property name"},
		{"[a:b = \xff]", 0, "not UTF-8"},
		{"title: x", 0, "expected ["},
	} {
		_, err := ParsePattern(tt.in)
		var at *PatternError
		if !errors.As(err, &at) || !errors.Is(err, ErrPattern) {
			t.Errorf("%q: %v is no pattern error", tt.in, err)
			continue
		}
		if at.Offset != tt.offset || !strings.Contains(at.Reason, tt.reason) {
			t.Errorf("%q: got %v, want %q at %d", tt.in, err, tt.reason, tt.offset)
		}
	}
}

func TestPatternLimits(t *testing.T) {
	limits := PatternLimits{Bytes: 300, Depth: 4, Nodes: 8}
	for _, text := range []string{
		strings.Repeat("(", 5) + "[a:b=1]" + strings.Repeat(")", 5),
		"[" + strings.Repeat("(", 5) + "a:b=1" + strings.Repeat(")", 5) + "]",
		"[a:b=1]" + strings.Repeat(" REPEATS 2 TIMES", 5),
		"[a:b=1" + strings.Repeat(" OR a:b=1", 5) + "]",
		"[a:b IN (1" + strings.Repeat(",1", 10) + ")]",
		"[a:b" + strings.Repeat(".c", 10) + "=1]",
		strings.Repeat(" ", 301),
	} {
		if _, err := ParsePatternLimited(text, limits); !errors.Is(err, ErrLimit) {
			t.Errorf("%.60q: %v, want a limit", text, err)
		}
	}
	if _, err := ParsePatternLimited("(([a:b=1])) REPEATS 2 TIMES", limits); err != nil {
		t.Errorf("within limits: %v", err)
	}
	if _, err := ParsePattern(strings.Repeat("(", 1_000_000)); !errors.Is(err, ErrLimit) {
		t.Errorf("a million parentheses: %v", err)
	}
}

func TestObservables(t *testing.T) {
	type list = []Observable
	for _, tt := range []struct {
		in   string
		want list // nil: not a simple pattern
	}{
		{"[domain-name:value = 'x.example']", list{{"domain-name", "value", "x.example"}}},
		{"[file:hashes.'SHA-256' = 'AA' OR file:hashes.MD5 = 'bb']", list{{"file", "hashes.SHA-256", "AA"}, {"file", "hashes.MD5", "bb"}}},
		{"[url:value = 'u'] OR ([url:value = 'v'] OR [ipv4-addr:value ISSUBSET '10.0.0.0/8'])",
			list{{"url", "value", "u"}, {"url", "value", "v"}, {"ipv4-addr", "value", "10.0.0.0/8"}}},
		{"[ipv6-addr:value IN ('::1', '::2')]", list{{"ipv6-addr", "value", "::1"}, {"ipv6-addr", "value", "::2"}}},
		{"[autonomous-system:number = 174]", list{{"autonomous-system", "number", "174"}}},
		{"[file:hashes.'a.b' = 'x']", list{{"file", "hashes.a.b", "x"}}},
		{"[user-account:account_login = 'it\\'s']", list{{"user-account", "account_login", "it's"}}},
		{"[ipv4-addr:value = '10.0.0.0/8']", nil},
		{"[ipv4-addr:value ISSUBSET '2001:db8::/32']", nil},
		{"[ipv4-addr:value ISSUBSET 'x']", nil},
		{"[domain-name:value ISSUBSET '10.0.0.0/8']", nil},
		{"[file:name = 'a' AND file:size = 5]", nil},
		{"[url:value = 'u'] AND [url:value = 'v']", nil},
		{"[url:value = 'u'] FOLLOWEDBY [url:value = 'v']", nil},
		{"[url:value = 'u'] REPEATS 2 TIMES", nil},
		{"[url:value != 'u']", nil},
		{"[url:value NOT = 'u']", nil},
		{"[url:value LIKE 'u%']", nil},
		{"[url:value IN ()]", nil},
		{"[EXISTS url:value]", nil},
		{"[a:b[*].c = 'x']", nil},
		{"[a:'b.c' = 'x']", nil},
		{"[a:b = true]", nil},
		{"[a:b = h'00']", nil},
	} {
		p, err := ParsePattern(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		got, ok := p.Observables()
		if ok != (tt.want != nil) || ok && !cmp.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.in, got, ok, tt.want)
		}
	}
}

func TestPatternOf(t *testing.T) {
	hash, err := HashObservable(strings.Repeat("AB", 32))
	if err != nil {
		t.Fatal(err)
	}
	block, err := AddressObservable("198.51.100.77/24")
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := AddressObservable("::ffff:192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := PatternOf(hash, block, mapped, Observable{"url", "value", `http://x/'a\b`}, Observable{"email-addr", "value", "a@b"})
	want := `[file:hashes.'SHA-256' = '` + strings.Repeat("ab", 32) + `'] OR [ipv4-addr:value ISSUBSET '198.51.100.0/24'] OR ` +
		`[ipv4-addr:value = '192.0.2.1'] OR [url:value = 'http://x/\'a\\b'] OR [email-addr:value = 'a@b']`
	if err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	for _, bad := range [][]Observable{nil, {{"url", "value", ""}}, {{"url", "", "x"}}, {{"U", "value", "x"}}} {
		if text, err := PatternOf(bad...); err == nil {
			t.Errorf("PatternOf(%v) = %s, want an error", bad, text)
		}
	}
	for _, bad := range []string{"", "xyz", "1.2.3", "1.2.3.4/33", "fe80::1%eth0", "1.2.3.4 "} {
		if o, err := AddressObservable(bad); err == nil {
			t.Errorf("AddressObservable(%q) = %v", bad, o)
		}
	}
	for _, bad := range []string{"", strings.Repeat("a", 33), strings.Repeat("g", 32)} {
		if o, err := HashObservable(bad); err == nil {
			t.Errorf("HashObservable(%q) = %v", bad, o)
		}
	}
}

// What PatternOf writes, Observables reads back, whatever the text.
func TestPatternOfRoundTrip(t *testing.T) {
	property := rapid.SampledFrom([]Observable{
		{Type: "domain-name", Property: "value"}, {Type: "url", Property: "value"},
		{Type: "file", Property: "hashes.SHA-256"}, {Type: "file", Property: "name"},
		{Type: "user-account", Property: "account_login"}, {Type: "x-acme", Property: "START"},
	})
	rapid.Check(t, func(t *rapid.T) {
		var want []Observable
		for range rapid.IntRange(1, 4).Draw(t, "n") {
			o := property.Draw(t, "property")
			o.Value = rapid.StringN(1, 20, -1).Draw(t, "value")
			want = append(want, o)
		}
		text, err := PatternOf(want...)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, ok := p.Observables(); !ok || !cmp.Equal(got, want) {
			t.Fatalf("%s: %v, %v, want %v", text, got, ok, want)
		}
	})
}

// Any tree that the parser could make comes back from its own text.
func TestPatternTreeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &Pattern{Root: drawObservation(t, 3)}
		got, err := ParsePattern(want.String())
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\n%s", want, diff)
		}
	})
}

func drawObservation(t *rapid.T, depth int) Observation {
	switch kind := rapid.IntRange(0, 3).Draw(t, "observation"); {
	case depth > 0 && kind == 0:
		j := &Joined{Op: rapid.SampledFrom([]string{"AND", "OR", "FOLLOWEDBY"}).Draw(t, "op")}
		for range rapid.IntRange(2, 3).Draw(t, "terms") {
			j.Terms = append(j.Terms, drawObservation(t, depth-1))
		}
		return j
	case depth > 0 && kind == 1:
		q := rapid.SampledFrom([]Qualified{
			{Within: "1.5"}, {Repeats: "3"}, {Start: "2015-01-01T00:00:00Z", Stop: "2015-01-02T00:00:00Z"},
		}).Draw(t, "qualifier")
		q.Of = drawObservation(t, depth-1)
		return &q
	}
	return &Match{Test: drawComparison(t, depth)}
}

func drawComparison(t *rapid.T, depth int) Comparison {
	if depth > 0 && rapid.Bool().Draw(t, "combined") {
		c := &Combined{Op: rapid.SampledFrom([]string{"AND", "OR"}).Draw(t, "op")}
		for range rapid.IntRange(2, 3).Draw(t, "terms") {
			c.Terms = append(c.Terms, drawComparison(t, depth-1))
		}
		return c
	}
	test := &Test{
		Path:    Path{Type: "x-y", Steps: []Step{{Key: rapid.StringN(1, 5, -1).Draw(t, "key")}, {Index: "*"}}},
		Negated: rapid.Bool().Draw(t, "not"),
		Op:      rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "EXISTS"}).Draw(t, "op"),
	}
	if test.Op != "EXISTS" {
		test.Values = []Value{{KindString, rapid.String().Draw(t, "text")}}
	}
	return test
}

func FuzzParsePattern(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePatternLimited(text, PatternLimits{Bytes: 4096, Depth: 16, Nodes: 500})
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, p, err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatal(diff)
		}
		if found, ok := p.Observables(); ok && len(found) == 0 {
			t.Fatalf("%q is simple but looks for nothing", text)
		}
	})
}
