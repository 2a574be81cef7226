package duckdb_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// TestFullDisk fills the file system under the database, which needs root:
// appends fail and store nothing, reads go on, and once there is room the
// same append succeeds.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("no small file system to fill (mounting needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := duckdb.Open(t.Context(), duckdb.Config{
		Path: filepath.Join(disk, "history.db"), CheckpointMB: 4, RunRows: 1000,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	seq := uint64(0)
	for err == nil && seq < 1000 {
		seq++
		err = h.Append(t.Context(), seq, noisyRecords(seq))
	}
	if err == nil {
		t.Fatal("the disk did not fill")
	}
	t.Logf("append %d: %v", seq, err)
	if h.Check(t.Context()) == nil {
		t.Error("Check of a database that could not store found nothing")
	}
	count := func() int64 {
		t.Helper()
		found, err := h.Histogram(t.Context(), monitortest.Everyone(), monitor.Query{
			From: monitortest.Epoch(), To: monitortest.Epoch().Add(24 * time.Hour), Observable: "192.0.2.1"}, 1)
		if err != nil {
			t.Fatalf("Histogram: %v", err)
		}
		buckets, err := h.Histogram(t.Context(), monitortest.Everyone(),
			monitor.Query{From: monitortest.Epoch(), To: monitortest.Epoch().Add(24 * time.Hour)}, 1)
		if err != nil {
			t.Fatalf("Histogram: %v", err)
		}
		if found[0].Count != buckets[0].Count {
			t.Errorf("%d records, %d with the address that all have", buckets[0].Count, found[0].Count)
		}
		return buckets[0].Count
	}
	cursor, err := h.Cursor(t.Context())
	if err != nil || count() != int64(cursor)*noisyBatch {
		t.Fatalf("cursor %d, %d records, %v", cursor, count(), err)
	}
	for range 3 {
		if h.Append(t.Context(), cursor+1, noisyRecords(cursor+1)) == nil {
			cursor++
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		cursor++
		if err := h.Append(t.Context(), cursor, noisyRecords(cursor)); err != nil {
			t.Fatalf("append %d once there is room: %v", cursor, err)
		}
	}
	if count() != int64(cursor)*noisyBatch {
		t.Errorf("cursor %d, %d records", cursor, count())
	}
	if err := h.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

const noisyBatch = 200

// noisyRecords do not compress.
func noisyRecords(seq uint64) []monitor.Record {
	records := make([]monitor.Record, noisyBatch)
	for i := range records {
		records[i] = monitortest.NewRecord("a", time.Duration(seq)*time.Second, noise(int(seq)*noisyBatch+i, 2000))
		records[i].Observables = []event.Observable{
			{Kind: event.ObservableAccount, Value: noise(i, 20)}, {Kind: event.ObservableIPv4, Value: "192.0.2.1"},
		}
	}
	monitortest.Number(seq, records)
	return records
}

func noise(n, size int) string {
	text := make([]byte, size)
	x := uint64(n)*0x9e3779b97f4a7c15 + 1
	for i := range text {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		text[i] = ' ' + byte(x>>40)%95
	}
	return string(text)
}
