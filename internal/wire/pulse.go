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

// Snapshot implements pulse.Source. Numbers become figures in one place each,
// through the gate; the authority is counted for over all members, who are not
// told apart.
func (p pulseSource) Snapshot(ctx context.Context, v sector.Viewer) (pulse.Snapshot, error) {
	see := sector.Gate{}.Counts(v)
	snap := pulse.Snapshot{At: p.opts.Now().UTC(), Counts: map[pulse.Stage]pulse.Count{}}
	addMonitor(&snap, see, p.soc.pulse.For(see.Over()))
	activity, err := p.isac.store.Activity(ctx, see.Over(), snap.Times[0])
	if err != nil {
		return snap, err
	}
	addActivity(&snap, see, activity)
	if !see.Over().All() {
		snap.Counts[pulse.Members] = pulse.Count{Total: see.Figure(1)}
		return snap, nil
	}
	if !snap.Counts[pulse.Door].Total.Withheld() {
		snap.ToAlert = p.soc.pulse.ToAlert()
	}
	return snap, p.addCentre(ctx, v, &snap, see, activity)
}

// addMonitor adds what the monitor counted in the last hour.
func addMonitor(snap *pulse.Snapshot, see sector.Counts, figures monitor.Figures) {
	for _, m := range figures.Minutes {
		snap.Times = append(snap.Times, m.From)
	}
	lines := map[monitor.Stage][]sector.Figure{}
	for _, s := range monitor.Stages() {
		values := make([]int64, len(figures.Minutes))
		for i, m := range figures.Minutes {
			values[i] = m.Counts[s]
		}
		total, line := see.Series(values)
		var recent int64 // that the rate is made of
		for _, n := range values[max(0, len(values)-2):] {
			recent += n
		}
		lines[s] = line
		snap.Counts[stageOf(s)] = pulse.Count{Total: total, Rate: see.Rate(recent, figures.PerSecond(s, snap.At))}
	}
	snap.Counts[pulse.Stream] = snap.Counts[pulse.Door]
	snap.Series.Accepted, snap.Series.Matched = lines[monitor.StageAccepted], lines[monitor.StageMatched]
	snap.Series.Alerts = lines[monitor.StageAlerts]
}

// addActivity adds what happened to advisories since the first minute.
func addActivity(snap *pulse.Snapshot, see sector.Counts, a intel.Activity) {
	var total sector.Figure
	total, snap.Series.Released = see.Series(perMinute(snap.Times, a.Releases))
	snap.Counts[pulse.Gate] = pulse.Count{Total: total}
	delivered, unopened := see.Part(a.Delivered, a.Unopened)
	snap.Counts[pulse.Channels] = pulse.Count{Total: delivered}
	total, snap.Series.Answers = see.Series(perMinute(snap.Times, a.Answers))
	snap.Counts[pulse.Answers] = pulse.Count{Total: total, Waiting: unopened}
	// A percentile of one or two is those one or two.
	if n := len(a.Mailing); n > 0 && !see.Figure(int64(n)).Withheld() {
		snap.ToMember = a.Mailing[(n-1)*99/100]
	}
}

// perMinute counts times by the minute they are in. What is later than the
// last minute's begin is in the last.
func perMinute(minutes, times []time.Time) []int64 {
	counts := make([]int64, len(minutes))
	for _, at := range times {
		i, found := slices.BinarySearchFunc(minutes, at, time.Time.Compare)
		if !found {
			i--
		}
		if i >= 0 {
			counts[i]++
		}
	}
	return counts
}

// addCentre adds what is counted over all members only: how many there are
// and what waits at each station, the latter in part for the centre alone.
func (p pulseSource) addCentre(ctx context.Context, v sector.Viewer, snap *pulse.Snapshot, see sector.Counts, activity intel.Activity) error {
	state, err := p.engines.stream.State(ctx)
	if err != nil {
		return err
	}
	members, err := p.directory.Members(ctx)
	if err != nil {
		return err
	}
	snap.Counts[pulse.Members] = pulse.Count{Total: see.Figure(int64(len(members)))}
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
		c.Waiting = see.Figure(n)
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
	snap.Counts[pulse.Review] = pulse.Count{Total: see.Figure(activity.Drafted), Waiting: see.Figure(drafts[intel.Draft])}
	wait(pulse.Gate, drafts[intel.InReview])
	return nil
}
