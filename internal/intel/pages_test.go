package intel_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// pagesWorld is the intel pages on a real store, with people to visit them.
type pagesWorld struct {
	*inteltest.World
	kit *webtest.Kit
}

func (w pagesWorld) Users(context.Context) ([]sector.User, error) {
	var users []sector.User
	for _, role := range sector.Roles() {
		v := webtest.Viewer(role)
		users = append(users, sector.User{ID: v.User, Email: v.Email, Roles: v.Roles, Member: v.Member})
	}
	return users, nil
}

// openStore opens a new database and closes it after the test.
func openStore(t *testing.T) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newPagesWorld(t *testing.T) pagesWorld {
	t.Helper()
	w := pagesWorld{inteltest.New(t, openStore(t).Advisories()), webtest.New(t)}
	w.Clock = webtest.Now().Add(-time.Hour)
	w.Sector = append(w.Sector, sector.Member{ID: "jade-bank", Name: "Jade Bank", NameZh: "翠玉銀行", Sector: sector.Banking, Mail: "soc@jade.example"})
	w.Alerts["alert-1"] = intel.Evidence{
		Title: intel.Text{Zh: "可疑的對外連線", En: "Suspicious outbound connections"}, Members: []sector.MemberID{"m1", "m3"},
		Internal: []event.Observable{{Kind: event.ObservableHost, Value: "ws-0417.corp.m1.example"}, {Kind: event.ObservableAccount, Value: `M1\lin.yt`}},
		Observables: []intel.ProposedIndicator{
			{Kind: event.ObservableIPv4, Value: "203.0.113.66", Records: 1240, Members: 2},
			{Kind: event.ObservableDomain, Value: "cdn.update-check.example", Records: 310, Members: 2},
			{Kind: event.ObservableSHA256, Value: strings.Repeat("c0ffee42", 8), Records: 4, Members: 1},
			{Kind: event.ObservableIPv4, Value: "10.1.2.3", Records: 4000, Members: 1},
		},
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err == nil {
		err = intel.Mount(w.kit.Routes, w.kit.Shell, w.Service, w, sealer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// longContent is an advisory with something to read.
func longContent(due time.Time) intel.Content {
	c := inteltest.Content(1, sector.Audience{All: true, Authority: true}, "203.0.113.66", "*.update-check.example", strings.Repeat("c0ffee42", 8))
	c.Title = intel.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"}
	c.Body = intel.Text{
		Zh: "多家機構的端點連往偽冒的軟體更新網站，下載後建立排程並定期回報。\n\n請檢查 DNS 與代理伺服器紀錄，封鎖所列指標，並回覆處理結果。",
		En: "Endpoints at several institutions contacted fake software-update sites. The download creates a scheduled task and reports back at intervals.\n\nCheck DNS and proxy logs, block the indicators below, and answer.",
	}
	c.Category, c.RSIT, c.AnswerDue = intel.EWA, "malicious-code:malware-distribution", due
	return c
}

// populate makes one advisory of each state and returns their ids.
func (w pagesWorld) populate(t *testing.T) map[string]intel.AdvisoryID {
	t.Helper()
	ctx := context.Background()
	out := w.Release(t, w.Draft(t, longContent(webtest.Now().Add(26*time.Hour))), nil)
	leaking := longContent(webtest.Now().Add(time.Hour))
	leaking.Title.En = "Institution Number A was attacked"
	leaking.Body.Zh += "\n主機 WS-0417 位址 10.1.2.3，另請參考測試機構丁。"
	draft, err := w.Service.Draft(ctx, inteltest.Analyst(), []string{"alert-1"})
	if err == nil {
		draft, err = w.Service.Edit(ctx, inteltest.Analyst(), draft.ID, draft.Version, leaking)
	}
	if err != nil {
		t.Fatal(err)
	}
	waiting := w.Draft(t, longContent(webtest.Now().Add(50*time.Hour)))
	if waiting, err = w.Service.Submit(ctx, inteltest.Analyst(), waiting.ID, waiting.Version); err != nil {
		t.Fatal(err)
	}
	gone := w.Withdraw(t, w.Release(t, w.Draft(t, inteltest.Content(9, sector.Audience{All: true}, "198.51.100.9")), nil))
	plain := w.Release(t, w.Draft(t, inteltest.Content(3, sector.Audience{Sectors: []sector.SubSector{sector.Banking}}, "evil.example")), nil)
	for i, kind := range []intel.AnswerKind{intel.Blocked, intel.TrueIncident, intel.NotAffected} {
		if _, err := w.Service.Answer(ctx, w.Viewer(i), out.ID, kind, "端點已隔離 / isolated"); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]intel.AdvisoryID{"out": out.ID, "draft": draft.ID, "waiting": waiting.ID, "gone": gone.ID, "plain": plain.ID}
}

func TestIntelPages(t *testing.T) {
	w := newPagesWorld(t)
	empty := []struct {
		role sector.Role
		path string
	}{{sector.Analyst, "/advisories"}, {sector.MemberStaff, "/inbox"}, {sector.Supervisor, "/figures"}, {sector.Analyst, "/advisories?q=%00%25&state=draft"}}
	for _, lang := range i18n.Langs() {
		for _, e := range empty {
			w.visit(t, e.role, lang, e.path, http.StatusOK)
		}
	}
	ids := w.populate(t)
	for _, lang := range i18n.Langs() {
		for _, path := range []string{"/advisories", "/advisories?state=draft&category=EWA", "/advisories?q=number"} {
			w.visit(t, sector.DutyManager, lang, path, http.StatusOK)
		}
		for _, id := range ids {
			for _, sub := range []string{"", "/edit", "/preview", "/withdraw"} {
				w.visit(t, sector.DutyManager, lang, "/advisories/"+string(id)+sub, http.StatusOK)
			}
		}
		for name, status := range map[string]int{"out": 200, "gone": 200, "plain": 200, "draft": 404, "waiting": 404} {
			w.visit(t, sector.MemberStaff, lang, "/inbox/"+string(ids[name]), status)
		}
		w.visit(t, sector.MemberStaff, lang, "/inbox", http.StatusOK)
		w.visit(t, sector.MemberStaff, lang, "/inbox?q=update&category=EWA", http.StatusOK)
		w.visit(t, sector.Supervisor, lang, "/figures", http.StatusOK)
		w.visit(t, sector.MemberStaff, lang, "/advisories", http.StatusForbidden)
		w.visit(t, sector.Supervisor, lang, "/inbox", http.StatusForbidden)
		w.visit(t, sector.Administrator, lang, "/advisories/"+string(ids["draft"])+"/edit", http.StatusForbidden)
		w.visit(t, sector.Analyst, lang, "/advisories/nonsense", http.StatusNotFound)
	}
}

func (w pagesWorld) visit(t *testing.T, role sector.Role, lang i18n.Lang, path string, status int) webtest.Page {
	t.Helper()
	page := w.kit.Get(t, role, lang, path)
	if page.Status != status {
		t.Errorf("%s as %s: status %d, want %d\n%s", path, role, page.Status, status, w.kit.Log.String())
	}
	webtest.Check(t, page)
	return page
}

// TestComposeToRelease walks the forms: draft from an alert, leaks shown,
// corrected, submitted, refused to the author, released by the second person,
// read and answered by the member, withdrawn.
func TestComposeToRelease(t *testing.T) {
	w := newPagesWorld(t)
	post := func(role sector.Role, path string, form url.Values, status int) webtest.Page {
		t.Helper()
		page := w.kit.Post(t, role, i18n.En, path, form)
		if page.Status != status {
			t.Fatalf("POST %s as %s: %d, want %d\n%s", path, role, page.Status, status, page.Body)
		}
		return page
	}
	at := post(sector.Analyst, "/advisories", url.Values{"alert": {"alert-1"}}, 303).Header.Get("Location")
	base := strings.TrimSuffix(at, "/edit")
	compose := w.visit(t, sector.Analyst, i18n.En, at, 200)
	for _, want := range []string{"203[.]0[.]113[.]66", "Institution Number A", "Suspicious outbound connections"} {
		if !strings.Contains(compose.Body, want) {
			t.Errorf("compose lacks %q", want)
		}
	}
	if strings.Contains(compose.Body, "10[.]1[.]2[.]3") {
		t.Error("an internal address is proposed as an indicator")
	}
	form := url.Values{
		"version": {versionIn(t, compose)}, "title_zh": {"警訊"}, "title_en": {"Warning about m1"}, "body_zh": {"內文"}, "body_en": {"See 10.1.2.3"},
		"tlp": {"AMBER"}, "pap": {"GREEN"}, "category": {"EWA"}, "reach": {"banking"}, "indicators": {"evil[.]example"},
		"propose": {"203.0.113.66"}, "answer_due": {"2026-11-26T12:00"},
	}
	part := post(sector.Analyst, base+"/check", form, 200).Body
	for _, want := range []string{"<mark>m1</mark>", "<mark>10.1.2.3</mark>"} {
		if !strings.Contains(part, want) {
			t.Errorf("the live check lacks %q: %s", want, part)
		}
	}
	post(sector.Analyst, base+"/edit", form, 303)
	preview := w.visit(t, sector.Analyst, i18n.En, base+"/preview", 200)
	if !strings.Contains(preview.Body, "3 members will see it") || strings.Contains(preview.Body, base+"/submit") {
		t.Errorf("preview of a leaking advisory: %s", preview.Body)
	}
	form.Set("title_en", "Warning")
	form.Set("body_en", "Text")
	form.Del("propose")
	form.Set("indicators", "evil[.]example\r\n203.0.113.66")
	stale := form.Get("version")
	conflict := post(sector.Analyst, base+"/edit", form, 409)
	webtest.Check(t, conflict)
	form.Set("version", versionIn(t, w.kit.Get(t, sector.Analyst, i18n.En, base+"/edit")))
	if form.Get("version") == stale {
		t.Fatal("the version did not grow")
	}
	post(sector.Analyst, base+"/edit", form, 303)
	version := func() url.Values {
		return url.Values{"version": {versionIn(t, w.kit.Get(t, sector.DutyManager, i18n.En, base+"/preview"))}}
	}
	post(sector.Analyst, base+"/release", version(), http.StatusForbidden)
	post(sector.Analyst, base+"/submit", version(), 303)
	post(sector.Analyst, base+"/release", url.Values{"version": {fmt.Sprint(w.Get(t, idIn(base)).Version)}}, http.StatusForbidden)
	post(sector.DutyManager, base+"/release", version(), 303)

	inbox := w.visit(t, sector.MemberStaff, i18n.En, "/inbox", 200)
	if !strings.Contains(inbox.Body, "Waiting for your answer") {
		t.Errorf("inbox: %s", inbox.Body)
	}
	item := strings.Replace(base, "/advisories/", "/inbox/", 1)
	w.visit(t, sector.MemberStaff, i18n.En, item, 200)
	webtest.Check(t, post(sector.MemberStaff, item+"/answer", url.Values{"answer": {"false_alarm"}}, 422))
	post(sector.MemberStaff, item+"/answer", url.Values{"answer": {"false_alarm"}, "reason": {"test host"}}, 303)
	detail := w.visit(t, sector.Analyst, i18n.En, base, 200)
	for _, want := range []string{"False alarm", "test host", "Jade Bank"} {
		if !strings.Contains(detail.Body, want) {
			t.Errorf("detail lacks %q", want)
		}
	}
	ask := w.visit(t, sector.Analyst, i18n.En, base+"/withdraw", 200)
	if !strings.Contains(ask.Body, "Withdraw from 3 members") {
		t.Errorf("withdraw: %s", ask.Body)
	}
	post(sector.Analyst, base+"/withdraw", url.Values{"version": {versionIn(t, ask)}}, 422)
	post(sector.Analyst, base+"/withdraw", url.Values{"version": {versionIn(t, ask)}, "reason": {"wrong"}}, 303)
	if page := w.visit(t, sector.MemberStaff, i18n.En, item, 200); !strings.Contains(page.Body, "This advisory is withdrawn") {
		t.Errorf("the member is not told of the withdrawal: %s", page.Body)
	}
}

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

func versionIn(t *testing.T, p webtest.Page) string {
	t.Helper()
	found := versionField.FindStringSubmatch(p.Body)
	if found == nil {
		// No form on the page: the duty inteltest.Manager() cannot act; any version does.
		return "-1"
	}
	return found[1]
}

func idIn(base string) intel.AdvisoryID {
	return intel.AdvisoryID(strings.TrimPrefix(base, "/advisories/"))
}

// Groups implements intel.Groups.
func (w pagesWorld) Groups(context.Context) ([]sector.Group, error) {
	return []sector.Group{{ID: "g1", Name: "Ransomware desk", NameZh: "勒索應變小組"}}, nil
}

// TestComposeForAGroup: the form offers the groups, the preview lists who is
// in them, and an empty one stands in the way of a release.
func TestComposeForAGroup(t *testing.T) {
	for _, lang := range i18n.Langs() {
		w := newPagesWorld(t)
		w.Service.Groups = w
		a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}))
		path := "/advisories/" + string(a.ID)
		page := w.kit.Get(t, sector.Analyst, lang, path+"/edit")
		webtest.Check(t, page)
		if !strings.Contains(page.Body, `name="groups" value="g1"`) {
			t.Fatal("the form does not offer the group")
		}
		form := url.Values{"version": {fmt.Sprint(a.Version)}, "title_zh": {"標題"}, "title_en": {"Title"}, "body_zh": {"內容"}, "body_en": {"Body"},
			"tlp": {"AMBER"}, "pap": {"GREEN"}, "category": {"INT"}, "groups": {"g1"}, "then": {"preview"}}
		if page := w.kit.Post(t, sector.Analyst, lang, path+"/edit", form); page.Status != http.StatusSeeOther {
			t.Fatalf("saving: status %d", page.Status)
		}
		empty := w.kit.Get(t, sector.Analyst, lang, path+"/preview")
		webtest.Check(t, empty)
		w.Sector[2].Groups = []sector.GroupID{"g1"}
		full := w.kit.Get(t, sector.Analyst, lang, path+"/preview")
		webtest.Check(t, full)
		for i, m := range w.Sector {
			name := map[i18n.Lang]string{i18n.En: m.Name, i18n.ZhHant: m.NameZh}[lang]
			if strings.Contains(empty.Body, name) || strings.Contains(full.Body, name) != (i == 2) {
				t.Errorf("%s: in the preview of an empty group %v, of a full one %v", name, strings.Contains(empty.Body, name), strings.Contains(full.Body, name))
			}
		}
		release := "action=\"" + path + "/release\""
		if strings.Contains(empty.Body, release) || !strings.Contains(full.Body, release) {
			t.Error("the button to release is there for an empty group, or is not for a full one")
		}
		webtest.Check(t, w.kit.Get(t, sector.Analyst, lang, path))
	}
}
