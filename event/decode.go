package event

import "time"

// Event is one decoded record.
type Event struct {
	tape    tape
	dialect Dialect
	source  Logsource
	when    time.Time
	timed   bool
}

// Decode reads one record in any dialect. The record's bytes must not change
// while the Event is in use. The error, if any, is a *[DecodeError].
func Decode(raw []byte, lim Limits) (*Event, error) {
	t, err := scanJSON(raw, lim.withDefaults())
	if err != nil {
		return nil, err
	}
	return &Event{tape: *t}, nil
}

// Field returns the value of a field by its name in Sigma's taxonomy, and
// false when the record has no such field.
func (e *Event) Field(name string) (Value, bool) { return Value{}, false }

// EachText calls f for every leaf value as text until f returns false.
func (e *Event) EachText(f func(field, text string) bool) {}

// Logsource returns what produced the record.
func (e *Event) Logsource() Logsource { return e.source }

// Time returns when the record says it happened, in UTC.
func (e *Event) Time() (time.Time, bool) { return e.when, e.timed }

// Dialect returns the form that the record was recognised as.
func (e *Event) Dialect() Dialect { return e.dialect }

// Raw returns the record's original bytes.
func (e *Event) Raw() []byte { return e.tape.raw }

// Observables returns what the record mentions.
func (e *Event) Observables() []Observable { return nil }
