package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of a correlation.
const (
	maxTimespan     = 366 * 24 * time.Hour
	maxCount        = 1_000_000
	maxGroupFields  = 16
	maxCorrelated   = 256 // rules one correlation refers to
	maxAliasedRules = 1024
)

// bounds is a correlation's condition: least ≤ count ≤ most and count not
// among the excluded.
type bounds struct {
	least, most int
	not         []int
}

func (b bounds) hold(n int) bool {
	return b.least <= n && n <= b.most && !slices.Contains(b.not, n)
}

// readCorrelation reads the correlation section (Sigma correlation rules
// specification 2.0.2).
func readCorrelation(d *document, n *yaml.Node) (*Correlation, error) {
	m, err := d.mapping(n, "correlation")
	if err != nil {
		return nil, err
	}
	c := &Correlation{cond: bounds{least: 1, most: math.MaxInt}}
	for _, e := range m {
		if err := c.readEntry(d, e); err != nil {
			return nil, placed(err, e.val)
		}
	}
	switch {
	case c.Type == "":
		return nil, faultf(n.Line, n.Column, "correlation has no type")
	case len(c.Rules) == 0:
		return nil, faultf(n.Line, n.Column, "correlation refers to no rules")
	case c.Timespan == 0:
		return nil, faultf(n.Line, n.Column, "correlation has no timespan")
	}
	return c, c.readCondition(d, n, m.get("condition"))
}

func (c *Correlation) readEntry(d *document, e pair) (err error) {
	switch e.name {
	case "type":
		c.Type, err = correlationType(e.val)
	case "rules":
		if c.Rules, err = d.texts(e.val, "rules"); err == nil {
			err = distinct("rules", c.Rules, maxCorrelated)
		}
	case "group-by":
		if c.GroupBy, err = d.texts(e.val, "group-by"); err == nil {
			err = distinct("group-by", c.GroupBy, maxGroupFields)
		}
	case "timespan":
		c.Timespan, err = parseTimespan(e.val.Value)
	case "generate":
		if e.val.Tag != "!!bool" {
			return fmt.Errorf("generate must be true or false")
		}
		c.Generate = strings.EqualFold(e.val.Value, "true")
	case "aliases":
		c.aliases, err = readAliases(d, e.val)
	case "condition":
	default:
		return fmt.Errorf("unknown correlation attribute %q", e.name)
	}
	return err
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

func correlationType(n *yaml.Node) (CorrelationType, error) {
	t := CorrelationType(n.Value)
	switch t {
	case EventCount, ValueCount, Temporal, TemporalOrdered:
		return t, nil
	case "value_sum", "value_avg", "value_percentile", "value_median", "temporal_extended", "temporal_ordered_extended":
		return "", fmt.Errorf("correlation type %q is not supported yet", n.Value)
	default:
		return "", fmt.Errorf("unknown correlation type %q", n.Value)
	}
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

func readAliases(d *document, n *yaml.Node) (map[string]map[string]string, error) {
	m, err := d.mapping(n, "aliases")
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[string]string, len(m))
	total := 0
	for _, e := range m {
		fields, err := d.mapping(e.val, "alias "+e.name)
		if err != nil {
			return nil, err
		}
		if total += len(fields); total > maxAliasedRules {
			return nil, fmt.Errorf("more than %d aliased fields", maxAliasedRules)
		}
		out[e.name] = make(map[string]string, len(fields))
		for _, f := range fields {
			if out[e.name][f.name], err = d.text(f.val, "alias "+e.name); err != nil {
				return nil, err
			}
			if out[e.name][f.name] == "" {
				return nil, faultf(f.key.Line, f.key.Column, "alias %q has no field for %q", e.name, f.name)
			}
		}
	}
	return out, nil
}

// readCondition reads the condition, which temporal types may leave out.
func (c *Correlation) readCondition(d *document, at, n *yaml.Node) error {
	temporal := c.Type == Temporal || c.Type == TemporalOrdered
	if n == nil {
		if !temporal {
			return faultf(at.Line, at.Column, "correlation has no condition")
		}
		c.cond = bounds{least: len(c.Rules), most: math.MaxInt}
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return faultf(n.Line, n.Column, "extended correlation conditions are not supported yet")
	}
	m, err := d.mapping(n, "condition")
	if err != nil {
		return err
	}
	limits := 0
	for _, e := range m {
		if e.name == "field" {
			if c.Fields, err = d.texts(e.val, "field"); err != nil {
				return err
			}
			continue
		}
		limits++
		if err := c.cond.narrow(e.name, e.val.Value); err != nil {
			return placed(err, e.val)
		}
	}
	return c.checkCondition(n, limits)
}

// narrow applies one criterion of the condition.
func (b *bounds) narrow(name, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > maxCount {
		return fmt.Errorf("%s must be a whole number from 0 to %d", name, maxCount)
	}
	switch name {
	case "gt":
		b.least = max(b.least, n+1)
	case "gte":
		b.least = max(b.least, n)
	case "lt":
		b.most = min(b.most, n-1)
	case "lte":
		b.most = min(b.most, n)
	case "eq":
		b.least, b.most = max(b.least, n), min(b.most, n)
	case "neq":
		b.not = append(b.not, n)
	default:
		return fmt.Errorf("unknown criterion %q in the condition", name)
	}
	return nil
}

func (c *Correlation) checkCondition(n *yaml.Node, limits int) error {
	refuse := func(format string, args ...any) error { return faultf(n.Line, n.Column, format, args...) }
	switch {
	case limits == 0:
		return refuse("condition has no criterion")
	case c.cond.least > c.cond.most || c.cond.least == c.cond.most && slices.Contains(c.cond.not, c.cond.least):
		return refuse("condition can never hold when an event is seen")
	case c.Type == ValueCount && len(c.Fields) == 0:
		return refuse("value_count needs a field in its condition")
	case c.Type != ValueCount && len(c.Fields) > 0:
		return refuse("%s counts no field", c.Type)
	case len(c.Fields) > maxGroupFields:
		return refuse("more than %d fields", maxGroupFields)
	case c.Type == Temporal && c.cond.least > len(c.Rules):
		return refuse("condition asks for more rules than the correlation refers to")
	case c.Type == TemporalOrdered && c.cond.least != len(c.Rules):
		return refuse("which rules may be missing from an ordered correlation is not defined; ask for all %d", len(c.Rules))
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
