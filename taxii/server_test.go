package taxii

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func newTestServer(t testing.TB, change func(*Config[viewer])) *Server[viewer] {
	t.Helper()
	cfg := testConfig(testBackend())
	if change != nil {
		change(&cfg)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(method, url, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	r.Header.Set("Accept", MediaType)
	r.SetBasicAuth("b", "pw")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

func serve(s http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const (
	root    = "/taxii2/sector/"
	open    = root + "collections/" + collectionOpen + "/"
	objects = open + "objects/"
)

// Every case names the section of TAXII 2.1 that it checks.
func TestConformance(t *testing.T) {
	one := string(testID("indicator", 1))
	for _, tt := range []struct {
		section, name, method, url string
		headers                    []string
		body                       string
		code                       int
	}{
		{"1.6.8", "Accept without a version", "GET", "/taxii2/", []string{"Accept", "application/taxii+json"}, "", 200},
		{"1.6.8", "Accept with spaces and others", "GET", "/taxii2/", []string{"Accept", "text/html, application/taxii+json; version=2.1"}, "", 200},
		{"1.6.8", "Accept anything", "GET", "/taxii2/", []string{"Accept", "*/*"}, "", 200},
		{"1.6.8", "no Accept", "GET", "/taxii2/", []string{"Accept", ""}, "", 200},
		{"1.6.8", "Accept of another version", "GET", "/taxii2/", []string{"Accept", "application/taxii+json;version=2.0"}, "", 406},
		{"1.6.8", "Accept of another type", "GET", "/taxii2/", []string{"Accept", "application/json"}, "", 406},
		{"1.6.8", "Accept refuses", "GET", "/taxii2/", []string{"Accept", "application/taxii+json;version=2.1;q=0"}, "", 406},
		{"1.6.8", "Accept malformed", "GET", "/taxii2/", []string{"Accept", ";;;"}, "", 406},
		{"1.6.9", "no credentials", "GET", "/taxii2/", []string{"Authorization", ""}, "", 401},
		{"1.6.9", "wrong credentials", "GET", objects, []string{"Authorization", "Bearer x"}, "", 401},
		{"1.6.9", "Bearer", "GET", objects, []string{"Authorization", "Bearer tok-b"}, "", 200},
		{"1.6.9", "no credentials for what does not exist", "GET", "/taxii2/nope/", []string{"Authorization", ""}, "", 401},
		{"3.1", "no slash at the end", "GET", "/taxii2", nil, "", 200},
		{"3.1", "HEAD", "HEAD", "/taxii2/", nil, "", 200},
		{"3.1", "unknown path", "GET", "/taxii2/nope/", nil, "", 404},
		{"3.1", "unknown path in root", "GET", root + "nope/", nil, "", 404},
		{"3.1", "empty segment", "GET", root + "collections//objects/", nil, "", 404},
		{"3.1", "too many segments", "GET", objects + one + "/versions/x/", nil, "", 404},
		{"3.1", "method", "PUT", objects, nil, "", 405},
		{"3.1", "method on discovery", "POST", "/taxii2/", nil, "", 405},
		{"4.1", "discovery", "GET", "/taxii2/", nil, "", 200},
		{"4.2", "api root", "GET", root, nil, "", 200},
		{"4.3", "unknown status", "GET", root + "status/x/", nil, "", 404},
		{"5.1", "collections", "GET", root + "collections/", nil, "", 200},
		{"5.1", "no collections", "GET", "/other/collections/", nil, "", 200},
		{"5.2", "collection", "GET", open, nil, "", 200},
		{"5.2", "collection by alias", "GET", root + "collections/released/", nil, "", 200},
		{"5.2", "unknown collection", "GET", root + "collections/x/", nil, "", 404},
		{"5.2", "collection of another root", "GET", "/other/collections/" + collectionOpen + "/", nil, "", 404},
		{"5.3", "manifest", "GET", open + "manifest/", nil, "", 200},
		{"5.3", "manifest all", "GET", open + "manifest/?match[version]=all&limit=3", nil, "", 200},
		{"5.4", "objects", "GET", objects, nil, "", 200},
		{"5.4", "objects by alias", "GET", root + "collections/released/objects/", nil, "", 200},
		{"5.4", "nothing matches", "GET", objects + "?match[type]=report", nil, "", 200},
		{"5.4", "write-only collection", "GET", root + "collections/" + collectionInbox + "/objects/", nil, "", 403},
		{"5.5", "add where one may not", "POST", objects, []string{"Content-Type", MediaType}, `{"objects":[{}]}`, 403},
		{"5.6", "object", "GET", objects + one + "/", nil, "", 200},
		{"5.6", "object unknown", "GET", objects + "indicator--x/", nil, "", 404},
		{"5.6", "object with nothing new", "GET", objects + one + "/?added_after=2030-01-01T00:00:00Z", nil, "", 200},
		{"5.6", "object with a filter it has not", "GET", objects + one + "/?match[id]=x", nil, "", 400},
		{"5.7", "delete", "DELETE", objects + one + "/", nil, "", 405},
		{"5.8", "versions", "GET", objects + one + "/versions/", nil, "", 200},
		{"5.8", "versions unknown", "GET", objects + "indicator--x/versions/", nil, "", 404},
		{"3.4", "limit zero", "GET", objects + "?limit=0", nil, "", 400},
		{"3.4", "limit negative", "GET", objects + "?limit=-1", nil, "", 400},
		{"3.4", "limit no number", "GET", objects + "?limit=x", nil, "", 400},
		{"3.4", "limit huge", "GET", objects + "?limit=99999999999999999999", nil, "", 400},
		{"3.4", "limit above the maximum", "GET", objects + "?limit=1000000", nil, "", 200},
		{"3.4", "added_after no time", "GET", objects + "?added_after=yesterday", nil, "", 400},
		{"3.4", "next made up", "GET", objects + "?next=x", nil, "", 400},
		{"3.4", "next empty", "GET", objects + "?next=", nil, "", 400},
		{"3.4", "version no time", "GET", objects + "?match[version]=newest", nil, "", 400},
		{"3.4", "empty value", "GET", objects + "?match[id]=a,,b", nil, "", 400},
		{"3.4", "given twice", "GET", objects + "?match[id]=a&match[id]=b", nil, "", 400},
		{"3.4", "unknown match field", "GET", objects + "?match[name]=a", nil, "", 400},
		{"3.4", "unknown parameter", "GET", objects + "?x=1&match[type]=note", nil, "", 200},
		{"3.4", "malformed query", "GET", objects + "?limit=%zz", nil, "", 400},
	} {
		t.Run(tt.section+" "+tt.name, func(t *testing.T) {
			w := serve(newTestServer(t, nil), ask(tt.method, tt.url, tt.body, tt.headers...))
			if w.Code != tt.code {
				t.Fatalf("got %d, want %d: %s", w.Code, tt.code, w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != MediaType {
				t.Errorf("Content-Type = %q", got)
			}
			if got := w.Header().Get("Cache-Control"); got != "private, no-store" {
				t.Errorf("Cache-Control = %q", got)
			}
			if tt.method == "HEAD" {
				if w.Body.Len() != 0 {
					t.Error("HEAD has a body")
				}
				return
			}
			golden(t, tt.section+" "+tt.name, w)
		})
	}
}

// golden compares a response, with the headers that TAXII is about, to a file.
func golden(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	var got bytes.Buffer
	for _, header := range []string{"Allow", "Www-Authenticate", HeaderFirst, HeaderLast} {
		for _, value := range w.Header().Values(header) {
			got.WriteString(header + ": " + value + "\n")
		}
	}
	got.WriteByte('\n')
	if err := json.Indent(&got, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".golden")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// Section 3.4: which versions come back, by their minutes.
func TestFilters(t *testing.T) {
	one, two := string(testID("indicator", 1)), string(testID("indicator", 2))
	minutes := map[string]int{}
	for n := range 10 {
		minutes[FormatTime(at(n))] = n
	}
	for _, tt := range []struct {
		query string
		want  []int
	}{
		{"", []int{2, 4, 5}},
		{"match[version]=last", []int{2, 4, 5}},
		{"match[version]=first", []int{1, 2, 4}},
		{"match[version]=first,last", []int{1, 2, 4, 5}},
		{"match[version]=all", []int{1, 2, 3, 4, 5}},
		{"match[version]=2026-01-02T03:03:00.123456Z", []int{3}},
		{"match[version]=2026-01-02T03:03:00.123456Z,first", []int{1, 2, 3, 4}},
		{"match[id]=" + one, []int{5}},
		{"match[id]=" + one + "," + two + "&match[version]=all", []int{1, 2, 3, 5}},
		{"match[type]=domain-name", []int{4}},
		{"match[type]=domain-name,indicator", []int{2, 4, 5}},
		{"match[type]=domain-name&match[id]=" + one, nil},
		{"match[spec_version]=2.1", []int{2, 4, 5}},
		{"match[spec_version]=2.0", nil},
		{"added_after=2026-01-02T03:04:00.123456Z", []int{5}},
		{"added_after=2026-01-02T03:04:00.123455Z", []int{4, 5}},
		{"added_after=2026-01-02T03:01:00.2Z&match[version]=first", []int{2, 4}},
	} {
		t.Run(tt.query, func(t *testing.T) {
			w := serve(newTestServer(t, nil), ask("GET", open+"manifest/?"+tt.query, ""))
			var m Manifest
			if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 {
				t.Fatalf("%d %v: %s", w.Code, err, w.Body)
			}
			var got []int
			for _, record := range m.Objects {
				got = append(got, minutes[record.DateAdded])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if len(tt.want) == 0 {
				if w.Header().Get(HeaderFirst) != "" {
					t.Error("an empty page has no dates")
				}
				return
			}
			if w.Header().Get(HeaderFirst) != FormatTime(at(tt.want[0])) || w.Header().Get(HeaderLast) != FormatTime(at(tt.want[len(tt.want)-1])) {
				t.Errorf("dates %s to %s", w.Header().Get(HeaderFirst), w.Header().Get(HeaderLast))
			}
		})
	}
}

// What is hidden from a viewer leaves no trace in any answer: the answers are the
// same, byte for byte, as those of a server that never had it.
func TestHiddenThingsLeaveNoTrace(t *testing.T) {
	full := newTestServer(t, nil)
	without := newTestServer(t, func(cfg *Config[viewer]) {
		m := testBackend()
		m.collections = append(m.collections[:1:1], m.collections[2])
		delete(m.objects, collectionSecret)
		m.objects[collectionOpen] = m.objects[collectionOpen][:5]
		cfg.Backend, cfg.Writer = m, m
	})
	hidden := string(testID("indicator", 3))
	secret := root + "collections/" + collectionSecret + "/"
	differs := 0
	for _, url := range []string{
		"/taxii2/", root, root + "collections/", open, open + "manifest/", objects,
		open + "manifest/?match[version]=all&limit=2", objects + "?limit=1", objects + "?limit=3", objects + "?limit=4",
		objects + "?match[id]=" + hidden, objects + hidden + "/", objects + hidden + "/versions/",
		objects + hidden + "/?added_after=2020-01-01T00:00:00Z", objects + "?added_after=2026-01-02T03:05:30Z",
		secret, secret + "manifest/", secret + "objects/", secret + "objects/?limit=0", secret + "objects/" + hidden + "/",
		secret + "objects/" + hidden + "/versions/", root + "collections/nope/objects/?limit=0",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
			r := func(who string) *http.Request {
				return ask(method, url, "{}", "Authorization", "Bearer tok-"+who, "Content-Type", MediaType)
			}
			a, b := serve(full, r("b")), serve(without, r("b"))
			if a.Code != b.Code || a.Body.String() != b.Body.String() || !cmp.Equal(a.Header(), b.Header()) {
				t.Errorf("%s %s tells:\n%d %v %s\n%d %v %s", method, url, a.Code, a.Header(), a.Body, b.Code, b.Header(), b.Body)
			}
			if serve(full, r("a")).Body.String() != a.Body.String() {
				differs++
			}
		}
	}
	if differs < 10 {
		t.Errorf("viewer a sees a difference in %d answers only: the test proves little", differs)
	}
}

func TestPaging(t *testing.T) {
	s := newTestServer(t, nil)
	var got []string
	url := objects + "?match[version]=all&limit=2"
	for page := 0; ; page++ {
		w := serve(s, ask("GET", url, ""))
		again := serve(s, ask("GET", url, ""))
		if w.Body.String() != again.Body.String() {
			t.Fatal("a cursor must work twice")
		}
		var e Envelope
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		for _, o := range e.Objects {
			got = append(got, string(o))
		}
		if e.More != (e.Next != "") || page > 5 {
			t.Fatalf("page %d: more %v, next %q", page, e.More, e.Next)
		}
		if !e.More {
			break
		}
		url = objects + "?match[version]=all&limit=2&next=" + e.Next
	}
	if len(got) != 5 {
		t.Errorf("%d objects, want 5", len(got))
	}
}

func TestErrors(t *testing.T) {
	var log bytes.Buffer
	for _, tt := range []struct {
		err  error
		code int
	}{
		{errors.New("secret table is broken"), 500},
		{ErrUnavailable, 503},
		{ErrForbidden, 403},
		{ErrNotFound, 404},
		{ErrCursor, 400},
	} {
		log.Reset()
		s := newTestServer(t, func(cfg *Config[viewer]) {
			m := testBackend()
			m.err = tt.err
			cfg.Backend, cfg.Log = m, slog.New(slog.NewTextHandler(&log, nil))
		})
		w := serve(s, ask("GET", objects, ""))
		var message ErrorMessage
		if err := json.Unmarshal(w.Body.Bytes(), &message); err != nil || w.Code != tt.code || message.Title == "" {
			t.Fatalf("%v: %d %s %v", tt.err, w.Code, w.Body, err)
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the error text was sent: %s", w.Body)
		}
		if logged := tt.code >= 500; logged != (message.ErrorID != "") || logged != strings.Contains(log.String(), message.ErrorID+" ") {
			t.Errorf("%v: error_id %q, log %q", tt.err, message.ErrorID, log.String())
		}
	}
}

// A backend that breaks its contract must not pass for a short answer.
func TestBackendContract(t *testing.T) {
	s := newTestServer(t, func(cfg *Config[viewer]) { cfg.Backend = tooMany{testBackend()} })
	if w := serve(s, ask("GET", objects+"?limit=1", "")); w.Code != 500 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

type tooMany struct{ *memory }

func (b tooMany) Objects(ctx context.Context, v viewer, q Query) (Page, error) {
	q.Limit = 100
	return b.memory.Objects(ctx, v, q)
}

func TestAddObjects(t *testing.T) {
	inbox := root + "collections/" + collectionInbox + "/objects/"
	good := `{"objects":[` + string(testIndicator(testID("indicator", 9), 1, 1).Body) + `]}`
	for _, tt := range []struct {
		name, contentType, body string
		code                    int
	}{
		{"good", MediaType, good, 202},
		{"without version", "application/taxii+json", good, 202},
		{"other type", "application/json", good, 415},
		{"other version", "application/taxii+json;version=2.0", good, 415},
		{"no type", "", good, 415},
		{"too long", MediaType, `{"objects":["` + strings.Repeat("x", 5000) + `"]}`, 413},
		{"not JSON", MediaType, `{`, 400},
		{"no envelope", MediaType, `[]`, 400},
		{"no objects", MediaType, `{}`, 422},
		{"no object", MediaType, `{"objects":[null]}`, 422},
		{"refused by the writer", MediaType, `{"objects":[{"type":"x"}]}`, 422},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestServer(t, nil)
			w := serve(s, ask("POST", inbox, tt.body, "Content-Type", tt.contentType))
			if w.Code != tt.code {
				t.Fatalf("got %d, want %d: %s", w.Code, tt.code, w.Body)
			}
			golden(t, "5.5 add "+tt.name, w)
			if tt.code != 202 {
				return
			}
			id := "2d086da7-4bdc-4f91-900e-d77486753710"
			if w := serve(s, ask("GET", root+"status/"+id+"/", "")); w.Code != 200 {
				t.Errorf("status: %d %s", w.Code, w.Body)
			}
			if w := serve(s, ask("GET", root+"status/"+id+"/", "", "Authorization", "Bearer tok-c")); w.Code != 404 {
				t.Errorf("another viewer's status: %d %s", w.Code, w.Body)
			}
		})
	}
	readOnly := newTestServer(t, func(cfg *Config[viewer]) { cfg.Writer = nil })
	if w := serve(readOnly, ask("POST", inbox, good, "Content-Type", MediaType)); w.Code != 403 {
		t.Errorf("without a writer: %d", w.Code)
	}
	if w := serve(readOnly, ask("GET", root+"collections/", "")); strings.Contains(w.Body.String(), `"can_write":true`) {
		t.Errorf("without a writer: %s", w.Body)
	}
}

func TestNewServerRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config[viewer]){
		"no backend":        func(c *Config[viewer]) { c.Backend = nil },
		"no authentication": func(c *Config[viewer]) { c.Authenticate = nil },
		"no root":           func(c *Config[viewer]) { c.Roots = nil },
		"bad path":          func(c *Config[viewer]) { c.Roots[0].Path = "sector/" },
		"discovery path":    func(c *Config[viewer]) { c.Roots[0].Path = DiscoveryPath },
	} {
		cfg := testConfig(testBackend())
		change(&cfg)
		if _, err := NewServer(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestBaseURLMakesRootsAbsolute(t *testing.T) {
	s := newTestServer(t, func(c *Config[viewer]) { c.BaseURL = "https://isac.example/" })
	var d Discovery
	if err := json.Unmarshal(serve(s, ask("GET", "/taxii2/", "")).Body.Bytes(), &d); err != nil || d.Default != "https://isac.example/taxii2/sector/" {
		t.Errorf("%+v %v", d, err)
	}
}
