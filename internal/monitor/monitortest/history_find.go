package monitortest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// seen is a record with one observable, whose bytes are its value.
func seen(m sector.MemberID, after time.Duration, kind event.ObservableKind, value string) monitor.Record {
	r := NewRecord(m, after, value)
	r.Observables = []event.Observable{{Kind: kind, Value: value, Field: "f"}}
	return r
}

// found runs Find and returns "value of the term=value of the record" in order.
func (s *historySuite) found(t *testing.T, limit int, terms ...monitor.Term) []string {
	t.Helper()
	hits, err := s.Find(s.ctx, terms, Epoch().Add(-time.Hour), Epoch().Add(time.Hour), limit)
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	var out []string
	for _, h := range hits {
		if h.Record.Raw != nil || h.Record.Observables != nil {
			t.Errorf("hit %s has bytes or observables", h.Record.ID)
		}
		full, err := s.Get(s.ctx, Everyone(), h.Record.ID)
		if err != nil {
			t.Fatalf("Get of a hit: %v", err)
		}
		out = append(out, h.Term.Value+"="+string(full.Raw))
		full.Raw, full.Observables = nil, nil
		sameRecords(t, "record of a hit", []monitor.Record{h.Record}, []monitor.Record{full})
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func historyFind(t *testing.T, s *historySuite) {
	values := map[event.ObservableKind]string{
		event.ObservableIPv4: "192.0.2.1", event.ObservableIPv6: "2001:db8::1", event.ObservableDomain: "evil.example",
		event.ObservableURL: "https://evil.example/a", event.ObservableEmail: "x@evil.example",
		event.ObservableMD5: strings.Repeat("a1", 16), event.ObservableSHA1: strings.Repeat("b2", 20),
		event.ObservableSHA256: strings.Repeat("c3", 32), event.ObservableHost: "ws9", event.ObservableAccount: "wang",
	}
	for kind, value := range values {
		s.add(t, seen("a", time.Duration(kind)*time.Second, kind, value))
	}
	s.reopen(t)
	for kind, value := range values {
		same(t, kind.String(), s.found(t, 10, monitor.Term{Kind: kind, Value: value}), value+"="+value)
		same(t, kind.String()+" absent", s.found(t, 10, monitor.Term{Kind: kind, Value: value + "0"}))
	}
	same(t, "another kind", s.found(t, 10, monitor.Term{Kind: event.ObservableHost, Value: "evil.example"}))
	same(t, "no terms", s.found(t, 10))
}

func historyFindDomains(t *testing.T, s *historySuite) {
	deep := strings.Repeat("x.", 40) + "evil.example"
	for i, d := range []string{"evil.example", "a.evil.example", "b.a.evil.example", "notevil.example", "evil.example.net", "example", deep} {
		s.add(t, seen("a", time.Duration(i)*time.Second, event.ObservableDomain, d))
	}
	two := NewRecord("a", time.Minute, "two")
	for _, d := range []string{"c.evil.example", "d.evil.example"} {
		two.Observables = append(two.Observables, event.Observable{Kind: event.ObservableDomain, Value: d})
	}
	s.add(t, two)
	domain := func(v string, under bool) monitor.Term {
		return monitor.Term{Kind: event.ObservableDomain, Value: v, Under: under}
	}
	same(t, "exact", s.found(t, 10, domain("evil.example", false)), "evil.example=evil.example")
	same(t, "under", s.found(t, 10, domain("evil.example", true)),
		"evil.example=evil.example", "evil.example=a.evil.example", "evil.example=b.a.evil.example",
		"evil.example="+deep, "evil.example=two")
	same(t, "under a sub-domain", s.found(t, 10, domain("a.evil.example", true)),
		"a.evil.example=a.evil.example", "a.evil.example=b.a.evil.example")
	same(t, "two terms, one record", s.found(t, 10, domain("b.a.evil.example", false), domain("a.evil.example", true)),
		"a.evil.example=a.evil.example", "b.a.evil.example=b.a.evil.example", "a.evil.example=b.a.evil.example")
}

func historyFindNetworks(t *testing.T, s *historySuite) {
	for i, a := range []string{"192.0.2.0", "192.0.2.255", "192.0.3.0", "10.1.2.3", "255.255.255.255", "0.0.0.0"} {
		s.add(t, seen("a", time.Duration(i)*time.Second, event.ObservableIPv4, a))
	}
	for i, a := range []string{"2001:db8::1", "2001:db8:0:1::1", "2001:db9::1", "ffff::1", "::1"} {
		s.add(t, seen("a", time.Duration(10+i)*time.Second, event.ObservableIPv6, a))
	}
	cases := []struct {
		kind event.ObservableKind
		net  string
		want []string
	}{
		{event.ObservableIPv4, "192.0.2.0/24", []string{"192.0.2.0", "192.0.2.255"}},
		{event.ObservableIPv4, "192.0.2.77/24", []string{"192.0.2.0", "192.0.2.255"}},
		{event.ObservableIPv4, "192.0.2.0/23", []string{"192.0.2.0", "192.0.2.255", "192.0.3.0"}},
		{event.ObservableIPv4, "192.0.2.0/32", []string{"192.0.2.0"}},
		{event.ObservableIPv4, "192.0.2.0/31", []string{"192.0.2.0"}},
		{event.ObservableIPv4, "128.0.0.0/1", []string{"192.0.2.0", "192.0.2.255", "192.0.3.0", "255.255.255.255"}},
		{event.ObservableIPv4, "0.0.0.0/0", []string{"192.0.2.0", "192.0.2.255", "192.0.3.0", "10.1.2.3", "255.255.255.255", "0.0.0.0"}},
		{event.ObservableIPv6, "2001:db8::/32", []string{"2001:db8::1", "2001:db8:0:1::1"}},
		{event.ObservableIPv6, "2001:db8::/64", []string{"2001:db8::1"}},
		{event.ObservableIPv6, "2001:db8::/126", []string{"2001:db8::1"}},
		{event.ObservableIPv6, "8000::/1", []string{"ffff::1"}},
		{event.ObservableIPv6, "::/0", []string{"2001:db8::1", "2001:db8:0:1::1", "2001:db9::1", "ffff::1", "::1"}},
	}
	var all []monitor.Term
	total := 0
	for _, c := range cases {
		term := monitor.Term{Kind: c.kind, Value: c.net}
		want := make([]string, 0, len(c.want))
		for _, w := range c.want {
			want = append(want, c.net+"="+w)
		}
		same(t, c.net, s.found(t, 100, term), want...)
		all = append(all, term)
		total += len(want)
	}
	if got := s.found(t, 1000, all...); len(got) != total {
		t.Errorf("all at once: %d hits, want %d", len(got), total)
	}
}

func historyFindOrder(t *testing.T, s *historySuite) {
	for i := range 20 { // later ones first
		s.add(t, seen("a", time.Duration(-i)*time.Second, event.ObservableDomain, "evil.example"),
			seen("b", time.Duration(-i)*time.Second-time.Millisecond, event.ObservableIPv4, "192.0.2.1"))
	}
	terms := []monitor.Term{
		{Kind: event.ObservableDomain, Value: "evil.example"}, {Kind: event.ObservableIPv4, Value: "192.0.2.0/24"},
	}
	hits, err := s.Find(s.ctx, terms, Epoch().Add(-10*time.Second), Epoch(), 7)
	if err != nil || len(hits) != 7 {
		t.Fatalf("Find: %d hits, %v; want 7", len(hits), err)
	}
	if !hits[0].Record.At.Equal(Epoch().Add(-10 * time.Second)) {
		t.Errorf("oldest hit is of %v", hits[0].Record.At)
	}
	for i := 1; i < len(hits); i++ {
		if hits[i].Record.At.Before(hits[i-1].Record.At) {
			t.Errorf("hit %d is older than the one before", i)
		}
	}
	for _, h := range hits {
		if want := map[sector.MemberID]string{"a": "evil.example", "b": "192.0.2.0/24"}[h.Record.Member]; h.Term.Value != want {
			t.Errorf("hit of %s at %s", h.Term.Value, h.Record.Member)
		}
	}
}
