package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Config{URL: server.URL + "/", Secret: "s3cret", Language: "zh-Hant"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		url, secret string
		want        error
	}{
		"fine": {"https://centre.example", "k", nil}, "this machine": {"http://127.0.0.1:1", "k", nil}, "localhost": {"http://localhost:1", "k", nil},
		"IPv6": {"http://[::1]:1", "k", nil}, "plain": {"http://centre.example", "k", ErrPlainHTTP}, "looks local": {"http://127.0.0.1.example", "k", ErrPlainHTTP},
		"no host": {"https://", "k", ErrURL}, "a file": {"file:///etc/passwd", "k", ErrURL}, "no URL": {"", "k", ErrURL},
		"no secret": {"https://centre.example", "", ErrNoSecret}, "a header in it": {"https://centre.example", "k\r\nX: y", ErrNoSecret},
	} {
		if _, err := New(Config{URL: tc.url, Secret: tc.secret}); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestRequest: what is asked arrives as it should.
func TestRequest(t *testing.T) {
	var got http.Header
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("ETag", `"v3"`)
		fmt.Fprint(w, `{"id":"x","version":3}`)
	})
	var d Draft
	tag, err := c.Do(t.Context(), Request{Method: http.MethodPost, Path: "/api/v1/drafts", Body: map[string]int{"a": 1}, Match: `"v2"`, Create: true}, &d)
	if err != nil || tag != `"v3"` || d.Version != 3 {
		t.Fatalf("%+v, %q, %v", d, tag, err)
	}
	if got.Get("Authorization") != "Bearer s3cret" || got.Get("If-Match") != `"v2"` || got.Get("Idempotency-Key") == "" || got.Get("Accept-Language") != "zh-Hant" {
		t.Errorf("header %v", got)
	}
}

// TestLostAnswer: a request that creates is sent again with its key.
func TestLostAnswer(t *testing.T) {
	var n atomic.Int32
	keys := make(chan string, 2)
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		if n.Add(1) == 1 {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		fmt.Fprint(w, `{}`)
	})
	if _, err := c.Do(t.Context(), Request{Method: http.MethodPost, Path: "/x", Create: true}, nil); err != nil {
		t.Fatal(err)
	}
	if first, second := <-keys, <-keys; first == "" || first != second {
		t.Errorf("keys %q and %q", first, second)
	}
	n.Store(0)
	if _, err := c.Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"}, nil); err == nil {
		t.Error("a request that must not be repeated was")
	}
}

func TestProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		status      int
		media, body string
		want        string
	}{
		"a problem":       {400, "application/problem+json", `{"status":400,"code":"query.limit","title":"T","detail":"limit is wrong"}`, "limit is wrong"},
		"what changed":    {412, "application/problem+json", `{"detail":"changed","details":{"version":2,"fields":[{"field":"size","mine":"small","theirs":"large"}]}}`, "changed\n  size: \"small\" ≠ \"large\""},
		"changed fields":  {412, "application/problem+json", `{"detail":"changed","details":{"version":2,"fields":["title.en"]}}`, "changed"},
		"single problems": {400, "application/problem+json", `{"detail":"2 problems","details":[{"field":"indicators","line":2,"text":"no"},{"at":"body.x","problem":"bad"}]}`, "2 problems\n  indicators:2 no\n  body.x bad"},
		"an object":       {412, "application/problem+json", `{"detail":"changed","details":{"version":2}}`, "changed"},
		"a proxy":         {502, "text/html", `<h1>Bad gateway</h1>`, "client: what answered does not speak this API: status 502"},
		"a redirect":      {302, "text/html", ``, "client: what answered does not speak this API: status 302"},
		"no JSON":         {200, "application/json", `<html>`, "client: what answered does not speak this API: invalid character '<' looking for beginning of value"},
	} {
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tc.media)
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body)
		})
		var d Draft
		_, err := c.Do(t.Context(), Request{Path: "/x"}, &d)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

// TestList reads over all pages, up to a limit, and ends on a centre that
// gives the same page for ever.
func TestList(t *testing.T) {
	asked := 0
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		next := map[string]string{"": "b", "b": "c", "c": ""}[r.URL.Query().Get("cursor")]
		if r.URL.Query().Get("q") != "" {
			next = "same"
		}
		fmt.Fprintf(w, `{"drafts":[{"id":"%s1"},{"id":"%s2"}],"next":%q}`, r.URL.Query().Get("cursor"), r.URL.Query().Get("cursor"), next)
	})
	read := func(q Request, limit int) string {
		var ids []string
		asked = 0
		for d, err := range List[Draft](t.Context(), c, q, "drafts", "cursor", limit) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, d.ID)
		}
		return fmt.Sprint(strings.Join(ids, " "), " of ", asked)
	}
	got := []string{read(Request{Path: "/x"}, 0), read(Request{Path: "/x"}, 3), read(Request{Path: "/x"}, 2), read(Request{Path: "/x", Query: map[string][]string{"q": {"y"}}}, 0)}
	if d := cmp.Diff([]string{"1 2 b1 b2 c1 c2 of 3", "1 2 b1 of 2", "1 2 of 1", "1 2 same1 same2 of 2"}, got); d != "" {
		t.Error(d)
	}
}

// TestSearch reads on in every kind's list, and stops at the limit.
func TestSearch(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/":          `{"groups":[{"kind":"advisory","hits":[{"id":"a1","title":{"zh":"甲","en":"A"}}],"next":"n"},{"kind":"rule","hits":[{"id":"r1"}]}]}`,
			"advisory/n": `{"groups":[{"kind":"advisory","hits":[{"id":"a2"},{"id":"a3"}]}]}`,
		}
		fmt.Fprint(w, answers[r.URL.Query().Get("kind")+"/"+r.URL.Query().Get("cursor")])
	})
	for limit, want := range map[int]string{0: "advisory:a1 advisory:a2 advisory:a3 rule:r1", 2: "advisory:a1 advisory:a2"} {
		var got []string
		for hit, err := range Search(t.Context(), c, "x", "", limit) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, hit.Value.Kind+":"+hit.Value.ID)
		}
		if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
			t.Errorf("limit %d: %s", limit, d)
		}
	}
}

func FuzzProblem(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := problemOf(&http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/problem+json"}}}, raw)
		if err == nil {
			t.Error("a refusal is no error")
		}
		_ = err.Error()
	})
}
