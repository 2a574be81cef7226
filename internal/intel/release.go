package intel

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// redactions are what every release leaves out: catalogue keys.
func redactions() []string {
	return []string{"redacted.alerts", "redacted.members", "redacted.author", "redacted.audience"}
}

// SecondPerson says why the viewer may not release the advisory as it is; nil
// when it may.
func SecondPerson(v sector.Viewer, a Advisory) error {
	if err := mayWork(v); err != nil {
		return err
	}
	if !sector.NeedsSecondPerson(a.Marking, string(a.Category)) {
		return nil
	}
	switch {
	case a.State != InReview:
		return errs.New(errs.Forbidden, "advisory.submit_first")
	case v.User == a.Author:
		return errs.New(errs.Forbidden, "advisory.own_work")
	}
	return nil
}

// Release makes the version visible to its audience.
func (s *Service) Release(ctx context.Context, v sector.Viewer, id AdvisoryID, version int) (sector.Release, error) {
	a, err := s.at(ctx, v, id, version)
	if err != nil {
		return sector.Release{}, err
	}
	if a.State != Draft && a.State != InReview {
		return sector.Release{}, errs.New(errs.Conflict, "advisory.not_draft")
	}
	if err := SecondPerson(v, a); err != nil {
		return sector.Release{}, err
	}
	to, err := s.ready(ctx, a)
	if err != nil {
		return sector.Release{}, err
	}
	recalls, err := s.recalls(ctx, a)
	if err != nil {
		return sector.Release{}, err
	}
	r := decision(v, a)
	r.ID, r.Audience = s.NewID().String(), to.audience
	a.Version++
	r.Version = a.Version
	a.State, a.SubmittedBy, a.ChangedAt = Released, "", s.Now().UTC()
	e := s.entry(v, "advisory.release", a, map[string]any{
		"audience": a.Audience.ScopeKeys(), "tlp": a.Marking.TLP, "category": a.Category,
		"decided_by": r.DecidedBy, "approved_by": r.ApprovedBy, "members": len(to.members),
	})
	r, err = s.Releases.Release(ctx, a, r, ids(to.members),
		func(r sector.Release) []jobs.Job { return append(s.releaseJobs(a, r, to.members), recalls...) }, e)
	if err == nil {
		s.Changed()
	}
	return r, err
}

// decision is the release that the viewer decides: alone, or as the second
// person after who submitted it.
func decision(v sector.Viewer, a Advisory) sector.Release {
	r := sector.Release{
		Object:   "advisory:" + string(a.ID),
		Audience: a.Audience, Marking: a.Marking, DecidedBy: v.User, Redacted: redactions(),
	}
	if a.State == InReview && a.SubmittedBy != v.User {
		r.DecidedBy, r.ApprovedBy = a.SubmittedBy, v.User
	} else if a.State == InReview && a.Author != v.User {
		r.DecidedBy, r.ApprovedBy = a.Author, v.User
	}
	return r
}

func ids(members []sector.Member) []sector.MemberID {
	all := make([]sector.MemberID, len(members))
	for i, m := range members {
		all[i] = m.ID
	}
	return all
}

// releaseJobs are the notices and the retro-hunt of a release.
func (s *Service) releaseJobs(a Advisory, r sector.Release, to []sector.Member) []jobs.Job {
	n := Notice{Kind: NoticeReleased, Advisory: a.ID, Release: r.ID, Category: a.Category, Members: ids(to)}
	work := s.tell(n)
	if !a.AnswerDue.IsZero() {
		n.Kind, n.At = NoticeOverdue, a.AnswerDue
		work = append(work, s.tell(n)...)
	}
	if len(a.Indicators) > 0 {
		work = append(work, jobs.New(JobRetroHunt, retroHunt{Advisory: a.ID}))
	}
	return work
}

// tell is the work of telling those whom a notice is for.
func (s *Service) tell(n Notice) []jobs.Job {
	if s.Tell == nil || len(n.Members) == 0 && n.Kind != NoticeSubmitted {
		return nil
	}
	return s.Tell(n)
}

// recalls are the notices to members that the new audience leaves out.
func (s *Service) recalls(ctx context.Context, a Advisory) ([]jobs.Job, error) {
	members, err := s.Members.Members(ctx)
	if err != nil {
		return nil, err
	}
	past, err := s.Drafts.Releases(ctx, a.ID)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	return s.recall(a, past[len(past)-1].ID, s.losing(a, past, members)), nil
}

func (s *Service) recall(a Advisory, release string, from []sector.Member) []jobs.Job {
	return s.tell(Notice{Kind: NoticeWithdrawn, Advisory: a.ID, Release: release, Category: a.Category, Members: ids(from)})
}

// Withdraw takes the standing release back, or gives a draft up. The reason
// is for the ledger.
func (s *Service) Withdraw(ctx context.Context, v sector.Viewer, id AdvisoryID, version int, reason string) error {
	a, err := s.at(ctx, v, id, version)
	if err != nil {
		return err
	}
	if a.State == Withdrawn {
		return errs.New(errs.Conflict, "advisory.is_withdrawn")
	}
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > maxReason {
		return &ProblemsError{[]Problem{{Field: "reason", Err: errs.New(errs.Invalid, "advisory.reason", maxReason)}}}
	}
	members, err := s.Members.Members(ctx)
	if err != nil {
		return err
	}
	past, err := s.Drafts.Releases(ctx, id)
	if err != nil {
		return err
	}
	standing := a.Standing > 0
	a.Version++
	a.State, a.SubmittedBy, a.ChangedAt = Withdrawn, "", s.Now().UTC()
	if standing {
		a.Lineage = s.NewID().String()
		a.Indicators = a.identify(nil, a.Indicators)
	}
	work := func(r sector.Release) []jobs.Job { return s.recall(a, r.ID, s.gate.Reached(r.Audience, members)) }
	e := s.entry(v, "advisory.withdraw", a, map[string]any{"reason": reason, "released": len(past) > 0})
	if !standing {
		a.WithdrawnAt, a.Standing = a.ChangedAt, 0
		err = s.Drafts.Save(ctx, a, e)
	} else {
		err = s.Releases.Withdraw(ctx, a, work, e)
	}
	if err == nil {
		s.Changed()
	}
	return err
}

