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

const noticeColumns = `n.id, n.account, n.member, n.at, n.read_at, e.body`

func scanNotice(row scanner) (notify.Notice, error) {
	var n notify.Notice
	var at, read int64
	var body string
	if err := row.Scan(&n.ID, &n.User, &n.Member, &at, &read, &body); err != nil {
		return n, err
	}
	n.At, n.ReadAt = fromMicros(at), fromMicros(read)
	return n, json.Unmarshal([]byte(body), &n.Event)
}

// mine is the condition that a notice is the person's, who is still where it
// was told.
func (b *binder) mine(f sector.Filter, u sector.UserID) string {
	return "n.account = " + b.bind(u) + " AND " + b.ours(f, "n.member")
}

// Notices implements notify.NoticeStore.
func (s *Notifications) Notices(ctx context.Context, f sector.Filter, u sector.UserID, q notify.NoticeQuery) ([]notify.Notice, error) {
	var b binder
	where := []string{b.mine(f, u)}
	if q.Unread {
		where = append(where, "n.read_at = 0")
	}
	if q.Topic != "" {
		where = append(where, "n.topic = "+b.bind(q.Topic))
	}
	if !q.After.At.IsZero() {
		where = append(where, "(n.at, n.id) < ("+b.bind(micros(q.After.At))+", "+b.bind(q.After.ID)+")")
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+noticeColumns+` FROM notify_notice n JOIN notify_event e ON e.id = n.event
		WHERE `+strings.Join(where, " AND ")+` ORDER BY n.at DESC, n.id DESC LIMIT `+b.bind(q.Limit), b.args...)
	list, err := collect(rows, err, scanNotice)
	if err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	return list, nil
}

// Notice implements notify.NoticeStore.
func (s *Notifications) Notice(ctx context.Context, f sector.Filter, u sector.UserID, id string) (notify.Notice, error) {
	var b binder
	where := b.mine(f, u) + " AND n.id = " + b.bind(id)
	n, err := scanNotice(s.db.read.QueryRowContext(ctx,
		`SELECT `+noticeColumns+` FROM notify_notice n JOIN notify_event e ON e.id = n.event WHERE `+where, b.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return n, errs.New(errs.NotFound, "notify.gone")
	}
	return n, err
}

// Unread implements notify.NoticeStore.
func (s *Notifications) Unread(ctx context.Context, f sector.Filter, u sector.UserID) (int64, error) {
	var b binder
	var n int64
	err := s.db.read.QueryRowContext(ctx, `SELECT count(*) FROM notify_notice n WHERE n.read_at = 0 AND `+b.mine(f, u), b.args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("unread: %w", err)
	}
	return n, nil
}

// Read implements notify.NoticeStore.
func (s *Notifications) Read(ctx context.Context, u sector.UserID, id string, upTo, now time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notify_notice SET read_at = $1 WHERE account = $2 AND read_at = 0 AND (id = $3 OR at <= $4)`,
			micros(now), u, id, micros(upTo))
		if err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		return nil
	})
}

const defaultDigestHour = 8

// Preferences implements notify.ChoiceStore.
func (s *Notifications) Preferences(ctx context.Context, r notify.Recipient) (notify.Preferences, error) {
	p := notify.Preferences{Modes: map[notify.Topic]notify.Mode{}, Hour: defaultDigestHour}
	rows, err := s.db.read.QueryContext(ctx, `SELECT topic, mode, 0 FROM notify_choice WHERE recipient = $1
		UNION ALL SELECT '', '', hour FROM notify_hour WHERE recipient = $1`, r)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var t notify.Topic
		var m notify.Mode
		var hour int
		err := row.Scan(&t, &m, &hour)
		if t == "" {
			p.Hour = hour
		} else {
			p.Modes[t] = m
		}
		return struct{}{}, err
	})
	if err != nil {
		return p, fmt.Errorf("preferences: %w", err)
	}
	return p, nil
}

// SetPreferences implements notify.ChoiceStore.
func (s *Notifications) SetPreferences(ctx context.Context, r notify.Recipient, p notify.Preferences, entry ledger.Entry) error {
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		var rows [][]any
		for t, m := range p.Modes {
			rows = append(rows, []any{r, t, m})
		}
		if err := insertRows(ctx, tx, "notify_choice (recipient, topic, mode)",
			`ON CONFLICT (recipient, topic) DO UPDATE SET mode = excluded.mode`, rows); err != nil {
			return err
		}
		return insertRows(ctx, tx, "notify_hour (recipient, hour)",
			`ON CONFLICT (recipient) DO UPDATE SET hour = excluded.hour`, [][]any{{r, p.Hour}})
	})
}

// Chosen implements notify.ChoiceStore.
func (s *Notifications) Chosen(ctx context.Context, t notify.Topic) (map[notify.Recipient]notify.Mode, map[notify.Recipient]int, error) {
	modes, hours := map[notify.Recipient]notify.Mode{}, map[notify.Recipient]int{}
	rows, err := s.db.read.QueryContext(ctx, `SELECT recipient, mode, 0 FROM notify_choice WHERE topic = $1
		UNION ALL SELECT recipient, '', hour FROM notify_hour`, t)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var r notify.Recipient
		var m notify.Mode
		var hour int
		err := row.Scan(&r, &m, &hour)
		if m == "" {
			hours[r] = hour
		} else {
			modes[r] = m
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("choices: %w", err)
	}
	return modes, hours, nil
}

const publicKeyColumns = `recipient, fingerprint, armored, expires_at, added_at`

func scanPublicKey(row scanner) (notify.PublicKey, error) {
	var k notify.PublicKey
	var expires, added int64
	err := row.Scan(&k.Recipient, &k.Fingerprint, &k.Armored, &expires, &added)
	k.Expires, k.AddedAt = fromMicros(expires), fromMicros(added)
	return k, err
}

// Key implements notify.ChoiceStore.
func (s *Notifications) Key(ctx context.Context, r notify.Recipient) (notify.PublicKey, error) {
	k, err := scanPublicKey(s.db.read.QueryRowContext(ctx, `SELECT `+publicKeyColumns+` FROM notify_key WHERE recipient = $1`, r))
	if errors.Is(err, sql.ErrNoRows) {
		return k, errs.New(errs.NotFound, "notify.gone")
	}
	return k, err
}

// SetKey implements notify.ChoiceStore.
func (s *Notifications) SetKey(ctx context.Context, k notify.PublicKey, entry ledger.Entry) error {
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		return insertRows(ctx, tx, "notify_key ("+publicKeyColumns+")", `ON CONFLICT (recipient) DO UPDATE SET fingerprint = excluded.fingerprint,
			armored = excluded.armored, expires_at = excluded.expires_at, added_at = excluded.added_at`,
			[][]any{{k.Recipient, k.Fingerprint, k.Armored, micros(k.Expires), micros(k.AddedAt)}})
	})
}

// DropKey implements notify.ChoiceStore.
func (s *Notifications) DropKey(ctx context.Context, r notify.Recipient, entry ledger.Entry) error {
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM notify_key WHERE recipient = $1`, r)
		return err
	})
}

