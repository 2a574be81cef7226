package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/openpgp"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Choice is how somebody is told of one topic.
type Choice struct {
	Rules
	Mode  Mode
	Fixed bool // cannot be changed
}

// Settings are somebody's choices and key.
type Settings struct {
	Recipient Recipient
	Choices   []Choice
	Hour      int
	Key       *PublicKey
	// KeyExpired: the key's time is over, and mails are held back.
	KeyExpired bool
}

// own is the recipient whose settings the viewer sees: its own, or its
// member's address.
func own(v sector.Viewer, mailbox bool) (Recipient, error) {
	switch {
	case v.User == "":
		return "", errs.New(errs.Unauthenticated, "error.sign_in_first")
	case !mailbox:
		return UserRecipient(v.User), nil
	case v.Member == "":
		return "", errs.New(errs.Forbidden, "notify.members_only")
	}
	return MemberRecipient(v.Member), nil
}

// Settings are the viewer's, or those of its member's address.
func (s *Service) Settings(ctx context.Context, v sector.Viewer, mailbox bool) (Settings, error) {
	r, err := own(v, mailbox)
	if err != nil {
		return Settings{}, err
	}
	p, err := s.Store.Preferences(ctx, r)
	if err != nil {
		return Settings{}, err
	}
	out := Settings{Recipient: r, Hour: p.Hour}
	for _, rules := range Table() {
		mode, ok := rules.Mailbox, rules.Mailbox != ""
		if !mailbox {
			mode, ok = rules.Default(v.Roles)
		}
		if !ok {
			continue
		}
		c := Choice{Rules: rules, Mode: mode, Fixed: rules.Fixed && mode == Now}
		if chosen, ok := p.Modes[rules.Topic]; ok && !c.Fixed {
			c.Mode = chosen
		}
		out.Choices = append(out.Choices, c)
	}
	key, err := s.Store.Key(ctx, r)
	if err == nil {
		_, bad := openpgp.Parse(key.Armored, s.Now())
		out.Key, out.KeyExpired = &key, bad != nil
	} else if !errs.Is(err, errs.NotFound) {
		return Settings{}, err
	}
	return out, nil
}

// Choose stores choices. Topics that are not named keep theirs.
func (s *Service) Choose(ctx context.Context, v sector.Viewer, mailbox bool, modes map[Topic]Mode, hour int) error {
	now, err := s.Settings(ctx, v, mailbox)
	if err != nil {
		return err
	}
	if hour < 0 || hour > 23 {
		return errs.New(errs.Invalid, "notify.hour")
	}
	p := Preferences{Modes: map[Topic]Mode{}, Hour: hour}
	for _, c := range now.Choices {
		mode, ok := modes[c.Topic]
		switch {
		case !ok || c.Fixed:
			mode = c.Mode
		case !slices.Contains(Modes(), mode):
			return errs.New(errs.Invalid, "notify.mode")
		}
		if !c.Fixed {
			p.Modes[c.Topic] = mode
		}
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "notify.choose", Object: now.Recipient.object(), Member: string(v.Member), Detail: detail(p)}
	return s.Store.SetPreferences(ctx, now.Recipient, p, e)
}

// object is the recipient in the ledger.
func (r Recipient) object() string { return "notify:" + string(r) }

// SetKey keeps a public key: from now on mail to the recipient is encrypted.
func (s *Service) SetKey(ctx context.Context, v sector.Viewer, mailbox bool, armored string) (PublicKey, error) {
	r, err := own(v, mailbox)
	if err != nil {
		return PublicKey{}, err
	}
	now := s.Now().UTC()
	parsed, err := openpgp.Parse(armored, now)
	if err != nil {
		return PublicKey{}, keyError(err)
	}
	k := PublicKey{Recipient: r, Fingerprint: parsed.Fingerprint, Armored: parsed.Armored, Expires: parsed.Expires, AddedAt: now}
	e := ledger.Entry{Actor: v.Actor(), Action: "pgpkey.add", Object: r.object(), Member: string(v.Member),
		Detail: detail(map[string]string{"fingerprint": k.Fingerprint})}
	return k, s.Store.SetKey(ctx, k, e)
}

func keyError(err error) error {
	for _, one := range []struct {
		is  error
		key string
	}{
		{openpgp.ErrTooLarge, "notify.pgp.large"}, {openpgp.ErrPrivate, "notify.pgp.private"},
		{openpgp.ErrExpired, "notify.pgp.expired"}, {openpgp.ErrRevoked, "notify.pgp.revoked"},
		{openpgp.ErrNoEncryption, "notify.pgp.no_encryption"},
	} {
		if errors.Is(err, one.is) {
			return errs.New(errs.Invalid, one.key).Because(err)
		}
	}
	return errs.New(errs.Invalid, "notify.pgp.none").Because(err)
}

// DropKey forgets the recipient's key: mail is no longer encrypted, and so no
// longer carries what may only go out encrypted.
func (s *Service) DropKey(ctx context.Context, v sector.Viewer, mailbox bool) error {
	r, err := own(v, mailbox)
	if err != nil {
		return err
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "pgpkey.drop", Object: r.object(), Member: string(v.Member)}
	return s.Store.DropKey(ctx, r, e)
}

// warnKeys is how long before its end a key's owner is told.
const warnKeys = 14 * 24 * time.Hour

// warnOfKeys tells the owners of keys that run out soon.

