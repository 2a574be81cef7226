package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

const maxLimit = 500

// Search implements [monitor.History]. It looks at slices of time, the newest
// first and each larger than the one before as far as the time left allows.
// The records come with their bytes and without observables.
func (h *History) Search(ctx context.Context, f sector.Filter, q monitor.Query) (monitor.Page, error) {
	e, err := h.current(ctx)
	if err != nil {
		return monitor.Page{}, fmt.Errorf("search: %w", err)
	}
	s, ok, err := newSearch(e, f, q)
	if err != nil || !ok {
		return monitor.Page{}, err
	}
	page, err := s.run(ctx)
	if err != nil {
		return monitor.Page{}, fmt.Errorf("search: %w", e.note(err))
	}
	return page, nil
}

// search is one walk back in time.
type search struct {
	eng    *engine
	filter sector.Filter
	q      monitor.Query
	from   int64 // microseconds, inclusive
	to     int64 // exclusive
	width  int64 // of the next slice
	needle needle

	found   []monitor.Record // at most one more than the limit is of use
	reached int64            // all from here on was looked at
}

const (
	// firstRows is about how many records the first slice holds.
	firstRows = 100_000
	// sliceTime is how long a slice should take.
	sliceTime = 150 * time.Millisecond
)

// newSearch checks the query; false when the answer is empty without a look.
func newSearch(e *engine, f sector.Filter, q monitor.Query) (*search, bool, error) {
	if q.Limit < 1 || q.Limit > maxLimit {
		return nil, false, errs.New(errs.Invalid, "events.bad_limit", maxLimit)
	}
	if !q.From.Before(q.To) {
		return nil, false, errs.New(errs.Invalid, "events.bad_span")
	}
	if !new(conditions).gate(f, q.Member) {
		return nil, false, nil
	}
	oldest, newest, rows := e.extent.get()
	s := &search{eng: e, filter: f, q: q, needle: newNeedle(q.Text), from: max(q.From.UnixMicro(), oldest), to: min(q.To.UnixMicro(), newest+1)}
	if !q.After.At.IsZero() {
		s.to = min(s.to, q.After.At.UnixMicro()+1)
	}
	if rows == 0 || s.from >= s.to {
		return nil, false, nil
	}
	s.width = max(1, int64(float64(newest-oldest+1)*min(1, firstRows/float64(rows))))
	return s, true, nil
}

func (s *search) run(ctx context.Context) (monitor.Page, error) {
	soft, cancel := softDeadline(ctx)
	defer cancel()
	for to := s.to; to > s.from && len(s.found) <= s.q.Limit; {
		from := max(s.from, to-s.width)
		s.reached = to
		start := time.Now()
		err := s.slice(soft, from, to)
		if err != nil && soft.Err() != nil && !errors.Is(ctx.Err(), context.Canceled) {
			return s.partial(), nil
		}
		if err != nil {
			return monitor.Page{}, err
		}
		to = from
		s.adapt(time.Since(start))
	}
	page := monitor.Page{Records: s.found, More: len(s.found) > s.q.Limit}
	page.Records = page.Records[:min(len(page.Records), s.q.Limit)]
	return page, nil
}

// partial is the page when time is up: without the records at or before the
// time that was reached, for others of that time may be missing.
func (s *search) partial() monitor.Page {
	n := len(s.found)
	for n > 0 && s.found[n-1].At.UnixMicro() < s.reached {
		n--
	}
	return monitor.Page{Records: s.found[:n], Searched: fromMicro(s.reached)}
}

// softDeadline ends a little before ctx does, so that the answer is still in
// time.
func softDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(50*time.Millisecond, time.Until(end)/5)))
}

// adapt sets the next slice's width by how long the last one took.
func (s *search) adapt(took time.Duration) {
	factor := float64(sliceTime) / float64(max(took, time.Millisecond))
	width := float64(s.width) * min(max(factor, 0.25), 8)
	s.width = int64(min(max(width, 1), 1<<55))
}

// slice adds what the query finds between two times to found.
func (s *search) slice(ctx context.Context, from, to int64) error {
	var c conditions
	table := c.query(s.eng, s.q, from, to)
	c.gate(s.filter, s.q.Member) // newSearch has seen that something may be seen
	if after := s.q.After; !after.At.IsZero() {
		at := after.At.UnixMicro()
		c.add("(happened < ? OR happened = ? AND number < ?)", at, at, after.Number)
	}
	query := selectRows(table, &c) + ` ORDER BY happened DESC, number DESC`
	if s.q.Text == "" {
		query += fmt.Sprintf(` LIMIT %d`, s.q.Limit+1-len(s.found))
	}
	return s.eng.eachRows(ctx, query, c.args, func(rows []row) (bool, error) {
		records, err := s.eng.fetch(ctx, rows, s.needle)
		if err != nil {
			return false, err
		}
		for i, r := range records {
			if r != nil {
				s.found = append(s.found, *r)
			} else if len(s.needle.low) == 0 {
				return false, fmt.Errorf("record %d is not in its frame", rows[i].number)
			}
		}
		s.reached = rows[len(rows)-1].at + 1
		return len(s.found) <= s.q.Limit, nil
	})
}

// selectRows is the query for rows of a table, each record once.
func selectRows(table string, c *conditions) string {
	distinct := ""
	if table != "history.events" {
		distinct = "DISTINCT " // one value can be of two kinds in a record
	}
	return `SELECT ` + distinct + `number, happened, place FROM ` + table + ` WHERE ` + c.String()
}

// rowsAtOnce bounds how many records are looked into between two looks at
// the clock.
const rowsAtOnce = 2048

