// Package monitortest holds the conformance suites of the ports in monitor.
// Every engine behind a port runs them.
package monitortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// StreamSettings is what a stream is opened with.
type StreamSettings struct {
	Dir      string // kept over a reopening
	MaxBytes int64  // zero: plenty
}

// ClosableStream is an open stream.
type ClosableStream interface {
	monitor.Stream
	io.Closer
}

// OpenStream opens a stream over settings.Dir, again and again. Its duplicate
// window is at least ten minutes.
type OpenStream func(t *testing.T, settings StreamSettings) ClosableStream

// TestStream checks that an engine keeps the contract of [monitor.Stream].
func TestStream(t *testing.T, open OpenStream) {
	cases := []struct {
		name string
		run  func(*testing.T, *streamSuite)
	}{
		{"empty", streamEmpty},
		{"keeps what it was given", streamRoundTrip},
		{"order", streamOrder},
		{"concurrent appends", streamConcurrent},
		{"duplicate", streamDuplicate},
		{"concurrent duplicates", streamConcurrentDuplicates},
		{"duplicate after trim and reopening", streamDuplicateTrimmed},
		{"read blocks", streamReadBlocks},
		{"read ends with its context", streamReadContext},
		{"read bounds", streamReadBounds},
		{"trim", streamTrim},
		{"trim all", streamTrimAll},
		{"positions are not reused", streamNoReuse},
		{"full", streamFull},
		{"refuses", streamRefuses},
		{"large batch", streamLarge},
		{"close ends reads", streamClose},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			s := &streamSuite{ctx: ctx, open: open, settings: StreamSettings{Dir: t.TempDir()}}
			c.run(t, s)
		})
	}
}

// streamSuite is one case's stream.
type streamSuite struct {
	ctx      context.Context
	open     OpenStream
	settings StreamSettings
	ClosableStream
}

func (s *streamSuite) start(t *testing.T) {
	t.Helper()
	s.ClosableStream = s.open(t, s.settings)
	opened := s.ClosableStream
	t.Cleanup(func() { _ = opened.Close() }) // closed already where a case reopens
}

func (s *streamSuite) reopen(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	s.start(t)
}

func (s *streamSuite) mustAppend(t *testing.T, b monitor.Batch) uint64 {
	t.Helper()
	seq, dup, err := s.Append(s.ctx, b)
	if err != nil || dup {
		t.Fatalf("Append(%s) = %d, %v, %v", b.ID, seq, dup, err)
	}
	return seq
}

func (s *streamSuite) mustState(t *testing.T) monitor.StreamState {
	t.Helper()
	state, err := s.State(s.ctx)
	if err != nil {
		t.Fatalf("State: %v", err)
	}
	return state
}

// readAll reads n batches after a position.
func (s *streamSuite) readAll(t *testing.T, after uint64, n int) []monitor.Positioned {
	t.Helper()
	var all []monitor.Positioned
	for len(all) < n {
		got, err := s.Read(s.ctx, after, n)
		if err != nil {
			t.Fatalf("Read(%d): %v after %d of %d batches", after, err, len(all), n)
		}
		if len(got) == 0 || len(got) > n {
			t.Fatalf("Read(%d, max %d) gave %d batches", after, n, len(got))
		}
		all = append(all, got...)
		after = got[len(got)-1].Seq
	}
	return all
}

// NewBatch makes a synthetic batch whose id is made from n.
func NewBatch(n, lines int) monitor.Batch {
	b := monitor.Batch{
		ID:       fmt.Sprintf("%032x", n),
		Member:   sector.MemberID(fmt.Sprintf("bank-%d", n%7)),
		Received: time.UnixMicro(1_790_000_000_000_000 + int64(n)).UTC(),
	}
	for i := range lines {
		b.Lines = append(b.Lines, fmt.Appendf(nil, `{"n":%d,"line":%d,"message":"合成的測試紀錄 synthetic"}`, n, i))
		b.Numbers = append(b.Numbers, 2*i+1)
	}
	return b
}

func sameBatch(t *testing.T, got, want monitor.Batch) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("batch %s differs (-want +got):\n%s", want.ID, diff)
	}
}