func (s *Service) warnOfKeys(ctx context.Context) error {
	now := s.Now().UTC()
	keys, err := s.Store.KeysUntil(ctx, now.Add(warnKeys))
	if err != nil {
		return err
	}
	for _, k := range keys {
		e := Event{ID: "pgp-expiry-" + k.Fingerprint + "-" + string(k.Recipient), Topic: KeyExpiring,
			Object: "path:/notifications/settings", Args: []string{k.Expires.In(taipei()).Format(time.DateOnly)}}
		kind, id := k.Recipient.Split()
		if kind == "user" {
			e.Audience.Users = []sector.UserID{sector.UserID(id)}
		} else {
			e.Audience.Members = sector.Audience{Members: []sector.MemberID{sector.MemberID(id)}}
		}
		if err := s.Post(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// WatchKeys looks after people's keys until ctx is done: at once and then
// twice a day.
func (s *Service) WatchKeys(ctx context.Context, failed func(error)) error {
	tick := time.NewTicker(12 * time.Hour)
	defer tick.Stop()
	for {
		if err := s.warnOfKeys(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Line is a notice in words.
type Line struct {
	Notice
	Rules
	Title Text // read through the gate; empty: the topic's words only
	Args  []any
}

// Page of the list.
const pageSize = 50

// Notices are the viewer's lines, newest first, and where the list goes on.
func (s *Service) Notices(ctx context.Context, v sector.Viewer, q NoticeQuery) ([]Line, *Place, error) {
	if q.Limit < 1 || q.Limit > pageSize {
		q.Limit = pageSize
	}
	ask := q
	ask.Limit++
	list, err := s.Store.Notices(ctx, s.gate.For(v), v.User, ask)
	if err != nil {
		return nil, nil, err
	}
	var next *Place
	if len(list) > q.Limit {
		list = list[:q.Limit]
		last := list[len(list)-1]
		next = &Place{At: last.At, ID: last.ID}
	}
	titles, err := s.titles(ctx, v, list)
	if err != nil {
		return nil, nil, err
	}
	lines := make([]Line, len(list))
	for i, n := range list {
		rules, _ := RulesOf(n.Event.Topic)
		lines[i] = Line{Notice: n, Rules: rules, Title: titles[n.Event.Object]}
		for _, a := range n.Event.Args {
			lines[i].Args = append(lines[i].Args, a)
		}
	}
	return lines, next, nil
}

// titles reads the objects of notices through the gate, kind by kind.
func (s *Service) titles(ctx context.Context, v sector.Viewer, list []Notice) (map[string]Text, error) {
	byKind := map[string][]string{}
	for _, n := range list {
		if kind := n.Event.Kind(); s.Sources[kind] != nil && !slices.Contains(byKind[kind], n.Event.Object) {
			byKind[kind] = append(byKind[kind], n.Event.Object)
		}
	}
	all := map[string]Text{}
	for kind, objects := range byKind {
		some, err := s.Sources[kind].Titles(ctx, v, objects)
		if err != nil {
			return nil, err
		}
		for object, t := range some {
			all[object] = t
		}
	}
	return all, nil
}

// Unread counts the viewer's notices that it has not read.
func (s *Service) Unread(ctx context.Context, v sector.Viewer) (int64, error) {
	if v.User == "" {
		return 0, nil
	}
	return s.Store.Unread(ctx, s.gate.For(v), v.User)
}

// Open marks a notice as read and returns the path that it leads to.
func (s *Service) Open(ctx context.Context, v sector.Viewer, id string) (string, error) {
	n, err := s.Store.Notice(ctx, s.gate.For(v), v.User, id)
	if err != nil {
		return "", err
	}
	return n.Event.path(), s.Store.Read(ctx, v.User, id, time.Time{}, s.Now().UTC())
}

// ReadAll marks everything that came until a time as read.
func (s *Service) ReadAll(ctx context.Context, v sector.Viewer, upTo time.Time) error {
	return s.Store.Read(ctx, v.User, "", upTo, s.Now().UTC())
}

// DeadLetters are the messages that were given up: all of them for the
// centre, a member's own for the member.
func (s *Service) DeadLetters(ctx context.Context, v sector.Viewer, after Place) ([]Message, *Place, error) {
	list, err := s.Store.Letters(ctx, s.gate.For(v), after, pageSize+1)
	if err != nil || len(list) <= pageSize {
		return s.cut(v, list), nil, err
	}
	list = list[:pageSize]
	last := list[len(list)-1]
	return s.cut(v, list), &Place{At: last.DoneAt, ID: last.ID}, nil
}

// cut leaves out what a member need not know: the words of our mail server.
func (s *Service) cut(v sector.Viewer, list []Message) []Message {
	for i := range list {
		if kind, _ := list[i].Recipient.Split(); v.Org != sector.Centre && kind != "hook" {
			list[i].Detail = ""
		}
	}
	return list
}

// Retry sends a dead letter again, at once.
func (s *Service) Retry(ctx context.Context, v sector.Viewer, id string) error {
	now := s.Now().UTC()
	e := ledger.Entry{Actor: v.Actor(), Action: "message.retry", Object: "message:" + id, Member: string(v.Member)}
	return s.Store.Revive(ctx, s.gate.For(v), id, now, []jobs.Job{sendJob(id, now)}, e)
}

// Drop gives a dead letter up for ever.
func (s *Service) Drop(ctx context.Context, v sector.Viewer, id, why string) error {
	why = strings.TrimSpace(clip(why))
	if why == "" {
		return errs.New(errs.Invalid, "notify.drop.why")
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "message.drop", Object: "message:" + id, Member: string(v.Member),
		Detail: detail(map[string]string{"reason": why})}
	return s.Store.Drop(ctx, s.gate.For(v), id, s.Now().UTC(), e)
}
