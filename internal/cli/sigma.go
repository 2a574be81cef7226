package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
)

type sigmaCmd struct {
	Check   sigmaCheckCmd   `cmd:"" help:"Load rules; say which are refused, where and why."`
	Lint    sigmaLintCmd    `cmd:"" help:"Load rules; warn of what is allowed and still looks wrong."`
	Eval    sigmaEvalCmd    `cmd:"" help:"Judge recordings of events by rules."`
	Explain sigmaExplainCmd `cmd:"" help:"Say which parts of a rule held on an event, with the values."`
	Test    sigmaTestCmd    `cmd:"" help:"Run the samples beside rules: rule.yml, positive.*, negative.*."`
	Bench   sigmaBenchCmd   `cmd:"" help:"Measure rules on recordings and print JSON."`
}

// outputFlag chooses between a table and JSON.
type outputFlag struct {
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

func (f outputFlag) json() bool { return f.Output == "json" }

// placeholdersFlag says what stands for the names in rules under "expand".
type placeholdersFlag struct {
	Placeholders string `help:"A YAML file of the values of each %name% under expand, as in admins: [root, adm-*]."`
}

func (f placeholdersFlag) options() (sigma.Options, error) {
	if f.Placeholders == "" {
		return sigma.Options{}, nil
	}
	source, err := workbench.Placeholders(f.Placeholders)
	if err != nil {
		return sigma.Options{}, errs.New(errs.Invalid, "cli.sigma.placeholders", err.Error()).Because(err)
	}
	return sigma.Options{Placeholders: source}, nil
}

type sigmaCheckCmd struct {
	outputFlag
	placeholdersFlag
	Paths []string `arg:"" name:"path" help:"Files, folders, .tar.xz, .tar.gz or .zip of Sigma rules."`
}

// checked is what check prints as JSON.
type checked struct {
	Loaded   int       `json:"loaded"`
	Refused  int       `json:"refused"`
	Problems []problem `json:"problems"`
}

// problem is why a rule was refused, and where: line and column from 1, 0
// where the whole file is meant.
type problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
}

func problemsOf(all []sigma.Problem) []problem {
	out := make([]problem, len(all))
	for i, p := range all {
		out[i] = problem{File: p.File, Line: p.Line, Column: p.Col, Rule: p.Rule, Reason: p.Reason}
	}
	return out
}

func (c sigmaCheckCmd) Run(e *env) error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	rules := workbench.Load(c.Paths, opts)
	out := checked{Loaded: rules.Loaded(), Refused: len(rules.Problems), Problems: problemsOf(rules.Problems)}
	if c.json() {
		err = e.printJSON(out)
	} else {
		err = e.printProblems(rules.Problems)
		if err == nil {
			_, err = fmt.Fprintln(e.Out, e.t("cli.sigma.loaded", out.Loaded, out.Refused))
		}
	}
	if err == nil && out.Refused > 0 {
		err = errs.New(errs.Invalid, "cli.sigma.refused", out.Refused)
	}
	return err
}

// printProblems prints what was refused as a table.
func (e *env) printProblems(problems []sigma.Problem) error {
	t := table{head: []string{e.t("cli.col.place"), e.t("cli.col.rule"), e.t("cli.col.reason")}}
	for _, p := range problems {
		t.rows = append(t.rows, []string{place(p.File, p.Line, p.Col), p.Rule, p.Reason})
	}
	if len(t.rows) == 0 {
		return nil
	}
	return t.print(e.Out)
}

// place is file:line:column as far as known.
func place(file string, line, col int) string {
	for _, n := range [...]int{line, col} {
		if n == 0 {
			break
		}
		file += ":" + strconv.Itoa(n)
	}
	return file
}

type sigmaEvalCmd struct {
	placeholdersFlag
	Rules  []string `required:"" sep:"," help:"Files, folders or archives of Sigma rules, separated by commas."`
	Events []string `required:"" sep:"none" help:"Recordings of events: files, folders or archives; may be given several times, and more may follow as arguments."`
	More   []string `arg:"" optional:"" name:"events" help:"Further recordings."`
	Routed bool     `default:"true" negatable:"" help:"Ask only the rules of an event's log source; false: every rule about every event."`
	Output string   `short:"o" enum:"table,ndjson" default:"table" help:"table, or ndjson: one JSON object a line."`
}

func (c sigmaEvalCmd) Run(e *env) error {
	rules, err := e.loadRules(c.Rules, c.placeholdersFlag)
	if err != nil {
		return err
	}
	out := e.matchPrinter(c.Output)
	done, err := workbench.Evaluation{
		Rules: rules, Events: append(c.Events, c.More...), Routed: c.Routed, Match: out.add,
		Problem: func(err error) { fmt.Fprintln(e.Err, plain(err.Error())) },
	}.Eval(e.ctx)
	if err == nil {
		err = out.end()
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(e.Err, e.t("cli.sigma.judged", done.Events, done.Matches, done.Problems))
	if done.Timeless > 0 {
		fmt.Fprintln(e.Err, e.t("cli.sigma.timeless", done.Timeless))
	}
	if done.Timeouts > 0 {
		fmt.Fprintln(e.Err, e.t("cli.sigma.timeouts", int(done.Timeouts))) //nolint:gosec // far below 2^63
	}
	if done.Events == 0 && done.Problems > 0 {
		return errs.New(errs.Invalid, "cli.sigma.no_events")
	}
	return nil
}

// loadRules loads rules for use: what is refused is said and passed over,
// unless nothing is left.
func (e *env) loadRules(paths []string, values placeholdersFlag) (*workbench.Rules, error) {
	opts, err := values.options()
	if err != nil {
		return nil, err
	}
	rules := workbench.Load(paths, opts)
	for _, p := range rules.Problems {
		fmt.Fprintln(e.Err, plain(p.Error()))
	}
	if rules.Loaded() == 0 {
		return nil, errs.New(errs.Invalid, "cli.sigma.no_rules", strings.Join(paths, ", "))
	}
	return rules, nil
}

// matchPrinter prints matches as they come: lines of JSON, or tables of some
// rows each, so that none waits for the end.
type matchPrinter struct {
	e     *env
	lines *bufio.Writer
	json  *json.Encoder
	table table
}

const rowsAtOnce = 200

func (e *env) matchPrinter(output string) *matchPrinter {
	p := &matchPrinter{e: e}
	if output == "ndjson" {
		p.lines = bufio.NewWriter(e.Out)
		p.json = json.NewEncoder(p.lines)
		p.json.SetEscapeHTML(false)
		return p
	}
	for _, column := range []string{"event", "level", "rule", "title"} {
		p.table.head = append(p.table.head, e.t("cli.col."+column))
	}
	return p
}

func (p *matchPrinter) add(m workbench.Match) error {
	if p.json != nil {
		return p.json.Encode(m)
	}
	title := m.Title
	if c := m.Correlation; c != nil {
		title += " — " + p.e.t("cli.sigma.correlated", c.Count)
	}
	p.table.rows = append(p.table.rows, []string{fmt.Sprintf("%s#%d", path.Base(m.File), m.Event), m.Level, m.Rule, title})
	if len(p.table.rows) >= rowsAtOnce {
		return p.end()
	}
	return nil
}

func (p *matchPrinter) end() error {
	if p.json != nil {
		return p.lines.Flush()
	}
	if len(p.table.rows) == 0 {
		return nil
	}
	err := p.table.print(p.e.Out)
	p.table = table{}
	return err
}