// KeysUntil implements notify.ChoiceStore.
func (s *Notifications) KeysUntil(ctx context.Context, at time.Time) ([]notify.PublicKey, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+publicKeyColumns+` FROM notify_key WHERE expires_at > 0 AND expires_at < $1
		ORDER BY expires_at`, micros(at))
	return collect(rows, err, scanPublicKey)
}

const hookColumns = `id, member, url, topics, secret, old_secret, old_until, created_at, changed_at`

func scanHook(row scanner) (notify.Hook, error) {
	var h notify.Hook
	var topics string
	var until, created, changed int64
	if err := row.Scan(&h.ID, &h.Member, &h.URL, &topics, &h.Secret, &h.Old, &until, &created, &changed); err != nil {
		return h, err
	}
	h.OldUntil, h.CreatedAt, h.ChangedAt = fromMicros(until), fromMicros(created), fromMicros(changed)
	return h, json.Unmarshal([]byte(topics), &h.Topics)
}

// Hooks implements notify.HookStore.
func (s *Notifications) Hooks(ctx context.Context, f sector.Filter) ([]notify.Hook, error) {
	var b binder
	where := b.ours(f, "member")
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+hookColumns+` FROM notify_hook WHERE `+where+` ORDER BY created_at, id`, b.args...)
	return collect(rows, err, scanHook)
}

// HooksFor implements notify.HookStore. Topics are JSON of our own words.
func (s *Notifications) HooksFor(ctx context.Context, t notify.Topic) ([]notify.Hook, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+hookColumns+` FROM notify_hook WHERE topics LIKE $1 ESCAPE '!' ORDER BY id`,
		likeText(`"`+string(t)+`"`))
	return collect(rows, err, scanHook)
}

