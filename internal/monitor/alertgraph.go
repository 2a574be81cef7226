package monitor

import (
	"time"

	"github.com/aspis-platform/aspis/internal/web"
)

// graphRecords is how many of an alert's records its graph shows: enough to
// see what they share, and no crowd.
const graphRecords = 8

// graph is how an alert hangs together, from what its page shows: the alert,
// its records, what they mention, the indicator that was matched and the
// advisory. a is cut to the viewer already.
func (m *alertModel) graph(zone *time.Location) web.Graph {
	g := web.Graph{ID: "relations", Title: "monitor.alert.relations"}
	g.Node(web.GraphNode{ID: "alert", Kind: "alert", Label: m.Heading})
	seen := ""
	if w := m.Why.Indicator; w != nil {
		seen = "o:" + web.Defang(w.Seen)
		g.Node(web.GraphNode{ID: "indicator", Kind: "indicator", Label: web.Defang(w.Value)})
		g.Edge("indicator", "alert", "common.graph.raised")
	}
	if m.Advisory != "" {
		g.Node(web.GraphNode{ID: "advisory", Kind: "advisory", Label: m.Advisory, Href: "/advisories/" + m.Advisory})
		g.Edge("alert", "advisory", "common.graph.drafted")
	}
	lines := m.Lines[:min(len(m.Lines), graphRecords)]
	shared := map[string]int{}
	for _, line := range lines {
		for _, o := range line.Mentions {
			shared[o.Shown]++
		}
	}
	for _, line := range lines {
		id, label := "r:"+line.ID, line.At.In(zone).Format("2006-01-02 15:04:05")
		if m.Centre {
			label += " " + line.Name
		}
		if !g.Node(web.GraphNode{ID: id, Kind: "record", Label: label, Href: "/events/" + line.ID}) {
			break
		}
		g.Edge("alert", id, "common.graph.from_record")
		for i, o := range line.Mentions {
			if i > 0 && shared[o.Shown] == 1 && "o:"+o.Shown != seen {
				continue // says nothing of how things hang together
			}
			node := "o:" + o.Shown
			if !g.Node(web.GraphNode{ID: node, Kind: "observable", Label: o.Shown}) {
				break
			}
			g.Edge(id, node, "common.graph.mentions")
			if node == seen {
				g.Edge("indicator", node, "common.graph.matches")
			}
		}
	}
	return g
}
