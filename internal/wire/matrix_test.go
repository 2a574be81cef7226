package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// actor is somebody who asks: a person with one role, a key with one scope,
// or nobody.
type actor struct {
	viewer sector.Viewer
	sign   func(*http.Request)
}

func (a actor) String() string {
	switch {
	case a.viewer.Key != "":
		return "key " + string(a.viewer.Scopes[0])
	case a.viewer.User != "":
		return string(a.viewer.Roles[0])
	}
	return "nobody"
}

// start is a whole program on an empty folder that serves until the test ends.
func start(t *testing.T, change func(*Options)) *Program {
	t.Helper()
	opts := Options{Data: t.TempDir(), Listen: "127.0.0.1:0"}
	change(&opts)
	p, err := Build(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

// running is one that lets people in by their links alone.
func running(t *testing.T) *Program {
	t.Helper()
	return serving(t, t.TempDir())
}

// serving is running, on a folder.
func serving(t *testing.T, dir string) *Program {
	t.Helper()
	return start(t, func(o *Options) { o.Data, o.Listen, o.LinksEnter = dir, "localhost:0", true })
}

// actors are a person of every role, a key of every scope, and nobody.
func actors(t *testing.T, p *Program) []actor {
	t.Helper()
	ctx, by := t.Context(), sector.System()
	if _, err := p.directory.CreateMember(ctx, by, sector.Member{ID: "north-bank", Name: "North Bank", NameZh: "北方銀行", Sector: sector.Banking}); err != nil {
		t.Fatal(err)
	}
	all := []actor{{sign: func(*http.Request) {}}}
	for _, role := range sector.Roles() {
		u := sector.User{Email: string(role) + "@matrix.example", Roles: []sector.Role{role}}
		if u.Org() == sector.MemberOrg {
			u.Member = "north-bank"
		}
		link, err := p.SignInLink(ctx, u)
		if err != nil {
			t.Fatal(err)
		}
		cookie := redeem(t, link)
		all = append(all, actor{
			sector.Viewer{Org: role.Org(), User: "u", Roles: u.Roles, Member: u.Member},
			func(r *http.Request) { r.AddCookie(cookie) },
		})
	}
	for _, scope := range sector.Scopes() {
		key, secret, err := p.directory.CreateKey(ctx, by, "north-bank", []sector.Scope{scope})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, actor{
			sector.Viewer{Org: sector.MemberOrg, Member: "north-bank", Key: key.ID, Scopes: key.Scopes},
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) },
		})
	}
	return all
}

// redeem uses a sign-in link and returns the session's cookie.
func redeem(t *testing.T, link string) *http.Cookie {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"token": {u.Fragment}}
	u.Fragment = ""
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == "aspis" {
			return c
		}
	}
	t.Fatalf("%s: status %d without a session", link, resp.StatusCode)
	return nil
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// cell asks for a route as somebody and tells what contradicts the table.
func cell(ctx context.Context, base string, route access.Route, a actor) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	method, path, ok := strings.Cut(route.Pattern, " ")
	if !ok {
		method, path = http.MethodGet, route.Pattern
	}
	if strings.HasSuffix(path, "/") {
		path += "x" // a pattern that ends so stands for all below it
	}
	path = wildcard.ReplaceAllStringFunc(path, func(w string) string {
		if w == "{$}" {
			return ""
		}
		return "x"
	})
	r, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/html")
	a.sign(r)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s as %v: %w", route.Pattern, a, err)
	}
	defer resp.Body.Close()
	refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden ||
		resp.StatusCode == http.StatusSeeOther && strings.HasPrefix(resp.Header.Get("Location"), "/sign-in")
	if may := a.viewer.May(route.Need); refused == may {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 300)) // only for the message
		return fmt.Errorf("%s needs %s; %v holds it: %v, and is answered %d %q", route.Pattern, route.Need, a, may, resp.StatusCode, body)
	}
	return nil
}

// elsewhere are routes whose handler asks for more than a permission; each
// has tests of its own.
func elsewhere() []string {
	return []string{
		"POST /sign-out",               // ends the session that the other cells need
		"GET /sign-in/second",          // only after a right password
		"POST /sign-in/second",         // the same
		"POST /sign-in/second/options", // the same
		"/taxii2/",                     // knows keys only; asked below with its own form of refusal
	}
}

// TestPermissionMatrix asks for every route of the running program as a
// person of every role, a key of every scope, and nobody: what is answered is
// what the table says.
func TestPermissionMatrix(t *testing.T) {
	p := running(t)
	all := actors(t, p)
	cells := 0
	for _, route := range p.routeTable {
		if slices.Contains(elsewhere(), route.Pattern) {
			continue
		}
		for _, a := range all {
			if a.viewer.Key != "" && !strings.Contains(route.Pattern, " /api/") {
				continue // a key opens the API only
			}
			cells++
			if err := cell(t.Context(), p.URL(), route, a); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("%d routes, %d actors, %d cells", len(p.routeTable), len(all), cells)
}

// TestTheTableKnowsEveryPermission: a route cannot be added without an entry.
func TestTheTableKnowsEveryPermission(t *testing.T) {
	for _, route := range running(t).routeTable {
		if route.Need != sector.Public && route.Need != sector.SignedIn && sector.GrantOf(route.Need).Permission == "" {
			t.Errorf("%s needs %q, which is not in the table", route.Pattern, route.Need)
		}
	}
}

// TestMatrixFindsPlantedFaults: a handler that lets everybody in, or nobody,
// is found.
func TestMatrixFindsPlantedFaults(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	route := access.Route{Pattern: "GET /planted/{id}", Need: sector.WriteMembers}
	stranger := actor{sector.Viewer{Org: sector.MemberOrg, User: "u", Roles: []sector.Role{sector.MemberStaff}}, func(*http.Request) {}}
	boss := actor{sector.Viewer{Org: sector.Centre, User: "u", Roles: []sector.Role{sector.Administrator}}, func(*http.Request) {}}
	if cell(t.Context(), server.URL, route, boss) != nil || cell(t.Context(), server.URL, route, stranger) == nil {
		t.Error("a handler that lets everybody in is not told from the table")
	}
	status = http.StatusForbidden
	if cell(t.Context(), server.URL, route, boss) == nil || cell(t.Context(), server.URL, route, stranger) != nil {
		t.Error("a handler that lets nobody in is not told from the table")
	}
}
