package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// seen is the last release of an advisory that the viewer was given.
type seen struct {
	release string
	ended   int64
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Advisories) seen(ctx context.Context, q queryer, f sector.Filter, id intel.AdvisoryID) (seen, error) {
	var b binder
	g := b.gate(f)
	var found seen
	err := q.QueryRowContext(ctx, `SELECT s.release, s.ended_at FROM release_scope s WHERE s.advisory = `+b.bind(id)+
		` AND `+g.sees("s")+` ORDER BY s.at DESC LIMIT 1`, b.args...).Scan(&found.release, &found.ended)
	if errors.Is(err, sql.ErrNoRows) {
		return found, errs.New(errs.NotFound, "advisory.not_found")
	}
	if err != nil {
		return found, fmt.Errorf("find release: %w", err)
	}
	return found, nil
}

// Opened implements intel.ReleaseStore.
func (s *Advisories) Opened(ctx context.Context, f sector.Filter, id intel.AdvisoryID, at time.Time, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		r, err := s.seen(ctx, tx, f, id)
		if err != nil {
			return err
		}
		first, err := s.open(ctx, tx, r.release, id, f.Owner(), at)
		if err != nil || !first {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// open notes a first opening and reports whether it was one.
func (s *Advisories) open(ctx context.Context, tx *sql.Tx, release string, id intel.AdvisoryID, m sector.MemberID, at time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `INSERT INTO delivery (`+deliveryColumns+`)
		SELECT r.id, CAST($1 AS text), CAST($2 AS text), r.at, 0, 0, CAST($3 AS bigint), '',
			CASE WHEN r.ended_at = 0 THEN r.answer_due ELSE 0 END,
			coalesce((SELECT min(a.at) FROM answer a WHERE a.advisory = r.advisory AND a.member = CAST($1 AS text)), 0)
		FROM release r WHERE r.id = $4
		ON CONFLICT (release, member) DO UPDATE SET opened_at = excluded.opened_at WHERE delivery.opened_at = 0`,
		m, id, micros(at), release)
	if err != nil {
		return false, fmt.Errorf("note opening: %w", err)
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// SaveAnswer implements intel.ReleaseStore.
func (s *Advisories) SaveAnswer(ctx context.Context, f sector.Filter, a intel.Answer, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		r, err := s.seen(ctx, tx, f, a.Advisory)
		if err != nil {
			return err
		}
		if f.Owner() == "" || f.Owner() != a.Member {
			return errs.New(errs.Forbidden, "answer.members_only")
		}
		if r.ended != 0 {
			return errs.New(errs.Conflict, "answer.withdrawn")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO answer (advisory, member, kind, reason, actor, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			a.Advisory, a.Member, a.Kind, a.Reason, a.By, micros(a.At))
		if err != nil {
			return fmt.Errorf("save answer: %w", err)
		}
		if _, err := s.open(ctx, tx, r.release, a.Advisory, a.Member, a.At); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE delivery SET answered_at = $1 WHERE release = $2 AND member = $3 AND answered_at = 0`,
			micros(a.At), r.release, a.Member)
		if err != nil {
			return fmt.Errorf("note answer: %w", err)
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// Totals implements intel.ReleaseStore.
func (s *Advisories) Totals(ctx context.Context, f sector.Filter, ids []intel.AdvisoryID) (map[intel.AdvisoryID]intel.Totals, error) {
	totals := map[intel.AdvisoryID]intel.Totals{}
	if len(ids) == 0 {
		return totals, nil
	}
	var b binder
	g := b.gate(f)
	rows, err := s.db.read.QueryContext(ctx, `
		SELECT v.advisory, coalesce(a.kind, ''), count(d.member), coalesce(sum(CASE WHEN d.opened_at > 0 THEN 1 ELSE 0 END), 0)
		FROM (SELECT DISTINCT s.advisory, s.release FROM release_scope s
			WHERE s.advisory IN (`+bindAll(&b, ids)+`) AND `+g.sees("s")+` AND `+g.current()+`) v
		LEFT JOIN delivery d ON d.release = v.release
		LEFT JOIN answer a ON a.seq = (SELECT max(x.seq) FROM answer x WHERE x.advisory = d.advisory AND x.member = d.member)
		GROUP BY v.advisory, coalesce(a.kind, '')`, b.args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var id intel.AdvisoryID
		var kind intel.AnswerKind
		var recipients, opened int64
		err := row.Scan(&id, &kind, &recipients, &opened)
		totals[id] = totals[id].Plus(kind, recipients, opened)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("totals: %w", err)
	}
	return totals, nil
}

// Mailing implements intel.MailStore.
func (s *Advisories) Mailing(ctx context.Context, release string, m sector.MemberID) (intel.Mailing, error) {
	var sent, recalled int64
	err := s.db.read.QueryRowContext(ctx,
		`SELECT mailed_at, recalled_at FROM delivery WHERE release = $1 AND member = $2`, release, m).Scan(&sent, &recalled)
	if errors.Is(err, sql.ErrNoRows) {
		return intel.Mailing{}, errs.New(errs.NotFound, "advisory.not_found")
	}
	if err != nil {
		return intel.Mailing{}, fmt.Errorf("read delivery: %w", err)
	}
	return intel.Mailing{Sent: fromMicros(sent), Recall: fromMicros(recalled)}, nil
}

// Mailed implements intel.MailStore.
func (s *Advisories) Mailed(ctx context.Context, release string, m sector.MemberID, recall bool, at time.Time, e ledger.Entry) error {
	query := `UPDATE delivery SET mailed_at = $1, mail_error = '' WHERE release = $2 AND member = $3`
	if recall {
		query = `UPDATE delivery SET recalled_at = $1, mail_error = '' WHERE release = $2 AND member = $3`
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, query, micros(at), release, m); err != nil {
			return fmt.Errorf("note mail: %w", err)
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// MailFailed implements intel.MailStore.
func (s *Advisories) MailFailed(ctx context.Context, release string, m sector.MemberID, reason string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE delivery SET mail_error = $1 WHERE release = $2 AND member = $3`, reason, release, m)
		return err
	})
}
