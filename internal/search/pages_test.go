package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// shelf is an index of a few hits that remembers what it was asked.
type shelf struct {
	hits  []search.Hit
	asked []search.Lookup
	seen  []sector.Filter
	ready bool
	err   error
}

func (s *shelf) Ready(context.Context) (bool, error) { return s.ready, nil }

func (s *shelf) Search(_ context.Context, f sector.Filter, l search.Lookup) (search.Found, error) {
	s.asked, s.seen = append(s.asked, l), append(s.seen, f)
	var found search.Found
	for _, h := range s.hits {
		if h.Kind == l.Kind && len(found.Hits) < l.Limit {
			found.Hits = append(found.Hits, h)
		}
	}
	found.Count = len(found.Hits)
	if l.Kind == search.Advisory && l.Count > 0 {
		found.Count = l.Count // more than are counted
	}
	return found, s.err
}

func newShelf() *shelf {
	at := webtest.Now().Add(-30 * time.Minute)
	s := &shelf{ready: true}
	for i := range 7 {
		s.hits = append(s.hits, search.Hit{
			Kind: search.Advisory, ID: fmt.Sprintf("8e9f6a52-6a0e-4b43-9a07-00000000000%d", i), Class: "EWA", State: []string{"released", "withdrawn", "released"}[i%3], TLP: sector.TLPs()[i%5], At: at,
			Title: search.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"},
			Body:  search.Text{Zh: "多家機構的端點連往偽冒的軟體更新網站，下載惡意程式後建立排程並定期回報。", En: "Endpoints contacted fake software-update sites; the malware creates a scheduled task and reports back at intervals."},
			Place: search.Place{Tier: search.ByTitle, ID: fmt.Sprint(i)},
		})
	}
	parent := search.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"}
	for class, value := range map[string]string{"ipv4": "203.0.113.66", "url": "https://login.bank.example/reset?x=1"} {
		s.hits = append(s.hits, search.Hit{Kind: search.Indicator, ID: "indicator--1", Parent: "8e9f6a52-6a0e-4b43-9a07-000000000001", ParentTitle: parent,
			Title: search.Text{Zh: value, En: value}, Class: class, State: "released", TLP: sector.TLPAmber, At: at})
	}
	s.hits = append(s.hits,
		search.Hit{Kind: search.Alert, ID: "a1", Title: search.Text{Zh: "可疑的對外連線", En: "Suspicious outbound malware traffic"}, Class: "high", State: "new", At: at},
		search.Hit{Kind: search.Member, ID: "jade-bank", Title: search.Text{Zh: "翠玉銀行", En: "Jade Bank <b>"}, Class: "banking", At: at})
	return s
}

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
	kit := newKit(t, newShelf())
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
	kit := newKit(t, newShelf())
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
	index := newShelf()
	kit := newKit(t, index)
	for role, want := range map[sector.Role]string{
		sector.Analyst: "advisory indicator alert member", sector.Assessor: "member", sector.Administrator: "advisory indicator member",
		sector.MemberStaff: "advisory indicator alert", sector.Executive: "advisory indicator", sector.Trainee: "",
		sector.Supervisor: "advisory indicator", sector.PartnerDesk: "advisory indicator",
	} {
		index.asked, index.seen = nil, nil
		kit.Get(t, role, i18n.En, "/search/suggest?q=malware")
		var kinds []string
		for _, l := range index.asked {
			kinds = append(kinds, string(l.Kind))
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%s asks for %q, want %q", role, got, want)
		}
		for _, f := range index.seen {
			if f.All() != (role.Org() == sector.Centre) {
				t.Errorf("%s asks with another's filter", role)
			}
		}
	}
}

func TestSuggestions(t *testing.T) {
	index := newShelf()
	kit := newKit(t, index)
	page := kit.Get(t, sector.Analyst, i18n.ZhHant, "/search/suggest?q=malware")
	if strings.Contains(page.Body, "<html") || strings.Count(page.Body, `role="option"`) != 3+2+1+1+1+1 || !strings.Contains(page.Body, `id="suggest-all"`) {
		t.Errorf("suggestions: %s", page.Body)
	}
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search/suggest?q=+"); strings.Contains(page.Body, "option") {
		t.Errorf("suggestions for nothing: %s", page.Body)
	}
	index.err = context.DeadlineExceeded
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search/suggest?q=malware"); page.Status != http.StatusOK || !strings.Contains(page.Body, "too long") {
		t.Errorf("a slow index: %d %s", page.Status, page.Body)
	}
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search?q=malware"); page.Status != http.StatusServiceUnavailable {
		t.Errorf("a slow index: %d", page.Status)
	}
	index.err, index.ready = nil, false
	if page = kit.Get(t, sector.Analyst, i18n.En, "/search?q=malware"); !strings.Contains(page.Body, "made anew") {
		t.Error("a page does not say that the index is being made")
	}
}

func TestAPI(t *testing.T) {
	index := newShelf()
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
	if code, _ := ask("q=malware&kind=advisory&cursor=" + next); code != http.StatusOK || index.asked[len(index.asked)-1].After.ID != "2" {
		t.Errorf("the next page answers %d after %+v", code, index.asked[len(index.asked)-1].After)
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
