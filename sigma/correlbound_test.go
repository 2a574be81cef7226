package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestSketch checks the estimate of a sliding window against the error that is
// stated: within four standard errors.
func TestSketch(t *testing.T) {
	for _, n := range []int{1, 10, 1000, 20_000, 200_000} {
		s := newSketch()
		order := rand.New(rand.NewSource(int64(n))).Perm(2 * n)
		for _, i := range order { // any order: value i is seen at i
			s.add(fmt.Sprintf("value-%d", i), int64(i), noTime)
			s.add(fmt.Sprintf("value-%d", i), int64(i), noTime)
		}
		for _, start := range []int{0, n} {
			want := float64(2*n - start)
			if got := s.estimate(int64(start), int64(2*n)); math.Abs(got-want) > 4*SketchError*want {
				t.Errorf("of the last %v of %d values: %v", want, 2*n, got)
			}
		}
	}
}

// TestManyValues checks that a value_count goes on with an estimate beyond what
// is kept, finds what is far enough beyond its threshold, and says its error.
func TestManyValues(t *testing.T) {
	section := "type: value_count, rules: [r1], group-by: [U], timespan: 1h, condition: {gte: 20000, field: V}"
	for values, want := range map[int]bool{16_000: false, 24_000: true} {
		c := correlatorOf(t, section, CorrelatorOptions{MaxEntries: 1000})
		var last Finding
		for i := range 3 * values { // within half an hour
			o := Occurrence{Rule: "r1", RecordID: fmt.Sprint(i), Time: day.Add(time.Duration(i) * 20 * time.Millisecond), Lookup: func(f string) (string, bool) {
				return map[string]string{"U": "x", "V": fmt.Sprint("v", i%values)}[f], true
			}}
			for _, f := range c.Observe(o) {
				last = f
			}
		}
		if got := last.Rule != nil; got != want {
			t.Fatalf("%d values: found %v", values, got)
		}
		if !want {
			continue
		}
		if last.Error != SketchError || !last.Truncated || math.Abs(float64(last.Distinct-values)) > 4*SketchError*float64(values) {
			t.Errorf("error %v, truncated %v, distinct %d", last.Error, last.Truncated, last.Distinct)
		}
		if n := c.Stats().Events; n > 1000+sketchWeight {
			t.Errorf("%d events held", n)
		}
		restored := correlatorOf(t, section, CorrelatorOptions{MaxEntries: 1000})
		saved := snapshotOf(t, c)
		if err := restored.Restore(bytes.NewReader(saved)); err != nil || !bytes.Equal(saved, snapshotOf(t, restored)) {
			t.Errorf("restored with a sketch: %v", err)
		}
		c.Advance(day.Add(3 * time.Hour))
		if st := c.Stats(); st.Events != 0 || st.Groups != 0 {
			t.Errorf("after the watermark %+v", st)
		}
	}
}

// TestManyEvents checks the bound over all groups: those not touched for
// longest go.
func TestManyEvents(t *testing.T) {
	c := correlatorOf(t, "type: event_count, rules: [r1], group-by: [U], timespan: 1h, condition: {gte: 90}", CorrelatorOptions{MaxEvents: 100})
	for i := range 1000 {
		c.Observe(occ(t, fmt.Sprintf("r1 %d r%d U=%d", i, i, i/30)))
		if st := c.Stats(); st.Events > 100 {
			t.Fatalf("%+v", st)
		}
	}
	if st := c.Stats(); st.Groups != 4 || st.Evicted == 0 {
		t.Errorf("%+v", st)
	}
}

// TestLongTexts checks that what is kept of huge values is bounded, and that
// they stay different.
func TestLongTexts(t *testing.T) {
	c := correlatorOf(t, "type: value_count, rules: [r1], group-by: [U], timespan: 1h, condition: {gte: 2, field: V}", CorrelatorOptions{})
	huge := strings.Repeat("長", 1<<20)
	var found []Finding
	for i, v := range []string{huge + "a", huge + "a", huge + "b"} {
		found = c.Observe(Occurrence{Rule: "r1", RecordID: huge + fmt.Sprint(i), Time: day, Lookup: func(f string) (string, bool) {
			return map[string]string{"U": huge, "V": v}[f], true
		}})
		if i < 2 && found != nil {
			t.Errorf("found after %d", i)
		}
	}
	if len(found) != 1 || found[0].Distinct != 2 || len(found[0].Group[0].Value) > maxValue || len(found[0].RecordIDs[0]) > maxValue {
		t.Errorf("%d findings", len(found))
	}
}

