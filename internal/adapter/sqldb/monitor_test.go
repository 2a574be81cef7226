package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var monday = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func centreFilter() sector.Filter { return sector.Gate{}.For(sector.System()) }

func memberFilter(m sector.MemberID) sector.Filter {
	return sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: m, Sector: sector.Banking})
}

func value[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestReceipts(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Receipts()
		r := monitor.Receipt{Batch: "b1", Slot: "s1", Body: "h1", Member: "bank-a", Accepted: 2, At: monday,
			Rejected: []monitor.Rejection{{Line: 3, Reason: "bad_json", Offset: 1}}}
		letter := monitor.DeadLetter{ID: "b1-3", Member: "bank-a", At: monday, Rejection: r.Rejected[0], Bytes: 3, Raw: []byte{'{', 0, 0xff}}
		for range 2 { // repeating changes nothing
			if err := s.Keep(ctx, r, []monitor.DeadLetter{letter}, monitor.Resent{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, by := range [][2]string{{"b1", ""}, {"b1", "s1"}, {"other", "s1"}} {
			list := value[[]monitor.Receipt](t)(s.Find(ctx, by[0], by[1]))
			if diff := cmp.Diff([]monitor.Receipt{r}, list); diff != "" {
				t.Errorf("find %v: %s", by, diff)
			}
		}
		if list := value[[]monitor.Receipt](t)(s.Find(ctx, "other", "")); len(list) != 0 {
			t.Errorf("an empty slot found %v", list)
		}
		list := value[[]monitor.DeadLetter](t)(s.Letters(ctx, "bank-a", "", 10))
		if diff := cmp.Diff([]monitor.DeadLetter{letter}, list); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Letter(ctx, "bank-b", "b1-3"); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member's letter: %v", err)
		}
		if err := s.DropLetter(ctx, "bank-b", "b1-3", ledger.Entry{}); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member drops: %v", err)
		}
		again := monitor.Receipt{Batch: "b2", Member: "bank-a", Accepted: 1, At: monday}
		if err := s.Keep(ctx, again, nil, monitor.Resent{Letter: "b1-3"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Letter(ctx, "bank-a", "b1-3"); !errs.Is(err, errs.NotFound) {
			t.Errorf("the letter sent again is still there: %v", err)
		}
	})
}

func TestLettersPage(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Receipts()
		var letters []monitor.DeadLetter
		for i := range 25 {
			letters = append(letters, monitor.DeadLetter{ID: fmt.Sprintf("b-%d", i), Member: "bank-a", At: monday, Rejection: monitor.Rejection{Line: i, Reason: "x"}, Raw: []byte("r"), Bytes: 1})
		}
		if err := s.Keep(ctx, monitor.Receipt{Batch: "b", Member: "bank-a", At: monday}, letters, monitor.Resent{}); err != nil {
			t.Fatal(err)
		}
		var seen []string
		for after := ""; ; {
			page := value[[]monitor.DeadLetter](t)(s.Letters(ctx, "bank-a", after, 10))
			for _, l := range page {
				seen = append(seen, l.ID)
			}
			if len(page) < 10 {
				break
			}
			after = page[9].ID
		}
		want := make([]string, 25)
		for i := range want {
			want[i] = fmt.Sprintf("b-%d", 24-i)
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
	})
}

func ref(id string, m sector.MemberID, at time.Time) monitor.RecordRef {
	return monitor.RecordRef{ID: id, Member: m, At: at,
		Observables: []event.Observable{{Kind: event.ObservableIPv4, Value: "203.0.113.7", Field: "dst"}}}
}

func one(key string, m sector.MemberID, at time.Time, n int) monitor.Finding {
	return monitor.Finding{
		Key: key, Cause: monitor.CauseRule, RuleID: "r1", RuleVersion: "v1", Title: "Odd PowerShell", TitleZh: "可疑的 PowerShell",
		Severity: monitor.High, Group: []monitor.Pair{{Name: "host", Value: "WS-" + string(m)}}, Members: []sector.MemberID{m},
		First: at, Last: at.Add(time.Minute), Count: n, Records: []monitor.RecordRef{ref(key+"-1", m, at)},
		Why: json.RawMessage(`{"rule":{}}`), WhyMember: m,
	}
}

func TestApplyMovesWithItsEffects(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Detections()
		c := monitor.Commit{
			UpTo: 5, At: monday, Findings: []monitor.Finding{one("k1", "bank-a", monday, 3)},
			Sightings: []monitor.SightingCount{{Indicator: "i1", Value: "x", Member: "bank-a", First: monday, Last: monday, Count: 2}},
			Batches:   []monitor.BatchMark{{ID: "b9", Member: "bank-a", Accepted: 7, Received: monday}},
		}
		raised := value[[]monitor.Alert](t)(s.Apply(ctx, c))
		if len(raised) != 1 || raised[0].ID != monitor.AlertID("k1") {
			t.Fatalf("raised %v", raised)
		}
		if again := value[[]monitor.Alert](t)(s.Apply(ctx, c)); len(again) != 0 {
			t.Errorf("repeating raised %v", again)
		}
		c.UpTo, c.Findings = 6, []monitor.Finding{one("k1", "bank-a", monday.Add(-time.Hour), 2)}
		if grown := value[[]monitor.Alert](t)(s.Apply(ctx, c)); len(grown) != 0 {
			t.Errorf("growth raised %v", grown)
		}
		if at := value[uint64](t)(s.Cursor(ctx)); at != 6 {
			t.Errorf("cursor %d", at)
		}
		a := value[monitor.Alert](t)(db.Alerts().Alert(ctx, centreFilter(), monitor.AlertID("k1")))
		if a.Count != 5 || !a.First.Equal(monday.Add(-time.Hour)) || !a.Last.Equal(monday.Add(time.Minute)) || len(a.Records) != 1 {
			t.Errorf("alert %+v", a)
		}
		sights := value[[]monitor.SightingCount](t)(s.Sightings(ctx, centreFilter(), []string{"i1", "i2"}))
		if len(sights) != 1 || sights[0].Count != 4 {
			t.Errorf("sightings %v", sights)
		}
		partial := value[[]monitor.Receipt](t)(db.Receipts().Find(ctx, "b9", ""))
		if len(partial) != 1 || !partial[0].Partial || partial[0].Accepted != 7 {
			t.Errorf("receipt of an unanswered batch: %+v", partial)
		}
		if n := value[int64](t)(db.VerifyLedger(ctx)); n != 1 {
			t.Errorf("%d ledger entries for one alert", n)
		}
	})
}

