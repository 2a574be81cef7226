package monitor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/sigma"
)

// detector turns records into findings. Matching runs in parallel; what
// depends on order (correlation, aggregation) runs in the order of the
// stream, so that the same records always give the same findings.
type detector struct {
	catalogue *Catalogue
	matcher   *Matcher
	out       Detections
	pulse     *Pulse
	metrics   *Metrics
	now       func() time.Time
	raised    func(context.Context, []Alert)
	log       *slog.Logger

	mu         sync.Mutex // guards what follows
	rules      *Rules     // that matchers and correlator are for
	matchers   []*sigma.Matcher
	correlator *sigma.Correlator
	watermark  *sigma.Watermark
	sources    map[logSource]string // as the watermark calls them
	minute     int64                // of the batch that the watermark was last told at
	seen       *recent

	pending *Commit         // computed, not known to be stored
	known   map[string]bool // keys of alerts that have their explanation stored
	tally   tally
}

// found is what one record matched.
type found struct {
	rules  []*sigma.Rule
	sights []hit
	failed bool // a part of the program failed on it
}

type hit struct {
	sight
	seen string
}

// maxKnown bounds the memory of explained alerts.
const maxKnown = 50_000

// use brings matchers and correlator up to the catalogue.
func (d *detector) use(ctx context.Context) {
	rules := d.catalogue.Rules()
	if rules == d.rules {
		return
	}
	d.matchers = make([]*sigma.Matcher, runtime.GOMAXPROCS(0))
	for i := range d.matchers {
		d.matchers[i] = rules.engine.NewMatcher()
	}
	next := sigma.NewCorrelator(rules.Set, sigma.CorrelatorOptions{MaxRecords: MaxAlertRecords, Lateness: lateness})
	if d.correlator != nil {
		var state bytes.Buffer
		err := d.correlator.Snapshot(&state)
		if err == nil {
			err = next.Restore(&state)
		}
		if err != nil {
			d.log.ErrorContext(ctx, "correlations start anew with the changed rules", slog.Any("error", err))
		}
	}
	d.rules, d.correlator = rules, next
}

// examine matches every record of the chunk.
func (d *detector) examine(c *chunk) []found {
	items := make([]*item, 0, c.records)
	c.each(func(it *item) { items = append(items, it) })
	all := make([]found, len(items))
	v := d.matcher.view.Load()
	inParallel(len(items), func(worker, i int) {
		if items[i].event != nil {
			d.match(worker, items[i], v, &all[i])
		}
	})
	return all
}

// match fills in what one record matches. A panic costs this record's
// matches and nothing else.
func (d *detector) match(worker int, it *item, v *view, f *found) {
	defer func() {
		if recover() != nil {
			*f = found{failed: true}
			d.matchers[worker] = d.rules.engine.NewMatcher()
		}
	}()
	v.match(&it.Record, func(s sight, seen string) { f.sights = append(f.sights, hit{s, seen}) })
	d.matchers[worker].Match(it, func(r *sigma.Rule) bool {
		f.rules = append(f.rules, r)
		return true
	})
}

// fold turns matches into findings, in order.
func (d *detector) fold(c *chunk, all []found) Commit {
	fs := newFindings(d.seen.get)
	var letters []DeadLetter
	var marks []BatchMark
	n := 0
	for _, b := range c.batches {
		for _, e := range d.advance(b) {
			if f := fs.correlated(&e, d.rules); f != nil && len(f.Members) > 0 {
				d.tally.add(StageCorrelation, f.Members[0], 1)
			}
		}
		if !b.tick {
			marks = append(marks, b.mark)
		}
		for i := range b.items {
			it, f := &b.items[i], &all[n]
			n++
			if it.poisoned || f.failed {
				letters = append(letters, poisonLetter(it))
				continue
			}
			d.count(it, f)
			d.follow(it, b)
			d.foldOne(fs, it, f)
		}
	}
	d.metrics.poison(len(letters))
	commit := fs.commit(c.upTo, d.now().UTC())
	commit.Batches, commit.Letters = marks, letters
	return commit
}

func poisonLetter(it *item) DeadLetter {
	return DeadLetter{
		ID: it.ID, Member: it.Member, At: it.Received, Rejection: Rejection{Line: int(it.Number&0xffff) + 1, Reason: reasonPoison},
		Bytes: len(it.Raw), Raw: it.Raw[:min(len(it.Raw), MaxLetterBytes)],
	}
}

func (d *detector) foldOne(fs *findings, it *item, f *found) {
	for _, h := range f.sights {
		fs.sight(CauseIndicator, &it.Record, h.sight, h.seen)
	}
	for _, r := range f.rules {
		if d.rules.Set.Standalone(r) {
			d.explain(fs.rule(it, r, d.rules), it, r)
		}
		for _, e := range d.observe(it, r) {
			if fs.correlated(&e, d.rules) != nil {
				d.tally.add(StageCorrelation, it.Member, 1)
			}
		}
	}
}

// observe hands a match to the correlator.
func (d *detector) observe(it *item, r *sigma.Rule) []sigma.Finding {
	if !d.rules.feeds(r) {
		return nil
	}
	d.seen.put(it.ID, it.Observables)
	return d.correlator.Observe(sigma.Occurrence{
		Rule: r.ID, Time: it.At, RecordID: occurrenceID(&it.Record), Lookup: it.lookup,
	})
}

