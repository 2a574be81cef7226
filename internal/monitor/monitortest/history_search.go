package monitortest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

func historyPages(t *testing.T, s *historySuite) {
	var all []monitor.Record
	for range 5 {
		var batch []monitor.Record
		for i := range 40 { // many at one time
			batch = append(batch, NewRecord("a", time.Duration(i/8)*time.Minute, fmt.Sprint(i)))
		}
		all = append(all, s.add(t, batch...)...)
	}
	slices.SortFunc(all, newestFirst)
	q := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 7}
	var got []monitor.Record
	for pages := 0; ; pages++ {
		page, err := s.Search(s.ctx, Everyone(), q)
		if err != nil || len(page.Records) > 7 || pages > 100 {
			t.Fatalf("page %d: %d records, %v", pages, len(page.Records), err)
		}
		got = append(got, page.Records...)
		if !page.More {
			break
		}
		last := page.Records[len(page.Records)-1]
		q.After = monitor.RecordKey{At: last.At, Number: last.Number}
	}
	sameRecords(t, "all pages", got, all)
	exact, err := s.Search(s.ctx, Everyone(), monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: len(all)})
	if err != nil || exact.More || len(exact.Records) != len(all) {
		t.Errorf("page of exactly all: %d records, more %v, %v", len(exact.Records), exact.More, err)
	}
}

func newestFirst(a, b monitor.Record) int {
	if c := b.At.Compare(a.At); c != 0 {
		return c
	}
	return int(b.Number - a.Number)
}

func historyLate(t *testing.T, s *historySuite) {
	for i := range 3 {
		s.add(t, NewRecord("a", time.Duration(i)*time.Hour, "on time"))
	}
	late := s.add(t, NewRecord("a", -4000*time.Hour, "late"))[0]
	s.add(t, NewRecord("a", 4*time.Hour, "on time"))
	got := s.search(t, Everyone(), monitor.Query{})
	if len(got) != 5 || got[4].ID != late.ID {
		t.Errorf("records: %v; want the late one, %s, last", ids(got), late.ID)
	}
	q := monitor.Query{From: late.At, To: late.At.Add(time.Microsecond), Text: "LATE"}
	if got := s.search(t, Everyone(), q); len(got) != 1 {
		t.Errorf("late record in its own time: %v", ids(got))
	}
	q.From, q.To = late.At.Add(-time.Hour), late.At // half open
	if got := s.search(t, Everyone(), q); len(got) != 0 {
		t.Errorf("To is not exclusive: %v", ids(got))
	}
}

func historyFilters(t *testing.T, s *historySuite) {
	r := NewRecord("a", 0, "r")
	r.Source = event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}
	r.Host, r.Account = "ws1", "wang"
	r.Observables = []event.Observable{
		{Kind: event.ObservableIPv4, Value: "192.0.2.7"}, {Kind: event.ObservableIPv6, Value: "2001:db8::7"},
		{Kind: event.ObservableDomain, Value: "a.b.example.com"}, {Kind: event.ObservableURL, Value: "https://a.example/x?y=1"},
		{Kind: event.ObservableEmail, Value: "wang@example.com"}, {Kind: event.ObservableSHA256, Value: strings.Repeat("ab", 32)},
		{Kind: event.ObservableHost, Value: "ws1"}, {Kind: event.ObservableIPv4, Value: "not-an-address"},
	}
	other := NewRecord("b", time.Second, "other")
	other.Source, other.Host = event.Logsource{Product: "linux"}, "ws2"
	s.add(t, r, other)
	hit := []monitor.Query{
		{Member: "a"}, {Product: "windows"}, {Category: "process_creation"}, {Service: "sysmon"}, {Host: "ws1"}, {Account: "wang"},
		{Member: "a", Product: "windows", Host: "ws1", Observable: "192.0.2.7", Text: "R"},
	}
	for _, o := range r.Observables {
		hit = append(hit, monitor.Query{Observable: o.Value})
	}
	for _, q := range hit {
		if got := s.search(t, Everyone(), q); len(got) != 1 || string(got[0].Raw) != "r" {
			t.Errorf("Search(%+v) found %v", q, ids(got))
		}
	}
	for _, q := range []monitor.Query{
		{Member: "c"}, {Product: "window"}, {Product: "windows", Host: "ws2"}, {Observable: "example.com"},
		{Observable: "b.example.com"}, {Observable: "192.0.2.8"}, {Observable: "192.0.2.7", Member: "b"}, {Host: "' OR 1=1 --"},
	} {
		if got := s.search(t, Everyone(), q); len(got) != 0 {
			t.Errorf("Search(%+v) found %v", q, ids(got))
		}
	}
}

func historyText(t *testing.T, s *historySuite) {
	raws := []string{`{"CommandLine":"PowerShell -Enc 100%_x"}`, `C:\Windows\Temp`, "匯款失敗", "it's", "[a-z]+(x)*", "ÀÉÎ"}
	var batch []monitor.Record
	for i, raw := range raws {
		batch = append(batch, NewRecord("a", -time.Duration(i)*time.Second, raw))
	}
	s.add(t, batch...)
	cases := map[string][]int{
		"powershell": {0}, "-ENC 100%_X": {0}, "%": {0}, "_": {0}, `\windows\`: {1}, `\`: {1}, "匯款": {2},
		"'": {3}, "[A-Z]+(": {4}, "a.z": nil, "a_z": nil, "a%z": nil, "(x)": {4}, "àéî": {5}, "nothing": nil, "W": {0, 1}, "\xff": nil,
	}
	for text, want := range cases {
		var got []int
		for _, r := range s.search(t, Everyone(), monitor.Query{Text: text}) {
			got = append(got, slices.Index(raws, string(r.Raw)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("text %q found %v, want %v", text, got, want)
		}
	}
}

func historyBadQueries(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "x"))
	good := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 1}
	for name, change := range map[string]func(*monitor.Query){
		"no limit":       func(q *monitor.Query) { q.Limit = 0 },
		"limit too high": func(q *monitor.Query) { q.Limit = 501 },
		"no span":        func(q *monitor.Query) { q.To = q.From },
		"backwards":      func(q *monitor.Query) { q.From, q.To = q.To, q.From },
	} {
		q := good
		change(&q)
		if _, err := s.Search(s.ctx, Everyone(), q); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	for _, n := range []int{0, -1, 1 << 20} {
		if _, err := s.Histogram(s.ctx, Everyone(), good, n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%d buckets: %v, want invalid", n, err)
		}
	}
}
