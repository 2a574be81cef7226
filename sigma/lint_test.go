package sigma

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aspis-platform/aspis/event"
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
		{"one of two conditions", "a: {Image: x}\ncondition: [a and not a, a]", "", ""},
		{"empty text", sel("Image|contains: ['', x]"), "7 always-true", ""},
		{"empty value is not empty text", sel("Image: ''"), "", ""},
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

// TestCatalogueNames: every line of the catalogue is read.
func TestCatalogueNames(t *testing.T) {
	c := newCatalogue(fieldsText)
	for _, want := range []struct {
		source event.Logsource
		field  string
	}{
		{event.Logsource{Product: "windows", Category: "process_creation"}, "ParentCommandLine"},
		{event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}, "Computer"},
		{event.Logsource{Product: "windows", Service: "security"}, "TargetUserName"},
		{event.Logsource{Product: "linux", Category: "process_creation"}, "Image"},
		{event.Logsource{Product: "zeek", Service: "dns"}, "qtype_name"},
	} {
		if !c.fields(want.source)[want.field] {
			t.Errorf("%v has no %s", want.source, want.field)
		}
	}
	lines := 0
	for line := range strings.Lines(fieldsText) {
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' && text[0] != '@' {
			lines++
		}
	}
	if len(c) != lines || c.fields(event.Logsource{Product: "okta"}) != nil {
		t.Errorf("%d log sources of %d lines", len(c), lines)
	}
	for source, names := range c {
		for name := range names {
			if strings.HasPrefix(name, "@") && name != "@timestamp" {
				t.Errorf("%v: %s stands for nothing", source, name)
			}
		}
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
