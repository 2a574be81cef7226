package sigma

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// benchmarkSets are correlations of every type, and a chain.
func benchmarkSets() map[string][]string {
	return map[string][]string{
		"event_count":      {"type: event_count, rules: [r1], group-by: [U], timespan: 10m, condition: {gte: 50}"},
		"value_count":      {"type: value_count, rules: [r1], group-by: [U], timespan: 10m, condition: {gte: 20, field: institution}"},
		"values":           {"type: value_count, rules: [r1], group-by: [U], timespan: 1h, condition: {gte: 20, field: record}"},
		"few_values":       {"type: value_count, rules: [r1], group-by: [U], timespan: 10m, condition: {gte: 30, field: institution}"},
		"temporal":         {"type: temporal, rules: [r1, r2], group-by: [U], timespan: 1m"},
		"temporal_ordered": {"type: temporal_ordered, rules: [r2, r1, r3], group-by: [U], timespan: 1m"},
		"value_sum":        {"type: value_sum, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 1000000, field: n}"},
		"value_percentile": {"type: value_percentile, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 1000000, field: n, percentile: 95}"},
		"sum_near":         {"type: value_sum, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 300000, field: noise}"},
		"percentile_near":  {"type: value_percentile, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 950, field: noise, percentile: 95}"},
		"mean_near":        {"type: value_avg, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 504, field: noise}"},
		"median_near":      {"type: value_median, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 504, field: noise}"},
		"range":            {"type: event_count, rules: [r1], group-by: [U], timespan: 1m, condition: {gte: 50, lte: 60}"},
		"chain": {"type: event_count, rules: [r1], group-by: [U], timespan: 1m, condition: {gte: 50}",
			"type: temporal_ordered, rules: [c0, r2], group-by: [U], timespan: 10m"},
	}
}

// BenchmarkObserve takes in events of 100,000 groups, a thousand of them a
// second, one in sixteen late by up to a minute.
func BenchmarkObserve(b *testing.B) {
	for name, sections := range benchmarkSets() {
		b.Run(name, func(b *testing.B) { benchmarkObserve(b, sections, 100_000) })
	}
}

// BenchmarkObserveDense takes in events of a thousand groups, one a second each.
func BenchmarkObserveDense(b *testing.B) {
	for name, sections := range benchmarkSets() {
		b.Run(name, func(b *testing.B) { benchmarkObserve(b, sections, 1000) })
	}
}

// BenchmarkObserveFlood takes in events of ten groups, all of which are above
// their threshold.
func BenchmarkObserveFlood(b *testing.B) {
	for name, sections := range benchmarkSets() {
		b.Run(name, func(b *testing.B) { benchmarkObserve(b, sections, 10) })
	}
}

func benchmarkObserve(b *testing.B, sections []string, groups int) {
	c := NewCorrelator(setOf(b, sections), CorrelatorOptions{})
	texts := make([]string, 1<<20)
	for i := range texts {
		texts[i] = fmt.Sprintf("01HX%022d", i)
	}
	noise := make([]string, 1009) // 0 to 1008 in disorder
	for i := range noise {
		noise[i] = fmt.Sprint(i * i * i % len(noise))
	}
	used, wall := cpuTime(b), time.Now()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		at := day.Add(time.Duration(i) * time.Millisecond)
		if i%16 == 0 {
			at = at.Add(-time.Duration(i*7919%60_000) * time.Millisecond)
		}
		rule := "r1"
		if i%100 == 0 {
			rule = "r2"
		}
		c.Observe(Occurrence{Rule: rule, RecordID: texts[i%len(texts)], Time: at, Lookup: func(f string) (string, bool) {
			switch f {
			case "U":
				return texts[i*7919%groups], true
			case "n":
				return "1024", true
			case "noise":
				return noise[i*7919%len(noise)], true
			case "record":
				return texts[i%len(texts)], true
			}
			return texts[i%24], true
		}})
		if i%100_000 == 0 {
			c.Advance(at.Add(-time.Minute))
		}
	}
	b.ReportMetric(float64(b.N)/(cpuTime(b)-used).Seconds(), "occurrences/cpu-s")
	b.ReportMetric(float64(b.N)/time.Since(wall).Seconds(), "occurrences/s")
}

// BenchmarkSharded takes in chunks of 4,000 events of 100,000 groups with one
// Correlator and with two that share the groups, each on a goroutine of its own,
// as a pipeline would. Compare the occurrences/s by the clock, with
// GOMAXPROCS=2.
func BenchmarkSharded(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkSharded(b, n) })
	}
}

func benchmarkSharded(b *testing.B, shards int) {
	set := setOf(b, benchmarkSets()["value_count"])
	sharding := NewSharding(set, shards)
	workers := make([]*Correlator, shards)
	for i := range workers {
		workers[i] = NewCorrelator(set, CorrelatorOptions{Sharding: sharding, Shard: i})
	}
	texts := make([]string, 1<<17)
	for i := range texts {
		texts[i] = fmt.Sprintf("01HX%022d", i)
	}
	const chunk = 4000
	used := cpuTime(b)
	b.ResetTimer()
	for from := 0; from < b.N; from += chunk {
		var wg sync.WaitGroup
		for _, c := range workers {
			wg.Go(func() {
				for i := from; i < min(from+chunk, b.N); i++ {
					c.Observe(Occurrence{Rule: "r1", RecordID: texts[i%len(texts)], Time: day.Add(time.Duration(i) * time.Millisecond), Lookup: func(f string) (string, bool) {
						if f == "U" {
							return texts[i*7919%100_000], true
						}
						return texts[i%24], true
					}})
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.N)/(cpuTime(b)-used).Seconds(), "occurrences/cpu-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "occurrences/s")
}

// BenchmarkGroups holds a million groups of one event each, and of three, with
// ids as long as the monitor's; heap-MB is what they take after a collection.
// Run it once (-benchtime 1x).
func BenchmarkGroups(b *testing.B) {
	for _, name := range []string{"event_count", "value_count", "value_sum", "temporal_ordered"} {
		for _, each := range []int{1, 3} {
			b.Run(fmt.Sprint(name, "/", each), func(b *testing.B) {
				for range b.N {
					benchmarkGroups(b, benchmarkSets()[name], 1_000_000, each)
				}
			})
		}
	}
}

func benchmarkGroups(b *testing.B, sections []string, groups, each int) {
	before := heapMB()
	c := NewCorrelator(setOf(b, sections), CorrelatorOptions{})
	for i := range groups * each {
		at := day.Add(time.Duration(i) * 100 * time.Microsecond)
		c.Observe(Occurrence{Rule: "r1", RecordID: fmt.Sprintf("%040d", i), Time: at, Lookup: func(f string) (string, bool) {
			switch f {
			case "U":
				return fmt.Sprintf("10.%d.%d.%d", i%groups>>16, i%groups>>8&255, i%groups&255), true
			case "n":
				return "1", true
			}
			return fmt.Sprintf("bank-%d", i%300), true
		}})
	}
	after := heapMB()
	if c.Stats().Groups != groups || c.Stats().Events != groups*each {
		b.Fatalf("%+v", c.Stats())
	}
	b.ReportMetric(after-before, "heap-MB")
}

func heapMB() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
