package sigma

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const legacyHead = "title: Old\nid: old\nlevel: high\nlogsource: {product: windows}\ndetection:\n  selection: {A: 1}\n  other: {B: 1}\n"

func legacyRule(condition, timeframe string) string {
	out := legacyHead + "  condition: '" + condition + "'\n"
	if timeframe != "" {
		out += "  timeframe: " + timeframe + "\n"
	}
	return out
}

// findings replays events, each "seconds fields", and returns the findings at
// the end as "count distinct" by group.
func findings(t *testing.T, set *Ruleset, events []string) string {
	t.Helper()
	m := NewEngine(set.Rules(), EngineOptions{IgnoreLogsource: true}).NewMatcher()
	c := NewCorrelator(set, CorrelatorOptions{})
	open := map[string]string{}
	take := func(findings []Finding) {
		for _, f := range findings {
			if open[f.Key] = fmt.Sprintf("%s %v %d", f.Rule.ID, f.Group, f.Count); f.Retracted {
				delete(open, f.Key)
			}
		}
	}
	for i, src := range events {
		seconds, fields, _ := strings.Cut(src, " ")
		var s int
		fmt.Sscan(seconds, &s)
		ev := newFake(t, fields)
		var ids []string
		m.Match(ev, func(r *Rule) bool { ids = append(ids, r.ID); return true })
		for _, id := range ids {
			take(c.Observe(Occurrence{Rule: id, Time: day.Add(time.Duration(s) * time.Second), RecordID: fmt.Sprint(i), Lookup: fieldLookup(ev)}))
		}
	}
	take(c.Flush())
	if len(open) == 0 {
		return ""
	}
	var all []string
	for _, f := range open {
		all = append(all, f)
	}
	return strings.Join(all, "; ")
}

func TestLegacyAggregations(t *testing.T) {
	const a, b = `{"A":1,"G":"x","F":"p","N":1}`, `{"A":1,"G":"x","F":"q","N":7}`
	tests := []struct {
		name, condition string
		events          []string
		want            string
	}{
		{"count", "selection | count() > 1", []string{"0 " + a, "9 " + a}, "old [] 2"},
		{"count too few", "selection | count() > 2", []string{"0 " + a, "9 " + a}, ""},
		{"count too slow", "selection | count() > 1", []string{"0 " + a, "11 " + a}, ""},
		{"count by", "selection | count() by G >= 2", []string{"0 " + a, "5 " + `{"A":1,"G":"y"}`, "9 " + a}, "old [{G x}] 2"},
		{"count by two", "selection | count() by G, F >= 2", []string{"0 " + a, "1 " + b, "2 " + a}, "old [{G x} {F p}] 2"},
		{"events without the group", "selection | count() by G > 1", []string{`0 {"A":1}`, `1 {"A":1}`}, ""},
		{"distinct values", "selection | count(F) by G > 1", []string{"0 " + a, "1 " + a, "2 " + b}, "old [{G x}] 3"},
		{"one value", "selection | count(F) by G > 1", []string{"0 " + a, "1 " + a}, ""},
		{"sum", "selection | sum(N) by G > 7", []string{"0 " + a, "1 " + b}, "old [{G x}] 2"},
		{"sum not reached", "selection | sum(N) by G > 8", []string{"0 " + a, "1 " + b}, ""},
		{"mean", "selection | avg(N) >= 4", []string{"0 " + a, "1 " + b}, "old [] 2"},
		{"exactly", "selection | count() by G, F == 2", []string{"0 " + a, "1 " + b, "2 " + a}, "old [{G x} {F p}] 2"},
		{"fewer than exactly", "selection | count() by G == 1", []string{"0 " + a, "1 " + b}, ""},
		{"max", "selection | max(N) by G > 5", []string{"0 " + a, "1 " + b}, "old [{G x}] 1"},
		{"max not reached", "selection | max(N) > 7", []string{"0 " + a, "1 " + b}, ""},
		{"min", "selection | min(N) <= 1", []string{"0 " + b, "1 " + a}, "old [] 1"},
		{"near after", "selection | near other", []string{"0 " + a, `9 {"B":1}`}, "old [] 2"},
		{"near before", "selection | near other", []string{`0 {"B":1}`, "9 " + a}, "old [] 2"},
		{"near too far", "selection | near other", []string{`0 {"B":1}`, "11 " + a}, ""},
		{"search of several parts", "selection and not other | count() > 1", []string{"0 " + a, `1 {"A":1,"B":1}`, "2 " + a}, "old [] 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(legacyRule(tt.condition, "10s"))}}, Options{})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if got := findings(t, set, tt.events); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			for _, r := range set.Rules() {
				if (r.PartOf == "") != (r.ID == "old") || set.Standalone(r) != (r.ID == "old") || r.Level != High || r.Title != "Old" {
					t.Errorf("rule %+v", r)
				}
			}
		})
	}
}

