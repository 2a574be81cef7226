package machine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/machine"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// newKit is the pages over a real directory with two members; jade-bank is
// that of the invented member administrator.
func newKit(t *testing.T) (*webtest.Kit, *sector.Directory) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), filepath.Join(t.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	dir := sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), webtest.Now)
	for id, name := range map[sector.MemberID]string{"jade-bank": "Jade Valley Bank", "camphor-bank": "Camphor Bank"} {
		if _, err := dir.CreateMember(t.Context(), sector.System(), sector.Member{ID: id, Name: name, NameZh: name + "銀行", Sector: sector.Banking}); err != nil {
			t.Fatal(err)
		}
	}
	kit := webtest.New(t)
	err = machine.Mount(kit.Routes, kit.Shell, machine.Config{Keys: dir, Issuer: dir, Members: dir, BaseURL: "https://centre.example", Now: webtest.Now})
	if err != nil {
		t.Fatal(err)
	}
	return kit, dir
}

func keyOf(t *testing.T, dir *sector.Directory, member sector.MemberID) sector.Key {
	t.Helper()
	k, _, err := dir.IssueKey(t.Context(), sector.System(), sector.KeySpec{
		Member: member, Name: "SIEM", Scopes: sector.Scopes(), Lifetime: 20 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPages(t *testing.T) {
	kit, dir := newKit(t)
	k := keyOf(t, dir, "jade-bank")
	if _, _, err := dir.RotateKey(t.Context(), sector.System(), k.ID, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	gone := keyOf(t, dir, "jade-bank")
	if err := dir.RevokeKey(t.Context(), sector.System(), gone); err != nil {
		t.Fatal(err)
	}
	for role, paths := range map[sector.Role][]string{
		sector.Administrator: {"/keys", "/keys?member=jade-bank&state=expiring", "/keys?state=expired", "/keys/new", "/keys/new?member=camphor-bank",
			"/keys/certificate", "/keys/" + k.ID, "/keys/" + gone.ID, "/keys/" + k.ID + "/revoke"},
		sector.MemberAdmin: {"/keys", "/keys/new", "/keys/" + k.ID, "/keys/" + k.ID + "/revoke"},
	} {
		for _, path := range paths {
			for _, lang := range i18n.Langs() {
				page := kit.Get(t, role, lang, path)
				if page.Status != http.StatusOK {
					t.Errorf("%s as %s: status %d", path, role, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
}

func newKeyForm(member string) url.Values {
	return url.Values{"member": {member}, "name": {"SIEM"}, "scopes": {"records", "taxii"}, "life": {"90"}, "networks": {"192.0.2.0/24\r\n2001:db8::1"}}
}

func TestSecretIsShownOnce(t *testing.T) {
	for _, lang := range i18n.Langs() {
		kit, dir := newKit(t)
		page := kit.Post(t, sector.MemberAdmin, lang, "/keys/new", newKeyForm("jade-bank"))
		webtest.Check(t, page)
		keys, err := dir.Keys(t.Context(), "jade-bank")
		if err != nil || len(keys) != 1 || page.Status != http.StatusCreated || page.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("status %d, cache %q, keys %v, %v", page.Status, page.Header.Get("Cache-Control"), keys, err)
		}
		if k := keys[0]; k.Name != "SIEM" || len(k.Networks) != 2 || k.ExpiresAt.Sub(k.CreatedAt) != 90*24*time.Hour {
			t.Errorf("made %+v", k)
		}
		i := strings.Index(page.Body, "aspis_")
		secret := page.Body[i : i+58]
		if _, err := dir.AuthenticateKey(t.Context(), secret); err == nil || strings.Contains(err.Error(), "key.invalid") {
			t.Errorf("the secret on the page is not that of the key: %v", err)
		}
		if n := strings.Count(page.Body, secret); n != 2 { // to read and to copy
			t.Errorf("the secret stands %d times on the page", n)
		}
		for _, path := range []string{"/keys", "/keys/" + keys[0].ID} {
			if strings.Contains(kit.Get(t, sector.MemberAdmin, lang, path).Body, secret) {
				t.Errorf("%s shows the secret again", path)
			}
		}
		if strings.Contains(kit.Log.String(), secret) {
			t.Error("the secret is in the log")
		}
	}
}

func TestFormSaysWhatIsWrong(t *testing.T) {
	kit, dir := newKit(t)
	for name, change := range map[string]url.Values{
		"no scope":     {"scopes": nil},
		"no member":    {"member": {""}},
		"a stranger":   {"member": {"camphor-bank"}},
		"bad network":  {"networks": {`192.0.2.0/99 "><script>`}},
		"other life":   {"life": {"100000"}},
		"control name": {"name": {"a\x1b[2Jb"}},
	} {
		form := newKeyForm("jade-bank")
		for field, v := range change {
			form[field] = v
		}
		page := kit.Post(t, sector.MemberAdmin, i18n.En, "/keys/new", form)
		if page.Status != http.StatusUnprocessableEntity || strings.Contains(page.Body, "<script>") {
			t.Errorf("%s: status %d", name, page.Status)
		}
		webtest.Check(t, page)
	}
	if keys, err := dir.Keys(t.Context(), "jade-bank"); err != nil || len(keys) > 0 {
		t.Errorf("made %v, %v", keys, err)
	}
}

// TestOthersKeysLookUnknown: a member's administrator gets the same answer
// for another member's key as for one that never was, on every route.
func TestOthersKeysLookUnknown(t *testing.T) {
	kit, dir := newKit(t)
	other := keyOf(t, dir, "camphor-bank")
	credential := other.Credentials[0].ID
	forms := map[string]url.Values{
		"GET /keys/%":         nil,
		"GET /keys/%/revoke":  nil,
		"POST /keys/%":        {"name": {"mine"}, "networks": {""}, "notes": {""}},
		"POST /keys/%/rotate": {"overlap": {"0"}},
		"POST /keys/%/revoke": {},
		"POST /keys/%/credentials/" + credential + "/end": {},
	}
	for route, form := range forms {
		ask := func(id string) webtest.Page {
			method, path, _ := strings.Cut(strings.ReplaceAll(route, "%", id), " ")
			if method == http.MethodGet {
				return kit.Get(t, sector.MemberAdmin, i18n.En, path)
			}
			return kit.Post(t, sector.MemberAdmin, i18n.En, path, form)
		}
		theirs, nobodys := ask(other.ID), ask("nosuchkey0000000")
		clean := func(p webtest.Page, id string) string {
			return strings.ReplaceAll(strings.ReplaceAll(p.Body, id, "ID"), p.Header.Get("X-Request-Id"), "REQUEST")
		}
		if theirs.Status != http.StatusNotFound || clean(theirs, other.ID) != clean(nobodys, "nosuchkey0000000") {
			t.Errorf("%s: %d for another's key, %d for none, or other words", route, theirs.Status, nobodys.Status)
		}
	}
	if strings.Contains(kit.Get(t, sector.MemberAdmin, i18n.En, "/keys?member=camphor-bank").Body, "Camphor") {
		t.Error("the list shows another member")
	}
	if k, err := dir.Key(t.Context(), sector.System(), other.ID); err != nil || !k.RevokedAt.IsZero() || k.Name == "mine" || !k.Credentials[0].EndsAt.IsZero() {
		t.Errorf("another's key was changed: %+v, %v", k, err)
	}
}

func TestRotateAndEndTheFormerSecret(t *testing.T) {
	kit, dir := newKit(t)
	k := keyOf(t, dir, "jade-bank")
	page := kit.Post(t, sector.MemberAdmin, i18n.En, "/keys/"+k.ID+"/rotate", url.Values{"overlap": {"7"}})
	if page.Status != http.StatusCreated || !strings.Contains(page.Body, "aspis_") {
		t.Fatalf("status %d", page.Status)
	}
	page = kit.Get(t, sector.MemberAdmin, i18n.En, "/keys/"+k.ID)
	end := "/keys/" + k.ID + "/credentials/" + k.Credentials[0].ID + "/end"
	if !strings.Contains(page.Body, end) {
		t.Fatal("the former secret cannot be ended from the page")
	}
	if page = kit.Post(t, sector.MemberAdmin, i18n.En, end, nil); page.Status != http.StatusSeeOther {
		t.Errorf("status %d", page.Status)
	}
	got, err := dir.Key(t.Context(), sector.System(), k.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Credentials {
		if former := c.ID == k.Credentials[0].ID; c.Live(webtest.Now()) == former {
			t.Errorf("%+v works: %v", c, !former)
		}
	}
}

func TestChange(t *testing.T) {
	kit, dir := newKit(t)
	k := keyOf(t, dir, "jade-bank")
	page := kit.Post(t, sector.MemberAdmin, i18n.ZhHant, "/keys/"+k.ID, url.Values{"name": {"新名稱"}, "networks": {"198.51.100.7"}, "notes": {"n"}})
	if page.Status != http.StatusSeeOther {
		t.Fatalf("status %d", page.Status)
	}
	got, err := dir.Key(t.Context(), sector.System(), k.ID)
	if err != nil || got.Name != "新名稱" || got.Notes != "n" || len(got.Networks) != 1 || got.Networks[0].String() != "198.51.100.7/32" {
		t.Errorf("%+v, %v", got, err)
	}
	page = kit.Post(t, sector.MemberAdmin, i18n.ZhHant, "/keys/"+k.ID, url.Values{"networks": {"nowhere"}})
	webtest.Check(t, page)
	if page.Status != http.StatusUnprocessableEntity {
		t.Errorf("a network that is none: status %d", page.Status)
	}
}

func TestCertificate(t *testing.T) {
	kit, dir := newKit(t)
	form := newKeyForm("jade-bank")
	form.Set("certificate", clientCertificate(t))
	page := kit.Post(t, sector.Administrator, i18n.En, "/keys/certificate", form)
	if page.Status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", page.Status, page.Body)
	}
	page = kit.Get(t, sector.Administrator, i18n.En, page.Header.Get("Location"))
	webtest.Check(t, page)
	if !strings.Contains(page.Body, "CN=soc.jade.example") {
		t.Error("the page does not say whose certificate it is")
	}
	page = kit.Post(t, sector.Administrator, i18n.En, "/keys/certificate", form)
	webtest.Check(t, page)
	if page.Status != http.StatusUnprocessableEntity || !strings.Contains(page.Body, "bound already") {
		t.Errorf("bound twice: status %d", page.Status)
	}
	keys, err := dir.Keys(t.Context(), "jade-bank")
	if err != nil || len(keys) != 1 {
		t.Fatalf("%v, %v", keys, err)
	}
	replace := url.Values{"certificate": {clientCertificate(t)}, "overlap": {"7"}}
	if page := kit.Post(t, sector.MemberAdmin, i18n.En, "/keys/"+keys[0].ID+"/certificate", replace); page.Status != http.StatusForbidden {
		t.Errorf("a member that binds a certificate: status %d", page.Status)
	}
	if page := kit.Post(t, sector.Administrator, i18n.En, "/keys/"+keys[0].ID+"/certificate", replace); page.Status != http.StatusSeeOther {
		t.Errorf("replacing: status %d", page.Status)
	}
	webtest.Check(t, kit.Get(t, sector.MemberAdmin, i18n.ZhHant, "/keys/"+keys[0].ID))
}

func clientCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soc.jade.example"},
		NotBefore: webtest.Now().Add(-time.Hour), NotAfter: webtest.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
