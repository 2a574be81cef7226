package monitor

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aspis-platform/aspis/event"
)

// IndicatorChanges is what changed since a version.
type IndicatorChanges struct {
	Version int64
	// Whole means that Put is everything there is: forget the rest.
	Whole bool
	Put   []Indicator // new or changed, by ID
	Drop  []string    // ids that are gone
}

// Indicators is where the matcher's indicators come from. Since with version
// 0 returns everything; an unchanged source returns the version it was given.
type Indicators interface {
	Since(ctx context.Context, version int64) (IndicatorChanges, error)
}

// Matcher finds indicators in records. Looking up costs the same whatever the
// number of indicators. Changes are made beside the readers and swapped in.
type Matcher struct {
	view    atomic.Pointer[view]
	version atomic.Int64 // of the source that is followed
	mu      sync.Mutex   // one writer
	metrics *Metrics
}

// view is an immutable state: a large set and the changes since it was built.
type view struct {
	base, delta *segment
	recent      []Indicator         // what delta was built from
	dead        map[string]struct{} // ids in base that are gone or replaced
}

// NewMatcher returns a matcher that looks for nothing yet. metrics may be nil.
func NewMatcher(metrics *Metrics) *Matcher {
	m := &Matcher{metrics: metrics}
	m.view.Store(&view{base: newSegment(nil), delta: newSegment(nil)})
	return m
}

// Len is how many indicators are looked for.
func (m *Matcher) Len() int {
	v := m.view.Load()
	return len(v.base.entries) + len(v.delta.entries) - len(v.dead)
}

// Replace looks for exactly these from now on.
func (m *Matcher) Replace(list []Indicator) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.store(&view{base: newSegment(list), delta: newSegment(nil)})
}

func (m *Matcher) store(v *view) {
	m.view.Store(v)
	m.metrics.indicators(len(v.base.entries) + len(v.delta.entries) - len(v.dead))
}

// Change puts and drops indicators by id. The cost depends on the changes
// since the last rebuild, which happens when they are a quarter of the whole.
func (m *Matcher) Change(put []Indicator, drop []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.view.Load()
	gone := make(map[string]struct{}, len(put)+len(drop))
	for i := range put {
		gone[put[i].ID] = struct{}{}
	}
	for _, id := range drop {
		gone[id] = struct{}{}
	}
	recent := slices.DeleteFunc(slices.Clone(old.recent), func(in Indicator) bool {
		_, is := gone[in.ID]
		return is
	})
	recent = append(recent, put...)
	v := &view{base: old.base, recent: recent, dead: old.deadWith(gone)}
	if len(recent)+len(v.dead) > 10_000+len(v.base.entries)/4 {
		m.store(&view{base: newSegment(v.all()), delta: newSegment(nil)})
		return
	}
	v.delta = newSegment(recent)
	m.store(v)
}

// deadWith is the ids of base that are dead when those in gone are as well.
func (v *view) deadWith(gone map[string]struct{}) map[string]struct{} {
	dead := make(map[string]struct{}, len(v.dead)+len(gone))
	for id := range v.dead {
		dead[id] = struct{}{}
	}
	for i := range v.base.entries {
		id := v.base.id(&v.base.entries[i])
		if _, is := gone[id]; is {
			dead[strings.Clone(id)] = struct{}{}
		}
	}
	return dead
}

func (v *view) all() []Indicator {
	list := make([]Indicator, 0, len(v.base.entries)+len(v.recent))
	for i := range v.base.entries {
		e := &v.base.entries[i]
		if _, dead := v.dead[v.base.id(e)]; !dead {
			list = append(list, v.base.indicator(e))
		}
	}
	return append(list, v.recent...)
}

// match calls f for every indicator the record mentions, at most maxSights
// per observable. seen is the record's value.
func (v *view) match(r *Record, f func(s sight, seen string)) {
	for i := range r.Observables {
		o := &r.Observables[i]
		left := maxSights
		v.observable(o, func(s *segment, e *entry) bool {
			if left == 0 {
				return false
			}
			if s == v.base && len(v.dead) > 0 {
				if _, dead := v.dead[s.id(e)]; dead {
					return true
				}
			}
			if e.until != 0 && e.until <= r.Received.UnixMicro() {
				return true
			}
			f(sight{ID: s.id(e), Value: s.value(e), Source: s.sources[e.source]}, o.Value)
			left--
			return left > 0
		})
	}
}

func (v *view) observable(o *event.Observable, f func(*segment, *entry) bool) {
	switch o.Kind {
	case event.ObservableIPv4, event.ObservableIPv6:
		v.both(matchIP, o.Value, f)
		v.networks(o.Value, f)
	case event.ObservableDomain:
		v.both(matchDomain, o.Value, f)
		for name := o.Value; name != ""; _, name, _ = strings.Cut(name, ".") {
			v.both(matchUnder, name, f)
		}
	case event.ObservableURL:
		v.both(matchURL, o.Value, f)
	case event.ObservableEmail:
		v.both(matchMail, o.Value, f)
	case event.ObservableMD5, event.ObservableSHA1, event.ObservableSHA256:
		v.both(matchHash, o.Value, f)
	}
}

func (v *view) both(k matchKind, value string, f func(*segment, *entry) bool) {
	for _, s := range [...]*segment{v.delta, v.base} {
		if len(s.entries) > 0 {
			s.find(k, value, func(e *entry) bool { return f(s, e) })
		}
	}
}

func (v *view) networks(value string, f func(*segment, *entry) bool) {
	for _, s := range [...]*segment{v.delta, v.base} {
		lengths := s.v4
		if strings.IndexByte(value, ':') >= 0 {
			lengths = s.v6
		}
		if len(lengths) == 0 {
			continue
		}
		a, err := netip.ParseAddr(value)
		if err != nil {
			return
		}
		for _, bits := range lengths {
			if p, err := a.Prefix(bits); err == nil {
				s.find(matchNet, p.String(), func(e *entry) bool { return f(s, e) })
			}
		}
	}
}

// Version is the version of the followed source that every record is matched
// with from now on; 0 before the first.
func (m *Matcher) Version() int64 { return m.version.Load() }

// followPause is how often a source is asked when nothing wakes the matcher.
const followPause = 2 * time.Second

// Follow keeps the matcher in step with a source until ctx is done. wake,
// which may be nil, makes it ask at once.
func (m *Matcher) Follow(ctx context.Context, src Indicators, wake <-chan struct{}, log *slog.Logger) error {
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	var version int64
	failing := false
	for {
		next, err := m.catchUp(ctx, src, version)
		if err != nil && ctx.Err() == nil && !failing {
			log.ErrorContext(ctx, "indicators cannot be read; the last known ones stay in use", slog.Any("error", err))
		}
		failing = err != nil
		version = next
		m.version.Store(version)
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

func (m *Matcher) catchUp(ctx context.Context, src Indicators, version int64) (int64, error) {
	ch, err := src.Since(ctx, version)
	if err != nil {
		return version, err
	}
	switch {
	case ch.Whole:
		m.Replace(ch.Put)
	case len(ch.Put)+len(ch.Drop) > 0:
		m.Change(ch.Put, ch.Drop)
	}
	return ch.Version, nil
}
