package bench

import (
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/demo"
)

// Machine is what figures of two machines, or of a busy hour, are compared
// by. Both speeds are of one goroutine, measured before and after; the mean
// of both is given.
type Machine struct {
	OS         string  `json:"os"`
	Arch       string  `json:"arch"`
	Processors int     `json:"processors"`
	Go         string  `json:"go"`
	SHA256     float64 `json:"sha256_mb_per_second"`
	JSON       float64 `json:"json_events_per_second"` // one synthetic event into a map
	// Share is how much of a processor that one goroutine was given: far
	// below 1, others keep the machine busy and all figures suffer.
	Share float64 `json:"processor_share"`
}

func machine() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Processors: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	m.measure()
	return m
}

func (m *Machine) measure() {
	began, cpu := time.Now(), ownCPU()
	m.SHA256, m.JSON = round(hashSpeed()), round(jsonSpeed())
	m.Share = round(float64(ownCPU()-cpu) / float64(time.Since(began)))
}

// measureAgain takes the mean of what was measured before and now.
func (m *Machine) measureAgain() {
	before := *m
	m.measure()
	m.SHA256, m.JSON, m.Share = round((m.SHA256+before.SHA256)/2), round((m.JSON+before.JSON)/2), round((m.Share+before.Share)/2)
}

// speedTime is how long each speed is measured.
const speedTime = 500 * time.Millisecond

// speed calls f for a while and returns calls a second.
func speed(f func()) float64 {
	n, began := 0, time.Now()
	for time.Since(began) < speedTime {
		f()
		n++
	}
	return float64(n) / time.Since(began).Seconds()
}

func hashSpeed() float64 {
	block := make([]byte, 1<<20)
	return speed(func() { block[0] = sha256.Sum256(block)[0] }) * float64(len(block)) / 1e6
}

func jsonSpeed() float64 {
	event := demo.RecoveryNeedle("machine.bench.example", time.Now())
	return speed(func() {
		var v map[string]any
		if json.Unmarshal(event, &v) != nil { // it is ours
			return
		}
	})
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
