package workbench

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/sigma"
)

// Match is one line of what rules find in recordings.
type Match struct {
	Event int    `json:"event"` // its number in its file, from 0; of a correlation the event that it was found with
	File  string `json:"file"`
	Rule  string `json:"rule"` // id, name, or name of the file
	Title string `json:"title"`
	Level string `json:"level,omitempty"`

	Correlation *Correlated `json:"correlation,omitempty"`
	Events      []Place     `json:"events,omitempty"` // those that a correlation counted, in order of time
}

// Correlated is what a correlation found.
type Correlated struct {
	Type      sigma.CorrelationType `json:"type"`
	Group     map[string]string     `json:"group,omitempty"`
	First     time.Time             `json:"first"`
	Last      time.Time             `json:"last"`
	Count     int                   `json:"count"`
	Distinct  int                   `json:"distinct,omitempty"`
	Number    float64               `json:"number,omitempty"` // computed by a value type
	Error     float64               `json:"error,omitempty"`  // relative standard error of Distinct, where it was estimated
	Values    []string              `json:"values,omitempty"`
	Truncated bool                  `json:"truncated,omitempty"` // events or values are not all
}

// Place is where an event stands.
type Place struct {
	File  string `json:"file"`
	Event int    `json:"event"`
}

// Judged counts what [Eval] did.
type Judged struct {
	Events   int    `json:"events"`
	Matches  int    `json:"matches"`
	Problems int    `json:"problems"` // files and records that could not be read
	Timeless int    `json:"timeless"` // events that correlations count, without a time
	Timeouts uint64 `json:"timeouts"` // regular expressions given up after their time limit
}

// Evaluation is what is evaluated on what.
type Evaluation struct {
	Rules  *Rules
	Events []string          // files and folders
	Routed bool              // observe log sources; false: ask every rule about every event
	Match  func(Match) error // an error ends the evaluation
	// Problem is told of what could not be read. The rest is evaluated.
	Problem func(error)
}

// Eval judges events by rules. Matches are told in the order of the events,
// those of one event in the order of the rules. A rule that correlations count
// is told of only where one of them says "generate".
//
// Correlations look at all files together, in the order of the events' own
// times. What they find is told when it has ended, at the latest when all is
// read: each episode once, with the event that it began to hold with, and all
// that it counted. Up to half a million counted events are put in order
// whatever their order in the files; of more, those that are out of order by
// more than the lateness are left out. An event without a time cannot be
// counted.
func (v Evaluation) Eval(ctx context.Context) (Judged, error) {
	run := v.start()
	for ev, err := range Events(v.Events) {
		if ctx.Err() != nil {
			return run.done, ctx.Err()
		}
		if err != nil {
			run.done.Problems++
			v.Problem(err)
			continue
		}
		if err := run.judge(ev); err != nil {
			return run.done, err
		}
	}
	err := run.finish()
	return run.done, err
}

// judging is one run of an evaluation.
type judging struct {
	Evaluation
	router   *router
	counted  map[string]bool // ids of rules that correlations count
	episodes *episodes
	done     Judged
}

func (v Evaluation) start() *judging {
	rules := v.Rules.Set.Rules()
	j := &judging{Evaluation: v, router: newRouter(rules, v.Routed), counted: map[string]bool{}}
	for _, r := range rules {
		if r.Correlation != nil {
			for _, id := range r.Correlation.Rules {
				j.counted[id] = true
			}
		}
	}
	j.episodes = newEpisodes(v.Rules, j.tell)
	return j
}

func (j *judging) judge(ev Event) error {
	j.done.Events++
	var failed error
	timeless := false
	j.router.match(ev.Event, func(r *sigma.Rule) {
		if j.counted[r.ID] && !j.episodes.count(r, ev) {
			timeless = true
		}
		if failed == nil && j.Rules.Set.Standalone(r) {
			failed = j.tell(Match{Event: ev.Index, File: ev.File, Rule: j.Rules.Name(r), Title: r.Title, Level: string(r.Level)})
		}
	})
	if timeless {
		j.done.Timeless++
	}
	return failed
}

func (j *judging) tell(m Match) error {
	j.done.Matches++
	return j.Match(m)
}

func (j *judging) finish() error {
	j.done.Timeouts = j.router.timeouts()
	return j.episodes.finish()
}
