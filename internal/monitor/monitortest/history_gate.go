package monitortest

import (
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func historyGate(t *testing.T, s *historySuite) {
	mine, theirs := NewRecord("bank-a", 0, "mine"), NewRecord("bank-b", time.Second, "theirs")
	both := []event.Observable{{Kind: event.ObservableDomain, Value: "x.example"}}
	mine.Observables, theirs.Observables = both, both
	records := s.add(t, mine, theirs)
	span := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour)}
	nobody := []sector.Filter{
		{}, Only("bank-c"), Only(""),
		sector.Gate{}.For(sector.Viewer{Org: sector.Authority}),
		sector.Gate{}.For(sector.Viewer{Org: sector.Partner}),
	}
	count := func(f sector.Filter, q monitor.Query) int {
		t.Helper()
		q.From, q.To = span.From, span.To
		buckets, err := s.Histogram(s.ctx, f, q, 4)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, b := range buckets {
			n += int(b.Count)
		}
		if found := len(s.search(t, f, q)); found != n {
			t.Errorf("search shows %d records, histogram %d", found, n)
		}
		return n
	}
	for _, q := range []monitor.Query{{}, {Observable: "x.example"}, {Text: "i"}} {
		if all, own := count(Everyone(), q), count(Only("bank-a"), q); all != 2 || own != 1 {
			t.Errorf("%+v: centre sees %d, member %d; want 2, 1", q, all, own)
		}
		for _, f := range nobody {
			if n := count(f, q); n != 0 {
				t.Errorf("%+v: nobody sees %d", q, n)
			}
		}
	}
	if n := count(Only("bank-a"), monitor.Query{Member: "bank-b"}); n != 0 {
		t.Errorf("a member asking for another's records sees %d", n)
	}
	if n := count(Only("bank-a"), monitor.Query{Member: "bank-a"}); n != 1 {
		t.Errorf("a member asking for its own sees %d", n)
	}
	if _, err := s.Get(s.ctx, Only("bank-a"), records[0].ID); err != nil {
		t.Errorf("Get of one's own: %v", err)
	}
	_, unknown := s.Get(s.ctx, Only("bank-a"), strings.Repeat("0", 32)+"-1")
	for _, f := range append(nobody, Only("bank-a")) {
		_, err := s.Get(s.ctx, f, records[1].ID)
		if !errs.Is(err, errs.NotFound) || err.Error() != unknown.Error() {
			t.Errorf("Get of another's record: %v; of an unknown one: %v", err, unknown)
		}
	}
}
