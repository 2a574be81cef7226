package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Every kind of ledger entry that the program writes is in the list of
// actions, and every action in it has words in both languages (a key is in
// both or in none: package i18n sees to it) and is written somewhere.
func TestEveryActionIsListedAndHasWords(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]token.Position{}
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for action, at := range actionsIn(t, path) {
			written[action] = at
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, a := range ledger.Actions() {
		listed[a.Name] = true
		if !texts.Has("ledger.action." + a.Name) {
			t.Errorf("%s has no words: add ledger.action.%s to the catalogues", a.Name, a.Name)
		}
		for _, name := range a.Shown {
			if !texts.Has("ledger.detail." + name) {
				t.Errorf("%s: its detail %q has no words", a.Name, name)
			}
		}
		if _, ok := written[a.Name]; !ok {
			t.Errorf("%s is listed, and nothing writes it", a.Name)
		}
	}
	for action, at := range written {
		if !listed[action] {
			t.Errorf("%s: %s is not in ledger.Actions", at, action)
		}
	}
	if len(written) < 20 {
		t.Errorf("found %d actions: does the test still read the right files?", len(written))
	}
}

var actionName = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

// makers are the functions that make entries: an action is a literal among
// their arguments.
func makers() []string { return []string{"entry", "about", "letterEntry", "startEntry"} }

// actionsIn are the literal actions of a file: of ledger.Entry{Action: …} and
// in calls of makers.
func actionsIn(t *testing.T, path string) map[string]token.Position {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]token.Position{}
	take := func(e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && actionName.MatchString(text) {
			found[text] = files.Position(lit.Pos())
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Action" {
				take(n.Value)
			}
		case *ast.CallExpr:
			if slices.Contains(makers(), calledName(n)) {
				for _, arg := range n.Args {
					take(arg)
				}
			}
		}
		return true
	})
	return found
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
