package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// LoadConfig is the load that a benchmark puts on the door.
type LoadConfig struct {
	Doors []Door // one for each member; batches go round
	// Rate is how many records a second are offered, whatever the answers
	// take. 0 offers as many as the connections can: each sends its next
	// batch when the last is answered.
	Rate     int
	Duration time.Duration // default 10 s
	Lines    int           // records of a batch; default 500, at most 10,000
	// Connections is how many batches can be under way; default 4.
	Connections int
	// NeedleEvery is how many batches come to one needle, a record that must
	// raise an alert; default 1, negative for none.
	NeedleEvery int
	// Needle makes a needle that carries the marker; by default
	// [RecoveryNeedle].
	Needle func(marker string, at time.Time) []byte
	Stats  *Stats // may be nil
}

func (c LoadConfig) withDefaults() LoadConfig {
	byDefault := func(n *int, d, most int) {
		if *n <= 0 {
			*n = d
		}
		*n = min(*n, most)
	}
	byDefault(&c.Lines, batchLines, 10_000)
	byDefault(&c.Connections, 4, 64)
	if c.NeedleEvery == 0 {
		c.NeedleEvery = 1
	}
	if c.Duration <= 0 {
		c.Duration = 10 * time.Second
	}
	if c.Needle == nil {
		c.Needle = RecoveryNeedle
	}
	if c.Stats == nil {
		c.Stats = &Stats{}
	}
	return c
}

// Needle is a record that must raise an alert.
type Needle struct {
	Marker   string // unique; the host of the record's alert
	Door     int    // its member's place among LoadConfig.Doors
	Sent     time.Time
	Accepted time.Time // when the door's answer had arrived
}

// LoadResult is what came of a load.
type LoadResult struct {
	Records  int64 // offered
	Accepted int64
	Rejected int64
	Failed   int64 // in batches that no answer accepted
	Batches  int64
	Elapsed  time.Duration // from the first batch to the last answer
	// Late is how far the offer fell behind its schedule at worst. A load that
	// is late by more than a batch's time measured the sender, not the door.
	Late    time.Duration
	Answers []time.Duration // of all batches, sorted
	Needles []Needle        // accepted ones, in the order of acceptance
	Err     error           // the first failure, nil if none
}

// Load offers records to the doors until the duration has passed or ctx is
// done, and returns when all answers are in.
func Load(ctx context.Context, cfg LoadConfig) (LoadResult, error) {
	cfg = cfg.withDefaults()
	if len(cfg.Doors) == 0 {
		return LoadResult{}, errors.New("demo: no door to load")
	}
	l := &loader{LoadConfig: cfg, pool: newPool(cfg.Lines), run: runID(), began: time.Now()}
	if cfg.Rate > 0 {
		l.step = time.Duration(float64(time.Second) * float64(cfg.Lines) / float64(cfg.Rate))
	}
	var all sync.WaitGroup
	for range cfg.Connections {
		all.Go(func() { l.work(ctx) })
	}
	all.Wait()
	l.result.Elapsed = time.Since(l.began)
	slices.Sort(l.result.Answers)
	return l.result, nil
}

// runID keeps the records of two loads apart.
func runID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

type loader struct {
	LoadConfig
	pool  *pool
	run   string
	began time.Time
	step  time.Duration // between batches, 0 for no schedule
	next  atomic.Int64  // number of the next batch

	mu     sync.Mutex
	result LoadResult
}

// work sends batch after batch.
func (l *loader) work(ctx context.Context) {
	var body []byte
	for ctx.Err() == nil {
		n := l.next.Add(1) - 1
		due := l.began.Add(time.Duration(n) * l.step)
		if l.step == 0 {
			due = time.Now()
		}
		if due.Sub(l.began) >= l.Duration || !pause(ctx, time.Until(due)) {
			return
		}
		body = l.send(ctx, n, due, body)
	}
}

// send sends batch n and returns its buffer for the next one.
func (l *loader) send(ctx context.Context, n int64, due time.Time, body []byte) []byte {
	now := time.Now()
	needle := Needle{Door: int(n % int64(len(l.Doors))), Sent: now}
	body = l.pool.fill(body[:0], n, now)
	count := l.Lines
	if l.NeedleEvery > 0 && n%int64(l.NeedleEvery) == 0 {
		needle.Marker = marker(l.run, n)
		body = append(append(body, l.Needle(needle.Marker, now)...), '\n')
		count++
	}
	l.Stats.Sent.Add(int64(count))
	answer, err := l.Doors[needle.Door].Post(ctx, "load-"+l.run+"-"+decimal(n), body)
	needle.Accepted = time.Now()
	if ctx.Err() != nil {
		return body // stopped, not failed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.result
	r.Batches++
	r.Records += int64(count)
	r.Late = max(r.Late, now.Sub(due))
	if err != nil {
		r.Failed += int64(count)
		l.Stats.Failed.Add(int64(count))
		if r.Err == nil {
			r.Err = err
		}
		return body
	}
	l.Stats.Accepted.Add(int64(answer.Accepted))
	r.Accepted += int64(answer.Accepted + answer.Duplicate) // a duplicate is our own retry
	r.Rejected += int64(len(answer.Rejected))
	r.Answers = append(r.Answers, needle.Accepted.Sub(needle.Sent))
	if needle.Marker != "" {
		r.Needles = append(r.Needles, needle)
	}
	return body
}

// marker is the host name of a needle.
func marker(run string, n int64) string { return "needle-" + run + "-" + decimal(n) + ".bench.example" }

// RecoveryNeedle is a record that fires the shipped rule recovery-destroyed:
// the program that deletes shadow copies starts on a host named marker.
func RecoveryNeedle(marker string, at time.Time) []byte {
	r := sysmon(1, host{name: marker}, at)
	return r.text("Image", `C:\Windows\System32\vssadmin.exe`).text("OriginalFileName", "VSSADMIN.EXE").
		text("CommandLine", "vssadmin.exe delete shadows /all /quiet").
		text("User", `NT AUTHORITY\SYSTEM`).text("ParentImage", shell).done()
}
