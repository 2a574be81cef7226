package wire

import (
	"net/http"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/platform/ratelimit"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// limits bound how often the program may be asked. The door has quotas of its
// own, by member, in records and bytes.
type limits struct{ addresses, identities *ratelimit.Buckets }

const (
	burstSeconds  = 10      // a full bucket, in seconds of its rate
	maxRemembered = 100_000 // buckets of each sort, about 200 bytes each
)

func newLimits(perSecond int, now func() time.Time) limits {
	return limits{
		addresses:  ratelimit.New(2*float64(perSecond), 2*burstSeconds*perSecond, maxRemembered, now),
		identities: ratelimit.New(float64(perSecond), burstSeconds*perSecond, maxRemembered, now),
	}
}

// address charges the address that the request comes from. This machine is
// not charged: behind a proxy that is not trusted everybody would be it.
func (l limits) address(r *http.Request) error {
	from := peer.From(r.Context()).Addr
	if !from.IsValid() || from.IsLoopback() || strings.HasPrefix(r.URL.Path, static.Prefix) {
		return nil
	}
	return tooMany(l.addresses.Take(ratelimit.Place(from)))
}

// identity charges the person or the key.
func (l limits) identity(v sector.Viewer) error {
	if v.User == "" && v.Key == "" {
		return nil
	}
	return tooMany(l.identities.Take(v.Actor()))
}

func tooMany(wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	e := errs.New(errs.TooMany, "error.rate")
	e.RetryAfter = wait
	return e
}

// isDoor tells requests that the door's quotas are for.
func isDoor(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/v1/records"
}
