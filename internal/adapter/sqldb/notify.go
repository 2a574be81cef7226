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
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Notifications keeps events, notices, messages and what people chose.
type Notifications struct{ db *DB }

var _ notify.Store = (*Notifications)(nil)

// Notifications is the store of package notify.
func (d *DB) Notifications() *Notifications { return &Notifications{d} }

// ours is the condition that a row is of the viewer's organisation.
func (b *binder) ours(f sector.Filter, column string) string {
	switch {
	case f.All():
		return "1 = 1"
	case f.Owner() == "":
		return "1 = 0"
	}
	return column + " = " + b.bind(f.Owner())
}

// orderWriters makes those who change folds and messages wait for each other.
func orderWriters(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE notify_clock SET value = value + 1 WHERE id = 1`); err != nil {
		return fmt.Errorf("order writers: %w", err)
	}
	return nil
}

// write changes something with the entry that explains it and the work that
// it causes. An entry without an action explains nothing that changed.
func (s *Notifications) write(ctx context.Context, work []jobs.Job, e ledger.Entry, fn func(tx *sql.Tx) error) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, work...); err != nil {
			return err
		}
		if e.Action == "" {
			return nil
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// Post implements notify.EventStore.
func (s *Notifications) Post(ctx context.Context, e notify.Event, keys []notify.FoldKey,
	plan func(map[notify.FoldKey]notify.Fold) notify.Plan, entry ledger.Entry,
) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := orderWriters(ctx, tx); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO notify_event (id, topic, object, at, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO NOTHING`, e.ID, e.Topic, e.Object, micros(e.At), string(body))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		folds, err := foldsOf(ctx, tx, keys)
		if err != nil {
			return err
		}
		p := plan(folds)
		if err := putPlan(ctx, tx, e, p); err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, p.Jobs...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, entry)
	})
	if err != nil {
		return fmt.Errorf("post event: %w", err)
	}
	return nil
}

