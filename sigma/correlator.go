package sigma

import (
	"cmp"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Occurrence is one match of a detection rule on one record.
type Occurrence struct {
	Rule     string    // id of the rule that matched
	Time     time.Time // when the event happened; see [Correlator]
	RecordID string    // the same at every delivery of the same record
	// Lookup returns the text of a field of the event, or of a field the caller
	// defines (such as "institution"), and false when there is none. What is
	// kept of it is copied.
	Lookup func(field string) (string, bool)
}

// KeyValue is a group-by field and its value.
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Finding is an episode of a correlation: a chain of moments at which its
// condition held, none further from the one before than the timespan. It is
// reported when it begins and again whenever it grows.
type Finding struct {
	Rule  *Rule
	Key   string // identifies the episode for as long as it is followed
	New   bool   // the first report with this Key
	Group []KeyValue
	First time.Time // first event of the first window that held
	Last  time.Time // last event at which the condition held
	Count int       // events from First to Last
	// Distinct is the number of distinct values (of rules, for temporal types)
	// from First to Last; where there are more than Values can hold, the
	// largest number in one window.
	Distinct  int
	Values    []string // value_count: the values in order of time, bounded
	RecordIDs []string // in order of time, bounded
	Truncated bool     // Values or RecordIDs are not all, or memory bounds made Count a lower bound
	// Supersedes are the keys of episodes reported earlier that a late event
	// showed to be parts of this one.
	Supersedes []string
	// Retracted says that a late event showed that the condition did not hold
	// after all. Only conditions with an upper bound can be retracted.
	Retracted bool
}

// CorrelatorOptions bounds a [Correlator]. Zero fields take their defaults.
type CorrelatorOptions struct {
	Lateness   time.Duration // how far behind a group's newest event one may be and still count; default 10 minutes
	MaxGroups  int           // groups over all rules; default 1,000,000
	MaxEntries int           // events kept per group; default 10,000; raised to twice a rule's threshold
	MaxRecords int           // record ids per finding; default 64
	MaxValues  int           // values per finding; default 64
}

func (o CorrelatorOptions) withDefaults() CorrelatorOptions {
	o.Lateness = cmp.Or(max(o.Lateness, 0), 10*time.Minute)
	o.MaxGroups = cmp.Or(max(o.MaxGroups, 0), 1_000_000)
	o.MaxEntries = max(cmp.Or(max(o.MaxEntries, 0), 10_000), 16)
	o.MaxRecords = cmp.Or(max(o.MaxRecords, 0), 64)
	o.MaxValues = cmp.Or(max(o.MaxValues, 0), 64)
	return o
}

// CorrelatorStats counts what a Correlator did not count.
type CorrelatorStats struct {
	Groups  int    // held now
	Late    uint64 // occurrences further behind than the lateness
	Evicted uint64 // groups dropped because there were too many
	Shed    uint64 // events of a group dropped because there were too many
	Partial uint64 // occurrences without a group-by field or a counted value
}

// Correlator follows the correlation rules of a Ruleset over event time.
//
// Windows slide: an event at t closes the window [t-timespan, t], whatever the
// clock says, and events may arrive out of order within the lateness. A record
// counts once in a group however often it is delivered; a repeated delivery
// reports its episode again, so that nothing is lost when the first report
// was. The same occurrences in the same order give the same findings.
//
// Memory is bounded. When there are more than MaxGroups groups the one not
// touched for longest is dropped. When a group has more than MaxEntries events
// the older of equal values go first, then the oldest; a threshold is never
// missed by that, but Count becomes a lower bound.
//
// A clock far ahead makes a group's other events late: clamp times in the
// future before they get here.
//
// A Correlator belongs to one goroutine. State can be partitioned by group:
// Correlators that see all occurrences of a group are independent.
type Correlator struct {
	opts   CorrelatorOptions
	byRule map[string][]feed
	rules  []*correlated
	lru    group // ring: next is the most recently touched group
	stats  CorrelatorStats
}

// correlated is a correlation rule and its groups.
type correlated struct {
	rule   *Rule
	c      *Correlation
	span   int64 // microseconds
	late   int64
	most   int // entries per group
	groups map[string]*group
}

// feed leads from a detection rule to a correlation it is part of.
type feed struct {
	to       *correlated
	position int      // of the rule in the correlation
	groupBy  []string // the fields, aliases resolved
	fields   []string
}

// NewCorrelator returns a Correlator for the correlation rules of a Ruleset.
func NewCorrelator(set *Ruleset, opts CorrelatorOptions) *Correlator {
	c := &Correlator{opts: opts.withDefaults(), byRule: map[string][]feed{}}
	c.lru.next, c.lru.prev = &c.lru, &c.lru
	for _, r := range set.Rules() {
		if r.Correlation != nil {
			c.addRule(r)
		}
	}
	return c
}

func (c *Correlator) addRule(r *Rule) {
	co := &correlated{
		rule: r, c: r.Correlation, groups: map[string]*group{},
		span: r.Correlation.Timespan.Microseconds(),
		late: c.opts.Lateness.Microseconds(),
		most: max(c.opts.MaxEntries, 2*r.Correlation.cond.least),
	}
	if top := r.Correlation.cond.most; top <= maxCount {
		co.most = max(co.most, 2*top)
	}
	c.rules = append(c.rules, co)
	for i, id := range r.Correlation.Rules {
		f := feed{to: co, position: i}
		for _, name := range r.Correlation.GroupBy {
			f.groupBy = append(f.groupBy, r.Correlation.field(name, id))
		}
		for _, name := range r.Correlation.Fields {
			f.fields = append(f.fields, r.Correlation.field(name, id))
		}
		c.byRule[id] = append(c.byRule[id], f)
	}
}

// Stats returns the counts so far.
func (c *Correlator) Stats() CorrelatorStats { return c.stats }

// Observe takes in one occurrence and returns the findings that it begins or
// changes, in the order of the rules.
func (c *Correlator) Observe(o Occurrence) []Finding {
	var out []Finding
	for i := range c.byRule[o.Rule] {
		f := &c.byRule[o.Rule][i]
		g, e, ok := c.place(f, o)
		if !ok {
			c.stats.Partial++
			continue
		}
		out = c.observe(f.to, g, e, out)
	}
	return out
}

// place finds the group that an occurrence belongs to and makes its entry.
func (c *Correlator) place(f *feed, o Occurrence) (*group, entry, bool) {
	e := entry{at: o.Time.UnixMicro(), record: strings.Clone(o.RecordID), rule: uint16(f.position)}
	values := make([]string, len(f.groupBy))
	for i, field := range f.groupBy {
		v, ok := o.Lookup(field)
		if !ok {
			return nil, e, false
		}
		values[i] = v
	}
	counted := make([]string, len(f.fields))
	for i, field := range f.fields {
		v, ok := o.Lookup(field)
		if !ok {
			return nil, e, false
		}
		counted[i] = v
	}
	e.value = joinValues(counted)
	key := joinKey(values)
	g := f.to.groups[key]
	if g == nil {
		g = c.newGroup(f.to, key, values)
	}
	c.touch(g)
	return g, e, true
}

// joinValues makes one readable text of counted values: the value itself when
// it is one, else all in quotes.
func joinValues(values []string) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return strings.Clone(values[0])
	}
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendQuote(b, v)
	}
	return string(b)
}

