package identity_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// options asks what a passkey is to answer.
func (b *browser) options(path string) []byte {
	b.t.Helper()
	w := b.post(path)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		b.t.Fatalf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
	}
	return w.Body.Bytes()
}

// keyed is a browser of somebody who has just made a passkey after a
// one-time link.
func (w *world) keyed(email string, role sector.Role, member sector.MemberID) (*browser, *authenticator, sector.Viewer) {
	w.t.Helper()
	v := w.person(email, role, member, "")
	b := w.browser()
	leads(w.t, b.post("/enrol", "token", strings.TrimPrefix(w.link(v), "/enrol#")), web.SetUpPath)
	a := newAuthenticator(w.t)
	leads(w.t, b.post("/account/set-up/passkey", "name", "公務筆電", "passkey", a.create(b.options("/account/set-up/passkey/options"))), "/")
	return b, a, v
}

// TestPasskeySignIn: no name, no password; the key says who it is.
func TestPasskeySignIn(t *testing.T) {
	w := newWorld(t)
	first, a, ana := w.keyed(analyst, sector.Analyst, "")
	if !first.inside() {
		t.Fatal("not inside after making a passkey")
	}
	b := w.browser()
	question := b.options("/sign-in/passkey/options")
	if strings.Contains(string(question), "allowCredentials") || !strings.Contains(string(question), `"userVerification":"required"`) || !strings.Contains(string(question), `"rpId":"localhost"`) {
		t.Errorf("the question: %s", question)
	}
	a.counter = 2
	answer := a.get(question)
	leads(t, b.post("/sign-in/passkey", "passkey", answer, "next", "/inside?x=1"), "/inside?x=1")
	if !b.inside() {
		t.Error("not inside")
	}
	// The same answer again, here, in another tab, or after the back button.
	delete(b.cookies, "aspis")
	says(t, b.post("/sign-in/passkey", "passkey", answer), http.StatusUnprocessableEntity, "answered already")
	b.options("/sign-in/passkey/options")
	says(t, b.post("/sign-in/passkey", "passkey", answer), http.StatusUnprocessableEntity, "not known here")
	page := first.get("/account")
	says(t, page, http.StatusOK, "公務筆電")
	if strings.Contains(plain(page.Body.String()), "never") {
		t.Error("the last use is not shown")
	}
	if got := w.actions("user:" + string(ana.User)); !strings.Contains(got, `"kind":"passkey"`) || !strings.Contains(got, `session.start{"method":"passkey"}`) {
		t.Errorf("the ledger says %s", got)
	}
}

