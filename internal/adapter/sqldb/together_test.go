package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
)

func note(ctx context.Context, db *DB, object string, after error) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		err := db.appendLedger(ctx, tx, ledger.Entry{Actor: "system", Action: "test.write", Object: object})
		return errors.Join(err, after)
	})
}

func noted(t *testing.T, ctx context.Context, db *DB) (n int) {
	t.Helper()
	must(t, db.read.QueryRowContext(ctx, `SELECT count(*) FROM ledger WHERE action = 'test.write'`).Scan(&n))
	return n
}

// TestTogether: several writes are one transaction, of which each that fails
// takes back its own changes only.
func TestTogether(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, refused := context.Background(), errors.New("refused")
		must(t, db.Together(ctx, func(ctx context.Context) error {
			must(t, note(ctx, db, "n:1", nil))
			if err := note(ctx, db, "n:2", refused); !errors.Is(err, refused) {
				t.Errorf("the write that fails: %v", err)
			}
			// What the engine itself refuses does not end the transaction.
			twice := func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO ledger_head SELECT id, seq, hash FROM ledger_head`)
				return err
			}
			if err := db.Write(ctx, twice); !isDuplicate(err) {
				t.Errorf("a duplicate: %v", err)
			}
			must(t, note(ctx, db, "n:3", nil))
			if n := noted(t, ctx, db); n != 2 {
				t.Errorf("within, %d writes are seen", n)
			}
			must(t, db.Together(ctx, func(ctx context.Context) error { return note(ctx, db, "n:4", nil) }))
			return nil
		}))
		if n := noted(t, ctx, db); n != 3 {
			t.Errorf("%d writes, want 3", n)
		}
		err := db.Together(ctx, func(ctx context.Context) error {
			must(t, note(ctx, db, "n:5", nil))
			return refused
		})
		if n := noted(t, ctx, db); !errors.Is(err, refused) || n != 3 {
			t.Errorf("what fails as a whole leaves %d writes, %v", n, err)
		}
		if _, err := db.VerifyLedger(ctx); err != nil {
			t.Error(err)
		}
	})
}

// forgetful keeps no answer until it is told to.
type forgetful struct {
	*Replays
	fails bool
}

func (f *forgetful) Keep(ctx context.Context, slot, answer string) error {
	if f.fails {
		return errs.New(errs.Unavailable, "error.unavailable.text")
	}
	return f.Replays.Keep(ctx, slot, answer)
}

type nothing struct {
	Body struct {
		Done bool `json:"done"`
	}
}

// TestAnswerIsKeptWithTheChange: what a request changes and the answer that is
// kept for when it comes again are there together, or neither is.
func TestAnswerIsKeptWithTheChange(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		texts, err := i18n.Load()
		must(t, err)
		sealer, err := seal.New(make([]byte, seal.KeySize), "replays")
		must(t, err)
		store := &forgetful{Replays: db.Replays(), fails: true}
		routes := access.New(httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil))
		routes.Remember(access.NewMemory(store, sealer, time.Now))
		failing := errs.New(errs.Conflict, "api.stale")
		access.Operation(routes, "POST /api/v1/members", sector.WriteMembers,
			access.Doc{ID: "member-create", Tag: "members", Creates: true, Status: http.StatusCreated},
			func(ctx context.Context, _ *struct{}) (*nothing, error) {
				must(t, note(ctx, db, "n:1", nil))
				if failing != nil {
					return nil, failing
				}
				return &nothing{}, nil
			})
		ask := func() int {
			ctx := sector.WithViewer(t.Context(), sector.Viewer{Org: sector.Centre, User: "u", Roles: []sector.Role{sector.Administrator}})
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/members", strings.NewReader(""))
			r.Header.Set("Idempotency-Key", "k")
			w := httptest.NewRecorder()
			routes.ServeHTTP(w, r)
			return w.Code
		}
		steps := []struct {
			name         string
			before       func()
			status, done int
		}{
			{"what a failure wrote stays", func() {}, http.StatusConflict, 1},
			{"without the answer no change", func() { failing = nil }, http.StatusServiceUnavailable, 1},
			{"both", func() { store.fails = false }, http.StatusCreated, 2},
			{"the kept answer", func() {}, http.StatusCreated, 2},
		}
		for _, s := range steps {
			s.before()
			if status := ask(); status != s.status {
				t.Errorf("%s: status %d, want %d", s.name, status, s.status)
			}
			if n := noted(t, t.Context(), db); n != s.done {
				t.Errorf("%s: done %d times, want %d", s.name, n, s.done)
			}
		}
	})
}
