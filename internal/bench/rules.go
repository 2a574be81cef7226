package bench

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"

	"github.com/aspis-platform/aspis/sigma"
)

// ruleSet puts RuleCount rules that sigma loads into a folder and returns it
// with where they are from.
func (b *run) ruleSet() (folder, from string, err error) {
	folder = b.at("rules")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", "", err
	}
	info, err := os.Stat(b.Rules)
	switch {
	case b.Rules == "":
		return folder, "synthetic", writeSynthetic(folder, b.RuleCount)
	case err != nil:
		return "", "", fmt.Errorf("rules: %w", err)
	case info.IsDir():
		return folder, "folder", b.choose(b.Rules, folder)
	}
	all := b.at("all-rules")
	if err := unpack(b.Rules, all); err != nil {
		return "", "", fmt.Errorf("rules: %s: %w", b.Rules, err)
	}
	return folder, "archive", b.choose(all, folder)
}

// Bounds of an archive of rules.
const (
	maxRules    = 100_000
	maxRuleFile = 1 << 20
)

// unpack writes the .yml files of a .tar.xz flat into a folder, numbered in
// the order of the archive.
func unpack(archive, folder string) error {
	f, err := os.Open(archive) //nolint:gosec // named by who runs the benchmark
	if err != nil {
		return err
	}
	defer f.Close()
	x, err := xz.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	t := tar.NewReader(x)
	for n := 0; n < maxRules; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(h.Name, ".yml") {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(t, maxRuleFile))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.yml", n)), text, 0o600); err != nil {
			return err
		}
		n++
	}
	return errors.New("more than 100,000 files")
}

// choose copies RuleCount of the files whose rules sigma loads, evenly over
// all, so that every log source has its share.
func (b *run) choose(from, to string) error {
	set, _ := sigma.Load(os.DirFS(from), sigma.Options{})
	var files []string
	for _, r := range set.Rules() {
		if r.Correlation == nil && (len(files) == 0 || files[len(files)-1] != r.File) {
			files = append(files, r.File)
		}
	}
	if len(files) < b.RuleCount {
		return fmt.Errorf("%s holds %d files with rules, fewer than %d", from, len(files), b.RuleCount)
	}
	for i := range b.RuleCount {
		name := files[i*len(files)/b.RuleCount]
		text, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("%05d.yml", i)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeSynthetic writes made-up rules that look at what the load's records
// have and never fire.
func writeSynthetic(folder string, n int) error {
	for i := range n {
		text := fmt.Sprintf(`title: Made-up rule %[1]d of the benchmark
id: 00000000-0000-4000-8000-%012[1]d
status: test
author: the benchmark
logsource: {product: windows, category: process_creation}
detection:
  program:
    Image|endswith: ['\made-up-%[1]d.exe', '\invented-%[1]d.exe']
  line:
    CommandLine|contains|all: [' -made-up ', 'argument-%[1]d']
  other:
    ParentImage|endswith: '\parent-%[1]d.exe'
  condition: (program and line) or other
level: medium
`, i)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.yml", i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
