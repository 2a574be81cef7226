package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

func TestRecordBecomesAlert(t *testing.T) {
	w := newWorld(t)
	stop := w.start(100)
	defer stop()
	for _, m := range []sector.MemberID{"bank-a", "bank-b", "bank-c"} {
		w.send(t, m, "", conn(noon.Add(-time.Hour), "203.0.113.9")+"\n"+powershell(noon, "ws-"+string(m)))
	}
	w.settle(t)
	counts := map[string]int{}
	for _, f := range w.detections.Alerts() {
		counts[f.Title]++
		switch f.Title {
		case "Odd PowerShell":
			if f.TitleZh != "可疑的 PowerShell" || f.Severity != monitor.High || len(f.Group) != 1 || f.Group[0].Name != "host" {
				t.Errorf("rule alert: %+v", f)
			}
			if why := f.Explanation(); why.Rule == nil || !why.Rule.Matched || f.WhyMember != f.Members[0] {
				t.Errorf("why: %s of %s", f.Why, f.WhyMember)
			}
		case "Same destination at three institutions":
			want := []sector.MemberID{"bank-a", "bank-b", "bank-c"}
			if !slices.Equal(f.Members, want) || f.Count != 3 || len(f.Shares) != 3 || len(f.Records) != 3 {
				t.Errorf("correlation alert: %+v", f)
			}
			if f.Group[0].Value != "203.0.113.9" || len(f.Records[0].Observables) == 0 || f.WhyMember != "" {
				t.Errorf("correlation alert: %+v", f)
			}
		}
	}
	want := map[string]int{"Odd PowerShell": 3, "Same destination at three institutions": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	if n := len(w.history.All()); n != 6 {
		t.Errorf("history holds %d records, want 6", n)
	}
}

func TestClock(t *testing.T) {
	w := newWorld(t)
	stop := w.start(100)
	defer stop()
	w.send(t, "bank-a", "", conn(noon.Add(9*time.Minute), "203.0.113.1")+"\n"+conn(noon.Add(11*time.Minute), "203.0.113.2")+"\n"+`{"a":1}`+"\n"+
		conn(time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), "203.0.113.3"))
	w.settle(t)
	for i, want := range []monitor.ClockState{monitor.ClockOwn, monitor.ClockAhead, monitor.ClockMissing, monitor.ClockMissing} {
		r := w.history.All()[i]
		if r.Clock != want || (want != monitor.ClockOwn) != r.At.Equal(noon) {
			t.Errorf("record %d: clock %d at %v, want %d", i, r.Clock, r.At, want)
		}
	}
}

func TestOneSideDownDoesNotStopTheOther(t *testing.T) {
	for _, side := range []string{"history", "detections"} {
		t.Run(side, func(t *testing.T) {
			w := newWorld(t)
			down := func(string) memory.Fault { return memory.Failed }
			faults, other := &w.history.Faults, func() int { return len(w.detections.Alerts()) }
			if side == "detections" {
				faults, other = &w.detections.Faults, func() int { return len(w.history.All()) }
			}
			faults.Set(down)
			stop := w.start(10)
			defer stop()
			w.send(t, "bank-a", "", powershell(noon, "ws1"))
			for end := time.Now().Add(5 * time.Second); other() == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the other side stands still")
				}
			}
			faults.Set(nil)
			w.settle(t)
			if len(w.history.All()) != 1 || len(w.detections.Alerts()) != 1 {
				t.Error("after recovery something is missing")
			}
		})
	}
}

func TestStreamReset(t *testing.T) {
	w := newWorld(t)
	if err := w.history.Append(context.Background(), 7, nil); err != nil {
		t.Fatal(err)
	}
	p := w.pipeline(10)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	for end := time.Now().Add(5 * time.Second); !errors.Is(p.Check(ctx), monitor.ErrStreamReset); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a stream that ends before the cursor goes unnoticed")
		}
	}
	cancel()
	<-done
}

// gist is what must be the same however often things failed.
type gist struct {
	Count       int
	First, Last int64
	Members     []sector.MemberID
	Records     []string
	Why         bool
}

func (w *world) gist() map[string]gist {
	out := map[string]gist{}
	for key, f := range w.detections.Alerts() {
		g := gist{Count: f.Count, First: f.First.UnixMicro(), Last: f.Last.UnixMicro(), Members: f.Members, Why: len(f.Why) > 0}
		for _, r := range f.Records {
			g.Records = append(g.Records, r.ID)
		}
		slices.Sort(g.Records)
		out[key] = g
	}
	return out
}

type sent struct {
	member sector.MemberID
	key    string
	text   string
}

func drawBatches(rt *rapid.T) []sent {
	var list []sent
	for i := range rapid.IntRange(1, 12).Draw(rt, "batches") {
		s := sent{member: sector.MemberID(fmt.Sprintf("bank-%d", rapid.IntRange(0, 3).Draw(rt, "member")))}
		if rapid.Bool().Draw(rt, "keyed") {
			s.key = fmt.Sprint("key-", i)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "lines") {
			at := noon.Add(-time.Duration(rapid.IntRange(0, 600).Draw(rt, "ago")) * time.Second)
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				s.text += powershell(at, fmt.Sprint("ws", rapid.IntRange(0, 1).Draw(rt, "host")))
			case 1:
				s.text += conn(at, fmt.Sprint("203.0.113.", rapid.IntRange(1, 3).Draw(rt, "dest")))
			case 2:
				s.text += fmt.Sprintf(`{"n":%d,"q":"evil%d.example.net"}`, i, rapid.IntRange(0, 1).Draw(rt, "evil"))
			default:
				s.text += "{broken"
			}
			s.text += "\n"
		}
		list = append(list, s)
	}
	return list
}

