package sender

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Backoff is how failed attempts are repeated: after a random time of up to
// Base, 2·Base, 4·Base … Cap, until GiveUp has passed since the first attempt.
// The randomness keeps many senders from returning in step.
type Backoff struct {
	Base   time.Duration // default 250 ms
	Cap    time.Duration // default 30 s
	GiveUp time.Duration // default [DefaultGiveUp]
}

func (b Backoff) withDefaults() Backoff {
	if b.Base <= 0 {
		b.Base = 250 * time.Millisecond
	}
	if b.Cap <= 0 {
		b.Cap = 30 * time.Second
	}
	if b.GiveUp <= 0 {
		b.GiveUp = DefaultGiveUp
	}
	return b
}

// pause is the wait after the attempt (counted from 0): between half and all
// of the step, so that it never is nothing.
func (b Backoff) pause(attempt int) time.Duration {
	step := b.Cap
	if attempt < 20 && b.Base<<attempt < b.Cap {
		step = b.Base << attempt
	}
	return step/2 + rand.N(step/2+1)
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// gate holds back all of a client's batches when the door asks one to wait:
// a quota is the member's, not the connection's.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

func (g *gate) hold(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	d := time.Until(g.until)
	g.mu.Unlock()
	if d <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, d)
}