// Hook implements notify.HookStore.
func (s *Notifications) Hook(ctx context.Context, f sector.Filter, id string) (notify.Hook, error) {
	var b binder
	where := "id = " + b.bind(id) + " AND " + b.ours(f, "member")
	h, err := scanHook(s.db.read.QueryRowContext(ctx, `SELECT `+hookColumns+` FROM notify_hook WHERE `+where, b.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return h, errs.New(errs.NotFound, "notify.hook.gone")
	}
	return h, err
}

// PutHook implements notify.HookStore.
func (s *Notifications) PutHook(ctx context.Context, h notify.Hook, entry ledger.Entry) error {
	topics, err := json.Marshal(h.Topics)
	if err != nil {
		return fmt.Errorf("encode topics: %w", err)
	}
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		return insertRows(ctx, tx, "notify_hook ("+hookColumns+")", `ON CONFLICT (id) DO UPDATE SET url = excluded.url, topics = excluded.topics,
			secret = excluded.secret, old_secret = excluded.old_secret, old_until = excluded.old_until, changed_at = excluded.changed_at`,
			[][]any{{h.ID, h.Member, h.URL, string(topics), h.Secret, h.Old, micros(h.OldUntil), micros(h.CreatedAt), micros(h.ChangedAt)}})
	})
}

// DropHook implements notify.HookStore.
func (s *Notifications) DropHook(ctx context.Context, f sector.Filter, id string, entry ledger.Entry) error {
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		var b binder
		where := "id = " + b.bind(id) + " AND " + b.ours(f, "member")
		res, err := tx.ExecContext(ctx, `DELETE FROM notify_hook WHERE `+where, b.args...)
		if err != nil {
			return fmt.Errorf("drop webhook: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errs.New(errs.NotFound, "notify.hook.gone"))
		}
		return nil
	})
}

// Escalate implements notify.EscalationStore.
func (s *Notifications) Escalate(ctx context.Context, list []notify.Escalation, work []jobs.Job, entry ledger.Entry) error {
	return s.write(ctx, work, entry, func(tx *sql.Tx) error {
		var rows [][]any
		for _, x := range list {
			rows = append(rows, []any{x.Event.ID, x.Member, x.Step, x.Name, x.Phone, micros(x.At), 0, "", ""})
		}
		return insertRows(ctx, tx, "notify_escalation (event, member, step, name, phone, at, done_at, done_by, outcome)",
			`ON CONFLICT (event, member) DO UPDATE SET step = excluded.step, name = excluded.name, phone = excluded.phone, at = excluded.at
			WHERE notify_escalation.done_at = 0`, rows)
	})
}

// maxCalls bounds the desk's list.
const maxCalls = 5000

// Escalations implements notify.EscalationStore.
func (s *Notifications) Escalations(ctx context.Context, event string) ([]notify.Escalation, error) {
	var b binder
	where := "x.step = 2"
	if event != "" {
		where = "x.event = " + b.bind(event)
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT x.member, x.step, x.name, x.phone, x.at, e.body
		FROM notify_escalation x JOIN notify_event e ON e.id = x.event
		WHERE x.done_at = 0 AND `+where+` ORDER BY x.at, x.event, x.member LIMIT `+b.bind(maxCalls), b.args...)
	return collect(rows, err, func(row scanner) (notify.Escalation, error) {
		var x notify.Escalation
		var at int64
		var body string
		if err := row.Scan(&x.Member, &x.Step, &x.Name, &x.Phone, &at, &body); err != nil {
			return x, err
		}
		x.At = fromMicros(at)
		return x, json.Unmarshal([]byte(body), &x.Event)
	})
}

// EndEscalations implements notify.EscalationStore.
func (s *Notifications) EndEscalations(ctx context.Context, event string, members []sector.MemberID, now time.Time, by, outcome string, entry ledger.Entry) error {
	return s.write(ctx, nil, entry, func(tx *sql.Tx) error {
		var b binder
		set := "done_at = " + b.bind(micros(now)) + ", done_by = " + b.bind(by) + ", outcome = " + b.bind(outcome)
		where := "event = " + b.bind(event) + " AND done_at = 0 AND member IN (" + bindAll(&b, members) + ")"
		res, err := tx.ExecContext(ctx, `UPDATE notify_escalation SET `+set+` WHERE `+where, b.args...)
		if err != nil {
			return fmt.Errorf("end escalation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errs.New(errs.NotFound, "notify.call_gone"))
		}
		return nil
	})
}

// Event implements notify.EscalationStore.
func (s *Notifications) Event(ctx context.Context, id string) (notify.Event, error) {
	var body string
	var e notify.Event
	err := s.db.read.QueryRowContext(ctx, `SELECT body FROM notify_event WHERE id = $1`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return e, errs.New(errs.NotFound, "notify.gone")
	}
	if err != nil {
		return e, fmt.Errorf("event: %w", err)
	}
	return e, json.Unmarshal([]byte(body), &e)
}
