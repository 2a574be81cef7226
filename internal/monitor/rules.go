package monitor

import (
	"io/fs"
	"path"
	"strings"
	"sync/atomic"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/sigma"
)

// RuleFolder is a place rules are loaded from.
type RuleFolder struct {
	Name string // given before file names in problems: "rules"
	FS   fs.FS
}

// Rules is a loaded catalogue. It is immutable.
type Rules struct {
	Set      *sigma.Ruleset
	Problems []sigma.Problem // what was refused: file, line, reason
	engine   *sigma.Engine
	titles   map[string]string // title_zh by rule id
	feeding  map[string]bool   // ids of rules that correlations count
}

// LoadRules loads every rule of the folders. What cannot be evaluated exactly
// is refused with a reason and the rest is loaded.
func LoadRules(opts sigma.Options, folders ...RuleFolder) *Rules {
	l := sigma.NewLoader(opts)
	for _, f := range folders {
		l.AddFS(f.Name, f.FS)
	}
	r := &Rules{titles: map[string]string{}, feeding: map[string]bool{}}
	r.Set, r.Problems = l.Finish()
	for _, rule := range r.Set.Rules() {
		if rule.Correlation != nil {
			for _, id := range rule.Correlation.Rules {
				r.feeding[id] = true
			}
		}
	}
	r.engine = sigma.NewEngine(r.Set.Rules(), sigma.EngineOptions{})
	for _, f := range folders {
		r.readTitles(f)
	}
	return r
}

// Len is the number of rules loaded, correlations among them.
func (r *Rules) Len() int { return len(r.Set.Rules()) }

// TitleZh is the rule's title in Traditional Chinese, or its title.
func (r *Rules) TitleZh(rule *sigma.Rule) string {
	if zh := r.titles[rule.ID]; zh != "" {
		return zh
	}
	return rule.Title
}

// feeds reports whether a correlation counts matches of the rule.
func (r *Rules) feeds(rule *sigma.Rule) bool { return r.feeding[rule.ID] }

// readTitles reads the custom attribute title_zh, by which our rules carry
// their title in Traditional Chinese (Sigma specification 2.1, Custom
// attributes). Files were already bounded and judged by the loader; what
// cannot be read here has no title in Chinese, no more.
func (r *Rules) readTitles(f RuleFolder) {
	files := map[string]bool{}
	for _, rule := range r.Set.Rules() {
		files[rule.File] = true
	}
	_ = fs.WalkDir(f.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !files[path.Join(f.Name, name)] {
			return nil //nolint:nilerr // see above
		}
		if raw, err := fs.ReadFile(f.FS, name); err == nil && strings.Contains(string(raw), "title_zh") {
			r.titlesOf(string(raw))
		}
		return nil
	})
}

func (r *Rules) titlesOf(text string) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc struct {
			ID      string `yaml:"id"`
			TitleZh string `yaml:"title_zh"`
		}
		if dec.Decode(&doc) != nil {
			return
		}
		if doc.ID != "" && doc.TitleZh != "" {
			r.titles[doc.ID] = clean(doc.TitleZh)
		}
	}
}

// Catalogue is the rules in use. They are swapped while records go through.
type Catalogue struct {
	rules   atomic.Pointer[Rules]
	metrics *Metrics
}

// NewCatalogue returns a catalogue with the rules in use. metrics may be nil.
func NewCatalogue(r *Rules, metrics *Metrics) *Catalogue {
	c := &Catalogue{metrics: metrics}
	c.Swap(r)
	return c
}

// Swap puts other rules in use from the next records on. Correlations whose
// text is unchanged keep their state.
func (c *Catalogue) Swap(r *Rules) {
	c.rules.Store(r)
	c.metrics.rules(r.Len())
}

// Rules are those in use.
func (c *Catalogue) Rules() *Rules { return c.rules.Load() }

// severityOf maps Sigma's level; a rule without one is low.
func severityOf(l sigma.Level) Severity {
	if l.Rank() == 0 {
		return Low
	}
	return Severity(l.Rank() - 1)
}
