package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/wire"
)

// notPages are the routes that a browser gets no page of its own from, and
// why. Everything else that answers GET outside the API is looked at.
func notPages() map[string]string {
	return map[string]string{
		"GET /healthz": "a word for machines", "GET /readyz": "a word for machines", "GET /metrics": "figures for machines",
		"GET /pulse/events": "a stream", "GET /notifications/live": "a stream", "GET /search/suggest": "a part of every page",
		"GET /account/set-up/app.svg":       "a picture",
		"GET /notifications/open/{id}":      "leads on",
		"GET /sign-in/institution/{member}": "where an institution's provider leads back to",
		"GET /sign-in/second":               "only after a right password: TestPasskeysInTheBrowser",
		"GET /account/set-up":               "only when something is set up: TestPasskeysInTheBrowser",
	}
}

// routeTable is the program's own.
func routeTable(t *testing.T) []access.Route {
	t.Helper()
	p, err := wire.Build(t.Context(), wire.Options{Data: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return p.Routes()
}

// pageRoutes are the pages of the table.
func pageRoutes(t *testing.T, table []access.Route) []access.Route {
	t.Helper()
	left := notPages()
	var pages []access.Route
	for _, r := range table {
		path, get := strings.CutPrefix(r.Pattern, "GET /")
		switch {
		case !get || strings.HasPrefix(path, "api/v1/") || strings.HasPrefix(path, "static/"):
		case left[r.Pattern] != "":
			delete(left, r.Pattern)
		default:
			pages = append(pages, r)
		}
	}
	for pattern, why := range left {
		t.Errorf("%s, left out as %q, is no route", pattern, why)
	}
	return pages
}

// doors are the addresses of the pages that anybody may see.
func doors() map[string]string {
	return map[string]string{
		"GET /sign-in": "/sign-in", "GET /sign-in/institution": "/sign-in/institution", "GET /enrol": "/enrol#unused", "GET /api": "/api",
	}
}

// stop is a page as one role sees it; no role for nobody.
type stop struct {
	role    sector.Role
	pattern string
	path    string
}

func (s stop) String() string { return fmt.Sprintf("%s as %q", s.path, s.role) }

// guide finds the way to every page for every role by the links of the pages
// themselves.
type guide struct {
	*staffed
	routes []access.Route
	mux    *http.ServeMux
	forms  map[string]sector.Permission // that what is sent needs, by pattern
}

func (s *staffed) guide(t *testing.T) *guide {
	all := routeTable(t)
	g := &guide{staffed: s, routes: pageRoutes(t, all), mux: http.NewServeMux(), forms: map[string]sector.Permission{}}
	for _, r := range g.routes {
		g.mux.Handle(r.Pattern, http.NotFoundHandler())
	}
	for _, r := range all {
		if strings.HasPrefix(r.Pattern, "POST ") {
			g.mux.Handle(r.Pattern, http.NotFoundHandler())
			g.forms[r.Pattern] = r.Need
		}
	}
	return g
}

// offers finds forms on a page that the role may not send.
func (g *guide) offers(role sector.Role, page answer) {
	g.Helper()
	for n := range parse(g, page.body).Descendants() {
		action := attr(n, "action")
		if n.Data != "form" || !strings.EqualFold(attr(n, "method"), "post") || !strings.HasPrefix(action, "/") {
			continue
		}
		_, pattern := g.mux.Handler(httptest.NewRequest(http.MethodPost, action, nil))
		need, known := g.forms[pattern]
		if viewer := (sector.Viewer{Org: role.Org(), User: "u", Roles: []sector.Role{role}}); !known || !viewer.May(need) {
			g.Errorf("%s offers %s a form to %s, which needs %q", page.path, role, action, need)
		}
	}
}

// page is the route that a link leads to; nil where it is no page of ours.
func (g *guide) page(link string) (route access.Route, path string, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return route, "", false
	}
	_, pattern := g.mux.Handler(httptest.NewRequest(http.MethodGet, link, nil))
	i := slices.IndexFunc(g.routes, func(r access.Route) bool { return r.Pattern == pattern })
	if i < 0 {
		return route, "", false
	}
	return g.routes[i], link, true
}

// may reports whether a page is to be looked at as the role.
func may(role sector.Role, need sector.Permission) bool {
	if role == "" || need == sector.Public {
		return role == "" && need == sector.Public
	}
	return sector.Viewer{Org: role.Org(), User: "u", Roles: []sector.Role{role}}.May(need)
}

// found are the role's pages that the pages themselves lead to.
func (g *guide) found(role sector.Role) map[string]string {
	g.Helper()
	paths := map[string]string{}
	var queue []string
	reach := func(r access.Route, path string) {
		if _, known := paths[r.Pattern]; !known && may(role, r.Need) {
			paths[r.Pattern] = path
			queue = append(queue, path)
		}
	}
	for _, r := range g.routes {
		if path := strings.TrimSuffix(strings.TrimPrefix(r.Pattern, "GET "), "{$}"); !strings.Contains(path, "{") {
			reach(r, path)
		}
	}
	for i := 0; i < len(queue); i++ {
		page := g.people[role].get(queue[i])
		if page.status != http.StatusOK {
			g.Errorf("%s is led to %s, which answers %d: %s", role, queue[i], page.status, text(page.body))
		}
		g.offers(role, page)
		for _, link := range page.links(g) {
			if r, path, ok := g.page(link); ok && strings.Contains(r.Pattern, "{") {
				reach(r, path)
			}
		}
	}
	return paths
}

// plan is every page as every role that may see it. A page that no link leads
// to for a role is taken where a colleague's links lead; one that nobody's do
// is a fault.
func (g *guide) plan() []stop {
	g.Helper()
	found := map[sector.Role]map[string]string{}
	for _, role := range sector.Roles() {
		found[role] = g.found(role)
	}
	var plan []stop
	for _, r := range g.routes {
		if r.Need == sector.Public {
			plan = append(plan, stop{"", r.Pattern, doors()[r.Pattern]})
			continue
		}
		for _, role := range sector.Roles() {
			if !may(role, r.Need) {
				continue
			}
			path := found[role][r.Pattern]
			for _, other := range sector.Roles() {
				if path == "" && other.Org() == role.Org() {
					path = found[other][r.Pattern]
				}
			}
			if path == "" {
				g.Errorf("no page leads %s to %s: the demonstration must have something that does", role, r.Pattern)
				continue
			}
			plan = append(plan, stop{role, r.Pattern, path})
		}
	}
	return plan
}

// slice is the part of the plan that the quick suite looks at: every other page,
// once for each kind of organisation.
func slice(plan []stop) []stop {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(plan), func(s stop) bool {
		key := s.pattern + string(s.role.Org())
		defer func() { seen[key] = true }()
		return seen[key]
	})
}

