package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// appendLedger writes entries at the end of the chain, within the caller's
// transaction.
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
	for _, e := range entries {
		seq++
		hash = ledger.Chain(hash, seq, at, e)
		_, err := tx.ExecContext(ctx,
			`INSERT INTO ledger (seq, at, actor, action, object, member, detail, hash)
			 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			seq, micros(at), e.Actor, e.Action, e.Object, e.Member, e.Detail, hash)
		if err != nil {
			return fmt.Errorf("ledger entry: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE ledger_head SET hash = $1 WHERE id = 1`, hash); err != nil {
		return fmt.Errorf("ledger head: %w", err)
	}
	return nil
}

// ErrTampered means that the chain does not hold: an entry was changed,
// removed or added outside [DB.Write].
var ErrTampered = errors.New("ledger: the chain does not hold")

// VerifyLedger recomputes the whole chain and returns the number of entries;
// ErrTampered names the first entry that does not fit.
func (d *DB) VerifyLedger(ctx context.Context) (int64, error) {
	var head ledger.Stored
	err := d.read.QueryRowContext(ctx, `SELECT seq, hash FROM ledger_head WHERE id = 1`).Scan(&head.Seq, &head.Hash)
	if err != nil {
		return 0, fmt.Errorf("ledger head: %w", err)
	}
	rows, err := d.read.QueryContext(ctx,
		`SELECT seq, at, actor, action, object, member, detail, hash FROM ledger WHERE seq <= $1 ORDER BY seq`, head.Seq)
	if err != nil {
		return 0, fmt.Errorf("read ledger: %w", err)
	}
	defer rows.Close()
	var last ledger.Stored
	for rows.Next() {
		e, err := scanLedger(rows)
		if err != nil {
			return last.Seq, err
		}
		if e.Seq != last.Seq+1 || e.Hash != ledger.Chain(last.Hash, e.Seq, e.At, e.Entry) {
			return last.Seq, fmt.Errorf("%w at entry %d", ErrTampered, last.Seq+1)
		}
		last = e
	}
	if err := rows.Err(); err != nil {
		return last.Seq, fmt.Errorf("read ledger: %w", err)
	}
	if last.Seq != head.Seq || last.Hash != head.Hash {
		return last.Seq, fmt.Errorf("%w: it ends at %d, not at %d", ErrTampered, last.Seq, head.Seq)
	}
	return last.Seq, nil
}

func scanLedger(rows *sql.Rows) (ledger.Stored, error) {
	var s ledger.Stored
	var at int64
	err := rows.Scan(&s.Seq, &at, &s.Actor, &s.Action, &s.Object, &s.Member, &s.Detail, &s.Hash)
	s.At = fromMicros(at)
	if err != nil {
		return s, fmt.Errorf("read ledger: %w", err)
	}
	return s, nil
}
