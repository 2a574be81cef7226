package sigma

import (
	"cmp"
	"math"
	"slices"
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
// reported when it begins and again whenever it grows or is corrected.
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
	// largest number in one window, late events in large windows aside.
	Distinct int
	// Number is what a value type computed for the window that Last closes.
	Number float64
	// Error is the relative standard error of Distinct where it was estimated
	// because a window had more values than are kept; 0 where it is exact.
	Error     float64
	Values    []string // value_count: the values in order of time, bounded
	RecordIDs []string // in order of time, bounded
	Truncated bool     // Values or RecordIDs are not all, or memory bounds made Count a lower bound
	// Supersedes are the keys of episodes reported earlier that a late event
	// showed to be parts of this one.
	Supersedes []string
	// Retracted says that a late event showed that the condition did not hold
	// after all.
	Retracted bool
}

// CorrelatorOptions bounds a [Correlator]. Zero fields take their defaults.
type CorrelatorOptions struct {
	// Lateness is how far behind the watermark an event may be and still count
	// in a group that has newer ones; default 10 minutes. See
	// [Correlator.Advance].
	Lateness   time.Duration
	MaxGroups  int // groups over all rules; default 1,000,000
	MaxEvents  int // events kept over all groups; default 8,000,000
	MaxEntries int // events kept per group; default 10,000; raised to twice a threshold on events
	MaxRecords int // record ids per finding; default 64
	MaxValues  int // values per finding; default 64
	// Sharding and Shard let several Correlators share the groups: this one
	// follows those that fall to Shard. Without a Sharding it follows all.
	Sharding *Sharding
	Shard    int
}

func (o CorrelatorOptions) withDefaults() CorrelatorOptions {
	o.Lateness = cmp.Or(max(o.Lateness, 0), 10*time.Minute)
	o.MaxGroups = cmp.Or(max(o.MaxGroups, 0), 1_000_000)
	o.MaxEvents = cmp.Or(max(o.MaxEvents, 0), 8_000_000)
	o.MaxEntries = min(max(cmp.Or(max(o.MaxEntries, 0), 10_000), 16), maxCount)
	o.MaxRecords = cmp.Or(max(o.MaxRecords, 0), 64)
	o.MaxValues = cmp.Or(max(o.MaxValues, 0), 64)
	return o
}

// CorrelatorStats counts what a Correlator did not count.
type CorrelatorStats struct {
	Groups  int    // held now
	Events  int    // held now
	Late    uint64 // occurrences too far behind
	Evicted uint64 // groups dropped because there were too many groups or events
	Shed    uint64 // events of a group dropped because there were too many
	Partial uint64 // occurrences without a group-by field, a counted value or a number
}

// Correlator follows the correlation rules of a Ruleset over event time.
//
// Windows slide: an event at t closes the window [t-timespan, t], whatever the
// clock says, and events may arrive out of order within the lateness. A record
// counts once in a group however often it is delivered; a repeated delivery
// reports its episode again, so that nothing is lost when the first report
// was. The same occurrences in the same order give the same findings, and in
// another order, within the lateness, the same in the end.
//
// A condition that later events can make false (an upper bound on a count, a
// rule that must be missing) is decided by [Correlator.Advance] when the
// watermark has passed the event by the timespan; all others at once.
//
// Memory is bounded. When there are more than MaxGroups groups, or MaxEvents
// events in them, the group not touched for longest is dropped. When a group
// has more than MaxEntries events the older of equal rules go first, then the
// oldest: an event_count never misses its threshold by that, but Count becomes
// a lower bound; a value_count goes on with an estimate, and Error says so; a
// sum, mean or percentile is of the newest events. Finding.Truncated says so
// in all cases.
//
// A clock far ahead makes other events late: clamp times in the future before
// they get here, or let a [Watermark] do so.
//
// A Correlator belongs to one goroutine. See [Sharding] for several.
type Correlator struct {
	opts    CorrelatorOptions
	byRule  map[string][]*feed // of detections
	rules   []*correlated      // what is referred to before what refers to it
	lru     group              // ring: next is the most recently touched group
	now     int64              // the watermark; noTime before the first Advance
	mark    int64              // the same, but not while Advance decides: what is late and no longer needed
	due     int64              // no moment that waits is decided by a watermark before it
	stats   CorrelatorStats
	key     []byte // scratch
	text    []byte
	classes []int32
	numbers []float64
	small   tally
}

const noTime = math.MinInt64

// sweep is how often, in microseconds of the watermark, groups are looked
// through for those that are over.
const sweep = 60_000_000