// foldsOf reads folds a few hundred recipients at a time.
func foldsOf(ctx context.Context, tx *sql.Tx, keys []notify.FoldKey) (map[notify.FoldKey]notify.Fold, error) {
	wanted := make(map[notify.FoldKey]bool, len(keys))
	for _, k := range keys {
		wanted[k] = true
	}
	folds := map[notify.FoldKey]notify.Fold{}
	for part := range chunks(keys, 200) {
		var b binder
		recipients := make([]notify.Recipient, len(part))
		for i, k := range part {
			recipients[i] = k.Recipient
		}
		rows, err := tx.QueryContext(ctx, `SELECT recipient, topic, sent, pending FROM notify_fold
			WHERE recipient IN (`+bindAll(&b, recipients)+`)`, b.args...)
		_, err = collect(rows, err, func(row scanner) (struct{}, error) {
			k, f, err := scanFold(row)
			if wanted[k] {
				folds[k] = f
			}
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("read folds: %w", err)
		}
	}
	return folds, nil
}

func scanFold(row scanner) (notify.FoldKey, notify.Fold, error) {
	var k notify.FoldKey
	var f notify.Fold
	var sent string
	if err := row.Scan(&k.Recipient, &k.Topic, &sent, &f.Pending); err != nil {
		return k, f, err
	}
	return k, f, json.Unmarshal([]byte(sent), &f.Sent)
}

func putPlan(ctx context.Context, tx *sql.Tx, e notify.Event, p notify.Plan) error {
	var notices, messages, items, folds [][]any
	for _, n := range p.Notices {
		notices = append(notices, []any{n.ID, n.User, n.Member, e.ID, e.Topic, micros(n.At), 0})
	}
	for _, m := range p.Messages {
		messages = append(messages, []any{m.ID, m.Recipient, m.Member, m.Topic, m.State, micros(m.Due), 0, 0, 0, "", "", micros(m.CreatedAt), 0})
	}
	for id := range p.Items {
		items = append(items, []any{id, e.ID})
	}
	for k, f := range p.Folds {
		sent, err := json.Marshal(f.Sent)
		if err != nil {
			return fmt.Errorf("encode fold: %w", err)
		}
		folds = append(folds, []any{k.Recipient, k.Topic, string(sent), f.Pending})
	}
	return errors.Join(
		insertRows(ctx, tx, "notify_notice (id, account, member, event, topic, at, read_at)", "", notices),
		insertRows(ctx, tx, "notify_message ("+messageColumns+")", "", messages),
		insertRows(ctx, tx, "notify_item (message, event)", "", items),
		insertRows(ctx, tx, "notify_fold (recipient, topic, sent, pending)",
			`ON CONFLICT (recipient, topic) DO UPDATE SET sent = excluded.sent, pending = excluded.pending`, folds))
}

const messageColumns = `id, recipient, member, topic, state, due_at, attempts, first_at, claimed_at, reason, detail, created_at, done_at`

func scanMessage(row scanner) (notify.Message, error) {
	var m notify.Message
	var due, first, claimed, created, done int64
	err := row.Scan(&m.ID, &m.Recipient, &m.Member, &m.Topic, &m.State, &due, &m.Attempts, &first, &claimed, &m.Reason, &m.Detail, &created, &done)
	m.Due, m.FirstAt, m.CreatedAt, m.DoneAt = fromMicros(due), fromMicros(first), fromMicros(created), fromMicros(done)
	return m, err
}

// lostClaim is after how long a claim is taken for lost: its program ended.
const lostClaim = 10 * time.Minute

// Claim implements notify.EventStore.
func (s *Notifications) Claim(ctx context.Context, id string, now time.Time) (notify.Message, bool, error) {
	var m notify.Message
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := orderWriters(ctx, tx); err != nil {
			return err
		}
		var err error
		m, err = scanMessage(tx.QueryRowContext(ctx, `UPDATE notify_message SET state = 'sending', claimed_at = $1
			WHERE id = $2 AND due_at <= $1 AND (state = 'waiting' OR state = 'sending' AND claimed_at < $3)
			RETURNING `+messageColumns, micros(now), id, micros(now.Add(-lostClaim))))
		if err != nil {
			return err
		}
		if m.Events, err = eventsOf(ctx, tx, id); err != nil {
			return err
		}
		return s.closeFold(ctx, tx, m, now)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("claim message: %w", err)
	}
	return m, true, nil
}

