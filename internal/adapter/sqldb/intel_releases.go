package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Release implements intel.ReleaseStore.
func (s *Advisories) Release(ctx context.Context, a intel.Advisory, r sector.Release, to []sector.MemberID,
	work func(sector.Release) []jobs.Job, e ledger.Entry,
) (sector.Release, error) {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		a, err := s.tickRelease(ctx, tx, a, &r)
		if err != nil {
			return err
		}
		if err := s.put(ctx, tx, a); err != nil {
			return err
		}
		replaced, err := s.end(ctx, tx, a.ID, micros(r.At))
		if err != nil {
			return err
		}
		if err := s.insertRelease(ctx, tx, a, r, to); err != nil {
			return err
		}
		if err := s.db.shelveRelease(ctx, tx, a.ID, r, a.Message, replaced); err != nil {
			return err
		}
		if err := s.watch(ctx, tx, a); err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, work(r)...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	if err != nil {
		return sector.Release{}, fmt.Errorf("release: %w", err)
	}
	return r, nil
}

// tickRelease gives the release its time and sequence, and the advisory what
// follows from them. It leaves the caller's indicators alone: the
// transaction may run again.
func (s *Advisories) tickRelease(ctx context.Context, tx *sql.Tx, a intel.Advisory, r *sector.Release) (intel.Advisory, error) {
	at, err := tick(ctx, tx, "release", intel.EventWindow.Microseconds(), micros(a.ChangedAt))
	if err != nil {
		return a, err
	}
	if r.Seq, err = tick(ctx, tx, "seq", 1, 0); err != nil {
		return a, err
	}
	r.At = fromMicros(at)
	a.Standing, a.ReleasedAt, a.WithdrawnAt = a.Version, r.At, fromMicros(0)
	a.Indicators = append([]intel.Indicator(nil), a.Indicators...)
	for i := range a.Indicators {
		if a.Indicators[i].Since.IsZero() {
			a.Indicators[i].Since = r.At
		}
	}
	return a, nil
}

// end ends the standing release, if there is one, and returns its id.
func (s *Advisories) end(ctx context.Context, tx *sql.Tx, id intel.AdvisoryID, at int64) (string, error) {
	var release string
	err := tx.QueryRowContext(ctx,
		`UPDATE release SET ended_at = $1, changed_at = $1 WHERE advisory = $2 AND ended_at = 0 RETURNING id`, at, id).Scan(&release)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE release_scope SET ended_at = $1, changed_at = $1 WHERE release = $2`, at, release)
	}
	if err == nil { // nobody owes an answer to what has ended
		_, err = tx.ExecContext(ctx, `UPDATE delivery SET due = 0 WHERE release = $1 AND due > 0`, release)
	}
	if err != nil {
		return "", fmt.Errorf("end release: %w", err)
	}
	return release, nil
}

func (s *Advisories) insertRelease(ctx context.Context, tx *sql.Tx, a intel.Advisory, r sector.Release, to []sector.MemberID) error {
	audience, err1 := json.Marshal(r.Audience)
	redacted, err2 := json.Marshal(r.Redacted)
	message, err3 := json.Marshal(a.Message)
	objects, err4 := intel.ObjectIDs(a.Lineage, a.Message)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return fmt.Errorf("encode release: %w", err)
	}
	at := micros(r.At)
	_, err := tx.ExecContext(ctx, `INSERT INTO release (id, advisory, version, lineage, seq, at, ended_at, changed_at, category,
		answer_due, decided_by, approved_by, search, redacted, audience, message)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ID, a.ID, a.Version, a.Lineage, r.Seq, at, a.Category, micros(a.AnswerDue), r.DecidedBy, r.ApprovedBy,
		searchText(a.Title), string(redacted), string(audience), string(message))
	if err != nil {
		return fmt.Errorf("insert release: %w", err)
	}
	var scopes, ids, deliveries [][]any
	for _, key := range r.Audience.ScopeKeys() {
		scopes = append(scopes, []any{r.ID, key, a.ID, a.Lineage, at, 0, at, searchText(a.Title)})
	}
	for _, id := range objects {
		ids = append(ids, []any{id, r.ID, a.Lineage})
	}
	for _, m := range to {
		deliveries = append(deliveries, []any{r.ID, m, a.ID, at, 0, 0, 0, "", micros(a.AnswerDue), 0})
	}
	return errors.Join(
		insertRows(ctx, tx, "release_scope (release, scope, advisory, lineage, at, ended_at, changed_at, search)", "", scopes),
		insertRows(ctx, tx, "release_object (object, release, lineage)", "", ids),
		insertRows(ctx, tx, "delivery ("+deliveryColumns+")", "", deliveries),
		keepAnswered(ctx, tx, r.ID))
}

