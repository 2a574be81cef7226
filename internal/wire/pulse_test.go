package wire

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/sector"
)

// busy is an hour in which each stage counted a little in some minutes.
type busy struct {
	figures  monitor.Figures
	activity intel.Activity
}

func drawBusy(t *rapid.T, now time.Time) busy {
	var b busy
	first := now.Truncate(time.Minute).Add(-(monitor.PulseMinutes - 1) * time.Minute)
	few := rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 3, 500})
	for i := range monitor.PulseMinutes {
		m := monitor.Minute{From: first.Add(time.Duration(i) * time.Minute)}
		if i%20 == 7 || i > 57 {
			for _, s := range monitor.Stages() {
				m.Counts[s] = few.Draw(t, "count")
			}
		}
		b.figures.Minutes = append(b.figures.Minutes, m)
	}
	b.figures.Since = first
	times := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, int64(time.Hour-time.Minute)), func(n int64) time.Time { return first.Add(time.Duration(n)) }), 0, 6)
	b.activity.Releases, b.activity.Answers = times.Draw(t, "releases"), times.Draw(t, "answers")
	b.activity.Delivered = rapid.Int64Range(0, 9).Draw(t, "delivered")
	b.activity.Unopened = rapid.Int64Range(0, b.activity.Delivered).Draw(t, "unopened")
	for range rapid.IntRange(0, 4).Draw(t, "mails") {
		b.activity.Mailing = append(b.activity.Mailing, time.Second)
	}
	return b
}

func (b busy) seen(see sector.Counts, now time.Time) pulse.Snapshot {
	snap := pulse.Snapshot{At: now, Counts: map[pulse.Stage]pulse.Count{}}
	addMonitor(&snap, see, b.figures)
	addActivity(&snap, see, b.activity)
	return snap
}

// small lists the numbers of one or two that a snapshot holds or gives away.
func (b busy) small(s pulse.Snapshot) []string {
	var found []string
	check := func(what string, n int64) {
		if n == 1 || n == 2 {
			found = append(found, fmt.Sprintf("%s: %d", what, n))
		}
	}
	figure := func(what string, f sector.Figure) (int64, bool) {
		n, shown := f.Shown()
		check(what, n)
		return n, shown
	}
	for stage, c := range s.Counts {
		figure(string(stage), c.Total)
		figure(string(stage)+" waiting", c.Waiting)
		check(string(stage)+" a second", int64(c.Rate.PerSecond()*120+.5))
	}
	delivered, shown1 := s.Counts[pulse.Channels].Total.Shown()
	unopened, shown2 := s.Counts[pulse.Answers].Waiting.Shown()
	if shown1 && shown2 {
		check("opened", delivered-unopened)
	}
	for name, line := range map[string][]sector.Figure{
		"accepted": s.Series.Accepted, "matched": s.Series.Matched, "alerts": s.Series.Alerts, "released": s.Series.Released, "answers": s.Series.Answers,
	} {
		hidden := 0
		for _, f := range line {
			if _, shown := figure(name, f); !shown {
				hidden++
			}
		}
		if hidden > 0 && hidden < len(line) {
			found = append(found, fmt.Sprintf("%s: %d of %d minutes are withheld, the sum tells the rest", name, hidden, len(line)))
		}
	}
	if n := len(b.activity.Mailing); s.ToMember > 0 {
		check("mails", int64(n))
	}
	return found
}

// TestPulseShowsTheAuthorityNothingSmall: no total, rate, queue or minute of
// one or two, and none by subtraction. The centre, for whom nothing is
// withheld, is the planted fault that the check finds.
func TestPulseShowsTheAuthorityNothingSmall(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 30, 0, time.UTC)
	authority, centre := sector.Gate{}.Counts(sector.Viewer{Org: sector.Authority}), sector.Gate{}.Counts(sector.System())
	caught := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawBusy(t, now)
		if found := b.small(b.seen(authority, now)); len(found) > 0 {
			t.Fatalf("the authority is shown %q", found)
		}
		caught += len(b.small(b.seen(centre, now)))
	})
	if caught == 0 {
		t.Error("the check finds nothing in what the centre sees")
	}
}

func TestMinutesAddUpToTheHour(t *testing.T) {
	from := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	minutes := []time.Time{from, from.Add(time.Minute), from.Add(2 * time.Minute)}
	times := []time.Time{from.Add(-time.Nanosecond), from, from.Add(59 * time.Second), from.Add(time.Minute), from.Add(9 * time.Minute)}
	if got := fmt.Sprint(perMinute(minutes, times)); got != "[2 1 1]" {
		t.Errorf("%s a minute, want [2 1 1]", got)
	}
}
