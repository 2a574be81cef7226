package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
)

func TestLedger(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		const writers, each = 4, 10
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range each {
					err := db.Write(ctx, func(tx *sql.Tx) error {
						return db.appendLedger(ctx, tx, ledger.Entry{Actor: fmt.Sprint("user:", w), Action: "test.write", Object: fmt.Sprint("n:", i)})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n, err := db.VerifyLedger(ctx); err != nil || n != writers*each {
			t.Fatalf("VerifyLedger = %d, %v; want %d entries", n, err, writers*each)
		}
	})
}

// A tampered ledger must be found wherever the change is.
func TestLedgerTampering(t *testing.T) {
	for name, tamper := range map[string]string{
		"changed":       `UPDATE ledger SET actor = 'user:other' WHERE seq = 2`,
		"removed":       `DELETE FROM ledger WHERE seq = 2`,
		"last removed":  `DELETE FROM ledger WHERE seq = 3`,
		"added":         `INSERT INTO ledger SELECT 4, at, actor, action, object, member, detail, hash FROM ledger WHERE seq = 3`,
		"hash replaced": `UPDATE ledger SET hash = 'x' WHERE seq = 3`,
		"head replaced": `UPDATE ledger_head SET hash = 'x'`,
	} {
		t.Run(name, func(t *testing.T) {
			forEachEngine(t, func(t *testing.T, db *DB) {
				ctx := context.Background()
				e := ledger.Entry{Actor: "system", Action: "test.write", Object: "n:1"}
				must(t, db.Write(ctx, func(tx *sql.Tx) error { return db.appendLedger(ctx, tx, e, e, e) }))
				must(t, db.Write(ctx, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, tamper)
					return err
				}))
				if name == "added" { // beyond the head: not part of the chain
					must(t, db.Write(ctx, func(tx *sql.Tx) error {
						_, err := tx.ExecContext(ctx, `UPDATE ledger_head SET seq = 4`)
						return err
					}))
				}
				if _, err := db.VerifyLedger(ctx); !errors.Is(err, errChain) {
					t.Errorf("VerifyLedger: %v, want errChain", err)
				}
			})
		})
	}
}

func TestJobsRunOnceTheirChangeIsCommitted(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan string, 4)
		fail := errors.New("roll back")
		if err := db.Write(ctx, func(tx *sql.Tx) error {
			must(t, db.enqueue(ctx, tx, jobs.New("test.never", "rolled back")))
			return fail
		}); !errors.Is(err, fail) {
			t.Fatal(err)
		}
		must(t, db.Write(ctx, func(tx *sql.Tx) error {
			return db.enqueue(ctx, tx, jobs.New("test.once", "kept"))
		}))
		handlers := map[string]jobs.Handler{
			"test.once": func(_ context.Context, args json.RawMessage) error {
				done <- string(args)
				return nil
			},
			"test.never": func(context.Context, json.RawMessage) error {
				done <- "a job whose change was rolled back ran"
				return nil
			},
		}
		var stopped sync.WaitGroup
		stopped.Go(func() { must(t, db.RunJobs(ctx, handlers)) })
		select {
		case got := <-done:
			if got != `"kept"` {
				t.Errorf("got %s", got)
			}
		case <-time.After(20 * time.Second):
			t.Error("the job did not run")
		}
		cancel()
		stopped.Wait()
	})
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aspis.db")
	log := slog.New(slog.DiscardHandler)
	db, err := Open(context.Background(), path, log)
	must(t, err)
	must(t, db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		return err
	}))
	must(t, db.Close())
	if _, err := Open(context.Background(), path, log); !errors.Is(err, ErrNewer) {
		t.Errorf("Open: %v, want ErrNewer", err)
	}
}

func TestReadPoolCannotWrite(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "aspis.db"))
	if _, err := db.Read().Exec(`DELETE FROM ledger_head`); err == nil {
		t.Error("the read pool wrote")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
