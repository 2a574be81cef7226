package sigma

import (
	"fmt"
	"iter"
	"path"
	"time"
)

// RuleFile is the name of the file with the rules in a [Folder].
const RuleFile = "rule.yml"

// Sample is one decoded sample.
type Sample struct {
	Event Event
	Time  time.Time // for correlations
	// Lookup answers the fields of correlations; nil means the event's fields.
	Lookup func(field string) (string, bool)
	File   string // where it stands
	Line   int    // from 1; 0 when the whole file is meant
	// Begins says that a new sequence begins here. It is for correlations,
	// which judge sequences; the first sample always begins one.
	Begins bool
}

// Samples are samples of one kind. An error comes with the place that it is
// about and does not end the sequence.
type Samples struct {
	Name string // of the file or files
	Each iter.Seq2[Sample, error]
}

// FolderReport is the result of testing a [Folder].
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

// Folder is rules and the samples that they are tested on.
//
// Where there are only detections, every positive sample must match one of
// them and no negative sample may match any. Where there is a correlation, the
// samples are sequences: every positive sequence must lead to a finding, no
// negative one may.
type Folder struct {
	Dir                string // for the report
	Rule               []byte // the text of its rule.yml
	Options            Options
	Positive, Negative Samples
	// NewMatch returns how the rules are asked about an event. Nil asks those
	// of its log source, as an [Engine] does.
	NewMatch func(rules []*Rule) func(ev Event, yield func(*Rule) bool)
}

// Check tests the rules.
func (f Folder) Check() FolderReport {
	c := folderCheck{report: FolderReport{Dir: f.Dir}}
	l := NewLoader(f.Options)
	l.AddFile(path.Join(f.Dir, RuleFile), f.Rule)
	c.set, c.report.Problems = l.Finish()
	c.report.Rules = c.set.Rules()
	if len(c.report.Rules) == 0 {
		if len(c.report.Problems) == 0 {
			c.fail(path.Join(f.Dir, RuleFile), 0, "no rule in the file", nil)
		}
		return c.report
	}
	for _, r := range c.report.Rules {
		c.correlated = c.correlated || r.Correlation != nil
	}
	if f.NewMatch == nil {
		c.match = NewEngine(c.report.Rules, EngineOptions{}).NewMatcher().Match
	} else {
		c.match = f.NewMatch(c.report.Rules)
	}
	c.report.Positive = c.samples(f.Positive, true)
	c.report.Negative = c.samples(f.Negative, false)
	return c.report
}

type folderCheck struct {
	report     FolderReport
	set        *Ruleset
	match      func(Event, func(*Rule) bool)
	correlated bool
}

func (c *folderCheck) fail(file string, line int, reason string, x *Explanation) {
	c.report.Failures = append(c.report.Failures, SampleFailure{File: file, Line: line, Reason: reason, Explanation: x})
}

// samples judges samples and returns how many of them, or how many sequences,
// there are.
func (c *folderCheck) samples(from Samples, want bool) int {
	seq := &sequence{check: c, want: want}
	broken := false
	for s, err := range from.Each {
		if err != nil {
			broken = true
			c.fail(s.File, s.Line, err.Error(), nil)
			continue
		}
		seq.add(s)
	}
	seq.end()
	if seq.count == 0 && !broken {
		c.fail(from.Name, 0, "there are no samples", nil)
	}
	return seq.count
}

// sequence judges samples one by one, or together where there is a correlation.
type sequence struct {
	check      *folderCheck
	want       bool
	count      int
	first      Sample          // of this sequence
	correlator *Correlator     // nil between sequences
	found      map[string]bool // keys of findings
}

func (s *sequence) add(sample Sample) {
	if !s.check.correlated {
		s.count++
		s.judge(sample, len(s.matched(sample)) > 0)
		return
	}
	if sample.Begins || s.correlator == nil {
		s.end()
		s.first, s.found = sample, map[string]bool{}
		s.correlator = NewCorrelator(s.check.set, CorrelatorOptions{})
	}
	lookup := sample.Lookup
	if lookup == nil {
		lookup = fieldLookup(sample.Event)
	}
	for _, r := range s.matched(sample) {
		o := Occurrence{Rule: r.ID, Time: sample.Time, RecordID: fmt.Sprintf("%s:%d", sample.File, sample.Line), Lookup: lookup}
		s.take(s.correlator.Observe(o))
	}
}

func (s *sequence) take(findings []Finding) {
	for _, f := range findings {
		if s.found[f.Key] = true; f.Retracted {
			delete(s.found, f.Key)
		}
	}
}

func (s *sequence) matched(sample Sample) (matched []*Rule) {
	s.check.match(sample.Event, func(r *Rule) bool {
		matched = append(matched, r)
		return true
	})
	return matched
}

func fieldLookup(ev Event) func(string) (string, bool) {
	return func(field string) (string, bool) {
		v, ok := ev.Field(field)
		return v.Text(), ok
	}
}

// end closes a sequence.
func (s *sequence) end() {
	if s.correlator != nil {
		s.take(s.correlator.Flush())
		s.count++
		s.judge(s.first, len(s.found) > 0)
		s.correlator = nil
	}
}

func (s *sequence) judge(sample Sample, got bool) {
	if got == s.want {
		return
	}
	reason := "must match and does not"
	if got {
		reason = "must not match and does"
	}
	var x *Explanation
	if !s.check.correlated {
		first := Explain(s.check.report.Rules[0], sample.Event)
		x = &first
	}
	s.check.fail(sample.File, sample.Line, reason, x)
}
