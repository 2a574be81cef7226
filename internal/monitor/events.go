package monitor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Events is the look-up in the history.
type Events struct {
	history History
	seal    *seal.Sealer
	now     func() time.Time
	budget  time.Duration
	notes   ledger.Notes
}

// NewEvents returns the service. sealer makes the paging keys opaque: they
// hold the centre's own record numbers. notes is told which records of a
// member the centre's people open; nil: nobody is.
func NewEvents(history History, sealer *seal.Sealer, now func() time.Time, notes ledger.Notes) *Events {
	if now == nil {
		now = time.Now
	}
	return &Events{history: history, seal: sealer, now: now, budget: 5 * time.Second, notes: notes}
}

// EventQuery is what somebody asks for, as text.
type EventQuery struct {
	Text  string // see ParseQuery
	From  time.Time
	To    time.Time // zero: now and what clocks are ahead; From zero: a day before To
	After string    // EventPage.Next of the page before
	Limit int       // 1 to 500; 0: 50
}

// EventPage is one answer.
type EventPage struct {
	Records []Record
	Next    string // to go on; empty at the end
	// Searched is set when time ran out: nothing older than this was looked
	// at yet, and Next goes on from there.
	Searched time.Time
	// Query is what was understood.
	Query Query
}

const (
	defaultSpan = 24 * time.Hour
	maxSpan     = 10 * 366 * 24 * time.Hour
	maxSearch   = 500
	maxBuckets  = 240
)

// mayLookUp reports an error unless the viewer may look into the history.
func mayLookUp(v sector.Viewer) error {
	switch {
	case v.Org == "":
		return errs.New(errs.Unauthenticated, "monitor.no_viewer")
	case v.May(sector.ReadEvents):
		return nil
	}
	return errs.New(errs.Forbidden, "monitor.look_up_role")
}

// Search returns a page, newest first.
func (s *Events) Search(ctx context.Context, v sector.Viewer, eq EventQuery) (EventPage, error) {
	q, err := s.query(v, eq)
	if err != nil {
		return EventPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	page, err := s.history.Search(ctx, sector.Gate{}.For(v), q)
	if err != nil {
		return EventPage{}, historyError(err)
	}
	out := EventPage{Records: page.Records, Searched: page.Searched, Query: q}
	switch n := len(page.Records); {
	case page.More && n > 0:
		out.Next = s.key(RecordKey{page.Records[n-1].At, page.Records[n-1].Number})
	case !page.Searched.IsZero() && page.Searched.After(q.From):
		out.Next = s.key(RecordKey{page.Searched, 0})
	}
	return out, nil
}

// historyError tells a history that is down from a mistake of the asker.
func historyError(err error) error {
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	e := errs.New(errs.Unavailable, "monitor.history_down").Because(err)
	e.RetryAfter = 5 * time.Second
	return e
}

// Complete fills in the times that were left out, so that several questions
// are about the same span.
func (s *Events) Complete(eq EventQuery) EventQuery {
	if eq.To.IsZero() { // clocks may be that much ahead
		eq.To = s.now().UTC().Add(maxAhead)
	}
	if eq.From.IsZero() {
		eq.From = eq.To.Add(-defaultSpan - maxAhead)
	}
	return eq
}

// query checks and completes what was asked.
func (s *Events) query(v sector.Viewer, eq EventQuery) (Query, error) {
	eq = s.Complete(eq)
	q := Query{From: eq.From, To: eq.To, Limit: eq.Limit}
	if err := mayLookUp(v); err != nil {
		return q, err
	}
	if q.Limit == 0 {
		q.Limit = 50
	}
	switch {
	case !q.From.Before(q.To) || q.To.Sub(q.From) > maxSpan:
		return q, errs.New(errs.Invalid, "monitor.span")
	case q.Limit < 1 || q.Limit > maxSearch:
		return q, errs.New(errs.Invalid, "monitor.limit", strconv.Itoa(maxSearch))
	}
	if err := ParseQuery(eq.Text, &q); err != nil {
		return q, err
	}
	if eq.After != "" {
		key, err := s.open(eq.After)
		if err != nil {
			return q, err
		}
		q.After = key
	}
	return q, nil
}

func (s *Events) key(k RecordKey) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(k.At.UnixMicro()))
	binary.BigEndian.PutUint64(b[8:], uint64(k.Number))
	return s.seal.Seal(b[:])
}

func (s *Events) open(token string) (RecordKey, error) {
	b, err := s.seal.Open(token)
	if err != nil || len(b) != 16 {
		return RecordKey{}, errs.New(errs.Invalid, "monitor.cursor")
	}
	return RecordKey{
		At:     time.UnixMicro(int64(binary.BigEndian.Uint64(b[:8]))).UTC(),
		Number: int64(binary.BigEndian.Uint64(b[8:])),
	}, nil
}

// Histogram counts what Search would find in n equal steps. When time runs out
// the error is errs.Unavailable and wraps context.DeadlineExceeded.
func (s *Events) Histogram(ctx context.Context, v sector.Viewer, eq EventQuery, n int) ([]Bucket, error) {
	if n < 1 || n > maxBuckets {
		return nil, errs.New(errs.Invalid, "monitor.buckets", strconv.Itoa(maxBuckets))
	}
	eq.After, eq.Limit = "", 1
	q, err := s.query(v, eq)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	list, err := s.history.Histogram(ctx, sector.Gate{}.For(v), q, n)
	if late := ctx.Err(); err != nil && late != nil { // whatever the engine calls it
		err = fmt.Errorf("%w: %w", late, err)
	}
	if err != nil {
		return nil, historyError(err)
	}
	return list, nil
}

// EventDetail is one record with everything that was read from it.
type EventDetail struct {
	Record
	Dialect string
	Fields  []Pair // every leaf value, in the record's order, at most 500
}

const maxFields = 500

// Get returns one record whole.
func (s *Events) Get(ctx context.Context, v sector.Viewer, id string) (EventDetail, error) {
	if err := mayLookUp(v); err != nil {
		return EventDetail{}, err
	}
	r, err := s.history.Get(ctx, sector.Gate{}.For(v), id)
	if err != nil {
		return EventDetail{}, historyError(err)
	}
	if err := s.opened(ctx, v, r); err != nil {
		return EventDetail{}, err
	}
	d := EventDetail{Record: r}
	d.read()
	return d, nil
}

// opened puts into the member's ledger that somebody of the centre has opened
// one of its records, the first time. Looking goes on when the disk is full.
func (s *Events) opened(ctx context.Context, v sector.Viewer, r Record) error {
	if s.notes == nil || v.Org != sector.Centre || v.User == "" {
		return nil
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "event.view", Object: "record:" + r.ID, Member: string(r.Member)}
	if err := s.notes.NoteOnce(ctx, "", e); !errs.Is(err, errs.Full) {
		return err
	}
	return nil
}

// read decodes the record again; one that cannot be decoded shows its bytes.
func (d *EventDetail) read() {
	defer func() { _ = recover() }()
	ev, err := event.Decode(d.Raw, event.Limits{MaxBytes: max(len(d.Raw), 1), MaxDepth: 128, MaxFields: 100_000})
	if err != nil {
		return
	}
	d.Dialect = ev.Dialect().String()
	if d.Observables == nil {
		d.Observables = ev.Observables()
	}
	ev.EachText(func(field, text string) bool {
		d.Fields = append(d.Fields, Pair{field, text})
		return len(d.Fields) < maxFields
	})
}
