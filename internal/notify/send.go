package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// failure is why a message was not delivered.
type failure struct {
	reason string // catalogue key
	final  bool   // trying again cannot help
	cause  error
}

func (f *failure) Error() string {
	if f.cause == nil {
		return f.reason
	}
	return f.reason + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// patience is how long a message is tried.
const patience = 24 * time.Hour

// pause is how long to wait after a failed attempt (1 for the first): from 10
// seconds to 3 hours, threefold each time, a quarter more or less so that
// those who failed together do not come back together.
func pause(attempt int) time.Duration {
	const least, most = 10 * time.Second, 3 * time.Hour
	d := least
	for i := 1; i < attempt && d < most; i++ {
		d *= 3
	}
	d = min(d, most)
	return d*3/4 + rand.N(d/2)
}

func (s *Service) sendJob(ctx context.Context, raw json.RawMessage) error {
	var args sendArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return fmt.Errorf("notify: message: %w", err)
	}
	m, ok, err := s.Store.Claim(ctx, args.Message, s.Now().UTC())
	if err != nil || !ok {
		return err
	}
	told, err := s.deliver(ctx, m)
	return s.settle(ctx, m, told, err)
}

// deliver sends the message and returns the events it told of.
func (s *Service) deliver(ctx context.Context, m Message) ([]Event, error) {
	if kind, id := m.Recipient.Split(); kind == "hook" {
		return nil, s.call(ctx, m, id)
	}
	to, err := s.party(ctx, m)
	if err != nil {
		return nil, err
	}
	return s.mail(ctx, m, to)
}

// settle stores how it went. Those whom the failure concerns are told within
// the same transaction.
func (s *Service) settle(ctx context.Context, m Message, told []Event, err error) error {
	now := s.Now().UTC()
	m.Attempts++
	if m.FirstAt.IsZero() {
		m.FirstAt = now
	}
	entry := func(action string) ledger.Entry {
		return ledger.Entry{Actor: sector.System().Actor(), Action: action, Object: "message:" + m.ID, Member: string(m.Member),
			Detail: detail(map[string]any{"to": m.Recipient.ledgerName(), "attempt": m.Attempts, "events": len(m.Events), "reason": m.Reason})}
	}
	var work []jobs.Job
	var e ledger.Entry
	switch f := asFailure(err); {
	case err == nil:
		m.State, m.DoneAt, m.Reason, m.Detail = Sent, now, "", ""
		e = entry("message.send")
	case errs.Is(err, errs.NotFound), m.Topic == DeliveryFails && spent(m, now):
		// A mail about mail that fails is of no use to anybody a day later;
		// the page has said it.
		m.State, m.DoneAt, m.Reason, m.Detail = Void, now, "", ""
		e = entry("message.void")
	case f.final || spent(m, now):
		m.State, m.DoneAt, m.Reason, m.Detail = Dead, now, f.reason, clip(errText(f.cause))
		e, work = entry("message.fail"), s.alarm(m)
	default:
		m.State, m.Due, m.Reason, m.Detail = Waiting, now.Add(pause(m.Attempts)), f.reason, clip(errText(f.cause))
		e, work = entry("message.defer"), []jobs.Job{sendJob(m.ID, m.Due)}
	}
	if err := s.noteAtSource(ctx, m, told); err != nil {
		return err
	}
	return s.Store.Settle(ctx, m, work, e)
}

// spent reports whether the message was tried for long enough.
func spent(m Message, now time.Time) bool { return now.Sub(m.FirstAt) >= patience }

// ledgerName names a recipient without personal data.
func (r Recipient) ledgerName() string {
	if kind, _ := r.Split(); kind == "address" {
		return kind
	}
	return string(r)
}

func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{reason: "notify.fail.other", cause: err}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// noteAtSource tells those who know the objects how the member's mail went.
func (s *Service) noteAtSource(ctx context.Context, m Message, told []Event) error {
	if kind, _ := m.Recipient.Split(); m.Member == "" || kind == "hook" || kind == "address" {
		return nil
	}
	failed := m.State == Dead || m.State == Waiting
	if failed {
		told = m.Events
	}
	for _, e := range told {
		src := s.Sources[e.Kind()]
		if src == nil {
			continue
		}
		var err error
		if failed {
			err = src.Failed(ctx, m.Member, e, clip(m.Reason+" "+m.Detail))
		} else {
			err = src.Told(ctx, m.Member, e)
		}
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	return nil
}

// alarm tells of a dead message: the centre, once an hour however many there
// are, and for a key that cannot be used its owner, over what does not need
// the key. Neither has any content.
func (s *Service) alarm(m Message) []jobs.Job {
	work := []jobs.Job{Job(Event{
		ID: "delivery-" + m.DoneAt.Format("2006010215"), Topic: DeliveryFails, Object: "path:/notifications/undelivered",
		Audience: Audience{Roles: []sector.Role{sector.Administrator, sector.DutyManager}},
	}, time.Time{})}
	if m.Reason != reasonKey {
		return work
	}
	kind, id := m.Recipient.Split()
	e := Event{ID: "pgp-" + m.ID, Topic: Security, Key: "notify.line.pgp_expired", Object: "path:/notifications/settings"}
	switch kind {
	case "user":
		e.Audience.Users = []sector.UserID{sector.UserID(id)}
	case "member":
		e.Audience.Members = sector.Audience{Members: []sector.MemberID{m.Member}}
	}
	return append(work, Job(e, time.Time{}))
}

// party is who a mail goes to, as it is now.
type party struct {
	viewer sector.Viewer
	mail   string
	key    *PublicKey
}

func (s *Service) party(ctx context.Context, m Message) (party, error) {
	kind, id := m.Recipient.Split()
	var to party
	switch kind {
	case "user":
		v, err := s.Directory.Refresh(ctx, sector.UserID(id))
		if errs.Is(err, errs.Unauthenticated) { // removed, or the member takes no part
			err = errGone()
		}
		if err != nil {
			return to, err
		}
		if v.Member != m.Member {
			return to, errGone()
		}
		to = party{viewer: v, mail: v.Email}
	case "member", "address":
		member, err := s.member(ctx, m.Member)
		if err != nil {
			return to, err
		}
		to = party{viewer: memberViewer(member), mail: member.Mail}
		if kind == "address" {
			to.mail = id
		}
	}
	if to.mail == "" {
		return to, errGone()
	}
	key, err := s.Store.Key(ctx, m.Recipient)
	if errs.Is(err, errs.NotFound) {
		return to, nil
	}
	to.key = &key
	return to, err
}

func (s *Service) member(ctx context.Context, id sector.MemberID) (sector.Member, error) {
	members, err := s.Directory.Members(ctx)
	if err != nil {
		return sector.Member{}, err
	}
	for _, m := range members {
		if m.ID == id && m.State == sector.TakesPart {
			return m, nil
		}
	}
	return sector.Member{}, errGone()
}
