package sigma

import (
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
)

// realRules loads the SigmaHQ rules.
func realRules(tb testing.TB) *Ruleset {
	tb.Helper()
	files := realFiles(tb)
	l := NewLoader(Options{})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.AddFile(name, files[name])
	}
	set, problems := l.Finish()
	for _, p := range problems {
		tb.Log(p)
	}
	return set
}

func TestRealRulesLoad(t *testing.T) {
	files := realFiles(t)
	start := time.Now()
	l := NewLoader(Options{})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.AddFile(name, files[name])
	}
	set, problems := l.Finish()
	parsed := time.Since(start)
	e := NewEngine(set.Rules(), EngineOptions{})
	total := time.Since(start)
	clear(files)
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	t.Logf("%d loaded, %d refused; parse %v, with compile %v; heap %d MB; %d predicates, %d nodes, %d fields",
		len(set.Rules()), len(problems), parsed, total, mem.HeapAlloc>>20, len(e.preds), len(e.nodes), len(e.fields))
	for _, p := range problems {
		t.Log(p)
	}
	if got := len(set.Rules()); got != 3141 {
		t.Errorf("loaded %d rules, want all 3141", got)
	}
	always := 0
	for _, w := range e.plans.witnesses {
		if w == nil {
			always++
		}
	}
	t.Logf("%d rules without a witness", always)
	runtime.KeepAlive(set)
}

// TestRealEventsNeedNoIndex checks that no rule is missed because its
// witnesses were not seen: every rule of the log source is evaluated.
func TestRealEventsNeedNoIndex(t *testing.T) {
	events := realEvents(t, 1500)
	set := realRules(t)
	e := NewEngine(set.Rules(), EngineOptions{})
	m, full := e.NewMatcher(), e.NewMatcher()
	matches := 0
	for _, ev := range events {
		var got, want []string
		m.Match(ev, func(r *Rule) bool { got = append(got, r.ID); return true })
		full.begin(ev)
		full.event = ev
		for i, r := range e.rules {
			if ev.Logsource().Covers(r.Logsource) && full.eval(e.roots[i]) {
				want = append(want, r.ID)
			}
		}
		matches += len(got)
		if !slices.Equal(got, want) {
			t.Fatalf("with index %v, without %v\n%s", got, want, ev.Raw())
		}
	}
	if matches < 100 {
		t.Errorf("only %d matches in %d events", matches, len(events))
	}
	st := m.Stats()
	t.Logf("%d events, %d matches, %.2f candidates an event", len(events), matches, float64(st.Candidates)/float64(st.Events))
}

func BenchmarkMatch(b *testing.B) {
	events := realEvents(b, 1500)
	all := realRules(b).Rules()
	for _, bench := range []struct {
		name  string
		rules []*Rule
		opts  EngineOptions
	}{
		{"routed/95", every(all, 95), EngineOptions{}},
		{"routed/1000", every(all, 1000), EngineOptions{}},
		{"routed/3141", all, EngineOptions{}},
		{"unrouted/95", every(all, 95), EngineOptions{IgnoreLogsource: true}},
		{"unrouted/3141", all, EngineOptions{IgnoreLogsource: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m := NewEngine(bench.rules, bench.opts).NewMatcher()
			yield := func(*Rule) bool { return true }
			for _, ev := range events {
				m.Match(ev, yield)
			}
			b.ReportAllocs()
			b.ResetTimer()
			start, began := m.Stats(), cpuTime(b)
			for i := range b.N {
				m.Match(events[i%len(events)], yield)
			}
			n := float64(b.N)
			b.ReportMetric(n/(cpuTime(b)-began).Seconds(), "events/cpu-s")
			b.ReportMetric(float64(m.Stats().Candidates-start.Candidates)/n, "candidates/event")
			b.ReportMetric(float64(m.Stats().Matches-start.Matches)/n, "matches/event")
		})
	}
}

// BenchmarkRecord decodes every record and evaluates rules on it at once, as
// whatever takes in records does: the event is still in the processor's cache.
func BenchmarkRecord(b *testing.B) {
	events := realEvents(b, 1500)
	all := realRules(b).Rules()
	for _, n := range []int{0, 95, len(all)} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			m := NewEngine(every(all, n), EngineOptions{}).NewMatcher()
			d := event.NewDecoder(event.Limits{})
			yield := func(*Rule) bool { return true }
			for _, ev := range events {
				m.Match(ev, yield)
			}
			b.ReportAllocs()
			b.ResetTimer()
			began := cpuTime(b)
			for i := range b.N {
				ev, err := d.Decode(events[i%len(events)].Raw())
				if err != nil {
					b.Fatal(err)
				}
				m.Match(ev, yield)
			}
			b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/record")
		})
	}
}

// BenchmarkEncodingJSON is the measure of the machine: the same events decoded
// into maps.
func BenchmarkEncodingJSON(b *testing.B) {
	events := realEvents(b, 1500)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime(b)
	for i := range b.N {
		var v map[string]any
		if err := json.Unmarshal(events[i%len(events)].Raw(), &v); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/(cpuTime(b)-began).Seconds(), "events/cpu-s")
}

// every returns n rules spread evenly over the list.
func every(rules []*Rule, n int) []*Rule {
	out := make([]*Rule, n)
	for i := range out {
		out[i] = rules[i*len(rules)/n]
	}
	return out
}
