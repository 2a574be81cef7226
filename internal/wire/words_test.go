package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Every error that can reach a person has words in both languages: the key of
// each errs.New in the program is in the catalogue.
func TestEveryErrorHasWords(t *testing.T) {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		for key, at := range errorKeys(t, path) {
			found++
			if !texts.Has(key) {
				t.Errorf("%s: %q is not in the catalogue", at, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("found %d keys: does the test still read the right files?", found)
	}
}

// errorKeys are the literal keys of errs.New in a file, with their places.
func errorKeys(t *testing.T, path string) map[string]token.Position {
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]token.Position{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || fun.Sel.Name != "New" {
			return true
		}
		if pkg, ok := fun.X.(*ast.Ident); !ok || pkg.Name != "errs" {
			return true
		}
		if lit, ok := call.Args[1].(*ast.BasicLit); ok {
			if key, err := strconv.Unquote(lit.Value); err == nil && key != "" {
				keys[key] = files.Position(lit.Pos())
			}
		}
		return true
	})
	return keys
}