// TestPasskeyRefusals: each of these is one thing wrong with an answer that
// is otherwise good.
func TestPasskeyRefusals(t *testing.T) {
	tests := map[string]struct {
		change func(a *authenticator)
		says   string
	}{
		"nothing":                  {func(*authenticator) {}, ""},
		"another origin":           {func(a *authenticator) { a.origin = "https://evil.example" }, "not known"},
		"another relying party":    {func(a *authenticator) { a.rp = "evil.example" }, "not known"},
		"nobody verified":          {func(a *authenticator) { a.flags = userPresent }, "not known"},
		"nobody present":           {func(a *authenticator) { a.flags = userVerified }, "not known"},
		"another key":              {func(a *authenticator) { a.key = newAuthenticator(a.t).key }, "not known"},
		"another credential":       {func(a *authenticator) { a.id = newAuthenticator(a.t).id }, "not known"},
		"an unknown user":          {func(a *authenticator) { a.handle = []byte("nobody") }, "not known"},
		"a counter that goes back": {func(a *authenticator) { a.counter = 4 }, "seems to be a copy"},
		"a counter that stands":    {func(a *authenticator) { a.counter = 5 }, "seems to be a copy"},
	}
	w := newWorld(t)
	i := 0
	for name, test := range tests {
		i++
		email := string(rune('a'+i)) + "@centre.example"
		_, a, v := w.keyed(email, sector.Analyst, "")
		b := w.browser()
		a.counter = 5
		leads(t, b.post("/sign-in/passkey", "passkey", a.get(b.options("/sign-in/passkey/options"))), "/")
		a.counter = 6
		test.change(a)
		b = w.browser()
		got := b.post("/sign-in/passkey", "passkey", a.get(b.options("/sign-in/passkey/options")))
		if test.says == "" {
			leads(t, got, "/")
			continue
		}
		if got.Code != http.StatusUnprocessableEntity || !strings.Contains(plain(got.Body.String()), test.says) {
			t.Errorf("%s: %d %s", name, got.Code, plain(got.Body.String()))
		}
		if strings.HasPrefix(name, "a counter") && !strings.Contains(w.actions("user:"+string(v.User)), "passkey.copied") {
			t.Errorf("%s is not in the ledger", name)
		}
	}
	for _, bad := range []string{"{}", "null", "[", strings.Repeat("x", 70_000), `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		b := w.browser()
		b.options("/sign-in/passkey/options")
		if got := b.post("/sign-in/passkey", "passkey", bad).Code; got != http.StatusUnprocessableEntity && got != http.StatusRequestEntityTooLarge {
			t.Errorf("%.40q: %d", bad, got)
		}
	}
}

// TestAPasswordAloneSignsNobodyIn who has a passkey: it is the second step.
func TestAPasswordAloneSignsNobodyIn(t *testing.T) {
	w := newWorld(t)
	first, a, ana := w.keyed(analyst, sector.Analyst, "")
	other, otherKey, _ := w.keyed("bob@centre.example", sector.Analyst, "")
	_ = other
	leads(t, first.post("/account/change"), web.SetUpPath)
	d := first.app(pass)
	b := w.browser()
	leads(t, b.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
	if b.inside() {
		t.Error("a password alone leads inside")
	}
	for _, lang := range i18n.Langs() {
		b.lang = lang
		b.get("/sign-in/second")
	}
	b.lang = i18n.En
	question := b.options("/sign-in/second/options")
	if !strings.Contains(string(question), b64(a.id)) || strings.Contains(string(question), b64(otherKey.id)) {
		t.Errorf("the question: %s", question)
	}
	otherKey.counter = 2
	says(t, b.post("/sign-in/second", "passkey", otherKey.get(question)), http.StatusUnprocessableEntity, "not known here")
	a.counter = 2
	leads(t, b.post("/sign-in/second", "passkey", a.get(b.options("/sign-in/second/options"))), "/")

	// Step-up with the passkey; the form is kept.
	w.later(6 * time.Minute)
	asked := b.post("/release", "text", "typed")
	form := hidden(t, asked.Body.String(), "proof-passkey")
	a.counter = 3
	answer := a.get(b.options("/prove/options"))
	done := b.do(http.MethodPost, "/release", with(form, "proof-passkey", answer))
	says(t, done, http.StatusOK, "inside: "+analyst+" typed")
	w.later(6 * time.Minute)
	again := b.do(http.MethodPost, "/release", with(form, "proof-passkey", answer))
	says(t, again, http.StatusUnprocessableEntity, "answered already")

	// The app may go, since the passkey stays; then the passkey may not.
	fresh := w.browser()
	fresh.enter(analyst, d)
	leads(t, fresh.post("/account/app/remove"), "/account")
	id := regexp.MustCompile(`/account/passkeys/([\w-]+)/remove`).FindStringSubmatch(fresh.get("/account").Body.String())[1]
	says(t, fresh.post("/account/passkeys/"+id+"/remove"), http.StatusConflict, "only way")
	says(t, w.browser().post("/sign-in", "email", analyst, "password", pass), http.StatusUnprocessableEntity, "wrong")
	if got := w.actions("user:" + string(ana.User)); !strings.Contains(got, `credential.remove{"kind":"app"}`) {
		t.Errorf("the ledger says %s", got)
	}
}

// TestSeveralPasskeys: named, each removable, none twice.
func TestSeveralPasskeys(t *testing.T) {
	w := newWorld(t)
	b, a, _ := w.keyed(analyst, sector.Analyst, "")
	second := newAuthenticator(t)
	says(t, b.post("/account/set-up/passkey", "name", "", "passkey", second.create(b.options("/account/set-up/passkey/options"))), http.StatusUnprocessableEntity, "Name of the passkey")
	answer := second.create(b.options("/account/set-up/passkey/options"))
	leads(t, b.post("/account/set-up/passkey", "name", "security key", "passkey", answer), "/account")
	says(t, b.post("/account/set-up/passkey", "name", "again", "passkey", answer), http.StatusUnprocessableEntity, "answered already")
	says(t, b.post("/account/set-up/passkey", "name", "twin", "passkey", a.create(b.options("/account/set-up/passkey/options"))), http.StatusUnprocessableEntity, "registered already")
	page := b.get("/account")
	says(t, page, http.StatusOK, "security key")
	leads(t, b.post("/account/passkeys/"+b64(a.id)+"/remove"), "/account")
	says(t, b.post("/account/passkeys/"+b64(a.id)+"/remove"), http.StatusNotFound, "no such passkey")
	gone := w.browser()
	a.counter = 9
	says(t, gone.post("/sign-in/passkey", "passkey", a.get(gone.options("/sign-in/passkey/options"))), http.StatusUnprocessableEntity, "not known")
}

// TestPasskeysNeedAName: on a bare address there are none, and the pages say
// why; this machine has the name localhost.
func TestPasskeysNeedAName(t *testing.T) {
	for base, works := range map[string]bool{"http://127.0.0.1:8080": true, "http://192.0.2.7": false} {
		w := newWorld(t, func(c *identity.Config) { c.BaseURL = base })
		v := w.person(analyst, sector.Analyst, "", "")
		b := w.browser()
		leads(t, b.post("/enrol", "token", strings.TrimPrefix(w.link(v), "/enrol#")), web.SetUpPath)
		says(t, b.get(web.SetUpPath), http.StatusOK, "open http://localhost")
		if strings.Contains(w.browser().get("/sign-in").Body.String(), "data-island=\"passkey\"") {
			t.Error("the sign-in page offers passkeys")
		}
		if got := b.post("/account/set-up/passkey/options").Code; (got == http.StatusOK) != works {
			t.Errorf("%s: a question for a passkey: %d", base, got)
		}
		if w.svc.HasPasskeys("localhost:8080") != works || w.svc.HasPasskeys("127.0.0.1:8080") || w.svc.HasPasskeys("localhost.evil.example") {
			t.Errorf("%s: passkeys in the wrong place", base)
		}
	}
}