func TestAggregationForms(t *testing.T) {
	for text, want := range map[string]aggregation{
		"count() > 5":                    {function: "count", op: "gt", number: "5"},
		"count( ) by A,B  <=5":           {function: "count", by: []string{"A", "B"}, op: "lte", number: "5"},
		"count(Target User) by a.b == 1": {function: "count", field: "Target User", by: []string{"a.b"}, op: "eq", number: "1"},
		"sum(N) by A = 2.5":              {function: "sum", field: "N", by: []string{"A"}, op: "eq", number: "2.5"},
		"avg( x ) >= 1":                  {function: "avg", field: "x", op: "gte", number: "1"},
		"max(N) < -3":                    {function: "max", field: "N", op: "lt", number: "-3"},
	} {
		got, err := parseAggregation(text)
		if fmt.Sprint(got) != fmt.Sprint(want) || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestLegacyRefused(t *testing.T) {
	tests := []struct{ name, condition, timeframe, reason string }{
		{"no timeframe", "selection | count() > 5", "", "without a timeframe"},
		{"bad timeframe", "selection | count() > 5", "5x", "timespan"},
		{"months", "selection | count() > 5", "1M", "timespan"},
		{"unknown function", "selection | stddev(N) > 5", "5m", `"stddev"`},
		{"no aggregation", "selection | sort", "5m", "is not an aggregation"},
		{"two aggregations", "selection | count() > 5 | count() > 6", "5m", "is not an aggregation"},
		{"no comparison", "selection | count() by G", "5m", "is not an aggregation"},
		{"no number", "selection | count() > many", "5m", "not a number"},
		{"fraction", "selection | count() > 1.5", "5m", "whole number"},
		{"never", "selection | count() < 1", "5m", "never hold"},
		{"sum without field", "selection | sum() > 5", "5m", "needs a field"},
		{"group without commas", "selection | count() by G F > 5", "5m", "separated by commas"},
		{"least of all", "selection | min(N) > 5", "5m", "has no exact correlation"},
		{"all at most", "selection | max(N) < 5", "5m", "has no exact correlation"},
		{"near two", "selection | near other and selection", "5m", "has no exact correlation"},
		{"near without", "selection | near not other", "5m", "has no exact correlation"},
		{"near nobody", "selection | near nobody", "5m", `"nobody"`},
		{"bad search", "nobody | count() > 5", "5m", `"nobody"`},
		{"no search", "| count() > 5", "5m", "ends too early"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, problems := Parse("f.yml", []byte(legacyRule(tt.condition, tt.timeframe)), Options{})
			if len(rules) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, tt.reason) {
				t.Fatalf("%d rules, problems %v, want %q", len(rules), problems, tt.reason)
			}
			if p := problems[0]; p.Line != 8 || p.Col < 3 || p.Rule != "old" {
				t.Errorf("place of %+v", p)
			}
		})
	}
	list := legacyHead + "  condition: [selection, 'other | count() > 1']\n  timeframe: 5m\n"
	if _, problems := Parse("f.yml", []byte(list), Options{}); len(problems) != 1 || !strings.Contains(problems[0].Reason, "only condition") {
		t.Errorf("a list of conditions: %v", problems)
	}
}

// TestLegacyParts: what a rule is split into cannot be taken by other rules,
// can be filtered, and can be correlated by the rule's own id.
func TestLegacyParts(t *testing.T) {
	rule := legacyRule("selection | count() > 1", "10s")
	thief := "title: Thief\nid: old#events\nlogsource: {product: windows}\ndetection: {s: {Z: 1}, condition: s}\n---\n"
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(thief + rule)}}, Options{})
	if _, loaded := set.Rule("old"); loaded || len(problems) != 1 || len(set.Rules()) != 1 {
		t.Errorf("stolen part: %v", problems)
	}
	near := strings.ReplaceAll(thief, "#events", "#near") + legacyRule("selection | near other", "10s")
	if set, problems = Load(fstest.MapFS{"f.yml": {Data: []byte(near)}}, Options{}); len(problems) != 1 || len(set.Rules()) != 1 {
		t.Errorf("a part of a refused rule is left: %v, %v", problems, set.Rules())
	}
	if set, problems = Load(fstest.MapFS{"f.yml": {Data: []byte(rule + "---\n" + rule)}}, Options{}); len(problems) != 1 || len(set.Rules()) != 2 {
		t.Errorf("the same rule twice: %v", problems)
	}
	filter := "---\ntitle: f\nid: f\nlogsource: {product: windows}\nfilter: {rules: [old], s: {U: a}, condition: not s}\n"
	set, problems = Load(fstest.MapFS{"f.yml": {Data: []byte(rule + filter)}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := findings(t, set, []string{`0 {"A":1,"U":"a"}`, `1 {"A":1}`}); got != "" {
		t.Errorf("filtered events were counted: %q", got)
	}
	if got := findings(t, set, []string{`0 {"A":1}`, `1 {"A":1}`}); got != "old [] 2" {
		t.Errorf("other events were not: %q", got)
	}
}