func streamEmpty(t *testing.T, s *streamSuite) {
	s.start(t)
	if st := s.mustState(t); st.First <= st.Last || st.Last != 0 {
		t.Errorf("state of a new stream: %+v", st)
	}
	if err := s.Trim(s.ctx, 5); err != nil {
		t.Errorf("Trim of nothing: %v", err)
	}
	if seq := s.mustAppend(t, NewBatch(1, 1)); seq != 1 {
		t.Errorf("first position is %d", seq)
	}
}

func streamRoundTrip(t *testing.T, s *streamSuite) {
	s.start(t)
	b := monitor.Batch{
		ID: "00112233445566778899aabbccddeeff", Member: "first-bank",
		Received: time.Date(2026, 3, 1, 23, 59, 59, 123456000, time.UTC),
		Lines: [][]byte{
			[]byte(`{"a":1}`), {}, []byte("tab\tand \r inside"), []byte("銀行"), {0, 0xff, 0xfe},
			bytes.Repeat([]byte("x"), 100_000), []byte(`{"a":1}`),
		},
		Numbers: []int{1, 2, 3, 7, 8, 1000, 1_000_000},
	}
	tick := monitor.Batch{ID: "ffeeddccbbaa99887766554433221100", Received: b.Received.Add(time.Hour), Lines: [][]byte{}, Numbers: []int{}}
	s.mustAppend(t, b)
	s.mustAppend(t, tick)
	for range 2 {
		got := s.readAll(t, 0, 2)
		sameBatch(t, got[0].Batch, b)
		sameBatch(t, got[1].Batch, tick)
		s.reopen(t)
	}
}

func streamOrder(t *testing.T, s *streamSuite) {
	s.start(t)
	const n = 60
	for i := range n {
		if i == n/2 {
			s.reopen(t)
		}
		if seq := s.mustAppend(t, NewBatch(i, 1+i%5)); seq != uint64(i+1) {
			t.Fatalf("batch %d is at %d", i, seq)
		}
	}
	for _, from := range []int{0, 1, n / 2, n - 1} {
		for i, p := range s.readAll(t, uint64(from), n-from) {
			if p.Seq != uint64(from+i+1) {
				t.Fatalf("position %d, want %d", p.Seq, from+i+1)
			}
			sameBatch(t, p.Batch, NewBatch(from+i, 1+(from+i)%5))
		}
	}
}

func streamConcurrent(t *testing.T, s *streamSuite) {
	s.start(t)
	const callers, each = 8, 20
	at := make([]uint64, callers*each)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				seq, dup, err := s.Append(s.ctx, NewBatch(c*each+i, 3))
				if err != nil || dup {
					t.Errorf("Append: %v, %v", dup, err)
				}
				at[c*each+i] = seq
			}
		})
	}
	wg.Wait()
	for _, p := range s.readAll(t, 0, callers*each) {
		i := slices.Index(at, p.Seq)
		if i < 0 {
			t.Fatalf("position %d was returned by no Append", p.Seq)
		}
		sameBatch(t, p.Batch, NewBatch(i, 3))
		at[i] = 0
	}
}

func streamDuplicate(t *testing.T, s *streamSuite) {
	s.start(t)
	for i := range 3 {
		s.mustAppend(t, NewBatch(i, 2))
	}
	again := func() {
		t.Helper()
		seq, dup, err := s.Append(s.ctx, NewBatch(1, 2))
		if err != nil || !dup || seq != 2 {
			t.Errorf("second Append = %d, %v, %v; want 2, true", seq, dup, err)
		}
		if st := s.mustState(t); st.Last != 3 {
			t.Errorf("state after a duplicate: %+v", st)
		}
	}
	again()
	s.reopen(t)
	again()
}

func streamConcurrentDuplicates(t *testing.T, s *streamSuite) {
	s.start(t)
	const callers = 8
	fresh := make([]bool, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			seq, dup, err := s.Append(s.ctx, NewBatch(1, 100))
			if err != nil || seq != 1 {
				t.Errorf("Append = %d, %v", seq, err)
			}
			fresh[c] = !dup
		})
	}
	wg.Wait()
	n := 0
	for _, f := range fresh {
		if f {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of %d appends of one batch were not duplicates", n, callers)
	}
}

