package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/klog/v2"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/ledger"
)

func TestMain(m *testing.M) {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	if runChild() {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// table is rows in memory.
type table struct{ rows []ledger.Stored }

func (m *table) add(n int) {
	for range n {
		var last ledger.Stored
		if len(m.rows) > 0 {
			last = m.rows[len(m.rows)-1]
		}
		s := ledger.Stored{Seq: last.Seq + 1, At: time.UnixMicro(1_700_000_000_000_000 + last.Seq).UTC(), Entry: ledger.Entry{
			Actor: "user:a", Action: "test.write", Object: fmt.Sprint("n:", last.Seq), Member: "north-bank", Detail: `{"n":1}`}}
		s.Hash = ledger.Chain(last.Hash, s.Seq, s.At, s.Entry)
		m.rows = append(m.rows, s)
	}
}

func (m *table) LedgerAfter(_ context.Context, seq int64, limit int) ([]ledger.Stored, error) {
	from := min(int(seq), len(m.rows))
	return m.rows[from:min(from+limit, len(m.rows))], nil
}

func (m *table) LedgerEnd(context.Context) (int64, error) { return int64(len(m.rows)), nil }

func (m *table) ScanLedger(_ context.Context, fn func(ledger.Stored) error) error {
	for _, s := range m.rows {
		if err := fn(s); err != nil {
			return err
		}
	}
	return nil
}

func (m *table) LedgerHead(context.Context) (int64, string, error) {
	if len(m.rows) == 0 {
		return 0, "", nil
	}
	last := m.rows[len(m.rows)-1]
	return last.Seq, last.Hash, nil
}

// world is a ledger with its log.
type world struct {
	table
	dir   string
	key   []byte
	vkey  string
	blind ledger.Blinder
	batch int
}

func newWorld(t interface{ Fatal(...any) }, dir string) *world {
	key, err := ledger.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, key: key, batch: batchSize}
	w.blind, err = ledger.NewBlinder(bytes.Repeat([]byte{7}, ledger.BlindSize))
	if err != nil {
		t.Fatal(err)
	}
	if w.vkey, err = ledger.PublicKey(key); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open(t interface{ Fatal(...any) }, more ...func(*Config)) *Publisher {
	cfg := Config{Dir: w.dir, Key: w.key}
	for _, change := range more {
		change(&cfg)
	}
	l, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPublisher(l, w, w.blind, slog.New(slog.DiscardHandler))
	p.batch = w.batch
	return p
}

// publish brings the log up to the rows.
func (w *world) publish(t interface{ Fatal(...any) }, p *Publisher) {
	for more := true; more; {
		var err error
		if more, err = p.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) verify(t interface{ Fatal(...any) }, copied string) Report {
	r, err := Verify(context.Background(), w, w.blind, w.dir, copied, w.vkey)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fast runs a test in a bubble: the library looks once a second whether there
// is something to integrate.
func fast(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, fn)
}

func TestPublish(t *testing.T) {
	fast(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		p := w.open(t)
		for _, n := range []int{0, 1, 5, 250, 1, 255, 256, 1000, 65536} {
			w.add(n)
			w.publish(t, p)
			if got, want := w.verify(t, ""), (Report{Entries: int64(len(w.rows)), InLog: int64(len(w.rows)), Findings: []ledger.Finding{}}); !cmp.Equal(got, want) {
				t.Fatalf("after %d more: %s", n, cmp.Diff(want, got))
			}
			if s := p.State(); s.Behind() != 0 || s.Err != nil {
				t.Fatalf("state %+v", s)
			}
		}
		for _, e := range []int64{1, 2, 256, 257, 65536, int64(len(w.rows))} {
			proof, err := p.log.Prove(t.Context(), uint64(e)-1)
			if err != nil {
				t.Fatal(err)
			}
			proof.Entry = w.blind.Show(w.rows[e-1])
			if _, err := proof.Verify(w.vkey); err != nil {
				t.Errorf("entry %d: %v", e, err)
			}
		}
		if _, err := p.log.Prove(t.Context(), uint64(len(w.rows))); !errors.Is(err, ErrNotYet) {
			t.Errorf("an entry that is not there is proved: %v", err)
		}
	})
}

// A full bundle's and tile's partial files go once a checkpoint covers them.
func TestTidy(t *testing.T) {
	fast(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		p := w.open(t)
		for range 30 {
			w.add(100)
			w.publish(t, p)
		}
		for _, path := range w.files(t) {
			if strings.Contains(path, ".p/") && !strings.HasPrefix(path, "tile/1/000.p/") && !strings.Contains(path, "/011.p/") {
				t.Errorf("%s is still there", path)
			}
		}
	})
}

func (w *world) files(t interface{ Fatal(...any) }) []string {
	var list []string
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(w.dir, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Every byte of the folder matters: whichever is changed, its file is named.
func TestEveryByteIsLocated(t *testing.T) {
	fast(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		p := w.open(t)
		for _, n := range []int{300, 200, 100, 1000} {
			w.add(n)
			w.publish(t, p)
		}
		for _, file := range w.files(t) {
			w.spoil(t, file)
		}
		for range 50 { // its digits are few
			w.spoil(t, ".state/treeState")
		}
		w.add(66_000) // a full tile of the second level, and one of the third
		w.publish(t, p)
		for _, file := range []string{"tile/1/000", "tile/2/000.p/1", "tile/1/001.p/8", "tile/0/255", "tile/entries/255", "checkpoint"} {
			w.spoil(t, file)
		}
		if r := w.verify(t, ""); len(r.Findings) > 0 {
			t.Fatalf("put right again: %+v", r.Findings)
		}
	})
}

// spoil changes a bit of a file, wants that found, and puts it right.
func (w *world) spoil(t *testing.T, file string) {
	t.Helper()
	path := filepath.Join(w.dir, file)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) == 0 {
		whole = []byte{0} // a lock: it must be empty
	}
	changed := bytes.Clone(whole)
	at := rand.IntN(len(changed))
	changed[at] ^= 1 << rand.IntN(8)
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.verify(t, "")
	if !slices.ContainsFunc(r.Findings, func(f ledger.Finding) bool { return f.File == "ledger/"+file }) {
		t.Errorf("byte %d of %s changed: %+v", at, file, r.Findings)
	}
	if len(r.Findings) > 3 {
		t.Errorf("byte %d of %s changed, and %d things are found wrong: %+v", at, file, len(r.Findings), r.Findings)
	}
	if bytes.Equal(whole, []byte{0}) {
		whole = nil
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A row that is changed, removed or added is found, and named by its number.
func TestRowsAreLocated(t *testing.T) {
	fast(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		w.add(700)
		w.publish(t, w.open(t))
		good := slices.Clone(w.rows)
		tests := map[string]struct {
			change func()
			entry  int64
		}{
			"actor":          {func() { w.rows[300].Actor = "user:b" }, 301},
			"time":           {func() { w.rows[0].At = w.rows[0].At.Add(time.Microsecond) }, 1},
			"hash":           {func() { w.rows[10].Hash = w.rows[9].Hash }, 11},
			"removed":        {func() { w.rows = slices.Delete(w.rows, 255, 256) }, 256},
			"last removed":   {func() { w.rows = w.rows[:699] }, 700},
			"two exchanged":  {func() { w.rows[4].Entry, w.rows[5].Entry = w.rows[5].Entry, w.rows[4].Entry }, 5},
			"chain made new": {func() { w.rows[499].Detail = "{}"; rechain(w.rows, 499) }, 500},
		}
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			w.rows = slices.Clone(good)
			tests[name].change()
			r := w.verify(t, "")
			if len(r.Findings) == 0 || r.Findings[0].Entry != tests[name].entry {
				t.Errorf("%s: want entry %d first, found %+v", name, tests[name].entry, r.Findings)
			}
		}
	})
}

// rechain gives rows from an index on the hashes that they would have had: the
// work of somebody who can write to the database.
func rechain(rows []ledger.Stored, from int) {
	for i := from; i < len(rows); i++ {
		rows[i].Hash = ledger.Chain(rows[i-1].Hash, rows[i].Seq, rows[i].At, rows[i].Entry)
	}
}

// A keeper's copy tells when rows and log were both rewritten with the key.
func TestCopy(t *testing.T) {
	fast(t, func(t *testing.T) {
		w := newWorld(t, t.TempDir())
		p := w.open(t)
		w.add(600)
		w.publish(t, p)
		older := filepath.Join(t.TempDir(), "older")
		if err := Copy(t.Context(), w.dir, older); err != nil {
			t.Fatal(err)
		}
		w.add(300)
		w.publish(t, p)
		newer := filepath.Join(t.TempDir(), "newer")
		if err := Copy(t.Context(), w.dir, newer); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{older, newer} {
			if r := w.verify(t, dir); len(r.Findings) > 0 {
				t.Errorf("%s: %+v", dir, r.Findings)
			}
			if r, err := VerifyCopy(t.Context(), dir, w.vkey); err != nil || len(r.Findings) > 0 {
				t.Errorf("%s by itself: %+v, %v", dir, r.Findings, err)
			}
		}
		// A copy is brought up to date in place.
		if err := Copy(t.Context(), w.dir, older); err != nil {
			t.Fatal(err)
		}
		if r := w.verify(t, older); len(r.Findings) > 0 || *r.InCopy != 900 {
			t.Errorf("an updated copy: %+v", r)
		}

		forged := &world{dir: t.TempDir(), key: w.key, vkey: w.vkey, blind: w.blind, batch: batchSize}
		forged.rows = slices.Clone(w.rows[:800])
		forged.rows[399].Actor = "user:somebody-else"
		rechain(forged.rows, 399)
		forged.publish(t, forged.open(t))
		if r := forged.verify(t, ""); len(r.Findings) > 0 {
			t.Fatalf("the forgery is not even good: %+v", r.Findings)
		}
		r := forged.verify(t, newer)
		if len(r.Findings) == 0 || r.Findings[0].Entry != 400 || !strings.HasPrefix(r.Findings[0].File, "copy/") {
			t.Errorf("the copy does not tell of entry 400: %+v", r.Findings)
		}
	})
}

// Whatever is killed when, and whatever comes meanwhile: each entry is in the
// log once, at its number.
func TestCrashesAnywhere(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := newWorld(rt, filepath.Join(dir, fmt.Sprint(n)))
		w.batch = rapid.SampledFrom([]int{100, 256, 700}).Draw(rt, "batch")
		steps := rapid.SliceOfN(rapid.IntRange(0, 600), 1, 5).Draw(rt, "rows")
		faults := rapid.SliceOfN(rapid.IntRange(0, 12), len(steps), len(steps)).Draw(rt, "faults")
		synctest.Test(t, func(t *testing.T) {
			for i, rows := range steps {
				w.add(rows)
				p := w.open(t)
				p.log.tree = &faulty{writer: p.log.tree, after: faults[i]}
				_, _ = p.Step(t.Context())
			}
			p := w.open(t)
			w.publish(t, p)
		})
		r := w.verify(rt, "")
		if len(r.Findings) > 0 || r.InLog != int64(len(w.rows)) {
			rt.Fatalf("%+v", r)
		}
	})
}

