package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
)

type sigmaBenchCmd struct {
	placeholdersFlag
	Rules        []string `required:"" sep:"," help:"Files, folders or archives of Sigma rules, separated by commas."`
	Events       []string `required:"" sep:"none" help:"Recordings of events: files, folders or archives; may be given several times, and more may follow as arguments."`
	More         []string `arg:"" optional:"" name:"events" help:"Further recordings."`
	Mode         string   `enum:"routed,all" default:"routed" help:"routed: only the rules of an event's log source; all: every rule about every event."`
	Sample       int      `help:"Measure only so many rules, spread evenly over all; default all."`
	PerLogsource int      `default:"1500" help:"Events of each log source at most; 0 for all."`
	Seconds      float64  `default:"1" help:"Processor time that each figure takes at least."`
}

func (c sigmaBenchCmd) Run(e *env) error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	measured, err := workbench.Measurement{
		Rules: c.Rules, Options: opts, Events: append(c.Events, c.More...), All: c.Mode == "all", Sample: c.Sample, PerLogsource: c.PerLogsource,
		Least:     time.Duration(c.Seconds * float64(time.Second)),
		Problem:   func(err error) { fmt.Fprintln(e.Err, plain(err.Error())) },
		Rewritten: func(n int) { fmt.Fprintln(e.Err, e.t("cli.sigma.rewritten", n)) },
	}.Measure()
	if errors.Is(err, workbench.ErrNothing) {
		return errs.New(errs.Invalid, "cli.sigma.nothing_measured", measured.Rules, measured.Events)
	}
	if err != nil {
		return err
	}
	return e.printJSON(measured)
}
