package sigma

import (
	"testing"

	"github.com/aspis-platform/aspis/event"
)

// askedEvent counts the fields that the event is asked for one by one.
type askedEvent struct {
	*event.Event
	asked int
}

func (e *askedEvent) Get(name *event.Name) (event.Value, bool) {
	e.asked++
	return e.Event.Get(name)
}

// BenchmarkDialects matches real events in the forms of other collectors, each
// beside the same events in Windows' own, and the real events of other systems,
// with all rules: those for their log source, of process creations alone, and
// whatever their log source.
func BenchmarkDialects(b *testing.B) {
	rules := realRules(b).Rules()
	routed, unrouted := NewEngine(rules, EngineOptions{}), NewEngine(rules, EngineOptions{IgnoreLogsource: true})
	run := func(name string, events []*event.Event) {
		b.Run(name+"/routed", func(b *testing.B) { matchAll(b, routed, events) })
		b.Run(name+"/unrouted", func(b *testing.B) { matchAll(b, unrouted, events) })
		if created := creations(events); len(created) > 0 {
			b.Run(name+"/creations", func(b *testing.B) { matchAll(b, routed, created) })
		}
	}
	windows := realEvents(b, 1500)
	run("windows-flat", windows)
	for _, form := range restatings {
		flat, restated := form.both(b, windows)
		if len(flat) != len(windows) {
			run(form.name+"/flat", flat)
		}
		run(form.name+"/restated", restated)
	}
	zeek := otherEvents(b, "zeek", event.Zeek, 1500)
	run("zeek", zeek)
	_, eve := suricata.both(b, zeek)
	run("suricata", eve)
	run("cloud", cloudEvents(b))
	run("cloudtrail", otherEvents(b, "aws", event.CloudTrail, 1500))
	run("auditd", otherEvents(b, "linux", event.Auditd, 1500))
}

func creations(events []*event.Event) (out []*event.Event) {
	for _, ev := range events {
		if ev.Logsource().Category == "process_creation" {
			out = append(out, ev)
		}
	}
	return out
}

func matchAll(b *testing.B, engine *Engine, events []*event.Event) {
	m := engine.NewMatcher()
	yield := func(*Rule) bool { return true }
	asked := 0
	for _, ev := range events {
		counted := &askedEvent{Event: ev}
		m.Match(counted, yield)
		asked += counted.asked
	}
	b.ReportAllocs()
	b.ResetTimer()
	start, began, n := m.Stats(), cpuTime(b), 0
	for b.Loop() {
		m.Match(events[n%len(events)], yield)
		n++
	}
	b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/float64(n), "cpu-ns/event")
	b.ReportMetric(float64(asked)/float64(len(events)), "asked/event")
	b.ReportMetric(float64(m.Stats().Candidates-start.Candidates)/float64(n), "candidates/event")
	b.ReportMetric(float64(m.Stats().Matches-start.Matches)/float64(n), "matches/event")
}
