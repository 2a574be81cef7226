package natsbus_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// childDir, when set, makes the test binary append to the store there until
// it is killed, printing "number position" after each acknowledgement.
const (
	childDir   = "NATSBUS_CHILD_DIR"
	childFirst = "NATSBUS_CHILD_FIRST"
)

func runChild() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	first, err := strconv.Atoi(os.Getenv(childFirst))
	if err == nil {
		err = appendForEver(dir, first)
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	return true
}

func appendForEver(dir string, first int) error {
	ctx := context.Background()
	b, err := natsbus.Open(ctx, natsbus.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	errs := make(chan error)
	var mu sync.Mutex
	next := first
	for range 4 {
		go func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				seq, dup, err := b.Append(ctx, monitortest.NewBatch(n, 200))
				if err != nil || dup {
					errs <- fmt.Errorf("append %d: %v, %w", n, dup, err)
				}
				mu.Lock()
				fmt.Println(n, seq)
				mu.Unlock()
			}
		}()
	}
	return <-errs
}

// killedChild runs a child for a while, kills it (SIGKILL), and adds what it
// acknowledged to acked.
func killedChild(t *testing.T, dir string, first int, acked map[int]uint64) int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFirst+"="+strconv.Itoa(first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	highest := first
	var stop *time.Timer
	for lines.Scan() {
		if stop == nil { // from the first acknowledgement on
			stop = time.AfterFunc(300*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		var n int
		var seq uint64
		if _, err := fmt.Sscan(lines.Text(), &n, &seq); err != nil {
			continue // cut off by the kill
		}
		acked[n] = seq
		highest = max(highest, n)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return highest + 100
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[int]uint64{}
	next := 0
	for range 3 {
		next = killedChild(t, dir, next, acked)
	}
	if len(acked) < 30 {
		t.Fatalf("only %d batches were acknowledged", len(acked))
	}
	b := open(t, monitortest.StreamSettings{Dir: dir})
	defer b.Close()
	state, err := b.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]uint64{}
	for after := uint64(0); after < state.Last; {
		got, err := b.Read(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got {
			if p.Seq != after+1 {
				t.Fatalf("position %d after %d", p.Seq, after)
			}
			after = p.Seq
			if at, twice := found[p.ID]; twice {
				t.Errorf("batch %s is at %d and at %d", p.ID, at, p.Seq)
			}
			if len(p.Lines) != 200 {
				t.Errorf("batch %s has %d lines", p.ID, len(p.Lines))
			}
			found[p.ID] = p.Seq
		}
	}
	for n, seq := range acked {
		if at := found[monitortest.NewBatch(n, 0).ID]; at != seq {
			t.Errorf("batch %d was acknowledged at %d and is at %d", n, seq, at)
		}
	}
	t.Logf("%d acknowledged, %d stored", len(acked), len(found))
}
