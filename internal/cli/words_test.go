package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/wire"
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

var findingKey = regexp.MustCompile(`"(ledger\.finding\.[a-z_]+)"`)

// TestFindingsHaveWords: what is wrong with a ledger is said in the language
// of who checks it.
func TestFindingsHaveWords(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, file := range []string{"check.go", "verify.go"} {
		src, err := os.ReadFile(filepath.Join("..", "adapter", "tiles", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range findingKey.FindAllStringSubmatch(string(src), -1) {
			keys[m[1]] = true
		}
	}
	if len(keys) < 20 {
		t.Errorf("found %d keys: does the test still read the right files?", len(keys))
	}
	for key := range keys {
		if !texts.Has(key) {
			t.Errorf("%s has no words", key)
		}
	}
	for lang, want := range map[string]string{"zh_TW.UTF-8": "資料庫自此起缺少 3 筆。", "C": "3 entries are missing in the database from here."} {
		t.Setenv("LC_ALL", lang)
		var out strings.Builder
		e := &env{texts: texts, Streams: Streams{Out: &out}}
		err := e.judge(wire.LedgerReport{Findings: []ledger.Finding{{Entry: 7, Key: "ledger.finding.gap", Args: []any{int64(3)}}}})
		if err == nil || !strings.Contains(out.String(), want) || !strings.Contains(out.String(), `"code": "ledger.finding.gap"`) {
			t.Errorf("%s: %v\n%s", lang, err, out.String())
		}
		if said := e.explain(err); strings.Contains(said, "cli.ledger") || !strings.Contains(said, "1") {
			t.Errorf("%s: %s", lang, said)
		}
	}
}
