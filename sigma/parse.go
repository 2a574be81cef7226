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
// [Loader.Finish], not here; a filter is a Problem, because it has nothing here
// that it could be applied to.
func Parse(file string, src []byte, opts Options) ([]*Rule, []Problem) {
	p := parseFile(file, src, &opts)
	for _, f := range p.filters {
		p.problems = append(p.problems, Problem{File: f.File, Line: f.Line, Col: 1, Rule: f.label(), Reason: "a filter is loaded together with its rules"})
	}
	return p.rules, p.problems
}

// parsed is what one file holds.
type parsed struct {
	rules    []*Rule
	filters  []*Filter
	problems []Problem
}

func parseFile(file string, src []byte, opts *Options) (p parsed) {
	docs, err := splitDocuments(file, src)
	if err != nil {
		return parsed{problems: []Problem{asProblem(file, "", 0, err)}}
	}
	for _, d := range docs {
		if d.blank() {
			continue
		}
		if label, err := p.document(d, opts); err != nil {
			p.problems = append(p.problems, asProblem(file, label, d.offset, err))
		}
	}
	return p
}

// label names a rule that may be incomplete in a Problem.
func (r *Rule) label() string {
	if r.ID != "" {
		return r.ID
	}
	return r.Title
}

// document reads one document. The label returned with an error is what was
// read of its name.
func (p *parsed) document(d *document, opts *Options) (label string, err error) {
	r := &Rule{File: d.file, Line: d.offset + 1}
	m, err := d.parse()
	if err != nil {
		return "", err
	}
	if err := r.readHead(d, m); err != nil {
		return r.label(), err
	}
	sum := sha256.Sum256(d.source)
	r.version = hex.EncodeToString(sum[:8])
	label = r.label()
	switch {
	case r.ID != "":
	case r.Name != "":
		r.ID = r.Name
	default:
		r.ID, r.anonymous = "sha256:"+r.version, true
	}
	if err := refuseSections(m); err != nil {
		return label, err
	}
	if m.get("filter") != nil {
		f, err := readFilter(d, m, r, opts)
		if err == nil {
			p.filters = append(p.filters, f)
		}
		return label, err
	}
	rules, err := r.readBody(d, m, opts)
	if err == nil {
		p.rules = append(p.rules, rules...)
	}
	return label, err
}

// readBody reads what decides what the rule matches. It returns the rule, or
// what it is split into.
func (r *Rule) readBody(d *document, m mapping, opts *Options) (rules []*Rule, err error) {
	if n := m.get("correlation"); n != nil {
		if r.Correlation, err = readCorrelation(d, n, m.get("generate")); err != nil {
			return nil, err
		}
		r.Correlation.offset = d.offset
		return []*Rule{r}, nil
	}
	if err := r.readLogsource(d, m.get("logsource")); err != nil {
		return nil, err
	}
	n := m.get("detection")
	if n == nil {
		return nil, faultf(1, 1, "rule has no detection")
	}
	section, err := d.mapping(n, "detection")
	if err != nil {
		return nil, err
	}
	if hasAggregation(section) {
		return r.splitAggregation(d, n, section, opts)
	}
	r.detection, err = detectionReader{doc: d, opts: opts}.read(n)
	return []*Rule{r}, err
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
	bodies := ""
	for _, e := range m {
		switch e.name {
		case "action":
			return faultf(e.key.Line, e.key.Column, "the deprecated document action %q is not supported", e.val.Value)
		case "taxonomy":
			if e.val.Value != "sigma" {
				return faultf(e.val.Line, e.val.Column, "taxonomy %q is unknown", e.val.Value)
			}
		case "detection", "correlation", "filter":
			if bodies != "" {
				return faultf(e.key.Line, e.key.Column, "one document cannot be both a %s and a %s", bodies, e.name)
			}
			bodies = e.name
		}
	}
	if n := m.get("logsource"); n != nil && bodies == "correlation" {
		return faultf(n.Line, n.Column, "a correlation has no logsource; its rules have")
	}
	return nil
}

// meantAttribute is the attribute of a logsource that a name is a slip of, "" for
// none. Attributes that the specification does not name may be there (Sigma
// specification 2.1, LogSource), but a slip of one that it names would make the
// rule wider than its author meant.
func meantAttribute(name string) string {
	const far = 3
	for _, attribute := range [...]string{"product", "category", "service", "definition"} {
		if distance(strings.ToLower(name), attribute, far) < far {
			return attribute
		}
	}
	return ""
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
			if meant := meantAttribute(e.name); meant != "" {
				return faultf(e.key.Line, e.key.Column, "unknown logsource attribute %q: is %q meant?", e.name, meant)
			}
		}
	}
	if r.Logsource == (event.Logsource{}) {
		return faultf(n.Line, n.Column, "logsource names no product, category or service")
	}
	return nil
}
