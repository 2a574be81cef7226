package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/intel"
)

// watchRow is an indicator as it stands in the table watch.
type watchRow struct {
	indicator         intel.Indicator
	released, removed bool
	scopes            string // release scopes that hold the released indicator, joined by spaces
}

// watch brings the indicators to be matched in line with an advisory: those
// of its newest version and, while a correction is being written, those that
// still stand.
func (s *Advisories) watch(ctx context.Context, tx *sql.Tx, a intel.Advisory) error {
	have, err := s.watchRows(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	want := map[string]watchRow{}
	if a.State != intel.Withdrawn {
		for _, i := range a.Indicators {
			want[i.ID] = watchRow{indicator: i}
		}
		standing, scopes, err := s.standing(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		for _, i := range standing.Indicators {
			want[i.ID] = watchRow{indicator: i, released: true, scopes: scopes}
		}
	}
	for id, row := range have {
		if _, wanted := want[id]; !wanted {
			row.removed, row.released, row.scopes = true, false, ""
			want[id] = row
		}
	}
	return s.putWatch(ctx, tx, a.ID, have, want)
}

// standing is the message that recipients see now and the scopes it was
// released to; empty when there is none.
func (s *Advisories) standing(ctx context.Context, tx *sql.Tx, id intel.AdvisoryID) (intel.Message, string, error) {
	var m intel.Message
	var text, release string
	err := tx.QueryRowContext(ctx, `SELECT message, id FROM release WHERE advisory = $1 AND ended_at = 0`, id).Scan(&text, &release)
	if errors.Is(err, sql.ErrNoRows) {
		return m, "", nil
	}
	if err != nil {
		return m, "", fmt.Errorf("standing release: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT scope FROM release_scope WHERE release = $1 ORDER BY scope`, release)
	scopes, err := collect(rows, err, func(row scanner) (scope string, err error) { return scope, row.Scan(&scope) })
	if err != nil {
		return m, "", fmt.Errorf("standing scopes: %w", err)
	}
	return m, strings.Join(scopes, " "), json.Unmarshal([]byte(text), &m)
}

func (s *Advisories) watchRows(ctx context.Context, tx *sql.Tx, id intel.AdvisoryID) (map[string]watchRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT indicator, kind, value, under, released, removed, scopes FROM watch WHERE advisory = $1`, id)
	found, err := collect(rows, err, func(row scanner) (w watchRow, err error) {
		var kind string
		err = row.Scan(&w.indicator.ID, &kind, &w.indicator.Value, &w.indicator.Under, &w.released, &w.removed, &w.scopes)
		w.indicator.Kind = intel.KindNamed(kind)
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("read watch: %w", err)
	}
	have := map[string]watchRow{}
	for _, w := range found {
		have[w.indicator.ID] = w
	}
	return have, nil
}

// putWatch writes the rows that differ under one new version.
func (s *Advisories) putWatch(ctx context.Context, tx *sql.Tx, id intel.AdvisoryID, have, want map[string]watchRow) error {
	var changed []watchRow
	for key, w := range want {
		if h, ok := have[key]; !ok || h.released != w.released || h.removed != w.removed || h.scopes != w.scopes {
			changed = append(changed, w)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	version, err := tick(ctx, tx, "watch", 1, 0)
	if err != nil {
		return err
	}
	rows := make([][]any, len(changed))
	for i, w := range changed {
		rows[i] = []any{w.indicator.ID, id, w.indicator.Kind.String(), w.indicator.Value,
			boolInt(w.indicator.Under), boolInt(w.released), boolInt(w.removed), w.scopes, version}
	}
	return insertRows(ctx, tx, "watch (indicator, advisory, kind, value, under, released, removed, scopes, version)",
		`ON CONFLICT (indicator) DO UPDATE SET released = excluded.released, removed = excluded.removed, scopes = excluded.scopes, version = excluded.version`, rows)
}

// tick moves a counter by step, but to no less than least, and returns it.
// The row stays locked until the transaction ends, so values become visible
// in their order.
func tick(ctx context.Context, tx *sql.Tx, name string, step, least int64) (int64, error) {
	var value int64
	err := tx.QueryRowContext(ctx, `UPDATE intel_clock SET value = CASE WHEN value + $1 > $2 THEN value + $1 ELSE $2 END
		WHERE name = $3 RETURNING value`, step, least, name).Scan(&value)
	if err != nil {
		return 0, fmt.Errorf("tick %s: %w", name, err)
	}
	return value, nil
}

// watchedColumns are what [scanWatched] reads.
const watchedColumns = `SELECT w.indicator, w.kind, w.value, w.under, w.released, w.removed, w.scopes, w.advisory, a.title_zh, a.title_en
	FROM watch w JOIN advisory a ON a.id = w.advisory `

// Watched implements intel.IndicatorSource.
func (s *Advisories) Watched(ctx context.Context, since int64) ([]intel.Watched, int64, error) {
	version, err := s.watchVersion(ctx)
	if err != nil {
		return nil, 0, err
	}
	query := watchedColumns + `WHERE w.version > $1`
	if since == 0 {
		query += ` AND w.removed = 0`
	}
	rows, err := s.db.read.QueryContext(ctx, query+` ORDER BY w.version, w.indicator`, since)
	found, err := collect(rows, err, scanWatched)
	return found, version, err
}

// WatchedOf implements intel.IndicatorSource. The version is read last, so
// that it is no older than the rows: who waits for it waits for them.
func (s *Advisories) WatchedOf(ctx context.Context, id intel.AdvisoryID) ([]intel.Watched, int64, error) {
	rows, err := s.db.read.QueryContext(ctx, watchedColumns+`WHERE w.advisory = $1 AND w.removed = 0 ORDER BY w.indicator`, id)
	found, err := collect(rows, err, scanWatched)
	if err != nil {
		return nil, 0, fmt.Errorf("watched of %s: %w", id, err)
	}
	version, err := s.watchVersion(ctx)
	return found, version, err
}

func (s *Advisories) watchVersion(ctx context.Context) (int64, error) {
	var version int64
	if err := s.db.read.QueryRowContext(ctx, `SELECT value FROM intel_clock WHERE name = 'watch'`).Scan(&version); err != nil {
		return 0, fmt.Errorf("watch version: %w", err)
	}
	return version, nil
}

func scanWatched(row scanner) (intel.Watched, error) {
	var w intel.Watched
	var kind, scopes string
	err := row.Scan(&w.ID, &kind, &w.Value, &w.Under, &w.Released, &w.Removed, &scopes, &w.Advisory, &w.Title.Zh, &w.Title.En)
	w.Kind, w.Scopes = intel.KindNamed(kind), strings.Fields(scopes)
	return w, err
}
