package sigma

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
)

// FuzzParse reads any bytes as a file of rules: no panic, and every rule that
// loads can be compiled, matched and explained alike.
func FuzzParse(f *testing.F) {
	f.Add([]byte(ruleText(sel("A|contains|windash: [' -x', 'y*?']", "B|re: '^a(?!b)'", "C|cidr: 10.0.0.0/8"))))
	f.Add([]byte(ruleText("keywords:\n  '|all': [a, 1]\nx_1: [{A: null}, {B|base64offset|contains: abc}]\ncondition: [keywords, not 1 of x_*]")))
	f.Add([]byte(correlationFile("type: value_count, rules: [r1], group-by: [U], timespan: 5m, condition: {gte: 2, field: [X, Y]}, aliases: {U: {r1: V}}")))
	f.Add([]byte(filterFile("polarity: exclude\n", "  rules: any\n  selection: {User: a}\n  condition: selection\n")))
	f.Add([]byte(legacyRule("selection | count(F) by G > 1", "10s") + "---\n" + strings.ReplaceAll(legacyRule("selection | near other", "1m"), "old", "older")))
	f.Add([]byte(ruleText(sel(`A|re: '(?=(a+)+$)b'`, `B|re|i: '(\1[^]]{2,}){3}'`))))
	f.Add([]byte(correlationFile("type: temporal_ordered, timespan: 5m, condition: 'first and not (r2 or base)', generate: true")))
	f.Add([]byte(correlationFile("type: value_percentile, rules: [base, corr], timespan: 5m, condition: {gt: -1.5, percentile: 99.9, field: X}")))
	f.Add([]byte("a: &a [*a, *a]\n---\n- x\n--- # c\ntitle: {? [a] : b}\n...\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		l := NewLoader(Options{Placeholders: placeholders})
		l.AddFile("f", src)
		set, problems := l.Finish()
		for _, p := range problems {
			if p.Reason == "" || p.File != "f" {
				t.Errorf("problem %+v", p)
			}
		}
		m := NewEngine(set.Rules(), EngineOptions{IgnoreLogsource: true}).NewMatcher()
		ev := newFake(t, `{"A":"x -x y","B":["ab",1.0,null],"C":"10.1.1.1","U":{}}`)
		var got, want []string
		m.Match(ev, func(r *Rule) bool { got = append(got, r.ID); return true })
		for _, r := range set.Rules() {
			if Explain(r, ev).Matched {
				want = append(want, r.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("matched %v, explained %v", got, want)
		}
		NewCorrelator(set, CorrelatorOptions{})
	})
}

// FuzzCondition checks the condition parser: no panic, and what it accepts it
// evaluates.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a", "not a and (b or 1 of x_*)", "all of them", "1 of *", "((", "a | count() > 1", "NOT not a", "any of b*", "1 of"} {
		f.Add(s)
	}
	names := []string{"a", "b", "x_1", "x_2", "_h"}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := parseCondition(text, names)
		if (root == nil) == (err == nil) {
			t.Fatalf("%v, %v", root, err)
		}
		if root != nil {
			root.holds(make([]bool, len(names)))
		}
	})
}

// FuzzPattern compares patterns with regular expressions, and reads back what
// a pattern writes.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{`a*b?c`, `*`, `\*`, `a\\*`, `\\\*x`, `??`, `*ab*ab*`, `é?`, `a**b`, `ab*ba`} {
		f.Add(s, "xabcabé")
	}
	f.Add("ab*ba", "aba")
	f.Fuzz(func(t *testing.T, source, text string) {
		source, text = strings.ToValidUTF8(source, "?"), strings.ToValidUTF8(text, "?")
		if len(source) > 200 || len(text) > 2000 {
			return
		}
		p := parsePattern(source)
		if again := parsePattern(p.String()); !slices.Equal(p, again) {
			t.Fatalf("%q is written %q", source, p)
		}
		expr := `(?is)\A`
		for _, token := range tokens(source) {
			switch token[0] {
			case '*':
				expr += ".*"
			case '?':
				expr += "."
			default:
				expr += regexp.QuoteMeta(token[1:])
			}
		}
		c := &chain{field: "f"}
		pr, err := c.pred(value{pattern: p})
		if err != nil {
			t.Fatal(err)
		}
		got := pr.one(textFor(text))
		if want := regexp.MustCompile(expr + `\z`).MatchString(text); got != want {
			t.Fatalf("pattern %q on %q: %v, want %v (%+v)", source, text, got, want, pr)
		}
		for _, w := range pr.witnesses(1) {
			if w.kind == predExact || w.kind == predAny {
				continue
			}
			s := newScanner([]scanLiteral{{text: w.lit, kind: w.kind}}, &gramCounts{})
			if got && len(s.scan(textFor(text).folded, nil)) == 0 {
				t.Fatalf("pattern %q matches %q without its witness %q", source, text, w.lit)
			}
		}
	})
}

func textFor(s string) *text { return &text{raw: s, folded: fold(s)} }

// FuzzRegex compares both regular-expression engines where both can be used,
// and checks the literals that are required of a match.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{"a+b$", "(a|b$)", "^x|y$", `[a-c]{2,3}\.txt$`, "foo(bar|baz)", "(?i)FoO", "a(b$)?", "($|a)b", `\bx`} {
		f.Add(s, "xa.txt\n")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		source, text = strings.ToValidUTF8(source, ""), strings.ToValidUTF8(text, "")
		if len(source) > 60 || len(text) > 60 || strings.ContainsFunc(source+text, func(r rune) bool { return r > 126 || r < 9 }) {
			return
		}
		r, err := compileRegex(source, "")
		if err != nil || r.linear == nil {
			return
		}
		got, _ := r.match(text)
		for _, any := range r.needs {
			if got && !slices.ContainsFunc(any, func(lit string) bool { return strings.Contains(fold(text), lit) }) {
				t.Fatalf("%q matches %q without any of %q", source, text, any)
			}
		}
		if !portable(source) {
			return
		}
		other, err := regexp2.Compile(source, regexp2.None)
		if err != nil {
			return
		}
		other.MatchTimeout = regexMatchTime
		if want, err := other.MatchString(text); err == nil && got != want {
			t.Fatalf("%q on %q: %v, the other engine %v", source, text, got, want)
		}
	})
}

// portable reports whether an expression means the same to both engines: no
// classes, flags or escapes in which Perl, .NET and RE2 differ.
func portable(source string) bool {
	return !strings.ContainsAny(source, `\{}`) && !strings.Contains(source, "(?") && !strings.Contains(source, "[") && !strings.Contains(source, "\v")
}