func (w *world) indicators() {
	w.matcher.Replace([]monitor.Indicator{{
		ID: "indicator--1", Kind: event.ObservableDomain, Value: "evil0.example.net",
		Source: &monitor.IndicatorSource{Title: "Evil", Severity: monitor.High, Scopes: []string{"members"}},
	}})
}

// TestNothingIsLostOrDoubled sends batches while every port fails at random,
// with and without having done its work, and the pipeline is stopped and
// started; the result is that of a run in which nothing failed.
func TestNothingIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		batches := drawBatches(rt)
		calm := newWorld(t)
		calm.indicators()
		for _, b := range batches {
			calm.send(t, b.member, b.key, b.text)
		}
		stop := calm.start(1000)
		calm.settle(t)
		stop()

		rough := newWorld(t)
		rough.indicators()
		var mu sync.Mutex
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		dice := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return rnd.IntN(n)
		}
		faulty := func(string) memory.Fault {
			return []memory.Fault{memory.None, memory.None, memory.Failed, memory.Persisted}[dice(4)]
		}
		all := []*memory.Faults{&rough.stream.Faults, &rough.history.Faults, &rough.detections.Faults, &rough.receipts.Faults}
		for _, f := range all {
			f.Set(faulty)
		}
		stop = rough.start(1 + dice(4))
		for _, b := range batches {
			for {
				_, err := rough.door.Accept(context.Background(), b.member, b.key, []byte(b.text))
				if err == nil {
					break
				}
			}
			if dice(3) == 0 {
				stop()
				stop = rough.start(1 + dice(4))
			}
		}
		for _, f := range all {
			f.Set(nil)
		}
		rough.settle(t)
		stop()

		if diff := cmp.Diff(recordIDs(calm), recordIDs(rough)); diff != "" {
			rt.Fatalf("history differs: %s", diff)
		}
		if diff := cmp.Diff(calm.gist(), rough.gist()); diff != "" {
			rt.Fatalf("alerts differ: %s", diff)
		}
		if diff := cmp.Diff(calm.detections.Sightings(), rough.detections.Sightings()); diff != "" {
			rt.Fatalf("sightings differ: %s", diff)
		}
		if diff := cmp.Diff(letterIDs(calm), letterIDs(rough)); diff != "" {
			rt.Fatalf("dead letters differ: %s", diff)
		}
	})
}

func recordIDs(w *world) []string {
	var ids []string
	for _, r := range w.history.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

func letterIDs(w *world) []string {
	ids := map[string]bool{}
	for i := range 4 {
		list, _ := w.receipts.Letters(context.Background(), sector.MemberID(fmt.Sprintf("bank-%d", i)), "", 1000)
		for _, l := range list {
			ids[l.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// TestRetryAfterTheStreamForgot: the door died between stream and receipt, and
// the retry comes after the duplicate window.
func TestRetryAfterTheStreamForgot(t *testing.T) {
	w := newWorld(t)
	stop := w.start(10)
	defer stop()
	w.receipts.Set(func(op string) memory.Fault {
		if op == "Keep" {
			return memory.Failed
		}
		return memory.None
	})
	text := powershell(noon, "ws1") + "\n{broken\n"
	if _, err := w.door.Accept(context.Background(), "bank-a", "k", []byte(text)); err == nil {
		t.Fatal("answered without a receipt")
	}
	w.settle(t)
	w.receipts.Set(nil)
	w.stream.Forget()
	a := w.send(t, "bank-a", "k", text)
	w.settle(t)
	if a.Accepted != 0 || a.Duplicate != 1 || len(a.Rejected) != 1 {
		t.Errorf("the retry was answered %+v", a)
	}
	if n := len(w.history.All()); n != 1 {
		t.Errorf("history holds %d records, want 1", n)
	}
	if letters, _ := w.receipts.Letters(context.Background(), "bank-a", "", 10); len(letters) != 1 {
		t.Errorf("%d dead letters, want 1", len(letters))
	}
}

func BenchmarkPipeline(b *testing.B) {
	w := newWorld(b)
	w.indicators()
	var text string
	for i := range 500 {
		switch {
		case i%50 == 0:
			text += powershell(noon, fmt.Sprint("ws", i))
		case i%3 == 0:
			text += fmt.Sprintf(`{"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","@timestamp":"2026-03-02T11:00:00Z","Computer":"ws%d","Image":"C:\\Program Files\\app\\app.exe","User":"CORP\\amy","SourceIp":"10.0.0.%d","DestinationIp":"203.0.113.%d","DestinationHostname":"cdn%d.example.net","DestinationPort":"443"}`, i, i%250, i%250, i)
		default:
			text += fmt.Sprintf(`{"_path":"conn","ts":1772445600.5,"uid":"C%d","id.orig_h":"10.0.0.%d","id.orig_p":50000,"id.resp_h":"203.0.113.%d","id.resp_p":443,"proto":"tcp","service":"ssl","duration":1.5,"orig_bytes":100,"resp_bytes":200}`, i, i%250, i%250)
		}
		text += "\n"
	}
	b.SetBytes(int64(len(text)))
	w.door = w.newDoor(monitor.DoorLimits{}, monitor.Quota{Records: 1 << 30, Bytes: 1 << 40})
	w.snapshots = 3 * time.Second
	stop := w.start(4000)
	defer stop()
	b.ResetTimer()
	for i := range b.N {
		w.send(b, "bank-a", fmt.Sprint(i), text)
	}
	w.settle(b)
	b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "records/s")
}
