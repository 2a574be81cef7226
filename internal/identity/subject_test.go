package identity_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// TestSubject: after the first time a person is who the provider's sub names,
// whatever address stands beside it, until an administrator lets the next
// account in.
func TestSubject(t *testing.T) {
	w, p, v := federated(t, jose.ES256)
	w.person("zoe@jade-bank.example", sector.MemberStaff, "jade-bank", "")
	come := func(email, sub string) *browser {
		t.Helper()
		p.claims = func(c map[string]any) { c["email"], c["sub"] = email, sub }
		b := w.browser()
		b.get(b.institution(mei))
		return b
	}
	if !come(mei, "1").inside() {
		t.Fatal("not inside the first time")
	}
	for name, c := range map[string]struct {
		email, sub string
		inside     bool
	}{
		"the same":                         {mei, "1", true},
		"who has married":                  {"mei.chen@jade-bank.example", "1", true},
		"whose address is not in the list": {"mei@elsewhere.example", "1", true},
		"who was given mei's address":      {mei, "2", false},
		"without a sub":                    {mei, "", false},
	} {
		if got := come(c.email, c.sub); got.inside() != c.inside {
			t.Errorf("%s: inside is %v", name, !c.inside)
		}
	}
	b := w.browser()
	p.claims = func(c map[string]any) { c["sub"] = "2" }
	says(t, b.get(b.institution(mei)), http.StatusForbidden, "another account than the one you first signed in with")

	chief, _, _ := w.ready("chief@centre.example", sector.Administrator, "")
	path := "/admin/people/" + string(v.User) + "/sessions"
	for _, lang := range i18n.Langs() {
		chief.lang = lang
		chief.get(path)
	}
	says(t, chief.get(path), http.StatusOK, "Account at the institution")
	leads(t, chief.post("/admin/people/"+string(v.User)+"/subject/forget"), path)
	if !come(mei, "2").inside() || come(mei, "1").inside() {
		t.Error("the next account is not the one that was let in")
	}
}

// TestSubjectsOfTwoMembers: the same provider may serve two members; neither's
// sub opens the other's people.
func TestSubjectsOfTwoMembers(t *testing.T) {
	w, p, _ := federated(t, jose.ES256)
	w.member("other-bank")
	w.person("zoe@other-bank.example", sector.MemberStaff, "other-bank", "")
	w.trust("other-bank", p, "other-bank.example")
	come := func(to, email, sub string) *browser {
		t.Helper()
		p.claims = func(c map[string]any) { c["email"], c["sub"] = email, sub }
		b := w.browser()
		b.get(b.institution(to))
		return b
	}
	if !come(mei, mei, "1").inside() {
		t.Fatal("not inside")
	}
	if come("zoe@other-bank.example", mei, "1").inside() {
		t.Error("a sub of one member's opens another's")
	}
}

// TestProvidersClock: a provider whose clock is some minutes off is believed,
// one that says that somebody signed in tomorrow is not.
func TestProvidersClock(t *testing.T) {
	for off, want := range map[time.Duration]int{
		-4 * time.Minute: http.StatusOK, 4 * time.Minute: http.StatusOK, -10 * time.Minute: http.StatusForbidden, 24 * time.Hour: http.StatusForbidden,
	} {
		w, p, _ := federated(t, jose.ES256)
		b := w.browser()
		leads(t, b.do(http.MethodGet, b.institution(mei), nil), "/inside")
		w.later(6 * time.Minute)
		p.claims = func(c map[string]any) { c["auth_time"] = w.now().Add(off).Unix() }
		if got := b.get(b.away(b.post("/prove/institution"))); got.Code != want {
			t.Errorf("a clock that is off by %s: %d %s", off, got.Code, plain(got.Body.String()))
		}
	}
}