func TestExactSum(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s exactSum
		s.reset()
		want := new(big.Rat)
		numbers := rapid.SliceOf(rapid.Float64Range(-math.MaxFloat64/64, math.MaxFloat64/64)).Draw(rt, "numbers")
		for i, x := range numbers {
			s.add(x)
			want.Add(want, new(big.Rat).SetFloat64(x))
			if i%3 == 2 {
				s.add(-numbers[i-1])
				want.Sub(want, new(big.Rat).SetFloat64(numbers[i-1]))
			}
		}
		if exact, _ := want.Float64(); s.value() != exact {
			rt.Fatalf("%v, want %v", s.value(), exact)
		}
	})
}

func TestPercentile(t *testing.T) {
	percentile := func(numbers []float64, p float64) float64 {
		var r ranked
		r.reset(p)
		for _, x := range numbers {
			r.add(x)
		}
		x, _ := r.percentile()
		return x
	}
	numbers := []float64{1, 2, 4, 8}
	for p, want := range map[float64]float64{0: 1, 100: 8, 50: 3, 25: 1.75, 90: 6.8} {
		if got := percentile(numbers, p); math.Abs(got-want) > 1e-12 {
			t.Errorf("percentile %v: %v, want %v", p, got, want)
		}
	}
	if got := percentile([]float64{7}, 95); got != 7 {
		t.Errorf("of one: %v", got)
	}
}

