package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// TestHelpHasWords: every command, flag and argument that is shown has words in
// the catalogue, and so in both languages.
func TestHelpHasWords(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	var c commands
	parser, err := kong.New(&c, kong.Name("aspis"), kong.Vars{"default_data": "data", "roles": roleNames()})
	if err != nil {
		t.Fatal(err)
	}
	e := &env{texts: texts}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		if n.Hidden {
			return
		}
		path := strings.ReplaceAll(n.Path(), " ", ".")
		if n.Parent != nil && !texts.Has("cli.cmd."+path) {
			t.Errorf("no words for the command %s: cli.cmd.%s", n.Path(), path)
		}
		for _, f := range n.Flags {
			if !f.Hidden && e.wordsFor("cli.flag.", n, f.Name) == "" {
				t.Errorf("no words for %s --%s: cli.flag.%s", n.Path(), f.Name, f.Name)
			}
		}
		for _, a := range n.Positional {
			if e.wordsFor("cli.arg.", n, a.Name) == "" {
				t.Errorf("no words for %s %s: cli.arg.%s", n.Path(), a.Name, a.Name)
			}
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(parser.Model.Node)
	if e.wordsFor("cli.flag.", parser.Model.Node, "planted") != "" {
		t.Error("a flag that nobody worded has words")
	}
}

// TestFlagsMeanWhatTheirCommandMeans: --key is a member's key in one command
// and the ledger's in another.
func TestFlagsMeanWhatTheirCommandMeans(t *testing.T) {
	for lang, want := range map[string]string{"zh_TW.UTF-8": "公開金鑰；預設為資料目錄本身的金鑰。", "C": "The public key; default: the data folder's own."} {
		t.Setenv("LC_ALL", lang)
		var out, errs strings.Builder
		if code := Main(t.Context(), []string{"ledger", "verify", "--help"}, Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text, want) {
			t.Errorf("%s: the help says\n%s", lang, out.String())
		}
	}
}
