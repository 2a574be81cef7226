package audit

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Members knows the members' names.
type Members interface {
	Members(ctx context.Context) ([]sector.Member, error)
}

// Sealer makes tokens that tell their holder nothing: an entry's number would
// let a member count what others do.
type Sealer interface {
	Seal(plain []byte) string
	Open(sealed string) ([]byte, error)
}

// The two ways to the ledger.
const (
	allPath = "/ledger"    // the centre's
	ownPath = "/my-ledger" // a member's
)

// places seals where entries are.
type places struct{ sealer Sealer }

type pages struct {
	places
	shell   *web.Shell
	views   *web.Views
	svc     *Service
	members Members
}

// Mount adds the pages.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service, members Members, sealer Sealer) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("audit: pages: %w", err)
	}
	p := pages{places{sealer}, sh, views, svc, members}
	sh.Nav(
		web.NavItem{Phase: web.House, Key: "ledger.title", Href: allPath, Icon: "book-open", Need: sector.ReadLedger},
		web.NavItem{Phase: web.House, Key: "ledger.own_nav", Href: ownPath, Icon: "book-open", Need: sector.ReadOwnLedger},
	)
	sh.Page(routes, "GET "+allPath, sector.ReadLedger, p.list)
	sh.Page(routes, "GET "+allPath+"/{entry}", sector.ReadLedger, p.entry)
	sh.Page(routes, "POST "+allPath+"/{entry}/proof", sector.ReadLedger, sh.StepUp(p.export))
	sh.Page(routes, "POST /export"+allPath, sector.ReadLedger, sh.StepUp(p.exportList))
	sh.Page(routes, "POST /export"+ownPath, sector.ReadOwnLedger, sh.StepUp(p.exportList))
	sh.Page(routes, "GET "+ownPath, sector.ReadOwnLedger, p.list)
	sh.Page(routes, "GET "+ownPath+"/{entry}", sector.ReadOwnLedger, p.entry)
	return nil
}

// base is the way on which the viewer came.
func base(r *http.Request) string {
	path := strings.TrimPrefix(r.URL.Path, "/export")
	if path == ownPath || strings.HasPrefix(path, ownPath+"/") {
		return ownPath
	}
	return allPath
}

const tokenSize = 1 + 8

func (p places) seal(kind byte, seq int64) string {
	return p.sealer.Seal(binary.BigEndian.AppendUint64([]byte{kind}, uint64(seq))) //nolint:gosec // numbers are positive
}

func (p places) open(kind byte, token string) (int64, error) {
	plain, err := p.sealer.Open(token)
	if err != nil || len(plain) != tokenSize || plain[0] != kind {
		return 0, errs.New(errs.NotFound, "ledger.unknown")
	}
	return int64(binary.BigEndian.Uint64(plain[1:])), nil //nolint:gosec // sealed by us
}

// What tokens are for.
const (
	anEntry  = 'e'
	aPlaceIn = 'p' // in the list
)

func (p pages) spec(centre bool, path string, members []sector.Member, lang string) web.ListSpec {
	actions := []web.Option{{Value: "", Key: "common.all"}}
	for _, a := range ledger.Actions() {
		actions = append(actions, web.Option{Value: a.Name, Key: "ledger.action." + a.Name})
	}
	spec := web.ListSpec{
		Path: path, Export: true,
		Columns: []web.Column{
			{Key: "ledger.at", Class: "time"}, {Key: "ledger.actor", Name: "actor"}, {Key: "ledger.what"},
			{Key: "ledger.object", Name: "object", Class: "from-wide"},
		},
		Filters: []web.Filter{
			{Name: "from", Key: "ledger.from", Kind: "time"}, {Name: "to", Key: "ledger.to", Kind: "time"},
			{Name: "action", Key: "ledger.what", Kind: "select", Options: actions},
			{Name: "actor", Key: "ledger.actor_mail", Kind: "text"},
			{Name: "object", Key: "ledger.object_id", Kind: "text"},
		},
	}
	if centre {
		about := []web.Option{{Value: "", Key: "common.all"}}
		for _, m := range members {
			about = append(about, web.Option{Value: string(m.ID), Text: nameOf(m, lang)})
		}
		spec.Columns = append(spec.Columns, web.Column{Key: "ledger.member", Name: "member", Class: "from-wide"})
		spec.Filters = append(spec.Filters, web.Filter{Name: "member", Key: "ledger.member", Kind: "select", Options: about})
	}
	return spec
}

func nameOf(m sector.Member, lang string) string {
	if lang == "zh-Hant" {
		return m.NameZh
	}
	return m.Name
}

// row is an entry in a list or on its page.
type row struct {
	Line
	Href   string
	By, On named
	About  string // the member's name
	Facts  []fact
}

// named is a party in words.
type named struct {
	Party
	Name string // of the person's or key's member
	Href string // where the object is shown
}

type fact struct {
	Fact
	People []named
}

type listModel struct {
	List   web.List
	Rows   []row
	Centre bool
	Empty  web.State
}

func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, v, path := r.Context(), sector.ViewerFrom(r.Context()), base(r)
	names, err := p.names(r)
	if err != nil {
		return err
	}
	centre := path == allPath
	l, done, err := p.shell.Table(w, r, p.spec(centre, path, names.list, names.lang))
	if err != nil || done {
		return err
	}
	lines, err := p.lines(ctx, v, &l)
	if err != nil {
		return err
	}
	m := listModel{List: l, Centre: centre, Empty: emptyList(l)}
	for _, line := range lines {
		m.Rows = append(m.Rows, p.row(names, path, line))
	}
	return p.views.Page(w, r, "ledger", web.Page{Title: titleOf(centre), Data: m})
}

