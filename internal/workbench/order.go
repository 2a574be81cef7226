package workbench

import (
	"container/heap"

	"github.com/aspis-platform/aspis/sigma"
)

// maxWaiting bounds the occurrences that wait to be put in order.
const maxWaiting = 500_000

// occurrence is a match that correlations count, with what they read of it.
type occurrence struct {
	sigma.Occurrence
	at  int64  // microseconds
	seq uint64 // in the order of reading
}

// queue puts occurrences in the order of their times. Those of one time keep
// the order of reading. When more than maxWaiting wait, the earliest goes on.
type queue struct {
	waiting ordered
	seq     uint64
	next    func(sigma.Occurrence)
}

func (q *queue) add(o sigma.Occurrence) {
	heap.Push(&q.waiting, occurrence{Occurrence: o, at: o.Time.UnixMicro(), seq: q.seq})
	q.seq++
	if len(q.waiting) > maxWaiting {
		q.pop()
	}
}

func (q *queue) pop() {
	if o, ok := heap.Pop(&q.waiting).(occurrence); ok {
		q.next(o.Occurrence)
	}
}

func (q *queue) flush() {
	for len(q.waiting) > 0 {
		q.pop()
	}
}

// ordered is a heap.
type ordered []occurrence

func (h ordered) Len() int { return len(h) }
func (h ordered) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h ordered) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *ordered) Push(x any) {
	if o, ok := x.(occurrence); ok {
		*h = append(*h, o)
	}
}

// Pop implements heap.Interface.
func (h *ordered) Pop() any {
	last := len(*h) - 1
	o := (*h)[last]
	(*h)[last] = occurrence{}
	*h = (*h)[:last]
	return o
}
