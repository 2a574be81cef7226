package web

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits on failed sign-ins. They count per peer address and mail address
// together, so that a stranger who guesses cannot lock the owner out, and per
// peer address alone, so that one cannot try many accounts.
const (
	pairBurst   = 5
	pairEvery   = 30 * time.Second
	peerBurst   = 60
	peerEvery   = 2 * time.Second
	maxThrottle = 20_000 // remembered keys; the longest unused goes first
)

// throttle remembers failures. Only failures use up its tokens.
type throttle struct {
	mu    sync.Mutex
	now   func() time.Time
	order *list.List // of *bucket, most recently used first
	byKey map[string]*list.Element
}

type bucket struct {
	key   string
	limit *rate.Limiter
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, order: list.New(), byKey: map[string]*list.Element{}}
}

// wait is how long the peer must wait before it may try the account again;
// zero when it may try now.
func (t *throttle) wait(peer, email string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	longest := time.Duration(0)
	for _, b := range t.buckets(peer, email) {
		if missing := 1 - b.limit.TokensAt(now); missing > 0 {
			longest = max(longest, time.Duration(missing/float64(b.limit.Limit())*float64(time.Second)))
		}
	}
	return longest
}

// failed counts a failure.
func (t *throttle) failed(peer, email string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.buckets(peer, email) {
		b.limit.AllowN(t.now(), 1)
	}
}

func (t *throttle) buckets(peer, email string) []*bucket {
	email = strings.ToLower(strings.TrimSpace(email))
	return []*bucket{
		t.bucket("peer "+peer, peerEvery, peerBurst),
		t.bucket("pair "+peer+" "+email, pairEvery, pairBurst),
	}
}

func (t *throttle) bucket(key string, every time.Duration, burst int) *bucket {
	if e, ok := t.byKey[key]; ok {
		t.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	b := &bucket{key: key, limit: rate.NewLimiter(rate.Every(every), burst)}
	t.byKey[key] = t.order.PushFront(b)
	if t.order.Len() > maxThrottle {
		oldest := t.order.Remove(t.order.Back()).(*bucket)
		delete(t.byKey, oldest.key)
	}
	return b
}
