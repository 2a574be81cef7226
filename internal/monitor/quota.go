package monitor

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Quota is how much one member may send in the long run. Bursts of ten
// seconds' worth, and at least one whole request, are let through.
type Quota struct {
	Records int // a second; default 20,000
	Bytes   int // decompressed bytes a second; default 32 MiB
}

// quotas holds one pair of token buckets per member. The number of members
// is bounded by the register, so buckets are kept for good.
type quotas struct {
	quota   Quota
	burst   Quota
	mu      sync.Mutex
	members map[sector.MemberID]*buckets
}

type buckets struct{ records, bytes *rate.Limiter }

func newQuotas(q Quota, lim DoorLimits) *quotas {
	fill(&q.Records, 20_000)
	fill(&q.Bytes, 32<<20)
	burst := Quota{Records: max(10*q.Records, lim.MaxLines), Bytes: max(10*q.Bytes, lim.MaxBody)}
	return &quotas{quota: q, burst: burst, members: map[sector.MemberID]*buckets{}}
}

func (q *quotas) of(m sector.MemberID) *buckets {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.members[m]
	if b == nil {
		b = &buckets{
			records: rate.NewLimiter(rate.Limit(q.quota.Records), q.burst.Records),
			bytes:   rate.NewLimiter(rate.Limit(q.quota.Bytes), q.burst.Bytes),
		}
		q.members[m] = b
	}
	return b
}

// overdrawn refuses before a body is read when nothing is left.
func (q *quotas) overdrawn(m sector.MemberID, now time.Time) error {
	b := q.of(m)
	if b.records.TokensAt(now) >= 1 && b.bytes.TokensAt(now) >= 1 {
		return nil
	}
	return overQuota(time.Second)
}

// takeBytes and takeRecords charge the member, or refuse and charge nothing.
func (q *quotas) takeBytes(m sector.MemberID, n int, now time.Time) error {
	return take(q.of(m).bytes, n, now)
}

func (q *quotas) takeRecords(m sector.MemberID, n int, now time.Time) error {
	return take(q.of(m).records, n, now)
}

func take(l *rate.Limiter, n int, now time.Time) error {
	r := l.ReserveN(now, min(n, l.Burst()))
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.CancelAt(now)
	return overQuota(wait)
}

func overQuota(wait time.Duration) error {
	e := errs.New(errs.TooMany, "door.over_quota")
	e.RetryAfter = max(wait, time.Second)
	return e
}
