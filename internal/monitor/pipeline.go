package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// PipelineConfig is what a pipeline is built from. Pulse, Metrics and Raised
// may be nil.
type PipelineConfig struct {
	Stream     Stream
	History    History
	Detections Detections
	Catalogue  *Catalogue
	Matcher    *Matcher
	Pulse      *Pulse
	Metrics    *Metrics
	Log        *slog.Logger
	Now        func() time.Time
	// Raised is told of alerts after they are stored. It must not block. It
	// may miss some after a failure.
	Raised func(context.Context, []Alert)
	// Chunk is how many records make a chunk full; default 4,000.
	Chunk int
	// Linger is how long a worker waits for more records when it has few;
	// default 20 ms, negative: none.
	Linger time.Duration
	// Snapshots is the least time between snapshots of the correlator;
	// default 3 s. Trims is how often the stream is trimmed; default 2 s.
	Snapshots, Trims time.Duration
	// Ticks is how often the clock is looked at for conditions that wait for
	// the time and not for a record; default 5 s.
	Ticks time.Duration
	// Pause is the first wait after a failure; it doubles up to 5 s. Default
	// 50 ms.
	Pause time.Duration
}

// Pipeline reads the stream in order and feeds the history and the
// detections. Both go their own pace: if one is down the other goes on.
type Pipeline struct {
	stream   Stream
	feed     *feed
	detector *detector
	workers  [2]*worker
	snapshot atomic.Uint64 // position the stored correlator state stands for
	cfg      PipelineConfig
}

// worker is one reader of the stream.
type worker struct {
	name   string
	cursor func(context.Context) (uint64, error) // the position stored with the effects
	start  func(ctx context.Context, at uint64) error
	work   func(context.Context, *chunk) error
	after  func(ctx context.Context, at uint64)
	done   atomic.Uint64 // durable position
	mu     sync.Mutex
	failed error // why it stands still; nil while it goes
}

// NewPipeline returns a pipeline.
func NewPipeline(c PipelineConfig) *Pipeline {
	fill(&c.Chunk, 4000)
	fill(&c.Snapshots, 3*time.Second)
	fill(&c.Trims, 2*time.Second)
	fill(&c.Ticks, 5*time.Second)
	fill(&c.Pause, 50*time.Millisecond)
	if c.Linger == 0 {
		c.Linger = 20 * time.Millisecond
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Pipeline{stream: c.Stream, feed: newFeed(c.Stream, c.Chunk), cfg: c}
	p.detector = &detector{
		catalogue: c.Catalogue, matcher: c.Matcher, out: c.Detections, pulse: c.Pulse, metrics: c.Metrics,
		now: c.Now, raised: c.Raised, log: c.Log, seen: newRecent(), known: map[string]bool{},
	}
	p.workers = [2]*worker{
		{name: "historian", cursor: c.History.Cursor, work: p.keep, start: p.nothing, after: func(context.Context, uint64) {}},
		{name: "detector", cursor: c.Detections.Cursor, work: p.detector.work, start: p.restore, after: p.snapshots()},
	}
	return p
}

func (p *Pipeline) nothing(context.Context, uint64) error { return nil }

// Run works until ctx is done and returns when all its goroutines have ended.
func (p *Pipeline) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, w := range p.workers {
		wg.Go(func() { p.drive(ctx, w) })
	}
	wg.Go(func() { p.trim(ctx) })
	wg.Go(func() { p.tick(ctx) })
	wg.Wait()
	return nil
}

// keep stores a chunk in the history.
func (p *Pipeline) keep(ctx context.Context, c *chunk) error {
	at, err := p.cfg.History.Cursor(ctx)
	if err != nil || at >= c.upTo { // stored by an attempt that "failed"
		return err
	}
	records := make([]Record, 0, c.records)
	c.each(func(it *item) { records = append(records, it.Record) })
	return p.cfg.History.Append(ctx, c.upTo, records)
}

const lastPause = 5 * time.Second

