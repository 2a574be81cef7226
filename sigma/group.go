package sigma

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// arrival is an event on its way into a group. Its texts may be views of
// memory that is used again: what a group keeps of them is copied.
type arrival struct {
	at     int64 // microseconds since 1970, UTC
	rule   uint8 // position in the correlation's rules
	record string
	value  string // that is counted
	wants  string // what correlations above ask for
}

func encodeNumber(x float64) string {
	return string(binary.BigEndian.AppendUint64(nil, math.Float64bits(x)))
}

func decodeNumber(s string) float64 {
	if len(s) != 8 {
		return 0
	}
	return math.Float64frombits(binary.BigEndian.Uint64([]byte(s)))
}

// maxValue bounds what is kept of a text, in bytes.
const maxValue = 512

// bound shortens a text that is too long; different texts stay different.
func bound(s string) string {
	if len(s) <= maxValue {
		return s
	}
	cut := maxValue - 68
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	sum := sha256.Sum256([]byte(s))
	return s[:cut] + "…" + hex.EncodeToString(sum[:])
}

// joinKey makes one text of several such that different lists differ.
func joinKey(values []string) string {
	var b []byte
	for _, v := range values {
		b = appendKey(b, v)
	}
	return string(b)
}

func appendKey(b []byte, v string) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// splitKey takes apart what joinKey made; of other texts it returns what can
// be read.
func splitKey(key string) (values []string) {
	for len(key) > 0 {
		v, rest, ok := cutKey(key)
		if !ok {
			return values
		}
		values, key = append(values, v), rest
	}
	return values
}

// cutKey takes the first value from what joinKey made.
func cutKey(key string) (value, rest string, ok bool) {
	n, used := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
	if used <= 0 || n > uint64(len(key)-used) {
		return "", "", false
	}
	return key[used : used+int(n)], key[used+int(n):], true
}

// valueText makes what an entry keeps of its values: one readable text of those
// that are counted, or the number. It is false where there is no number.
func valueText(c *Correlation, values []string) (string, bool) {
	switch {
	case c.Type.number():
		x, ok := parseNumber(values[0])
		return encodeNumber(x), ok
	case len(values) == 0:
		return "", true
	case len(values) == 1:
		return values[0], true
	}
	var b []byte
	for i, v := range values {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendQuote(b, v)
	}
	return string(b), true
}

// group is the state of one correlation for one combination of group-by
// values: the events that may still be needed in order, and the window that
// the newest closes.
type group struct {
	owner      *correlated
	key        string // joinKey of the values
	entries    []entry
	texts      []byte // of the entries; see entry
	next, prev *group
	story      *story // nil until there is something to tell
	window     window
}

// story is what only few groups have.
type story struct {
	episodes  []*episode // that may still change, in order
	retired   []retired  // keys that were retracted or superseded, not to be used again
	sent      []sending  // to correlations above, in order
	targets   []*target  // by correlated.up, where one is settled; nil: not known yet
	judged    int64      // moments up to it were decided, where they have to wait
	floor     int64      // entries before it were shed
	shed      bool       // entries that might be needed were dropped for lack of room
	sketch    *sketch    // of the values in a window with too many
	stretches []stretch  // in order; of a group with many numbers, all its moments
	shown     *window    // that ends the last episode, if it is of numbers and another than the newest; nil: not known
	waste     int        // bytes of the group's texts that no entry has any more
}

// retired is a key whose finding is closed.
type retired struct {
	key string
	at  int64 // when its condition last held
}

// told returns the group's story, which then there is.
func (g *group) told() *story {
	if g.story == nil {
		g.story = &story{floor: noTime, judged: noTime}
	}
	return g.story
}

func (g *group) newest() int64 {
	if n := len(g.entries); n > 0 {
		return g.entries[n-1].at
	}
	return noTime
}

// from returns the first entry that is not before at.
func (g *group) from(at int64) int {
	n := len(g.entries)
	switch { // most ask about the ends
	case n == 0 || g.entries[0].at >= at:
		return 0
	case g.entries[n-1].at < at:
		return n
	case g.entries[n-2].at < at:
		return n - 1
	}
	i, _ := slices.BinarySearchFunc(g.entries, at, func(e entry, at int64) int {
		if e.at < at {
			return -1
		}
		return 1
	})
	return i
}

