package notify_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// site is the pages over a world of the kit's people, with something on each
// page unless it is empty.
type site struct {
	*webtest.Kit
	*world
	now  time.Time
	dead string // id of a dead letter of jade-bank's mailbox
	hook string
}

func newSite(t *testing.T, empty bool) *site {
	t.Helper()
	s := &site{Kit: webtest.New(t), world: newWorld(t, newMachine(t)), now: webtest.Now()}
	s.members = []sector.Member{
		{ID: "jade-bank", Name: "Jade Bank", NameZh: "翡翠銀行", Sector: sector.Banking, Mail: "soc@jade.example"},
		{ID: "fir-bank", Name: "Fir Bank", NameZh: "冷杉銀行", Sector: sector.Banking, Mail: "soc@fir.example"},
	}
	s.users = nil
	for _, role := range sector.Roles() {
		v := webtest.Viewer(role)
		s.users = append(s.users, sector.User{ID: v.User, Email: v.Email, Member: v.Member, Roles: v.Roles})
	}
	s.svc.Now = func() time.Time { return s.now }
	cursor, err := seal.New(make([]byte, seal.KeySize), "notices")
	if err != nil {
		t.Fatal(err)
	}
	if err := notify.Mount(s.Routes, s.Shell, s.svc, cursor); err != nil {
		t.Fatal(err)
	}
	if !empty {
		s.fill(t)
	}
	return s
}

// pass lets time go by and does what is due.
func (s *site) pass(t *testing.T, d time.Duration) {
	t.Helper()
	end := s.now.Add(d)
	for {
		j, ok := s.store.take(end)
		if !ok {
			break
		}
		if j.At.After(s.now) {
			s.now = j.At
		}
		if err := s.svc.Handlers()[j.Kind](context.Background(), j.Args); err != nil {
			t.Fatal(err)
		}
	}
	s.now = end
}

func (s *site) fill(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	admin := webtest.Viewer(sector.MemberAdmin)
	h, _, err := s.svc.CreateHook(ctx, admin, "https://hooks.jade.example.org/in", []notify.Topic{notify.WarningOther})
	if err != nil {
		t.Fatal(err)
	}
	s.hook, s.mailFail, s.phones["jade-bank"] = h.ID, errDown, "+886-2-5550-0100"
	s.now = webtest.Now().Add(-72 * time.Hour)
	s.post(notify.WarningOther, "b", "jade-bank", "fir-bank")
	s.pass(t, 70*time.Hour)
	s.mailFail = nil
	s.post(notify.WarningUrgent, "a", "jade-bank")
	s.post(notify.AlertMine, "<c>", "jade-bank")
	s.pass(t, 2*time.Hour)
	letters, _, err := s.svc.DeadLetters(ctx, admin, notify.Place{})
	if err != nil || len(letters) == 0 {
		t.Fatalf("no dead letters: %v", err)
	}
	s.dead = letters[0].ID
}

func TestPages(t *testing.T) {
	full, bare := newSite(t, false), newSite(t, true)
	for _, c := range []struct {
		path  string
		roles []sector.Role
	}{
		{"/notifications", sector.Roles()},
		{"/notifications?show=unread", []sector.Role{sector.MemberStaff}},
		{"/notifications?topic=source", []sector.Role{sector.MemberStaff}},
		{"/notifications/settings", sector.Roles()},
		{"/notifications/mailbox", []sector.Role{sector.MemberAdmin}},
		{"/notifications/webhooks", []sector.Role{sector.MemberAdmin}},
		{"/notifications/webhooks/" + full.hook + "/rotate", []sector.Role{sector.MemberAdmin}},
		{"/notifications/webhooks/" + full.hook + "/remove", []sector.Role{sector.MemberAdmin}},
		{"/notifications/undelivered", []sector.Role{sector.Administrator, sector.DutyManager, sector.MemberAdmin}},
		{"/notifications/desk", []sector.Role{sector.DutyManager, sector.Analyst}},
	} {
		for _, role := range c.roles {
			for _, lang := range i18n.Langs() {
				page := full.Get(t, role, lang, c.path)
				if page.Status != http.StatusOK {
					t.Errorf("%s as %s: status %d", c.path, role, page.Status)
				}
				webtest.Check(t, page)
				if page = bare.Get(t, role, lang, c.path); page.Status == http.StatusOK {
					webtest.Check(t, page)
				}
			}
		}
	}
}

