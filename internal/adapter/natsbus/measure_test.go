//go:build measure

package natsbus_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
)

// TestBigStore measures, by hand: NATSBUS_BIG is the number of batches.
// NATSBUS_DIR keeps the store between runs.
func TestBigStore(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("NATSBUS_BIG"))
	if err != nil {
		t.Skip("NATSBUS_BIG is not set: a measurement")
	}
	dir := t.TempDir()
	cfg := natsbus.Config{Dir: dir, MaxBytes: 64 << 30}
	bus, err := natsbus.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := strconv.Atoi(os.Getenv("NATSBUS_SIZE"))
	for i := range n {
		if _, _, err := bus.Append(t.Context(), randomBatch(i, size)); err != nil {
			t.Fatal(err)
		}
	}
	st, _ := bus.State(t.Context())
	start := time.Now()
	if err := bus.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d batches, %d MiB; close %v", st.Last, st.Bytes>>20, time.Since(start))
	index := dir + "/jetstream/$G/streams/records/msgs/index.db"
	for _, crash := range []bool{false, true} {
		if crash {
			if err := os.Remove(index); err != nil {
				t.Fatal(err)
			}
		}
		start = time.Now()
		if bus, err = natsbus.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		t.Logf("open, index lost %v: %v", crash, time.Since(start))
		start = time.Now()
		if _, err := bus.Read(t.Context(), st.Last/2, 10); err != nil {
			t.Fatal(err)
		}
		t.Logf("first read %v", time.Since(start))
		start = time.Now()
		if crash {
			if err := bus.Trim(t.Context(), st.Last-10); err != nil {
				t.Fatal(err)
			}
			t.Logf("trim %v", time.Since(start))
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		t.Logf("heap %d MiB", m.HeapAlloc>>20)
		if err := bus.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
