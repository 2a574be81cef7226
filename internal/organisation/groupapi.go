package organisation

import (
	"context"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// maxGroupBody bounds a group's JSON in bytes: terms in two languages.
const maxGroupBody = 256 << 10

// mountGroups adds sharing groups:
//
//	GET, POST   /api/v1/groups
//	GET         /api/v1/groups/{id}
//	GET, PUT    /api/v1/groups/{id}/terms
//	PUT, DELETE /api/v1/groups/{id}/members/{member}
//	POST        /api/v1/groups/{id}/close
//	POST        /api/v1/groups/{id}/agree
//	POST        /api/v1/groups/{id}/leave
func (a api) mountGroups(routes *access.Routes) {
	doc := func(id string) access.Doc { return access.Doc{ID: "group-" + id, Tag: "groups"} }
	create, terms := created("group-create", "groups"), doc("set-terms")
	create.MaxBody, terms.MaxBody = maxGroupBody, maxGroupBody
	const path = "/api/v1/groups"
	access.Operation(routes, "GET "+path, sector.ReadGroups, doc("list"), a.groups)
	access.Operation(routes, "POST "+path, sector.WriteGroups, create, a.createGroup)
	access.Operation(routes, "GET "+path+"/{id}", sector.ReadGroups, doc("show"), a.group)
	access.Operation(routes, "GET "+path+"/{id}/terms", sector.ReadGroups, doc("terms"), a.terms)
	access.Operation(routes, "PUT "+path+"/{id}/terms", sector.WriteGroups, terms, a.setTerms)
	access.Operation(routes, "PUT "+path+"/{id}/members/{member}", sector.WriteGroups, doc("invite"), a.inviteMember)
	access.Operation(routes, "DELETE "+path+"/{id}/members/{member}", sector.WriteGroups, doc("remove"), a.removeMember)
	access.Operation(routes, "POST "+path+"/{id}/close", sector.WriteGroups, doc("close"), a.closeGroup)
	access.Operation(routes, "POST "+path+"/{id}/agree", sector.JoinGroups, doc("agree"), a.agree)
	access.Operation(routes, "POST "+path+"/{id}/leave", sector.JoinGroups, doc("leave"), a.leave)
}

// groupJSON is a group as the reader sees it.
type groupJSON struct {
	ID        sector.GroupID   `json:"id"`
	Name      string           `json:"name"`
	NameZh    string           `json:"name_zh"`
	Owner     sector.MemberID  `json:"owner,omitempty" doc:"Left out: the centre."`
	Listed    bool             `json:"listed" doc:"Every member sees that there is one, and may ask to join."`
	Terms     int              `json:"terms" doc:"The version in force."`
	CreatedAt time.Time        `json:"created_at"`
	ClosedAt  time.Time        `json:"closed_at,omitzero"`
	Runs      bool             `json:"runs" doc:"The reader runs it."`
	Inside    bool             `json:"inside" doc:"The reader's member is in it."`
	Standing  Side             `json:"standing,omitempty" doc:"Of the reader's member: invited, asking, joined or left."`
	Accepted  int              `json:"accepted,omitempty" doc:"The version of the terms that the reader's member accepted."`
	Members   []membershipJSON `json:"members,omitempty" doc:"Those that the reader may see."`
}

// membershipJSON is how a member stands in a group. Who only sees the names
// is told no more.
type membershipJSON struct {
	Member    sector.MemberID `json:"member"`
	Standing  Side            `json:"standing,omitempty"`
	Inside    bool            `json:"inside" doc:"It joined and accepted the terms in force."`
	ChangedAt time.Time       `json:"changed_at,omitzero"`
}

func newGroupJSON(v sector.Viewer, g GroupView) groupJSON {
	out := groupJSON{ID: g.ID, Name: g.Name, NameZh: g.NameZh, Owner: g.Owner, Listed: g.Listed, Terms: g.Terms.Version, CreatedAt: g.CreatedAt,
		ClosedAt: g.ClosedAt, Runs: g.Owns, Inside: g.Inside(), Standing: g.Mine.Side, Accepted: g.Mine.Terms}
	for _, m := range g.Members {
		one := membershipJSON{Member: m.Member, Inside: g.In(m)}
		if g.Owns || v.Org == sector.Centre {
			one.Standing, one.ChangedAt = m.Side, m.ChangedAt
		}
		out.Members = append(out.Members, one)
	}
	return out
}

type groupsOut struct {
	Body struct {
		Groups []groupJSON `json:"groups"`
		Next   string      `json:"next,omitempty"`
	}
}

func (a api) groups(ctx context.Context, in *access.ListIn) (*groupsOut, error) {
	v := sector.ViewerFrom(ctx)
	all, err := a.svc.GroupsSeen(ctx, v)
	if err != nil {
		return nil, err
	}
	var matching []GroupView
	for _, g := range all {
		if strings.Contains(strings.ToLower(g.Name+"\n"+g.NameZh), strings.ToLower(in.Text)) {
			matching = append(matching, g)
		}
	}
	rows, next, err := access.Paged(ctx, a.cursors, "groups", *in, matching, func(g GroupView) string { return string(g.ID) })
	if err != nil {
		return nil, err
	}
	out := &groupsOut{}
	out.Body.Next = next
	out.Body.Groups = access.Shown(rows, func(g GroupView) groupJSON { return newGroupJSON(v, g) })
	return out, nil
}

type groupIn struct {
	ID sector.GroupID `path:"id"`
}

type groupOut struct{ Body groupJSON }

func (a api) group(ctx context.Context, in *groupIn) (*groupOut, error) {
	v := sector.ViewerFrom(ctx)
	g, err := a.svc.GroupSeen(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	return &groupOut{newGroupJSON(v, g)}, nil
}

// newTermsJSON is what who joins shall agree to.
type newTermsJSON struct {
	Zh         string `json:"zh" maxLength:"10000"`
	En         string `json:"en" maxLength:"10000"`
	NamesShown bool   `json:"names_shown,omitempty" doc:"Who is in the group sees who else is."`
}

func (t newTermsJSON) terms() Terms { return Terms{Zh: t.Zh, En: t.En, NamesShown: t.NamesShown} }

type createGroupIn struct {
	Body struct {
		Name   string       `json:"name"`
		NameZh string       `json:"name_zh"`
		Listed bool         `json:"listed,omitempty" doc:"Every member sees that there is one, and may ask to join."`
		Terms  newTermsJSON `json:"terms"`
	}
}

func (a api) createGroup(ctx context.Context, in *createGroupIn) (*groupOut, error) {
	b := in.Body
	g, err := a.svc.CreateGroup(ctx, sector.ViewerFrom(ctx), Group{
		Group: sector.Group{Name: b.Name, NameZh: b.NameZh}, Listed: b.Listed, Terms: b.Terms.terms()})
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	return a.group(ctx, &groupIn{g.ID})
}

type termsOut struct {
	ETag string `header:"ETag"`
	Body struct {
		Version    int       `json:"version"`
		Zh         string    `json:"zh"`
		En         string    `json:"en"`
		NamesShown bool      `json:"names_shown" doc:"Who is in the group sees who else is."`
		At         time.Time `json:"in_force_since"`
	}
}

func (a api) terms(ctx context.Context, in *groupIn) (*termsOut, error) {
	g, err := a.svc.GroupSeen(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	t := g.Terms
	out := &termsOut{ETag: access.VersionTag(t.Version)}
	out.Body.Version, out.Body.Zh, out.Body.En, out.Body.NamesShown, out.Body.At = t.Version, t.Zh, t.En, t.NamesShown, t.At
	return out, nil
}

type setTermsIn struct {
	ID      sector.GroupID `path:"id"`
	IfMatch string         `header:"If-Match" doc:"The ETag of the terms that were read."`
	Body    newTermsJSON
}

func (a api) setTerms(ctx context.Context, in *setTermsIn) (*termsOut, error) {
	version, err := access.Version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	v := sector.ViewerFrom(ctx)
	if err := a.svc.SetTerms(ctx, v, in.ID, version, in.Body.terms()); err != nil {
		now, readErr := a.svc.GroupSeen(ctx, v, in.ID)
		if errs.Is(err, errs.Conflict) && readErr == nil && now.Terms.Version != version {
			return nil, access.Changed(changedJSON{Version: now.Terms.Version})
		}
		return nil, a.explain(ctx, err)
	}
	return a.terms(ctx, &groupIn{in.ID})
}

type groupMemberIn struct {
	ID     sector.GroupID  `path:"id"`
	Member sector.MemberID `path:"member"`
}

// inviteMember answers with the group as the owner sees it: the same whether
// or not there is such a member.
func (a api) inviteMember(ctx context.Context, in *groupMemberIn) (*groupOut, error) {
	if err := a.svc.InviteMember(ctx, sector.ViewerFrom(ctx), in.ID, in.Member); err != nil {
		return nil, err
	}
	return a.group(ctx, &groupIn{in.ID})
}

func (a api) removeMember(ctx context.Context, in *groupMemberIn) (*struct{}, error) {
	return nil, a.svc.RemoveMember(ctx, sector.ViewerFrom(ctx), in.ID, in.Member)
}

func (a api) closeGroup(ctx context.Context, in *groupIn) (*groupOut, error) {
	if err := a.svc.CloseGroup(ctx, sector.ViewerFrom(ctx), in.ID); err != nil {
		return nil, err
	}
	return a.group(ctx, in)
}

type agreeIn struct {
	ID   sector.GroupID `path:"id"`
	Body struct {
		Terms int `json:"terms" minimum:"1" doc:"The version that is agreed to."`
	}
}

func (a api) agree(ctx context.Context, in *agreeIn) (*groupOut, error) {
	if err := a.svc.Agree(ctx, sector.ViewerFrom(ctx), in.ID, in.Body.Terms); err != nil {
		return nil, err
	}
	return a.group(ctx, &groupIn{in.ID})
}

// leave answers nothing: the group may be unknown to the member now.
func (a api) leave(ctx context.Context, in *groupIn) (*struct{}, error) {
	return nil, a.svc.Leave(ctx, sector.ViewerFrom(ctx), in.ID)
}
