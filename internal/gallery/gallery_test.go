// Package gallery serves every page with invented figures, for looking at:
//
//	ASPIS_GALLERY=127.0.0.1:8099 go test -tags gallery -run Gallery -timeout 0 ./internal/gallery
//
// and then, for instance, /as/analyst?lang=zh-Hant&theme=dark&next=/.
package gallery

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
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

// become signs in as the role and sets preferences, which a screenshot cannot.
func become(t *testing.T, kit *webtest.Kit, w http.ResponseWriter, r *http.Request) {
	if role := sector.Role(r.PathValue("role")); role.Org() != "" {
		form := url.Values{"email": {webtest.Email(role)}, "password": {webtest.Password}}
		in, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/sign-in", strings.NewReader(form.Encode()))
		if err != nil {
			t.Error(err)
			return
		}
		in.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		in.RemoteAddr = r.RemoteAddr
		kit.Handler.ServeHTTP(&cookiesOnly{ResponseWriter: w}, in)
	}
	for _, name := range []string{"lang", "theme", "zone"} {
		if v := r.URL.Query().Get(name); v != "" {
			http.SetCookie(w, &http.Cookie{Name: name, Value: v, Path: "/"})
		}
	}
	http.Redirect(w, r, r.URL.Query().Get("next"), http.StatusSeeOther)
}

// post sends the query as a form to the path after /post, so that a
// screenshot can show what only a POST answers.
func post(kit *webtest.Kit, w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.Method, out.URL.Path = http.MethodPost, strings.TrimPrefix(r.URL.Path, "/post")
	out.Body = io.NopCloser(strings.NewReader(r.URL.RawQuery))
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out.Header.Del("Sec-Fetch-Site")
	out.URL.RawQuery, out.Form, out.PostForm = "", nil, nil
	kit.Handler.ServeHTTP(w, out)
}

// cookiesOnly takes the session cookie of an answer and drops the rest.
type cookiesOnly struct{ http.ResponseWriter }

func (cookiesOnly) WriteHeader(int)             {}
func (cookiesOnly) Write(p []byte) (int, error) { return len(p), nil }
