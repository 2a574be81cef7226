package sender

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// fault is one way a request can go wrong at the door.
type fault string

const (
	none          fault = "none"
	overQuota     fault = "429"
	diskFull      fault = "507"
	busy          fault = "503"
	failedBefore  fault = "500 before storing"
	failedAfter   fault = "500 after storing"
	hangs         fault = "hangs before storing"
	hangsAfter    fault = "hangs after storing"
	cutAnswer     fault = "answer cut off after storing"
	wrongAnswer   fault = "answer is a web page after storing"
	emptyAnswer   fault = "answer is {} after storing"
	dropped       fault = "connection dropped before storing"
	droppedAfter  fault = "connection dropped after storing"
	unauthorised  fault = "401"
	tooLarge      fault = "413"
	redirected    fault = "302"
	rejectsSecond fault = "rejects the second line"
)

// door is a fake of POST /api/v1/records with idempotency as the real one
// promises it.
type door struct {
	t  *testing.T
	mu sync.Mutex
	// plan gives the fault of the n-th request, counted from 0.
	plan    func(n int, lines [][]byte) fault
	n       int
	known   map[string]string // key → body
	stored  [][]byte
	answers map[string]Answer
	server  *httptest.Server
}

func newDoor(t *testing.T, plan func(n int, lines [][]byte) fault) *door {
	d := &door{t: t, plan: plan, known: map[string]string{}, answers: map[string]Answer{}}
	d.server = httptest.NewServer(d)
	t.Cleanup(d.server.Close)
	return d
}

func (d *door) client(t *testing.T, change func(*Config)) *Client {
	cfg := Config{
		URL: d.server.URL, Key: "k", BatchLines: 10, Concurrency: 3, Timeout: 250 * time.Millisecond,
		Backoff: Backoff{Base: time.Millisecond, Cap: 5 * time.Millisecond, GiveUp: 20 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lines := d.read(r)
	d.mu.Lock()
	f := d.plan(d.n, lines)
	d.n++
	d.mu.Unlock()
	if refuse(w, r, f) {
		return
	}
	text, err := json.Marshal(d.store(r, lines, f))
	if err != nil {
		d.t.Error(err)
	}
	answer(w, r, f, text)
}

func (d *door) read(r *http.Request) [][]byte {
	if got := r.Header.Get("Authorization") + r.URL.Path; got != "Bearer k"+RecordsPath {
		d.t.Errorf("request as %q", got)
	}
	dec, err := zstd.NewReader(r.Body)
	if err != nil {
		d.t.Error(err)
		return nil
	}
	defer dec.Close()
	text, err := io.ReadAll(dec)
	if err != nil {
		d.t.Error(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// refuse answers the faults in which nothing is stored.
func refuse(w http.ResponseWriter, r *http.Request, f fault) bool {
	switch f {
	case overQuota, busy, diskFull:
		w.Header().Set("Retry-After", "0")
		status := map[fault]int{overQuota: 429, busy: 503, diskFull: 507}[f]
		http.Error(w, `{"detail":"later"}`, status)
	case failedBefore:
		http.Error(w, "no", http.StatusInternalServerError)
	case unauthorised:
		http.Error(w, `{"title":"unknown key"}`, http.StatusUnauthorized)
	case tooLarge:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	case redirected:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case hangs:
		<-r.Context().Done()
	case dropped:
		drop(w)
	default:
		return false
	}
	return true
}

func (d *door) store(r *http.Request, lines [][]byte, f fault) Answer {
	key := r.Header.Get("Idempotency-Key")
	d.mu.Lock()
	defer d.mu.Unlock()
	body := string(bytes.Join(lines, []byte("\n")))
	if old, ok := d.known[key]; ok {
		if old != body {
			d.t.Errorf("key %s came with two bodies", key)
		}
		a := d.answers[key]
		a.Accepted, a.Duplicate = 0, a.Accepted
		return a
	}
	a := Answer{Accepted: len(lines)}
	if f == rejectsSecond && len(lines) > 1 {
		a = Answer{Accepted: len(lines) - 1, Rejected: []RejectLine{{Line: 2, Reason: "bad_json", Text: "不是完整的 JSON " + r.Header.Get("Accept-Language")}}}
		lines = append([][]byte{lines[0]}, lines[2:]...)
	}
	d.known[key], d.answers[key] = body, a
	d.stored = append(d.stored, lines...)
	return a
}

// answer tells the truth, or goes wrong after storing.
func answer(w http.ResponseWriter, r *http.Request, f fault, text []byte) {
	switch f {
	case failedAfter:
		http.Error(w, "no", http.StatusInternalServerError)
	case hangsAfter:
		<-r.Context().Done()
	case droppedAfter:
		drop(w)
	case cutAnswer:
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = w.Write(text[:len(text)/2]) // meant to fail at the other end
		drop(w)
	case wrongAnswer:
		_, _ = w.Write([]byte("<html>welcome to the hotel"))
	case emptyAnswer:
		_, _ = w.Write([]byte("{}"))
	default:
		_, _ = w.Write(text)
	}
}

func drop(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// times counts how often each line was stored.
func (d *door) times() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]int{}
	for _, line := range d.stored {
		out[string(line)]++
	}
	return out
}
