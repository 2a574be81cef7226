package sigma

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"
)

// summary is what is kept of the events of an episode.
type summary struct {
	first     int64 // of the first window's first event
	lastHeld  int64 // of the last event that closed a window that held
	count     int
	peak      float64 // the largest measure of a window that held
	measure   float64 // of the window that lastHeld closes
	records   []string
	values    []string
	full      int64 // time of the event whose record was the last that records could hold
	valued    int64 // the same of values
	cut       bool
	estimated bool
}

// episode is a chain of moments at which the condition held.
type episode struct {
	summary
	key  string   // "" until it is reported
	base *summary // of its events that are no longer kept
}

// add takes in the next event in order.
func (s *summary) add(c *Correlator, g *group, e *entry) {
	s.count++
	switch {
	case g.owner.feeds[e.rule].from != nil:
		s.addChild(c, g, e)
	case !g.owner.mixed || !slices.Contains(s.records, g.record(e)):
		s.record(c, g.record(e), e.at)
	}
	full := s.cut && len(s.values) >= c.opts.MaxValues
	if g.owner.c.Type != ValueCount || full || slices.Contains(s.values, g.value(e)) {
		return
	}
	if len(s.values) < c.opts.MaxValues {
		s.values, s.valued = append(s.values, strings.Clone(g.value(e))), e.at
	} else {
		s.cut = true
	}
}

func (s *summary) record(c *Correlator, id string, at int64) {
	if len(s.records) < c.opts.MaxRecords {
		s.records, s.full = append(s.records, strings.Clone(id)), at
	} else {
		s.cut = true
	}
}

// addChild takes in the records behind a moment of a correlation.
func (s *summary) addChild(c *Correlator, g *group, e *entry) {
	var child *group
	if len(s.records) < c.opts.MaxRecords {
		child = c.referred(g, e)
	}
	if child == nil {
		s.cut = true
		return
	}
	var ids []string
	c.leaves(child, e.at, nil, func(_ *entry, id string, _ []string) bool {
		ids = append(ids, id)
		return true
	})
	for _, id := range slices.Backward(ids) { // oldest first
		if !slices.Contains(s.records, id) {
			s.record(c, id, e.at)
		}
	}
}

// clone copies a summary such that both can grow.
func (s *summary) clone() summary {
	out := *s
	out.records, out.values = slices.Clone(s.records), slices.Clone(s.values)
	return out
}

// absorb notes that an entry of the episode is no longer kept.
func (ep *episode) absorb(c *Correlator, g *group, e *entry) {
	if e.at < ep.first || e.at > ep.lastHeld {
		return
	}
	if ep.base == nil {
		ep.base = &summary{first: ep.first, lastHeld: ep.first}
	}
	ep.base.peak, ep.base.measure, ep.base.estimated = ep.peak, ep.measure, ep.estimated
	if e.held {
		ep.base.lastHeld = e.at
	}
	ep.base.add(c, g, e)
}

// extend takes the moment that a window ends with, at which the condition held,
// into the last episode or a new one.
func (c *Correlator) extend(g *group, w *window, x float64) *episode {
	st := g.told()
	now := g.entries[w.hi-1].at
	var ep *episode
	if k := len(st.episodes); k > 0 && now-st.episodes[k-1].lastHeld <= g.owner.span {
		ep = st.episodes[k-1]
	}
	from := w.lo
	if ep == nil {
		ep = &episode{summary: summary{first: g.entries[w.lo].at}}
		st.episodes = append(st.episodes, ep)
	} else {
		for from = w.hi; from > 0 && g.entries[from-1].at > ep.lastHeld; {
			from--
		}
	}
	c.include(g, ep, from, w, x)
	return ep
}

func (c *Correlator) include(g *group, ep *episode, from int, w *window, x float64) {
	for i := from; i < w.hi; i++ {
		ep.add(c, g, &g.entries[i])
	}
	ep.lastHeld = g.entries[w.hi-1].at
	ep.peak, ep.measure = max(ep.peak, x), x
	ep.estimated = ep.estimated || g.estimates(ep.lastHeld)
}

