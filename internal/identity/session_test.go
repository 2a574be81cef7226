package identity_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// ready is a browser of somebody who is signed in with password and app.
func (w *world) ready(email string, role sector.Role, member sector.MemberID) (*browser, device, sector.Viewer) {
	w.t.Helper()
	v := w.person(email, role, member, pass)
	b := w.browser()
	leads(w.t, b.post("/sign-in", "email", email, "password", pass), web.SetUpPath)
	return b, b.app(""), v
}

func (b *browser) inside() bool {
	b.t.Helper()
	return b.do(http.MethodGet, "/inside", nil).Code == http.StatusOK
}

var endForm = regexp.MustCompile(`/account/sessions/([a-z0-9]+)/end`)

func TestSessionsOfOnesOwn(t *testing.T) {
	w := newWorld(t)
	first, d, ana := w.ready(analyst, sector.Analyst, "")
	second, third := w.browser(), w.browser()
	second.enter(analyst, d)
	third.addr = "198.51.100.7:1"
	third.enter(analyst, d)
	for _, lang := range i18n.Langs() {
		first.lang = lang
		page := first.get("/account")
		if got := plain(page.Body.String()); page.Code != http.StatusOK || !strings.Contains(got, "198.51.100.7") || !strings.Contains(got, "Chrome Linux") {
			t.Fatalf("%d %s", page.Code, got)
		}
		for _, b := range []*browser{first, second, third} {
			if strings.Contains(page.Body.String(), b.cookies["aspis"].Value) {
				t.Error("the page holds a token")
			}
		}
	}
	first.lang = i18n.En
	ids := endForm.FindAllStringSubmatch(third.get("/account").Body.String(), -1)
	if len(ids) != 3 {
		t.Fatalf("%d sessions", len(ids))
	}
	leads(t, third.post("/account/sessions/"+ids[1][1]+"/end"), "/account") // the second began before the third
	if second.inside() || !first.inside() || !third.inside() {
		t.Error("not the one that was meant")
	}
	leads(t, first.post("/account/sessions/end"), "/account")
	if third.inside() || !first.inside() {
		t.Error("the others go on, or this one does not")
	}
	leads(t, first.do(http.MethodPost, "/sign-out", nil), "/sign-in")
	if first.inside() {
		t.Error("inside after signing out")
	}
	if got := w.actions("user:" + string(ana.User)); !strings.HasSuffix(got, `session.revoke{"which":"one"} session.revoke{"which":"all"} session.end`) {
		t.Errorf("the ledger says %s", got)
	}
}

// TestNobodyEndsStrangersSessions: a session's name is not enough.
func TestNobodyEndsStrangersSessions(t *testing.T) {
	w := newWorld(t)
	ana, _, _ := w.ready(analyst, sector.Analyst, "")
	bob, _, _ := w.ready("bob@centre.example", sector.Analyst, "")
	id := endForm.FindStringSubmatch(ana.get("/account").Body.String())[1]
	bob.post("/account/sessions/" + id + "/end")
	if !ana.inside() {
		t.Error("a stranger ended a session")
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	w := newWorld(t)
	b, _, _ := w.ready(analyst, sector.Analyst, "")
	for range 9 { // used every hour
		w.later(time.Hour)
		if !b.inside() {
			t.Fatal("a session in use is over")
		}
	}
	w.later(3*time.Hour + time.Minute)
	if b.inside() {
		t.Error("a session lives for more than a shift")
	}
	idle, _, _ := w.ready("bob@centre.example", sector.Analyst, "")
	w.later(2*time.Hour + time.Minute)
	if idle.inside() {
		t.Error("a session lives without being used")
	}
}

func TestAdministratorsEndSessions(t *testing.T) {
	w := newWorld(t)
	b, _, ana := w.ready(analyst, sector.Analyst, "")
	chief, _, _ := w.ready("chief@centre.example", sector.Administrator, "")
	path := "/admin/people/" + string(ana.User) + "/sessions"
	for _, lang := range i18n.Langs() {
		chief.lang = lang
		chief.get(path)
	}
	leads(t, chief.post(path+"/end"), path)
	if b.inside() {
		t.Error("the person goes on")
	}
	says(t, chief.get(path), http.StatusOK, "Not signed in anywhere")
	if got := b.do(http.MethodPost, path+"/end", url.Values{}); got.Code != http.StatusSeeOther {
		t.Errorf("nobody ends sessions: %d", got.Code)
	}
}

// hidden are the hidden inputs of the form that has the named input.
func hidden(t *testing.T, body, input string) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	must(t, err)
	for _, form := range webtest.Find(doc, func(n *html.Node) bool { return n.Data == "form" }) {
		values, found := url.Values{}, false
		for _, n := range webtest.Find(form, func(n *html.Node) bool { return n.Data == "input" }) {
			found = found || webtest.Attr(n, "name") == input
			if webtest.Attr(n, "type") == "hidden" {
				values.Add(webtest.Attr(n, "name"), webtest.Attr(n, "value"))
			}
		}
		if found {
			return values
		}
	}
	t.Fatalf("no form with %s in %s", input, plain(body))
	return nil
}

