package sigma

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// Names of the files in a rule folder.
const (
	RuleFile     = "rule.yml"
	PositiveFile = "positive.ndjson"
	NegativeFile = "negative.ndjson"
)

const maxSampleBytes = 16 << 20 // of one line

// Sample is one decoded line of a samples file.
type Sample struct {
	Event Event
	Time  time.Time // for correlations
	// Lookup answers the fields of correlations; nil means the event's fields.
	Lookup func(field string) (string, bool)
}

// FolderReport is the result of [CheckFolder].
type FolderReport struct {
	Dir      string
	Rules    []*Rule
	Positive int // samples, or sequences of them for correlations
	Negative int
	Failures []SampleFailure
	Problems []Problem // refused rules
}

// OK reports whether the folder has rules and samples and nothing failed.
func (r FolderReport) OK() bool { return len(r.Failures) == 0 && len(r.Problems) == 0 }

// SampleFailure is a sample that was not judged as its file says.
type SampleFailure struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // 0: the whole file is meant
	Reason string `json:"reason"`
	// Explanation says why, for a detection rule.
	Explanation *Explanation `json:"explanation,omitempty"`
}

// CheckFolder tests the rules in dir/rule.yml on dir/positive.ndjson and
// dir/negative.ndjson. Log sources are observed.
//
// Where the folder has only detections, every positive sample must match one
// of them and no negative sample may match any. Where it has a correlation,
// the samples are sequences separated by blank lines: every positive sequence
// must lead to a finding, no negative one may.
func CheckFolder(fsys fs.FS, dir string, opts Options, decode func(line []byte) (Sample, error)) FolderReport {
	c := folderCheck{report: FolderReport{Dir: dir}, decode: decode}
	src, err := readLimited(fsys, path.Join(dir, RuleFile))
	if err != nil {
		c.fail(RuleFile, 0, err.Error(), nil)
		return c.report
	}
	l := NewLoader(opts)
	l.AddFile(path.Join(dir, RuleFile), src)
	c.set, c.report.Problems = l.Finish()
	c.report.Rules = c.set.Rules()
	if len(c.report.Rules) == 0 {
		if len(c.report.Problems) == 0 {
			c.fail(RuleFile, 0, "no rule in the file", nil)
		}
		return c.report
	}
	for _, r := range c.report.Rules {
		c.correlated = c.correlated || r.Correlation != nil
	}
	c.matcher = NewEngine(c.report.Rules, EngineOptions{}).NewMatcher()
	c.report.Positive = c.samples(fsys, PositiveFile, true)
	c.report.Negative = c.samples(fsys, NegativeFile, false)
	return c.report
}

type folderCheck struct {
	report     FolderReport
	set        *Ruleset
	matcher    *Matcher
	correlated bool
	decode     func([]byte) (Sample, error)
}

func (c *folderCheck) fail(file string, line int, reason string, x *Explanation) {
	c.report.Failures = append(c.report.Failures, SampleFailure{
		File: path.Join(c.report.Dir, file), Line: line, Reason: reason, Explanation: x,
	})
}

// samples judges one file and returns how many samples or sequences it has.
func (c *folderCheck) samples(fsys fs.FS, file string, want bool) int {
	src, err := fs.ReadFile(fsys, path.Join(c.report.Dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		c.fail(file, 0, "there are no samples", nil)
		return 0
	}
	if err != nil {
		c.fail(file, 0, err.Error(), nil)
		return 0
	}
	scan := bufio.NewScanner(bytes.NewReader(src))
	scan.Buffer(nil, maxSampleBytes)
	seq := &sequence{check: c, file: file, want: want}
	line := 0
	for scan.Scan() {
		line++
		text := bytes.TrimSpace(scan.Bytes())
		if len(text) == 0 {
			seq.end()
			continue
		}
		s, err := c.decode(bytes.Clone(text))
		if err != nil {
			c.fail(file, line, fmt.Sprintf("decode: %v", err), nil)
			continue
		}
		seq.add(line, s)
	}
	if err := scan.Err(); err != nil {
		c.fail(file, line+1, err.Error(), nil)
	}
	seq.end()
	if seq.count == 0 {
		c.fail(file, 0, "there are no samples", nil)
	}
	return seq.count
}

// sequence judges samples one by one, or together where there is a correlation.
type sequence struct {
	check      *folderCheck
	file       string
	want       bool
	count      int
	start      int // line of the first sample of this sequence; 0: none yet
	correlator *Correlator
	found      bool
}

func (s *sequence) add(line int, sample Sample) {
	var matched []*Rule
	s.check.matcher.Match(sample.Event, func(r *Rule) bool {
		matched = append(matched, r)
		return true
	})
	if !s.check.correlated {
		s.count++
		s.judge(line, len(matched) > 0, sample.Event)
		return
	}
	if s.start == 0 {
		s.start, s.found = line, false
		s.correlator = NewCorrelator(s.check.set, CorrelatorOptions{})
	}
	lookup := sample.Lookup
	if lookup == nil {
		lookup = fieldLookup(sample.Event)
	}
	for _, r := range matched {
		o := Occurrence{Rule: r.ID, Time: sample.Time, RecordID: fmt.Sprintf("%s:%d", s.file, line), Lookup: lookup}
		s.found = len(s.correlator.Observe(o)) > 0 || s.found
	}
}

func fieldLookup(ev Event) func(string) (string, bool) {
	return func(field string) (string, bool) {
		v, ok := ev.Field(field)
		return v.Text(), ok
	}
}

// end closes a sequence.
func (s *sequence) end() {
	if s.start > 0 {
		s.found = len(s.correlator.Flush()) > 0 || s.found
		s.count++
		s.judge(s.start, s.found, nil)
		s.start = 0
	}
}

func (s *sequence) judge(line int, got bool, ev Event) {
	if got == s.want {
		return
	}
	reason := "must match and does not"
	if got {
		reason = "must not match and does"
	}
	var x *Explanation
	if ev != nil {
		first := Explain(s.check.report.Rules[0], ev)
		x = &first
	}
	s.check.fail(s.file, line, reason, x)
}
