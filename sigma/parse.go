package sigma

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// Options is what loading needs beside the rules. The zero value is usable.
type Options struct {
	// Placeholders gives the values of %name% under the modifier "expand";
	// none means that the name is unknown, which refuses the rule. Values may
	// hold wildcards.
	Placeholders func(name string) []string
}

// Parse reads all rules of one file. Every document becomes a rule or a
// Problem. References of correlations are resolved by [Load] and
// [Loader.Finish], not here.
func Parse(file string, src []byte, opts Options) ([]*Rule, []Problem) {
	docs, err := splitDocuments(file, src)
	if err != nil {
		return nil, []Problem{asProblem(file, "", 0, err)}
	}
	var rules []*Rule
	var problems []Problem
	for _, d := range docs {
		if d.blank() {
			continue
		}
		r, err := parseRule(d, &opts)
		if err != nil {
			problems = append(problems, asProblem(file, r.label(), d.offset, err))
			continue
		}
		rules = append(rules, r)
	}
	return rules, problems
}

// label names a rule that may be incomplete in a Problem.
func (r *Rule) label() string {
	if r.ID != "" {
		return r.ID
	}
	return r.Title
}

// parseRule reads one document. The rule returned with an error has what was
// read of its name.
func parseRule(d *document, opts *Options) (*Rule, error) {
	r := &Rule{File: d.file, Line: d.offset + 1}
	m, err := d.parse()
	if err != nil {
		return r, err
	}
	if err := r.readHead(d, m); err != nil {
		return r, err
	}
	sum := sha256.Sum256(d.source)
	r.version = hex.EncodeToString(sum[:8])
	switch {
	case r.ID != "":
	case r.Name != "":
		r.ID = r.Name
	default:
		r.ID = "sha256:" + r.version
	}
	if err := refuseSections(m); err != nil {
		return r, err
	}
	if n := m.get("correlation"); n != nil {
		if r.Correlation, err = readCorrelation(d, n); err != nil {
			return r, err
		}
		r.Correlation.offset = d.offset
		return r, nil
	}
	if err := r.readLogsource(d, m.get("logsource")); err != nil {
		return r, err
	}
	n := m.get("detection")
	if n == nil {
		return r, faultf(1, 1, "rule has no detection")
	}
	r.detection, err = detectionReader{doc: d, opts: opts}.read(n)
	return r, err
}

// readHead reads everything that does not decide what the rule matches.
func (r *Rule) readHead(d *document, m mapping) error {
	for _, f := range []struct {
		name string
		to   *string
	}{
		{"id", &r.ID}, {"title", &r.Title}, {"name", &r.Name}, {"status", &r.Status},
		{"description", &r.Description}, {"author", &r.Author}, {"license", &r.License},
		{"date", &r.Date}, {"modified", &r.Modified}, {"level", (*string)(&r.Level)},
	} {
		var err error
		if *f.to, err = d.text(m.get(f.name), f.name); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name string
		to   *[]string
	}{
		{"references", &r.References}, {"tags", &r.Tags}, {"falsepositives", &r.FalsePositives},
		{"fields", &r.Fields}, {"scope", &r.Scope},
	} {
		var err error
		if *f.to, err = d.texts(m.get(f.name), f.name); err != nil {
			return err
		}
	}
	return r.checkHead(m)
}

func (r *Rule) checkHead(m mapping) error {
	at := func(name string) (line, col int) {
		if n := m.get(name); n != nil {
			return n.Line, n.Column
		}
		return 1, 1
	}
	line, col := at("title")
	if strings.TrimSpace(r.Title) == "" {
		return faultf(line, col, "rule has no title")
	}
	if line, col = at("level"); r.Level != "" && r.Level.Rank() == 0 {
		return faultf(line, col, "unknown level %q", r.Level)
	}
	line, col = at("status")
	switch r.Status {
	case "", "stable", "test", "experimental", "deprecated":
	case "unsupported":
		return faultf(line, col, "status is unsupported: by its author's word the rule cannot be used")
	default:
		return faultf(line, col, "unknown status %q", r.Status)
	}
	return nil
}

// refuseSections refuses what changes a rule's meaning and is not supported.
func refuseSections(m mapping) error {
	for _, e := range m {
		switch {
		case e.name == "filter":
			return faultf(e.key.Line, e.key.Column, "Sigma filters are not supported yet")
		case e.name == "action":
			return faultf(e.key.Line, e.key.Column, "the deprecated document action %q is not supported", e.val.Value)
		case e.name == "taxonomy" && e.val.Value != "sigma":
			return faultf(e.val.Line, e.val.Column, "taxonomy %q is unknown", e.val.Value)
		case e.name == "correlation" && (m.get("detection") != nil || m.get("logsource") != nil):
			return faultf(e.key.Line, e.key.Column, "one document cannot be both a detection and a correlation")
		}
	}
	return nil
}

func (r *Rule) readLogsource(d *document, n *yaml.Node) error {
	if n == nil {
		return faultf(1, 1, "rule has no logsource")
	}
	m, err := d.mapping(n, "logsource")
	if err != nil {
		return err
	}
	for _, e := range m {
		s, err := d.text(e.val, "logsource "+e.name)
		if err != nil {
			return err
		}
		s = strings.ToLower(strings.TrimSpace(s))
		switch e.name {
		case "product":
			r.Logsource.Product = s
		case "category":
			r.Logsource.Category = s
		case "service":
			r.Logsource.Service = s
		case "definition":
		default:
			return faultf(e.key.Line, e.key.Column, "unknown logsource attribute %q", e.name)
		}
	}
	if r.Logsource == (event.Logsource{}) {
		return faultf(n.Line, n.Column, "logsource names no product, category or service")
	}
	return nil
}
