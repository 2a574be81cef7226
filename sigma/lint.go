package sigma

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
)

// Warning is something about a rule that is allowed and still looks wrong.
type Warning struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 1-based
	Rule    string `json:"rule"` // id
	Check   Check  `json:"check"`
	Message string `json:"message"`
}

// Check names what a Warning is about.
type Check string

// The checks.
const (
	NeverFires         Check = "never-fires"         // no event of the log source can match
	UnknownField       Check = "unknown-field"       // the log source's events have no such field
	RareField          Check = "rare-field"          // few products that write such events have the field
	ImpossibleValue    Check = "impossible-value"    // the field never has the value
	Contradiction      Check = "contradiction"       // a part that no event satisfies
	Unmatchable        Check = "unmatchable"         // a value that no text is or contains
	AlwaysTrue         Check = "always-true"         // a part that everything satisfies
	IdleModifier       Check = "idle-modifier"       // a modifier without effect
	UnusedSelection    Check = "unused-selection"    // no condition names it
	DuplicateSelection Check = "duplicate-selection" // the same as another
	DuplicateValue     Check = "duplicate-value"     // the same as another of its list
	MissingAttribute   Check = "missing-attribute"   // id or level
	Deprecated         Check = "deprecated"          // a form or a rule that its authors gave up
)

// Linter looks for what is allowed in rules and still looks wrong.
type Linter struct{ fields catalogue }

// NewLinter returns a Linter with the catalogue of fields that comes with the
// package.
func NewLinter() *Linter { return &Linter{fields: newCatalogue()} }

// Knows reports whether the fields of a log source are known. Of fields of other
// log sources nothing is said: their events may have any.
func (l *Linter) Knows(source event.Logsource) bool { return l.fields.fields(source) != nil }

// Lint returns warnings of all rules and filters of a set, in the order of
// files and lines.
func (l *Linter) Lint(set *Ruleset) []Warning {
	var all []Warning
	seen := map[Warning]bool{}
	add := func(found []Warning) {
		for _, w := range found {
			if !seen[w] { // the parts of a rule say the same
				seen[w] = true
				all = append(all, w)
			}
		}
	}
	for _, r := range set.Rules() {
		add(l.rule(r, set))
	}
	for _, f := range set.Filters() {
		add(l.filter(f))
	}
	slices.SortStableFunc(all, func(a, b Warning) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(string(a.Check), string(b.Check)))
	})
	return all
}

// linting gathers the warnings of one rule.
type linting struct {
	file, rule string
	line       int
	known      *fieldSet // nil: any fields
	unknown    []string  // fields that the rule looks at and events do not have
	found      []Warning
}

func (g *linting) warn(check Check, line int, format string, args ...any) {
	if line == 0 {
		line = g.line
	}
	g.found = append(g.found, Warning{File: g.file, Line: line, Rule: g.rule, Check: check, Message: fmt.Sprintf(format, args...)})
}

func (l *Linter) rule(r *Rule, set *Ruleset) []Warning {
	g := &linting{file: r.File, line: r.Line, rule: cmp.Or(r.PartOf, r.ID), known: l.fields.fields(r.Logsource)}
	g.head(r)
	if r.detection != nil {
		own := r.detection.own()
		g.unused(own, r)
		g.detection(own)
		g.never(r)
	}
	if r.Correlation != nil {
		l.correlation(g, r, set)
	}
	return g.found
}

func (l *Linter) filter(f *Filter) []Warning {
	g := &linting{file: f.File, line: f.Line, rule: f.ID, known: l.fields.fields(f.Logsource)}
	g.unused(f.body, nil)
	g.detection(f.body)
	return g.found
}

// own is the detection without the filters applied to it.
func (d *detection) own() *detection {
	if len(d.filters) == 0 {
		return d
	}
	out := &detection{selections: d.selections[:d.filters[0].from]}
	for _, c := range d.conditions {
		out.conditions = append(out.conditions, condition{text: c.text, root: c.own})
	}
	return out
}

