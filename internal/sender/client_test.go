package sender

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		" 7 ":                           7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"99999999999":                   maxRetryAfter,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"Fri, 02 Jan 2099 03:04:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080/api/v1/records",
		"https://centre.example/":       "https://centre.example/api/v1/records",
		"https://centre.example/door/x": "https://centre.example/door/x",
		"centre.example":                "",
		"ftp://centre.example":          "",
		"https://":                      "",
		"http://[::1":                   "",
	} {
		got, err := endpoint(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("endpoint(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

// The door's wish to wait holds for every batch of the client, and a wait is
// left at once when the context ends.
func TestRetryAfterHoldsEveryBatch(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return none })
	c := d.client(t, nil)
	c.gate.hold(time.Now().Add(time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Post(ctx, "a", []byte("{}\n")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the context's", err)
	}
	if d.n != 0 {
		t.Error("a batch went out although the door asked to wait")
	}
}

func TestBackoffGrowsToItsCap(t *testing.T) {
	b := Backoff{Base: 100 * time.Millisecond, Cap: time.Second}.withDefaults()
	for attempt, top := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		top *= time.Millisecond
		for range 50 {
			if got := b.pause(attempt); got < top/2 || got > top {
				t.Fatalf("pause(%d) = %v, want %v to %v", attempt, got, top/2, top)
			}
		}
	}
	if got := b.pause(1 << 20); got > time.Second {
		t.Errorf("pause after a million attempts = %v", got)
	}
}

func TestDetailIsOneShortLine(t *testing.T) {
	long := detail([]byte(strings.Repeat("資安\x1b[31m\n", 200)))
	if len(long) > 300 || strings.ContainsAny(long, "\x1b\n") || !strings.HasSuffix(long, "…") {
		t.Errorf("detail = %q", long)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"accepted":3,"duplicate":0,"rejected":[{"line":2,"reason":"bad_json"}]}`))
	f.Add([]byte(`{"accepted":-1}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseAnswer(text)
		if err == nil && (a.Accepted < 0 || a.Duplicate < 0) {
			t.Errorf("counts below nothing: %+v", a)
		}
		if e := refusal(&http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{"Retry-After": {string(text)}}}, text); e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter || len(e.Detail) > 320 {
			t.Errorf("refusal = %+v", e)
		}
	})
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"version":1,"head_sha256":"ab","head_bytes":3,"size":3,"batch_lines":500,"batch_bytes":2097152,"records":2}`))
	f.Add([]byte(`{"version":1,"batch_lines":-1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, ok := parseState(text); ok && (s.BatchLines <= 0 || s.BatchBytes <= 0 || s.Records < 0 || s.HeadBytes > headBytes) {
			t.Errorf("accepted %+v", s)
		}
	})
}