// drive keeps a worker going, whatever fails.
func (p *Pipeline) drive(ctx context.Context, w *worker) {
	pause := p.cfg.Pause
	for ctx.Err() == nil {
		began := time.Now()
		err := p.follow(ctx, w)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			pause = p.cfg.Pause
		}
		p.fail(ctx, w, err)
		sleep(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// fail notes why a worker stands still and logs it when that is news.
func (p *Pipeline) fail(ctx context.Context, w *worker, err error) {
	p.cfg.Metrics.failed(w.name)
	if w.setFailed(err) {
		p.cfg.Log.ErrorContext(ctx, "records wait: a worker of the pipeline cannot go on and keeps trying",
			slog.String("worker", w.name), slog.Any("error", err))
	}
}

// setFailed keeps the state and reports whether it changed.
func (w *worker) setFailed(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	news := (w.failed == nil) != (err == nil) || err != nil && w.failed.Error() != err.Error()
	w.failed = err
	return news
}

// ErrStreamReset means that the stream ends before what was already worked
// on: its folder was lost or replaced.
var ErrStreamReset = errors.New("the stream ends before the stored position: its data was lost or replaced")

// follow works from the stored position on until something fails.
func (p *Pipeline) follow(ctx context.Context, w *worker) error {
	at, err := w.cursor(ctx)
	if err != nil {
		return fmt.Errorf("%s: read position: %w", w.name, err)
	}
	state, err := p.stream.State(ctx)
	if err != nil {
		return fmt.Errorf("%s: stream: %w", w.name, err)
	}
	if at > state.Last {
		return fmt.Errorf("%s: at %d, stream ends at %d: %w", w.name, at, state.Last, ErrStreamReset)
	}
	if err := w.start(ctx, at); err != nil {
		return fmt.Errorf("%s: start: %w", w.name, err)
	}
	w.done.Store(at)
	for {
		c, err := p.next(ctx, w, at)
		if err != nil {
			return fmt.Errorf("%s: read stream: %w", w.name, err)
		}
		if err := p.workOn(ctx, w, c); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		at = c.upTo
		w.done.Store(at)
		w.after(ctx, at)
	}
}

// next is the next chunk. What is no longer in the stream is skipped, loudly.
func (p *Pipeline) next(ctx context.Context, w *worker, at uint64) (*chunk, error) {
	c, err := p.feed.next(ctx, at)
	if errors.Is(err, ErrTrimmed) {
		state, serr := p.stream.State(ctx)
		if serr != nil {
			return nil, serr
		}
		p.cfg.Log.ErrorContext(ctx, "records are no longer in the stream and are left out here; was a store put back from a backup?",
			slog.String("worker", w.name), slog.Uint64("after", at), slog.Uint64("first", state.First))
		p.cfg.Metrics.skip(w.name, state.First-1-at)
		return p.feed.next(ctx, state.First-1)
	}
	if err != nil || p.cfg.Linger < 0 || c.records >= p.cfg.Chunk/4 {
		return c, err
	}
	return p.linger(ctx, c)
}

// linger waits a moment for more, so that a trickle does not cost a
// transaction per record.
func (p *Pipeline) linger(ctx context.Context, c *chunk) (*chunk, error) {
	sleep(ctx, p.cfg.Linger)
	state, err := p.stream.State(ctx)
	if err != nil || state.Last <= c.upTo {
		return c, nil //nolint:nilerr // the next read will tell
	}
	more, err := p.feed.next(ctx, c.upTo)
	if err != nil {
		return c, nil //nolint:nilerr // the next read will tell
	}
	for _, b := range more.batches {
		c.add(b)
	}
	return c, nil
}

// workOn tries a chunk until it is stored. The detector has fed it to its
// correlator, so it must not be given up for another.
func (p *Pipeline) workOn(ctx context.Context, w *worker, c *chunk) error {
	pause := p.cfg.Pause
	for {
		began := time.Now()
		err := w.work(ctx, c)
		if err == nil {
			p.cfg.Metrics.worked(w.name, time.Since(began))
			if w.setFailed(nil) {
				p.cfg.Log.InfoContext(ctx, "the worker goes on", slog.String("worker", w.name))
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.fail(ctx, w, err)
		sleep(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// restore brings the correlator to the position: the stored state, then the
// records between it and the position, whose effects are stored.
func (p *Pipeline) restore(ctx context.Context, at uint64) error {
	d := p.detector
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rules, d.correlator, d.pending, d.minute = nil, nil, nil, 0
	d.watermark, d.sources = newWatermark(), map[logSource]string{}
	d.use(ctx)
	from, state, err := d.out.LoadState(ctx)
	if err != nil {
		return err
	}
	if state == nil {
		from = 0
	} else if err := d.restore(state); err != nil {
		p.cfg.Log.ErrorContext(ctx, "correlations start from what the stream still holds", slog.Any("error", err))
		d.rules, d.correlator, d.watermark = nil, nil, newWatermark()
		d.use(ctx)
		from = 0
	}
	p.snapshot.Store(from)
	return p.replay(ctx, from, at)
}

func (p *Pipeline) replay(ctx context.Context, from, to uint64) error {
	if from < to {
		st, err := p.stream.State(ctx)
		if err != nil {
			return err
		}
		if st.First > 0 {
			from = max(from, st.First-1)
		}
	}
	for from < to {
		c, err := p.feed.next(ctx, from)
		if err != nil {
			return err
		}
		c.cut(to)
		if len(c.batches) > 0 {
			p.detector.replay(c)
		}
		from = max(c.upTo, from+1)
	}
	return nil
}

// cut drops the batches after a position.
func (c *chunk) cut(to uint64) {
	for i, b := range c.batches {
		if b.seq > to {
			c.batches = c.batches[:i]
			break
		}
	}
	c.records = 0
	for _, b := range c.batches {
		c.records += len(b.items)
	}
}

// snapshots returns what the detector does between chunks: it stores the
// correlator's state now and then, the less often the longer that takes.
func (p *Pipeline) snapshots() func(context.Context, uint64) {
	next := time.Now().Add(p.cfg.Snapshots)
	return func(ctx context.Context, at uint64) {
		began := time.Now()
		if began.Before(next) {
			return
		}
		state, err := p.detector.snapshot()
		if err == nil {
			err = p.cfg.Detections.SaveState(ctx, at, state)
		}
		if err != nil {
			p.cfg.Log.WarnContext(ctx, "state of the correlations not stored; the stream keeps more", slog.Any("error", err))
		} else {
			p.snapshot.Store(at)
		}
		next = time.Now().Add(max(p.cfg.Snapshots, 20*time.Since(began)))
	}
}

// trim forgets what nobody needs any more.
func (p *Pipeline) trim(ctx context.Context) {
	var last uint64
	for ctx.Err() == nil {
		sleep(ctx, p.cfg.Trims)
		p.measure(ctx)
		to := min(p.workers[0].done.Load(), p.workers[1].done.Load(), p.snapshot.Load())
		if to <= last || ctx.Err() != nil {
			continue
		}
		if err := p.stream.Trim(ctx, to); err != nil {
			p.cfg.Log.WarnContext(ctx, "stream not trimmed", slog.Any("error", err))
			continue
		}
		last = to
	}
}

func (p *Pipeline) measure(ctx context.Context) {
	st, err := p.stream.State(ctx)
	if err != nil {
		return
	}
	for _, w := range p.workers {
		if done := w.done.Load(); st.Last >= done {
			p.cfg.Metrics.behind(w.name, st.Last-done)
		}
	}
}

// Position is how far a worker is; Failed says why it stands still.
type Position struct {
	Worker string
	Done   uint64
	Failed error
}

// Positions tells how far the workers are: historian, then detector.
func (p *Pipeline) Positions() []Position {
	var list []Position
	for _, w := range p.workers {
		w.mu.Lock()
		list = append(list, Position{w.name, w.done.Load(), w.failed})
		w.mu.Unlock()
	}
	return list
}

// Name and Check make the pipeline a check of health.
func (p *Pipeline) Name() string { return "pipeline" }

// Check fails when a worker stands still.
func (p *Pipeline) Check(context.Context) error {
	var all []error
	for _, s := range p.Positions() {
		all = append(all, s.Failed)
	}
	return errors.Join(all...)
}