// TestStepUp: five minutes after the last proof what cannot be taken back
// asks for another; what was typed is kept, and nothing happens before.
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	b, d, ana := w.ready(analyst, sector.Analyst, "")
	says(t, b.post("/release", "text", "at once"), http.StatusOK, "at once")
	w.later(6 * time.Minute)
	typed := "第一行\nsecond <line> \"quoted\""
	for _, lang := range i18n.Langs() {
		b.lang = lang
		b.post("/release", "text", typed)
	}
	b.lang = i18n.En
	asked := b.post("/release", "text", typed, "text", "twice")
	says(t, asked, http.StatusOK, "Confirm that it is you")
	form := hidden(t, asked.Body.String(), "proof-code")
	if strings.Join(form["text"], "|") != typed+"|twice" {
		t.Errorf("kept: %q", form["text"])
	}
	wrong := b.checked(b.do(http.MethodPost, "/release", with(form, "proof-password", "not mine", "proof-code", d.code(w))), "/release")
	says(t, wrong, http.StatusUnprocessableEntity, "nothing was lost")
	form = hidden(t, wrong.Body.String(), "proof-code")
	before := *b.cookies["aspis"]
	done := b.do(http.MethodPost, "/release", with(form, "proof-password", pass, "proof-code", d.code(w)))
	says(t, done, http.StatusOK, "inside: "+analyst+" "+typed[:9])
	thief := w.browser()
	thief.cookies["aspis"] = &before
	if b.cookies["aspis"].Value == before.Value || thief.inside() {
		t.Error("the cookie from before the proof is still good")
	}
	says(t, b.post("/release", "text", "again"), http.StatusOK, "again")
	w.later(6 * time.Minute)
	says(t, b.post("/release", "text", "again"), http.StatusOK, "Confirm that it is you")
	// In two tabs: the one's proof is the other's.
	other := hidden(t, b.post("/release", "text", "other tab").Body.String(), "proof-code")
	says(t, b.do(http.MethodPost, "/release", with(other, "proof-password", pass, "proof-code", d.code(w))), http.StatusOK, "other tab")
	says(t, b.do(http.MethodPost, "/release", url.Values{"text": {"first tab"}, "proof-password": {""}, "proof-code": {""}}), http.StatusOK, "first tab")
	if got := w.actions("user:" + string(ana.User)); strings.Count(got, `session.prove{"method":"app"}`) != 3 || !strings.Contains(got, `session.refuse{"attempts":1,"method":"proof"}`) {
		t.Errorf("the ledger says %s", got)
	}
}

