package workbench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// ErrNoFolders says that no folder holds a rule.yml.
var ErrNoFolders = errors.New("no folder with a rule.yml")

// RuleFolders finds the folders at or below the paths that hold a rule.yml.
func RuleFolders(paths []string) ([]string, error) {
	var dirs []string
	for _, p := range paths {
		err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && d.Name() == sigma.RuleFile {
				dirs = append(dirs, filepath.Dir(name))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(dirs) == 0 {
		return nil, ErrNoFolders
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// TestFolder tests the rules of a folder on its samples: files of events in any
// format named positive.* and negative.*; see [sigma.Folder]. Rules are asked
// as [Evaluation] does with log sources observed. For correlations each file is
// a sequence, in which blank lines of .ndjson files begin another one; an event
// without a time cannot be counted.
func TestFolder(dir string, opts sigma.Options) sigma.FolderReport {
	rule := filepath.Join(dir, sigma.RuleFile)
	src, err := readRule(rule)
	if err != nil {
		return sigma.FolderReport{Dir: dir, Failures: []sigma.SampleFailure{{File: rule, Reason: reason(err)}}}
	}
	return sigma.Folder{
		Dir: dir, Rule: src, Options: opts, Positive: samples(dir, "positive.*"), Negative: samples(dir, "negative.*"),
		NewMatch: func(rules []*sigma.Rule) func(sigma.Event, func(*sigma.Rule) bool) {
			r := newRouter(rules, true)
			return func(ev sigma.Event, yield func(*sigma.Rule) bool) {
				if one, ok := ev.(*event.Event); ok {
					r.match(one, func(rule *sigma.Rule) { yield(rule) })
				}
			}
		},
	}.Check()
}

func readRule(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // named by who runs the command
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, sigma.MaxFileBytes+1))
}

func samples(dir, pattern string) sigma.Samples {
	return sigma.Samples{Name: filepath.Join(dir, pattern), Each: func(yield func(sigma.Sample, error) bool) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			yield(sigma.Sample{File: dir}, err)
			return
		}
		for _, entry := range entries {
			if ok, _ := filepath.Match(pattern, entry.Name()); !ok {
				continue
			}
			for s, err := range samplesOf(filepath.Join(dir, entry.Name())) {
				if !yield(s, err) {
					return
				}
			}
		}
	}}
}

func samplesOf(file string) iter.Seq2[sigma.Sample, error] {
	return func(yield func(sigma.Sample, error) bool) {
		gaps, err := blankLines(file)
		if err != nil {
			yield(sigma.Sample{File: file}, err)
			return
		}
		last, now := 0, time.Now()
		for ev, err := range Events([]string{file}) {
			if err != nil {
				if !yield(sigma.Sample{File: file}, err) {
					return
				}
				continue
			}
			s := sigma.Sample{Event: ev.Event, File: ev.File, Line: ev.Line}
			s.Time, _ = ev.TimeNear(now)
			s.Begins = last == 0 || slices.ContainsFunc(gaps, func(gap int) bool { return last < gap && gap < ev.Line })
			if last = ev.Line; !yield(s, nil) {
				return
			}
		}
	}
}

// blankLines are the numbers of the blank lines of an .ndjson file.
func blankLines(file string) ([]int, error) {
	if strings.ToLower(filepath.Ext(file)) != ".ndjson" {
		return nil, nil
	}
	f, err := os.Open(file) //nolint:gosec // named by who runs the command
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	defer f.Close()
	var gaps []int
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, maxEventBytes)
	for line := 1; scan.Scan(); line++ {
		if strings.TrimSpace(scan.Text()) == "" {
			gaps = append(gaps, line)
		}
	}
	return gaps, scan.Err()
}
