// Package cli is the command line: one file per command, each a thin layer
// over what wire builds.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
	"k8s.io/klog/v2"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Streams are what the program reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

type commands struct {
	Serve   serveCmd   `cmd:"" help:"Run the centre: all roles in one process."`
	Demo    demoCmd    `cmd:"" help:"Run a demonstration sector with synthetic members and records."`
	Records recordsCmd `cmd:"" help:"Send monitoring records to a centre."`
	Bench   benchCmd   `cmd:"" help:"Measure this machine."`
	Sigma   sigmaCmd   `cmd:"" help:"Check, try, test and measure Sigma rules."`
	Admin   adminCmd   `cmd:"" help:"Create members, people and keys on a running or stopped data folder."`
	Ledger  ledgerCmd  `cmd:"" help:"Read the ledger; check it, its copies and its proofs."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Login    loginCmd    `cmd:"" help:"Keep a centre's address and your token for the commands below."`
	Logout   logoutCmd   `cmd:"" help:"Forget them."`
	Advisory advisoryCmd `cmd:"" help:"List, read, answer, release and withdraw advisories."`
	Alert    alertCmd    `cmd:"" help:"List, read and triage alerts."`
	Member   memberCmd   `cmd:"" help:"List and read member institutions and their profiles."`
	Group    groupCmd    `cmd:"" help:"Open, join and run sharing groups."`
	Person   personCmd   `cmd:"" help:"Invite and look after the people of your organisation."`
	Session  sessionCmd  `cmd:"" help:"List and end your sessions in browsers."`
	Key      keyCmd      `cmd:"" help:"List, create, rotate and revoke members' keys."`
	Search   searchCmd   `cmd:"" help:"Search everything that you may see."`

	Notification notificationCmd `cmd:"" help:"Read your notifications and choose how you are told."`
	Webhook      webhookCmd      `cmd:"" help:"List, add and remove your member's webhooks."`
	Undelivered  undeliveredCmd  `cmd:"" help:"Look after messages that could not be delivered."`

	Completion completionCmd `cmd:"" help:"Print the completion script of a shell."`
	Man        manCmd        `cmd:"" help:"Print the manual, or write all its pages."`
	Complete   completeCmd   `cmd:"" hidden:""`

	LogLevel slog.Level `enum:"DEBUG,INFO,WARN,ERROR" default:"INFO" env:"ASPIS_LOG_LEVEL" help:"Least level that is logged: ${enum}."`
	LogJSON  bool       `env:"ASPIS_LOG_JSON" help:"Log JSON instead of text."`
}

// env is what every command runs with.
type env struct {
	ctx context.Context
	Streams
	log   *slog.Logger
	level *slog.LevelVar
	texts *i18n.Catalogue
}

// quieten raises the default log level to warnings; a level that the user
// chose stays.
func (e *env) quieten() {
	if e.level.Level() == slog.LevelInfo {
		e.level.Set(slog.LevelWarn)
	}
}

// exit is how kong asks to end (after --help).
type exit int

// Main runs one command and returns the program's exit code: 0 for success,
// 1 for a failure that was explained, 2 for a wrong command line, and for what
// a centre refused: 3 for what is not there, 4 for what is not allowed, 5 for
// what changed meanwhile, 6 for a centre that cannot answer now.
func Main(ctx context.Context, args []string, io Streams) (code int) {
	texts, err := i18n.Load()
	if err != nil {
		fmt.Fprintln(io.Err, "aspis:", err)
		return 1
	}
	defer func() {
		if e, ok := recover().(exit); ok {
			code = int(e)
		}
	}()
	var c commands
	parser, err := kong.New(&c, kong.Name("aspis"), kong.UsageOnError(), kong.Writers(io.Out, io.Err),
		kong.Description("A country's financial sector defends itself together."),
		kong.Exit(func(code int) { panic(exit(code)) }), //nolint:forbidigo // kong calls it where it cannot return
		kong.Vars{"default_data": "data", "roles": roleNames()})
	if err != nil {
		fmt.Fprintln(io.Err, "aspis:", err)
		return 2
	}
	e := &env{ctx: ctx, Streams: io, texts: texts, level: &slog.LevelVar{}}
	e.localise(parser.Model.Node)
	run, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(io.Err, "aspis: %v\n", err)
		return 2
	}
	e.level.Set(c.LogLevel)
	e.log = newLogger(io.Err, e.level, c.LogJSON)
	klog.SetSlogLogger(e.log) // Tessera's
	if err := run.Run(e, parser); err != nil {
		fmt.Fprintln(io.Err, "aspis:", e.explain(err))
		return exitCode(err)
	}
	return 0
}

// localise words the help of commands and flags in the user's language where
// the catalogue has it.
func (e *env) localise(n *kong.Node) {
	key := "cli.about"
	if n.Parent != nil {
		key = "cli.cmd." + strings.ReplaceAll(n.Path(), " ", ".")
	}
	if e.texts.Has(key) {
		n.Help = e.t(key)
	}
	for _, f := range n.Flags {
		if key := e.wordsFor("cli.flag.", n, f.Name); key != "" && !f.Hidden {
			f.Help = e.t(key, roleNames())
		}
	}
	for _, a := range n.Positional {
		if key := e.wordsFor("cli.arg.", n, a.Name); key != "" {
			a.Help = e.t(key)
		}
	}
	for _, child := range n.Children {
		e.localise(child)
	}
}

// wordsFor is the key of a flag's or argument's words: of this command, where
// it means something else than elsewhere, or of all; empty for none.
func (e *env) wordsFor(kind string, n *kong.Node, name string) string {
	for _, key := range []string{kind + strings.ReplaceAll(n.Path(), " ", ".") + "." + name, kind + name} {
		if e.texts.Has(key) {
			return key
		}
	}
	return ""
}

func roleNames() string { return strings.Join(sector.Names(sector.Roles()), ", ") }

func newLogger(w io.Writer, level slog.Leveler, asJSON bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// explain words an error in the user's language where the catalogue can.
// Errors that were joined are explained each on a line.
func (e *env) explain(err error) string {
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // what was joined here, not what is within
		if all := several.Unwrap(); err.Error() == errors.Join(all...).Error() {
			lines := make([]string, len(all))
			for i, one := range all {
				lines[i] = e.explain(one)
			}
			return strings.Join(lines, "\n")
		}
	}
	if known, ok := errors.AsType[*errs.Error](err); ok {
		if text, err := e.texts.Text(e.lang(), known.Key, known.Args...); err == nil {
			return text
		}
	}
	return err.Error()
}

// lang is the language of the user's locale.
func (e *env) lang() i18n.Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return i18n.ZhHant
			}
			return i18n.En
		}
	}
	return i18n.En
}

// printJSON writes v as one indented JSON value.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.Out, "aspis", version())
	return err
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
