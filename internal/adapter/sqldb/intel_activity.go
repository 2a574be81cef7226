package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/sector"
)

var _ intel.ActivityStore = (*Advisories)(nil)

// Activity implements intel.ActivityStore.
func (s *Advisories) Activity(ctx context.Context, f sector.Filter, since time.Time) (intel.Activity, error) {
	var a intel.Activity
	var b binder
	query := `SELECT r.id, r.at FROM release r WHERE r.at >= ` + b.bind(micros(since))
	if g := b.gate(f); !g.all {
		query = `SELECT DISTINCT s.release, s.at FROM release_scope s WHERE s.at >= $1 AND ` + g.sees("s")
	}
	rows, err := s.db.read.QueryContext(ctx, query, b.args...)
	if a.Releases, err = collect(rows, err, func(row scanner) (time.Time, error) {
		var release string
		var at int64
		err := row.Scan(&release, &at)
		return fromMicros(at), err
	}); err != nil {
		return a, fmt.Errorf("releases since: %w", err)
	}
	err = s.db.read.QueryRowContext(ctx,
		`SELECT count(*) FROM advisory WHERE created_at >= $1 AND $2 = 1`, micros(since), boolInt(f.All())).Scan(&a.Drafted)
	if err != nil {
		return a, fmt.Errorf("drafts since: %w", err)
	}
	rows, err = s.db.read.QueryContext(ctx,
		`SELECT at FROM answer WHERE at >= $1 AND ($2 = 1 OR member = $3)`, micros(since), boolInt(f.All()), f.Owner())
	if a.Answers, err = collect(rows, err, func(row scanner) (time.Time, error) {
		var at int64
		err := row.Scan(&at)
		return fromMicros(at), err
	}); err != nil {
		return a, fmt.Errorf("answers since: %w", err)
	}
	rows, err = s.db.read.QueryContext(ctx,
		`SELECT mailed_at - delivered_at FROM delivery WHERE delivered_at >= $1 AND mailed_at > 0 AND ($2 = 1 OR member = $3)
		 ORDER BY 1`, micros(since), boolInt(f.All()), f.Owner())
	if a.Mailing, err = collect(rows, err, func(row scanner) (time.Duration, error) {
		var us int64
		err := row.Scan(&us)
		return time.Duration(us) * time.Microsecond, err
	}); err != nil {
		return a, fmt.Errorf("mails since: %w", err)
	}
	err = s.db.read.QueryRowContext(ctx,
		`SELECT count(*), coalesce(sum(CASE WHEN opened_at = 0 THEN 1 ELSE 0 END), 0) FROM delivery
		 WHERE delivered_at >= $1 AND ($2 = 1 OR member = $3)`,
		micros(since), boolInt(f.All()), f.Owner()).Scan(&a.Delivered, &a.Unopened)
	if err != nil {
		return a, fmt.Errorf("deliveries since: %w", err)
	}
	return a, nil
}
