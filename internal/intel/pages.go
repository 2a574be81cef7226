package intel

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// pages are the advisory pages of the centre, the members and the authority.
type pages struct {
	shell  *web.Shell
	views  *web.Views
	svc    *Service
	people People
	sealer Sealer
}

// Mount adds the pages: /advisories for the centre, /inbox for members and
// /figures for the authority. Alerts are drafted from with POST /advisories
// and one value "alert" for each.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service, people People, sealer Sealer) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("intel: pages: %w", err)
	}
	p := pages{sh, views, svc, people, sealer}
	p.mountCentre(routes)
	p.mountMember(routes)
	sh.Nav(web.NavItem{Phase: web.Before, Key: "figures.nav", Href: "/figures", Icon: "list-checks", Need: sector.ReadFigures})
	sh.Page(routes, "GET /figures", sector.ReadFigures, p.figures)
	return nil
}

func (p pages) mountCentre(routes *access.Routes) {
	p.shell.Nav(web.NavItem{Phase: web.Before, Key: "advisory.nav", Href: "/advisories", Icon: "megaphone", Need: sector.ReadDrafts})
	p.shell.Page(routes, "GET /advisories", sector.ReadDrafts, p.list)
	p.shell.Page(routes, "POST /export/advisories", sector.ReadDrafts, p.shell.StepUp(p.exportList))
	p.shell.Page(routes, "POST /advisories", sector.WriteDrafts, p.create)
	p.shell.Page(routes, "GET /advisories/{id}", sector.ReadDrafts, p.detail)
	p.shell.Page(routes, "GET /advisories/{id}/edit", sector.WriteDrafts, p.compose)
	p.shell.Page(routes, "POST /advisories/{id}/edit", sector.WriteDrafts, p.save)
	p.shell.Page(routes, "POST /advisories/{id}/check", sector.WriteDrafts, p.check)
	p.shell.Page(routes, "GET /advisories/{id}/preview", sector.ReadDrafts, p.preview)
	p.shell.Page(routes, "POST /advisories/{id}/submit", sector.WriteDrafts, p.submit)
	p.shell.Page(routes, "POST /advisories/{id}/release", sector.ReleaseAdvisories, p.shell.StepUp(p.release))
	p.shell.Page(routes, "GET /advisories/{id}/withdraw", sector.WithdrawAdvisories, p.askWithdraw)
	p.shell.Page(routes, "POST /advisories/{id}/withdraw", sector.WithdrawAdvisories, p.shell.StepUp(p.withdraw))
}

func (p pages) mountMember(routes *access.Routes) {
	p.shell.Nav(web.NavItem{Phase: web.Before, Key: "inbox.nav", Href: "/inbox", Icon: "inbox", Need: sector.ReadInbox})
	p.shell.Page(routes, "GET /inbox", sector.ReadInbox, p.inbox)
	p.shell.Page(routes, "POST /export/inbox", sector.ReadInbox, p.shell.StepUp(p.exportInbox))
	p.shell.Page(routes, "GET /inbox/{id}", sector.ReadInbox, p.read)
	p.shell.Page(routes, "POST /inbox/{id}/answer", sector.AnswerWarnings, p.answer)
}

// lang is the page's language, for picking a text.
func (p pages) lang(r *http.Request) string { return string(p.shell.Lang(r)) }

func idOf(r *http.Request) AdvisoryID { return AdvisoryID(r.PathValue("id")) }

func keyed[T ~string](prefix string, values []T) []web.Option {
	options := make([]web.Option, len(values))
	for i, v := range values {
		options[i] = web.Option{Value: string(v), Key: prefix + string(v)}
	}
	return options
}

func withAll(options []web.Option) []web.Option {
	return append([]web.Option{{Value: "", Key: "common.all"}}, options...)
}

func listSpec() web.ListSpec {
	return web.ListSpec{
		Path: "/advisories", Export: true,
		Columns: []web.Column{
			{Key: "advisory.changed_at", Name: "changed", Class: "time"}, {Key: "advisory.title"}, {Key: "advisory.state", Name: "state", Class: "fit"},
			{Key: "advisory.tlp", Name: "tlp", Class: "fit"}, {Key: "advisory.category", Name: "category", Class: "fit from-wide"},
			{Key: "advisory.indicators", Name: "indicators", Class: "num from-wide"}, {Key: "advisory.author", Name: "author", Class: "fit from-wide"},
		},
		Filters: []web.Filter{
			{Name: "q", Key: "advisory.search", Kind: "text"},
			{Name: "state", Key: "advisory.state", Kind: "select", Options: withAll(keyed("advisory.state.", States()))},
			{Name: "category", Key: "advisory.category", Kind: "select", Options: withAll(keyed("advisory.category.", Categories()))},
		},
	}
}

