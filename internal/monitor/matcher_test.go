package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
)

func ind(id string, kind event.ObservableKind, value string, under bool) Indicator {
	return Indicator{ID: id, Kind: kind, Value: value, Under: under}
}

func (m *Matcher) ids(r *Record) []string {
	var ids []string
	m.view.Load().match(r, func(s sight, _ string) { ids = append(ids, s.ID) })
	slices.Sort(ids)
	return ids
}

func mentioning(obs ...event.Observable) *Record {
	return &Record{Received: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Observables: obs}
}

func TestMatcher(t *testing.T) {
	m := NewMatcher(nil)
	expired := ind("expired", event.ObservableDomain, "old.example.net", false)
	expired.Until = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	m.Replace([]Indicator{
		ind("ip", event.ObservableIPv4, "203.0.113.7", false), ind("net", event.ObservableIPv4, "203.0.113.99/24", false),
		ind("wide", event.ObservableIPv4, "203.0.0.0/16", false), ind("net6", event.ObservableIPv6, "2001:db8::/32", false),
		ind("exact", event.ObservableDomain, "Evil.Example.NET.", false), ind("under", event.ObservableDomain, "example.net", true),
		ind("hash", event.ObservableMD5, "D41D8CD98F00B204E9800998ECF8427E", false), ind("host", event.ObservableHost, "ws1", false),
		ind("url", event.ObservableURL, "http://evil.example.net/A", false), expired,
	})
	tests := []struct {
		kind  event.ObservableKind
		value string
		want  string
	}{
		{event.ObservableIPv4, "203.0.113.7", "ip net wide"}, {event.ObservableIPv4, "203.0.113.8", "net wide"},
		{event.ObservableIPv4, "203.0.9.8", "wide"}, {event.ObservableIPv4, "203.1.0.1", ""},
		{event.ObservableIPv6, "2001:db8::1", "net6"}, {event.ObservableIPv6, "2001:db9::1", ""},
		{event.ObservableDomain, "evil.example.net", "exact under"}, {event.ObservableDomain, "example.net", "under"},
		{event.ObservableDomain, "badexample.net", ""}, {event.ObservableDomain, "a.b.example.net", "under"},
		{event.ObservableDomain, "old.example.net", "under"}, {event.ObservableDomain, "net", ""},
		{event.ObservableMD5, "d41d8cd98f00b204e9800998ecf8427e", "hash"}, {event.ObservableHost, "ws1", ""},
		{event.ObservableURL, "http://evil.example.net/A", "url"}, {event.ObservableURL, "http://evil.example.net/a", ""},
	}
	for _, test := range tests {
		if got := strings.Join(m.ids(mentioning(event.Observable{Kind: test.kind, Value: test.value})), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.value, got, test.want)
		}
	}
	if m.Len() != 9 {
		t.Errorf("%d indicators, want 9: a host cannot be one", m.Len())
	}
}

func TestSameValueManyTimes(t *testing.T) {
	m := NewMatcher(nil)
	var list []Indicator
	for i := range 100 {
		list = append(list, ind(fmt.Sprint("i", i), event.ObservableDomain, "x.example", false))
	}
	m.Replace(list)
	if n := len(m.ids(mentioning(event.Observable{Kind: event.ObservableDomain, Value: "x.example"}))); n != maxSights {
		t.Errorf("%d sights of one value, want %d", n, maxSights)
	}
}

// TestChangesAreAsReplacing: putting and dropping one after the other finds
// what a fresh index of the result finds.
func TestChangesAreAsReplacing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, model := NewMatcher(nil), map[string]Indicator{}
		gen := rapid.Custom(func(rt *rapid.T) Indicator {
			return ind(fmt.Sprint("i", rapid.IntRange(0, 9).Draw(rt, "id")), event.ObservableDomain,
				fmt.Sprintf("d%d.example", rapid.IntRange(0, 3).Draw(rt, "value")), rapid.Bool().Draw(rt, "under"))
		})
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			byID := map[string]Indicator{}
			for _, in := range rapid.SliceOfN(gen, 0, 4).Draw(rt, "put") {
				byID[in.ID] = in
			}
			var put []Indicator
			for _, in := range byID {
				put = append(put, in)
			}
			drop := rapid.SliceOfN(rapid.SampledFrom([]string{"i0", "i1", "i2", "i99"}), 0, 2).Draw(rt, "drop")
			drop = slices.DeleteFunc(drop, func(id string) bool { _, both := byID[id]; return both })
			if rapid.IntRange(0, 4).Draw(rt, "replace") == 0 {
				m.Replace(put)
				clear(model)
			} else {
				m.Change(put, drop)
			}
			for _, in := range put {
				model[in.ID] = in
			}
			for _, id := range drop {
				delete(model, id)
			}
			if m.Len() != len(model) {
				rt.Fatalf("%d indicators, want %d", m.Len(), len(model))
			}
			for v := range 4 {
				value := fmt.Sprintf("d%d.example", v)
				var want []string
				for id, in := range model {
					if in.Value == value {
						want = append(want, id)
					}
				}
				slices.Sort(want)
				got := m.ids(mentioning(event.Observable{Kind: event.ObservableDomain, Value: value}))
				if len(want) <= maxSights && !slices.Equal(want, got) {
					rt.Fatalf("%s: %v, want %v", value, got, want)
				}
			}
		}
	})
}

