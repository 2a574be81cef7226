package identity

import (
	"container/list"
	"encoding/json"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// A budget is how many failures somebody may have: burst at once, then one
// every so often. No budget belongs to an account alone where strangers can
// use it up, so nobody can lock anybody out by guessing.
type budget struct {
	key   string
	burst int
	every time.Duration
}

const maxBudgets = 20_000 // remembered; the longest unused goes first

// budgets of a client that tries the account (a person's id, or an address
// that nobody has). A device that signed this person in before has a budget
// of its own, whatever others behind the same network do.
func (s *Service) budgets(c Client, account string) []budget {
	if d, ok := s.device(c); ok && string(d.User) == account {
		return []budget{{"device " + d.ID, 10, 30 * time.Second}}
	}
	return []budget{networkBudget(c), {"pair " + network(c.Address) + " " + account, 5, 30 * time.Second}}
}

func networkBudget(c Client) budget {
	return budget{"network " + network(c.Address), 60, 2 * time.Second}
}

// secondBudgets are those of somebody who knows the password and tries codes:
// from however many networks, six digits are not guessed in a lifetime.
func (s *Service) secondBudgets(c Client, user sector.UserID) []budget {
	all := s.budgets(c, string(user))
	if len(all) > 1 {
		all = append(all, budget{"codes " + string(user), 10, time.Minute})
	}
	return all
}

// network is what one subscriber has: an IPv4 address, or 64 bits of IPv6.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// device is a browser that somebody has signed in with.
type device struct {
	ID   string        `json:"id"`
	User sector.UserID `json:"user"`
}

// Remember is the token that makes a browser known as the person's; it opens
// nothing. DeviceLife is how long a browser should keep it.
func (s *Service) Remember(user sector.UserID) string {
	raw, err := json.Marshal(device{newID(), user})
	if err != nil {
		return ""
	}
	return s.Sealer.Seal(raw)
}

// DeviceLife is how long a browser stays known.
const DeviceLife = 180 * 24 * time.Hour

func (s *Service) device(c Client) (device, bool) {
	var d device
	raw, err := s.Sealer.Open(c.Device)
	return d, err == nil && json.Unmarshal(raw, &d) == nil && d.ID != ""
}

// Knows reports whether the client's device is known as the person's.
func (s *Service) Knows(c Client, user sector.UserID) bool {
	d, ok := s.device(c)
	return ok && d.User == user
}

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

// check is an error of kind errs.TooMany while one of the budgets is used up.
func (t *throttle) check(budgets []budget) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	longest := time.Duration(0)
	for _, b := range budgets {
		limit := t.bucket(b).limit
		if missing := 1 - limit.TokensAt(now); missing > 0 {
			longest = max(longest, time.Duration(missing/float64(limit.Limit())*float64(time.Second)))
		}
	}
	if longest == 0 {
		return nil
	}
	e := errs.New(errs.TooMany, "signin.too_many", int(longest.Seconds())+1)
	e.RetryAfter = longest
	return e
}

// spend is check and failed at once: for what costs us something however it
// ends.
func (t *throttle) spend(b budget) error {
	if err := t.check([]budget{b}); err != nil {
		return err
	}
	t.failed([]budget{b})
	return nil
}

// failed counts a failure.
func (t *throttle) failed(budgets []budget) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range budgets {
		t.bucket(b).limit.AllowN(t.now(), 1)
	}
}

func (t *throttle) bucket(want budget) *bucket {
	if e, ok := t.byKey[want.key]; ok {
		t.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	b := &bucket{want.key, rate.NewLimiter(rate.Every(want.every), want.burst)}
	t.byKey[want.key] = t.order.PushFront(b)
	if t.order.Len() > maxBudgets {
		oldest := t.order.Remove(t.order.Back()).(*bucket)
		delete(t.byKey, oldest.key)
	}
	return b
}

// tally folds failures into few ledger entries: the first, the tenth, the
// hundredth … of an account within the window.
type tally struct {
	mu   sync.Mutex
	now  func() time.Time
	runs map[string]run
}

type run struct {
	since time.Time
	n     int
}

const (
	tallyWindow = time.Hour
	maxTally    = 10_000
)

func newTally(now func() time.Time) *tally { return &tally{now: now, runs: map[string]run{}} }

// add counts a failure and tells whether it is one to write down.
func (t *tally) add(account string) (n int, write bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.runs) >= maxTally {
		for k, r := range t.runs {
			if len(t.runs) >= maxTally/2 || now.Sub(r.since) > tallyWindow {
				delete(t.runs, k)
			}
		}
	}
	r := t.runs[account]
	if now.Sub(r.since) > tallyWindow {
		r = run{since: now}
	}
	r.n++
	t.runs[account] = r
	power := 1
	for power < r.n {
		power *= 10
	}
	return r.n, power == r.n
}