// NewCorrelator returns a Correlator for the correlation rules of a Ruleset.
func NewCorrelator(set *Ruleset, opts CorrelatorOptions) *Correlator {
	c := &Correlator{opts: opts.withDefaults(), byRule: map[string][]*feed{}, now: noTime, mark: noTime, due: math.MaxInt64}
	c.lru.next, c.lru.prev = &c.lru, &c.lru
	byID := map[string]*correlated{}
	for _, r := range set.Rules() {
		if r.Correlation != nil {
			c.addRule(set, r, byID)
		}
	}
	c.link(byID)
	return c
}

// Stats returns the counts so far.
func (c *Correlator) Stats() CorrelatorStats { return c.stats }

// Observe takes in one occurrence and returns the findings that it begins or
// changes, in the order of the rules, each episode once.
func (c *Correlator) Observe(o Occurrence) []Finding {
	var out []Finding
	for _, f := range c.byRule[o.Rule] {
		if e, ok := c.read(f, &o); ok {
			out = c.observe(f.to, &e, out)
		}
	}
	c.evict()
	return latest(out)
}

// latest keeps of several reports of one episode the last, where it stands:
// one before it may be of an episode that it supersedes.
func latest(all []Finding) []Finding {
	if len(all) < 2 {
		return all
	}
	last := make(map[string]int, len(all))
	for i := range all {
		f := &all[i]
		if before, again := last[f.Key]; again {
			f.New = f.New || all[before].New
			f.Supersedes = slices.Concat(all[before].Supersedes, f.Supersedes)
		}
		last[f.Key] = i
	}
	out := make([]Finding, 0, len(last))
	for i := range all {
		if last[all[i].Key] == i {
			out = append(out, all[i])
		}
	}
	return out
}

// Advance tells the watermark: the event time up to which everything was seen,
// as far as the caller knows (see [Watermark]). It never goes back. An event
// counts unless it is further than the lateness behind both the watermark and
// the newest event of its group; before the first call, behind the latter alone.
//
// Advance returns the findings of conditions that had to wait for it, and once a
// minute drops the groups that no event can belong to any more. Call it now and
// then; Correlators that share the groups must be told the same at the same
// place between the occurrences.
func (c *Correlator) Advance(watermark time.Time) []Finding { return c.advance(watermark.UnixMicro()) }

// Waits returns a watermark before which [Correlator.Advance] decides nothing,
// and false when nothing waits.
func (c *Correlator) Waits() (time.Time, bool) {
	return time.UnixMicro(c.due).UTC(), c.due != math.MaxInt64
}

// Flush says that nothing comes any more: what waited is decided, and nothing
// is held any longer.
func (c *Correlator) Flush() []Finding { return c.advance(math.MaxInt64) }

func (c *Correlator) advance(now int64) []Finding {
	if now <= c.now {
		return nil
	}
	before := c.now
	c.now, c.due = now, math.MaxInt64
	var out []Finding
	for _, co := range c.rules {
		if co.awaits {
			out = c.decide(co, out)
		}
	}
	c.evict()
	c.mark = now
	if now/sweep == before/sweep {
		return latest(out)
	}
	for g := c.lru.prev; g != &c.lru; {
		next := g.prev
		if g.newest() < since(now, g.owner.keep) {
			c.drop(g)
		}
		g = next
	}
	return latest(out)
}

// decide judges the moments of all groups that the watermark has passed.
func (c *Correlator) decide(co *correlated, out []Finding) []Finding {
	var due []*group
	for _, g := range co.groups {
		if i := g.from(past(g.judged(), 1)); i < len(g.entries) && g.entries[i].at <= g.decided(c.now) {
			due = append(due, g)
		} else {
			c.await(g)
		}
	}
	slices.SortFunc(due, func(a, b *group) int { return cmp.Compare(a.key, b.key) })
	for _, g := range due {
		out = c.decideTo(g, math.MaxInt64, noTime, out)
		c.await(g)
	}
	return out
}

// await notes when the next moment of a group is decided that has to wait.
func (c *Correlator) await(g *group) {
	if i := g.from(past(g.judged(), 1)); g.owner.awaits && i < len(g.entries) {
		c.due = min(c.due, past(g.entries[i].at, g.owner.span+g.owner.delay))
	}
}

// decideTo judges the moments of a group that the watermark has passed, and
// those from … to again.
func (c *Correlator) decideTo(g *group, from, to int64, out []Finding) []Finding {
	judged, now := g.judged(), g.decided(c.now)
	if judged < now {
		from, to = min(from, judged+1), max(to, now)
		g.told().judged = now
	}
	return c.revise(g, from, to, out)
}

// since is a time less a duration, without overflow.
func since(at, d int64) int64 {
	if at < noTime+1+d {
		return noTime + 1
	}
	return at - d
}

// past is a time and a duration, without overflow.
func past(at, d int64) int64 {
	if at > math.MaxInt64-d {
		return math.MaxInt64
	}
	return at + d
}
