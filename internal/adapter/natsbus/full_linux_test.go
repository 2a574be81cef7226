package natsbus_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// smallDisk mounts a file system of 24 MiB, which needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no small file system to fill (mounting needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func randomBatch(n, size int) monitor.Batch {
	b := monitortest.NewBatch(n, 1)
	line := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	_, _ = r.Read(line) // never fails
	b.Lines[0] = line
	return b
}

// TestFullDisk fills the file system under the store for real. With a reserve
// nothing is written that does not fit; without one the store meets ENOSPC,
// fails, and is opened again.
func TestFullDisk(t *testing.T) {
	for name, reserve := range map[string]int64{"reserve": 4 << 20, "no reserve": -1} {
		t.Run(name, func(t *testing.T) { fillDisk(t, reserve) })
	}
}

func fillDisk(t *testing.T, reserve int64) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := natsbus.Open(t.Context(), natsbus.Config{
		Dir: filepath.Join(disk, "stream"), MinFree: reserve,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	stored := 0
	for err == nil && stored < 100 {
		if _, _, err = b.Append(t.Context(), randomBatch(stored, 500<<10)); err == nil {
			stored++
		}
	}
	if !errors.Is(err, monitor.ErrStreamFull) || stored < 10 {
		t.Fatalf("after %d batches: %v", stored, err)
	}
	if b.Check(t.Context()) == nil && reserve > 0 {
		t.Error("Check of a full store found nothing")
	}
	expect := func(n int) {
		t.Helper()
		for seq := 0; seq < n; {
			got, err := b.Read(t.Context(), uint64(seq), 5)
			if err != nil {
				t.Fatalf("Read(%d): %v", seq, err)
			}
			for _, p := range got {
				if want := randomBatch(seq, 500<<10); p.ID != want.ID || string(p.Lines[0]) != string(want.Lines[0]) {
					t.Fatalf("batch at %d is not the one that was appended", p.Seq)
				}
				seq++
			}
		}
	}
	expect(stored)
	if _, _, err := b.Append(t.Context(), randomBatch(stored, 500<<10)); !errors.Is(err, monitor.ErrStreamFull) {
		t.Fatalf("second append to a full disk: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, dup, err := b.Append(t.Context(), randomBatch(stored, 500<<10)); err != nil || dup {
			t.Fatalf("append once there is room: %v, %v", dup, err)
		}
		stored++
	}
	expect(stored)
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check once there is room: %v", err)
	}
}
