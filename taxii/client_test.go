package taxii

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/stix"
	"github.com/google/go-cmp/cmp"
)

func newTestClient(t testing.TB, handler http.Handler, change func(*ClientConfig)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	cfg := ClientConfig{BaseURL: server.URL, Credentials: Credentials{Token: "tok-b"}, UserAgent: "test"}
	if change != nil {
		change(&cfg)
	}
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// From discovery to the objects, as a member's system would.
func TestClientWalk(t *testing.T) {
	c := newTestClient(t, newTestServer(t, nil), func(cfg *ClientConfig) { cfg.Credentials = Credentials{User: "b", Password: "pw"} })
	ctx := t.Context()
	d, err := c.Discovery(ctx)
	if err != nil || d.Default != root {
		t.Fatalf("%+v %v", d, err)
	}
	if a, err := c.APIRoot(ctx, d.Default); err != nil || a.Title != "Sector" || !cmp.Equal(a.Versions, []string{MediaType}) {
		t.Fatalf("%+v %v", a, err)
	}
	all, err := c.Collections(ctx, d.Default)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v %v", all, err)
	}
	if one, err := c.Collection(ctx, root, all[0].Alias); err != nil || !cmp.Equal(one, all[0]) {
		t.Fatalf("%+v %v", one, err)
	}
	var got []json.RawMessage
	var last time.Time
	poll := Poll{Limit: 1}
	for batch, err := range c.All(ctx, root, all[0].ID, poll) {
		if err != nil {
			t.Fatal(err)
		}
		got, last = append(got, batch.Objects...), batch.Last
	}
	if len(got) != 3 || !last.Equal(at(5)) {
		t.Fatalf("%d objects until %s", len(got), last)
	}
	if _, err := stix.DecodeObject(got[0], stix.DefaultLimits()); err != nil {
		t.Error(err)
	}
	poll.Filter.AddedAfter = last
	if b, err := c.Objects(ctx, root, all[0].ID, poll); err != nil || len(b.Objects) != 0 {
		t.Errorf("caught up, but got %d objects, %v", len(b.Objects), err)
	}
}

func TestClientResources(t *testing.T) {
	c := newTestClient(t, newTestServer(t, nil), nil)
	ctx, one := t.Context(), string(testID("indicator", 1))
	m, err := c.Manifest(ctx, root, collectionOpen, Poll{Filter: Filter{IDs: []string{one}, Types: []string{"indicator"}, SpecVersions: []string{"2.1"}, Versions: VersionFilter{First: true, At: []time.Time{at(3)}}}})
	if err != nil || len(m.Objects) != 2 || m.Objects[0].MediaType != STIXMediaType {
		t.Errorf("%+v %v", m, err)
	}
	v, err := c.Versions(ctx, root, collectionOpen, one, Poll{})
	if err != nil || !cmp.Equal(v.Versions, []string{"2026-01-02T03:01:00.123456Z", "2026-01-02T03:03:00.123456Z", "2026-01-02T03:05:00.123456Z"}) {
		t.Errorf("%+v %v", v, err)
	}
	b, err := c.Object(ctx, root, collectionOpen, one, Poll{Filter: Filter{Versions: VersionFilter{All: true}}})
	if err != nil || len(b.Objects) != 3 {
		t.Errorf("%+v %v", b, err)
	}
	st, err := c.Add(ctx, root, collectionInbox, []json.RawMessage{testIndicator(testID("indicator", 9), 1, 1).Body})
	if err != nil || st.SuccessCount != 1 {
		t.Fatalf("%+v %v", st, err)
	}
	if again, err := c.Status(ctx, root, st.ID); err != nil || !cmp.Equal(again, st) {
		t.Errorf("%+v %v", again, err)
	}
}