// lines reads one page of the list.
func (p pages) lines(ctx context.Context, v sector.Viewer, l *web.List) ([]Line, error) {
	q := Query{From: l.Time("from"), To: l.Time("to"), Action: l.Get("action"), Actor: l.Get("actor"),
		Object: l.Get("object"), Member: sector.MemberID(l.Get("member")), Limit: l.Limit + 1}
	var err error
	if l.After != "" {
		if q.Before, err = p.open(aPlaceIn, l.After); err != nil {
			return nil, err
		}
	}
	lines, err := p.svc.List(ctx, v, q)
	if l.Next = ""; len(lines) > l.Limit {
		lines = lines[:l.Limit]
		l.Next = p.seal(aPlaceIn, lines[l.Limit-1].Seq)
	}
	return lines, err
}

func titleOf(centre bool) string {
	if centre {
		return "ledger.title"
	}
	return "ledger.own_title"
}

func emptyList(l web.List) web.State {
	if l.Filtered() {
		return web.State{Kind: "empty", Title: "ledger.none_found", Text: "ledger.none_found_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: l.ClearURL()}}}
	}
	return web.State{Kind: "empty", Title: "ledger.none", Text: "ledger.none_text"}
}

// names are what members are called on a page. A member learns its own name
// only.
type names struct {
	lang   string
	list   []sector.Member
	byID   map[sector.MemberID]string
	centre bool
}

func (p pages) names(r *http.Request) (names, error) {
	v := sector.ViewerFrom(r.Context())
	n := names{lang: string(p.shell.Lang(r)), byID: map[sector.MemberID]string{}, centre: v.Org == sector.Centre}
	all, err := p.members.Members(r.Context())
	if err != nil {
		return n, fmt.Errorf("audit: names: %w", err)
	}
	for _, m := range all {
		if n.centre || m.ID == v.Member {
			n.list = append(n.list, m)
			n.byID[m.ID] = nameOf(m, n.lang)
		}
	}
	return n, nil
}

// of is a member's name; its id where the member is gone.
func (n names) of(id sector.MemberID) string {
	if name, ok := n.byID[id]; ok || id == "" {
		return name
	}
	return string(id)
}

func (n names) party(party Party) named {
	return named{Party: party, Name: n.of(party.Member), Href: n.href(party)}
}

// href is where an object has a page that this viewer may open.
func (n names) href(party Party) string {
	switch {
	case party.Kind == "advisory" && n.centre:
		return "/advisories/" + party.ID
	case party.Kind == "advisory":
		return "/inbox/" + party.ID
	case party.Kind == "alert":
		return "/alerts/" + party.ID
	case party.Kind == "member" && n.centre:
		return "/admin/members/" + party.ID
	}
	return ""
}

func (p pages) row(n names, path string, l Line) row {
	shown := row{Line: l, Href: path + "/" + p.seal(anEntry, l.Seq), By: n.party(l.Actor), On: n.party(l.Object), About: n.of(l.Member)}
	for _, f := range l.Detail {
		one := fact{Fact: f}
		for _, party := range f.People {
			one.People = append(one.People, n.party(party))
		}
		shown.Facts = append(shown.Facts, one)
	}
	return shown
}

// entryModel is an entry's page. A member is told that its entry is in the
// log, and not where: places tell how much others do (docs/adr/0008).
type entryModel struct {
	row
	Centre   bool
	Base     string
	State    string // "proved", "waiting", "broken"
	Standing Standing
	Path     []string // hashes, base64
	Text     string   // the checkpoint
	Key      string
	File     string // the proof's file name
}

func (p pages) entry(w http.ResponseWriter, r *http.Request) error {
	ctx, v, path := r.Context(), sector.ViewerFrom(r.Context()), base(r)
	seq, err := p.open(anEntry, r.PathValue("entry"))
	if err != nil {
		return err
	}
	line, err := p.svc.Entry(ctx, v, seq)
	if err != nil {
		return err
	}
	st, err := p.svc.Standing(ctx, v, seq)
	if err != nil {
		return err
	}
	n, err := p.names(r)
	if err != nil {
		return err
	}
	m := entryModel{row: p.row(n, path, line), Centre: path == allPath, Base: path, State: st.state(), Standing: st,
		Key: p.svc.Log.Key(), File: fileName(seq)}
	if m.State == proved {
		m.Text, m.Path = string(st.Proof.Checkpoint), hashes(st.Proof.Path)
	}
	return p.views.Page(w, r, "entry", web.Page{Title: "ledger.entry", Data: m})
}

// The states of a standing.
const (
	proved  = "proved"
	waiting = "waiting"
	broken  = "broken"
)

func (st Standing) state() string {
	switch {
	case st.Waiting:
		return waiting
	case st.Err != nil:
		return broken
	}
	return proved
}

// hashes are written as in proofs: base64.
func hashes(all [][]byte) []string {
	texts := make([]string, len(all))
	for i, h := range all {
		texts[i] = base64.StdEncoding.EncodeToString(h)
	}
	return texts
}

func fileName(seq int64) string { return fmt.Sprintf("entry-%d.tlog-proof", seq) }

// export answers with the proof as a file. It is a POST because that it was
// taken is written down.
func (p pages) export(w http.ResponseWriter, r *http.Request) error {
	seq, err := p.open(anEntry, r.PathValue("entry"))
	if err != nil {
		return err
	}
	text, err := p.svc.Export(r.Context(), sector.ViewerFrom(r.Context()), seq, r.PostFormValue("for") == "member")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(seq)+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(text)
	return err
}
