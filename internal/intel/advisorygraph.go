package intel

import (
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// What an advisory's graph shows at most: more is no picture.
const (
	graphAlerts     = 12
	graphIndicators = 40
)

// advisoryGraph is how an advisory hangs together, for the centre: the alerts
// that it came of, its indicators, and which alert showed which of them. It is
// empty for an advisory that came of no alert, and has nothing to tell then.
func advisoryGraph(v sector.Viewer, a Advisory, title, lang string, ev Evidence) web.Graph {
	g := web.Graph{ID: "relations", Title: "advisory.relations"}
	if len(ev.Of) == 0 {
		return g
	}
	g.Node(web.GraphNode{ID: "advisory", Kind: "advisory", Label: title})
	node := map[string]string{}
	for _, i := range a.Indicators[:min(len(a.Indicators), graphIndicators)] {
		id := "i:" + i.Line()
		node[i.Value] = id
		g.Node(web.GraphNode{ID: id, Kind: "indicator", Label: web.Defang(i.Line())})
		g.Edge("advisory", id, "common.graph.names")
	}
	for _, one := range ev.Of {
		id, href := "a:"+one.ID, ""
		if v.May(sector.ReadAlerts) {
			href = "/alerts/" + one.ID
		}
		g.Node(web.GraphNode{ID: id, Kind: "alert", Label: one.Title.In(lang), Href: href})
		g.Edge(id, "advisory", "common.graph.drafted")
		for _, value := range one.Values {
			if known := node[value]; known != "" {
				g.Edge(id, known, "common.graph.mentions")
			}
		}
	}
	return g
}