func TestTotalsAndHuntsDoNotAddUp(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Detections()
		total := one("k1", "bank-a", monday, 3)
		total.Total = true
		for i, n := range []int{3, 5, 4} {
			total.Count = n
			value[[]monitor.Alert](t)(s.Apply(ctx, monitor.Commit{UpTo: uint64(i + 1), At: monday, Findings: []monitor.Finding{total}}))
		}
		sight := []monitor.SightingCount{{Indicator: "i1", Value: "x", Member: "bank-a", First: monday, Last: monday, Count: 2}}
		for range 2 {
			value[[]monitor.Alert](t)(s.Record(ctx, monday, []monitor.Finding{one("k2", "bank-a", monday, 2)}, sight))
		}
		for key, want := range map[string]int{"k1": 5, "k2": 2} {
			if a := value[monitor.Alert](t)(db.Alerts().Alert(ctx, centreFilter(), monitor.AlertID(key))); a.Count != want {
				t.Errorf("%s counts %d, want %d", key, a.Count, want)
			}
		}
		if list := value[[]monitor.SightingCount](t)(s.Sightings(ctx, centreFilter(), []string{"i1"})); list[0].Count != 2 {
			t.Errorf("sightings %v", list)
		}
	})
}

func TestState(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Detections()
		if at, state, err := s.LoadState(ctx); at != 0 || state != nil || err != nil {
			t.Errorf("fresh: %d %v %v", at, state, err)
		}
		if err := s.SaveState(ctx, 9, []byte{0, 1, 2}); err != nil {
			t.Fatal(err)
		}
		if at, state, err := s.LoadState(ctx); at != 9 || !slices.Equal(state, []byte{0, 1, 2}) || err != nil {
			t.Errorf("%d %v %v", at, state, err)
		}
	})
}

// shared is an alert over two members.
func shared(key string, at time.Time) monitor.Finding {
	return monitor.Finding{
		Key: key, Cause: monitor.CauseCorrelation, RuleID: "c1", Title: "Same destination", Severity: monitor.Critical, Total: true,
		Group: []monitor.Pair{{Name: "host", Value: "secret-of-b"}}, Members: []sector.MemberID{"bank-a", "bank-b"},
		Shares: []monitor.Share{{Member: "bank-a", Count: 1, First: at, Last: at}, {Member: "bank-b", Count: 4, First: at.Add(-time.Hour), Last: at.Add(time.Hour)}},
		First:  at.Add(-time.Hour), Last: at.Add(time.Hour), Count: 5, Why: json.RawMessage(`{}`),
		Records: []monitor.RecordRef{ref(key+"-a", "bank-a", at), ref(key+"-b", "bank-b", at)},
	}
}