// eachRows calls f with the query's rows, some at a time, until it says false.
func (e *engine) eachRows(ctx context.Context, query string, args []any, f func([]row) (bool, error)) error {
	rows, err := e.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	some := make([]row, 0, rowsAtOnce)
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.number, &r.at, &r.place); err != nil {
			return err
		}
		if some = append(some, r); len(some) < rowsAtOnce {
			continue
		}
		if more, err := f(some); err != nil || !more {
			return err
		}
		some = some[:0]
	}
	if err := rows.Err(); err != nil || len(some) == 0 {
		return err
	}
	_, err = f(some)
	return err
}

// Get implements [monitor.History]. An unknown id and one that the viewer may
// not see are the same: an error of kind errs.NotFound.
func (h *History) Get(ctx context.Context, f sector.Filter, id string) (monitor.Record, error) {
	missing := errs.New(errs.NotFound, "events.not_found")
	batch, line, ok := splitID(id)
	if !ok {
		return monitor.Record{}, missing
	}
	e, err := h.current(ctx)
	if err != nil {
		return monitor.Record{}, fmt.Errorf("get: %w", err)
	}
	seqs, err := e.positions(ctx, batch)
	if err != nil {
		return monitor.Record{}, fmt.Errorf("get: %w", e.note(err))
	}
	for _, seq := range seqs {
		var c conditions
		c.add("number >= ?", seq<<16)
		c.add("number < ?", (seq+1)<<16)
		c.add("line = ?", line)
		if !c.gate(f, "") {
			break
		}
		var found []*monitor.Record
		err := e.eachRows(ctx, selectRows("history.events", &c), c.args, func(rows []row) (_ bool, err error) {
			found, err = e.fetch(ctx, rows[:1], needle{})
			return false, err
		})
		if err != nil {
			return monitor.Record{}, fmt.Errorf("get: %w", e.note(err))
		}
		if len(found) > 0 && found[0] != nil {
			return *found[0], nil
		}
	}
	return monitor.Record{}, missing
}

// positions are where a batch stands in the stream: once, or again when it
// came back after the stream had forgotten its id.
func (e *engine) positions(ctx context.Context, batch string) ([]int64, error) {
	rows, err := e.db.QueryContext(ctx, `SELECT DISTINCT seq FROM history.batches WHERE id = $1 ORDER BY seq LIMIT 4`, batch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	var seqs []int64
	for rows.Next() {
		var seq int64
		if err := rows.Scan(&seq); err != nil {
			return nil, err
		}
		seqs = append(seqs, seq)
	}
	return seqs, rows.Err()
}

// MaxBuckets bounds a histogram.
const MaxBuckets = 1000

// Histogram implements [monitor.History]. It takes no account of After and
// Limit. There is no partial answer: when ctx ends first, that is the error.
func (h *History) Histogram(ctx context.Context, f sector.Filter, q monitor.Query, n int) ([]monitor.Bucket, error) {
	if n < 1 || n > MaxBuckets {
		return nil, errs.New(errs.Invalid, "events.bad_buckets", MaxBuckets)
	}
	from, to := q.From.UnixMicro(), q.To.UnixMicro()
	if from >= to || to-from > 1<<52 { // 140 years: times n stays a number
		return nil, errs.New(errs.Invalid, "events.bad_span")
	}
	buckets := make([]monitor.Bucket, n)
	for i := range buckets {
		// The first microsecond that counts into bucket i.
		buckets[i].From = fromMicro(from + (int64(i)*(to-from)+int64(n)-1)/int64(n))
	}
	e, err := h.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	var c conditions
	table := c.query(e, q, from, to)
	if !c.gate(f, q.Member) {
		return buckets, nil
	}
	if q.Text != "" {
		err = e.countText(ctx, selectRows(table, &c), c.args, newNeedle(q.Text), buckets, from, to)
	} else {
		err = e.count(ctx, table, &c, buckets, from, to)
	}
	if err != nil {
		// The engine calls it an interruption; the caller asks what ended it.
		return nil, fmt.Errorf("histogram: %w", cmp.Or(ctx.Err(), e.note(err)))
	}
	return buckets, nil
}

// countText counts the rows whose record has the needle.
func (e *engine) countText(ctx context.Context, query string, args []any, n needle, buckets []monitor.Bucket, from, to int64) error {
	return e.eachRows(ctx, query, args, func(rows []row) (bool, error) {
		records, err := e.fetch(ctx, rows, n)
		for i, r := range records {
			if r != nil {
				buckets[(rows[i].at-from)*int64(len(buckets))/(to-from)].Count++
			}
		}
		return true, err
	})
}

func (e *engine) count(ctx context.Context, table string, c *conditions, buckets []monitor.Bucket, from, to int64) error {
	what := "count(*)"
	if table != "history.events" {
		what = "count(DISTINCT number)"
	}
	k := len(c.args)
	bucket := fmt.Sprintf(`(happened - $%d) * $%d // $%d`, k+1, k+2, k+3)
	if len(buckets) <= 1<<8 { // the engine counts in an array where the type bounds the groups
		bucket = `CAST(` + bucket + ` AS UTINYINT)`
	}
	query := fmt.Sprintf(`SELECT %s AS bucket, %s FROM %s WHERE %s GROUP BY bucket`, bucket, what, table, c)
	rows, err := e.db.QueryContext(ctx, query, append(slices.Clone(c.args), from, int64(len(buckets)), to-from)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	for rows.Next() {
		var i, n int64
		if err := rows.Scan(&i, &n); err != nil {
			return err
		}
		buckets[i].Count = n
	}
	return rows.Err()
}
