package duckdb_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
	"github.com/aspis-platform/aspis/internal/sector"
)

const benchBatch = 500

// benchRecords makes synthetic process records of about 1.2 KB with five
// observables, 40 ms after one another, one batch of 500 for each position;
// every hundredth record is an hour late.
func benchRecords(seq uint64) []monitor.Record {
	r := rand.New(rand.NewPCG(seq, 7))
	records := make([]monitor.Record, benchBatch)
	for i := range records {
		host, user, ip := r.IntN(2000), r.IntN(500), r.IntN(50000)
		sum := fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
		raw := fmt.Appendf(nil, `{"EventID":1,"Computer":"WS%04d.branch.example","UtcTime":"2026-03-01 10:%02d:%02d.%03d",`+
			`"Image":"C:\\Windows\\System32\\cmd%d.exe","CommandLine":"cmd.exe /c echo %x && whoami","ProcessGuid":"{%016x-%016x}",`+
			`"ProcessId":%d,"User":"EXAMPLE\\user%d","Hashes":"SHA256=%s","ParentImage":"C:\\Windows\\explorer.exe","Note":"%s"}`,
			host, r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(30), r.Uint64(), r.Uint64(), r.Uint64(), r.IntN(60000),
			user, sum, words(r, 110))
		at := monitortest.Epoch().Add(time.Duration(int(seq)*benchBatch+i) * 40 * time.Millisecond)
		if i%100 == 99 {
			at = at.Add(-time.Hour)
		}
		records[i] = monitor.Record{
			Member: sector.MemberID(fmt.Sprintf("bank-%d", r.IntN(24))), At: at, Received: at.Add(time.Second),
			Source: event.Logsource{Product: "windows", Category: "process_creation"},
			Host:   fmt.Sprintf("ws%04d.branch.example", host), Account: fmt.Sprintf("user%d", user),
			SHA256: sha256.Sum256(raw), Raw: raw,
			Observables: []event.Observable{
				{Kind: event.ObservableHost, Value: fmt.Sprintf("ws%04d.branch.example", host)},
				{Kind: event.ObservableAccount, Value: fmt.Sprintf("user%d", user)},
				{Kind: event.ObservableSHA256, Value: sum},
				{Kind: event.ObservableIPv4, Value: fmt.Sprintf("10.%d.%d.%d", ip>>16, ip>>8&255, ip&255)},
				{Kind: event.ObservableDomain, Value: fmt.Sprintf("h%d.d%d.example.com", r.IntN(100), r.IntN(5000))},
			},
		}
	}
	monitortest.Number(seq, records)
	return records
}

var vocabulary = strings.Fields(`process created by user session logon token elevated integrity level high medium
	system service network share printer driver update policy group domain controller ticket request granted
	denied object access handle registry key value set deleted file written read opened closed transfer`)

func words(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		b.WriteByte(' ')
	}
	return b.String()
}

