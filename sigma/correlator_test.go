package sigma

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var day = time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)

// correlatorOf makes a Correlator for one correlation over rules r1 and r2.
func correlatorOf(tb testing.TB, section string, opts CorrelatorOptions) *Correlator {
	tb.Helper()
	set, problems := Load(fstest.MapFS{"r.yml": {Data: []byte(correlationFile(section))}}, Options{})
	if _, ok := set.Rule("corr"); !ok {
		tb.Fatal(problems)
	}
	return NewCorrelator(set.Only(func(r *Rule) bool { return r.ID == "corr" }), opts)
}

// occ reads "rule second record field=value …".
func occ(tb testing.TB, text string) Occurrence {
	tb.Helper()
	var second float64
	words := strings.Fields(text)
	if _, err := fmt.Sscan(words[1], &second); err != nil {
		tb.Fatal(err)
	}
	fields := map[string]string{}
	for _, w := range words[3:] {
		k, v, _ := strings.Cut(w, "=")
		fields[k] = v
	}
	return Occurrence{
		Rule: words[0], RecordID: words[2], Time: day.Add(time.Duration(second * float64(time.Second))),
		Lookup: func(f string) (string, bool) { v, ok := fields[f]; return v, ok },
	}
}

// line writes a finding shortly: group, count, distinct, seconds, records.
func line(f Finding) string {
	var b strings.Builder
	for _, kv := range f.Group {
		fmt.Fprintf(&b, "%s=%s ", kv.Key, kv.Value)
	}
	fmt.Fprintf(&b, "%d/%d %v-%v %s", f.Count, f.Distinct, f.First.Sub(day).Seconds(), f.Last.Sub(day).Seconds(), strings.Join(f.RecordIDs, ","))
	if f.Number != 0 {
		fmt.Fprintf(&b, " number %v", f.Number)
	}
	if len(f.Values) > 0 {
		b.WriteString(" values " + strings.Join(f.Values, ","))
	}
	if f.New {
		b.WriteString(" new")
	}
	if f.Supersedes != nil {
		b.WriteString(" supersedes")
	}
	if f.Retracted {
		b.WriteString(" retracted")
	}
	return b.String()
}

