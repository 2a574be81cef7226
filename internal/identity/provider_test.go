package identity_test

import (
	"crypto"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

const mei = "mei@jade-bank.example"

func private(c *identity.Config) { c.PrivateProviders = true }

// federated is a world in which jade-bank has a provider of its own, and mei
// is one of its people.
func federated(t *testing.T, alg jose.SignatureAlgorithm) (*world, *provider, sector.Viewer) {
	t.Helper()
	w := newWorld(t, private)
	w.member("jade-bank")
	p := newProvider(t, w, alg)
	p.email = mei
	w.trust("jade-bank", p, "jade-bank.example")
	return w, p, w.person(mei, sector.MemberStaff, "jade-bank", "")
}

func (w *world) trust(m sector.MemberID, p *provider, domains ...string) {
	w.t.Helper()
	w.must(w.svc.SaveProvider(w.ctx(), sector.System(), identity.Provider{Member: m, Issuer: p.issuer(), ClientID: clientID, Domains: domains}, clientSecret))
}

var goThere = regexp.MustCompile(`href="([^"]*/authorize\?[^"]*)"`)

// away goes from a page that leads to the provider, through it, and returns
// where it sends the browser back to.
func (b *browser) away(page *httptest.ResponseRecorder) string {
	b.t.Helper()
	found := goThere.FindStringSubmatch(page.Body.String())
	if page.Code != http.StatusOK || found == nil {
		b.t.Fatalf("no way to the provider: %d %s", page.Code, plain(page.Body.String()))
	}
	r, err := http.NewRequestWithContext(b.ctx(), http.MethodGet, html.UnescapeString(found[1]), nil)
	b.must(err)
	resp, err := http.DefaultTransport.RoundTrip(r)
	b.must(err)
	b.must(resp.Body.Close())
	back, err := url.Parse(resp.Header.Get("Location"))
	b.must(err)
	if !strings.HasPrefix(back.String(), b.base+"/sign-in/institution/") {
		b.t.Fatalf("the provider sends to %s", back)
	}
	return back.RequestURI()
}

func (b *browser) institution(email string) string {
	b.t.Helper()
	return b.away(b.post("/sign-in/institution", "email", email, "next", "/inside"))
}

func TestInstitution(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		w, _, v := federated(t, alg)
		b := w.browser()
		for _, lang := range i18n.Langs() {
			b.lang = lang
			b.get("/sign-in/institution?next=/inside")
			b.post("/sign-in/institution", "email", mei)
		}
		back := b.institution(mei)
		leads(t, b.do(http.MethodGet, back, nil), "/inside")
		if !b.inside() {
			t.Errorf("%s: not inside", alg)
		}
		says(t, w.browser().get(back), http.StatusBadRequest, "does not belong to a sign-in that is open in this browser")
		delete(b.cookies, "aspis")
		says(t, b.get(back), http.StatusBadRequest, "does not belong")
		if got := w.actions("user:" + string(v.User)); !strings.Contains(got, `session.start{"method":"institution"}`) {
			t.Errorf("the ledger says %s", got)
		}
	}
}

// TestInstitutionRefusals: each is one thing wrong with a token that is
// otherwise good.
func TestInstitutionRefusals(t *testing.T) {
	w, p, _ := federated(t, jose.ES256)
	w.member("other-bank")
	w.person("zoe@other-bank.example", sector.MemberStaff, "other-bank", "")
	w.person("gone@jade-bank.example", sector.Analyst, "", "")
	stranger := newKey(t, jose.ES256)
	claim := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	tests := map[string]struct {
		claims func(map[string]any)
		signer crypto.Signer
		says   string
	}{
		"nobody we know":             {claims: claim("email", "new@jade-bank.example"), says: "no account here"},
		"another member's person":    {claims: claim("email", "zoe@other-bank.example"), says: "no account here"},
		"the centre's person":        {claims: claim("email", "gone@jade-bank.example"), says: "no account here"},
		"a look-alike":               {claims: claim("email", "m\u0435i@jade-bank.example"), says: "no account here"},
		"no address":                 {claims: func(c map[string]any) { delete(c, "email") }, says: "no account here"},
		"an address nobody verified": {claims: claim("email_verified", false), says: "no account here"},
		"another audience":           {claims: claim("aud", "other-client"), says: "cannot be trusted"},
		"another issuer":             {claims: claim("iss", "https://evil.example"), says: "cannot be trusted"},
		"another nonce":              {claims: claim("nonce", "x"), says: "cannot be trusted"},
		"expired":                    {claims: claim("exp", time.Now().Add(-time.Hour).Unix()), says: "cannot be trusted"},
		"a stranger's key":           {signer: stranger, says: "cannot be trusted"},
	}
	for name, test := range tests {
		p.claims, p.signer = test.claims, test.signer
		b := w.browser()
		got := b.get(b.institution(mei))
		if got.Code != http.StatusForbidden || !strings.Contains(plain(got.Body.String()), test.says) {
			t.Errorf("%s: %d %s", name, got.Code, plain(got.Body.String()))
		}
		if b.inside() {
			t.Errorf("%s: inside", name)
		}
	}
	p.claims, p.signer = nil, nil
	b := w.browser()
	back := b.institution(mei)
	says(t, b.get(strings.Replace(back, "state=", "state=x", 1)), http.StatusBadRequest, "does not belong")
	b = w.browser()
	says(t, b.get(strings.Replace(b.institution(mei), "code=", "code=x", 1)), http.StatusForbidden, "cannot be trusted")
	b = w.browser()
	back = b.institution(mei)
	w.later(11 * time.Minute)
	says(t, b.get(back), http.StatusBadRequest, "longer than ten minutes")
	p.deny = true
	b = w.browser()
	says(t, b.get(b.institution(mei)), http.StatusForbidden, "did not let you in")
}

