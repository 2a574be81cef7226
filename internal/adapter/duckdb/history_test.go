package duckdb_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string) *duckdb.History {
	t.Helper()
	h, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(dir, "it's a history.db")})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return h
}

func TestHistory(t *testing.T) {
	monitortest.TestHistory(t, func(t *testing.T, dir string) monitortest.ClosableHistory { return open(t, dir) })
}

// TestHistorySorting is the same while runs of a few rows are being made all
// the time.
func TestHistorySorting(t *testing.T) {
	monitortest.TestHistory(t, func(t *testing.T, dir string) monitortest.ClosableHistory {
		h, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(dir, "history.db"), RunRows: 7})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		return h
	})
}
