package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/sender"
)

// Door is where one member's records go; *[sender.Client] is one.
type Door interface {
	// Post sends newline-delimited records under an idempotency key and
	// returns when they are accepted, refused for good, or ctx is done. It
	// does not keep lines.
	Post(ctx context.Context, key string, lines []byte) (sender.Answer, error)
}

// Doors returns a door for each key at the centre's address, which share their
// connections, and what closes them.
func Doors(url string, keys []string) ([]Door, func(), error) {
	enc, err := sender.NewEncoder()
	if err != nil {
		return nil, nil, err
	}
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConns: 32, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute,
	}}
	doors := make([]Door, 0, len(keys))
	for _, key := range keys {
		c, err := sender.New(sender.Config{URL: url, Key: key, HTTP: client, Zstd: enc})
		if err != nil {
			return nil, nil, err
		}
		doors = append(doors, c)
	}
	return doors, client.CloseIdleConnections, nil
}

// Stats counts what was sent. It may be read while sending goes on.
type Stats struct {
	Sent      atomic.Int64 // records given to a door
	Accepted  atomic.Int64
	Duplicate atomic.Int64
	Rejected  atomic.Int64
	Failed    atomic.Int64 // records that no door took
}

// RunConfig is what the synthetic sector runs on.
type RunConfig struct {
	Members []sector.Member
	Doors   []Door // one for each member, in the same order
	Options Options
	Stats   *Stats           // may be nil
	Now     func() time.Time // default time.Now
	Log     *slog.Logger
}

// Bounds of a run.
const (
	maxLag     = time.Minute // what a member makes up for after the door was away
	batchLines = 500
	batchBytes = 1 << 20
)

// Run sends the synthetic records of the members as they happen, until ctx is
// done. Each member has a goroutine; all have ended when Run returns. A member
// whose key is refused falls silent, and the rest go on.
func Run(ctx context.Context, cfg RunConfig) error {
	if len(cfg.Members) == 0 || len(cfg.Members) != len(cfg.Doors) {
		return fmt.Errorf("demo: %d members and %d doors", len(cfg.Members), len(cfg.Doors))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Stats == nil {
		cfg.Stats = &Stats{}
	}
	r := &runner{RunConfig: cfg, generator: NewGenerator(cfg.Members, cfg.Options)}
	r.every = max(Slot, time.Duration(len(cfg.Members))*40*time.Millisecond).Truncate(Slot)
	var all sync.WaitGroup
	for i := range cfg.Members {
		all.Go(func() { r.play(ctx, i) })
	}
	all.Wait()
	return nil
}

type runner struct {
	RunConfig
	generator *Generator
	every     time.Duration // how often a member sends: 25 requests a second over all
}

// play sends one member's slots after each has passed.
func (r *runner) play(ctx context.Context, i int) {
	next := r.Now().Truncate(Slot)
	stagger := r.every * time.Duration(i) / time.Duration(len(r.Members))
	for {
		if !pause(ctx, next.Add(r.every+stagger).Sub(r.Now())) {
			return
		}
		upTo := r.Now().Truncate(Slot)
		if upTo.Sub(next) > maxLag {
			next = upTo.Add(-maxLag)
		}
		var lines [][]byte
		for ; next.Before(upTo); next = next.Add(Slot) {
			lines = append(lines, r.generator.Records(i, next)...)
		}
		if err := post(ctx, r.Doors[i], r.Stats, lines); err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "synthetic records were not taken", "member", r.Members[i].ID, "error", err)
			if refusedForGood(err) {
				return
			}
		}
	}
}

// pause waits and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

func refusedForGood(err error) bool {
	refused, ok := errors.AsType[*sender.RefusedError](err)
	return ok && !refused.Temporary()
}

// post sends lines in batches.
func post(ctx context.Context, door Door, stats *Stats, lines [][]byte) error {
	var body []byte
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		err := postOne(ctx, door, stats, body, n)
		body, n = body[:0], 0
		return err
	}
	for _, line := range lines {
		if n == batchLines || len(body)+len(line) >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		body = append(append(body, line...), '\n')
		n++
	}
	return flush()
}

// postOne sends a batch under a key made of its bytes: what is made up for one
// second is never made up again.
func postOne(ctx context.Context, door Door, stats *Stats, body []byte, n int) error {
	sum := sha256.Sum256(body)
	stats.Sent.Add(int64(n))
	answer, err := door.Post(ctx, "demo-"+hex.EncodeToString(sum[:16]), body)
	if err != nil {
		stats.Failed.Add(int64(n))
		return err
	}
	stats.Accepted.Add(int64(answer.Accepted))
	stats.Duplicate.Add(int64(answer.Duplicate))
	stats.Rejected.Add(int64(len(answer.Rejected)))
	return nil
}
