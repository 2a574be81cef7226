package monitor_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// part asks as htmx does.
func (s *scene) part(t testing.TB, role sector.Role, lang i18n.Lang, path string) webtest.Page {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("HX-Request", "true")
	return s.kit.Do(t, role, lang, r)
}

// picture is where the page's histogram is; empty when it asks for none.
func picture(t testing.TB, page webtest.Page) string {
	t.Helper()
	found := webtest.Find(page.Doc(t), func(n *html.Node) bool { return strings.HasPrefix(webtest.Attr(n, "hx-get"), "/events/") })
	if len(found) == 0 {
		return ""
	}
	return webtest.Attr(found[0], "hx-get")
}

// counted is the sentence with the total.
func counted(t testing.TB, page webtest.Page) string {
	t.Helper()
	found := webtest.Find(page.Doc(t), func(n *html.Node) bool { return webtest.Attr(n, "class") == "counted" })
	if len(found) != 1 {
		t.Fatalf("%s: %d totals in %s", page.Path, len(found), page.Body)
	}
	return webtest.Text(found[0])
}

func TestEventsPageLeavesCountingToAnother(t *testing.T) {
	s := newScene(t)
	s.night(t)
	calls := 0
	s.history.Set(func(op string) memory.Fault {
		if op == "Histogram" {
			calls++
		}
		return memory.None
	})
	for path, want := range map[string]string{
		"/events":                      "/events/histogram",
		"/events?span=day&dir=asc":     "/events/histogram",
		"/events?q=-enc&after=":        "/events/histogram?q=-enc",
		"/events?q=nowhere-to-be-seen": "", // nothing is nothing
		"/events?q=ip:x":               "",
		"/events?from=2026-11-20T00:00&to=2026-11-30T00:00&q=-enc": "/events/histogram?from=2026-11-20T00%3A00&q=-enc&to=2026-11-30T00%3A00",
	} {
		page := s.kit.Get(t, sector.Analyst, i18n.En, path)
		if got := picture(t, page); got != want {
			t.Errorf("%s (%d) asks for %q, want %q", path, page.Status, got, want)
		}
	}
	if calls != 0 {
		t.Errorf("the rows waited for %d histograms", calls)
	}
}

func TestHistogramIsOfOnesOwnRecords(t *testing.T) {
	s := newScene(t)
	s.night(t)
	for _, test := range []struct {
		role   sector.Role
		query  string
		en, zh string
	}{
		{sector.Analyst, "", "144 records", "144 筆紀錄"},
		{sector.Analyst, "?q=member:pine-life", "36 records", "36 筆紀錄"},
		{sector.DutyManager, "?q=ip:203.0.113.77", "48 records", "48 筆紀錄"},
		{sector.MemberStaff, "", "36 records", "36 筆紀錄"},
		{sector.MemberStaff, "?q=ip:203.0.113.77&after=x", "12 records", "12 筆紀錄"},
		{sector.MemberStaff, "?q=member:pine-life", "0 records", "0 筆紀錄"},
		{sector.MemberStaff, "?q=pine-life", "0 records", "0 筆紀錄"},
	} {
		path := "/events/histogram" + test.query
		for lang, want := range map[i18n.Lang]string{i18n.En: test.en, i18n.ZhHant: test.zh} {
			whole, part := s.kit.Get(t, test.role, lang, path), s.part(t, test.role, lang, path)
			webtest.Check(t, whole)
			for _, page := range []webtest.Page{whole, part} {
				if got := counted(t, page); page.Status != 200 || got != want {
					t.Errorf("%s as %s: %d %q, want %q", path, test.role, page.Status, got, want)
				}
			}
			if strings.Contains(part.Body, "<title") || strings.Contains(part.Body, "<h1") || !strings.Contains(part.Body, `data-island="chart"`) {
				t.Errorf("%s: the part is %s", path, part.Body)
			}
			for _, other := range []string{"Pine Life", "松濤", "river-sec", "clear-net"} {
				if test.role == sector.MemberStaff && strings.Contains(whole.Body, other) {
					t.Errorf("%s names %s", path, other)
				}
			}
		}
	}
}

