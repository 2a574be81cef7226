package sigma

import "math"

// nodeSet is a set of nodes.
type nodeSet []uint64

func newNodeSet(e *Engine) nodeSet { return make(nodeSet, len(e.nodes)/64+1) }

func (s nodeSet) has(id int32) bool { return s[id>>6]>>(id&63)&1 != 0 }

func (s nodeSet) add(id int32) { s[id>>6] |= 1 << (id & 63) }

// manyKids is from how many operands on an or is told that one of them was seen,
// and from how many on they are worth to be looked for anywhere in a value.
const manyKids = 8

// looking adds what the nodes of rules need to what is looked for, where that
// costs little: then most of them are known not to hold without being evaluated.
type looking struct {
	engine    *Engine
	sightings sightings
	along     map[int32]int // see along
	been      nodeSet
	looked    nodeSet // that cannot hold when nothing that they need is seen
}

func (e *Engine) lookFor(rules []int32, s sightings) nodeSet {
	l := looking{engine: e, sightings: s, along: s.along(), been: newNodeSet(e), looked: newNodeSet(e)}
	for _, r := range rules {
		l.node(e.roots[r])
	}
	return l.looked
}

// along returns, by slot, from which length on a text may be looked for anywhere
// in values without making the search for the witnesses slower.
func (s sightings) along() map[int32]int {
	out := map[int32]int{}
	for slot, found := range s {
		least := math.MaxInt
		for w := range found {
			if w.kind == predContains && len(w.lit) >= minLong {
				least = min(least, len(w.lit))
			}
		}
		out[slot] = least
	}
	return out
}

func (l *looking) node(id int32) {
	if l.been.has(id) {
		return
	}
	l.been.add(id)
	n := &l.engine.nodes[id]
	if n.op == nodePred {
		l.pred(id, false)
		return
	}
	kids := l.engine.kids[n.from:n.to]
	many := n.op == nodeOr && len(kids) >= manyKids
	all := many
	for _, kid := range kids {
		if !many || l.engine.nodes[kid].op != nodePred {
			l.node(kid)
		} else {
			l.pred(kid, true)
		}
		all = all && l.looked.has(kid)
	}
	if all {
		l.any(id, kids)
	}
}

// pred looks for the witnesses of a predicate, one of many alternatives or not, if
// all are cheap.
func (l *looking) pred(id int32, many bool) {
	n := &l.engine.nodes[id]
	witnesses := l.engine.shown[n.from]
	if l.looked.has(id) || witnesses == nil {
		return
	}
	for _, w := range witnesses {
		if !l.cheap(w, many) {
			return
		}
	}
	for _, w := range witnesses {
		f := l.sightings.of(w)
		f.nodes = append(f.nodes, id)
	}
	l.looked.add(id)
}

// cheap says that looking for the witness costs next to nothing: it is looked for
// already, or others are in the same field.
func (l *looking) cheap(w witness, many bool) bool {
	switch {
	case w.kind == predAny:
		return false
	case w.slot == keywordSlot:
		return l.sightings[w.slot][w] != nil || len(w.lit) >= minShort
	case l.sightings[w.slot] == nil:
		return false
	case w.kind == predContains:
		return l.sightings[w.slot][w] != nil || many && len(w.lit) >= l.along[w.slot]
	default:
		return w.lit != ""
	}
}

// any says of an or of which all operands are looked for, and so are predicates,
// that it may hold where what one of them needs was seen.
func (l *looking) any(id int32, kids []int32) {
	for _, kid := range kids {
		n := &l.engine.nodes[kid]
		for _, w := range l.engine.shown[n.from] {
			f := l.sightings.of(w)
			f.nodes = append(f.nodes, id)
		}
	}
	l.looked.add(id)
}
