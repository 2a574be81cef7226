package monitortest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

func historyEmpty(t *testing.T, s *historySuite) {
	if c, err := s.Cursor(s.ctx); c != 0 || err != nil {
		t.Errorf("Cursor = %d, %v", c, err)
	}
	if got := s.search(t, Everyone(), monitor.Query{}); len(got) != 0 {
		t.Errorf("an empty history has %d records", len(got))
	}
	if _, err := s.Get(s.ctx, Everyone(), strings.Repeat("0", 32)+"-1"); !errs.Is(err, errs.NotFound) {
		t.Errorf("Get: %v", err)
	}
	hits, err := s.Find(s.ctx, []monitor.Term{{Kind: event.ObservableDomain, Value: "a.example"}}, Epoch(), Epoch().Add(time.Hour), 10)
	if len(hits) != 0 || err != nil {
		t.Errorf("Find = %v, %v", hits, err)
	}
}

func historyRoundTrip(t *testing.T, s *historySuite) {
	full := NewRecord("first-bank", 1500*time.Microsecond, `{"msg":"'; DROP TABLE events; --","名":"銀行"}`)
	full.Clock = monitor.ClockAhead
	full.Source = event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}
	full.Host, full.Account = "ws-1.branch.example", `EXAMPLE\wang`
	full.Observables = []event.Observable{{Kind: event.ObservableDomain, Value: "a.example", Field: "x"}}
	records := s.add(t, full,
		NewRecord("m2", 0, ""),
		NewRecord("m3", -time.Second, "not UTF-8: \xff\xfe \xc3("),
		NewRecord("m4", -2*time.Second, "a NUL: \x00 and a tab\t\r"),
		NewRecord("m5", -3*time.Second, strings.Repeat("長い", 150_000)),
	)
	check := func() {
		t.Helper()
		for _, want := range records {
			got, err := s.Get(s.ctx, Everyone(), want.ID)
			if err != nil {
				t.Fatalf("Get(%s): %v", want.ID, err)
			}
			sameRecords(t, "Get", []monitor.Record{got}, []monitor.Record{want})
		}
		sameRecords(t, "Search", s.search(t, Everyone(), monitor.Query{}), records)
	}
	check()
	s.reopen(t)
	check()
	for _, id := range []string{"", "x", records[0].ID + "0", records[0].ID[:32] + "-99", "-1", records[0].ID[:32] + "-01"} {
		if _, err := s.Get(s.ctx, Everyone(), id); !errs.Is(err, errs.NotFound) {
			t.Errorf("Get(%q): %v, want not found", id, err)
		}
	}
}

func historyCursor(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "1"))
	if err := s.Append(s.ctx, 9, nil); err != nil {
		t.Errorf("Append of no records: %v", err)
	}
	for range 2 {
		if c, err := s.Cursor(s.ctx); c != 9 || err != nil {
			t.Errorf("Cursor = %d, %v; want 9", c, err)
		}
		s.reopen(t)
	}
	s.seq = 9
	s.add(t, NewRecord("a", 0, "2"))
	if got := s.search(t, Everyone(), monitor.Query{}); len(got) != 2 {
		t.Errorf("%d records, want 2", len(got))
	}
}

func historyRefuses(t *testing.T, s *historySuite) {
	s.seq = 4
	s.add(t, NewRecord("a", 0, "kept"))
	batch := func(seq uint64) []monitor.Record {
		records := []monitor.Record{NewRecord("a", 0, "x"), NewRecord("a", 0, "y")}
		Number(seq, records)
		return records
	}
	swapped, badID := batch(6), batch(6)
	slices.Reverse(swapped)
	badID[1].ID = "no line"
	cases := map[string]struct {
		upTo    uint64
		records []monitor.Record
	}{
		"again":                {5, batch(5)},
		"before the cursor":    {3, batch(3)},
		"record at the cursor": {6, batch(5)},
		"record after upTo":    {6, batch(7)},
		"out of order":         {6, swapped},
		"id without a line":    {6, badID},
	}
	for name, c := range cases {
		if err := s.Append(s.ctx, c.upTo, c.records); err == nil {
			t.Errorf("%s: appended", name)
		}
	}
	if got := s.search(t, Everyone(), monitor.Query{}); len(got) != 1 {
		t.Errorf("%d records after refusals, want 1", len(got))
	}
	if c, _ := s.Cursor(s.ctx); c != 5 {
		t.Errorf("cursor after refusals: %d, want 5", c)
	}
}
