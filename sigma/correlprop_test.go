package sigma

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// situation is a set of correlations and what they see.
type situation struct {
	name        string
	set         *Ruleset
	expressions map[string]string
	facts       []fact // in order of time
}

// sections are correlations over r1, r2 and r3, one per line; later ones may
// refer to earlier ones of the same situation as c0, c1 …
func sectionSets() [][]string {
	return [][]string{
		{"type: event_count, rules: [r1, r2], group-by: [U], timespan: 10s, condition: {gte: 4}"},
		{"type: event_count, rules: [r1], timespan: 5s, condition: {gte: 1}"},
		{"type: event_count, rules: [r1, r3], group-by: [U, bank], timespan: 20s, condition: {gt: 1, lte: 3}"},
		{"type: event_count, rules: [r1], group-by: [U], timespan: 10s, condition: {gte: 2, neq: 3}"},
		{"type: event_count, rules: [r2], timespan: 30s, condition: {eq: 2}"},
		{"type: value_count, rules: [r1, r2], group-by: [U], timespan: 20s, condition: {gte: 3, field: bank}"},
		{"type: value_count, rules: [r1, r2], timespan: 20s, condition: {gte: 4, field: [U, bank]}"},
		{"type: value_count, rules: [r1, r2, r3], timespan: 20s, condition: {gte: 2, lt: 4, field: bank}"},
		{"type: temporal, rules: [r1, r2], group-by: [U], timespan: 3s"},
		{"type: temporal, rules: [r1, r2, r3], group-by: [U], timespan: 12s, condition: {gte: 2}"},
		{"type: temporal, rules: [r1, r2, r3], group-by: [U], timespan: 12s, condition: {eq: 2}"},
		{"type: temporal, group-by: [U], timespan: 8s, condition: r1 and (r2 or r3)"},
		{"type: temporal, group-by: [U], timespan: 8s, condition: r1 and not r2"},
		{"type: temporal_extended, group-by: [bank], timespan: 15s, condition: (r1 or r2) and not (r3 and r2)"},
		{"type: temporal_ordered, rules: [r1, r2], group-by: [U], timespan: 4s"},
		{"type: temporal_ordered, rules: [r3, r1, r2], timespan: 9s"},
		{"type: temporal_ordered, rules: [r1, r2, r3], group-by: [U], timespan: 9s, condition: r1 and (r2 or r3)"},
		{"type: temporal_ordered, rules: [r1, r2, r3], group-by: [U], timespan: 9s, condition: r1 and r2 and not r3"},
		{"type: value_sum, rules: [r1, r2], group-by: [U], timespan: 20s, condition: {gt: 40, field: n}"},
		{"type: value_sum, rules: [r1], timespan: 20s, condition: {lt: '5.5', field: n}"},
		{"type: value_avg, rules: [r1, r2, r3], group-by: [bank], timespan: 20s, condition: {gte: 8, lt: 11.5, field: n}"},
		{"type: value_median, rules: [r1], group-by: [U], timespan: 30s, condition: {gt: 9, field: n}"},
		{"type: value_percentile, rules: [r1, r2], timespan: 30s, condition: {gte: 15, field: n, percentile: 90}"},
		{"type: temporal, rules: [r1, r2], group-by: [who], timespan: 20s, aliases: {who: {r1: U, r2: bank2}}"},
		{ // brute force and then success, by the same fields
			"type: event_count, rules: [r1], group-by: [U], timespan: 10s, condition: {gte: 3}",
			"type: temporal_ordered, rules: [c0, r2], group-by: [U], timespan: 20s"},
		{ // the field of the upper one is not among those of the lower one
			"type: event_count, rules: [r1, r2], group-by: [bank], timespan: 8s, condition: {gte: 2}, generate: true",
			"type: temporal, rules: [c0, r3], group-by: [U], timespan: 20s"},
		{
			"type: value_count, rules: [r1, r2], group-by: [U], timespan: 8s, condition: {gte: 2, field: bank}",
			"type: event_count, rules: [c0], timespan: 60s, condition: {gte: 2}"},
		{ // how many users had a burst
			"type: event_count, rules: [r1], group-by: [U, bank], timespan: 8s, condition: {gte: 2}",
			"type: value_count, rules: [c0], group-by: [bank], timespan: 60s, condition: {gte: 2, field: U}"},
		{ // values from the events below
			"type: event_count, rules: [r1], group-by: [bank], timespan: 8s, condition: {gte: 2}",
			"type: value_count, rules: [c0, r2], timespan: 30s, condition: {gte: 2, field: U}"},
		{ // what waits, below
			"type: event_count, rules: [r1], group-by: [U], timespan: 6s, condition: {gte: 1, lte: 2}",
			"type: temporal, group-by: [U], timespan: 12s, condition: c0 and not r2"},
		{ // three storeys
			"type: event_count, rules: [r1, r2], group-by: [bank], timespan: 8s, condition: {gte: 2}",
			"type: temporal, rules: [c0, r3], group-by: [bank], timespan: 10s",
			"type: temporal_ordered, rules: [c1, r1], group-by: [U], timespan: 20s"},
		{ // one below two
			"type: event_count, rules: [r1], group-by: [U], timespan: 8s, condition: {gte: 2}",
			"type: temporal, rules: [c0, r3], group-by: [U], timespan: 10s",
			"type: value_count, rules: [c0, c1], timespan: 60s, condition: {gte: 2, field: U}"},
	}
}

