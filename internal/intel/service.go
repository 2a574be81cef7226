package intel

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// Config is what a service is made of. All fields but Groups, Changed, NewID
// and Tell are required.
type Config struct {
	Drafts   DraftStore
	Releases ReleaseStore
	Members  Members
	Groups   Groups // nil: there are none
	Evidence EvidenceSource
	Rules    *Rules
	// Notes is told who views what is TLP:AMBER or stricter; nil: nobody.
	Notes ledger.Notes
	Now   func() time.Time
	// NewID makes a random UUID; nil: stix.RandomUUID.
	NewID func() stix.UUID
	// Changed is called after the indicators to be matched changed; it must
	// not block. The monitor asks [IndicatorSource] then.
	Changed func()
	// Tell makes the work of telling members; it is enqueued with the change.
	// nil: nobody is told. The notification centre does, in wire.
	Tell func(Notice) []jobs.Job
}

// Service is the centre's work on advisories and the recipients' reading of
// them. It is safe for concurrent use.
type Service struct {
	Config
	gate sector.Gate
}

// New returns a service.
func New(c Config) *Service {
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.NewID == nil {
		c.NewID = stix.RandomUUID
	}
	return &Service{Config: c}
}

// Content is what an edit sets.
type Content struct {
	Message
	Audience sector.Audience
}

// mayWork reports an error unless the viewer drafts and releases advisories.
func mayWork(v sector.Viewer) error {
	if !v.May(sector.WriteDrafts) {
		return errs.New(errs.Forbidden, "advisory.role")
	}
	return nil
}

// mayRead reports an error unless the viewer reads drafts.
func mayRead(v sector.Viewer) error {
	if !v.May(sector.ReadDrafts) {
		return errs.New(errs.Forbidden, "advisory.role")
	}
	return nil
}

// Draft starts an advisory from alerts (none: from nothing) with a proposed
// title. Indicators are proposed by [Service.Evidence] and chosen by the
// analyst: a draft's indicators are matched at once.
func (s *Service) Draft(ctx context.Context, v sector.Viewer, alerts []string) (Advisory, error) {
	if err := mayWork(v); err != nil {
		return Advisory{}, err
	}
	ev, err := s.evidence(ctx, alerts)
	if err != nil {
		return Advisory{}, err
	}
	now := s.Now().UTC()
	id := s.NewID().String()
	a := Advisory{
		ID: AdvisoryID(id), Lineage: id, Version: 1, State: Draft,
		Message:  Message{Title: ev.Title, Category: INT, Marking: sector.Marking{}.OrDefault()},
		Audience: sector.Audience{All: true},
		Alerts:   ev.Alerts, Author: v.User, CreatedAt: now, ChangedAt: now,
	}
	if err := s.Drafts.Save(ctx, a, s.entry(v, "advisory.draft", a, map[string]any{"alerts": len(a.Alerts)})); err != nil {
		return Advisory{}, err
	}
	if len(a.Alerts) > 0 {
		err = s.Evidence.Drafted(ctx, v, a.Alerts, a.ID)
	}
	return a, err
}

func (s *Service) evidence(ctx context.Context, alerts []string) (Evidence, error) {
	if len(alerts) == 0 {
		return Evidence{}, nil
	}
	return s.Evidence.Evidence(ctx, alerts)
}

// EvidenceFor is the evidence an advisory was drafted from.
func (s *Service) EvidenceFor(ctx context.Context, v sector.Viewer, a Advisory) (Evidence, error) {
	if err := mayRead(v); err != nil {
		return Evidence{}, err
	}
	return s.evidence(ctx, a.Alerts)
}

// Advisory returns the newest version, for the centre.
func (s *Service) Advisory(ctx context.Context, v sector.Viewer, id AdvisoryID) (Advisory, error) {
	if err := mayRead(v); err != nil {
		return Advisory{}, err
	}
	if !id.valid() {
		return Advisory{}, errNoAdvisory()
	}
	a, err := s.Drafts.Advisory(ctx, id)
	if err != nil {
		return a, err
	}
	return a, s.viewed(ctx, v, id, a.Marking, "version", a.Version)
}

// Advisories lists advisories for the centre.
func (s *Service) Advisories(ctx context.Context, v sector.Viewer, q AdvisoryQuery) ([]Advisory, error) {
	if err := mayRead(v); err != nil {
		return nil, err
	}
	return s.Drafts.Advisories(ctx, q)
}

// Deliveries tells how far the last release came at each member, for the
// centre.
func (s *Service) Deliveries(ctx context.Context, v sector.Viewer, id AdvisoryID) ([]Delivery, error) {
	if err := mayRead(v); err != nil {
		return nil, err
	}
	return s.Drafts.Deliveries(ctx, id)
}

// at returns the advisory if it still has the version.
func (s *Service) at(ctx context.Context, v sector.Viewer, id AdvisoryID, version int) (Advisory, error) {
	if err := mayWork(v); err != nil {
		return Advisory{}, err
	}
	if !id.valid() {
		return Advisory{}, errNoAdvisory()
	}
	a, err := s.Drafts.Advisory(ctx, id)
	if err == nil && a.Version != version {
		err = errs.New(errs.Conflict, "advisory.changed")
	}
	return a, err
}

