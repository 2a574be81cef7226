package monitor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// decoded is one batch with its records read.
type decoded struct {
	prev  uint64 // position it follows
	seq   uint64
	items []item
	mark  BatchMark
	tick  bool // no records; see Batch.Tick
	bytes int
	reads int // by how many workers; guarded by feed.mu
}

// chunk is what a worker works on at once: batches in a row.
type chunk struct {
	upTo    uint64
	batches []*decoded
	records int
}

func (c *chunk) add(d *decoded) {
	c.batches = append(c.batches, d)
	c.records += len(d.items)
	c.upTo = d.seq
}

// items calls f for every record in order.
func (c *chunk) each(f func(*item)) {
	for _, d := range c.batches {
		for i := range d.items {
			f(&d.items[i])
		}
	}
}

const (
	feedBatches = 64       // read from the stream at once
	feedBytes   = 16 << 20 // of raw records kept decoded; decoded they take several times that
	feedWorkers = 2        // how many workers share a batch
)

// feed reads the stream and decodes each batch once for all workers that go
// in step. A worker that lags reads for itself.
type feed struct {
	stream  Stream
	records int // a chunk ends when it holds this many

	ahead   atomic.Int64 // batches to read at once
	mu      sync.Mutex
	cached  map[uint64]*decoded // by prev
	order   []uint64
	bytes   int
	reading map[uint64]chan struct{}
}

func newFeed(s Stream, records int) *feed {
	f := &feed{stream: s, records: records, cached: map[uint64]*decoded{}, reading: map[uint64]chan struct{}{}}
	f.ahead.Store(8)
	return f
}

// next returns the batches after a position; it blocks until there is one.
func (f *feed) next(ctx context.Context, after uint64) (*chunk, error) {
	for {
		c, wait := f.take(after)
		if c != nil {
			return c, nil
		}
		if wait == nil {
			return f.fetch(ctx, after)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns what is decoded after the position; else what to wait for;
// else it is the caller's turn to fetch.
func (f *feed) take(after uint64) (*chunk, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var c chunk
	for at := after; c.records < f.records; {
		d := f.cached[at]
		if d == nil {
			break
		}
		c.add(d)
		at = d.seq
		if d.reads++; d.reads >= feedWorkers {
			f.forget(d.prev)
		}
	}
	if len(c.batches) > 0 {
		return &c, nil
	}
	if wait := f.reading[after]; wait != nil {
		return nil, wait
	}
	f.reading[after] = make(chan struct{})
	return nil, nil
}

// fetch reads on from a position, keeps what was read for the others and
// returns the caller's share.
func (f *feed) fetch(ctx context.Context, after uint64) (*chunk, error) {
	batches, err := f.stream.Read(ctx, after, int(f.ahead.Load()))
	var list []*decoded
	if err == nil {
		list = decodeAll(after, batches)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.reading[after])
	delete(f.reading, after)
	if err != nil {
		return nil, err
	}
	var c chunk
	total := 0
	for _, d := range list {
		if c.records < f.records {
			c.add(d)
			d.reads = 1
		}
		f.keep(d)
		total += d.bytes
	}
	f.pace(total, len(list))
	return &c, nil
}

// pace reads fewer batches at once when they are large.
func (f *feed) pace(bytes, batches int) {
	if batches > 0 {
		f.ahead.Store(int64(min(feedBatches, max(2, feedBytes/2/max(bytes/batches, 1)))))
	}
}

func (f *feed) keep(d *decoded) {
	if f.cached[d.prev] != nil {
		return
	}
	for f.bytes+d.bytes > feedBytes && len(f.order) > 0 {
		f.forget(f.order[0])
	}
	f.cached[d.prev] = d
	f.order = append(f.order, d.prev)
	f.bytes += d.bytes
}

func (f *feed) forget(prev uint64) {
	for i, p := range f.order {
		if p == prev {
			f.order = append(f.order[:i], f.order[i+1:]...)
			break
		}
	}
	if d := f.cached[prev]; d != nil {
		f.bytes -= d.bytes
		delete(f.cached, prev)
	}
}

// decodeAll reads the records of all batches, in parallel over records.
func decodeAll(after uint64, batches []Positioned) []*decoded {
	list := make([]*decoded, len(batches))
	var jobs []job
	for i := range batches {
		b := &batches[i]
		d := &decoded{
			prev: after, seq: b.Seq, items: make([]item, len(b.Lines)), tick: b.Tick(),
			mark: BatchMark{ID: b.ID, Member: b.Member, Accepted: len(b.Lines), Received: b.Received},
		}
		for j, line := range b.Lines {
			d.bytes += len(line)
			jobs = append(jobs, job{b, d, j})
		}
		list[i], after = d, b.Seq
	}
	inParallel(len(jobs), func(_, i int) {
		x := jobs[i]
		x.into.items[x.line] = normalise(x.from, x.line)
	})
	return list
}

type job struct {
	from *Positioned
	into *decoded
	line int
}

// inParallel calls f(worker, i) for every i below n on as many goroutines as
// there are processors, and returns when all are done. worker is below
// GOMAXPROCS and never used by two goroutines at once.
func inParallel(n int, f func(worker, i int)) {
	const step = 32
	workers := min(runtime.GOMAXPROCS(0), (n+step-1)/step)
	if workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for {
				from := int(next.Add(step)) - step
				for i := from; i < min(from+step, n); i++ {
					f(w, i)
				}
				if from >= n {
					return
				}
				// The door's goroutines run for microseconds at a time and
				// must not wait for this one's whole time slice.
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}
