package sector

import (
	"context"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/peer"
)

const (
	// knownFor is how long a machine that was recognised is so without asking
	// the store. What this process changes takes effect at once; what another
	// process on the same database changes, after this time.
	knownFor = 5 * time.Second
	// maxKnown bounds what is remembered.
	maxKnown = 20_000
	// touchEvery is how exactly the last use is known.
	touchEvery = time.Minute
	// foldEvery is how often refusals of one key are written to the ledger.
	foldEvery = time.Hour
)

// AuthenticateKey returns the machine viewer of a secret, used from the peer
// of the context. errs.Unauthenticated for a secret that is none or no longer
// one, errs.Forbidden from a network that the key may not be used from.
func (m *Machines) AuthenticateKey(ctx context.Context, secret string) (Viewer, error) {
	known, err := m.recognise(ctx, HashSecret(secret), func() (Key, error) {
		return m.keys.KeyByHash(ctx, HashSecret(secret))
	})
	if err != nil {
		return Viewer{}, err
	}
	return m.admit(ctx, known)
}

// recognise returns what is remembered under the name, or what find finds.
func (m *Machines) recognise(ctx context.Context, name string, find func() (Key, error)) (*known, error) {
	found, generation := m.known.get(name, m.now())
	if found != nil {
		return found, nil
	}
	k, err := find()
	if errs.Is(err, errs.NotFound) {
		return nil, errs.New(errs.Unauthenticated, "key.invalid")
	}
	if err != nil {
		return nil, err
	}
	member, err := m.members.Member(ctx, k.Member)
	if err != nil {
		return nil, err
	}
	if member.State != TakesPart {
		return nil, errs.New(errs.Unauthenticated, "key.invalid")
	}
	found = &known{key: k, credential: k.Credentials[0], until: m.now().Add(knownFor), used: k.Credentials[0].LastUsed,
		viewer: Viewer{Org: MemberOrg, Member: member.ID, Sector: member.Sector, Key: k.ID, Scopes: k.Scopes}}
	m.known.put(name, found, generation)
	return found, nil
}

// admit checks what changes with time and place.
func (m *Machines) admit(ctx context.Context, k *known) (Viewer, error) {
	now := m.now()
	switch state := k.key.State(now); {
	case state == KeyRevoked || !k.credential.Live(now):
		return Viewer{}, errs.New(errs.Unauthenticated, "key.invalid")
	case state == KeyExpired:
		return Viewer{}, errs.New(errs.Unauthenticated, "key.expired", k.key.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if from := peer.From(ctx).Addr; len(k.key.Networks) > 0 && !peer.Within(k.key.Networks, from) {
		return Viewer{}, m.refuse(ctx, k.key, from)
	}
	if k.touch(now) {
		if err := m.keys.TouchCredential(ctx, k.key.ID, k.credential.ID, now); err != nil && !errs.Is(err, errs.Full) {
			return Viewer{}, err
		}
	}
	return k.viewer, nil
}

// refuse explains a use from elsewhere, to the machine and to the ledger.
func (m *Machines) refuse(ctx context.Context, k Key, from netip.Addr) error {
	refused := errs.New(errs.Forbidden, "key.network", from)
	if n, ok := m.refusals.count(k.ID, m.now()); ok {
		e := entry(Viewer{Key: k.ID}, "key.refused", "key:"+k.ID, k.Member, map[string]any{
			"reason": "network", "from": from, "unwritten": n})
		return refused.Because(m.keys.NoteKey(context.WithoutCancel(ctx), e))
	}
	return refused
}

// known is a machine that was recognised.
type known struct {
	key        Key
	credential Credential
	viewer     Viewer
	until      time.Time

	mu   sync.Mutex
	used time.Time
}

// touch reports whether the use is to be stored.
func (k *known) touch(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.used) <= touchEvery {
		return false
	}
	k.used = now
	return true
}

// knownKeys remembers machines by what proves them. It never holds a secret.
type knownKeys struct {
	mu         sync.Mutex
	generation int64
	machines   map[string]*known
}

func newKnownKeys() *knownKeys { return &knownKeys{machines: map[string]*known{}} }

func (c *knownKeys) get(name string, now time.Time) (*known, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.machines[name]; k != nil && now.Before(k.until) {
		return k, c.generation
	}
	return nil, c.generation
}

// put remembers a machine, unless something changed since it was asked for:
// what was read may be older than the change.
func (c *knownKeys) put(name string, k *known, generation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if len(c.machines) >= maxKnown {
		clear(c.machines)
	}
	c.machines[name] = k
}

// forget makes every machine be asked for again.
func (c *knownKeys) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.machines)
}

// refusals folds what would flood the ledger: of each key one entry an hour.
type refusals struct {
	mu   sync.Mutex
	keys map[string]*folded
}

type folded struct {
	since time.Time
	more  int // not written since
}

func newRefusals() *refusals { return &refusals{keys: map[string]*folded{}} }

// count reports whether to write an entry now, and how many refusals went
// unwritten before it.
func (r *refusals) count(key string, now time.Time) (unwritten int, write bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.keys[key]
	if f != nil && now.Sub(f.since) < foldEvery {
		f.more++
		return 0, false
	}
	if f != nil {
		unwritten = f.more
	}
	if len(r.keys) >= maxKnown {
		maps.DeleteFunc(r.keys, func(_ string, f *folded) bool { return now.Sub(f.since) >= foldEvery })
	}
	r.keys[key] = &folded{since: now}
	return unwritten, true
}
