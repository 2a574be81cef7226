package sigma_test

import (
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

func rules() fstest.MapFS {
	return fstest.MapFS{
		"logon.yml": {Data: []byte(`
title: Failed logon
id: failed-logon
level: low
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625}
  filter: {TargetUserName|endswith: '$'}
  condition: selection and not filter
---
title: Guessing against several institutions
id: guessing
level: high
correlation:
  type: value_count
  rules: [failed-logon]
  group-by: [IpAddress]
  timespan: 24h
  condition: {field: institution, gte: 3}
`)},
		"bad.yml": {Data: []byte("title: Bad\nid: bad\nlogsource: {product: windows}\ndetection:\n  s: {A|near: b}\n  condition: s\n")},
	}
}

func Example() {
	set, problems := sigma.Load(rules(), sigma.Options{})
	for _, p := range problems {
		fmt.Println(p)
	}
	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
	ev, err := event.Decode([]byte(`{"EventID":4625,"Channel":"Security","TargetUserName":"amy","IpAddress":"203.0.113.9","Hostname":"A"}`), event.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	matcher.Match(ev, func(r *sigma.Rule) bool {
		fmt.Println(r.Level, r.Title)
		return true
	})
	// Output:
	// bad.yml:5:7: bad: unknown modifier "near"
	// low Failed logon
}

// ExampleWatermark follows two sources: what may still come is decided by the
// slower one.
func ExampleWatermark() {
	noon := time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)
	w := sigma.NewWatermark(sigma.WatermarkOptions{})
	w.Observe("bank-a/sysmon", noon, noon.Add(time.Second))
	w.Observe("bank-b/zeek", noon.Add(-3*time.Minute), noon.Add(2*time.Second))
	mark, _ := w.Now()
	fmt.Println(mark.Format(time.TimeOnly)) // for Correlator.Advance
	// Output: 11:57:00
}

// ExampleSharding splits the groups over two correlators.
func ExampleSharding() {
	set, _ := sigma.Load(rules(), sigma.Options{})
	sharding := sigma.NewSharding(set, 2)
	var workers []*sigma.Correlator
	for i := range 2 {
		workers = append(workers, sigma.NewCorrelator(set, sigma.CorrelatorOptions{Sharding: sharding, Shard: i}))
	}
	for i, institution := range []string{"A", "B", "C"} {
		o := sigma.Occurrence{
			Rule: "failed-logon", RecordID: institution, Time: time.Date(2024, 5, 6, 7, i, 0, 0, time.UTC),
			Lookup: func(field string) (string, bool) {
				return map[string]string{"IpAddress": "203.0.113.9", "institution": institution}[field], true
			},
		}
		sharding.Each(o, func(shard int) {
			for _, f := range workers[shard].Observe(o) {
				fmt.Println(f.Rule.Title, f.Values)
			}
		})
	}
	// Output: Guessing against several institutions [A B C]
}

// Matches are handed to the correlator with the time and an id of the event, and
// a way to look its fields up, to which the caller may add some of its own.
func ExampleCorrelator() {
	set, _ := sigma.Load(rules(), sigma.Options{})
	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
	correlator := sigma.NewCorrelator(set, sigma.CorrelatorOptions{})
	for i, institution := range []string{"A", "B", "B", "C"} {
		record := fmt.Sprintf(`{"EventID":4625,"Channel":"Security","TargetUserName":"amy","IpAddress":"203.0.113.9","@timestamp":"2026-01-01T0%d:00:00Z"}`, i)
		ev, err := event.Decode([]byte(record), event.Limits{})
		if err != nil {
			fmt.Println(err)
			return
		}
		at, _ := ev.Time()
		lookup := func(field string) (string, bool) {
			if field == "institution" {
				return institution, true
			}
			v, ok := ev.Field(field)
			return v.Text(), ok
		}
		matcher.Match(ev, func(r *sigma.Rule) bool {
			for _, f := range correlator.Observe(sigma.Occurrence{Rule: r.ID, Time: at, RecordID: fmt.Sprint("r", i), Lookup: lookup}) {
				fmt.Println(f.Rule.Title, f.Group, f.Values, f.RecordIDs)
			}
			return true
		})
	}
	// Output:
	// Guessing against several institutions [{IpAddress 203.0.113.9}] [A B C] [r0 r1 r2 r3]
}

// Workers take the engine anew for each event, or batch of events, while somebody
// else exchanges it: nobody waits.
func ExampleNewEngine() {
	var current atomic.Pointer[sigma.Engine]
	use := func(files fs.FS) {
		set, _ := sigma.Load(files, sigma.Options{})
		current.Store(sigma.NewEngine(set.Rules(), sigma.EngineOptions{}))
	}
	use(rules())

	var engine *sigma.Engine // of this worker
	var matcher *sigma.Matcher
	match := func(ev sigma.Event) {
		if now := current.Load(); now != engine {
			engine, matcher = now, now.NewMatcher()
		}
		found := 0
		matcher.Match(ev, func(*sigma.Rule) bool { found++; return true })
		fmt.Println(found, "of", engine.Len())
	}
	ev, err := event.Decode([]byte(`{"EventID":4625,"Channel":"Security","TargetUserName":"amy"}`), event.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	match(ev)
	use(fstest.MapFS{"none.yml": {Data: []byte("title: Other\nid: other\nlogsource: {product: zeek}\ndetection: {s: {A: 1}, condition: s}\n")}})
	match(ev)
	// Output:
	// 1 of 1
	// 0 of 1
}

func ExampleExplain() {
	set, _ := sigma.Load(rules(), sigma.Options{})
	r, _ := set.Rule("failed-logon")
	ev, err := event.Decode([]byte(`{"EventID":4625,"Channel":"Security","TargetUserName":"WS1$"}`), event.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := sigma.Explain(r, ev)
	fmt.Println(x.Conditions[0].Text, x.Matched, "but for", x.Conditions[0].Turns)
	for _, s := range x.Selections {
		item := s.Alternatives[0].Items[0]
		fmt.Println(s.Name, s.Held, item.Field, item.Modifiers, item.Expected)
		for i := range item.Actual {
			for _, part := range item.Parts(i, 40) {
				fmt.Printf("%q %v\n", part.Text, part.Hit)
			}
		}
	}
	// Output:
	// selection and not filter false but for [filter]
	// selection true EventID [] [4625]
	// "4625" true
	// filter true TargetUserName [endswith] [$]
	// "WS1" false
	// "$" true
}

// A filter leaves events out of rules without changing them.
func ExampleFilter() {
	set, problems := sigma.Load(fstest.MapFS{
		"rule.yml": {Data: []byte(`
title: Archive made
id: archive
level: medium
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\rar.exe'}
  condition: selection
`)},
		"filter.yml": {Data: []byte(`
title: Backups are made with an account of their own
id: backups
logsource: {product: windows}
filter:
  rules: [archive]
  backup: {User|startswith: backup_}
  condition: not backup
`)},
	}, sigma.Options{})
	fmt.Println(problems)
	r, _ := set.Rule("archive")
	for _, user := range []string{"backup_1", "eve"} {
		ev, err := event.Decode([]byte(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\rar.exe","User":"`+user+`"}`), event.Limits{})
		if err != nil {
			fmt.Println(err)
			return
		}
		x := sigma.Explain(r, ev)
		fmt.Println(user, x.Conditions[0].Held, x.Filters[0].Filter, x.Filters[0].Passed, x.Matched)
	}
	// Output:
	// []
	// backup_1 true backups false false
	// eve true backups true true
}

func ExampleLinter() {
	set, _ := sigma.Load(fstest.MapFS{"rule.yml": {Data: []byte(`
title: Never fires
id: typo
level: low
logsource: {product: windows, category: process_creation}
detection:
  selection: {CommandLin|contains: whoami}
  condition: selection
`)}}, sigma.Options{})
	for _, w := range sigma.NewLinter().Lint(set) {
		fmt.Printf("%s:%d: %s: %s\n", w.File, w.Line, w.Check, w.Message)
	}
	// Output:
	// rule.yml:1: never-fires: no event can match the condition: the log source's events do not have ["CommandLin"]
	// rule.yml:7: unknown-field: field "CommandLin" is not one that events of this log source have; "CommandLine" is
}

func ExampleLoad() {
	set, problems := sigma.Load(rules(), sigma.Options{})
	for _, p := range problems {
		fmt.Println("refused:", p.File, p.Line, p.Reason)
	}
	for _, r := range set.Rules() {
		fmt.Println(r.ID, r.Level, set.Standalone(r))
	}
	// Output:
	// refused: bad.yml 5 unknown modifier "near"
	// failed-logon low false
	// guessing high true
}
