package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Event is one server-sent event. Data is sent as JSON.
type Event struct {
	Name string // one line; empty for "message"
	ID   string // one line; empty for none
	Data any
}

// Heartbeat is how often a silent stream sends a comment, so that proxies and
// the browser see that it lives.
const Heartbeat = 15 * time.Second

// sseWrite bounds one write to a client that does not read.
const sseWrite = 10 * time.Second

// Events answers with a stream of server-sent events until the request ends,
// the channel is closed, or the client stops reading. It owns no goroutine.
// The producer must stop on the same context.
func Events(w http.ResponseWriter, r *http.Request, events <-chan Event) error {
	if r.Method == http.MethodHead { // has no body, and so no end to wait for
		beginEvents(w)
		return nil
	}
	return streamEvents(r.Context(), w, events, Heartbeat)
}

func beginEvents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
}

func streamEvents(ctx context.Context, w http.ResponseWriter, events <-chan Event, beat time.Duration) error {
	ctl := http.NewResponseController(w)
	_ = ctl.SetReadDeadline(time.Time{}) // not every writer has deadlines
	beginEvents(w)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	if err := push(w, ctl, []byte("retry: 3000\n\n")); err != nil {
		return err
	}
	for {
		frame := []byte(":\n\n")
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case e, ok := <-events:
			if !ok {
				return nil
			}
			var err error
			if frame, err = e.frame(); err != nil {
				return err
			}
		}
		if err := push(w, ctl, frame); err != nil {
			return err
		}
	}
}

func push(w http.ResponseWriter, ctl *http.ResponseController, frame []byte) error {
	_ = ctl.SetWriteDeadline(time.Now().Add(sseWrite))
	if _, err := w.Write(frame); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	if err := ctl.Flush(); err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	return nil
}

func (e Event) frame() ([]byte, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, fmt.Errorf("event %q: %w", e.Name, err)
	}
	var b bytes.Buffer
	if e.Name != "" {
		fmt.Fprintf(&b, "event: %s\n", oneLine(e.Name))
	}
	if e.ID != "" {
		fmt.Fprintf(&b, "id: %s\n", oneLine(e.ID))
	}
	fmt.Fprintf(&b, "data: %s\n\n", data) // JSON holds no raw line break
	return b.Bytes(), nil
}

func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(s)
}
