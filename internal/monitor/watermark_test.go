package monitor_test

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/sigma"
)

const waitingRules = `
---
title: Connection without PowerShell
id: 55555555-5555-4555-8555-555555555555
correlation:
  type: temporal
  rules: [22222222-2222-4222-8222-222222222222, 11111111-1111-4111-8111-111111111111]
  group-by: [institution]
  timespan: 5m
  condition: 22222222-2222-4222-8222-222222222222 and not 11111111-1111-4111-8111-111111111111
---
title: Seen at three, twice
id: 66666666-6666-4666-8666-666666666666
correlation:
  type: temporal
  rules: [33333333-3333-4333-8333-333333333333, 22222222-2222-4222-8222-222222222222]
  group-by: [id.resp_h]
  timespan: 1h
`

// TestTheWatermarkDecides: what must be missing is missed only when the members'
// records have passed its time, across a restart; a correlation of a
// correlation knows the members behind it.
func TestTheWatermarkDecides(t *testing.T) {
	w := newWorld(t)
	var minutes atomic.Int64
	clock := func() time.Time { return noon.Add(time.Duration(minutes.Load()) * time.Minute) }
	w.door = monitor.NewDoor(monitor.DoorConfig{Stream: w.stream, Receipts: w.receipts, Pulse: w.pulse, Now: clock, Log: slog.New(slog.DiscardHandler)})
	rules := monitor.LoadRules(sigma.Options{}, monitor.RuleFolder{Name: "rules", FS: fstest.MapFS{"test.yml": {Data: []byte(testRules + waitingRules)}}})
	if len(rules.Problems) > 0 {
		t.Fatal(rules.Problems)
	}
	w.catalogue.Swap(rules)
	stop := w.start(10)
	send := func(minute int64, m sector.MemberID, line string) {
		minutes.Store(minute)
		w.send(t, m, "", line)
		w.settle(t)
	}
	waiting := func() (members []sector.MemberID) {
		for _, a := range w.detections.Alerts() {
			if a.Title == "Connection without PowerShell" {
				members = append(members, a.Members...)
			}
		}
		slices.Sort(members)
		return members
	}
	for _, m := range []sector.MemberID{"bank-a", "bank-b", "bank-c"} {
		send(0, m, conn(noon, "203.0.113.9"))
	}
	send(2, "bank-b", powershell(noon.Add(time.Minute), "ws1"))
	send(4, "bank-a", conn(noon.Add(4*time.Minute), "203.0.113.8"))
	if got := waiting(); got != nil {
		t.Errorf("decided too early: %v", got)
	}
	stop()
	stop = w.start(10)
	defer stop()
	send(30, "bank-a", conn(noon.Add(30*time.Minute), "203.0.113.7"))
	send(31, "bank-a", conn(noon.Add(31*time.Minute), "203.0.113.7"))
	if got := waiting(); !slices.Equal(got, []sector.MemberID{"bank-a", "bank-c"}) {
		t.Errorf("nothing but a connection: %v", got)
	}
	chained := 0
	for _, a := range w.detections.Alerts() {
		switch a.Title {
		case "Same destination at three institutions":
			t.Error("a rule that only serves another one raised an alert")
		case "Seen at three, twice":
			chained++
			if want := []sector.MemberID{"bank-a", "bank-b", "bank-c"}; !slices.Equal(a.Members, want) {
				t.Errorf("members %v", a.Members)
			}
		}
	}
	if chained != 1 {
		t.Errorf("%d alerts of the correlation of a correlation", chained)
	}
}