func with(form url.Values, pairs ...string) url.Values {
	all := url.Values{}
	for name, values := range form {
		all[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}

// TestChangingOnesWaysIn needs a fresh proof, and never takes the last away.
func TestChangingOnesWaysIn(t *testing.T) {
	w := newWorld(t)
	b, d, _ := w.ready(analyst, sector.Analyst, "")
	page := b.post("/account/app/remove")
	says(t, page, http.StatusConflict, "only way you can sign in")
	leads(t, b.post("/account/change"), web.SetUpPath)
	says(t, b.post("/account/set-up/password", "password", "centre.example"), http.StatusUnprocessableEntity, "Too easy to guess")
	leads(t, b.post("/account/set-up/password", "password", "five frogs leap over slow rivers"), "/account")
	w.later(6 * time.Minute)
	leads(t, b.get(web.SetUpPath), "/account") // the back button
	says(t, b.post("/account/set-up/password", "password", "seven swans swim under moons"), http.StatusOK, "Confirm that it is you")
	says(t, b.post("/account/codes"), http.StatusOK, "Confirm that it is you")
	if got := b.post("/account/set-up/passkey/options").Code; got != http.StatusForbidden {
		t.Errorf("a stale session makes a passkey: %d", got)
	}
	again := w.browser()
	says(t, again.post("/sign-in", "email", analyst, "password", pass), http.StatusUnprocessableEntity, "wrong")
	leads(t, again.post("/sign-in", "email", analyst, "password", "five frogs leap over slow rivers"), "/sign-in/second")
	leads(t, again.post("/sign-in/second", "code", d.code(w)), "/")
}

// TestDemonstration: where links enter, they do at once, and what cannot be
// taken back asks nothing of somebody who has nothing to prove it with.
func TestDemonstration(t *testing.T) {
	w := newWorld(t, func(c *identity.Config) { c.LinksEnter = true })
	ana := w.person(analyst, sector.Analyst, "", "")
	b := w.browser()
	token := strings.TrimPrefix(w.link(ana), "/enrol#")
	leads(t, b.post("/enrol", "token", token), "/")
	w.later(10 * time.Minute)
	says(t, b.post("/release", "text", "shown"), http.StatusOK, "shown")
	leads(t, b.post("/account/change"), web.SetUpPath)
	b.app(pass)
	w.later(10 * time.Minute)
	says(t, b.post("/release", "text", "shown"), http.StatusOK, "Confirm that it is you")
}

// TestNobodyWaitsInASetUp: who knew the first password, and opened the set-up
// page before its owner was done there, cannot set up a way of its own.
func TestNobodyWaitsInASetUp(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	thief, owner := w.browser(), w.browser()
	leads(t, thief.post("/sign-in", "email", analyst, "password", pass), web.SetUpPath)
	thief.get(web.SetUpPath)
	leads(t, owner.post("/sign-in", "email", analyst, "password", pass), web.SetUpPath)
	owner.app("")
	leads(t, thief.get(web.SetUpPath), "/sign-in?next="+url.QueryEscape(web.SetUpPath))
	if got := thief.post("/account/set-up/app", "code", "000000").Code; got != http.StatusSeeOther {
		t.Errorf("the thief goes on: %d", got)
	}
	if !owner.inside() {
		t.Error("the owner is out")
	}
}

// TestClockSetBack: when the server's clock is set back a session goes on, and
// a proof that now lies ahead is none.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t)
	b, _, _ := w.ready(analyst, sector.Analyst, "")
	w.later(-30 * time.Second)
	says(t, b.post("/release", "text", "x"), http.StatusOK, "inside")
	w.later(-24 * time.Hour)
	if !b.inside() {
		t.Error("the session is over")
	}
	if got := b.post("/release", "text", "x"); strings.Contains(got.Body.String(), "inside: ") {
		t.Error("a proof of tomorrow counts")
	}
	w.later(24*time.Hour + 31*time.Second)
	says(t, b.post("/release", "text", "x"), http.StatusOK, "inside")
}
