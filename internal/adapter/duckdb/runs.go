package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// The observables' rows come in the order of the stream, in which a value's
// hash can be anywhere: the row groups' smallest and largest values rule none
// out. So whenever enough rows are together in such a table, the tail, they
// are moved into a second one in the order of their values, as a run. In a
// run a value is in one row group or two, and those that follow if it is
// frequent, where its rows are in the order of the stream.
//
// Readers see both tables through a view; a move is one transaction, so that
// they and whatever is left by a crash have every row once. The larger the
// runs the fewer there are to look into, but a look-up reads the whole tail:
// the sum is smallest at about the root of (rows x rows of a row group), which
// is 1.3 million for 10 million records of five observables and 4 million for
// 100 million.

// tail is one of the tables that runs are made of.
type tail struct {
	table   string
	columns string
	order   string       // of a run
	rows    atomic.Int64 // committed and not moved
}

// DefaultRunRows is how many rows make a run: see [Config].
const DefaultRunRows = 1 << 21

func newTails() (seen, addresses *tail) {
	return &tail{table: "history.seen", columns: "hash, kind, number, happened, place, member", order: "hash, number"},
		&tail{table: "history.addresses", columns: "hi, lo, number, happened, place, member", order: "hi, lo, number"}
}

func (e *engine) tails() []*tail { return []*tail{e.seen, e.addresses} }

// hasRun says whether a tail holds a whole run.
func (e *engine) hasRun(size int) bool {
	return slices.ContainsFunc(e.tails(), func(t *tail) bool { return t.rows.Load() >= int64(size) })
}

// countTails reads how many rows wait, which the engine keeps count of.
func (e *engine) countTails(ctx context.Context) error {
	for _, t := range e.tails() {
		var n int64
		if err := e.writer.QueryRowContext(ctx, `SELECT count(*) FROM `+t.table).Scan(&n); err != nil {
			return fmt.Errorf("rows of %s: %w", t.table, err)
		}
		t.rows.Store(n)
	}
	return nil
}

// sortRuns moves whole runs until less than one is left in each tail. A
// checkpoint follows each: it makes the space of the rows that are gone free
// for use again. Between two it rests as long as the last took, for a database
// that was never sorted has many to make.
func (h *History) sortRuns(ctx context.Context) error {
	e, err := h.current(ctx)
	if err != nil {
		return err
	}
	for _, t := range e.tails() {
		for t.rows.Load() >= int64(h.cfg.RunRows) {
			start := time.Now()
			h.log.Debug("history: sorting a run", "table", t.table)
			n, err := e.sortRun(ctx, t, h.cfg.RunRows)
			if err != nil {
				return fmt.Errorf("sort a run of %s: %w", t.table, e.note(err))
			}
			took := time.Since(start)
			h.log.Debug("history: sorted a run", "table", t.table, "rows", n, "took", took)
			h.checkpoint(ctx)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(took):
			}
		}
	}
	return nil
}

// sortRun moves the oldest rows, at least size. Both statements see the same
// rows, those of the transaction's beginning; the records that are appended
// meanwhile are not among them.
func (e *engine) sortRun(ctx context.Context, t *tail, size int) (int64, error) {
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var last int64
	err = tx.QueryRowContext(ctx, `SELECT number FROM `+t.table+` LIMIT 1 OFFSET $1`, size-1).Scan(&last)
	if err != nil {
		return 0, err
	}
	moved, err := tx.ExecContext(ctx, `INSERT INTO `+t.table+`_runs (`+t.columns+`)
		SELECT `+t.columns+` FROM `+t.table+` WHERE number <= $1 ORDER BY `+t.order, last)
	if err != nil {
		return 0, err
	}
	gone, err := tx.ExecContext(ctx, `DELETE FROM `+t.table+` WHERE number <= $1`, last)
	if err != nil {
		return 0, err
	}
	n, err := sameCount(moved, gone)
	if err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	t.rows.Add(-n)
	return n, nil
}

// sameCount is the number of rows that two statements were about.
func sameCount(a, b sql.Result) (int64, error) {
	m, err := a.RowsAffected()
	if err != nil {
		return 0, err
	}
	n, err := b.RowsAffected()
	if err != nil {
		return 0, err
	}
	if m != n || n == 0 {
		return 0, fmt.Errorf("%d rows written and %d removed", m, n)
	}
	return n, nil
}
