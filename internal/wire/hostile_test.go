package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// hostile is what is put wherever a value may stand.
func hostile() []string {
	return []string{
		`x7q"><x7q y='z`, `'x7q onfocus=x7q()//`, "<script>x7q()</script>", "{{x7q}}{{.}}{{printf \"%s\" .}}", "${x7q}#{x7q}<%= x7q %>",
		"../../../../../../etc/passwd", `..\..\..\windows\win.ini`, "....//....//etc/passwd", "/etc/passwd\x00.html",
		"x7q\r\nX7q-Injected: yes\r\nSet-Cookie: x7q=1", "x7q\nX7q-Injected: yes", "\x00", "\xff\xfe\xfd", "\u202ex7q\u2066", "ｘ７ｑ＜ｘ７ｑ＞",
		"' OR '1'='1' --", `"; DROP TABLE member; --`, "%", "_%_", "$(id)`id`", "*)(uid=*))(|(uid=*",
		"//x7q.example/", "https://x7q.example/", `/\x7q.example`, "javascript:x7q()", "\t//x7q.example",
		"9223372036854775808", "-1", "1e400", "NaN", "0x10", "2026-13-45T99:99", "[]", "{", strings.Repeat("A", 4000), strings.Repeat("字", 1000),
		strings.Repeat("[", 2000), strings.Repeat("%25", 500),
	}
}

// parameterNames are read by some handler; those that forms show are added.
func parameterNames() []string {
	return []string{"after", "answer", "category", "cause", "dir", "email", "from", "id", "lang", "limit", "member", "name", "next", "password",
		"q", "reason", "role", "sector", "severity", "sort", "state", "subject", "text", "then", "title", "tlp", "to", "token", "value", "version"}
}

var inputName = regexp.MustCompile(` name="([A-Za-z_.-]+)"`)

// internals are words that no answer about a mistake may hold.
var internals = regexp.MustCompile(`(?i)goroutine \d|\.go:\d+|sqlite|pgx|SQLSTATE|sql: |runtime error|template: |invalid memory|/tmp/|no such table|strconv\.|unexpected end of JSON`)

