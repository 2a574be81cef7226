package home

import (
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

type pages struct {
	shell *web.Shell
	views *web.Views
	src   Source
	now   func() time.Time
}

// Mount adds the home at /.
func Mount(routes *access.Routes, sh *web.Shell, src Source, now func() time.Time) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("home: pages: %w", err)
	}
	p := pages{shell: sh, views: views, src: src, now: now}
	sh.Nav(web.NavItem{Phase: web.Overview, Key: "home.nav", Href: "/", Icon: "house", Need: sector.SignedIn})
	sh.Page(routes, "GET /{$}", sector.SignedIn, p.show)
	return nil
}

// show is the home of the viewer's organisation. Who may not see its pulse is
// told where to go instead.
func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	if !v.May(sector.ReadPulse) {
		return p.plain(w, r, v)
	}
	switch v.Org {
	case sector.MemberOrg:
		return p.member(w, r, v)
	case sector.Centre:
		return p.centre(w, r, v)
	case sector.Authority:
		return p.authority(w, r, v)
	}
	return p.plain(w, r, v)
}

type plainModel struct {
	Ways  []web.NavItem
	Empty web.State
}

func (p pages) plain(w http.ResponseWriter, r *http.Request, v sector.Viewer) error {
	m := plainModel{Empty: web.State{Kind: "empty", Title: "home.plain.none", Text: "home.plain.none_text"}}
	for _, item := range p.shell.Ways(v) {
		if item.Href != "/" {
			m.Ways = append(m.Ways, item)
		}
	}
	if v.May(sector.SearchAll) {
		m.Ways = append(m.Ways, web.NavItem{Key: "search.title", Href: "/search", Icon: "search"})
	}
	return p.views.Page(w, r, "plain", web.Page{Title: "home.title", Data: m})
}

// owedRow is a warning to answer.
type owedRow struct {
	Owed
	Name string
	Late bool
}

type seenRow struct {
	Seen
	Name string
}

func (p pages) seen(r *http.Request, list []Seen) []seenRow {
	rows := make([]seenRow, len(list))
	for i, s := range list {
		rows[i] = seenRow{s, s.Title.In(string(p.shell.Lang(r)))}
	}
	return rows
}

type memberModel struct {
	Member
	Owed       []owedRow
	Late       int
	Seen       []seenRow
	NoneOwed   web.State
	NoneSeen   web.State
	MayAnswer  bool
	MayAlerts  bool
	MayLetters bool
	Sends      bool // a record came within the day
	Promptness float64
}

// recordsLate is how long a member may be silent before its home says so.
const recordsLate = 24 * time.Hour

func (p pages) member(w http.ResponseWriter, r *http.Request, v sector.Viewer) error {
	home, err := p.src.Member(r.Context(), v)
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	now := p.now()
	m := memberModel{
		Member: home, Seen: p.seen(r, home.Seen),
		MayAnswer: v.May(sector.AnswerWarnings), MayAlerts: v.May(sector.ReadAlerts), MayLetters: v.May(sector.ReadRejected),
		NoneOwed: web.State{Kind: "empty", Title: "home.owed.none", Text: "home.owed.none_text", Actions: []web.Link{{Key: "home.owed.inbox", Href: "/inbox"}}},
		NoneSeen: web.State{Kind: "empty", Title: "home.seen.none", Text: "home.seen.none_text"},
		Sends:    now.Sub(home.Standing.LastRecord) < recordsLate,
	}
	for _, o := range home.Owed {
		row := owedRow{o, o.Title.In(string(p.shell.Lang(r))), o.Due.Before(now)}
		if row.Late {
			m.Late++
		}
		m.Owed = append(m.Owed, row)
	}
	if home.Standing.Asked > 0 {
		m.Promptness = float64(home.Standing.InTime) / float64(home.Standing.Asked)
	}
	return p.views.Page(w, r, "member", web.Page{Title: "home.title", Data: m, Wide: true})
}

type queueRow struct {
	Severity string
	N        Capped
	Since    time.Time // the oldest's; zero for none
	Oldest   []seenRow
}

type draftRow struct {
	Draft
	Name string
}

type centreModel struct {
	Centre
	Queue     []queueRow
	First     []seenRow // the oldest of the worst
	Waiting   int       // new alerts, as far as they are counted
	More      bool
	Drafts    []draftRow
	MayAlerts bool
	MayDrafts bool
	MayHealth bool
	Ill       int
	NoAlerts  web.State
	NoDrafts  web.State
	NoOverdue web.State
}

// firstShown is how many alerts the duty queue names.
const firstShown = 8

func (p pages) centre(w http.ResponseWriter, r *http.Request, v sector.Viewer) error {
	home, err := p.src.Centre(r.Context(), v)
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	m := centreModel{
		Centre: home, MayAlerts: v.May(sector.ReadAlerts), MayDrafts: v.May(sector.ReadDrafts), MayHealth: v.May(sector.ReadHealth),
		NoAlerts:  web.State{Kind: "empty", Title: "home.queue.none", Text: "home.queue.none_text", Actions: []web.Link{{Key: "home.queue.all", Href: "/alerts"}}},
		NoDrafts:  web.State{Kind: "empty", Title: "home.drafts.none", Text: "home.drafts.none_text"},
		NoOverdue: web.State{Kind: "empty", Title: "home.overdue.none", Text: "home.overdue.none_text"},
	}
	for _, q := range home.Queue {
		row := queueRow{Severity: q.Severity, N: q.N, Oldest: p.seen(r, q.Oldest)}
		if len(q.Oldest) > 0 {
			row.Since = q.Oldest[0].Raised
		}
		m.Queue = append(m.Queue, row)
		m.Waiting += q.N.Number()
		m.More = m.More || q.N.More()
		m.First = append(m.First, row.Oldest...)
	}
	m.First = m.First[:min(len(m.First), firstShown)]
	for _, d := range home.Drafts {
		m.Drafts = append(m.Drafts, draftRow{d, d.Title.In(string(p.shell.Lang(r)))})
	}
	for _, e := range home.Engines {
		if !e.Well {
			m.Ill++
		}
	}
	return p.views.Page(w, r, "centre", web.Page{Title: "home.title", Data: m, Wide: true})
}

type authorityModel struct {
	Sector
	Parts []partRow
}

type partRow struct {
	Sector sector.SubSector
	N      sector.Figure
}

func (p pages) authority(w http.ResponseWriter, r *http.Request, v sector.Viewer) error {
	home, err := p.src.Sector(r.Context(), v)
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	m := authorityModel{Sector: home}
	for i, s := range sector.SubSectors() {
		if i < len(home.BySector) {
			m.Parts = append(m.Parts, partRow{s, home.BySector[i]})
		}
	}
	return p.views.Page(w, r, "authority", web.Page{Title: "home.title", Data: m, Wide: true})
}
