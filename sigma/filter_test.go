package sigma

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

// filterFile has the rules tool (named tool-rule) and jump of process
// creations, dns of another log source, a correlation, and a filter with this
// section.
func filterFile(head, section string) string {
	return `title: Tool
id: tool
name: tool-rule
logsource: {product: windows, category: process_creation}
detection: {selection: {Image: x.exe}, condition: selection}
---
title: Jump
id: jump
logsource: {product: windows, category: process_creation, service: sysmon}
detection: {a: {Image: x.exe}, b: {Image: y.exe}, condition: [a, b]}
---
title: DNS
id: dns
logsource: {product: windows, category: dns_query}
detection: {selection: {Image: x.exe}, condition: selection}
---
title: Many
id: many
correlation: {type: event_count, rules: [tool], timespan: 1m, condition: {gte: 1}}
---
title: Administrators
id: admins
logsource: {product: windows, category: process_creation}
` + head + "filter:\n" + section
}

func loadFilter(t *testing.T, head, section string) (*Ruleset, []Problem) {
	t.Helper()
	return Load(fstest.MapFS{"f.yml": {Data: []byte(filterFile(head, section))}}, Options{})
}

// matched are the ids of the rules that match an event.
func matched(t *testing.T, set *Ruleset, src string) string {
	t.Helper()
	var ids []string
	ev := newFake(t, src)
	NewEngine(set.Rules(), EngineOptions{IgnoreLogsource: true}).NewMatcher().Match(ev, func(r *Rule) bool {
		ids = append(ids, r.ID)
		return true
	})
	for _, r := range set.Rules() {
		if r.Correlation == nil && Explain(r, ev).Matched != strings.Contains(" "+strings.Join(ids, " ")+" ", " "+r.ID+" ") {
			t.Errorf("%s: explained otherwise than matched", r.ID)
		}
	}
	return strings.Join(ids, " ")
}

// TestFilterPolarity shows on samples what a filter does with an administrator
// and with somebody else.
func TestFilterPolarity(t *testing.T) {
	const (
		admin = `{"Image":"x.exe","User":"adm_1"}`
		other = `{"Image":"x.exe","User":"eve"}`
		none  = `{"Image":"x.exe"}`
	)
	tests := []struct{ name, head, rules, condition, admin, other, none string }{
		{"negated, as in the guide", "", "[tool]", "not selection", "jump dns", "tool jump dns", "tool jump dns"},
		{"by name", "", "tool-rule", "not selection", "jump dns", "tool jump dns", "tool jump dns"},
		{"several", "", "[tool, jump]", "not selection", "dns", "tool jump dns", "tool jump dns"},
		{"any of the log source", "", "any", "not selection", "dns", "tool jump dns", "tool jump dns"},
		{"declared exclude, as in the specification", "polarity: exclude\n", "[tool]", "selection", "jump dns", "tool jump dns", "tool jump dns"},
		{"declared keep", "polarity: keep\n", "[tool]", "selection", "tool jump dns", "jump dns", "jump dns"},
		{"declared keep, negated", "polarity: keep\n", "[tool]", "not selection", "jump dns", "tool jump dns", "tool jump dns"},
		{"two negations", "", "[tool]", "not selection and not nobody", "jump dns", "tool jump dns", "jump dns"},
		{"negated alternatives", "", "[tool]", "not 1 of *", "jump dns", "tool jump dns", "jump dns"},
		{"exclude with an exception", "polarity: exclude\n", "[tool]", "selection and not nobody", "jump dns", "tool jump dns", "tool jump dns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, problems := loadFilter(t, tt.head, "  rules: "+tt.rules+"\n  selection: {User|startswith: adm_}\n  nobody: {User: null}\n  condition: "+tt.condition+"\n")
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			for _, sample := range [][2]string{{admin, tt.admin}, {other, tt.other}, {none, tt.none}} {
				if got := matched(t, set, sample[0]); got != sample[1] {
					t.Errorf("%s matches %q, want %q", sample[0], got, sample[1])
				}
			}
		})
	}
}

func TestFilterRefused(t *testing.T) {
	const selection = "  selection: {User: a}\n"
	tests := []struct{ name, head, section, reason string }{
		{"ambiguous", "", "  rules: any\n" + selection + "  condition: selection\n", "does not say whether"},
		{"ambiguous mixture", "", "  rules: any\n" + selection + "  b: {A: 1}\n  condition: selection and not b\n", "does not say whether"},
		{"double negation", "", "  rules: any\n" + selection + "  condition: not not selection\n", "does not say whether"},
		{"contradicting itself", "polarity: exclude\n", "  rules: any\n" + selection + "  condition: not selection\n", "remove one of them"},
		{"unknown polarity", "polarity: both\n", "  rules: any\n" + selection + "  condition: selection\n", `"exclude" or "keep"`},
		{"no rules", "", selection + "  condition: not selection\n", "names no rules"},
		{"empty rules", "", "  rules: []\n" + selection + "  condition: not selection\n", "list of rules is empty"},
		{"rule twice", "", "  rules: [tool, tool]\n" + selection + "  condition: not selection\n", "twice"},
		{"no condition", "", "  rules: any\n" + selection, "no condition"},
		{"two conditions", "", "  rules: any\n" + selection + "  condition: [not selection, not selection]\n", "exactly one condition"},
		{"aggregation", "", "  rules: any\n" + selection + "  condition: not selection | count() > 1\n", "aggregation"},
		{"unknown rule", "", "  rules: [tool, nobody]\n" + selection + "  condition: not selection\n", `"nobody", which is not loaded`},
		{"correlation", "", "  rules: [many]\n" + selection + "  condition: not selection\n", "name the rules that it counts"},
		{"other log source", "", "  rules: [dns]\n" + selection + "  condition: not selection\n", "another log source"},
		{"no rule of the log source", "taxonomy: sigma\n", "  rules: any\n" + selection + "  condition: not selection\n", "no rule that is loaded"},
		{"list", "", "  - a\n", "must be a mapping"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := filterFile(tt.head, tt.section)
			if tt.name == "no rule of the log source" {
				src = strings.Replace(src, "id: admins\nlogsource: {product: windows, category: process_creation}", "id: admins\nlogsource: {product: linux}", 1)
			}
			set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
			if len(problems) != 1 || !strings.Contains(problems[0].Reason, tt.reason) {
				t.Fatalf("problems %v, want %q", problems, tt.reason)
			}
			if p := problems[0]; p.File != "f.yml" || p.Line < 19 || p.Col < 1 || p.Rule != "admins" {
				t.Errorf("problem %+v", p)
			}
			if got := matched(t, set, `{"Image":"x.exe","User":"a"}`); got != "tool jump dns" {
				t.Errorf("the rest matches %q", got)
			}
		})
	}
}

