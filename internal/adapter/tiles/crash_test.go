package tiles

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/ledger"
)

// childDir, when set, makes the test binary write entries to the database
// there, and publish them, until it is killed.
const childDir = "TILES_CHILD_DIR"

func runChild() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	fmt.Fprintln(os.Stderr, "child:", writeForEver(dir))
	return true
}

func writeForEver(dir string) error {
	ctx := context.Background()
	db, w, err := openBoth(ctx, dir)
	if err != nil {
		return err
	}
	l, err := Open(ctx, Config{Dir: w.dir, Key: w.key})
	if err != nil {
		return err
	}
	p := NewPublisher(l, db.Ledger(), w.blind, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	stopped := make(chan error)
	go func() { stopped <- p.Run(ctx) }()
	go func() {
		for {
			entries := make([]ledger.Entry, 1+rand.IntN(40))
			for i := range entries {
				entries[i] = ledger.Entry{Actor: "system", Action: "test.write", Object: fmt.Sprint("n:", i), Detail: "{}"}
			}
			if err := db.Ledger().Note(ctx, entries...); err != nil {
				stopped <- err
			}
		}
	}()
	return <-stopped
}

func openBoth(ctx context.Context, dir string) (*sqldb.DB, *world, error) {
	key, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return nil, nil, err
	}
	w := &world{dir: filepath.Join(dir, "ledger"), key: key}
	if w.blind, err = ledger.NewBlinder(make([]byte, ledger.BlindSize)); err != nil {
		return nil, nil, err
	}
	if w.vkey, err = ledger.PublicKey(key); err != nil {
		return nil, nil, err
	}
	db, err := sqldb.Open(ctx, filepath.Join(dir, "aspis.db"), slog.New(slog.DiscardHandler))
	return db, w, err
}

// waitForChange waits until a file has other content than now, twice: a new
// ledger begins with a checkpoint of nothing.
func waitForChange(t *testing.T, file string) {
	t.Helper()
	last, _ := os.ReadFile(file)
	for changes := 0; changes < 2; {
		select {
		case <-t.Context().Done():
			t.Fatal("no new checkpoint")
		case <-time.After(20 * time.Millisecond):
		}
		if now, _ := os.ReadFile(file); string(now) != string(last) {
			last, changes = now, changes+1
		}
	}
}

// A process that is killed while it writes and publishes loses nothing and
// repeats nothing.
func TestKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, err := ledger.NewKey()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := Report{}
	for round := range 4 {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env, cmd.Stderr = append(os.Environ(), childDir+"="+dir), os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 { // let it come as far as a new checkpoint
			waitForChange(t, filepath.Join(dir, "ledger", "checkpoint"))
		}
		time.Sleep(rand.N(2 * time.Second))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		db, w, err := openBoth(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Verify(t.Context(), db.Ledger(), w.blind, w.dir, "", w.vkey)
		if err != nil || len(r.Findings) > 0 {
			t.Fatalf("round %d: %+v, %v", round, r, err)
		}
		if r.Entries < before.Entries || r.InLog < before.InLog {
			t.Errorf("round %d: %+v after %+v", round, r, before)
		}
		before = r
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if before.InLog == 0 {
		t.Error("nothing was ever published")
	}
	t.Logf("%d entries, %d in the log", before.Entries, before.InLog)
}
