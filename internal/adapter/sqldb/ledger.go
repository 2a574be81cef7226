package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
)

// Telling makes every change enqueue the jobs that tell makes of the entry
// that explains it, in the change's own transaction: whatever is done to an
// account is told to its person, by whatever way it was done. tell is called
// again when a transaction is. It is set before the database is used.
func (d *DB) Telling(tell func(ledger.Entry) []jobs.Job) { d.tell = tell }

// appendLedger writes entries at the end of the chain, within the caller's
// transaction, and enqueues what is to be told of them.
func (d *DB) appendLedger(ctx context.Context, tx *sql.Tx, entries ...ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var seq int64
	var hash string
	err := tx.QueryRowContext(ctx,
		`UPDATE ledger_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, hash`, len(entries)).Scan(&seq, &hash)
	if err != nil {
		return fmt.Errorf("ledger head: %w", err)
	}
	seq -= int64(len(entries))
	at := d.now().UTC()
	for part := range chunks(entries, rowsAtOnce) {
		v := values{columns: 8}
		for _, e := range part {
			seq++
			hash = ledger.Chain(hash, seq, at, e)
			v.add(seq, micros(at), e.Actor, e.Action, e.Object, e.Member, e.Detail, hash)
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO ledger (seq, at, actor, action, object, member, detail, hash) VALUES `+v.String(), v.args...)
		if err != nil {
			return fmt.Errorf("ledger entry: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE ledger_head SET hash = $1 WHERE id = 1`, hash); err != nil {
		return fmt.Errorf("ledger head: %w", err)
	}
	if d.tell == nil {
		return nil
	}
	var work []jobs.Job
	for _, e := range entries {
		work = append(work, d.tell(e)...)
	}
	return d.enqueue(ctx, tx, work...)
}

// Ledger reads the ledger, and writes entries that explain no change of state
// but something that was seen or done.
type Ledger struct{ db *DB }

// Ledger returns the ledger's store.
func (d *DB) Ledger() *Ledger { return &Ledger{d} }

// Note writes entries by themselves.
func (l *Ledger) Note(ctx context.Context, entries ...ledger.Entry) error {
	return full(l.db.Write(ctx, func(tx *sql.Tx) error { return l.db.appendLedger(ctx, tx, entries...) }))
}

// NoteOnce writes the entry the first time that its actor does this to this
// version of the object, and nothing later.
func (l *Ledger) NoteOnce(ctx context.Context, version string, e ledger.Entry) error {
	var known int
	err := l.db.read.QueryRowContext(ctx, `SELECT 1 FROM ledger_seen WHERE object = $1 AND version = $2 AND viewer = $3`,
		e.Object, version, e.Actor).Scan(&known)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return full(l.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx,
			`INSERT INTO ledger_seen (object, version, viewer) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, e.Object, version, e.Actor)
		if err != nil {
			return fmt.Errorf("note: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return l.db.appendLedger(ctx, tx, e)
	}))
}

const ledgerColumns = `seq, at, actor, action, object, member, detail, hash`

// LedgerAfter returns at most limit entries behind a number, in order.
func (l *Ledger) LedgerAfter(ctx context.Context, seq int64, limit int) ([]ledger.Stored, error) {
	rows, err := l.db.read.QueryContext(ctx,
		`SELECT `+ledgerColumns+` FROM ledger WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, limit)
	list, err := collect(rows, err, scanLedger)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return list, nil
}

// LedgerHead is the number and the hash of the last entry; 0 and empty for
// none.
func (l *Ledger) LedgerHead(ctx context.Context) (seq int64, hash string, err error) {
	err = l.db.read.QueryRowContext(ctx, `SELECT seq, hash FROM ledger_head WHERE id = 1`).Scan(&seq, &hash)
	if err != nil {
		return 0, "", fmt.Errorf("ledger head: %w", err)
	}
	return seq, hash, nil
}

// LedgerEnd is the number of the last entry.
func (l *Ledger) LedgerEnd(ctx context.Context) (int64, error) {
	seq, _, err := l.LedgerHead(ctx)
	return seq, err
}

// ScanLedger calls fn for every entry in order until it fails.
func (l *Ledger) ScanLedger(ctx context.Context, fn func(ledger.Stored) error) error {
	rows, err := l.db.read.QueryContext(ctx, `SELECT `+ledgerColumns+` FROM ledger ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		s, err := scanLedger(rows)
		if err != nil {
			return fmt.Errorf("read ledger: %w", err)
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	return rows.Err()
}

// LastOf is the newest entry of an action; false when there is none.
func (l *Ledger) LastOf(ctx context.Context, action string) (ledger.Stored, bool, error) {
	s, err := scanLedger(l.db.read.QueryRowContext(ctx,
		`SELECT `+ledgerColumns+` FROM ledger WHERE action = $1 ORDER BY seq DESC LIMIT 1`, action))
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

func scanLedger(row scanner) (ledger.Stored, error) {
	var s ledger.Stored
	var at int64
	err := row.Scan(&s.Seq, &at, &s.Actor, &s.Action, &s.Object, &s.Member, &s.Detail, &s.Hash)
	s.At = fromMicros(at)
	return s, err
}
