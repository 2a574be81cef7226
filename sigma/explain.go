package sigma

import (
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
)

// Bounds of an Explanation, which is stored with an alert.
const (
	maxExplainedValues = 32
	maxExplainedBytes  = 1024
)

// Explanation says why a rule matched an event, or why not. It is plain data.
type Explanation struct {
	Rule       string             `json:"rule"` // id
	Title      string             `json:"title"`
	Version    string             `json:"version"`
	Matched    bool               `json:"matched"`
	Conditions []ConditionOutcome `json:"conditions"`
	Selections []SelectionOutcome `json:"selections"`
	Filters    []FilterOutcome    `json:"filters,omitempty"` // all must let the event pass
}

// FilterOutcome is the result of a filter that is applied to the rule.
type FilterOutcome struct {
	Filter     string             `json:"filter"` // id
	Title      string             `json:"title"`
	Polarity   Polarity           `json:"polarity"`
	Condition  string             `json:"condition"`
	Passed     bool               `json:"passed"` // the event is not left out
	Selections []SelectionOutcome `json:"selections"`
}

// ConditionOutcome is the result of one condition; any of them suffices.
type ConditionOutcome struct {
	Text string `json:"text"`
	Held bool   `json:"held"`
}

// SelectionOutcome is the result of a search identifier, which holds when one
// of its alternatives does.
type SelectionOutcome struct {
	Name         string               `json:"name"`
	Held         bool                 `json:"held"`
	Alternatives []AlternativeOutcome `json:"alternatives"`
}

// AlternativeOutcome is the result of items that must all hold.
type AlternativeOutcome struct {
	Held  bool          `json:"held"`
	Items []ItemOutcome `json:"items"`
}

// ItemOutcome is the result of comparing one field. Lists and long values are
// cut.
type ItemOutcome struct {
	Field     string   `json:"field,omitempty"` // "" for keywords
	Modifiers []string `json:"modifiers,omitempty"`
	Expected  []string `json:"expected"`          // the rule's values
	Actual    []string `json:"actual,omitempty"`  // the event's; for keywords only those that matched
	Met       []string `json:"met,omitempty"`     // those expected that held
	Missing   bool     `json:"missing,omitempty"` // the event has no such field
	Held      bool     `json:"held"`
}

// Explain evaluates every part of a detection rule on an event. It is slower
// than matching and independent of any Engine. For a correlation rule it
// returns only the rule's name.
func Explain(r *Rule, ev Event) Explanation {
	out := Explanation{Rule: r.ID, Title: r.Title, Version: r.version}
	if r.detection == nil {
		return out
	}
	x := explainer{ev: ev, contents: map[string]*content{}}
	held := make([]bool, len(r.detection.selections))
	for i, s := range r.detection.selections {
		outcome := x.selection(s)
		held[i] = outcome.Held
		out.Selections = append(out.Selections, outcome)
	}
	for _, c := range r.detection.conditions {
		own := c.root
		if c.own != nil {
			own = c.own
		}
		out.Conditions = append(out.Conditions, ConditionOutcome{Text: c.text, Held: own.holds(held)})
		out.Matched = out.Matched || c.root.holds(held)
	}
	out.splitFilters(r.detection, held)
	return out
}

// splitFilters puts the selections of filters with their filters.
func (x *Explanation) splitFilters(d *detection, held []bool) {
	if len(d.filters) == 0 {
		return
	}
	for _, a := range d.filters {
		x.Filters = append(x.Filters, FilterOutcome{
			Filter: a.filter.ID, Title: a.filter.Title, Polarity: a.filter.Polarity, Condition: a.filter.body.conditions[0].text,
			Passed: a.root.holds(held), Selections: x.Selections[a.from:a.to:a.to],
		})
	}
	own := d.filters[0].from
	x.Selections = x.Selections[:own:own]
}

func (e *expr) holds(selections []bool) bool {
	switch e.op {
	case exprSelection:
		return selections[e.selection]
	case exprNot:
		return !e.kids[0].holds(selections)
	case exprAnd:
		return !slices.ContainsFunc(e.kids, func(k *expr) bool { return !k.holds(selections) })
	default:
		return slices.ContainsFunc(e.kids, func(k *expr) bool { return k.holds(selections) })
	}
}

type explainer struct {
	ev       Event
	contents map[string]*content
}

func (x explainer) selection(s selection) SelectionOutcome {
	out := SelectionOutcome{Name: s.name}
	for _, items := range s.alternatives {
		alt := AlternativeOutcome{Held: true}
		for i := range items {
			outcome := x.item(&items[i])
			alt.Held = alt.Held && outcome.Held
			alt.Items = append(alt.Items, outcome)
		}
		out.Held = out.Held || alt.Held
		out.Alternatives = append(out.Alternatives, alt)
	}
	return out
}

func (x explainer) item(it *item) ItemOutcome {
	c := x.content(it.field)
	out := ItemOutcome{Field: it.field, Modifiers: it.modifiers, Missing: !c.present}
	var met []*pred
	one, every := false, true
	for i, group := range it.groups {
		ok := false
		for _, p := range group {
			if held, _ := p.holds(c, x.content(p.other())); held {
				ok = true
				met = append(met, p)
			}
		}
		out.Expected = cut(out.Expected, it.expected[i])
		if ok {
			out.Met = cut(out.Met, it.expected[i])
		}
		one, every = one || ok, every && ok
	}
	if out.Held = one; it.all {
		out.Held = every
	}
	out.Held = out.Held != it.neg
	for i := range c.texts {
		if it.field != "" || slices.ContainsFunc(met, func(p *pred) bool { return p.shows(&c.texts[i]) }) {
			out.Actual = cut(out.Actual, c.texts[i].raw)
		}
	}
	return out
}

// shows reports whether a value alone makes the predicate of a keyword hold.
func (p *pred) shows(t *text) bool {
	held, _ := p.holds(&content{present: true, texts: []text{*t}}, nil)
	return held
}

// other is the second field the predicate reads, "" for none.
func (p *pred) other() string {
	if p.kind == predFieldRef {
		return p.lit
	}
	return ""
}

// cut appends a copy of s, shortened, unless the list is full.
func cut(list []string, s string) []string {
	if len(list) >= maxExplainedValues {
		return list
	}
	if len(s) > maxExplainedBytes {
		s = strings.ToValidUTF8(s[:maxExplainedBytes], "") + "…"
	}
	return append(list, strings.Clone(s))
}

func (x explainer) content(field string) *content {
	if c, ok := x.contents[field]; ok {
		return c
	}
	c := &content{}
	x.contents[field] = c
	if field == "" {
		c.present = true
		x.ev.EachText(func(_, s string) bool {
			c.add(event.StringValue(s))
			return true
		})
		return c
	}
	v, ok := x.ev.Field(field)
	if c.present = ok && v.Kind() != event.Missing; c.present {
		c.add(v)
		c.null = c.null || len(c.texts) == 0
	}
	return c
}

func (c *content) add(v event.Value) {
	switch v.Kind() {
	case event.Missing:
	case event.Null:
		c.null = true
	case event.List:
		v.Each(func(item event.Value) bool { c.add(item); return true })
	default:
		t := text{raw: v.Text(), folded: fold(v.Text())}
		if v.Kind() == event.Number && !plainInteger(t.raw) {
			t.num = canonicalNumber(t.raw)
		}
		c.texts = append(c.texts, t)
	}
}
