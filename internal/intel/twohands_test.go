package intel_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// TestTwoPeopleWriteAtOnce: the second to save loses nothing and overwrites
// nothing unseen: both versions are shown, and saving again is a decision.
func TestTwoPeopleWriteAtOnce(t *testing.T) {
	w := newPagesWorld(t)
	a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.7"))
	path := "/advisories/" + string(a.ID) + "/edit"
	form := func(version int, title string) url.Values {
		return url.Values{"version": {fmt.Sprint(version)}, "title_zh": {"警訊"}, "title_en": {title}, "body_zh": {"請檢查。"}, "body_en": {"Please check."},
			"category": {"INT"}, "tlp": {"AMBER"}, "pap": {"GREEN"}, "reach": {"all"}, "indicators": {"198.51.100.7"}}
	}
	if first := w.kit.Post(t, sector.Analyst, i18n.En, path, form(a.Version, "Hers")); first.Status != http.StatusSeeOther {
		t.Fatalf("the first to save: status %d", first.Status)
	}
	for _, lang := range i18n.Langs() {
		second := w.kit.Post(t, sector.DutyManager, lang, path, form(a.Version, "His"))
		webtest.Check(t, second)
		body := second.Body
		if second.Status != http.StatusConflict || !strings.Contains(body, `<td class="prose">Hers</td><td class="prose">His</td>`) ||
			!strings.Contains(body, `value="His"`) || !strings.Contains(body, webtest.Email(sector.Analyst)) || strings.Contains(body, "<td class=\"prose\">Please check.") {
			t.Fatalf("the second to save: status %d:\n%s", second.Status, body)
		}
	}
	now := w.Get(t, a.ID)
	if now.Title.En != "Hers" {
		t.Fatalf("the title is %q before anybody decided", now.Title.En)
	}
	if again := w.kit.Post(t, sector.DutyManager, i18n.En, path, form(now.Version, "Both")); again.Status != http.StatusSeeOther {
		t.Fatalf("saving what was seen: status %d", again.Status)
	}
	if got := w.Get(t, a.ID).Title.En; got != "Both" {
		t.Errorf("the title is %q", got)
	}
}

// TestExportsGoThroughTheGate: a member's file has what its inbox has, and the
// centre's has every draft.
func TestExportsGoThroughTheGate(t *testing.T) {
	w := newPagesWorld(t)
	w.Release(t, w.Draft(t, inteltest.Content(1, sector.Audience{All: true})), nil)
	w.Release(t, w.Draft(t, inteltest.Content(2, sector.Audience{Members: []sector.MemberID{"m1"}})), nil)
	w.Draft(t, inteltest.Content(3, sector.Audience{All: true}))
	for _, test := range []struct {
		role sector.Role
		path string
		want []int
	}{
		{sector.MemberStaff, "/export/inbox?format=csv", []int{1}},
		{sector.Analyst, "/export/advisories?format=csv", []int{1, 2, 3}},
		{sector.Analyst, "/export/advisories?format=csv&state=draft", []int{3}},
	} {
		body := w.kit.Post(t, test.role, i18n.En, test.path, nil).Body
		for n := 1; n <= 3; n++ {
			want := false
			for _, m := range test.want {
				want = want || m == n
			}
			if strings.Contains(body, fmt.Sprintf("Warning number %d", n)) != want {
				t.Errorf("%s: advisory %d is there: %v\n%s", test.path, n, !want, body)
			}
		}
	}
	if page := w.kit.Post(t, sector.MemberStaff, i18n.En, "/export/advisories?format=csv", nil); page.Status != http.StatusForbidden {
		t.Errorf("a member takes the centre's list: status %d", page.Status)
	}
}

// TestAdvisoryGraph: the centre sees which alert an indicator came of, in the
// picture and in its table; a way to the alert only where it may go.
func TestAdvisoryGraph(t *testing.T) {
	w := newPagesWorld(t)
	draft := w.kit.Post(t, sector.Analyst, i18n.En, "/advisories", url.Values{"alert": {"alert-1"}})
	path := strings.TrimSuffix(draft.Header.Get("Location"), "/edit")
	edit := w.kit.Post(t, sector.Analyst, i18n.En, path+"/edit", url.Values{"version": {"1"}, "title_zh": {"警訊"}, "title_en": {"Calls home"},
		"body_zh": {"請檢查。"}, "body_en": {"Please check."}, "category": {"INT"}, "tlp": {"AMBER"}, "pap": {"GREEN"}, "indicators": {"203.0.113.66\nelsewhere.example.net"}})
	if edit.Status != http.StatusSeeOther {
		t.Fatalf("saving: %d", edit.Status)
	}
	for _, lang := range i18n.Langs() {
		page := w.kit.Get(t, sector.Analyst, lang, path)
		webtest.Check(t, page)
		if n := strings.Count(page.Body, `<th scope="row"><span class="quiet-text">`); n != 4 { // led to, names twice, mentions
			t.Errorf("%s: %d relations:\n%s", lang, n, page.Body)
		}
		if !strings.Contains(page.Body, `href="/alerts/alert-1"`) || !strings.Contains(page.Body, "elsewhere[.]example[.]net") {
			t.Errorf("%s: the alert or an indicator is missing", lang)
		}
	}
	if page := w.kit.Get(t, sector.Administrator, i18n.En, path); strings.Contains(page.Body, `href="/alerts/alert-1"`) || !strings.Contains(page.Body, "203[.]0[.]113[.]66") {
		t.Errorf("an administrator is led to an alert")
	}
}

// TestWhoIsOfferedToAnswer: those who may; others of the member are told who
// does, and a partner reads what is public without being asked.
func TestWhoIsOfferedToAnswer(t *testing.T) {
	w := newPagesWorld(t)
	c := inteltest.Content(1, sector.Audience{All: true, Public: true})
	c.Marking = sector.Marking{TLP: sector.TLPClear, PAP: sector.PAPClear}
	a := w.Draft(t, c)
	w.Release(t, a, nil)
	path := "/inbox/" + string(a.ID)
	for role, want := range map[sector.Role][]bool{ // a form, the panel
		sector.MemberStaff: {true, true}, sector.IncidentLead: {true, true}, sector.Executive: {false, true}, sector.PartnerDesk: {false, false},
	} {
		for _, lang := range i18n.Langs() {
			page := w.kit.Get(t, role, lang, path)
			webtest.Check(t, page)
			if page.Status != http.StatusOK || strings.Contains(page.Body, `action="`+path+`/answer"`) != want[0] || strings.Contains(page.Body, `id="answer"`) != want[1] {
				t.Errorf("%s, %s: %d, a form %v, the panel %v", role, lang, page.Status, !want[0], !want[1])
			}
		}
	}
}
