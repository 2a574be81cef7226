//go:build measure

package duckdb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

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
	sortAll(t, h, path)
	fill(t, h, uint64(n/benchBatch))
	sortAll(t, h, path)
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

// sortAll waits until less than a run of each kind is left.
func sortAll(t *testing.T, h *duckdb.History, path string) {
	start, before := time.Now(), h.Unsorted()
	for h.HasRun() {
		time.Sleep(10 * time.Millisecond)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sorted %d rows in %v, %d are left; file of %d MiB, %s",
		before-h.Unsorted(), time.Since(start).Round(time.Millisecond), h.Unsorted(), info.Size()>>20, memory())
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
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	s := time.Now()
	_, err = h.Histogram(ctx, monitortest.Everyone(), with(func(q *monitor.Query) { q.Text = "none" }), 100)
	cancel()
	t.Logf("histogram within 20 ms %v: %v", time.Since(s).Round(100*time.Microsecond), err)
	s = time.Now()
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
