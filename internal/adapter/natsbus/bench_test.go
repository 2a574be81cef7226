package natsbus_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

// recordBatch makes 500 synthetic process records of about 1.2 KB.
func recordBatch(n int) monitor.Batch {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	b := monitortest.NewBatch(n, 1)
	b.Lines, b.Numbers = nil, nil
	for i := range 500 {
		b.Lines = append(b.Lines, fmt.Appendf(nil, `{"EventID":1,"Computer":"WS%04d.branch.example","UtcTime":"2026-03-01 10:%02d:%02d.%03d",`+
			`"Image":"C:\\Windows\\System32\\cmd%d.exe","CommandLine":"cmd.exe /c echo %x && whoami","ProcessGuid":"{%016x-%016x}",`+
			`"ProcessId":%d,"User":"EXAMPLE\\user%d","Hashes":"SHA256=%016x%016x%016x%016x","ParentImage":"C:\\Windows\\explorer.exe","Note":"%s"}`,
			r.IntN(2000), r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(30), r.Uint64(), r.Uint64(), r.Uint64(), r.IntN(60000),
			r.IntN(500), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), strings.Repeat("lorem ipsum dolor ", 38)))
		b.Numbers = append(b.Numbers, i+1)
	}
	return b
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchAppend(b, callers) })
	}
}

func benchAppend(b *testing.B, callers int) {
	bus, err := natsbus.Open(b.Context(), natsbus.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	batches := make([]monitor.Batch, 64)
	for i := range batches {
		batches[i] = recordBatch(i)
	}
	var next atomic.Int64
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < b.N; n = int(next.Add(1)) - 1 {
				batch := batches[n%len(batches)]
				batch.ID = fmt.Sprintf("%032x", n+1<<20)
				start := time.Now()
				if _, _, err := bus.Append(b.Context(), batch); err != nil {
					b.Error(err)
				}
				took[n] = time.Since(start)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	if st, err := bus.State(b.Context()); err == nil {
		b.ReportMetric(float64(st.Bytes)/float64(b.N)/1024, "KiB/batch")
	}
}

func BenchmarkRead(b *testing.B) {
	bus, err := natsbus.Open(b.Context(), natsbus.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer bus.Close()
	const held = 400
	for n := range held {
		if _, _, err := bus.Append(b.Context(), recordBatch(n)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	records := 0
	for b.Loop() {
		for after := uint64(0); after < held; {
			got, err := bus.Read(b.Context(), after, 64)
			if err != nil {
				b.Fatal(err)
			}
			after = got[len(got)-1].Seq
			records += 500 * len(got)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

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
