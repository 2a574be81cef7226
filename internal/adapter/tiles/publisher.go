package tiles

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// Rows are the entries in the database, which are there first.
type Rows interface {
	// LedgerAfter returns at most limit entries behind a number, in order.
	LedgerAfter(ctx context.Context, seq int64, limit int) ([]ledger.Stored, error)
	// LedgerEnd is the number of the last entry, 0 for none.
	LedgerEnd(ctx context.Context) (int64, error)
}

// State is how far the log has come.
type State struct {
	Rows      int64     // entries in the database
	Published int64     // entries under the newest checkpoint
	At        time.Time // when that was signed; zero before the first
	Asked     int       // witnesses that are configured
	Witnessed int       // witnesses that have signed the newest checkpoint
	Err       error     // why it does not go on; nil while it does
}

// Behind is how many entries no checkpoint covers yet.
func (s State) Behind() int64 { return max(0, s.Rows-s.Published) }

// Publisher copies the rows into the log, in order, each exactly once: what is
// in the log already is told by the log itself, and an entry's place by its
// number.
type Publisher struct {
	log   *Log
	rows  Rows
	blind ledger.Blinder
	out   *slog.Logger
	now   func() time.Time
	batch int

	asked time.Time // when the witnesses were asked last

	mu    sync.Mutex
	state State
}

// batchSize is what Tessera integrates at once, less one bundle that may be
// partial at the front.
const batchSize = 299 * 256

// NewPublisher returns a publisher that Run starts.
func NewPublisher(log *Log, rows Rows, blind ledger.Blinder, out *slog.Logger) *Publisher {
	return &Publisher{log: log, rows: rows, blind: blind, out: out, now: time.Now, batch: batchSize,
		state: State{Asked: len(log.cosigns)}}
}

// State is how far the log has come.
func (p *Publisher) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

const (
	pollEvery  = time.Second
	retryAfter = 10 * time.Second
	askAgain   = time.Minute // witnesses that were not there
)

// Run publishes until ctx is done. What goes wrong is in the State and logged
// once; the centre does not stop for it.
func (p *Publisher) Run(ctx context.Context) error {
	last := ""
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		more, err := p.Step(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to stop
		}
		p.set(func(s *State) { s.Err = err })
		text := fmt.Sprint(err)
		if err != nil && text != last {
			p.out.ErrorContext(ctx, "the ledger's log does not go on", slog.Any("error", err))
		}
		last = text
		switch {
		case err != nil:
			wait = retryAfter
		case more:
			wait = 0
		default:
			wait = pollEvery
		}
	}
}

func (p *Publisher) set(change func(*State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
}

// Step integrates and signs at most one batch and reports whether there may
// be more.
func (p *Publisher) Step(ctx context.Context) (more bool, err error) {
	end, err := p.rows.LedgerEnd(ctx)
	if err != nil {
		return false, err
	}
	size, err := p.log.Size(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrChanged, err)
	}
	cp, raw, err := p.log.Checkpoint(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrChanged, err)
	}
	p.set(func(s *State) { s.Rows, s.Published, s.Witnessed = end, int64(cp.Size), len(cp.Witnesses) })
	if uint64(end) < size || cp.Size > size {
		return false, fmt.Errorf("%w: the checkpoint covers %d entries, the tree has %d, the database %d", ErrChanged, cp.Size, size, end)
	}
	if uint64(end) == size && cp.Size == size && raw != nil {
		return false, p.askWitnesses(ctx, cp)
	}
	rows, err := p.next(ctx, size)
	if err != nil {
		return false, err
	}
	return len(rows) == p.batch, p.integrate(ctx, size, cp.Size, rows)
}

// next are the rows behind the tree's size, once they and the last one in the
// tree have proved to be what they were when they were written.
func (p *Publisher) next(ctx context.Context, size uint64) ([]ledger.Stored, error) {
	limit, from := p.batch, int64(size)
	if size > 0 {
		limit, from = limit+1, from-1
	}
	rows, err := p.rows.LedgerAfter(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	hash := ""
	if size > 0 {
		if len(rows) == 0 || rows[0].Seq != int64(size) {
			return nil, fmt.Errorf("%w: entry %d is not in the database", ErrChanged, size)
		}
		in, err := p.log.LeafAt(ctx, size-1, size)
		if err != nil {
			return nil, err
		}
		if leaf := p.blind.Leaf(rows[0]); string(leaf[:]) != string(in) {
			return nil, fmt.Errorf("%w: entry %d", ErrChanged, size)
		}
		hash, rows = rows[0].Hash, rows[1:]
	}
	for i, r := range rows {
		if r.Seq != int64(size)+int64(i)+1 || r.Hash != ledger.Chain(hash, r.Seq, r.At, r.Entry) {
			return nil, fmt.Errorf("%w: entry %d", ErrChanged, int64(size)+int64(i)+1)
		}
		hash = r.Hash
	}
	return rows, nil
}

// integrate puts the rows behind the tree and signs it. After a crash between
// the two there may be no rows left to put.
func (p *Publisher) integrate(ctx context.Context, size, published uint64, rows []ledger.Stored) error {
	leaves := make([][]byte, len(rows))
	for i, r := range rows {
		leaf := p.blind.Leaf(r)
		leaves[i] = leaf[:]
	}
	var root []byte
	var err error
	if len(leaves) > 0 {
		root, err = p.log.Append(ctx, size, leaves)
	} else {
		root, err = p.root(ctx, size)
	}
	if err != nil {
		return err
	}
	size += uint64(len(leaves))
	if err := p.publish(ctx, size, root); err != nil {
		return err
	}
	return p.log.Tidy(published, size)
}

func (p *Publisher) root(ctx context.Context, size uint64) ([]byte, error) {
	tree, err := p.log.frontier(ctx, size)
	if err != nil {
		return nil, err
	}
	return rootOf(tree)
}

func (p *Publisher) publish(ctx context.Context, size uint64, root []byte) error {
	p.asked = p.now()
	n, err := p.log.Publish(ctx, size, root)
	if err != nil {
		return err
	}
	p.set(func(s *State) { s.Published, s.At, s.Witnessed = int64(size), p.now().UTC(), n })
	return nil
}

// askWitnesses signs the newest checkpoint again, so that witnesses that were
// not there can.
func (p *Publisher) askWitnesses(ctx context.Context, cp ledger.Checkpoint) error {
	if len(cp.Witnesses) == len(p.log.cosigns) || p.now().Sub(p.asked) < askAgain || cp.Size == 0 {
		return nil
	}
	return p.publish(ctx, cp.Size, cp.Root)
}
