package demo

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Slot is the grain of the generator: what a member sends within one slot
// depends on the seed, the member and the slot alone, whatever was asked
// before.
const Slot = time.Second

// Options of a [Generator]. Zero fields take their defaults.
type Options struct {
	Seed uint64
	// Rate is how many records a second all members together send on the
	// average of a day; it is shared equally. Default 50, at most 200,000.
	Rate float64
	// CampaignEvery is how long after each other campaigns across members
	// begin; default 4 minutes. Negative: none.
	CampaignEvery time.Duration
	// AttackEvery is how long after each other single members are attacked;
	// default 90 seconds. Negative: none.
	AttackEvery time.Duration
	// Zone is where the sector's day is; default Asia/Taipei's, UTC+8.
	Zone *time.Location
}

// MaxRate bounds [Options.Rate].
const MaxRate = 200_000

func (o Options) withDefaults() Options {
	if o.Rate <= 0 {
		o.Rate = 50
	}
	o.Rate = min(o.Rate, MaxRate)
	if o.CampaignEvery == 0 {
		o.CampaignEvery = 4 * time.Minute
	}
	if o.AttackEvery == 0 {
		o.AttackEvery = 90 * time.Second
	}
	if o.Zone == nil {
		o.Zone = time.FixedZone("CST", 8*60*60) // no summer time since 1980
	}
	return o
}

// Generator makes the synthetic records of a sector. It remembers nothing but
// what it can work out again, and may be used by any number of goroutines.
type Generator struct {
	opt   Options
	sites []*site
	plans plans
}

// NewGenerator returns a generator for the members given.
func NewGenerator(members []sector.Member, opt Options) *Generator {
	g := &Generator{opt: opt.withDefaults()}
	for _, m := range members {
		g.sites = append(g.sites, newSite(m.ID))
	}
	return g
}

// Records returns what the member of that number (in the order given to
// [NewGenerator]) sends in the slot that begins at the time given, truncated
// to a [Slot], in the order of their times.
func (g *Generator) Records(member int, slot time.Time) [][]byte {
	slot = slot.Truncate(Slot).UTC()
	parts := g.background(member, slot)
	parts = append(parts, g.attackRecords(member, slot)...)
	parts = append(parts, g.campaignRecords(member, slot)...)
	slices.SortStableFunc(parts, func(a, b timed) int { return a.at.Compare(b.at) })
	out := make([][]byte, len(parts))
	for i, p := range parts {
		out[i] = p.line
	}
	return out
}

// timed is a record and when it happened.
type timed struct {
	at   time.Time
	line []byte
}

// scene is where and when a record is made.
type scene struct {
	site *site
	rng  *rand.Rand
	at   time.Time
}

// dice are thrown anew for every purpose and moment.
func (g *Generator) dice(purpose string, a, b int64) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s %d", g.opt.Seed, purpose, a) // a hash does not fail
	return rand.New(rand.NewPCG(h.Sum64(), uint64(b)*0x9e3779b97f4a7c15+uint64(a)))
}

// background is a member's ordinary traffic in a slot.
func (g *Generator) background(member int, slot time.Time) []timed {
	rng := g.dice("background", int64(member), slot.Unix())
	mean := g.opt.Rate / float64(len(g.sites)) * Slot.Seconds() * Rhythm(slot.In(g.opt.Zone))
	n := int(mean)
	if rng.Float64() < mean-float64(n) {
		n++
	}
	s := &scene{site: g.sites[member], rng: rng}
	out := make([]timed, 0, n+1)
	for range n {
		s.at = within(slot, rng)
		out = append(out, timed{s.at, s.ordinary()})
	}
	if line := s.rare(slot); line != nil {
		out = append(out, timed{s.at, line})
	}
	return out
}

func within(slot time.Time, rng *rand.Rand) time.Time {
	return slot.Add(time.Duration(rng.Int64N(int64(Slot/time.Microsecond))) * time.Microsecond)
}

// Rhythm is how busy a financial institution is at a time, 1 on the average of
// a working day: little at night, peaks when markets open and before banks
// close, half as much at weekends.
func Rhythm(local time.Time) float64 {
	hour := float64(local.Hour()) + float64(local.Minute())/60
	bump := func(at, width, height float64) float64 {
		d := (hour - at) / width
		return height * math.Exp(-d*d/2)
	}
	busy := 0.45 + bump(9.5, 1.5, 1.15) + bump(14.5, 2, 0.95) + bump(2, 1, 0.25)
	if day := local.Weekday(); day == time.Saturday || day == time.Sunday {
		busy /= 2
	}
	return busy / meanBusy
}

// meanBusy is the mean of Rhythm's curve over a working day.
const meanBusy = 0.8541

func (s *scene) pid() int64  { return (s.rng.Int64N(4000) + 100) * 4 }
func (s *scene) port() int64 { return s.rng.Int64N(16_000) + 49_152 }

func (s *scene) guid() string {
	a, b := s.rng.Uint64(), s.rng.Uint64()
	return fmt.Sprintf("{%08x-%04x-%04x-%04x-%012x}", uint32(a), uint16(a>>32), uint16(a>>48), uint16(b), b>>16)
}

// uid is a Zeek connection's.
func (s *scene) uid() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := [18]byte{'C'}
	for i := 1; i < len(b); i++ {
		b[i] = letters[s.rng.IntN(len(letters))]
	}
	return string(b[:])
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }
