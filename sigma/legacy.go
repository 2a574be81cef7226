package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Ids of the parts that a rule with an aggregation is split into: its own id
// goes to the correlation.
const (
	partSuffix = "#events" // the rule that finds the events
	nearSuffix = "#near"   // the rule that finds what "near" asks for
)

// aggregation is what stands after "|" in a condition (Sigma specification
// 1.0.2, Condition; deprecated since). It is converted to a correlation that
// means the same, or refused.
type aggregation struct {
	function string   // count, sum, avg, min, max
	field    string   // "" for count()
	by       []string // group-by
	op       string   // gt, gte, lt, lte, eq
	number   string
}

var (
	aggregationForm = regexp.MustCompile(`^(\w+)\s*\(([^()]*)\)\s*(?:by\s+(.*?)\s*)?(==|>=|<=|=|>|<)\s*(\S+)$`)
	nearForm        = regexp.MustCompile(`^near\s+(\S+)$`)
)

// legacy is a detection section with an aggregation being split.
type legacy struct {
	doc     *document
	opts    *Options
	rule    *Rule
	section *yaml.Node // the detection
	at      *yaml.Node // its condition, for places
	search  string     // what stands before "|"
	span    string     // the timeframe
}

// hasAggregation reports whether a detection section has a condition with "|".
func hasAggregation(m mapping) bool {
	n := m.get("condition")
	if n == nil {
		return false
	}
	return strings.Contains(n.Value, "|") || slices.ContainsFunc(n.Content, func(item *yaml.Node) bool { return strings.Contains(item.Value, "|") })
}

// splitAggregation makes of a rule with an aggregation the rules that find the
// events and the correlation that counts them.
func (r *Rule) splitAggregation(d *document, section *yaml.Node, m mapping, opts *Options) ([]*Rule, error) {
	l := legacy{doc: d, opts: opts, rule: r, section: section, at: m.get("condition")}
	if l.at.Kind != yaml.ScalarNode {
		return nil, l.refuse("an aggregation must be the only condition")
	}
	search, rest, _ := strings.Cut(l.at.Value, "|")
	l.search = strings.TrimSpace(search)
	rest = strings.TrimSpace(rest)
	frame := m.get("timeframe")
	if frame == nil {
		return nil, l.refuse("an aggregation without a timeframe counts over no known time; add one")
	}
	l.span = frame.Value
	if found := nearForm.FindStringSubmatch(rest); found != nil {
		return l.near(found[1])
	}
	if strings.HasPrefix(rest, "near ") {
		return nil, l.refuse(`"near" with several or negated search identifiers has no exact correlation; write one`)
	}
	a, err := parseAggregation(rest)
	if err != nil {
		return nil, l.refuse("%v", err)
	}
	return l.aggregated(a)
}

func (l *legacy) refuse(format string, args ...any) error {
	return faultf(l.at.Line, l.at.Column, "condition: "+format, args...)
}

func parseAggregation(text string) (aggregation, error) {
	found := aggregationForm.FindStringSubmatch(text)
	if found == nil {
		return aggregation{}, fmt.Errorf(`%q is not an aggregation like "count() by field > 5"; write a correlation instead`, text)
	}
	a := aggregation{function: found[1], field: strings.TrimSpace(found[2]), number: found[5]}
	a.op = map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq"}[found[4]]
	if found[3] != "" {
		for name := range strings.SplitSeq(found[3], ",") {
			if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, " \t") {
				return a, fmt.Errorf("the fields after \"by\" must be separated by commas, and have no spaces")
			}
			a.by = append(a.by, name)
		}
	}
	switch a.function {
	case "count":
	case "sum", "avg", "min", "max":
		if a.field == "" {
			return a, fmt.Errorf("%s needs a field", a.function)
		}
	default:
		return a, fmt.Errorf("unknown aggregation function %q", a.function)
	}
	if _, err := strconv.ParseFloat(a.number, 64); err != nil {
		return a, fmt.Errorf("%q is not a number", a.number)
	}
	return a, nil
}