func TestReadingNotifications(t *testing.T) {
	s := newSite(t, false)
	page := s.Get(t, sector.MemberStaff, i18n.En, "/notifications")
	at := strings.Index(page.Body, "/notifications/open/")
	if at < 0 || !strings.Contains(page.Body, "title a") || !strings.Contains(page.Body, "title &lt;c&gt;") {
		t.Fatalf("the list is %s", page.Body)
	}
	open, _, _ := strings.Cut(page.Body[at:], `"`)
	if page := s.Get(t, sector.Executive, i18n.En, open); page.Status != http.StatusNotFound {
		t.Errorf("somebody else opens it: %d", page.Status)
	}
	if page := s.Get(t, sector.MemberStaff, i18n.En, open); page.Status != http.StatusSeeOther || !strings.HasPrefix(page.Header.Get("Location"), "/inbox/") {
		t.Errorf("opened: %d, %s", page.Status, page.Header.Get("Location"))
	}
	before, err := s.svc.Unread(t.Context(), webtest.Viewer(sector.MemberStaff))
	if err != nil || before != 2 {
		t.Errorf("%d unread after one of three, %v", before, err)
	}
	bad := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/read", url.Values{"upto": {"now"}})
	good := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/read", url.Values{"upto": {"1999999999999999"}})
	if bad.Status != http.StatusBadRequest || good.Status != http.StatusSeeOther {
		t.Errorf("read all: %d, %d", bad.Status, good.Status)
	}
	if n, err := s.svc.Unread(t.Context(), webtest.Viewer(sector.MemberStaff)); err != nil || n != 0 {
		t.Errorf("%d unread, %v", n, err)
	}
	if page := s.Get(t, sector.MemberStaff, i18n.En, "/notifications?after=forged"); page.Status != http.StatusBadRequest {
		t.Errorf("a forged cursor: %d", page.Status)
	}
}

func TestTheCountIsLive(t *testing.T) {
	s := newSite(t, false)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	page := s.Do(t, sector.MemberStaff, i18n.En, httptest.NewRequestWithContext(ctx, http.MethodGet, "/notifications/live", nil))
	if page.Status != http.StatusOK || !strings.Contains(page.Body, `event: counts`) || !strings.Contains(page.Body, `{"unread":3}`) {
		t.Errorf("status %d: %s", page.Status, page.Body)
	}
}

func TestSettingsForm(t *testing.T) {
	s := newSite(t, true)
	form := url.Values{"hour": {"17"}, "mode.warning": {"now"}, "mode.warning_urgent": {"off"}, "mode.source": {"now"}}
	if page := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/settings", form); page.Status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", page.Status, page.Body)
	}
	got, err := s.svc.Settings(t.Context(), webtest.Viewer(sector.MemberStaff), false)
	if err != nil || got.Hour != 17 {
		t.Errorf("hour %d, %v", got.Hour, err)
	}
	for _, c := range got.Choices {
		switch {
		case c.Topic == notify.WarningOther && c.Mode != notify.Now:
			t.Error("the choice was not kept")
		case c.Topic == notify.WarningUrgent && c.Mode != notify.Now:
			t.Error("urgent warnings were switched off")
		case c.Topic == notify.SourceHealth:
			t.Error("a member is offered the centre's topics")
		}
	}
	for _, bad := range []url.Values{{"hour": {"25"}}, {"hour": {""}}, {"hour": {"8"}, "mode.warning": {"shout"}}} {
		if page := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/settings", bad); page.Status != http.StatusBadRequest {
			t.Errorf("%v: status %d", bad, page.Status)
		}
	}
	_, public := pgp(t, 0)
	s.now = time.Now()
	if page := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/settings/key", url.Values{"key": {public}}); page.Status != http.StatusSeeOther {
		t.Errorf("key: status %d %s", page.Status, page.Body)
	}
	for _, lang := range i18n.Langs() {
		page := s.Get(t, sector.MemberStaff, lang, "/notifications/settings")
		webtest.Check(t, page)
		if !strings.Contains(page.Body, `class="fingerprint"`) {
			t.Error("the fingerprint is not shown")
		}
	}
	for _, bad := range []string{"", "hello", strings.ReplaceAll(public, "PUBLIC", "PRIVATE")} {
		page := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/settings/key", url.Values{"key": {bad}})
		if page.Status != http.StatusUnprocessableEntity || strings.Contains(page.Body, "PRIVATE KEY BLOCK") && bad == "" {
			t.Errorf("%.20q: status %d", bad, page.Status)
		}
		webtest.Check(t, page)
	}
	if page := s.Post(t, sector.MemberStaff, i18n.En, "/notifications/settings/key/remove", nil); page.Status != http.StatusSeeOther {
		t.Errorf("remove: status %d", page.Status)
	}
}

