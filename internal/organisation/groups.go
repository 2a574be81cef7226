package organisation

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Group is an ad-hoc sharing group.
type Group struct {
	sector.Group
	Owner     sector.MemberID // empty: the centre
	Listed    bool            // every member sees that there is one, and may ask to join
	Terms     Terms           // in force
	CreatedAt time.Time
	ClosedAt  time.Time // zero while it is open
}

// Terms are what who joins agrees to.
type Terms struct {
	Version int // from 1
	Zh, En  string
	// NamesShown: who is in the group sees who else is.
	NamesShown bool
	By         string
	At         time.Time
}

// Side is how a member stands in a group. Joining needs both sides: an invitation
// that is accepted, or a request that is admitted.
type Side string

// The sides.
const (
	Invited  Side = "invited" // by the owner; the member has not said yes
	Asking   Side = "asking"  // the member said yes; the owner has not
	Joined   Side = "joined"  // both did
	Left     Side = "left"    // one of them said no, then or later
	Stranger Side = ""        // neither ever said anything
)

// Membership is how a member stands in a group.
type Membership struct {
	Group     sector.GroupID
	Member    sector.MemberID
	Side      Side
	Terms     int // the version accepted; 0 for none
	ChangedAt time.Time
}

// In reports whether the membership counts: both sides said yes, to the terms
// in force, and the group is open.
func (g Group) In(m Membership) bool {
	return m.Side == Joined && m.Terms == g.Terms.Version && g.ClosedAt.IsZero()
}

// GroupStore keeps sharing groups.
type GroupStore interface {
	// CreateGroup stores a group with its terms; an owner that is a member
	// is in it.
	CreateGroup(ctx context.Context, g Group, e ledger.Entry) error
	// SetTerms stores the next version of the terms, which the owner has
	// accepted; errs.Conflict when it is not the next.
	SetTerms(ctx context.Context, g Group, t Terms, e ledger.Entry) error
	CloseGroup(ctx context.Context, id sector.GroupID, at time.Time, e ledger.Entry) error
	// Group is one group; errs.NotFound if there is none.
	Group(ctx context.Context, id sector.GroupID) (Group, error)
	// AllGroups are the groups, the newest first.
	AllGroups(ctx context.Context) ([]Group, error)
	// Memberships are a group's, or, for no group, a member's.
	Memberships(ctx context.Context, g sector.GroupID, m sector.MemberID) ([]Membership, error)
	// SetMembership stores where a member stands, if it stands at one of
	// from now and the terms in force are those named; otherwise the error's
	// kind is errs.Conflict.
	SetMembership(ctx context.Context, m Membership, from []Side, inForce int, e ledger.Entry) error
}

// maxTerms bounds the terms in characters.
const maxTerms = 10000

func noGroup() error { return errs.New(errs.NotFound, "group.unknown") }

// GroupView is a group as the viewer sees it.
type GroupView struct {
	Group
	Mine   Membership // of the viewer's member
	Owns   bool       // the viewer runs it
	Agrees bool       // the viewer may say yes and no for its member
	// Members are who the viewer sees: whoever runs the group sees all who
	// stand in it, a member in it the names of those in it when the terms say
	// so. Nobody else is told how many there are.
	Members []Membership
}

// Inside reports whether the viewer's member is in the group.
func (g GroupView) Inside() bool { return g.In(g.Mine) }

// Stale reports whether there are new terms to be accepted.
func (g GroupView) Stale() bool {
	return g.Mine.Side == Joined && g.Mine.Terms != g.Terms.Version && g.ClosedAt.IsZero()
}

// owns reports whether the viewer runs the group: the centre runs all.
func owns(v sector.Viewer, g Group) bool {
	return v.May(sector.WriteGroups) && (v.Org == sector.Centre || v.Member != "" && v.Member == g.Owner)
}

// sees reports whether the viewer knows of the group at all.
func sees(v sector.Viewer, g Group, mine Side) bool {
	switch {
	case v.Org == sector.Centre:
		return true
	case v.Member == "":
		return false
	case v.Member == g.Owner:
		return true
	}
	known := mine == Invited || mine == Asking || mine == Joined
	return g.ClosedAt.IsZero() && (known || g.Listed)
}

// GroupsSeen are the groups that the viewer knows of.
func (s *Service) GroupsSeen(ctx context.Context, v sector.Viewer) ([]GroupView, error) {
	if err := need(v, sector.ReadGroups); err != nil {
		return nil, err
	}
	all, err := s.Groups.AllGroups(ctx)
	if err != nil {
		return nil, err
	}
	mine := map[sector.GroupID]Membership{}
	if v.Member != "" {
		own, err := s.Groups.Memberships(ctx, "", v.Member)
		if err != nil {
			return nil, err
		}
		for _, m := range own {
			mine[m.Group] = m
		}
	}
	var seen []GroupView
	for _, g := range all {
		if sees(v, g, mine[g.ID].Side) {
			seen = append(seen, view(v, g, mine[g.ID]))
		}
	}
	return seen, nil
}

