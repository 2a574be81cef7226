package workbench

import (
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// Explained says why a rule holds on one event of a recording, or why not.
type Explained struct {
	File  string `json:"file"`
	Event int    `json:"event"` // its number in its file, from 0
	// Asked says whether a rule of this log source is asked about the event at
	// all; the explanation is made in any case.
	Asked     bool      `json:"asked"`
	Logsource Logsource `json:"logsource"` // what the event's is taken for
	RuleFor   Logsource `json:"rule_for"`  // the rule's
	sigma.Explanation
	// Counting says what the correlations that count the rule take from the event,
	// where it matches.
	Counting []sigma.Counting `json:"counting,omitempty"`
}

// Logsource is a log source as JSON; an empty part is not known.
type Logsource struct {
	Product  string `json:"product,omitempty"`
	Category string `json:"category,omitempty"`
	Service  string `json:"service,omitempty"`
}

// String names the parts that are known, the widest first, "" for none.
func (l Logsource) String() string {
	return strings.Join(slices.DeleteFunc([]string{l.Product, l.Category, l.Service}, func(s string) bool { return s == "" }), " / ")
}

// Explain explains every detection rule on every event, until tell returns an
// error. Of a correlation it explains the rules that it counts, which the set
// holds too. problem is told of what could not be read.
func Explain(rules *Rules, events []string, tell func(Explained) error, problem func(error)) error {
	sole := ofOneLogsource(rules.Set.Rules())
	for ev, err := range Events(events) {
		if err != nil {
			problem(err)
			continue
		}
		for _, r := range rules.Set.Rules() {
			if r.Correlation != nil {
				continue
			}
			x := Explained{
				File: ev.File, Event: ev.Index, Asked: asks(ev.Event, r, sole), Logsource: Logsource(known(ev.Event)), RuleFor: Logsource(r.Logsource),
				Explanation: sigma.Explain(r, ev.Event),
			}
			if x.Matched {
				x.Counting = counting(rules.Set, r, ev.Event)
			}
			x.Rule = rules.Name(r)
			if err := tell(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// counting says what each correlation that counts a rule takes from an event.
func counting(set *sigma.Ruleset, r *sigma.Rule, ev *event.Event) (all []sigma.Counting) {
	for _, c := range set.Rules() {
		if c.Correlation != nil && slices.Contains(c.Correlation.Rules, r.ID) {
			all = append(all, sigma.ExplainCounting(c, r.ID, ev))
		}
	}
	return all
}
