package sigma

import (
	"cmp"
	"slices"
	"strings"
)

// entry is one event in a group.
type entry struct {
	at     int64 // microseconds since 1970, UTC
	record string
	value  string // value_count: what is counted
	rule   uint16 // position in the correlation's rules
	held   bool   // the condition held in the window this moment closes
}

func (e *entry) compare(f *entry) int {
	return cmp.Or(cmp.Compare(e.at, f.at), strings.Compare(e.record, f.record), cmp.Compare(e.rule, f.rule))
}

// group is the state of one correlation for one combination of group-by
// values: the events of the last timespan and lateness in order, the window
// that the newest closes, and the episodes that may still change.
type group struct {
	owner      *correlated
	key        string
	values     []string
	entries    []entry
	episodes   []*episode
	floor      int64 // some entries before it are gone; 0: none are
	shed       bool  // entries of a window were dropped for lack of room
	lo         int   // first entry of the window
	counts     map[string]int
	chain      []int64 // temporal_ordered: by rule, the latest start of a chain up to it
	next, prev *group
}

// smallWindow is how many entries are counted without a map.
const smallWindow = 8

func (g *group) newest() int64 {
	if n := len(g.entries); n > 0 {
		return g.entries[n-1].at
	}
	return 0
}

// observe adds an entry to a group and appends the findings it causes.
func (c *Correlator) observe(co *correlated, g *group, e entry, out []Finding) []Finding {
	n := len(g.entries)
	if n > 0 && e.at < g.newest()-co.late {
		c.stats.Late++
		return out
	}
	at, dup := g.search(&e)
	if dup {
		return c.repeat(g, e.at, out)
	}
	g.entries = slices.Insert(g.entries, at, e)
	c.trim(co, g)
	n = len(g.entries)
	last := &g.entries[n-1]
	if last.compare(&e) != 0 || n > 1 && g.entries[n-2].at == e.at && g.entries[n-2].held {
		return c.revise(g, out)
	}
	g.push(n - 1)
	if !g.judge(n) {
		return out
	}
	return append(out, c.report(g, g.extend(n, c.opts)))
}

// search returns where e belongs, and whether its record is there already. A
// record counts once; for temporal types once per rule.
func (g *group) search(e *entry) (int, bool) {
	at, found := slices.BinarySearchFunc(g.entries, e, func(a entry, b *entry) int { return a.compare(b) })
	if found || g.owner.temporal() {
		return at, found
	}
	same := func(i int) bool { return g.entries[i].at == e.at && g.entries[i].record == e.record }
	return at, at > 0 && same(at-1) || at < len(g.entries) && same(at)
}

func (co *correlated) temporal() bool { return co.c.Type == Temporal || co.c.Type == TemporalOrdered }

// push takes entry i, the next in order, into the window.
func (g *group) push(i int) {
	e := &g.entries[i]
	if g.counts != nil {
		g.counts[g.counted(e)]++
	}
	for g.lo < i && g.entries[g.lo].at < e.at-g.owner.span {
		g.leave(g.lo)
		g.lo++
	}
	if g.owner.c.Type == TemporalOrdered {
		g.linkChain(i)
	}
}

// leave takes entry i out of the counts.
func (g *group) leave(i int) {
	if g.counts == nil {
		return
	}
	key := g.counted(&g.entries[i])
	if g.counts[key]--; g.counts[key] == 0 {
		delete(g.counts, key)
	}
}

// counted is what of an entry is counted as distinct.
func (g *group) counted(e *entry) string {
	if g.owner.temporal() {
		return ruleName(e.rule)
	}
	return e.value
}

// ruleName is a text for a position; only its being distinct matters.
func ruleName(i uint16) string { return string(rune(i)) }

// linkChain updates the chains of an ordered correlation with all entries of
// the moment of entry i: for every rule in order, a chain up to it starts
// where the latest chain up to the rule before starts. Entries of one moment
// are in any order.
func (g *group) linkChain(i int) {
	now := g.entries[i].at
	if g.chain == nil {
		g.chain = make([]int64, len(g.owner.c.Rules))
		for k := range g.chain {
			g.chain[k] = noChain
		}
	}
	for k := range g.chain {
		if !g.sees(i, now, uint16(k)) {
			continue
		}
		start := now
		if k > 0 {
			start = g.chain[k-1]
		}
		g.chain[k] = max(g.chain[k], start)
	}
}

const noChain = -1 << 63

