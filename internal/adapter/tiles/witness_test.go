package tiles

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// witness is c2sp.org/tlog-witness for one log: it signs a checkpoint when the
// log has only grown since the last that it signed.
type witness struct {
	log    string // verifier key
	signer note.Signer
	key    string // verifier key of its cosignatures

	mu   sync.Mutex
	last ledger.Checkpoint
	mood string // "", "down", "slow", "liar"
}

func newWitness(t *testing.T, log string) (*witness, *httptest.Server) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = cosign.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	w := &witness{log: log, signer: signer, key: vkey}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.add)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return w, server
}

func (w *witness) be(mood string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mood = mood
}

func (w *witness) add(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // before the wait: only then is it seen that the client has gone
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.mood {
	case "down":
		http.Error(rw, "down", http.StatusServiceUnavailable)
		return
	case "slow":
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Second):
		}
		return
	}
	head, checkpoint, ok := strings.Cut(string(body), "\n\n")
	cp, openErr := ledger.OpenCheckpoint([]byte(checkpoint), w.log)
	if err != nil || !ok || openErr != nil {
		http.Error(rw, "no checkpoint of this log", http.StatusForbidden)
		return
	}
	lines := strings.Split(head, "\n")
	if lines[0] != fmt.Sprint("old ", w.last.Size) {
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintln(rw, w.last.Size)
		return
	}
	var path [][]byte
	for _, line := range lines[1:] {
		h, _ := base64.StdEncoding.DecodeString(line)
		path = append(path, h)
	}
	if w.last.Size > 0 && proof.VerifyConsistency(rfc6962.DefaultHasher, w.last.Size, cp.Size, path, w.last.Root, cp.Root) != nil {
		http.Error(rw, "not consistent", http.StatusUnprocessableEntity)
		return
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(must(note.NewVerifier(w.log))))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusForbidden)
		return
	}
	if w.mood == "liar" {
		n.Text += "x\n"
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, w.signer)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	if w.mood == "" {
		w.last = cp
	}
	rw.Write(signed[bytes.Index(signed, []byte("\n\n"))+2:])
}

func must[T any](v T, _ error) T { return v }

// A witness co-signs what it has checked; one that is down, hangs or lies does
// not stop the log, and signs when it is back.
func TestWitness(t *testing.T) {
	w := newWorld(t, t.TempDir())
	witness, server := newWitness(t, w.vkey)
	p := w.open(t, func(c *Config) {
		c.Witnesses = []Witness{{Key: witness.key, URL: server.URL}}
		c.WitnessTimeout = 200 * time.Millisecond
	})
	now := time.Now()
	p.now = func() time.Time { return now }
	for _, step := range []struct {
		mood string
		add  int
		want int
	}{{"", 300, 1}, {"down", 10, 0}, {"", 0, 1}, {"slow", 10, 0}, {"liar", 10, 0}, {"", 300, 1}} {
		witness.be(step.mood)
		w.add(step.add)
		now = now.Add(2 * askAgain)
		w.publish(t, p)
		s := p.State()
		if s.Witnessed != step.want || s.Behind() != 0 || s.Err != nil {
			t.Errorf("%+v: %+v", step, s)
		}
		_, raw, err := p.log.Checkpoint(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.OpenCheckpoint(raw, w.vkey, witness.key); (err == nil) != (step.want == 1) {
			t.Errorf("%+v: the checkpoint with the witness's key: %v", step, err)
		}
	}
	// The proof of an entry carries the cosignature; verify asks for it.
	pr, err := p.log.Prove(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	pr.Entry = w.blind.Show(w.rows[5])
	if cp, err := pr.Verify(w.vkey, witness.key); err != nil || len(cp.Witnesses) != 1 {
		t.Errorf("%+v, %v", cp, err)
	}
	if r := w.verify(t, ""); len(r.Findings) > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// A log that shows the witness another past gets no cosignature for it.
func TestWitnessRefusesAFork(t *testing.T) {
	w := newWorld(t, t.TempDir())
	witness, server := newWitness(t, w.vkey)
	asks := func(c *Config) { c.Witnesses = []Witness{{Key: witness.key, URL: server.URL}} }
	w.add(20)
	w.publish(t, w.open(t, asks))
	forged := &world{dir: t.TempDir(), key: w.key, vkey: w.vkey, blind: w.blind, batch: batchSize}
	forged.add(30)
	forged.rows[3].Actor = "user:b"
	rechain(forged.rows, 3)
	p := forged.open(t, asks)
	forged.publish(t, p)
	if s := p.State(); s.Witnessed != 0 || s.Published != 30 {
		t.Errorf("%+v", s)
	}
}
