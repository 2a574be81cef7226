package memory

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Detections is a monitor.Detections.
type Detections struct {
	Faults
	mu        sync.Mutex
	cursor    uint64
	saved     uint64
	state     []byte
	alerts    map[string]monitor.Finding // by key
	sightings map[sightingKey]monitor.SightingCount
	marks     map[string]monitor.BatchMark
	letters   map[string]monitor.DeadLetter
}

type sightingKey struct {
	indicator, value string
	member           sector.MemberID
	hunted           bool
}

var _ monitor.Detections = (*Detections)(nil)

// NewDetections returns an empty store.
func NewDetections() *Detections {
	return &Detections{
		alerts: map[string]monitor.Finding{}, sightings: map[sightingKey]monitor.SightingCount{},
		marks: map[string]monitor.BatchMark{}, letters: map[string]monitor.DeadLetter{},
	}
}

// Apply implements monitor.Detections.
func (d *Detections) Apply(_ context.Context, c monitor.Commit) (raised []monitor.Alert, err error) {
	err = d.run("Apply", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if c.UpTo <= d.cursor {
			return nil
		}
		d.cursor = c.UpTo
		for _, m := range c.Batches {
			d.marks[m.ID] = m
		}
		for _, l := range c.Letters {
			d.letters[l.ID] = l
		}
		raised = d.record(c.At, c.Findings, c.Sightings, false)
		for _, k := range c.Withdrawn {
			delete(d.alerts, k)
		}
		return nil
	})
	return raised, err
}

// Record implements monitor.Detections.
func (d *Detections) Record(_ context.Context, at time.Time, findings []monitor.Finding, sightings []monitor.SightingCount) (raised []monitor.Alert, err error) {
	err = d.run("Record", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		raised = d.record(at, findings, sightings, true)
		return nil
	})
	return raised, err
}

func (d *Detections) record(at time.Time, findings []monitor.Finding, sightings []monitor.SightingCount, hunted bool) []monitor.Alert {
	var raised []monitor.Alert
	for _, f := range findings {
		old, known := d.alerts[f.Key]
		if !known {
			raised = append(raised, monitor.Alert{ID: monitor.AlertID(f.Key), Finding: f, Raised: at, State: monitor.StateNew, Version: 1})
			d.alerts[f.Key] = f
			continue
		}
		d.alerts[f.Key] = grown(old, f, hunted || f.Total)
	}
	for _, s := range sightings {
		k := sightingKey{s.Indicator, s.Value, s.Member, hunted}
		old := d.sightings[k]
		if hunted {
			s.Count = max(s.Count, old.Count)
		} else {
			s.Count += old.Count
		}
		d.sightings[k] = s
	}
	return raised
}

func grown(old, f monitor.Finding, total bool) monitor.Finding {
	if total {
		old.Count = max(old.Count, f.Count)
	} else {
		old.Count += f.Count
	}
	if f.First.Before(old.First) {
		old.First = f.First
	}
	if f.Last.After(old.Last) {
		old.Last = f.Last
	}
	have := map[string]bool{}
	for _, r := range old.Records {
		have[r.ID] = true
	}
	for _, r := range f.Records {
		if !have[r.ID] && len(old.Records) < monitor.MaxAlertRecords {
			old.Records = append(old.Records, r)
		}
	}
	old.Members = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(old.Members), f.Members...))))
	return old
}

// Cursor implements monitor.Detections.
func (d *Detections) Cursor(context.Context) (at uint64, err error) {
	err = d.run("Cursor", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		at = d.cursor
		return nil
	})
	return at, err
}

// SaveState implements monitor.Detections.
func (d *Detections) SaveState(_ context.Context, upTo uint64, state []byte) error {
	return d.run("SaveState", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.saved, d.state = upTo, slices.Clone(state)
		return nil
	})
}

// LoadState implements monitor.Detections.
func (d *Detections) LoadState(context.Context) (uint64, []byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.saved, slices.Clone(d.state), nil
}

