// Package rules is the monitoring catalogue that Aspis ships: Sigma rules,
// each in a folder of its own as rule.yml, with positive.ndjson and
// negative.ndjson beside it. The samples are synthetic. In the samples of
// correlations every line carries an "institution", which stands for the
// member that the door would know from the sender's key.
//
// Beside Sigma's own fields a rule may carry its words for people in
// Traditional Chinese: title_zh, description_zh and falsepositives_zh. Sigma
// allows custom fields and other tools pass over them.
package rules

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"
)

//go:embed */rule.yml */positive.ndjson */negative.ndjson
var catalogue embed.FS

// FS returns the catalogue, one folder for each rule.
func FS() fs.FS { return catalogue }

// Words are what a rule tells people, in one language.
type Words struct {
	Title          string   `yaml:"title_zh"`
	Description    string   `yaml:"description_zh"`
	FalsePositives []string `yaml:"falsepositives_zh"`
}

// Bounds of the files that [Chinese] reads.
const (
	maxRuleFile  = 1 << 20
	maxDocuments = 100
)

// Chinese reads the Traditional Chinese words of the rules under fsys, by rule
// id. A rule without them is not in the map; a file that cannot be read is
// passed over and reported in the error, and the rest is still returned.
func Chinese(fsys fs.FS) (map[string]Words, error) {
	out := map[string]Words{}
	var problems []error
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(name) != ".yml" && path.Ext(name) != ".yaml" {
			return err
		}
		if err := chineseOf(fsys, name, out); err != nil {
			problems = append(problems, fmt.Errorf("rules: %s: %w", name, err))
		}
		return nil
	})
	return out, errors.Join(append(problems, err)...)
}

func chineseOf(fsys fs.FS, name string, out map[string]Words) error {
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, maxRuleFile+1))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if len(text) > maxRuleFile {
		return fmt.Errorf("is over %d bytes", maxRuleFile)
	}
	return decodeWords(text, out)
}

func decodeWords(text []byte, out map[string]Words) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for range maxDocuments {
		var doc struct {
			ID    string `yaml:"id"`
			Words `yaml:",inline"`
		}
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read YAML: %w", err)
		}
		if doc.ID != "" && doc.Title != "" {
			out[doc.ID] = doc.Words
		}
	}
	return fmt.Errorf("has more than %d documents", maxDocuments)
}
