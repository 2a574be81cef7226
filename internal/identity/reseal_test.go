package identity_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/sector"
)

func vault(t *testing.T, first ...byte) *secret.Box {
	t.Helper()
	var keys [][]byte
	for _, b := range first {
		keys = append(keys, bytes.Repeat([]byte{b}, secret.KeySize))
	}
	box, err := secret.New(keys...)
	must(t, err)
	return box
}

// TestReseal: what an earlier version sealed by itself, and what a former key
// sealed, opens afterwards with the current key alone; what neither opens is
// counted and left alone.
func TestReseal(t *testing.T) {
	w := newWorld(t)
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	b.post("/sign-in", "email", analyst, "password", pass)
	d := b.app("")
	store := w.db.Identity()
	texts := func() map[string]string {
		all, err := store.SealedTexts(w.ctx())
		must(t, err)
		found := map[string]string{}
		for _, x := range all {
			found[x.Purpose+" "+x.ID] = x.Text
		}
		return found
	}
	was := texts()
	if len(was) != 1 {
		t.Fatalf("%d sealed texts", len(was))
	}
	for key, text := range was { // as the earlier version kept it
		purpose, id, _ := strings.Cut(key, " ")
		old := identity.SealedText{Purpose: purpose, ID: id, Text: text}
		former := old
		former.Text = w.svc.Sealer.Seal(d.secret)
		must(t, store.Reseal(w.ctx(), []identity.SealedText{old}, []identity.SealedText{former}, ledger.Entry{Actor: "system", Action: "test"}))
	}
	w.member("jade-bank")
	lost := identity.Provider{Member: "jade-bank", Issuer: "https://login.example", ClientID: "c", Secret: "cannot be opened", Domains: []string{"jade.example"}, Since: w.now()}
	must(t, store.PutProvider(w.ctx(), lost, ledger.Entry{Actor: "system", Action: "test"}))

	for _, keys := range [][]byte{{8}, {9, 8}, {9}} { // from seal.key; to a new key; the former is gone
		w.svc.Vault = vault(t, keys...)
		want := len(keys) - 1
		if keys[0] == 8 {
			want = 1
		}
		for ; want >= 0; want-- { // the second time there is nothing to do
			if n, lost, err := w.svc.Reseal(w.ctx()); n != want || lost != 1 || err != nil {
				t.Errorf("keys %v: %d sealed, %d lost, %v; want %d", keys, n, lost, err, want)
			}
		}
	}
	if texts()["provider jade-bank"] != lost.Secret {
		t.Error("what does not open was changed")
	}
	w.browser().enter(analyst, d)
	if got := w.actions("program:aspis"); !strings.Contains(got, `secrets.seal{"sealed":1}`) {
		t.Errorf("the ledger says %s", got)
	}
}

// TestSecretsAreBoundToTheirPerson: an app's secret that was copied into
// another person's row opens nothing.
func TestSecretsAreBoundToTheirPerson(t *testing.T) {
	w := newWorld(t)
	thief, d, mallory := w.ready("mallory@centre.example", sector.Analyst, "")
	_, _, ana := w.ready(analyst, sector.Analyst, "")
	store := w.db.Identity()
	mine, err := store.Secrets(w.ctx(), mallory.User)
	must(t, err)
	hers, err := store.Secrets(w.ctx(), ana.User)
	must(t, err)
	must(t, store.Reseal(w.ctx(), []identity.SealedText{{Purpose: "app", ID: string(ana.User), Text: hers.App}},
		[]identity.SealedText{{Purpose: "app", ID: string(ana.User), Text: mine.App}}, ledger.Entry{Actor: "system", Action: "test"}))
	leads(t, thief.post("/sign-out"), "/sign-in")
	b := w.browser()
	leads(t, b.post("/sign-in", "email", analyst, "password", pass), "/sign-in/second")
	if got := b.post("/sign-in/second", "code", d.code(w)); got.Code == http.StatusSeeOther {
		t.Error("another person's app opens the account")
	}
}

// TestBreachedPasswords are refused, in words.
func TestBreachedPasswords(t *testing.T) {
	w := newWorld(t, func(c *identity.Config) { c.Breached = breached{"correct horse battery staple": true} })
	w.person(analyst, sector.Analyst, "", pass)
	b := w.browser()
	leads(t, b.post("/sign-in", "email", analyst, "password", pass), "/account/set-up")
	b.get("/account/set-up")
	says(t, b.post("/account/set-up/app", "code", "000000", "password", "correct horse battery staple"), http.StatusUnprocessableEntity, "others know it")
	b.app("another sentence that nobody guesses")
}

type breached map[string]bool

func (b breached) Holds(password string) (bool, error) { return b[password], nil }
