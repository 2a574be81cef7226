package search_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/search/searchtest"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func newKit(t *testing.T, index search.Index) *webtest.Kit {
	t.Helper()
	kit := webtest.New(t)
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err != nil {
		t.Fatal(err)
	}
	guides, err := search.Guides()
	if err != nil {
		t.Fatal(err)
	}
	rule := search.Page{Kind: search.Rule, ID: "0c8d1f04-1111-4111-8111-111111111111", Title: search.Text{Zh: "惡意程式下載", En: "Download of malware"}, Body: search.Text{En: "Finds malware that is downloaded."}, Href: "/alerts?q=x"}
	svc := search.New(index, search.NewStatic(append(guides, rule)), sealer, webtest.Now)
	search.MountAPI(kit.Routes, svc)
	if err := search.Mount(kit.Routes, kit.Shell, svc); err != nil {
		t.Fatal(err)
	}
	return kit
}

func TestPagesInBothLanguages(t *testing.T) {
	kit := newKit(t, searchtest.New(webtest.Now()))
	for _, lang := range []i18n.Lang{i18n.ZhHant, i18n.En} {
		for _, role := range sector.Roles() {
			for _, path := range []string{
				"/search", "/search?q=malware", "/search?q=%E6%83%A1%E6%84%8F%E7%A8%8B%E5%BC%8F&kind=advisory", "/search?q=203.0.113.&since=7&tlp=AMBER",
				"/search?q=%22%27%2A%28%29", "/search?q=zzz&kind=rule", "/search?q=" + url.QueryEscape(strings.Repeat("惡意", 500)), "/search?q=x&kind=nothing&since=z&tlp=y",
			} {
				page := kit.Get(t, role, lang, path)
				if page.Status != http.StatusOK {
					t.Fatalf("%s: %s answers %d", role, path, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
}

func TestPageShowsWhatWasFound(t *testing.T) {
	kit := newKit(t, searchtest.New(webtest.Now()))
	page := kit.Get(t, sector.Analyst, i18n.En, "/search?q=malware")
	for _, want := range []string{
		`<mark>malware</mark>`, `href="/advisories/8e9f6a52-6a0e-4b43-9a07-000000000001"`, `203[.]0[.]113[.]66`, `hxxps://login[.]bank[.]example/reset?x=1`,
		`href="/search?kind=advisory&amp;q=malware"`, `100+`, `href="/alerts/a1"`, `Jade Bank &lt;b&gt;`, `value="malware"`,
	} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := len(webtest.Find(page.Doc(t), func(n *html.Node) bool {
		return webtest.Attr(n, "class") == "hit" || webtest.Attr(n, "class") == "hit gone"
	})); n != 5+2+1+1+1 {
		t.Errorf("%d hits", n)
	}
	// A member has its inbox and finds neither members nor rules; a trainee
	// finds guides alone, and nobody finds nothing.
	page = kit.Get(t, sector.MemberStaff, i18n.En, "/search?q=malware")
	for want, there := range map[string]bool{`href="/inbox/8e9f6a52-6a0e-4b43-9a07-000000000001"`: true, "/advisories/": false, "Jade Bank": false, "Download of": false} {
		if strings.Contains(page.Body, want) != there {
			t.Errorf("a member's page shows %q: %v", want, !there)
		}
	}
	page = kit.Get(t, sector.Trainee, i18n.En, "/search?q=search")
	if strings.Contains(page.Body, "Fake update") || !strings.Contains(page.Body, "How to") {
		t.Error("a trainee finds other things than guides")
	}
	if page = kit.Get(t, "", i18n.En, "/search?q=malware"); page.Status != http.StatusSeeOther {
		t.Errorf("nobody is answered %d", page.Status)
	}
}

// What a viewer may not look for is not even asked of the index, and every
// question carries the viewer's own filter.
func TestOnlyAllowedKindsAreAsked(t *testing.T) {
	index := searchtest.New(webtest.Now())
	kit := newKit(t, index)
	for role, want := range map[sector.Role]string{
		sector.Analyst: "advisory indicator alert member", sector.Assessor: "member", sector.Administrator: "advisory indicator member",
		sector.MemberStaff: "advisory indicator alert", sector.Executive: "advisory indicator", sector.Trainee: "",
		sector.Supervisor: "advisory indicator", sector.PartnerDesk: "advisory indicator",
	} {
		index.Asked, index.Filters = nil, nil
		kit.Get(t, role, i18n.En, "/search/suggest?q=malware")
		var kinds []string
		for _, l := range index.Asked {
			kinds = append(kinds, string(l.Kind))
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%s asks for %q, want %q", role, got, want)
		}
		for _, f := range index.Filters {
			if f.All() != (role.Org() == sector.Centre) {
				t.Errorf("%s asks with another's filter", role)
			}
		}
	}
}

func TestSuggestions(t *testing.T) {
	index := searchtest.New(webtest.Now())
	kit := newKit(t, index)
	page := kit.Get(t, sector.Analyst, i18n.ZhHant, "/search/suggest?q=malware")
	if strings.Contains(page.Body, "<html") || strings.Count(page.Body, `role="option"`) != 3+2+1+1+1+1 || !strings.Contains(page.Body, `id="suggest-all"`) {
		t.Errorf("suggestions: %s", page.Body)
	}
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search/suggest?q=+"); strings.Contains(page.Body, "option") {
		t.Errorf("suggestions for nothing: %s", page.Body)
	}
	index.Err = context.DeadlineExceeded
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search/suggest?q=malware"); page.Status != http.StatusOK || !strings.Contains(page.Body, "too long") {
		t.Errorf("a slow index: %d %s", page.Status, page.Body)
	}
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search?q=malware"); page.Status != http.StatusServiceUnavailable {
		t.Errorf("a slow index: %d", page.Status)
	}
	index.Err, index.Complete = nil, false
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search?q=malware"); !strings.Contains(page.Body, "made anew") {
		t.Error("a page does not say that the index is being made")
	}
}

func TestAPI(t *testing.T) {
	index := searchtest.New(webtest.Now())
	kit := newKit(t, index)
	ask := func(query string) (int, string) {
		r := httptest.NewRequestWithContext(sector.WithViewer(t.Context(), webtest.Viewer(sector.MemberStaff)), http.MethodGet, "/api/v1/search?"+query, nil)
		w := httptest.NewRecorder()
		kit.Routes.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	_, body := ask("q=malware&kind=advisory&limit=3")
	var first struct {
		Groups []struct {
			Kind, Next string
			Hits       []struct{ ID, Path string }
		}
	}
	if err := json.Unmarshal([]byte(body), &first); err != nil || len(first.Groups) != 1 || len(first.Groups[0].Hits) != 3 || first.Groups[0].Next == "" {
		t.Fatalf("%s %v", body, err)
	}
	next := first.Groups[0].Next
	if code, _ := ask("q=malware&kind=advisory&cursor=" + next); code != http.StatusOK || index.Asked[len(index.Asked)-1].After.ID != "2" {
		t.Errorf("the next page answers %d after %+v", code, index.Asked[len(index.Asked)-1].After)
	}
	for query, want := range map[string]int{
		"q=other&kind=advisory&cursor=" + next: 400, "q=malware&cursor=" + next: 400, "q=malware&kind=alert&cursor=" + next: 400, "q=malware&kind=advisory&cursor=x": 400,
		"q=x&limit=0": 400, "q=x&limit=101": 400, "q=x&kind=secret": 400, "q=x&tlp=PINK": 400, "q=x&since=yesterday": 400, "q=x&colour=red": 400,
		"": 200, "q=": 200, "q=%00%ff": 200, "q=" + url.QueryEscape(strings.Repeat("資", 100_000)): 200, "q=%22+OR+NEAR(a+b)*": 200,
	} {
		if code, body := ask(query); code != want {
			t.Errorf("%.60q answers %d, want %d: %.200s", query, code, want, body)
		}
	}
}
