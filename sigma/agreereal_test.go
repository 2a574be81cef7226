package sigma

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// TestRealEventsAgreeWithNaive puts the real events to the engine and to the
// naive evaluator. About a sample, in which there are events of every dialect
// and log source and events that each rule matches, all rules are asked, with
// the engine routing and not. The long suite asks of every event the rules for
// its log source; ASPIS_NAIVE_EVENTS=all asks all rules of every event.
func TestRealEventsAgreeWithNaive(t *testing.T) {
	a := newRealAgreement(t)
	stride, long := 1000, os.Getenv("ASPIS_LONG") != ""
	if long {
		stride = 10
	}
	if os.Getenv("ASPIS_NAIVE_EVENTS") == "all" {
		stride = 1
	}
	for record, err := range replay.Open([]string{filepath.Join(dataDir(t), "events")}, replay.Options{}) {
		if err != nil {
			t.Error(err)
			continue
		}
		ev, err := event.Decode(record.Raw, event.Limits{})
		if err != nil {
			t.Errorf("%s:%d: %v", record.File, record.Line, err)
			continue
		}
		if a.events++; a.events%20_000 == 0 {
			t.Logf("%d events, all rules of %d of them: %d pairs, %d matches", a.events, a.whole, a.pairs, a.matches)
		}
		a.routedGot = a.matched(a.routed, ev, a.routedGot)
		if fresh := a.fresh(ev); fresh || a.events%stride == 0 {
			a.askAll(ev)
		} else if long {
			a.askMeant(ev)
		}
	}
	found := 0
	for _, n := range a.hits {
		found += min(n, 1)
	}
	t.Logf("%d events, all rules of %d of them: %d pairs, %d matches, of %d rules", a.events, a.whole, a.pairs, a.matches, found)
	if a.events < 385_000 || found < 150 || len(a.kinds) < 100 {
		t.Errorf("%d events of %d kinds, %d rules match: too few", a.events, len(a.kinds), found)
	}
}

// realAgreement compares the engine's answers on real events with the naive
// evaluator's.
type realAgreement struct {
	*testing.T
	rules       []*Rule
	numbers     map[*Rule]int
	slow        []*naive
	names       *naiveNames
	routed, all *Matcher
	routedGot   []bool // by rule: what the engine says of the event
	allGot      []bool
	meant       map[event.Logsource][]bool
	kinds       map[eventKind]int
	hits        []int // by rule: events that it matches

	events, whole, pairs, matches, wrong int
}

type eventKind struct {
	dialect event.Dialect
	source  event.Logsource
}

func newRealAgreement(t *testing.T) *realAgreement {
	t.Helper()
	files, rules := realFiles(t), realRules(t).Rules()
	a := &realAgreement{
		T: t, rules: rules, numbers: map[*Rule]int{}, names: &naiveNames{},
		routed: NewEngine(rules, EngineOptions{}).NewMatcher(), all: NewEngine(rules, EngineOptions{IgnoreLogsource: true}).NewMatcher(),
		meant: map[event.Logsource][]bool{}, kinds: map[eventKind]int{}, hits: make([]int, len(rules)),
	}
	for i, r := range rules {
		n, err := readNaive(files[r.File], nil, a.names)
		if err != nil {
			t.Fatal(err)
		}
		a.numbers[r] = i
		a.slow = append(a.slow, n)
	}
	return a
}

// matched sets got to what a matcher says of every rule.
func (a *realAgreement) matched(m *Matcher, ev *event.Event, got []bool) []bool {
	if got == nil {
		got = make([]bool, len(a.rules))
	}
	clear(got)
	m.Match(ev, func(r *Rule) bool {
		got[a.numbers[r]] = true
		return true
	})
	return got
}

// fresh says whether there were few events of this kind so far, or few that a
// rule matches which the engine says matches this one.
func (a *realAgreement) fresh(ev *event.Event) bool {
	const few = 4
	kind := eventKind{ev.Dialect(), ev.Logsource()}
	a.kinds[kind]++
	fresh := a.kinds[kind] <= few
	for i, got := range a.routedGot {
		if got {
			a.hits[i]++
			fresh = fresh || a.hits[i] <= few
		}
	}
	return fresh
}

func (a *realAgreement) meantFor(ls event.Logsource) []bool {
	meant := a.meant[ls]
	if meant == nil {
		meant = make([]bool, len(a.rules))
		for i, n := range a.slow {
			meant[i] = n.meant(ls)
		}
		a.meant[ls] = meant
	}
	return meant
}

func (a *realAgreement) askAll(ev *event.Event) {
	a.whole++
	a.allGot = a.matched(a.all, ev, a.allGot)
	meant, seen := a.meantFor(ev.Logsource()), a.names.look(ev)
	for i, n := range a.slow {
		want := n.holds(seen)
		a.compare(ev, i, a.allGot[i], want)
		a.compare(ev, i, a.routedGot[i], want && meant[i])
		if explained := i == a.events%len(a.rules) || want && a.hits[i] < 10; explained {
			a.compare(ev, i, Explain(a.rules[i], ev).Matched, want)
		}
	}
}

func (a *realAgreement) askMeant(ev *event.Event) {
	meant, seen := a.meantFor(ev.Logsource()), a.names.look(ev)
	for i, n := range a.slow {
		if meant[i] || a.routedGot[i] {
			a.compare(ev, i, a.routedGot[i], meant[i] && n.holds(seen))
		}
	}
}

func (a *realAgreement) compare(ev *event.Event, rule int, got, want bool) {
	a.pairs++
	if want {
		a.matches++
	}
	if got == want {
		return
	}
	a.Errorf("%s: engine %v, naive %v\n%s\n%+v", a.rules[rule].File, got, want, ev.Raw(), Explain(a.rules[rule], ev))
	if a.wrong++; a.wrong == 20 {
		a.FailNow()
	}
}
