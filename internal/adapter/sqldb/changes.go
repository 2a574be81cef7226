package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huandu/go-sqlbuilder"

	"github.com/aspis-platform/aspis/internal/changes"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Changes finds what changed. Releases are ordered by their times, which grow
// in the order of commits, answers and triage by their entries in the ledger,
// which do too. Alerts are told of a little late, as their times do not.
type Changes struct{ db *DB }

var _ changes.Source = (*Changes)(nil)

// Changes is the store of package changes.
func (d *DB) Changes() *Changes { return &Changes{d} }

// settle is how long a transaction that raises an alert may take to commit.
const settle = 3 * time.Second

// placed is a change with the viewer's place after it, as far as its arm of
// the search knows.
type placed struct {
	changes.Change
	place changes.Place
}

// changeSearch is one question to an arm: what comes after the place, oldest first,
// or, for where the viewer is now, the newest.
type changeSearch struct {
	filter sector.Filter
	after  changes.Place
	limit  int
	newest bool
}

func (q changeSearch) order() string {
	if q.newest {
		return " DESC"
	}
	return ""
}

// inside reports whether the viewer is told of alerts and answers at all.
func (q changeSearch) inside() bool { return q.filter.All() || q.filter.Owner() != "" }

// find asks every arm and moves the place beyond what was found.
func (s *Changes) find(ctx context.Context, q changeSearch) ([]changes.Change, changes.Place, error) {
	var all []placed
	place := q.after
	arms := []func(context.Context, changeSearch) ([]placed, error){s.occurrences, s.answers, s.raised, s.triaged}
	if !q.inside() {
		arms = arms[:1]
	}
	for _, arm := range arms {
		found, err := arm(ctx, q)
		if err != nil {
			return nil, q.after, fmt.Errorf("changes: %w", err)
		}
		all = append(all, found...)
		for _, c := range found {
			place = later(place, c.place)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.At.Compare(b.At) })
	out := make([]changes.Change, len(all))
	for i, c := range all {
		out[i] = c.Change
	}
	return out, place, nil
}

// After implements changes.Source.
func (s *Changes) After(ctx context.Context, f sector.Filter, p changes.Place, limit int) ([]changes.Change, changes.Place, error) {
	return s.find(ctx, changeSearch{filter: f, after: p, limit: limit})
}

// Head implements changes.Source.
func (s *Changes) Head(ctx context.Context, f sector.Filter) (changes.Place, error) {
	_, p, err := s.find(ctx, changeSearch{filter: f, limit: 1, newest: true})
	return p, err
}

// later is the place after both.
func later(a, b changes.Place) changes.Place {
	a.Advisory, a.Answer, a.Triage = max(a.Advisory, b.Advisory), max(a.Answer, b.Answer), max(a.Triage, b.Triage)
	if b.Raised > a.Raised || b.Raised == a.Raised && b.Alert > a.Alert {
		a.Raised, a.Alert = b.Raised, b.Alert
	}
	return a
}

// occurrences are releases and withdrawals, as TAXII tells them.
func (s *Changes) occurrences(ctx context.Context, q changeSearch) ([]placed, error) {
	var b binder
	g := b.gate(q.filter)
	text := `SELECT advisory, at, 0 AS revoked FROM (` + g.arms("advisory, at", func(scope string) string {
		return `SELECT s.advisory, CASE WHEN s.ended_at > s.at THEN s.ended_at ELSE s.at END AS at FROM release_scope s WHERE ` + scope + ` ORDER BY 2 DESC LIMIT 1`
	}) + `) newest ORDER BY at DESC LIMIT 1`
	if !q.newest {
		seen := occurrenceArms(&b, g, intel.OccurrenceQuery{After: fromMicros(max(q.after.Advisory, 1)), Limit: q.limit})
		text = `SELECT DISTINCT advisory, at, revoked FROM (` + seen + `) seen ORDER BY at LIMIT ` + b.bind(q.limit)
	}
	rows, err := s.db.read.QueryContext(ctx, text, b.args...)
	return collect(rows, err, func(row scanner) (placed, error) {
		var c placed
		var revoked bool
		err := row.Scan(&c.ID, &c.place.Advisory, &revoked)
		c.Kind, c.At = changes.Released, fromMicros(c.place.Advisory)
		if revoked {
			c.Kind = changes.Withdrawn
		}
		return c, err
	})
}

// answers are the centre's to see, and each member's own.
func (s *Changes) answers(ctx context.Context, q changeSearch) ([]placed, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT seq, at, object, member FROM ledger
		WHERE seq > $1 AND action = 'advisory.answer' AND ($2 = '' OR member = $2) ORDER BY seq`+q.order()+` LIMIT $3`,
		q.after.Answer, string(q.filter.Owner()), q.limit)
	return collect(rows, err, func(row scanner) (placed, error) {
		c := placed{Change: changes.Change{Kind: changes.Answered}}
		err := scanEntry(row, &c.Change, &c.place.Answer, "advisory:")
		return c, err
	})
}

// scanEntry reads a ledger entry that tells of a change.
func scanEntry(row scanner, c *changes.Change, seq *int64, prefix string) error {
	var at int64
	err := row.Scan(seq, &at, &c.ID, &c.Member)
	c.ID, c.At = strings.TrimPrefix(c.ID, prefix), fromMicros(at)
	return err
}

// raised are alerts when they first concern the viewer.
func (s *Changes) raised(ctx context.Context, q changeSearch) ([]placed, error) {
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	at := "a.raised"
	if q.filter.All() {
		b.Select("a.id", at, "a.number").From("alert a")
	} else {
		at = "m.raised"
		b.Select("a.id", at, "a.number").From("alert_member m").Join("alert a", "a.number = m.alert").
			Where(b.Equal("m.member", string(q.filter.Owner())))
		restrict(b, q.filter)
	}
	b.Where(fmt.Sprintf("(%s, a.number) > (%s, %s)", at, b.Var(q.after.Raised), b.Var(q.after.Alert)),
		b.LE(at, micros(s.db.now().Add(-settle)))).OrderBy(at+q.order(), "a.number"+q.order()).Limit(q.limit)
	text, args := b.Build()
	rows, err := s.db.read.QueryContext(ctx, text, args...)
	return collect(rows, err, func(row scanner) (placed, error) {
		c := placed{Change: changes.Change{Kind: changes.Raised}}
		err := row.Scan(&c.ID, &c.place.Raised, &c.place.Alert)
		c.At = fromMicros(c.place.Raised)
		return c, err
	})
}

// triaged are alerts whose state changed. The centre hears of every step;
// that somebody wrote a note is no member's business.
func (s *Changes) triaged(ctx context.Context, q changeSearch) ([]placed, error) {
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	b.Select("l.seq", "l.at", "l.object", "''").From("ledger l").
		Where(b.GT("l.seq", q.after.Triage), "l.action = 'alert.triage'").OrderBy("l.seq" + q.order()).Limit(q.limit)
	if !q.filter.All() {
		b.Join("alert a", "a.id = substr(l.object, 7)").Join("alert_member m", "m.alert = a.number").
			Where(b.Equal("m.member", string(q.filter.Owner())), `l.detail LIKE '%"state":%'`)
		restrict(b, q.filter)
	}
	text, args := b.Build()
	rows, err := s.db.read.QueryContext(ctx, text, args...)
	return collect(rows, err, func(row scanner) (placed, error) {
		c := placed{Change: changes.Change{Kind: changes.Changed}}
		err := scanEntry(row, &c.Change, &c.place.Triage, "alert:")
		return c, err
	})
}
