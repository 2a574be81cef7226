package workbench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/sigma"
)

const (
	maxListed = 256              // events that one finding lists
	lateness  = 10 * time.Minute // of occurrences beyond those that can be put in order
	sweep     = 10_000           // occurrences between looking for what has ended
)

// episodes follows correlations over a whole recording.
type episodes struct {
	rules      *Rules
	fields     []string // that correlations read
	correlator *sigma.Correlator
	queue      queue
	files      []string
	places     map[string]int      // file → its number
	found      map[string]*episode // that may still grow
	order      int
	observed   int
	tell       func(Match) error
	failed     error     // of tell
	now        time.Time // when the command runs: for times without a year
}

// episode is the last report of a finding.
type episode struct {
	finding sigma.Finding
	place   Place // of the event it was found with
	order   int
}

func newEpisodes(rules *Rules, tell func(Match) error) *episodes {
	e := &episodes{
		rules: rules, fields: rules.Set.CorrelationFields(), places: map[string]int{}, found: map[string]*episode{}, now: time.Now(), tell: tell,
		correlator: sigma.NewCorrelator(rules.Set, sigma.CorrelatorOptions{Lateness: lateness, MaxRecords: maxListed, MaxValues: maxListed}),
	}
	e.queue.next = e.observe
	return e
}

// counted is the text of a field, if the event has it.
type counted struct {
	text string
	ok   bool
}

// count takes in a match that correlations count. It returns false when the
// event has no time.
func (e *episodes) count(r *sigma.Rule, ev Event) bool {
	at, ok := ev.TimeNear(e.now)
	if !ok {
		return false
	}
	values := make([]counted, len(e.fields))
	for i, field := range e.fields {
		v, ok := ev.Field(field)
		values[i] = counted{strings.Clone(v.Text()), ok}
	}
	e.queue.add(sigma.Occurrence{
		Rule: r.ID, Time: at, RecordID: e.record(ev),
		Lookup: func(field string) (string, bool) {
			i, known := slices.BinarySearch(e.fields, field)
			if !known {
				return "", false
			}
			return values[i].text, values[i].ok
		},
	})
	return true
}

// record names an event shortly.
func (e *episodes) record(ev Event) string {
	n, known := e.places[ev.File]
	if !known {
		n = len(e.files)
		e.files = append(e.files, ev.File)
		e.places[ev.File] = n
	}
	return fmt.Sprintf("%d:%d", n, ev.Index)
}

// place is the reverse of record.
func (e *episodes) place(record string) Place {
	var file int
	var p Place
	if n, _ := fmt.Sscanf(record, "%d:%d", &file, &p.Event); n == 2 && file < len(e.files) {
		p.File = e.files[file]
	}
	return p
}

func (e *episodes) observe(o sigma.Occurrence) {
	e.take(e.correlator.Observe(o), o.RecordID)
	if e.observed++; e.observed%sweep == 0 {
		e.take(e.correlator.Advance(o.Time), "")
		e.report(func(at *episode) bool {
			return at.finding.Last.Add(at.finding.Rule.Correlation.Timespan + lateness).Before(o.Time)
		})
	}
}

// take notes findings, and that a record led to them where it is one of theirs;
// "" when time alone did.
func (e *episodes) take(findings []sigma.Finding, record string) {
	for _, f := range findings {
		if f.Retracted {
			delete(e.found, f.Key)
			continue
		}
		at := e.found[f.Key]
		if at == nil {
			with := record
			if n := len(f.RecordIDs); n > 0 && !f.Truncated && !slices.Contains(f.RecordIDs, with) {
				with = f.RecordIDs[n-1] // time had to pass: what it passed with has no part in it
			}
			at = &episode{place: e.place(with), order: e.order}
			e.order++
			e.found[f.Key] = at
		}
		for _, key := range f.Supersedes {
			if old := e.found[key]; old != nil && old != at {
				if old.order < at.order {
					at.place, at.order = old.place, old.order
				}
				delete(e.found, key)
			}
		}
		at.finding = f
	}
}

// finish reports what is left once all events were read.
func (e *episodes) finish() error {
	e.queue.flush()
	e.take(e.correlator.Flush(), "")
	e.report(func(*episode) bool { return true })
	return e.failed
}

// report tells of the episodes that have ended, in the order of finding them.
func (e *episodes) report(ended func(*episode) bool) {
	var all []*episode
	for key, at := range e.found {
		if ended(at) {
			all = append(all, at)
			delete(e.found, key)
		}
	}
	slices.SortFunc(all, func(a, b *episode) int { return a.order - b.order })
	for _, at := range all {
		if e.failed == nil {
			e.failed = e.tell(e.match(at))
		}
	}
}

func (e *episodes) match(at *episode) Match {
	f := at.finding
	m := Match{
		Event: at.place.Event, File: at.place.File, Rule: e.rules.Name(f.Rule), Title: f.Rule.Title, Level: string(f.Rule.Level),
		Correlation: &Correlated{
			Type: f.Rule.Correlation.Type, First: f.First.UTC(), Last: f.Last.UTC(), Count: f.Count, Distinct: f.Distinct,
			Number: f.Number, Error: f.Error, Values: f.Values, Truncated: f.Truncated,
		},
	}
	for _, kv := range f.Group {
		if m.Correlation.Group == nil {
			m.Correlation.Group = map[string]string{}
		}
		m.Correlation.Group[kv.Key] = kv.Value
	}
	for _, id := range f.RecordIDs {
		m.Events = append(m.Events, e.place(id))
	}
	return m
}
