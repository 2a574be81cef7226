package sigma

import (
	"time"

	"github.com/aspis-platform/aspis/event"
)

// Level is the criticality of a rule (Sigma specification 2.1, Level).
type Level string

// The levels, least to most critical. An empty Level was not given.
const (
	Informational Level = "informational"
	Low           Level = "low"
	Medium        Level = "medium"
	High          Level = "high"
	Critical      Level = "critical"
)

// Rank orders levels: 0 for none, 1 informational … 5 critical.
func (l Level) Rank() int {
	for i, known := range [...]Level{Informational, Low, Medium, High, Critical} {
		if l == known {
			return i + 1
		}
	}
	return 0
}

// Rule is a loaded rule: a detection over one event or a correlation over
// several. It is immutable and may be shared.
type Rule struct {
	ID             string // as given; else the name; else derived from the content
	Name           string
	Title          string
	Status         string // stable, test, experimental, deprecated or ""
	Level          Level
	Description    string
	Author         string
	License        string
	References     []string
	Tags           []string
	FalsePositives []string
	Fields         []string // worth showing to the analyst
	Scope          []string
	Date           string // as written, YYYY-MM-DD
	Modified       string
	Logsource      event.Logsource // of a detection; lower case
	File           string          // where it was loaded from
	Line           int             // first line of its document in File
	// PartOf is the id of the rule that this one was split from when it was
	// loaded, "" for a rule of its own; see [Loader].
	PartOf  string
	Filters []string // ids of the filters that are applied to it

	// Correlation is nil for a detection rule.
	Correlation *Correlation

	version   string
	anonymous bool
	parts     []string // ids of the rules that were split from it
	second    bool     // a part that only happens beside its rule's events
	detection *detection
}

// Version identifies the rule's content: the first 16 hexadecimal digits of
// the SHA-256 of its source document.
func (r *Rule) Version() string { return r.version }

// Anonymous reports whether the rule was given neither id nor name, so that
// its ID was derived from its content.
func (r *Rule) Anonymous() bool { return r.anonymous }

// Touches reports whether an event has any field that a detection rule looks
// at, or the rule has keywords. A rule made of negations matches events that it
// has nothing to do with.
func (r *Rule) Touches(ev Event) bool {
	if r.detection == nil {
		return false
	}
	for _, s := range r.detection.selections {
		for _, items := range s.alternatives {
			for i := range items {
				if items[i].field == "" {
					return true
				}
				if _, ok := ev.Field(items[i].field); ok {
					return true
				}
			}
		}
	}
	return false
}

// CorrelationType is how a correlation counts.
type CorrelationType string

// The correlation types (Sigma correlation rules specification 2.1.0,
// Correlation Types).
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
	ValueSum        CorrelationType = "value_sum"
	ValueAvg        CorrelationType = "value_avg"
	ValuePercentile CorrelationType = "value_percentile"
	ValueMedian     CorrelationType = "value_median"
)

func correlationTypes() []CorrelationType {
	return []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile, ValueMedian}
}

func (t CorrelationType) temporal() bool { return t == Temporal || t == TemporalOrdered }

// number reports whether a number is computed from a field's values.
func (t CorrelationType) number() bool {
	return t == ValueSum || t == ValueAvg || t == ValuePercentile || t == ValueMedian
}

// counts reports whether events, values or rules are counted.
// ranks reports whether numbers are put in order.
func (t CorrelationType) ranks() bool { return t == ValuePercentile || t == ValueMedian }

func (t CorrelationType) counts() bool { return !t.number() }

// Correlation is the correlation section of a rule.
type Correlation struct {
	Type       CorrelationType
	Rules      []string // ids of the rules referred to, in order; correlations may be among them
	GroupBy    []string // fields or aliases; empty: all events together
	Timespan   time.Duration
	Fields     []string // value types: the fields whose values are counted together, or the field of numbers
	Percentile float64  // value_percentile, value_median: from 0 to 100
	Generate   bool     // the rules referred to also raise findings of their own

	cond    bounds
	terms   []term                       // conditions over rules, and temporal_ordered; else nil
	aliases map[string]map[string]string // alias → rule id → field
	places  map[string]place             // of its parts, in the document
	offset  int                          // lines of the file before the document
}
