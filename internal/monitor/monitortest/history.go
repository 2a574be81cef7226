package monitortest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
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
		{"find values", historyFind},
		{"find domains", historyFindDomains},
		{"find networks", historyFindNetworks},
		{"find order and bounds", historyFindOrder},
		{"reads beside appends", historyConcurrent},
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

func historyBudget(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "x"))
	q := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 1}
	late, cancel := context.WithDeadline(s.ctx, time.Now().Add(-time.Second))
	defer cancel()
	page, err := s.Search(late, Everyone(), q)
	if err != nil || page.Searched.IsZero() || page.Searched.Before(q.From) || len(page.Records) != 0 {
		t.Errorf("Search without time: %+v, %v; want Searched and no error", page, err)
	}
	q.To = page.Searched // what the contract says: go on from there
	if got := s.search(t, Everyone(), q); len(got) != 1 {
		t.Errorf("going on found %d records", len(got))
	}
	gone, leave := context.WithCancel(s.ctx)
	leave()
	if _, err := s.Search(gone, Everyone(), q); !errors.Is(err, context.Canceled) {
		t.Errorf("Search for somebody who left: %v", err)
	}
}

// historyGoOn searches a text with too little time and goes on from Searched:
// every record turns up once, in order.
func historyGoOn(t *testing.T, s *historySuite) {
	const batches, each = 40, 500
	filler := strings.Repeat("filler ", 100)
	for b := range batches {
		var batch []monitor.Record
		for i := range each {
			raw := fmt.Sprint(filler, b*each+i)
			if i%50 == 0 {
				raw += " Needle"
			}
			batch = append(batch, NewRecord("a", time.Duration((b*each+i)/3)*time.Millisecond, raw))
		}
		s.add(t, batch...)
	}
	q := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Text: "needle", Limit: 500}
	budget, parts := 4*time.Millisecond, 0
	var got []monitor.Record
	for {
		ctx, cancel := context.WithTimeout(s.ctx, budget)
		page, err := s.Search(ctx, Everyone(), q)
		cancel()
		if err != nil || page.More {
			t.Fatalf("Search: more %v, %v", page.More, err)
		}
		got = append(got, page.Records...)
		if page.Searched.IsZero() {
			break
		}
		if parts++; !page.Searched.Before(q.To) {
			budget *= 2
		}
		q.To = page.Searched
	}
	t.Logf("%d parts, the last with %v", parts+1, budget)
	if len(got) != batches*each/50 || !slices.IsSortedFunc(got, newestFirst) {
		t.Errorf("%d records in %d parts, want %d, newest first", len(got), parts+1, batches*each/50)
	}
}

func historyHistogram(t *testing.T, s *historySuite) {
	var batch []monitor.Record
	for i := range 100 {
		batch = append(batch, NewRecord(sector.MemberID([]string{"a", "b"}[i%2]), time.Duration(i)*time.Second, "x"))
	}
	for _, us := range []int{23_333_333, 23_333_334, 46_666_666, 46_666_667} { // about the thirds
		batch = append(batch, NewRecord("b", time.Duration(us)*time.Microsecond, "x"))
	}
	s.add(t, batch...)
	for _, n := range []int{1, 3, 7, 10, 100} {
		q := monitor.Query{From: Epoch(), To: Epoch().Add(70 * time.Second), Member: "b"}
		got, err := s.Histogram(s.ctx, Everyone(), q, n)
		if err != nil || len(got) != n {
			t.Fatalf("%d buckets: %d, %v", n, len(got), err)
		}
		for i, b := range got {
			end := q.To
			if i+1 < n {
				end = got[i+1].From
			}
			want := int64(0)
			for _, r := range batch {
				if r.Member == "b" && !r.At.Before(b.From) && r.At.Before(end) {
					want++
				}
			}
			if b.Count != want {
				t.Errorf("%d buckets: bucket %d from %v has %d, want %d", n, i, b.From, b.Count, want)
			}
		}
		if !got[0].From.Equal(q.From) {
			t.Errorf("first bucket is from %v", got[0].From)
		}
	}
}

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

func historyConcurrent(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "first"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				page, err := s.Search(s.ctx, Everyone(), monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 500})
				if err != nil || len(page.Records) < last {
					t.Errorf("Search beside Append: %d records after %d, %v", len(page.Records), last, err)
					return
				}
				last = len(page.Records)
			}
		})
	}
	for i := range 50 {
		s.add(t, NewRecord("a", time.Duration(i)*time.Second, "more"), NewRecord("a", 0, "more"))
	}
	close(stop)
	wg.Wait()
}

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
