package organisation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// mountPeople adds the people of one's own organisation:
//
//	GET, POST   /api/v1/organisation/people
//	GET, DELETE /api/v1/organisation/people/{id}
//	PUT         /api/v1/organisation/people/{id}/roles
//	POST        /api/v1/organisation/people/{id}/link
//	POST        /api/v1/organisation/people/{id}/restore
func (a api) mountPeople(routes *access.Routes) {
	doc := func(id string) access.Doc { return access.Doc{ID: "colleague-" + id, Tag: "people"} }
	proven := func(id string) access.Doc {
		d := created("colleague-"+id, "people")
		d.Proof = true
		return d
	}
	invite := proven("invite")
	invite.MaxBody = maxInvitation
	const path = "/api/v1/organisation/people"
	access.Operation(routes, "GET "+path, sector.ReadPeople, doc("list"), a.people)
	access.Operation(routes, "POST "+path, sector.InvitePeople, invite, a.invite)
	access.Operation(routes, "GET "+path+"/{id}", sector.ReadPeople, doc("show"), a.person)
	access.Operation(routes, "PUT "+path+"/{id}/roles", sector.InvitePeople, doc("roles"), a.setRoles)
	access.Operation(routes, "POST "+path+"/{id}/link", sector.InvitePeople, proven("link"), a.link)
	access.Operation(routes, "DELETE "+path+"/{id}", sector.RemovePeople, doc("remove"), a.remove)
	access.Operation(routes, "POST "+path+"/{id}/restore", sector.RemovePeople, doc("restore"), a.restore)
}

// maxInvitation bounds an invitation in bytes: MaxInvitations addresses of
// ordinary length.
const maxInvitation = 256 << 10

// personJSON is somebody with an account.
type personJSON struct {
	ID        sector.UserID   `json:"id"`
	Email     string          `json:"email"`
	Roles     []sector.Role   `json:"roles"`
	Member    sector.MemberID `json:"member,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	RemovedAt time.Time       `json:"removed_at,omitzero"`
}

func newPersonJSON(u sector.User) personJSON {
	return personJSON{u.ID, u.Email, u.Roles, u.Member, u.CreatedAt, u.RemovedAt}
}

type peopleOut struct {
	Body struct {
		People []personJSON `json:"people"`
		Next   string       `json:"next,omitempty"`
	}
}

func (a api) people(ctx context.Context, in *access.ListIn) (*peopleOut, error) {
	all, err := a.svc.People(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(in.Text)
	all = slices.DeleteFunc(all, func(u sector.User) bool { return !strings.Contains(u.Email, text) })
	rows, next, err := access.Paged(ctx, a.cursors, "colleagues", *in, all, func(u sector.User) string { return string(u.ID) })
	if err != nil {
		return nil, err
	}
	out := &peopleOut{}
	out.Body.People, out.Body.Next = access.Shown(rows, newPersonJSON), next
	return out, nil
}

type personIn struct {
	ID sector.UserID `path:"id"`
}

type personOut struct{ Body personJSON }

func (a api) person(ctx context.Context, in *personIn) (*personOut, error) {
	u, err := a.svc.Person(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &personOut{newPersonJSON(u)}, nil
}

type inviteIn struct {
	Body struct {
		Emails []string      `json:"emails" minItems:"1" maxItems:"500"`
		Roles  []sector.Role `json:"roles" minItems:"1" maxItems:"10"`
	}
}

// invitationJSON is what became of one address.
type invitationJSON struct {
	Email   string       `json:"email"`
	Link    string       `json:"link,omitempty" doc:"Signs the person in, once; shown once. None where it is mailed."`
	Mailed  bool         `json:"mailed,omitempty" doc:"The link is on its way to the person by mail."`
	Problem *problemJSON `json:"problem,omitempty" doc:"Why the person was not invited."`
}

type inviteOut struct {
	Body struct {
		Invitations []invitationJSON `json:"invitations"`
		ExpiresAt   time.Time        `json:"expires_at" doc:"When the links end."`
	}
}

// invite does what it can: each address stands for itself.
func (a api) invite(ctx context.Context, in *inviteIn) (*inviteOut, error) {
	all, err := a.svc.Invite(ctx, sector.ViewerFrom(ctx), in.Body.Emails, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	out := &inviteOut{}
	out.Body.ExpiresAt = a.svc.Now().Add(LinkLife).UTC()
	for _, one := range all {
		row := invitationJSON{Email: one.Email}
		if one.Err != nil {
			row.Problem = &problemJSON{"emails", one.Line, one.Err.Key, a.texts.T(access.Lang(ctx), one.Err.Key, one.Err.Args...)}
		} else if row.Mailed = one.Mailed; !one.Mailed {
			row.Link = web.LinkURL(a.base, one.Token)
		}
		out.Body.Invitations = append(out.Body.Invitations, row)
	}
	return out, nil
}

type linkOut struct {
	Body struct {
		Link      string    `json:"link" doc:"Signs the person in, once; shown once."`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (a api) link(ctx context.Context, in *personIn) (*linkOut, error) {
	token, err := a.svc.Link(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := &linkOut{}
	out.Body.Link, out.Body.ExpiresAt = web.LinkURL(a.base, token), a.svc.Now().Add(LinkLife).UTC()
	return out, nil
}

type rolesIn struct {
	ID   sector.UserID `path:"id"`
	Body struct {
		Roles []sector.Role `json:"roles" minItems:"1" maxItems:"10" doc:"In place of those there are."`
	}
}

func (a api) setRoles(ctx context.Context, in *rolesIn) (*personOut, error) {
	if err := a.svc.SetRoles(ctx, sector.ViewerFrom(ctx), in.ID, in.Body.Roles); err != nil {
		return nil, err
	}
	return a.person(ctx, &personIn{in.ID})
}

func (a api) remove(ctx context.Context, in *personIn) (*struct{}, error) {
	return nil, a.svc.Remove(ctx, sector.ViewerFrom(ctx), in.ID)
}

func (a api) restore(ctx context.Context, in *personIn) (*personOut, error) {
	if err := a.svc.Restore(ctx, sector.ViewerFrom(ctx), in.ID); err != nil {
		return nil, err
	}
	return a.person(ctx, in)
}
