package access

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
)

type idField struct {
	ID string `path:"id"`
}

type thingIn struct {
	ID      string `path:"id"`
	Limit   int    `query:"limit" minimum:"1" maximum:"9" default:"3"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Name string `json:"name"`
	}
}

type thingOut struct {
	Body struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Limit int    `json:"limit"`
		Times int    `json:"times"`
	}
}

// replays is a store of replays in memory.
type replays struct {
	mu   sync.Mutex
	kept map[string]Replay
}

func (s *replays) Claim(_ context.Context, slot string, r Replay, since time.Time) (Replay, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.kept[slot]; ok && found.At.After(since) {
		return found, false, nil
	}
	s.kept[slot] = r
	return Replay{}, true, nil
}

func (s *replays) Together(ctx context.Context, work func(ctx context.Context) error) error {
	return work(ctx)
}

func (s *replays) Keep(_ context.Context, slot, answer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.kept[slot]
	r.Answer = answer
	s.kept[slot] = r
	return nil
}

func (s *replays) Release(_ context.Context, slot string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, slot)
	return nil
}

// rig is a table with one operation that creates and one that shows.
type rig struct {
	routes *Routes
	viewer sector.Viewer
	times  int
	now    time.Time
	fail   error
	store  *replays
}

func newRig(t *testing.T) *rig {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{
		routes: New(httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil)), now: time.Unix(1e9, 0),
		viewer: sector.Viewer{Org: sector.Centre, User: "u1", Roles: []sector.Role{sector.Administrator}},
		store:  &replays{kept: map[string]Replay{}},
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "replays")
	if err != nil {
		t.Fatal(err)
	}
	g.routes.Remember(NewMemory(g.store, sealer, func() time.Time { return g.now }))
	Operation(g.routes, "POST /api/v1/things/{id}", sector.WriteMembers,
		Doc{ID: "member-create", Tag: "members", Creates: true, Status: http.StatusCreated, MaxBody: 1000}, g.make)
	Operation(g.routes, "GET /api/v1/things/{id}", sector.ReadMembers, Doc{ID: "member-show", Tag: "members"},
		func(_ context.Context, in *idField) (*thingOut, error) {
			out := &thingOut{}
			out.Body.ID = in.ID
			return out, nil
		})
	return g
}

func (g *rig) make(_ context.Context, in *thingIn) (*thingOut, error) {
	if g.fail != nil {
		return nil, g.fail
	}
	g.times++
	out := &thingOut{}
	out.Body.ID, out.Body.Name, out.Body.Limit, out.Body.Times = in.ID, in.Body.Name, in.Limit, g.times
	return out, nil
}

func (g *rig) ask(t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(sector.WithViewer(t.Context(), g.viewer), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.routes.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestOperationRefuses: what an operation does not know is refused, in the
// language of the request, and its handler is not asked.
func TestOperationRefuses(t *testing.T) {
	g := newRig(t)
	for name, tc := range map[string]struct {
		path, body string
		status     int
		want       string
	}{
		"an unknown parameter": {"/api/v1/things/x?colour=1", `{"name":"n"}`, 400, `"code":"query.unknown"`},
		"a limit too large":    {"/api/v1/things/x?limit=10", `{"name":"n"}`, 400, `"code":"api.parameter"`},
		"a limit of letters":   {"/api/v1/things/x?limit=abc", `{"name":"n"}`, 400, `參數 limit 有誤`},
		"an unknown member":    {"/api/v1/things/x", `{"name":"n","colour":1}`, 400, `"at":"body.colour"`},
		"a missing member":     {"/api/v1/things/x", `{}`, 400, `"code":"api.body_field"`},
		"no JSON":              {"/api/v1/things/x", `name=n`, 400, `"code":"api.body`},
		"two values":           {"/api/v1/things/x", `{"name":"n"}{}`, 400, `"code":"api.body`},
		"no body":              {"/api/v1/things/x", ``, 400, `"code":"api.body"`},
		"a large body":         {"/api/v1/things/x", `{"name":"` + strings.Repeat("x", 2000) + `"}`, 413, `"code":"api.too_large"`},
	} {
		r := g.ask(t, "POST", tc.path, tc.body, "Accept-Language", "zh-TW")
		if body := text(t, r); r.StatusCode != tc.status || !strings.Contains(body, tc.want) || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s, want %d with %s", name, r.StatusCode, r.Header.Get("Content-Type"), body, tc.status, tc.want)
		}
	}
	if g.times != 0 {
		t.Errorf("the handler was asked %d times", g.times)
	}
	g.fail = errs.New(errs.NotFound, "advisory.not_found").With(map[string]int{"n": 7})
	r := g.ask(t, "POST", "/api/v1/things/x", `{"name":"n"}`)
	if body := text(t, r); r.StatusCode != http.StatusNotFound || !strings.Contains(body, `"details":{"n":7}`) {
		t.Errorf("the handler's error: %d %s", r.StatusCode, body)
	}
	g.fail = errors.New("secret internals")
	if body := text(t, g.ask(t, "POST", "/api/v1/things/x", `{"name":"n"}`)); strings.Contains(body, "secret") {
		t.Errorf("internals show: %s", body)
	}
	g.viewer = sector.Viewer{}
	if r := g.ask(t, "POST", "/api/v1/things/x", `{`); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %d, before the body is looked at", r.StatusCode)
	}
}