// sees reports whether an entry of rule k at this moment is at or before i.
func (g *group) sees(i int, now int64, k uint16) bool {
	for ; i >= 0 && g.entries[i].at == now; i-- {
		if g.entries[i].rule == k {
			return true
		}
	}
	return false
}

// judge decides whether the condition holds in the window that ends with the
// first n entries, and notes it on all entries of that moment.
func (g *group) judge(n int) bool {
	e := &g.entries[n-1]
	held := g.owner.c.cond.hold(g.size(n))
	if g.owner.c.Type == TemporalOrdered {
		last := g.chain[len(g.chain)-1]
		held = last != noChain && last >= e.at-g.owner.span
	}
	for i := n - 1; i >= 0 && g.entries[i].at == e.at; i-- {
		g.entries[i].held = held
	}
	return held
}

// size is what the condition is about: events, or distinct values or rules, in
// the window that ends with the first n entries.
func (g *group) size(n int) int {
	switch {
	case g.owner.c.Type == EventCount:
		return n - g.lo
	case g.counts == nil && n-g.lo <= smallWindow:
		return g.sizeSmall(n)
	case g.counts == nil:
		g.counts = make(map[string]int, n-g.lo)
		for i := g.lo; i < n; i++ {
			g.counts[g.counted(&g.entries[i])]++
		}
	}
	return len(g.counts)
}

func (g *group) sizeSmall(n int) int {
	size := 0
	for i := g.lo; i < n; i++ {
		first := true
		for j := g.lo; j < i && first; j++ {
			first = g.entries[j].value != g.entries[i].value || g.owner.temporal() && g.entries[j].rule != g.entries[i].rule
		}
		if first {
			size++
		}
	}
	return size
}

// trim drops entries that no window can need any more, a quarter at least at a
// time, and more when there is no room.
func (c *Correlator) trim(co *correlated, g *group) {
	horizon := g.newest() - co.late - co.span
	old := 0
	for old < len(g.entries) && g.entries[old].at < horizon {
		old++
	}
	if old > 0 && old >= len(g.entries)/4 {
		g.dropEntries(func(i int) bool { return i < old }, c.opts)
	}
	if len(g.entries) > co.most {
		c.stats.Shed += uint64(g.shedEntries(co.most*3/4, c.opts))
	}
	live := slices.IndexFunc(g.episodes, func(ep *episode) bool { return ep.lastHeld >= horizon })
	if live < 0 {
		live = len(g.episodes)
	}
	g.episodes = slices.Delete(g.episodes, 0, live)
}

// shedEntries makes room: of entries with equal value, or rule, the newest
// stays longest; what is still too much goes oldest first.
func (g *group) shedEntries(room int, opts CorrelatorOptions) int {
	before := len(g.entries)
	g.shed = true
	if g.owner.c.Type != EventCount {
		seen := map[string]bool{}
		repeated := make([]bool, before)
		excess := before - room
		for i := before - 1; i >= 0; i-- {
			key := g.counted(&g.entries[i])
			repeated[i] = seen[key]
			seen[key] = true
		}
		g.dropEntries(func(i int) bool {
			if !repeated[i] || excess == 0 {
				return false
			}
			excess--
			return true
		}, opts)
	}
	if over := len(g.entries) - room; over > 0 {
		g.dropEntries(func(i int) bool { return i < over }, opts)
	}
	return before - len(g.entries)
}

// dropEntries removes the entries chosen, asked in order, after adding them to
// the episodes they are part of, and sets the window up again.
func (g *group) dropEntries(chosen func(i int) bool, opts CorrelatorOptions) {
	kept := g.entries[:0]
	for i, e := range g.entries {
		if !chosen(i) {
			kept = append(kept, e)
			continue
		}
		g.floor = max(g.floor, e.at+1)
		for _, ep := range g.episodes {
			ep.absorb(g, &e, opts)
		}
	}
	clear(g.entries[len(kept):])
	if g.entries = kept; cap(kept) > 64 && len(kept) < cap(kept)/4 {
		g.entries = slices.Clone(kept)
	}
	g.resetWindow(len(kept) - 1)
}

// resetWindow sets the window up as it is when the first n entries have been
// pushed, leaving the chains as they are.
func (g *group) resetWindow(n int) {
	g.counts, g.lo = nil, 0
	if n <= 0 {
		return
	}
	for g.lo < n-1 && g.entries[g.lo].at < g.entries[n-1].at-g.owner.span {
		g.lo++
	}
}
