package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

func memberList() web.ListSpec {
	return web.ListSpec{
		Path: "/admin/members", Export: true,
		Columns: []web.Column{
			{Key: "admin.members.name", Sort: "name"}, {Key: "admin.members.id", Name: "id", Sort: "id"},
			{Key: "admin.members.sector", Name: "sector", Sort: "sector"}, {Key: "admin.members.mail", Name: "mail", Class: "from-wide"},
			{Key: "admin.members.since", Name: "since", Sort: "since", Class: "time from-wide"},
		},
		Filters: []web.Filter{
			{Name: "q", Key: "admin.members.find", Kind: "text"},
			{Name: "sector", Key: "admin.members.sector", Kind: "select", Options: sectorOptions(web.Option{Key: "common.all"})},
		},
		Sort: "id",
	}
}

type membersModel struct {
	web.List
	Members []sector.Member
	Total   int // of those that match
	Empty   web.State
	MayEdit bool
}

// members lists a thousand members at most, so it sorts and pages in memory.
func (p pages) members(w http.ResponseWriter, r *http.Request) error {
	l, done, err := p.shell.Table(w, r, memberList())
	if err != nil || done {
		return err
	}
	all, err := p.matching(r, l)
	if err != nil {
		return err
	}
	m := membersModel{List: l, MayEdit: mayEdit(r)}
	m.Total = len(all)
	m.Members, m.Next = page(all, m.After, m.Limit)
	m.Empty = web.State{Kind: "empty", Title: "admin.members.none", Text: "admin.members.none_text"}
	switch {
	case m.Filtered():
		m.Empty = web.State{Kind: "empty", Title: "admin.members.no_match", Text: "admin.members.no_match_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: m.ClearURL()}}}
	case m.MayEdit:
		m.Empty.Actions = []web.Link{{Key: "admin.members.new", Href: "/admin/members/new"}}
	}
	return p.views.Page(w, r, "members", web.Page{Title: "admin.members.title", Data: m})
}

// matching are the members that the list shows, in its order.
func (p pages) matching(r *http.Request, l web.List) ([]sector.Member, error) {
	all, err := p.Members.Members(r.Context())
	all = slices.DeleteFunc(all, func(x sector.Member) bool { return !matches(l, x) })
	slices.SortFunc(all, memberOrder(l.Sorted, l.Down))
	return all, err
}

// exportMembers is the list as a file.
func (p pages) exportMembers(w http.ResponseWriter, r *http.Request) error {
	l := p.shell.ReadList(r, memberList())
	return p.shell.Export(w, r, l, "members", func(context.Context, string) ([][]any, string, error) {
		all, err := p.matching(r, l)
		rows := make([][]any, len(all))
		for i, m := range all {
			rows[i] = []any{p.shell.MemberName(r, m), string(m.ID), p.shell.T(r, "common.sector."+string(m.Sector)), m.Mail, m.CreatedAt}
		}
		return rows, "", err
	})
}

func mayEdit(r *http.Request) bool { return sector.ViewerFrom(r.Context()).May(sector.WriteMembers) }

func matches(l web.List, m sector.Member) bool {
	if s := l.Get("sector"); s != "" && s != string(m.Sector) {
		return false
	}
	q := strings.ToLower(l.Get("q"))
	return q == "" || strings.Contains(strings.ToLower(string(m.ID)+"\n"+m.Name+"\n"+m.NameZh), q)
}

// memberOrder ends with the ID, so that the order is total.
func memberOrder(by string, down bool) func(a, b sector.Member) int {
	return func(a, b sector.Member) int {
		c := 0
		switch by {
		case "name":
			c = cmp.Compare(a.Name, b.Name)
		case "sector":
			c = cmp.Compare(slices.Index(sector.SubSectors(), a.Sector), slices.Index(sector.SubSectors(), b.Sector))
		case "since":
			c = a.CreatedAt.Compare(b.CreatedAt)
		}
		c = cmp.Or(c, cmp.Compare(a.ID, b.ID))
		if down {
			return -c
		}
		return c
	}
}

// page is the members after the one named, and the name to go on after.
func page(all []sector.Member, after string, limit int) (rows []sector.Member, next string) {
	if i := slices.IndexFunc(all, func(m sector.Member) bool { return string(m.ID) == after }); i >= 0 {
		all = all[i+1:]
	}
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], string(all[limit-1].ID)
}

func memberForm() *web.Form {
	return web.NewForm(
		web.Field{Name: "id", Label: "admin.members.id", Hint: "admin.members.id_hint", Required: true, MaxLength: 32, Class: "mono", Autofocus: true, Autocomplete: "off"},
		web.Field{Name: "name_zh", Label: "admin.members.name_zh", Required: true, MaxLength: 100, Lang: "zh-Hant", Autocomplete: "off"},
		web.Field{Name: "name", Label: "admin.members.name_en", Required: true, MaxLength: 100, Lang: "en", Autocomplete: "off"},
		web.Field{Name: "sector", Label: "admin.members.sector", Kind: "radio", Required: true, Options: sectorOptions()},
		web.Field{Name: "mail", Label: "admin.members.mail", Hint: "admin.members.mail_hint", Kind: "email", MaxLength: 254, Autocomplete: "off"},
	)
}

func (p pages) newMember(w http.ResponseWriter, r *http.Request) error {
	return p.showMemberForm(w, r, memberForm())
}

func (p pages) showMemberForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "member-new", web.Page{
		Title: "admin.members.new", Data: f, Status: f.Status(),
		Crumbs: []web.Link{{Key: "admin.members.title", Href: "/admin/members"}},
	})
}

func (p pages) createMember(w http.ResponseWriter, r *http.Request) error {
	f := memberForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showMemberForm(w, r, f)
	}
	m, err := p.Members.CreateMember(r.Context(), sector.ViewerFrom(r.Context()), sector.Member{
		ID: sector.MemberID(f.Get("id")), Name: f.Get("name"), NameZh: f.Get("name_zh"),
		Sector: sector.SubSector(f.Get("sector")), Mail: f.Get("mail"),
	})
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showMemberForm(w, r, f)
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "admin.members.created"})
	http.Redirect(w, r, "/admin/members/"+string(m.ID), http.StatusSeeOther)
	return nil
}

type memberModel struct {
	Member  sector.Member
	MayEdit bool
}

func (p pages) member(w http.ResponseWriter, r *http.Request) error {
	m, err := p.Members.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return p.views.Page(w, r, "member", web.Page{
		Title: "admin.member.title", Args: []any{p.shell.MemberName(r, m)}, Data: memberModel{Member: m, MayEdit: mayEdit(r)},
		Crumbs: []web.Link{{Key: "admin.members.title", Href: "/admin/members"}},
	})
}
