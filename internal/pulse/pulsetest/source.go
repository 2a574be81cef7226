// Package pulsetest has an invented source for the pulse page.
package pulsetest

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Source is a loop whose figures grow with every snapshot when Moving.
type Source struct {
	Now    func() time.Time
	Moving bool
	Quiet  bool // nothing has happened yet
	Err    error

	mu    sync.Mutex
	asked int64
}

// Asked is how often a snapshot was taken.
func (s *Source) Asked() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Snapshot implements pulse.Source. Members see a tenth.
func (s *Source) Snapshot(_ context.Context, v sector.Viewer) (pulse.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.Err != nil {
		return pulse.Snapshot{}, s.Err
	}
	now := s.Now().UTC()
	snap := pulse.Snapshot{At: now, Counts: map[pulse.Stage]pulse.Count{}}
	part, grown := int64(1), int64(0)
	if v.Org == sector.MemberOrg {
		part = 10
	}
	if s.Moving {
		grown = s.asked
	}
	see := sector.Gate{}.Counts(v)
	s.series(&snap, see, part)
	if !s.Quiet {
		snap.Counts = counts(see, part, grown)
		snap.ToAlert, snap.ToMember = 380*time.Millisecond, 420*time.Millisecond
	}
	return snap, nil
}

func (s *Source) series(snap *pulse.Snapshot, see sector.Counts, part int64) {
	lines := make([][]int64, 5)
	for i := range pulse.Minutes {
		snap.Times = append(snap.Times, snap.At.Truncate(time.Minute).Add(time.Duration(i-pulse.Minutes+1)*time.Minute))
		for n, value := range s.minute(i, part) {
			lines[n] = append(lines[n], value)
		}
	}
	for n, line := range []*[]sector.Figure{
		&snap.Series.Accepted, &snap.Series.Matched, &snap.Series.Alerts, &snap.Series.Released, &snap.Series.Answers,
	} {
		_, *line = see.Series(lines[n])
	}
}

// minute is accepted, matched, alerts, released, answers.
func (s *Source) minute(i int, part int64) [5]int64 {
	var m [5]int64
	if s.Quiet {
		return m
	}
	x := float64(i)
	m[0] = int64(72000+9000*math.Sin(x/7)+4000*math.Sin(x*1.7)) / part
	m[1] = int64(6+4*math.Sin(x/3)+3*math.Cos(x*2.1)) / part
	if i%7 == 3 {
		m[2] = int64(1 + i%3)
	}
	if i == 22 || i == 47 {
		m[3] = 1
	}
	if i > 47 && i%2 == 0 {
		m[4] = max(0, int64(4-(i-48)/4)/part)
	}
	return m
}

func counts(see sector.Counts, part, grown int64) map[pulse.Stage]pulse.Count {
	all := map[pulse.Stage]pulse.Count{}
	put := func(s pulse.Stage, total int64, rate float64, waiting int64) {
		all[s] = pulse.Count{Total: see.Figure(total), Rate: see.Rate(int64(rate*60), rate), Waiting: see.Figure(waiting)}
	}
	put(pulse.Members, members(part), 0, 0)
	put(pulse.Door, (4_318_220+1213*grown)/part, 1213/float64(part), 0)
	put(pulse.Stream, (4_318_220+1213*grown)/part, 1213/float64(part), 412/part)
	put(pulse.Normalise, (4_317_808+1211*grown)/part, 1211/float64(part), 0)
	put(pulse.Match, (386+grown/3)/part, .1, 0)
	put(pulse.Rules, (1942+grown)/part, .5, 0)
	put(pulse.Correlate, 61/part, 0, 0)
	put(pulse.Alerts, 17/min(part, 5), 0, 5/min(part, 5))
	put(pulse.Review, 4/min(part, 4), 0, 2/min(part, 2))
	put(pulse.Gate, 2, 0, 1/min(part, 2))
	put(pulse.Channels, 94/part, .1, 1203/part)
	put(pulse.Answers, (31+grown/5)/part, 0, 15/part)
	slow := all[pulse.Channels]
	slow.Condition = condition(part)
	all[pulse.Channels] = slow
	return all
}

func members(part int64) int64 {
	if part > 1 {
		return 1
	}
	return 24
}

func condition(part int64) pulse.Condition {
	if part > 1 {
		return pulse.Fine
	}
	return pulse.Slow
}