// decided returns the time up to which moments are judged when the watermark
// is at now; noTime means that the group's newest event stands for it.
func (g *group) decided(now int64) int64 {
	switch {
	case !g.owner.awaits:
		return math.MaxInt64
	case now == noTime:
		now = g.newest()
	}
	return since(now, g.owner.span+g.owner.delay)
}

// judged returns the time up to which moments were judged.
func (g *group) judged() int64 {
	if g.story == nil {
		return noTime
	}
	return g.story.judged
}

// search returns where an arrival belongs, and whether its record is there
// already. A record counts once; for temporal types once per rule.
func (g *group) search(a *arrival) (int, bool) {
	if n := len(g.entries); n == 0 || g.entries[n-1].at < a.at {
		return n, false
	}
	at, found := slices.BinarySearchFunc(g.entries, a, func(e entry, a *arrival) int { return g.compare(&e, a) })
	if found || g.owner.c.Type.temporal() {
		return at, found
	}
	same := func(i int) bool { return g.entries[i].at == a.at && g.record(&g.entries[i]) == a.record }
	return at, at > 0 && same(at-1) || at < len(g.entries) && same(at)
}

// reset sets the newest event's window up anew.
func (g *group) reset() {
	g.window = window{}
	if n := len(g.entries); n > 0 {
		g.window.lo = g.from(since(g.entries[n-1].at, g.owner.span))
		g.window.hi = g.window.lo
		g.window.fill(g, n)
	}
}

// read makes an arrival of an occurrence and leaves its group's key in c.key.
// It is false when the occurrence takes no part here.
func (c *Correlator) read(f *feed, o *Occurrence) (arrival, bool) {
	c.key, c.text = c.key[:0], append(c.text[:0], bound(o.RecordID)...)
	recordEnd := len(c.text)
	partial := func() (arrival, bool) {
		c.stats.Partial++
		return arrival{}, false
	}
	for _, name := range f.groupBy {
		v, ok := o.Lookup(name)
		if !ok {
			return partial()
		}
		c.key = appendKey(c.key, bound(v))
	}
	if s := c.opts.Sharding; s != nil && s.shard(f.to.family, f.to.dims, view(c.key)) != c.opts.Shard {
		return arrival{}, false
	}
	if !c.readValues(f, o) {
		return partial()
	}
	valueEnd := len(c.text)
	for _, name := range f.wants {
		v, ok := "", false
		if name != "" {
			v, ok = o.Lookup(name)
		}
		if !ok {
			v = missing
		}
		c.text = appendKey(c.text, bound(v))
	}
	text := view(c.text)
	return arrival{
		at: o.Time.UnixMicro(), rule: uint8(f.position),
		record: text[:recordEnd], value: text[recordEnd:valueEnd], wants: text[valueEnd:],
	}, true
}

// readValues appends what is counted to c.text.
func (c *Correlator) readValues(f *feed, o *Occurrence) bool {
	if len(f.fields) == 1 && !f.to.c.Type.number() {
		v, ok := o.Lookup(f.fields[0])
		c.text = append(c.text, bound(v)...)
		return ok
	}
	values := make([]string, len(f.fields))
	for i, name := range f.fields {
		v, ok := o.Lookup(name)
		if !ok {
			return false
		}
		values[i] = bound(v)
	}
	text, ok := valueText(f.to.c, values)
	c.text = append(c.text, text...)
	return ok
}

// groupOf returns the group with a key, which is copied, as the most recently
// touched.
func (c *Correlator) groupOf(co *correlated, key string) *group {
	g := co.groups[key]
	if g == nil {
		g = &group{owner: co, key: strings.Clone(key)}
		co.groups[g.key] = g
		c.stats.Groups++
	}
	c.touch(g)
	return g
}

// evict drops the groups that were not touched for longest while there are too
// many groups or events.
func (c *Correlator) evict() {
	for c.lru.prev != &c.lru && (c.stats.Groups > c.opts.MaxGroups || c.stats.Events > c.opts.MaxEvents) {
		c.drop(c.lru.prev)
		c.stats.Evicted++
	}
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
	c.stats.Events -= len(g.entries) + g.weight()
}

// weight is what a group's sketch counts for in events.
func (g *group) weight() int {
	if g.story != nil && g.story.sketch != nil {
		return sketchWeight
	}
	return 0
}