func TestFilterDuplicateIDs(t *testing.T) {
	section := "  rules: any\n  selection: {User: a}\n  condition: not selection\n"
	second := "---\ntitle: Again\nid: %s\nlogsource: {product: windows}\nfilter: {rules: any, s: {User: b}, condition: not s}\n"
	for _, id := range []string{"admins", "tool"} {
		src := filterFile("", section) + fmt.Sprintf(second, id)
		set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, "duplicate id") || len(set.Filters()) != 1 {
			t.Errorf("%s: problems %v, filters %v", id, problems, set.Filters())
		}
	}
}

// TestFilterChangesTheVersion: a stored alert must say which text decided.
func TestFilterChangesTheVersion(t *testing.T) {
	section := "  rules: [tool]\n  selection: {User: a}\n  condition: not selection\n"
	version := func(section string) (filtered, other string) {
		set, problems := loadFilter(t, "", section)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		tool, _ := set.Rule("tool")
		jump, _ := set.Rule("jump")
		if fmt.Sprint(tool.Filters) != "[admins]" || len(jump.Filters) > 0 {
			t.Errorf("filters %v and %v", tool.Filters, jump.Filters)
		}
		return tool.Version(), jump.Version()
	}
	a1, b1 := version(section)
	a2, b2 := version(strings.Replace(section, "User: a", "User: b", 1))
	if a1 == a2 || b1 != b2 || len(a1) != 16 {
		t.Errorf("versions %s %s and %s %s", a1, a2, b1, b2)
	}
}

func TestFilterExplained(t *testing.T) {
	set, _ := loadFilter(t, "polarity: exclude\n", "  rules: [tool]\n  selection: {User|startswith: adm_}\n  condition: selection\n")
	r, _ := set.Rule("tool")
	x := Explain(r, newFake(t, `{"Image":"x.exe","User":"adm_1"}`))
	if x.Matched || !x.Conditions[0].Held || len(x.Selections) != 1 || len(x.Filters) != 1 {
		t.Fatalf("%+v", x)
	}
	f := x.Filters[0]
	if f.Filter != "admins" || f.Passed || f.Polarity != Exclude || f.Condition != "selection" || !f.Selections[0].Held || f.Selections[0].Alternatives[0].Items[0].Actual[0] != "adm_1" {
		t.Errorf("%+v", f)
	}
}

// TestFilterIsTheMergedRule: a filtered rule is the rule in which the filter's
// text was written by hand, as the naive evaluator understands it.
func TestFilterIsTheMergedRule(tt *testing.T) {
	rapid.Check(tt, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{"a", "b", "'a*'", "null", "''"})
		condition := rapid.SampledFrom([]string{"not s", "not s and not t", "not (s or t)", "not 1 of *", "not all of them"}).Draw(t, "condition")
		selections := fmt.Sprintf("s: {A: %s}\n  t: {B: %s}\n", value.Draw(t, "s"), value.Draw(t, "t"))
		own := fmt.Sprintf("  x: {A: %s}\n  y: {C: %s}\n", value.Draw(t, "x"), value.Draw(t, "y"))
		head := "title: r\nid: r\nlogsource: {product: windows}\ndetection:\n"
		filtered := head + own + "  condition: [x, y]\n---\ntitle: f\nid: f\nlogsource: {product: windows}\nfilter:\n  rules: any\n  " + selections + "  condition: " + condition + "\n"
		merged := strings.NewReplacer("1 of *", "(s or t)", "all of them", "(s and t)").Replace(condition)
		byHand := head + own + "  " + selections + "  condition: (x or y) and (" + merged + ")\n"
		set, problems := Load(fstest.MapFS{"r.yml": {Data: []byte(filtered)}}, Options{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		slow, err := newNaive([]byte(byHand), nil)
		if err != nil {
			t.Fatal(err)
		}
		field := rapid.SampledFrom([]string{"", `"a"`, `"b"`, `"ab"`, `""`, "null"})
		var parts []string
		for _, name := range []string{"A", "B", "C"} {
			if v := field.Draw(t, name); v != "" {
				parts = append(parts, fmt.Sprintf("%q:%s", name, v))
			}
		}
		ev := newFake(tt, "{"+strings.Join(parts, ",")+"}")
		got := false
		NewEngine(set.Rules(), EngineOptions{}).NewMatcher().Match(ev, func(*Rule) bool { got = true; return true })
		if want := slow.matches(ev); got != want || Explain(set.Rules()[0], ev).Matched != want {
			t.Fatalf("filtered %v, by hand %v: %v\n%s", got, want, ev.fields, filtered)
		}
	})
}