// TestOneProviderVouchesForNobodyElses: neither by its claims nor by being
// answered at another's address.
func TestOneProviderVouchesForNobodyElses(t *testing.T) {
	w, _, _ := federated(t, jose.RS256)
	w.member("other-bank")
	w.person("zoe@other-bank.example", sector.MemberStaff, "other-bank", "")
	other := newProvider(t, w, jose.RS256)
	w.trust("other-bank", other, "other-bank.example")
	other.email = mei // it claims to know somebody of jade-bank
	b := w.browser()
	back := b.institution("zoe@other-bank.example")
	says(t, b.get(back), http.StatusForbidden, "no account here")
	b = w.browser()
	back = b.institution("zoe@other-bank.example")
	says(t, b.get(strings.Replace(back, "/other-bank?", "/jade-bank?", 1)), http.StatusBadRequest, "does not belong")
	err := w.svc.SaveProvider(w.ctx(), sector.System(), identity.Provider{Member: "other-bank", Issuer: other.issuer(), ClientID: clientID, Domains: []string{"JADE-bank.example"}}, "")
	if !errs.Is(err, errs.Conflict) {
		t.Errorf("another member's domain: %v", err)
	}
}

// TestUnreachableProvider says so, and the way in here stays open.
func TestUnreachableProvider(t *testing.T) {
	w, p, v := federated(t, jose.ES256)
	b := w.browser()
	leads(t, b.post("/enrol", "token", strings.TrimPrefix(w.link(v), "/enrol#")), "/account/set-up")
	d := b.app(pass)
	gone := w.browser()
	back := gone.institution(mei)
	p.server.Close()
	for _, lang := range i18n.Langs() {
		c := w.browser()
		c.lang = lang
		page := c.post("/sign-in/institution", "email", mei)
		if page.Code != http.StatusUnprocessableEntity && page.Code != http.StatusServiceUnavailable {
			t.Errorf("it answers %d", page.Code)
		}
	}
	says(t, w.browser().post("/sign-in/institution", "email", mei), http.StatusUnprocessableEntity, "does not answer")
	says(t, gone.get(back), http.StatusServiceUnavailable, "does not answer")
	w.browser().enter(mei, d)
	says(t, w.browser().post("/sign-in/institution", "email", "x@nowhere.example"), http.StatusUnprocessableEntity, "No institution has set up")
}

// TestInstitutionProvesAgain: in a second tab, and the form in the first goes
// on with what was typed.
func TestInstitutionProvesAgain(t *testing.T) {
	w, p, _ := federated(t, jose.ES256)
	b := w.browser()
	leads(t, b.do(http.MethodGet, b.institution(mei), nil), "/inside")
	w.later(6 * time.Minute)
	says(t, b.post("/release", "text", "typed"), http.StatusOK, "Sign in at your institution")
	p.claims = func(c map[string]any) { c["auth_time"] = w.now().Add(-time.Hour).Unix() }
	says(t, b.get(b.away(b.post("/prove/institution"))), http.StatusForbidden, "did not ask you again")
	says(t, b.post("/release", "text", "typed"), http.StatusOK, "Confirm that it is you")
	p.claims = nil
	for _, lang := range i18n.Langs() {
		b.lang = lang
		if got := b.get(b.away(b.post("/prove/institution"))); got.Code != http.StatusOK {
			t.Fatalf("%d %s", got.Code, plain(got.Body.String()))
		}
	}
	says(t, b.post("/release", "text", "typed"), http.StatusOK, "inside: "+mei+" typed")
}

