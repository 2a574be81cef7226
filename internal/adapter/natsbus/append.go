package natsbus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/aspis-platform/aspis/internal/monitor"
)

// What the server answers when there is no room. Codes are JetStream's
// err_code.
const (
	codeStoreFailed     jetstream.ErrorCode = 10077 // with "maximum bytes exceeded"
	codeStorageExceeded jetstream.ErrorCode = 10047
	codeAccountExceeded jetstream.ErrorCode = 10002
	codeNoResources     jetstream.ErrorCode = 10023
)

const (
	// probeEvery is how long to wait for an answer before asking whether the
	// store has failed.
	probeEvery = 200 * time.Millisecond
	// answerWithin ends the wait for an answer where ctx does not.
	answerWithin = 30 * time.Second
)

// errStore means that the store has failed and must be opened again.
var errStore = errors.New("stream: store failed")

// Append implements [monitor.Stream].
func (b *Bus) Append(ctx context.Context, batch monitor.Batch) (uint64, bool, error) {
	if err := checkBatch(batch); err != nil {
		return 0, false, fmt.Errorf("append: %w", err)
	}
	if seq, ok := b.known.find(batch.ID, time.Now()); ok {
		return seq, true, nil
	}
	l, err := b.current(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("append: %w", err)
	}
	payload := b.codec.encode(batch)
	if err := b.room(len(payload)); err != nil {
		return 0, false, fmt.Errorf("append: %w", err)
	}
	ack, err := b.publish(ctx, l, subjectRecords, batch.ID, payload)
	if errors.Is(err, errStore) {
		return b.afterFailure(ctx, l, batch.ID, payload, err)
	}
	if err != nil {
		return 0, false, fmt.Errorf("append: %w", err)
	}
	return ack.Sequence, ack.Duplicate, nil
}

// room is ErrStreamFull when the file system is short.
func (b *Bus) room(need int) error {
	if b.cfg.MinFree < 0 || b.cfg.Dir == "" {
		return nil
	}
	free, err := freeBytes(b.cfg.Dir)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if free < b.cfg.MinFree+int64(need) {
		return fmt.Errorf("%w: %d MiB free on the file system", monitor.ErrStreamFull, free>>20)
	}
	return nil
}

// afterFailure opens the store again and finds out whether the batch is in
// it. At most one message was being written when the store failed, and it
// refused all later ones: so it is the last message or it is not stored.
func (b *Bus) afterFailure(ctx context.Context, broken *link, id string, payload []byte, cause error) (uint64, bool, error) {
	l, err := b.reopen(ctx, broken)
	if err != nil {
		return 0, false, fmt.Errorf("append: %w", errors.Join(cause, err))
	}
	last, err := l.recs.GetLastMsgForSubject(ctx, subjectRecords)
	switch {
	case err == nil && last.Header.Get(nats.MsgIdHdr) == id:
		return last.Sequence, false, nil
	case err != nil && !errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, false, fmt.Errorf("append: %w", errors.Join(cause, err))
	case noSpace(cause):
		return 0, false, fmt.Errorf("append: %w: %w", monitor.ErrStreamFull, cause)
	}
	ack, err := b.publish(ctx, l, subjectRecords, id, payload)
	if err != nil {
		return 0, false, fmt.Errorf("append: %w", errors.Join(cause, err))
	}
	return ack.Sequence, ack.Duplicate, nil
}

// publish sends a message and waits until it is stored. errStore: it was
// perhaps not stored and the store takes no more.
func (b *Bus) publish(ctx context.Context, l *link, subject, id string, payload []byte) (*jetstream.PubAck, error) {
	msg := nats.NewMsg(subject)
	msg.Data = payload
	if id != "" {
		msg.Header.Set(nats.MsgIdHdr, id)
	}
	future, err := l.js.PublishMsgAsync(msg)
	if err != nil {
		return nil, b.linkError(l, err)
	}
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	end := time.NewTimer(answerWithin)
	defer end.Stop()
	for {
		select {
		case ack := <-future.Ok():
			return ack, nil
		case err := <-future.Err():
			return nil, publishError(err)
		case <-probe.C:
			if err := b.linkError(l, nil); err != nil {
				return nil, err
			}
		case <-end.C:
			return nil, fmt.Errorf("no answer after %v", answerWithin)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.stop:
			return nil, ErrClosed
		}
	}
}

// linkError wraps err with errStore when the store is ours and has failed.
func (b *Bus) linkError(l *link, err error) error {
	if l.srv == nil {
		return err
	}
	if l.pub.IsClosed() {
		return fmt.Errorf("%w: connection closed", errStore)
	}
	if bad := storeHealth(l.srv); bad != nil {
		return fmt.Errorf("%w: %w", errStore, bad)
	}
	return err
}

// publishError maps the server's refusal.
func publishError(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode {
	case codeStoreFailed:
		if strings.Contains(api.Description, "maximum bytes") {
			return fmt.Errorf("%w: %w", monitor.ErrStreamFull, err)
		}
	case codeStorageExceeded, codeAccountExceeded, codeNoResources:
		return fmt.Errorf("%w: %w", monitor.ErrStreamFull, err)
	}
	return err
}
