package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Home counts for people's homes.
type Home struct{ db *DB }

// Home is the store of package home.
func (d *DB) Home() *Home { return &Home{d} }

var _ home.Store = (*Home)(nil)

// countUpTo is a query that counts the rows of another one, up to one more
// than [home.MostCounted].
func countUpTo(inner string) string {
	return fmt.Sprintf(`SELECT count(*) FROM (%s LIMIT %d) counted`, inner, home.MostCounted+1)
}

// Owed implements home.Store.
func (s *Home) Owed(ctx context.Context, f sector.Filter, limit int) ([]home.Owed, home.Capped, error) {
	var b binder
	g := b.gate(f)
	owed := `FROM delivery d WHERE d.member = ` + b.bind(f.Owner()) + ` AND d.due > 0 AND d.answered_at = 0
		AND EXISTS (SELECT 1 FROM release_scope s WHERE s.release = d.release AND ` + g.sees("s") + `)`
	var all home.Capped
	if err := s.db.read.QueryRowContext(ctx, countUpTo(`SELECT 1 `+owed), b.args...).Scan(&all); err != nil {
		return nil, 0, fmt.Errorf("count what is owed: %w", err)
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT d.advisory, d.due,
			(SELECT r.message FROM release r WHERE r.id = d.release) `+owed+`
		ORDER BY d.due, d.advisory LIMIT `+b.bind(limit), b.args...)
	list, err := collect(rows, err, func(row scanner) (home.Owed, error) {
		var o home.Owed
		var due int64
		var message string
		if err := row.Scan(&o.ID, &due, &message); err != nil {
			return o, err
		}
		var m intel.Message
		err := json.Unmarshal([]byte(message), &m)
		o.Due, o.Title, o.TLP = fromMicros(due), home.Text(m.Title), m.Marking.OrDefault().TLP
		return o, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("what is owed: %w", err)
	}
	return list, all, nil
}

// Standing implements home.Store.
func (s *Home) Standing(ctx context.Context, f sector.Filter, from, to time.Time) (home.Standing, error) {
	var st home.Standing
	var last int64
	err := s.db.read.QueryRowContext(ctx, `SELECT
			coalesce((SELECT max(r.at) FROM receipt r WHERE r.member = $1), 0),
			(`+countUpTo(`SELECT 1 FROM dead_letter l WHERE l.member = $1`)+`),
			(SELECT count(*) FROM delivery d WHERE d.member = $1 AND d.due > 0 AND d.due > $2 AND d.due <= $3),
			(SELECT count(*) FROM delivery d WHERE d.member = $1 AND d.due > 0 AND d.due > $2 AND d.due <= $3
				AND d.answered_at > 0 AND d.answered_at <= d.due)`,
		f.Owner(), micros(from), micros(to)).Scan(&last, &st.Letters, &st.Asked, &st.InTime)
	if err != nil {
		return st, fmt.Errorf("standing: %w", err)
	}
	st.LastRecord = fromMicros(last)
	return st, nil
}

// Queue implements home.Store. Each severity is read from its own end of the
// index and stops, so that a flood of one does not make the home slow.
func (s *Home) Queue(ctx context.Context, f sector.Filter, limit int) ([]home.Queued, error) {
	if !f.All() {
		return nil, nil
	}
	var counts, firsts []string
	for _, sev := range monitor.Severities() {
		where := fmt.Sprintf(`FROM alert WHERE state = 'new' AND severity = %d`, sev)
		counts = append(counts, fmt.Sprintf(`SELECT %d, (%s)`, sev, countUpTo(`SELECT 1 `+where)))
		firsts = append(firsts, fmt.Sprintf(`SELECT * FROM (SELECT severity, id, title, title_zh, state, raised, number %s
			ORDER BY raised, number LIMIT %d) s%d`, where, limit, sev))
	}
	queue := make([]home.Queued, len(counts))
	at := map[int64]*home.Queued{}
	for i, sev := range monitor.Severities() {
		queue[i].Severity, at[int64(sev)] = sev.String(), &queue[i]
	}
	rows, err := s.db.read.QueryContext(ctx, strings.Join(counts, " UNION ALL "))
	if _, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var sev int64
		var n home.Capped
		err := row.Scan(&sev, &n)
		at[sev].N = n
		return struct{}{}, err
	}); err != nil {
		return nil, fmt.Errorf("count new alerts: %w", err)
	}
	rows, err = s.db.read.QueryContext(ctx, strings.Join(firsts, " UNION ALL ")+` ORDER BY 1 DESC, 6, 7`)
	if _, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var sev, raised, number int64
		var seen home.Seen
		err := row.Scan(&sev, &seen.ID, &seen.Title.En, &seen.Title.Zh, &seen.State, &raised, &number)
		if q := at[sev]; err == nil && q != nil {
			seen.Severity, seen.Raised = q.Severity, fromMicros(raised)
			q.Oldest = append(q.Oldest, seen)
		}
		return struct{}{}, err
	}); err != nil {
		return nil, fmt.Errorf("oldest new alerts: %w", err)
	}
	return queue, nil
}

// mostOverdue bounds the deliveries that are looked at for who owes most; the
// longest overdue are looked at.
const mostOverdue = 10_000

// Overdue implements home.Store.
func (s *Home) Overdue(ctx context.Context, f sector.Filter, now time.Time, limit int) ([]home.Overdue, home.Capped, error) {
	if !f.All() {
		return nil, 0, nil
	}
	late := `FROM delivery WHERE due > 0 AND answered_at = 0 AND due < $1`
	var all home.Capped
	if err := s.db.read.QueryRowContext(ctx, countUpTo(`SELECT 1 `+late), micros(now)).Scan(&all); err != nil {
		return nil, 0, fmt.Errorf("count overdue: %w", err)
	}
	rows, err := s.db.read.QueryContext(ctx, fmt.Sprintf(`
		SELECT o.member, o.n, o.oldest, coalesce(m.name, ''), coalesce(m.name_zh, ''), coalesce(m.sector, '')
		FROM (SELECT member, count(*) AS n, min(due) AS oldest
			FROM (SELECT member, due %s ORDER BY due LIMIT %d) late GROUP BY member ORDER BY 2 DESC, 3, 1 LIMIT $2) o
		LEFT JOIN member m ON m.id = o.member ORDER BY o.n DESC, o.oldest, o.member`, late, mostOverdue), micros(now), limit)
	list, err := collect(rows, err, func(row scanner) (home.Overdue, error) {
		var o home.Overdue
		var oldest int64
		err := row.Scan(&o.Member.ID, &o.N, &oldest, &o.Member.Name, &o.Member.NameZh, &o.Member.Sector)
		o.Oldest = fromMicros(oldest)
		return o, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("overdue: %w", err)
	}
	return list, all, nil
}

// LastRecords implements home.Store: one look into the index a member.
func (s *Home) LastRecords(ctx context.Context, f sector.Filter) (map[sector.MemberID]time.Time, error) {
	last := map[sector.MemberID]time.Time{}
	if !f.All() {
		return last, nil
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT m.id, coalesce((SELECT max(r.at) FROM receipt r WHERE r.member = m.id), 0) FROM member m`)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var id sector.MemberID
		var at int64
		err := row.Scan(&id, &at)
		if at > 0 {
			last[id] = fromMicros(at)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("last records: %w", err)
	}
	return last, nil
}

// Delivered implements home.Store. For numbers only: see [sector.Counts.Over].
func (s *Home) Delivered(ctx context.Context, f sector.Filter, since time.Time) (home.Delivered, error) {
	var d home.Delivered
	if !f.All() {
		return d, nil
	}
	err := s.db.read.QueryRowContext(ctx, `SELECT
			(SELECT count(*) FROM release WHERE at >= $1), count(*),
			coalesce(sum(CASE WHEN opened_at > 0 THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN answered_at > 0 AND (due = 0 OR answered_at <= due) THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN answered_at > due AND due > 0 THEN 1 ELSE 0 END), 0)
		FROM delivery WHERE delivered_at >= $1`, micros(since)).Scan(&d.Warnings, &d.Deliveries, &d.Opened, &d.InTime, &d.Late)
	if err != nil {
		return d, fmt.Errorf("delivered since: %w", err)
	}
	return d, nil
}
