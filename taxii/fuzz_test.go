package taxii

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func FuzzParseRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := parseRequest(raw, "id", "type", "version", "spec_version")
		if err != nil {
			return
		}
		if r.limit < 0 || len(r.cursor) > maxCursor {
			t.Fatalf("%+v", r)
		}
		again, err := parseRequest(Poll{Filter: r.filter, Limit: r.limit, Cursor: r.cursor}.values().Encode(), "id", "type", "version", "spec_version")
		if err != nil {
			t.Fatalf("%q read as %+v, which writes %v", raw, r, err)
		}
		trim(&r.filter)
		if diff := cmp.Diff(r, again, cmp.AllowUnexported(request{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// trim cuts times to the microseconds that a client sends.
func trim(f *Filter) {
	f.AddedAfter = f.AddedAfter.Truncate(time.Microsecond)
	for i, at := range f.Versions.At {
		f.Versions.At[i] = at.Truncate(time.Microsecond)
	}
}

// FuzzServe: whatever is asked, the server answers in TAXII's words and never
// that it failed.
func FuzzServe(f *testing.F) {
	f.Fuzz(func(t *testing.T, method, target, accept, contentType string, body []byte) {
		s := newTestServer(t, nil)
		r, err := http.NewRequestWithContext(t.Context(), method, "http://isac.example/"+strings.TrimPrefix(target, "/"), bytes.NewReader(body))
		if err != nil {
			return // net/http refuses it too
		}
		r.Header.Set("Accept", accept)
		r.Header.Set("Content-Type", contentType)
		r.SetBasicAuth("b", "pw")
		w := serve(s, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); w.Body.Len() > 0 && kind != MediaType {
			t.Fatalf("%s %q: answered with %q", method, target, kind)
		}
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s %q: %s", method, target, w.Body)
		}
	})
}

// answers is a server that always gives one answer.
type answers struct {
	code                    int
	contentType, retryAfter string
	body                    []byte
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{}
	h.Set("Content-Type", a.contentType)
	h.Set("Retry-After", a.retryAfter)
	h.Set("X-TAXII-Date-Added-First", a.retryAfter)
	h.Set("X-TAXII-Date-Added-Last", a.retryAfter)
	return &http.Response{
		StatusCode: a.code, Status: strconv.Itoa(a.code), Header: h, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// FuzzClient: a server's answer of any kind ends every call, within its
// bounds: bytes, pages, and a wait of a day at most where it is told in seconds.
func FuzzClient(f *testing.F) {
	f.Fuzz(func(t *testing.T, code int, contentType, header string, body []byte) {
		c, err := NewClient(ClientConfig{BaseURL: "https://isac.example", MaxBody: 4096, MaxPages: 3})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = answers{200 + (code%400+400)%400, contentType, header, body}
		ctx := t.Context()
		check := func(err error) {
			if e, ok := errors.AsType[*ResponseError](err); ok && (e.Code/100 == 2 || e.RetryAfter < 0) {
				t.Fatalf("%+v", e)
			}
		}
		_, err = c.Discovery(ctx)
		check(err)
		_, err = c.APIRoot(ctx, "/taxii2/sector/")
		check(err)
		list, err := c.Collections(ctx, "/taxii2/sector/")
		check(err)
		if err != nil && len(list) > 0 {
			t.Fatalf("%d collections and %v", len(list), err)
		}
		_, err = c.Manifest(ctx, "/taxii2/sector/", "x", Poll{})
		check(err)
		_, err = c.Status(ctx, "/taxii2/sector/", "x")
		check(err)
		pages := 0
		for _, err := range c.All(ctx, "/taxii2/sector/", "x", Poll{}) {
			check(err)
			if pages++; pages > 4 {
				t.Fatal("paging has no end")
			}
		}
	})
}