const deliveryColumns = `release, member, advisory, delivered_at, mailed_at, recalled_at, opened_at, mail_error, due, answered_at`

// keepAnswered: who answered a version before owes no answer to this one.
func keepAnswered(ctx context.Context, tx *sql.Tx, release string) error {
	_, err := tx.ExecContext(ctx, `UPDATE delivery SET answered_at =
			(SELECT min(a.at) FROM answer a WHERE a.advisory = delivery.advisory AND a.member = delivery.member)
		WHERE release = $1 AND EXISTS (SELECT 1 FROM answer a WHERE a.advisory = delivery.advisory AND a.member = delivery.member)`, release)
	if err != nil {
		return fmt.Errorf("keep answers: %w", err)
	}
	return nil
}

// Withdraw implements intel.ReleaseStore.
func (s *Advisories) Withdraw(ctx context.Context, a intel.Advisory, work func(sector.Release) []jobs.Job, e ledger.Entry) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		at, err := tick(ctx, tx, "release", intel.EventWindow.Microseconds(), micros(a.ChangedAt))
		if err != nil {
			return err
		}
		release, err := s.end(ctx, tx, a.ID, at)
		if err != nil {
			return err
		}
		if release == "" {
			return errs.New(errs.Conflict, "advisory.changed")
		}
		a := a
		a.Standing, a.WithdrawnAt = 0, fromMicros(at)
		if err := s.put(ctx, tx, a); err != nil {
			return err
		}
		if err := s.watch(ctx, tx, a); err != nil {
			return err
		}
		r, err := s.releaseByID(ctx, tx, release)
		if err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, work(r.Release)...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	return nil
}

func (s *Advisories) releaseByID(ctx context.Context, tx *sql.Tx, id string) (intel.PastRelease, error) {
	return scanRelease(tx.QueryRowContext(ctx, `SELECT id, version, lineage, seq, at, ended_at, decided_by, approved_by, redacted, audience, message
		FROM release WHERE id = $1`, id))
}

// current is the condition that a release_scope row s is the last of its
// advisory that the viewer was given.
func (g gated) current() string {
	return `NOT EXISTS (SELECT 1 FROM release_scope n WHERE n.advisory = s.advisory AND n.at > s.at AND ` + g.sees("n") + `)`
}

