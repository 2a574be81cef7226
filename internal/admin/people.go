package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// linkLife is how long an invitation may lie in an inbox.
const linkLife = 72 * time.Hour

func peopleList() web.ListSpec {
	roles := []web.Option{{Key: "common.all"}}
	for _, role := range sector.Roles() {
		roles = append(roles, web.Option{Value: string(role), Key: "common.role." + string(role)})
	}
	return web.ListSpec{
		Path: "/admin/people", Export: true,
		Columns: []web.Column{
			{Key: "admin.people.email", Sort: "email"}, {Key: "admin.people.role", Name: "role", Sort: "role"},
			{Key: "admin.people.member", Name: "member", Sort: "member", Class: "from-wide"},
			{Key: "admin.people.since", Name: "since", Sort: "since", Class: "time from-wide"}, {Key: "admin.people.link", Name: "link"},
		},
		Filters: []web.Filter{
			{Name: "q", Key: "admin.people.find", Kind: "text"},
			{Name: "role", Key: "admin.people.role", Kind: "select", Options: roles},
		},
		Sort: "role",
	}
}

type peopleModel struct {
	web.List
	People []personRow
	Total  int
	Empty  web.State
}

type personRow struct {
	sector.User
	MayLink bool
}

func (p pages) people(w http.ResponseWriter, r *http.Request) error {
	l, done, err := p.shell.Table(w, r, peopleList())
	if err != nil || done {
		return err
	}
	all, err := p.accounts(r, l)
	if err != nil {
		return err
	}
	m := peopleModel{List: l, Empty: web.State{
		Kind: "empty", Title: "admin.people.none", Text: "admin.people.none_text",
		Actions: []web.Link{{Key: "admin.people.new", Href: "/admin/people/new"}},
	}}
	m.Total = len(all)
	if i := slices.IndexFunc(all, func(u sector.User) bool { return string(u.ID) == m.After }); i >= 0 {
		all = all[i+1:]
	}
	if len(all) > m.Limit {
		m.Next, all = string(all[m.Limit-1].ID), all[:m.Limit]
	}
	for _, u := range all {
		m.People = append(m.People, personRow{u, centreLinks(u)})
	}
	return p.views.Page(w, r, "people", web.Page{Title: "admin.people.title", Data: m})
}

// accounts are the people that the list shows, in its order.
func (p pages) accounts(r *http.Request, l web.List) ([]sector.User, error) {
	all, err := p.People.Users(r.Context())
	q, role := strings.ToLower(l.Get("q")), l.Get("role")
	all = slices.DeleteFunc(all, func(u sector.User) bool {
		return role != "" && !slices.Contains(u.Roles, sector.Role(role)) || q != "" && !strings.Contains(u.Email+"\n"+string(u.Member), q)
	})
	slices.SortFunc(all, personOrder(l.Sorted, l.Down))
	return all, err
}

// exportPeople is the list as a file. Links are not in it.
func (p pages) exportPeople(w http.ResponseWriter, r *http.Request) error {
	spec := peopleList()
	spec.Columns = spec.Columns[:len(spec.Columns)-1]
	l := p.shell.ReadList(r, spec)
	return p.shell.Export(w, r, l, "people", func(context.Context, string) ([][]any, string, error) {
		all, err := p.accounts(r, l)
		rows := make([][]any, len(all))
		for i, u := range all {
			rows[i] = []any{u.Email, p.shell.Roles(r, u.Roles), string(u.Member), u.CreatedAt}
		}
		return rows, "", err
	})
}

func personOrder(by string, down bool) func(a, b sector.User) int {
	return func(a, b sector.User) int {
		c := 0
		switch by {
		case "role":
			c = cmp.Compare(slices.Index(sector.Roles(), a.Roles[0]), slices.Index(sector.Roles(), b.Roles[0]))
		case "member":
			c = cmp.Compare(a.Member, b.Member)
		case "since":
			c = a.CreatedAt.Compare(b.CreatedAt)
		}
		c = cmp.Or(c, cmp.Compare(a.Email, b.Email), cmp.Compare(a.ID, b.ID))
		if down {
			return -c
		}
		return c
	}
}

