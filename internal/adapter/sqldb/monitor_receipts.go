package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Receipts keeps the door's receipts and dead letters.
type Receipts struct{ db *DB }

var _ monitor.Receipts = (*Receipts)(nil)

// Receipts is the store of the door.
func (d *DB) Receipts() *Receipts { return &Receipts{d} }

// full tells a full disk apart, so that the sender is told.
func full(err error) error {
	if IsFull(err) {
		return errs.New(errs.Full, "door.full").Because(err)
	}
	return err
}

// Find implements monitor.Receipts.
func (s *Receipts) Find(ctx context.Context, batch, slot string) ([]monitor.Receipt, error) {
	const columns = `SELECT batch, slot, body, member, accepted, rejected, at, partial FROM receipt `
	rows, err := s.db.read.QueryContext(ctx,
		columns+`WHERE batch = $1 UNION ALL `+columns+`WHERE slot = $2 AND slot <> '' AND batch <> $1 LIMIT 8`, batch, slot)
	list, err := collect(rows, err, scanReceipt)
	if err != nil {
		return nil, fmt.Errorf("find receipt: %w", err)
	}
	return list, nil
}

func scanReceipt(row scanner) (monitor.Receipt, error) {
	var r monitor.Receipt
	var rejected string
	var at, partial int64
	err := row.Scan(&r.Batch, &r.Slot, &r.Body, &r.Member, &r.Accepted, &rejected, &at, &partial)
	r.At, r.Partial = fromMicros(at), partial != 0
	if err == nil && rejected != "" {
		err = json.Unmarshal([]byte(rejected), &r.Rejected)
	}
	return r, err
}

// Keep implements monitor.Receipts.
func (s *Receipts) Keep(ctx context.Context, r monitor.Receipt, letters []monitor.DeadLetter, resent monitor.Resent) error {
	rejected := ""
	if len(r.Rejected) > 0 {
		raw, err := json.Marshal(r.Rejected)
		if err != nil {
			return fmt.Errorf("keep receipt: %w", err)
		}
		rejected = string(raw)
	}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO receipt (batch, slot, body, member, accepted, rejected, at, partial)
			 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			 ON CONFLICT (batch) DO UPDATE SET slot = excluded.slot, body = excluded.body,
			     rejected = excluded.rejected, partial = 0 WHERE receipt.partial = 1`,
			r.Batch, r.Slot, r.Body, r.Member, r.Accepted, rejected, micros(r.At), flag(r.Partial))
		if err != nil {
			return err
		}
		if err := putLetters(ctx, tx, letters); err != nil || resent.Letter == "" {
			return err
		}
		if err := s.takeLetter(ctx, tx, r.Member, resent.Letter, resent.Entry); !errs.Is(err, errs.NotFound) {
			return err
		}
		return nil // removed before, with its entry
	})
	if err != nil {
		return full(fmt.Errorf("keep receipt: %w", err))
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// putLetters adds dead letters of one or more members and lets the oldest go
// where a member has too many.
func putLetters(ctx context.Context, tx *sql.Tx, letters []monitor.DeadLetter) error {
	members := map[sector.MemberID]bool{}
	for part := range chunks(letters, rowsAtOnce) {
		v := values{columns: 8}
		for _, l := range part {
			v.add(l.ID, l.Member, micros(l.At), l.Line, l.Reason, l.Offset, l.Bytes, nonNil(l.Raw))
			members[l.Member] = true
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO dead_letter (id, member, at, line, reason, place, bytes, raw) VALUES `+v.String()+
				` ON CONFLICT (id) DO NOTHING`, v.args...)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
	}
	for m := range members {
		_, err := tx.ExecContext(ctx,
			`DELETE FROM dead_letter WHERE member = $1 AND number <= (
			    SELECT number FROM dead_letter WHERE member = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)`,
			m, monitor.MaxLetters)
		if err != nil {
			return fmt.Errorf("trim dead letters: %w", err)
		}
	}
	return nil
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// values builds the VALUES of an insert of several rows.
type values struct {
	columns int
	text    strings.Builder
	args    []any
}

