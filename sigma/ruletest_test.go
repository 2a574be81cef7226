package sigma

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"testing"
	"testing/fstest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestFolder(t *testing.T) {
	single := ruleText(sel("A: 1"))
	correlation := correlationFile("type: event_count, rules: [r2], timespan: 10s, condition: {gte: 2}")
	tests := []struct {
		name, rule, positive, negative string
		counts                         [2]int
		want                           []string
	}{
		{"good", single, `{"A":1}` + "\n" + `{"A":"1"}`, `{"A":2}`, [2]int{2, 1}, nil},
		{"positive does not match", single, `{"A":1}` + "\n\n" + `{"A":2}`, `{"A":2}`, [2]int{2, 1}, []string{"d/positive.ndjson:3 must match and does not"}},
		{"negative matches", single, `{"A":1}`, `{"A":1}`, [2]int{1, 1}, []string{"d/negative.ndjson:1 must not match and does"}},
		{"no samples", single, "", `{"A":2}`, [2]int{0, 1}, []string{"d/positive.ndjson:0 there are no samples"}},
		{"bad sample", single, `{"A":1}` + "\n{", `{"A":2}`, [2]int{1, 1}, []string{"d/positive.ndjson:2 decode: unexpected EOF"}},
		{"bad rule", "title: [", `{"A":1}`, `{"A":2}`, [2]int{}, []string{"problem"}},
		{"empty rule", "# nothing", `{"A":1}`, `{"A":2}`, [2]int{}, []string{"d/rule.yml:0 no rule in the file"}},
		{
			"correlation", correlation,
			`{"Kind":"r2","t":0}` + "\n" + `{"Kind":"r2","t":9}` + "\n\n" + `{"Kind":"r2","t":50}` + "\n" + `{"Kind":"r2","t":51}`,
			`{"Kind":"r2","t":0}` + "\n" + `{"Kind":"r2","t":11}`, [2]int{2, 1},
			nil,
		},
		{
			"correlation fails", correlation, `{"Kind":"r2","t":0}`, `{"Kind":"r2","t":0}` + "\n" + `{"Kind":"r2","t":1}`, [2]int{1, 1},
			[]string{"d/positive.ndjson:1 must match and does not", "d/negative.ndjson:1 must not match and does"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{
				"d/rule.yml": {Data: []byte(tt.rule)}, "d/positive.ndjson": {Data: []byte(tt.positive)}, "d/negative.ndjson": {Data: []byte(tt.negative)},
			}
			r := checkFolder(fsys, "d", func(line []byte) (Sample, error) {
				var v map[string]any
				if err := json.Unmarshal(line, &v); err != nil {
					return Sample{}, fmt.Errorf("unexpected EOF")
				}
				s, _ := v["t"].(float64)
				return Sample{Event: newFake(t, string(line)), Time: day.Add(time.Duration(s) * time.Second)}, nil
			})
			var got []string
			for _, f := range r.Failures {
				got = append(got, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Reason))
			}
			for range r.Problems {
				got = append(got, "problem")
			}
			if len(tt.want)+len(got) > 0 {
				if diff := gocmp.Diff(tt.want, got); diff != "" {
					t.Errorf("failures (-want +got):\n%s", diff)
				}
			}
			if r.OK() != (len(got) == 0) || [2]int{r.Positive, r.Negative} != tt.counts {
				t.Errorf("ok %v, counts %d %d", r.OK(), r.Positive, r.Negative)
			}
		})
	}
}

// checkFolder tests the rules in dir/rule.yml on dir/positive.ndjson and
// dir/negative.ndjson. Blank lines separate sequences.
func checkFolder(fsys fs.FS, dir string, decode func(line []byte) (Sample, error)) FolderReport {
	src, err := fs.ReadFile(fsys, path.Join(dir, RuleFile))
	if err != nil {
		return FolderReport{Dir: dir, Failures: []SampleFailure{{File: path.Join(dir, RuleFile), Reason: err.Error()}}}
	}
	samples := func(name string) Samples {
		name = path.Join(dir, name)
		return Samples{Name: name, Each: lineSamples(fsys, name, decode)}
	}
	return Folder{Dir: dir, Rule: src, Positive: samples("positive.ndjson"), Negative: samples("negative.ndjson")}.Check()
}

// lineSamples reads samples, a line each.
func lineSamples(fsys fs.FS, name string, decode func([]byte) (Sample, error)) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			yield(Sample{File: name}, err)
			return
		}
		line, begins := 0, true
		for text := range bytes.Lines(src) {
			line++
			if text = bytes.TrimSpace(text); len(text) == 0 {
				begins = true
				continue
			}
			s, err := decode(text)
			if err != nil {
				err = fmt.Errorf("decode: %w", err)
			}
			s.File, s.Line, s.Begins = name, line, begins
			if begins = false; !yield(s, err) {
				return
			}
		}
	}
}
