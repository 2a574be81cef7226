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

// Advisories keeps advisories, their releases and the answers to them.
type Advisories struct{ db *DB }

// Advisories is the store of package intel.
func (d *DB) Advisories() *Advisories { return &Advisories{d} }

var (
	_ intel.DraftStore      = (*Advisories)(nil)
	_ intel.ReleaseStore    = (*Advisories)(nil)
	_ intel.OccurrenceStore = (*Advisories)(nil)
	_ intel.MailStore       = (*Advisories)(nil)
	_ intel.IndicatorSource = (*Advisories)(nil)
)

// Save implements intel.DraftStore.
func (s *Advisories) Save(ctx context.Context, a intel.Advisory, e ledger.Entry, work ...jobs.Job) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.put(ctx, tx, a); err != nil {
			return err
		}
		if err := s.watch(ctx, tx, a); err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, work...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// put stores a version if the stored one is the version before it.
func (s *Advisories) put(ctx context.Context, tx *sql.Tx, a intel.Advisory) error {
	row, err := newAdvisoryRow(a)
	if err != nil {
		return err
	}
	if a.Version == 1 {
		_, err = tx.ExecContext(ctx, `INSERT INTO advisory (version, state, category, changed_at, created_at, released_at,
			withdrawn_at, standing, lineage, author, submitted_by, title_zh, title_en, search, audience, alerts, message, id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, row...)
		if isDuplicate(err) {
			return errs.New(errs.Conflict, "advisory.changed").Because(err)
		}
	} else {
		err = changeOne(tx.ExecContext(ctx, `UPDATE advisory SET version = $1, state = $2, category = $3, changed_at = $4,
			created_at = $5, released_at = $6, withdrawn_at = $7, standing = $8, lineage = $9, author = $10,
			submitted_by = $11, title_zh = $12, title_en = $13, search = $14, audience = $15, alerts = $16, message = $17
			WHERE id = $18 AND version = $19`, append(row, a.Version-1)...))
	}
	if err != nil {
		return fmt.Errorf("save advisory: %w", err)
	}
	_, err = tx.ExecContext(ctx,
		`INSERT INTO advisory_version (advisory, version, state, author, changed_at, audience, message)
		 VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Version, a.State, a.Author, micros(a.ChangedAt), row[14], row[16])
	if err != nil {
		return fmt.Errorf("save advisory version: %w", err)
	}
	return s.db.shelveAdvisory(ctx, tx, a)
}

// changeOne turns an update that changed nothing into a conflict.
func changeOne(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = errs.New(errs.Conflict, "advisory.changed")
	}
	return err
}

func newAdvisoryRow(a intel.Advisory) ([]any, error) {
	audience, err1 := json.Marshal(a.Audience)
	alerts, err2 := json.Marshal(a.Alerts)
	message, err3 := json.Marshal(a.Message)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("encode advisory: %w", err)
	}
	return []any{
		a.Version, a.State, a.Category, micros(a.ChangedAt), micros(a.CreatedAt), micros(a.ReleasedAt),
		micros(a.WithdrawnAt), a.Standing, a.Lineage, a.Author, a.SubmittedBy, a.Title.Zh, a.Title.En, searchText(a.Title),
		string(audience), string(alerts), string(message), a.ID,
	}, nil
}

// searchText is what a title is found by.
func searchText(t intel.Text) string { return strings.ToLower(t.Zh + "\n" + t.En) }

const advisoryColumns = `id, version, state, changed_at, created_at, released_at, withdrawn_at, standing,
	lineage, author, submitted_by, audience, alerts, message`

func scanAdvisory(row scanner) (intel.Advisory, error) {
	var a intel.Advisory
	var changed, created, released, withdrawn int64
	var audience, alerts, message string
	err := row.Scan(&a.ID, &a.Version, &a.State, &changed, &created, &released, &withdrawn, &a.Standing,
		&a.Lineage, &a.Author, &a.SubmittedBy, &audience, &alerts, &message)
	if err != nil {
		return a, err
	}
	a.ChangedAt, a.CreatedAt = fromMicros(changed), fromMicros(created)
	a.ReleasedAt, a.WithdrawnAt = fromMicros(released), fromMicros(withdrawn)
	err = errors.Join(json.Unmarshal([]byte(audience), &a.Audience),
		json.Unmarshal([]byte(alerts), &a.Alerts), json.Unmarshal([]byte(message), &a.Message))
	if err != nil {
		return a, fmt.Errorf("decode advisory %s: %w", a.ID, err)
	}
	return a, nil
}

