package sigma

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// repeated joins n texts.
func repeated(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// TestHostileRules loads files made to take time or memory. Each must be
// refused for the reason given, or loaded where the reason is "", within bounds
// that no machine needs, and the file beside it must be loaded.
func TestHostileRules(t *testing.T) {
	const head = "title: t\nid: t\nlogsource: {product: w}\n"
	const body = "detection: {s: {A: 1}, condition: s}\n"
	values := func(key, list string) string {
		return head + "detection: {s: {" + key + ": [" + list + "]}, condition: s}\n"
	}
	nested := func(open, shut string, n int) string {
		return head + body + "x: " + strings.Repeat(open, n) + strings.Repeat(shut, n) + "\n"
	}
	tests := []struct{ name, src, reason string }{
		{"billion laughs", head + "a: &a [x,x,x,x,x,x,x,x,x]\n" + repeated(9, func(i int) string {
			return fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 9))
		}) + "detection: {s: {A: *j}, condition: s}\n", "must be text"},
		{"many aliases of many values", head + "x: &a [" + strings.Repeat("v,", 9_000) + "]\ndetection: {s: [" +
			repeated(2000, func(i int) string { return fmt.Sprintf("{F%d: *a},", i) }) + "], condition: s}\n", "more than 100000 values"},
		{"an alias of an alias of itself", head + "x: &a [*a]\n" + body, ""},
		{"alias of nothing", head + "x: *a\n" + body, "unknown anchor"},
		{"many anchors", head + "x: [" + repeated(50_000, func(i int) string { return fmt.Sprintf("&a%d b,", i) }) + "]\n" + body, ""},
		{"deep lists", nested("[", "]", 200_000), "depth"},
		{"deep mappings", nested("{a: ", "}", 150_000), "depth"},
		{"deep lists not closed", head + "x: " + strings.Repeat("[", 500_000), "depth"},
		{"many dashes", head + "x:\n  " + strings.Repeat("- ", 400_000) + "a\n", "depth"},
		{"many question marks", head + strings.Repeat("? ", 400_000) + "a\n", "depth"},
		{"many keys", head + body + repeated(90_000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }), "more than 100000 values"},
		{"long key", head + strings.Repeat("k", 900_000) + ": 1\n", "not YAML"},
		{"duplicate key", head + body + "title: again\n", "duplicate key"},
		{"enormous list", values("A|contains", repeated(99_000, func(i int) string { return fmt.Sprintf("v%d,", i) })), ""},
		{"more than an enormous list", values("A", strings.Repeat("v,", 200_000)), "more than 100000 values"},
		{"dashes in every value", values("A|windash", strings.Repeat("' -a -b -c -d',", 45_000)), "expand to more than"},
		{"dashes in two fields", head + "detection: {s: {A|windash: [" + strings.Repeat("' -a -b -c',", 1200) + "], B|windash: [" + strings.Repeat("' -a -b -c',", 1200) + "]}, condition: s}\n", "expand to more than"},
		{"many wildcards", values("A", "'"+strings.Repeat("a*?", 200_000)+"'"), "wildcards"},
		{"many expressions", values("A|re", repeated(40_000, func(i int) string { return fmt.Sprintf("'a{100}%d',", i) })), "too large together"},
		{"large expression", values("A|re", `'(\pL{1000})+'`), "more than 20000 steps"},
		{"counts in counts", values("A|re", "'((a{30}){30}){30}'"), ""},
		{"long expression", values("A|re", "'"+strings.Repeat("a", 20_000)+"'"), "longer than"},
		{"catastrophic expression", values("A|re", "'(?=(a+)+$)b'"), "can take forever"},
		{"catastrophic expression with a look-behind", values("A|re", `'(?<!x)([a-z]*\.?){2,}y'`), "can take forever"},
		{"catastrophic back-reference", values("A|re", `'(a)((\1b?)*c?)*d'`), "can take forever"},
		{"linear engine takes nested repetition", values("A|re", "'(a+)+$'"), ""},
		{"broken expression", values("A|re", "'(('"), "unsupported regular expression"},
		{"binary that is not Base64", values("A", "!!binary '%%%'"), "!!binary is not supported"},
		{"Base64 of a wildcard", values("A|base64", "'a*'"), "wildcards"},
		{"unknown tag", values("A", "!!python/object:os.system 'x'"), "is not supported"},
		{"all of all", head + "detection: {" + repeated(2000, func(i int) string { return fmt.Sprintf("s%d: {A: %d},", i, i) }) +
			" condition: '" + strings.Repeat("1 of * or ", 5000) + "1 of *'}\n", "more than 100,000 search identifiers"},
		{"many conditions", head + "detection: {" + repeated(1000, func(i int) string { return fmt.Sprintf("s%d: {A: %d},", i, i) }) +
			" condition: [" + strings.Repeat("1 of *,", 20_000) + "]}\n", "more than 100,000 search identifiers"},
		{"long condition", head + "detection: {s: {A: 1}, condition: '" + strings.Repeat("s or ", 20_000) + "s'}\n", "longer than"},
		{"deep condition", head + "detection: {s: {A: 1}, condition: '" + strings.Repeat("(", 10_000) + "s'}\n", "nested deeper"},
		{"many negations", head + "detection: {s: {A: 1}, condition: '" + strings.Repeat("not ", 10_000) + "s'}\n", "nested deeper"},
		{"stars in a pattern of names", head + "detection: {s: {A: 1}, condition: '1 of " + strings.Repeat("*s", 20_000) + "'}\n", "no search identifier"},
		{"custom attribute", head + body + "custom: {anything: [1]}\n", ""},
		{"unknown key in the detection", head + "detection: {s: {A: 1}, condition: s, timeframe: 5m}\n", "timeframe"},
		{"unknown key in a correlation", "title: t\nid: t\ncorrelation: {type: event_count, rules: [good], timespan: 1m, condition: {gte: 1}, group_by: [A]}\n", "unknown correlation attribute"},
		{"correlation of itself", "title: t\nid: t\ncorrelation: {type: event_count, rules: [t], timespan: 1m, condition: {gte: 1}}\n", "refers to"},
		{"no text", "\x00\x01\x02", "not YAML"},
		{"not UTF-8", head + "x: \xff\xfe\n", "not YAML"},
		{"larger than a rule may be", head + body + "x: " + strings.Repeat("x", MaxDocumentBytes), "larger than"},
		{"larger than a file may be", strings.Repeat("# x\n", MaxFileBytes/4+1), "larger than"},
		{"many documents", strings.Repeat("---\na\n", 20_000), "more than 10000 documents"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			set, problems := Load(fstest.MapFS{
				"bad.yml":  {Data: []byte(tt.src)},
				"good.yml": {Data: []byte("title: g\nid: good\nlogsource: {product: w}\n" + body)},
			}, Options{})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if took > 20*time.Second || after.TotalAlloc-before.TotalAlloc > 400<<20 {
				t.Errorf("took %v and %d MB", took, (after.TotalAlloc-before.TotalAlloc)>>20)
			}
			if _, ok := set.Rule("good"); !ok {
				t.Error("the rule beside it is not loaded")
			}
			checkHostile(t, problems, tt.reason)
		})
	}
}

