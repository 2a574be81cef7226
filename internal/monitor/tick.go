package monitor

import (
	"context"
	"log/slog"
	"time"
)

// tick puts the time into the stream when a condition waits for nothing else:
// what it decides is then decided at the same place between the records in
// every run, as everything is. It says nothing to a stream with records before
// it, and none of the time in which nobody could be heard.
func (p *Pipeline) tick(ctx context.Context) {
	began := p.cfg.Now()
	for {
		if sleep(ctx, p.cfg.Ticks); ctx.Err() != nil {
			return
		}
		now := p.cfg.Now()
		if now.Sub(began) < maxSilent || !p.detector.due(now) {
			continue
		}
		state, err := p.stream.State(ctx)
		if err == nil && state.Last == p.workers[1].done.Load() {
			_, _, err = p.stream.Append(ctx, tickAt(now))
		}
		if err != nil && ctx.Err() == nil {
			p.cfg.Log.WarnContext(ctx, "conditions that wait are decided with the next record", slog.Any("error", err))
		}
	}
}

// tickAt is the batch that says what time it is.
func tickAt(now time.Time) Batch {
	now = now.UTC().Truncate(time.Microsecond)
	return Batch{ID: hashOf("tick", now.Format(time.RFC3339Nano)), Received: now}
}

// due reports whether a condition that waits is decided when it is told that it
// is now by the clock.
func (d *detector) due(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.correlator == nil || d.pending != nil {
		return false
	}
	waits, some := d.correlator.Waits()
	if !some {
		return false
	}
	mark, known := d.watermark.Expect(now)
	return known && !mark.Before(waits)
}
