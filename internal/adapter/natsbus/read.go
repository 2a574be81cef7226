package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aspis-platform/aspis/internal/monitor"
)

const (
	// readBytes bounds one Read's payloads: about ten times that unpacked.
	readBytes = 1 << 20
	// lookAgain is for an announcement that got lost, which only a cluster's
	// reconnect can cause.
	lookAgain = 5 * time.Second
	// stallAfter ends the wait for the rest of an answer.
	stallAfter = 30 * time.Second

	statusHdr      = "Status"
	statusEnd      = "204"
	statusNotFound = "404"
)

// tail wakes those who wait for the stream to grow.
type tail struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed at the next growth.
func (t *tail) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ch == nil {
		t.ch = make(chan struct{})
	}
	return t.ch
}

func (t *tail) grew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ch != nil {
		close(t.ch)
		t.ch = nil
	}
}

// Read implements [monitor.Stream]. It returns fewer than max batches when
// those make 1 MiB compressed.
func (b *Bus) Read(ctx context.Context, after uint64, max int) ([]monitor.Positioned, error) {
	if max < 1 {
		return nil, fmt.Errorf("read: max of %d", max)
	}
	for {
		grown := b.tail.next()
		l, err := b.current(ctx)
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		got, err := b.fetch(ctx, l, after, max)
		switch {
		case len(got) > 0:
			return got, nil
		case err != nil && l.replaced(b) && ctx.Err() == nil:
			continue
		case err != nil:
			return nil, fmt.Errorf("read after %d: %w", after, err)
		}
		if err := b.wait(ctx, grown); err != nil {
			return nil, fmt.Errorf("read after %d: %w", after, err)
		}
	}
}

// replaced reports whether the store was opened again since l was.
func (l *link) replaced(b *Bus) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.link != l && !b.closed
}

func (b *Bus) wait(ctx context.Context, grown <-chan struct{}) error {
	again := time.NewTimer(lookAgain)
	defer again.Stop()
	select {
	case <-grown:
	case <-again.C:
	case <-b.stop:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// fetch reads what is there now; nothing and no error at the stream's end.
func (b *Bus) fetch(ctx context.Context, l *link, after uint64, max int) ([]monitor.Positioned, error) {
	msgs, err := l.directGet(ctx, after+1, max)
	if err != nil {
		return nil, err
	}
	if len(msgs) == 0 {
		return nil, l.checkEnd(ctx, after)
	}
	out := make([]monitor.Positioned, 0, len(msgs))
	for _, m := range msgs {
		seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("sequence: %w", err)
		}
		if want := after + 1 + uint64(len(out)); seq != want {
			if len(out) > 0 {
				return out, nil // trimmed while we read: the next Read says so
			}
			return nil, monitor.ErrTrimmed
		}
		batch, err := b.codec.decode(m.Header.Get(nats.MsgIdHdr), m.Data)
		if err != nil && len(out) > 0 {
			return out, nil // the next Read meets it first
		}
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", seq, err)
		}
		out = append(out, monitor.Positioned{Seq: seq, Batch: batch})
	}
	return out, nil
}

// checkEnd tells the end of the stream from a position outside it.
func (l *link) checkEnd(ctx context.Context, after uint64) error {
	s, err := l.state(ctx)
	switch {
	case err != nil:
		return err
	case after+1 < s.First:
		return monitor.ErrTrimmed
	case after > s.Last:
		return fmt.Errorf("position is ahead of the stream, which ends at %d", s.Last)
	}
	return nil
}

// directGet asks for up to count messages from seq on with one request
// (JetStream direct get, batched: ADR-31 of NATS). None: there are no more.
func (l *link) directGet(ctx context.Context, seq uint64, count int) ([]*nats.Msg, error) {
	request, err := json.Marshal(map[string]uint64{"seq": seq, "batch": uint64(count), "max_bytes": readBytes})
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	inbox := l.sub.NewInbox()
	// Room for each message and the one that ends the batch: a subscription of
	// the library's own takes half a megabyte for each request.
	arrived := make(chan *nats.Msg, count+1)
	answers, err := l.sub.ChanSubscribe(inbox, arrived)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only on a closed connection
	if err := l.sub.PublishRequest("$JS.API.DIRECT.GET."+streamRecords, inbox, request); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stallAfter, errors.New("no answer from the store"))
	defer cancel()
	var msgs []*nats.Msg
	for {
		var m *nats.Msg
		select {
		case m = <-arrived:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		switch status := m.Header.Get(statusHdr); {
		case status == statusEnd, status == statusNotFound:
			return msgs, nil
		case status != "" || len(m.Header) == 0:
			return nil, fmt.Errorf("store answered %q %q", status, m.Header.Get("Description"))
		}
		msgs = append(msgs, m)
	}
}
