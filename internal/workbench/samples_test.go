package workbench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/aspis-platform/aspis/sigma"
)

// TestSamples judges the samples of testdata/samples as `aspis sigma eval` does.
// Each archive holds rules.yml, files of events, and what must come out:
//
//   - want: a line for every match, "file event rule", with the numbers of the
//     counted events behind a correlation;
//   - problems: for every file or record that cannot be read, how its error
//     begins.
//
// What must come out was written from the specification, not from the output.
func TestSamples(t *testing.T) {
	archives, err := filepath.Glob("testdata/samples/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("archives %v, error %v", archives, err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { judgeArchive(t, name, nil) })
	}
}

// TestPublicRules judges the samples of testdata/public by all public rules. What
// must come out was taken from the output and then checked against the rules, one
// by one; every match is listed.
func TestPublicRules(t *testing.T) {
	rules := realRules(t)
	archives, err := filepath.Glob("testdata/public/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("archives %v, error %v", archives, err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { judgeArchive(t, name, rules) })
	}
}

// judgeArchive judges an archive by the rules given, or by its own.
func judgeArchive(t *testing.T, name string, rules *Rules) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var events, want, problems []string
	for _, f := range archive.Files {
		switch f.Name {
		case "rules.yml":
			rules = Load([]string{write(t, dir, f.Name, string(f.Data))}, sigma.Options{})
			if len(rules.Problems) > 0 {
				t.Fatal(rules.Problems)
			}
		case "want":
			want = lines(f.Data)
		case "problems":
			problems = lines(f.Data)
		default:
			events = append(events, write(t, dir, f.Name, string(f.Data)))
		}
	}
	got, failed := judged(t, rules, dir, events)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-) and got (+):\n%s", diff)
	}
	if len(failed) != len(problems) {
		t.Fatalf("problems %q, want %q", failed, problems)
	}
	for i, problem := range problems {
		if !strings.HasPrefix(failed[i], problem) {
			t.Errorf("problem %q, want %q", failed[i], problem)
		}
	}
}

// judged evaluates and returns the matches, sorted, and the problems.
func judged(t *testing.T, rules *Rules, dir string, events []string) (matches, problems []string) {
	_, err := Evaluation{
		Rules: rules, Events: events, Routed: true,
		Match: func(m Match) error {
			line := fmt.Sprintf("%s %d %s", filepath.Base(m.File), m.Event, m.Rule)
			for _, place := range m.Events {
				line += fmt.Sprintf(" %d", place.Event)
			}
			matches = append(matches, line)
			return nil
		},
		Problem: func(err error) {
			problems = append(problems, strings.TrimPrefix(err.Error(), dir+string(os.PathSeparator)))
		},
	}.Eval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(matches)
	return matches, problems
}

// lines returns the lines of a file without what follows a # in them.
func lines(data []byte) []string {
	var all []string
	for line := range strings.Lines(strings.TrimSpace(string(data))) {
		line, _, _ = strings.Cut(line, " #")
		all = append(all, strings.TrimSpace(line))
	}
	return all
}