// become makes the window somebody's.
func (g *guide) become(b *tab, role sector.Role) {
	b.Helper()
	command(b, network.ClearBrowserCookies, struct{}{})
	if role == "" {
		return
	}
	at, err := url.Parse(g.server.url)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range g.people[role].http.Jar.Cookies(at) {
		command(b, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: g.server.url})
	}
}

// TestEveryPage looks at every page of the routing table as every role that
// may see it, in both languages and both themes: axe finds nothing, the
// browser complains of nothing, nothing is wider than the window, everything
// can be reached with the keyboard and is seen when it is, and each page has
// a title of its own. The quick suite looks at every other page once an
// organisation, in the languages by turns.
func TestEveryPage(t *testing.T) {
	look := openEyes(t)
	g := staff(t).guide(t)
	plan := g.plan()
	whole := len(plan)
	if !long() {
		plan = slice(plan)
	}
	slices.SortStableFunc(plan, func(a, b stop) int { return strings.Compare(string(a.role), string(b.role)) })
	began, opened, examined := time.Now(), 0, 0
	for round, lang := range i18n.Langs() {
		b := look.open(t, g.server.url, lang)
		b.wide, b.shapes = 1280, map[string]bool{}
		b.resize(b.wide)
		var titles map[string]string
		var now sector.Role = "none yet"
		for i, s := range plan {
			if !long() && i%4 != 2*round {
				continue
			}
			if s.role != now {
				g.become(b, s.role)
				now, titles = s.role, map[string]string{}
			}
			b.visit(s.path)
			opened++
			title := ask[string](b, "document.title")
			if other, taken := titles[title]; taken || title == "" {
				t.Errorf("%v (%s): its title %q is that of %s", s, lang, title, other)
			}
			titles[title] = s.pattern
		}
		examined += b.looked
	}
	t.Logf("opened %d of %d pages of roles, examined %d, in %v", opened, whole*len(i18n.Langs()), examined, time.Since(began).Round(time.Second))
}

// plantScript breaks a page in the ways that the examination must see.
const plantScript = `(() => {
  const main = document.querySelector("main");
  main.insertAdjacentHTML("afterbegin", '<p id="planted"><button>a</button><button>b</button><a href="/account">c</a><a href="/groups" tabindex="7">d</a></p>');
  const [a, b] = document.querySelectorAll("#planted button");
  for (const e of [a, b]) for (const [k, v] of Object.entries({"min-height": "8px", height: "8px", width: "8px", padding: "0", overflow: "hidden", display: "inline-block"})) e.style.setProperty(k, v, "important");
  const c = document.querySelector("#planted a");
  c.style.setProperty("outline", "none", "important");
  document.querySelector("h1").style.color = "#888";
  return true;
})()`

// TestPlantedBarriersAreFound: what is looked for can be found.
func TestPlantedBarriersAreFound(t *testing.T) {
	look := openEyes(t)
	s := demonstrate(t)
	b := look.open(t, s.server.url, i18n.En)
	b.shapes = map[string]bool{}
	s.enter(b, s.links()[0])
	ask[bool](b, plantScript)
	found := strings.Join(b.barriers(), "\n")
	for _, want := range []string{"target-size", "color-contrast", "tabindex of its own: a d", "focus is not seen on a c", "Tab does not reach a d"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not found in:\n%s", want, found)
		}
	}
}
