package sigma

import (
	"slices"
	"strings"
	"time"

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
	// Turns names the selections of which each alone would turn the outcome, if
	// it came out otherwise.
	Turns []string `json:"turns,omitempty"`
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

// ItemOutcome is the result of comparing one field. Lists are cut to 32 values,
// and values to 1,024 bytes around what was found in them.
type ItemOutcome struct {
	Field     string   `json:"field,omitempty"` // "" for keywords
	Modifiers []string `json:"modifiers,omitempty"`
	Expected  []string `json:"expected"`           // the rule's values
	Actual    []string `json:"actual,omitempty"`   // the event's; for keywords only those that matched
	Where     []string `json:"where,omitempty"`    // for keywords: the field of each of Actual
	Hits      []Hit    `json:"hits,omitempty"`     // what of Actual met the rule's values
	Met       []string `json:"met,omitempty"`      // those expected that held
	Compared  []string `json:"compared,omitempty"` // for fieldref: the first value of each field in Expected, "" for none
	Missing   bool     `json:"missing,omitempty"`  // the event has no such field
	Similar   string   `json:"similar,omitempty"`  // then: the event's field that may be meant
	Held      bool     `json:"held"`
}

// Hit is a part of a value that a rule's value was found in: the bytes from From
// to before To of the value's text.
type Hit struct {
	Value int `json:"value"` // index in Actual
	From  int `json:"from"`
	To    int `json:"to"`
}

// Part is a piece of a value, Hit when a rule's value was found in it.
type Part struct {
	Text string
	Hit  bool
}

// Parts splits value i of Actual at what was found in it. Of what lies between,
// near characters are left beside each hit, and twice as many of a value in which
// nothing was found; 0 leaves all.
func (o ItemOutcome) Parts(i, near int) []Part {
	value := o.Actual[i]
	inside := make([]bool, len(value))
	for _, h := range o.Hits {
		for at := max(h.From, 0); h.Value == i && at < min(h.To, len(value)); at++ {
			inside[at] = true
		}
	}
	var parts []Part
	from := 0
	for at := 1; at <= len(value); at++ {
		if at < len(value) && inside[at] == inside[from] {
			continue
		}
		part := Part{Text: value[from:at], Hit: inside[from]}
		if near > 0 && !part.Hit {
			part.Text = shortened(part.Text, near, from > 0, at < len(value))
		}
		parts, from = append(parts, part), at
	}
	return parts
}

// shortened leaves the ends of a text that are beside a hit: its beginning after
// one, its end before one. A text without either is cut after twice as much.
func shortened(text string, near int, after, before bool) string {
	r := []rune(text)
	head, tail := 0, 0
	if after {
		head = near
	}
	if before {
		tail = near
	}
	if head+tail == 0 {
		head = 2 * near
	}
	if len(r) <= head+tail+1 {
		return text
	}
	return string(r[:head]) + "…" + string(r[len(r)-tail:])
}

// Counting says what a correlation takes from an event that one of its rules
// matches. It is plain data.
type Counting struct {
	Correlation string         `json:"correlation"` // id
	Title       string         `json:"title"`
	Type        string         `json:"type"`
	Seconds     int64          `json:"seconds"` // its timespan
	Fields      []CountedField `json:"fields,omitempty"`
	// Counted says that the event has all fields; else it takes no part.
	Counted bool `json:"counted"`
}

// CountedField is a field that a correlation groups by, or counts.
type CountedField struct {
	Field   string `json:"field"` // of the event, aliases resolved
	Value   string `json:"value,omitempty"`
	Missing bool   `json:"missing,omitempty"`
	GroupBy bool   `json:"group_by,omitempty"`
}

// ExplainCounting says what a correlation rule takes from an event of the rule
// with the id given, which is among those that it counts.
func ExplainCounting(correlation *Rule, rule string, ev Event) Counting {
	c := correlation.Correlation
	if c == nil {
		return Counting{Correlation: correlation.ID, Title: correlation.Title}
	}
	out := Counting{Correlation: correlation.ID, Title: correlation.Title, Type: string(c.Type), Seconds: int64(c.Timespan / time.Second), Counted: true}
	x := &explainer{ev: ev, contents: map[string]*content{}}
	for i, name := range slices.Concat(c.GroupBy, c.Fields) {
		f := CountedField{Field: c.field(name, rule), GroupBy: i < len(c.GroupBy)}
		if texts := x.content(f.Field).texts; len(texts) > 0 {
			f.Value, _ = around(texts[0].raw, nil)
		} else {
			f.Missing, out.Counted = true, false
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

// Explain evaluates every part of a detection rule on an event. It is slower
// than matching and independent of any Engine. For a correlation rule it
// returns only the rule's name.
func Explain(r *Rule, ev Event) Explanation {
	out := Explanation{Rule: r.ID, Title: r.Title, Version: r.version}
	if r.detection == nil {
		return out
	}
	x := &explainer{ev: ev, contents: map[string]*content{}}
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
		out.Conditions = append(out.Conditions, ConditionOutcome{Text: c.text, Held: own.holds(held), Turns: r.detection.turns(own, held)})
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

// turns names the selections that each alone would turn an expression's outcome;
// none of a rule that has very many.
func (d *detection) turns(e *expr, held []bool) (names []string) {
	const most = 64
	if len(d.selections) > most {
		return nil
	}
	used := make([]bool, len(d.selections))
	e.mark(used)
	outcome := e.holds(held)
	flipped := slices.Clone(held)
	for i := range d.selections {
		if !used[i] {
			continue
		}
		flipped[i] = !held[i]
		if e.holds(flipped) != outcome {
			names = append(names, d.selections[i].name)
		}
		flipped[i] = held[i]
	}
	return names
}

type explainer struct {
	ev       Event
	contents map[string]*content
	paths    []string // fields of the texts that keywords are looked for in
	fields   []string // of the event, each once
	listed   bool     // fields are
}

func (x *explainer) selection(s selection) SelectionOutcome {
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

func (x *explainer) item(it *item) ItemOutcome {
	c := x.content(it.field)
	out := ItemOutcome{Field: it.field, Modifiers: it.modifiers, Missing: !c.present}
	if out.Missing {
		out.Similar = x.similar(it.field)
	}
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
		if other := group[0].other(); other != "" {
			out.Compared = cut(out.Compared, x.content(other).first())
		}
		if ok {
			out.Met = cut(out.Met, it.expected[i])
		}
		one, every = one || ok, every && ok
	}
	if out.Held = one; it.all {
		out.Held = every
	}
	out.Held = out.Held != it.neg
	x.actual(&out, c, met)
	return out
}

// other is the second field the predicate reads, "" for none.
func (p *pred) other() string {
	if p.kind == predFieldRef {
		return p.lit
	}
	return ""
}

// first is the text of the first value, "" for none.
func (c *content) first() string {
	if len(c.texts) == 0 {
		return ""
	}
	return c.texts[0].raw
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

func (x *explainer) content(field string) *content {
	if c, ok := x.contents[field]; ok {
		return c
	}
	c := &content{}
	x.contents[field] = c
	if field == "" {
		c.present = true
		x.ev.EachText(func(path, s string) bool {
			c.add(event.StringValue(s))
			x.paths = append(x.paths, path)
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