// estimates reports whether the window that ends at a time is estimated.
func (g *group) estimates(at int64) bool {
	return g.story != nil && g.story.sketch != nil && since(at, g.owner.span) < g.story.floor
}

// report makes the finding of an episode as it is now. What only feeds other
// correlations is not reported.
func (c *Correlator) report(g *group, ep *episode, out []Finding, old ...*episode) []Finding {
	begun := ep.key == ""
	if begun {
		ep.key = g.episodeKey(ep.first, old)
	}
	if g.owner.quiet {
		return out
	}
	f := Finding{
		Rule: g.owner.rule, Key: ep.key, New: begun,
		First: time.UnixMicro(ep.first).UTC(), Last: time.UnixMicro(ep.lastHeld).UTC(),
		Count:  ep.count,
		Values: slices.Clip(ep.values), RecordIDs: slices.Clip(ep.records),
		Truncated: ep.cut || g.story.shed,
	}
	switch {
	case g.owner.c.Type.number():
		f.Number = min(max(ep.measure, -math.MaxFloat64), math.MaxFloat64)
	case g.owner.c.Type != EventCount:
		f.Distinct = max(int(ep.peak), len(ep.values))
	}
	if ep.estimated {
		f.Error = SketchError
	}
	if values := splitKey(g.key); len(values) > 0 {
		f.Group = make([]KeyValue, len(values))
		for i, value := range values {
			f.Group[i] = KeyValue{Key: g.owner.c.GroupBy[i], Value: value}
		}
	}
	return append(out, f)
}

// episodeKey makes the key of an episode by its first event. One that began
// there when it was first reported, and no longer does, may have that key, or a
// finding that is closed.
func (g *group) episodeKey(first int64, old []*episode) string {
	name := binary.BigEndian.AppendUint64([]byte(joinKey([]string{g.owner.rule.ID, g.key})), uint64(first))
	for {
		sum := sha256.Sum256(name)
		key := hex.EncodeToString(sum[:16])
		taken := func(ep *episode) bool { return ep.key == key }
		gone := func(r retired) bool { return r.key == key }
		if !slices.ContainsFunc(g.story.episodes, taken) && !slices.ContainsFunc(old, taken) && !slices.ContainsFunc(g.story.retired, gone) {
			return key
		}
		name = append(name, 0)
	}
}

// grow takes entry i, which came in at the last moment of the last episode,
// into it. It is false when the episode has to be made anew for its order.
func (c *Correlator) grow(g *group, i int, x float64) bool {
	ep, e := g.story.episodes[len(g.story.episodes)-1], &g.entries[i]
	last := i == len(g.entries)-1
	switch {
	case last:
		ep.add(c, g, e)
	case g.owner.c.Type == ValueCount || len(g.owner.up) > 0 || len(ep.records) < c.opts.MaxRecords || ep.full >= e.at:
		return false
	default:
		ep.count++
		ep.cut = true
	}
	ep.peak, ep.measure = max(ep.peak, x), x
	ep.estimated = ep.estimated || g.estimates(e.at)
	return true
}

// repeat reports again the episodes that are part of from … to.
func (c *Correlator) repeat(g *group, from, to int64, out []Finding) []Finding {
	if g.story == nil {
		return out
	}
	for _, ep := range g.story.episodes {
		if ep.first <= to && from <= ep.lastHeld {
			out = c.report(g, ep, out)
		}
	}
	return out
}

// revise judges the moments from … to again after entries among them came or
// went, and makes the episodes anew where that may have changed one.
func (c *Correlator) revise(g *group, from, to int64, out []Finding) []Finding {
	changed := c.rejudge(g, from, to).changed
	if !changed && !g.inEpisode(from, to) {
		return out
	}
	return c.forward(g, from, to, false, c.remake(g, from, to, out))
}

func (g *group) inEpisode(from, to int64) bool {
	return g.story != nil && slices.ContainsFunc(g.story.episodes, func(ep *episode) bool { return ep.first <= to && from <= ep.lastHeld })
}

