package monitor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// The histogram of a look-up is a request of its own: counting takes longer
// than finding the first rows, and these must not wait for it. The list holds
// its place and htmx puts it there; without scripts a link leads to it as a
// page.

const (
	histogramPath = "/events/histogram"
	bars          = 60
)

type histogramModel struct {
	Chart    web.Chart
	Total    int64
	From, To time.Time
	Rows     string // the list of what is counted
}

// pictureURL is the histogram of a list.
func pictureURL(l web.List) string { return sameQuery(histogramPath, l) }

// sameQuery is a path with the filters of a list.
func sameQuery(path string, l web.List) string {
	q := url.Values{}
	for _, name := range []string{"q", "from", "to"} {
		if v := l.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (p *Pages) showHistogram(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	l := p.shell.ReadList(r, eventSpec(v.Org == sector.Centre))
	eq := p.events.Complete(listed(l))
	list, err := p.events.Histogram(r.Context(), v, eq, bars)
	if errors.Is(err, context.DeadlineExceeded) {
		return errs.New(errs.Unavailable, "monitor.events.slow").Because(err)
	}
	if err != nil {
		return err
	}
	m := histogramModel{From: eq.From, To: eq.To, Rows: sameQuery(l.Path, l)}
	m.draw(list)
	if r.Header.Get("HX-Request") == "true" {
		return p.views.Part(w, r, "histogram", "histogram", m)
	}
	return p.views.Page(w, r, "histogram", web.Page{
		Title: "monitor.events.histogram", Data: m, Wide: true, Crumbs: []web.Link{{Key: "monitor.nav.events", Href: m.Rows}},
	})
}

// draw makes the histogram a chart.
func (m *histogramModel) draw(list []Bucket) {
	m.Chart = web.Chart{
		ID: "histogram", Title: "monitor.events.histogram", Unit: "monitor.events.unit", Source: "monitor.events.source_note", Height: 120,
		Series: []web.Series{{Key: "monitor.events.unit", Tone: "a"}},
	}
	for _, b := range list {
		m.Chart.Times = append(m.Chart.Times, b.From)
		m.Chart.Series[0].Values = append(m.Chart.Series[0].Values, b.Count)
		m.Total += b.Count
	}
}
