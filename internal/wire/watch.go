package wire

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/sector"
)

// When the centre is told that something is ill.
const (
	watchEvery = time.Minute
	engineIll  = 2 * time.Minute    // down for so long
	sourceIll  = 2 * sendingSpan    // silent for so long
	sourceGone = 7 * 24 * time.Hour // silent for longer: known, or left
)

// watch tells the centre of engines that are not ready and of members that
// have stopped sending, once for each time that it happens.
type watch struct {
	*Program
	checks []check
	now    func() time.Time
	down   map[string]time.Time // since when, by engine
}

func newWatch(p *Program) *watch {
	return &watch{Program: p, checks: p.engineChecks(), now: p.opts.Now, down: map[string]time.Time{}}
}

// run watches until ctx is done. What cannot be told is logged, and told the
// next time.
func (w *watch) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "health of sources and engines", slog.Any("error", err))
		}
	}
}

// look looks once.
func (w *watch) look(ctx context.Context) error {
	now := w.now().UTC()
	for _, c := range w.checks {
		if c.run(ctx) == nil {
			delete(w.down, c.name)
			continue
		}
		since, known := w.down[c.name]
		if !known {
			w.down[c.name] = now
			continue
		}
		if now.Sub(since) < engineIll {
			continue
		}
		id := fmt.Sprintf("engine-%s-%d", c.name, since.Unix())
		if err := w.tell(ctx, id, "/admin/health", "notify.line.engine", c.name, minute(since)); err != nil {
			return err
		}
	}
	return w.silent(ctx, now)
}

// silent tells of members that used to send and have stopped.
func (w *watch) silent(ctx context.Context, now time.Time) error {
	last, err := w.engines.db.Home().LastRecords(ctx, sector.Gate{}.For(sector.System()))
	if err != nil {
		return err
	}
	members, err := w.directory.Members(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		at, ever := last[m.ID]
		if silence := now.Sub(at); !ever || m.State != sector.TakesPart || silence < sourceIll || silence > sourceGone {
			continue
		}
		id := fmt.Sprintf("silent-%s-%d", m.ID, at.Unix())
		if err := w.tell(ctx, id, "/admin/members/"+string(m.ID), "notify.line.silent", m.NameZh+" "+m.Name, minute(at)); err != nil {
			return err
		}
	}
	return nil
}

// minute is a time in words that both languages share.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (w *watch) tell(ctx context.Context, id, path, line string, args ...string) error {
	return w.notify.Post(ctx, notify.Event{ID: id, Topic: notify.SourceHealth, Object: "path:" + path, Key: line, Args: args,
		Audience: notify.Audience{Roles: []sector.Role{sector.Administrator, sector.DutyManager}}})
}
