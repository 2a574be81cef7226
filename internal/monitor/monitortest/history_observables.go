package monitortest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// historyObservables looks values up while records come in, when an engine may
// be rearranging what it has: every record counts once at all times. At the
// end all ways of looking are compared with a list.
func historyObservables(t *testing.T, s *historySuite) {
	const batches, each = 60, 60
	all := make([]monitor.Record, 0, batches*each)
	for seq := range uint64(batches) {
		batch := observedRecords(rand.New(rand.NewPCG(seq, 1)), each)
		Number(seq+1, batch)
		all = append(all, batch...)
	}
	var begun, stored atomic.Int64 // records
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i, value := range observedValues() {
		readers.Go(func() {
			for turn := 0; ; turn++ {
				select {
				case <-stop:
					return
				default:
				}
				least := counted(all[:stored.Load()], value)
				got, err := s.countBy(turn+i, value)
				most := counted(all[:begun.Load()], value)
				if err != nil || got < least || got > most {
					t.Errorf("%s: %d records, want %d to %d, %v", value, got, least, most, err)
					return
				}
			}
		})
	}
	for seq := range batches {
		begun.Store(int64(seq+1) * each)
		if err := s.Append(s.ctx, uint64(seq+1), all[seq*each:(seq+1)*each]); err != nil {
			t.Errorf("Append: %v", err)
			break
		}
		stored.Store(int64(seq+1) * each)
	}
	close(stop)
	readers.Wait()
	for range 2 {
		s.compareObservables(t, all)
		s.reopen(t)
	}
}

// observedValues are looked for; records have others as well.
func observedValues() []string {
	return []string{"x.example", "a.x.example", "192.0.2.1", "2001:db8::1", "often", "v7"}
}

// observedRecords have up to four observables: some in every second record,
// some rare, and now and then one value twice.
func observedRecords(r *rand.Rand, n int) []monitor.Record {
	records := make([]monitor.Record, n)
	for i := range records {
		records[i] = NewRecord(sector.MemberID([]string{"a", "b"}[r.IntN(2)]), time.Duration(r.IntN(3000))*time.Second, fmt.Sprint(r.Uint64()))
		possible := []event.Observable{
			{Kind: event.ObservableAccount, Value: "often"}, {Kind: event.ObservableHost, Value: "often"},
			{Kind: event.ObservableHost, Value: fmt.Sprintf("v%d", r.IntN(400))},
			{Kind: event.ObservableIPv4, Value: fmt.Sprintf("192.0.2.%d", r.IntN(256))}, {Kind: event.ObservableIPv4, Value: "192.0.2.1"},
			{Kind: event.ObservableIPv6, Value: fmt.Sprintf("2001:db8::%x", r.IntN(100))},
			{Kind: event.ObservableDomain, Value: "x.example"}, {Kind: event.ObservableDomain, Value: "a.x.example"},
			{Kind: event.ObservableDomain, Value: fmt.Sprintf("d%d.a.x.example", r.IntN(50))},
		}
		for range r.IntN(5) {
			records[i].Observables = append(records[i].Observables, possible[r.IntN(len(possible))])
		}
	}
	return records
}

func hasValue(r monitor.Record, value string) bool {
	return slices.ContainsFunc(r.Observables, func(o event.Observable) bool { return o.Value == value })
}

func counted(records []monitor.Record, value string) (n int) {
	for _, r := range records {
		if hasValue(r, value) {
			n++
		}
	}
	return n
}

func observedSpan() (from, to time.Time) { return Epoch(), Epoch().Add(time.Hour) }

// countBy counts a value's records in one of three ways.
func (s *historySuite) countBy(way int, value string) (n int, err error) {
	q := monitor.Query{Observable: value, Limit: 500}
	q.From, q.To = observedSpan()
	switch way % 3 {
	case 0:
		buckets, err := s.Histogram(s.ctx, Everyone(), q, 7)
		for _, b := range buckets {
			n += int(b.Count)
		}
		return n, err
	case 1:
		hits, err := s.Find(s.ctx, termsFor(value), q.From, q.To, 1<<20)
		once := map[int64]bool{} // a value can be of two kinds
		for _, h := range hits {
			once[h.Record.Number] = true
		}
		return len(once), err
	}
	// Page by page: records that come meanwhile may be before the page or after
	// it, so only one page is sure to be of one moment.
	page, err := s.Search(s.ctx, Everyone(), q)
	if err != nil || !page.More {
		return len(page.Records), err
	}
	return s.countBy(0, value)
}

