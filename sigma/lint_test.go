package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// lintOf returns "line check" of the warnings of a rule of process creations.
func lintOf(t *testing.T, detection string) (places []string, messages string) {
	t.Helper()
	src := strings.Replace(ruleText(detection), "logsource: {product: windows}", "level: low\nlogsource: {product: windows, category: process_creation}", 1)
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, w := range NewLinter().Lint(set) {
		if w.File != "f.yml" || w.Rule != "test" {
			t.Errorf("warning %+v", w)
		}
		places = append(places, fmt.Sprintf("%d %s", w.Line, w.Check))
		messages += w.Message + "\n"
	}
	return places, messages
}

func TestLint(t *testing.T) {
	tests := []struct {
		name, detection, want, message string // lines count from the rule's first; the detection begins at 6
	}{
		{"nothing", sel("Image|endswith: ['\\a.exe', '\\b.exe']", "CommandLine|contains|all: [x, y]"), "", ""},
		{"unknown field that the rule needs", sel("Imagee: a.exe"), "1 never-fires, 7 unknown-field", `"Image" is`},
		{"wrong case", sel("commandline|contains: x"), "1 never-fires, 7 unknown-field", `"CommandLine" is`},
		{"unknown field that it does not need", "a: {Image: x}\nb: {Nonsense: y}\ncondition: a or b", "7 unknown-field", ""},
		{"unknown field in a filter", "a: {Image: x}\nb: {Nonsense: y}\ncondition: a and not b", "7 unknown-field", ""},
		{"missing field that is required", sel("Nonsense: null"), "7 unknown-field", ""},
		{"unknown field that must not exist", sel("Nonsense|exists: false", "Image: x"), "7 unknown-field", ""},
		{"unknown field that must exist", sel("Nonsense|exists: true", "Image: x"), "1 never-fires, 7 unknown-field", ""},
		{"other than a value of an unknown field", sel("Nonsense|neq: x"), "7 unknown-field", ""},
		{"path into an object", sel("process.name: x"), "", ""},
		{"field of some products only", "a: {Image: x}\nb: {ParentUser: y}\ncondition: a and b", "", ""},
		{"number of another event", sel("EventID: 3", "Image: x"), "1 never-fires, 7 impossible-value", `"EventID" is never "3": it is one of 1, 4688`},
		{"number of the event", sel("EventID: [1, 4688]", "Image: x"), "", ""},
		{"one number of another event", sel("EventID: [1, 3]", "Image: x"), "7 impossible-value", ""},
		{"number of another event in a filter", "a: {Image: x}\nb: {EventID: 3}\ncondition: a and not b", "7 impossible-value", ""},
		{"other than a number that it never has", sel("EventID|neq: 3"), "7 impossible-value", ""},
		{"field compared with an unknown one", sel("Image|fieldref: Imag"), "1 never-fires, 7 unknown-field", `"Image" is`},
		{"field compared with itself", sel("Image|fieldref: Image"), "7 always-true", ""},
		{"keywords", "keywords: [x]\ncondition: keywords", "", ""},
		{"and not itself", "a: {Image: x}\ncondition: a and not a", "1 never-fires", `must and must not be "x"`},
		{"filter that takes all", "a: {Image: 'c:\\x.exe'}\nb: {Image|endswith: '\\x.exe'}\ncondition: a and not b", "1 never-fires", `and not end with "\\x.exe"`},
		{"filter that takes some", "a: {Image|endswith: x.exe}\nb: {Image: 'c:\\x.exe'}\ncondition: a and not b", "", ""},
		{"two values at once", "a: {Image: x.exe}\nb: {Image: y.exe}\ncondition: a and b", "1 never-fires", `must be "x.exe" and be "y.exe"`},
		{"two values in turn", "a: {Image: x.exe}\nb: {Image: y.exe}\ncondition: a or b", "", ""},
		{"value against its own end", "a: {Image: x.exe, Image|endswith: y.exe}\ncondition: a", "1 never-fires, 6 contradiction", `end with "y.exe"`},
		{"value and null", "a: {Image: x.exe}\nb: {Image: null}\ncondition: a and b", "1 never-fires", "be null"},
		{"all of two values", sel("Image|all: [x, y]"), "1 never-fires, 6 contradiction", ""},
		{"number out of range", "a: {ProcessId: 5}\nb: {ProcessId|gt: 6}\ncondition: a and b", "1 never-fires", ""},
		{"number in range", "a: {ProcessId: 5}\nb: {ProcessId|gt: 4}\ncondition: a and b", "", ""},
		{"and none of the same", "a1: {Image: x}\na2: {User: y}\ncondition: 1 of a* and not 1 of a*", "1 never-fires", "contradict each other"},
		{"and not what means the same", "a: {Image: [x, y]}\nb: {Image: [Y, X]}\ncondition: a and not b", "1 never-fires, 7 duplicate-selection", "contradict each other"},
		{"two beginnings", "a: {Image|startswith: 'c:\\x'}\nb: {Image|startswith: 'c:\\y'}\ncondition: a and b", "1 never-fires", "begin with"},
		{"beginning of a beginning", "a: {Image|startswith: 'c:\\x'}\nb: {Image|startswith: 'c:'}\ncondition: a and b", "", ""},
		{"two ends", sel("Image|endswith|all: [x.exe, y.exe]"), "1 never-fires, 6 contradiction", "end with"},
		{"range without a number", "a: {ProcessId|gt: 6}\nb: {ProcessId|lt: 6}\ncondition: a and b", "1 never-fires", "be less than 6 and be more than 6"},
		{"range of one number", "a: {ProcessId|gte: 6}\nb: {ProcessId|lte: 6}\ncondition: a and b", "", ""},
		{"one of two conditions", "a: {Image: x}\ncondition: [a and not a, a]", "", ""},
		{"empty text", sel("Image|contains: ['', x]"), "7 always-true", ""},
		{"empty value is not empty text", sel("Image: ''"), "", ""},
		{"star undoes startswith", sel("Image|startswith: '*x'"), "7 idle-modifier", "contains"},
		{"star undoes endswith", sel("Image|endswith: ['a', 'x*']"), "7 idle-modifier", "contains"},
		{"star inside", sel("Image|startswith: 'c:\\*\\x'"), "", ""},
		{"escaped star", sel("Image|startswith: '\\*x'"), "", ""},
		{"no dash", sel("CommandLine|windash|contains: exec"), "7 idle-modifier", "dash"},
		{"dash", sel("CommandLine|windash|contains: ' -exec'"), "", ""},
		{"piece of Base64", sel("CommandLine|base64offset: exec"), "7 unmatchable", `add "contains"`},
		{"piece of Base64 in a text", sel("CommandLine|base64offset|contains: exec"), "", ""},
		{"UTF-16", sel("CommandLine|wide|contains: exec"), "7 unmatchable", "add base64"},
		{"UTF-16 in Base64", sel("CommandLine|wide|base64offset|contains: exec"), "", ""},
		{"text before the beginning", sel("CommandLine|re: 'a^b'"), "7 unmatchable", "before its beginning"},
		{"text after the end", sel("CommandLine|re: '(a$)b+'"), "7 unmatchable", "after its end"},
		{"end of a line", sel("CommandLine|re: 'a$\\nb'"), "", ""},
		{"beginnings of lines", sel("CommandLine|re|m: 'a$\\n^b'"), "", ""},
		{"beginning or not", sel("CommandLine|re: 'a(^|,)b'"), "", ""},
		{"no text matches one way", sel("CommandLine|re: '(a^b|c)d'"), "", ""},
		{"unused", "a: {Image: x}\nb: {Image: y}\ncondition: a", "7 unused-selection", ""},
		{"used by a pattern", "s_1: {Image: x}\ns_2: {Image: y}\ncondition: 1 of s_*", "", ""},
		{"hidden from a pattern", "_s: {Image: x}\ns: {Image: y}\ncondition: 1 of them", "6 unused-selection", ""},
		{"same selection", "a: {Image: [x, y], User: z}\nb: {User: Z, Image: [y, X]}\ncondition: a or b", "7 duplicate-selection", ""},
		{"same value", sel("Image: [x, y, X]"), "7 duplicate-value", `"X" means the same as "x"`},
		{"all of one", sel("Image|contains|all: [x]"), "7 deprecated", ""},
		{"all of them", "a: {Image: x}\nb: {User: y}\ncondition: all of them", "1 deprecated", ""},
		{"aggregation", sel("Image: x") + " | count() by User > 5\ntimeframe: 1m", "1 deprecated", "write a correlation"},
		{"near", "a: {Image: x}\nb: {User: y}\ncondition: a | near b\ntimeframe: 1m", "1 deprecated", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			places, messages := lintOf(t, tt.detection)
			if got := strings.Join(places, ", "); got != tt.want || !strings.Contains(messages, tt.message) {
				t.Errorf("warnings %q, want %q with %q\n%s", got, tt.want, tt.message, messages)
			}
		})
	}
}

