package organisation

import (
	"net/http"
	"strconv"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

type groupsModel struct {
	Groups  []groupRow
	MayOpen bool
	Centre  bool
	Empty   web.State
}

type groupRow struct {
	GroupView
	Title, Owner string
}

// title is a group's name in the viewer's language.
func (p pages) title(r *http.Request, g Group) string {
	if p.shell.Lang(r) == i18n.En {
		return g.Name
	}
	return g.NameZh
}

// ownerName is who owns a group; the centre has no name of its own.
func (p pages) ownerName(r *http.Request, g Group, name func(sector.MemberID) string) string {
	if g.Owner == "" {
		return p.shell.T(r, "group.centre")
	}
	return name(g.Owner)
}

func (p pages) groups(w http.ResponseWriter, r *http.Request) error {
	v := viewer(r)
	seen, err := p.svc.GroupsSeen(r.Context(), v)
	if err != nil {
		return err
	}
	name, err := p.nameOf(r.Context(), r)
	if err != nil {
		return err
	}
	m := groupsModel{MayOpen: v.May(sector.WriteGroups), Centre: v.Org == sector.Centre,
		Empty: web.State{Kind: "empty", Title: "group.none", Text: "group.none_text"}}
	if m.MayOpen {
		m.Empty.Actions = []web.Link{{Key: "group.new", Href: "/groups/new"}}
	}
	for _, g := range seen {
		m.Groups = append(m.Groups, groupRow{g, p.title(r, g.Group), p.ownerName(r, g.Group, name)})
	}
	return p.views.Page(w, r, "groups", web.Page{Title: "group.title", Data: m})
}

func termsFields() []web.Field {
	return []web.Field{
		{Name: "terms_zh", Label: "group.terms_zh", Kind: "textarea", Rows: 6, Required: true, MaxLength: maxTerms, Lang: i18n.ZhHant},
		{Name: "terms_en", Label: "group.terms_en", Kind: "textarea", Rows: 6, Required: true, MaxLength: maxTerms, Lang: i18n.En},
		{Name: "names", Label: "group.names", Kind: "checks", Options: []web.Option{{Value: "shown", Key: "group.names_shown_choice"}}},
	}
}

func groupForm() *web.Form {
	return web.NewForm(append(termsFields(),
		web.Field{Name: "name_zh", Label: "group.name_zh", Required: true, MaxLength: maxName, Lang: i18n.ZhHant, Autocomplete: "off"},
		web.Field{Name: "name", Label: "group.name", Required: true, MaxLength: maxName, Lang: i18n.En, Autocomplete: "off"},
		web.Field{Name: "listed", Label: "group.listed", Kind: "checks", Options: []web.Option{{Value: "yes", Key: "group.listed_choice"}}},
	)...)
}

func readTerms(f *web.Form) Terms {
	return Terms{Zh: f.Get("terms_zh"), En: f.Get("terms_en"), NamesShown: len(f.All("names")) > 0}
}

func groupCrumbs() []web.Link { return []web.Link{{Key: "group.title", Href: "/groups"}} }

func (p pages) newGroup(w http.ResponseWriter, r *http.Request) error {
	return p.showGroupForm(w, r, groupForm())
}

func (p pages) showGroupForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "group-new", web.Page{Title: "group.new", Data: f, Status: f.Status(), Crumbs: groupCrumbs()})
}

func (p pages) createGroup(w http.ResponseWriter, r *http.Request) error {
	f := groupForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showGroupForm(w, r, f)
	}
	g := Group{Group: sector.Group{Name: f.Get("name"), NameZh: f.Get("name_zh")}, Listed: len(f.All("listed")) > 0, Terms: readTerms(f)}
	g, err := p.svc.CreateGroup(r.Context(), viewer(r), g)
	if err != nil {
		if err := failWith(f, err); err != nil {
			return err
		}
		return p.showGroupForm(w, r, f)
	}
	return p.done(w, r, "group.created", "/groups/"+string(g.ID))
}

type groupModel struct {
	GroupView
	Owner  string
	Rows   []membershipRow
	Form   *web.Form // of the terms, for who runs the group
	Choose []web.Option
	Centre bool
	Closed bool
}

type membershipRow struct {
	Membership
	Name  string
	In    bool
	Owner bool
}

func groupID(r *http.Request) sector.GroupID { return sector.GroupID(r.PathValue("id")) }

