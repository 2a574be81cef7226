package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/aspis-platform/aspis/internal/bench"
	"github.com/aspis-platform/aspis/internal/wire"
)

type benchCmd struct {
	Loop benchLoopCmd `cmd:"" help:"Measure the whole path, from a member's record to another member's warning, and print JSON."`
}

type benchLoopCmd struct {
	Seconds  float64  `default:"30" help:"How long each load lasts."`
	Rate     int      `default:"5000" help:"Records a second offered while the time from record to alert is measured."`
	Events   float64  `default:"1" help:"Million events in the folder on which the start and the pages are measured."`
	Rules    string   `name:"rules-archive" type:"path" help:"A .tar.xz or a folder of Sigma rules to choose 1,000 of; default ASPIS_DATA/sigma-rules.tar.xz, without it made-up ones."`
	Dir      string   `type:"path" help:"Where to keep the data folders; default a temporary folder that is removed."`
	Only     []string `enum:"idle,alert,sustained,history" help:"Parts to measure: ${enum}; default all."`
	Profile  string   `type:"path" hidden:"" help:"Folder for the servers' processor and heap profiles."`
	Requests int      `default:"100" hidden:"" help:"Requests for each page."`
}

func (c benchLoopCmd) Run(e *env) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	report, err := bench.Run(e.ctx, bench.Config{
		Program: program, Folder: c.Dir, Rules: c.rules(), Rate: c.Rate, Duration: time.Duration(c.Seconds * float64(time.Second)),
		Events: int64(c.Events * 1e6), RuleCount: 1000, Indicators: 100_000, Alerts: 10_000, Releases: 20, Requests: c.Requests,
		Only: c.Only, Profile: c.Profile, Log: e.log,
		Admin: func(ctx context.Context, data string) (bench.Admin, func() error, error) {
			return wire.OpenAdmin(ctx, data, e.log)
		},
	})
	return errors.Join(e.printJSON(report), err)
}

// rules is the named archive, or the one among the real data where it is.
func (c benchLoopCmd) rules() string {
	if c.Rules != "" {
		return c.Rules
	}
	if data := os.Getenv("ASPIS_DATA"); data != "" {
		path := filepath.Join(data, "sigma-rules.tar.xz")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
