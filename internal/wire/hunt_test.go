package wire

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/sigma"
)

// huntWorld is a pipeline in memory, in a bubble of testing/synctest: its
// clock moves only while everything waits. The matcher and the historian can
// be held up.
type huntWorld struct {
	stream     *memory.Stream
	history    *memory.History
	detections *memory.Detections
	matcher    *monitor.Matcher
	door       *monitor.Door
	pipeline   *monitor.Pipeline
	hunter     hunter
	sent       int

	blind, idle atomic.Bool // the matcher, the historian is held up
	released    atomic.Bool
	mu          sync.Mutex
	ran         bool
	failed      error
}

func newHuntWorld(rules *monitor.Rules) *huntWorld {
	w := &huntWorld{
		stream: memory.NewStream(), history: &memory.History{}, detections: memory.NewDetections(), matcher: monitor.NewMatcher(nil),
	}
	w.history.Set(func(op string) memory.Fault {
		if op == "Append" && w.idle.Load() {
			return memory.Failed
		}
		return memory.None
	})
	log := slog.New(slog.DiscardHandler)
	w.door = monitor.NewDoor(monitor.DoorConfig{Stream: w.stream, Receipts: memory.NewReceipts(w.detections), Now: time.Now, Log: log})
	w.pipeline = monitor.NewPipeline(monitor.PipelineConfig{
		Stream: w.stream, History: w.history, Detections: w.detections, Matcher: w.matcher,
		Catalogue: monitor.NewCatalogue(rules, nil), Log: log, Now: time.Now, Pause: 5 * time.Millisecond,
	})
	w.hunter = hunter{
		history: monitor.NewHunter(w.history, w.detections, nil, time.Now), watched: w, matcher: w.matcher,
		stream: w.stream, pipeline: w.pipeline, now: time.Now,
	}
	return w
}

// WatchedOf has an indicator for each record that may be sent, so that it
// shows which were found.
func (w *huntWorld) WatchedOf(context.Context, intel.AdvisoryID) ([]intel.Watched, int64, error) {
	list := make([]intel.Watched, 250)
	for i := range list {
		list[i] = intel.Watched{Advisory: "a", Released: true, Indicator: intel.Indicator{
			ID: indicatorID(i + 1), Kind: event.ObservableIPv4, Value: address(i + 1)}}
	}
	return list, 2, nil
}

func indicatorID(i int) string { return fmt.Sprintf("indicator--%d", i) }
func address(i int) string     { return fmt.Sprintf("203.0.113.%d", i) }

// Since is the matcher's source: there is something when it was released and
// the matcher is let have it.
func (w *huntWorld) Since(ctx context.Context, version int64) (monitor.IndicatorChanges, error) {
	if w.blind.Load() || !w.released.Load() || version >= 2 {
		return monitor.IndicatorChanges{Version: max(version, 1)}, nil
	}
	watched, next, err := w.WatchedOf(ctx, "a")
	put, _ := split(watched)
	return monitor.IndicatorChanges{Version: next, Put: put}, err
}

// run drives the world with f, lets everything go afterwards and returns the
// records that nobody found and whether the hunt ended.
func (w *huntWorld) run(f func()) (missed []int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = w.pipeline.Run(ctx) })
	all.Go(func() { _ = w.matcher.Follow(ctx, w, nil, slog.New(slog.DiscardHandler)) })
	f()
	w.blind.Store(false)
	w.idle.Store(false)
	w.release(ctx, &all)
	time.Sleep(time.Minute)
	cancel()
	all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	found := w.detections.Sightings()
	for i := 1; i <= w.sent; i++ {
		if found[indicatorID(i)] == 0 {
			missed = append(missed, i)
		}
	}
	return missed, w.failed
}

// release publishes the advisory and starts its hunt, once.
func (w *huntWorld) release(ctx context.Context, all *sync.WaitGroup) {
	if w.released.Swap(true) {
		return
	}
	all.Go(func() {
		err := w.hunter.Hunt(ctx, "a", intel.Text{}, nil)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ran, w.failed = true, err
	})
}

