package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a correlation.
const (
	maxTimespan     = 366 * 24 * time.Hour
	maxCount        = 1_000_000
	maxGroupFields  = 16
	maxCorrelated   = 256 // rules one correlation refers to
	maxAliasedRules = 1024
)

// definition is a correlation as it was written. Every correlation is made of
// one by newCorrelation, whatever it was written as.
type definition struct {
	kind       string // the type
	rules      []string
	groupBy    []string
	timespan   string
	generate   bool
	aliases    map[string]map[string]string // alias → rule → field
	fields     []string
	percentile string // "": not given
	criteria   []criterion
	expression string // a condition over rules; "": none
	places     map[string]place
}

// criterion is one comparison of a condition: gt, gte, lt, lte, eq or neq.
type criterion struct{ op, number string }

// place is where something stands in its document.
type place struct{ line, col int }

// fault places a reason at a part of the definition, else at its beginning.
func (d *definition) fault(part, format string, args ...any) error {
	at, ok := d.places[part]
	if !ok {
		at = d.places[""]
	}
	return faultf(at.line, at.col, format, args...)
}

// newCorrelation checks a definition and makes the correlation of it (Sigma
// correlation rules specification 2.1.0). Rules are still referred to as
// written; the Loader resolves them.
func newCorrelation(d *definition) (*Correlation, error) {
	c := &Correlation{
		Rules: d.rules, GroupBy: d.groupBy, Generate: d.generate, Fields: d.fields, aliases: d.aliases,
		places: d.places, cond: bounds{low: math.Inf(-1), high: math.Inf(1)},
	}
	for _, read := range []func(*definition) error{c.readType, c.readTimespan, c.readExpression, c.checkLists, c.readCriteria, c.readPercentile, c.checkCondition} {
		if err := read(d); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Correlation) readType(d *definition) error {
	c.Type = CorrelationType(strings.TrimSuffix(d.kind, "_extended"))
	known := slices.Contains(correlationTypes(), c.Type)
	switch {
	case d.kind == "":
		return d.fault("", "correlation has no type")
	case !known || string(c.Type) != d.kind && !c.Type.temporal():
		return d.fault("type", "unknown correlation type %q", d.kind)
	case string(c.Type) != d.kind && d.expression == "":
		return d.fault("type", "%s needs a condition over rules", d.kind)
	case d.expression != "" && !c.Type.temporal():
		return d.fault("condition", "a condition over rules needs type temporal or temporal_ordered")
	}
	return nil
}

func (c *Correlation) readTimespan(d *definition) (err error) {
	if d.timespan == "" {
		return d.fault("", "correlation has no timespan")
	}
	if c.Timespan, err = parseTimespan(d.timespan); err != nil {
		return d.fault("timespan", "%s", err)
	}
	return nil
}

func (c *Correlation) checkLists(d *definition) error {
	if len(c.Rules) == 0 {
		return d.fault("", "correlation refers to no rules")
	}
	if err := distinct("rules", c.Rules, maxCorrelated); err != nil {
		return d.fault("rules", "%s", err)
	}
	if err := distinct("group-by", c.GroupBy, maxGroupFields); err != nil {
		return d.fault("group-by", "%s", err)
	}
	if err := distinct("field", c.Fields, maxGroupFields); err != nil {
		return d.fault("field", "%s", err)
	}
	return nil
}

func distinct(what string, list []string, most int) error {
	if len(list) > most {
		return fmt.Errorf("%s has more than %d entries", what, most)
	}
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return fmt.Errorf("%s names %q twice", what, s)
		}
	}
	return nil
}

// parseTimespan reads a count and a unit: s, m, h, d or w. Months and years
// have no fixed length and are refused.
func parseTimespan(s string) (time.Duration, error) {
	if len(s) < 2 || len(s) > 12 {
		return 0, fmt.Errorf("timespan %q is not a number and one of s, m, h, d, w", s)
	}
	unit, ok := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	}[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if !ok || err != nil {
		return 0, fmt.Errorf("timespan %q is not a number and one of s, m, h, d, w", s)
	}
	if n == 0 || n > uint64(maxTimespan/unit) {
		return 0, fmt.Errorf("timespan %q must be more than zero and at most 366 days", s)
	}
	return time.Duration(n) * unit, nil
}

// readCriteria reads the comparisons, which temporal types may leave out.
func (c *Correlation) readCriteria(d *definition) error {
	if c.Type.counts() {
		c.cond.low = 1 // a window is closed by an event
	}
	if len(d.criteria) == 0 {
		switch {
		case !c.Type.temporal():
			part, reason := "", "correlation has no condition"
			if _, ok := d.places["condition"]; ok {
				part, reason = "condition", "condition has no criterion"
			}
			return d.fault(part, "%s", reason)
		case d.expression == "":
			c.cond.low = float64(len(c.Rules))
		}
		return nil
	}
	for _, k := range d.criteria {
		if err := c.cond.narrow(k, c.Type.counts()); err != nil {
			return d.fault("condition/"+k.op, "%s", err)
		}
	}
	return nil
}

func (c *Correlation) readPercentile(d *definition) error {
	switch {
	case c.Type == ValuePercentile && d.percentile == "":
		return d.fault("condition", "value_percentile without a percentile in its condition is ambiguous: "+
			"it may mean the share of a value or a percentile of numbers; write percentile: 0 to 100")
	case c.Type != ValuePercentile && d.percentile != "":
		return d.fault("condition/percentile", "%s has no percentile", c.Type)
	case c.Type == ValueMedian:
		c.Percentile = 50
		return nil
	case c.Type != ValuePercentile:
		return nil
	}
	p, ok := parseNumber(d.percentile)
	if !ok || p < 0 || p > 100 {
		return d.fault("condition/percentile", "percentile must be a number from 0 to 100")
	}
	c.Percentile = p
	return nil
}

func (c *Correlation) checkCondition(d *definition) error {
	refuse := func(format string, args ...any) error { return d.fault("condition", format, args...) }
	rules := float64(len(c.Rules))
	switch {
	case c.cond.never():
		return refuse("condition can never hold when an event is seen")
	case c.Type.counts() && (c.Type != ValueCount) && len(c.Fields) > 0:
		return refuse("%s counts no field", c.Type)
	case c.Type == ValueCount && len(c.Fields) == 0:
		return refuse("value_count needs a field in its condition")
	case c.Type.number() && len(c.Fields) != 1:
		return refuse("%s needs one field in its condition", c.Type)
	case c.Type == Temporal && c.cond.low > rules:
		return refuse("condition asks for more rules than the correlation refers to")
	case c.Type == TemporalOrdered && d.expression == "" && (c.cond.low != rules || c.cond.bounded()):
		return refuse("which rules may be missing from an ordered correlation is not defined; ask for all %d", len(c.Rules))
	case c.Type == TemporalOrdered && d.expression == "":
		c.terms = []term{allOf(len(c.Rules))}
	}
	return nil
}

// field returns the event field that stands for a group-by name in events of
// the rule with this id.
func (c *Correlation) field(name, rule string) string {
	if byRule, ok := c.aliases[name]; ok {
		return byRule[rule]
	}
	return name
}

// awaits reports whether what comes after an event can make the condition
// false at that event: then it is decided when the timespan is over.
func (c *Correlation) awaits() bool {
	lacking := slices.ContainsFunc(c.terms, func(t term) bool { return !t.lack.empty() })
	return lacking || c.Type.counts() && c.cond.bounded()
}
