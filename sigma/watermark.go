package sigma

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// WatermarkOptions changes a [Watermark]. Zero fields take their defaults.
type WatermarkOptions struct {
	// Idle is how long a source may be silent before it no longer holds the
	// others back; default 15 minutes.
	Idle time.Duration
	// Hold is how far the watermark may at most be behind the arrival of what
	// arrives, whatever the sources send; default 24 hours.
	Hold time.Duration
	// Ahead is how far a clock may be ahead of the arrival; default 5 minutes.
	// What is further ahead is taken as of its arrival.
	Ahead time.Duration
	// MaxSources bounds the sources that are told apart; default 100,000. More
	// are held to Hold alone.
	MaxSources int
}

func (o WatermarkOptions) withDefaults() WatermarkOptions {
	o.Idle = cmp.Or(max(o.Idle, 0), 15*time.Minute)
	o.Hold = cmp.Or(max(o.Hold, 0), 24*time.Hour)
	o.Ahead = cmp.Or(max(o.Ahead, 0), 5*time.Minute)
	o.MaxSources = cmp.Or(max(o.MaxSources, 0), 100_000)
	return o
}

// Watermark follows up to which event time everything was seen: every source
// (such as one kind of log of one member) has the time of its newest event, and
// the slowest source that is not idle is what a [Correlator] has to wait for.
// It goes by the arrival times that it is told and by no clock, so that a
// repetition gives the same. It belongs to one goroutine.
type Watermark struct {
	opts    WatermarkOptions
	sources map[string]*progress
	arrived int64 // of the newest arrival
	now     int64
}

// progress is how far a source is.
type progress struct {
	newest int64 // event time
	heard  int64 // arrival time
}

// NewWatermark returns a Watermark that has heard of no source.
func NewWatermark(opts WatermarkOptions) *Watermark {
	return &Watermark{opts: opts.withDefaults(), sources: map[string]*progress{}, arrived: noTime, now: noTime}
}

// Observe notes an event of a source and returns the time that it is to be
// counted at: its own, or that of its arrival where its clock is too far ahead.
func (w *Watermark) Observe(source string, at, arrived time.Time) time.Time {
	if at.After(arrived.Add(w.opts.Ahead)) {
		at = arrived
	}
	heard := arrived.UnixMicro()
	w.arrived = max(w.arrived, heard)
	p := w.sources[source]
	switch {
	case p == nil && len(w.sources) >= w.opts.MaxSources:
		return at
	case p == nil:
		p = &progress{newest: noTime}
		w.sources[source] = p
	}
	p.newest, p.heard = max(p.newest, at.UnixMicro()), max(p.heard, heard)
	return at
}

// Pass notes that it is a time by now, whether or not anything arrived.
func (w *Watermark) Pass(now time.Time) { w.arrived = max(w.arrived, now.UnixMicro()) }

// Now returns the watermark, and false when nothing was heard yet. It never goes
// back: what an idle source sends when it comes back may be late. Sources that
// are idle are forgotten.
func (w *Watermark) Now() (time.Time, bool) {
	if w.arrived == noTime {
		return time.Time{}, false
	}
	w.now = w.reaches(w.arrived)
	for name, p := range w.sources {
		if w.idle(p, w.arrived) {
			delete(w.sources, name)
		}
	}
	return time.UnixMicro(w.now).UTC(), true
}

// Expect returns what Now will return at a time if nothing arrives until then.
func (w *Watermark) Expect(at time.Time) (time.Time, bool) {
	if w.arrived == noTime {
		return time.Time{}, false
	}
	return time.UnixMicro(w.reaches(max(w.arrived, at.UnixMicro()))).UTC(), true
}

// reaches returns the watermark at an arrival time.
func (w *Watermark) reaches(arrived int64) int64 {
	slowest := arrived
	for _, p := range w.sources {
		if !w.idle(p, arrived) {
			slowest = min(slowest, p.newest)
		}
	}
	return max(w.now, slowest, since(arrived, w.opts.Hold.Microseconds()))
}

func (w *Watermark) idle(p *progress, arrived int64) bool {
	return p.heard < since(arrived, w.opts.Idle.Microseconds())
}

const watermarkMagic = "ASPISWM1"

// Snapshot writes the state.
func (w *Watermark) Snapshot(out io.Writer) error {
	s := newSnapWriter(out)
	s.raw(watermarkMagic)
	s.int(w.arrived)
	s.int(w.now)
	names := make([]string, 0, len(w.sources))
	for name := range w.sources {
		names = append(names, name)
	}
	slices.Sort(names)
	s.uint(uint64(len(names)))
	for _, name := range names {
		s.text(name)
		s.int(w.sources[name].newest)
		s.int(w.sources[name].heard)
	}
	return s.flush("watermark")
}

// Restore replaces the state by that of a snapshot. On an error the state is
// as of a new Watermark.
func (w *Watermark) Restore(in io.Reader) error {
	fresh := NewWatermark(w.opts)
	s := newSnapReader(in)
	if magic := s.bytes(len(watermarkMagic)); s.err == nil && string(magic) != watermarkMagic {
		s.fail(fmt.Errorf("no watermark snapshot of this version"))
	}
	fresh.arrived, fresh.now = s.int(), s.int()
	for range s.count() {
		name, p := s.text(), &progress{newest: s.int(), heard: s.int()}
		if s.err != nil {
			break
		}
		fresh.sources[name] = p
	}
	if s.err != nil {
		*w = *NewWatermark(w.opts)
		return fmt.Errorf("%w: %w", ErrSnapshot, s.err)
	}
	*w = *fresh
	return nil
}
