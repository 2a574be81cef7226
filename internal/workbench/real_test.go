package workbench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// realRules loads the SigmaHQ rules or skips the test.
func realRules(t *testing.T) *Rules {
	t.Helper()
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		t.Skip("ASPIS_DATA is not set: the real rules are left out")
	}
	return Load([]string{filepath.Join(data, "sigma-rules.tar.xz")}, sigma.Options{})
}

// TestRealRulesAreNotLost makes for every real rule a flat event that matches
// it and says nothing of where it comes from. Whoever tries the rule on it must
// see it match.
func TestRealRulesAreNotLost(t *testing.T) {
	rules := realRules(t)
	if rules.Loaded() != 3141 || len(rules.Problems) > 0 {
		t.Fatalf("%d rules loaded, problems %v", rules.Loaded(), rules.Problems)
	}
	router := newRouter(rules.Set.Rules(), true)
	made, lost, others := 0, 0, 0
	for _, r := range rules.Set.Rules() {
		ev := matching(t, r)
		if ev == nil {
			continue
		}
		made++
		found := false
		router.match(ev, func(m *sigma.Rule) {
			found = found || m == r
			others++
		})
		if !found && !contradicts(ev, r) {
			lost++
			t.Errorf("%s (%+v) is not asked about %s, taken for %s %+v", r.File, r.Logsource, ev.Raw(), ev.Dialect(), ev.Logsource())
		}
	}
	t.Logf("%d events, %d lost, %.1f rules each", made, lost, float64(others)/float64(made))
	if made < 2700 {
		t.Errorf("only %d events could be made", made)
	}
}

// contradicts says whether a rule asks for the channel of another log source
// than it names: one real rule means a field of that name in the event's data.
func contradicts(ev *event.Event, r *sigma.Rule) bool {
	return text(ev, "Channel") != "" && ev.Logsource().Service != r.Logsource.Service
}

// matching makes an event that matches a rule, nil when it finds none.
func matching(t *testing.T, r *sigma.Rule) *event.Event {
	empty := decode(t, map[string]string{})
	shape := sigma.Explain(r, empty).Selections
	for mask := 1<<min(len(shape), 10) - 1; mask > 0; mask-- {
		fields := map[string]string{}
		for i, s := range shape {
			if i < 10 && mask&(1<<i) != 0 {
				satisfy(fields, s.Alternatives[0].Items)
			}
		}
		if ev := decode(t, fields); ev != nil && sigma.Explain(r, ev).Matched {
			return ev
		}
	}
	return nil
}

// satisfy adds fields that most likely meet the items.
func satisfy(fields map[string]string, items []sigma.ItemOutcome) {
	for _, item := range items {
		name, values := item.Field, item.Expected[:1]
		if name == "" {
			name = "message"
		}
		if slices.Contains(item.Modifiers, "all") {
			values = item.Expected
		}
		text := strings.NewReplacer(`\\`, `\`, `\*`, "*", "*", "x", "?", "x").Replace(strings.Join(values, " "))
		switch {
		case text == "null" || slices.Contains(item.Modifiers, "exists") && text == "false":
			continue
		case slices.Contains(item.Modifiers, "cidr"):
			text, _, _ = strings.Cut(text, "/")
		case slices.Contains(item.Modifiers, "gt") || slices.Contains(item.Modifiers, "gte"):
			text = "1" + text
		case slices.Contains(item.Modifiers, "lt") || slices.Contains(item.Modifiers, "lte"):
			text = "0"
		}
		if fields[name] != "" && item.Field != "" && len(item.Modifiers) > 0 {
			text = fields[name] + text
		}
		fields[name] = text
	}
}

func decode(t *testing.T, fields map[string]string) *event.Event {
	t.Helper()
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := event.Decode(raw, event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}
