package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// TestInvitation: reading a link uses nothing up, the button does, and a way
// to sign in comes before everything else.
func TestInvitation(t *testing.T) {
	w := newWorld(t)
	w.member("jade-bank")
	mei := w.person("mei@jade-bank.example", sector.MemberStaff, "jade-bank", "")
	path := w.link(mei)
	token := strings.TrimPrefix(path, "/enrol#")
	b := w.browser()
	for _, lang := range i18n.Langs() { // scanners of mail read links too
		b.lang = lang
		if page := b.get(path); page.Code != http.StatusOK || page.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Fatalf("the link shows %d, referrer %q", page.Code, page.Header().Get("Referrer-Policy"))
		}
	}
	b.lang = i18n.En
	leads(t, b.post("/enrol", "token", " "+w.base+path+"\n"), web.SetUpPath) // as people paste it without scripts
	if b.inside() {
		t.Error("a link alone leads inside")
	}
	b.get(web.SetUpPath)
	says(t, b.post("/account/set-up/app", "code", "1", "password", ""), http.StatusUnprocessableEntity, "New password")
	says(t, b.post("/account/set-up/app", "code", "000000", "password", "jade-bank.example1"), http.StatusUnprocessableEntity, "Too easy to guess")
	says(t, b.post("/account/set-up/app", "code", "000000", "password", "翠玉商業銀行翠玉商業銀行"), http.StatusUnprocessableEntity, "Too easy to guess")
	d := b.app(pass)
	if !b.inside() {
		t.Error("not inside after setting up")
	}
	w.browser().enter("mei@jade-bank.example", d)
	for _, lang := range i18n.Langs() {
		again := w.browser()
		again.lang = lang
		page := again.post("/enrol", "token", token)
		if page.Code != http.StatusBadRequest {
			t.Errorf("the link works twice: %d", page.Code)
		}
		if lang == i18n.En {
			says(t, page, http.StatusBadRequest, "used already or has expired. If you used it yourself, sign in the way you set up then")
		}
	}
	late := strings.TrimPrefix(w.link(mei), "/enrol#")
	w.later(2 * time.Hour)
	says(t, w.browser().post("/enrol", "token", late), http.StatusBadRequest, "has expired")
	for _, broken := range []string{"", "https://localhost:8080/enrol#", strings.Repeat("x", 300)} {
		says(t, w.browser().post("/enrol", "token", broken), http.StatusUnprocessableEntity, "The link, or its code")
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the token is in the log")
	}
}

// TestRecoveryEndsWhatWasThere: whoever holds the account's old sessions and
// its old password is out.
func TestRecoveryEndsWhatWasThere(t *testing.T) {
	w := newWorld(t)
	thief, _, ana := w.ready(analyst, sector.Analyst, "")
	b := w.browser()
	leads(t, b.post("/enrol", "token", strings.TrimPrefix(w.link(ana), "/enrol#")), web.SetUpPath)
	if thief.inside() {
		t.Error("the old session goes on")
	}
	b.get(web.SetUpPath)
	says(t, b.post("/account/set-up/app", "code", "000000", "password", ""), http.StatusUnprocessableEntity, "New password")
	d := b.app("a wholly different sentence")
	says(t, w.browser().post("/sign-in", "email", analyst, "password", pass), http.StatusUnprocessableEntity, "wrong")
	w.later(time.Minute)
	again := w.browser()
	leads(t, again.post("/sign-in", "email", analyst, "password", "a wholly different sentence"), "/sign-in/second")
	leads(t, again.post("/sign-in/second", "code", d.code(w)), "/")
}

// TestSecondPerson: an administrator's recovery is asked for by one and
// confirmed by another; neither the one who asks nor the one it is for can.
func TestSecondPerson(t *testing.T) {
	w := newWorld(t)
	ben, _, benV := w.ready("ben@centre.example", sector.Administrator, "")
	cho, choD, choV := w.ready("cho@centre.example", sector.Administrator, "")
	_, _, lostV := w.ready("lost@centre.example", sector.Administrator, "")
	if _, err := w.svc.CreateLink(w.ctx(), benV, w.person("new@centre.example", sector.Administrator, "", "").User, time.Hour); err != nil {
		t.Errorf("the invitation of a new administrator: %v", err)
	}
	if _, err := w.svc.CreateLink(w.ctx(), benV, lostV.User, time.Hour); !errs.Is(err, errs.Conflict) {
		t.Fatalf("one administrator alone: %v", err)
	}
	for _, lang := range i18n.Langs() {
		ben.lang = lang
		ben.get("/admin/recovery")
	}
	ben.lang = i18n.En
	says(t, ben.get("/admin/recovery"), http.StatusOK, "lost@centre.exampleben@centre.example")
	waiting, err := w.svc.Waiting(w.ctx(), choV)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%+v, %v", waiting, err)
	}
	confirm := "/admin/recovery/" + waiting[0].ID + "/confirm"
	says(t, ben.post(confirm), http.StatusForbidden, "Another administrator must confirm it")
	w.later(6 * time.Minute)
	asked := cho.post(confirm)
	says(t, asked, http.StatusOK, "Confirm that it is you")
	done := cho.post(confirm, "proof-password", pass, "proof-code", choD.code(w))
	says(t, done, http.StatusCreated, "Give this link to lost@centre.example")
	for _, lang := range i18n.Langs() { // the page again, in both languages
		cho.lang = lang
		if got := cho.post(confirm).Code; got != http.StatusNotFound {
			t.Errorf("confirmed twice: %d", got)
		}
		cho.get("/admin/recovery")
	}
	link := strings.SplitN(strings.SplitN(done.Body.String(), w.base+"/enrol#", 2)[1], "<", 2)[0]
	leads(t, w.browser().post("/enrol", "token", link), web.SetUpPath)
	if got := w.actions("user:" + string(lostV.User)); !strings.Contains(got, "recovery.ask") || !strings.Contains(got, "recovery.confirm") || !strings.Contains(got, `"why":"recovery"`) {
		t.Errorf("the ledger says %s", got)
	}
}

// TestMembersAdministratorsKeepToTheirOwn: nobody recovers another
// institution's people, nor sees that somebody is being recovered.
func TestMembersAdministratorsKeepToTheirOwn(t *testing.T) {
	w := newWorld(t)
	_, _, chief := w.ready("chief@centre.example", sector.Administrator, "")
	_, _, lost := w.ready("lost@centre.example", sector.Administrator, "")
	_, err := w.svc.CreateLink(w.ctx(), chief, lost.User, time.Hour)
	if !errs.Is(err, errs.Conflict) {
		t.Fatal(err)
	}
	outsider := sector.Viewer{Org: sector.MemberOrg, Member: "jade-bank", User: "u", Roles: []sector.Role{sector.MemberAdmin}}
	if waiting, err := w.svc.Waiting(w.ctx(), outsider); err != nil || len(waiting) != 0 {
		t.Errorf("a member sees %+v, %v", waiting, err)
	}
	all, err := w.svc.Waiting(w.ctx(), chief)
	must(t, err)
	if _, _, err := w.svc.ConfirmRecovery(w.ctx(), outsider, all[0].ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("a member confirms: %v", err)
	}
}
