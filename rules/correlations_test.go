package rules

import (
	"fmt"
	"testing"

	"github.com/aspis-platform/aspis/sigma"
)

// A correlation's positive samples, taken together, raise exactly one finding;
// its negative samples raise none.
func TestSamplesOfCorrelations(t *testing.T) {
	set := load(t)
	for _, folder := range folders(t) {
		rule := mainRule(t, set, folder)
		if rule.Correlation == nil {
			continue
		}
		for kind, want := range map[string]int{"positive": 1, "negative": 0} {
			got := findings(set, rule, samples(t, folder, kind))
			if len(got) != want {
				t.Errorf("%s/%s: %d findings, want %d: %v", folder, kind, len(got), want, got)
			}
		}
	}
}

// Without any one of its lines the least positive samples raise nothing: the
// thresholds are what the descriptions say.
func TestPositiveSamplesAreJustEnough(t *testing.T) {
	set := load(t)
	for _, folder := range []string{"logon-guessing", "dns-generated-names", "shared-file-hash", "shared-logon-source"} {
		rule := mainRule(t, set, folder)
		all := samples(t, folder, "positive")
		for i := range all {
			rest := append(append([]sample{}, all[:i]...), all[i+1:]...)
			if got := findings(set, rule, rest); len(got) != 0 {
				t.Errorf("%s: fires without line %d", folder, i+1)
			}
		}
	}
}

// findings runs samples through engine and correlator and returns the keys of
// the rule's findings.
func findings(set *sigma.Ruleset, rule *sigma.Rule, all []sample) map[string]int {
	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
	// The negative samples of a file jump about in the day.
	correlator := sigma.NewCorrelator(set, sigma.CorrelatorOptions{})
	out := map[string]int{}
	for i, s := range all {
		at, _ := s.Time()
		matcher.Match(s, func(r *sigma.Rule) bool {
			for _, f := range correlator.Observe(sigma.Occurrence{Rule: r.ID, Time: at, RecordID: fmt.Sprint(i), Lookup: s.lookup}) {
				if f.Rule == rule {
					out[f.Key]++
				}
			}
			return true
		})
	}
	return out
}

func (s sample) lookup(field string) (string, bool) {
	v, ok := s.Field(field)
	return v.Text(), ok
}
