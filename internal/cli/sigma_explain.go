package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
)

type sigmaExplainCmd struct {
	Rule   string `required:"" help:"A file of Sigma rules; every rule in it is explained."`
	Event  string `required:"" help:"A recording of events."`
	Index  int    `default:"-1" help:"The number of the event in its file, from 0; -1 for all."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table, or json: one JSON object a line."`
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

func (c sigmaExplainCmd) Run(e *env) error {
	rules, err := e.loadRules([]string{c.Rule})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(e.Out)
	encoder.SetEscapeHTML(false)
	told := 0
	tell := func(x workbench.Explained) error {
		switch {
		case c.Index >= 0 && x.Event > c.Index:
			return errEnough
		case c.Index >= 0 && x.Event < c.Index:
			return nil
		}
		if told++; c.Output == "json" {
			return encoder.Encode(x)
		}
		return e.printExplained(x)
	}
	err = workbench.Explain(rules, []string{c.Event}, tell, func(err error) { fmt.Fprintln(e.Err, plain(err.Error())) })
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return err
	case told == 0:
		return errs.New(errs.Invalid, "cli.sigma.nothing_explained")
	}
	return nil
}

// printExplained prints one decision: the verdict, then every part.
func (e *env) printExplained(x workbench.Explained) error {
	verdict := "cli.sigma.no_match"
	if x.Matched {
		verdict = "cli.sigma.match"
	}
	fmt.Fprintln(e.Out, plain(fmt.Sprintf("%s#%d  %s (%s): %s", path.Base(x.File), x.Event, x.Title, x.Rule, e.t(verdict))))
	if !x.Asked {
		fmt.Fprintln(e.Out, e.t("cli.sigma.not_asked"))
	}
	t := table{head: []string{"", e.t("cli.col.part"), e.t("cli.col.expected"), e.t("cli.col.actual")}}
	for _, c := range x.Conditions {
		t.add(mark(c.Held), "condition: "+c.Text, "", "")
	}
	e.addSelections(&t, "", x.Selections)
	for _, f := range x.Filters {
		t.add(mark(f.Passed), "filter "+f.Filter+": "+f.Condition, "", e.filterEffect(f))
		e.addSelections(&t, "  ", f.Selections)
	}
	if err := t.print(e.Out); err != nil {
		return err
	}
	_, err := io.WriteString(e.Out, "\n")
	return err
}

func (e *env) addSelections(t *table, indent string, selections []sigma.SelectionOutcome) {
	for _, s := range selections {
		t.add(mark(s.Held), indent+s.Name, "", "")
		for i, alt := range s.Alternatives {
			inner := indent + "  "
			if len(s.Alternatives) > 1 {
				t.add(mark(alt.Held), fmt.Sprintf("%s%d.", inner, i+1), "", "")
				inner += "  "
			}
			for _, item := range alt.Items {
				t.add(mark(item.Held), inner+e.itemName(item), brief(item.Expected), e.actual(item))
			}
		}
	}
}

// filterEffect says what a filter did to the event.
func (e *env) filterEffect(f sigma.FilterOutcome) string {
	if f.Passed {
		return e.t("cli.sigma.passed")
	}
	return e.t("cli.sigma.left_out")
}

func (e *env) itemName(item sigma.ItemOutcome) string {
	name := item.Field
	if name == "" {
		name = e.t("cli.sigma.keywords")
	}
	return strings.Join(append([]string{name}, item.Modifiers...), "|")
}

func (e *env) actual(item sigma.ItemOutcome) string {
	if item.Missing {
		return e.t("cli.sigma.missing")
	}
	return brief(item.Actual)
}

// brief shows the first values of a list, shortened.
func brief(values []string) string {
	const most, long = 4, 60
	var shown []string
	for i, v := range values {
		if i == most {
			shown = append(shown, fmt.Sprintf("… +%d", len(values)-most))
			break
		}
		if r := []rune(v); len(r) > long {
			v = string(r[:long]) + "…"
		}
		shown = append(shown, fmt.Sprintf("%q", v))
	}
	return strings.Join(shown, " ")
}

func mark(held bool) string {
	if held {
		return "✓"
	}
	return "✗"
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

type sigmaTestCmd struct {
	outputFlag
	Paths []string `arg:"" name:"path" help:"Folders with rule.yml, positive.* and negative.*, or folders above such."`
}

// tested is one folder as JSON.
type tested struct {
	Folder   string                `json:"folder"`
	OK       bool                  `json:"ok"`
	Rules    []string              `json:"rules"`
	Positive int                   `json:"positive"`
	Negative int                   `json:"negative"`
	Failures []sigma.SampleFailure `json:"failures,omitempty"`
	Problems []problem             `json:"problems,omitempty"`
}

func (c sigmaTestCmd) Run(e *env) error {
	dirs, err := workbench.RuleFolders(c.Paths)
	if err != nil {
		return errs.New(errs.Invalid, "cli.sigma.no_folders", err.Error()).Because(err)
	}
	var all []tested
	failed := 0
	for _, dir := range dirs {
		r := workbench.TestFolder(dir, sigma.Options{})
		one := tested{Folder: dir, OK: r.OK(), Rules: []string{}, Positive: r.Positive, Negative: r.Negative, Failures: r.Failures, Problems: problemsOf(r.Problems)}
		for _, rule := range r.Rules {
			one.Rules = append(one.Rules, rule.ID)
		}
		if !one.OK {
			failed++
		}
		all = append(all, one)
	}
	if c.json() {
		err = e.printJSON(all)
	} else {
		err = e.printTested(all)
	}
	if err == nil && failed > 0 {
		err = errs.New(errs.Invalid, "cli.sigma.failed", failed, len(dirs))
	}
	return err
}

func (e *env) printTested(all []tested) error {
	t := table{head: []string{"", e.t("cli.col.folder"), e.t("cli.col.positive"), e.t("cli.col.negative"), e.t("cli.col.reason")}}
	for _, one := range all {
		t.add(mark(one.OK), one.Folder, fmt.Sprint(one.Positive), fmt.Sprint(one.Negative), "")
		for _, p := range one.Problems {
			t.add("", place(p.File, p.Line, p.Column), "", "", p.Reason)
		}
		for _, f := range one.Failures {
			t.add("", place(f.File, f.Line, 0), "", "", f.Reason)
		}
	}
	return t.print(e.Out)
}