func TestWatermark(t *testing.T) {
	at := func(minute int) time.Time { return day.Add(time.Duration(minute) * time.Minute) }
	w := NewWatermark(WatermarkOptions{})
	if _, known := w.Now(); known {
		t.Error("known before anything was heard")
	}
	for _, step := range []struct {
		name         string
		source       string
		at, arrived  int // minutes
		counted, now int
	}{
		{"the first", "a/sysmon", 100, 101, 100, 100},
		{"a slower source of the same member", "a/zeek", 90, 102, 90, 100},
		{"does not take it back", "a/sysmon", 103, 103, 103, 100},
		{"the slower one goes on", "a/zeek", 102, 104, 102, 102},
		{"a clock ahead is its arrival", "b/sysmon", 999, 105, 105, 102},
		{"out of order in a source", "a/zeek", 60, 106, 60, 102},
		{"idle sources hold nothing back", "b/sysmon", 140, 140, 140, 140},
		{"a source that was away", "a/zeek", 110, 141, 110, 140},
		{"and never longer than the hold", "a/zeek", 111, 141 + 24*60, 111, 141},
	} {
		if got := w.Observe(step.source, at(step.at), at(step.arrived)); got != at(step.counted) {
			t.Errorf("%s: counted at %v", step.name, got.Sub(day))
		}
		if got, _ := w.Now(); got != at(step.now) {
			t.Errorf("%s: watermark %v", step.name, got.Sub(day))
		}
	}
	var saved bytes.Buffer
	if err := w.Snapshot(&saved); err != nil {
		t.Fatal(err)
	}
	other := NewWatermark(WatermarkOptions{})
	if err := other.Restore(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	w.Observe("c", at(2000), at(2000))
	other.Observe("c", at(2000), at(2000))
	a, _ := w.Now()
	if b, _ := other.Now(); a != b {
		t.Errorf("restored %v, not %v", b, a)
	}
	for n := range saved.Len() {
		if err := other.Restore(bytes.NewReader(saved.Bytes()[:n])); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	few := NewWatermark(WatermarkOptions{MaxSources: 1})
	few.Observe("a", at(10), at(10))
	few.Observe("b", at(1), at(10))
	if got, _ := few.Now(); got != at(10) {
		t.Errorf("a source too many holds back: %v", got)
	}
}

// TestWatermarkDecides checks what waits for it, what comes too late for it,
// and what it corrects.
func TestWatermarkDecides(t *testing.T) {
	c := correlatorOf(t, "type: temporal, rules: [r1, r2], group-by: [U], timespan: 10s, condition: r1 and not r2", CorrelatorOptions{Lateness: 30 * time.Second})
	at := func(second int) time.Time { return day.Add(time.Duration(second) * time.Second) }
	var got []string
	take := func(findings []Finding) {
		for _, f := range findings {
			got = append(got, line(f))
		}
	}
	take(c.Advance(at(0)))
	take(c.Observe(occ(t, "r1 5 a U=x")))
	take(c.Observe(occ(t, "r1 40 b U=x")))
	take(c.Advance(at(14))) // the absence at 5 lasts to 15
	take(c.Advance(at(15)))
	take(c.Observe(occ(t, "r2 12 c U=x"))) // late, and there is no absence
	take(c.Advance(at(60)))
	take(c.Observe(occ(t, "r2 5 d U=x"))) // later than the lateness
	take(c.Flush())
	want := []string{"U=x 1/1 5-5 a new", "U=x 1/1 5-5 a retracted", "U=x 1/1 40-40 b new"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if st := c.Stats(); st.Late != 1 {
		t.Errorf("%+v", st)
	}
}

// TestChainRefusals checks cycles, depth and what depends on what was refused.
func TestChainRefusals(t *testing.T) {
	head := "title: r1\nid: r1\nlogsource: {product: windows}\ndetection: {s: {A: 1}, condition: s}\n"
	one := func(id, refs string) string {
		return fmt.Sprintf("---\ntitle: %s\nid: %s\ncorrelation:\n  type: temporal\n  rules:\n    - r1\n    - %s\n  timespan: 1m\n", id, id, refs)
	}
	l := NewLoader(Options{})
	l.AddFile("chain.yml", []byte(head+one("a", "b")+one("b", "c")+one("c", "a")+one("d", "c")+one("e", "d")+one("self", "self")))
	deep := ""
	for i := range maxChain + 2 {
		deep += one(fmt.Sprint("n", i), map[bool]string{true: "other", false: fmt.Sprint("n", i-1)}[i == 0])
	}
	l.AddFile("deep.yml", []byte(strings.Replace(head, "id: r1", "id: other", 1)+deep))
	set, problems := l.Finish()
	if _, ok := set.Rule(fmt.Sprint("n", maxChain-1)); !ok {
		t.Errorf("a chain of %d is refused", maxChain)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		"chain.yml:12:7: a: refers to itself: a → b → c → a",
		"chain.yml:21:7: b: refers to itself: a → b → c → a",
		"chain.yml:30:7: c: refers to itself: a → b → c → a",
		`chain.yml:39:7: d: refers to rule "c", which is not loaded`,
		`chain.yml:48:7: e: refers to rule "d", which is not loaded`,
		"chain.yml:57:7: self: refers to itself: self → self",
		fmt.Sprintf("deep.yml:%d:7: n8: more than 8 correlations in a chain", 5+9*8+7),
		fmt.Sprintf(`deep.yml:%d:7: n9: refers to rule "n8", which is not loaded`, 5+9*9+7),
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestChainKeepsWhatIsBehind checks that the events of a short correlation are
// kept as long as a long one above it may name them.
func TestChainKeepsWhatIsBehind(t *testing.T) {
	set := setOf(t, []string{
		"type: event_count, rules: [r1], group-by: [U], timespan: 10s, condition: {gte: 3}",
		"type: temporal_ordered, rules: [c0, r2], group-by: [U], timespan: 1h",
	})
	c := NewCorrelator(set, CorrelatorOptions{Lateness: time.Minute})
	s := standing{}
	for i := range 3 {
		s.take(c.Observe(occ(t, fmt.Sprintf("r1 %d r%d U=x", i, i))))
	}
	for minute := range 50 {
		s.take(c.Advance(day.Add(time.Duration(minute) * time.Minute)))
	}
	s.take(c.Observe(occ(t, "r2 3000 z U=x")))
	if got, want := s.lines(false), []string{"c1 U=x 2/2 2-3000 r0,r1,r2,z"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	c.Advance(day.Add(3 * time.Hour))
	if st := c.Stats(); st.Groups != 0 {
		t.Errorf("%+v", st)
	}
}

// TestLateEventJoinsEpisodes takes the short way of a late event whose episode
// can show no more records, and must not take it here: the event makes one
// episode of two.
func TestLateEventJoinsEpisodes(t *testing.T) {
	c := correlatorOf(t, "type: temporal, rules: [r1, r2], timespan: 20s", CorrelatorOptions{MaxRecords: 1})
	s := standing{}
	for _, text := range []string{"r1 0 a", "r2 12 b", "r2 26 c", "r1 33 d", "r1 34 e", "r1 30 f"} {
		s.take(c.Observe(occ(t, text)))
	}
	if got, want := s.lines(false), []string{"corr 6/2 0-34 a"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestLateValueReachesThreshold: a late event that is the fifth value of a large
// window, which no later event closes again.
func TestLateValueReachesThreshold(t *testing.T) {
	c := correlatorOf(t, "type: value_count, rules: [r1], timespan: 60s, condition: {gte: 5, field: V}", CorrelatorOptions{})
	s := standing{}
	observe := func(second float64, value int) {
		s.take(c.Observe(occ(t, fmt.Sprintf("r1 %.1f r%.1f V=%d", second, second, value))))
	}
	for i := range 5 {
		observe(float64(i), i)
	}
	for i := range 2 * (largeWindow + 2) {
		observe(200+100*float64(i/(largeWindow+2))+float64(i%(largeWindow+2))/10, i%4)
	}
	observe(230, 9)
	if len(s) != 2 {
		t.Errorf("episodes %q", s.lines(false))
	}
}
