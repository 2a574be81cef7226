package sigma

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// numberSections are random correlations that compute with numbers; wild ones
// have sums that hang on the last of many digits.
func numberSections(t *rapid.T, wild bool) []string {
	number := rapid.Map(rapid.IntRange(-4, 12), func(n int) string { return fmt.Sprint(float64(n) / 2) })
	kind := rapid.SampledFrom([]string{"value_sum", "value_avg", "value_median", "value_percentile", "value_percentile"}).Draw(t, "kind")
	more, scale := "", ""
	switch kind {
	case "value_percentile":
		more = fmt.Sprint(", percentile: ", rapid.SampledFrom([]string{"0", "0.1", "7", "33.3", "90", "95", "99.9", "100"}).Draw(t, "percentile"))
	case "value_sum":
		scale = "e2"
	}
	low := number.Draw(t, "low") + scale
	condition := rapid.SampledFrom([]string{
		"gt: '%s'", "gte: '%s'", "lt: '%s'", "lte: '%s'", "eq: '%s'", "neq: '%s'", "gt: '%s', lt: '7%[2]s'", "gte: '%s', lte: '6%[2]s', neq: '4%[2]s'",
	}).Draw(t, "condition")
	condition = strings.TrimSuffix(fmt.Sprintf(condition+"%[2]s", low, scale), scale)
	if wild {
		kind, condition, more = "value_sum", rapid.SampledFrom([]string{"gt: 0", "lt: 0"}).Draw(t, "sign"), ""
	}
	span := rapid.SampledFrom([]string{"2s", "30s", "90s", "10m"}).Draw(t, "span")
	section := fmt.Sprintf("type: %s, rules: [r1, r2], timespan: %s, condition: {%s, field: n%s}", kind, span, condition, more)
	if rapid.IntRange(0, 3).Draw(t, "chain") > 0 {
		return []string{section}
	}
	return []string{ // what comes late below is taken back above
		"type: event_count, rules: [r1, r2], group-by: [U], timespan: 2s, condition: {gte: 1, lte: 4}",
		strings.Replace(section, "r1, r2", "c0, r3", 1),
	}
}

// numberFacts are hundreds of numbers of about two minutes, in order of time:
// few or many different ones, which rise, fall or stay as they are.
func numberFacts(t *rapid.T, wild bool) (facts []fact) {
	random := rand.New(rand.NewSource(rapid.Int64().Draw(t, "facts")))
	n := rapid.IntRange(manyNumbers, 5*stretchSize).Draw(t, "n")
	trend := rapid.SampledFrom([]float64{0, 0, 2, -2}).Draw(t, "trend")
	fine := rapid.SampledFrom([]float64{1, 10, 1e15}).Draw(t, "fine")
	for i := range n {
		x := math.Round((1+2*random.NormFloat64()+trend*float64(i)/float64(n))*fine) / fine
		if wild {
			x = math.Ldexp(float64(random.Intn(3)-1), []int{60, 0, -60}[random.Intn(3)])
		}
		at := int64(float64(i)/float64(n)*120) * 1_000_000
		if random.Intn(2) == 0 {
			at += random.Int63n(1_000_000)
		}
		facts = append(facts, fact{
			rule: []string{"r1", "r2", "r3"}[random.Intn(3)], record: fmt.Sprintf("%04d", i), at: at,
			fields: map[string]string{"n": fmt.Sprint(x), "U": fmt.Sprint(random.Intn(2))},
		})
	}
	slices.SortStableFunc(facts, func(a, b fact) int { return int(a.at - b.at) })
	return facts
}

