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
	for i := range pulse.Minutes {
		snap.Points = append(snap.Points, s.point(now, i, part))
	}
	if !s.Quiet {
		snap.Counts = counts(part, grown)
		snap.ToAlert, snap.ToMember = 380*time.Millisecond, 420*time.Millisecond
	}
	return snap, nil
}

func (s *Source) point(now time.Time, i int, part int64) pulse.Point {
	p := pulse.Point{At: now.Truncate(time.Minute).Add(time.Duration(i-pulse.Minutes+1) * time.Minute)}
	if s.Quiet {
		return p
	}
	x := float64(i)
	p.Accepted = int64(72000+9000*math.Sin(x/7)+4000*math.Sin(x*1.7)) / part
	p.Matched = int64(6+4*math.Sin(x/3)+3*math.Cos(x*2.1)) / part
	if i%7 == 3 {
		p.Alerts = int64(1 + i%3)
	}
	if i == 22 || i == 47 {
		p.Released = 1
	}
	if i > 47 && i%2 == 0 {
		p.Answers = int64(4-(i-48)/4) / part
	}
	p.Answers = max(0, p.Answers)
	return p
}

func counts(part, grown int64) map[pulse.Stage]pulse.Count {
	return map[pulse.Stage]pulse.Count{
		pulse.Members:   {Total: members(part)},
		pulse.Door:      {Total: (4_318_220 + 1213*grown) / part, PerSecond: 1213 / float64(part)},
		pulse.Stream:    {Total: (4_318_220 + 1213*grown) / part, PerSecond: 1213 / float64(part), Waiting: 412 / part},
		pulse.Normalise: {Total: (4_317_808 + 1211*grown) / part, PerSecond: 1211 / float64(part)},
		pulse.Match:     {Total: (386 + grown/3) / part, PerSecond: 0.1},
		pulse.Rules:     {Total: (1942 + grown) / part, PerSecond: 0.5},
		pulse.Correlate: {Total: 61 / part, PerSecond: 0},
		pulse.Alerts:    {Total: 17 / min(part, 5), PerSecond: 0, Waiting: 5 / min(part, 5)},
		pulse.Review:    {Total: 4 / min(part, 4), Waiting: 2 / min(part, 2)},
		pulse.Gate:      {Total: 2, Waiting: 1 / min(part, 2)},
		pulse.Channels:  {Total: 94 / part, PerSecond: 0.1, Waiting: 1203 / part, Condition: condition(part)},
		pulse.Answers:   {Total: (31 + grown/5) / part, Waiting: 15 / part},
	}
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
