package httpx

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEventFrames(t *testing.T) {
	tests := []struct {
		event Event
		want  string
	}{
		{Event{Data: 1}, "data: 1\n\n"},
		{Event{Name: "tick", ID: "7", Data: map[string]string{"a": "line\nbreak"}}, "event: tick\nid: 7\ndata: {\"a\":\"line\\nbreak\"}\n\n"},
		{Event{Name: "x\ndata: forged", Data: 1}, "event: x data: forged\ndata: 1\n\n"},
	}
	for _, test := range tests {
		got, err := test.event.frame()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestStreamBeatsAndStops runs on a fake clock: a silent stream sends
// comments, and it ends with the request.
func TestStreamBeatsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		events := make(chan Event)
		done := make(chan error)
		go func() { done <- streamEvents(ctx, w, events, Heartbeat) }()
		events <- Event{Name: "one", Data: 1}
		time.Sleep(2*Heartbeat + time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := "retry: 3000\n\nevent: one\ndata: 1\n\n:\n\n:\n\n"
		if diff := cmp.Diff(want, w.Body.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !w.Flushed || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("flushed %v, headers %v", w.Flushed, w.Header())
		}
	})
}

func TestStreamEndsWithItsSource(t *testing.T) {
	events := make(chan Event)
	close(events)
	if err := streamEvents(t.Context(), httptest.NewRecorder(), events, Heartbeat); err != nil {
		t.Error(err)
	}
}

// TestShutdownEndsStreams: an open stream does not hold up the server's end.
func TestShutdownEndsStreams(t *testing.T) {
	r := newRig(t)
	r.mux.HandleFunc("GET /events", func(w http.ResponseWriter, req *http.Request) {
		if err := Events(w, req, make(chan Event)); err != nil {
			t.Error(err)
		}
	})
	srv := NewServer(r.edge.Wrap(r.mux), r.edge.log)
	ts := httptest.NewUnstartedServer(srv.Handler)
	ts.Config = srv
	ts.Start()
	defer ts.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ts.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry") {
		t.Fatalf("the stream begins with %q, %v", line, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Errorf("shutdown with an open stream: %v", err)
	}
}

func TestHeadOfAStreamEnds(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/events", nil)
	if err := Events(w, r, make(chan Event)); err != nil || w.Header().Get("Content-Type") != "text/event-stream" || w.Body.Len() > 0 {
		t.Errorf("%v, %v, %q", err, w.Header(), w.Body)
	}
}
