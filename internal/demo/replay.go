package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// ReplayConfig is how recordings are played as if they happened at the members
// now.
type ReplayConfig struct {
	Paths []string // files and folders, as [replay.Open] reads them
	Doors []Door   // one for each member
	// Rate is how many records a second are sent in total; default 200.
	Rate float64
	// Loop plays everything again and again, each recording at another
	// member than the time before, until ctx is done.
	Loop  bool
	Stats *Stats           // may be nil
	Now   func() time.Time // default time.Now
	Log   *slog.Logger
}

// maxLanes bounds how many recordings are played at once.
const maxLanes = 8

// Replay plays the recordings: each file is one member's, several files at a
// time, the times of the records moved to now. It returns when all are played
// or ctx is done, and then with nil. What cannot be read or is refused is
// logged and passed over.
func Replay(ctx context.Context, cfg ReplayConfig) error {
	files, err := replay.Files(cfg.Paths)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if len(files) == 0 {
		return fmt.Errorf("demo: no recordings under %v", cfg.Paths)
	}
	if len(cfg.Doors) == 0 {
		return errors.New("demo: no member to play recordings as")
	}
	lanes := min(maxLanes, len(cfg.Doors), len(files))
	p := newPlayer(cfg, lanes)
	work := make(chan turn)
	var all sync.WaitGroup
	for range lanes {
		all.Go(func() {
			for t := range work {
				p.play(ctx, t)
			}
		})
	}
	p.deal(ctx, files, work)
	close(work)
	all.Wait()
	return nil
}

// turn is a recording and the member whose it is this time.
type turn struct {
	path   string
	member int
}

type player struct {
	ReplayConfig
	limit *rate.Limiter
	chunk int // records of a batch: about what a lane sends in a second
}

func newPlayer(cfg ReplayConfig, lanes int) *player {
	if cfg.Rate <= 0 {
		cfg.Rate = 200
	}
	if cfg.Stats == nil {
		cfg.Stats = &Stats{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	chunk := min(max(int(cfg.Rate)/lanes, 1), batchLines)
	return &player{ReplayConfig: cfg, limit: rate.NewLimiter(rate.Limit(cfg.Rate), chunk), chunk: chunk}
}

// deal hands out the recordings, once or for ever.
func (p *player) deal(ctx context.Context, files []replay.File, work chan<- turn) {
	for pass := 0; ; pass++ {
		before := p.Stats.Sent.Load()
		for i, f := range files {
			select {
			case <-ctx.Done():
				return
			case work <- turn{f.Path, (i + pass) % len(p.Doors)}:
			}
		}
		if !p.Loop {
			return
		}
		if p.Stats.Sent.Load() == before && !pause(ctx, time.Second) {
			return // files without records: do not spin
		}
	}
}

// play sends one recording.
func (p *player) play(ctx context.Context, t turn) {
	shift := &shifter{now: p.Now}
	var raws [][]byte
	for rec, err := range replay.Open([]string{t.path}, replay.Options{}) {
		if err != nil {
			p.Log.WarnContext(ctx, "part of a recording is passed over", "error", err)
			continue
		}
		raws = append(raws, rec.Raw)
		if len(raws) < p.chunk {
			continue
		}
		if !p.send(ctx, t, shift, raws) {
			return
		}
		raws = raws[:0]
	}
	p.send(ctx, t, shift, raws)
}

// send moves the records to now, when it is their time, and reports whether
// the recording can go on.
func (p *player) send(ctx context.Context, t turn, shift *shifter, raws [][]byte) bool {
	if p.limit.WaitN(ctx, len(raws)) != nil {
		return false
	}
	for i, raw := range raws {
		raws[i] = shift.move(raw)
	}
	err := post(ctx, p.Doors[t.member], p.Stats, raws)
	if err != nil && ctx.Err() == nil {
		p.Log.WarnContext(ctx, "a recording is not taken", "file", t.path, "error", err)
	}
	return err == nil
}

// shifter moves the times of one recording's records to now. Their distances
// stay, except that no record is moved into the future, as would happen when
// a recording is sent faster than it was made, nor far into the past.
type shifter struct {
	now   func() time.Time
	delta time.Duration
	set   bool
}

// maxBehind is how far a record may lie behind now after the shift.
const maxBehind = 30 * time.Minute

func (s *shifter) move(raw []byte) []byte {
	ev, err := event.Decode(raw, event.Limits{})
	if err != nil {
		return raw // the door says what is wrong with it
	}
	now := s.now()
	at, ok := ev.TimeNear(now)
	if !ok {
		return raw
	}
	if moved := at.Add(s.delta); !s.set || moved.After(now) || now.Sub(moved) > maxBehind {
		s.delta, s.set = now.Sub(at), true
	}
	return replay.Shift(raw, s.delta)
}
