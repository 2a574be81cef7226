package bench

import (
	"math"
	"slices"
	"time"
)

// Report is what one run measured. Parts that did not run are absent.
type Report struct {
	At      time.Time `json:"at"`
	Machine Machine   `json:"machine"`
	Setting Setting   `json:"setting"`

	AcceptedToAlert *AlertFigures     `json:"accepted_to_alert,omitempty"`
	ReleasedToTAXII *ReleaseFigures   `json:"released_to_taxii,omitempty"`
	SustainedAccept *SustainedFigures `json:"sustained_accept,omitempty"`
	StartSeconds    *StartFigures     `json:"start_seconds,omitempty"`
	MemoryMB        MemoryFigures     `json:"memory_mb"`
	PageMS          *PageFigures      `json:"page_ms,omitempty"`
}

// Setting is what the loads were made of.
type Setting struct {
	Members     int     `json:"members"`
	Rate        int     `json:"rate"` // records a second for accepted_to_alert
	Seconds     float64 `json:"seconds"`
	Batch       int     `json:"batch"`
	Connections int     `json:"connections"`
	// Rules is how many Sigma rules were given to the server beside the
	// shipped ones; RulesFrom says where from: "archive", "folder" or
	// "synthetic".
	Rules       int    `json:"rules,omitempty"`
	RulesFrom   string `json:"rules_from,omitempty"`
	RulesLoaded int    `json:"rules_loaded,omitempty"` // as the server counts, the shipped ones among them
	Indicators  int    `json:"indicators,omitempty"`   // as the server's matcher counts
}

// Figure is a measured value beside its target.
type Figure struct {
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Target string  `json:"target,omitempty"` // "≤ 1000" or "≥ 20000", in the unit
	Met    *bool   `json:"met,omitempty"`
	// Ratio relates the value to the machine's own speed, as Against says.
	Ratio   float64 `json:"ratio,omitempty"`
	Against string  `json:"against,omitempty"`
}

func atMost(value, target float64, unit string) Figure {
	met := value <= target
	return Figure{Value: round(value), Unit: unit, Target: "≤ " + number(target), Met: &met}
}

func atLeast(value, target float64, unit string) Figure {
	met := value >= target
	return Figure{Value: round(value), Unit: unit, Target: "≥ " + number(target), Met: &met}
}

func (f Figure) against(machine float64, what string) Figure {
	if machine > 0 {
		f.Ratio, f.Against = math.Round(f.Value/machine*1e4)/1e4, what
	}
	return f
}

// Spread is the distribution of times in milliseconds.
type Spread struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func spreadOf(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(times))
	// The nearest-rank percentile: the least value that p of all do not exceed.
	at := func(p float64) float64 {
		i := int(math.Ceil(p*float64(len(sorted)))) - 1
		return round(ms(sorted[max(i, 0)]))
	}
	return Spread{N: len(sorted), P50: at(.5), P95: at(.95), P99: at(.99), Max: at(1)}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// round keeps what can be told apart: three digits after the point below ten,
// one above.
func round(v float64) float64 {
	if math.Abs(v) < 10 {
		return math.Round(v*1000) / 1000
	}
	return math.Round(v*10) / 10
}

// AlertFigures is the way from the door to an alert.
type AlertFigures struct {
	P99     Figure  `json:"p99"`
	Times   Spread  `json:"ms"`
	Rate    float64 `json:"accepted_per_second"` // as it was
	LateMS  float64 `json:"driver_late_ms"`      // how far the offer fell behind at worst
	Answers Spread  `json:"answer_ms"`           // of the door
	Missing int     `json:"alerts_missing"`      // needles that no alert showed
	// MicrosecondsPerRecord is the server's processor time, all of it.
	MicrosecondsPerRecord float64 `json:"server_cpu_us_per_record"`
	PollMS                float64 `json:"poll_ms"` // time between two looks, at most the error
}

// ReleaseFigures is the way from the analyst's button to another member.
type ReleaseFigures struct {
	Max   Figure `json:"max"`
	Times Spread `json:"ms"`
}

// SustainedFigures is a closed loop at the door.
type SustainedFigures struct {
	Accepted Figure  `json:"accepted_per_second"`
	Records  int64   `json:"records"`
	Failed   int64   `json:"failed"`
	Answers  Spread  `json:"answer_ms"`
	DrainS   float64 `json:"drain_seconds"` // from the last answer until the last records are in history and alerts
	// Pipeline is all records over load and drain.
	Pipeline              float64 `json:"pipeline_records_per_second"`
	MicrosecondsPerRecord float64 `json:"server_cpu_us_per_record"`
	DriverMicroseconds    float64 `json:"driver_cpu_us_per_record"`
	DiskBytesPerRecord    float64 `json:"disk_bytes_per_record"` // of the data folder, drained
}

// StartFigures is a start on a folder that holds a history.
type StartFigures struct {
	Ready  Figure  `json:"ready"`
	Events int64   `json:"events"`
	DiskMB float64 `json:"disk_mb"`
}

// MemoryFigures are resident sizes of the server's process in 10^6 bytes, the
// pages of files that it maps included.
type MemoryFigures struct {
	Idle    *Figure `json:"idle,omitempty"`       // demonstration sector, after 30 s
	Load    *Figure `json:"under_load,omitempty"` // the most during accepted_to_alert
	Peak    *Figure `json:"peak,omitempty"`       // of that process, its start and 100,000 indicators entered included
	Sustain *Figure `json:"sustained,omitempty"`  // the most during sustained_accept
	History *Figure `json:"history,omitempty"`    // after the pages of page_ms
}

// PageFigures are times to answer with a page.
type PageFigures struct {
	P95    Figure            `json:"p95"` // of the slowest page
	Events int64             `json:"events"`
	Alerts int               `json:"alerts"`
	Pages  map[string]Spread `json:"pages"`
	// Searches go through the raw text of the whole history. They have no
	// target here: they answer in parts, within five seconds each.
	Searches map[string]Spread `json:"searches"`
}
