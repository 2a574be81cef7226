package monitortest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// ClosableHistory is an open history.
type ClosableHistory interface {
	monitor.History
	io.Closer
}

// OpenHistory opens the history kept in dir, again and again.
type OpenHistory func(t *testing.T, dir string) ClosableHistory

// TestHistory checks that an engine keeps the contract of [monitor.History].
func TestHistory(t *testing.T, open OpenHistory) {
	cases := []struct {
		name string
		run  func(*testing.T, *historySuite)
	}{
		{"empty", historyEmpty},
		{"keeps what it was given", historyRoundTrip},
		{"cursor", historyCursor},
		{"refuses", historyRefuses},
		{"pages", historyPages},
		{"late records", historyLate},
		{"filters", historyFilters},
		{"text", historyText},
		{"gate", historyGate},
		{"bad queries", historyBadQueries},
		{"time budget", historyBudget},
		{"going on after time was up", historyGoOn},
		{"histogram", historyHistogram},
		{"histogram without time", historyNoTime},
		{"find values", historyFind},
		{"find domains", historyFindDomains},
		{"find networks", historyFindNetworks},
		{"find order and bounds", historyFindOrder},
		{"reads beside appends", historyConcurrent},
		{"observables beside appends", historyObservables},
		{"like a list", historyModel},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			s := &historySuite{ctx: ctx, open: open, dir: t.TempDir()}
			s.start(t)
			c.run(t, s)
		})
	}
}

type historySuite struct {
	ctx  context.Context
	open OpenHistory
	dir  string
	seq  uint64
	ClosableHistory
}

func (s *historySuite) start(t *testing.T) {
	t.Helper()
	s.ClosableHistory = s.open(t, s.dir)
	opened := s.ClosableHistory
	t.Cleanup(func() { _ = opened.Close() }) // closed already where a case reopens
}

func (s *historySuite) reopen(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	s.start(t)
}

// add numbers the records as one batch and appends them.
func (s *historySuite) add(t *testing.T, records ...monitor.Record) []monitor.Record {
	t.Helper()
	s.seq++
	Number(s.seq, records)
	if err := s.Append(s.ctx, s.seq, records); err != nil {
		t.Fatalf("Append: %v", err)
	}
	return records
}

// Number gives the records the numbers and ids of the batch at seq.
func Number(seq uint64, records []monitor.Record) {
	for i := range records {
		records[i].Number = int64(seq)<<16 | int64(i)
		records[i].ID = fmt.Sprintf("%032x-%d", seq*7919, i+1)
	}
}

// Epoch is the time that the suites' records are around.
func Epoch() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }

// Everyone is the centre's filter, Only a member's.
func Everyone() sector.Filter { return sector.Gate{}.For(sector.System()) }

// Only is the filter of a member.
func Only(m sector.MemberID) sector.Filter {
	return sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: m, Sector: sector.Banking})
}

// NewRecord makes a synthetic record that happened after Epoch.
func NewRecord(m sector.MemberID, after time.Duration, raw string) monitor.Record {
	return monitor.Record{
		Member: m, At: Epoch().Add(after), Received: Epoch().Add(after + time.Second),
		Raw: []byte(raw), SHA256: sha256.Sum256([]byte(raw)),
	}
}

func (s *historySuite) search(t *testing.T, f sector.Filter, q monitor.Query) []monitor.Record {
	t.Helper()
	if q.From.IsZero() {
		q.From, q.To = Epoch().AddDate(-1, 0, 0), Epoch().AddDate(1, 0, 0)
	}
	if q.Limit == 0 {
		q.Limit = 500
	}
	page, err := s.Search(s.ctx, f, q)
	if err != nil {
		t.Fatalf("Search(%+v): %v", q, err)
	}
	if !page.Searched.IsZero() {
		t.Fatalf("Search ran out of time at %v", page.Searched)
	}
	return page.Records
}

func ids(records []monitor.Record) []string {
	out := make([]string, 0, len(records))
	for _, r := range records {
		out = append(out, r.ID)
	}
	return out
}

// sameRecords compares without observables, which a search need not return.
func sameRecords(t *testing.T, what string, got, want []monitor.Record) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(monitor.Record{}, "Observables"), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
