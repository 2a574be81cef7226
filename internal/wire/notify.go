package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/mail"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
	"github.com/aspis-platform/aspis/internal/sector"
)

// newNotify builds the notification centre over the domains that it tells of.
func newNotify(p *Program) (*notify.Service, error) {
	mailer, err := newMailer(p)
	if err != nil {
		return nil, err
	}
	letters, err := intel.NewLetters(p.isac.service, p.isac.store, p.opts.BaseURL)
	if err != nil {
		return nil, err
	}
	allow, err := p.opts.webhookNetworks()
	if err != nil {
		return nil, err
	}
	hosts, err := p.opts.webhookHosts()
	if err != nil {
		return nil, err
	}
	out := outbound.New(outbound.Config{Allow: allow, Hosts: hosts})
	return notify.New(notify.Config{
		Store: p.engines.db.Notifications(), Directory: p.directory, Mailer: mailer, Caller: out, Hooks: out, Secrets: p.engines.secrets,
		Texts: p.texts, BaseURL: p.opts.BaseURL, Now: p.opts.Now, Escalate: p.opts.EscalateAfter,
		Contacts: contacts{p.directory, p.engines.db.Organisation()}, Expiring: p.expiringKeys,
		Sources: map[string]notify.Source{"advisory": advisorySource{letters}, "alert": alertSource{p.soc.alerts, p.opts.BaseURL},
			"invitation": invitationSource{p.engines.secrets, p.texts, p.opts.BaseURL}},
	}), nil
}

func newMailer(p *Program) (notify.Mailer, error) {
	if p.opts.SMTP != "" {
		return mail.NewSMTP(p.opts.SMTP, p.opts.MailFrom, p.opts.Now)
	}
	dir, err := p.engines.dir.Sub("mail")
	if err != nil {
		return nil, err
	}
	return mail.NewDrop(dir, p.opts.MailFrom, p.opts.Now)
}

// tellOf turns what the advisories tell into an event.
func tellOf(n intel.Notice) []jobs.Job {
	e := notify.Event{
		ID: strings.Join([]string{"advisory", n.Release, string(n.Kind)}, "-"), Object: "advisory:" + string(n.Advisory), Ref: n.Release,
		Audience: notify.Audience{Members: sector.Audience{Members: n.Members}},
	}
	switch {
	case n.Kind == intel.NoticeSubmitted:
		e.ID = fmt.Sprintf("advisory-%s-%d-submitted", n.Advisory, n.Version)
		e.Topic, e.Ref = notify.ApprovalNeeded, ""
		e.Audience = notify.Audience{Roles: sector.GrantOf(sector.ApproveReleases).Roles}
	case n.Kind == intel.NoticeWithdrawn:
		e.Topic = notify.Withdrawn
	case n.Kind == intel.NoticeOverdue:
		e.Topic = notify.AnswerOverdue
	case n.Category == intel.EWA:
		e.Topic = notify.WarningUrgent
	default:
		e.Topic = notify.WarningOther
	}
	return []jobs.Job{notify.Job(e, n.At)}
}

// tellOfAlerts makes an event for each member that has new alerts. Alerts that
// come of intelligence are left out: a member may see them only if the
// advisory was released to it, and then it was told of that.
func tellOfAlerts(raised []monitor.Alert) []jobs.Job {
	byMember := map[sector.MemberID][]string{}
	for _, a := range raised {
		if a.Restricted {
			continue
		}
		for _, m := range a.Members {
			byMember[m] = append(byMember[m], a.ID)
		}
	}
	var work []jobs.Job
	for m, ids := range byMember {
		e := notify.Event{
			ID: "alert-" + ids[0] + "-" + string(m), Topic: notify.AlertMine, Object: "alert:" + ids[0], Args: []string{fmt.Sprint(len(ids))},
			Audience: notify.Audience{Members: sector.Audience{Members: []sector.MemberID{m}}},
		}
		if len(ids) > 1 {
			e.Object = "path:/alerts"
		}
		work = append(work, notify.Job(e, time.Time{}))
	}
	return work
}

// noticeOf is the inverse of tellOf, as far as letters need it.
func noticeOf(e notify.Event) intel.Notice {
	n := intel.Notice{Kind: intel.NoticeReleased, Advisory: intel.AdvisoryID(e.ObjectID()), Release: e.Ref}
	switch e.Topic {
	case notify.Withdrawn:
		n.Kind = intel.NoticeWithdrawn
	case notify.AnswerOverdue:
		n.Kind = intel.NoticeOverdue
	}
	return n
}

// oldMail takes up the mails that an earlier version of the program left
// among the jobs.
func oldMail(svc *notify.Service) jobs.Handler {
	return func(ctx context.Context, raw json.RawMessage) error {
		var job struct {
			Advisory intel.AdvisoryID
			Release  string
			Member   sector.MemberID
			Recall   bool
		}
		if err := json.Unmarshal(raw, &job); err != nil {
			return fmt.Errorf("mail job: %w", err)
		}
		e := notify.Event{
			ID: fmt.Sprintf("mail-%s-%s-%v", job.Release, job.Member, job.Recall), Topic: notify.WarningOther,
			Object: "advisory:" + string(job.Advisory), Ref: job.Release,
			Audience: notify.Audience{Members: sector.Audience{Members: []sector.MemberID{job.Member}}},
		}
		if job.Recall {
			e.Topic = notify.Withdrawn
		}
		return svc.Post(ctx, e)
	}
}