func streamDuplicateTrimmed(t *testing.T, s *streamSuite) {
	s.start(t)
	const n = 20
	for i := range n {
		s.mustAppend(t, NewBatch(i, 2))
	}
	for _, to := range []uint64{7, n} {
		if err := s.Trim(s.ctx, to); err != nil {
			t.Fatalf("Trim(%d): %v", to, err)
		}
	}
	for range 2 {
		for i := range n {
			seq, dup, err := s.Append(s.ctx, NewBatch(i, 2))
			if err != nil || !dup || seq != uint64(i+1) {
				t.Errorf("Append of trimmed batch %d = %d, %v, %v", i, seq, dup, err)
			}
		}
		s.reopen(t)
	}
}

func streamReadBlocks(t *testing.T, s *streamSuite) {
	s.start(t)
	s.mustAppend(t, NewBatch(0, 1))
	got := make(chan []monitor.Positioned, 1)
	go func() {
		ps, err := s.Read(s.ctx, 1, 10)
		if err != nil {
			t.Errorf("Read: %v", err)
		}
		got <- ps
	}()
	select {
	case ps := <-got:
		t.Fatalf("Read returned %d batches that are not there", len(ps))
	case <-time.After(100 * time.Millisecond):
	}
	s.mustAppend(t, NewBatch(1, 1))
	select {
	case ps := <-got:
		if len(ps) != 1 || ps[0].Seq != 2 {
			t.Errorf("Read gave %+v", ps)
		}
	case <-time.After(2 * time.Second):
		t.Error("Read was not woken within 2 s")
	}
}

