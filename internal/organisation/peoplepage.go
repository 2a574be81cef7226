package organisation

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

func peopleList() web.ListSpec {
	return web.ListSpec{
		Path: "/people", Export: true,
		Columns: []web.Column{
			{Key: "people.email", Sort: "email"}, {Key: "people.roles", Name: "roles"}, {Key: "people.state", Name: "state"},
			{Key: "people.since", Name: "since", Class: "time from-wide"},
		},
		Filters: []web.Filter{{Name: "q", Key: "people.find", Kind: "text"}},
		Sort:    "email",
	}
}

type peopleModel struct {
	web.List
	People    []sector.User
	Total     int // who may sign in
	MayInvite bool
	Empty     web.State
}

func (p pages) people(w http.ResponseWriter, r *http.Request) error {
	l, done, err := p.shell.Table(w, r, peopleList())
	if err != nil || done {
		return err
	}
	all, err := p.matching(r, l)
	if err != nil {
		return err
	}
	m := peopleModel{List: l, MayInvite: viewer(r).May(sector.InvitePeople),
		Empty: web.State{Kind: "empty", Title: "people.none", Text: "people.none_text"}}
	for _, u := range all {
		if u.RemovedAt.IsZero() {
			m.Total++
		}
	}
	if i := slices.IndexFunc(all, func(u sector.User) bool { return string(u.ID) == m.After }); i >= 0 {
		all = all[i+1:]
	}
	if len(all) > m.Limit {
		m.Next, all = string(all[m.Limit-1].ID), all[:m.Limit]
	}
	m.People = all
	return p.views.Page(w, r, "people", web.Page{Title: "people.title", Data: m})
}

// matching are the people that the list shows, in its order.
func (p pages) matching(r *http.Request, l web.List) ([]sector.User, error) {
	all, err := p.svc.People(r.Context(), viewer(r))
	all = slices.DeleteFunc(all, func(u sector.User) bool { return !strings.Contains(u.Email, strings.ToLower(l.Get("q"))) })
	if l.Down {
		slices.Reverse(all)
	}
	return all, err
}

// exportPeople is the list as a file.
func (p pages) exportPeople(w http.ResponseWriter, r *http.Request) error {
	l := p.shell.ReadList(r, peopleList())
	return p.shell.Export(w, r, l, "people", func(context.Context, string) ([][]any, string, error) {
		all, err := p.matching(r, l)
		rows := make([][]any, len(all))
		for i, u := range all {
			state := "people.here"
			if !u.RemovedAt.IsZero() {
				state = "people.gone"
			}
			rows[i] = []any{u.Email, p.shell.Roles(r, u.Roles), p.shell.T(r, state), u.CreatedAt}
		}
		return rows, "", err
	})
}

func rolesField(v sector.Viewer) web.Field {
	f := web.Field{Name: "roles", Label: "people.roles", Kind: "checks", Required: true}
	for _, role := range RolesFor(v) {
		f.Options = append(f.Options, web.Option{Value: string(role), Key: "common.role." + string(role)})
	}
	return f
}

func inviteForm(v sector.Viewer) *web.Form {
	return web.NewForm(
		web.Field{Name: "addresses", Label: "people.addresses", Hint: "people.addresses_hint", Kind: "textarea", Rows: 8, Required: true, Class: "mono", Autofocus: true},
		rolesField(v),
	)
}

func rolesOf(f *web.Form) []sector.Role {
	roles := make([]sector.Role, 0, len(f.All("roles")))
	for _, name := range f.All("roles") {
		roles = append(roles, sector.Role(name))
	}
	return roles
}

type inviteModel struct {
	Form   *web.Form
	Mailed bool // links go by mail
}

func (p pages) newPeople(w http.ResponseWriter, r *http.Request) error {
	return p.showInvite(w, r, inviteForm(viewer(r)))
}

func peopleCrumbs() []web.Link { return []web.Link{{Key: "people.title", Href: "/people"}} }

func (p pages) showInvite(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "people-new", web.Page{Title: "people.new", Data: inviteModel{f, p.svc.Mail != nil}, Status: f.Status(), Crumbs: peopleCrumbs()})
}

// invitedModel is what became of the invitations, by line. The links are
// shown here only.
type invitedModel struct {
	Done   []invitedRow
	Mailed []string // addresses
	Failed []Invitation
	Left   string // addresses for the next round, one a line
	LeftN  int
	Roles  []sector.Role
}