func checkHostile(t *testing.T, problems []Problem, reason string) {
	t.Helper()
	if reason == "" {
		if len(problems) > 0 {
			t.Errorf("refused: %v", problems)
		}
		return
	}
	if len(problems) == 0 || !strings.Contains(problems[0].Reason, reason) {
		t.Fatalf("problems %v, want %q", problems, reason)
	}
	p := problems[0]
	if whole := p.Reason == fmt.Sprintf("file is larger than %d bytes", MaxFileBytes); p.File != "bad.yml" || (p.Line < 1 || p.Col < 1) && !whole {
		t.Errorf("no place in %+v", p)
	}
	if len(p.Error()) > 1200 {
		t.Errorf("an error of %d bytes", len(p.Error()))
	}
}

// TestHostileExpressionOnEvent: what is loaded and still slow is given up.
func TestHostileExpressionOnEvent(t *testing.T) {
	r := ruleOf(t, sel(`A|re: '(?=x?)^(a|aa)+$'`), Options{})
	m := NewEngine([]*Rule{r}, EngineOptions{}).NewMatcher()
	began := time.Now()
	m.Match(newFake(t, `{"A":"`+strings.Repeat("a", 60)+`!"}`), func(*Rule) bool { t.Error("matched"); return true })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if m.Stats().Timeouts == 0 {
		t.Error("the given-up expression is not counted")
	}
}

func TestNestedRepeat(t *testing.T) {
	for source, want := range map[string]bool{
		`(a+)+`: true, `(a*b)*`: true, `((a+)b)+`: true, `(?:x{2,})*`: true, `(a{1,3}){2,}`: true, `(a+)+?`: true, `(?=(\d+)*$)`: true, `([^]]+,)*`: true,
		`a+b+`: false, `(a+)b+`: false, `(a+)1+`: false, `(ab)+`: false, `(a+){3}`: false, `(a{3})+`: false, `(a\+)+`: false, `([+*])+`: false,
		`(a+`: false, `a)+`: false, `{`: false, `(a+){`: false, ``: false, `[`: false, `\`: false, `(\(a+\))x*`: false,
	} {
		if nestedRepeat(source) != want {
			t.Errorf("%s: %v", source, !want)
		}
	}
}