func TestETag(t *testing.T) {
	g := newRig(t)
	r := g.ask(t, "GET", "/api/v1/things/7", "")
	tag := r.Header.Get("ETag")
	if r.StatusCode != http.StatusOK || tag == "" || r.Header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	if r := g.ask(t, "GET", "/api/v1/things/7", "", "If-None-Match", `"x", `+tag); r.StatusCode != http.StatusNotModified || text(t, r) != "" {
		t.Errorf("asked again with the tag: %d", r.StatusCode)
	}
	if r := g.ask(t, "GET", "/api/v1/things/8", "", "If-None-Match", tag); r.StatusCode != http.StatusOK {
		t.Errorf("another thing with the tag: %d", r.StatusCode)
	}
	for header, want := range map[string]int{`"v7"`: 7, `""`: -1, `"v0"`: 0, `"v-1"`: -1, `v7`: -1, `*`: -1, ``: -1, `"v99999999999999999999"`: -1} {
		n, err := Version(header)
		if want > 0 && n != want || (want < 0) != (err != nil) {
			t.Errorf("Version(%q) = %d, %v", header, n, err)
		}
	}
}

// TestIdempotency: the same request again gets the first answer byte for
// byte; another with its key is refused; a failed one may be sent again.
func TestIdempotency(t *testing.T) {
	g := newRig(t)
	ask := func(path, body, key string) (int, string) {
		r := g.ask(t, "POST", path, body, "Idempotency-Key", key)
		return r.StatusCode, text(t, r)
	}
	g.fail = errs.New(errs.Unavailable, "error.unavailable.text")
	if status, _ := ask("/api/v1/things/x", `{"name":"n"}`, "k"); status != 503 {
		t.Fatalf("the failure: %d", status)
	}
	g.fail = nil
	status, first := ask("/api/v1/things/x", `{"name":"n"}`, "k")
	if status != 201 || !strings.Contains(first, `{"id":"x","name":"n","limit":3,"times":1}`) {
		t.Fatalf("after a failure: %d %s", status, first)
	}
	if status, again := ask("/api/v1/things/x", `{"name":"n"}`, "k"); status != 201 || again != first {
		t.Errorf("again: %d %s", status, cmp.Diff(first, again))
	}
	if status, body := ask("/api/v1/things/x", `{"name":"m"}`, "k"); status != 409 || !strings.Contains(body, "api.key_reused") {
		t.Errorf("another body: %d %s", status, body)
	}
	if status, body := ask("/api/v1/things/y", `{"name":"n"}`, "k"); status != 201 || !strings.Contains(body, `"times":2`) {
		t.Errorf("another thing: %d %s", status, body)
	}
	for _, r := range g.store.kept {
		if strings.Contains(r.Answer, "name") {
			t.Errorf("the kept answer can be read: %s", r.Answer)
		}
	}
	g.viewer.User = "u2"
	if _, body := ask("/api/v1/things/x", `{"name":"n"}`, "k"); !strings.Contains(body, `"times":3`) {
		t.Errorf("somebody else's key: %s", body)
	}
	g.viewer.User = "u1"
	g.now = g.now.Add(25 * time.Hour)
	if _, body := ask("/api/v1/things/x", `{"name":"n"}`, "k"); !strings.Contains(body, `"times":4`) {
		t.Errorf("a day later: %s", body)
	}
	if status, _ := ask("/api/v1/things/x", `{"name":"n"}`, strings.Repeat("k", 256)); status != 400 {
		t.Errorf("a long key: %d", status)
	}
	// A request that is still being answered, and one that never ended.
	for slot, r := range g.store.kept {
		r.Answer = ""
		g.store.kept[slot] = r
	}
	if status, _ := ask("/api/v1/things/x", `{"name":"n"}`, "k"); status != 409 {
		t.Errorf("while it is answered: %d", status)
	}
	g.now = g.now.Add(2 * time.Minute)
	if status, body := ask("/api/v1/things/x", `{"name":"n"}`, "k"); status != 201 {
		t.Errorf("after one that never ended: %d %s", status, body)
	}
}