// TestStretches compares numbers in large windows, as they come out of order and
// with restarts, with the reference, and what is known of their stretches with
// the events.
func TestStretches(t *testing.T) {
	divided, kept := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		wild := rapid.IntRange(0, 5).Draw(rt, "wild") == 0
		sections := numberSections(rt, wild)
		set, facts := setOf(rt, sections), numberFacts(rt, wild)
		jitter := rapid.SampledFrom([]float64{1, 20, 1e3}).Draw(rt, "jitter") // seconds
		opts := CorrelatorOptions{MaxRecords: 1 << 20, Lateness: time.Duration(jitter) * time.Second}
		if len(sections) > 1 { // there is no watermark that all groups wait for
			opts.Lateness = time.Hour
		}
		if rapid.Bool().Draw(rt, "few") {
			opts.MaxRecords = 5
		}
		random := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "order")))
		c, got := NewCorrelator(set, opts), standing{}
		for i, f := range disordered(random, facts, jitter) {
			got.take(c.Observe(f.occurrence()))
			if i%97 != 96 {
				continue
			}
			checkStretches(rt, c)
			saved := snapshotOf(rt, c)
			c = NewCorrelator(set, opts)
			if err := c.Restore(bytes.NewReader(saved)); err != nil || !bytes.Equal(saved, snapshotOf(rt, c)) {
				rt.Fatalf("restored: %v", err)
			}
			checkStretches(rt, c)
		}
		for _, co := range c.rules {
			for _, g := range co.groups {
				if kept++; g.stretched() && len(g.story.stretches) > 2 {
					divided++
				}
			}
		}
		got.take(c.Flush())
		want := naiveLines(set, expressionsOf(sections), facts)
		if opts.MaxRecords < 1<<20 {
			want = final(NewCorrelator(set, opts), facts).lines(true)
		}
		if diff := gocmp.Diff(want, got.lines(true)); diff != "" {
			rt.Fatalf("%s\n(-reference +got):\n%s", sections, diff)
		}
	})
	if divided == 0 {
		t.Errorf("no group of %d had stretches", kept)
	}
}

// checkStretches compares what is known of stretches with what is in them.
func checkStretches(t interface{ Fatalf(string, ...any) }, c *Correlator) {
	for _, co := range c.rules {
		for _, g := range co.groups {
			if !g.stretched() {
				continue
			}
			first := 0
			for k := range g.story.stretches {
				checkStretch(t, c, g, k, first)
				first += g.story.stretches[k].n
			}
			if first != len(g.entries) {
				t.Fatalf("%d events in stretches of %d", first, len(g.entries))
			}
		}
	}
}

func checkStretch(t interface{ Fatalf(string, ...any) }, c *Correlator, g *group, k, first int) {
	s, co := &g.story.stretches[k], g.owner
	before, near := tally{}, co.newStretch(0)
	before.reset(co)
	n := 0
	for i := range g.entries {
		e := &g.entries[i]
		if e.at >= since(s.from, co.span) && e.at < s.from {
			before.add(g, e)
			n++
		}
		if inside := i >= first && i < first+s.n; inside {
			near.meet(e.class, g.number(e))
		} else if inside != (e.at >= s.from && e.at <= g.story.end(k)) {
			t.Fatalf("event %d is not in stretch %d", i, k)
		}
	}
	if !slices.Equal(s.near, near.near) {
		t.Fatalf("stretch %d: near %v, want %v", k, s.near, near.near)
	}
	if g.story.end(k) < since(c.watermark(g), co.late) {
		return // nothing can come to it
	}
	if s.before != n || !slices.Equal(s.classes, before.classes) || s.sum != nil && s.sum.value() != before.sum.value() {
		t.Fatalf("stretch %d: %d numbers before it, want %d; %v, want %v", k, s.before, n, s.classes, before.classes)
	}
	p := c.pass(g, k, first)
	for p.hi < first+s.n {
		at := p.moment(first + s.n)
		if at < since(c.watermark(g), co.late) {
			p.slack = endless()
			continue
		}
		if held := p.held(); held != g.entries[p.hi-1].held {
			t.Fatalf("stretch %d: held is %v at %d", k, !held, at)
		}
	}
	const rounded = 1e-6
	unsure := s.sum != nil && (p.slack.gone() || p.total.most > 1e12) // the sum itself may know better
	if !unsure && !s.left.gone() && (s.left.up > p.slack.up+rounded || s.left.down > p.slack.down+rounded) {
		t.Fatalf("stretch %d: %v left, not %v", k, s.left, p.slack)
	}
}