// over reports whether the hunt has ended.
func (w *huntWorld) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ran
}

// accept sends one record, which is accepted when it returns.
func (w *huntWorld) accept() error {
	w.sent++
	line := fmt.Sprintf(`{"_path":"conn","ts":%d.5,"uid":"C%d","id.orig_h":"10.0.0.5","id.orig_p":50000,"id.resp_h":%q,"id.resp_p":443,"proto":"tcp"}`,
		time.Now().Unix(), w.sent, address(w.sent))
	a, err := w.door.Accept(context.Background(), "alpha", fmt.Sprint("key ", w.sent), []byte(line))
	if err == nil && a.Accepted != 1 {
		err = fmt.Errorf("record %d is not accepted: %+v", w.sent, a)
	}
	return err
}

func noRules() *monitor.Rules { return monitor.LoadRules(sigma.Options{}) }

// TestHuntWaitsForMatcherAndHistory goes through the narrow place step by
// step: one record is past the matcher and not in the history when the
// advisory is released, another comes while the matcher does not know of it.
func TestHuntWaitsForMatcherAndHistory(t *testing.T) {
	rules := noRules()
	synctest.Test(t, func(t *testing.T) {
		w := newHuntWorld(rules)
		var all sync.WaitGroup
		step := func(what string, f func(), over bool) {
			t.Helper()
			f()
			time.Sleep(10 * time.Second)
			if w.over() != over {
				t.Errorf("%s: the hunt has ended: %v, want %v", what, w.over(), over)
			}
		}
		accept := func() {
			if err := w.accept(); err != nil {
				t.Fatal(err)
			}
		}
		missed, err := w.run(func() {
			step("before", accept, false)
			w.idle.Store(true)
			w.blind.Store(true)
			step("the second record is accepted", accept, false)
			step("the advisory is released", func() { w.release(t.Context(), &all) }, false)
			step("the third record is accepted", accept, false)
			step("the matcher learns of it", func() { w.blind.Store(false) }, false)
			step("the fourth record is accepted", accept, false)
			step("the history goes on", func() { w.idle.Store(false) }, true)
			step("the fifth record is accepted", accept, true)
		})
		all.Wait()
		if len(missed) > 0 || err != nil {
			t.Errorf("records %v were found by nobody, %v", missed, err)
		}
	})
}

// TestNothingIsMissedBetweenHistoryAndMatcher: whatever the order in which
// records come, matcher and historian are held up and the advisory is
// released, each record is found by the matcher or by the hunt.
func TestNothingIsMissedBetweenHistoryAndMatcher(t *testing.T) {
	rules := noRules()
	type act struct {
		what  string
		pause time.Duration
	}
	rapid.Check(t, func(rt *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
			return act{
				rapid.SampledFrom([]string{"accept", "accept", "accept", "hold matcher", "free matcher", "hold history", "free history", "release"}).Draw(t, "what"),
				time.Duration(rapid.SampledFrom([]int{0, 1, 7, 19, 45, 2001}).Draw(t, "ms")) * time.Millisecond,
			}
		}), 1, 40).Draw(rt, "acts")
		var missed []int
		var err error
		synctest.Test(t, func(t *testing.T) {
			w := newHuntWorld(rules)
			var all sync.WaitGroup
			missed, err = w.run(func() {
				for _, a := range acts {
					switch a.what {
					case "accept":
						if err := w.accept(); err != nil {
							t.Error(err)
						}
					case "release":
						w.release(t.Context(), &all)
					default:
						held := &w.blind
						if a.what[5:] == "history" {
							held = &w.idle
						}
						held.Store(a.what[:4] == "hold")
					}
					time.Sleep(a.pause)
				}
			})
			all.Wait()
		})
		if len(missed) > 0 || err != nil {
			rt.Fatalf("records %v of %v were found by nobody, %v", missed, acts, err)
		}
	})
}
