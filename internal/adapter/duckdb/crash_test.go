package duckdb_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// childPath, when set, makes the test binary append batches of crashBatch
// records to the database there until it is killed. It prints each position
// when it begins and when it is stored.
const (
	childPath  = "DUCKDB_CHILD_PATH"
	crashBatch = 3000
)

func runChild() bool {
	path := os.Getenv(childPath)
	if path == "" {
		return false
	}
	fmt.Fprintln(os.Stderr, "child:", appendForEver(path))
	return true
}

func appendForEver(path string) error {
	ctx := context.Background()
	// A small log, so that the kill falls into checkpoints as well.
	h, err := duckdb.Open(ctx, duckdb.Config{Path: path, CheckpointMB: 4})
	if err != nil {
		return err
	}
	seq, err := h.Cursor(ctx)
	if err != nil {
		return err
	}
	for {
		seq++
		fmt.Println("begin", seq)
		if err := h.Append(ctx, seq, crashRecords(seq)); err != nil {
			return err
		}
		fmt.Println("stored", seq)
	}
}

func crashRecords(seq uint64) []monitor.Record {
	records := make([]monitor.Record, crashBatch)
	for i := range records {
		r := monitortest.NewRecord("a", time.Duration(seq)*time.Second, fmt.Sprintf("record %d of %d %s", i, seq, strings.Repeat("x", 300)))
		r.Observables = []event.Observable{
			{Kind: event.ObservableDomain, Value: "evil.example"}, {Kind: event.ObservableIPv4, Value: "192.0.2.1"},
		}
		records[i] = r
	}
	monitortest.Number(seq, records)
	return records
}

// killChild runs a child until it has begun a batch after some time, kills it
// (SIGKILL) after a further pause, and returns the last position it stored.
func killChild(t *testing.T, path string, pause time.Duration) (stored uint64) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childPath+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		switch {
		case err != nil:
		case what == "stored":
			stored = n
		case what == "begin":
			if begun++; begun == 4 {
				time.AfterFunc(pause, func() { _ = cmd.Process.Kill() })
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return stored
}

// TestKill: after a kill in the middle of an append or a checkpoint, rows and
// cursor agree in all tables, and nothing that was stored is lost.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	between := 0
	for round := range 8 {
		stored := killChild(t, path, time.Duration(round*7)*time.Millisecond)
		h, err := duckdb.Open(t.Context(), duckdb.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		cursor, err := h.Cursor(t.Context())
		if err != nil || cursor < stored || cursor > stored+1 {
			t.Fatalf("cursor %d after %d was stored, %v", cursor, stored, err)
		}
		between += int(cursor - stored)
		span := monitor.Query{From: monitortest.Epoch(), To: monitortest.Epoch().Add(time.Hour)}
		for _, q := range []monitor.Query{{}, {Observable: "evil.example"}, {Observable: "192.0.2.1"}} {
			q.From, q.To = span.From, span.To
			buckets, err := h.Histogram(t.Context(), monitortest.Everyone(), q, 1)
			if err != nil || buckets[0].Count != int64(cursor)*crashBatch {
				t.Fatalf("%q: %d records, want %d of %d batches, %v", q.Observable, buckets[0].Count, int64(cursor)*crashBatch, cursor, err)
			}
		}
		for seq := uint64(1); seq <= cursor; seq++ {
			id := crashRecords(seq)[crashBatch-1].ID
			if _, err := h.Get(t.Context(), monitortest.Everyone(), id); err != nil {
				t.Fatalf("Get(%s): %v", id, err)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 8 kills fell between the commit and its acknowledgement", between)
}