// TestRanked compares a window that moves over numbers with the numbers in
// order.
func TestRanked(t *testing.T) {
	learned := 0
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed")))
		percent := rapid.SampledFrom([]float64{0, 10, 50, 95, 100}).Draw(rt, "percentile")
		distinct := rapid.SampledFrom([]int{3, 300, 1 << 30}).Draw(rt, "distinct")
		trend := rapid.SampledFrom([]int{0, 1, -1}).Draw(rt, "trend")
		size := rapid.IntRange(1, 4*maxRuns).Draw(rt, "size")
		var r ranked
		r.reset(percent)
		var window, sorted []float64
		for i := range 5 * maxRuns {
			x := float64(random.Intn(distinct)) + float64(trend*i)*float64(distinct)/maxRuns
			window = append(window, x)
			k, _ := slices.BinarySearch(sorted, x)
			sorted = slices.Insert(sorted, k, x)
			if r.add(x); len(window) > size {
				r.drop(window[0])
				k, _ = slices.BinarySearch(sorted, window[0])
				sorted = slices.Delete(sorted, k, k+1)
				window = window[1:]
			}
			if random.Intn(20) > 0 {
				continue
			}
			got, known := r.percentile()
			if !known {
				learned++
				r.learn(slices.Clone(window))
				got, known = r.percentile()
			}
			at, part := rank(len(sorted), percent)
			want := along(sorted[at], sorted[min(at+1, len(sorted)-1)], part)
			if !known || got != want || len(r.runs) > maxRuns {
				rt.Fatalf("%v of %d numbers is %v, not %v", percent, len(sorted), got, want)
			}
		}
	})
	if learned == 0 {
		t.Error("no rank was ever lost")
	}
}

// TestSumOfManyDigits has a sum that is above 0 by less than two numbers can
// tell, beside what was added and taken away again.
func TestSumOfManyDigits(t *testing.T) {
	set := setOf(t, []string{"type: value_sum, rules: [r1], timespan: 1h, condition: {gt: 0, field: n}"})
	var facts []fact
	add := func(at int64, numbers ...float64) {
		for i, x := range numbers {
			facts = append(facts, fact{rule: "r1", record: fmt.Sprint(len(facts)), at: at*1e6 + int64(i), fields: map[string]string{"n": fmt.Sprint(x)}})
		}
	}
	huge, tiny := math.Ldexp(1, 60), math.Ldexp(1, -60)
	add(0, huge, 1, tiny)
	add(1, make([]float64, stretchSize)...)
	add(2, -huge, -1)
	add(4, make([]float64, 20)...)
	add(3, -1, 1) // late: it is below 0 for a moment
	want := naiveLines(set, nil, facts)
	if got := final(NewCorrelator(set, CorrelatorOptions{MaxRecords: 1000}), facts).lines(true); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestLateInStretches has numbers that come last into a stretch that begins
// with events no longer kept before it, and into one of which the number nearest
// to the bound leaves the window.
func TestLateInStretches(t *testing.T) {
	for _, tt := range []struct {
		name, section string
		n             int
		step          float64 // seconds
		number        func(i int) float64
		late          string
	}{
		{"longer than the timespan", "type: value_sum, rules: [r1], timespan: 2s, condition: {lt: 4.5, field: n}",
			500, 0.5, func(int) float64 { return 1 }, "r1 155.25 late n=-1"},
		{"nearest leaves", "type: value_percentile, rules: [r1], timespan: 9s, condition: {gt: 0, field: n, percentile: 45}",
			130, 0.95, func(i int) float64 {
				if i == 100 {
					return -0.1
				}
				return []float64{-1, 0.5}[i%2]
			}, "r1 99.5 late n=0.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := setOf(t, []string{tt.section})
			var facts []fact
			for i := range tt.n {
				facts = append(facts, fact{
					rule: "r1", record: fmt.Sprint(i), at: int64(float64(i) * tt.step * 1e6), fields: map[string]string{"n": fmt.Sprint(tt.number(i))},
				})
			}
			before := len(naiveLines(set, nil, facts))
			o := occ(t, tt.late)
			n, _ := o.Lookup("n")
			facts = append(facts, fact{rule: "r1", record: o.RecordID, at: o.Time.Sub(day).Microseconds(), fields: map[string]string{"n": n}})
			c := NewCorrelator(set, CorrelatorOptions{MaxRecords: 1000, Lateness: 100 * time.Second})
			want := naiveLines(set, nil, facts)
			if got := final(c, facts).lines(true); len(want) == before || !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
}
