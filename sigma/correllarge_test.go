package sigma

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// largeSets are correlations of which windows of hundreds of manyFacts hold,
// or do not, or change.
func largeSets() [][]string {
	return [][]string{
		{"type: event_count, rules: [r1, r2], timespan: 60s, condition: {gte: 300}"},
		{"type: value_count, rules: [r1, r2], timespan: 60s, condition: {gte: 5, field: bank}"},
		{"type: value_count, rules: [r1, r2], timespan: 60s, condition: {gte: 9, field: bank}"},
		{"type: value_count, rules: [r1, r2], timespan: 30s, condition: {gte: 40, field: wide}"},
		{"type: temporal, rules: [r1, r2], timespan: 60s"},
		{"type: temporal, rules: [r1, r2, r3], timespan: 9s, condition: (r1 and r3) or (r2 and r3)"},
		{"type: temporal_ordered, rules: [r2, r1], timespan: 60s"},
		{"type: temporal_ordered, rules: [r1, r2, r3], timespan: 20s"},
		{"type: temporal_ordered, rules: [r3, r1, r2], timespan: 4s, condition: (r3 or r1) and r2"},
		{"type: value_sum, rules: [r1, r2], timespan: 60s, condition: {gt: 1800, field: n}"},
		{"type: value_sum, rules: [r1, r2], timespan: 60s, condition: {lt: 900, field: n}"},
		{"type: value_sum, rules: [r1], timespan: 40s, condition: {gte: 3, lt: 30, neq: 12, field: sign}"},
		{"type: value_avg, rules: [r1, r2], timespan: 60s, condition: {gt: 4.5, field: n}"},
		{"type: value_avg, rules: [r1, r2], timespan: 60s, condition: {gte: 3.5, lte: 4, field: n}"},
		{"type: value_median, rules: [r1, r2], timespan: 60s, condition: {gte: 4, field: n}"},
		{"type: value_percentile, rules: [r1, r2], timespan: 60s, condition: {gt: 8.5, field: n, percentile: 95}"},
		{"type: value_percentile, rules: [r1, r2], timespan: 60s, condition: {lt: 0.5, field: sign, percentile: 60}"},
		{"type: event_count, rules: [r1], timespan: 60s, condition: {gte: 250, lt: 300}"},
		{"type: event_count, rules: [r1], timespan: 20s, condition: {gte: 60}",
			"type: temporal_ordered, rules: [c0, r3], timespan: 60s"},
		{"type: event_count, rules: [r1], group-by: [n], timespan: 20s, condition: {gte: 5}",
			"type: value_avg, rules: [c0, r2], timespan: 60s, condition: {gt: 4, field: n}"},
		{"type: value_sum, rules: [r1, r2], group-by: [U], timespan: 20s, condition: {gt: 500, field: n}",
			"type: value_count, rules: [c0, r3], timespan: 120s, condition: {gte: 2, field: U}"},
	}
}

// TestLargeWindows is TestShuffledAndRepeated with windows in which late events
// take short ways, and with the reference.
func TestLargeWindows(t *testing.T) {
	for _, sections := range largeSets() {
		t.Run(sections[len(sections)-1], func(t *testing.T) {
			s := situation{set: setOf(t, sections), facts: manyFacts(1500), expressions: expressionsOf(sections)}
			opts := CorrelatorOptions{MaxRecords: 40}
			want := final(NewCorrelator(s.set, opts), s.facts).lines(false)
			if len(sections) == 1 && !testing.Short() {
				all := final(NewCorrelator(s.set, CorrelatorOptions{MaxRecords: 1 << 20, MaxValues: 1 << 20}), s.facts).lines(true)
				if diff := gocmp.Diff(naiveLines(s.set, s.expressions, s.facts), all); diff != "" {
					t.Fatalf("(-reference +got):\n%s", diff)
				}
			}
			random := rand.New(rand.NewSource(1))
			for _, jitter := range []float64{5, 30, 1e6} { // seconds out of order
				got := final(NewCorrelator(s.set, opts), disordered(random, s.facts, jitter)).lines(false)
				if diff := gocmp.Diff(want, got); diff != "" || len(want) == 0 {
					t.Fatalf("out of order by %v s (-sorted +shuffled):\n%s", jitter, diff)
				}
			}
		})
	}
}