// Advisory implements intel.DraftStore.
func (s *Advisories) Advisory(ctx context.Context, id intel.AdvisoryID) (intel.Advisory, error) {
	a, err := scanAdvisory(s.db.read.QueryRowContext(ctx, `SELECT `+advisoryColumns+` FROM advisory WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, errs.New(errs.NotFound, "advisory.not_found")
	}
	return a, err
}

// Advisories implements intel.DraftStore.
func (s *Advisories) Advisories(ctx context.Context, q intel.AdvisoryQuery) ([]intel.Advisory, error) {
	var b binder
	where := []string{"1 = 1"}
	if len(q.States) > 0 {
		where = append(where, "state IN ("+bindAll(&b, q.States)+")")
	}
	if q.Category != "" {
		where = append(where, "category = "+b.bind(q.Category))
	}
	if q.Text != "" {
		where = append(where, "search LIKE "+b.bind(likeText(q.Text))+" ESCAPE '!'")
	}
	if !q.After.At.IsZero() {
		where = append(where, "(changed_at, id) < ("+b.bind(micros(q.After.At))+", "+b.bind(q.After.ID)+")")
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+advisoryColumns+` FROM advisory WHERE `+strings.Join(where, " AND ")+
		` ORDER BY changed_at DESC, id DESC LIMIT `+b.bind(pageLimit(q.Limit)), b.args...)
	return collect(rows, err, scanAdvisory)
}

// Content implements intel.DraftStore.
func (s *Advisories) Content(ctx context.Context, id intel.AdvisoryID, version int) (intel.Content, error) {
	var c intel.Content
	var audience, message string
	err := s.db.read.QueryRowContext(ctx, `SELECT audience, message FROM advisory_version WHERE advisory = $1 AND version = $2`,
		id, version).Scan(&audience, &message)
	if errors.Is(err, sql.ErrNoRows) {
		return c, errs.New(errs.NotFound, "advisory.not_found")
	}
	if err != nil {
		return c, fmt.Errorf("read advisory version: %w", err)
	}
	return c, errors.Join(json.Unmarshal([]byte(audience), &c.Audience), json.Unmarshal([]byte(message), &c.Message))
}

func pageLimit(n int) int {
	if n < 1 || n > intel.MaxPage {
		return intel.MaxPage
	}
	return n
}

// CountAdvisories implements intel.DraftStore.
func (s *Advisories) CountAdvisories(ctx context.Context) (map[intel.State]int64, error) {
	type count struct {
		state intel.State
		n     int64
	}
	var b binder
	var each []string
	for _, state := range intel.States() {
		each = append(each, fmt.Sprintf(`SELECT %[1]s, (SELECT count(*) FROM (SELECT 1 FROM advisory WHERE state = %[1]s LIMIT %[2]d) counted)`,
			"CAST("+b.bind(state)+" AS text)", intel.MostCounted+1))
	}
	rows, err := s.db.read.QueryContext(ctx, strings.Join(each, " UNION ALL "), b.args...)
	counts, err := collect(rows, err, func(row scanner) (c count, err error) {
		return c, row.Scan(&c.state, &c.n)
	})
	if err != nil {
		return nil, fmt.Errorf("count advisories: %w", err)
	}
	byState := map[intel.State]int64{}
	for _, c := range counts {
		byState[c.state] = c.n
	}
	return byState, nil
}

// Releases implements intel.DraftStore.
func (s *Advisories) Releases(ctx context.Context, id intel.AdvisoryID) ([]intel.PastRelease, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, version, lineage, seq, at, ended_at, decided_by, approved_by, redacted, audience, message
		FROM release WHERE advisory = $1 ORDER BY at`, id)
	return collect(rows, err, func(row scanner) (intel.PastRelease, error) {
		r, err := scanRelease(row)
		r.Object = "advisory:" + string(id)
		return r, err
	})
}

func scanRelease(row scanner) (intel.PastRelease, error) {
	var r intel.PastRelease
	var at, ended int64
	var redacted, audience, message string
	err := row.Scan(&r.ID, &r.Version, &r.Lineage, &r.Seq, &at, &ended, &r.DecidedBy, &r.ApprovedBy, &redacted, &audience, &message)
	if err != nil {
		return r, err
	}
	var m intel.Message
	err = errors.Join(json.Unmarshal([]byte(redacted), &r.Redacted),
		json.Unmarshal([]byte(audience), &r.Audience), json.Unmarshal([]byte(message), &m))
	r.At, r.EndedAt, r.Marking = fromMicros(at), fromMicros(ended), m.Marking
	return r, err
}

// Deliveries implements intel.DraftStore.
func (s *Advisories) Deliveries(ctx context.Context, id intel.AdvisoryID) ([]intel.Delivery, error) {
	rows, err := s.db.read.QueryContext(ctx, `
		SELECT d.member, d.delivered_at, d.mailed_at, d.opened_at, d.mail_error,
			coalesce(a.kind, ''), coalesce(a.reason, ''), coalesce(a.actor, ''), coalesce(a.at, 0)
		FROM delivery d
		LEFT JOIN answer a ON a.seq = (SELECT max(x.seq) FROM answer x WHERE x.advisory = d.advisory AND x.member = d.member)
		WHERE d.release = (SELECT r.id FROM release r WHERE r.advisory = $1 ORDER BY r.at DESC LIMIT 1)
		ORDER BY d.member`, id)
	return collect(rows, err, func(row scanner) (intel.Delivery, error) { return scanDelivery(row, id) })
}

func scanDelivery(row scanner, id intel.AdvisoryID) (intel.Delivery, error) {
	var d intel.Delivery
	var delivered, mailed, opened int64
	var a answerColumns
	err := row.Scan(&d.Member, &delivered, &mailed, &opened, &d.MailError, &a.kind, &a.reason, &a.actor, &a.at)
	d.Delivered, d.Mailed, d.Opened = fromMicros(delivered), fromMicros(mailed), fromMicros(opened)
	d.Answer = a.answer(id, d.Member)
	return d, err
}

// answerColumns is an answer from an outer join: all zero when there is none.
type answerColumns struct {
	kind, reason, actor string
	at                  int64
}

func (a answerColumns) answer(id intel.AdvisoryID, m sector.MemberID) *intel.Answer {
	if a.kind == "" {
		return nil
	}
	return &intel.Answer{Advisory: id, Member: m, Kind: intel.AnswerKind(a.kind), Reason: a.reason, By: a.actor, At: fromMicros(a.at)}
}
