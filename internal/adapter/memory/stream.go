package memory

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/aspis-platform/aspis/internal/monitor"
)

// Stream is a monitor.Stream.
type Stream struct {
	Faults
	// Capacity bounds the batches held; 0: none.
	Capacity int

	mu      sync.Mutex
	batches []monitor.Positioned // those held, in order
	last    uint64
	ids     map[string]uint64
	wake    chan struct{}
}

var _ monitor.Stream = (*Stream)(nil)

// NewStream returns an empty stream.
func NewStream() *Stream {
	return &Stream{ids: map[string]uint64{}, wake: make(chan struct{})}
}

// Append implements monitor.Stream.
func (s *Stream) Append(_ context.Context, b monitor.Batch) (seq uint64, dup bool, err error) {
	err = s.run("Append", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if seq, dup = s.ids[b.ID]; dup {
			return nil
		}
		if s.Capacity > 0 && len(s.batches) >= s.Capacity {
			return monitor.ErrStreamFull
		}
		s.last++
		seq = s.last
		s.ids[b.ID] = seq
		s.batches = append(s.batches, monitor.Positioned{Seq: seq, Batch: clone(b)})
		close(s.wake)
		s.wake = make(chan struct{})
		return nil
	})
	return seq, dup, err
}

func clone(b monitor.Batch) monitor.Batch {
	lines := make([][]byte, len(b.Lines))
	for i, l := range b.Lines {
		lines[i] = bytes.Clone(l)
	}
	b.Lines, b.Numbers = lines, slices.Clone(b.Numbers)
	return b
}

// Forget empties the duplicate window.
func (s *Stream) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ids)
}

// Read implements monitor.Stream.
func (s *Stream) Read(ctx context.Context, after uint64, most int) ([]monitor.Positioned, error) {
	if err := s.run("Read", func() error { return nil }); err != nil {
		return nil, err
	}
	for {
		s.mu.Lock()
		list, wake, trimmed := s.after(after, most), s.wake, after < s.first()-1
		s.mu.Unlock()
		switch {
		case trimmed:
			return nil, monitor.ErrTrimmed
		case len(list) > 0:
			return list, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Stream) first() uint64 { return s.last - uint64(len(s.batches)) + 1 }

func (s *Stream) after(after uint64, most int) []monitor.Positioned {
	if after < s.first()-1 || after >= s.last {
		return nil
	}
	list := s.batches[after-(s.first()-1):]
	return slices.Clone(list[:min(len(list), most)])
}

// Trim implements monitor.Stream.
func (s *Stream) Trim(_ context.Context, seq uint64) error {
	return s.run("Trim", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if seq = min(seq, s.last); seq >= s.first() {
			s.batches = slices.Clone(s.batches[seq-s.first()+1:])
		}
		return nil
	})
}

// State implements monitor.Stream.
func (s *Stream) State(context.Context) (monitor.StreamState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return monitor.StreamState{First: s.first(), Last: s.last}, nil
}
