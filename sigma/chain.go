package sigma

import (
	"cmp"
	"math"
	"slices"
)

// correlated is a correlation rule and its groups.
type correlated struct {
	rule   *Rule
	c      *Correlation
	index  int   // in Correlator.rules
	span   int64 // microseconds, as all durations here
	late   int64 // behind the watermark, and what is counted still arrives
	delay  int64 // how long after an event what is referred to may be decided
	keep   int64 // behind the watermark, and events are still needed
	most   int   // entries per group
	awaits bool  // decided when the watermark has passed by span and delay
	quiet  bool  // only feeds other correlations
	mixed  bool  // a record may come from several rules
	sketch bool  // values beyond most are estimated
	groups map[string]*group
	feeds  []*feed  // from each rule, by position
	up     []*feed  // to the correlations that refer to this one
	wants  []string // fields beside group-by that those need
	family string   // what it is sharded with
	dims   []int    // the group-by fields it is sharded by
}

// feed leads from a rule to a correlation that refers to it.
type feed struct {
	from     *correlated // nil: a detection
	to       *correlated
	position int      // of the rule in the correlation
	groupBy  []string // the fields of the rule's events, aliases resolved
	fields   []string
	wants    []string // by correlated.wants; "": none
}

func (c *Correlator) addRule(set *Ruleset, r *Rule, byID map[string]*correlated) *correlated {
	if co := byID[r.ID]; co != nil {
		return co
	}
	co := &correlated{
		rule: r, c: r.Correlation, groups: map[string]*group{}, quiet: !set.Standalone(r),
		span: r.Correlation.Timespan.Microseconds(), awaits: r.Correlation.awaits(),
		most: c.opts.MaxEntries, sketch: r.Correlation.Type == ValueCount,
	}
	if need := r.Correlation.cond.low; !co.sketch && co.c.Type.counts() {
		co.most = max(co.most, 2*int(need))
	}
	if top := r.Correlation.cond.high; !co.sketch && top <= maxCount {
		co.most = max(co.most, 2*int(top))
	}
	byID[r.ID] = co
	for i, id := range r.Correlation.Rules {
		f := &feed{to: co, position: i}
		for _, name := range r.Correlation.GroupBy {
			f.groupBy = append(f.groupBy, r.Correlation.field(name, id))
		}
		for _, name := range r.Correlation.Fields {
			f.fields = append(f.fields, r.Correlation.field(name, id))
		}
		co.feeds = append(co.feeds, f)
		if child, ok := set.Rule(id); ok && child.Correlation != nil {
			f.from = c.addRule(set, child, byID)
			f.from.up = append(f.from.up, f)
		} else {
			c.byRule[id] = append(c.byRule[id], f)
		}
	}
	co.mixed = co.c.Type.temporal() || slices.ContainsFunc(co.feeds, func(f *feed) bool { return f.from != nil })
	co.index = len(c.rules)
	c.rules = append(c.rules, co)
	return co
}

// link works out what follows from the chains: how late events may be, how
// long they are needed, and which fields they are asked for.
func (c *Correlator) link(byID map[string]*correlated) {
	lateness := c.opts.Lateness.Microseconds()
	for _, co := range c.rules { // children first
		for _, f := range co.feeds {
			if f.from != nil {
				co.delay = max(co.delay, f.from.delay+f.from.waits())
			}
		}
		co.late = lateness + co.delay
		co.keep = co.late + co.span + co.waits()
	}
	for _, co := range slices.Backward(c.rules) { // parents first
		for _, f := range co.up {
			co.keep = max(co.keep, f.to.keep+co.span)
			for _, name := range slices.Concat(f.groupBy, f.fields, f.wants) {
				if name != "" && !slices.Contains(co.c.GroupBy, name) && !slices.Contains(co.wants, name) {
					co.wants = append(co.wants, name)
				}
			}
		}
		slices.Sort(co.wants)
		for i, f := range co.feeds {
			for _, name := range co.wants {
				f.wants = append(f.wants, co.c.field(name, co.c.Rules[i]))
			}
		}
	}
	for id, fam := range families(c.rules) {
		byID[id].family, byID[id].dims = fam.name, fam.dims
	}
	for _, feeds := range c.byRule {
		slices.SortStableFunc(feeds, func(a, b *feed) int { return cmp.Compare(a.to.index, b.to.index) })
	}
}

// waits is how long after an event the correlation is decided there.
func (co *correlated) waits() int64 {
	if co.awaits {
		return co.span
	}
	return 0
}

// sending is a moment of a group that was handed to a correlation above.
type sending struct {
	at     int64
	feed   int    // in correlated.up
	key    string // of the group there
	record string
	value  string
}