func TestCorrelator(t *testing.T) {
	const count = "type: event_count, rules: [r1], group-by: [U], timespan: 10s, condition: {gte: 3}"
	const values = "type: value_count, rules: [r1, r2], group-by: [ip], timespan: 10s, condition: {gte: 3, field: institution}"
	const temporal = "type: temporal, rules: [r1, r2], group-by: [U], timespan: 10s"
	const ordered = "type: temporal_ordered, rules: [r1, r2], group-by: [U], timespan: 10s"
	tests := []struct {
		name, section string
		in, want      []string
	}{
		{"count", count,
			[]string{"r1 0 a U=x", "r1 5 b U=x", "r1 6 c U=y", "r1 10 d U=x"},
			[]string{"U=x 3/0 0-10 a,b,d new"}},
		{"window slides and both ends count", count,
			[]string{"r1 0 a U=x", "r1 5 b U=x", "r1 10.1 c U=x", "r1 14 d U=x"},
			[]string{"U=x 3/0 5-14 b,c,d new"}},
		{"episode grows", count,
			[]string{"r1 0 a U=x", "r1 1 b U=x", "r1 2 c U=x", "r1 3 d U=x", "r1 40 e U=x", "r1 41 f U=x", "r1 42 g U=x"},
			[]string{"U=x 3/0 0-2 a,b,c new", "U=x 4/0 0-3 a,b,c,d", "U=x 3/0 40-42 e,f,g new"}},
		{"a record counts once", count,
			[]string{"r1 0 a U=x", "r1 0 a U=x", "r1 1 b U=x", "r1 1 b U=x", "r1 2 c U=x", "r1 1 b U=x"},
			[]string{"U=x 3/0 0-2 a,b,c new", "U=x 3/0 0-2 a,b,c"}},
		{"events out of order", count,
			[]string{"r1 9 c U=x", "r1 0 a U=x", "r1 5 b U=x"},
			[]string{"U=x 3/0 0-9 a,b,c new"}},
		{"late event joins two episodes", count,
			[]string{"r1 0 a U=x", "r1 1 b U=x", "r1 2 c U=x", "r1 18 d U=x", "r1 19 e U=x", "r1 20 f U=x", "r1 10 g U=x"},
			[]string{"U=x 3/0 0-2 a,b,c new", "U=x 3/0 18-20 d,e,f new", "U=x 7/0 0-20 a,b,c,g,d,e,f supersedes"}},
		{"no group field", count, []string{"r1 0 a", "r1 1 b", "r1 2 c"}, nil},
		{"no group-by", "type: event_count, rules: [r1], timespan: 10s, condition: {gt: 1}",
			[]string{"r1 0 a", "r1 1 b"}, []string{"2/0 0-1 a,b new"}},
		{"other rules", count, []string{"r2 0 a U=x", "r2 1 b U=x", "r9 2 c U=x"}, nil},
		{"same moment", count, []string{"r1 5 a U=x", "r1 5 b U=x", "r1 5 c U=x", "r1 5 d U=x"},
			[]string{"U=x 3/0 5-5 a,b,c new", "U=x 4/0 5-5 a,b,c,d"}},
		{"values across institutions", values,
			[]string{"r1 0 a ip=1 institution=A", "r1 1 b ip=1 institution=B", "r1 2 c ip=1 institution=A", "r2 3 d ip=1 institution=C"},
			[]string{"ip=1 4/3 0-3 a,b,c,d values A,B,C new"}},
		{"values leave the window", values,
			[]string{"r1 0 a ip=1 institution=A", "r1 6 b ip=1 institution=B", "r1 11 c ip=1 institution=C"}, nil},
		{"values in order of time", values,
			[]string{"r1 5 a ip=1 institution=A", "r1 4 b ip=1 institution=B", "r1 3 c ip=1 institution=C"},
			[]string{"ip=1 3/3 3-5 c,b,a values C,B,A new"}},
		{"several counted fields", "type: value_count, rules: [r1], timespan: 10s, condition: {gte: 2, field: [A, B]}",
			[]string{"r1 0 a A=1 B=2", "r1 1 b A=1 B=2", "r1 2 c A=12 B=", "r1 3 d A=1"},
			[]string{`3/2 0-2 a,b,c values "1" "2","12" "" new`}},
		{"temporal in any order", temporal,
			[]string{"r2 0 a U=x", "r2 1 b U=x", "r1 3 c U=x", "r1 20 d U=x"},
			[]string{"U=x 3/2 0-3 a,b,c new"}},
		{"temporal with one record for both", temporal, []string{"r1 0 a U=x", "r2 0 a U=x"}, []string{"U=x 2/2 0-0 a new"}},
		{"temporal of any", "type: temporal, rules: [r1, r2], timespan: 10s, condition: {gte: 1}", []string{"r2 0 a"}, []string{"1/1 0-0 a new"}},
		{"ordered", ordered, []string{"r1 0 a U=x", "r2 9 b U=x"}, []string{"U=x 2/2 0-9 a,b new"}},
		{"ordered the wrong way", ordered, []string{"r2 0 a U=x", "r1 9 b U=x"}, nil},
		{"ordered too far apart", ordered, []string{"r1 0 a U=x", "r2 10.5 b U=x"}, nil},
		{"ordered takes the latest start", ordered, []string{"r1 0 a U=x", "r1 9 b U=x", "r2 12 c U=x"}, []string{"U=x 2/2 9-12 b,c new"}},
		{"ordered in one moment", ordered, []string{"r2 5 a U=x", "r1 5 b U=x"}, []string{"U=x 2/2 5-5 a,b new"}},
		{"ordered arriving late", ordered, []string{"r2 5 b U=x", "r1 3 a U=x"}, []string{"U=x 2/2 3-5 a,b new"}},
		{"aliases", "type: temporal, rules: [r1, r2], group-by: [ip], timespan: 10s, aliases: {ip: {first: Src, r2: Dst}}",
			[]string{"r1 0 a Src=1 Dst=2", "r2 1 b Src=2 Dst=1", "r2 2 c Src=1 Dst=2"}, []string{"ip=1 2/2 0-1 a,b new"}},
		{"range", "type: event_count, rules: [r1], timespan: 10s, condition: {gt: 1, lte: 2}",
			[]string{"r1 0 a", "r1 1 b", "r1 12 -"}, []string{"2/0 0-1 a,b new"}},
		{"range passed", "type: event_count, rules: [r1], timespan: 10s, condition: {gt: 1, lte: 2}",
			[]string{"r1 0 a", "r1 1 b", "r1 2 c", "r1 3 d", "r1 40 -"}, nil},
		{"neq", "type: event_count, rules: [r1], timespan: 10s, condition: {gte: 1, neq: 1}",
			[]string{"r1 0 a", "r1 1 b", "r1 12 -"}, []string{"2/0 0-1 a,b new"}},
		{"retracted by a late event", "type: event_count, rules: [r1], timespan: 10s, condition: {eq: 2}",
			[]string{"r1 0 a", "r1 2 c", "r1 13 -", "r1 2 b"}, []string{"2/0 0-2 a,c new", "2/0 0-2 a,c retracted"}},
		{"corrected by a late event", "type: event_count, rules: [r1], timespan: 10s, condition: {gte: 2, lte: 3}",
			[]string{"r1 0 a", "r1 2 c", "r1 13 -", "r1 1 b"}, []string{"2/0 0-2 a,c new", "3/0 0-2 a,b,c"}},
		{"a closed finding's key is not used again", "type: value_avg, rules: [r1], timespan: 10s, condition: {gt: 10, field: n}",
			[]string{"r1 4 b n=0", "r1 5 a n=30", "r1 4.5 c n=0", "r1 4.7 d n=50"},
			[]string{"2/0 4-5 b,a number 15 new", "2/0 4-5 b,a number 15 retracted", "4/0 4-5 b,c,d,a number 20 new"}},
		{"too late", count, []string{"r1 5000 a U=x", "r1 0 b U=x", "r1 4999 c U=x", "r1 5001 d U=x"}, []string{"U=x 3/0 4999-5001 c,a,d new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := correlatorOf(t, tt.section, CorrelatorOptions{})
			keys := map[string]bool{}
			var got []string
			for _, text := range tt.in {
				for _, f := range c.Observe(occ(t, text)) {
					got = append(got, line(f))
					if f.New == keys[f.Key] {
						t.Errorf("key %s: new is %v", f.Key, f.New)
					}
					keys[f.Key] = true
					if f.Rule.ID != "corr" {
						t.Errorf("rule %s", f.Rule.ID)
					}
				}
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func linesOf(findings []Finding) (out []string) {
	for _, f := range findings {
		out = append(out, f.Key+" "+line(f))
	}
	return out
}

func TestRestoreRefusesDamage(t *testing.T) {
	section := "type: temporal_ordered, rules: [r1, r2], group-by: [U], timespan: 10s"
	c := correlatorOf(t, section, CorrelatorOptions{})
	for i := range 20 {
		c.Observe(occ(t, fmt.Sprintf("r%d %d rec%d U=u%d", i%2+1, i, i, i%3)))
	}
	var b bytes.Buffer
	if err := c.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		fresh := correlatorOf(t, section, CorrelatorOptions{})
		if err := fresh.Restore(bytes.NewReader(b.Bytes()[:n])); err == nil {
			t.Fatalf("took the first %d of %d bytes", n, b.Len())
		}
		if fresh.Stats().Groups != 0 {
			t.Fatalf("state left after an error")
		}
	}
	other := correlatorOf(t, strings.Replace(section, "10s", "11s", 1), CorrelatorOptions{})
	if err := other.Restore(&b); err != nil || other.Stats().Groups != 0 {
		t.Errorf("groups of another version: %v, %d", err, other.Stats().Groups)
	}
}

// TestBounds checks that memory stays bounded and that a threshold is reached
// all the same.
func TestBounds(t *testing.T) {
	section := "type: value_count, rules: [r1], group-by: [U], timespan: 1h, condition: {gte: 5, field: V}"
	c := correlatorOf(t, section, CorrelatorOptions{MaxEntries: 20, MaxGroups: 3})
	found := 0
	for i := range 1000 {
		value := 0
		if i%200 == 0 {
			value = i
		}
		found += len(c.Observe(occ(t, fmt.Sprintf("r1 %d rec%d U=x V=%d", i, i, value))))
		for _, g := range c.rules[0].groups {
			if len(g.entries) > 20 {
				t.Fatalf("%d entries", len(g.entries))
			}
		}
	}
	if found == 0 || c.Stats().Shed == 0 {
		t.Errorf("found %d, stats %+v", found, c.Stats())
	}
	for i := range 10 {
		c.Observe(occ(t, fmt.Sprintf("r1 %d x%d U=u%d V=1", 1000+i, i, i)))
	}
	if st := c.Stats(); st.Groups != 3 || st.Evicted != 8 {
		t.Errorf("stats %+v", st)
	}
	c.Advance(day.Add(2 * time.Hour))
	if st := c.Stats(); st.Groups != 0 {
		t.Errorf("after advance %+v", st)
	}
}

// TestGenerate: it may be said in the correlation section, as pySigma reads it,
// or beside it, as the specification's schema has it.
func TestGenerate(t *testing.T) {
	for generate, want := range map[string]bool{", generate: true": true, ", generate: false": false, "}\ngenerate: true\nx: {": true, "}\ngenerate: false\nx: {": false} {
		section := "type: event_count, rules: [r2], timespan: 5m, condition: {gte: 2}" + generate
		set, _ := Load(fstest.MapFS{"r.yml": {Data: []byte(correlationFile(section))}}, Options{})
		r2, _ := set.Rule("r2")
		r3, _ := set.Rule("r3")
		if set.Standalone(r2) != want || !set.Standalone(r3) {
			t.Errorf("generate %s: r2 %v, r3 %v", generate, set.Standalone(r2), set.Standalone(r3))
		}
	}
}

func TestOnly(t *testing.T) {
	section := "type: event_count, rules: [r2], timespan: 5m, condition: {gte: 2}, generate: true"
	set, _ := Load(fstest.MapFS{"r.yml": {Data: []byte(correlationFile(section))}}, Options{})
	only := set.Only(func(r *Rule) bool { return r.ID == "corr" || r.ID == "r3" })
	var ids []string
	for _, r := range only.Rules() {
		ids = append(ids, fmt.Sprint(r.ID, only.Standalone(r)))
	}
	if diff := gocmp.Diff([]string{"r2false", "r3true", "corrtrue"}, ids); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if _, ok := only.Rule("r1"); ok {
		t.Error("r1 is still there")
	}
}

func FuzzRestore(f *testing.F) {
	set := setOf(f, []string{
		"type: temporal_ordered, rules: [r1, r2], group-by: [U], timespan: 10s",
		"type: value_percentile, rules: [r1, r2], group-by: [U], timespan: 20s, condition: {gte: 3, neq: 4, field: n, percentile: 30}",
		"type: value_avg, rules: [r1, r2], timespan: 20s, condition: {lt: 3, field: n}",
	})
	observe := func(t testing.TB, c *Correlator, from, to int, step float64) {
		for i := from; i < to; i++ {
			c.Observe(occ(t, fmt.Sprintf("r%d %v rec%d U=u%d n=%d", i%2+1, float64(i)*step, i, i%2, i%7)))
		}
	}
	for _, n := range []int{6, 160} {
		c := NewCorrelator(set, CorrelatorOptions{})
		observe(f, c, 0, n, 0.3)
		var b bytes.Buffer
		if err := c.Snapshot(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		c := NewCorrelator(set, CorrelatorOptions{})
		if c.Restore(bytes.NewReader(state)) != nil {
			return
		}
		observe(t, c, 1000, 1008, 0.02) // late
		observe(t, c, 2000, 2008, 0.3)
		if err := c.Snapshot(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOlderSnapshot goes on from the state of the versions before.
func TestOlderSnapshot(t *testing.T) {
	for _, tt := range []struct {
		file, event, next string
		events            int
		step, every       int // of the numbers
		sections          []string
	}{
		{"version2", "r1 %d id%d U=x n=%d", "r3 31 last U=x", 30, 1, 7, []string{
			"type: value_sum, rules: [r1, r2], group-by: [U], timespan: 20s, condition: {gt: 40, field: n}",
			"type: temporal_ordered, rules: [c0, r3], group-by: [U], timespan: 60s",
		}},
		{"version3", "r1 %d e%d U=x n=%d", "r1 40.5 late U=x n=96", 80, 37, 97, []string{
			"type: value_percentile, rules: [r1], group-by: [U], timespan: 10m, condition: {gt: 45, field: n, percentile: 50}",
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			saved, err := os.Open("testdata/snapshot/" + tt.file + ".base64")
			if err != nil {
				t.Fatal(err)
			}
			defer saved.Close() //nolint:errcheck // only read
			set := setOf(t, tt.sections)
			a, b := NewCorrelator(set, CorrelatorOptions{}), NewCorrelator(set, CorrelatorOptions{})
			for i := range tt.events {
				a.Observe(occ(t, fmt.Sprintf(tt.event, i, i, i*tt.step%tt.every)))
			}
			if err := b.Restore(base64.NewDecoder(base64.StdEncoding, saved)); err != nil {
				t.Fatal(err)
			}
			o := occ(t, tt.next)
			want := linesOf(a.Observe(o))
			if got := linesOf(b.Observe(o)); len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