func termsFor(value string) (terms []monitor.Term) {
	for kind := event.ObservableIPv4; kind <= event.ObservableAccount; kind++ {
		terms = append(terms, monitor.Term{Kind: kind, Value: value})
	}
	return terms
}

func (s *historySuite) compareObservables(t *testing.T, all []monitor.Record) {
	t.Helper()
	newest := slices.Clone(all)
	slices.SortFunc(newest, newestFirst)
	for _, value := range append([]string{"v0", "192.0.2.200", "nothing"}, observedValues()...) {
		for _, member := range []sector.MemberID{"", "a"} {
			var want []monitor.Record
			for _, r := range newest {
				if hasValue(r, value) && (member == "" || r.Member == member) {
					want = append(want, r)
				}
			}
			got := s.allPages(t, monitor.Query{Observable: value, Member: member, Limit: 97})
			if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
				t.Errorf("Search for %s of %q (-want +got):\n%s", value, member, diff)
			}
		}
	}
	for _, term := range []monitor.Term{
		{Kind: event.ObservableDomain, Value: "x.example", Under: true}, {Kind: event.ObservableDomain, Value: "a.x.example", Under: true},
		{Kind: event.ObservableDomain, Value: "d3.a.x.example"}, {Kind: event.ObservableHost, Value: "often"},
		{Kind: event.ObservableIPv4, Value: "192.0.2.64/26"}, {Kind: event.ObservableIPv4, Value: "192.0.2.1"},
		{Kind: event.ObservableIPv6, Value: "2001:db8::/124"}, {Kind: event.ObservableIPv6, Value: "2001:db9::/32"},
	} {
		s.compareTerm(t, all, term)
	}
}

func (s *historySuite) allPages(t *testing.T, q monitor.Query) (got []monitor.Record) {
	t.Helper()
	q.From, q.To = observedSpan()
	for {
		page, err := s.Search(s.ctx, Everyone(), q)
		if err != nil || !page.Searched.IsZero() {
			t.Fatalf("Search(%+v): searched %v, %v", q, page.Searched, err)
		}
		got = append(got, page.Records...)
		if !page.More {
			return got
		}
		last := page.Records[len(page.Records)-1]
		q.After = monitor.RecordKey{At: last.At, Number: last.Number}
	}
}

func (s *historySuite) compareTerm(t *testing.T, all []monitor.Record, term monitor.Term) {
	t.Helper()
	from, to := observedSpan()
	hits, err := s.Find(s.ctx, []monitor.Term{term}, from, to, 1<<20)
	if err != nil {
		t.Fatalf("Find(%v): %v", term, err)
	}
	var got, want []string
	for _, h := range hits {
		got = append(got, h.Record.ID)
	}
	for _, r := range all {
		if slices.ContainsFunc(r.Observables, func(o event.Observable) bool { return meets(term, o) }) {
			want = append(want, r.ID)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Find(%v) (-want +got):\n%s", term, diff)
	}
}

// meets is the naive meaning of a term, for the networks above.
func meets(term monitor.Term, o event.Observable) bool {
	if term.Kind != o.Kind {
		return false
	}
	switch term.Value {
	case "192.0.2.64/26":
		var last int
		_, err := fmt.Sscanf(o.Value, "192.0.2.%d", &last)
		return err == nil && last >= 64 && last < 128
	case "2001:db8::/124":
		var last int
		_, err := fmt.Sscanf(o.Value, "2001:db8::%x", &last)
		return err == nil && last < 16
	}
	return o.Value == term.Value || term.Under && strings.HasSuffix(o.Value, "."+term.Value)
}

// historyNoTime: a histogram has no partial answer.
func historyNoTime(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "x"))
	late, cancel := context.WithDeadline(s.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, q := range []monitor.Query{{}, {Text: "x"}, {Observable: "x.example"}, {Member: "a"}} {
		q.From, q.To = observedSpan()
		if _, err := s.Histogram(late, Everyone(), q, 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Histogram(%+v) without time: %v, want the deadline", q, err)
		}
	}
}
