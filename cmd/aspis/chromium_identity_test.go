package main

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/totp"
)

// TestPasskeysInTheBrowser goes through a passkey's life with Chromium's own
// authenticator, in both languages: made after a one-time link or a first
// password, used to sign in without a name, to prove who one is before a key
// is made, and listed with its last use.
func TestPasskeysInTheBrowser(t *testing.T) {
	look := openEyes(t)
	server := serveAt(t, t.TempDir(), "localhost:0")
	if !strings.HasPrefix(server.url, "http://localhost:") {
		t.Fatalf("the server is at %s", server.url)
	}
	var members institutions
	members.found(t, server.data, 1)
	newPerson(t, server.data, "second@centre.example", "administrator")
	link := regexp.MustCompile(`http://localhost:\d+/enrol#\w+`).FindString(server.out.String())
	for _, lang := range i18n.Langs() {
		k := &keyring{tab: look.open(t, server.url, lang), server: server}
		k.plug()
		if lang == i18n.ZhHant {
			k.visit(strings.TrimPrefix(link, server.url))
			k.screenshot("link")
			k.click(`form[action="/enrol"] button`)
		} else {
			k.visit("/sign-in")
			k.screenshot("sign-in")
			k.do(chromedp.SendKeys(chromedp.CSS("#f-email"), "second@centre.example"), chromedp.SendKeys(chromedp.CSS("#f-password"), password))
			k.click(`form[action="/sign-in"] button.wide`)
		}
		k.life(string(members.all[0].ID))
	}
}

// keyring is a window with a security key.
type keyring struct {
	*tab
	server *process
}

func (k *keyring) plug() {
	k.Helper()
	command(k.tab, webauthn.Enable, webauthn.EnableParams{})
	command(k.tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
		HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
}

func (k *keyring) life(member string) {
	k.Helper()
	k.says("account.setup.title", "account.setup.first")
	k.screenshot("set-up")
	k.do(chromedp.SendKeys(chromedp.CSS("#f-name"), "MacBook"))
	k.click(`form[action="/account/set-up/passkey"] button`)
	if at := k.place(); at != "/" {
		k.Fatalf("making a passkey leads to %s", at)
	}
	k.click(`form[action="/sign-out"] button`)
	k.visit("/sign-in?next=%2Fadmin%2Fmembers%2F" + member)
	k.screenshot("sign-in")
	k.click(`form[action="/sign-in/passkey"] button`)
	if at := k.place(); at != "/admin/members/"+member {
		k.Fatalf("signing in with a passkey leads to %s", at)
	}
	age(k, k.server.data)
	k.visit("/keys/new?member=" + member)
	k.check(`input[name="scopes"][value="records"]`)
	k.click(`form[action="/keys/new"] button.primary`)
	k.says("signin.prove.title", "signin.prove.lead")
	k.screenshot("prove")
	k.click(`[data-options="/prove/options"] button`)
	k.says("machine.secret", "machine.secret_lead")
	k.visit("/account")
	k.shows("MacBook")
	k.says("account.sessions", "identity.method.passkey")
	k.screenshot("account")
	k.app()
	for name, path := range map[string]string{
		"recoveries": "/admin/recovery", "provider": "/admin/members/" + member + "/provider", "institution": "/sign-in/institution",
	} {
		k.visit(path)
		k.screenshot(name)
	}
	k.drafts()
	k.visit("/notifications")
	k.says("notify.line.way_added")
	k.screenshot("told")
	k.visit("/admin/people")
	k.click(`td a[href$="/sessions"]`)
	k.says("account.ways")
	k.screenshot("sessions")
	age(k, k.server.data)
	k.visit("/account")
	k.click(`form[action="/account/codes"] button`)
	k.says("signin.prove.app", "account.passkeys")
	k.screenshot("prove-both")
}

// app adds an authenticator app beside the passkey, and signs in with it.
func (k *keyring) app() {
	k.Helper()
	k.click(`form[action="/account/change"] button`)
	secret, err := totp.Parse(ask[string](k.tab, `document.querySelector(".app-secret [data-copy]").dataset.copy`))
	if err != nil {
		k.Fatal(err)
	}
	k.do(chromedp.SendKeys(chromedp.CSS("#f-code"), secret.Code(totp.Step(time.Now()))), chromedp.SendKeys(chromedp.CSS("#f-password"), password))
	k.click(`form[action="/account/set-up/app"] button.primary`)
	k.says("account.codes.title")
	k.screenshot("codes")
	code := ask[string](k.tab, `document.querySelector(".recovery-codes code").textContent`)
	k.click(`.codes a.primary`)
	who := ask[string](k.tab, `document.querySelector(".who-mail").textContent`)
	k.click(`form[action="/sign-out"] button`)
	k.do(chromedp.SendKeys(chromedp.CSS("#f-email"), who), chromedp.SendKeys(chromedp.CSS("#f-password"), password))
	k.click(`form[action="/sign-in"] button.wide`)
	k.says("signin.second.title")
	k.screenshot("second")
	k.do(chromedp.SendKeys(chromedp.CSS("#f-code"), code))
	k.click(`form[action="/sign-in/second"] button:not(.primary)`)
	if at := k.place(); at != "/" {
		k.Fatalf("the second step leads to %s", at)
	}
}

// drafts: what was typed comes back after the tab was elsewhere, and lies in
// the browser's storage unreadable; dropped, it is gone.
func (k *keyring) drafts() {
	k.Helper()
	const typed, kept = "ana.chen@centre.example", `Object.keys(localStorage).filter((n) => n.startsWith("draft:")).length`
	k.visit("/people/new")
	k.do(chromedp.SendKeys(chromedp.CSS("#f-addresses"), typed))
	k.until(kept + ` === 1`)
	if text := ask[string](k.tab, `JSON.stringify(localStorage)`); strings.Contains(text, "ana.chen") || strings.Contains(text, "addresses") {
		k.Errorf("the browser's storage holds %s", text)
	}
	k.visit("/account")
	k.visit("/people/new")
	k.until(`document.querySelector("#f-addresses").value === "` + typed + `"`)
	k.screenshot("draft")
	k.click(`.draft button`)
	k.until(kept + ` === 0 && document.querySelector("#f-addresses")?.value === ""`)
}

// age makes everybody's last proof one of long ago.
func age(t testing.TB, data string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "aspis.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE sign_in SET proved_at = 1`); err != nil {
		t.Fatal(err)
	}
}
