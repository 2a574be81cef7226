package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// browser keeps cookies between requests, as one person's browser does.
type browser struct {
	kit     *webtest.Kit
	cookies map[string]*http.Cookie
	addr    string
}

func newBrowser(kit *webtest.Kit) *browser {
	return &browser{kit: kit, cookies: map[string]*http.Cookie{}, addr: "192.0.2.1:40000"}
}

func (b *browser) do(t *testing.T, method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.addr
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.kit.Handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

func (b *browser) signIn(t *testing.T, role sector.Role, next string) *httptest.ResponseRecorder {
	t.Helper()
	return b.do(t, http.MethodPost, webtest.SignInPath, url.Values{"role": {string(role)}, "next": {next}})
}

// secured has one page for the analyst and one for everybody signed in.
func secured(t *testing.T) *webtest.Kit {
	t.Helper()
	kit := webtest.New(t)
	ok := func(w http.ResponseWriter, _ *http.Request) error {
		_, err := w.Write([]byte("inside"))
		return err
	}
	kit.Shell.Page(kit.Routes, "GET /inside", sector.SignedIn, ok)
	kit.Shell.Page(kit.Routes, "GET /analysts", sector.TriageAlerts, ok)
	kit.Shell.Page(kit.Routes, "GET /{$}", sector.SignedIn, ok)
	return kit
}

func TestSessionFixation(t *testing.T) {
	kit := secured(t)
	planted := newBrowser(kit)
	planted.signIn(t, sector.MemberStaff, "/")
	before := planted.cookies["aspis"].Value
	planted.signIn(t, sector.Analyst, "/")
	if planted.cookies["aspis"].Value == before {
		t.Error("signing in keeps the token that was there before")
	}
	attacker := newBrowser(kit)
	attacker.cookies["aspis"] = &http.Cookie{Name: "aspis", Value: before}
	if w := attacker.do(t, http.MethodGet, "/inside", nil); w.Code != http.StatusSeeOther {
		t.Errorf("the old token opens %d", w.Code)
	}
	chosen := newBrowser(kit)
	chosen.cookies["aspis"] = &http.Cookie{Name: "aspis", Value: "i-chose-this"}
	chosen.signIn(t, sector.Analyst, "/")
	if chosen.cookies["aspis"].Value == "i-chose-this" {
		t.Error("a token chosen outside is taken over")
	}
}

func TestSessionCookie(t *testing.T) {
	b := newBrowser(secured(t))
	b.signIn(t, sector.Analyst, "/")
	c := b.cookies["aspis"]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v", c)
	}
}

