package duckdb_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
	"github.com/aspis-platform/aspis/internal/sector"
)

const benchBatch = 500

// benchRecords makes synthetic process records of about 1.2 KB with five
// observables, 40 ms after one another, one batch of 500 for each position;
// every hundredth record is an hour late.
func benchRecords(seq uint64) []monitor.Record {
	r := rand.New(rand.NewPCG(seq, 7))
	records := make([]monitor.Record, benchBatch)
	for i := range records {
		host, user, ip := r.IntN(2000), r.IntN(500), r.IntN(50000)
		sum := fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
		raw := fmt.Appendf(nil, `{"EventID":1,"Computer":"WS%04d.branch.example","UtcTime":"2026-03-01 10:%02d:%02d.%03d",`+
			`"Image":"C:\\Windows\\System32\\cmd%d.exe","CommandLine":"cmd.exe /c echo %x && whoami","ProcessGuid":"{%016x-%016x}",`+
			`"ProcessId":%d,"User":"EXAMPLE\\user%d","Hashes":"SHA256=%s","ParentImage":"C:\\Windows\\explorer.exe","Note":"%s"}`,
			host, r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(30), r.Uint64(), r.Uint64(), r.Uint64(), r.IntN(60000),
			user, sum, words(r, 110))
		at := monitortest.Epoch().Add(time.Duration(int(seq)*benchBatch+i) * 40 * time.Millisecond)
		if i%100 == 99 {
			at = at.Add(-time.Hour)
		}
		records[i] = monitor.Record{
			Member: sector.MemberID(fmt.Sprintf("bank-%d", r.IntN(24))), At: at, Received: at.Add(time.Second),
			Source: event.Logsource{Product: "windows", Category: "process_creation"},
			Host:   fmt.Sprintf("ws%04d.branch.example", host), Account: fmt.Sprintf("user%d", user),
			SHA256: sha256.Sum256(raw), Raw: raw,
			Observables: []event.Observable{
				{Kind: event.ObservableHost, Value: fmt.Sprintf("ws%04d.branch.example", host)},
				{Kind: event.ObservableAccount, Value: fmt.Sprintf("user%d", user)},
				{Kind: event.ObservableSHA256, Value: sum},
				{Kind: event.ObservableIPv4, Value: fmt.Sprintf("10.%d.%d.%d", ip>>16, ip>>8&255, ip&255)},
				{Kind: event.ObservableDomain, Value: fmt.Sprintf("h%d.d%d.example.com", r.IntN(100), r.IntN(5000))},
			},
		}
	}
	monitortest.Number(seq, records)
	return records
}

var vocabulary = strings.Fields(`process created by user session logon token elevated integrity level high medium
	system service network share printer driver update policy group domain controller ticket request granted
	denied object access handle registry key value set deleted file written read opened closed transfer`)

func words(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		b.WriteByte(' ')
	}
	return b.String()
}

func BenchmarkAppend(b *testing.B) {
	h := open(b, b.TempDir())
	defer h.Close()
	pool := make([][]monitor.Record, 20)
	for i := range pool {
		pool[i] = benchRecords(uint64(i + 1))
	}
	took := make([]time.Duration, 0, b.N)
	before := cpuTime(b)
	seq := uint64(0)
	b.ResetTimer()
	for range b.N {
		seq++
		records := pool[seq%20]
		monitortest.Number(seq, records)
		start := time.Now()
		if err := h.Append(b.Context(), seq, records); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(benchBatch*b.N), "cpu-us/record")
	b.ReportMetric(float64(benchBatch*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}

// cpuTime of the process, which other programs' load changes less.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
