// Package webtest mounts pages on a real shell with invented people, visits
// them in both languages, and checks what every page owes its readers.
package webtest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// SignInPath is where a form with a role signs its invented person in: how
// real people do it is not this package's business.
const SignInPath = "/as"

// Now is the time that pages take for now: three in the morning in Taipei.
func Now() time.Time { return time.Date(2026, 11, 23, 19, 4, 5, 0, time.UTC) }

// Kit is a shell with people of every role.
type Kit struct {
	Routes   *access.Routes
	Shell    *web.Shell
	Texts    *i18n.Catalogue
	Accounts *Accounts
	Log      *bytes.Buffer // JSON lines
	Handler  http.Handler  // the routes with everything a request gets

	mu      sync.Mutex
	cookies map[sector.Role]*http.Cookie
}

// New returns a kit whose shell has its own routes mounted.
func New(t testing.TB) *Kit {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	k := &Kit{Texts: texts, Accounts: People(), Log: &bytes.Buffer{}, cookies: map[sector.Role]*http.Cookie{}}
	edge := httpx.NewEdge(slog.New(slog.NewJSONHandler(&lockedWriter{w: k.Log}, nil)), texts, nil)
	k.Shell, err = web.New(web.Config{
		Texts: texts, Edge: edge, Assets: assets, Keeper: k.Accounts,
		Sessions: memstore.NewWithCleanupInterval(0), Now: Now, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Routes = access.New(edge)
	k.Shell.Mount(k.Routes)
	k.Shell.Page(k.Routes, "POST "+SignInPath, sector.Public, k.signIn)
	k.Handler = edge.Wrap(k.Routes)
	return k
}

func (k *Kit) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := k.Shell.Begin(r, "s-"+r.PostFormValue("role")); err != nil {
		return err
	}
	http.Redirect(w, r, web.SafeNext(r.PostFormValue("next")), http.StatusSeeOther)
	return nil
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// Page is an answer.
type Page struct {
	Status int
	Header http.Header
	Body   string
	Lang   i18n.Lang
	Path   string
}

// Doc is the parsed page.
func (p Page) Doc(t testing.TB) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Get visits a path as somebody with the role (empty: nobody).
func (k *Kit) Get(t testing.TB, role sector.Role, lang i18n.Lang, path string) Page {
	t.Helper()
	return k.Do(t, role, lang, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
}

// Post sends a form as somebody with the role.
func (k *Kit) Post(t testing.TB, role sector.Role, lang i18n.Lang, path string, form url.Values) Page {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return k.Do(t, role, lang, r)
}

// Do sends any request as somebody with the role.
func (k *Kit) Do(t testing.TB, role sector.Role, lang i18n.Lang, r *http.Request) Page {
	t.Helper()
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html")
	}
	if r.Header.Get("Accept-Language") == "" {
		r.Header.Set("Accept-Language", string(lang))
	}
	if role != "" {
		r.AddCookie(k.Cookie(t, role))
	}
	w := httptest.NewRecorder()
	k.Handler.ServeHTTP(w, r)
	if w.Code >= http.StatusInternalServerError {
		t.Logf("%s answered %d; the log says:\n%s", r.URL.Path, w.Code, k.Log)
	}
	return Page{Status: w.Code, Header: w.Header(), Body: w.Body.String(), Lang: lang, Path: r.URL.Path}
}

// Cookie is the session of somebody with the role, signed in on first use.
func (k *Kit) Cookie(t testing.TB, role sector.Role) *http.Cookie {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.cookies[role]; ok {
		return c
	}
	form := url.Values{"role": {string(role)}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, SignInPath, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	k.Handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "aspis" {
			k.cookies[role] = c
			return c
		}
	}
	t.Fatalf("signing in as %s answered %d without a session", role, w.Code)
	return nil
}

// Email of the invented person with the role.
func Email(role sector.Role) string { return string(role) + "@aspis.example" }

// Viewer is the invented person with the role.
func Viewer(role sector.Role) sector.Viewer {
	v := sector.Viewer{Org: role.Org(), User: sector.UserID("u-" + string(role)), Email: Email(role), Roles: []sector.Role{role}}
	if v.Org == sector.MemberOrg {
		v.Member, v.Sector = "jade-bank", sector.Banking
	}
	return v
}

// Accounts is people in memory, each with a session.
type Accounts struct {
	mu     sync.Mutex
	people map[string]sector.Viewer // by the session's name
	// Stale makes everybody's last proof old, so that pages that ask for a
	// new one answer 403: there is nobody to ask.
	Stale bool
	// Setup makes everybody have to set up a way to sign in first.
	Setup bool
}

// People returns one person a role.
func People() *Accounts {
	a := &Accounts{people: map[string]sector.Viewer{}}
	for _, role := range sector.Roles() {
		a.people["s-"+string(role)] = Viewer(role)
	}
	return a
}

// Resume implements web.Keeper.
func (a *Accounts) Resume(_ context.Context, id string) (web.Standing, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := a.people[id]
	if !ok {
		return web.Standing{}, errs.New(errs.NotFound, "error.unauthenticated.text")
	}
	return web.Standing{Session: id, Viewer: v, Fresh: !a.Stale, Setup: a.Setup}, nil
}

// Remove takes a person away.
func (a *Accounts) Remove(role sector.Role) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.people, "s-"+string(role))
}