func TestOpenRedirects(t *testing.T) {
	tests := map[string]string{
		"/inside":              "/inside",
		"/inside?a=b#c":        "/inside?a=b#c",
		"":                     "/",
		"https://evil.example": "/",
		"//evil.example":       "/",
		`/\evil.example`:       "/",
		`\\evil.example`:       "/",
		"/%5cevil.example":     "/",
		"/%2f/evil.example":    "/",
		"/\t/evil.example":     "/",
		"javascript:alert(1)":  "/",
		"http:/evil.example":   "/",
		"inside":               "/",
		"/sign-out":            "/",
		"/sign-in?next=/":      "/",
		"/sign-in/second":      "/",
		"/enrol?token=x":       "/",
		"/account/set-up/app":  "/",
		"/sign-inside":         "/sign-inside",
	}
	for next, want := range tests {
		b := newBrowser(secured(t))
		w := b.signIn(t, sector.Analyst, next)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}

// TestStepUp: what cannot be taken back asks for a proof first, and goes on
// with what was sent.
func TestStepUp(t *testing.T) {
	kit := secured(t)
	kit.Shell.Page(kit.Routes, "POST /release", sector.SignedIn, kit.Shell.StepUp(func(w http.ResponseWriter, r *http.Request) error {
		_, err := w.Write([]byte("released " + r.PostFormValue("what")))
		return err
	}))
	form := url.Values{"what": {"this"}}
	if page := kit.Post(t, sector.Analyst, i18n.En, "/release", form); page.Body != "released this" {
		t.Errorf("after a fresh proof: %d %.80s", page.Status, page.Body)
	}
	kit.Accounts.Stale = true
	if page := kit.Post(t, sector.Analyst, i18n.En, "/release", form); page.Status != http.StatusForbidden {
		t.Errorf("with nobody to ask: %d %.80s", page.Status, page.Body)
	}
	kit.Shell.UseProver(func(w http.ResponseWriter, r *http.Request) (bool, error) {
		if r.PostFormValue("proof") == "mine" {
			return true, nil
		}
		_, err := w.Write([]byte("prove it"))
		return false, err
	})
	if page := kit.Post(t, sector.Analyst, i18n.En, "/release", form); page.Body != "prove it" {
		t.Errorf("without a proof: %d %.80s", page.Status, page.Body)
	}
	form.Set("proof", "mine")
	if page := kit.Post(t, sector.Analyst, i18n.En, "/release", form); page.Body != "released this" {
		t.Errorf("with a proof: %d %.80s", page.Status, page.Body)
	}
}

// TestSetupComesFirst: a session that must set up a way to sign in opens
// nothing else, and is none for programs.
func TestSetupComesFirst(t *testing.T) {
	kit := secured(t)
	kit.Shell.Page(kit.Routes, "GET "+web.SetUpPath+"/app", sector.SignedIn, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := w.Write([]byte("set up"))
		return err
	})
	b := newBrowser(kit)
	b.signIn(t, sector.Analyst, "/")
	kit.Accounts.Setup = true
	for _, path := range []string{"/inside", "/", "/sign-in", "/account/set-upside", "/account"} {
		if w := b.do(t, http.MethodGet, path, nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != web.SetUpPath {
			t.Errorf("%s: %d %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	if w := b.do(t, http.MethodGet, "/inside", nil, "Accept", "application/json"); w.Code != http.StatusUnauthorized {
		t.Errorf("a program gets %d", w.Code)
	}
	if w := b.do(t, http.MethodGet, "/inside", nil, "HX-Request", "true"); w.Header().Get("HX-Redirect") != web.SetUpPath {
		t.Errorf("a partial update: %d %v", w.Code, w.Header())
	}
	if w := b.do(t, http.MethodGet, web.SetUpPath+"/app", nil); w.Body.String() != "set up" {
		t.Errorf("setting up: %d", w.Code)
	}
}

func TestRoles(t *testing.T) {
	kit := secured(t)
	for _, role := range sector.Roles() {
		want := http.StatusForbidden
		if webtest.Viewer(role).May(sector.TriageAlerts) {
			want = http.StatusOK
		}
		if page := kit.Get(t, role, i18n.En, "/analysts"); page.Status != want {
			t.Errorf("%s: status %d, want %d", role, page.Status, want)
		}
	}
}

func TestRemovedPersonIsOutAtOnce(t *testing.T) {
	kit := secured(t)
	if page := kit.Get(t, sector.Analyst, i18n.En, "/inside"); page.Status != http.StatusOK {
		t.Fatalf("status %d", page.Status)
	}
	kit.Accounts.Remove(sector.Analyst)
	page := kit.Get(t, sector.Analyst, i18n.En, "/inside")
	if page.Status != http.StatusSeeOther {
		t.Errorf("a removed person gets %d", page.Status)
	}
	if c := page.Header.Get("Set-Cookie"); !strings.Contains(c, "Max-Age=0") {
		t.Errorf("the cookie stays: %q", c)
	}
}

func TestWhoeverAsksGetsItsOwnKindOfRefusal(t *testing.T) {
	b := newBrowser(secured(t))
	w := b.do(t, http.MethodGet, "/inside", nil, "HX-Request", "true")
	if w.Code != http.StatusUnauthorized || w.Header().Get("HX-Redirect") != "/sign-in" {
		t.Errorf("a partial update: %d %v", w.Code, w.Header())
	}
	w = b.do(t, http.MethodGet, "/inside", nil, "Accept", "application/json")
	if w.Code != http.StatusUnauthorized || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("a program: %d %v", w.Code, w.Header())
	}
}

func TestPreferences(t *testing.T) {
	b := newBrowser(secured(t))
	set := func(name, value, next string) *httptest.ResponseRecorder {
		return b.do(t, http.MethodPost, "/preferences", url.Values{"name": {name}, "value": {value}, "next": {next}})
	}
	if w := set("lang", "zh-Hant", "/sign-in?next=%2Finside&lang=en"); w.Header().Get("Location") != "/sign-in?next=%2Finside" {
		t.Errorf("goes to %q", w.Header().Get("Location"))
	}
	set("theme", "dark", "/")
	body := b.do(t, http.MethodGet, "/sign-in", nil, "Accept-Language", "en").Body.String()
	if !strings.Contains(body, `<html lang="zh-Hant" data-theme="dark">`) {
		t.Errorf("the page begins %.60s", body)
	}
	for _, bad := range [][2]string{{"theme", "dark\"><script>"}, {"lang", "xx"}, {"aspis", "stolen"}, {"zone", "Mars/Olympus"}} {
		if w := set(bad[0], bad[1], "/"); w.Code != http.StatusBadRequest || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%v: %d, cookie %q", bad, w.Code, w.Header().Get("Set-Cookie"))
		}
	}
	if w := set("theme", "light", "//evil.example"); w.Header().Get("Location") != "/" {
		t.Errorf("goes to %q", w.Header().Get("Location"))
	}
}
