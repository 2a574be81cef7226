package web

import "slices"

// Graph is how things hang together: a picture that an island draws, with its
// table twin. Template "graph". What nodes and edges say is for the viewer:
// whoever makes a graph has cut it already.
type Graph struct {
	ID    string
	Title string // catalogue key
	Nodes []GraphNode
	Edges []GraphEdge
}

// GraphNode is one thing. Kind is "alert", "record", "observable",
// "indicator" or "advisory"; its name is common.graph.<kind>.
type GraphNode struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Label string `json:"label"` // defanged where it may be a link
	Href  string `json:"href,omitempty"`
}

// GraphEdge leads from one node to another. Key is a catalogue key.
type GraphEdge struct {
	From, To string
	Key      string
}

// maxNodes bounds what is drawn and listed: more is no picture.
const maxNodes = 80

// Node adds a node, once, and reports whether it is in the graph.
func (g *Graph) Node(n GraphNode) bool {
	switch {
	case slices.ContainsFunc(g.Nodes, func(o GraphNode) bool { return o.ID == n.ID }):
		return true
	case len(g.Nodes) == maxNodes:
		return false
	}
	g.Nodes = append(g.Nodes, n)
	return true
}

// Edge adds an edge, once.
func (g *Graph) Edge(from, to, key string) {
	if e := (GraphEdge{from, to, key}); !slices.Contains(g.Edges, e) {
		g.Edges = append(g.Edges, e)
	}
}

// graphProps is what the island gets.
type graphProps struct {
	Nodes []GraphNode `json:"nodes"`
	Edges []edgeProps `json:"edges"`
}

type edgeProps struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label"`
}

// graphRow is a line of the twin.
type graphRow struct {
	From, To GraphNode
	Key      string
}

// Rows are the edges with their nodes.
func (g Graph) Rows() []graphRow {
	byID := map[string]GraphNode{}
	for _, n := range g.Nodes {
		byID[n.ID] = n
	}
	rows := make([]graphRow, len(g.Edges))
	for i, e := range g.Edges {
		rows[i] = graphRow{byID[e.From], byID[e.To], e.Key}
	}
	return rows
}

func (f words) graph(g Graph) (string, error) {
	p := graphProps{Nodes: g.Nodes}
	for _, e := range g.Edges {
		label, err := f.t(e.Key)
		if err != nil {
			return "", err
		}
		p.Edges = append(p.Edges, edgeProps{e.From, e.To, label})
	}
	return toJSON(p)
}