// advisorySource is what the notification centre knows of advisories.
type advisorySource struct{ letters *intel.Letters }

var _ notify.Source = advisorySource{}

// Letter implements notify.Source.
func (s advisorySource) Letter(ctx context.Context, v sector.Viewer, e notify.Event, sealed bool) (notify.Letter, error) {
	l, err := s.letters.Write(ctx, v, noticeOf(e), sealed)
	return notify.Letter{Subject: l.Subject, Text: l.Text, TLP: l.TLP, Title: notify.Text(l.Title)}, err
}

// Titles implements notify.Source.
func (s advisorySource) Titles(ctx context.Context, v sector.Viewer, objects []string) (map[string]notify.Text, error) {
	ids := make([]intel.AdvisoryID, len(objects))
	for i, o := range objects {
		ids[i] = intel.AdvisoryID(strings.TrimPrefix(o, "advisory:"))
	}
	found, err := s.letters.Titles(ctx, v, ids)
	titles := map[string]notify.Text{}
	for id, t := range found {
		titles["advisory:"+string(id)] = notify.Text(t)
	}
	return titles, err
}

// Concerned implements notify.Source.
func (s advisorySource) Concerned(ctx context.Context, e notify.Event, members []sector.MemberID) ([]sector.MemberID, error) {
	n := noticeOf(e)
	n.Members = members
	return s.letters.Concerned(ctx, n)
}

// Told implements notify.Source.
func (s advisorySource) Told(ctx context.Context, m sector.MemberID, e notify.Event) error {
	return s.letters.Told(ctx, m, noticeOf(e))
}

// Failed implements notify.Source.
func (s advisorySource) Failed(ctx context.Context, m sector.MemberID, e notify.Event, reason string) error {
	return s.letters.Failed(ctx, m, noticeOf(e), reason)
}

// alertSource is what the notification centre knows of alerts.
type alertSource struct {
	alerts *monitor.Alerts
	base   string
}

var _ notify.Source = alertSource{}

// Letter implements notify.Source.
func (s alertSource) Letter(ctx context.Context, v sector.Viewer, e notify.Event, _ bool) (notify.Letter, error) {
	found, err := s.alerts.Get(ctx, v, e.ObjectID())
	if err != nil {
		return notify.Letter{}, err
	}
	title := notify.Text{Zh: found.TitleZh, En: found.Title}
	link := s.base + "/alerts/" + e.ObjectID()
	return notify.Letter{
		Subject: "告警 / Alert: " + title.Zh + " / " + title.En, Title: title,
		Text: title.Zh + "\n" + title.En + "\n\n" + link + "\n",
	}, nil
}

// Titles implements notify.Source.
func (s alertSource) Titles(ctx context.Context, v sector.Viewer, objects []string) (map[string]notify.Text, error) {
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = strings.TrimPrefix(o, "alert:")
	}
	found, err := s.alerts.List(ctx, v, monitor.AlertQuery{IDs: ids, Limit: len(ids)})
	titles := map[string]notify.Text{}
	for _, a := range found.Alerts {
		titles["alert:"+a.ID] = notify.Text{Zh: a.TitleZh, En: a.Title}
	}
	return titles, err
}

// Concerned implements notify.Source.
func (alertSource) Concerned(_ context.Context, _ notify.Event, members []sector.MemberID) ([]sector.MemberID, error) {
	return members, nil
}

// Told implements notify.Source.
func (alertSource) Told(context.Context, sector.MemberID, notify.Event) error { return nil }

// Failed implements notify.Source.
func (alertSource) Failed(context.Context, sector.MemberID, notify.Event, string) error { return nil }

// expiringKeys are events of machines' keys that run out soon.
func (p *Program) expiringKeys(ctx context.Context) ([]notify.Event, error) {
	keys, err := p.engines.db.Sector().Keys(ctx, sector.KeyQuery{State: sector.KeyExpiring, Now: p.opts.Now()})
	if err != nil {
		return nil, err
	}
	var events []notify.Event
	for _, k := range keys {
		day := k.ExpiresAt.Format(time.DateOnly)
		events = append(events, notify.Event{
			ID: "key-expiry-" + k.ID + "-" + day, Topic: notify.KeyExpiring, Object: "path:/keys/" + k.ID, Args: []string{day},
			Audience: notify.Audience{Members: sector.Audience{Members: []sector.MemberID{k.Member}}, Roles: []sector.Role{sector.Administrator}},
		})
	}
	return events, nil
}

// deliveries checks that what is to be told can be told.
func (p *Program) deliveries(ctx context.Context) error {
	b, err := p.engines.db.Notifications().Backlog(ctx)
	switch {
	case err != nil:
		return err
	case b.Dead > 0:
		return fmt.Errorf("%d messages could not be delivered: see /notifications/undelivered", b.Dead)
	case b.Retrying > 0 && p.opts.Now().Sub(b.Oldest) > 15*time.Minute:
		return fmt.Errorf("%d messages are being tried again since %s", b.Retrying, b.Oldest.Format(time.RFC3339))
	}
	return nil
}
