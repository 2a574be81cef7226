package pulse

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

type pages struct {
	views *web.Views
	feed  *feed
	ways  []Way
}

// Mount adds the page and its event stream.
func Mount(routes *access.Routes, sh *web.Shell, src Source, ways ...Way) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("pulse: pages: %w", err)
	}
	p := pages{views: views, feed: newFeed(src, time.Second), ways: ways}
	sh.Nav(web.NavItem{Phase: web.Overview, Key: "pulse.nav", Href: "/pulse", Icon: "activity", Need: sector.ReadPulse})
	sh.Page(routes, "GET /pulse", sector.ReadPulse, p.show)
	sh.Page(routes, "GET /pulse/events", sector.ReadPulse, p.events)
	return nil
}

type model struct {
	Scope  string // catalogue key: whose figures these are
	Quiet  *web.State
	At     time.Time
	Loops  []Loop
	Charts []web.Chart
	Rows   []row
}

// row is a line of the picture's table twin.
type row struct {
	Stage Stage
	Count Count
	Href  string
}

func (p pages) show(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	snap, err := p.feed.snapshot(r.Context(), v)
	if err != nil {
		return fmt.Errorf("pulse: %w", err)
	}
	ways := p.waysFor(v)
	m := model{
		Scope: "pulse.scope." + string(v.Org), At: snap.At, Charts: charts(snap),
		Loops: []Loop{layout(wide, snap, ways), layout(tall, snap, ways)},
	}
	if !snap.Counts[Door].Total.Any() {
		m.Quiet = quiet(v, ways)
	}
	for _, s := range Stages() {
		m.Rows = append(m.Rows, row{s, snap.Counts[s], ways[s]})
	}
	return p.views.Page(w, r, "pulse", web.Page{Title: "pulse.title", Data: m, Wide: true})
}

// quiet says why the loop stands still and what to do about it.
func quiet(v sector.Viewer, ways map[Stage]string) *web.State {
	s := web.State{Kind: "partial", Title: "pulse.quiet.title", Text: "pulse.quiet." + string(v.Org)}
	if href, ok := ways[Members]; ok {
		s.Actions = []web.Link{{Key: "pulse.quiet.members", Href: href}}
	}
	return &s
}

func (p pages) waysFor(v sector.Viewer) map[Stage]string {
	ways := map[Stage]string{}
	for _, way := range p.ways {
		if v.May(way.Need) {
			ways[way.Stage] = way.Href
		}
	}
	return ways
}

func charts(s Snapshot) []web.Chart {
	accepted, warned := split(s)
	return []web.Chart{
		{
			ID: "accepted", Title: "pulse.chart.accepted", Unit: "pulse.chart.accepted_unit", Source: "pulse.chart.source",
			Times: s.Times, Stream: "/pulse/events", Event: "pulse", Series: accepted,
		},
		{
			ID: "warned", Title: "pulse.chart.warned", Unit: "pulse.chart.warned_unit", Source: "pulse.chart.source",
			Times: s.Times, Stream: "/pulse/events", Event: "pulse", Series: warned,
		},
	}
}

// split gives the lines of the two charts.
func split(s Snapshot) (accepted, warned []web.Series) {
	line := func(key, tone string, figures []sector.Figure) web.Series {
		l := web.Series{Key: key, Tone: tone, Values: []int64{}}
		for _, f := range figures {
			n, shown := f.Shown()
			if !shown {
				return web.Series{Key: key, Tone: tone, Withheld: true, Values: []int64{}}
			}
			l.Values = append(l.Values, n)
		}
		return l
	}
	return []web.Series{line("pulse.series.accepted", "a", s.Series.Accepted)}, []web.Series{
		line("pulse.series.matched", "f", s.Series.Matched), line("pulse.series.alerts", "b", s.Series.Alerts),
		line("pulse.series.released", "c", s.Series.Released), line("pulse.series.answers", "d", s.Series.Answers),
	}
}

// live is what the page gets every second.
type live struct {
	At      int64                `json:"at"` // Unix milliseconds
	Stages  map[Stage]liveCount  `json:"stages"`
	Figures map[string]string    `json:"figures"`
	Charts  map[string]liveChart `json:"charts"`
}

type liveCount struct {
	Total     string    `json:"total"` // as it is shown
	Rate      string    `json:"rate"`
	Waiting   string    `json:"waiting"` // empty: nothing waits
	Condition Condition `json:"condition"`
	Flow      int       `json:"flow"`
}

// liveChart has no values for a line that is withheld.
type liveChart struct {
	Times  []int64   `json:"times"`
	Values [][]int64 `json:"values"`
}

func liveChartOf(times []time.Time, series []web.Series) liveChart {
	l := liveChart{Times: make([]int64, len(times)), Values: make([][]int64, len(series))}
	for i, at := range times {
		l.Times[i] = at.Unix()
	}
	for i, s := range series {
		l.Values[i] = s.Values
	}
	return l
}

func liveOf(s Snapshot) live {
	l := live{At: s.At.UnixMilli(), Stages: map[Stage]liveCount{}, Charts: map[string]liveChart{}, Figures: map[string]string{}}
	for _, part := range []string{"rate", "to-alert", "to-member"} {
		l.Figures[part] = figure(part, s)
	}
	for _, stage := range Stages() {
		c := s.Counts[stage]
		station := Station{Stage: stage, Count: c}
		l.Stages[stage] = liveCount{c.Total.String(), station.Rate(), station.Queue(), c.Condition, flow(c)}
	}
	accepted, warned := split(s)
	l.Charts["accepted"], l.Charts["warned"] = liveChartOf(s.Times, accepted), liveChartOf(s.Times, warned)
	return l
}

func (p pages) events(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithCancel(r.Context())
	events := make(chan httpx.Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		p.feed.follow(ctx, sector.ViewerFrom(ctx), events)
	}()
	err := httpx.Events(w, r, events)
	cancel()
	<-done
	return err
}
