package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// target is somebody to tell about an event, and how.
type target struct {
	recipient Recipient
	member    sector.MemberID
	user      sector.UserID // with a page
	mode      Mode
	hour      int
}

// choices are what people chose of one topic.
type choices struct {
	modes map[Recipient]Mode
	hours map[Recipient]int
}

const defaultHour = 8

func (c choices) of(r Recipient, byDefault Mode, fixed bool) (Mode, int) {
	hour, ok := c.hours[r]
	if !ok {
		hour = defaultHour
	}
	if mode, ok := c.modes[r]; ok && !fixed {
		return mode, hour
	}
	return byDefault, hour
}

// world is who there is, as far as an event needs it.
type world struct {
	members map[sector.MemberID]sector.Member
	users   []sector.User
	chosen  choices
	hooks   []Hook
}

// targets are whom the event is told to: people, members' addresses and
// members' machines. only restricts the members; nil: all of the audience.
func (w world) targets(e Event, rules Rules, reached map[sector.MemberID]bool) []target {
	var all []target
	answering := map[sector.MemberID]bool{} // has somebody who is told at once
	for _, u := range w.users {
		if !w.concerns(e, u, reached) {
			continue
		}
		mode, ok := rules.Default(u.Roles)
		if !ok {
			continue
		}
		r := UserRecipient(u.ID)
		t := target{recipient: r, member: u.Member, user: u.ID}
		t.mode, t.hour = w.chosen.of(r, mode, rules.Fixed && mode == Now)
		if t.mode == Now {
			answering[u.Member] = true
		}
		all = append(all, t)
	}
	if len(e.Audience.Members.ScopeKeys()) == 0 {
		return all
	}
	return append(all, w.machines(rules, reached, w.floor(all, rules, reached, answering))...)
}

// floor adds members' own addresses. Where a member has none and everybody
// has switched an urgent topic off, all of its people are told: a member is
// never left without a recipient.
func (w world) floor(people []target, rules Rules, reached, answering map[sector.MemberID]bool) []target {
	var all []target
	for id := range reached {
		m := w.members[id]
		if m.Mail != "" && rules.Mailbox != "" {
			r := MemberRecipient(id)
			t := target{recipient: r, member: id}
			t.mode, t.hour = w.chosen.of(r, rules.Mailbox, rules.Fixed)
			all = append(all, t)
			answering[id] = answering[id] || t.mode == Now
		}
	}
	if rules.Urgent {
		for i, t := range people {
			if t.member != "" && !answering[t.member] {
				people[i].mode = Now
			}
		}
	}
	return all
}

func (w world) machines(rules Rules, reached map[sector.MemberID]bool, all []target) []target {
	if !rules.Hook {
		return all
	}
	for _, h := range w.hooks {
		if reached[h.Member] && slices.Contains(h.Topics, rules.Topic) {
			all = append(all, target{recipient: HookRecipient(h.ID), member: h.Member, mode: Now})
		}
	}
	return all
}

func (w world) concerns(e Event, u sector.User, reached map[sector.MemberID]bool) bool {
	switch {
	case slices.Contains(e.Audience.Users, u.ID):
		return true
	case u.Member != "":
		return reached[u.Member]
	}
	return slices.ContainsFunc(u.Roles, func(r sector.Role) bool { return slices.Contains(e.Audience.Roles, r) })
}

// keys are the folds that the targets' messages go into.
func foldKeys(targets []target, t Topic) []FoldKey {
	var keys []FoldKey
	for _, one := range targets {
		if k, ok := one.key(t); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

// key is the target's fold; false when it is told at once, each time: a
// machine.
func (t target) key(topic Topic) (FoldKey, bool) {
	if kind, _ := t.recipient.Split(); kind == "hook" || t.mode == Off {
		return FoldKey{}, false
	}
	if t.mode == Digest {
		topic = digest
	}
	return FoldKey{t.recipient, topic}, true
}

// planner makes notices and messages of an event.
type planner struct {
	event Event
	rules Rules
	now   time.Time
	newID func() string
}

func (p planner) plan(targets []target, folds map[FoldKey]Fold) Plan {
	out := Plan{Items: map[string]bool{}, Folds: map[FoldKey]Fold{}}
	for _, t := range targets {
		if t.user != "" {
			out.Notices = append(out.Notices, Notice{ID: p.newID(), User: t.user, Member: t.member, Event: p.event, At: p.now})
		}
		if t.mode != Off {
			p.message(&out, t, folds)
		}
	}
	return out
}

func (p planner) message(out *Plan, t target, folds map[FoldKey]Fold) {
	key, folded := t.key(p.rules.Topic)
	s := step{due: p.now}
	if folded {
		f := folds[key]
		if key.Topic == digest {
			s = f.collectDay(p.now, t.hour)
		} else {
			s = f.add(p.now, p.rules.Window, p.rules.Burst)
		}
		defer func() { out.Folds[key] = f }()
		if s.pending != "" {
			out.Items[s.pending] = true
			return
		}
		id := p.newID()
		if s.collect {
			f.Pending = id
		}
		p.add(out, t, key.Topic, id, s.due)
		return
	}
	p.add(out, t, p.rules.Topic, p.newID(), s.due)
}

func (p planner) add(out *Plan, t target, topic Topic, id string, due time.Time) {
	out.Messages = append(out.Messages, Message{
		ID: id, Recipient: t.recipient, Member: t.member, Topic: topic, State: Waiting, Due: due, CreatedAt: p.now})
	out.Items[id] = true
	out.Jobs = append(out.Jobs, sendJob(id, due))
}

// The kinds of background work.
const (
	JobPost     = "notify.post"
	JobSend     = "notify.send"
	JobEscalate = "notify.escalate"
)

type sendArgs struct {
	Message string `json:"message"`
}

func sendJob(id string, due time.Time) jobs.Job {
	j := jobs.New(JobSend, sendArgs{id})
	j.At = due
	return j
}

// Job is the work of telling about an event, for the transaction of the
// change that it is about. It needs an ID, a topic and an audience; at is
// when (zero: at once).
func Job(e Event, at time.Time) jobs.Job {
	j := jobs.New(JobPost, e)
	j.At = at
	return j
}

// describe is an event's audience in the ledger.
func (a Audience) describe() []string {
	keys := a.Members.ScopeKeys()
	for _, r := range a.Roles {
		keys = append(keys, "role:"+string(r))
	}
	for _, u := range a.Users {
		keys = append(keys, "user:"+string(u))
	}
	if len(keys) > 20 {
		keys = append(keys[:20], "…")
	}
	return keys
}

// clip keeps a foreign text short.
func clip(s string) string {
	const most = 300
	r := []rune(strings.ToValidUTF8(s, "�"))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}
