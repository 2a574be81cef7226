package monitor

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Directory knows the names of members and people.
type Directory interface {
	Members(ctx context.Context) ([]sector.Member, error)
	Users(ctx context.Context) ([]sector.User, error)
}

// Pages are the F-SOC's pages: alerts, the event look-up, rejected lines.
type Pages struct {
	shell     *web.Shell
	views     *web.Views
	alerts    *Alerts
	events    *Events
	door      *Door
	directory Directory
}

// NewPages parses the pages.
func NewPages(sh *web.Shell, alerts *Alerts, events *Events, door *Door, directory Directory) (*Pages, error) {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return nil, fmt.Errorf("monitor: pages: %w", err)
	}
	return &Pages{shell: sh, views: views, alerts: alerts, events: events, door: door, directory: directory}, nil
}

// Mount adds the pages and their lines in the navigation.
func (p *Pages) Mount(routes *access.Routes) {
	p.shell.Nav(
		web.NavItem{Phase: web.During, Key: "monitor.nav.alerts", Href: "/alerts", Icon: "bell", Need: sector.ReadAlerts},
		web.NavItem{Phase: web.During, Key: "monitor.nav.events", Href: "/events", Icon: "scan-search", Need: sector.ReadEvents},
		web.NavItem{Phase: web.During, Key: "monitor.nav.rejected", Href: "/rejected", Icon: "circle-slash", Need: sector.ReadRejected},
	)
	p.shell.Page(routes, "GET /alerts", sector.ReadAlerts, p.listAlerts)
	p.shell.Page(routes, "POST /export/alerts", sector.ReadAlerts, p.shell.StepUp(p.exportAlerts))
	p.shell.Page(routes, "GET /alerts/{id}", sector.ReadAlerts, p.showAlert)
	p.shell.Page(routes, "POST /alerts/{id}", sector.TriageAlerts, p.triageAlert)
	p.shell.Page(routes, "GET /events", sector.ReadEvents, p.searchEvents)
	p.shell.Page(routes, "GET "+histogramPath, sector.ReadEvents, p.showHistogram)
	p.shell.Page(routes, "POST /export/events", sector.ReadEvents, p.shell.StepUp(p.exportEvents))
	p.shell.Page(routes, "GET /events/{id}", sector.ReadEvents, p.showEvent)
	p.shell.Page(routes, "GET /rejected", sector.ReadRejected, p.listRejected)
	p.shell.Page(routes, "POST /export/rejected", sector.ReadRejected, p.shell.StepUp(p.exportRejected))
	p.shell.Page(routes, "GET /rejected/{id}", sector.ReadRejected, p.showRejected)
	p.shell.Page(routes, "POST /rejected/{id}", sector.SendRejected, p.resendRejected)
	p.shell.Page(routes, "POST /rejected/{id}/drop", sector.DropRejected, p.dropRejected)
}

// names are what people and members are called on a page.
type names struct {
	lang    i18n.Lang
	members map[sector.MemberID]sector.Member
	users   map[sector.UserID]string
	list    []sector.Member
	people  []sector.User // who may work on alerts
}

// namesFor reads the directory. A member's people get their own name only.
func (p *Pages) namesFor(r *http.Request) (*names, error) {
	n := &names{lang: p.shell.Lang(r), members: map[sector.MemberID]sector.Member{}, users: map[sector.UserID]string{}}
	v := sector.ViewerFrom(r.Context())
	members, err := p.directory.Members(r.Context())
	if err != nil {
		return nil, fmt.Errorf("monitor: names: %w", err)
	}
	for _, m := range members {
		if v.Org == sector.Centre || m.ID == v.Member {
			n.members[m.ID] = m
			n.list = append(n.list, m)
		}
	}
	if v.Org != sector.Centre {
		return n, nil
	}
	users, err := p.directory.Users(r.Context())
	if err != nil {
		return nil, fmt.Errorf("monitor: names: %w", err)
	}
	for _, u := range users {
		n.users[u.ID] = u.Email
		if u.May(sector.TriageAlerts) {
			n.people = append(n.people, u)
		}
	}
	return n, nil
}

// member is a member's name in the language of the page.
func (n *names) member(id sector.MemberID) string {
	m, ok := n.members[id]
	switch {
	case !ok:
		return string(id)
	case n.lang == i18n.ZhHant && m.NameZh != "":
		return m.NameZh
	case m.Name != "":
		return m.Name
	}
	return string(id)
}

// memberList names members in a row, as the language separates words.
func (n *names) memberList(ids []sector.MemberID) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = n.member(id)
	}
	if n.lang == i18n.ZhHant {
		return strings.Join(list, "、")
	}
	return strings.Join(list, ", ")
}

// user is a person's address, or the id of one who is gone.
func (n *names) user(id sector.UserID) string {
	if mail, ok := n.users[id]; ok {
		return mail
	}
	return string(id)
}

// title is a finding's title in the language of the page.
func (n *names) title(f *Finding) string {
	if n.lang == i18n.ZhHant && f.TitleZh != "" {
		return f.TitleZh
	}
	return f.Title
}