// advisoryRow is an advisory in the centre's list.
type advisoryRow struct {
	Advisory
	Name    string // the title in the page's language
	Tone    string
	Who     string // the author
	Waiting bool   // for the viewer to release it
}

type listModel struct {
	List   web.List
	Rows   []advisoryRow
	Counts []stateCount
	Empty  web.State
	Draft  bool // the viewer may start a draft
}

// MostCounted is where counting advisories stops: beyond it a list says "more".
const MostCounted = 10_000

type stateCount struct {
	State State
	N     int64
	More  bool // than N
	Now   bool
}

func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	l, done, err := p.shell.Table(w, r, listSpec())
	if err != nil || done {
		return err
	}
	found, err := p.advisories(ctx, v, &l)
	if err != nil {
		return err
	}
	m := listModel{List: l, Draft: mayWork(v) == nil, Empty: emptyList(l)}
	if m.Rows, err = p.rows(ctx, r, v, found); err != nil {
		return err
	}
	if m.Counts, err = p.counts(ctx, l); err != nil {
		return err
	}
	return p.views.Page(w, r, "advisories", web.Page{Title: "advisory.list", Data: m})
}

// advisories reads one page of the centre's list.
func (p pages) advisories(ctx context.Context, v sector.Viewer, l *web.List) ([]Advisory, error) {
	q := AdvisoryQuery{Text: l.Get("q"), Category: Category(l.Get("category")), Limit: l.Limit + 1}
	if s := l.Get("state"); s != "" {
		q.States = []State{State(s)}
	}
	var err error
	if l.After != "" {
		if q.After, err = openPlace(p.sealer, []byte("centre"), l.After); err != nil {
			return nil, err
		}
	}
	found, err := p.svc.Advisories(ctx, v, q)
	if l.Next = ""; len(found) > l.Limit {
		found = found[:l.Limit]
		last := found[l.Limit-1]
		l.Next = sealPlace(p.sealer, []byte("centre"), Place{At: last.ChangedAt, ID: last.ID})
	}
	return found, err
}

func emptyList(l web.List) web.State {
	if l.Filtered() {
		return web.State{Kind: "empty", Title: "advisory.none_found", Text: "advisory.none_found_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: l.ClearURL()}}}
	}
	return web.State{Kind: "empty", Title: "advisory.none", Text: "advisory.none_text",
		Actions: []web.Link{{Key: "advisory.to_alerts", Href: "/alerts"}}}
}

func (p pages) rows(ctx context.Context, r *http.Request, v sector.Viewer, found []Advisory) ([]advisoryRow, error) {
	names, err := p.names(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]advisoryRow, len(found))
	for i, a := range found {
		rows[i] = advisoryRow{Advisory: a, Name: p.titleOf(r, a.Title), Tone: tone(a.State), Who: names(a.Author),
			Waiting: a.State == InReview && SecondPerson(v, a) == nil}
	}
	return rows, nil
}

// titleOf is a title in the page's language, or a word for none.
func (p pages) titleOf(r *http.Request, t Text) string {
	if text := strings.TrimSpace(t.In(p.lang(r))); text != "" {
		return text
	}
	return p.shell.T(r, "advisory.untitled")
}

// names returns how the centre's people are shown: by address.
func (p pages) names(ctx context.Context) (func(sector.UserID) string, error) {
	users, err := p.people.Users(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[sector.UserID]string{}
	for _, u := range users {
		byID[u.ID] = u.Email
	}
	return func(id sector.UserID) string {
		if name, ok := byID[id]; ok {
			return name
		}
		return string(id)
	}, nil
}

func (p pages) counts(ctx context.Context, l web.List) ([]stateCount, error) {
	counts, err := p.svc.Drafts.CountAdvisories(ctx)
	if err != nil {
		return nil, err
	}
	var all []stateCount
	for _, s := range States() {
		n := counts[s]
		all = append(all, stateCount{State: s, N: min(n, MostCounted), More: n > MostCounted, Now: l.Get("state") == string(s)})
	}
	return all, nil
}

// tone is the badge's tone of a state.
func tone(s State) string {
	return map[State]string{Draft: "quiet", InReview: "warn", Released: "good", Withdrawn: "bad"}[s]
}

// create starts a draft from alerts and goes on to compose.
func (p pages) create(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "error.form").Because(err)
	}
	alerts := slices.Compact(slices.Sorted(slices.Values(r.PostForm["alert"])))
	if len(alerts) > maxAlerts {
		return errs.New(errs.Invalid, "advisory.alerts_many", maxAlerts)
	}
	a, err := p.svc.Draft(r.Context(), sector.ViewerFrom(r.Context()), alerts)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/advisories/"+string(a.ID)+"/edit", http.StatusSeeOther)
	return nil
}

// maxAlerts bounds the alerts an advisory is drafted from.
const maxAlerts = 200
