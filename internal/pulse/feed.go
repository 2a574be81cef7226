package pulse

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// feed asks the source at most once a tick for each audience, however many
// people watch.
type feed struct {
	source Source
	tick   time.Duration
	mu     sync.Mutex
	kept   map[string]*kept
}

// kept is the last snapshot of one audience. Its lock is held while the
// source is asked, so that those who come meanwhile wait for the same answer.
type kept struct {
	mu   sync.Mutex
	at   time.Time
	snap Snapshot
}

// maxKept bounds the audiences remembered: more members than are planned for.
const maxKept = 4096

func newFeed(src Source, tick time.Duration) *feed {
	return &feed{source: src, tick: tick, kept: map[string]*kept{}}
}

func (f *feed) slot(v sector.Viewer) *kept {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.kept[audience(v)]
	if !ok {
		if len(f.kept) >= maxKept {
			clear(f.kept)
		}
		k = &kept{}
		f.kept[audience(v)] = k
	}
	return k
}

func (f *feed) snapshot(ctx context.Context, v sector.Viewer) (Snapshot, error) {
	k := f.slot(v)
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.at) < f.tick && !k.at.IsZero() {
		return k.snap, nil
	}
	snap, err := f.source.Snapshot(ctx, v)
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot: %w", err)
	}
	k.snap, k.at = snap, time.Now()
	return snap, nil
}

// follow sends a snapshot every tick until the context ends. A tick whose
// snapshot fails is left out: the page says nothing new, and the next tick
// tries again.
func (f *feed) follow(ctx context.Context, v sector.Viewer, out chan<- httpx.Event) {
	tick := time.NewTicker(f.tick)
	defer tick.Stop()
	for {
		if snap, err := f.snapshot(ctx, v); err == nil {
			select {
			case out <- httpx.Event{Name: "pulse", Data: liveOf(snap)}:
			case <-ctx.Done():
				return
			}
		} else {
			httpx.Note(ctx, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
