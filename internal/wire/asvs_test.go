package wire

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofASVS is how many requirements of levels 1 and 2 ASVS 5.0.0 has.
const ofASVS = 253

var (
	asvsRow   = regexp.MustCompile(`^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$`)
	reference = regexp.MustCompile("`([^`]+)`")
)

// asvsFaults is what is wrong with the document: numbers that are missing or
// there twice, states that are none, references to what is gone.
func asvsFaults(text string, exists func(reference string) error) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var numbers []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		row := asvsRow.FindStringSubmatch(line)
		if row == nil {
			if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| no.") {
				add("not a row: %s", line)
			}
			continue
		}
		number, state, references := row[1], row[4], reference.FindAllStringSubmatch(row[5], -1)
		numbers = append(numbers, number)
		reason, explained := strings.CutPrefix(state, "not applicable: ")
		if !explained {
			reason, explained = strings.CutPrefix(state, "open: ")
		}
		switch {
		case state == "met" && len(references) == 0:
			add("%s is met, and nothing shows it", number)
		case state != "met" && (!explained || strings.TrimSpace(reason) == ""):
			add("%s: state %q is not met, not applicable: why, or open: what", number, state)
		}
		for _, r := range references {
			if err := exists(r[1]); err != nil {
				add("%s: %v", number, err)
			}
		}
	}
	slices.Sort(numbers)
	if distinct := len(slices.Compact(slices.Clone(numbers))); distinct != len(numbers) || distinct != ofASVS {
		add("%d rows with %d numbers, want %d", len(numbers), distinct, ofASVS)
	}
	return faults
}

// existsIn returns what tells whether "path" or "path:name" is there, below
// the root: a declaration in a Go file, a text in any other.
func existsIn(root string) func(string) error {
	declared := map[string][]string{}
	return func(r string) error {
		path, name, named := strings.Cut(r, ":")
		text, err := os.ReadFile(filepath.Join(root, path))
		switch {
		case err != nil:
			return fmt.Errorf("%s is gone", path)
		case !named:
			return nil
		case !strings.HasSuffix(path, ".go") && strings.Contains(string(text), name):
			return nil
		case strings.HasSuffix(path, ".go"):
			if declared[path] == nil {
				if declared[path], err = declarations(path, text); err != nil {
					return err
				}
			}
			if slices.Contains(declared[path], name) {
				return nil
			}
		}
		return fmt.Errorf("%s has no %s", path, name)
	}
}

// declarations are the names that a Go file declares; methods as Type.Name.
func declarations(path string, text []byte) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				receiver := d.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				name = fmt.Sprint(receiver, ".", name)
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names, nil
}

// TestASVS: docs/security/asvs.md covers every requirement and points at
// what is there.
func TestASVS(t *testing.T) {
	text, err := os.ReadFile("../../docs/security/asvs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range asvsFaults(string(text), existsIn("../..")) {
		t.Error(fault)
	}
}

func TestASVSFindsPlantedFaults(t *testing.T) {
	for row, want := range map[string]string{
		"| 1.1.1 | 1 | x | met | `internal/wire/asvs_test.go:TestNoSuchTest` |":  "has no TestNoSuchTest",
		"| 1.1.1 | 1 | x | met | `internal/wire/no_such_test.go:TestASVS` |":     "is gone",
		"| 1.1.1 | 1 | x | met |  |":                                             "nothing shows it",
		"| 1.1.1 | 1 | x | done | `go.mod` |":                                    "state",
		"| 1.1.1 | 1 | x | open:  |  |":                                          "state",
		"| 1.1.1 | 3 | x | met | `go.mod` |":                                     "not a row",
		"| 1.1.1 | 1 | x | met | `go.mod` |\n| 1.1.1 | 1 | x | met | `go.mod` |": "2 rows with 1 numbers",
	} {
		if faults := asvsFaults(row, existsIn("../..")); !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("%s: found %q", row, faults)
		}
	}
	if faults := asvsFaults("| 1.1.1 | 1 | x | met | `internal/wire/asvs_test.go:TestASVS` |", existsIn("../..")); len(faults) != 1 {
		t.Errorf("a good row: %q", faults) // only the number of rows
	}
}

var namedInGuide = regexp.MustCompile("`([a-z][A-Za-z0-9_/.-]*\\.(?:go|ts)(?::[A-Za-z.]+)?)`")

// TestWhatTheGuidesNameIsThere: the limits and protections that the guides
// name are in the code that they name.
func TestWhatTheGuidesNameIsThere(t *testing.T) {
	exists, found := existsIn("../.."), 0
	for _, guide := range []string{"limits.md", "data.md", "communication.md", "logs.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs/security", guide))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range namedInGuide.FindAllStringSubmatch(string(text), -1) {
			found++
			if err := exists(m[1]); err != nil {
				t.Errorf("%s: %v", guide, err)
			}
		}
	}
	if found < 30 || exists("internal/wire/limits.go:planted") == nil {
		t.Errorf("%d names in the guides; one that is not there passes", found)
	}
}
