package monitor

import (
	"testing"
	"time"
)

func TestDelayPercentile(t *testing.T) {
	now := time.Date(2026, 11, 24, 3, 30, 20, 0, time.UTC)
	var ds delays
	if got := ds.percentile(now, .99); got != 0 {
		t.Errorf("nothing counted: %v, want 0", got)
	}
	ds.add(now.Add(-2*time.Hour), time.Minute, 1000) // forgotten
	ds.add(now.Add(-59*time.Minute), 50*time.Millisecond, 980)
	ds.add(now, 2*time.Second, 20)
	for p, want := range map[float64]time.Duration{.5: 50 * time.Millisecond, .98: 50 * time.Millisecond, .99: 2 * time.Second} {
		if got := ds.percentile(now, p); got < want || got > want*122/100 {
			t.Errorf("percentile %v = %v, want %v or up to a fifth more", p, got, want)
		}
	}
	if got := ds.percentile(now.Add(time.Minute), .5); got < 2*time.Second {
		t.Errorf("a minute later the old ones count still: %v", got)
	}
}
