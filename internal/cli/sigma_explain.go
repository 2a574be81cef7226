package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
)

type sigmaExplainCmd struct {
	placeholdersFlag
	Rule   string `required:"" help:"A file of Sigma rules; every rule in it is explained."`
	Event  string `required:"" help:"A recording of events."`
	Index  int    `default:"-1" help:"The number of the event in its file, from 0; -1 for all."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table, or json: one JSON object a line."`
}

// errEnough ends a reading early.
var errEnough = errors.New("enough")

func (c sigmaExplainCmd) Run(e *env) error {
	rules, err := e.loadRules([]string{c.Rule}, c.placeholdersFlag)
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
