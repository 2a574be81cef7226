package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// provenRoutes are those that ask for a fresh proof.
func provenRoutes() []string {
	return []string{
		"POST /advisories/{id}/release", "POST /advisories/{id}/withdraw", "POST /keys/new", "POST /keys/certificate",
		"POST /keys/{id}/rotate", "POST /keys/{id}/certificate",
		"POST /admin/recovery/{id}/confirm", "POST /admin/people/{id}/subject/forget", "POST /admin/members/{id}/provider", "POST /admin/members/{id}/provider/remove",
		"POST /account/change", "POST /account/codes", "POST /account/app/remove", "POST /account/passkeys/{id}/remove",
		"POST /account/sessions/end", "POST /account/sessions/{id}/end",
		"POST /export/advisories", "POST /export/inbox", "POST /export/alerts", "POST /export/admin/members",
		"POST /export/admin/people", "POST /export/people", "POST /export/events", "POST /export/rejected", "POST /export/ledger", "POST /export/my-ledger", "POST /ledger/{entry}/proof",
		"POST /notifications/webhooks", "POST /notifications/webhooks/{id}/rotate", "POST /tokens",
		"POST /api/v1/drafts/{id}/release", "POST /api/v1/drafts/{id}/approve", "POST /api/v1/drafts/{id}/withdraw",
		"POST /api/v1/members/{id}/keys", "POST /api/v1/members/{id}/certificates", "POST /api/v1/keys/{id}/rotate",
		"POST /api/v1/keys/{id}/certificate", "POST /api/v1/tokens", "POST /api/v1/ledger/{entry}/proof",
		"POST /api/v1/webhooks", "POST /api/v1/webhooks/{id}/rotate",
		"POST /api/v1/people", "POST /api/v1/people/{id}/link", "POST /api/v1/recoveries/{id}/confirm",
		"POST /api/v1/organisation/people", "POST /api/v1/organisation/people/{id}/link",
		"PUT /api/v1/members/{id}/provider", "DELETE /api/v1/people/{id}/subject", "DELETE /api/v1/members/{id}/provider",
		"DELETE /api/v1/sessions", "DELETE /api/v1/sessions/{id}",
		"POST /admin/people/new", "POST /people/new", "POST /admin/people/{id}/link", "POST /people/{id}/link",
		"POST /account/set-up/app", "POST /account/set-up/password", "POST /account/set-up/passkey",
	}
}

// TestWhatAsksForAProof asks the running program for every change as people of
// every role whose last proof is old: these ask for another, and no others do.
func TestWhatAsksForAProof(t *testing.T) {
	p := running(t)
	if _, err := p.directory.CreateMember(t.Context(), sector.System(), sector.Member{ID: "north-bank", Name: "North Bank", NameZh: "北方銀行", Sector: sector.Banking}); err != nil {
		t.Fatal(err)
	}
	var sign []actor
	for _, role := range sector.Roles() {
		u := sector.User{Email: string(role) + "@proof.example", Roles: []sector.Role{role}}
		if u.Org() == sector.MemberOrg {
			u.Member = "north-bank"
		}
		link, err := p.SignInLink(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		cookie := redeem(t, link)
		found, err := p.directory.Person(t.Context(), u.Email)
		if err != nil {
			t.Fatal(err)
		}
		// With something to prove oneself with, the link is no proof any more.
		err = p.engines.db.Identity().AddPasskey(t.Context(), identity.Passkey{
			ID: "key-of-" + string(role), User: found.ID, Name: "x", Record: "{}", CreatedAt: time.Now(),
		}, ledger.Entry{Actor: "system", Action: "credential.add", Object: "user:" + string(found.ID)})
		if err != nil {
			t.Fatal(err)
		}
		sign = append(sign, actor{sector.Viewer{Org: u.Org(), Member: u.Member, User: found.ID, Roles: u.Roles}, func(r *http.Request) { r.AddCookie(cookie) }})
	}
	unasked := provenRoutes()
	for _, route := range p.routeTable {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if !slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, method) || route.Pattern == "POST /sign-out" {
			continue
		}
		for _, a := range sign {
			if !a.viewer.May(route.Need) {
				continue
			}
			asked := asksForProof(t, asker{p.URL(), a.sign}, method, wildcard.ReplaceAllString(path, "x"))
			if want := slices.Contains(provenRoutes(), route.Pattern); asked != want {
				t.Errorf("%s as %v asks for a proof: %v, want %v", route.Pattern, a, asked, want)
			}
			unasked = slices.DeleteFunc(unasked, func(pattern string) bool { return pattern == route.Pattern })
		}
	}
	if len(unasked) > 0 {
		t.Errorf("nobody could ask for %q", unasked)
	}
}

// asksForProof: a page holds the form that was sent; the API refuses.
func asksForProof(t *testing.T, c asker, method, path string) bool {
	t.Helper()
	got := c.ask(t, method, path, url.Values{"text": {"typed"}}.Encode(),
		"Accept", "text/html", "Accept-Language", "en", "Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(path, "/api/") {
		return got.status == http.StatusForbidden && strings.Contains(got.body, "Prove first that it is you")
	}
	return got.status == http.StatusOK && strings.Contains(got.body, `name="text" value="typed"`)
}
