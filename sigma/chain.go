package sigma

import (
	"cmp"
	"math"
	"slices"
)

// correlated is a correlation rule and its groups.
type correlated struct {
	rule     *Rule
	c        *Correlation
	index    int   // in Correlator.rules
	span     int64 // microseconds, as all durations here
	late     int64 // behind the watermark, and what is counted still arrives
	delay    int64 // how long after an event what is referred to may be decided
	keep     int64 // behind the watermark, and events are still needed
	most     int   // entries per group
	awaits   bool  // decided when the watermark has passed by span and delay
	quiet    bool  // only feeds other correlations
	mixed    bool  // a record may come from several rules
	sketch   bool  // values beyond most are estimated
	groups   map[string]*group
	feeds    []*feed   // from each rule, by position
	up       []*feed   // to the correlations that refer to this one
	cuts     []float64 // between numbers of which the verdict is another
	verdicts []bool    // percentile: about the numbers below the first cut, and from each on
	wants    []string  // fields beside group-by that those need
	family   string    // what it is sharded with
	dims     []int     // the group-by fields it is sharded by
}

// feed leads from a rule to a correlation that refers to it.
type feed struct {
	from     *correlated // nil: a detection
	to       *correlated
	position int      // of the rule in the correlation
	groupBy  []string // the fields of the rule's events, aliases resolved
	fields   []string
	wants    []string // by correlated.wants; "": none
	settled  bool     // a moment's group says where it goes
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
	co.classify()
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
		if co.c.Type.number() { // what comes late may leave an episode to end a timespan before it
			co.keep += co.span
		}
	}
	for _, co := range slices.Backward(c.rules) { // parents first
		direct := !slices.ContainsFunc(co.feeds, func(f *feed) bool { return f.from != nil })
		for _, f := range co.up {
			f.settled = direct && !slices.ContainsFunc(slices.Concat(f.groupBy, f.fields), func(name string) bool {
				return !slices.Contains(co.c.GroupBy, name)
			})
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
	at   int64
	feed int // in correlated.up
	*target
}

// target is where a moment goes.
type target struct {
	key    string // of the group there
	record string
	value  string
}

func (s *sending) compare(t *sending) int {
	if c := cmp.Or(cmp.Compare(s.at, t.at), cmp.Compare(s.feed, t.feed)); c != 0 || s.target == t.target {
		return c
	}
	return cmp.Or(cmp.Compare(s.key, t.key), cmp.Compare(s.record, t.record))
}

// forward hands the moments from … to of a group to the correlations above, as
// they are now: what no longer holds is taken back, what holds is handed over.
// The records behind those that were handed over before, and behind the moments
// of a timespan after, may have changed; again says that their episodes are to
// be reported in any case.
func (c *Correlator) forward(g *group, from, to int64, again bool, out []Finding) []Finding {
	if len(g.owner.up) == 0 {
		return out
	}
	end := past(to, g.owner.span)
	known := g.above(from, end)
	// Whether an episode begins may have changed at the next moment that holds.
	out = c.hand(g, from, g.nextHeld(to, end), out)
	for _, above := range known {
		if above.owner.groups[above.key] == above {
			out = c.refresh(above, from, end, again, out)
		}
	}
	return out
}

// above returns the groups that moments from … to were handed to.
func (g *group) above(from, to int64) (known []*group) {
	if g.story == nil {
		return nil
	}
	var last *target
	for i := g.story.sentFrom(from); i < len(g.story.sent) && g.story.sent[i].at <= to; i++ {
		s := &g.story.sent[i]
		if s.target == last {
			continue
		}
		last = s.target
		if above := g.owner.up[s.feed].to.groups[s.key]; above != nil && !slices.Contains(known, above) {
			known = append(known, above)
		}
	}
	return known
}

// sentFrom returns the first sending that is not before a time.
func (st *story) sentFrom(at int64) int {
	if n := len(st.sent); n == 0 || st.sent[n-1].at < at {
		return n
	}
	i, _ := slices.BinarySearchFunc(st.sent, at, func(s sending, at int64) int { return cmp.Compare(s.at, at) })
	return i
}

// nextHeld returns the first moment after one, up to a time, at which the
// condition holds; the one itself if there is none.
func (g *group) nextHeld(at, to int64) int64 {
	for i := g.from(past(at, 1)); i < len(g.entries) && g.entries[i].at <= to; i++ {
		if g.entries[i].held {
			return g.entries[i].at
		}
	}
	return at
}

// hand brings what was handed over of the moments from … to up to what holds.
func (c *Correlator) hand(g *group, from, to int64, out []Finding) []Finding {
	co, st := g.owner, g.told()
	lo := st.sentFrom(from)
	hi := lo
	for hi < len(st.sent) && st.sent[hi].at <= to {
		hi++
	}
	before := slices.Clone(st.sent[lo:hi])
	now := c.sendings(g, from, to)
	if len(before) == 0 && len(now) == 0 {
		return out
	}
	st.sent = slices.Replace(st.sent, lo, hi, now...)
	order := func(s sending, t *sending) int { return s.compare(t) }
	for i := range before {
		if _, still := slices.BinarySearchFunc(now, &before[i], order); !still {
			out = c.withdraw(co.up[before[i].feed], &before[i], out)
		}
	}
	for i := range now {
		if _, was := slices.BinarySearchFunc(before, &now[i], order); !was {
			f := co.up[now[i].feed]
			out = c.take(c.groupOf(f.to, now[i].key), f.arrival(&now[i]), out)
		}
	}
	return out
}

// handLate hands over a moment that came late in an episode, and brings the
// groups above up to what is behind the later moments, if they show it.
func (c *Correlator) handLate(g *group, at int64, out []Finding) []Finding {
	if len(g.owner.up) == 0 {
		return out
	}
	to := past(at, g.owner.span)
	known := g.above(at, to)
	out = c.hand(g, at, at, out)
	for _, above := range known {
		if above.owner.groups[above.key] == above && above.shows(c, at, to) {
			out = c.refresh(above, at, to, false, out)
		}
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
	out = c.remake(g, from, to, out)
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
	if f.settled {
		if t := g.settled(f, k); t != nil {
			all = append(all, sending{at, k, t})
		}
		return all
	}
	names := slices.Concat(f.groupBy, f.fields)
	most := 1
	for _, name := range names {
		if !slices.Contains(g.owner.c.GroupBy, name) {
			most = maxProjected
		}
	}
	seen := map[string]bool{}
	c.leaves(g, at, names, func(_ *entry, _ string, values []string) bool {
		s := sending{at, k, &target{}}
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

// settled returns where all moments of a group go; nil if nowhere.
func (g *group) settled(f *feed, k int) *target {
	st := g.told()
	if st.targets == nil {
		st.targets = make([]*target, len(g.owner.up))
	}
	if st.targets[k] == nil {
		own := splitKey(g.key)
		var values []string
		for _, name := range slices.Concat(f.groupBy, f.fields) {
			values = append(values, own[slices.Index(g.owner.c.GroupBy, name)])
		}
		t := &target{key: joinKey(values[:len(f.groupBy)])}
		if value, ok := valueText(f.to.c, values[len(f.groupBy):]); ok {
			t.value = value
			t.record = reference(g, value)
		}
		st.targets[k] = t
	}
	if st.targets[k].record == "" {
		return nil
	}
	return st.targets[k]
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
	_, rest, ok := cutKey(g.record(e))
	if !ok {
		return nil
	}
	key, _, _ := cutKey(rest)
	return g.owner.feeds[e.rule].from.groups[key]
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
	e := g.entries[i]
	number := g.number(&e)
	g.remove(i)
	g.takeOut(&e, number)
	g.story.shown = nil
	c.stats.Events--
	g.reset()
	out = c.revise(g, since(s.at, f.to.waits()), past(s.at, f.to.span), out)
	if len(g.entries) == 0 {
		c.drop(g)
	}
	return out
}