func (g *linting) head(r *Rule) {
	if r.anonymous && r.PartOf == "" {
		g.warn(MissingAttribute, 0, "the rule has no id: alerts and filters cannot refer to it for good")
	}
	if r.Level == "" {
		g.warn(MissingAttribute, 0, "the rule has no level: its alerts are taken as low")
	}
	if r.Status == "deprecated" {
		g.warn(Deprecated, 0, "the rule is deprecated by its author")
	}
	if r.parts != nil {
		g.warn(Deprecated, 0, "aggregations in conditions are deprecated: write a correlation")
	}
	for _, date := range [...]string{r.Date, r.Modified} {
		if strings.Contains(date, "/") {
			g.warn(Deprecated, 0, "date %q: write YYYY-MM-DD", date)
		}
	}
}

// unused warns of selections that no condition names. The parts of a split rule
// name them between them.
func (g *linting) unused(d *detection, r *Rule) {
	if r != nil && r.PartOf != "" {
		return
	}
	used := make([]bool, len(d.selections))
	for _, c := range d.conditions {
		c.root.mark(used)
	}
	for i, s := range d.selections {
		if !used[i] {
			g.warn(UnusedSelection, s.line, "selection %q is in no condition", s.name)
		}
	}
}

func (e *expr) mark(used []bool) {
	if e.op == exprSelection {
		used[e.selection] = true
	}
	for _, kid := range e.kids {
		kid.mark(used)
	}
}

// detection looks at each selection by itself.
func (g *linting) detection(d *detection) {
	shapes := map[string]string{}
	for _, s := range d.selections {
		for _, items := range s.alternatives {
			known := g.narrowed(g.known, items)
			for i := range items {
				g.item(&items[i])
				g.field(&items[i], known)
			}
			if why := contradiction(required(items)); why != "" {
				g.warn(Contradiction, s.line, "selection %q cannot hold: %s", s.name, why)
			}
		}
		shape := s.shape()
		if first, ok := shapes[shape]; ok {
			g.warn(DuplicateSelection, s.line, "selection %q is the same as %q", s.name, first)
		} else {
			shapes[shape] = s.name
		}
	}
	for _, c := range d.conditions {
		if strings.Contains(strings.ToLower(" "+c.text+" "), " of them ") && strings.Contains(strings.ToLower(c.text), "all ") {
			g.warn(Deprecated, 0, `"all of them" takes in filters that others add: name a pattern such as "all of selection_*"`)
		}
	}
}

func (g *linting) item(it *item) {
	seen := map[string]string{}
	for i, group := range it.groups {
		key := groupKey(group)
		if first, ok := seen[key]; ok {
			g.warn(DuplicateValue, it.line, "field %q: %q means the same as %q", it.field, it.expected[i], first)
		} else {
			seen[key] = it.expected[i]
		}
		g.value(it, it.expected[i], group)
	}
	if len(it.groups) == 1 && it.all && it.field != "" {
		g.warn(Deprecated, it.line, `field %q: "all" of one value means nothing`, it.field)
	}
}

func groupKey(group []*pred) string {
	var b strings.Builder
	for _, p := range group {
		fmt.Fprintf(&b, "%+v;", p.predKey)
	}
	return b.String()
}

// shape is the same for selections that mean the same.
func (s selection) shape() string {
	var alternatives []string
	for _, items := range s.alternatives {
		var parts []string
		for i := range items {
			it := &items[i]
			var groups []string
			for _, group := range it.groups {
				groups = append(groups, groupKey(group))
			}
			slices.Sort(groups)
			parts = append(parts, fmt.Sprintf("%s %v %v %q", it.field, it.all, it.neg, groups))
		}
		slices.Sort(parts)
		alternatives = append(alternatives, fmt.Sprintf("%q", parts))
	}
	slices.Sort(alternatives)
	return strings.Join(alternatives, "|")
}
