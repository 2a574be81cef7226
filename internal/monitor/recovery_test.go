package monitor_test

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/sigma"
)

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// TestPoison: a line that cannot be decoded, although a door let it in, is
// kept as it came and stops nobody.
func TestPoison(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.stream.Append(context.Background(), monitor.Batch{
		ID: "b1", Member: "bank-a", Received: noon, Lines: [][]byte{[]byte("{broken"), []byte(powershell(noon, "ws1"))}, Numbers: []int{4, 9},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := w.start(10)
	defer stop()
	w.settle(t)
	all := w.history.All()
	if len(all) != 2 || string(all[0].Raw) != "{broken" || all[0].ID != "b1-4" || all[0].Clock != monitor.ClockMissing {
		t.Errorf("history: %+v", all)
	}
	if l := w.detections.Letters(); len(l) != 1 || l[0].ID != "b1-4" || l[0].Reason != "poison" {
		t.Errorf("dead letters: %+v", l)
	}
	if n := len(w.detections.Alerts()); n != 1 {
		t.Errorf("%d alerts, want that of the other record", n)
	}
}

func TestStreamIsTrimmedBehindAllReaders(t *testing.T) {
	w := newWorld(t)
	w.detections.Set(func(op string) memory.Fault {
		if op == "SaveState" {
			return memory.Failed
		}
		return memory.None
	})
	stop := w.start(10)
	defer stop()
	w.send(t, "bank-a", "1", powershell(noon, "ws1"))
	w.settle(t)
	time.Sleep(20 * time.Millisecond)
	if st, _ := w.stream.State(context.Background()); st.First != 1 {
		t.Fatalf("trimmed to %d although no snapshot covers it", st.First)
	}
	w.detections.Set(nil)
	w.send(t, "bank-a", "2", powershell(noon, "ws1"))
	eventually(t, "the stream is never trimmed", func() bool {
		st, _ := w.stream.State(context.Background())
		return st.First == 3
	})
}

// TestHistoryFromABackup: a history older than the stream's beginning goes on
// with what is there.
func TestHistoryFromABackup(t *testing.T) {
	w := newWorld(t)
	stop := w.start(10)
	w.send(t, "bank-a", "1", powershell(noon, "ws1"))
	eventually(t, "the stream is never trimmed", func() bool {
		st, _ := w.stream.State(context.Background())
		return st.First == 2
	})
	stop()
	w.history = &memory.History{}
	stop = w.start(10)
	defer stop()
	w.send(t, "bank-a", "2", powershell(noon, "ws2"))
	w.settle(t)
	if n := len(w.history.All()); n != 1 {
		t.Errorf("history holds %d records, want the later one", n)
	}
}

// TestRulesChangeWhileRecordsCome: correlations whose text did not change
// keep counting.
func TestRulesChangeWhileRecordsCome(t *testing.T) {
	w := newWorld(t)
	stop := w.start(10)
	defer stop()
	for i, m := range []sector.MemberID{"bank-a", "bank-b", "bank-c"} {
		w.send(t, m, "", conn(noon.Add(time.Duration(-i)*time.Minute), "203.0.113.9"))
		w.settle(t)
		more := fmt.Sprintf("---\ntitle: Another\nid: 44444444-4444-4444-8444-44444444444%d\nlogsource: {product: linux}\ndetection: {sel: {a: 1}, condition: sel}\n", i)
		r := monitor.LoadRules(sigma.Options{}, monitor.RuleFolder{Name: "rules", FS: fstest.MapFS{"test.yml": {Data: []byte(testRules + more)}}})
		if r.Len() != 4 {
			t.Fatalf("%d rules: %v", r.Len(), r.Problems)
		}
		w.catalogue.Swap(r)
	}
	if n := len(w.detections.Alerts()); n != 1 {
		t.Errorf("%d alerts, want the one over three institutions", n)
	}
}

func TestRefusedRulesAreKeptWithTheirReason(t *testing.T) {
	r := monitor.LoadRules(sigma.Options{},
		monitor.RuleFolder{Name: "shipped", FS: fstest.MapFS{"good.yml": {Data: []byte(testRules)}}},
		monitor.RuleFolder{Name: "own", FS: fstest.MapFS{"a/bad.yml": {Data: []byte("title: x\nlogsource: {product: windows}\ndetection: {sel: {A|nosuch: 1}, condition: sel}\n")}}})
	if r.Len() != 3 || len(r.Problems) != 1 || r.Problems[0].File != "own/a/bad.yml" {
		t.Errorf("%d rules, problems %v", r.Len(), r.Problems)
	}
}

func TestPulse(t *testing.T) {
	now := noon
	p := monitor.NewPulse(func() time.Time { return now })
	p.Add(monitor.StageAccepted, "bank-a", 5)
	now = now.Add(2 * time.Minute)
	p.Add(monitor.StageAccepted, "bank-b", 7)
	p.AddShared(monitor.StageAlerts, []sector.MemberID{"bank-a", "bank-b"})
	member := sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: "bank-a"})
	for _, test := range []struct {
		f                sector.Filter
		accepted, alerts int64
		last             int64
	}{
		{sector.Gate{}.For(sector.System()), 12, 1, 7}, {member, 5, 1, 0}, {sector.Filter{}, 0, 0, 0},
		{sector.Gate{}.For(sector.Viewer{Org: sector.Authority}), 0, 0, 0},
	} {
		f := p.For(test.f)
		if f.Total[monitor.StageAccepted] != test.accepted || f.Total[monitor.StageAlerts] != test.alerts {
			t.Errorf("totals %v", f.Total)
		}
		last := f.Minutes[monitor.PulseMinutes-1]
		if len(f.Minutes) != monitor.PulseMinutes || !last.From.Equal(now) || last.Counts[monitor.StageAccepted] != test.last {
			t.Errorf("minutes end with %+v", last)
		}
	}
	now = now.Add(time.Hour)
	for _, m := range p.For(sector.Gate{}.For(sector.System())).Minutes {
		if m.Counts != (monitor.Counts{}) {
			t.Errorf("an hour later %v still counts", m.From)
		}
	}
}

func FuzzDoor(f *testing.F) {
	for _, seed := range []string{"{\"a\":1}\n{\"a\":1}", "\xef\xbb\xbf{}\r\n", "\n\n", "[1]\n{\"a\":{\"b\":[null]}}\nplain text", "{\"a\":\"\\u0000\"}", "<34>1 - - - - - -"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		w := newWorld(t)
		a, err := w.door.Accept(context.Background(), "bank-a", "", text)
		if err != nil {
			t.Skip()
		}
		again, err := w.door.Accept(context.Background(), "bank-a", "", text)
		if err != nil || again.Accepted != 0 || again.Duplicate != a.Accepted || len(again.Rejected) != len(a.Rejected) {
			t.Fatalf("first %+v, then %+v, %v", a, again, err)
		}
		stop := w.start(100)
		defer stop()
		w.settle(t)
		if n := len(w.history.All()); n != a.Accepted {
			t.Fatalf("accepted %d, history holds %d", a.Accepted, n)
		}
		if l := w.detections.Letters(); len(l) != 0 {
			t.Fatalf("the door let in what cannot be read: %q", l[0].Raw)
		}
	})
}