func TestWebhookPages(t *testing.T) {
	s := newSite(t, true)
	form := url.Values{"url": {"https://hooks.jade.example.org/"}, "topics": {"warning"}}
	page := s.Post(t, sector.MemberAdmin, i18n.ZhHant, "/notifications/webhooks", form)
	if page.Status != http.StatusCreated || strings.Count(page.Body, "whsec_") == 0 {
		t.Fatalf("status %d", page.Status)
	}
	webtest.Check(t, page)
	for _, bad := range []url.Values{{"url": {"https://127.0.0.1/"}, "topics": {"warning"}}, {"url": {"x"}}, {"url": {"https://a.example.org/"}, "topics": {"delivery"}}} {
		page := s.Post(t, sector.MemberAdmin, i18n.En, "/notifications/webhooks", bad)
		if page.Status != http.StatusUnprocessableEntity {
			t.Errorf("%v: status %d", bad, page.Status)
		}
		webtest.Check(t, page)
	}
	hooks, err := s.svc.HooksOf(t.Context(), webtest.Viewer(sector.MemberAdmin))
	if err != nil || len(hooks) != 1 {
		t.Fatal(hooks, err)
	}
	path := "/notifications/webhooks/" + hooks[0].ID
	page = s.Post(t, sector.MemberAdmin, i18n.En, path+"/rotate", nil)
	if page.Status != http.StatusCreated || !strings.Contains(page.Body, "whsec_") {
		t.Errorf("rotate: %d", page.Status)
	}
	webtest.Check(t, page)
	if page := s.Get(t, sector.MemberAdmin, i18n.En, "/notifications/webhooks"); strings.Contains(page.Body, "whsec_") {
		t.Error("the secret is shown again")
	}
	if page := s.Post(t, sector.MemberAdmin, i18n.En, path+"/remove", nil); page.Status != http.StatusSeeOther {
		t.Errorf("remove: %d", page.Status)
	}
}

func TestUndeliveredAndDesk(t *testing.T) {
	s := newSite(t, false)
	own := s.Get(t, sector.MemberAdmin, i18n.En, "/notifications/undelivered").Body
	all := s.Get(t, sector.Administrator, i18n.En, "/notifications/undelivered").Body
	for _, word := range []string{"Fir Bank", "fir.example", "connection refused"} {
		if strings.Contains(own, word) || !strings.Contains(all, word) && word != "fir.example" {
			t.Errorf("%q: the member sees it %v, the centre %v", word, strings.Contains(own, word), strings.Contains(all, word))
		}
	}
	path := "/notifications/undelivered/" + s.dead
	if page := s.Post(t, sector.MemberAdmin, i18n.En, path+"/drop", url.Values{"why": {""}}); page.Status != http.StatusBadRequest {
		t.Errorf("dropped without a reason: %d", page.Status)
	}
	if page := s.Post(t, sector.MemberAdmin, i18n.En, path+"/retry", nil); page.Status != http.StatusSeeOther {
		t.Errorf("retry: %d", page.Status)
	}
	if page := s.Post(t, sector.MemberAdmin, i18n.En, path+"/drop", url.Values{"why": {"old"}}); page.Status != http.StatusNotFound {
		t.Errorf("dropped after the retry: %d", page.Status)
	}
	desk := s.Get(t, sector.DutyManager, i18n.En, "/notifications/desk").Body
	if !strings.Contains(desk, "886-2-5550-0100") || !strings.Contains(desk, "Jade Bank") {
		t.Errorf("the desk shows %s", desk)
	}
	if page := s.Post(t, sector.DutyManager, i18n.En, "/notifications/desk/a/jade-bank", nil); page.Status != http.StatusSeeOther {
		t.Errorf("called: %d", page.Status)
	}
	if page := s.Post(t, sector.DutyManager, i18n.En, "/notifications/desk/a/jade-bank", nil); page.Status != http.StatusNotFound {
		t.Errorf("called twice: %d", page.Status)
	}
}