// eachSituation checks a property in random situations with every set of
// correlations.
func eachSituation(t *testing.T, check func(*rapid.T, situation)) {
	for _, sections := range sectionSets() {
		t.Run(sections[len(sections)-1], func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { check(rt, genSituation(rt, sections)) })
		})
	}
}

func genSituation(t *rapid.T, sections []string) situation {
	s := situation{name: sections[len(sections)-1], set: setOf(t, sections), expressions: expressionsOf(sections)}
	n := rapid.IntRange(1, 50).Draw(t, "n")
	for i := range n {
		f := fact{
			rule: rapid.SampledFrom([]string{"r1", "r1", "r2", "r3"}).Draw(t, "rule"), record: fmt.Sprintf("%03d", i),
			at: int64(rapid.IntRange(0, 90).Draw(t, "second")) * 1_000_000,
			fields: map[string]string{
				"U": rapid.SampledFrom([]string{"x", "y"}).Draw(t, "user"), "bank": rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "bank"),
				"bank2": rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "alias"),
				"n":     rapid.SampledFrom([]string{"1", "2.25", "-3", "1e1", "20", "0.1", "n/a", "1e17", "-1e17"}).Draw(t, "number"),
			},
		}
		if rapid.IntRange(0, 9).Draw(t, "complete") == 0 {
			delete(f.fields, rapid.SampledFrom([]string{"U", "bank", "n"}).Draw(t, "missing"))
		}
		s.facts = append(s.facts, f)
	}
	slices.SortStableFunc(s.facts, func(a, b fact) int { return cmp.Compare(a.at, b.at) })
	return s
}

// expressionsOf are the conditions over rules of sections.
func expressionsOf(sections []string) map[string]string {
	all := map[string]string{}
	for i, section := range sections {
		if _, text, ok := strings.Cut(section, "condition: "); ok && !strings.HasPrefix(text, "{") {
			all[fmt.Sprint("c", i)] = text
		}
	}
	return all
}

func setOf(t interface{ Fatal(...any) }, sections []string) *Ruleset {
	var b strings.Builder
	for _, id := range []string{"r1", "r2", "r3"} {
		fmt.Fprintf(&b, "title: %s\nid: %s\nlogsource: {product: windows}\ndetection: {s: {Kind: %s}, condition: s}\n---\n", id, id, id)
	}
	for i, section := range sections {
		// Conditions over rules are quoted, since they hold parentheses.
		if head, text, ok := strings.Cut(section, "condition: "); ok && !strings.HasPrefix(text, "{") {
			section = head + "condition: '" + text + "'"
		}
		fmt.Fprintf(&b, "title: c%d\nid: c%d\ncorrelation: {%s}\n---\n", i, i, section)
	}
	set, problems := Load(fstest.MapFS{"r.yml": {Data: []byte(b.String())}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

// standing replays facts and keeps the last report of every episode.
type standing map[string]Finding

func (s standing) take(findings []Finding) {
	for _, f := range findings {
		s[f.Key] = f
		for _, k := range f.Supersedes {
			delete(s, k)
		}
		if f.Retracted {
			delete(s, f.Key)
		}
	}
}

// lines writes what stands, without keys; sorted says that the order of records
// and values does not matter.
func (s standing) lines(sorted bool) []string {
	var out []string
	for _, f := range s {
		f.New, f.Supersedes = false, nil
		if sorted {
			f.RecordIDs, f.Values = slices.Sorted(slices.Values(f.RecordIDs)), slices.Sorted(slices.Values(f.Values))
		}
		out = append(out, f.Rule.ID+" "+line(f))
	}
	slices.Sort(out)
	return out
}

func final(c *Correlator, in []fact) standing {
	s := standing{}
	for i := range in {
		s.take(c.Observe(in[i].occurrence()))
	}
	s.take(c.Flush())
	return s
}

func shuffled(t *rapid.T, in []fact) []fact {
	mixed := slices.Concat(in, in[:len(in)/2])
	rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	return mixed
}

// TestAgreesWithReference compares what stands in the end with the reference
// correlator, for every type.
func TestAgreesWithReference(t *testing.T) {
	found := map[string]int{}
	eachSituation(t, func(rt *rapid.T, s situation) {
		want := naiveLines(s.set, s.expressions, s.facts)
		got := final(NewCorrelator(s.set, CorrelatorOptions{}), s.facts).lines(true)
		if diff := gocmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-reference +got):\n%s", diff)
		}
		found[s.name] += len(want)
	})
	if testing.Short() {
		return // too few situations to expect something of every set
	}
	for _, sections := range sectionSets() {
		if name := sections[len(sections)-1]; found[name] == 0 {
			t.Errorf("nothing was ever found by %s", name)
		}
	}
}

// TestShuffledAndRepeated checks that the order of arrival and repeated
// delivery change nothing in the end.
func TestShuffledAndRepeated(t *testing.T) {
	eachSituation(t, func(rt *rapid.T, s situation) {
		opts := CorrelatorOptions{}
		if len(s.set.Rules()) == 4 { // no chain
			opts.MaxRecords = rapid.SampledFrom([]int{0, 2}).Draw(rt, "records")
			opts.MaxValues = rapid.SampledFrom([]int{0, 2}).Draw(rt, "values")
		}
		want := final(NewCorrelator(s.set, opts), s.facts).lines(false)
		got := final(NewCorrelator(s.set, opts), shuffled(rt, s.facts)).lines(false)
		if diff := gocmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-sorted +shuffled):\n%s", diff)
		}
	})
}

