// Package workbench is what an author of rules works with: it loads rules from
// files, folders and archives, judges recordings of events by them, explains
// single decisions, runs the samples beside rules, and measures. It is behind
// the commands of `aspis sigma`.
package workbench

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aspis-platform/aspis/sigma"
)

// Rules is a loaded set and what was refused of it.
type Rules struct {
	Set      *sigma.Ruleset
	Problems []sigma.Problem
	names    map[*sigma.Rule]string
}

// Load reads rules from files, from all .yml and .yaml files below folders, and
// from archives of such (.zip, .tar, .tar.gz, .tgz, .tar.xz), in the order
// given. What cannot be read or evaluated exactly is a problem; the rest is
// loaded.
func Load(paths []string, opts sigma.Options) *Rules {
	l := &loading{Loader: sigma.NewLoader(opts)}
	for _, p := range paths {
		if err := l.path(p); err != nil {
			l.problems = append(l.problems, sigma.Problem{File: p, Reason: reason(err)})
		}
	}
	set, problems := l.Finish()
	r := &Rules{Set: set, Problems: append(l.problems, problems...)}
	r.name()
	return r
}

// reason is an error without the path, which the problem names already.
func reason(err error) string {
	if p, ok := asPathError(err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

type loading struct {
	*sigma.Loader
	problems []sigma.Problem
}

func (l *loading) path(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		l.AddFS(filepath.ToSlash(name), os.DirFS(name))
		return nil
	case isArchive(name):
		return eachFile(name, func(inner string, content io.Reader) error {
			if !isRule(inner) {
				return nil
			}
			return l.file(name+"!"+inner, content)
		})
	}
	f, err := os.Open(name) //nolint:gosec // named by who runs the command
	if err != nil {
		return err
	}
	defer f.Close()
	return l.file(filepath.ToSlash(name), f)
}

func (l *loading) file(name string, content io.Reader) error {
	src, err := io.ReadAll(io.LimitReader(content, sigma.MaxFileBytes+1))
	if err == nil {
		l.AddFile(name, src)
	}
	return err
}

func isRule(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yml", ".yaml":
		return true
	}
	return false
}

// Loaded is the number of rules as their authors count them: what a rule was
// split into counts once.
func (r *Rules) Loaded() int {
	n := 0
	for _, rule := range r.Set.Rules() {
		if rule.PartOf == "" {
			n++
		}
	}
	return n
}

// Name is what a rule is reported by: its id or name, else the name of its
// file, which unlike its text stays the same, with its rank among the nameless
// of that file from the second on.
func (r *Rules) Name(rule *sigma.Rule) string {
	if name, ok := r.names[rule]; ok {
		return name
	}
	return rule.ID
}

func (r *Rules) name() {
	r.names = map[*sigma.Rule]string{}
	count := map[string]int{}
	for _, rule := range r.Set.Rules() {
		if !rule.Anonymous() {
			continue
		}
		file := path.Base(rule.File[strings.LastIndexByte(rule.File, '!')+1:])
		if count[rule.File]++; count[rule.File] > 1 {
			file = fmt.Sprintf("%s#%d", file, count[rule.File])
		}
		r.names[rule] = file
	}
}