func TestAMemberSeesOnlyItsPart(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Alerts()
		value[[]monitor.Alert](t)(db.Detections().Apply(ctx, monitor.Commit{UpTo: 1, At: monday, Findings: []monitor.Finding{
			shared("both", monday), one("own", "bank-a", monday, 1), one("other", "bank-b", monday, 1),
		}}))
		page := value[monitor.AlertPage](t)(s.Alerts(ctx, memberFilter("bank-a"), monitor.AlertQuery{Limit: 10, Sort: "severity"}))
		if len(page.Alerts) != 2 {
			t.Fatalf("bank-a sees %d alerts, want 2", len(page.Alerts))
		}
		a := value[monitor.Alert](t)(s.Alert(ctx, memberFilter("bank-a"), monitor.AlertID("both")))
		want := monitor.Alert{ID: monitor.AlertID("both"), Raised: monday, State: monitor.StateNew, Finding: monitor.Finding{
			Cause: monitor.CauseCorrelation, RuleID: "c1", Title: "Same destination", Severity: monitor.Critical,
			Members: []sector.MemberID{"bank-a"}, First: monday, Last: monday, Count: 1,
			Records: []monitor.RecordRef{ref("both-a", "bank-a", monday)},
		}}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("bank-a's view of a shared alert: %s", diff)
		}
		if _, err := s.Alert(ctx, memberFilter("bank-a"), monitor.AlertID("other")); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member's alert: %v", err)
		}
		q := monitor.AlertQuery{Limit: 10, Text: "secret-of-b"}
		if p := value[monitor.AlertPage](t)(s.Alerts(ctx, memberFilter("bank-a"), q)); len(p.Alerts) != 0 {
			t.Errorf("bank-a finds by what is another's: %v", p)
		}
		if p := value[monitor.AlertPage](t)(s.Alerts(ctx, centreFilter(), q)); len(p.Alerts) != 1 || len(p.Alerts[0].Members) != 2 {
			t.Errorf("the centre does not: %v", p)
		}
		for _, f := range []sector.Filter{{}, (sector.Gate{}).For(sector.Viewer{Org: sector.Authority}), memberFilter("bank-c")} {
			p := value[monitor.AlertPage](t)(s.Alerts(ctx, f, monitor.AlertQuery{Limit: 10}))
			n := value[map[monitor.Severity]int64](t)(s.CountAlerts(ctx, f))
			if len(p.Alerts) != 0 || len(n) != 0 {
				t.Errorf("a stranger sees %v %v", p, n)
			}
		}
		if n := value[map[monitor.Severity]int64](t)(s.CountAlerts(ctx, memberFilter("bank-a"))); n[monitor.Critical] != 1 || n[monitor.High] != 1 {
			t.Errorf("counts %v", n)
		}
	})
}

func TestRestrictedAlerts(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Alerts()
		f := one("k", "bank-a", monday, 1)
		f.Restricted = true
		apply := func(upTo uint64, scopes ...string) {
			f.Scopes = scopes
			value[[]monitor.Alert](t)(db.Detections().Apply(ctx, monitor.Commit{UpTo: upTo, At: monday, Findings: []monitor.Finding{f}}))
		}
		sees := func() int {
			return len(value[monitor.AlertPage](t)(s.Alerts(ctx, memberFilter("bank-a"), monitor.AlertQuery{Limit: 5})).Alerts)
		}
		apply(1)
		if n := sees(); n != 0 {
			t.Errorf("a draft's alert is seen by the member: %d", n)
		}
		apply(2, "sector:insurance")
		if n := sees(); n != 0 {
			t.Errorf("an alert of a release to others is seen: %d", n)
		}
		apply(3, "sector:banking")
		if n := sees(); n != 1 {
			t.Errorf("after the release to its sector: %d", n)
		}
	})
}

