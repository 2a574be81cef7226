package tiles

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/ledger"
)

// entriesAtOnce is a transaction of the detector: the alerts that one chunk of
// records raises are written together.
const entriesAtOnce = 64

func benchWorld(b *testing.B) (*sqldb.DB, *Publisher, *world) {
	b.Helper()
	w := newWorld(b, filepath.Join(b.TempDir(), "ledger"))
	db, err := sqldb.Open(b.Context(), filepath.Join(b.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	l, err := Open(b.Context(), Config{Dir: w.dir, Key: w.key})
	if err != nil {
		b.Fatal(err)
	}
	return db, NewPublisher(l, db.Ledger(), w.blind, slog.New(slog.DiscardHandler)), w
}

func write(b *testing.B, db *sqldb.DB, n, atOnce int) {
	b.Helper()
	for done := 0; done < n; done += atOnce {
		entries := make([]ledger.Entry, min(atOnce, n-done))
		for i := range entries {
			entries[i] = ledger.Entry{Actor: "user:7fj3k2m9q0x1v5t8", Action: "advisory.view", Object: fmt.Sprint("advisory:0190a5c2-", done+i),
				Member: "north-bank", Detail: `{"revision":3,"tlp":"AMBER+STRICT"}`}
		}
		if err := db.Ledger().Note(context.Background(), entries...); err != nil {
			b.Fatal(err)
		}
	}
}

func publishAll(b *testing.B, p *Publisher) {
	b.Helper()
	for more := true; more; {
		var err error
		if more, err = p.Step(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// cpu is the processor time that this process has taken.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLedger writes entries to the database in transactions of
// entriesAtOnce, each on disk before the next, while the publisher copies them
// into the log as it does in the program, and waits for the last signature.
func BenchmarkLedger(b *testing.B) {
	const n = 100_000
	for range b.N {
		db, p, _ := benchWorld(b)
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		began, used := time.Now(), cpu()
		go func() { ended <- p.Run(ctx) }()
		write(b, db, n, entriesAtOnce)
		rows := time.Since(began)
		for p.State().Published < n {
			if err := p.State().Err; err != nil {
				b.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		took := time.Since(began)
		b.ReportMetric(n/took.Seconds(), "entries/s")
		b.ReportMetric(n/rows.Seconds(), "rows/s")
		b.ReportMetric(float64((cpu()-used).Microseconds())/n, "cpu-µs/entry")
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify checks a ledger of a million entries: rows, chain, leaves,
// tree, files.
func BenchmarkVerify(b *testing.B) {
	const n = 1_000_000
	db, p, w := benchWorld(b)
	write(b, db, n, 10_000)
	publishAll(b, p)
	b.ResetTimer()
	for range b.N {
		used := cpu()
		r, err := Verify(b.Context(), db.Ledger(), w.blind, w.dir, "", w.vkey)
		if err != nil || len(r.Findings) > 0 || r.InLog != n {
			b.Fatalf("%+v, %v", r, err)
		}
		b.ReportMetric((cpu() - used).Seconds(), "cpu-s")
	}
}