func TestProviderPages(t *testing.T) {
	w := newWorld(t, private)
	w.member("jade-bank")
	p := newProvider(t, w, jose.RS256)
	chief, _, _ := w.ready("chief@centre.example", sector.Administrator, "")
	path := "/admin/members/jade-bank/provider"
	for _, lang := range i18n.Langs() {
		chief.lang = lang
		page := chief.get(path)
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), w.base+"/sign-in/institution/jade-bank") {
			t.Errorf("%d without the address to come back to", page.Code)
		}
	}
	chief.lang = i18n.En
	good := []string{"issuer", p.issuer(), "client", clientID, "secret", clientSecret, "domains", "jade-bank.example\n翠玉.example"}
	for words, change := range map[string][2]string{
		"does not answer as an OpenID": {"issuer", p.issuer() + "/nothing"},
		"must be an https address":     {"issuer", "login.example?x=1"},
		"is not a domain":              {"domains", "no_domain"},
		"Issuer":                       {"issuer", ""},
	} {
		form := append([]string(nil), good...)
		for i := 0; i < len(form); i += 2 {
			if form[i] == change[0] {
				form[i+1] = change[1]
			}
		}
		page := chief.post(path, form...)
		says(t, page, http.StatusUnprocessableEntity, words)
		if strings.Contains(page.Body.String(), html.EscapeString(clientSecret)) {
			t.Error("the secret comes back")
		}
	}
	leads(t, chief.post(path, good...), path)
	page := chief.get(path)
	says(t, page, http.StatusOK, "xn--")
	if strings.Contains(page.Body.String(), html.EscapeString(clientSecret)) {
		t.Error("the secret is shown")
	}
	kept, err := w.db.Identity().Provider(w.ctx(), "jade-bank")
	if err != nil || strings.Contains(kept.Secret, clientSecret) {
		t.Errorf("the secret lies open: %v", err)
	}
	leads(t, chief.post(path+"/remove"), "/admin/members/jade-bank")
	says(t, chief.post(path+"/remove"), http.StatusNotFound, "no sign-in of its own")
}

// TestProvidersAreOutside: without being told otherwise the program asks no
// private address, whatever a name leads to, and nobody without TLS.
func TestProvidersAreOutside(t *testing.T) {
	w := newWorld(t)
	w.member("jade-bank")
	p := newProvider(t, w, jose.ES256)
	for _, issuer := range []string{p.issuer(), "https://localhost:9", "https://169.254.169.254", "https://[::ffff:10.0.0.1]", "https://10.0.0.1"} {
		err := w.svc.SaveProvider(w.ctx(), sector.System(), identity.Provider{Member: "jade-bank", Issuer: issuer, ClientID: "c", Domains: []string{"a.example"}}, "s")
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	if err := w.svc.SaveProvider(w.ctx(), sector.System(), identity.Provider{Member: "jade-bank", Issuer: "https://localhost:9", ClientID: "c", Domains: []string{"a.example"}}, "s"); !strings.Contains(err.Error(), "a private address") {
		t.Errorf("not refused before connecting: %v", err)
	}
}

// TestEndlessProvider: an answer without an end is read up to a bound.
func TestEndlessProvider(t *testing.T) {
	w := newWorld(t, private)
	w.member("jade-bank")
	endless := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		for chunk := []byte(strings.Repeat(" ", 64<<10)); ; {
			if _, err := rw.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	err := w.svc.SaveProvider(w.ctx(), sector.System(), identity.Provider{Member: "jade-bank", Issuer: endless.URL, ClientID: "c", Domains: []string{"a.example"}}, "s")
	if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
}

// TestAskingIsBounded: neither questions for passkeys nor departures can be
// asked for without end from one network.
func TestAskingIsBounded(t *testing.T) {
	w, _, _ := federated(t, jose.ES256)
	b := w.browser()
	asked := 0
	for asked < 200 && b.do(http.MethodPost, "/sign-in/passkey/options", url.Values{}).Code == http.StatusOK {
		asked++
	}
	departed := 0
	for departed < 200 && b.do(http.MethodPost, "/sign-in/institution", url.Values{"email": {mei}}).Code == http.StatusOK {
		departed++
	}
	if asked < 60 || asked > 80 || departed < 30 || departed > 40 {
		t.Errorf("%d questions, %d departures", asked, departed)
	}
}
