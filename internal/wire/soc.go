package wire

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/rules"
	"github.com/aspis-platform/aspis/sigma"
)

// soc is the second-line SOC.
type soc struct {
	pulse     *monitor.Pulse
	catalogue *monitor.Catalogue
	matcher   *monitor.Matcher
	door      *monitor.Door
	pipeline  *monitor.Pipeline
	alerts    *monitor.Alerts
	events    *monitor.Events
	hunter    *monitor.Hunter
}

func newSOC(p *Program) (*soc, error) {
	e, now := p.engines, p.opts.Now
	cursors, err := e.sealer("cursors")
	if err != nil {
		return nil, err
	}
	metrics, detections := monitor.NewMetrics(p.registry), e.db.Detections().Announcing(tellOfAlerts)
	s := &soc{pulse: monitor.NewPulse(now), matcher: monitor.NewMatcher(metrics)}
	s.catalogue = monitor.NewCatalogue(loadRules(p), metrics)
	s.door = monitor.NewDoor(monitor.DoorConfig{
		Stream: e.stream, Receipts: e.db.Receipts(), Quota: monitor.Quota{Records: p.opts.RecordsPerSecond},
		Pulse: s.pulse, Metrics: metrics, Now: now, Log: p.log})
	s.pipeline = monitor.NewPipeline(monitor.PipelineConfig{
		Stream: e.stream, History: e.history, Detections: detections, Catalogue: s.catalogue,
		Matcher: s.matcher, Pulse: s.pulse, Metrics: metrics, Log: p.log, Now: now})
	s.alerts = monitor.NewAlerts(e.db.Alerts(), cursors, now)
	s.events = monitor.NewEvents(e.history, cursors, now, e.db.Ledger())
	s.hunter = monitor.NewHunter(e.history, detections, s.pulse, now)
	return s, nil
}

// loadRules loads the shipped catalogue and the operator's folders. Refused
// rules are logged, each with file, line and reason.
func loadRules(p *Program) *monitor.Rules {
	folders := []monitor.RuleFolder{{Name: "rules", FS: rules.FS()}}
	for _, path := range p.opts.Rules {
		folders = append(folders, monitor.RuleFolder{Name: filepath.Base(path), FS: os.DirFS(path)})
	}
	loaded := monitor.LoadRules(sigma.Options{}, folders...)
	for _, problem := range loaded.Problems {
		p.log.Warn("rule refused", "problem", problem.Error())
	}
	return loaded
}

// evidence is what the monitor offers to advisories.
type evidence struct{ alerts *monitor.Alerts }

var _ intel.EvidenceSource = evidence{}

// maxProposed bounds the indicators that are proposed.
const maxProposed = 200

// Evidence implements intel.EvidenceSource for the viewer of the context.
func (e evidence) Evidence(ctx context.Context, ids []string) (intel.Evidence, error) {
	out := intel.Evidence{Alerts: ids}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := e.alerts.Evidence(ctx, sector.ViewerFrom(ctx), ids)
	if err != nil {
		return out, err
	}
	for i, a := range found {
		if i == 0 {
			out.Title = intel.Text{Zh: a.Alert.TitleZh, En: a.Alert.Title}
			out.Severity = a.Alert.Severity.String()
		}
		out.Members = append(out.Members, a.Members...)
		one := intel.AlertEvidence{ID: a.Alert.ID, Title: intel.Text{Zh: a.Alert.TitleZh, En: a.Alert.Title}}
		for _, o := range a.Observables[:min(len(a.Observables), maxProposed)] {
			out.Observables = append(out.Observables, intel.ProposedIndicator{
				Kind: o.Kind, Value: o.Value, Records: o.Records, Members: o.Members})
			one.Values = append(one.Values, o.Value)
		}
		out.Of = append(out.Of, one)
		out.Internal = append(out.Internal, a.Internal[:min(len(a.Internal), intel.MaxInternal)]...)
	}
	slices.Sort(out.Members)
	out.Members = slices.Compact(out.Members)
	out.Internal = out.Internal[:min(len(out.Internal), intel.MaxInternal)]
	return out, nil
}

// Drafted implements intel.EvidenceSource.
func (e evidence) Drafted(ctx context.Context, v sector.Viewer, alerts []string, id intel.AdvisoryID) error {
	if len(alerts) == 0 {
		return nil
	}
	return e.alerts.LinkAdvisory(ctx, v, alerts, string(id))
}

// indicators feeds the matcher from the advisories.
type indicators struct{ source intel.IndicatorSource }

var _ monitor.Indicators = indicators{}

// Since implements monitor.Indicators.
func (i indicators) Since(ctx context.Context, version int64) (monitor.IndicatorChanges, error) {
	watched, next, err := i.source.Watched(ctx, version)
	if err != nil {
		return monitor.IndicatorChanges{Version: version}, err
	}
	put, drop := split(watched)
	return monitor.IndicatorChanges{Version: next, Whole: version == 0, Put: put, Drop: drop}, nil
}

// split turns watched indicators into those to match and the ids of those
// that are gone. Indicators of one advisory share their source.
func split(watched []intel.Watched) (put []monitor.Indicator, drop []string) {
	type version struct {
		id       intel.AdvisoryID
		released bool
	}
	sources := map[version]*monitor.IndicatorSource{}
	for _, w := range watched {
		if w.Removed {
			drop = append(drop, w.ID)
			continue
		}
		key := version{w.Advisory, w.Released}
		if sources[key] == nil {
			sources[key] = &monitor.IndicatorSource{
				Advisory: string(w.Advisory), Draft: !w.Released, Severity: monitor.High,
				Title: w.Title.En, TitleZh: w.Title.Zh, Scopes: w.Scopes}
		}
		put = append(put, monitor.Indicator{ID: w.ID, Kind: w.Kind, Value: w.Value, Under: w.Under, Source: sources[key]})
	}
	return put, drop
}
