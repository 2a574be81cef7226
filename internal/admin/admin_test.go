package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/admin/admintest"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func newKit(t *testing.T) (*webtest.Kit, *admintest.Fake) {
	t.Helper()
	kit, fake := webtest.New(t), admintest.New(webtest.Now())
	if err := admin.Mount(kit.Routes, kit.Shell, admin.Config{Members: fake, People: fake, Engines: fake}); err != nil {
		t.Fatal(err)
	}
	return kit, fake
}

func TestPages(t *testing.T) {
	paths := []string{
		"/admin/members", "/admin/members?q=jade&sector=banking", "/admin/members?q=nobody", "/admin/members?sort=name&dir=desc",
		"/admin/members/jade-bank", "/admin/members/camphor-bank", "/admin/members/new",
		"/admin/people", "/admin/people?role=analyst", "/admin/people?q=nobody", "/admin/people/new", "/admin/people/new?member=jade-bank",
		"/admin/health",
	}
	for _, path := range paths {
		for _, lang := range i18n.Langs() {
			kit, fake := newKit(t)
			for range 2 {
				page := kit.Get(t, sector.Administrator, lang, path)
				if page.Status != http.StatusOK {
					t.Errorf("%s: status %d", path, page.Status)
				}
				webtest.Check(t, page)
				fake.Sick = true
			}
		}
	}
}

func TestAnalystSeesNoButtonsOfAdministrators(t *testing.T) {
	kit, _ := newKit(t)
	body := kit.Get(t, sector.Analyst, i18n.En, "/admin/members/jade-bank").Body
	for _, way := range []string{"/keys", "/admin/people/new"} {
		if strings.Contains(body, way) {
			t.Errorf("an analyst is shown %s", way)
		}
	}
	page := kit.Post(t, sector.Analyst, i18n.En, "/admin/members/new", url.Values{"id": {"fir-bank"}})
	if page.Status != http.StatusForbidden {
		t.Errorf("an analyst who adds a member gets %d", page.Status)
	}
}

func TestCreateMember(t *testing.T) {
	good := url.Values{"id": {"fir-bank"}, "name": {"Fir Bank"}, "name_zh": {"冷杉銀行"}, "sector": {"banking"}}
	tests := []struct {
		name   string
		change url.Values
		status int
		shown  string
	}{
		{"good", nil, http.StatusSeeOther, ""},
		{"no id", url.Values{"id": {" "}}, http.StatusUnprocessableEntity, "Fill in this field"},
		{"unknown sector", url.Values{"sector": {"casino"}}, http.StatusUnprocessableEntity, "Choose one of the options"},
		{"taken", url.Values{"id": {"jade-bank"}}, http.StatusUnprocessableEntity, `role="alert"`},
		{"markup", url.Values{"id": {"jade-bank"}, "name": {`"><script>alert(1)</script>`}}, http.StatusUnprocessableEntity, "&lt;script&gt;"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			kit, _ := newKit(t)
			form := url.Values{}
			for name, v := range good {
				form[name] = v
			}
			for name, v := range test.change {
				form[name] = v
			}
			page := kit.Post(t, sector.Administrator, i18n.En, "/admin/members/new", form)
			if page.Status != test.status || !strings.Contains(page.Body, test.shown) {
				t.Errorf("status %d, want %d with %q", page.Status, test.status, test.shown)
			}
			if test.status != http.StatusSeeOther {
				webtest.Check(t, page)
				return
			}
			next := kit.Get(t, sector.Administrator, i18n.En, page.Header.Get("Location"))
			webtest.Check(t, next)
			if !strings.Contains(next.Body, "Fir Bank") || !strings.Contains(next.Body, "flash-good") {
				t.Error("the new member or the message is not shown")
			}
		})
	}
}

func TestInvite(t *testing.T) {
	tests := []struct {
		name   string
		form   url.Values
		status int
	}{
		{"analyst", url.Values{"email": {"a@b.example"}, "role": {"analyst"}}, http.StatusCreated},
		{"member's administrator", url.Values{"email": {"a@b.example"}, "role": {"member-administrator"}, "member": {"jade-bank"}}, http.StatusCreated},
		{"member's administrator without one", url.Values{"email": {"a@b.example"}, "role": {"member-administrator"}}, http.StatusUnprocessableEntity},
		{"member's staff", url.Values{"email": {"a@b.example"}, "role": {"member"}, "member": {"jade-bank"}}, http.StatusUnprocessableEntity},
		{"partner", url.Values{"email": {"a@b.example"}, "role": {"partner"}}, http.StatusCreated},
		{"analyst with one", url.Values{"email": {"a@b.example"}, "role": {"analyst"}, "member": {"jade-bank"}}, http.StatusUnprocessableEntity},
		{"taken", url.Values{"email": {"analyst@aspis.example"}, "role": {"analyst"}}, http.StatusUnprocessableEntity},
	}
	for _, test := range tests {
		kit, _ := newKit(t)
		page := kit.Post(t, sector.Administrator, i18n.En, "/admin/people/new", test.form)
		if page.Status != test.status {
			t.Errorf("%s: status %d, want %d", test.name, page.Status, test.status)
		}
		webtest.Check(t, page)
		if test.status == http.StatusCreated && !strings.Contains(page.Body, "http://example.com/enrol#"+admintest.Secret) {
			t.Errorf("%s: no link on the page", test.name)
		}
	}
}

// TestTheCentreHoldsNoLinkOfMembersStaff: whoever holds a sign-in link sets
// the password.
func TestTheCentreHoldsNoLinkOfMembersStaff(t *testing.T) {
	for role, status := range map[sector.Role]int{
		sector.MemberStaff: http.StatusForbidden, sector.Executive: http.StatusForbidden,
		sector.MemberAdmin: http.StatusCreated, sector.Supervisor: http.StatusCreated, sector.Analyst: http.StatusCreated,
	} {
		kit, _ := newKit(t)
		page := kit.Post(t, sector.Administrator, i18n.En, "/admin/people/u-"+string(role)+"/link", nil)
		if page.Status != status {
			t.Errorf("%s: status %d, want %d", role, page.Status, status)
		}
		shown := strings.Contains(kit.Get(t, sector.Administrator, i18n.En, "/admin/people?role="+string(role)).Body, "/u-"+string(role)+"/link")
		if shown != (status == http.StatusCreated) {
			t.Errorf("%s: the button is shown: %v", role, shown)
		}
	}
}

func TestPagingVisitsEveryMemberOnce(t *testing.T) {
	kit, fake := newKit(t)
	for i := range 40 {
		id := sector.MemberID("zz-" + strings.Repeat("a", i%7+1) + string(rune('a'+i%26)))
		_, _ = fake.CreateMember(t.Context(), sector.System(), sector.Member{ID: id, Name: "N", NameZh: "名", Sector: sector.Banking})
	}
	all, _ := fake.Members(t.Context())
	seen := map[string]int{}
	for path := "/admin/members?sort=name&dir=desc"; path != ""; {
		doc := kit.Get(t, sector.Administrator, i18n.En, path).Doc(t)
		for _, tr := range webtest.Find(doc, func(n *html.Node) bool { return webtest.Attr(n, "data-href") != "" }) {
			seen[webtest.Attr(tr, "data-href")]++
		}
		path = ""
		for _, a := range webtest.Find(doc, func(n *html.Node) bool { return webtest.Attr(n, "rel") == "next" }) {
			path = webtest.Attr(a, "href")
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d members seen, there are %d", len(seen), len(all))
	}
	for href, n := range seen {
		if n != 1 {
			t.Errorf("%s seen %d times", href, n)
		}
	}
}
