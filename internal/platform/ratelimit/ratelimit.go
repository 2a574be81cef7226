// Package ratelimit bounds how often somebody may ask: token buckets by name,
// in bounded memory.
package ratelimit

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Buckets is a token bucket for every name that was seen lately. It is safe
// for concurrent use.
type Buckets struct {
	perSecond rate.Limit
	burst     int
	most      int
	now       func() time.Time

	mu     sync.Mutex
	order  *list.List // of *bucket, most recently used first
	byName map[string]*list.Element
}

type bucket struct {
	name  string
	limit *rate.Limiter
}

// New returns buckets that hold burst tokens each and gain perSecond. The
// most are remembered; beyond that the longest unused is forgotten, which
// fills it.
func New(perSecond float64, burst, most int, now func() time.Time) *Buckets {
	return &Buckets{perSecond: rate.Limit(perSecond), burst: burst, most: most, now: now,
		order: list.New(), byName: map[string]*list.Element{}}
}

// Take takes a token of the name, or says how long until there is one and
// takes none.
func (b *Buckets) Take(name string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, limit := b.now(), b.of(name)
	if limit.AllowN(now, 1) {
		return 0
	}
	missing := 1 - limit.TokensAt(now)
	return max(time.Duration(missing/float64(b.perSecond)*float64(time.Second)), time.Nanosecond)
}

func (b *Buckets) of(name string) *rate.Limiter {
	if e, ok := b.byName[name]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*bucket).limit
	}
	if b.order.Len() >= b.most {
		oldest := b.order.Remove(b.order.Back()).(*bucket)
		delete(b.byName, oldest.name)
	}
	fresh := &bucket{name, rate.NewLimiter(b.perSecond, b.burst)}
	b.byName[name] = b.order.PushFront(fresh)
	return fresh.limit
}

// Place is the name of an address's bucket: for IPv6 that of its /64, which
// is what one subscriber has.
func Place(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.Unmap().String()
}
