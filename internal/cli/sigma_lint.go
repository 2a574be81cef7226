package cli

import (
	"fmt"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
)

type sigmaLintCmd struct {
	outputFlag
	placeholdersFlag
	Paths  []string `arg:"" name:"path" help:"Files, folders, .tar.xz, .tar.gz or .zip of Sigma rules."`
	Strict bool     `help:"Fail when there is a warning."`
}

// linted is what lint prints as JSON.
type linted struct {
	Loaded   int             `json:"loaded"`
	Open     int             `json:"open"` // rules whose log source may have any fields, so that none was checked
	Warnings []sigma.Warning `json:"warnings"`
	Refused  int             `json:"refused"`
	Problems []problem       `json:"problems"`
}

func (c sigmaLintCmd) Run(e *env) error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	rules := workbench.Load(c.Paths, opts)
	linter := sigma.NewLinter()
	out := linted{Loaded: rules.Loaded(), Refused: len(rules.Problems),
		Warnings: append([]sigma.Warning{}, linter.Lint(rules.Set)...), Problems: problemsOf(rules.Problems)}
	for _, r := range rules.Set.Rules() {
		if r.Correlation == nil && !linter.Knows(r.Logsource) {
			out.Open++
		}
	}
	if c.json() {
		err = e.printJSON(out)
	} else {
		err = e.printLinted(out, rules.Problems)
	}
	switch {
	case err != nil:
		return err
	case out.Refused > 0:
		return errs.New(errs.Invalid, "cli.sigma.refused", out.Refused)
	case c.Strict && len(out.Warnings) > 0:
		return errs.New(errs.Invalid, "cli.sigma.warned", len(out.Warnings))
	}
	return nil
}

func (e *env) printLinted(out linted, refused []sigma.Problem) error {
	if err := e.printProblems(refused); err != nil {
		return err
	}
	t := table{head: []string{e.t("cli.col.place"), e.t("cli.col.check"), e.t("cli.col.rule"), e.t("cli.col.reason")}}
	for _, w := range out.Warnings {
		t.add(place(w.File, w.Line, 0), string(w.Check), w.Rule, w.Message)
	}
	if len(t.rows) > 0 {
		if err := t.print(e.Out); err != nil {
			return err
		}
	}
	fmt.Fprintln(e.Out, e.t("cli.sigma.linted", out.Loaded, len(out.Warnings), out.Refused))
	if out.Open > 0 {
		fmt.Fprintln(e.Out, e.t("cli.sigma.open", out.Open))
	}
	return nil
}
