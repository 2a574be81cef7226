package monitor

import (
	"math"
	"sync"
	"time"
)

// delays counts how long things took over the last hour, in steps of a
// twelfth of a factor of ten, so that a percentile is right to a fifth.
type delays struct {
	mu      sync.Mutex
	minutes [PulseMinutes]delayMinute
}

const (
	delaySteps = 84 // from 100 µs to 1000 s
	delayLeast = 100 * time.Microsecond
	perTenfold = 12
)

type delayMinute struct {
	from   time.Time
	counts [delaySteps]int64
}

func delayStep(d time.Duration) int {
	if d <= delayLeast {
		return 0
	}
	return min(int(math.Ceil(perTenfold*math.Log10(float64(d)/float64(delayLeast)))), delaySteps-1)
}

func (ds *delays) add(now time.Time, d time.Duration, n int) {
	minute := now.UTC().Truncate(time.Minute)
	ds.mu.Lock()
	defer ds.mu.Unlock()
	slot := &ds.minutes[slotOf(minute)]
	if !slot.from.Equal(minute) {
		*slot = delayMinute{from: minute}
	}
	slot.counts[delayStep(d)] += int64(n)
}

// percentile is the least bound that the share p of the last hour's delays
// did not exceed; 0 when there were none.
func (ds *delays) percentile(now time.Time, p float64) time.Duration {
	since := now.UTC().Truncate(time.Minute).Add(-(PulseMinutes - 1) * time.Minute)
	ds.mu.Lock()
	defer ds.mu.Unlock()
	var sum [delaySteps]int64
	var total int64
	for _, m := range ds.minutes {
		if m.from.Before(since) {
			continue
		}
		for i, n := range m.counts {
			sum[i] += n
			total += n
		}
	}
	if total == 0 {
		return 0
	}
	var seen int64
	for i, n := range sum {
		if seen += n; float64(seen) >= p*float64(total) {
			return time.Duration(float64(delayLeast) * math.Pow(10, float64(i)/perTenfold))
		}
	}
	return 0
}
