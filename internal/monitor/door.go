package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Door takes members' records in. It answers only after they are on disk.
//
// A request goes: receipt looked up → batch appended to the stream (which
// knows recent batch ids) → receipt and dead letters stored together →
// answer. A crash between the steps is made good by the retry, and, when that
// comes after the stream forgot the id, by the receipt that the pipeline
// wrote in the meantime.
type Door struct {
	stream   Stream
	receipts Receipts
	limits   DoorLimits
	bodies   *bodyReader
	quotas   *quotas
	pulse    *Pulse
	metrics  *Metrics
	now      func() time.Time
	log      *slog.Logger
	flights  flights
	full     atomic.Bool // the stream had no room last time; logged once
}

// DoorConfig is what a door is built from. Zero limits and quota take their
// defaults; Metrics and Pulse may be nil.
type DoorConfig struct {
	Stream   Stream
	Receipts Receipts
	Limits   DoorLimits
	Quota    Quota
	Pulse    *Pulse
	Metrics  *Metrics
	Now      func() time.Time
	Log      *slog.Logger
}

// NewDoor returns a door.
func NewDoor(c DoorConfig) *Door {
	lim := c.Limits.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Door{
		stream: c.Stream, receipts: c.Receipts, limits: lim,
		bodies: &bodyReader{limits: lim}, quotas: newQuotas(c.Quota, lim),
		pulse: c.Pulse, metrics: c.Metrics, now: c.Now, log: c.Log,
		flights: flights{busy: map[string]chan struct{}{}},
	}
}

// Answer is what a sender is told.
type Answer struct {
	Accepted  int // records this request put on disk
	Duplicate int // records of it that an earlier request had put there
	Rejected  []Rejection
}

// Accept stores the records of text, NDJSON, for the member. key is the
// request's Idempotency-Key, or empty.
func (d *Door) Accept(ctx context.Context, member sector.MemberID, key string, text []byte) (Answer, error) {
	lines, err := sortLines(text, d.limits)
	if err != nil {
		return Answer{}, err
	}
	return d.accept(ctx, newTicket(member, key, text), lines)
}

// ticket is a request's identity.
type ticket struct {
	member            sector.MemberID
	batch, slot, body string
	resent            Resent
}

// newTicket names the request. The body is part of the batch's name even
// when the sender gives a key: two bodies under one key are then never taken
// for one batch, whatever crashed in between.
func newTicket(member sector.MemberID, key string, text []byte) ticket {
	t := ticket{member: member, body: hashOf("body", string(text))}
	if key != "" {
		t.slot = hashOf("slot", string(member), key)
	}
	t.batch = hashOf("batch", string(member), t.slot, t.body)
	return t
}

