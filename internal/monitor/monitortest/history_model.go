package monitortest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// historyModel compares random searches with a list of the same records.
func historyModel(t *testing.T, s *historySuite) {
	r := rapidRecords()
	var all []monitor.Record
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(0, 2).Draw(rt, "batches") {
			s.seq++
			batch := rapid.SliceOfN(r, 1, 30).Draw(rt, "records")
			Number(s.seq, batch)
			if err := s.Append(s.ctx, s.seq, batch); err != nil {
				rt.Fatalf("Append: %v", err)
			}
			all = append(all, batch...)
			slices.SortFunc(all, newestFirst)
		}
		q, f, see := rapidQuery(rt)
		var want []monitor.Record
		for _, r := range all {
			if see(r.Member) && inModel(q, r) {
				want = append(want, r)
			}
		}
		total := len(want)
		more := total > q.Limit
		page, err := s.Search(s.ctx, f, q)
		if err != nil || page.More != more {
			rt.Fatalf("Search(%+v): more %v, want %v, %v", q, page.More, more, err)
		}
		if diff := cmp.Diff(ids(want[:min(total, q.Limit)]), ids(page.Records)); diff != "" {
			rt.Fatalf("Search(%+v) (-want +got):\n%s", q, diff)
		}
		if q.After.At.IsZero() {
			buckets, err := s.Histogram(s.ctx, f, q, 5)
			n := 0
			for _, b := range buckets {
				n += int(b.Count)
			}
			if err != nil || n != total {
				rt.Fatalf("Histogram(%+v) counts %d, want %d, %v", q, n, total, err)
			}
		}
	})
}

func rapidRecords() *rapid.Generator[monitor.Record] {
	return rapid.Custom(func(rt *rapid.T) monitor.Record {
		pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(rt, name) }
		r := NewRecord(sector.MemberID(pick("member", "a", "b", "c")),
			time.Duration(rapid.IntRange(0, 50).Draw(rt, "at"))*time.Minute, pick("raw", "alpha", "Beta", "ALPHAbet", "γ"))
		r.Host, r.Source.Product = pick("host", "", "h1", "h2"), pick("product", "", "linux")
		if o := pick("observable", "", "x.example", "192.0.2.1"); o != "" {
			kind := event.ObservableDomain
			if o == "192.0.2.1" {
				kind = event.ObservableIPv4
			}
			r.Observables = []event.Observable{{Kind: kind, Value: o}}
		}
		return r
	})
}

func rapidQuery(rt *rapid.T) (monitor.Query, sector.Filter, func(sector.MemberID) bool) {
	pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(rt, name) }
	from := rapid.IntRange(0, 49).Draw(rt, "from")
	to := rapid.IntRange(from+1, 60).Draw(rt, "to")
	q := monitor.Query{
		From: Epoch().Add(time.Duration(from) * time.Minute), To: Epoch().Add(time.Duration(to) * time.Minute),
		Member: sector.MemberID(pick("q.member", "", "", "a", "b")), Host: pick("q.host", "", "", "h1"),
		Product: pick("q.product", "", "", "linux"), Text: pick("q.text", "", "", "alpha", "BET"),
		Observable: pick("q.observable", "", "", "x.example", "192.0.2.1"), Limit: rapid.IntRange(1, 40).Draw(rt, "limit"),
	}
	if rapid.Bool().Draw(rt, "paged") {
		q.After = monitor.RecordKey{
			At:     Epoch().Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "after")) * time.Minute),
			Number: rapid.Int64Range(1, 40<<16).Draw(rt, "number"),
		}
	}
	switch viewer := sector.MemberID(pick("viewer", "", "a", "b", "nobody")); viewer {
	case "":
		return q, Everyone(), func(sector.MemberID) bool { return true }
	case "nobody":
		return q, sector.Filter{}, func(sector.MemberID) bool { return false }
	default:
		return q, Only(viewer), func(m sector.MemberID) bool { return m == viewer }
	}
}

func inModel(q monitor.Query, r monitor.Record) bool {
	key := q.After.At.IsZero() || r.At.Before(q.After.At) || r.At.Equal(q.After.At) && r.Number < q.After.Number
	seen := q.Observable == "" || slices.ContainsFunc(r.Observables, func(o event.Observable) bool { return o.Value == q.Observable })
	return key && seen && !r.At.Before(q.From) && r.At.Before(q.To) &&
		(q.Member == "" || q.Member == r.Member) && (q.Host == "" || q.Host == r.Host) &&
		(q.Product == "" || q.Product == r.Source.Product) &&
		strings.Contains(strings.ToLower(string(r.Raw)), strings.ToLower(q.Text))
}
