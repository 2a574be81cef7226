package home_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/home/hometest"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func newKit(t *testing.T, src *hometest.Source) *webtest.Kit {
	t.Helper()
	kit := webtest.New(t)
	src.Now = webtest.Now
	if err := home.Mount(kit.Routes, kit.Shell, src, webtest.Now); err != nil {
		t.Fatal(err)
	}
	return kit
}

func TestHomeForEveryRole(t *testing.T) {
	for _, src := range []*hometest.Source{{}, {Empty: true}} {
		kit := newKit(t, src)
		for _, role := range sector.Roles() {
			for _, lang := range i18n.Langs() {
				page := kit.Get(t, role, lang, "/")
				if page.Status != http.StatusOK {
					t.Errorf("%s: status %d", role, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
}

// TestHomesDifferByRole: each home has its own parts, and none that its reader
// may not open.
func TestHomesDifferByRole(t *testing.T) {
	kit := newKit(t, &hometest.Source{})
	for role, want := range map[sector.Role]struct{ shown, hidden []string }{
		sector.MemberStaff:   {[]string{`id="owed-title"`, `id="seen-title"`, `id="standing-title"`, "/inbox/w1#answer", "/rejected"}, []string{"queue-title"}},
		sector.Executive:     {[]string{`id="owed-title"`, `id="standing-title"`}, []string{"seen-title", "#answer", "/rejected"}},
		sector.DutyManager:   {[]string{`id="queue-title"`, `id="drafts-title"`, `id="overdue-title"`, `id="sources-title"`}, []string{"owed-title"}},
		sector.Administrator: {[]string{`id="drafts-title"`, `id="sources-title"`}, []string{"queue-title", "/alerts/"}},
		sector.Assessor:      {[]string{`id="sources-title"`}, []string{"queue-title", "drafts-title", "overdue-title"}},
		sector.Supervisor:    {[]string{`id="answers-title"`, `id="open-title"`}, []string{"owed-title", "queue-title", "Jade"}},
		sector.Trainee:       {[]string{`href="/search"`}, []string{"owed-title", "queue-title", "answers-title"}},
	} {
		body := kit.Get(t, role, i18n.En, "/").Body
		for _, part := range want.shown {
			if !strings.Contains(body, part) {
				t.Errorf("%s: %s is missing", role, part)
			}
		}
		for _, part := range want.hidden {
			if strings.Contains(body, part) {
				t.Errorf("%s: %s is shown", role, part)
			}
		}
	}
}

// TestAuthoritySeesNothingSmall: the invented numbers of one and two are not
// on the page, nor what would give them away.
func TestAuthoritySeesNothingSmall(t *testing.T) {
	body := newKit(t, &hometest.Source{}).Get(t, sector.Supervisor, i18n.En, "/").Body
	for _, number := range []string{">1<", ">2<", ">40<", ">300<", ">29,000<"} {
		if strings.Contains(body, number) {
			t.Errorf("the page shows %s", number)
		}
	}
	for _, number := range []string{"31,000", "92", "&lt;3"} {
		if !strings.Contains(body, number) {
			t.Errorf("the page does not show %s", number)
		}
	}
}

func TestPlainHomeLeadsOn(t *testing.T) {
	kit := newKit(t, &hometest.Source{})
	kit.Shell.Nav(
		web.NavItem{Phase: web.Readiness, Key: "home.title", Href: "/courses", Icon: "book-open", Need: sector.SignedIn},
		web.NavItem{Phase: web.House, Key: "home.title", Href: "/admin/members", Icon: "users", Need: sector.ReadMembers})
	body := kit.Get(t, sector.PartnerDesk, i18n.En, "/").Body
	if !strings.Contains(body, `class="panel" href="/courses"`) || strings.Contains(body, "/admin/members") {
		t.Error("the partner's home does not lead where it may go, and there alone")
	}
}

func TestBrokenHomeSaysSo(t *testing.T) {
	kit := newKit(t, &hometest.Source{Err: errs.New(errs.Unavailable, "error.unavailable.text")})
	for _, role := range []sector.Role{sector.MemberStaff, sector.Analyst, sector.Supervisor} {
		for _, lang := range i18n.Langs() {
			page := kit.Get(t, role, lang, "/")
			if page.Status != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d", role, page.Status)
			}
			webtest.Check(t, page)
		}
	}
}
