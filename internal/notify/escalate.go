package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

type escalateArgs struct {
	Event string `json:"event"`
	Step  int    `json:"step"`
}

func escalateJob(event string, step int, at time.Time) jobs.Job {
	j := jobs.New(JobEscalate, escalateArgs{event, step})
	j.At = at
	return j
}

// The steps of an escalation. After the last the desk's task is looked after
// until somebody opens the warning or a day has passed.
const (
	stepDeputies = 1
	stepDesk     = 2
	stepWatch    = 3

	watchEvery = 5 * time.Minute
	watchFor   = 24 * time.Hour

	// deputiesMark ends the id of an event that deputies are told of.
	deputiesMark = ".deputies"
)

func (s *Service) escalateJob(ctx context.Context, raw json.RawMessage) error {
	var args escalateArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return fmt.Errorf("notify: escalation: %w", err)
	}
	e, err := s.Store.Event(ctx, args.Event)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	open, err := s.unopened(ctx, e, args.Step)
	if err != nil || len(open) == 0 {
		return err
	}
	switch args.Step {
	case stepDeputies:
		return s.tellDeputies(ctx, e, open)
	case stepDesk:
		return s.tellDesk(ctx, e, open)
	}
	if s.Now().Sub(e.At) > watchFor {
		return nil // the task stays at the desk until somebody closes it
	}
	return s.Store.Escalate(ctx, nil, []jobs.Job{escalateJob(e.ID, stepWatch, s.Now().UTC().Add(watchEvery))}, ledger.Entry{})
}

// unopened are the members that nobody has opened the event at, and ends the
// escalation of the others.
func (s *Service) unopened(ctx context.Context, e Event, step int) ([]sector.Member, error) {
	w, err := s.world(ctx, e.Topic)
	if err != nil {
		return nil, err
	}
	reached, err := s.reached(ctx, e, w)
	if err != nil {
		return nil, err
	}
	ids := make([]sector.MemberID, 0, len(reached))
	for id := range reached {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	still := ids
	if src := s.Sources[e.Kind()]; src != nil {
		if still, err = src.Concerned(ctx, e, ids); err != nil {
			return nil, err
		}
	}
	if step > stepDeputies {
		if still, err = s.endOpened(ctx, e, still); err != nil {
			return nil, err
		}
	}
	var open []sector.Member
	for _, id := range still {
		open = append(open, w.members[id])
	}
	return open, nil
}

// endOpened ends the escalations of members that are not among still, and
// returns those of still whose escalation nobody has ended.
func (s *Service) endOpened(ctx context.Context, e Event, still []sector.MemberID) ([]sector.MemberID, error) {
	list, err := s.Store.Escalations(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	var done, open []sector.MemberID
	for _, x := range list {
		if slices.Contains(still, x.Member) {
			open = append(open, x.Member)
		} else {
			done = append(done, x.Member)
		}
	}
	if len(done) == 0 {
		return open, nil
	}
	entry := ledger.Entry{Actor: sector.System().Actor(), Action: "escalation.end", Object: "event:" + e.ID,
		Detail: detail(map[string]any{"members": len(done), "outcome": "opened"})}
	return open, s.Store.EndEscalations(ctx, e.ID, done, s.Now().UTC(), sector.System().Actor(), "opened", entry)
}

// tellDeputies mails the deputies of each member, whatever they chose: this
// is what deputies are for.
func (s *Service) tellDeputies(ctx context.Context, e Event, open []sector.Member) error {
	now := s.Now().UTC()
	var list []Escalation
	p := Plan{Items: map[string]bool{}}
	for _, m := range open {
		deputies, err := s.deputies(ctx, m.ID)
		if err != nil {
			return err
		}
		list = append(list, Escalation{Event: e, Member: m.ID, Step: stepDeputies, At: now})
		for _, c := range deputies {
			s.reach(&p, e, m.ID, c, now)
		}
	}
	deputy := e
	deputy.ID += deputiesMark
	entry := ledger.Entry{Actor: sector.System().Actor(), Action: "escalation.deputies", Object: "event:" + e.ID,
		Detail: detail(map[string]any{"members": len(open), "deputies": len(p.Messages)})}
	if err := s.Store.Post(ctx, deputy, nil, func(map[FoldKey]Fold) Plan { return p }, entry); err != nil {
		return err
	}
	entry.Action = "escalation.begin"
	return s.Store.Escalate(ctx, list, []jobs.Job{escalateJob(e.ID, stepDesk, now.Add(s.Escalate))}, entry)
}

func (s *Service) deputies(ctx context.Context, m sector.MemberID) ([]Contact, error) {
	if s.Contacts == nil {
		return nil, nil
	}
	return s.Contacts.Deputies(ctx, m)
}

// reach plans a mail, and a line on the page where there is one, to a deputy.
func (s *Service) reach(p *Plan, e Event, m sector.MemberID, c Contact, now time.Time) {
	to := AddressRecipient(c.Mail)
	if c.User != "" {
		to = UserRecipient(c.User)
		p.Notices = append(p.Notices, Notice{ID: newID(), User: c.User, Member: m, At: now})
	} else if c.Mail == "" {
		return
	}
	id := newID()
	p.Messages = append(p.Messages, Message{ID: id, Recipient: to, Member: m, Topic: e.Topic, State: Waiting, Due: now, CreatedAt: now})
	p.Items[id] = true
	p.Jobs = append(p.Jobs, sendJob(id, now))
}

// tellDesk puts a call on the duty desk's list for each member.
func (s *Service) tellDesk(ctx context.Context, e Event, open []sector.Member) error {
	now := s.Now().UTC()
	var list []Escalation
	for _, m := range open {
		x := Escalation{Event: e, Member: m.ID, Step: stepDesk, At: now}
		deputies, err := s.deputies(ctx, m.ID)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(deputies, func(c Contact) bool { return c.Phone != "" }); i >= 0 {
			x.Name, x.Phone = deputies[i].Name, deputies[i].Phone
		}
		list = append(list, x)
	}
	work := []jobs.Job{
		escalateJob(e.ID, stepWatch, now.Add(watchEvery)),
		Job(Event{ID: e.ID + ".desk", Topic: Unopened, Object: "path:/notifications/desk",
			Audience: Audience{Roles: []sector.Role{sector.DutyManager}}, Args: []string{fmt.Sprint(len(list))}}, time.Time{}),
	}
	entry := ledger.Entry{Actor: sector.System().Actor(), Action: "escalation.desk", Object: "event:" + e.ID,
		Detail: detail(map[string]any{"members": len(list)})}
	return s.Store.Escalate(ctx, list, work, entry)
}

// Calls are the desk's open tasks: whom to call.
func (s *Service) Calls(ctx context.Context, v sector.Viewer) ([]Escalation, error) {
	if v.Org != sector.Centre || v.User == "" {
		return nil, errs.New(errs.Forbidden, "error.role")
	}
	return s.Store.Escalations(ctx, "")
}

// Called ends a task: somebody was reached by telephone.
func (s *Service) Called(ctx context.Context, v sector.Viewer, event string, m sector.MemberID) error {
	if v.Org != sector.Centre || v.User == "" {
		return errs.New(errs.Forbidden, "error.role")
	}
	entry := ledger.Entry{Actor: v.Actor(), Action: "escalation.end", Object: "event:" + event, Member: string(m),
		Detail: detail(map[string]any{"outcome": "called"})}
	return s.Store.EndEscalations(ctx, event, []sector.MemberID{m}, s.Now().UTC(), v.Actor(), "called", entry)
}
