package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints a script for the shell. The script asks the program itself what
// may come next, so that it never lags behind.
func (c completionCmd) Run(e *env) error {
	scripts := map[string]string{
		"bash": `_aspis() {
  local IFS=$'\n'
  COMPREPLY=($(aspis complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _aspis aspis
`,
		"zsh": `#compdef aspis
_aspis() {
  local -a found
  found=("${(@f)$(aspis complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
compdef _aspis aspis
`,
		"fish": `complete -c aspis -f -a '(aspis complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
	}
	_, err := fmt.Fprint(e.Out, scripts[c.Shell])
	return err
}

type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run prints what may come in the place of the last word, a line each.
func (c completeCmd) Run(e *env, app *kong.Kong) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	out := bufio.NewWriter(e.Out)
	for _, word := range complete(app.Model.Node, words) {
		fmt.Fprintln(out, word)
	}
	return out.Flush()
}

// complete finds the words that may stand in the place of the last one.
func complete(at *kong.Node, words []string) []string {
	last, before := words[len(words)-1], words[:len(words)-1]
	var value *kong.Flag // whose value comes next
	arg := 0
	for _, word := range before {
		switch {
		case value != nil:
			value = nil
		case strings.HasPrefix(word, "-"):
			if f := flagOf(at, word); f != nil && !f.IsBool() && !strings.Contains(word, "=") {
				value = f
			}
		default:
			if child := childOf(at, word); child != nil {
				at = child
			} else {
				arg++
			}
		}
	}
	var found []string
	switch {
	case value != nil:
		found = enumOf(value.Value)
	case strings.HasPrefix(last, "-"):
		for _, f := range flagsOf(at) {
			found = append(found, "--"+f.Name)
		}
	default:
		for _, child := range at.Children {
			if !child.Hidden {
				found = append(found, child.Name)
			}
		}
		if arg < len(at.Positional) {
			found = append(found, enumOf(at.Positional[arg])...)
		}
	}
	found = slices.DeleteFunc(found, func(w string) bool { return !strings.HasPrefix(w, last) || w == "" })
	slices.Sort(found)
	return found
}

// enumOf are a value's words, in the order of its tag. Kong's own list is a
// set.
func enumOf(v *kong.Value) []string {
	var words []string
	for w := range strings.SplitSeq(v.Enum, ",") {
		words = append(words, strings.TrimSpace(w))
	}
	return words
}

// flagsOf are a command's flags and those of what it stands below.
func flagsOf(at *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	for ; at != nil; at = at.Parent {
		for _, f := range at.Flags {
			if !f.Hidden {
				all = append(all, f)
			}
		}
	}
	return all
}

func flagOf(at *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, f := range flagsOf(at) {
		if f.Name == name || !strings.HasPrefix(word, "--") && string(f.Short) == name {
			return f
		}
	}
	return nil
}

func childOf(at *kong.Node, name string) *kong.Node {
	for _, child := range at.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}
