package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Every command says what it does in both languages.
func TestEveryCommandHasWords(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	var c commands
	parser, err := kong.New(&c, kong.Name("aspis"), kong.Vars{"default_data": "data", "roles": ""})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, child := range n.Children {
			if child.Hidden {
				continue
			}
			found++
			if key := "cli.cmd." + strings.ReplaceAll(child.Path(), " ", "."); !texts.Has(key) {
				t.Errorf("%q is not in the catalogue", key)
			}
			walk(child)
		}
	}
	walk(parser.Model.Node)
	if found < 60 {
		t.Errorf("%d commands: does the test still see them?", found)
	}
}
