// Package gallery serves every page with invented figures, for looking at:
//
//	ASPIS_GALLERY=127.0.0.1:8099 go test -tags gallery -run Gallery -timeout 0 ./internal/gallery
//
// and then, for instance, /as/analyst?lang=zh-Hant&theme=dark&next=/.
package gallery

import (
	"net/http"
	"os"
	"testing"

	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/admin/admintest"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/pulse/pulsetest"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func mount(t *testing.T, kit *webtest.Kit) {
	t.Helper()
	src := &pulsetest.Source{Now: webtest.Now, Moving: true, Quiet: os.Getenv("ASPIS_GALLERY_QUIET") != ""}
	alerts := pulse.Way{Stage: pulse.Alerts, Href: "/alerts", Roles: []sector.Role{sector.Analyst, sector.DutyManager}}
	members := pulse.Way{Stage: pulse.Members, Href: "/admin/members", Roles: []sector.Role{sector.Analyst, sector.DutyManager, sector.Administrator}}
	if err := pulse.Mount(kit.Mux, kit.Shell, src, alerts, members); err != nil {
		t.Fatal(err)
	}
	// Lines of pages that other domains bring.
	centre := []sector.Role{sector.Analyst, sector.DutyManager}
	kit.Shell.Nav(
		web.NavItem{Phase: web.During, Key: "pulse.stage.alerts", Href: "/alerts", Icon: "bell", Roles: centre},
		web.NavItem{Phase: web.Before, Key: "pulse.stage.review", Href: "/advisories", Icon: "megaphone"},
	)
	fake := admintest.New(webtest.Now())
	fake.Sick = os.Getenv("ASPIS_GALLERY_SICK") != ""
	if err := admin.Mount(kit.Mux, kit.Shell, admin.Config{Members: fake, People: fake, Engines: fake}); err != nil {
		t.Fatal(err)
	}
	views, err := kit.Shell.Views(os.DirFS("."), "templates")
	if err != nil {
		t.Fatal(err)
	}
	kit.Shell.Page(kit.Mux, "GET /design", func(w http.ResponseWriter, r *http.Request) error {
		return views.Page(w, r, "design", web.Page{Title: "common.product", Data: designModel()})
	})
}
