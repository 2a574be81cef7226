package sigma

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAgreesWithNaive compares the engine, with many rules at once, with the
// naive evaluator on generated rules and events: a million pairs in the long
// suite, in which every trap is met, and decides both ways.
func TestAgreesWithNaive(t *testing.T) {
	a := agreement{tally: newTally(), size: 8}
	if os.Getenv("ASPIS_LONG") == "" {
		rapid.Check(t, a.check)
	} else {
		for a.size = 32; a.pairs < 1_000_000; {
			rapid.Check(t, a.check)
		}
		a.tally.atLeast(t, 100)
	}
	t.Logf("%d pairs, %d of them match", a.pairs, a.matched)
	if a.matched*20 < a.pairs || a.matched*20 > a.pairs*19 {
		t.Errorf("%d of %d pairs match: the generators have become one-sided", a.matched, a.pairs)
	}
}

// agreement is a run of the property with size rules in one engine and as many
// events.
type agreement struct {
	size, pairs, matched int
	tally                naiveTally
}

// check makes events and rules and asks everyone about every pair of them: the
// naive evaluator; the engine, about the event as it is and as it is read from
// JSON; and Explain.
func (a *agreement) check(t *rapid.T) {
	g := newGenerator(t)
	events := make([]*fakeEvent, a.size)
	for i := range events {
		events[i] = g.event()
	}
	rules, slow := a.generate(g)
	routed := NewEngine(rules, EngineOptions{}).NewMatcher()
	all := NewEngine(rules, EngineOptions{IgnoreLogsource: true}).NewMatcher()
	for _, ev := range events {
		got, gotOfJSON, seen := matchesOf(routed, ev), matchesOf(all, g.decoded(ev)), slow[0].names.look(ev)
		for i, r := range rules {
			want := slow[i].holds(seen)
			a.pairs++
			if want {
				a.matched++
			}
			x := Explain(r, ev)
			if got[r] != want || gotOfJSON[r] != want || x.Matched != want {
				t.Fatalf("naive %v, engine %v, on JSON %v, explain %v\nevent %q\n%s\n%+v", want, got[r], gotOfJSON[r], x.Matched, ev.fields, slow[i].text, x)
			}
		}
	}
}

func matchesOf(m *Matcher, ev Event) map[*Rule]bool {
	got := map[*Rule]bool{}
	m.Match(ev, func(r *Rule) bool { got[r] = true; return true })
	return got
}

func (a *agreement) generate(g *generator) (rules []*Rule, slow []*naive) {
	names := &naiveNames{tally: a.tally}
	for i := range a.size {
		src := g.rule()
		parsed, problems := Parse("g", []byte(src), Options{Placeholders: genPlaceholders})
		if len(problems) > 0 && strings.Contains(problems[0].Reason, "windash") {
			continue // too many parameters in one value
		}
		if len(problems) > 0 {
			g.Fatalf("%v\n%s", problems[0], src)
		}
		n, err := readNaive([]byte(src), genPlaceholders, names)
		if err != nil {
			g.Fatal(err)
		}
		parsed[0].ID = fmt.Sprint(i)
		rules, slow = append(rules, parsed[0]), append(slow, n)
	}
	return rules, slow
}