func (s *sending) compare(t *sending) int {
	return cmp.Or(cmp.Compare(s.at, t.at), cmp.Compare(s.feed, t.feed), cmp.Compare(s.key, t.key), cmp.Compare(s.record, t.record))
}

// forward hands the moments from … to of a group to the correlations above, as
// they are now: what no longer holds is taken back, what holds is handed over.
// The records behind those that were handed over before may have changed; again
// says that their episodes are to be reported in any case.
func (c *Correlator) forward(g *group, from, to int64, again bool, out []Finding) []Finding {
	// Whether an episode begins later may have changed.
	return c.hand(g, from, past(to, g.owner.span), again, out)
}

// hand is forward where no episode begins elsewhere than before.
func (c *Correlator) hand(g *group, from, to int64, again bool, out []Finding) []Finding {
	co := g.owner
	if len(co.up) == 0 {
		return out
	}
	st := g.told()
	lo, _ := slices.BinarySearchFunc(st.sent, from, func(s sending, at int64) int { return cmp.Compare(s.at, at) })
	hi := lo
	for hi < len(st.sent) && st.sent[hi].at <= to {
		hi++
	}
	before := slices.Clone(st.sent[lo:hi])
	now := c.sendings(g, from, to)
	st.sent = slices.Replace(st.sent, lo, hi, now...)
	for i := range before {
		if _, still := slices.BinarySearchFunc(now, &before[i], func(s sending, t *sending) int { return s.compare(t) }); !still {
			out = c.withdraw(co.up[before[i].feed], &before[i], out)
		}
	}
	var known []*group
	for i := range now {
		f, s := co.up[now[i].feed], &now[i]
		if _, was := slices.BinarySearchFunc(before, s, func(s sending, t *sending) int { return s.compare(t) }); !was {
			out = c.take(c.groupOf(f.to, s.key), f.arrival(s), out)
		} else if above := f.to.groups[s.key]; above != nil && !slices.Contains(known, above) {
			known = append(known, above)
		}
	}
	for _, above := range known {
		out = c.refresh(above, from, to, again, out)
	}
	return out
}

// handLate hands over a moment that came late in an episode, and brings the
// groups above up to what is behind the later moments, if they show it.
func (c *Correlator) handLate(g *group, at int64, out []Finding) []Finding {
	if len(g.owner.up) == 0 {
		return out
	}
	out = c.hand(g, at, at, false, out)
	to := past(at, g.owner.span)
	sent := g.story.sent
	i, _ := slices.BinarySearchFunc(sent, at, func(s sending, at int64) int { return cmp.Compare(s.at, at) })
	var known []*group
	for ; i < len(sent) && sent[i].at <= to; i++ {
		if above := g.owner.up[sent[i].feed].to.groups[sent[i].key]; above != nil && !slices.Contains(known, above) && above.shows(c, at, to) {
			known = append(known, above)
		}
	}
	for _, above := range known {
		out = c.refresh(above, at, to, false, out)
	}
	return out
}

// shows reports whether an episode from … to has room for more records.
func (g *group) shows(c *Correlator, from, to int64) bool {
	return g.story != nil && slices.ContainsFunc(g.story.episodes, func(ep *episode) bool {
		return ep.first <= to && from <= ep.lastHeld && len(ep.records) < c.opts.MaxRecords
	})
}

// refresh brings the episodes of a group from … to up to what is behind its
// entries now.
func (c *Correlator) refresh(g *group, from, to int64, again bool, out []Finding) []Finding {
	if !g.inEpisode(from, to) {
		return out
	}
	out = c.remake(g, out)
	if again {
		out = c.repeat(g, from, to, out)
	}
	return c.forward(g, from, past(to, g.owner.span), again, out)
}

// sendings are what the moments from … to of a group are above, in order.
func (c *Correlator) sendings(g *group, from, to int64) (all []sending) {
	first := g.from(from)
	last := int64(noTime) // moment that held
	for i := first - 1; i >= 0 && g.entries[i].at >= since(from, g.owner.span); i-- {
		if g.entries[i].held {
			last = g.entries[i].at
			break
		}
	}
	for i := first; i < len(g.entries) && g.entries[i].at <= to; i++ {
		e := &g.entries[i]
		if !e.held || e.at == last {
			continue
		}
		begins := last == noTime || e.at-last > g.owner.span
		last = e.at
		for k, f := range g.owner.up {
			if begins || f.to.c.Type != EventCount {
				all = append(all, c.project(g, f, k, e.at)...)
			}
		}
	}
	slices.SortFunc(all, func(a, b sending) int { return a.compare(&b) })
	return slices.CompactFunc(all, func(a, b sending) bool { return a.compare(&b) == 0 })
}

