package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// joint is a transaction that several writes are part of.
type joint struct {
	mu    sync.Mutex // one write after the other
	tx    *sql.Tx
	again error // what the engine asked to retry for; nil: nothing
}

// jointKey names the joint transaction of a database in a context.
type jointKey struct{ *DB }

func (d *DB) jointOf(ctx context.Context) *joint {
	j, _ := ctx.Value(jointKey{d}).(*joint)
	return j
}

// Together runs work with a context in which every [DB.Write] is part of one
// transaction and every read sees it: what work writes is on disk together,
// or not at all, when Together returns. A Write that fails takes back its own
// changes only. work runs again where the engine asks to retry; with the
// context it must not outlive Together.
func (d *DB) Together(ctx context.Context, work func(ctx context.Context) error) error {
	if d.jointOf(ctx) != nil {
		return work(ctx)
	}
	return d.retried(ctx, func() error {
		return d.writeOnce(ctx, func(tx *sql.Tx) error {
			j := &joint{tx: tx}
			if err := work(context.WithValue(ctx, jointKey{d}, j)); err != nil {
				return err
			}
			return j.again
		})
	})
}

// write is one write of several. Its savepoint takes it back when it fails.
func (j *joint) write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.again != nil {
		return j.again
	}
	if _, err := j.tx.ExecContext(ctx, `SAVEPOINT one_write`); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	failed := fn(j.tx)
	if retryable(failed) {
		j.again = failed
		return failed
	}
	if failed != nil {
		if _, err := j.tx.ExecContext(context.WithoutCancel(ctx), `ROLLBACK TO SAVEPOINT one_write`); err != nil {
			j.again = fmt.Errorf("take a write back: %w", err)
		}
	}
	if _, err := j.tx.ExecContext(context.WithoutCancel(ctx), `RELEASE SAVEPOINT one_write`); err != nil && failed == nil {
		return fmt.Errorf("end a savepoint: %w", err)
	}
	return failed
}

// retried runs a transaction until the engine does not ask to retry it.
func (d *DB) retried(ctx context.Context, once func() error) error {
	var err error
	for attempt := range writeAttempts {
		if err = once(); !retryable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1<<attempt) * 5 * time.Millisecond):
		}
	}
	return err
}

// reads is the pool to query with. Within [DB.Together] queries go through its
// transaction, and so see what it has written.
type reads struct {
	*sql.DB
	of *DB
}

// QueryContext is that of [sql.DB].
func (r reads) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if j := r.of.jointOf(ctx); j != nil {
		return j.tx.QueryContext(ctx, query, args...)
	}
	return r.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of [sql.DB].
func (r reads) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if j := r.of.jointOf(ctx); j != nil {
		return j.tx.QueryRowContext(ctx, query, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...)
}
