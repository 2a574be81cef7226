package sigma

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// Filter leaves events out of rules that stay as they are (Sigma filters
// specification 2.1; "any" as in 2.2). It is applied when rules are loaded.
//
// The specification says that a filter suppresses matches and shows it with
// "condition: selection"; its reference implementation and its guide write
// "condition: not selection" for the same. Here the polarity is declared:
//
//   - a condition that only negates ("not a", "not a and not b") says what
//     stays, on which all readings agree;
//   - the attribute "polarity: exclude" beside "filter" says that events on
//     which the condition holds are left out, "polarity: keep" that only they
//     stay;
//   - any other filter is refused.
type Filter struct {
	ID          string // as given; else the name; else derived from the content
	Name        string
	Title       string
	Description string
	Logsource   event.Logsource // of the rules; lower case
	Rules       []string        // ids or names as given; nil: every rule of the log source
	Polarity    Polarity
	File        string
	Line        int // first line of its document in File

	version string
	body    *detection // with exactly one condition
}

// Polarity is what a filter does with the events on which its condition holds.
type Polarity string

// The polarities.
const (
	Exclude Polarity = "exclude"
	Keep    Polarity = "keep"
)

// applied is a filter as part of a rule's detection.
type applied struct {
	filter   *Filter
	from, to int   // its selections among the detection's
	root     *expr // over all of the detection's selections; holds for what stays
}

// readFilter reads a document with a filter section; head has its name.
func readFilter(d *document, m mapping, head *Rule, opts *Options) (*Filter, error) {
	if err := head.readLogsource(d, m.get("logsource")); err != nil {
		return nil, err
	}
	f := &Filter{
		ID: head.ID, Name: head.Name, Title: head.Title, Description: head.Description, Logsource: head.Logsource,
		File: head.File, Line: head.Line, version: head.version,
	}
	n := m.get("filter")
	section, err := d.mapping(n, "filter")
	if err != nil {
		return nil, err
	}
	if err := f.readRules(d, n, section.get("rules")); err != nil {
		return nil, err
	}
	f.body, err = detectionReader{doc: d, opts: opts, filter: true}.read(n)
	if err != nil {
		return nil, err
	}
	return f, f.readPolarity(d, m.get("polarity"), section.get("condition"))
}

func (f *Filter) readRules(d *document, section, n *yaml.Node) (err error) {
	if n == nil {
		return faultf(section.Line, section.Column, `filter names no rules; write "rules: any" for all of its log source`)
	}
	if f.Rules, err = d.texts(n, "rules"); err != nil {
		return err
	}
	if len(f.Rules) == 0 {
		return faultf(n.Line, n.Column, `list of rules is empty; write "rules: any" for all of the log source`)
	}
	if n.Kind == yaml.ScalarNode && (strings.EqualFold(n.Value, "any") || strings.EqualFold(n.Value, "all")) {
		f.Rules = nil
	}
	return placedOrNil(distinct("rules", f.Rules, maxFiltered), n)
}

const maxFiltered = 10_000 // rules one filter names

func placedOrNil(err error, n *yaml.Node) error {
	if err == nil {
		return nil
	}
	return placed(err, n)
}

func (f *Filter) readPolarity(d *document, declared, condition *yaml.Node) error {
	if len(f.body.conditions) != 1 {
		return faultf(condition.Line, condition.Column, "a filter has exactly one condition")
	}
	c := f.body.conditions[0]
	given, err := d.text(declared, "polarity")
	if err != nil {
		return err
	}
	f.Polarity = Polarity(given)
	negates := c.root.negates()
	switch {
	case f.Polarity == Keep, f.Polarity == Exclude && !negates:
		return nil
	case f.Polarity == Exclude:
		return faultf(condition.Line, condition.Column,
			"condition %q says what stays, and polarity exclude that it is left out; remove one of them", c.text)
	case f.Polarity != "":
		return faultf(declared.Line, declared.Column, `polarity must be "exclude" or "keep"`)
	case negates:
		f.Polarity = Keep
		return nil
	}
	return faultf(condition.Line, condition.Column,
		`condition %q does not say whether what it finds is left out or stays: write "not …", or declare "polarity: exclude" or "polarity: keep"`, c.text)
}

// negates reports whether an expression is made of negations only.
func (e *expr) negates() bool {
	switch e.op {
	case exprNot:
		return !e.kids[0].negates()
	case exprSelection:
		return false
	}
	for _, kid := range e.kids {
		if !kid.negates() {
			return false
		}
	}
	return true
}

// shifted is the expression over selections that begin at from.
func (e *expr) shifted(from int) *expr {
	out := &expr{op: e.op, selection: e.selection + from, kids: make([]*expr, len(e.kids))}
	for i, kid := range e.kids {
		out.kids[i] = kid.shifted(from)
	}
	return out
}