func streamReadContext(t *testing.T, s *streamSuite) {
	s.start(t)
	ctx, cancel := context.WithTimeout(s.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := s.Read(ctx, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read of an empty stream: %v", err)
	}
}

func streamReadBounds(t *testing.T, s *streamSuite) {
	s.start(t)
	for i := range 10 {
		s.mustAppend(t, NewBatch(i, 1))
	}
	got, err := s.Read(s.ctx, 4, 3)
	if err != nil || len(got) != 3 || got[0].Seq != 5 || got[2].Seq != 7 {
		t.Errorf("Read(4, 3) = %d batches, %v", len(got), err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Second)
	defer cancel()
	if _, err := s.Read(ctx, 99, 1); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read from beyond the end: %v, want an error at once", err)
	}
}

func streamTrim(t *testing.T, s *streamSuite) {
	s.start(t)
	for i := range 10 {
		s.mustAppend(t, NewBatch(i, 2))
	}
	before := s.mustState(t)
	for range 2 {
		if err := s.Trim(s.ctx, 4); err != nil {
			t.Fatalf("Trim: %v", err)
		}
	}
	check := func() {
		t.Helper()
		if st := s.mustState(t); st.First != 5 || st.Last != 10 || st.Bytes >= before.Bytes {
			t.Errorf("state after Trim: %+v, before: %+v", st, before)
		}
		for _, after := range []uint64{0, 3} {
			if _, err := s.Read(s.ctx, after, 1); !errors.Is(err, monitor.ErrTrimmed) {
				t.Errorf("Read(%d): %v, want ErrTrimmed", after, err)
			}
		}
		if got := s.readAll(t, 4, 6); got[0].Seq != 5 {
			t.Errorf("first after the trim: %d", got[0].Seq)
		}
	}
	check()
	s.reopen(t)
	check()
	if err := s.Trim(s.ctx, 2); err != nil {
		t.Errorf("Trim of what is gone: %v", err)
	}
}

func streamTrimAll(t *testing.T, s *streamSuite) {
	s.start(t)
	for i := range 3 {
		s.mustAppend(t, NewBatch(i, 2))
	}
	if err := s.Trim(s.ctx, 3); err != nil {
		t.Fatalf("Trim: %v", err)
	}
	if st := s.mustState(t); st.First != 4 || st.Last != 3 {
		t.Errorf("state after trimming all: %+v", st)
	}
	if _, err := s.Read(s.ctx, 1, 1); !errors.Is(err, monitor.ErrTrimmed) {
		t.Errorf("Read of a trimmed position: %v", err)
	}
	s.mustAppend(t, NewBatch(3, 2))
	if got := s.readAll(t, 3, 1); got[0].Seq != 4 {
		t.Errorf("position after trimming all: %d", got[0].Seq)
	}
}

func streamNoReuse(t *testing.T, s *streamSuite) {
	s.start(t)
	for i := range 3 {
		s.mustAppend(t, NewBatch(i, 2))
	}
	if err := s.Trim(s.ctx, 3); err != nil {
		t.Fatalf("Trim: %v", err)
	}
	s.reopen(t)
	if seq := s.mustAppend(t, NewBatch(9, 1)); seq != 4 {
		t.Errorf("position after trimming all and reopening: %d, want 4", seq)
	}
}

// noise makes batches that do not compress.
func noise(n, size int) monitor.Batch {
	b := NewBatch(n, 1)
	line := make([]byte, size)
	x := uint64(n + 1)
	for i := range line {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		line[i] = byte(x >> 32)
	}
	b.Lines[0] = line
	return b
}

func streamFull(t *testing.T, s *streamSuite) {
	s.settings.MaxBytes = 1 << 20
	s.start(t)
	n := 0
	var err error
	for ; n < 100; n++ {
		if _, _, err = s.Append(s.ctx, noise(n, 64<<10)); err != nil {
			break
		}
	}
	if !errors.Is(err, monitor.ErrStreamFull) || n < 8 || n > 17 {
		t.Fatalf("after %d batches of 64 KiB into 1 MiB: %v", n, err)
	}
	if st := s.mustState(t); st.Last != uint64(n) {
		t.Errorf("a refused batch was stored: %+v after %d", st, n)
	}
	if _, dup, err := s.Append(s.ctx, noise(1, 64<<10)); err != nil || !dup {
		t.Errorf("duplicate into a full stream: %v, %v", dup, err)
	}
	if got := s.readAll(t, 0, n); len(got) != n {
		t.Errorf("a full stream gave %d of %d batches", len(got), n)
	}
	if err := s.Trim(s.ctx, 4); err != nil {
		t.Fatalf("Trim: %v", err)
	}
	if seq := s.mustAppend(t, noise(n, 64<<10)); seq != uint64(n+1) {
		t.Errorf("refused batch was appended at %d, want %d", seq, n+1)
	}
}

func streamRefuses(t *testing.T, s *streamSuite) {
	s.start(t)
	cases := map[string]func(*monitor.Batch){
		"no id":            func(b *monitor.Batch) { b.ID = "" },
		"id not hex":       func(b *monitor.Batch) { b.ID = "zz112233445566778899aabbccddeeff" },
		"id too short":     func(b *monitor.Batch) { b.ID = "0011" },
		"no lines":         func(b *monitor.Batch) { b.Lines, b.Numbers = nil, nil },
		"too many lines":   func(b *monitor.Batch) { *b = NewBatch(1, monitor.MaxBatchLines+1) },
		"numbers missing":  func(b *monitor.Batch) { b.Numbers = b.Numbers[:1] },
		"no member":        func(b *monitor.Batch) { b.Member = "" },
		"more than a body": func(b *monitor.Batch) { b.Lines[0] = make([]byte, 64<<20) },
	}
	for name, change := range cases {
		b := NewBatch(1, 2)
		change(&b)
		if _, _, err := s.Append(s.ctx, b); err == nil {
			t.Errorf("%s: appended", name)
		}
	}
	if st := s.mustState(t); st.Last != 0 {
		t.Errorf("state after refusals: %+v", st)
	}
}

func streamLarge(t *testing.T, s *streamSuite) {
	s.start(t)
	b := noise(0, 16<<20)
	s.mustAppend(t, b)
	lines := NewBatch(1, monitor.MaxBatchLines)
	s.mustAppend(t, lines)
	got := s.readAll(t, 0, 2)
	if !bytes.Equal(got[0].Lines[0], b.Lines[0]) {
		t.Error("16 MiB line differs")
	}
	sameBatch(t, got[1].Batch, lines)
}

func streamClose(t *testing.T, s *streamSuite) {
	s.start(t)
	done := make(chan error, 1)
	go func() {
		_, err := s.Read(s.ctx, 0, 1)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	select {
	case err := <-done:
		if err == nil {
			t.Error("Read of a closed stream gave batches")
		}
	case <-time.After(5 * time.Second):
		t.Error("Read goes on after Close")
	}
	if _, _, err := s.Append(s.ctx, NewBatch(1, 1)); err == nil {
		t.Error("a closed stream took a batch")
	}
}
