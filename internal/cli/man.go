package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

type manCmd struct {
	Dir string `type:"path" help:"Write aspis.1 and a page for each command into this folder; default: aspis.1 to standard output."`
}

// Run writes manual pages, made of the same model that reads the command
// line, in the user's language.
func (c manCmd) Run(e *env, app *kong.Kong) error {
	if c.Dir == "" {
		return e.manual(e.Out, app.Model.Node)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil { //nolint:gosec // manuals are for everybody
		return errs.New(errs.Invalid, "cli.folder_write", c.Dir, err.Error()).Because(err)
	}
	pages := []*kong.Node{app.Model.Node}
	for _, child := range app.Model.Children {
		if !child.Hidden {
			pages = append(pages, child)
		}
	}
	for _, page := range pages {
		if err := e.manualFile(c.Dir, page); err != nil {
			return errs.New(errs.Invalid, "cli.folder_write", c.Dir, err.Error()).Because(err)
		}
	}
	return nil
}

func (e *env) manualFile(dir string, page *kong.Node) error {
	f, err := os.Create(filepath.Join(dir, manualName(page)+".1"))
	if err != nil {
		return err
	}
	return errors.Join(e.manual(f, page), f.Close())
}

// manualName is "aspis" or "aspis-advisory".
func manualName(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return manualName(n.Parent) + "-" + n.Name
}

// manual writes one page in the macros of man(7).
func (e *env) manual(w io.Writer, n *kong.Node) error {
	out := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	p(`.TH %s 1 "" %s`, strings.ToUpper(manualName(n)), quoteRoff("aspis "+version()))
	p(".SH %s\n%s \\- %s", e.t("cli.man.name"), roff(manualName(n)), roff(n.Help))
	p(".SH %s", e.t("cli.man.synopsis"))
	p(".B %s", roff(n.FullPath()))
	if len(n.Children) > 0 {
		p(".I COMMAND")
	}
	p(".RI [ FLAGS ]")
	if len(n.Children) > 0 {
		p(".SH %s", e.t("cli.man.commands"))
		e.manualCommands(p, n, n.Parent != nil)
	} else {
		e.manualArguments(p, n)
	}
	p(".SH %s", e.t("cli.man.flags"))
	for _, f := range n.Flags {
		e.manualFlag(p, f)
	}
	if n.Parent != nil {
		for _, f := range n.Parent.Flags {
			e.manualFlag(p, f)
		}
	}
	p(".SH %s\n%s", e.t("cli.man.exit"), roff(e.t("cli.man.exit_text")))
	p(".SH %s\n%s", e.t("cli.man.files"), roff(e.t("cli.man.files_text")))
	if n.Parent == nil {
		p(".SH %s", e.t("cli.man.see"))
		for _, child := range n.Children {
			if !child.Hidden {
				p(".BR %s (1)", roff(manualName(child)))
			}
		}
	}
	return out.Flush()
}

// manualCommands lists what stands below; deep: with arguments and flags.
func (e *env) manualCommands(p func(string, ...any), n *kong.Node, deep bool) {
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		p(".TP\n.B %s\n%s", roff(child.FullPath()), roff(child.Help))
		if !deep {
			continue
		}
		p(".RS")
		e.manualArguments(p, child)
		for _, f := range child.Flags {
			e.manualFlag(p, f)
		}
		e.manualCommands(p, child, deep)
		p(".RE")
	}
}

func (e *env) manualArguments(p func(string, ...any), n *kong.Node) {
	for _, a := range n.Positional {
		p(".TP\n.I %s\n%s", roff(a.Name), roff(a.Help))
	}
}

func (e *env) manualFlag(p func(string, ...any), f *kong.Flag) {
	if f.Hidden {
		return
	}
	name := "--" + f.Name
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	if !f.IsBool() {
		name += "=" + strings.ToUpper(f.Name)
	}
	p(".TP\n.B %s\n%s", roff(name), roff(f.Help))
	if len(f.Envs) > 0 {
		p("%s", roff("$"+strings.Join(f.Envs, ", $")))
	}
	if f.Default != "" {
		p("%s", roff(e.t("cli.man.default", f.Default)))
	}
}

// roff escapes text for a line of a manual.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func quoteRoff(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\(dq`) + `"` }
