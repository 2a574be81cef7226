package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

const maxLimit = 500

// The columns of a record, less its bytes.
const headColumns = `number, line, batch, happened, received, clock, member,
	product, category, service, host, account, sha256`

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
	oldest, newest, rows := e.extent.get()
	s := &search{eng: e, filter: f, q: q, from: max(q.From.UnixMicro(), oldest), to: min(q.To.UnixMicro(), newest+1)}
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
	page := monitor.Page{}
	for to := s.to; to > s.from; {
		from := max(s.from, to-s.width)
		start := time.Now()
		got, ok, err := s.slice(soft, from, to, s.q.Limit+1-len(page.Records))
		switch {
		case err != nil && soft.Err() != nil && !errors.Is(ctx.Err(), context.Canceled):
			page.Searched = fromMicro(to)
			return page, nil
		case err != nil:
			return monitor.Page{}, err
		case !ok:
			return page, nil
		}
		page.Records = append(page.Records, got...)
		if len(page.Records) > s.q.Limit {
			page.Records, page.More = page.Records[:s.q.Limit], true
			return page, nil
		}
		to = from
		s.adapt(time.Since(start))
	}
	return page, nil
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

// slice is what the query finds between two times; false: nothing may be seen.
func (s *search) slice(ctx context.Context, from, to int64, limit int) ([]monitor.Record, bool, error) {
	var c conditions
	c.add("happened >= ?", from)
	c.add("happened < ?", to)
	if !c.gate(s.filter, s.q.Member) {
		return nil, false, nil
	}
	if after := s.q.After; !after.At.IsZero() {
		at := after.At.UnixMicro()
		c.add("(happened < ? OR happened = ? AND number < ?)", at, at, after.Number)
	}
	c.query(s.q)
	c.observable(s.eng, s.q.Observable, from, to)
	c.args = append(c.args, limit)
	records, err := s.eng.records(ctx, `SELECT `+headColumns+`, raw, bytes FROM history.events WHERE `+c.String()+
		` ORDER BY happened DESC, number DESC LIMIT $`+strconv.Itoa(len(c.args)), c.args...)
	return records, true, err
}

// records runs a query for whole records.
func (e *engine) records(ctx context.Context, query string, args ...any) ([]monitor.Record, error) {
	rows, err := e.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	var out []monitor.Record
	for rows.Next() {
		var raw string
		var rest []byte
		r, err := scanHead(rows, &raw, &rest)
		if err != nil {
			return nil, err
		}
		if r.Raw = rest; rest == nil {
			r.Raw = []byte(raw)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// scanHead reads headColumns and what comes after them.
func scanHead(rows *sql.Rows, more ...any) (monitor.Record, error) {
	var r monitor.Record
	var line int32
	var batch, member string
	var at, received int64
	var clock uint8
	var sum []byte
	to := append([]any{
		&r.Number, &line, &batch, &at, &received, &clock, &member,
		&r.Source.Product, &r.Source.Category, &r.Source.Service, &r.Host, &r.Account, &sum,
	}, more...)
	if err := rows.Scan(to...); err != nil {
		return r, err
	}
	r.ID = batch + "-" + strconv.Itoa(int(line))
	r.Member, r.Clock = sector.MemberID(member), monitor.ClockState(clock)
	r.At, r.Received = fromMicro(at), fromMicro(received)
	copy(r.SHA256[:], sum)
	return r, nil
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
		found, err := e.records(ctx, `SELECT `+headColumns+`, raw, bytes FROM history.events WHERE `+c.String(), c.args...)
		if err != nil {
			return monitor.Record{}, fmt.Errorf("get: %w", e.note(err))
		}
		if len(found) > 0 {
			return found[0], nil
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
	c.add("happened >= ?", from)
	c.add("happened < ?", to)
	if !c.gate(f, q.Member) {
		return buckets, nil
	}
	c.query(q)
	c.observable(e, q.Observable, from, to)
	if err := e.count(ctx, &c, from, to, buckets); err != nil {
		return nil, fmt.Errorf("histogram: %w", e.note(err))
	}
	return buckets, nil
}

func (e *engine) count(ctx context.Context, c *conditions, from, to int64, buckets []monitor.Bucket) error {
	k := len(c.args)
	query := fmt.Sprintf(`SELECT (happened - $%d) * $%d // $%d AS bucket, count(*)
		FROM history.events WHERE %s GROUP BY bucket`, k+1, k+2, k+3, c)
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