func BenchmarkAppend(b *testing.B) {
	h := open(b, b.TempDir())
	defer h.Close()
	pool := make([][]monitor.Record, 20)
	for i := range pool {
		pool[i] = benchRecords(uint64(i + 1))
	}
	took := make([]time.Duration, 0, b.N)
	before := cpuTime(b)
	seq := uint64(0)
	b.ResetTimer()
	for range b.N {
		seq++
		records := pool[seq%20]
		monitortest.Number(seq, records)
		start := time.Now()
		if err := h.Append(b.Context(), seq, records); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(benchBatch*b.N), "cpu-us/record")
	b.ReportMetric(float64(benchBatch*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}

// TestMeasure fills a database with DUCKDB_MEASURE records and measures it, by
// hand; DUCKDB_MEASURE_DIR keeps it between runs.
func TestMeasure(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("DUCKDB_MEASURE"))
	if err != nil {
		t.Skip("DUCKDB_MEASURE is not set: a measurement")
	}
	dir := os.Getenv("DUCKDB_MEASURE_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	path := filepath.Join(dir, "history.db")
	start := time.Now()
	h, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("open: %v, %s", time.Since(start), memory())
	fill(t, h, uint64(n/benchBatch))
	pace(t, h)
	afterCrash(t, path)
	start = time.Now()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("close: %v; file of %d MiB", time.Since(start), info.Size()>>20)
	start = time.Now()
	if h, err = duckdb.Open(t.Context(), duckdb.Config{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	t.Logf("open: %v", time.Since(start))
	for range 2 {
		looks(t, h)
	}
	t.Log(memory())
}

// afterCrash opens a copy of the files as they are, log and all. The database
// must be small for this.
func afterCrash(t *testing.T, path string) {
	info, err := os.Stat(path + ".wal")
	if err != nil || os.Getenv("DUCKDB_MEASURE_CRASH") == "" {
		return
	}
	dir := t.TempDir()
	for _, name := range []string{"", ".wal"} {
		data, err := os.ReadFile(path + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "history.db"+name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	h, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(dir, "history.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("open with a log of %d MiB: %v", info.Size()>>20, time.Since(start))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func memory() string {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			return fmt.Sprintf("heap %d MiB, RSS %s", m.HeapAlloc>>20, strings.Join(strings.Fields(line)[1:], " "))
		}
	}
	return ""
}

func fill(t *testing.T, h *duckdb.History, to uint64) {
	cursor, err := h.Cursor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, start, top := cursor, time.Now(), time.Duration(0)
	for cursor < to {
		cursor++
		records := benchRecords(cursor)
		s := time.Now()
		if err := h.Append(t.Context(), cursor, records); err != nil {
			t.Fatal(err)
		}
		top = max(top, time.Since(s))
		if cursor%2000 == 0 {
			t.Logf("%d records, slowest append %v, %s", cursor*benchBatch, top, memory())
		}
	}
	if cursor > first {
		t.Logf("filled %.0f records/s, making them included", float64((cursor-first)*benchBatch)/time.Since(start).Seconds())
	}
}

// pace appends 5,000 records a second for a while.
func pace(t *testing.T, h *duckdb.History) {
	cursor, err := h.Cursor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var took []time.Duration
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 300 {
		cursor++
		records := benchRecords(cursor)
		<-tick.C
		s := time.Now()
		if err := h.Append(t.Context(), cursor, records); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(s))
	}
	slices.Sort(took)
	t.Logf("at 5,000/s: append median %v, p99 %v, max %v, %s", took[150], took[297], took[299], memory())
}

func looks(t *testing.T, h *duckdb.History) {
	cursor, err := h.Cursor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := benchRecords(cursor)
	early := benchRecords(cursor / 3)
	all := monitor.Query{From: monitortest.Epoch().Add(-2 * time.Hour), To: last[len(last)-1].At.Add(time.Hour), Limit: 100}
	with := func(change func(*monitor.Query)) monitor.Query { q := all; change(&q); return q }
	for _, c := range []struct {
		name string
		q    monitor.Query
	}{
		{"latest page", all},
		{"latest 500", with(func(q *monitor.Query) { q.Limit = 500 })},
		{"one member", with(func(q *monitor.Query) { q.Member = "bank-3" })},
		{"one host", with(func(q *monitor.Query) { q.Host = "ws0042.branch.example" })},
		{"host that is not", with(func(q *monitor.Query) { q.Host = "none" })},
		{"rare observable", with(func(q *monitor.Query) { q.Observable = early[7].Observables[2].Value })},
		{"frequent observable", with(func(q *monitor.Query) { q.Observable = "user42" })},
		{"observable that is not", with(func(q *monitor.Query) { q.Observable = "none.example" })},
		{"address", with(func(q *monitor.Query) { q.Observable = "10.0.4.2" })},
		{"frequent text", with(func(q *monitor.Query) { q.Text = "USER42\"" })},
		{"rare text", with(func(q *monitor.Query) { q.Text = early[7].Observables[2].Value })},
		{"old page", with(func(q *monitor.Query) { q.After = monitor.RecordKey{At: early[0].At, Number: early[0].Number} })},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		s := time.Now()
		page, err := h.Search(ctx, monitortest.Everyone(), c.q)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("search %-24s %v, %d records, searched to %v", c.name, time.Since(s).Round(100*time.Microsecond), len(page.Records), page.Searched)
	}
	for _, c := range []struct {
		name string
		q    monitor.Query
	}{{"all", all}, {"one member", with(func(q *monitor.Query) { q.Member = "bank-3" })}, {"observable", with(func(q *monitor.Query) { q.Observable = "user42" })}} {
		s := time.Now()
		if _, err := h.Histogram(t.Context(), monitortest.Everyone(), c.q, 100); err != nil {
			t.Fatal(err)
		}
		t.Logf("histogram %-21s %v", c.name, time.Since(s).Round(100*time.Microsecond))
	}
	s := time.Now()
	if _, err := h.Get(t.Context(), monitortest.Everyone(), early[7].ID); err != nil {
		t.Fatal(err)
	}
	t.Logf("get %v", time.Since(s).Round(100*time.Microsecond))
	var terms []monitor.Term
	for i := range 100_000 {
		switch i % 3 {
		case 0:
			terms = append(terms, monitor.Term{Kind: event.ObservableDomain, Value: fmt.Sprintf("e%d.example.net", i), Under: true})
		case 1:
			terms = append(terms, monitor.Term{Kind: event.ObservableIPv4, Value: fmt.Sprintf("203.%d.%d.0/24", i>>8&255, i&255)})
		default:
			terms = append(terms, monitor.Term{Kind: event.ObservableSHA256, Value: fmt.Sprintf("%064x", i)})
		}
	}
	terms = append(terms, monitor.Term{Kind: event.ObservableSHA256, Value: early[7].Observables[2].Value})
	for _, k := range []int{1, 100_000} {
		s = time.Now()
		hits, err := h.Find(t.Context(), terms[len(terms)-k:], all.From, all.To, 1000)
		if err != nil || len(hits) != 1 {
			t.Fatalf("Find: %d hits, %v", len(hits), err)
		}
		t.Logf("find of %d terms %v", k, time.Since(s).Round(100*time.Microsecond))
	}
}

// cpuTime of the process, which other programs' load changes less.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
