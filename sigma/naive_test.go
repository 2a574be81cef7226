package sigma

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// naive is a rule read straight from its YAML by the specification, with none
// of the package's code and nothing of its cleverness: no index, nothing shared
// between rules but the event's fields, and wildcards are regular expressions.
// It knows valid rules only.
type naive struct {
	text       string
	source     event.Logsource
	names      *naiveNames
	selections map[string]check
	order      []string
	conditions []check
	expand     func(string) []string
}

// check is something that holds of an event or not. A rule is read into checks
// once; they are asked in the order written.
type check func(*naiveEvent) bool

func newNaive(src []byte, expand func(string) []string) (*naive, error) {
	return readNaive(src, expand, &naiveNames{})
}

// readNaive reads a rule; events are looked at once for all rules of the same
// names.
func readNaive(src []byte, expand func(string) []string, names *naiveNames) (*naive, error) {
	var doc struct {
		Logsource struct{ Product, Category, Service string }
		Detection yaml.Node
	}
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	n := &naive{text: string(src), names: names, selections: map[string]check{}, expand: expand}
	n.source = event.Logsource{
		Product: strings.ToLower(doc.Logsource.Product), Category: strings.ToLower(doc.Logsource.Category), Service: strings.ToLower(doc.Logsource.Service),
	}
	var conditions []*yaml.Node
	for i := 0; i < len(doc.Detection.Content); i += 2 {
		name, v := doc.Detection.Content[i].Value, doc.Detection.Content[i+1]
		switch {
		case name != "condition":
			n.selections[name] = n.selection(v)
			n.order = append(n.order, name)
		case v.Kind == yaml.SequenceNode:
			conditions = v.Content
		default:
			conditions = []*yaml.Node{v}
		}
	}
	for _, c := range conditions {
		words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(c.Value))
		n.conditions = append(n.conditions, n.or(&words))
	}
	return n, nil
}

// matches evaluates the rule on one event, whatever its log source.
func (n *naive) matches(ev Event) bool { return n.holds(n.names.look(ev)) }

func (n *naive) holds(ev *naiveEvent) bool { return anyCheck(n.conditions)(ev) }

// meant says whether the rule is about events of a log source: each part that
// it names is the event's. The taxonomy's appendix and the decisions of package
// event say which categories an event of one category belongs to as well.
func (n *naive) meant(ls event.Logsource) bool {
	categories := []string{"", ls.Category}
	switch ls.Category {
	case "registry_add", "registry_delete", "registry_set", "registry_rename":
		categories = append(categories, "registry_event")
	case "registry_event":
		categories = append(categories, "registry_add", "registry_delete")
	case "file_delete_detected":
		categories = append(categories, "file_delete")
	case "proxy":
		if ls.Product != "" {
			categories = append(categories, "webserver")
		}
	}
	return slices.Contains([]string{"", ls.Product}, n.source.Product) &&
		slices.Contains(categories, n.source.Category) &&
		slices.Contains([]string{"", ls.Service}, n.source.Service)
}

func anyCheck(checks []check) check {
	if len(checks) == 1 {
		return checks[0]
	}
	return func(ev *naiveEvent) bool {
		for _, q := range checks {
			if q(ev) {
				return true
			}
		}
		return false
	}
}

func allChecks(checks []check) check {
	if len(checks) == 1 {
		return checks[0]
	}
	return func(ev *naiveEvent) bool {
		for _, q := range checks {
			if !q(ev) {
				return false
			}
		}
		return true
	}
}

func noCheck(q check) check {
	return func(ev *naiveEvent) bool { return !q(ev) }
}

// next takes a word from the front of a condition if it is the one wanted.
func next(words *[]string, want string) bool {
	if len(*words) > 0 && strings.EqualFold((*words)[0], want) {
		*words = (*words)[1:]
		return true
	}
	return false
}

func (n *naive) or(w *[]string) check {
	checks := []check{n.and(w)}
	for next(w, "or") {
		checks = append(checks, n.and(w))
	}
	return anyCheck(checks)
}

func (n *naive) and(w *[]string) check {
	checks := []check{n.not(w)}
	for next(w, "and") {
		checks = append(checks, n.not(w))
	}
	return allChecks(checks)
}

func (n *naive) not(w *[]string) check {
	if next(w, "not") {
		return noCheck(n.not(w))
	}
	if next(w, "(") {
		q := n.or(w)
		next(w, ")")
		return q
	}
	word := (*w)[0]
	*w = (*w)[1:]
	if !next(w, "of") {
		return n.selections[word]
	}
	pattern := (*w)[0]
	*w = (*w)[1:]
	if strings.EqualFold(pattern, "them") {
		pattern = "*"
	}
	re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
	var checks []check
	for _, name := range n.order {
		if re.MatchString(name) && !strings.HasPrefix(name, "_") {
			checks = append(checks, n.selections[name])
		}
	}
	if strings.EqualFold(word, "all") {
		return allChecks(checks)
	}
	return anyCheck(checks)
}

// selection reads a search identifier: a list of which one suffices, a mapping
// of which all must hold, or a keyword.
func (n *naive) selection(s *yaml.Node) check {
	var checks []check
	switch s.Kind {
	case yaml.AliasNode:
		return n.selection(s.Alias)
	case yaml.SequenceNode:
		for _, item := range s.Content {
			checks = append(checks, n.selection(item))
		}
		return anyCheck(checks)
	case yaml.MappingNode:
		for i := 0; i < len(s.Content); i += 2 {
			checks = append(checks, n.item(s.Content[i].Value, s.Content[i+1]))
		}
		return allChecks(checks)
	default:
		return n.item("", s)
	}
}

// item reads a field with its modifiers and values.
func (n *naive) item(key string, v *yaml.Node) check {
	parts := strings.Split(key, "|")
	field, mods := parts[0], modifiers(parts[1:])
	nodes := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		nodes = v.Content
	}
	values := make([]fieldCheck, len(nodes))
	for i, node := range nodes {
		values[i] = n.value(field, mods, node)
	}
	q := anyValue(values)
	if mods.has("all") {
		q = allValues(values)
	}
	negated, number := mods.has("neq"), n.names.number(field)
	return func(ev *naiveEvent) bool { return q(ev, ev.field(number)) != negated }
}

type modifiers []string

func (m modifiers) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(m, name) })
}