// explain fills in why the rule fired, for the record that began the alert.
func (d *detector) explain(f *Finding, it *item, r *sigma.Rule) {
	if f.Count > 1 || d.known[f.Key] {
		return
	}
	defer func() { _ = recover() }() // an alert without its explanation beats none
	e := sigma.Explain(r, it)
	f.Why, f.WhyMember = Explained{Rule: &e}.json(), it.Member
}

// lateness is how far behind the watermark and the newest record of a group
// one may be and still count: members send in batches, and not all at the same
// time.
const lateness = 6 * time.Hour

// The watermark waits for sources that are behind, no longer than maxBehind,
// and not for those that were silent for maxSilent.
const (
	maxBehind = 24 * time.Hour
	maxSilent = 15 * time.Minute
)

func newWatermark() *sigma.Watermark {
	return sigma.NewWatermark(sigma.WatermarkOptions{Hold: maxBehind, Idle: maxSilent, MaxSources: maxSources})
}

// maxSources bounds the sources that are told apart.
const maxSources = 100_000

// logSource is what sends in order of time, more or less: one kind of log of one
// member.
type logSource struct {
	member sector.MemberID
	log    event.Logsource
}

// follow tells the watermark of a record.
func (d *detector) follow(it *item, b *decoded) {
	key := logSource{it.Member, it.Source}
	name := d.sources[key]
	if name == "" {
		if len(d.sources) >= maxSources {
			clear(d.sources)
		}
		name = strings.Join([]string{string(it.Member), it.Source.Product, it.Source.Category, it.Source.Service}, "\x00")
		d.sources[key] = name
	}
	d.watermark.Observe(name, it.At, b.mark.Received)
}

// advance tells the correlator how far the sources are, once a minute of the
// stream's own time and at every tick, so that a repeated run does the same.
func (d *detector) advance(b *decoded) []sigma.Finding {
	minute := b.mark.Received.Unix() / 60
	tell := d.minute != 0 && minute > d.minute || b.tick
	if b.tick {
		d.watermark.Pass(b.mark.Received)
	}
	d.minute = max(d.minute, minute)
	if at, known := d.watermark.Now(); tell && known {
		return d.correlator.Advance(at)
	}
	return nil
}

// work computes the chunk's effects once and stores them. After an error it is
// called again with the same chunk.
func (d *detector) work(ctx context.Context, c *chunk) error {
	d.prepare(ctx, c)
	raised, err := d.out.Apply(ctx, *d.pending)
	if err != nil {
		return err
	}
	d.applied(ctx, c, raised)
	return nil
}

// prepare computes the chunk's effects, once.
func (d *detector) prepare(ctx context.Context, c *chunk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending != nil && d.pending.UpTo == c.upTo {
		return
	}
	d.use(ctx)
	d.tally = tally{}
	commit := d.fold(c, d.examine(c))
	d.pending = &commit
}

func (d *detector) applied(ctx context.Context, c *chunk, raised []Alert) {
	if len(d.known) > maxKnown {
		clear(d.known)
	}
	for i := range d.pending.Findings {
		d.known[d.pending.Findings[i].Key] = true
	}
	d.mu.Lock()
	d.pending = nil
	d.mu.Unlock()
	d.tally.flush(d.pulse)
	d.pulse.Raised(raised)
	if len(c.batches) > 0 {
		age := d.now().Sub(c.batches[0].mark.Received)
		d.metrics.delayed(age)
		d.pulse.Delayed(age, c.records)
	}
	if len(raised) > 0 && d.raised != nil {
		d.raised(ctx, raised)
	}
}

// replay feeds records to the correlator whose effects are stored already.
func (d *detector) replay(c *chunk) {
	all := d.examine(c)
	n := 0
	for _, b := range c.batches {
		d.advance(b)
		for i := range b.items {
			if it := &b.items[i]; !it.poisoned && !all[n].failed {
				d.follow(it, b)
			}
			for _, r := range all[n].rules {
				d.observe(&b.items[i], r)
			}
			n++
		}
	}
}

// snapshotMark comes before a stored state; another one is of another version
// of this program and not read.
const snapshotMark = "ASPISMON2"

// snapshot is the state between records: the minute, the watermark's and the
// correlator's.
func (d *detector) snapshot() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(snapshotMark)
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(d.minute)))
	if err := errors.Join(d.watermark.Snapshot(&b), d.correlator.Snapshot(&b)); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return b.Bytes(), nil
}

var errSnapshot = errors.New("stored state of the correlations cannot be read")

func (d *detector) restore(state []byte) error {
	rest, ok := bytes.CutPrefix(state, []byte(snapshotMark))
	if !ok || len(rest) < 8 {
		return errSnapshot
	}
	in := bytes.NewReader(rest[8:])
	err := d.watermark.Restore(in)
	if err == nil {
		err = d.correlator.Restore(in)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSnapshot, err)
	}
	d.minute = int64(binary.BigEndian.Uint64(rest))
	return nil
}

// recent remembers the observables of the last records that correlations
// counted, for the alerts they end in.
type recent struct {
	ids  []string
	next int
	byID map[string][]event.Observable
}

const maxRecent = 8192

func newRecent() *recent {
	return &recent{ids: make([]string, maxRecent), byID: map[string][]event.Observable{}}
}

func (r *recent) put(id string, list []event.Observable) {
	if _, ok := r.byID[id]; ok {
		return
	}
	delete(r.byID, r.ids[r.next])
	r.ids[r.next] = id
	r.next = (r.next + 1) % len(r.ids)
	r.byID[id] = list[:min(len(list), MaxRefObservables)]
}

func (r *recent) get(id string) []event.Observable { return r.byID[id] }
