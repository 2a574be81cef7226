package notify

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Secrets keeps at rest what must be readable again. What is sealed for one id
// does not open for another.
type Secrets interface {
	Seal(purpose, id string, plain []byte) (string, error)
	Open(purpose, id, sealed string) ([]byte, error)
}

// Config is what a service is made of. All but Sources, Contacts, Expiring
// and Escalate are required.
type Config struct {
	Store     Store
	Directory Directory
	Mailer    Mailer
	Caller    Caller
	Hooks     URLChecker
	Secrets   Secrets
	Texts     *i18n.Catalogue
	// Sources know what events are about, by the kind of their object. An
	// event without one is told in the topic's words.
	Sources  map[string]Source
	Contacts Contacts // nil: nobody's deputies are known
	// Expiring are events of what else runs out soon, such as machines' keys;
	// nil: nothing. It is asked twice a day.
	Expiring func(ctx context.Context) ([]Event, error)
	// Escalate is how long an urgent warning may lie unopened; 0: 30 minutes.
	Escalate time.Duration
	BaseURL  string // how people reach the program, for links
	Now      func() time.Time
}

// Service tells people. It is safe for concurrent use.
type Service struct {
	Config
	gate sector.Gate
}

// defaultEscalate is how long an urgent warning may lie unopened.
const defaultEscalate = 30 * time.Minute

// New returns a service.
func New(c Config) *Service {
	if c.Escalate == 0 {
		c.Escalate = defaultEscalate
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	return &Service{Config: c}
}

func newID() string { return strings.ToLower(rand.Text()) }

// Handlers are the service's job handlers by kind.
func (s *Service) Handlers() map[string]jobs.Handler {
	return map[string]jobs.Handler{JobPost: s.postJob, JobSend: s.sendJob, JobEscalate: s.escalateJob}
}

func (s *Service) postJob(ctx context.Context, raw json.RawMessage) error {
	var e Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return fmt.Errorf("notify: event: %w", err)
	}
	return s.Post(ctx, e)
}

// Post plans who is told of an event. A domain that changes something posts
// with [Job] in the change's own transaction instead.
func (s *Service) Post(ctx context.Context, e Event) error {
	rules, ok := RulesOf(e.Topic)
	if !ok || e.ID == "" {
		return fmt.Errorf("notify: event %q of topic %q is none", e.ID, e.Topic)
	}
	now := s.Now().UTC()
	if e.At.IsZero() {
		e.At = now
	}
	w, err := s.world(ctx, e.Topic)
	if err != nil {
		return err
	}
	reached, err := s.reached(ctx, e, w)
	if err != nil {
		return err
	}
	targets := w.targets(e, rules, reached)
	p := planner{event: e, rules: rules, now: now, newID: newID}
	entry := ledger.Entry{Actor: sector.System().Actor(), Action: "notify.post", Object: "event:" + e.ID,
		Detail: detail(map[string]any{"topic": e.Topic, "about": e.Object, "audience": e.Audience.describe(), "targets": len(targets)})}
	return s.Store.Post(ctx, e, foldKeys(targets, e.Topic), func(folds map[FoldKey]Fold) Plan {
		out := p.plan(targets, folds)
		if rules.Urgent && len(reached) > 0 {
			out.Jobs = append(out.Jobs, escalateJob(e.ID, 1, now.Add(s.Escalate)))
		}
		return out
	}, entry)
}

func (s *Service) world(ctx context.Context, t Topic) (world, error) {
	members, err := s.Directory.Members(ctx)
	if err != nil {
		return world{}, err
	}
	w := world{members: make(map[sector.MemberID]sector.Member, len(members))}
	for _, m := range members {
		w.members[m.ID] = m
	}
	users, err := s.Directory.Users(ctx)
	if err != nil {
		return world{}, err
	}
	w.users = slices.DeleteFunc(users, func(u sector.User) bool { return !u.RemovedAt.IsZero() })
	if w.chosen.modes, w.chosen.hours, err = s.Store.Chosen(ctx, t); err != nil {
		return world{}, err
	}
	w.hooks, err = s.Store.HooksFor(ctx, t)
	return w, err
}

// reached are the members that the event is for: through the gate, and those
// whom it still concerns.
func (s *Service) reached(ctx context.Context, e Event, w world) (map[sector.MemberID]bool, error) {
	reached := map[sector.MemberID]bool{}
	var ids []sector.MemberID
	for id, m := range w.members {
		if m.State == sector.TakesPart && s.gate.For(memberViewer(m)).Allows(e.Audience.Members) {
			reached[id] = true
			ids = append(ids, id)
		}
	}
	src := s.Sources[e.Kind()]
	if src == nil || e.Topic != AnswerOverdue || len(ids) == 0 {
		return reached, nil
	}
	some, err := src.Concerned(ctx, e, ids)
	clear(reached)
	for _, id := range some {
		reached[id] = true
	}
	return reached, err
}

func memberViewer(m sector.Member) sector.Viewer {
	return sector.Viewer{Org: sector.MemberOrg, Member: m.ID, Sector: m.Sector}
}

func detail(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // plain data of our own always encodes
		return ""
	}
	return string(raw)
}

// link leads to what an event is about.
func (e Event) path() string {
	switch e.Kind() {
	case "advisory":
		if e.Topic == ApprovalNeeded {
			return "/advisories/" + e.ObjectID()
		}
		return "/inbox/" + e.ObjectID()
	case "alert":
		return "/alerts/" + e.ObjectID()
	case "path":
		return e.ObjectID()
	}
	return "/notifications"
}

// letter is what the viewer is told of the event now.
func (s *Service) letter(ctx context.Context, v sector.Viewer, e Event, sealed bool) (Letter, error) {
	if src := s.Sources[e.Kind()]; src != nil && e.Topic != ApprovalNeeded {
		l, err := src.Letter(ctx, v, e, sealed)
		if strings.HasSuffix(e.ID, deputiesMark) {
			l.Subject = "[尚無人開啟 / Not opened yet] " + l.Subject
		}
		return l, err
	}
	return s.plainLetter(e)
}

// plainLetter is an event in its topic's words, in both languages.
func (s *Service) plainLetter(e Event) (Letter, error) {
	args := make([]any, len(e.Args))
	for i, a := range e.Args {
		args[i] = oneLine(a)
	}
	zh, err := s.Texts.Text(i18n.ZhHant, e.LineKey(), args...)
	if err != nil {
		return Letter{}, err
	}
	en, err := s.Texts.Text(i18n.En, e.LineKey(), args...)
	if err != nil {
		return Letter{}, err
	}
	link := s.BaseURL + e.path()
	return Letter{
		Subject: oneLine(zh + " / " + en), Title: Text{zh, en},
		Text: zh + "\n" + en + "\n\n" + link + "\n",
	}, nil
}

// errGone is a recipient that is no more, or that there is nothing to tell.
func errGone() error { return errs.New(errs.NotFound, "notify.gone") }
