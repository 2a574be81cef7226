package wire

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/sector"
)

// homeSource puts together what people's homes show.
type homeSource struct {
	*Program
	parts *partsOnce
}

var _ home.Source = homeSource{}

func newHomeSource(p *Program) homeSource { return homeSource{p, &partsOnce{}} }

// partsOnce remembers for a while how the program's parts are, as asking one
// of them writes to the disk, and when each member last sent, as that is a
// look into the index for every member.
type partsOnce struct {
	mu     sync.Mutex
	at     time.Time
	parts  []home.Engine
	sentAt time.Time
	sent   map[sector.MemberID]time.Time
}

const partsFresh = 10 * time.Second

// lastRecords is when each member last sent, for those who ever did.
func (s homeSource) lastRecords(ctx context.Context, f sector.Filter, store home.Store) (map[sector.MemberID]time.Time, error) {
	if !f.All() {
		return store.LastRecords(ctx, f)
	}
	s.parts.mu.Lock()
	defer s.parts.mu.Unlock()
	if now := s.opts.Now(); s.parts.sent == nil || now.Sub(s.parts.sentAt) > partsFresh {
		sent, err := store.LastRecords(ctx, f)
		if err != nil {
			return nil, err
		}
		s.parts.sentAt, s.parts.sent = now, sent
	}
	return s.parts.sent, nil
}

func (s homeSource) engineStates(ctx context.Context) []home.Engine {
	s.parts.mu.Lock()
	defer s.parts.mu.Unlock()
	if now := s.opts.Now(); s.parts.parts == nil || now.Sub(s.parts.at) > partsFresh {
		s.parts.at, s.parts.parts = now, nil
		for _, e := range s.engineChecks() {
			s.parts.parts = append(s.parts.parts, home.Engine{Name: e.name, Well: e.run(ctx) == nil})
		}
	}
	return s.parts.parts
}

// What the homes list and look back on.
const (
	homeRows     = 8
	homeMembers  = 10
	standingSpan = 90 * 24 * time.Hour
	sectorDays   = 30
	sendingSpan  = time.Hour
)

// Member implements home.Source.
func (s homeSource) Member(ctx context.Context, v sector.Viewer) (home.Member, error) {
	f, now, store := sector.Gate{}.For(v), s.opts.Now().UTC(), s.engines.db.Home()
	var m home.Member
	var err error
	if m.Owed, m.OwedAll, err = store.Owed(ctx, f, homeRows); err != nil {
		return m, err
	}
	if m.Standing, err = store.Standing(ctx, f, now.Add(-standingSpan), now); err != nil {
		return m, err
	}
	if m.Confirmed, err = s.confirmed(ctx, v.Member, now); err != nil {
		return m, err
	}
	keys, err := s.directory.Keys(ctx, v.Member)
	if err != nil {
		return m, err
	}
	for _, k := range keys {
		if k.RevokedAt.IsZero() {
			m.Keys.Valid++
		}
		if k.LastUsed.After(m.Keys.LastUsed) {
			m.Keys.LastUsed = k.LastUsed
		}
	}
	if !v.May(sector.ReadAlerts) {
		return m, nil
	}
	page, err := s.soc.alerts.List(ctx, v, monitor.AlertQuery{Limit: homeRows})
	if err != nil {
		return m, err
	}
	for _, a := range page.Alerts {
		m.Seen = append(m.Seen, home.Seen{ID: a.ID, Title: home.Text{Zh: a.TitleZh, En: a.Title},
			Severity: a.Severity.String(), State: string(a.State), Raised: a.Raised})
	}
	open, err := s.soc.alerts.Count(ctx, v)
	for _, sev := range monitor.Severities() {
		m.Open = append(m.Open, home.SeverityCount{Severity: sev.String(), N: open[sev]})
	}
	return m, err
}

// Centre implements home.Source.
func (s homeSource) Centre(ctx context.Context, v sector.Viewer) (home.Centre, error) {
	f, now, store := sector.Gate{}.For(v), s.opts.Now().UTC(), s.engines.db.Home()
	var c home.Centre
	var err error
	if c.Pulse, err = s.pulse(ctx, v); err != nil {
		return c, err
	}
	if v.May(sector.ReadAlerts) {
		if c.Queue, err = store.Queue(ctx, f, homeRows); err != nil {
			return c, err
		}
	}
	if v.May(sector.ReadDrafts) {
		if c.Drafts, c.DraftsMore, err = s.drafts(ctx, v); err != nil {
			return c, err
		}
		if c.Overdue, c.OverdueAll, err = store.Overdue(ctx, f, now, homeMembers); err != nil {
			return c, err
		}
	}
	if c.Senders, err = s.senders(ctx, f, store, now); err != nil {
		return c, err
	}
	c.Engines = s.engineStates(ctx)
	return c, nil
}

