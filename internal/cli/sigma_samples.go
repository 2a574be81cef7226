package cli

import (
	"fmt"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
)

type sigmaTestCmd struct {
	outputFlag
	placeholdersFlag
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
	opts, err := c.options()
	if err != nil {
		return err
	}
	dirs, err := workbench.RuleFolders(c.Paths)
	if err != nil {
		return errs.New(errs.Invalid, "cli.sigma.no_folders", err.Error()).Because(err)
	}
	var all []tested
	failed := 0
	for _, dir := range dirs {
		r := workbench.TestFolder(dir, opts)
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
