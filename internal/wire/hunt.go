package wire

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
)

// hunter looks for a released advisory's indicators in the whole history.
type hunter struct {
	history interface {
		Hunt(ctx context.Context, indicators []monitor.Indicator, from, to time.Time) (monitor.HuntResult, error)
	}
	watched interface {
		WatchedOf(ctx context.Context, id intel.AdvisoryID) ([]intel.Watched, int64, error)
	}
	matcher interface{ Version() int64 }
	stream  interface {
		State(ctx context.Context) (monitor.StreamState, error)
	}
	pipeline interface{ Positions() []monitor.Position } // historian first
	now      func() time.Time
}

var _ intel.Hunter = hunter{}

func newHunter(p *Program, source intel.IndicatorSource) hunter {
	return hunter{
		history: p.soc.hunter, watched: source, matcher: p.soc.matcher,
		stream: p.engines.stream, pipeline: p.soc.pipeline, now: p.opts.Now,
	}
}

// ahead is how much later than now a record's own time may be: what the door
// accepts.
const ahead = 10 * time.Minute

// Hunt implements intel.Hunter. What is looked for is what the matcher has of
// the advisory, scopes and all, so that both write the same sightings.
func (h hunter) Hunt(ctx context.Context, id intel.AdvisoryID, _ intel.Text, _ []intel.Indicator) error {
	watched, version, err := h.watched.WatchedOf(ctx, id)
	if err == nil {
		err = h.settle(ctx, version)
	}
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	put, _ := split(slices.DeleteFunc(watched, func(w intel.Watched) bool { return !w.Released }))
	_, err = h.history.Hunt(ctx, put, time.Unix(0, 0), h.now().Add(ahead))
	return err
}

// settle waits until the matcher knows the indicators, and then until the
// history holds all that was accepted by that moment. A record that was past
// the matcher and not yet in the history would be found by neither; one that
// is accepted later is matched. The order matters: the end of the stream is
// read when nothing is matched without the indicators any more.
func (h hunter) settle(ctx context.Context, version int64) error {
	if err := until(ctx, func() bool { return h.matcher.Version() >= version }); err != nil {
		return fmt.Errorf("wait for the matcher: %w", err)
	}
	state, err := h.stream.State(ctx)
	if err != nil {
		return fmt.Errorf("end of the stream: %w", err)
	}
	if err := until(ctx, func() bool { return h.pipeline.Positions()[0].Done >= state.Last }); err != nil {
		return fmt.Errorf("wait for the history: %w", err)
	}
	return nil
}

// until asks again and again, until it is so or ctx is done.
func until(ctx context.Context, is func() bool) error {
	ask := time.NewTicker(20 * time.Millisecond)
	defer ask.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ask.C:
		}
	}
	return nil
}
