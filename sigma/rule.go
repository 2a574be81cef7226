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

	// Correlation is nil for a detection rule.
	Correlation *Correlation

	version   string
	detection *detection
}

// Version identifies the rule's content: the first 16 hexadecimal digits of
// the SHA-256 of its source document.
func (r *Rule) Version() string { return r.version }

// CorrelationType is how a correlation counts.
type CorrelationType string

// The correlation types that are supported (Sigma correlation rules
// specification 2.0.2, Correlation Types). Others are refused when loaded.
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
)

// Correlation is the correlation section of a rule.
type Correlation struct {
	Type     CorrelationType
	Rules    []string // ids of the rules referred to, in order
	GroupBy  []string // fields or aliases; empty: all events together
	Timespan time.Duration
	Fields   []string // value_count: the fields whose values are counted together
	Generate bool     // the rules referred to also raise findings of their own

	cond    bounds
	aliases map[string]map[string]string // alias → rule id → field
}
