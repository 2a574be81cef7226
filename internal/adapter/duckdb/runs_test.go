package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// observed has one value of each table that is in no other record, and one
// that is in all.
func observed(seq uint64, n int) []monitor.Record {
	records := someRecords(seq, n)
	for i := range records {
		at := int(seq)*1000 + i
		records[i].Observables = []event.Observable{
			{Kind: event.ObservableAccount, Value: fmt.Sprint("account", at)},
			{Kind: event.ObservableHost, Value: "everywhere"},
			{Kind: event.ObservableIPv4, Value: fmt.Sprintf("10.0.%d.%d", at>>8, at&255)},
			{Kind: event.ObservableIPv6, Value: "2001:db8::1"},
		}
	}
	return records
}

// openRuns opens a history that sorts so many rows at once.
func openRuns(t *testing.T, path string, size int) *History {
	t.Helper()
	h, err := Open(t.Context(), Config{Path: path, RunRows: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() }) // closed already where the file is opened again
	return h
}

func appendObserved(t *testing.T, h *History, from, to uint64) {
	t.Helper()
	for seq := from; seq <= to; seq++ {
		if err := h.Append(t.Context(), seq, observed(seq, 100)); err != nil {
			t.Fatal(err)
		}
	}
}

// rowsOf counts the rows of a table.
func (e *engine) rowsOf(t *testing.T, table string) (n int64) {
	t.Helper()
	if err := e.db.QueryRowContext(t.Context(), `SELECT count(*) FROM history.`+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitSorted waits until less than a run is left of both tails.
func awaitSorted(t *testing.T, h *History) {
	t.Helper()
	for end := time.Now().Add(time.Minute); h.eng.hasRun(h.cfg.RunRows); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("runs are not sorted in a minute")
		}
	}
}

// checkObserved looks up what appendObserved has stored, and checks the count
// of rows that wait against the table.
func checkObserved(t *testing.T, h *History, upTo uint64) {
	t.Helper()
	q := monitor.Query{From: monitortest.Epoch(), To: monitortest.Epoch().Add(time.Hour), Limit: 10}
	count := func(value string) int64 {
		q.Observable = value
		buckets, err := h.Histogram(t.Context(), monitortest.Everyone(), q, 1)
		if err != nil {
			t.Fatal(err)
		}
		return buckets[0].Count
	}
	for _, everywhere := range []string{"everywhere", "2001:db8::1"} {
		if n := count(everywhere); n != int64(upTo)*100 {
			t.Errorf("%s: %d records, want %d", everywhere, n, upTo*100)
		}
	}
	for seq := uint64(1); seq <= upTo; seq++ {
		for _, o := range observed(seq, 100)[seq%100].Observables {
			if n := count(o.Value); n != 1 && n != int64(upTo)*100 {
				t.Errorf("%s: %d records, want 1", o.Value, n)
			}
		}
	}
	for _, table := range h.eng.tails() {
		rows, name := h.eng.rowsOf(t, table.table[len("history."):]), table.table
		if table.rows.Load() != rows {
			t.Errorf("%d rows of %s wait, the count says %d", rows, name, table.rows.Load())
		}
	}
}

func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	h := openRuns(t, path, 1500)
	appendObserved(t, h, 1, 40)
	awaitSorted(t, h)
	checkObserved(t, h, 40)
	if n := h.eng.rowsOf(t, "seen_runs"); n <= 40*200-1500-200 || n > 40*200 {
		t.Errorf("%d of %d rows are sorted", n, 40*200)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = openRuns(t, path, 1500)
	checkObserved(t, h, 40)
	appendObserved(t, h, 41, 60)
	awaitSorted(t, h)
	checkObserved(t, h, 60)
}

// TestRunIsSorted: a run has its rows by value, in which the engine's zone
// maps are of use, and a value's by number.
func TestRunIsSorted(t *testing.T) {
	h := openRuns(t, filepath.Join(t.TempDir(), "history.db"), 4000)
	appendObserved(t, h, 1, 20) // one run exactly
	awaitSorted(t, h)
	for table, values := range map[string]string{"seen_runs": "hash, 0", "addresses_runs": "hi, lo"} {
		rows, err := h.eng.db.QueryContext(t.Context(), `SELECT `+values+`, number FROM history.`+table)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }() // rows.Err has told
		var before, key [3]int64
		n := 0
		for ; rows.Next(); n++ {
			if err := rows.Scan(&key[0], &key[1], &key[2]); err != nil {
				t.Fatal(err)
			}
			if n > 0 && less(key, before) {
				t.Fatalf("%s: %v after %v", table, key, before)
			}
			before = key
		}
		if rows.Err() != nil || n != 4000 {
			t.Errorf("%s: %d rows, %v", table, n, rows.Err())
		}
	}
}