func TestCursors(t *testing.T) {
	sealer, err := seal.New(make([]byte, seal.KeySize), "cursors")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCursors(sealer)
	v, other := sector.Viewer{Org: sector.MemberOrg, Member: "a"}, sector.Viewer{Org: sector.MemberOrg, Member: "b"}
	token := c.Seal(v, "q", "place")
	if token != c.Seal(v, "q", "place") {
		t.Error("equal positions, different cursors")
	}
	if p, err := c.Open(v, "q", token); err != nil || p != "place" {
		t.Errorf("%q, %v", p, err)
	}
	for name, open := range map[string]func() (string, error){
		"another member":   func() (string, error) { return c.Open(other, "q", token) },
		"another question": func() (string, error) { return c.Open(v, "r", token) },
		"nonsense":         func() (string, error) { return c.Open(v, "q", "x") },
	} {
		if _, err := open(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rows := []string{"a", "b", "c", "d", "e"}
	var got []string
	for after := ""; ; {
		page, next, err := Page(rows, func(s string) string { return s }, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join(page, ""))
		if after = next; next == "" {
			break
		}
	}
	if d := cmp.Diff([]string{"ab", "cd", "e"}, got); d != "" {
		t.Error(d)
	}
	if _, _, err := Page(rows, func(s string) string { return s }, "gone", 2); err == nil {
		t.Error("a row that is gone is no error")
	}
}

func TestDescribed(t *testing.T) {
	g := newRig(t)
	g.routes.API("GET /api/v1/raw", sector.ReadMembers, func(http.ResponseWriter, *http.Request) error { return nil })
	for pattern, want := range map[string]bool{"GET /api/v1/things/{id}": true, "PUT /api/v1/things/{id}": false, "GET /api/v1/raw": false} {
		if got := g.routes.Described(pattern); got != want {
			t.Errorf("Described(%s) = %v", pattern, got)
		}
	}
	raw, err := g.routes.Document().YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"openapi: 3.1.0", "x-permission: member.write", "Idempotency-Key", "application/problem+json", "HttpxProblem"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	if strings.Contains(string(raw), "ErrorModel") {
		t.Error("huma's problem is in the document")
	}
}

// BenchmarkOperation is what reading, checking, answering and tagging cost.
func BenchmarkOperation(b *testing.B) {
	texts, err := i18n.Load()
	if err != nil {
		b.Fatal(err)
	}
	routes := New(httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil))
	work := func(_ context.Context, in *thingIn) (*thingOut, error) {
		out := &thingOut{}
		out.Body.ID, out.Body.Name = in.ID, in.Body.Name
		return out, nil
	}
	Operation(routes, "POST /api/v1/things/{id}", sector.WriteMembers, Doc{ID: "member-create", Tag: "members"}, work)
	ctx := sector.WithViewer(b.Context(), sector.Viewer{Org: sector.Centre, User: "u1", Roles: []sector.Role{sector.Administrator}})
	for b.Loop() {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/things/7?limit=3", strings.NewReader(`{"name":"n"}`)))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
