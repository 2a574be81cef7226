package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/sector"
)

// occurrenceRow is an occurrence before its messages are read.
type occurrenceRow struct {
	release, advisory, lineage string
	at, first                  int64
	revoked, replaced          bool
	previous                   string // the release the viewer had before; empty for none
}

// Occurrences implements intel.OccurrenceStore. A release that ended is an
// occurrence of its own unless the viewer was given the one that followed.
func (s *Advisories) Occurrences(ctx context.Context, f sector.Filter, q intel.OccurrenceQuery) ([]intel.Occurrence, error) {
	var b binder
	g := b.gate(f)
	seen := occurrenceArms(&b, g, q)
	rows, err := s.db.read.QueryContext(ctx, `
		WITH page AS (SELECT DISTINCT release, advisory, lineage, at, revoked FROM (`+seen+`) seen
			ORDER BY at LIMIT `+b.bind(pageLimit(q.Limit))+`)
		SELECT o.release, o.advisory, o.lineage, o.at, o.revoked,
			(SELECT min(p.at) FROM release_scope p WHERE p.lineage = o.lineage AND `+g.sees("p")+`),
			coalesce((SELECT p.release FROM release_scope p WHERE p.lineage = o.lineage AND p.at < o.at AND o.revoked = 0 AND `+g.sees("p")+`
				ORDER BY p.at DESC LIMIT 1), ''),
			CASE WHEN o.revoked = 0 AND r.ended_at > 0
				OR EXISTS (SELECT 1 FROM release_scope p WHERE p.lineage = o.lineage AND p.at > r.at AND `+g.sees("p")+`) THEN 1 ELSE 0 END
		FROM page o JOIN release r ON r.id = o.release ORDER BY o.at`, b.args...)
	found, err := collect(rows, err, func(row scanner) (o occurrenceRow, err error) {
		return o, row.Scan(&o.release, &o.advisory, &o.lineage, &o.at, &o.revoked, &o.first, &o.previous, &o.replaced)
	})
	if err != nil {
		return nil, fmt.Errorf("occurrences: %w", err)
	}
	return s.withMessages(ctx, found)
}

func occurrenceArms(b *binder, g gated, q intel.OccurrenceQuery) string {
	after, limit := b.bind(max(0, micros(q.After))), b.bind(pageLimit(q.Limit)) // 0 ends stand
	object := ""
	if len(q.Objects) > 0 {
		object = ` AND s.lineage IN (SELECT o.lineage FROM release_object o WHERE o.object IN (` + bindAll(b, q.Objects) + `))`
	}
	columns := "release, advisory, lineage, at, revoked"
	gives := g.arms(columns, func(scope string) string {
		return `SELECT s.release, s.advisory, s.lineage, s.at, 0 AS revoked FROM release_scope s
			WHERE ` + scope + object + ` AND s.at > ` + after + ` ORDER BY s.at LIMIT ` + limit
	})
	takes := g.arms(columns, func(scope string) string {
		return `SELECT s.release, s.advisory, s.lineage, s.ended_at AS at, 1 AS revoked FROM release_scope s
			WHERE ` + scope + object + ` AND s.ended_at > ` + after + `
			AND NOT EXISTS (SELECT 1 FROM release_scope n WHERE n.lineage = s.lineage AND n.at = s.ended_at AND ` + g.sees("n") + `)
			ORDER BY s.ended_at LIMIT ` + limit
	})
	return gives + " UNION ALL " + takes
}

// withMessages reads the messages of the rows and of what came before them.
func (s *Advisories) withMessages(ctx context.Context, rows []occurrenceRow) ([]intel.Occurrence, error) {
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.release)
		if r.previous != "" {
			ids = append(ids, r.previous)
		}
	}
	messages, err := s.messages(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make([]intel.Occurrence, len(rows))
	for i, r := range rows {
		found[i] = intel.Occurrence{
			Release: r.release, Advisory: intel.AdvisoryID(r.advisory), Lineage: r.lineage, Message: messages[r.release],
			At: fromMicros(r.at), Revoked: r.revoked, Replaced: r.replaced, First: fromMicros(r.first),
			Dropped: dropped(messages[r.previous].Indicators, messages[r.release].Indicators),
		}
	}
	return found, nil
}

// dropped are the indicators of before that are not in now.
func dropped(before, now []intel.Indicator) []intel.Indicator {
	kept := map[string]bool{}
	for _, i := range now {
		kept[i.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(before), func(i intel.Indicator) bool { return kept[i.ID] })
}

// inChunk is how many values one IN list holds.
const inChunk = 400

func (s *Advisories) messages(ctx context.Context, ids []string) (map[string]intel.Message, error) {
	slices.Sort(ids)
	byID := map[string]intel.Message{}
	for chunk := range slices.Chunk(slices.Compact(ids), inChunk) {
		var b binder
		rows, err := s.db.read.QueryContext(ctx, `SELECT id, message FROM release WHERE id IN (`+bindAll(&b, chunk)+`)`, b.args...)
		_, err = collect(rows, err, func(row scanner) (struct{}, error) {
			var id, text string
			var m intel.Message
			if err := row.Scan(&id, &text); err != nil {
				return struct{}{}, err
			}
			err := json.Unmarshal([]byte(text), &m)
			byID[id] = m
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("messages of releases: %w", err)
		}
	}
	return byID, nil
}

// FirstSeen implements intel.OccurrenceStore.
func (s *Advisories) FirstSeen(ctx context.Context, f sector.Filter, ids []string) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	for chunk := range slices.Chunk(ids, inChunk) {
		var b binder
		g := b.gate(f)
		rows, err := s.db.read.QueryContext(ctx, `SELECT o.object, min(s.at) FROM release_object o JOIN release_scope s ON s.release = o.release
			WHERE o.object IN (`+bindAll(&b, chunk)+`) AND `+g.sees("s")+` GROUP BY o.object`, b.args...)
		if err := collectFirst(rows, err, first); err != nil {
			return nil, fmt.Errorf("first seen: %w", err)
		}
	}
	return first, nil
}

func collectFirst(rows *sql.Rows, err error, first map[string]time.Time) error {
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var id string
		var at int64
		err := row.Scan(&id, &at)
		first[id] = fromMicros(at)
		return struct{}{}, err
	})
	return err
}