// hashOf is the hex of 16 bytes of SHA-256 over length-prefixed parts.
func hashOf(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (d *Door) accept(ctx context.Context, t ticket, lines *sorted) (Answer, error) {
	leave, err := d.flights.enter(ctx, t.batch)
	if err != nil {
		return Answer{}, err
	}
	defer leave()
	old, err := d.earlier(ctx, t)
	if err != nil {
		return Answer{}, err
	}
	if old != nil && !old.Partial {
		d.metrics.duplicates(old.Accepted)
		return Answer{Duplicate: old.Accepted, Rejected: old.Rejected}, nil
	}
	if old == nil {
		if err := d.quotas.takeRecords(t.member, lines.total(), d.now()); err != nil {
			return Answer{}, err
		}
	}
	at := d.now().UTC()
	dup, err := d.append(ctx, t, lines, at, old != nil)
	if err != nil {
		return Answer{}, err
	}
	if err := d.keep(ctx, t, lines, at); err != nil {
		return Answer{}, err
	}
	return d.answer(t, lines, dup), nil
}

// earlier is the receipt of the same request, or of a partial one; an error
// when the key was used for another body.
func (d *Door) earlier(ctx context.Context, t ticket) (*Receipt, error) {
	found, err := d.receipts.Find(ctx, t.batch, t.slot)
	if err != nil {
		return nil, storeError("door: find receipt", err)
	}
	for i := range found {
		if found[i].Batch == t.batch {
			return &found[i], nil
		}
	}
	if len(found) > 0 {
		return nil, errs.New(errs.Conflict, "door.key_reused")
	}
	return nil, nil
}

// append puts the accepted lines into the stream; dup tells that they were
// there before.
func (d *Door) append(ctx context.Context, t ticket, lines *sorted, at time.Time, known bool) (dup bool, err error) {
	if known || len(lines.lines) == 0 {
		return known, nil
	}
	_, dup, err = d.stream.Append(ctx, Batch{
		ID: t.batch, Member: t.member, Received: at, Lines: lines.lines, Numbers: lines.numbers,
	})
	switch {
	case err == nil:
		if d.full.Swap(false) {
			d.log.InfoContext(ctx, "there is room for records again")
		}
		return dup, nil
	case errors.Is(err, ErrStreamFull):
		if !d.full.Swap(true) {
			d.log.ErrorContext(ctx, "no room for records: the stream is full and requests are refused; free disk space or let the pipeline catch up",
				slog.Any("error", err))
		}
		return false, errs.New(errs.Full, "door.full").Because(err)
	}
	return false, storeError("door: append to stream", err)
}

// storeError is what a sender is told when a part of the door's own is down:
// nothing was promised, try again.
func storeError(op string, err error) error {
	if errs.Is(err, errs.Full) {
		return errs.New(errs.Full, "door.full").Because(fmt.Errorf("%s: %w", op, err))
	}
	e := errs.New(errs.Unavailable, "door.unavailable").Because(fmt.Errorf("%s: %w", op, err))
	e.RetryAfter = 2 * time.Second
	return e
}

func (d *Door) keep(ctx context.Context, t ticket, lines *sorted, at time.Time) error {
	r := Receipt{
		Batch: t.batch, Slot: t.slot, Body: t.body, Member: t.member,
		Accepted: len(lines.lines), Rejected: lines.rejections(), At: at,
	}
	if err := d.receipts.Keep(ctx, r, lines.letters(t, at), t.resent); err != nil {
		return storeError("door: keep receipt", err)
	}
	return nil
}

func (s *sorted) rejections() []Rejection {
	list := make([]Rejection, len(s.refused))
	for i, r := range s.refused {
		list[i] = r.Rejection
	}
	return list
}

func (s *sorted) letters(t ticket, at time.Time) []DeadLetter {
	list := make([]DeadLetter, len(s.refused))
	for i, r := range s.refused {
		list[i] = DeadLetter{
			ID: fmt.Sprintf("%s-%d", t.batch, r.Line), Member: t.member, At: at,
			Rejection: r.Rejection, Bytes: len(r.raw), Raw: r.raw[:min(len(r.raw), MaxLetterBytes)],
		}
	}
	return list
}

func (d *Door) answer(t ticket, lines *sorted, dup bool) Answer {
	a := Answer{Rejected: lines.rejections()}
	if dup {
		a.Duplicate = len(lines.lines)
		d.metrics.duplicates(a.Duplicate)
	} else {
		a.Accepted = len(lines.lines)
		d.metrics.accepted(a.Accepted)
		d.pulse.Add(StageAccepted, t.member, a.Accepted)
	}
	for _, r := range a.Rejected {
		d.metrics.refused(r.Reason)
	}
	return a
}

// flights lets requests with one batch id through one after the other.
type flights struct {
	mu   sync.Mutex
	busy map[string]chan struct{}
}

func (f *flights) enter(ctx context.Context, id string) (leave func(), err error) {
	for {
		f.mu.Lock()
		other, taken := f.busy[id]
		if !taken {
			mine := make(chan struct{})
			f.busy[id] = mine
			f.mu.Unlock()
			return func() { f.leave(id, mine) }, nil
		}
		f.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, storeError("door: wait for the same request", ctx.Err())
		}
	}
}

func (f *flights) leave(id string, mine chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, id)
	close(mine)
}