type invitedRow struct {
	Email, Link string
}

// Links are all links with their addresses, one a line.
func (m invitedModel) Links() string {
	var b strings.Builder
	for _, d := range m.Done {
		b.WriteString(d.Email + "\t" + d.Link + "\n")
	}
	return b.String()
}

func (p pages) invite(w http.ResponseWriter, r *http.Request) error {
	f := inviteForm(viewer(r))
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showInvite(w, r, f)
	}
	lines := strings.FieldsFunc(f.Get("addresses"), func(c rune) bool { return c == '\n' || c == ',' || c == ';' })
	all, err := p.svc.Invite(r.Context(), viewer(r), lines, rolesOf(f))
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showInvite(w, r, f)
	}
	m := invitedModel{Roles: rolesOf(f)}
	var left []string
	for _, one := range all {
		switch {
		case one.Left:
			left = append(left, one.Email)
		case one.Err != nil:
			m.Failed = append(m.Failed, one)
		case one.Mailed:
			m.Mailed = append(m.Mailed, one.Email)
		default:
			m.Done = append(m.Done, invitedRow{one.Email, p.linkTo(r, one.Token)})
		}
	}
	m.Left, m.LeftN = strings.Join(left, "\n"), len(left)
	return p.views.Page(w, r, "people-invited", web.Page{Title: "people.invited", Data: m, Status: http.StatusCreated, Crumbs: peopleCrumbs()})
}

// linkTo is a one-time link's address.
func (p pages) linkTo(r *http.Request, token string) string {
	base := p.base
	if base == "" {
		base = "http://" + r.Host
	}
	return web.LinkURL(base, token)
}

type personModel struct {
	Person               sector.User
	Form                 *web.Form
	MayChange, MayRemove bool
	Self                 bool
}

func personID(r *http.Request) sector.UserID { return sector.UserID(r.PathValue("id")) }

func (p pages) person(w http.ResponseWriter, r *http.Request) error {
	u, err := p.svc.Person(r.Context(), viewer(r), personID(r))
	if err != nil {
		return err
	}
	f := web.NewForm(rolesField(viewer(r)))
	if field, err := f.Field("roles"); err == nil {
		field.Values = sector.Names(u.Roles)
	}
	return p.showPerson(w, r, u, f)
}

func (p pages) showPerson(w http.ResponseWriter, r *http.Request, u sector.User, f *web.Form) error {
	v := viewer(r)
	return p.views.Page(w, r, "person", web.Page{
		Title: "people.person", Args: []any{u.Email}, Status: f.Status(), Crumbs: peopleCrumbs(),
		Data: personModel{Person: u, Form: f, MayChange: v.May(sector.InvitePeople), MayRemove: v.May(sector.RemovePeople), Self: v.User == u.ID},
	})
}

func (p pages) setRoles(w http.ResponseWriter, r *http.Request) error {
	u, err := p.svc.Person(r.Context(), viewer(r), personID(r))
	if err != nil {
		return err
	}
	f := web.NewForm(rolesField(viewer(r)))
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		err := p.svc.SetRoles(r.Context(), viewer(r), u.ID, rolesOf(f))
		if err == nil {
			return p.done(w, r, "people.roles_set", "/people/"+string(u.ID))
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showPerson(w, r, u, f)
}

func (p pages) link(w http.ResponseWriter, r *http.Request) error {
	u, err := p.svc.Person(r.Context(), viewer(r), personID(r))
	if err != nil {
		return err
	}
	token, err := p.svc.Link(r.Context(), viewer(r), u.ID)
	if err != nil {
		return err
	}
	m := invitedModel{Done: []invitedRow{{u.Email, p.linkTo(r, token)}}, Roles: u.Roles}
	return p.views.Page(w, r, "people-invited", web.Page{Title: "people.invited", Data: m, Status: http.StatusCreated, Crumbs: peopleCrumbs()})
}

func (p pages) remove(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "people.removed", "/people/"+url.PathEscape(r.PathValue("id")), func() error {
		return p.svc.Remove(r.Context(), viewer(r), personID(r))
	})
}

func (p pages) restore(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "people.restored", "/people/"+url.PathEscape(r.PathValue("id")), func() error {
		return p.svc.Restore(r.Context(), viewer(r), personID(r))
	})
}