// source is an Indicators whose answers a test sets.
type source struct {
	mu  sync.Mutex
	now IndicatorChanges
	err error
}

func (s *source) set(c IndicatorChanges, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.err = c, err
}

func (s *source) Since(_ context.Context, version int64) (IndicatorChanges, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || version == s.now.Version {
		return IndicatorChanges{Version: version}, s.err
	}
	return s.now, nil
}

func TestFollow(t *testing.T) {
	m, src, wake := NewMatcher(nil), &source{}, make(chan struct{})
	src.set(IndicatorChanges{Version: 1, Whole: true, Put: []Indicator{ind("a", event.ObservableDomain, "a.example", false)}}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- m.Follow(ctx, src, wake, slog.New(slog.DiscardHandler)) }()
	look := func(name string) int {
		wake <- struct{}{}
		wake <- struct{}{} // the first has been worked on
		return len(m.ids(mentioning(event.Observable{Kind: event.ObservableDomain, Value: name})))
	}
	if look("a.example") != 1 {
		t.Error("the first indicators are not looked for")
	}
	src.set(IndicatorChanges{Version: 2, Put: []Indicator{ind("b", event.ObservableDomain, "b.example", false)}, Drop: []string{"a"}}, nil)
	if look("b.example") != 1 || look("a.example") != 0 {
		t.Error("the change is not followed")
	}
	if v := m.Version(); v != 2 {
		t.Errorf("the matcher tells version %d, want 2", v)
	}
	src.set(IndicatorChanges{}, errors.New("down"))
	if look("b.example") != 1 {
		t.Error("a source that is down makes the matcher forget")
	}
	cancel()
	<-done
}

func manyIndicators(n int) []Indicator {
	list := make([]Indicator, n)
	src := &IndicatorSource{Advisory: "a", Title: "t"}
	for i := range list {
		id := fmt.Sprintf("indicator--%08x-0000-4000-8000-%012x", i, i)
		list[i] = Indicator{ID: id, Kind: event.ObservableDomain, Value: fmt.Sprintf("host%d.bad%d.example", i, i%1000), Source: src}
		if i%3 == 0 {
			list[i].Kind, list[i].Value = event.ObservableIPv4, fmt.Sprintf("%d.%d.%d.%d", 1+i%200, i>>16&255, i>>8&255, i&255)
		}
	}
	return list
}

func BenchmarkMatch(b *testing.B) {
	r := mentioning(event.Observable{Kind: event.ObservableIPv4, Value: "10.0.0.1"}, event.Observable{Kind: event.ObservableIPv4, Value: "203.0.113.5"},
		event.Observable{Kind: event.ObservableDomain, Value: "www.some.long.example.net"}, event.Observable{Kind: event.ObservableURL, Value: "http://www.some.long.example.net/x"},
		event.Observable{Kind: event.ObservableSHA256, Value: strings.Repeat("ab", 32)})
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := NewMatcher(nil)
			m.Replace(manyIndicators(n))
			for b.Loop() {
				m.ids(r)
			}
		})
	}
}

func BenchmarkChangeAmongMillion(b *testing.B) {
	m := NewMatcher(nil)
	m.Replace(manyIndicators(1_000_000))
	for i := 0; b.Loop(); i++ {
		m.Change([]Indicator{ind(fmt.Sprint("new", i%100), event.ObservableDomain, fmt.Sprintf("n%d.example", i), false)}, nil)
	}
}

func BenchmarkReplaceMillion(b *testing.B) {
	list := manyIndicators(1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		NewMatcher(nil).Replace(list)
	}
}