// Released implements intel.ReleaseStore: one query, whose cost depends on
// what the viewer was given alone.
func (s *Advisories) Released(ctx context.Context, f sector.Filter, q intel.ReleasedQuery) ([]intel.ReleasedAdvisory, error) {
	var b binder
	g := b.gate(f)
	me := b.bind(f.Owner())
	list := listOf(&b, g, me, q)
	order := list.order("r.changed_at", "r.advisory")
	rows, err := s.db.read.QueryContext(ctx, `
		WITH page AS (SELECT DISTINCT release, changed_at, advisory FROM (`+list.arms+`) seen
			ORDER BY `+list.order("changed_at", "advisory")+` LIMIT `+list.limit+`)
		SELECT r.advisory, r.id, r.at, r.ended_at, r.message,
			(SELECT min(p.at) FROM release_scope p WHERE p.advisory = r.advisory AND `+g.sees("p")+`),
			(SELECT count(DISTINCT p.at) FROM release_scope p WHERE p.advisory = r.advisory AND p.at <= r.at AND `+g.sees("p")+`),
			coalesce(d.opened_at, 0), coalesce(a.kind, ''), coalesce(a.reason, ''), coalesce(a.actor, ''), coalesce(a.at, 0)
		FROM page JOIN release r ON r.id = page.release
		LEFT JOIN delivery d ON d.release = r.id AND d.member = `+me+`
		LEFT JOIN answer a ON a.seq = (SELECT max(x.seq) FROM answer x WHERE x.advisory = r.advisory AND x.member = `+me+`)
		ORDER BY `+order, b.args...)
	return collect(rows, err, func(row scanner) (intel.ReleasedAdvisory, error) { return scanReleased(row, f.Owner()) })
}

// releasedList is the paged part of the query.
type releasedList struct {
	arms, limit string
	ascending   bool
}

func (l releasedList) order(columns ...string) string {
	if l.ascending {
		return strings.Join(columns, ", ")
	}
	return strings.Join(columns, " DESC, ") + " DESC"
}

func listOf(b *binder, g gated, me string, q intel.ReleasedQuery) releasedList {
	l := releasedList{limit: b.bind(pageLimit(q.Limit)), ascending: q.Ascending}
	where := []string{g.current()}
	if q.ID != "" {
		where = append(where, "s.advisory = "+b.bind(q.ID))
	}
	if len(q.IDs) > 0 {
		where = append(where, "s.advisory IN ("+bindAll(b, q.IDs)+")")
	}
	if !q.AddedAfter.IsZero() {
		where = append(where, "s.changed_at > "+b.bind(micros(q.AddedAfter)))
	}
	if !q.After.At.IsZero() {
		beyond := map[bool]string{true: ">", false: "<"}[q.Ascending]
		where = append(where, "(s.changed_at, s.advisory) "+beyond+" ("+b.bind(micros(q.After.At))+", "+b.bind(q.After.ID)+")")
	}
	if q.Category != "" {
		where = append(where, "EXISTS (SELECT 1 FROM release d WHERE d.id = s.release AND d.category = "+b.bind(q.Category)+")")
	}
	if q.Text != "" {
		where = append(where, "s.search LIKE "+b.bind(likeText(q.Text))+" ESCAPE '!'")
	}
	from := "release_scope s"
	if q.Unanswered {
		// What is owed is read first: it is little, whatever was ever released.
		from = "delivery o CROSS JOIN release_scope s"
		where = append(where, "o.release = s.release AND o.member = "+me+" AND o.due > 0 AND o.answered_at = 0")
	}
	l.arms = g.arms("release, changed_at, advisory", func(scope string) string {
		return `SELECT s.release, s.changed_at, s.advisory FROM ` + from + ` WHERE ` + scope + ` AND ` +
			strings.Join(where, " AND ") + ` ORDER BY ` + l.order("s.changed_at", "s.advisory") + ` LIMIT ` + l.limit
	})
	return l
}

func scanReleased(row scanner, m sector.MemberID) (intel.ReleasedAdvisory, error) {
	var r intel.ReleasedAdvisory
	var at, ended, first, opened int64
	var message string
	var a answerColumns
	err := row.Scan(&r.ID, &r.Release, &at, &ended, &message, &first, &r.Revision, &opened, &a.kind, &a.reason, &a.actor, &a.at)
	if err != nil {
		return r, err
	}
	r.ReleasedAt, r.WithdrawnAt, r.CreatedAt, r.OpenedAt = fromMicros(at), fromMicros(ended), fromMicros(first), fromMicros(opened)
	r.Answer = a.answer(r.ID, m)
	return r, json.Unmarshal([]byte(message), &r.Message)
}
