package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// History is a monitor.History that looks at every record.
type History struct {
	Faults
	mu      sync.Mutex
	records []monitor.Record
	cursor  uint64
}

var _ monitor.History = (*History)(nil)

// Append implements monitor.History.
func (h *History) Append(_ context.Context, upTo uint64, records []monitor.Record) error {
	return h.run("Append", func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if upTo <= h.cursor {
			return fmt.Errorf("memory: append up to %d, cursor is %d", upTo, h.cursor)
		}
		h.cursor = upTo
		h.records = append(h.records, records...)
		return nil
	})
}

// Cursor implements monitor.History.
func (h *History) Cursor(context.Context) (at uint64, err error) {
	err = h.run("Cursor", func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		at = h.cursor
		return nil
	})
	return at, err
}

// All returns every record in the order stored.
func (h *History) All() []monitor.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.records)
}

func visible(f sector.Filter, r *monitor.Record) bool {
	return f.All() || f.Owner() != "" && f.Owner() == r.Member
}

// match reports whether the record is one that the query asks for.
func match(q *monitor.Query, r *monitor.Record) bool {
	for _, pair := range [][2]string{
		{string(q.Member), string(r.Member)}, {q.Product, r.Source.Product}, {q.Category, r.Source.Category},
		{q.Service, r.Source.Service}, {q.Host, r.Host}, {q.Account, r.Account},
	} {
		if pair[0] != "" && !strings.EqualFold(pair[0], pair[1]) {
			return false
		}
	}
	if q.Observable != "" && !mentions(r, q.Observable) {
		return false
	}
	if q.Text != "" && !bytes.Contains(bytes.ToLower(r.Raw), []byte(strings.ToLower(q.Text))) {
		return false
	}
	return !r.At.Before(q.From) && r.At.Before(q.To)
}

func mentions(r *monitor.Record, value string) bool {
	for _, o := range r.Observables {
		if o.Value == value {
			return true
		}
	}
	return false
}

// found is what a filter and a query select, newest first.
func (h *History) found(f sector.Filter, q *monitor.Query) []monitor.Record {
	var list []monitor.Record
	for _, r := range h.All() {
		if visible(f, &r) && match(q, &r) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b monitor.Record) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Number, a.Number))
	})
	return list
}

// Search implements monitor.History.
func (h *History) Search(_ context.Context, f sector.Filter, q monitor.Query) (monitor.Page, error) {
	var page monitor.Page
	for _, r := range h.found(f, &q) {
		if q.After != (monitor.RecordKey{}) {
			if c := r.At.Compare(q.After.At); c > 0 || c == 0 && r.Number >= q.After.Number {
				continue
			}
		}
		if len(page.Records) == q.Limit {
			page.More = true
			break
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// Histogram implements monitor.History; it can be Stuck.
func (h *History) Histogram(ctx context.Context, f sector.Filter, q monitor.Query, n int) ([]monitor.Bucket, error) {
	if err := h.stuck(ctx, "Histogram"); err != nil {
		return nil, err
	}
	step := q.To.Sub(q.From) / time.Duration(n)
	list := make([]monitor.Bucket, n)
	for i := range list {
		list[i].From = q.From.Add(time.Duration(i) * step)
	}
	for _, r := range h.found(f, &q) {
		list[min(int(r.At.Sub(q.From)/step), n-1)].Count++
	}
	return list, nil
}

// Get implements monitor.History.
func (h *History) Get(_ context.Context, f sector.Filter, id string) (monitor.Record, error) {
	for _, r := range h.All() {
		if r.ID == id && visible(f, &r) {
			return r, nil
		}
	}
	return monitor.Record{}, errs.New(errs.NotFound, "monitor.no_event")
}

// Find implements monitor.History; networks are not looked for.
func (h *History) Find(_ context.Context, terms []monitor.Term, from, to time.Time, most int) ([]monitor.Hit, error) {
	var hits []monitor.Hit
	all := h.All()
	slices.SortFunc(all, func(a, b monitor.Record) int { return a.At.Compare(b.At) })
	for _, r := range all {
		if r.At.Before(from) || !r.At.Before(to) {
			continue
		}
		for _, t := range terms {
			if found(t, &r) && len(hits) < most {
				r.Raw, r.Observables = nil, nil
				hits = append(hits, monitor.Hit{Term: t, Record: r})
			}
		}
	}
	return hits, nil
}

func found(t monitor.Term, r *monitor.Record) bool {
	for _, o := range r.Observables {
		if o.Kind == t.Kind && (o.Value == t.Value || t.Under && strings.HasSuffix(o.Value, "."+t.Value)) {
			return true
		}
	}
	return false
}
