package monitor

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/sigma"
)

// Explained is why an alert was raised, as stored in [Finding].Why. One part
// is set.
type Explained struct {
	Rule        *sigma.Explanation `json:"rule,omitempty"`
	Correlation *CorrelationWhy    `json:"correlation,omitempty"`
	Indicator   *IndicatorWhy      `json:"indicator,omitempty"`
}

// CorrelationWhy is the state of an episode when it became an alert.
type CorrelationWhy struct {
	Rule     string     `json:"rule"`
	Version  string     `json:"version"`
	Type     string     `json:"type"`
	Seconds  int64      `json:"seconds"` // its timespan
	GroupBy  []Pair     `json:"group_by"`
	Count    int        `json:"count"`
	Distinct int        `json:"distinct,omitempty"`
	Fields   []string   `json:"fields,omitempty"` // whose values are counted
	Values   []string   `json:"values,omitempty"`
	Number   float64    `json:"number,omitempty"`     // that a value type computed
	Percent  float64    `json:"percentile,omitempty"` // value_percentile: which
	Error    float64    `json:"error,omitempty"`      // relative standard error of Distinct; 0: exact
	Rules    []RuleName `json:"rules"`                // that it counts
}

// RuleName is a rule as it was called at the time.
type RuleName struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	TitleZh string `json:"title_zh"`
}

// Shown is the number that was computed, in as many digits as it needs.
func (c *CorrelationWhy) Shown() string { return strconv.FormatFloat(c.Number, 'f', -1, 64) }

// Which is the percentile that was computed.
func (c *CorrelationWhy) Which() string { return strconv.FormatFloat(c.Percent, 'f', -1, 64) }

// ErrorPercent is the standard error of an estimated number of values.
func (c *CorrelationWhy) ErrorPercent() string { return strconv.FormatFloat(c.Error*100, 'f', 1, 64) }

// Timespan is the correlation's window.
func (c *CorrelationWhy) Timespan() time.Duration { return time.Duration(c.Seconds) * time.Second }

// IndicatorWhy is the match of an indicator.
type IndicatorWhy struct {
	Indicator string `json:"indicator"`
	Value     string `json:"value"` // the indicator's
	Seen      string `json:"seen"`  // the record's
	Field     string `json:"field,omitempty"`
	Advisory  string `json:"advisory,omitempty"`
	Draft     bool   `json:"draft,omitempty"`
}

// Explanation reads Why back; the zero Explained if there is none.
func (f *Finding) Explanation() Explained {
	var e Explained
	if len(f.Why) > 0 {
		if err := json.Unmarshal(f.Why, &e); err != nil {
			return Explained{}
		}
	}
	return e
}

// ForMember cuts the explanation down to what the member whose record it is may
// read. Filters are the centre's: what they leave out may be another member's.
func (f *Finding) ForMember() json.RawMessage {
	e := f.Explanation()
	if e.Rule == nil || len(e.Rule.Filters) == 0 {
		return f.Why
	}
	rule := *e.Rule
	rule.Filters = nil
	e.Rule = &rule
	return e.json()
}

func (e Explained) json() json.RawMessage {
	raw, err := json.Marshal(e)
	if err != nil { // plain data always encodes
		return nil
	}
	return raw
}

func explainCorrelation(f *sigma.Finding, rules *Rules) Explained {
	c := f.Rule.Correlation
	why := &CorrelationWhy{
		Rule: f.Rule.ID, Version: f.Rule.Version(), Type: string(c.Type), Seconds: int64(c.Timespan / time.Second),
		Count: f.Count, Distinct: f.Distinct, Fields: c.Fields, Values: f.Values,
		Number: f.Number, Percent: c.Percentile, Error: f.Error,
	}
	for _, id := range c.Rules {
		if r, ok := rules.Set.Rule(id); ok {
			why.Rules = append(why.Rules, RuleName{id, clean(r.Title), rules.TitleZh(r)})
		}
	}
	for _, kv := range f.Group {
		why.GroupBy = append(why.GroupBy, Pair{kv.Key, kv.Value})
	}
	return Explained{Correlation: why}
}