// pulse is the last hour's totals.
func (s homeSource) pulse(ctx context.Context, v sector.Viewer) (home.Pulse, error) {
	see := sector.Gate{}.Counts(v)
	var counts [4]int64
	figures := s.soc.pulse.For(see.Over())
	for _, m := range figures.Minutes {
		counts[0] += m.Counts[monitor.StageAccepted]
		counts[1] += m.Counts[monitor.StageAlerts]
	}
	activity, err := s.isac.store.Activity(ctx, see.Over(), figures.Minutes[0].From)
	return home.Pulse{
		Records: see.Figure(counts[0]), Alerts: see.Figure(counts[1]),
		Releases: see.Figure(int64(len(activity.Releases))), Answers: see.Figure(int64(len(activity.Answers))),
		ToAlert: s.soc.pulse.ToAlert(),
	}, err
}

// drafts are those that wait for the second person, the longest waiting last
// changed first.
func (s homeSource) drafts(ctx context.Context, v sector.Viewer) ([]home.Draft, bool, error) {
	found, err := s.isac.service.Advisories(ctx, v, intel.AdvisoryQuery{States: []intel.State{intel.InReview}, Limit: homeRows + 1})
	if err != nil {
		return nil, false, err
	}
	users, err := s.directory.Users(ctx)
	if err != nil {
		return nil, false, err
	}
	names := map[sector.UserID]string{}
	for _, u := range users {
		names[u.ID] = u.Email
	}
	var list []home.Draft
	for _, a := range found[:min(len(found), homeRows)] {
		list = append(list, home.Draft{ID: string(a.ID), Title: home.Text(a.Title), Since: a.ChangedAt, Marking: a.Marking,
			By: cmp.Or(names[a.SubmittedBy], string(a.SubmittedBy)), ForYou: intel.SecondPerson(v, a) == nil})
	}
	return list, len(found) > homeRows, nil
}

// senders tells who sends and who has stopped.
func (s homeSource) senders(ctx context.Context, f sector.Filter, store home.Store, now time.Time) (home.Senders, error) {
	var out home.Senders
	last, err := s.lastRecords(ctx, f, store)
	if err != nil {
		return out, err
	}
	members, err := s.directory.Members(ctx)
	if err != nil {
		return out, err
	}
	for _, m := range members {
		switch at, ever := last[m.ID]; {
		case !ever:
		case now.Sub(at) < sendingSpan:
			out.Sending++
		default:
			out.Silent = append(out.Silent, home.Silent{Member: m, Last: at})
		}
	}
	// Who has just stopped is news; who stopped long ago is known.
	slices.SortFunc(out.Silent, func(a, b home.Silent) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Member.ID, b.Member.ID))
	})
	out.More = max(0, len(out.Silent)-homeMembers)
	out.Silent = out.Silent[:len(out.Silent)-out.More]
	return out, nil
}

// Sector implements home.Source: numbers of all members together, which
// become figures here.
func (s homeSource) Sector(ctx context.Context, v sector.Viewer) (home.Sector, error) {
	see, now := sector.Gate{}.Counts(v), s.opts.Now().UTC()
	out := home.Sector{Days: sectorDays}
	members, err := s.directory.Members(ctx)
	if err != nil {
		return out, err
	}
	bySector := make([]int64, len(sector.SubSectors()))
	for _, m := range members {
		if i := slices.Index(sector.SubSectors(), m.Sector); i >= 0 {
			bySector[i]++
		}
	}
	out.Members, out.BySector = see.Series(bySector)
	d, err := s.engines.db.Home().Delivered(ctx, see.Over(), now.AddDate(0, 0, -sectorDays))
	if err != nil {
		return out, err
	}
	out.Warnings = see.Figure(d.Warnings)
	out.Answers = see.Funnel(d.Deliveries, d.Opened, []int64{d.InTime, d.Late})
	open, err := s.engines.db.Alerts().CountAlerts(ctx, see.Over())
	if err != nil {
		return out, err
	}
	counts := make([]int64, len(monitor.Severities()))
	for i, sev := range monitor.Severities() {
		counts[i] = open[sev]
	}
	var each []sector.Figure
	out.Open, each = see.Series(counts)
	for i, sev := range monitor.Severities() {
		out.BySev = append(out.BySev, home.SeverityFigure{Severity: sev.String(), N: each[i]})
	}
	var records int64
	for _, m := range s.soc.pulse.For(see.Over()).Minutes {
		records += m.Counts[monitor.StageAccepted]
	}
	out.Records = see.Figure(records)
	return out, nil
}

// confirmed is how fresh the older of the parts of a member's profile is.
func (s homeSource) confirmed(ctx context.Context, id sector.MemberID, now time.Time) (*home.Confirmed, error) {
	member, err := s.directory.Member(ctx, id)
	if err != nil {
		return nil, err
	}
	kept, err := s.engines.db.Organisation().Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	due := kept.Due(organisation.Contacts, member.CreatedAt)
	if other := kept.Due(organisation.Networks, member.CreatedAt); other.Before(due) {
		due = other
	}
	return &home.Confirmed{At: due.Add(-organisation.ConfirmEvery), Stale: kept.Version == 0 || now.After(due)}, nil
}