// compose refuses rules whose parts are not all loaded and applies the filters
// to the rules, which are copied. names holds the rules by name.
func (l *Loader) compose(s *Ruleset, names map[string][]*Rule) {
	for _, r := range l.rules {
		if s.byID[r.ID] == r && !r.kept(s.byID) {
			l.refuseRule(r, "a part that it is split into has the id of another rule")
			delete(s.byID, r.ID)
			for _, id := range r.parts {
				if p := s.byID[id]; p != nil && p.PartOf == r.ID {
					delete(s.byID, id)
				}
			}
		}
	}
	ids := map[string]*Filter{}
	chosen := map[*Rule][]*Filter{}
	for _, f := range l.filters {
		rules, err := f.targets(l.rules, s.byID, names)
		if first := ids[f.ID]; first != nil {
			err = fmt.Errorf("duplicate id; first at %s:%d", first.File, first.Line)
		} else if r := s.byID[f.ID]; r != nil {
			err = fmt.Errorf("duplicate id; a rule has it at %s:%d", r.File, r.Line)
		}
		if err != nil {
			l.problems = append(l.problems, Problem{File: f.File, Line: f.Line, Col: 1, Rule: short(f.label()), Reason: short(err.Error())})
			continue
		}
		ids[f.ID] = f
		s.filters = append(s.filters, f)
		for _, r := range rules {
			chosen[r] = append(chosen[r], f)
		}
	}
	for i, r := range l.rules {
		if filters := chosen[r]; filters != nil {
			l.rules[i] = r.filtered(filters)
			s.byID[r.ID] = l.rules[i]
			if n := slices.Index(names[r.Name], r); n >= 0 {
				names[r.Name][n] = l.rules[i]
			}
		}
	}
}

// findRule finds a rule by its id or name.
func findRule(ref string, byID map[string]*Rule, names map[string][]*Rule) (*Rule, error) {
	if target, ok := byID[ref]; ok {
		return target, nil
	}
	switch found := names[ref]; {
	case len(found) == 0:
		return nil, fmt.Errorf("refers to rule %q, which is not loaded", ref)
	case len(found) > 1:
		return nil, fmt.Errorf("refers to rule %q, a name that %d rules have", ref, len(found))
	default:
		return found[0], nil
	}
}

func (f *Filter) label() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Title
}

// targets are the rules that a filter is for.
func (f *Filter) targets(rules []*Rule, byID map[string]*Rule, names map[string][]*Rule) ([]*Rule, error) {
	var out []*Rule
	if f.Rules == nil {
		for _, r := range rules {
			if byID[r.ID] == r && r.detection != nil && !r.second && f.covers(r.Logsource) {
				out = append(out, r)
			}
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("no rule that is loaded is of the filter's log source")
		}
		return out, nil
	}
	for _, ref := range f.Rules {
		r, err := findRule(ref, byID, names)
		if err != nil {
			return nil, err
		}
		if part := byID[r.ID+partSuffix]; r.Correlation != nil && part != nil && part.PartOf == r.ID {
			r = part
		}
		switch {
		case r.Correlation != nil:
			return nil, fmt.Errorf("refers to correlation %q; name the rules that it counts", ref)
		case !f.covers(r.Logsource):
			return nil, fmt.Errorf("refers to rule %q, which is of another log source", ref)
		}
		out = append(out, r)
	}
	return out, nil
}

// covers reports whether a rule's log source is the filter's or part of it.
func (f *Filter) covers(rule event.Logsource) bool {
	fits := func(filter, rule string) bool { return filter == "" || filter == rule }
	return fits(f.Logsource.Product, rule.Product) && fits(f.Logsource.Category, rule.Category) && fits(f.Logsource.Service, rule.Service)
}

// filtered returns a copy of the rule that the filters are part of.
func (r *Rule) filtered(filters []*Filter) *Rule {
	out := *r
	d := &detection{selections: append([]selection(nil), r.detection.selections...)}
	sum := sha256.New()
	sum.Write([]byte(r.version))
	var stays []*expr
	for _, f := range filters {
		from := len(d.selections)
		d.selections = append(d.selections, f.body.selections...)
		root := f.body.conditions[0].root.shifted(from)
		if f.Polarity == Exclude {
			root = &expr{op: exprNot, kids: []*expr{root}}
		}
		d.filters = append(d.filters, applied{filter: f, from: from, to: len(d.selections), root: root})
		stays = append(stays, root)
		sum.Write([]byte(f.version))
		out.Filters = append(out.Filters, f.ID)
	}
	for _, c := range r.detection.conditions {
		all := &expr{op: exprAnd, kids: append([]*expr{c.root}, stays...)}
		d.conditions = append(d.conditions, condition{text: c.text, root: all, own: c.root})
	}
	out.detection = d
	out.version = hex.EncodeToString(sum.Sum(nil)[:8])
	return &out
}
