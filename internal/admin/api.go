package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// api is members, people and health for programs.
type api struct {
	Config
	cursors access.Cursors
}

// MountAPI adds
//
//	GET, POST /api/v1/members
//	GET       /api/v1/members/{id}
//	GET, POST /api/v1/people
//	POST      /api/v1/people/{id}/link
//	GET       /api/v1/health
func MountAPI(routes *access.Routes, c Config, cursors access.Cursors) {
	a := api{c, cursors}
	doc := func(id, tag string) access.Doc { return access.Doc{ID: id, Tag: tag} }
	create := func(id, tag string) access.Doc {
		return access.Doc{ID: id, Tag: tag, Creates: true, Status: http.StatusCreated}
	}
	proven := func(id, tag string) access.Doc {
		d := create(id, tag)
		d.Proof = true
		return d
	}
	access.Operation(routes, "GET /api/v1/members", sector.ReadMembers, doc("member-list", "members"), a.members)
	access.Operation(routes, "POST /api/v1/members", sector.WriteMembers, create("member-create", "members"), a.createMember)
	access.Operation(routes, "GET /api/v1/members/{id}", sector.ReadMembers, doc("member-show", "members"), a.member)
	access.Operation(routes, "GET /api/v1/people", sector.ReadAccounts, doc("person-list", "people"), a.people)
	access.Operation(routes, "POST /api/v1/people", sector.InviteAccounts, proven("person-create", "people"), a.createPerson)
	access.Operation(routes, "POST /api/v1/people/{id}/link", sector.InviteAccounts, proven("person-link", "people"), a.createLink)
	access.Operation(routes, "GET /api/v1/health", sector.ReadHealth, doc("health-show", "health"), a.health)
}

// memberJSON is a member institution.
type memberJSON struct {
	ID        sector.MemberID  `json:"id"`
	Name      string           `json:"name"`
	NameZh    string           `json:"name_zh"`
	Sector    sector.SubSector `json:"sector"`
	State     string           `json:"state" enum:"active,suspended,departed"`
	Mail      string           `json:"mail,omitempty"`
	CreatedAt time.Time        `json:"created_at"`
}

func newMemberJSON(m sector.Member) memberJSON {
	return memberJSON{m.ID, m.Name, m.NameZh, m.Sector, m.State.Name(), m.Mail, m.CreatedAt}
}

type membersIn struct {
	access.ListIn
	Sector sector.SubSector `query:"sector" enum:"banking,insurance,securities,infrastructure"`
}

type membersOut struct {
	Body struct {
		Members []memberJSON `json:"members"`
		Next    string       `json:"next,omitempty"`
	}
}

func (a api) members(ctx context.Context, in *membersIn) (*membersOut, error) {
	all, err := a.Members.Members(ctx)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(in.Text)
	all = slices.DeleteFunc(all, func(m sector.Member) bool {
		return in.Sector != "" && m.Sector != in.Sector ||
			!strings.Contains(strings.ToLower(string(m.ID)+"\n"+m.Name+"\n"+m.NameZh), text)
	})
	slices.SortFunc(all, memberOrder("id", false))
	rows, next, err := access.Paged(ctx, a.cursors, "members\n"+string(in.Sector), in.ListIn, all, func(m sector.Member) string { return string(m.ID) })
	if err != nil {
		return nil, err
	}
	out := &membersOut{}
	out.Body.Members, out.Body.Next = access.Shown(rows, newMemberJSON), next
	return out, nil
}

type memberID struct {
	ID sector.MemberID `path:"id"`
}

type memberOut struct{ Body memberJSON }

