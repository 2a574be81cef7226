package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/totp"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

const analyst = "ana@centre.example"

// TestFirstSignIn: somebody with nothing but a password, as the command line
// makes them, sets up an app before anything else, and needs it from then on.
func TestFirstSignIn(t *testing.T) {
	w := newWorld(t)
	ana := w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	leads(t, b.do(http.MethodGet, "/inside?q=a%26b", nil), "/sign-in?next=%2Finside%3Fq%3Da%2526b")
	says(t, b.get("/sign-in?next=%2Finside%3Fq%3Da%2526b"), http.StatusOK, "Sign in")
	leads(t, b.post("/sign-in", "email", " Ana@Centre.example", "password", pass, "next", "/inside?q=a%26b"), web.SetUpPath)
	leads(t, b.do(http.MethodGet, "/inside", nil), web.SetUpPath)
	b.get(web.SetUpPath)
	picture := b.do(http.MethodGet, "/account/set-up/app.svg", nil)
	if picture.Header().Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(picture.Body.String(), "<svg") || picture.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the picture: %d %v", picture.Code, picture.Header())
	}
	for _, lang := range i18n.Langs() {
		b.lang = lang
		b.get(web.SetUpPath)
	}
	b.lang = i18n.En
	says(t, b.post("/account/set-up/app", "code", "000000"), http.StatusUnprocessableEntity, "not the code of this app")
	before := b.cookies["aspis"].Value
	d := b.app("")
	if len(d.codes) != 10 || b.cookies["aspis"].Value == before {
		t.Errorf("%d recovery codes; a new cookie: %v", len(d.codes), b.cookies["aspis"].Value != before)
	}
	says(t, b.do(http.MethodGet, "/inside", nil), http.StatusOK, "inside: "+analyst)
	says(t, b.post("/account/set-up/app", "code", d.code(w)), http.StatusUnprocessableEntity, "finished or replaced in another tab")

	again := w.browser()
	leads(t, again.post("/sign-in", "email", analyst, "password", pass, "next", "/inside"), "/sign-in/second")
	leads(t, again.do(http.MethodGet, "/inside", nil), "/sign-in?next=%2Finside")
	says(t, again.post("/sign-in/second", "code", d.code(w)), http.StatusUnprocessableEntity, "used already") // by the set-up
	w.later(31 * time.Second)
	code := d.code(w)
	leads(t, again.post("/sign-in/second", "code", code[:3]+" "+code[3:]), "/inside")
	if got := w.actions("user:" + string(ana.User)); got != `user.create{"roles":["analyst"]} session.start{"method":"password"} `+
		`credential.add{"kind":"app"} session.prove{"method":"app"} session.refuse{"attempts":1,"method":"second"} session.start{"method":"app"}` {
		t.Errorf("the ledger says %s", got)
	}
	for _, secret := range append(d.codes, pass, d.secret.String(), code) {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds a secret")
		}
	}
}

