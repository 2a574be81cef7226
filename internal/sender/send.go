package sender

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aspis-platform/aspis/internal/replay"
)

// Progress is how far a file is sent. The counts include earlier runs.
type Progress struct {
	Records   int64 // dealt with
	Bytes     int64 // of those records, line ends included
	Accepted  int64
	Duplicate int64
	Rejected  int64
}

// Rejected is a record that the door did not take. It is kept in the member's
// dead letters at the centre, except where Reason is [ReasonTooLarge].
type Rejected struct {
	File   string // with the names inside archives after "!"
	Line   int    // of File that the record begins at, from 1
	Reason string // the door's word for it
	Text   string // the door's wording for people; may be empty
}

// ReasonTooLarge is given for a record that the door refuses to read at all.
const ReasonTooLarge = "too_large"

// Options of sending a file.
type Options struct {
	// StateDir keeps the progress; by default it is kept beside the file.
	StateDir string
	// Again sends the file from its beginning whatever was sent before.
	Again bool
	// Read bounds what is read.
	Read replay.Options
	// Progress and Rejected are told as it happens, Problem of parts of the
	// file that cannot be read and are passed over; each from one goroutine
	// at a time. They may be nil.
	Progress func(Progress)
	Rejected func(Rejected)
	Problem  func(error)
}

// SendFile sends the records of a file and returns when all are accepted,
// rejected or known. When ctx ends or the door refuses for good it returns
// the error and how far it came; the next call goes on from there.
func (c *Client) SendFile(ctx context.Context, path string, opt Options) (Progress, error) {
	at, err := statePath(path, opt.StateDir)
	if err != nil {
		return Progress{}, err
	}
	st, err := c.stateFor(path, at, opt.Again)
	if err != nil {
		return Progress{}, err
	}
	r := &run{client: c, opt: opt, state: st, at: at}
	if st.Done {
		return r.progress(), nil
	}
	src := openFile(path, opt)
	defer src.stop()
	err = r.send(ctx, src)
	return r.progress(), err
}

// fileSource reads a recording and passes over what cannot be read of it.
type fileSource struct {
	pull    func() (replay.Record, error, bool)
	stop    func()
	problem func(error)
}

func openFile(path string, opt Options) *fileSource {
	pull, stop := iter.Pull2(replay.Open([]string{path}, opt.Read))
	return &fileSource{pull: pull, stop: stop, problem: opt.Problem}
}

// Next implements source.
func (f *fileSource) Next() (replay.Record, error) {
	for {
		rec, err, ok := f.pull()
		switch {
		case !ok:
			return replay.Record{}, io.EOF
		case err == nil:
			return rec, nil
		case f.problem != nil:
			f.problem(err)
		}
	}
}

func (c *Client) stateFor(path, at string, again bool) (*state, error) {
	if !again {
		if st, err := loadState(path, at); st != nil || err != nil {
			return st, err
		}
	}
	return newState(path, c.cfg.BatchLines, c.cfg.BatchBytes)
}

// run is one file on its way.
type run struct {
	client *Client
	opt    Options
	at     string // the state's file
	window chan struct{}

	mu    sync.Mutex
	state *state
	open  []*pending // batches under way or waiting for an earlier one, in order
	saved time.Time
}

// pending is a batch whose outcome is not yet in the state.
type pending struct {
	batch  *batch
	done   bool
	answer Answer
}

// saveEvery bounds how much a killed run sends again (the door knows it).
const saveEvery = 500 * time.Millisecond

func (r *run) send(ctx context.Context, src source) error {
	b := &batcher{src: src, maxLines: r.state.BatchLines, maxBytes: r.state.BatchBytes}
	if err := b.skip(r.state.Records); err != nil {
		return err
	}
	if err := r.state.save(r.at); err != nil {
		return err // better now than after an hour
	}
	err := r.sendBatches(ctx, b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Done = err == nil
	if err == nil {
		r.state.Records = b.position // blank lines at the end
	}
	return errors.Join(err, r.state.save(r.at))
}

func (r *run) sendBatches(ctx context.Context, b *batcher) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.client.cfg.Concurrency + 1) // the one that reads, and those that send
	r.window = make(chan struct{}, 8*r.client.cfg.Concurrency)
	group.Go(func() error {
		for {
			next, err := b.next()
			if next == nil || err != nil {
				return err
			}
			p, err := r.begin(ctx, next)
			if err != nil {
				return err
			}
			group.Go(func() error { return r.deliver(ctx, p) })
		}
	})
	return group.Wait()
}

// begin enters a batch among those under way. It waits while the window is
// full: batches that are done pile up behind one that is not.
func (r *run) begin(ctx context.Context, b *batch) (*pending, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r.window <- struct{}{}:
	}
	p := &pending{batch: b}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, p)
	return p, nil
}

func (r *run) deliver(ctx context.Context, p *pending) error {
	answer, err := r.post(ctx, p.batch)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p.done, p.answer = true, answer
	return r.settle()
}

// post sends a batch, in smaller pieces where the door finds it too large.
func (r *run) post(ctx context.Context, b *batch) (Answer, error) {
	answer, err := r.client.Post(ctx, b.key(r.state.identity()), b.lines)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusRequestEntityTooLarge {
		return answer, err
	}
	if len(b.numbers) == 1 {
		return Answer{Rejected: []RejectLine{{Line: 1, Reason: ReasonTooLarge}}}, nil
	}
	first, second := b.halves()
	one, err := r.post(ctx, first)
	if err != nil {
		return Answer{}, err
	}
	two, err := r.post(ctx, second)
	if err != nil {
		return Answer{}, err
	}
	return joinAnswers(one, two, len(first.numbers)), nil
}

func joinAnswers(one, two Answer, lines int) Answer {
	one.Accepted += two.Accepted
	one.Duplicate += two.Duplicate
	for _, line := range two.Rejected {
		one.Rejected = append(one.Rejected, RejectLine{Line: line.Line + lines, Reason: line.Reason, Text: line.Text})
	}
	return one
}

// settle moves finished batches, as far as they follow on each other, into
// the state. The caller holds mu.
func (r *run) settle() error {
	moved := false
	for len(r.open) > 0 && r.open[0].done {
		r.count(r.open[0])
		r.open = r.open[1:]
		<-r.window
		moved = true
	}
	if !moved {
		return nil
	}
	if r.opt.Progress != nil {
		r.opt.Progress(r.reached())
	}
	if time.Since(r.saved) < saveEvery {
		return nil
	}
	r.saved = time.Now()
	return r.state.save(r.at)
}

func (r *run) count(p *pending) {
	s := r.state
	s.Records = p.batch.upTo
	s.Bytes += int64(len(p.batch.lines))
	s.Accepted += int64(p.answer.Accepted)
	s.Duplicate += int64(p.answer.Duplicate)
	s.Rejected += int64(len(p.answer.Rejected))
	if r.opt.Rejected == nil {
		return
	}
	for _, line := range p.answer.Rejected {
		if line.Line >= 1 && line.Line <= len(p.batch.places) {
			at := p.batch.places[line.Line-1]
			r.opt.Rejected(Rejected{File: at.file, Line: at.line, Reason: oneLine(line.Reason), Text: oneLine(line.Text)})
		}
	}
}

func (r *run) progress() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reached()
}

func (r *run) reached() Progress {
	s := r.state
	return Progress{Records: s.Records, Bytes: s.Bytes, Accepted: s.Accepted, Duplicate: s.Duplicate, Rejected: s.Rejected}
}
