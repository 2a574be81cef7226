package sigma

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Bounds of what one file of rules may hold. Real rules stay far below.
const (
	MaxFileBytes     = 8 << 20 // of one file
	MaxDocumentBytes = 1 << 20 // of one rule
	maxDocuments     = 10_000  // in one file
	maxValues        = 100_000 // scalars and mappings visited in one rule, aliases counted each time
	maxPredicates    = 200_000 // what the values of one rule expand to
	maxNodes         = 100_000 // operators and operands in the conditions of one rule
	maxRegexTotal    = 200_000 // size of all regular expressions of one rule; see regexSize
	maxAliasHops     = 16      // aliases of aliases
)

// document is one YAML document of a file.
type document struct {
	file   string
	offset int // lines of the file before the document
	source []byte
	left   allowance
}

// allowance is what the rule in a document may still take.
type allowance struct{ values, predicates, nodes, regexes int }

func newAllowance() allowance {
	return allowance{values: maxValues, predicates: maxPredicates, nodes: maxNodes, regexes: maxRegexTotal}
}

// splitDocuments cuts a file at its "---" lines. YAML allows none inside a
// scalar, so that this needs no parsing.
func splitDocuments(file string, src []byte) ([]*document, error) {
	if len(src) > MaxFileBytes {
		return nil, faultf(0, 0, "file is larger than %d bytes", MaxFileBytes)
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	var docs []*document
	start, first, line := 0, 0, 0
	for at := 0; at < len(src); line++ {
		end := len(src)
		if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if isSeparator(src[at:end]) {
			docs = append(docs, &document{file: file, offset: first, source: src[start:at]})
			start, first = end, line+1
			if rest := bytes.TrimSpace(src[at+3 : end]); len(rest) > 0 && rest[0] != '#' {
				return nil, faultf(line+1, 4, "content on the line of a document separator")
			}
		}
		if at = end; len(docs) > maxDocuments {
			return nil, faultf(line, 1, "more than %d documents in one file", maxDocuments)
		}
	}
	return append(docs, &document{file: file, offset: first, source: src[start:]}), nil
}

func isSeparator(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) {
		return false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\n' || line[3] == '\r'
}

// blank reports whether a document holds nothing but comments and space.
func (d *document) blank() bool {
	for line := range bytes.Lines(d.source) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("...")) {
			return false
		}
	}
	return true
}

// parse reads the document's YAML and returns its top mapping.
func (d *document) parse() (mapping, error) {
	if len(d.source) > MaxDocumentBytes {
		return nil, faultf(1, 1, "rule is larger than %d bytes", MaxDocumentBytes)
	}
	d.left = newAllowance()
	var top yaml.Node
	if err := yaml.Unmarshal(d.source, &top); err != nil {
		return nil, yamlFault(err)
	}
	if top.Kind != yaml.DocumentNode || len(top.Content) != 1 {
		return nil, faultf(1, 1, "empty document")
	}
	return d.mapping(top.Content[0], "a rule")
}

// yamlFault turns "yaml: line 3: reason" into a fault at line 3.
func yamlFault(err error) error {
	var line int
	msg := err.Error()
	if n, _ := fmt.Sscanf(msg, "yaml: line %d:", &line); n == 1 {
		if _, reason, ok := bytes.Cut([]byte(msg), []byte(": ")); ok {
			_, after, found := bytes.Cut(reason, []byte(": "))
			if found {
				return faultf(line, 1, "not YAML: %s", after)
			}
		}
	}
	return faultf(max(line, 1), 1, "not YAML: %s", msg)
}

// pair is one entry of a mapping.
type pair struct {
	name string
	key  *yaml.Node
	val  *yaml.Node // never an alias
}

type mapping []pair

func (m mapping) get(name string) *yaml.Node {
	for _, e := range m {
		if e.name == name {
			return e.val
		}
	}
	return nil
}

// spend counts n visited values against the document's budget.
func (d *document) spend(at *yaml.Node, n int) error {
	if d.left.values -= n; d.left.values < 0 {
		return faultf(at.Line, at.Column, "more than %d values", maxValues)
	}
	return nil
}

// deref follows an alias.
func (d *document) deref(n *yaml.Node) *yaml.Node {
	for hops := 0; n.Kind == yaml.AliasNode && hops < maxAliasHops; hops++ {
		n = n.Alias
	}
	return n
}

// mapping reads a node as a mapping with distinct text keys.
func (d *document) mapping(n *yaml.Node, what string) (mapping, error) {
	n = d.deref(n)
	if n.Kind != yaml.MappingNode {
		return nil, faultf(n.Line, n.Column, "%s must be a mapping", what)
	}
	if err := d.spend(n, len(n.Content)); err != nil {
		return nil, err
	}
	m := make(mapping, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := d.deref(n.Content[i])
		switch {
		case k.Kind != yaml.ScalarNode:
			return nil, faultf(k.Line, k.Column, "a key must be text")
		case k.Tag == "!!merge":
			return nil, faultf(k.Line, k.Column, "merge keys (<<) are not supported")
		case seen[k.Value]:
			return nil, faultf(k.Line, k.Column, "duplicate key %q", k.Value)
		}
		seen[k.Value] = true
		m = append(m, pair{name: k.Value, key: k, val: d.deref(n.Content[i+1])})
	}
	return m, nil
}

// sequence returns the items of a list, or the node itself as only item.
func (d *document) sequence(n *yaml.Node) ([]*yaml.Node, error) {
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}, d.spend(n, 1)
	}
	if err := d.spend(n, len(n.Content)); err != nil {
		return nil, err
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = d.deref(item)
	}
	return out, nil
}

// text reads an optional scalar; nil and null are "".
func (d *document) text(n *yaml.Node, what string) (string, error) {
	switch {
	case n == nil || isNull(n):
		return "", nil
	case n.Kind != yaml.ScalarNode:
		return "", faultf(n.Line, n.Column, "%s must be text", what)
	default:
		return n.Value, nil
	}
}

// texts reads an optional list of scalars; a scalar is a list of one.
func (d *document) texts(n *yaml.Node, what string) ([]string, error) {
	if n == nil || isNull(n) {
		return nil, nil
	}
	items, err := d.sequence(n)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, err := d.text(item, what)
		if err != nil {
			return nil, err
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
