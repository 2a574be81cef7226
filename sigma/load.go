package sigma

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

const maxFiles = 200_000 // files of rules one Loader reads

// Ruleset is a set of rules whose references are resolved. It is immutable.
type Ruleset struct {
	rules   []*Rule
	byID    map[string]*Rule
	support map[string]bool // ids of rules that only feed correlations
	filters []*Filter
}

// Rules returns all rules, detections and correlations, in the order loaded.
// The slice must not be changed.
func (s *Ruleset) Rules() []*Rule { return s.rules }

// Filters returns the filters that were applied, in the order loaded. The slice
// must not be changed.
func (s *Ruleset) Filters() []*Filter { return s.filters }

// Rule returns the rule with this id.
func (s *Ruleset) Rule(id string) (*Rule, bool) {
	r, ok := s.byID[id]
	return r, ok
}

// CorrelationFields returns the names of all fields of events that the
// correlations of the set group by or count, sorted.
func (s *Ruleset) CorrelationFields() []string {
	names := map[string]bool{}
	for _, r := range s.rules {
		c := r.Correlation
		if c == nil {
			continue
		}
		for _, name := range slices.Concat(c.GroupBy, c.Fields) {
			names[name] = true
		}
		for _, byRule := range c.aliases {
			for _, name := range byRule {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Standalone reports whether a match of the rule is a finding of its own. It
// is not when correlations refer to it and none of them says "generate: true"
// (Sigma correlation rules specification 2.0.2, Generate).
func (s *Ruleset) Standalone(r *Rule) bool { return !s.support[r.ID] }

// Only returns the Ruleset of the rules that keep chooses, and of those that
// chosen correlations refer to, which then are not standalone.
func (s *Ruleset) Only(keep func(*Rule) bool) *Ruleset {
	chosen, needed := map[string]bool{}, map[string]bool{}
	for _, r := range s.rules {
		if keep(r) {
			chosen[r.ID] = true
			s.need(r, needed)
		}
	}
	out := &Ruleset{byID: map[string]*Rule{}, support: map[string]bool{}, filters: s.filters}
	for _, r := range s.rules {
		if chosen[r.ID] || needed[r.ID] {
			out.rules = append(out.rules, r)
			out.byID[r.ID] = r
		}
	}
	out.findSupport()
	for id := range needed {
		if !chosen[id] {
			out.support[id] = true
		}
	}
	return out
}

// need adds the ids of what a correlation refers to, down to the detections.
func (s *Ruleset) need(r *Rule, needed map[string]bool) {
	if r.Correlation == nil {
		return
	}
	for _, id := range r.Correlation.Rules {
		if child := s.byID[id]; child != nil && !needed[id] {
			needed[id] = true
			s.need(child, needed)
		}
	}
}

// Load reads every .yml and .yaml file under fsys. What cannot be loaded is
// refused with a Problem; the rest is in the Ruleset.
func Load(fsys fs.FS, opts Options) (*Ruleset, []Problem) {
	l := NewLoader(opts)
	l.AddFS("", fsys)
	return l.Finish()
}

// Loader gathers rules from several places into one Ruleset, and applies the
// filters among them. A rule with a deprecated aggregation becomes a correlation
// with its id and the rules that it counts, which say in PartOf whose they are.
type Loader struct {
	opts     Options
	rules    []*Rule
	filters  []*Filter
	files    int
	problems []Problem
}

// NewLoader returns an empty Loader.
func NewLoader(opts Options) *Loader { return &Loader{opts: opts} }

// AddFile parses one file; name is used in problems.
func (l *Loader) AddFile(name string, src []byte) {
	p := parseFile(name, src, &l.opts)
	l.rules = append(l.rules, p.rules...)
	l.filters = append(l.filters, p.filters...)
	l.problems = append(l.problems, p.problems...)
}

// AddFS parses every .yml and .yaml file under fsys, in the order of their
// paths, which are given prefix in problems and in [Rule.File].
func (l *Loader) AddFS(prefix string, fsys fs.FS) {
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		full := path.Join(prefix, name)
		if err != nil {
			l.refuse(full, err)
			return nil
		}
		if e.IsDir() || !isRuleFile(name) {
			return nil
		}
		if l.files++; l.files > maxFiles {
			return fmt.Errorf("more than %d files of rules", maxFiles)
		}
		src, err := readLimited(fsys, name)
		if err != nil {
			l.refuse(full, err)
			return nil
		}
		l.AddFile(full, src)
		return nil
	})
	if err != nil {
		l.refuse(prefix, err)
	}
}

func (l *Loader) refuse(file string, err error) {
	l.problems = append(l.problems, Problem{File: file, Reason: err.Error()})
}

func isRuleFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

// readLimited reads a file, and one byte more than may be parsed at most.
func readLimited(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open rule file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	src, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read rule file: %w", err)
	}
	return src, nil
}

// Finish resolves references and returns what was loaded, and everything that
// was refused in the order of files and lines. Of rules with the same id only
// the first is kept; a correlation whose rules are missing is refused.
func (l *Loader) Finish() (*Ruleset, []Problem) {
	s := &Ruleset{byID: make(map[string]*Rule, len(l.rules)), support: map[string]bool{}}
	names := make(map[string][]*Rule)
	for _, r := range l.rules {
		if first, ok := s.byID[r.ID]; ok {
			if r.PartOf != "" { // the rule that it is part of is refused for it
				continue
			}
			l.refuseRule(r, fmt.Sprintf("duplicate id; first at %s:%d", first.File, first.Line))
			continue
		}
		s.byID[r.ID] = r
		if r.Name != "" {
			names[r.Name] = append(names[r.Name], r)
		}
	}
	l.compose(s, names)
	l.resolveAll(s.byID, names)
	for _, r := range l.rules {
		if s.byID[r.ID] == r {
			s.rules = append(s.rules, r)
		}
	}
	s.findSupport()
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return s, l.problems
}

func (l *Loader) refuseRule(r *Rule, reason string) {
	l.problems = append(l.problems, Problem{File: r.File, Line: r.Line, Col: 1, Rule: short(r.label()), Reason: short(reason)})
}

// findSupport marks the rules that are not standalone.
func (s *Ruleset) findSupport() {
	generated := map[string]bool{}
	for _, r := range s.rules {
		if r.Correlation == nil {
			continue
		}
		for _, id := range r.Correlation.Rules {
			s.support[id] = true
			generated[id] = generated[id] || r.Correlation.Generate
		}
	}
	for id, yes := range generated {
		if yes {
			delete(s.support, id)
		}
	}
}