func TestClientErrors(t *testing.T) {
	server := newTestServer(t, nil)
	c := newTestClient(t, server, nil)
	_, err := c.Collection(t.Context(), root, "../../x y")
	var answer *ResponseError
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &answer) || answer.Message.HTTPStatus != "404" {
		t.Errorf("unknown: %v", err)
	}
	if _, err := c.Objects(t.Context(), root, collectionInbox, Poll{}); !errors.Is(err, ErrForbidden) {
		t.Errorf("not readable: %v", err)
	}
	stranger := newTestClient(t, server, func(cfg *ClientConfig) { cfg.Credentials = Credentials{} })
	if _, err := stranger.Discovery(t.Context()); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("stranger: %v", err)
	}
	if _, err := c.APIRoot(t.Context(), "https://elsewhere.example/root/"); err == nil || !strings.Contains(err.Error(), "is not at") {
		t.Errorf("another host: %v", err)
	}
	for _, bad := range []string{"", "isac.example", "ftp://isac.example", "https://u:p@isac.example", "https://"} {
		if _, err := NewClient(ClientConfig{BaseURL: bad}); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

// Servers that misbehave.
func TestClientDefends(t *testing.T) {
	asked := 0
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		check   func(error) bool
	}{
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte(`{"next":"` + strings.Repeat("x", 4000) + `"}`))
		}, func(err error) bool { return errors.Is(err, ErrTooLarge) }},
		{"not TAXII", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>"))
		}, func(err error) bool { return strings.Contains(err.Error(), "text/html") }},
		{"not JSON", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte("<html>"))
		}, func(err error) bool { return strings.Contains(err.Error(), "decode") }},
		{"redirect elsewhere", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(http.StatusFound)
		}, func(err error) bool { return strings.Contains(err.Error(), "refused") }},
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "busy", http.StatusTooManyRequests)
		}, func(err error) bool {
			var answer *ResponseError
			return errors.Is(err, ErrUnavailable) && errors.As(err, &answer) && answer.RetryAfter == 7*time.Second
		}},
		{"the same page for ever", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte(`{"more":true,"next":"x"}`))
		}, func(err error) bool { return errors.Is(err, ErrPaging) }},
		{"more without a place", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte(`{"more":true}`))
		}, func(err error) bool { return errors.Is(err, ErrPaging) }},
		{"pages without end", func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Content-Type", MediaType)
			_, _ = w.Write([]byte(`{"more":true,"next":"` + strconv.Itoa(asked) + `"}`))
		}, func(err error) bool { return errors.Is(err, ErrPaging) && asked == 5 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestClient(t, tt.handler, func(cfg *ClientConfig) { cfg.MaxBody, cfg.MaxPages = 2000, 5 })
			var last error
			for _, err := range c.All(t.Context(), "/r/", "c", Poll{}) {
				last = err
			}
			if last == nil || !tt.check(last) {
				t.Errorf("got %v", last)
			}
		})
	}
}

// A server without next is followed by its date header, with the filter kept.
func TestClientFollowsDates(t *testing.T) {
	var asked []string
	c := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("added_after")+" "+r.URL.Query().Get("match[type]"))
		w.Header().Set("Content-Type", "application/taxii+json; version=2.1")
		w.Header().Set(HeaderLast, FormatTime(at(len(asked))))
		_, _ = w.Write([]byte(`{"more":` + strconv.FormatBool(len(asked) < 3) + `,"objects":[{}]}`))
	}), nil)
	for _, err := range c.All(t.Context(), "/r/", "c", Poll{Filter: Filter{Types: []string{"note"}}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{" note", FormatTime(at(1)) + " note", FormatTime(at(2)) + " note"}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestClientStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newTestClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}), nil)
	if _, err := c.Discovery(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestClientTLS(t *testing.T) {
	server := httptest.NewTLSServer(newTestServer(t, nil))
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	for _, tt := range []struct {
		name string
		tls  *tls.Config
		ok   bool
	}{{"trusted", &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, true}, {"unknown authority", nil, false}} {
		c, err := NewClient(ClientConfig{BaseURL: server.URL, Credentials: Credentials{Token: "tok-b"}, TLS: tt.tls})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Discovery(t.Context()); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		c.Close()
	}
}
