package monitor_test

import (
	"context"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/sigma"
)

// TestSilenceDecides: when nothing comes any more, what waits is decided seconds
// after its time, once, whatever restarts come between, and nothing is written
// where nothing waits.
func TestSilenceDecides(t *testing.T) {
	for name, fault := range map[string]memory.Fault{"from a snapshot": memory.None, "from the stream": memory.Failed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { silence(t, fault) })
		})
	}
}

func silence(t *testing.T, saving memory.Fault) {
	w := newWorld(t)
	w.now, w.trims = time.Now, time.Minute
	w.door = w.newDoor(monitor.DoorLimits{}, monitor.Quota{})
	w.detections.Set(func(op string) memory.Fault {
		if op == "SaveState" {
			return saving
		}
		return memory.None
	})
	w.catalogue.Swap(monitor.LoadRules(sigma.Options{}, monitor.RuleFolder{Name: "rules", FS: fstest.MapFS{"test.yml": {Data: []byte(testRules + waitingRules)}}}))
	waited := func() (n int) {
		for _, a := range w.detections.Alerts() {
			if a.Title == "Connection without PowerShell" {
				n += a.Count
			}
		}
		return n
	}
	length := func() uint64 {
		st, _ := w.stream.State(context.Background())
		return st.Last
	}
	expect := func(when string, alerts int, batches uint64) {
		t.Helper()
		if synctest.Wait(); waited() != alerts || length() != batches {
			t.Errorf("%s: %d alerts and %d batches, want %d and %d", when, waited(), length(), alerts, batches)
		}
	}
	stop := w.start(10)
	time.Sleep(time.Minute)
	w.send(t, "bank-a", "", `{"_path":"conn","uid":"C2","id.resp_h":"203.0.113.9","id.resp_p":443}`)
	time.Sleep(time.Hour)
	expect("nothing waits", 0, 1)
	w.send(t, "bank-a", "", conn(time.Now(), "203.0.113.9"))
	time.Sleep(14 * time.Minute)
	expect("the source may still be slow", 0, 2)
	time.Sleep(time.Minute + 11*time.Second)
	expect("the source is silent", 1, 3)
	time.Sleep(time.Hour)
	expect("it is said once", 1, 3)
	stop()
	stop = w.start(10)
	time.Sleep(time.Hour)
	expect("after a restart", 1, 3)
	w.send(t, "bank-b", "", conn(time.Now(), "203.0.113.9"))
	w.settle(t)
	stop()
	time.Sleep(time.Hour)
	stop = w.start(10)
	defer stop()
	time.Sleep(14 * time.Minute)
	expect("nobody could be heard", 1, 4)
	time.Sleep(time.Minute + 11*time.Second)
	expect("nobody was heard since", 2, 5)
}
