package sigma

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
)

// summary is what is kept of the events of an episode.
type summary struct {
	first    int64 // of the first window's first event
	lastHeld int64 // of the last event that closed a window that held
	count    int
	peak     int // most distinct values in one window
	records  []string
	values   []string
	cut      bool
}

// episode is a chain of moments at which the condition held.
type episode struct {
	summary
	key  string   // "" until it is reported
	base *summary // of its events that are no longer kept
}

// add takes in the next event in order.
func (s *summary) add(g *group, e *entry, opts CorrelatorOptions) {
	s.count++
	if len(s.records) < opts.MaxRecords {
		s.records = append(s.records, e.record)
	} else {
		s.cut = true
	}
	if g.owner.c.Type != ValueCount || slices.Contains(s.values, e.value) {
		return
	}
	if len(s.values) < opts.MaxValues {
		s.values = append(s.values, e.value)
	} else {
		s.cut = true
	}
}

// clone copies a summary such that both can grow.
func (s *summary) clone() summary {
	out := *s
	out.records, out.values = slices.Clone(s.records), slices.Clone(s.values)
	return out
}

// absorb notes that an entry of the episode is no longer kept.
func (ep *episode) absorb(g *group, e *entry, opts CorrelatorOptions) {
	if e.at < ep.first || e.at > ep.lastHeld {
		return
	}
	if ep.base == nil {
		ep.base = &summary{first: ep.first}
	}
	ep.base.peak = ep.peak
	ep.base.add(g, e, opts)
}

// extend takes the moment of the n-th entry, at which the condition held, into
// the last episode or a new one.
func (g *group) extend(n int, opts CorrelatorOptions) *episode {
	now := g.entries[n-1].at
	var ep *episode
	if k := len(g.episodes); k > 0 && now-g.episodes[k-1].lastHeld <= g.owner.span {
		ep = g.episodes[k-1]
	}
	from := g.lo
	if ep == nil {
		ep = &episode{summary: summary{first: g.entries[g.lo].at}}
		g.episodes = append(g.episodes, ep)
	} else {
		from = g.after(ep.lastHeld, n)
	}
	g.include(ep, from, n, opts)
	return ep
}

// after returns the first of the first n entries that is later than at.
func (g *group) after(at int64, n int) int {
	for n > 0 && g.entries[n-1].at > at {
		n--
	}
	return n
}

func (g *group) include(ep *episode, from, n int, opts CorrelatorOptions) {
	for i := from; i < n; i++ {
		ep.add(g, &g.entries[i], opts)
	}
	ep.lastHeld = g.entries[n-1].at
	if g.owner.c.Type != EventCount {
		ep.peak = max(ep.peak, g.size(n))
	}
}

// report makes the finding of an episode as it is now.
func (c *Correlator) report(g *group, ep *episode) Finding {
	f := Finding{
		Rule: g.owner.rule, New: ep.key == "",
		First: time.UnixMicro(ep.first).UTC(), Last: time.UnixMicro(ep.lastHeld).UTC(),
		Count: ep.count, Distinct: max(ep.peak, len(ep.values)),
		Values: slices.Clip(ep.values), RecordIDs: slices.Clip(ep.records),
		Truncated: ep.cut || g.shed,
	}
	for i, name := range g.owner.c.GroupBy {
		f.Group = append(f.Group, KeyValue{Key: name, Value: g.values[i]})
	}
	if f.New {
		ep.key = g.episodeKey(ep.first)
	}
	f.Key = ep.key
	return f
}

func (g *group) episodeKey(first int64) string {
	h := sha256.New()
	h.Write([]byte(joinKey([]string{g.owner.rule.ID, g.key})))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(first)))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// repeat reports again the episode that an event delivered before is part of.
func (c *Correlator) repeat(g *group, at int64, out []Finding) []Finding {
	for _, ep := range g.episodes {
		if ep.first <= at && at <= ep.lastHeld {
			return append(out, c.report(g, ep))
		}
	}
	return out
}

// revise goes through all kept entries again after one has been added among
// them, and reports the episodes that this changed.
func (c *Correlator) revise(g *group, out []Finding) []Finding {
	old := g.episodes
	g.episodes, g.counts, g.chain, g.lo = nil, nil, nil, 0
	for i := 0; i < len(g.entries); i++ {
		stored := g.entries[i].held
		g.push(i)
		for i+1 < len(g.entries) && g.entries[i+1].at == g.entries[i].at {
			i++
			stored = stored || g.entries[i].held
			g.push(i)
		}
		held := g.judge(i + 1)
		if !held && stored && g.entries[i].at < g.floor+g.owner.span && g.floor > 0 {
			held = g.restoreHeld(i) // its window is no longer complete
		}
		if held {
			g.extendRevised(i+1, old, c.opts)
		}
	}
	return c.compare(g, old, out)
}

// restoreHeld marks all entries of the moment of entry i as held.
func (g *group) restoreHeld(i int) bool {
	for at := g.entries[i].at; i >= 0 && g.entries[i].at == at; i-- {
		g.entries[i].held = true
	}
	return true
}

// extendRevised is extend for revise: a new episode that continues one whose
// early events are gone starts from what is known of them.
func (g *group) extendRevised(n int, old []*episode, opts CorrelatorOptions) {
	now := g.entries[n-1].at
	if k := len(g.episodes); k == 0 || now-g.episodes[k-1].lastHeld > g.owner.span {
		for _, o := range old {
			if o.base == nil || o.first > now || now-o.lastHeld > g.owner.span || g.continued(o) {
				continue
			}
			ep := &episode{summary: o.base.clone(), base: o.base}
			g.episodes = append(g.episodes, ep)
			g.include(ep, g.from(o.first), n, opts)
			return
		}
	}
	g.extend(n, opts)
}

// continued reports whether an episode already starts from o's base.
func (g *group) continued(o *episode) bool {
	return slices.ContainsFunc(g.episodes, func(ep *episode) bool { return ep.base == o.base })
}

// from returns the first entry that is not before at.
func (g *group) from(at int64) int {
	i, _ := slices.BinarySearchFunc(g.entries, at, func(e entry, at int64) int {
		if e.at < at {
			return -1
		}
		return 1
	})
	return i
}

// compare gives the revised episodes the keys of the ones they replace, and
// reports what changed.
func (c *Correlator) compare(g *group, old []*episode, out []Finding) []Finding {
	taken := make([]bool, len(old))
	for _, ep := range g.episodes {
		var merged []string
		same := false
		for i, o := range old {
			if taken[i] || o.first > ep.lastHeld || ep.first > o.lastHeld {
				continue
			}
			taken[i] = true
			if ep.key == "" {
				ep.key = o.key
				same = o.first == ep.first && o.lastHeld == ep.lastHeld && o.count == ep.count
			} else if o.key != "" {
				merged = append(merged, o.key)
			}
		}
		if !same || merged != nil {
			f := c.report(g, ep)
			f.Supersedes = merged
			out = append(out, f)
		}
	}
	var gone []*episode
	for i, o := range old {
		switch {
		case taken[i]:
		case o.base != nil:
			gone = append(gone, o)
		case o.key != "":
			f := c.report(g, o)
			f.Retracted = true
			out = append(out, f)
		}
	}
	g.episodes = slices.Concat(gone, g.episodes)
	return out
}
