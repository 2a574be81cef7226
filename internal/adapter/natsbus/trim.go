package natsbus

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// batchID is a batch's id in bytes.
type batchID [16]byte

// trimmedIDs remembers the ids of batches that were trimmed within the
// window, which the server forgets when it is started again.
type trimmedIDs struct {
	mu  sync.Mutex
	ids map[batchID]trimmedID
}

type trimmedID struct {
	seq   uint64
	until time.Time
}

func (t *trimmedIDs) find(id string, now time.Time) (uint64, bool) {
	var key batchID
	if _, err := hex.Decode(key[:], []byte(id)); err != nil {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.ids[key]
	return e.seq, ok && now.Before(e.until)
}

func (t *trimmedIDs) add(id batchID, e trimmedID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids == nil {
		t.ids = map[batchID]trimmedID{}
	}
	t.ids[id] = e
}

func (t *trimmedIDs) expire(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, e := range t.ids {
		if !now.Before(e.until) {
			delete(t.ids, id)
		}
	}
}

// Trim implements [monitor.Stream]. The ids of what it forgets are on disk
// before it forgets.
func (b *Bus) Trim(ctx context.Context, seq uint64) error {
	b.trims.Lock()
	defer b.trims.Unlock()
	l, err := b.current(ctx)
	if err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	err = b.trim(ctx, l, seq)
	if errors.Is(err, errStore) {
		if l, err = b.reopen(ctx, l); err == nil {
			err = b.trim(ctx, l, seq)
		}
	}
	if err != nil {
		return fmt.Errorf("trim to %d: %w", seq, err)
	}
	return nil
}

func (b *Bus) trim(ctx context.Context, l *link, seq uint64) error {
	s, err := l.state(ctx)
	if err != nil {
		return err
	}
	seq = min(seq, s.Last)
	if seq < s.First {
		return nil
	}
	b.known.expire(time.Now())
	if err := b.keepIDs(ctx, l, seq); err != nil {
		return err
	}
	for to := s.First; to <= seq; {
		to = min(to+purgeStep, seq+1)
		if err := purge(ctx, l, to); err != nil {
			return fmt.Errorf("purge: %w", err)
		}
	}
	return nil
}

// purge forgets what is before a position. The library allows 5 s where ctx
// has no end, which a slow disk can exceed.
func purge(ctx context.Context, l *link, before uint64) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return l.recs.Purge(ctx, jetstream.WithPurgeSequence(before))
}

// purgeStep bounds how long appends wait behind one purge.
const purgeStep = 4096

// keptEntry is an id, its position, and when it was stored in microseconds.
const (
	keptEntry   = 16 + 8 + 8
	keptPerNote = 8192
)

// keepIDs writes down the ids up to seq that are within the window.
func (b *Bus) keepIDs(ctx context.Context, l *link, seq uint64) error {
	note := make([]byte, 0, 1024)
	flush := func() error {
		if len(note) == 0 {
			return nil
		}
		if _, err := b.publish(ctx, l, subjectTrimmed, "", note); err != nil {
			return fmt.Errorf("note ids: %w", err)
		}
		b.learn(note)
		note = make([]byte, 0, 1024)
		return nil
	}
	err := b.eachHeader(ctx, l, seq, func(id batchID, at uint64, stored time.Time) error {
		note = append(note, id[:]...)
		note = binary.LittleEndian.AppendUint64(note, at)
		note = binary.LittleEndian.AppendUint64(note, uint64(stored.UnixMicro()))
		if len(note) == keptPerNote*keptEntry {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// learn puts a note's ids into memory.
func (b *Bus) learn(note []byte) {
	for ; len(note) >= keptEntry; note = note[keptEntry:] {
		stored := time.UnixMicro(int64(binary.LittleEndian.Uint64(note[24:])))
		b.known.add(batchID(note[:16]), trimmedID{
			seq:   binary.LittleEndian.Uint64(note[16:]),
			until: stored.Add(b.cfg.Window),
		})
	}
}

// eachHeader calls f with the id, position and time of every message up to
// seq that is within the window, without fetching payloads.
func (b *Bus) eachHeader(ctx context.Context, l *link, seq uint64, f func(batchID, uint64, time.Time) error) error {
	since := time.Now().Add(-b.cfg.Window)
	consumer, err := l.recs.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since, HeadersOnly: true,
	})
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	msgs, err := consumer.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	defer msgs.Stop()
	if info := consumer.CachedInfo(); info == nil || info.NumPending == 0 {
		return nil
	}
	for {
		msg, err := msgs.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("headers: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("headers: %w", err)
		}
		if meta.Sequence.Stream > seq {
			return nil
		}
		var id batchID
		if _, err := hex.Decode(id[:], []byte(msg.Headers().Get(nats.MsgIdHdr))); err != nil {
			return fmt.Errorf("id of batch %d: %w", meta.Sequence.Stream, err)
		}
		if err := f(id, meta.Sequence.Stream, meta.Timestamp); err != nil {
			return err
		}
		if meta.Sequence.Stream == seq || meta.NumPending == 0 {
			return nil
		}
	}
}

// loadTrimmed reads the notes of earlier runs.
func (b *Bus) loadTrimmed(ctx context.Context) error {
	notes, err := b.link.js.Stream(ctx, streamTrimmed)
	if err != nil {
		return fmt.Errorf("trimmed ids: %w", err)
	}
	info, err := notes.Info(ctx)
	if err != nil {
		return fmt.Errorf("trimmed ids: %w", err)
	}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && seq > 0; seq++ {
		msg, err := notes.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // expired since
		}
		if err != nil {
			return fmt.Errorf("trimmed ids: %w", err)
		}
		b.learn(msg.Data)
	}
	b.known.expire(time.Now())
	return nil
}
