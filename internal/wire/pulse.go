package wire

import (
	"context"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/sector"
)

// pulseSource puts the figures of the domains together for the start page.
type pulseSource struct{ *Program }

var _ pulse.Source = pulseSource{}

// stageOf maps the monitor's stages to the loop's stations.
func stageOf(s monitor.Stage) pulse.Stage {
	switch s {
	case monitor.StageAccepted:
		return pulse.Door
	case monitor.StageNormalised:
		return pulse.Normalise
	case monitor.StageMatched:
		return pulse.Match
	case monitor.StageRules:
		return pulse.Rules
	case monitor.StageCorrelation:
		return pulse.Correlate
	}
	return pulse.Alerts
}

// Snapshot implements pulse.Source.
func (p pulseSource) Snapshot(ctx context.Context, v sector.Viewer) (pulse.Snapshot, error) {
	snap := pulse.Snapshot{At: p.opts.Now().UTC(), Counts: map[pulse.Stage]pulse.Count{}}
	// The authority is shown the sector's totals; they are figures of all
	// members together and name nobody.
	f := sector.Gate{}.For(v)
	if v.Org == sector.Authority {
		f = sector.Gate{}.For(sector.System())
	}
	figures := p.soc.pulse.For(f)
	p.addMonitor(&snap, figures)
	activity, err := p.isac.store.Activity(ctx, f, snap.At.Add(-time.Hour))
	if err != nil {
		return snap, err
	}
	addActivity(&snap, activity)
	if f.All() {
		snap.ToAlert = p.soc.pulse.ToAlert()
	}
	if n := len(activity.Mailing); n > 0 {
		snap.ToMember = activity.Mailing[(n-1)*99/100]
	}
	if !f.All() {
		snap.Counts[pulse.Members] = pulse.Count{Total: 1}
		return snap, nil
	}
	return snap, p.addCentre(ctx, v, &snap, activity)
}

func (p pulseSource) addMonitor(snap *pulse.Snapshot, figures monitor.Figures) {
	hour := monitor.Counts{}
	for _, m := range figures.Minutes {
		snap.Points = append(snap.Points, pulse.Point{At: m.From,
			Accepted: m.Counts[monitor.StageAccepted], Matched: m.Counts[monitor.StageMatched], Alerts: m.Counts[monitor.StageAlerts]})
		for s, n := range m.Counts {
			hour[s] += n
		}
	}
	for _, s := range monitor.Stages() {
		snap.Counts[stageOf(s)] = pulse.Count{Total: hour[s], PerSecond: figures.PerSecond(s, snap.At)}
	}
	snap.Counts[pulse.Stream] = snap.Counts[pulse.Door]
}

func addActivity(snap *pulse.Snapshot, a intel.Activity) {
	count := func(times []time.Time, add func(*pulse.Point)) {
		for _, at := range times {
			if i := slices.IndexFunc(snap.Points, func(p pulse.Point) bool { return p.At.Equal(at.Truncate(time.Minute)) }); i >= 0 {
				add(&snap.Points[i])
			}
		}
	}
	count(a.Releases, func(p *pulse.Point) { p.Released++ })
	count(a.Answers, func(p *pulse.Point) { p.Answers++ })
	snap.Counts[pulse.Gate] = pulse.Count{Total: int64(len(a.Releases))}
	snap.Counts[pulse.Channels] = pulse.Count{Total: a.Delivered}
	snap.Counts[pulse.Answers] = pulse.Count{Total: int64(len(a.Answers)), Waiting: a.Unopened}
}

// addCentre adds what only the centre sees: what waits at each station.
func (p pulseSource) addCentre(ctx context.Context, v sector.Viewer, snap *pulse.Snapshot, activity intel.Activity) error {
	state, err := p.engines.stream.State(ctx)
	if err != nil {
		return err
	}
	members, err := p.directory.Members(ctx)
	if err != nil {
		return err
	}
	snap.Counts[pulse.Members] = pulse.Count{Total: int64(len(members))}
	var behind uint64
	for _, at := range p.soc.pipeline.Positions() {
		behind = max(behind, state.Last-min(at.Done, state.Last))
		if at.Failed != nil {
			c := snap.Counts[pulse.Stream]
			c.Condition = pulse.Down
			snap.Counts[pulse.Stream] = c
		}
	}
	wait := func(s pulse.Stage, n int64) {
		c := snap.Counts[s]
		c.Waiting = n
		snap.Counts[s] = c
	}
	wait(pulse.Stream, int64(behind))
	if v.Org != sector.Centre {
		return nil
	}
	open, err := p.soc.alerts.Count(ctx, v)
	if err != nil {
		return err
	}
	var untriaged int64
	for _, n := range open {
		untriaged += n
	}
	wait(pulse.Alerts, untriaged)
	drafts, err := p.isac.store.CountAdvisories(ctx)
	if err != nil {
		return err
	}
	snap.Counts[pulse.Review] = pulse.Count{Total: activity.Drafted, Waiting: drafts[intel.Draft]}
	wait(pulse.Gate, drafts[intel.InReview])
	return nil
}