// TestLintHostile: what loads is looked at in bounded time.
func TestLintHostile(t *testing.T) {
	var values, names strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&values, "v%d,", i)
	}
	for i := range 300 {
		fmt.Fprintf(&names, "s%d: {Image|startswith: v%d}\n", i, i)
	}
	for _, detection := range []string{
		sel("Image|startswith|all: [" + values.String() + "]"), sel("Image|all: [" + values.String() + "]"),
		names.String() + "condition: all of s* and not 1 of s*",
	} {
		began := time.Now()
		if places, _ := lintOf(t, detection); !slices.Contains(places, "1 never-fires") {
			t.Errorf("%.60s: %q", detection, places)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%.60s: took %v", detection, took)
		}
	}
}

func TestLintAttributesAndFilters(t *testing.T) {
	src := "title: t\nstatus: deprecated\ndate: 2020/01/02\nlogsource: {product: x}\ndetection: {s: {A: 1}, condition: s}\n---\n" +
		"title: f\nid: f\nlogsource: {product: x}\nfilter:\n  rules: any\n  a: {A: 1}\n  b: {B: ['', 1]}\n  condition: not a\n"
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, w := range NewLinter().Lint(set) {
		got = append(got, fmt.Sprintf("%d %s", w.Line, w.Check))
	}
	want := "1 deprecated, 1 deprecated, 1 missing-attribute, 1 missing-attribute, 1 never-fires, 13 unused-selection"
	if strings.Join(got, ", ") != want {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestRealRulesThatFireAreNotCalledDead: what matches a real event can match.
func TestRealRulesThatFireAreNotCalledDead(t *testing.T) {
	events := realEvents(t, 1500)
	set := realRules(t)
	dead := map[string]string{}
	counts := map[Check]int{}
	for _, w := range NewLinter().Lint(set) {
		if counts[w.Check]++; w.Check == NeverFires {
			dead[w.Rule] = w.Message
		}
	}
	t.Logf("%v of %d rules", counts, len(set.Rules()))
	if len(dead) == 0 || len(dead) > 20 {
		t.Errorf("%d rules are called dead", len(dead))
	}
	m := NewEngine(set.Rules(), EngineOptions{}).NewMatcher()
	for _, ev := range events {
		m.Match(ev, func(r *Rule) bool {
			if why := dead[r.ID]; why != "" {
				t.Errorf("%s fires, and is called dead: %s", r.File, why)
			}
			return true
		})
	}
}