// Alerts returns what is stored, by key.
func (d *Detections) Alerts() map[string]monitor.Finding {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.alerts)
}

// Sightings returns the sum of all sightings by indicator.
func (d *Detections) Sightings() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	sum := map[string]int{}
	for k, s := range d.sightings {
		sum[k.indicator] += s.Count
	}
	return sum
}

// Letters returns the dead letters that the pipeline wrote.
func (d *Detections) Letters() []monitor.DeadLetter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.letters))
}

// Receipts is a monitor.Receipts over the same store, as in the relational
// one: it sees the pipeline's marks.
type Receipts struct {
	Faults
	pipeline *Detections
	mu       sync.Mutex
	receipts map[string]monitor.Receipt
	letters  []monitor.DeadLetter
	entries  []ledger.Entry
}

var _ monitor.Receipts = (*Receipts)(nil)

// NewReceipts returns an empty store beside d.
func NewReceipts(d *Detections) *Receipts {
	return &Receipts{pipeline: d, receipts: map[string]monitor.Receipt{}}
}

// Find implements monitor.Receipts.
func (r *Receipts) Find(_ context.Context, batch, slot string) (list []monitor.Receipt, err error) {
	err = r.run("Find", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, x := range r.receipts {
			if x.Batch == batch || slot != "" && x.Slot == slot {
				list = append(list, x)
			}
		}
		r.pipeline.mu.Lock()
		defer r.pipeline.mu.Unlock()
		if _, own := r.receipts[batch]; own {
			return nil
		}
		if m, ok := r.pipeline.marks[batch]; ok {
			list = append(list, monitor.Receipt{Batch: batch, Member: m.Member, Accepted: m.Accepted, Partial: true})
		}
		return nil
	})
	return list, err
}

// Keep implements monitor.Receipts.
func (r *Receipts) Keep(_ context.Context, x monitor.Receipt, letters []monitor.DeadLetter, resent monitor.Resent) error {
	return r.run("Keep", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if _, ok := r.receipts[x.Batch]; !ok {
			r.receipts[x.Batch] = x
		}
		for _, l := range letters {
			if !slices.ContainsFunc(r.letters, func(o monitor.DeadLetter) bool { return o.ID == l.ID }) {
				r.letters = append(r.letters, l)
			}
		}
		r.take(x.Member, resent.Letter, resent.Entry)
		return nil
	})
}

// Letters implements monitor.Receipts.
func (r *Receipts) Letters(_ context.Context, m sector.MemberID, after string, limit int) ([]monitor.DeadLetter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []monitor.DeadLetter
	skip := after != ""
	for _, l := range slices.Backward(r.letters) {
		if l.Member == m && !skip && len(list) < limit {
			list = append(list, l)
		}
		skip = skip && l.ID != after
	}
	return list, nil
}

// Letter implements monitor.Receipts.
func (r *Receipts) Letter(_ context.Context, m sector.MemberID, id string) (monitor.DeadLetter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.letters {
		if l.ID == id && l.Member == m {
			return l, nil
		}
	}
	return monitor.DeadLetter{}, errs.New(errs.NotFound, "door.no_letter")
}

// DropLetter implements monitor.Receipts.
func (r *Receipts) DropLetter(_ context.Context, m sector.MemberID, id string, e ledger.Entry) error {
	return r.run("DropLetter", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.take(m, id, e) {
			return errs.New(errs.NotFound, "door.no_letter")
		}
		return nil
	})
}

// take removes a letter and keeps the entry about it.
func (r *Receipts) take(m sector.MemberID, id string, e ledger.Entry) bool {
	before := len(r.letters)
	r.letters = slices.DeleteFunc(r.letters, func(l monitor.DeadLetter) bool { return l.ID == id && l.Member == m })
	if len(r.letters) == before {
		return false
	}
	r.entries = append(r.entries, e)
	return true
}

// Entries returns what the ledger would hold.
func (r *Receipts) Entries() []ledger.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries)
}
