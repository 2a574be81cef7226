package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// counter is a door over HTTP that counts lines by key.
type counter struct {
	lines [2]atomic.Int64
	other atomic.Int64
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	dec, err := zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer dec.Close()
	text, err := io.ReadAll(dec)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n := bytes.Count(text, []byte{'\n'})
	switch r.Header.Get("Authorization") {
	case "Bearer key-0":
		c.lines[0].Add(int64(n))
	case "Bearer key-1":
		c.lines[1].Add(int64(n))
	default:
		c.other.Add(int64(n))
	}
	_, _ = fmt.Fprintf(w, `{"accepted":%d,"duplicate":0,"rejected":[]}`, n) // the client notices
}

// Over real HTTP each member's records go under its own key.
func TestDoorsUseEachMembersKey(t *testing.T) {
	c := &counter{}
	server := httptest.NewServer(c)
	defer server.Close()
	doors, closeDoors, err := Doors(server.URL, []string{"key-0", "key-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDoors()
	got, err := Load(t.Context(), LoadConfig{Doors: doors, Lines: 50, Rate: 5000, Duration: 200 * time.Millisecond, NeedleEvery: 2})
	if err != nil || got.Err != nil {
		t.Fatal(err, got.Err)
	}
	a, b := c.lines[0].Load(), c.lines[1].Load()
	if a != 510 || b != 500 || c.other.Load() != 0 || got.Accepted != 1010 {
		t.Errorf("%d and %d lines by key, %d by none, %d accepted; want 510, 500, 0, 1010", a, b, c.other.Load(), got.Accepted)
	}
	if _, _, err := Doors("not an address", []string{"k"}); err == nil {
		t.Error("doors at no address")
	}
}

// BenchmarkLoadOverHTTP is what the driver and a door that does nothing cost
// together.
func BenchmarkLoadOverHTTP(b *testing.B) {
	server := httptest.NewServer(&counter{})
	defer server.Close()
	doors, closeDoors, err := Doors(server.URL, []string{"key-0", "key-1"})
	if err != nil {
		b.Fatal(err)
	}
	defer closeDoors()
	l := &loader{LoadConfig: LoadConfig{Doors: doors}.withDefaults(), pool: newPool(batchLines), run: runID()}
	var body []byte
	var n int64
	for b.Loop() {
		body = l.send(b.Context(), n, time.Now(), body)
		n++
	}
	b.ReportMetric(float64(n*batchLines)/b.Elapsed().Seconds(), "records/s")
}
