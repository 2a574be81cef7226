package monitor

import (
	"slices"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Stage is a place on the way from record to alert.
type Stage uint8

// The stages, in the order of the way.
const (
	StageAccepted    Stage = iota // records on disk at the door
	StageNormalised               // records read and understood by the detector
	StageMatched                  // records that mention an indicator
	StageRules                    // rule hits
	StageCorrelation              // correlation episodes begun or grown
	StageAlerts                   // alerts raised
	stages
)

// Stages lists the stages in order.
func Stages() []Stage {
	return []Stage{StageAccepted, StageNormalised, StageMatched, StageRules, StageCorrelation, StageAlerts}
}

// String names the stage, as in the key pulse.stage.<name>.
func (s Stage) String() string {
	names := [...]string{"accepted", "normalised", "matched", "rules", "correlation", "alerts"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Counts holds one number per stage.
type Counts [stages]int64

// Minute is one point of the last hour.
type Minute struct {
	From   time.Time // the minute's start, UTC
	Counts Counts
}

// Figures is how busy the way was.
type Figures struct {
	Since   time.Time // when counting began: the program's start
	Total   Counts
	Minutes []Minute // oldest first, the last one still under way; always [PulseMinutes]
}

// PulseMinutes is how many minutes a Pulse keeps.
const PulseMinutes = 60

// Pulse counts what goes through, in all and per member, since the program
// started. The nil Pulse counts nothing. Safe for concurrent use.
type Pulse struct {
	now     func() time.Time
	since   time.Time
	mu      sync.Mutex
	all     series
	members map[sector.MemberID]*series
	toAlert delays // from accepted to the detector's commit
}

type series struct {
	total   Counts
	minutes [PulseMinutes]Minute // at minute % PulseMinutes
}

// NewPulse starts counting.
func NewPulse(now func() time.Time) *Pulse {
	if now == nil {
		now = time.Now
	}
	return &Pulse{now: now, since: now().UTC(), members: map[sector.MemberID]*series{}}
}

// Add counts n at a stage for a member.
func (p *Pulse) Add(s Stage, m sector.MemberID, n int) {
	p.count(s, n, m)
}

// AddShared counts one thing that concerns several members: once in all, once
// for each.
func (p *Pulse) AddShared(s Stage, members []sector.MemberID) {
	p.count(s, 1, members...)
}

// Raised counts alerts for the members that may see them. Who holds a
// sub-sector's scope is not known here, so an alert that was released to a
// sub-sector is left out of its members' figures rather than told to others.
func (p *Pulse) Raised(alerts []Alert) {
	for _, a := range alerts {
		members := a.Members
		if everybody := (sector.Audience{All: true, Public: true}).ScopeKeys(); a.Restricted && !overlap(a.Scopes, everybody) {
			members = slices.DeleteFunc(slices.Clone(members), func(m sector.MemberID) bool {
				return !overlap(a.Scopes, sector.Audience{Members: []sector.MemberID{m}}.ScopeKeys())
			})
		}
		p.AddShared(StageAlerts, members)
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (p *Pulse) count(s Stage, n int, members ...sector.MemberID) {
	if p == nil || n == 0 || s >= stages {
		return
	}
	minute := p.now().UTC().Truncate(time.Minute)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all.add(s, minute, n)
	for _, m := range members {
		if p.members[m] == nil {
			p.members[m] = &series{}
		}
		p.members[m].add(s, minute, n)
	}
}

func (s *series) add(stage Stage, minute time.Time, n int) {
	s.total[stage] += int64(n)
	slot := &s.minutes[slotOf(minute)]
	if !slot.From.Equal(minute) {
		*slot = Minute{From: minute}
	}
	slot.Counts[stage] += int64(n)
}

func slotOf(minute time.Time) int { return int(minute.Unix() / 60 % PulseMinutes) }

// For is what the filter's viewer may see: the centre everything, a member
// its own, others nothing.
func (p *Pulse) For(f sector.Filter) Figures {
	minute := p.now().UTC().Truncate(time.Minute)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &series{}
	switch {
	case f.All():
		s = &p.all
	case f.Owner() != "" && p.members[f.Owner()] != nil:
		s = p.members[f.Owner()]
	}
	return Figures{Since: p.since, Total: s.total, Minutes: s.last(minute)}
}

func (s *series) last(now time.Time) []Minute {
	list := make([]Minute, 0, PulseMinutes)
	for i := PulseMinutes - 1; i >= 0; i-- {
		m := Minute{From: now.Add(-time.Duration(i) * time.Minute)}
		if slot := s.minutes[slotOf(m.From)]; slot.From.Equal(m.From) {
			m = slot
		}
		list = append(list, m)
	}
	return list
}

// PerSecond is the rate at a stage over the last whole minute and what of
// this one has passed.
func (f Figures) PerSecond(s Stage, now time.Time) float64 {
	n := len(f.Minutes)
	if n < 2 {
		return 0
	}
	last, this := f.Minutes[n-2], f.Minutes[n-1]
	span := now.Sub(last.From)
	if f.Since.After(last.From) {
		span = now.Sub(f.Since)
	}
	if span < time.Second {
		return 0
	}
	return float64(last.Counts[s]+this.Counts[s]) / span.Seconds()
}

// Delayed counts records that took d from accepted to judged.
func (p *Pulse) Delayed(d time.Duration, records int) {
	if p != nil {
		p.toAlert.add(p.now(), d, records)
	}
}

// ToAlert is the 99th percentile, over the last hour, of how long a record
// took from accepted until its alerts were visible; 0 when there were none.
func (p *Pulse) ToAlert() time.Duration { return p.toAlert.percentile(p.now(), .99) }