// Preview is what would happen at release, computed with the gate that the
// channels read through.
type Preview struct {
	Members   []sector.Member // who sees it, by sub-sector
	BySector  []SectorCount
	Authority bool
	Public    bool
	// Losing are the members that see the standing release and would see it
	// as withdrawn.
	Losing       []sector.Member
	Channels     []ChannelPreview
	Redacted     []string // catalogue keys
	Problems     []Problem
	Warnings     []Leak
	SecondPerson bool // the marking or the category asks for one
	// May says why the viewer cannot release it; nil when it can.
	May error
}

// SectorCount counts a preview's members of one sub-sector.
type SectorCount struct {
	Sector  sector.SubSector
	Members int // reached
	Of      int // in the sub-sector
}

// ChannelPreview says what one channel would carry.
type ChannelPreview struct {
	Channel string // "inbox", "mail", "taxii", "api"
	Members int
	// Note is a catalogue key: "channel.full" or "channel.notice_only".
	Note string
	// Without counts members that the channel does not reach (no address).
	Without int
}

// Preview computes who would see what if the advisory were released as it is.
func (s *Service) Preview(ctx context.Context, v sector.Viewer, id AdvisoryID) (Advisory, Preview, error) {
	if err := mayRead(v); err != nil {
		return Advisory{}, Preview{}, err
	}
	a, err := s.Drafts.Advisory(ctx, id)
	if err != nil {
		return Advisory{}, Preview{}, err
	}
	members, err := s.Members.Members(ctx)
	if err != nil {
		return Advisory{}, Preview{}, err
	}
	p := s.audiencePreview(a, members)
	p.May = SecondPerson(v, a)
	_, err = s.ready(ctx, a)
	p.Problems = ProblemsOf(err)
	if err != nil && p.Problems == nil {
		return Advisory{}, Preview{}, err
	}
	ev, err := s.evidence(ctx, a.Alerts)
	if err != nil {
		return Advisory{}, Preview{}, err
	}
	p.Warnings = slices.DeleteFunc(CheckLeaks(a.Message, members, ev), func(l Leak) bool { return l.Block })
	past, err := s.Drafts.Releases(ctx, a.ID)
	p.Losing = s.losing(a, past, members)
	return a, p, err
}

func (s *Service) audiencePreview(a Advisory, members []sector.Member) Preview {
	p := Preview{
		Members: s.gate.Reached(a.Audience, members), Redacted: redactions(),
		Authority:    s.gate.For(sector.Viewer{Org: sector.Authority}).Allows(a.Audience),
		Public:       s.gate.For(sector.Viewer{}).Allows(a.Audience),
		SecondPerson: sector.NeedsSecondPerson(a.Marking, string(a.Category)),
	}
	for _, sub := range sector.SubSectors() {
		in := func(all []sector.Member) (n int) {
			for _, m := range all {
				if m.Sector == sub {
					n++
				}
			}
			return n
		}
		p.BySector = append(p.BySector, SectorCount{Sector: sub, Members: in(p.Members), Of: in(members)})
	}
	mailed := 0
	for _, m := range p.Members {
		if m.Mail != "" {
			mailed++
		}
	}
	note := "channel.full"
	if NoticeOnly(a.Marking) {
		note = "channel.notice_only"
	}
	n := len(p.Members)
	p.Channels = []ChannelPreview{
		{Channel: "inbox", Members: n, Note: "channel.full"},
		{Channel: "mail", Members: mailed, Without: n - mailed, Note: note},
		{Channel: "taxii", Members: n, Note: "channel.full"},
		{Channel: "api", Members: n, Note: "channel.full"},
	}
	return p
}

// losing are the members that see the standing release but not the audience.
func (s *Service) losing(a Advisory, past []PastRelease, members []sector.Member) []sector.Member {
	if a.Standing == 0 || len(past) == 0 {
		return nil
	}
	to := a.Audience.Resolve(members)
	var lost []sector.Member
	for _, m := range s.gate.Reached(past[len(past)-1].Audience, members) {
		if !s.gate.For(m.Viewer()).Allows(to) {
			lost = append(lost, m)
		}
	}
	return lost
}

// Check finds problems and leaks in a content that is not saved, for the live
// check while composing. Blocking leaks are among the problems.
func (s *Service) Check(ctx context.Context, v sector.Viewer, id AdvisoryID, c Content) ([]Problem, []Leak, error) {
	if err := mayWork(v); err != nil {
		return nil, nil, err
	}
	a, err := s.Drafts.Advisory(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	members, err := s.Members.Members(ctx)
	if err != nil {
		return nil, nil, err
	}
	ev, err := s.evidence(ctx, a.Alerts)
	if err != nil {
		return nil, nil, err
	}
	a.Message, a.Audience = c.Message, c.Audience
	found := ProblemsOf(s.Rules.checkDraft(a))
	found = append(found, s.Rules.checkRelease(a, members, s.Now())...)
	return found, CheckLeaks(a.Message, members, ev), nil
}

// NoticeOnly reports whether a mail about a so marked advisory only says that
// there is something to read: mail is stored and forwarded by others.
func NoticeOnly(m sector.Marking) bool {
	t := m.OrDefault().TLP
	return t == sector.TLPRed || t == sector.TLPAmberStrict
}