// manyFacts are busier and more varied in the middle of ten minutes.
func manyFacts(n int) (facts []fact) {
	random := rand.New(rand.NewSource(1))
	for i := range n {
		second := int(300 + 100*random.NormFloat64())
		values := 3 + 8*max(0, 150-max(second-300, 300-second))/150
		rule := "r1"
		switch {
		case i%211 == 0:
			rule = "r3"
		case second > 250 && i%9 == 0:
			rule = "r2"
		}
		facts = append(facts, fact{
			rule: rule, record: fmt.Sprintf("%04d", i), at: int64(second)*1_000_000 + int64(i%3)*250_000,
			fields: map[string]string{
				"U": fmt.Sprint("u", i%2), "bank": fmt.Sprint("v", i%values), "wide": fmt.Sprint("w", random.ExpFloat64()*60)[:3],
				"n": fmt.Sprint(i % (values + 2)), "sign": fmt.Sprint(random.Intn(9)-4, ".5"),
			},
		})
	}
	slices.SortStableFunc(facts, func(a, b fact) int { return cmp.Compare(a.at, b.at) })
	return facts
}

// disordered moves facts in the order of arrival by up to some seconds, and
// repeats some.
func disordered(random *rand.Rand, in []fact, jitter float64) []fact {
	type arrived struct {
		fact
		at float64
	}
	var all []arrived
	for i, f := range in {
		all = append(all, arrived{f, float64(f.at) + random.Float64()*jitter*1e6})
		if i%7 == 0 {
			all = append(all, arrived{f, float64(f.at) + random.Float64()*jitter*2e6})
		}
	}
	slices.SortFunc(all, func(a, b arrived) int { return cmp.Compare(a.at, b.at) })
	out := make([]fact, len(all))
	for i := range all {
		out[i] = all[i].fact
	}
	return out
}

// TestBeyondTheBound has groups of more events than are kept of one: a restart
// changes nothing, and no more is kept than is said.
func TestBeyondTheBound(t *testing.T) {
	for _, sections := range largeSets() {
		t.Run(sections[len(sections)-1], func(t *testing.T) {
			set, opts := setOf(t, sections), CorrelatorOptions{MaxEntries: 200, MaxRecords: 10}
			in := disordered(rand.New(rand.NewSource(2)), manyFacts(3000), 5)
			a, b := NewCorrelator(set, opts), NewCorrelator(set, opts)
			for i := range in {
				if i%250 == 125 {
					saved := snapshotOf(t, b)
					b = NewCorrelator(set, opts)
					if err := b.Restore(bytes.NewReader(saved)); err != nil || !bytes.Equal(saved, snapshotOf(t, a)) {
						t.Fatalf("restored after %d: %v", i, err)
					}
				}
				o := in[i].occurrence()
				if diff := gocmp.Diff(linesOf(a.Observe(o)), linesOf(b.Observe(o))); diff != "" {
					t.Fatalf("event %d, %d s (-without +with restarts):\n%s", i, in[i].at/1e6, diff)
				}
				for _, co := range a.rules {
					for _, g := range co.groups {
						if len(g.entries) > co.most {
							t.Fatalf("%d events, most %d", len(g.entries), co.most)
						}
					}
				}
			}
			if a.Stats().Shed == 0 {
				t.Error("nothing was shed")
			}
		})
	}
}

// TestFloodedAtItsBound has numbers that stay at their bound in groups that are
// flooded beyond what is kept of one, one event in sixteen late: restarts in the
// middle of a window change nothing, and neither do eight workers for one.
func TestFloodedAtItsBound(t *testing.T) {
	for _, section := range []string{
		"type: value_percentile, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 950, field: n, percentile: 95}",
		"type: value_median, rules: [r1], group-by: [U], timespan: 10m, condition: {gte: 504, neq: 507, field: n}",
		"type: value_avg, rules: [r1], group-by: [U], timespan: 2s, condition: {gt: 504, lt: 510, field: n}",
		"type: value_sum, rules: [r1], group-by: [U], timespan: 2s, condition: {gt: 336000, field: n}",
	} {
		t.Run(section, func(t *testing.T) {
			set, opts := setOf(t, []string{section}), CorrelatorOptions{MaxEntries: 800, MaxRecords: 10}
			one, restarted, workers := NewCorrelator(set, opts), NewCorrelator(set, opts), make([]*Correlator, 8)
			sharding := NewSharding(set, len(workers))
			for i := range workers {
				shared := opts
				shared.Sharding, shared.Shard = sharding, i
				workers[i] = NewCorrelator(set, shared)
			}
			changes := 0
			for i := range 10_000 {
				f := fact{rule: "r1", record: fmt.Sprint(i), at: int64(i) * 1000, fields: map[string]string{
					"U": fmt.Sprint(i % 3), "n": fmt.Sprint(i * i * i % 1009),
				}}
				if i%16 == 0 {
					f.at -= int64(i*7919%2_000) * 1000
				}
				if i%1111 == 1110 {
					saved := snapshotOf(t, restarted)
					restarted = NewCorrelator(set, opts)
					if err := restarted.Restore(bytes.NewReader(saved)); err != nil {
						t.Fatal(err)
					}
				}
				want := linesOf(one.Observe(f.occurrence()))
				changes += len(want)
				if diff := gocmp.Diff(want, linesOf(restarted.Observe(f.occurrence()))); diff != "" {
					t.Fatalf("event %d (-without +with restarts):\n%s", i, diff)
				}
				var many []Finding
				sharding.Each(f.occurrence(), func(k int) { many = append(many, workers[k].Observe(f.occurrence())...) })
				if diff := gocmp.Diff(want, linesOf(many)); diff != "" {
					t.Fatalf("event %d (-one +eight workers):\n%s", i, diff)
				}
			}
			if one.Stats().Shed == 0 || changes == 0 {
				t.Errorf("%+v, %d findings", one.Stats(), changes)
			}
		})
	}
}

