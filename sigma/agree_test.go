package sigma

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
)

// The generators keep to few characters and fields so that rules often match.
func genText(t *rapid.T, label string) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune(`aAbBéÉ-/ \*?中K1`)), 0, 7, -1).Draw(t, label)
}

func genEvent(t *rapid.T) *fakeEvent {
	e := &fakeEvent{fields: map[string]any{}, source: event.Logsource{Product: "windows"}}
	for _, f := range []string{"A", "B", "C"} {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
		case 1:
			e.fields[f] = nil
		case 2:
			e.fields[f] = json.Number(rapid.SampledFrom([]string{"0", "1", "11", "-1", "1.0", "1e1", "2.50"}).Draw(t, "number"))
		case 3:
			e.fields[f] = []any{genText(t, "item"), json.Number("1"), nil}[:rapid.IntRange(0, 3).Draw(t, "len")]
		case 4:
			e.fields[f] = rapid.SampledFrom([]string{"2024-05-06T03:05:59Z", "2024-05-06 03:00:00", "10.1.2.3", "::1", "true", "1"}).Draw(t, "special")
		default:
			e.fields[f] = genText(t, "text")
		}
	}
	return e
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func genValues(t *rapid.T, gen func() string) string {
	n := rapid.IntRange(1, 3).Draw(t, "values")
	out := make([]string, n)
	for i := range out {
		out[i] = gen()
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func genItem(t *rapid.T) string {
	field := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "field")
	text := func() string { return quoted(genText(t, "value")) }
	switch rapid.IntRange(0, 9).Draw(t, "item") {
	case 0:
		return field + ": " + genValues(t, func() string {
			return rapid.SampledFrom([]string{"null", "''", "1", "-1", "10", "true", "2.5"}).Draw(t, "scalar")
		})
	case 1:
		return field + "|exists: " + rapid.SampledFrom([]string{"true", "false"}).Draw(t, "exists")
	case 2:
		return field + "|" + rapid.SampledFrom([]string{"lt", "lte", "gt", "gte"}).Draw(t, "op") + ": " + genValues(t, func() string {
			return rapid.SampledFrom([]string{"0", "1", "2.5"}).Draw(t, "bound")
		})
	case 3:
		return field + "|re" + rapid.SampledFrom([]string{"", "|i", "|m", "|s", "|all"}).Draw(t, "flag") + ": " + genValues(t, func() string {
			return quoted(rapid.SampledFrom([]string{"a+", "^b", "é$", "a.b", `\d$`, "[ab]{2}", "(a|B)-", "(?i)k", "a(?!b)", "^$"}).Draw(t, "re"))
		})
	case 4:
		return field + "|cidr: " + genValues(t, func() string { return rapid.SampledFrom([]string{"10.0.0.0/8", "'::/0'", "'::1'"}).Draw(t, "net") })
	case 5:
		return field + "|fieldref" + rapid.SampledFrom([]string{"", "|contains", "|startswith", "|endswith", "|neq", "|cased"}).Draw(t, "how") + ": " +
			rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "other")
	case 6:
		return field + "|" + rapid.SampledFrom([]string{"minute: 5", "hour: 3", "day: 6", "month: 5", "week: 19", "year: 2024"}).Draw(t, "part")
	default:
		mods := rapid.SampledFrom([]string{"", "|contains", "|startswith", "|endswith"}).Draw(t, "anchor")
		mods += rapid.SampledFrom([]string{"", "", "|windash"}).Draw(t, "change")
		mods += rapid.SampledFrom([]string{"", "|cased"}).Draw(t, "cased") + rapid.SampledFrom([]string{"", "|all"}).Draw(t, "all") + rapid.SampledFrom([]string{"", "", "|neq"}).Draw(t, "neq")
		return field + mods + ": " + genValues(t, text)
	}
}

func genSelection(t *rapid.T) string {
	switch rapid.IntRange(0, 4).Draw(t, "selection") {
	case 0:
		return genValues(t, func() string { return quoted("a" + genText(t, "keyword")) })
	case 1:
		return "[{" + genItem(t) + "}, {" + genItem(t) + "}]"
	default:
		items := map[string]bool{genItem(t): true}
		second := genItem(t)
		for first := range items {
			if strings.SplitN(first, ":", 2)[0] != strings.SplitN(second, ":", 2)[0] {
				return "{" + first + ", " + second + "}"
			}
		}
		return "{" + second + "}"
	}
}

func genRule(t *rapid.T) string {
	condition := rapid.SampledFrom([]string{
		"sel_1", "not sel_1", "sel_1 and sel_2", "sel_1 or not sel_2", "1 of sel_* and not filter", "all of sel_*",
		"sel_1 and not (sel_2 or filter)", "1 of them", "not 1 of them", "all of *_1 or filter and sel_2",
	}).Draw(t, "condition")
	return ruleText(fmt.Sprintf("sel_1: %s\nsel_2: %s\nfilter: %s\ncondition: %s", genSelection(t), genSelection(t), genSelection(t), condition))
}

// TestAgreesWithNaive compares the engine, with many rules at once, with the
// naive evaluator on generated rules and events: a million pairs in the long
// suite.
func TestAgreesWithNaive(t *testing.T) {
	matched, pairs, some, wanted := 0, 0, 8, 1
	if os.Getenv("ASPIS_LONG") != "" {
		some, wanted = 32, 1_000_000
	}
	property := func(t *rapid.T) {
		var rules []*Rule
		var err error
		slow := map[*Rule]*naive{}
		for i := range some {
			src := genRule(t)
			parsed, problems := Parse("g", []byte(src), Options{})
			if len(problems) > 0 {
				if strings.Contains(problems[0].Reason, "more than 4 parameters") || strings.Contains(problems[0].Reason, "duplicate key") {
					continue
				}
				t.Fatalf("%v\n%s", problems[0], src)
			}
			parsed[0].ID = fmt.Sprint(i)
			rules = append(rules, parsed[0])
			if slow[parsed[0]], err = newNaive([]byte(src), nil); err != nil {
				t.Fatal(err)
			}
		}
		m := NewEngine(rules, EngineOptions{}).NewMatcher()
		for range some {
			ev := genEvent(t)
			got := map[*Rule]bool{}
			m.Match(ev, func(r *Rule) bool { got[r] = true; return true })
			for _, r := range rules {
				want := slow[r].matches(ev)
				pairs++
				if want {
					matched++
				}
				if got[r] != want {
					t.Fatalf("engine %v, naive %v\nevent %v\nconditions %v\n%+v", got[r], want, ev.fields, slow[r].conditions, Explain(r, ev))
				}
				if x := Explain(r, ev); x.Matched != want {
					t.Fatalf("explain %v, naive %v", x.Matched, want)
				}
			}
		}
	}
	for pairs < wanted {
		rapid.Check(t, property)
	}
	t.Logf("%d pairs, %d of them match", pairs, matched)
	if matched*20 < pairs || matched*20 > pairs*19 {
		t.Errorf("%d of %d pairs match: the generators have become one-sided", matched, pairs)
	}
}