func (a api) member(ctx context.Context, in *memberID) (*memberOut, error) {
	m, err := a.Members.Member(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &memberOut{newMemberJSON(m)}, nil
}

type createMemberIn struct {
	Body struct {
		ID     sector.MemberID  `json:"id" pattern:"^[a-z0-9][a-z0-9-]{1,31}$"`
		Name   string           `json:"name" maxLength:"100"`
		NameZh string           `json:"name_zh" maxLength:"100"`
		Sector sector.SubSector `json:"sector" enum:"banking,insurance,securities,infrastructure"`
		Mail   string           `json:"mail,omitempty" maxLength:"254"`
	}
}

func (a api) createMember(ctx context.Context, in *createMemberIn) (*memberOut, error) {
	b := in.Body
	m, err := a.Members.CreateMember(ctx, sector.ViewerFrom(ctx), sector.Member{ID: b.ID, Name: b.Name, NameZh: b.NameZh, Sector: b.Sector, Mail: b.Mail})
	if err != nil {
		return nil, err
	}
	return &memberOut{newMemberJSON(m)}, nil
}

// personJSON is a person with an account.
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

type peopleIn struct {
	access.ListIn
	Role   sector.Role     `query:"role"`
	Member sector.MemberID `query:"member"`
}

type peopleOut struct {
	Body struct {
		People []personJSON `json:"people"`
		Next   string       `json:"next,omitempty"`
	}
}

func (a api) people(ctx context.Context, in *peopleIn) (*peopleOut, error) {
	all, err := a.People.Users(ctx)
	if err != nil {
		return nil, err
	}
	text := strings.ToLower(in.Text)
	all = slices.DeleteFunc(all, func(u sector.User) bool {
		return in.Role != "" && !slices.Contains(u.Roles, in.Role) || in.Member != "" && u.Member != in.Member ||
			!strings.Contains(u.Email+"\n"+string(u.Member), text)
	})
	rows, next, err := access.Paged(ctx, a.cursors, "people\n"+string(in.Role)+"\n"+string(in.Member), in.ListIn, all,
		func(u sector.User) string { return string(u.ID) })
	if err != nil {
		return nil, err
	}
	out := &peopleOut{}
	out.Body.People, out.Body.Next = access.Shown(rows, newPersonJSON), next
	return out, nil
}

type createPersonIn struct {
	Body struct {
		Email  string          `json:"email" maxLength:"254"`
		Roles  []sector.Role   `json:"roles" minItems:"1" maxItems:"10"`
		Member sector.MemberID `json:"member,omitempty"`
	}
}

type personOut struct{ Body personJSON }

func (a api) createPerson(ctx context.Context, in *createPersonIn) (*personOut, error) {
	for _, role := range in.Body.Roles {
		if !slices.Contains(centreGives(), role) {
			return nil, errs.New(errs.Invalid, "people.role_not_yours", string(role))
		}
	}
	u, err := a.People.CreateUser(ctx, sector.ViewerFrom(ctx), sector.User{Email: in.Body.Email, Roles: in.Body.Roles, Member: in.Body.Member}, "")
	if err != nil {
		return nil, err
	}
	return &personOut{newPersonJSON(u)}, nil
}

type personID struct {
	ID sector.UserID `path:"id"`
}

type linkOut struct {
	Body struct {
		Link      string    `json:"link" doc:"Signs the person in, once."`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (a api) createLink(ctx context.Context, in *personID) (*linkOut, error) {
	users, err := a.People.Users(ctx)
	if err != nil {
		return nil, err
	}
	if err := mayLink(users, in.ID); err != nil {
		return nil, err
	}
	token, err := a.People.CreateLink(ctx, sector.ViewerFrom(ctx), in.ID, linkLife)
	if err != nil {
		return nil, err
	}
	out := &linkOut{}
	out.Body.Link, out.Body.ExpiresAt = web.LinkURL(a.BaseURL, token), time.Now().Add(linkLife).UTC()
	return out, nil
}

// healthJSON is how the program is doing.
type healthJSON struct {
	Version string      `json:"version"`
	Started time.Time   `json:"started_at"`
	Memory  int64       `json:"memory_bytes"`
	Parts   []partJSON  `json:"parts"`
	Queues  []queueJSON `json:"queues"`
	Disks   []diskJSON  `json:"disks"`
}

type partJSON struct {
	Name   string  `json:"name"`
	Engine string  `json:"engine"`
	State  string  `json:"state" enum:"ok,slow,down"`
	Detail string  `json:"detail,omitempty"`
	Took   float64 `json:"check_seconds"`
}

type queueJSON struct {
	Name    string    `json:"name"`
	Waiting int64     `json:"waiting"`
	Oldest  time.Time `json:"oldest,omitzero"`
	Bytes   int64     `json:"bytes,omitempty"`
	Late    bool      `json:"late"`
}

type diskJSON struct {
	Path  string `json:"path"`
	Used  int64  `json:"used_bytes"`
	Free  int64  `json:"free_bytes"`
	Total int64  `json:"total_bytes"`
	Low   bool   `json:"low"`
}

type healthOut struct{ Body healthJSON }

func (a api) health(ctx context.Context, _ *struct{}) (*healthOut, error) {
	s, err := a.Engines.Status(ctx)
	if err != nil {
		return nil, err
	}
	h := healthJSON{Version: s.Version, Started: s.Started, Memory: s.Memory, Parts: []partJSON{}, Queues: []queueJSON{}, Disks: []diskJSON{}}
	for _, p := range s.Parts {
		h.Parts = append(h.Parts, partJSON{p.Name, p.Engine, p.State, p.Detail, p.Took.Seconds()})
	}
	for _, q := range s.Queues {
		h.Queues = append(h.Queues, queueJSON(q))
	}
	for _, d := range s.Disks {
		h.Disks = append(h.Disks, diskJSON(d))
	}
	return &healthOut{h}, nil
}
