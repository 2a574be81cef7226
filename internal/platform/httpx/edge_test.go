package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

type rig struct {
	edge *Edge
	mux  *http.ServeMux
	reg  *prometheus.Registry
	log  bytes.Buffer
}

func newRig(t *testing.T) *rig {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{mux: http.NewServeMux(), reg: prometheus.NewRegistry()}
	r.edge = NewEdge(slog.New(slog.NewJSONHandler(&r.log, nil)), texts, NewMetrics(r.reg))
	return r
}

func (r *rig) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.edge.Wrap(r.mux).ServeHTTP(w, req)
	return w
}

func (r *rig) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	return r.do(httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
}

// line is the last canonical line.
func (r *rig) line(t *testing.T) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func kinds() []errs.Kind {
	return []errs.Kind{errs.Internal, errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound,
		errs.Conflict, errs.TooLarge, errs.TooMany, errs.Unavailable, errs.Full, errs.Stale}
}

func TestEveryKindHasAStatusAndWords(t *testing.T) {
	texts := newRig(t).edge.texts
	seen := map[int]errs.Kind{}
	for _, kind := range kinds() {
		if other, twice := seen[Status(kind)]; twice {
			t.Errorf("kinds %d and %d share status %d", kind, other, Status(kind))
		}
		seen[Status(kind)] = kind
		for _, part := range []string{".title", ".text"} {
			if key := "error." + KindName(kind) + part; !texts.Has(key) {
				t.Errorf("no text for %s", key)
			}
		}
	}
	if Status(errs.Stale+1) != http.StatusInternalServerError {
		t.Error("a kind nobody knows is not a 500; is a new one missing in kinds()?")
	}
}

func TestCanonicalLine(t *testing.T) {
	r := newRig(t)
	r.mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, req *http.Request) {
		SetActor(req.Context(), "user:7")
		Attr(req.Context(), slog.Int("rows", 3))
		Note(req.Context(), errors.New("half of it is missing"))
		Note(req.Context(), errors.New("a later error"))
		_, _ = w.Write([]byte("hello"))
	})
	w := r.get(t, "/things/9?token=hidden")
	line := r.line(t)
	want := map[string]any{"msg": "request", "method": "GET", "route": "GET /things/{id}", "status": 200.0, "bytes": 5.0,
		"actor": "user:7", "rows": 3.0, "error": "half of it is missing", "request": w.Header().Get("X-Request-Id")}
	for key, v := range want {
		if line[key] != v {
			t.Errorf("%s is %v, want %v", key, line[key], v)
		}
	}
	if n := strings.Count(r.log.String(), "\n"); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	if strings.Contains(r.log.String(), "hidden") {
		t.Error("the query is in the log")
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	r := newRig(t)
	const want = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	for _, path := range []string{"/nowhere", "/"} {
		w := r.get(t, path)
		if got := w.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: policy %q", path, got)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
}

func TestPanic(t *testing.T) {
	r := newRig(t)
	r.mux.HandleFunc("GET /boom", func(http.ResponseWriter, *http.Request) { panic("secret 42") })
	r.mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("begun"))
		panic("late")
	})
	w := r.get(t, "/boom")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
	if line := r.line(t); line["error"] != "panic: secret 42" || line["level"] != "ERROR" {
		t.Errorf("line %v", line)
	}
	if w := r.get(t, "/late"); w.Body.String() != "begun" {
		t.Errorf("an answer that began is followed by %s", w.Body)
	}
	r.mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a recovered value
			t.Errorf("abort became %v", p)
		}
	}()
	r.get(t, "/abort")
}