// joinKey makes one text of several such that different lists differ.
func joinKey(values []string) string {
	var b []byte
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	return string(b)
}

func (c *Correlator) newGroup(co *correlated, key string, values []string) *group {
	for c.stats.Groups >= c.opts.MaxGroups {
		c.drop(c.lru.prev)
		c.stats.Evicted++
	}
	g := &group{owner: co, key: key, values: make([]string, len(values))}
	for i, v := range values {
		g.values[i] = strings.Clone(v)
	}
	co.groups[key] = g
	c.stats.Groups++
	return g
}

// touch makes g the most recently touched group.
func (c *Correlator) touch(g *group) {
	g.unlink()
	g.next, g.prev = c.lru.next, &c.lru
	g.next.prev, g.prev.next = g, g
}

func (g *group) unlink() {
	if g.next != nil {
		g.next.prev, g.prev.next = g.prev, g.next
		g.next, g.prev = nil, nil
	}
}

func (c *Correlator) drop(g *group) {
	g.unlink()
	delete(g.owner.groups, g.key)
	c.stats.Groups--
}

// Advance drops the groups that no event at or after now, less the lateness,
// can still belong to. Call it now and then with the time up to which all
// sources have been read, to give memory back.
func (c *Correlator) Advance(now time.Time) {
	at := now.UnixMicro()
	for g := c.lru.prev; g != &c.lru; {
		before := g.prev
		if g.newest() < at-g.owner.span-g.owner.late {
			c.drop(g)
		}
		g = before
	}
}