// TestRecoveryCodes work once each, and in place of the app only.
func TestRecoveryCodes(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	try := func(code string) int {
		b := w.browser()
		leads(t, b.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
		return b.post("/sign-in/second", "code", code).Code
	}
	if try(strings.ToUpper(d.codes[0])) != http.StatusSeeOther || try(d.codes[0]) != http.StatusUnprocessableEntity {
		t.Error("a recovery code works not once")
	}
	if try(strings.ReplaceAll(d.codes[1], "-", " ")) != http.StatusSeeOther {
		t.Error("a recovery code typed with blanks is refused")
	}
	page := b.get("/account")
	says(t, page, http.StatusOK, "Recovery codes left8")
	made := b.post("/account/codes")
	says(t, made, http.StatusCreated, "Each signs you in once")
	if try(d.codes[2]) != http.StatusUnprocessableEntity {
		t.Error("codes that were replaced work")
	}
	if n := len(codeText.FindAllString(made.Body.String(), -1)); n != 10 {
		t.Errorf("%d new codes", n)
	}
}

// TestClockSkew: a phone half a minute off is let in, one that is a minute
// and a half off is not; a code never works twice whatever the clock does.
func TestClockSkew(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	w.later(10 * time.Minute)
	try := func(off time.Duration) int {
		b := w.browser()
		leads(t, b.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
		return b.post("/sign-in/second", "code", d.secret.Code(totp.Step(w.now().Add(off)))).Code
	}
	if got := try(-90 * time.Second); got != http.StatusUnprocessableEntity {
		t.Errorf("ninety seconds behind: %d", got)
	}
	if got := try(-30 * time.Second); got != http.StatusSeeOther {
		t.Errorf("half a minute behind: %d", got)
	}
	if got := try(-30 * time.Second); got != http.StatusUnprocessableEntity {
		t.Errorf("the same again: %d", got)
	}
	w.later(-2 * time.Minute) // the server's own clock is set back
	if got := try(0); got != http.StatusUnprocessableEntity {
		t.Errorf("a code of a period that is over: %d", got)
	}
}

// TestNothingTellsWhoIsKnown: the same status, words and cookies for an
// unknown address, a wrong password, one with an app, and one without a
// password at all.
func TestNothingTellsWhoIsKnown(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	w.person("app@centre.example", sector.Analyst, "", pass)
	w.person("link@centre.example", sector.Analyst, "", "")
	b := w.browser()
	b.post("/sign-in", "email", "app@centre.example", "password", pass)
	b.app("")
	for _, lang := range i18n.Langs() {
		answers := map[string]string{}
		for _, email := range []string{"nobody@centre.example", analyst, "app@centre.example", "link@centre.example"} {
			b := w.browser()
			b.lang = lang
			page := b.post("/sign-in", "email", email, "password", "wrong <b>")
			if page.Code != http.StatusUnprocessableEntity || len(b.cookies) != 0 || strings.Contains(page.Body.String(), "wrong &lt;b&gt;") {
				t.Errorf("%s: %d, cookies %v", email, page.Code, b.cookies)
			}
			answers[strings.ReplaceAll(page.Body.String(), email, "EMAIL")] = email
		}
		if len(answers) != 1 {
			t.Errorf("%s: %d different answers", lang, len(answers))
		}
	}
}

// TestLookAlikes: an address that only looks like one is refused with the
// reason, before anything is looked up.
func TestLookAlikes(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	for email, words := range map[string]string{
		"ａna@centre.example":       "full-width",
		"ana＠centre.example":       "full-width",
		"ana\u200b@centre.example": "cannot be seen",
		"\u0430na@centre.example":  "look alike",
	} {
		says(t, w.browser().post("/sign-in", "email", email, "password", pass), http.StatusUnprocessableEntity, words)
	}
}

// TestGuessing stops the guesser, and nobody else: not the owner elsewhere,
// not a colleague behind the same address, not the owner's own browser behind
// that address. No account is ever locked.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	w.person("bob@centre.example", sector.Analyst, "", pass)
	own := w.browser()
	own.post("/sign-in", "email", analyst, "password", pass)
	d := own.app("")
	own.enter(analyst, d)
	if own.cookies["device"] == nil {
		t.Fatal("the browser is not remembered")
	}
	guesser := w.browser()
	for i := range 5 {
		if got := guesser.post("/sign-in", "email", analyst, "password", "guess").Code; got != http.StatusUnprocessableEntity {
			t.Fatalf("guess %d answers %d", i, got)
		}
	}
	stopped := guesser.post("/sign-in", "email", " "+strings.ToUpper(analyst), "password", pass)
	if stopped.Code != http.StatusTooManyRequests || stopped.Header().Get("Retry-After") == "" {
		t.Errorf("the sixth answers %d, %v", stopped.Code, stopped.Header())
	}
	elsewhere := w.browser()
	elsewhere.addr = "198.51.100.9:1234"
	leads(t, elsewhere.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
	leads(t, w.browser().post("/sign-in", "email", "bob@centre.example", "password", pass), web.SetUpPath)
	delete(own.cookies, "aspis")
	own.enter(analyst, d)
	// A device remembered for one account has no budget of its own elsewhere.
	own.addr = "198.51.100.20:1"
	for range 5 {
		own.post("/sign-in", "email", "bob@centre.example", "password", "guess")
	}
	beside := w.browser()
	beside.addr = own.addr
	if got := beside.post("/sign-in", "email", "bob@centre.example", "password", pass).Code; got != http.StatusTooManyRequests {
		t.Errorf("guesses at somebody else's account are not counted: %d", got)
	}
	if strings.Contains(w.log.String(), analyst) {
		t.Error("a mail address is in the log")
	}
}

// TestGuessingCodes: who knows the password cannot try a million codes, from
// however many addresses; the owner's known browser goes on.
func TestGuessingCodes(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	own := w.browser()
	own.post("/sign-in", "email", analyst, "password", pass)
	d := own.app("")
	own.enter(analyst, d)
	tried := 0
	for i := range 40 {
		thief := w.browser()
		thief.addr = "203.0.113." + string(rune('0'+i%10)) + ":1"
		leads(t, thief.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
		if thief.post("/sign-in/second", "code", "000000").Code != http.StatusTooManyRequests {
			tried++
		}
	}
	if tried > 12 {
		t.Errorf("%d codes were tried", tried)
	}
	delete(own.cookies, "aspis")
	own.enter(analyst, d)
}

// TestSecondStepIsBoundToItsBrowser and to ten minutes.
func TestSecondStepIsBoundToItsBrowser(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	w.later(time.Minute)
	leads(t, w.browser().post("/sign-in/second", "code", d.code(w)), "/sign-in")
	late := w.browser()
	leads(t, late.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
	for _, lang := range i18n.Langs() {
		late.lang = lang
		late.get("/sign-in/second")
	}
	w.later(11 * time.Minute)
	leads(t, late.post("/sign-in/second", "code", d.code(w)), "/sign-in")
}

// TestFixation: a cookie planted before signing in opens nothing afterwards,
// neither after the first step nor after the second.
func TestFixation(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	victim := w.browser()
	victim.post("/sign-in/passkey/options") // a session before any sign-in
	planted := *victim.cookies["aspis"]
	w.later(31 * time.Second)
	leads(t, victim.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
	first := *victim.cookies["aspis"]
	leads(t, victim.post("/sign-in/second", "code", d.code(w)), "/")
	for name, cookie := range map[string]*http.Cookie{"planted": &planted, "after the password": &first, "invented": {Name: "aspis", Value: "i-chose-this"}} {
		thief := w.browser()
		thief.cookies["aspis"] = cookie
		if got := thief.do(http.MethodGet, "/inside", nil); got.Code != http.StatusSeeOther {
			t.Errorf("the cookie %s opens %d", name, got.Code)
		}
	}
}

// TestForged: another site cannot sign anybody out, in, or begin anything.
func TestForged(t *testing.T) {
	w := newWorld(t, func(c *identity.Config) { c.LinksEnter = true })
	ana := w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	link, err := url.Parse(w.link(ana))
	must(t, err)
	leads(t, b.post("/enrol", "token", link.Fragment), "/")
	for _, path := range []string{"/sign-out", "/sign-in", "/enrol", "/release", "/account/codes", "/account/sessions/end", "/account/set-up/app", "/sign-in/passkey/options"} {
		if got := b.do(http.MethodPost, path, url.Values{}, "Sec-Fetch-Site", "cross-site"); got.Code != http.StatusForbidden {
			t.Errorf("another site posts to %s: %d", path, got.Code)
		}
	}
	says(t, b.do(http.MethodGet, "/inside", nil), http.StatusOK, "inside")
}

// TestCookiesBelongToThisHost: over TLS every cookie is one that no other host
// and no plain connection can have set, and a choice in it counts.
func TestCookiesBelongToThisHost(t *testing.T) {
	w := newWorld(t, func(c *identity.Config) { c.BaseURL = "https://centre.example" })
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	leads(t, b.post("/sign-out"), "/sign-in")
	b.enter(analyst, d)
	for name, value := range map[string]string{"lang": "zh-Hant", "zone": "UTC", "theme": "dark"} {
		leads(t, b.do(http.MethodPost, "/preferences", url.Values{"name": {name}, "value": {value}}), "/")
	}
	for _, name := range []string{"aspis", "device", "lang", "zone", "theme"} {
		if b.cookies["__Host-"+name] == nil {
			t.Errorf("no cookie __Host-%s", name)
		}
	}
	for name, c := range b.cookies {
		if !strings.HasPrefix(name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %v", c)
		}
	}
	b.cookies["lang"] = &http.Cookie{Name: "lang", Value: "en"} // as another host of the domain may set it
	if page := b.do(http.MethodGet, "/account", nil).Body.String(); !strings.Contains(page, `<html lang="zh-Hant" data-theme="dark">`) {
		t.Errorf("the page begins %.120s", page)
	}
}