func TestTriage(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Alerts()
		value[[]monitor.Alert](t)(db.Detections().Apply(ctx, monitor.Commit{UpTo: 1, At: monday, Findings: []monitor.Finding{one("k", "bank-a", monday, 1)}}))
		id, who := monitor.AlertID("k"), sector.UserID("u1")
		step := monitor.Step{State: monitor.StateInProgress, Assignee: &who, Note: "看過了", By: who, At: monday}
		entry := ledger.Entry{Actor: "user:u1", Action: "alert.triage", Object: "alert:" + id}
		a := value[monitor.Alert](t)(s.ChangeAlert(ctx, id, 1, step, entry))
		if a.State != monitor.StateInProgress || a.Assignee != who || a.Version != 2 || len(a.Notes) != 1 || len(a.History) != 3 {
			t.Errorf("after triage: %+v", a)
		}
		if _, err := s.ChangeAlert(ctx, id, 1, step, entry); !errs.Is(err, errs.Conflict) {
			t.Errorf("an old version: %v", err)
		}
		if _, err := s.ChangeAlert(ctx, "nope", 1, step, entry); !errs.Is(err, errs.NotFound) {
			t.Errorf("no such alert: %v", err)
		}
		if n := value[int64](t)(db.VerifyLedger(ctx)); n != 2 {
			t.Errorf("%d ledger entries, want 2", n)
		}
		value[[]monitor.Alert](t)(db.Detections().Apply(ctx, monitor.Commit{UpTo: 2, At: monday, Withdrawn: []string{"k"}}))
		if a := value[monitor.Alert](t)(s.Alert(ctx, centreFilter(), id)); a.State != monitor.StateClosed || a.Version != 3 {
			t.Errorf("after withdrawal: %+v", a)
		}
	})
}

func TestAlertPagesAreComplete(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Alerts()
		var fs []monitor.Finding
		for i := range 57 {
			f := one(fmt.Sprintf("k%02d", i), "bank-a", monday.Add(time.Duration(i%7)*time.Minute), 1+i%5)
			f.Severity = monitor.Severity(i % 5)
			fs = append(fs, f)
		}
		value[[]monitor.Alert](t)(db.Detections().Apply(ctx, monitor.Commit{UpTo: 1, At: monday, Findings: fs}))
		for _, f := range []sector.Filter{centreFilter(), memberFilter("bank-a")} {
			for _, sort := range []string{"raised", "severity", "last", "count"} {
				seen, q := map[string]bool{}, monitor.AlertQuery{Sort: sort, Limit: 10, Ascending: sort == "last"}
				for {
					p := value[monitor.AlertPage](t)(s.Alerts(ctx, f, q))
					for _, a := range p.Alerts {
						if seen[a.ID] {
							t.Fatalf("%s: %s twice", sort, a.ID)
						}
						seen[a.ID] = true
					}
					if q.After = p.Next; q.After == "" {
						break
					}
				}
				if len(seen) != 57 {
					t.Errorf("%s: %d of 57", sort, len(seen))
				}
			}
		}
	})
}

// BenchmarkAlerts lists among 10,000 alerts, as the alerts page does.
func BenchmarkAlerts(b *testing.B) {
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	for i := range 20 {
		c := monitor.Commit{UpTo: uint64(i + 1), At: monday.Add(time.Duration(i) * time.Second)}
		for j := range 500 {
			f := one(fmt.Sprintf("k%d-%d", i, j), sector.MemberID(fmt.Sprintf("bank-%d", j%24)), monday, 1+j%9)
			f.Severity = monitor.Severity(j % 5)
			c.Findings = append(c.Findings, f)
		}
		if _, err := db.Detections().Apply(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	open := []monitor.State{monitor.StateNew, monitor.StateInProgress}
	for name, q := range map[string]monitor.AlertQuery{
		"open": {States: open}, "severity": {States: open, Sort: "severity"}, "member": {Member: "bank-7"}, "nothing": {Text: "no such words"},
		"false positives": {States: []monitor.State{monitor.StateFalsePos}},
	} {
		for who, f := range map[string]sector.Filter{"centre": centreFilter(), "member": memberFilter("bank-3")} {
			b.Run(name+" "+who, func(b *testing.B) {
				q.Limit = 50
				for b.Loop() {
					if _, err := db.Alerts().Alerts(b.Context(), f, q); err != nil {
						b.Fatal(err)
					}
					if _, err := db.Alerts().CountAlerts(b.Context(), f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("apply 50 findings", func(b *testing.B) {
		upTo := uint64(100)
		for b.Loop() {
			upTo++
			c := monitor.Commit{UpTo: upTo, At: monday}
			for j := range 50 {
				c.Findings = append(c.Findings, one(fmt.Sprintf("k%d-%d", upTo%20, j), "bank-1", monday, 1))
			}
			if _, err := db.Detections().Apply(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