// closeFold ends the collecting of a summary.
func (s *Notifications) closeFold(ctx context.Context, tx *sql.Tx, m notify.Message, now time.Time) error {
	k, f, err := scanFold(tx.QueryRowContext(ctx, `SELECT recipient, topic, sent, pending FROM notify_fold WHERE pending = $1`, m.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it went at once
	}
	if err != nil {
		return fmt.Errorf("close fold: %w", err)
	}
	rules, _ := notify.RulesOf(m.Topic)
	sent, err := json.Marshal(f.Close(now, rules.Burst).Sent)
	if err != nil {
		return fmt.Errorf("close fold: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE notify_fold SET sent = $1, pending = '' WHERE recipient = $2 AND topic = $3`, string(sent), k.Recipient, k.Topic)
	if err != nil {
		return fmt.Errorf("close fold: %w", err)
	}
	return nil
}

func eventsOf(ctx context.Context, q querier, message string) ([]notify.Event, error) {
	found, err := eventsOfAll(ctx, q, []string{message})
	return found[message], err
}

// eventsOfAll are the events of messages, oldest first.
func eventsOfAll(ctx context.Context, q querier, messages []string) (map[string][]notify.Event, error) {
	found := map[string][]notify.Event{}
	if len(messages) == 0 {
		return found, nil
	}
	var b binder
	rows, err := q.QueryContext(ctx, `SELECT i.message, e.body FROM notify_item i JOIN notify_event e ON e.id = i.event
		WHERE i.message IN (`+bindAll(&b, messages)+`) ORDER BY e.at, e.id`, b.args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var id, body string
		var e notify.Event
		err := row.Scan(&id, &body)
		if err == nil {
			err = json.Unmarshal([]byte(body), &e)
		}
		found[id] = append(found[id], e)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return found, nil
}

// Settle implements notify.EventStore.
func (s *Notifications) Settle(ctx context.Context, m notify.Message, work []jobs.Job, entry ledger.Entry) error {
	err := s.write(ctx, work, entry, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notify_message SET state = $1, due_at = $2, attempts = $3, first_at = $4, reason = $5,
			detail = $6, done_at = $7 WHERE id = $8 AND state = 'sending'`,
			m.State, micros(m.Due), m.Attempts, micros(m.FirstAt), m.Reason, m.Detail, micros(m.DoneAt), m.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle message: %w", err)
	}
	return nil
}

// changeDead changes one dead message that the filter shows.
func (s *Notifications) changeDead(ctx context.Context, f sector.Filter, id, set string, args []any, work []jobs.Job, entry ledger.Entry) error {
	return s.write(ctx, work, entry, func(tx *sql.Tx) error {
		b := binder{args: args}
		where := "id = " + b.bind(id) + " AND state = 'dead' AND " + b.ours(f, "member")
		res, err := tx.ExecContext(ctx, `UPDATE notify_message SET `+set+` WHERE `+where, b.args...)
		if err != nil {
			return fmt.Errorf("change dead letter: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errs.New(errs.NotFound, "notify.letter_gone"))
		}
		return nil
	})
}

// Revive implements notify.EventStore.
func (s *Notifications) Revive(ctx context.Context, f sector.Filter, id string, now time.Time, work []jobs.Job, entry ledger.Entry) error {
	return s.changeDead(ctx, f, id, "state = 'waiting', due_at = $1, attempts = 0, first_at = 0, done_at = 0", []any{micros(now)}, work, entry)
}

// Drop implements notify.EventStore.
func (s *Notifications) Drop(ctx context.Context, f sector.Filter, id string, now time.Time, entry ledger.Entry) error {
	return s.changeDead(ctx, f, id, "state = 'dropped', done_at = $1", []any{micros(now)}, nil, entry)
}

// Letters implements notify.EventStore.
func (s *Notifications) Letters(ctx context.Context, f sector.Filter, after notify.Place, limit int) ([]notify.Message, error) {
	var b binder
	where := []string{"state = 'dead'", b.ours(f, "member")}
	if !after.At.IsZero() {
		where = append(where, "(done_at, id) < ("+b.bind(micros(after.At))+", "+b.bind(after.ID)+")")
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+messageColumns+` FROM notify_message WHERE `+strings.Join(where, " AND ")+`
		ORDER BY done_at DESC, id DESC LIMIT `+b.bind(limit), b.args...)
	list, err := collect(rows, err, scanMessage)
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	events, err := eventsOfAll(ctx, s.db.read, ids)
	for i, m := range list {
		list[i].Events = events[m.ID]
	}
	return list, err
}

// Backlog implements notify.EventStore.
func (s *Notifications) Backlog(ctx context.Context) (notify.Backlog, error) {
	var out notify.Backlog
	var oldest int64
	err := s.db.read.QueryRowContext(ctx, `SELECT coalesce(sum(CASE WHEN state = 'dead' THEN 0 ELSE 1 END), 0),
		coalesce(sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0), coalesce(min(first_at), 0)
		FROM notify_message WHERE state IN ('waiting', 'sending', 'dead') AND attempts > 0`).Scan(&out.Retrying, &out.Dead, &oldest)
	out.Oldest = fromMicros(oldest)
	if err != nil {
		return out, fmt.Errorf("backlog: %w", err)
	}
	return out, nil
}