// remake makes the episodes around from … to anew of what the entries say, and
// reports those that are not as they were.
func (c *Correlator) remake(g *group, from, to int64, out []Finding) []Finding {
	st, span := g.told(), g.owner.span
	var before, old, after []*episode
	start, end := from, to
	for _, ep := range st.episodes {
		switch {
		case ep.lastHeld < since(from, span):
			before = append(before, ep)
		case ep.first > past(to, span):
			after = append(after, ep)
		default:
			old = append(old, ep)
			start, end = min(start, ep.first), max(end, ep.lastHeld)
		}
	}
	st.episodes = before
	if i := g.from(start); i < len(g.entries) {
		c.retell(g, i, end, old)
	}
	fresh := st.episodes[len(before):]
	for i := 0; i < len(fresh) && g.owner.c.Type.number(); i++ { // the last moment's counts
		fresh[i].measure = c.measureAt(g, fresh[i].lastHeld)
	}
	st.episodes = slices.Concat(before, fresh, after)
	gone, out := c.compare(g, fresh, old, out)
	st.episodes = slices.Concat(before, gone, fresh, after)
	return out
}

// retell makes the episodes of the moments from entry i, which begins one, to a
// time.
func (c *Correlator) retell(g *group, i int, to int64, old []*episode) {
	for w := g.replay(i); w.hi < len(g.entries) && g.entries[w.hi].at <= to; {
		at := w.moment(g)
		if !g.entries[w.hi-1].held {
			continue
		}
		x := 1.0
		if !g.owner.c.Type.number() && (w.hi == len(g.entries) || !g.estimates(at)) {
			x = c.measure(g, w) // estimates are remembered, but for the last
		}
		if base := g.continues(old, at); base != nil {
			ep := &episode{summary: base.clone(), base: base}
			g.story.episodes = append(g.story.episodes, ep)
			c.include(g, ep, g.from(base.first), w, x)
			continue
		}
		c.extend(g, w, x)
	}
}

// continues returns what is known of the episode that a moment continues whose
// early events are gone, if it does and no later episode has begun with that.
func (g *group) continues(old []*episode, now int64) *summary {
	if k := len(g.story.episodes); k > 0 && now-g.story.episodes[k-1].lastHeld <= g.owner.span {
		return nil
	}
	for _, o := range old {
		if o.base == nil || o.base.first > now || now-o.base.lastHeld > g.owner.span {
			continue
		}
		if !slices.ContainsFunc(g.story.episodes, func(ep *episode) bool { return ep.base == o.base }) {
			return o.base
		}
	}
	return nil
}

// compare gives the remade episodes the keys of the ones they replace, and
// reports what changed. It returns old episodes of which no entry is kept, which
// stay.
func (c *Correlator) compare(g *group, fresh, old []*episode, out []Finding) ([]*episode, []Finding) {
	taken := make([]bool, len(old))
	for _, ep := range fresh {
		var merged []string
		same := false
		for i, o := range old {
			if taken[i] || o.first > ep.lastHeld || ep.first > o.lastHeld {
				continue
			}
			taken[i] = true
			if ep.estimated {
				ep.peak = max(ep.peak, o.peak)
			}
			switch {
			case ep.key == "" && o.key != "":
				ep.key = o.key
				same = ep.equal(&o.summary)
			case o.key != "":
				merged = append(merged, o.key)
				g.story.retired = append(g.story.retired, retired{o.key, o.lastHeld})
			}
		}
		if same && merged == nil {
			continue
		}
		n := len(out)
		if out = c.report(g, ep, out, old...); len(out) > n {
			out[n].Supersedes = merged
		}
	}
	var gone []*episode
	for i, o := range old {
		switch {
		case taken[i]:
		case o.base != nil:
			gone = append(gone, o)
		case o.key != "":
			n := len(out)
			if out = c.report(g, o, out); len(out) > n {
				out[n].Retracted = true
			}
			g.story.retired = append(g.story.retired, retired{o.key, o.lastHeld})
		}
	}
	return gone, out
}

// equal reports whether an episode is as it was.
func (s *summary) equal(o *summary) bool {
	return s.first == o.first && s.lastHeld == o.lastHeld && s.count == o.count && s.measure == o.measure &&
		slices.Equal(s.records, o.records) && slices.Equal(s.values, o.values)
}
