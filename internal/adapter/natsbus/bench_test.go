package natsbus_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