func (p pages) personForm(r *http.Request) (*web.Form, error) {
	members, err := p.Members.Members(r.Context())
	if err != nil {
		return nil, err
	}
	role := web.Field{Name: "role", Label: "admin.people.role", Kind: "checks", Required: true}
	for _, x := range centreGives() {
		role.Options = append(role.Options, web.Option{Value: string(x), Key: "common.role." + string(x)})
	}
	member := web.Field{Name: "member", Label: "admin.people.member", Kind: "select", Hint: "admin.people.member_hint",
		Value: r.URL.Query().Get("member"), Options: []web.Option{{Key: "common.none"}}}
	for _, x := range members {
		member.Options = append(member.Options, web.Option{Value: string(x.ID), Text: x.NameZh + " · " + x.Name})
	}
	if member.Value != "" {
		role.Values = []string{string(sector.MemberAdmin)}
	}
	return web.NewForm(
		web.Field{Name: "email", Label: "signin.email", Kind: "email", Required: true, MaxLength: 254, Autofocus: true, Autocomplete: "off"},
		role, member,
	), nil
}

func (p pages) newPerson(w http.ResponseWriter, r *http.Request) error {
	f, err := p.personForm(r)
	if err != nil {
		return err
	}
	return p.showPersonForm(w, r, f)
}

func (p pages) showPersonForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "person-new", web.Page{
		Title: "admin.people.new", Data: f, Status: f.Status(),
		Crumbs: []web.Link{{Key: "admin.people.title", Href: "/admin/people"}},
	})
}

func (p pages) createPerson(w http.ResponseWriter, r *http.Request) error {
	f, err := p.personForm(r)
	if err != nil {
		return err
	}
	if err := f.Read(w, r); err != nil {
		return err
	}
	roles := rolesOf(f.All("role"))
	isMember := slices.ContainsFunc(roles, func(r sector.Role) bool { return r.Org() == sector.MemberOrg })
	switch {
	case isMember && f.Get("member") == "":
		f.Fail("member", "admin.people.member_missing")
	case !isMember && f.Get("member") != "":
		f.Fail("member", "admin.people.member_not")
	}
	if !f.OK() {
		return p.showPersonForm(w, r, f)
	}
	u, err := p.People.CreateUser(r.Context(), sector.ViewerFrom(r.Context()), sector.User{
		Email: f.Get("email"), Roles: roles, Member: sector.MemberID(f.Get("member")),
	}, "")
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showPersonForm(w, r, f)
	}
	return p.giveLink(w, r, u.ID)
}

// centreGives are the roles that the centre gives: those of its own people,
// of the authority and of partners, and a member's administrator, who gives
// the others there.
func centreGives() []sector.Role {
	return slices.DeleteFunc(sector.Roles(), func(r sector.Role) bool {
		return r.Org() == sector.MemberOrg && r != sector.MemberAdmin
	})
}

// centreLinks reports whether the centre makes sign-in links for the person.
// A member's people get theirs from the member's administrator: whoever holds
// a link holds the account.
func centreLinks(u sector.User) bool {
	return u.RemovedAt.IsZero() && (u.Member == "" || slices.Contains(u.Roles, sector.MemberAdmin))
}

// mayLink is nil when the centre makes sign-in links for this account.
func mayLink(users []sector.User, id sector.UserID) error {
	i := slices.IndexFunc(users, func(u sector.User) bool { return u.ID == id })
	switch {
	case i < 0:
		return errs.New(errs.NotFound, "sector.user_unknown")
	case !centreLinks(users[i]):
		return errs.New(errs.Forbidden, "admin.people.link_not_yours")
	}
	return nil
}

func rolesOf(names []string) []sector.Role {
	roles := make([]sector.Role, len(names))
	for i, name := range names {
		roles[i] = sector.Role(name)
	}
	return roles
}

func (p pages) createLink(w http.ResponseWriter, r *http.Request) error {
	id := sector.UserID(r.PathValue("id"))
	users, err := p.People.Users(r.Context())
	if err != nil {
		return err
	}
	if err := mayLink(users, id); err != nil {
		return err
	}
	return p.giveLink(w, r, id)
}

func (p pages) giveLink(w http.ResponseWriter, r *http.Request, id sector.UserID) error {
	token, err := p.People.CreateLink(r.Context(), sector.ViewerFrom(r.Context()), id, linkLife)
	if err != nil {
		return err
	}
	return p.showSecret(w, r, secretModel{
		Title: "admin.people.link_title", Lead: "admin.people.link_lead", Label: "admin.people.link",
		Secret: web.LinkURL(p.base(r), token),
		Done:   web.Link{Key: "admin.people.link_noted", Href: "/admin/people"},
	})
}