func less(a, b [3]int64) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// TestRunsAfterFailure: a run that cannot be made leaves all rows where they
// are.
func TestRunsAfterFailure(t *testing.T) {
	h := openRuns(t, filepath.Join(t.TempDir(), "history.db"), 1<<30)
	appendObserved(t, h, 1, 10)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := h.eng.sortRun(gone, h.eng.seen, 500); err == nil {
		t.Error("sorted without time")
	}
	if _, err := h.eng.sortRun(t.Context(), &tail{table: "history.seen", columns: "number", order: "number"}, 500); err == nil {
		t.Error("sorted without all columns")
	}
	checkObserved(t, h, 10)
	if n := h.eng.rowsOf(t, "seen_runs"); n != 0 {
		t.Errorf("%d rows are sorted", n)
	}
	if n, err := h.eng.sortRun(t.Context(), h.eng.seen, 501); n != 502 || err != nil { // whole records
		t.Errorf("%d rows sorted, %v", n, err)
	}
	checkObserved(t, h, 10)
}

// schemaV2 is the schema as the program of version 2 made it.
func schemaV2() []string {
	return []string{
		`CREATE TABLE old.meta (version INTEGER NOT NULL, secret BLOB NOT NULL)`,
		`CREATE TABLE old.ingest (upto BIGINT NOT NULL, segment BIGINT NOT NULL, size BIGINT NOT NULL)`,
		`CREATE TABLE old.events (
			number BIGINT NOT NULL, line INTEGER NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL,
			member VARCHAR NOT NULL, product VARCHAR NOT NULL, category VARCHAR NOT NULL,
			service VARCHAR NOT NULL, host VARCHAR NOT NULL, account VARCHAR NOT NULL)`,
		`CREATE TABLE old.batches (id VARCHAR NOT NULL, seq BIGINT NOT NULL)`,
		`CREATE TABLE old.seen (hash BIGINT NOT NULL, kind UTINYINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
		`CREATE TABLE old.addresses (hi BIGINT NOT NULL, lo BIGINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
	}
}

// makeV2 puts what the history at path holds into a file of version 2.
func makeV2(t *testing.T, path, to string) {
	t.Helper()
	connector, err := duck.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	statements := append([]string{
		`ATTACH ` + quote(path) + ` AS history`, `ATTACH ` + quote(to) + ` AS old (ROW_GROUP_SIZE 32768, STORAGE_VERSION 'v1.5.0')`,
	}, schemaV2()...)
	for _, table := range []string{"meta", "ingest", "events", "batches", "seen", "addresses"} {
		statements = append(statements, fmt.Sprintf(`INSERT INTO old.%s SELECT * FROM history.%[1]s`, table))
	}
	for _, s := range append(statements, `UPDATE old.meta SET version = 2`, `DETACH old`, `DETACH history`) {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := os.Rename(path+".records", to+".records"); err != nil {
		t.Fatal(err)
	}
}

// TestVersion2: a file of the version before is taken over, serves at once,
// and is sorted without an append.
func TestVersion2(t *testing.T) {
	dir := t.TempDir()
	h := openRuns(t, filepath.Join(dir, "new.db"), 1<<30)
	appendObserved(t, h, 1, 40)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "old.db")
	makeV2(t, filepath.Join(dir, "new.db"), old)

	h = openRuns(t, old, 1<<30)
	checkObserved(t, h, 40)
	if n := h.eng.rowsOf(t, "seen"); n != 8000 {
		t.Errorf("%d rows wait, want all 8000", n)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = openRuns(t, old, 1000)
	awaitSorted(t, h)
	checkObserved(t, h, 40)
	if n := h.eng.rowsOf(t, "seen_runs"); n < 7000 {
		t.Errorf("%d of 8000 rows are sorted", n)
	}
	appendObserved(t, h, 41, 50)
	awaitSorted(t, h)
	checkObserved(t, h, 50)
}

// TestVersionUnknown: a later program's file is left alone.
func TestVersionUnknown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	h := openRuns(t, path, 0)
	if _, err := h.eng.writer.ExecContext(t.Context(), `UPDATE history.meta SET version = 4`); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if h, err := Open(t.Context(), Config{Path: path}); err == nil {
		t.Error("opened a database of version 4")
		_ = h.Close()
	}
}
