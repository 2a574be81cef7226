package gallery

import (
	"os"
	"testing"

	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/admin/admintest"
	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/home/hometest"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/pulse/pulsetest"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/search/searchtest"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func mount(t *testing.T, kit *webtest.Kit) {
	t.Helper()
	src := &pulsetest.Source{Now: webtest.Now, Moving: true, Quiet: os.Getenv("ASPIS_GALLERY_QUIET") != ""}
	alerts := pulse.Way{Stage: pulse.Alerts, Href: "/alerts", Need: sector.ReadAlerts}
	members := pulse.Way{Stage: pulse.Members, Href: "/admin/members", Need: sector.ReadMembers}
	if err := pulse.Mount(kit.Routes, kit.Shell, src, alerts, members); err != nil {
		t.Fatal(err)
	}
	// Lines of pages that other domains bring.
	kit.Shell.Nav(
		web.NavItem{Phase: web.During, Key: "pulse.stage.alerts", Href: "/alerts", Icon: "bell", Need: sector.ReadAlerts},
		web.NavItem{Phase: web.Before, Key: "pulse.stage.review", Href: "/advisories", Icon: "megaphone", Need: sector.ReadDrafts},
	)
	fake := admintest.New(webtest.Now())
	fake.Sick = os.Getenv("ASPIS_GALLERY_SICK") != ""
	if err := admin.Mount(kit.Routes, kit.Shell, admin.Config{Members: fake, People: fake, Engines: fake}); err != nil {
		t.Fatal(err)
	}
	guides, err := search.Guides()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "gallery")
	if err != nil {
		t.Fatal(err)
	}
	found := search.New(searchtest.New(webtest.Now()), search.NewStatic(guides), sealer, webtest.Now)
	if err := search.Mount(kit.Routes, kit.Shell, found); err != nil {
		t.Fatal(err)
	}
	homes := &hometest.Source{Now: webtest.Now, Empty: os.Getenv("ASPIS_GALLERY_QUIET") != ""}
	if err := home.Mount(kit.Routes, kit.Shell, homes, webtest.Now); err != nil {
		t.Fatal(err)
	}
	if err := Mount(kit.Routes, kit.Shell, webtest.Now); err != nil {
		t.Fatal(err)
	}
}