func (p pages) group(w http.ResponseWriter, r *http.Request) error {
	g, err := p.svc.GroupSeen(r.Context(), viewer(r), groupID(r))
	if err != nil {
		return err
	}
	f := web.NewForm(termsFields()...)
	fill(f, "terms_zh", g.Terms.Zh)
	fill(f, "terms_en", g.Terms.En)
	if field, err := f.Field("names"); err == nil && g.Terms.NamesShown {
		field.Values = []string{"shown"}
	}
	return p.showGroup(w, r, g, f)
}

func (p pages) showGroup(w http.ResponseWriter, r *http.Request, g GroupView, f *web.Form) error {
	members, err := p.svc.Members.Members(r.Context())
	if err != nil {
		return err
	}
	names := map[sector.MemberID]string{}
	for _, m := range members {
		names[m.ID] = p.shell.MemberName(r, m)
	}
	m := groupModel{GroupView: g, Form: f, Centre: viewer(r).Org == sector.Centre, Closed: !g.ClosedAt.IsZero()}
	m.Owner = p.ownerName(r, g.Group, func(id sector.MemberID) string { return names[id] })
	taken := map[sector.MemberID]bool{g.Owner: true}
	for _, x := range g.Members {
		taken[x.Member] = true
		row := membershipRow{x, names[x.Member], g.In(x), x.Member == g.Owner}
		// Whether the name that a member invited is anybody's is not told.
		if x.Side == Invited && !m.Centre || row.Name == "" {
			row.Name = string(x.Member)
		}
		m.Rows = append(m.Rows, row)
	}
	for _, x := range members {
		if m.Centre && g.Owns && !taken[x.ID] && x.State == sector.TakesPart {
			m.Choose = append(m.Choose, web.Option{Value: string(x.ID), Text: names[x.ID]})
		}
	}
	return p.views.Page(w, r, "group", web.Page{
		Title: "group.one", Args: []any{p.title(r, g.Group)}, Data: m, Status: f.Status(), Crumbs: groupCrumbs(), Wide: true,
	})
}

func numberOf(r *http.Request, name string) int {
	if n, err := strconv.Atoi(r.PostFormValue(name)); err == nil {
		return n
	}
	return -1
}

func (p pages) setTerms(w http.ResponseWriter, r *http.Request) error {
	g, err := p.svc.GroupSeen(r.Context(), viewer(r), groupID(r))
	if err != nil {
		return err
	}
	f := web.NewForm(termsFields()...)
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		err := p.svc.SetTerms(r.Context(), viewer(r), g.ID, numberOf(r, "version"), readTerms(f))
		if err == nil {
			return p.done(w, r, "group.terms_set", "/groups/"+string(g.ID))
		}
		if err := failWith(f, err); err != nil {
			return err
		}
	}
	return p.showGroup(w, r, g, f)
}

// onGroup is a button of the group's page.
func (p pages) onGroup(w http.ResponseWriter, r *http.Request, key string, do func(sector.Viewer, sector.GroupID) error) error {
	return p.act(w, r, key, "/groups/"+string(groupID(r)), func() error { return do(viewer(r), groupID(r)) })
}

func (p pages) inviteMember(w http.ResponseWriter, r *http.Request) error {
	return p.onGroup(w, r, "group.invited_now", func(v sector.Viewer, id sector.GroupID) error {
		return p.svc.InviteMember(r.Context(), v, id, sector.MemberID(r.PostFormValue("member")))
	})
}

func (p pages) removeMember(w http.ResponseWriter, r *http.Request) error {
	return p.onGroup(w, r, "group.removed_now", func(v sector.Viewer, id sector.GroupID) error {
		return p.svc.RemoveMember(r.Context(), v, id, sector.MemberID(r.PostFormValue("member")))
	})
}

func (p pages) closeGroup(w http.ResponseWriter, r *http.Request) error {
	return p.onGroup(w, r, "group.closed_now", func(v sector.Viewer, id sector.GroupID) error { return p.svc.CloseGroup(r.Context(), v, id) })
}

func (p pages) agree(w http.ResponseWriter, r *http.Request) error {
	return p.onGroup(w, r, "group.agreed_now", func(v sector.Viewer, id sector.GroupID) error {
		return p.svc.Agree(r.Context(), v, id, numberOf(r, "terms"))
	})
}

// leave goes back to the list: the group may be unknown to the member now.
func (p pages) leave(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "group.left_now", "/groups", func() error { return p.svc.Leave(r.Context(), viewer(r), groupID(r)) })
}
