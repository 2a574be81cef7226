package duckdb_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
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
// when it begins and when it is stored, and what it logs.
const (
	childPath  = "DUCKDB_CHILD_PATH"
	crashBatch = 3000
	crashRun   = 30_000 // rows: a run for every tenth batch
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
	h, err := duckdb.Open(ctx, duckdb.Config{Path: path, CheckpointMB: 4, RunRows: crashRun,
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug}))})
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

// killChild runs a child until a line with until in it has come four times,
// kills it (SIGKILL) after a further pause, and returns the last position it
// stored and whether it was making a run.
func killChild(t *testing.T, path, until string, pause time.Duration) (stored uint64, moving bool) {
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
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if number, ok := strings.CutPrefix(lines.Text(), "stored "); ok {
			if stored, err = strconv.ParseUint(number, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(lines.Text(), " a run") {
			moving = strings.Contains(lines.Text(), "sorting")
		}
		if strings.Contains(lines.Text(), until) {
			if seen++; seen == 4 {
				time.AfterFunc(pause, func() { _ = cmd.Process.Kill() })
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return stored, moving
}

// TestKill: after a kill in the middle of an append, a checkpoint or a move of
// rows into a run, rows and cursor agree in all tables, and nothing that was
// stored is lost or there twice.
func TestKill(t *testing.T) {
	for name, until := range map[string]string{"append": "begin ", "run": "sorting a run", "after a run": "sorted a run"} {
		t.Run(name, func(t *testing.T) { killTimes(t, until) })
	}
}

func killTimes(t *testing.T, until string) {
	path := filepath.Join(t.TempDir(), "history.db")
	between, moves := 0, 0
	for round := range 8 {
		stored, moving := killChild(t, path, until, time.Duration(round*3)*time.Millisecond)
		if moving {
			moves++
		}
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
	t.Logf("of 8 kills %d fell into a move, %d between a commit and its acknowledgement", moves, between)
}
