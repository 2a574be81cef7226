package workbench

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

const maxPlaceholderFile = 1 << 20

// texts is a value or a list of them.
type texts []string

func (t *texts) UnmarshalYAML(n *yaml.Node) error {
	var one string
	if n.Kind == yaml.ScalarNode && n.Decode(&one) == nil {
		*t = texts{one}
		return nil
	}
	return n.Decode((*[]string)(t))
}

// Placeholders reads a YAML file of the values of placeholders: a mapping from
// each name to a value or a list of values. It returns the source that
// [sigma.Options] take.
func Placeholders(file string) (func(name string) []string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	src, err := io.ReadAll(io.LimitReader(f, maxPlaceholderFile+1))
	if err != nil {
		return nil, err
	}
	if len(src) > maxPlaceholderFile {
		return nil, fmt.Errorf("%s: more than %d bytes", file, maxPlaceholderFile)
	}
	var values map[string]texts
	if err := yaml.Unmarshal(src, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(values) == 0 {
		return nil, errors.New(file + ": no names with values")
	}
	return func(name string) []string { return values[name] }, nil
}
