package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
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

func (b *browser) signIn(t *testing.T, email, password, next string) *httptest.ResponseRecorder {
	t.Helper()
	return b.do(t, http.MethodPost, "/sign-in", url.Values{"email": {email}, "password": {password}, "next": {next}})
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

func TestSignInAndOut(t *testing.T) {
	b := newBrowser(secured(t))
	w := b.do(t, http.MethodGet, "/inside?q=a%26b", nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in?next=%2Finside%3Fq%3Da%2526b" {
		t.Fatalf("a stranger is sent to %d %q", w.Code, w.Header().Get("Location"))
	}
	w = b.do(t, http.MethodGet, w.Header().Get("Location"), nil)
	if !strings.Contains(w.Body.String(), `value="/inside?q=a%26b"`) {
		t.Error("the sign-in page forgets where to go")
	}
	w = b.signIn(t, webtest.Email(sector.Analyst), webtest.Password, "/inside?q=a%26b")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/inside?q=a%26b" {
		t.Fatalf("signed in to %d %q", w.Code, w.Header().Get("Location"))
	}
	if w := b.do(t, http.MethodGet, "/inside", nil); w.Body.String() != "inside" {
		t.Errorf("inside is %d", w.Code)
	}
	old := b.cookies["aspis"]
	if w := b.do(t, http.MethodPost, "/sign-out", url.Values{}); w.Code != http.StatusSeeOther {
		t.Errorf("signing out answers %d", w.Code)
	}
	b.cookies["aspis"] = old
	if w := b.do(t, http.MethodGet, "/inside", nil); w.Code != http.StatusSeeOther {
		t.Errorf("the session lives after signing out: %d", w.Code)
	}
}

func TestWrongPasswordSaysNothing(t *testing.T) {
	for _, lang := range i18n.Langs() {
		kit := secured(t)
		var bodies []string
		for _, email := range []string{webtest.Email(sector.Analyst), "nobody@aspis.example"} {
			form := url.Values{"email": {email}, "password": {"wrong <b>"}}
			page := kit.Post(t, "", lang, "/sign-in", form)
			webtest.Check(t, page)
			if page.Status != http.StatusUnprocessableEntity || page.Header.Get("Set-Cookie") != "" {
				t.Errorf("status %d, cookie %q", page.Status, page.Header.Get("Set-Cookie"))
			}
			if strings.Contains(page.Body, "wrong &lt;b&gt;") {
				t.Error("the password comes back")
			}
			bodies = append(bodies, strings.ReplaceAll(page.Body, email, "EMAIL"))
		}
		if bodies[0] != bodies[1] {
			t.Error("a known address answers otherwise than an unknown one")
		}
	}
}

func TestSessionFixation(t *testing.T) {
	kit := secured(t)
	planted := newBrowser(kit)
	planted.signIn(t, webtest.Email(sector.MemberStaff), webtest.Password, "/")
	before := planted.cookies["aspis"].Value
	planted.signIn(t, webtest.Email(sector.Analyst), webtest.Password, "/")
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
	chosen.signIn(t, webtest.Email(sector.Analyst), webtest.Password, "/")
	if chosen.cookies["aspis"].Value == "i-chose-this" {
		t.Error("a token chosen outside is taken over")
	}
}

func TestSessionCookie(t *testing.T) {
	b := newBrowser(secured(t))
	b.signIn(t, webtest.Email(sector.Analyst), webtest.Password, "/")
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
		"/enrol?token=x":       "/",
	}
	for next, want := range tests {
		b := newBrowser(secured(t))
		w := b.signIn(t, webtest.Email(sector.Analyst), webtest.Password, next)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
		if w := b.do(t, http.MethodGet, "/sign-in?next="+url.QueryEscape(next), nil); w.Header().Get("Location") != want {
			t.Errorf("signed in already, next %q leads to %q, want %q", next, w.Header().Get("Location"), want)
		}
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

func TestForgedSignOut(t *testing.T) {
	b := newBrowser(secured(t))
	b.signIn(t, webtest.Email(sector.Analyst), webtest.Password, "/")
	if w := b.do(t, http.MethodPost, "/sign-out", url.Values{}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site signs out with %d", w.Code)
	}
	if w := b.do(t, http.MethodGet, "/inside", nil); w.Code != http.StatusOK {
		t.Errorf("the session is gone: %d", w.Code)
	}
}

// TestGuessing: five failures stop the guesser, and nobody else.
func TestGuessing(t *testing.T) {
	kit := secured(t)
	guesser, owner := newBrowser(kit), newBrowser(kit)
	owner.addr = "198.51.100.9:1234"
	email := webtest.Email(sector.Analyst)
	for i := range 5 {
		if w := guesser.signIn(t, email, "guess", "/"); w.Code != http.StatusUnprocessableEntity {
			t.Fatalf("guess %d answers %d", i, w.Code)
		}
	}
	w := guesser.signIn(t, " "+strings.ToUpper(email), webtest.Password, "/")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "30" {
		t.Errorf("the sixth answers %d, retry after %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := owner.signIn(t, email, webtest.Password, "/"); w.Code != http.StatusSeeOther {
		t.Errorf("the owner elsewhere gets %d", w.Code)
	}
	if w := guesser.signIn(t, webtest.Email(sector.Supervisor), webtest.Password, "/"); w.Code != http.StatusSeeOther {
		t.Errorf("a colleague behind the same address gets %d", w.Code)
	}
	if strings.Contains(kit.Log.String(), email) {
		t.Error("a mail address is in the log")
	}
}

func TestOneTimeLink(t *testing.T) {
	kit := secured(t)
	b := newBrowser(kit)
	for range 2 { // scanners of mail read links too
		w := b.do(t, http.MethodGet, "/enrol?token=fresh-token", nil)
		if w.Code != http.StatusOK || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Fatalf("the link shows %d, referrer %q", w.Code, w.Header().Get("Referrer-Policy"))
		}
	}
	w := b.do(t, http.MethodPost, "/enrol", url.Values{"token": {"fresh-token"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/enrol/password" {
		t.Fatalf("the button leads to %d %q", w.Code, w.Header().Get("Location"))
	}
	for _, lang := range []string{"zh-Hant", "en"} {
		w := b.do(t, http.MethodGet, "/enrol/password", nil, "Accept-Language", lang)
		webtest.Check(t, webtest.Page{Status: w.Code, Body: w.Body.String(), Lang: i18n.Lang(lang), Path: "/enrol/password"})
	}
	if w := b.do(t, http.MethodPost, "/enrol/password", url.Values{"password": {""}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an empty password answers %d", w.Code)
	}
	if w := b.do(t, http.MethodPost, "/enrol/password", url.Values{"password": {"a new sentence for me"}}); w.Code != http.StatusSeeOther {
		t.Errorf("a good password answers %d", w.Code)
	}
	if w := b.do(t, http.MethodPost, "/enrol/password", url.Values{"password": {"another sentence"}}); w.Code != http.StatusForbidden {
		t.Errorf("a second password in the same session answers %d", w.Code)
	}
	if w := newBrowser(kit).signIn(t, webtest.Email(sector.Analyst), "a new sentence for me", "/"); w.Code != http.StatusSeeOther {
		t.Errorf("the new password answers %d", w.Code)
	}
	w = newBrowser(kit).do(t, http.MethodPost, "/enrol", url.Values{"token": {"fresh-token"}})
	if w.Code != http.StatusBadRequest {
		t.Errorf("the link works twice: %d", w.Code)
	}
	if strings.Contains(kit.Log.String(), "fresh-token") {
		t.Error("the token is in the log")
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
