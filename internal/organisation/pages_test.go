package organisation_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// newKit is the pages on a world with some of everything. The invented people
// of webtest belong to jade-bank or to the centre.
func newKit(t *testing.T) (*webtest.Kit, *world, map[string]string) {
	t.Helper()
	kit, w := webtest.New(t), newWorld(t)
	must(t, organisation.Mount(kit.Routes, kit.Shell, w.Service, "https://portal.example"))
	ctx, jade, duty := t.Context(), w.as(t, "admin@jade-bank.example"), w.as(t, "duty@centre.example")
	_, err := w.SaveProfile(ctx, jade, 0, organisation.Profile{
		NameZh: "玉山谷商業銀行股份有限公司", Name: "Jade Valley Commercial Bank Co., Ltd.", Size: "large", StockCode: "2884", BIC: "JADETWTP",
		Contacts: map[organisation.Duty]organisation.Contact{
			organisation.SecurityLead: {Name: "林資安", Mail: "lin@jade-bank.example", Phone: "+886 2 2345 6789 #12"},
			organisation.Desk:         {Name: "值班台", Mail: "desk@jade-bank.example", Phone: "+886 2 2345 6700", Round: true},
		},
		Networks: []string{"203.0.113.0/24", "2001:db8:a::/48"}, Domains: []string{"jade-bank.example"}, Brands: []string{"玉山谷"},
		Products: []string{"cpe:2.3:a:f5:big-ip:17.1.0:*:*:*:*:*:*:*"}, Suppliers: []string{"雲端服務公司"},
	})
	must(t, err)
	_, err = w.SaveProfile(ctx, w.as(t, "admin@fir-bank.example"), 0, organisation.Profile{Networks: []string{"203.0.113.0/25"}, Domains: []string{"fir-bank.example"}})
	must(t, err)
	ids := map[string]string{"person": string(w.people["staff@jade-bank.example"].ID), "foreign person": string(w.people["staff@fir-bank.example"].ID)}
	open := func(what string, by sector.Viewer, g organisation.Group) sector.GroupID {
		g, err := w.CreateGroup(ctx, by, g)
		must(t, err)
		ids[what] = string(g.ID)
		return g.ID
	}
	open("listed", duty, newGroup(true, false))
	invited := open("invited", duty, newGroup(false, true))
	must(t, w.InviteMember(ctx, duty, invited, "jade-bank"))
	must(t, w.InviteMember(ctx, duty, invited, "fir-bank"))
	must(t, w.Agree(ctx, w.as(t, "admin@fir-bank.example"), invited, 1))
	own := open("own", jade, newGroup(true, true))
	must(t, w.InviteMember(ctx, jade, own, "no-such-bank"))
	must(t, w.Agree(ctx, w.as(t, "admin@plum-sec.example"), own, 1))
	stale := open("stale", duty, newGroup(false, true))
	must(t, w.InviteMember(ctx, duty, stale, "jade-bank"))
	must(t, w.Agree(ctx, jade, stale, 1))
	must(t, w.SetTerms(ctx, duty, stale, 1, newGroup(false, true).Terms))
	closed := open("closed", duty, newGroup(false, false))
	must(t, w.CloseGroup(ctx, duty, closed))
	open("foreign group", w.as(t, "admin@fir-bank.example"), newGroup(false, false))
	return kit, w, ids
}

var requestID = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