// TestRoom checks that what there is room for changes no verdict.
func TestRoom(t *testing.T) {
	conditions := map[string]string{
		"value_sum": "", "value_avg": "", "value_median": "", "value_percentile": ", percentile: 90",
	}
	for kind, more := range conditions {
		t.Run(kind, func(t *testing.T) {
			used := 0
			rapid.Check(t, func(rt *rapid.T) {
				number := rapid.Map(rapid.IntRange(-6, 6), func(n int) float64 { return float64(n) / 2 })
				numbers := rapid.SliceOfN(number, manyNumbers+1, manyNumbers+40).Draw(rt, "numbers")
				low := number.Draw(rt, "low")
				set := setOf(rt, []string{fmt.Sprintf("type: %s, rules: [r1], timespan: 1h, condition: {gte: '%v', lt: '%v', neq: '%v', field: n%s}", kind, low, low+2, low+1, more)})
				c := NewCorrelator(set, CorrelatorOptions{MaxEntries: 1 << 10})
				verdict := func(x float64) bool {
					c.Observe(Occurrence{Rule: "r1", Time: day, RecordID: fmt.Sprint(c.Stats().Events), Lookup: func(string) (string, bool) { return fmt.Sprint(x), true }})
					g := c.rules[0].groups[""]
					return g.entries[0].held
				}
				held := false
				for _, x := range numbers {
					held = verdict(x)
				}
				g := c.rules[0].groups[""]
				left := g.owner.slack(g.window.tally, len(numbers), c.measure(g, &g.window))
				x := rapid.SampledFrom([]float64{-3, 0, 3, float64(low) + 1}).Draw(rt, "late")
				for range 60 {
					if left.pushed(g.owner, g.owner.push(g.owner.class(x), x), true); left.gone() {
						break
					}
					used++
					if verdict(x) != held {
						rt.Fatalf("%v of %v changed the verdict", x, numbers)
					}
				}
			})
			if used == 0 {
				t.Error("there was never room")
			}
		})
	}
}

// TestLateBetweenLargeWindows: what comes late between two moments, and whose
// window has lost something that the one before it had, does not hold as that
// does.
func TestLateBetweenLargeWindows(t *testing.T) {
	for _, condition := range []string{
		"value_sum, condition: {gt: 3300, field: n}", "value_avg, condition: {gt: 32, field: n}", "value_percentile, condition: {gt: 20, field: n, percentile: 50}",
	} {
		kind, rest, _ := strings.Cut(condition, ", ")
		set := setOf(t, []string{"type: " + kind + ", rules: [r1], timespan: 60s, " + rest})
		var facts []fact
		add := func(count int, second, step float64, n string) {
			for i := range count {
				at := int64((second + float64(i)*step) * 1e6)
				facts = append(facts, fact{rule: "r1", record: fmt.Sprint(len(facts)), at: at, fields: map[string]string{"n": n}})
			}
		}
		add(stretchSize, 0, 0.08, "60")
		add(12, 40, 0.4, "60")
		add(48, 46.5, 0.01, "60")
		add(50, 47, 0.08, "2")
		add(1, 100, 0, "60")
		add(1, 107, 0, "1")
		add(1, 106, 0, "1") // comes last
		want := naiveLines(set, nil, facts)
		if got := final(NewCorrelator(set, CorrelatorOptions{MaxRecords: 1000}), facts).lines(true); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot %q\nwant %q", condition, got, want)
		}
	}
}