// faultsOf is what is wrong with an answer to a hostile request.
func faultsOf(resp *http.Response, body, base string, personal bool) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if resp.StatusCode >= http.StatusInternalServerError {
		add("status %d", resp.StatusCode)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") && regexp.MustCompile(`<x7q|<script>x7q|[^\\]' ?onfocus=x7q`).MatchString(body) {
		add("echoes unescaped")
	}
	if strings.Contains(body, "root:x:0") || strings.Contains(body, "[fonts]") {
		add("a file of the machine")
	}
	if resp.StatusCode >= http.StatusBadRequest && internals.MatchString(body) {
		add("tells internals: %s", internals.FindString(body))
	}
	if resp.Header.Get("X7q-Injected") != "" || strings.Contains(strings.Join(resp.Header.Values("Set-Cookie"), ";"), "x7q=") {
		add("a header was injected")
	}
	if where := resp.Header.Get("Location"); where != "" && !strings.HasPrefix(where, base) &&
		(!strings.HasPrefix(where, "/") || strings.HasPrefix(where, "//") || strings.HasPrefix(where, `/\`)) {
		add("leads to %q", where)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": httpx.ContentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := resp.Header.Get(name); got != want {
			add("%s is %q", name, got)
		}
	}
	if got := resp.Header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
		add("Referrer-Policy is %q", got)
	}
	cache := resp.Header.Get("Cache-Control")
	if personal && !strings.Contains(cache, "no-store") && !strings.Contains(cache, "private") {
		add("may be kept by others: Cache-Control %q", cache)
	}
	return faults
}

// walk is the program with something of every kind that ids can name.
type walk struct {
	*Program
	actors  []actor
	ids     map[string]string // a real id by the beginning of the path
	names   map[string]bool   // of parameters
	asked   int
	client  *http.Client
	testing *testing.T
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	p := start(t, func(o *Options) { o.RequestsPerSecond = 1_000_000 })
	w := &walk{Program: p, actors: actors(t, p), ids: map[string]string{}, names: map[string]bool{}, testing: t, client: browser(t, nil, nil)}
	for _, name := range parameterNames() {
		w.names[name] = true
	}
	keys, err := p.directory.Keys(t.Context(), "north-bank")
	if err != nil {
		t.Fatal(err)
	}
	w.ids["/keys/"], w.ids["/admin/members/"] = keys[0].ID, "north-bank"
	return w
}

// holder is somebody who may use the route, so that its handler is reached.
func (w *walk) holder(route access.Route) actor {
	i := slices.IndexFunc(w.actors, func(a actor) bool {
		return a.viewer.May(route.Need) && route.Need != sector.Public && (a.viewer.Key == "" || strings.Contains(route.Pattern, "/api/") || strings.Contains(route.Pattern, "/taxii2/"))
	})
	return w.actors[max(i, 0)]
}

// send asks and checks the answer. It returns the page.
func (w *walk) send(route access.Route, a actor, method, path string, values url.Values) string {
	ctx, cancel := context.WithTimeout(w.testing.Context(), 20*time.Second)
	defer cancel()
	var body io.Reader
	target := path
	if method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions {
		target += "?" + values.Encode()
	} else {
		body = strings.NewReader(values.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, w.URL()+target, body)
	if err != nil {
		w.testing.Errorf("%s %q: %v", method, target, err)
		return ""
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a.sign(r)
	resp, err := w.client.Do(r)
	if err != nil {
		w.testing.Errorf("%s as %v: %v", route.Pattern, a, err)
		return ""
	}
	defer resp.Body.Close()
	w.asked++
	var text []byte
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		if text, err = io.ReadAll(resp.Body); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			w.testing.Errorf("%s: %v", route.Pattern, err)
		}
	}
	personal := a.viewer.May(route.Need) && route.Need != sector.Public && resp.StatusCode == http.StatusOK && !strings.HasPrefix(path, "/taxii2/")
	for _, fault := range faultsOf(resp, string(text), w.URL(), personal) {
		w.testing.Errorf("%s %.200q as %v with %.60q: %s", method, path, a, values.Get("q"), fault)
	}
	for _, name := range inputName.FindAllStringSubmatch(string(text), -1) {
		w.names[name[1]] = true
	}
	return string(text)
}

// fill puts the value into every wildcard of a path, and real where it is not
// empty.
func fill(path, value, real string) string {
	return wildcard.ReplaceAllStringFunc(path, func(wild string) string {
		switch {
		case wild == "{$}":
			return ""
		case real != "":
			return real
		}
		return url.PathEscape(value)
	})
}

// TestHostileValuesEverywhere walks the routing table with hostile values in
// every wildcard and every parameter, as somebody who may use the route and
// as nobody.
func TestHostileValuesEverywhere(t *testing.T) {
	w := newWalk(t)
	nobody := w.actors[0]
	for _, route := range w.routeTable { // first as they are meant, to learn the parameters
		method, path, _ := strings.Cut(route.Pattern, " ")
		if method == http.MethodGet {
			w.send(route, w.holder(route), method, fill(path, "", w.real(path)), nil)
		}
	}
	for i, route := range w.routeTable {
		method, path, ok := strings.Cut(route.Pattern, " ")
		if !ok {
			method, path = http.MethodGet, route.Pattern
		}
		if path == "/sign-out" {
			continue // ends the session that the others need
		}
		below := strings.HasSuffix(path, "/")
		for j, value := range hostile() {
			if (i+j)%3 != 0 && os.Getenv("ASPIS_LONG") == "" {
				continue // every value still meets every third route
			}
			values := w.values(method, value)
			target := fill(path, value, w.real(path))
			if below {
				target += url.PathEscape(value)
			}
			w.send(route, w.holder(route), method, target, values)
			if strings.Contains(path, "{") && w.real(path) != "" {
				w.send(route, w.holder(route), method, fill(path, value, ""), values)
			}
		}
		w.send(route, nobody, method, fill(path, hostile()[0], ""), url.Values{"next": {"//x7q.example"}})
	}
	t.Logf("%d routes, %d parameters, %d values, %d requests", len(w.routeTable), len(w.names), len(hostile()), w.asked)
	if _, err := w.directory.Member(t.Context(), "north-bank"); err != nil {
		t.Errorf("the member is gone: %v", err)
	}
}

// values puts the value into every parameter, or, where the line would grow
// beyond what net/http reads, into some.
func (w *walk) values(method, value string) url.Values {
	values := url.Values{}
	for name := range w.names {
		if method != http.MethodGet || len(value) < 500 || slices.Contains([]string{"q", "after", "id", "to"}, name) {
			values.Set(name, value)
		}
	}
	return values
}

// real is an id that exists, for paths below which there are some.
func (w *walk) real(path string) string {
	for prefix, id := range w.ids {
		if strings.HasPrefix(path, prefix) {
			return id
		}
	}
	return ""
}

// TestOtherMethods: no header turns one method into another, and methods that
// nobody mounted do nothing.
func TestOtherMethods(t *testing.T) {
	w := newWalk(t)
	boss := w.actors[slices.IndexFunc(w.actors, func(a actor) bool { return a.viewer.Is(sector.Administrator) })]
	key := w.ids["/keys/"]
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		for _, path := range []string{"/keys/" + key + "/revoke", "/keys/" + key + "/revoke?_method=POST"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(name, http.MethodPost)
			boss.sign(r)
			resp, err := w.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}
	if k, err := w.directory.Key(t.Context(), sector.System(), key); err != nil || !k.RevokedAt.IsZero() {
		t.Errorf("a GET revoked a key: %+v, %v", k, err)
	}
	for _, route := range w.routeTable {
		_, path, _ := strings.Cut(route.Pattern, " ")
		if path == "" || path == "/sign-out" {
			continue
		}
		target := fill(path, "x", w.real(path))
		for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", http.MethodPut} {
			body := w.send(route, boss, method, target, nil)
			if method == http.MethodHead && body != "" || method == http.MethodTrace && strings.Contains(body, "Cookie: ") {
				t.Errorf("%s %s is answered %q", method, target, body)
			}
		}
	}
}

// TestForgedRequests: what a browser sends for another site changes nothing,
// on every route that changes something.
func TestForgedRequests(t *testing.T) {
	w := newWalk(t)
	for _, route := range w.routeTable {
		method, path, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodPost && method != http.MethodPatch && method != http.MethodDelete {
			continue
		}
		for _, forged := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://x7q.example"}, {"Origin", "null"}} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.URL()+fill(path, "x", w.real(path)), strings.NewReader("a=b"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(forged[0], forged[1])
			if a := w.holder(route); a.viewer.Key == "" { // a browser attaches cookies, and no keys
				a.sign(r)
			}
			resp, err := w.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %v: status %d", route.Pattern, forged, resp.StatusCode)
			}
		}
	}
}

// TestFaultsAreFound: answers with every planted fault are told from good
// ones.
func TestFaultsAreFound(t *testing.T) {
	good := func(w http.ResponseWriter) {
		h := w.Header()
		h.Set("Content-Security-Policy", httpx.ContentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "text/html")
	}
	for name, plant := range map[string]func(http.ResponseWriter){
		"":                 func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"status 500":       func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"echoes unescaped": func(w http.ResponseWriter) { _, _ = io.WriteString(w, hostile()[0]) },
		"a file":           func(w http.ResponseWriter) { _, _ = io.WriteString(w, "root:x:0:0") },
		"tells internals":  func(w http.ResponseWriter) { http.Error(w, "sqlite: no such table", http.StatusBadRequest) },
		"a header":         func(w http.ResponseWriter) { w.Header().Set("X7q-Injected", "yes") },
		"leads to": func(w http.ResponseWriter) {
			w.Header().Set("Location", "//x7q.example/")
			w.WriteHeader(http.StatusSeeOther)
		},
		"X-Frame-Options is": func(w http.ResponseWriter) { w.Header().Del("X-Frame-Options") },
		"may be kept":        func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public, max-age=60") },
	} {
		w := httptest.NewRecorder()
		good(w)
		plant(w)
		resp := w.Result()
		faults := faultsOf(resp, w.Body.String(), "http://centre", true)
		if name == "" && len(faults) > 0 || name != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0], name)) {
			t.Errorf("planted %q, found %q", name, faults)
		}
	}
}

// TestStaticStaysInside: no way of writing a path leaves the embedded assets.
func TestStaticStaysInside(t *testing.T) {
	p := start(t, func(*Options) {})
	for _, path := range []string{"../static.go", "..%2fstatic.go", "%2e%2e/%2e%2e/etc/passwd", `..%5cstatic.go`, "./.built", ".built", ".gitkeep", "main.js/../../x", "%00", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = static.Prefix + path
		resp, err := browser(t, nil, nil).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK || resp.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}