// faulty fails at its step with the number after, before a bundle, before or
// after the integration, as a kill would.
type faulty struct {
	writer
	mu    sync.Mutex
	after int
}

// dead counts a step and reports whether it is the one that is not survived.
func (f *faulty) dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after--
	return f.after == 0
}

var errKilled = errors.New("killed")

func (f *faulty) SetEntryBundle(ctx context.Context, index uint64, partial uint8, bundle []byte) error {
	if f.dead() {
		return errKilled
	}
	return f.writer.SetEntryBundle(ctx, index, partial, bundle)
}

func (f *faulty) AwaitIntegration(ctx context.Context, size uint64) ([]byte, error) {
	if f.dead() {
		return nil, errKilled
	}
	root, err := f.writer.AwaitIntegration(ctx, size)
	if f.dead() {
		return nil, errKilled // integrated, not signed
	}
	return root, err
}

// A publisher does not go on over rows or files that were changed.
func TestPublisherStops(t *testing.T) {
	tests := map[string]func(w *world) error{
		"last row in the log": func(w *world) error { w.rows[599].Actor = "user:b"; return nil },
		"next row":            func(w *world) error { w.rows[600].Actor = "user:b"; return nil },
		"rows lost":           func(w *world) error { w.rows = w.rows[:500]; return nil },
		"tile cut":            func(w *world) error { return os.WriteFile(filepath.Join(w.dir, "tile/0/002.p/88"), []byte("x"), 0o600) },
		"bundle cut": func(w *world) error {
			return os.WriteFile(filepath.Join(w.dir, "tile/entries/002.p/88"), []byte("x"), 0o600)
		},
		"checkpoint": func(w *world) error { return os.WriteFile(filepath.Join(w.dir, "checkpoint"), []byte("x"), 0o600) },
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			fast(t, func(t *testing.T) {
				w := newWorld(t, t.TempDir())
				w.add(600)
				w.publish(t, w.open(t))
				w.add(10)
				if err := tests[name](w); err != nil {
					t.Fatal(err)
				}
				if _, err := w.open(t).Step(t.Context()); !errors.Is(err, ErrChanged) {
					t.Errorf("it went on: %v", err)
				}
			})
		})
	}
}