func TestPages(t *testing.T) {
	kit, _, ids := newKit(t)
	paths := map[sector.Role][]string{
		sector.MemberAdmin: {"/profile", "/people", "/people?q=staff", "/people?q=nobody", "/people?sort=email&dir=desc", "/people/new", "/people/" + ids["person"],
			"/groups", "/groups/new", "/groups/" + ids["listed"], "/groups/" + ids["invited"], "/groups/" + ids["own"], "/groups/" + ids["stale"]},
		sector.MemberStaff:   {"/profile", "/groups", "/groups/" + ids["invited"]},
		sector.Administrator: {"/people", "/people/new", "/groups", "/admin/confirmations", "/admin/members/jade-bank/profile", "/admin/members/plum-sec/profile"},
		sector.DutyManager:   {"/groups", "/groups/" + ids["invited"], "/groups/" + ids["own"], "/groups/" + ids["closed"], "/admin/members/jade-bank/profile"},
		sector.Analyst:       {"/groups", "/groups/" + ids["invited"], "/admin/confirmations"},
	}
	for role, all := range paths {
		for _, path := range all {
			for _, lang := range i18n.Langs() {
				page := kit.Get(t, role, lang, path)
				if page.Status != http.StatusOK {
					t.Errorf("%s %s: status %d", role, path, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
}

// TestWhatIsAnothersIsNotThere compares the answers of the pages for what
// belongs to another member with those for what does not exist: they differ
// in nothing but the address.
// TestExportedPeople: the file has the people of one's own organisation.
func TestExportedPeople(t *testing.T) {
	kit, _, ids := newKit(t)
	page := kit.Post(t, sector.MemberAdmin, i18n.En, "/export/people?format=csv&col=roles", nil)
	shown := kit.Get(t, sector.MemberAdmin, i18n.En, "/people?col=roles")
	webtest.Check(t, shown)
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "Roles") || strings.Contains(page.Body, "Since") {
		t.Errorf("columns: %d\n%s", page.Status, page.Body)
	}
	foreign := kit.Get(t, sector.MemberAdmin, i18n.En, "/people/"+ids["person"])
	if strings.Count(page.Body, "@") != strings.Count(shown.Body, `<tr data-href="/people/`) || foreign.Status != http.StatusOK {
		t.Errorf("the file and the list differ:\n%s", page.Body)
	}
}

func TestWhatIsAnothersIsNotThere(t *testing.T) {
	kit, _, ids := newKit(t)
	for _, try := range []struct{ method, path, foreign string }{
		{"GET", "/people/%s", ids["foreign person"]}, {"POST", "/people/%s/roles", ids["foreign person"]},
		{"POST", "/people/%s/link", ids["foreign person"]}, {"POST", "/people/%s/remove", ids["foreign person"]},
		{"POST", "/people/%s/restore", ids["foreign person"]},
		{"GET", "/groups/%s", ids["foreign group"]}, {"POST", "/groups/%s/terms", ids["foreign group"]},
		{"POST", "/groups/%s/invite", ids["foreign group"]}, {"POST", "/groups/%s/remove", ids["foreign group"]},
		{"POST", "/groups/%s/close", ids["foreign group"]}, {"POST", "/groups/%s/agree", ids["foreign group"]}, {"POST", "/groups/%s/leave", ids["foreign group"]},
	} {
		ask := func(id string) string {
			path := fmt.Sprintf(try.path, id)
			page := kit.Get(t, sector.MemberAdmin, i18n.En, path)
			if try.method == "POST" {
				page = kit.Post(t, sector.MemberAdmin, i18n.En, path, url.Values{"roles": {"member"}, "member": {"jade-bank"}, "terms": {"1"}, "version": {"1"}})
			}
			if page.Status != http.StatusNotFound {
				t.Errorf("%s %s: status %d", try.method, path, page.Status)
			}
			return requestID.ReplaceAllString(strings.ReplaceAll(page.Body, id, "ID"), "REQUEST")
		}
		if foreign, nothing := ask(try.foreign), ask("aaaaaaaaaaaaaaaa"); foreign != nothing {
			t.Errorf("%s %s: another's is answered\n%s\nand what is not there\n%s", try.method, try.path, foreign, nothing)
		}
	}
	body := kit.Get(t, sector.MemberAdmin, i18n.En, "/groups").Body + kit.Get(t, sector.MemberAdmin, i18n.En, "/people").Body +
		kit.Get(t, sector.MemberAdmin, i18n.En, "/profile").Body + kit.Get(t, sector.MemberAdmin, i18n.En, "/groups/"+ids["own"]).Body
	for _, secret := range []string{"Fir Bank", "fir-bank", ids["foreign group"], ids["closed"]} {
		if strings.Contains(body, secret) {
			t.Errorf("a member's pages show %q", secret)
		}
	}
}

func TestProfileForm(t *testing.T) {
	kit, _, _ := newKit(t)
	post := func(form url.Values) webtest.Page {
		page := kit.Post(t, sector.MemberAdmin, i18n.En, "/profile", form)
		if page.Status != http.StatusSeeOther {
			webtest.Check(t, page)
		}
		return page
	}
	page := post(url.Values{"version": {"1"}, "networks": {"203.0.113.0/24\r\n10.0.0.0/8"}, "contact_desk_mail": {"x@ｙ.example"}, "name": {`"><script>alert(1)</script>`}})
	if page.Status != http.StatusUnprocessableEntity || !strings.Contains(page.Body, "Line 2:") || strings.Contains(page.Body, "<script>alert") ||
		!strings.Contains(page.Body, "10.0.0.0/8") {
		t.Errorf("mistakes: status %d", page.Status)
	}
	if page := post(url.Values{"version": {"1"}, "stock_code": {"1111"}, "name_zh": {"甲"}}); page.Status != http.StatusSeeOther {
		t.Fatalf("save: status %d", page.Status)
	}
	page = post(url.Values{"version": {"1"}, "stock_code": {"2222"}, "bic": {"JADETWTP"}, "name_zh": {"玉山谷商業銀行股份有限公司"}})
	if page.Status != http.StatusConflict || !strings.Contains(page.Body, "1111") || !strings.Contains(page.Body, "2222") || !strings.Contains(page.Body, `name="version" value="2"`) {
		t.Errorf("collision: status %d", page.Status)
	}
	if !strings.Contains(page.Body, `value="甲"`) {
		t.Error("what only the other changed is not in the form after a collision")
	}
}

func TestConfirmAndGroupButtons(t *testing.T) {
	kit, w, ids := newKit(t)
	for _, try := range []struct {
		role   sector.Role
		path   string
		form   url.Values
		status int
		flash  string
	}{
		{sector.MemberAdmin, "/profile/confirm", url.Values{"version": {"1"}, "part": {"contacts"}}, 303, "flash-good"},
		{sector.MemberAdmin, "/profile/confirm", url.Values{"version": {"x"}, "part": {"contacts"}}, 303, "flash-bad"},
		{sector.MemberAdmin, "/groups/" + ids["invited"] + "/agree", url.Values{"terms": {"1"}}, 303, "flash-good"},
		{sector.MemberAdmin, "/groups/" + ids["stale"] + "/agree", url.Values{"terms": {"1"}}, 303, "flash-bad"},
		{sector.MemberAdmin, "/groups/" + ids["stale"] + "/agree", url.Values{"terms": {"2"}}, 303, "flash-good"},
		{sector.MemberStaff, "/groups/" + ids["stale"] + "/leave", nil, 403, ""},
		{sector.MemberAdmin, "/groups/" + ids["own"] + "/invite", url.Values{"member": {"plum-sec"}}, 303, "flash-good"},
		{sector.MemberAdmin, "/groups/" + ids["own"] + "/invite", url.Values{"member": {"NOT AN ID"}}, 303, "flash-bad"},
		{sector.MemberAdmin, "/groups/" + ids["own"] + "/close", nil, 303, "flash-good"},
		{sector.Administrator, "/admin/members/fir-bank/state", url.Values{"state": {"suspended"}, "reason": {"exercise"}}, 303, "flash-good"},
		{sector.Administrator, "/admin/members/fir-bank/state", url.Values{"state": {"active"}}, 422, ""},
		{sector.MemberAdmin, "/people/" + ids["person"] + "/remove", nil, 303, "flash-good"},
		{sector.MemberAdmin, "/people/" + ids["person"] + "/restore", nil, 303, "flash-good"},
		{sector.MemberAdmin, "/people/" + ids["person"] + "/roles", url.Values{"roles": {"trainee", "incident-lead"}}, 303, "flash-good"},
		{sector.MemberAdmin, "/people/" + ids["person"] + "/roles", url.Values{"roles": {"administrator"}}, 422, ""},
		{sector.MemberAdmin, "/people/" + string(w.people["admin@jade-bank.example"].ID) + "/remove", nil, 303, "flash-bad"},
	} {
		page := kit.Post(t, try.role, i18n.ZhHant, try.path, try.form)
		if page.Status != try.status {
			t.Errorf("%s %v: status %d, want %d", try.path, try.form, page.Status, try.status)
			continue
		}
		if try.status == 303 {
			page = kit.Get(t, try.role, i18n.ZhHant, page.Header.Get("Location"))
		}
		webtest.Check(t, page)
		if !strings.Contains(page.Body, try.flash) {
			t.Errorf("%s %v: no %s", try.path, try.form, try.flash)
		}
	}
}

func TestInvitePage(t *testing.T) {
	for _, lang := range i18n.Langs() {
		kit, _, _ := newKit(t)
		var many strings.Builder
		for i := range organisation.MaxInvitations {
			fmt.Fprintf(&many, "p%d@jade-bank.example\n", i)
		}
		page := kit.Post(t, sector.MemberAdmin, lang, "/people/new", url.Values{
			"addresses": {"x@elsewhere.example, " + many.String() + "late@jade-bank.example"}, "roles": {"trainee"}})
		if page.Status != http.StatusCreated || page.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("status %d, cache %q", page.Status, page.Header.Get("Cache-Control"))
		}
		webtest.Check(t, page)
		if n := strings.Count(page.Body, "<code>https://portal.example/enrol#"); n != organisation.MaxInvitations-1 {
			t.Errorf("%d links", n)
		}
		if !strings.Contains(page.Body, "late@jade-bank.example</textarea>") || !strings.Contains(page.Body, "x@elsewhere.example") {
			t.Error("what was not invited is not on the page")
		}
		if strings.Contains(kit.Log.String(), "enrol#") {
			t.Error("a link is in the log")
		}
		none := kit.Post(t, sector.MemberAdmin, lang, "/people/new", url.Values{"addresses": {", ,"}, "roles": {"trainee"}})
		if none.Status != http.StatusUnprocessableEntity {
			t.Errorf("nobody: status %d", none.Status)
		}
		webtest.Check(t, none)
	}
}

// posted is a mailer that takes everything.
type posted struct{ to []sector.UserID }

func (p *posted) MailLink(_ context.Context, _ sector.Viewer, id sector.UserID, _ time.Duration) error {
	p.to = append(p.to, id)
	return nil
}

// TestInvitationsByMail: with a mail server the page says to whom mail goes,
// and shows no link.
func TestInvitationsByMail(t *testing.T) {
	for _, lang := range i18n.Langs() {
		kit, w, _ := newKit(t)
		post := &posted{}
		w.Mail = post
		webtest.Check(t, kit.Get(t, sector.MemberAdmin, lang, "/people/new"))
		page := kit.Post(t, sector.MemberAdmin, lang, "/people/new", url.Values{
			"addresses": {"a@jade-bank.example\nb@jade-bank.example\nx@elsewhere.example"}, "roles": {"trainee"}})
		webtest.Check(t, page)
		if page.Status != http.StatusCreated || len(post.to) != 2 || strings.Contains(page.Body, "/enrol") {
			t.Errorf("status %d, %d mails", page.Status, len(post.to))
		}
		for _, part := range []string{"<li>a@jade-bank.example</li>", "<li>b@jade-bank.example</li>", "x@elsewhere.example"} {
			if !strings.Contains(page.Body, part) {
				t.Errorf("the page lacks %s", part)
			}
		}
	}
}
