package stix

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrTimestamp is what every timestamp error wraps.
var ErrTimestamp = errors.New("invalid timestamp")

// Timestamp is an instant in UTC that remembers how many digits of a second it
// was written with, so that a foreign object keeps its spelling (STIX 2.1,
// section 2.13). The zero Timestamp means "absent".
type Timestamp struct {
	time   time.Time
	digits int
}

// At makes a Timestamp of t in UTC: milliseconds when t has no more, otherwise
// microseconds, cut off below.
func At(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond()%int(time.Millisecond) == 0 {
		return Timestamp{time: t, digits: 3}
	}
	return Timestamp{time: t, digits: 6}
}

// ParseTimestamp reads RFC 3339 with "T", "Z" and at most nine digits of a
// second. Leap seconds (":60") are refused: Go cannot represent them.
func ParseTimestamp(s string) (Timestamp, error) {
	const bare = len("2006-01-02T15:04:05")
	if len(s) <= bare || s[len(s)-1] != 'Z' || s[10] != 'T' {
		return Timestamp{}, fmt.Errorf("%w: %q is not RFC 3339 in UTC (…T…Z)", ErrTimestamp, clip(s))
	}
	digits := 0
	if fraction := s[bare : len(s)-1]; fraction != "" {
		digits = len(fraction) - 1
		if fraction[0] != '.' || digits < 1 || digits > 9 {
			return Timestamp{}, fmt.Errorf("%w: %q must have 1 to 9 digits after the point", ErrTimestamp, clip(s))
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return Timestamp{}, fmt.Errorf("%w: %q is no date and time", ErrTimestamp, clip(s))
	}
	return Timestamp{time: t.UTC(), digits: digits}, nil
}

// Time is the instant, in UTC.
func (t Timestamp) Time() time.Time { return t.time }

// IsZero reports whether the timestamp is absent.
func (t Timestamp) IsZero() bool { return t.time.IsZero() }

// Equal compares instants, whatever their spelling.
func (t Timestamp) Equal(o Timestamp) bool { return t.time.Equal(o.time) }

// Before reports whether t is earlier than o.
func (t Timestamp) Before(o Timestamp) bool { return t.time.Before(o.time) }

// String is the RFC 3339 form with the digits it was read or made with.
func (t Timestamp) String() string {
	layout := "2006-01-02T15:04:05"
	if t.digits > 0 {
		layout += "." + "000000000"[:t.digits]
	}
	return t.time.UTC().Format(layout + "Z")
}

// MarshalJSON implements json.Marshaler.
func (t Timestamp) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%w: must be a string", ErrTimestamp)
	}
	parsed, err := ParseTimestamp(s)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