func view(v sector.Viewer, g Group, mine Membership) GroupView {
	return GroupView{Group: g, Mine: mine, Owns: owns(v, g), Agrees: v.Member != "" && v.Member != g.Owner && v.May(sector.JoinGroups)}
}

// GroupSeen is one group that the viewer knows of, with the members that it
// may see. One that it does not know of is not there.
func (s *Service) GroupSeen(ctx context.Context, v sector.Viewer, id sector.GroupID) (GroupView, error) {
	if err := need(v, sector.ReadGroups); err != nil {
		return GroupView{}, err
	}
	g, err := s.Groups.Group(ctx, id)
	if err != nil {
		return GroupView{}, err
	}
	all, err := s.Groups.Memberships(ctx, id, "")
	if err != nil {
		return GroupView{}, err
	}
	var mine Membership
	for _, m := range all {
		if v.Member != "" && m.Member == v.Member {
			mine = m
		}
	}
	if !sees(v, g, mine.Side) {
		return GroupView{}, noGroup()
	}
	seen := view(v, g, mine)
	for _, m := range all {
		if (seen.Owns || v.Org == sector.Centre) && m.Side != Left || seen.Inside() && g.Terms.NamesShown && g.In(m) {
			seen.Members = append(seen.Members, m)
		}
	}
	return seen, nil
}

// checkGroup brings names and terms into their one form.
func checkGroup(g *Group) error {
	c := &checker{}
	g.NameZh, g.Name = c.one("name_zh", g.NameZh, name), c.one("name", g.Name, name)
	prose := func(text string) (string, error) { return sector.Prose(text, maxTerms) }
	g.Terms.Zh, g.Terms.En = c.one("terms_zh", g.Terms.Zh, prose), c.one("terms_en", g.Terms.En, prose)
	found := c.problems
	for field, text := range map[string]string{"name_zh": g.NameZh, "name": g.Name, "terms_zh": g.Terms.Zh, "terms_en": g.Terms.En} {
		if text == "" && !slices.ContainsFunc(found, func(p Problem) bool { return p.Field == field }) {
			found = append(found, Problem{field, 0, errs.New(errs.Invalid, "common.form.required")})
		}
	}
	if len(found) > 0 {
		return &ProblemsError{found}
	}
	return nil
}

// CreateGroup opens a group that the viewer's organisation owns.
func (s *Service) CreateGroup(ctx context.Context, v sector.Viewer, g Group) (Group, error) {
	if err := need(v, sector.WriteGroups); err != nil {
		return Group{}, err
	}
	if err := checkGroup(&g); err != nil {
		return Group{}, err
	}
	now := s.Now().UTC()
	g.ID, g.Owner, g.CreatedAt = sector.GroupID(newID()), v.Member, now
	g.Terms.Version, g.Terms.By, g.Terms.At = 1, v.Actor(), now
	e := entry(v, "group.create", "group:"+string(g.ID), v.Member, map[string]any{"listed": g.Listed, "names_shown": g.Terms.NamesShown})
	return g, s.Groups.CreateGroup(ctx, g, e)
}

// run loads a group for whoever runs it.
func (s *Service) run(ctx context.Context, v sector.Viewer, id sector.GroupID) (GroupView, error) {
	g, err := s.GroupSeen(ctx, v, id)
	switch {
	case err != nil:
		return g, err
	case !g.Owns:
		return g, errs.New(errs.Forbidden, "group.not_owner")
	case !g.ClosedAt.IsZero():
		return g, errs.New(errs.Conflict, "group.closed")
	}
	return g, nil
}

// SetTerms puts new terms in force after version. Until a member accepts them
// it is not in the group.
func (s *Service) SetTerms(ctx context.Context, v sector.Viewer, id sector.GroupID, version int, t Terms) error {
	g, err := s.run(ctx, v, id)
	if err != nil {
		return err
	}
	if version != g.Terms.Version {
		return errs.New(errs.Conflict, "group.changed")
	}
	next := g.Group
	next.Terms = t
	if err := checkGroup(&next); err != nil {
		return err
	}
	t = next.Terms
	t.Version, t.By, t.At = version+1, v.Actor(), s.Now().UTC()
	e := entry(v, "group.terms", "group:"+string(id), g.Owner, map[string]any{"version": t.Version, "names_shown": t.NamesShown})
	return s.Groups.SetTerms(ctx, g.Group, t, e)
}

// CloseGroup ends a group: nothing is released to it any more.
func (s *Service) CloseGroup(ctx context.Context, v sector.Viewer, id sector.GroupID) error {
	g, err := s.run(ctx, v, id)
	if err != nil {
		return err
	}
	return s.Groups.CloseGroup(ctx, id, s.Now().UTC(), entry(v, "group.close", "group:"+string(id), g.Owner, nil))
}

var memberForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,31}$`)

// InviteMember is the owner's side of joining. A member that owns a group is told
// the same whether or not there is such a member; who is asking already is
// admitted.
func (s *Service) InviteMember(ctx context.Context, v sector.Viewer, id sector.GroupID, m sector.MemberID) error {
	g, err := s.run(ctx, v, id)
	if err != nil {
		return err
	}
	if !memberForm.MatchString(string(m)) || m == g.Owner {
		return errs.New(errs.Invalid, "group.member_form", string(m))
	}
	if v.Org == sector.Centre {
		if _, err := s.Members.Member(ctx, m); err != nil {
			return errs.New(errs.Invalid, "sector.member_unknown", string(m)).Because(err)
		}
	}
	at, err := s.stands(ctx, id, m)
	if err != nil {
		return err
	}
	if at.Side == Asking {
		return s.move(ctx, g.Group, at, Joined, at.Terms, entry(v, "group.admit", g.object(), at.Member, agreed(at.Terms)), Asking)
	}
	return s.move(ctx, g.Group, at, Invited, 0, entry(v, "group.invite", g.object(), at.Member, agreed(0)), Stranger, Left)
}

// stands is where a member stands in a group.
func (s *Service) stands(ctx context.Context, id sector.GroupID, m sector.MemberID) (Membership, error) {
	all, err := s.Groups.Memberships(ctx, id, "")
	if i := slices.IndexFunc(all, func(x Membership) bool { return x.Member == m }); err == nil && i >= 0 {
		return all[i], nil
	}
	return Membership{Group: id, Member: m}, err
}

// object is how the group is written into the ledger.
func (g Group) object() string { return "group:" + string(g.ID) }

func agreed(terms int) map[string]int { return map[string]int{"terms": terms} }

// move stores the next standing of a member.
func (s *Service) move(ctx context.Context, g Group, m Membership, to Side, terms int, e ledger.Entry, from ...Side) error {
	if !slices.Contains(from, m.Side) {
		return errs.New(errs.Conflict, "group.changed")
	}
	m.Side, m.Terms, m.ChangedAt = to, terms, s.Now().UTC()
	return s.Groups.SetMembership(ctx, m, from, g.Terms.Version, e)
}

// RemoveMember takes a member out of the group, its invitation back, or its
// request away.
func (s *Service) RemoveMember(ctx context.Context, v sector.Viewer, id sector.GroupID, m sector.MemberID) error {
	g, err := s.run(ctx, v, id)
	if err != nil {
		return err
	}
	if m == g.Owner {
		return errs.New(errs.Invalid, "group.owner_stays")
	}
	at, err := s.stands(ctx, id, m)
	if err != nil {
		return err
	}
	return s.move(ctx, g.Group, at, Left, 0, entry(v, "group.remove", g.object(), at.Member, agreed(0)), Invited, Asking, Joined)
}

// own loads a group for somebody who may say yes and no for its member.
func (s *Service) own(ctx context.Context, v sector.Viewer, id sector.GroupID) (GroupView, error) {
	if _, err := ownMember(v, sector.JoinGroups); err != nil {
		return GroupView{}, err
	}
	g, err := s.GroupSeen(ctx, v, id)
	switch {
	case err != nil:
		return g, err
	case !g.ClosedAt.IsZero():
		return g, errs.New(errs.Conflict, "group.closed")
	case v.Member == g.Owner:
		return g, errs.New(errs.Invalid, "group.owner_stays")
	}
	g.Mine.Group, g.Mine.Member = g.ID, v.Member
	return g, nil
}

// Agree is the member's side of joining, to the terms of this version: it
// accepts an invitation, accepts new terms, or asks to be admitted.
func (s *Service) Agree(ctx context.Context, v sector.Viewer, id sector.GroupID, terms int) error {
	g, err := s.own(ctx, v, id)
	if err != nil {
		return err
	}
	if terms != g.Terms.Version {
		return errs.New(errs.Conflict, "group.terms_changed")
	}
	switch g.Mine.Side {
	case Invited:
		return s.move(ctx, g.Group, g.Mine, Joined, terms, entry(v, "group.accept", g.object(), g.Mine.Member, agreed(terms)), Invited)
	case Joined:
		return s.move(ctx, g.Group, g.Mine, Joined, terms, entry(v, "group.accept", g.object(), g.Mine.Member, agreed(terms)), Joined)
	case Asking:
		return s.move(ctx, g.Group, g.Mine, Asking, terms, entry(v, "group.ask", g.object(), g.Mine.Member, agreed(terms)), Asking)
	}
	return s.move(ctx, g.Group, g.Mine, Asking, terms, entry(v, "group.ask", g.object(), g.Mine.Member, agreed(terms)), Stranger, Left)
}

// Leave declines an invitation, takes a request back, or leaves.
func (s *Service) Leave(ctx context.Context, v sector.Viewer, id sector.GroupID) error {
	g, err := s.own(ctx, v, id)
	if err != nil {
		return err
	}
	return s.move(ctx, g.Group, g.Mine, Left, 0, entry(v, "group.leave", g.object(), g.Mine.Member, agreed(0)), Invited, Asking, Joined)
}
