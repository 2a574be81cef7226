package sigma

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
)

// recordOf is a generated event as a record of Windows, flat or nested.
func recordOf(t *rapid.T, fields map[string]any) *event.Event {
	var record any
	if rapid.Bool().Draw(t, "nested") {
		record = map[string]any{"Event": map[string]any{
			"System": map[string]any{"EventID": 1, "Channel": "Security", "Provider": map[string]any{"#attributes": map[string]any{"Name": "P"}}}, "EventData": fields,
		}}
	} else {
		flat := maps.Clone(fields)
		flat["EventID"], flat["Channel"], flat["SourceName"] = 1, "Security", "P"
		record = flat
	}
	raw, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Decode(raw, event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPlansMissNothing evaluates generated rules on decoded records once as
// plans say and once all of them.
func TestPlansMissNothing(t *testing.T) {
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		g := newGenerator(t)
		events := make([]*event.Event, 6)
		for i := range events {
			events[i] = recordOf(t, g.event().fields)
		}
		var rules []*Rule
		derived := strings.NewReplacer(`"A":`, `"Provider_Name":`, `"A|`, `"Provider_Name|`)
		for i := range 12 {
			src := derived.Replace(g.rule())
			if parsed, problems := Parse("g", []byte(src), Options{Placeholders: genPlaceholders}); len(problems) == 0 {
				parsed[0].ID = fmt.Sprint(i)
				rules = append(rules, parsed[0])
			}
		}
		e := NewEngine(rules, EngineOptions{IgnoreLogsource: true})
		m, full := e.NewMatcher(), e.NewMatcher()
		for _, ev := range events {
			var got, want []string
			m.Match(ev, func(r *Rule) bool { got = append(got, r.ID); return true })
			full.begin(ev)
			for i, r := range e.rules {
				if full.eval(e.roots[i]) {
					want = append(want, r.ID)
				}
			}
			matched += len(want)
			if !slices.Equal(got, want) {
				t.Fatalf("by plan %v, all %v\n%s", got, want, ev.Raw())
			}
		}
	})
	if matched < 100 {
		t.Errorf("only %d matches", matched)
	}
}

// TestPlansOfManyLogsources: where there is no room for more merged plans, events go through
// one plan after the other, and the same rules match.
func TestPlansOfManyLogsources(t *testing.T) {
	l := NewLoader(Options{})
	for _, source := range []string{"{product: windows}", "{product: windows, category: process_creation}", "{product: windows, service: sysmon}", "{category: process_creation}", "{product: linux}"} {
		l.AddFile(source, []byte("title: t\nid: '"+source+"'\nlogsource: "+source+"\ndetection:\n  s: {Image|endswith: \\cmd.exe}\n  k: [whoami]\n  condition: s and k\n"))
	}
	set, problems := l.Finish()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ev, err := event.Decode([]byte(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\cmd.exe","CommandLine":"cmd /c whoami"}`), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, full := range []bool{false, true} {
		e := NewEngine(set.Rules(), EngineOptions{})
		if full {
			e.plans.merged = e.roomForMerged()
		}
		m := e.NewMatcher()
		n := 0
		m.Match(ev, func(*Rule) bool { n++; return true })
		if plans := len(m.route(ev.Logsource())); n != 4 || (plans == 1) == full {
			t.Errorf("%d rules match by %d plans", n, plans)
		}
	}
}

// TestKeywordsAreOfTheEventItself: what a field is said to be in the words of
// another log source stands nowhere in the event.
func TestKeywordsAreOfTheEventItself(t *testing.T) {
	field := ruleOf(t, "s: {IntegrityLevel|contains: high}\ncondition: s", Options{})
	keyword := ruleOf(t, "s: {IntegrityLevel|contains: high}\nk: [high]\ncondition: s and k", Options{})
	m := NewEngine([]*Rule{field, keyword}, EngineOptions{IgnoreLogsource: true}).NewMatcher()
	for raw, want := range map[string]int{
		`{"EventID":4688,"Channel":"Security","MandatoryLabel":"S-1-16-12288"}`:                      1,
		`{"EventID":4688,"Channel":"Security","MandatoryLabel":"S-1-16-12288","CommandLine":"HIGH"}`: 2,
	} {
		ev, err := event.Decode([]byte(raw), event.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		m.Match(ev, func(*Rule) bool { n++; return true })
		if n != want {
			t.Errorf("%d rules match %s, want %d", n, raw, want)
		}
	}
}

// TestScannerFindsEveryLiteral compares a scanner with searching for each
// literal, on few letters so that there is much to find.
func TestScannerFindsEveryLiteral(t *testing.T) {
	found := map[int]int{} // by width of grams
	word := func(t *rapid.T, least, most int) string {
		n := rapid.IntRange(least, most).Draw(t, "length")
		return rapid.StringOfN(rapid.SampledFrom([]rune(`aAbk\0資`)), n, n, -1).Draw(t, "word")
	}
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.SampledFrom([]int{1, minShort, minWide}).Draw(t, "least")
		var literals []scanLiteral
		counts := &gramCounts{}
		for range rapid.IntRange(1, 20).Draw(t, "literals") {
			kind := rapid.SampledFrom([]predKind{predContains, predContains, predPrefix, predSuffix}).Draw(t, "kind")
			literals = append(literals, scanLiteral{text: fold(word(t, least, least+rapid.SampledFrom([]int{1, 12}).Draw(t, "longer"))), kind: kind})
			counts.add(literals[len(literals)-1].text)
		}
		s := newScanner(literals, counts)
		for range 10 {
			text := word(t, 0, 40)
			for range rapid.IntRange(0, 3).Draw(t, "planted") {
				text += rapid.SampledFrom(literals).Draw(t, "literal").text + word(t, 0, 9)
			}
			got := s.scan(text, nil)
			for i, l := range s.literals {
				want := relates(l.kind, fold(text), l.text)
				if want != slices.Contains(got, int32(i)) {
					t.Fatalf("%v %q in %q: %v", l.kind, l.text, text, !want)
				}
				if g := s.gramsOf(l.text); want && l.kind == predContains && g != nil {
					found[g.width]++
				}
			}
		}
	})
	for _, width := range []int{pairGram, shortGram, longGram, wideGram} {
		if found[width] == 0 {
			t.Errorf("no literal was found by grams of %d bytes", width)
		}
	}
}

// gramsOf returns the grams that a literal is found by.
func (s *scanner) gramsOf(text string) *grams {
	for _, g := range []*grams{s.plain.long, s.plain.short, s.plain.pairs, s.foreign.long, s.foreign.short, s.foreign.pairs} {
		if g != nil && slices.ContainsFunc(g.entries, func(e gramEntry) bool { return s.literals[e.literal].text == text }) {
			return g
		}
	}
	return nil
}