func TestHistogramRights(t *testing.T) {
	s := newScene(t)
	for _, role := range sector.Roles() {
		list, part := s.kit.Get(t, role, i18n.En, "/events"), s.part(t, role, i18n.En, "/events/histogram")
		if list.Status != part.Status {
			t.Errorf("%s: the list answers %d, its histogram %d", role, list.Status, part.Status)
		}
	}
	if page := s.part(t, sector.Supervisor, i18n.En, "/events/histogram"); page.Status != 403 {
		t.Errorf("the authority: %d", page.Status)
	}
	if page := s.part(t, "", i18n.En, "/events/histogram"); page.Status != 401 || page.Header.Get("HX-Redirect") != "/sign-in" {
		t.Errorf("nobody: %d %v", page.Status, page.Header)
	}
	if page := s.kit.Get(t, "", i18n.En, "/events/histogram?q=x"); page.Status != 303 {
		t.Errorf("nobody's browser: %d", page.Status)
	}
}

func TestHistogramOfABadQuery(t *testing.T) {
	s := newScene(t)
	for query, key := range map[string][]any{
		`ip:foo(bar`: {"monitor.query.ip", "4", "foo(bar"}, `x "y`: {"monitor.query.quote", "3"},
		"host:a host:b": {"monitor.query.twice", "8", "host"},
	} {
		for _, lang := range i18n.Langs() {
			want := s.kit.Texts.T(lang, key[0].(string), key[1:]...)
			q := "?q=" + url.QueryEscape(query)
			list, part := s.kit.Get(t, sector.Analyst, lang, "/events"+q), s.part(t, sector.Analyst, lang, "/events/histogram"+q)
			if list.Status != 422 || part.Status != 400 {
				t.Errorf("%s: the list answers %d, its histogram %d", query, list.Status, part.Status)
			}
			for _, page := range []webtest.Page{list, part} {
				if !strings.Contains(webtest.Text(page.Doc(t)), want) {
					t.Errorf("%s lacks %q", page.Path, want)
				}
			}
		}
	}
}

// A count that takes too long ends after its own five seconds and says so;
// the rows are there at once.
func TestHistogramThatTakesTooLong(t *testing.T) {
	s := newScene(t)
	s.night(t)
	s.history.Set(func(op string) memory.Fault {
		if op == "Histogram" {
			return memory.Stuck
		}
		return memory.None
	})
	s.kit.Cookie(t, sector.Analyst)
	synctest.Test(t, func(t *testing.T) { // only the asking: what the scene starts stays outside
		for _, lang := range i18n.Langs() {
			want := s.kit.Texts.T(lang, "monitor.events.slow")
			for _, ask := range []func(testing.TB, sector.Role, i18n.Lang, string) webtest.Page{s.part, s.kit.Get} {
				start := time.Now()
				page := ask(t, sector.Analyst, lang, "/events/histogram")
				if page.Status != 503 || !strings.Contains(webtest.Text(page.Doc(t)), want) || time.Since(start) != 5*time.Second {
					t.Errorf("%s: %d after %v, want 503 and %q in %s", lang, page.Status, time.Since(start), want, page.Body)
				}
			}
			start := time.Now()
			if page := s.kit.Get(t, sector.Analyst, lang, "/events"); page.Status != 200 || time.Since(start) > time.Second || !strings.Contains(page.Body, `class="table events"`) {
				t.Errorf("the rows: %d after %v", page.Status, time.Since(start))
			}
		}
		if status := s.api(t, sector.Analyst, "GET", "/api/v1/events?histogram=24", "", nil); status != 503 {
			t.Errorf("the API: %d", status)
		}
	})
}