// aggregated makes the parts of a rule with an aggregation function.
func (l *legacy) aggregated(a aggregation) ([]*Rule, error) {
	search := l.search
	var value *yaml.Node // a selection of the single value that decides
	criterion := []string{a.op, a.number}
	kind := map[string]CorrelationType{"count": EventCount, "sum": ValueSum, "avg": ValueAvg, "min": EventCount, "max": EventCount}[a.function]
	switch {
	case a.function == "count" && a.field != "":
		kind = ValueCount
	case a.function == "max" && (a.op == "gt" || a.op == "gte"), a.function == "min" && (a.op == "lt" || a.op == "lte"):
		// One value beyond the number decides.
		value = l.mappingNode(a.field+"|"+a.op, l.scalar("!!float", a.number))
		criterion = []string{"gte", "1"}
	case a.function == "min", a.function == "max":
		return nil, l.refuse("%s with this comparison is about all values of a time that has not ended; it has no exact correlation", a.function)
	}
	base, err := l.part(partSuffix, search, value)
	if err != nil {
		return nil, err
	}
	condition := l.mappingNode(criterion[0], l.scalar("!!int", criterion[1]))
	if kind != EventCount {
		condition.Content = append(condition.Content, l.scalar("!!str", "field"), l.scalar("!!str", a.field))
	}
	return l.correlated(kind, condition, a.by, base)
}

// near makes the parts of "search | near other". With one other, each within
// the timeframe of the other is what a temporal correlation asks for.
func (l *legacy) near(other string) ([]*Rule, error) {
	base, err := l.part(partSuffix, l.search, nil)
	if err != nil {
		return nil, err
	}
	beside, err := l.part(nearSuffix, other, nil)
	if err != nil {
		return nil, err
	}
	beside.second = true
	return l.correlated(Temporal, nil, nil, base, beside)
}

// part makes a rule that finds events: the detection section with another
// condition, and value, if any, as a selection that must also hold.
func (l *legacy) part(suffix, condition string, value *yaml.Node) (*Rule, error) {
	section := &yaml.Node{Kind: yaml.MappingNode, Line: l.section.Line, Column: l.section.Column}
	name := "_value"
	for i := 0; i+1 < len(l.section.Content); i += 2 {
		switch key := l.section.Content[i].Value; key {
		case "condition", "timeframe":
			continue
		case name:
			name += "_"
		}
		section.Content = append(section.Content, l.section.Content[i], l.section.Content[i+1])
	}
	if value != nil {
		section.Content = append(section.Content, l.scalar("!!str", name), value)
		condition = "(" + condition + ") and " + name
	}
	section.Content = append(section.Content, l.scalar("!!str", "condition"), l.scalar("!!str", condition))
	r := *l.rule
	r.ID, r.Name, r.PartOf, r.anonymous = l.rule.ID+suffix, "", l.rule.ID, false
	var err error
	r.detection, err = detectionReader{doc: l.doc, opts: l.opts}.read(section)
	return &r, err
}

// correlated adds the correlation to the parts that it counts.
func (l *legacy) correlated(kind CorrelationType, condition *yaml.Node, by []string, parts ...*Rule) ([]*Rule, error) {
	n := l.mappingNode("type", l.scalar("!!str", string(kind)))
	add := func(name string, val *yaml.Node) { n.Content = append(n.Content, l.scalar("!!str", name), val) }
	var ids []string
	for _, p := range parts {
		ids = append(ids, p.ID)
	}
	add("rules", l.list(ids))
	if len(by) > 0 {
		add("group-by", l.list(by))
	}
	add("timespan", l.scalar("!!str", l.span))
	if condition != nil {
		add("condition", condition)
	}
	r := *l.rule
	var err error
	if r.Correlation, err = readCorrelation(l.doc, n, nil); err != nil {
		return nil, err
	}
	r.Correlation.offset = l.doc.offset
	r.parts = ids
	return append(parts, &r), nil
}

func (l *legacy) scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Line: l.at.Line, Column: l.at.Column}
}

func (l *legacy) mappingNode(name string, val *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Line: l.at.Line, Column: l.at.Column, Content: []*yaml.Node{l.scalar("!!str", name), val}}
}

func (l *legacy) list(values []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Line: l.at.Line, Column: l.at.Column}
	for _, v := range values {
		n.Content = append(n.Content, l.scalar("!!str", v))
	}
	return n
}

// kept reports whether the parts of a split rule are loaded, and not others
// with the same ids in their place.
func (r *Rule) kept(byID map[string]*Rule) bool {
	return !slices.ContainsFunc(r.parts, func(id string) bool { return byID[id] == nil || byID[id].PartOf != r.ID })
}