func TestProblem(t *testing.T) {
	r := newRig(t)
	fail := errs.New(errs.TooMany, "error.too_many.text").Because(errors.New("bucket 17 of jade-bank"))
	fail.RetryAfter = 1500 * time.Millisecond
	r.mux.Handle("GET /busy", r.edge.API(func(http.ResponseWriter, *http.Request) error { return fail }))
	r.mux.Handle("GET /broken", r.edge.API(func(http.ResponseWriter, *http.Request) error { return errors.New("no such table") }))
	r.mux.Handle("GET /strange", r.edge.API(func(http.ResponseWriter, *http.Request) error { return errs.New(errs.Invalid, "no.such_key", "x") }))
	r.mux.Handle("GET /unknown", r.edge.API(func(http.ResponseWriter, *http.Request) error {
		return errs.New(errs.Unauthenticated, "error.unauthenticated.text")
	}))
	tests := []struct {
		path, lang, code, title string
		status                  int
	}{
		{"/busy", "en", "error.too_many.text", "Too many requests", 429},
		{"/busy", "zh-TW", "error.too_many.text", "次數太多", 429},
		{"/broken", "en", "error.internal", "Something went wrong here", 500},
		{"/strange", "en", "no.such_key", "The input is not right", 400},
		{"/unknown", "en", "error.unauthenticated.text", "Not signed in", 401},
	}
	for _, test := range tests {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
		req.Header.Set("Accept-Language", test.lang)
		w := r.do(req)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if w.Code != test.status || p.Status != test.status || p.Code != test.code || p.Title != test.title || p.RequestID == "" {
			t.Errorf("%s: %d %+v", test.path, w.Code, p)
		}
		if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" {
			t.Errorf("%s: content type %q", test.path, kind)
		}
		for _, inner := range []string{"jade-bank", "table", "⟦"} {
			if strings.Contains(w.Body.String(), inner) {
				t.Errorf("%s shows %q", test.path, inner)
			}
		}
	}
	if w := r.get(t, "/busy"); w.Header().Get("Retry-After") != "2" {
		t.Errorf("retry after %q, want 2", w.Header().Get("Retry-After"))
	}
	if w := r.get(t, "/unknown"); w.Header().Get("WWW-Authenticate") == "" {
		t.Error("a 401 without a challenge")
	}
}

func TestForgedRequests(t *testing.T) {
	r := newRig(t)
	r.mux.HandleFunc("POST /change", func(http.ResponseWriter, *http.Request) {})
	r.mux.HandleFunc("GET /read", func(http.ResponseWriter, *http.Request) {})
	tests := []struct {
		name, method, path string
		header             map[string]string
		want               int
	}{
		{"own page", "POST", "/change", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"other site", "POST", "/change", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"sibling", "POST", "/change", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"old browser, other origin", "POST", "/change", map[string]string{"Origin": "https://evil.example"}, 403},
		{"old browser, own origin", "POST", "/change", map[string]string{"Origin": "http://example.com"}, 200},
		{"machine", "POST", "/change", nil, 200},
		{"machine with a key", "POST", "/change", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "bearer abc"}, 200},
		{"basic credentials are attached by browsers", "POST", "/change", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Basic YTpi"}, 403},
		{"empty bearer", "POST", "/change", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer "}, 403},
		{"reading", "GET", "/read", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
	}
	for _, test := range tests {
		req := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
		for name, v := range test.header {
			req.Header.Set(name, v)
		}
		if w := r.do(req); w.Code != test.want {
			t.Errorf("%s: status %d, want %d", test.name, w.Code, test.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	r := newRig(t)
	r.mux.Handle("GET /metrics", MetricsHandler(r.reg))
	r.mux.HandleFunc("/any/{id}", func(http.ResponseWriter, *http.Request) {})
	r.get(t, "/any/1")
	r.get(t, "/any/2")
	r.do(httptest.NewRequestWithContext(t.Context(), "BREW", "/any/3", nil))
	body := r.get(t, "/metrics").Body.String()
	for _, want := range []string{
		`aspis_http_requests_total{method="GET",route="/any/{id}",status="200"} 2`,
		`aspis_http_requests_total{method="other",route="/any/{id}",status="200"} 1`,
		`aspis_http_requests_in_flight 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

type check struct {
	name string
	err  error
	slow bool
}

func (c check) Name() string { return c.name }
func (c check) Check(ctx context.Context) error {
	if c.slow {
		<-ctx.Done()
		return ctx.Err()
	}
	return c.err
}

func TestReadyz(t *testing.T) {
	r := newRig(t)
	r.mux.Handle("GET /fine", Readyz(check{name: "a"}, check{name: "b"}))
	r.mux.Handle("GET /bad", Readyz(check{name: "a"}, check{name: "b", err: errors.New("disk at /secret is gone")}))
	r.mux.Handle("GET /slow", Readyz(check{name: "a", slow: true}))
	r.mux.Handle("GET /healthz", Healthz())
	for path, want := range map[string]int{"/fine": 200, "/bad": 503, "/slow": 503, "/healthz": 200} {
		w := r.get(t, path)
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := r.get(t, "/bad"); !strings.Contains(w.Body.String(), `"b":"down"`) || !strings.Contains(w.Body.String(), `"a":"ok"`) {
		t.Errorf("body %s", w.Body)
	}
}
