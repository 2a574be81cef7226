package machine

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

type listModel struct {
	web.List
	Rows    []listRow
	Centre  bool
	MayMake bool
	MayBind bool
	Empty   web.State
}

type listRow struct {
	sector.Key
	Title string
	Owner sector.Member
	State sector.KeyState
	// Replaced: a former credential still works beside the new one.
	Replaced bool
}

func (p pages) listSpec(r *http.Request, members []sector.Member) web.ListSpec {
	states := []web.Option{{Key: "common.all"}}
	for _, s := range sector.KeyStates() {
		states = append(states, web.Option{Value: string(s), Key: "machine.state." + string(s)})
	}
	spec := web.ListSpec{
		Path:    "/keys",
		Columns: []web.Column{{Key: "machine.name"}},
		Filters: []web.Filter{{Name: "state", Key: "machine.state", Kind: "select", Options: states}},
		Limit:   50,
	}
	if sector.ViewerFrom(r.Context()).Org == sector.Centre {
		owners := []web.Option{{Key: "common.all"}}
		for _, m := range members {
			owners = append(owners, web.Option{Value: string(m.ID), Text: p.shell.MemberName(r, m)})
		}
		spec.Columns = append(spec.Columns, web.Column{Key: "machine.member"})
		spec.Filters = append(spec.Filters, web.Filter{Name: "member", Key: "machine.member", Kind: "select", Options: owners})
	}
	spec.Columns = append(spec.Columns, web.Column{Key: "machine.scopes", Class: "from-wide"},
		web.Column{Key: "machine.used", Class: "time"}, web.Column{Key: "machine.expires", Class: "time from-wide"},
		web.Column{Key: "machine.state"})
	return spec
}

// list pages by creation time and id.
func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	members, err := p.owners(r, v)
	if err != nil {
		return err
	}
	m := listModel{List: p.shell.ReadList(r, p.listSpec(r, members)), Centre: v.Org == sector.Centre,
		MayMake: v.May(sector.CreateKeys), MayBind: v.May(sector.BindCertificates)}
	q := sector.KeyQuery{Member: sector.MemberID(m.Get("member")), State: sector.KeyState(m.Get("state")), Limit: m.Limit + 1}
	q.Before, q.AfterID = position(m.After)
	keys, err := p.Keys.KeysFor(r.Context(), v, q)
	if err != nil {
		return err
	}
	if len(keys) > m.Limit {
		keys = keys[:m.Limit]
		last := keys[m.Limit-1]
		m.Next = place(last.CreatedAt, last.ID)
	}
	m.Rows = p.rows(keys, members)
	m.Empty = web.State{Kind: "empty", Title: "machine.none", Text: "machine.none_text"}
	if m.Filtered() {
		m.Empty = web.State{Kind: "empty", Title: "machine.no_match", Text: "machine.no_match_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: m.ClearURL()}}}
	}
	return p.views.Page(w, r, "keys", web.Page{Title: "machine.title", Data: m})
}

// owners are the members whose keys the viewer may see.
func (p pages) owners(r *http.Request, v sector.Viewer) ([]sector.Member, error) {
	if v.Org == sector.Centre {
		return p.Members.Members(r.Context())
	}
	m, err := p.Members.Member(r.Context(), v.Member)
	return []sector.Member{m}, err
}

func (p pages) rows(keys []sector.Key, members []sector.Member) []listRow {
	now, byID := p.Now(), map[sector.MemberID]sector.Member{}
	for _, m := range members {
		byID[m.ID] = m
	}
	var rows []listRow
	for _, k := range keys {
		row := listRow{Key: k, Title: titleOf(k), Owner: byID[k.Member], State: k.State(now)}
		live := slices.DeleteFunc(slices.Clone(k.Credentials), func(c sector.Credential) bool { return !c.Live(now) })
		row.Replaced = len(live) > 1
		rows = append(rows, row)
	}
	return rows
}

// position reads where a page ended; one that nobody gave out is the start.
func position(after string) (before time.Time, id string) {
	micros, id, ok := strings.Cut(after, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if !ok || err != nil || n <= 0 {
		return time.Time{}, ""
	}
	return time.UnixMicro(n), id
}
