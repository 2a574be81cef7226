package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Detections is where the detection pipeline writes.
type Detections struct {
	db       *DB
	announce func(raised []monitor.Alert) []jobs.Job
}

var _ monitor.Detections = (*Detections)(nil)

// Detections is the store of the pipeline.
func (d *DB) Detections() *Detections {
	return &Detections{d, func([]monitor.Alert) []jobs.Job { return nil }}
}

// Announcing is the store that enqueues work for the alerts that are raised,
// in their transaction.
func (s *Detections) Announcing(work func(raised []monitor.Alert) []jobs.Job) *Detections {
	return &Detections{s.db, work}
}

// Cursor implements monitor.Detections.
func (s *Detections) Cursor(ctx context.Context) (uint64, error) {
	var at uint64
	err := s.db.read.QueryRowContext(ctx, `SELECT position FROM pipeline WHERE name = 'detector'`).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("detector cursor: %w", err)
	}
	return at, nil
}

// SaveState implements monitor.Detections.
func (s *Detections) SaveState(ctx context.Context, upTo uint64, state []byte) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE pipeline SET position = $1, state = $2 WHERE name = 'snapshot'`, int64(upTo), state)
		return err
	})
	if err != nil {
		return fmt.Errorf("save correlator state: %w", err)
	}
	return nil
}

// LoadState implements monitor.Detections.
func (s *Detections) LoadState(ctx context.Context) (upTo uint64, state []byte, err error) {
	err = s.db.read.QueryRowContext(ctx, `SELECT position, state FROM pipeline WHERE name = 'snapshot'`).Scan(&upTo, &state)
	if err != nil {
		return 0, nil, fmt.Errorf("load correlator state: %w", err)
	}
	return upTo, state, nil
}

// Apply implements monitor.Detections.
func (s *Detections) Apply(ctx context.Context, c monitor.Commit) ([]monitor.Alert, error) {
	var raised []monitor.Alert
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		raised = nil
		res, err := tx.ExecContext(ctx,
			`UPDATE pipeline SET position = $1 WHERE name = 'detector' AND position < $1`, int64(c.UpTo))
		if err != nil {
			return fmt.Errorf("move cursor: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := putMarks(ctx, tx, c.Batches, c.At); err != nil {
			return err
		}
		if err := putLetters(ctx, tx, c.Letters); err != nil {
			return err
		}
		raised, err = s.record(ctx, tx, streamed(), c.At, c.Findings, c.Sightings)
		if err != nil {
			return err
		}
		return withdrawAlerts(ctx, tx, c.At, c.Withdrawn)
	})
	if err != nil {
		return nil, fmt.Errorf("apply detections: %w", err)
	}
	return raised, nil
}

// Record implements monitor.Detections.
func (s *Detections) Record(ctx context.Context, at time.Time, findings []monitor.Finding, sightings []monitor.SightingCount) ([]monitor.Alert, error) {
	var raised []monitor.Alert
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		raised, err = s.record(ctx, tx, hunted(), at, findings, sightings)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record hunt: %w", err)
	}
	return raised, nil
}

// origin says how counts come together when a row is there already.
type origin struct {
	name string
	sum  func(table string) string
	why  string // what the explanation becomes
}

// streamed counts add up.
func streamed() origin {
	return origin{"stream", func(t string) string { return t + ".count + excluded.count" }, "alert.why"}
}

// hunted counts are repeated, so the larger holds.
func hunted() origin {
	return origin{"hunt", func(t string) string { return larger(t, "count") }, "alert.why"}
}

// whole is for findings that come with their totals, and their explanation
// with the present ones.
func whole() origin {
	o := hunted()
	o.why = "excluded.why"
	return o
}

func larger(table, column string) string {
	return fmt.Sprintf("CASE WHEN excluded.%[2]s > %[1]s.%[2]s THEN excluded.%[2]s ELSE %[1]s.%[2]s END", table, column)
}

func smaller(table, column string) string {
	return fmt.Sprintf("CASE WHEN excluded.%[2]s < %[1]s.%[2]s THEN excluded.%[2]s ELSE %[1]s.%[2]s END", table, column)
}

func (s *Detections) record(ctx context.Context, tx *sql.Tx, o origin, at time.Time,
	findings []monitor.Finding, sightings []monitor.SightingCount,
) ([]monitor.Alert, error) {
	var raised []monitor.Alert
	var totals, additions []monitor.Finding
	for _, f := range findings {
		if f.Total {
			totals = append(totals, f)
		} else {
			additions = append(additions, f)
		}
	}
	for _, kind := range []struct {
		origin
		list []monitor.Finding
	}{{o, additions}, {whole(), totals}} {
		for part := range chunks(kind.list, 100) {
			fresh, err := s.putFindings(ctx, tx, kind.origin, at, part)
			if err != nil {
				return nil, err
			}
			raised = append(raised, fresh...)
		}
	}
	if err := putSightings(ctx, tx, o, sightings); err != nil {
		return nil, err
	}
	if err := s.db.enqueue(ctx, tx, s.announce(raised)...); err != nil {
		return nil, err
	}
	return raised, s.db.appendLedger(ctx, tx, raisedEntries(raised)...)
}

func raisedEntries(raised []monitor.Alert) []ledger.Entry {
	entries := make([]ledger.Entry, len(raised))
	for i, a := range raised {
		detail, err := json.Marshal(map[string]string{"cause": string(a.Cause), "rule": a.RuleID, "version": a.RuleVersion})
		if err != nil { // a map of strings always encodes
			detail = nil
		}
		entries[i] = ledger.Entry{Actor: "system", Action: "alert.raise", Object: "alert:" + a.ID, Detail: string(detail)}
		if len(a.Members) == 1 {
			entries[i].Member = string(a.Members[0])
		}
	}
	return entries
}

// known is what is stored of an alert that a finding adds to.
type known struct {
	number int64
	kept   int
}

func (s *Detections) putFindings(ctx context.Context, tx *sql.Tx, o origin, at time.Time, list []monitor.Finding) ([]monitor.Alert, error) {
	list = mergeFindings(list)
	before, err := alertsByKey(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	if err := upsertAlerts(ctx, tx, o, at, list); err != nil {
		return nil, err
	}
	now, err := alertsByKey(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	if err := putParts(ctx, tx, o, at, list, now); err != nil {
		return nil, err
	}
	touched := make([]any, len(list))
	for i, f := range list {
		touched[i] = now[f.Key].number
	}
	if err := s.db.shelveAlerts(ctx, tx, newest(), touched); err != nil {
		return nil, err
	}
	var raised []monitor.Alert
	for _, f := range list {
		if _, old := before[f.Key]; old {
			continue
		}
		raised = append(raised, monitor.Alert{
			Number: now[f.Key].number, ID: monitor.AlertID(f.Key), Finding: f, Raised: at, State: monitor.StateNew, Version: 1,
		})
	}
	return raised, nil
}

// mergeFindings drops all but the first of findings with one key, which a
// caller should not hand in: a statement cannot touch a row twice.
func mergeFindings(list []monitor.Finding) []monitor.Finding {
	seen := make(map[string]bool, len(list))
	out := make([]monitor.Finding, 0, len(list))
	for _, f := range list {
		if !seen[f.Key] {
			seen[f.Key] = true
			out = append(out, f)
		}
	}
	return out
}

// placeholders is "$from,…" for an IN over n values.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

func alertsByKey(ctx context.Context, tx *sql.Tx, list []monitor.Finding) (map[string]known, error) {
	args := make([]any, len(list))
	for i, f := range list {
		args[i] = f.Key
	}
	rows, err := tx.QueryContext(ctx, `SELECT key, number, kept FROM alert WHERE key IN (`+placeholders(1, len(args))+`)`, args...)
	found := make(map[string]known, len(list))
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var key string
		var k known
		err := row.Scan(&key, &k.number, &k.kept)
		found[key] = k
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("find alerts: %w", err)
	}
	return found, nil
}

func upsertAlerts(ctx context.Context, tx *sql.Tx, o origin, at time.Time, list []monitor.Finding) error {
	v := values{columns: 25}
	for _, f := range list {
		about, err := json.Marshal(f.Group)
		if err != nil {
			return fmt.Errorf("alert group: %w", err)
		}
		v.add(monitor.AlertID(f.Key), f.Key, f.Cause, f.RuleID, f.RuleVersion, f.Title, f.TitleZh, int64(f.Severity),
			string(about), strings.ToLower(f.Title+"\n"+f.TitleZh), aboutWords(f.Group), string(f.Why), f.WhyMember,
			flag(f.Restricted), micros(f.First), micros(f.Last), f.Count, len(f.Members), 0, micros(at),
			monitor.StateNew, 1, "", "", 1)
	}
	_, err := tx.ExecContext(ctx,
		`INSERT INTO alert (id, key, cause, rule_id, rule_version, title, title_zh, severity,
		     about, words, about_words, why, why_member,
		     restricted, first_at, last_at, count, members, kept, raised,
		     state, active, assignee, advisory, version) VALUES `+v.String()+`
		 ON CONFLICT (key) DO UPDATE SET count = `+o.sum("alert")+`, why = `+o.why+`,
		     severity = `+larger("alert", "severity")+`,
		     first_at = `+smaller("alert", "first_at")+`,
		     last_at = `+larger("alert", "last_at"), v.args...)
	if err != nil {
		return fmt.Errorf("raise alerts: %w", err)
	}
	return nil
}

func aboutWords(group []monitor.Pair) string {
	var b strings.Builder
	for _, p := range group {
		b.WriteString(strings.ToLower(p.Value))
		b.WriteByte('\n')
	}
	return b.String()
}

// putParts writes what hangs on the alerts and brings their counts of it up
// to date.
func putParts(ctx context.Context, tx *sql.Tx, o origin, at time.Time, list []monitor.Finding, now map[string]known) error {
	members, scopes, records := values{columns: 6}, values{columns: 2}, values{columns: 5}
	var touched []any
	for _, f := range list {
		k := now[f.Key]
		touched = append(touched, k.number)
		for _, sh := range shares(f) {
			members.add(k.number, sh.Member, sh.Count, micros(sh.First), micros(sh.Last), micros(at))
		}
		for _, scope := range f.Scopes {
			scopes.add(k.number, scope)
		}
		for _, r := range f.Records[:min(len(f.Records), max(0, monitor.MaxAlertRecords-k.kept))] {
			obs, err := encodeObservables(r.Observables)
			if err != nil {
				return err
			}
			records.add(k.number, r.ID, r.Member, micros(r.At), obs)
		}
	}
	for _, part := range []struct {
		v          *values
		head, tail string
	}{
		{&members, `INSERT INTO alert_member (alert, member, count, first_at, last_at, raised) VALUES `,
			` ON CONFLICT (alert, member) DO UPDATE SET count = ` + o.sum("alert_member") +
				`, first_at = ` + smaller("alert_member", "first_at") + `, last_at = ` + larger("alert_member", "last_at")},
		{&scopes, `INSERT INTO alert_scope (alert, scope) VALUES `, ` ON CONFLICT (alert, scope) DO NOTHING`},
		{&records, `INSERT INTO alert_record (alert, record, member, at, observables) VALUES `, ` ON CONFLICT (alert, record) DO NOTHING`},
	} {
		if err := part.v.insert(ctx, tx, part.head, part.tail); err != nil {
			return fmt.Errorf("parts of alerts: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx,
		`UPDATE alert SET members = (SELECT count(*) FROM alert_member m WHERE m.alert = alert.number),
		     kept = (SELECT count(*) FROM alert_record r WHERE r.alert = alert.number)
		 WHERE number IN (`+placeholders(1, len(touched))+`)`, touched...)
	if err != nil {
		return fmt.Errorf("count parts of alerts: %w", err)
	}
	return nil
}

// insert writes the rows in statements of a bounded number of parameters.
func (v *values) insert(ctx context.Context, tx *sql.Tx, head, tail string) error {
	for part := range chunks(v.args, rowsAtOnce*v.columns) {
		w := values{columns: v.columns}
		for row := range chunks(part, v.columns) {
			w.add(row...)
		}
		if _, err := tx.ExecContext(ctx, head+w.String()+tail, w.args...); err != nil {
			return err
		}
	}
	return nil
}

// shares is each member's part; a finding about one member is all its.
func shares(f monitor.Finding) []monitor.Share {
	if len(f.Shares) > 0 || len(f.Members) == 0 {
		return f.Shares
	}
	list := make([]monitor.Share, len(f.Members))
	for i, m := range f.Members {
		list[i] = monitor.Share{Member: m, Count: f.Count, First: f.First, Last: f.Last}
	}
	return list
}

// withdrawAlerts closes alerts that turned out to be part of another or not
// to hold.
func withdrawAlerts(ctx context.Context, tx *sql.Tx, at time.Time, keys []string) error {
	for part := range chunks(keys, 500) {
		args := []any{micros(at)}
		for _, k := range part {
			args = append(args, k)
		}
		in := `key IN (` + placeholders(2, len(part)) + `)`
		_, err := tx.ExecContext(ctx,
			`INSERT INTO alert_change (alert, at, actor, what, old, new)
			 SELECT number, $1, 'system', 'state', state, 'closed' FROM alert WHERE active = 1 AND `+in, args...)
		if err != nil {
			return fmt.Errorf("withdraw alerts: %w", err)
		}
		_, err = tx.ExecContext(ctx,
			`UPDATE alert SET state = 'closed', active = 0, version = version + 1
			 WHERE active = 1 AND key IN (`+placeholders(1, len(part))+`)`, args[1:]...)
		if err != nil {
			return fmt.Errorf("withdraw alerts: %w", err)
		}
	}
	return nil
}

func putSightings(ctx context.Context, tx *sql.Tx, o origin, list []monitor.SightingCount) error {
	v := values{columns: 7}
	for _, s := range list {
		v.add(s.Indicator, s.Member, s.Value, o.name, micros(s.First), micros(s.Last), s.Count)
	}
	err := v.insert(ctx, tx, `INSERT INTO sighting (indicator, member, value, origin, first_at, last_at, count) VALUES `,
		` ON CONFLICT (indicator, member, value, origin) DO UPDATE SET count = `+o.sum("sighting")+
			`, first_at = `+smaller("sighting", "first_at")+`, last_at = `+larger("sighting", "last_at"))
	if err != nil {
		return fmt.Errorf("sightings: %w", err)
	}
	return nil
}

// Sightings lists what was seen of indicators, by indicator and member. A
// member's filter shows its own only.
func (s *Detections) Sightings(ctx context.Context, f sector.Filter, indicators []string) ([]monitor.SightingCount, error) {
	if !f.All() && f.Owner() == "" {
		return nil, nil
	}
	var all []monitor.SightingCount
	for part := range chunks(indicators, 500) {
		args := []any{string(f.Owner())}
		for _, id := range part {
			args = append(args, id)
		}
		rows, err := s.db.read.QueryContext(ctx,
			`SELECT indicator, member, value, min(first_at), max(last_at), sum(count) FROM sighting
			 WHERE ($1 = '' OR member = $1) AND indicator IN (`+placeholders(2, len(part))+`)
			 GROUP BY indicator, member, value ORDER BY indicator, member, value`, args...)
		list, err := collect(rows, err, scanSighting)
		if err != nil {
			return nil, fmt.Errorf("sightings: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}

func scanSighting(row scanner) (monitor.SightingCount, error) {
	var c monitor.SightingCount
	var first, last int64
	err := row.Scan(&c.Indicator, &c.Member, &c.Value, &first, &last, &c.Count)
	c.First, c.Last = fromMicros(first), fromMicros(last)
	return c, err
}
