// Package admin is the pages that run the centre: members, people, and
// the health of the engines.
package admin

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// Members is the members.
type Members interface {
	Members(ctx context.Context) ([]sector.Member, error)
	Member(ctx context.Context, id sector.MemberID) (sector.Member, error)
	CreateMember(ctx context.Context, by sector.Viewer, m sector.Member) (sector.Member, error)
}

// People is the accounts.
type People interface {
	Users(ctx context.Context) ([]sector.User, error)
	CreateUser(ctx context.Context, by sector.Viewer, u sector.User, password string) (sector.User, error)
	// CreateLink returns the secret token of a one-time link.
	CreateLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) (string, error)
}

// Engines tells how the program is doing.
type Engines interface {
	Status(ctx context.Context) (Status, error)
}

// Config is what the pages work on.
type Config struct {
	Members Members
	People  People
	Engines Engines
	// BaseURL is how people reach the program, for one-time links; empty:
	// as the administrator reached it.
	BaseURL string
}

//go:embed all:templates
var templates embed.FS

type pages struct {
	Config
	shell *web.Shell
	views *web.Views
}

// Mount adds the pages.
func Mount(routes *access.Routes, sh *web.Shell, c Config) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("admin: pages: %w", err)
	}
	p := pages{Config: c, shell: sh, views: views}
	sh.Nav(
		web.NavItem{Phase: web.House, Key: "admin.members.title", Href: "/admin/members", Icon: "building-2", Need: sector.ReadMembers},
		web.NavItem{Phase: web.House, Key: "admin.people.title", Href: "/admin/people", Icon: "users", Need: sector.ReadAccounts},
		web.NavItem{Phase: web.House, Key: "admin.health.title", Href: "/admin/health", Icon: "heart-pulse", Need: sector.ReadHealth},
	)
	sh.Page(routes, "GET /admin/members", sector.ReadMembers, p.members)
	sh.Page(routes, "POST /export/admin/members", sector.ReadMembers, sh.StepUp(p.exportMembers))
	sh.Page(routes, "GET /admin/members/{id}", sector.ReadMembers, p.member)
	sh.Page(routes, "GET /admin/health", sector.ReadHealth, p.health)
	sh.Page(routes, "GET /admin/members/new", sector.WriteMembers, p.newMember)
	sh.Page(routes, "POST /admin/members/new", sector.WriteMembers, p.createMember)
	sh.Page(routes, "GET /admin/people", sector.ReadAccounts, p.people)
	sh.Page(routes, "POST /export/admin/people", sector.ReadAccounts, sh.StepUp(p.exportPeople))
	sh.Page(routes, "GET /admin/people/new", sector.InviteAccounts, p.newPerson)
	sh.Page(routes, "POST /admin/people/new", sector.InviteAccounts, sh.StepUp(p.createPerson))
	sh.Page(routes, "POST /admin/people/{id}/link", sector.InviteAccounts, sh.StepUp(p.createLink))
	return nil
}

func sectorOptions(first ...web.Option) []web.Option {
	for _, s := range sector.SubSectors() {
		first = append(first, web.Option{Value: string(s), Key: "common.sector." + string(s)})
	}
	return first
}