// maxProjected bounds how many groups above one moment goes to.
const maxProjected = 256

// project finds the groups above that a moment belongs to: one where its own
// group says which, else one for each combination of values that the events
// of its window have.
func (c *Correlator) project(g *group, f *feed, k int, at int64) (all []sending) {
	names := slices.Concat(f.groupBy, f.fields)
	most := 1
	for _, name := range names {
		if !slices.Contains(g.owner.c.GroupBy, name) {
			most = maxProjected
		}
	}
	seen := map[string]bool{}
	c.leaves(g, at, names, func(_ *entry, _ string, values []string) bool {
		s := sending{at: at, feed: k}
		if slices.Contains(values, missing) {
			return true
		}
		s.key = joinKey(values[:len(f.groupBy)])
		value, ok := valueText(f.to.c, values[len(f.groupBy):])
		if !ok {
			return true
		}
		s.value = value
		s.record = reference(g, s.value)
		if id := joinKey([]string{s.key, s.record}); !seen[id] {
			seen[id] = true
			all = append(all, s)
		}
		return len(all) < most
	})
	return all
}

// missing stands for a value that there is not. It is no text that bound lets
// through.
const missing = "\xff\xfe\xff"

// leaves calls visit for the events of the detections that a window of g ends
// with at the moment at, newest first, with the values of the fields named,
// until it returns false.
func (c *Correlator) leaves(g *group, at int64, names []string, visit func(e *entry, record string, values []string) bool) bool {
	co := g.owner
	own := splitKey(g.key)
	values := make([]string, len(names))
	open := false
	for i, name := range names {
		values[i] = missing
		if k := slices.Index(co.c.GroupBy, name); k >= 0 {
			values[i] = own[k]
		} else {
			open = true
		}
	}
	for i := g.from(past(at, 1)) - 1; i >= 0 && g.entries[i].at >= at-co.span; i-- {
		if !c.leaf(g, i, names, values, open, visit) {
			return false
		}
	}
	return true
}

// leaf visits the events behind one entry.
func (c *Correlator) leaf(g *group, i int, names, known []string, open bool, visit func(e *entry, record string, values []string) bool) bool {
	co, e := g.owner, &g.entries[i]
	f := co.feeds[e.rule]
	values := slices.Clone(known)
	if f.from == nil {
		if open {
			wants := splitKey(g.wants(e))
			for j, name := range names {
				if k := slices.Index(co.wants, name); k >= 0 && values[j] == missing && k < len(wants) {
					values[j] = wants[k]
				}
			}
		}
		return visit(e, g.record(e), values)
	}
	child := c.referred(g, e)
	if child == nil {
		return true // dropped for lack of room
	}
	below := make([]string, len(names))
	for j, name := range names {
		below[j] = co.c.field(name, f.from.rule.ID)
	}
	return c.leaves(child, e.at, below, func(leaf *entry, record string, found []string) bool {
		for j := range values {
			if known[j] == missing {
				values[j] = found[j]
			}
		}
		return visit(leaf, record, slices.Clone(values))
	})
}

// reference names a group, with the value that it is counted for, as record of
// the groups above.
func reference(g *group, value string) string {
	if len(value) > 64 {
		value = encodeNumber(math.Float64frombits(hash64(value)))
	}
	return joinKey([]string{bound(g.owner.rule.ID), g.key, value})
}

// referred finds the group that an entry names.
func (c *Correlator) referred(g *group, e *entry) *group {
	if parts := splitKey(g.record(e)); len(parts) == 3 {
		return g.owner.feeds[e.rule].from.groups[parts[1]]
	}
	return nil
}

// arrival is a moment that is handed over.
func (f *feed) arrival(s *sending) *arrival {
	return &arrival{at: s.at, rule: uint8(f.position), record: s.record, value: s.value}
}

// withdraw takes a moment back from a group above.
func (c *Correlator) withdraw(f *feed, s *sending, out []Finding) []Finding {
	g := f.to.groups[s.key]
	if g == nil {
		return out
	}
	a := f.arrival(s)
	i, found := slices.BinarySearchFunc(g.entries, a, func(e entry, a *arrival) int { return g.compare(&e, a) })
	if !found {
		return out
	}
	g.remove(i)
	c.stats.Events--
	g.reset()
	out = c.revise(g, since(s.at, f.to.waits()), past(s.at, f.to.span), out)
	if len(g.entries) == 0 {
		c.drop(g)
	}
	return out
}