// TestSplit checks that eight workers, each with its own Correlator and all
// told the same watermarks, find what one does.
func TestSplit(t *testing.T) {
	eachSituation(t, func(rt *rapid.T, s situation) {
		sharding := NewSharding(s.set, 8)
		var workers []*Correlator
		for i := range 8 {
			workers = append(workers, NewCorrelator(s.set, CorrelatorOptions{Sharding: sharding, Shard: i}))
		}
		one, many := NewCorrelator(s.set, CorrelatorOptions{}), standing{}
		alone := standing{}
		for i, f := range shuffled(rt, s.facts) {
			alone.take(one.Observe(f.occurrence()))
			sharding.Each(f.occurrence(), func(k int) { many.take(workers[k].Observe(f.occurrence())) })
			if i%7 == 0 { // within the lateness of all that comes
				mark := day.Add(time.Duration(i) * time.Second)
				alone.take(one.Advance(mark))
				for _, w := range workers {
					many.take(w.Advance(mark))
				}
			}
		}
		alone.take(one.Flush())
		for _, w := range workers {
			many.take(w.Flush())
		}
		if diff := gocmp.Diff(alone.lines(false), many.lines(false)); diff != "" {
			rt.Fatalf("(-one +eight):\n%s", diff)
		}
		want := naiveLines(s.set, s.expressions, s.facts)
		if diff := gocmp.Diff(want, many.lines(true)); diff != "" {
			rt.Fatalf("(-reference +eight):\n%s", diff)
		}
	})
}

// TestSnapshotChangesNothing takes a snapshot in the middle and goes on from it
// in a new Correlator.
func TestSnapshotChangesNothing(t *testing.T) {
	eachSituation(t, func(rt *rapid.T, s situation) {
		opts := CorrelatorOptions{MaxEntries: rapid.SampledFrom([]int{0, 16}).Draw(rt, "room"), MaxGroups: rapid.SampledFrom([]int{0, 1}).Draw(rt, "groups")}
		a, b := NewCorrelator(s.set, opts), NewCorrelator(s.set, opts)
		in := shuffled(rt, s.facts)
		cut := rapid.IntRange(0, len(in)).Draw(rt, "cut")
		for i := range in[:cut] {
			a.Observe(in[i].occurrence())
		}
		if rapid.Bool().Draw(rt, "watermark") {
			a.Advance(day.Add(20 * time.Second))
		}
		saved := snapshotOf(rt, a)
		if err := b.Restore(bytes.NewReader(saved)); err != nil {
			rt.Fatal(err)
		}
		if again := snapshotOf(rt, b); !bytes.Equal(saved, again) {
			rt.Fatal("snapshot of a restored state differs")
		}
		for i := range in[cut:] {
			o := in[cut+i].occurrence()
			if diff := gocmp.Diff(linesOf(a.Observe(o)), linesOf(b.Observe(o))); diff != "" {
				rt.Fatalf("after a restart (-without +with):\n%s", diff)
			}
		}
		if diff := gocmp.Diff(linesOf(a.Flush()), linesOf(b.Flush())); diff != "" {
			rt.Fatalf("in the end (-without +with):\n%s", diff)
		}
	})
}

func snapshotOf(t interface{ Fatal(...any) }, c *Correlator) []byte {
	var b bytes.Buffer
	if err := c.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