func (v *values) add(row ...any) {
	if v.text.Len() > 0 {
		v.text.WriteByte(',')
	}
	v.text.WriteByte('(')
	for i := range v.columns {
		if i > 0 {
			v.text.WriteByte(',')
		}
		v.args = append(v.args, row[i])
		fmt.Fprintf(&v.text, "$%d", len(v.args))
	}
	v.text.WriteByte(')')
}

func (v *values) String() string { return v.text.String() }

// chunks yields list in parts of at most n, so that no statement has too many
// parameters.
func chunks[T any](list []T, n int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(list) > 0 {
			part := list[:min(n, len(list))]
			list = list[len(part):]
			if !yield(part) {
				return
			}
		}
	}
}

const letterPreview = 200

// Letters implements monitor.Receipts.
func (s *Receipts) Letters(ctx context.Context, member sector.MemberID, after string, limit int) ([]monitor.DeadLetter, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT id, member, at, line, reason, place, bytes, substr(raw, 1, $1) FROM dead_letter
		 WHERE member = $2 AND ($3 = '' OR number < (SELECT number FROM dead_letter WHERE id = $3 AND member = $2))
		 ORDER BY number DESC LIMIT $4`, letterPreview, member, after, limit)
	list, err := collect(rows, err, scanLetter)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return list, nil
}

func scanLetter(row scanner) (monitor.DeadLetter, error) {
	var l monitor.DeadLetter
	var at int64
	err := row.Scan(&l.ID, &l.Member, &at, &l.Line, &l.Reason, &l.Offset, &l.Bytes, &l.Raw)
	l.At = fromMicros(at)
	return l, err
}

func noLetter() error { return errs.New(errs.NotFound, "door.no_letter") }

// Letter implements monitor.Receipts.
func (s *Receipts) Letter(ctx context.Context, member sector.MemberID, id string) (monitor.DeadLetter, error) {
	l, err := scanLetter(s.db.read.QueryRowContext(ctx,
		`SELECT id, member, at, line, reason, place, bytes, raw FROM dead_letter WHERE id = $1 AND member = $2`, id, member))
	if errors.Is(err, sql.ErrNoRows) {
		return l, noLetter()
	}
	if err != nil {
		return l, fmt.Errorf("read dead letter: %w", err)
	}
	return l, nil
}

// DropLetter implements monitor.Receipts.
func (s *Receipts) DropLetter(ctx context.Context, member sector.MemberID, id string, e ledger.Entry) error {
	return full(s.db.Write(ctx, func(tx *sql.Tx) error { return s.takeLetter(ctx, tx, member, id, e) }))
}

// takeLetter removes a letter and writes the entry; errs.NotFound, and no
// entry, when it is not there.
func (s *Receipts) takeLetter(ctx context.Context, tx *sql.Tx, member sector.MemberID, id string, e ledger.Entry) error {
	res, err := tx.ExecContext(ctx, `DELETE FROM dead_letter WHERE id = $1 AND member = $2`, id, member)
	if err != nil {
		return fmt.Errorf("remove dead letter: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("remove dead letter: %w", err)
	}
	if n == 0 {
		return noLetter()
	}
	return s.db.appendLedger(ctx, tx, e)
}

// putMarks writes receipts for batches whose requests were never answered.
func putMarks(ctx context.Context, tx *sql.Tx, marks []monitor.BatchMark, now time.Time) error {
	for part := range chunks(marks, rowsAtOnce) {
		v := values{columns: 8}
		for _, m := range part {
			at := m.Received
			if at.IsZero() {
				at = now
			}
			v.add(m.ID, "", "", m.Member, m.Accepted, "", micros(at), 1)
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO receipt (batch, slot, body, member, accepted, rejected, at, partial) VALUES `+v.String()+
				` ON CONFLICT (batch) DO NOTHING`, v.args...)
		if err != nil {
			return fmt.Errorf("receipts: %w", err)
		}
	}
	return nil
}