// Edit stores a new version of the content. An advisory that waits for the
// second person becomes a draft again; one that was released stays visible as
// it was until the correction is released.
func (s *Service) Edit(ctx context.Context, v sector.Viewer, id AdvisoryID, version int, c Content) (Advisory, error) {
	a, err := s.at(ctx, v, id, version)
	if err != nil {
		return Advisory{}, err
	}
	old := a.Indicators
	a.Message, a.Audience = c.Message, c.Audience
	a.Marking = a.Marking.OrDefault()
	a.Version++
	a.Indicators = a.identify(old, c.Indicators)
	a.State, a.Author, a.SubmittedBy = Draft, v.User, ""
	a.ChangedAt, a.WithdrawnAt = s.Now().UTC(), time.Time{}
	if err := s.Rules.checkDraft(a); err != nil {
		return Advisory{}, err
	}
	if err := s.Drafts.Save(ctx, a, s.entry(v, "advisory.edit", a, nil)); err != nil {
		return Advisory{}, err
	}
	s.Changed()
	return a, nil
}

// identify gives indicators their ids: those that were there keep theirs.
// Duplicates are dropped.
func (a Advisory) identify(old, now []Indicator) []Indicator {
	var kept []Indicator
	for _, ind := range now {
		if slices.ContainsFunc(kept, ind.same) {
			continue
		}
		ind.ID, ind.Since = a.indicatorID(ind), time.Time{}
		if i := slices.IndexFunc(old, ind.same); i >= 0 {
			ind.ID, ind.Since = old[i].ID, old[i].Since
		}
		kept = append(kept, ind)
	}
	return kept
}

// entry explains a change of an advisory.
func (s *Service) entry(v sector.Viewer, action string, a Advisory, detail map[string]any) ledger.Entry {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["version"] = a.Version
	raw, err := json.Marshal(detail)
	if err != nil { // plain data of our own
		raw = []byte("{}")
	}
	return ledger.Entry{Actor: v.Actor(), Action: action, Object: "advisory:" + string(a.ID), Detail: string(raw)}
}

// Submit puts a draft to the second person.
func (s *Service) Submit(ctx context.Context, v sector.Viewer, id AdvisoryID, version int) (Advisory, error) {
	a, err := s.at(ctx, v, id, version)
	if err != nil {
		return Advisory{}, err
	}
	if a.State != Draft {
		return Advisory{}, errs.New(errs.Conflict, "advisory.not_draft")
	}
	if _, err := s.ready(ctx, a); err != nil {
		return Advisory{}, err
	}
	a.Version++
	a.State, a.SubmittedBy, a.ChangedAt = InReview, v.User, s.Now().UTC()
	work := s.tell(Notice{Kind: NoticeSubmitted, Advisory: a.ID, Version: a.Version, Category: a.Category})
	return a, s.Drafts.Save(ctx, a, s.entry(v, "advisory.submit", a, nil), work...)
}

// ready reports everything that stands in the way of a release as a
// *ProblemsError, and otherwise whom it reaches.
func (s *Service) ready(ctx context.Context, a Advisory) (reach, error) {
	members, err := s.Members.Members(ctx)
	if err != nil {
		return reach{}, err
	}
	ev, err := s.evidence(ctx, a.Alerts)
	if err != nil {
		return reach{}, err
	}
	past, err := s.Drafts.Releases(ctx, a.ID)
	if err != nil {
		return reach{}, err
	}
	p := s.Rules.checkRelease(a, members, s.Now())
	for _, l := range CheckLeaks(a.Message, members, ev) {
		if l.Block {
			p = append(p, Problem{Field: l.Field, Line: l.Line, Leak: &l, Err: errs.New(errs.Invalid, "leak."+string(l.Kind))})
		}
	}
	if n := s.takenBack(a, past, members); n > 0 {
		p.add("audience", "advisory.taken_back", n)
	}
	r := reach{audience: a.Audience.Resolve(members), members: s.gate.Reached(a.Audience, members)}
	if len(r.members) == 0 && len(a.Audience.Groups) > 0 && !a.Audience.Public && !a.Audience.Authority {
		p.add("audience", "advisory.groups_empty")
	}
	return r, p.err()
}

// reach is whom a release would reach if it were decided now.
type reach struct {
	audience sector.Audience // with the members of its groups in their place
	members  []sector.Member
}

// groups are the sharing groups that a release may be for.
func (s *Service) groups(ctx context.Context) ([]sector.Group, error) {
	if s.Groups == nil {
		return nil, nil
	}
	return s.Groups.Groups(ctx)
}

// recipients are the views of everybody a release can reach, one for each
// member, the authority and the public. A member that does not take part now
// may again, with what it had.
func recipients(members []sector.Member) []sector.Viewer {
	all := []sector.Viewer{{Org: sector.Authority}, {}}
	for _, m := range members {
		all = append(all, sector.Viewer{Org: sector.MemberOrg, Member: m.ID, Sector: m.Sector})
	}
	return all
}

// takenBack counts the recipients that this lineage was once taken back from
// and that the audience would take in again: a revocation is for ever (STIX
// 2.1, section 3.6).
func (s *Service) takenBack(a Advisory, past []PastRelease, members []sector.Member) int {
	n := 0
	to := a.Audience.Resolve(members)
	for _, v := range recipients(members) {
		f := s.gate.For(v)
		had, lost := false, false
		for _, r := range past {
			if r.Lineage != a.Lineage {
				continue
			}
			sees := f.Allows(r.Audience)
			lost = lost || had && !sees
			had = had || sees
		}
		if lost && f.Allows(to) {
			n++
		}
	}
	return n
}
