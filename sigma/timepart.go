package sigma

import (
	"strconv"
	"time"
)

// timePart is one of the time modifiers (Sigma modifiers 2.1, Time Modifiers).
type timePart uint8

const (
	minutePart timePart = iota
	hourPart
	dayPart
	weekPart
	monthPart
	yearPart
)

// timePartByName returns the part a modifier names and the range of its
// numbers.
func timePartByName(name string) (part timePart, least, most int, ok bool) {
	switch name {
	case "minute":
		return minutePart, 0, 59, true
	case "hour":
		return hourPart, 0, 23, true
	case "day":
		return dayPart, 1, 31, true
	case "week":
		return weekPart, 1, 53, true
	case "month":
		return monthPart, 1, 12, true
	case "year":
		return yearPart, 0, 9999, true
	default:
		return 0, 0, 0, false
	}
}

// of returns the part of the date and time that s writes, as digits, or "".
// The part is taken as written: no zone is converted. Weeks are ISO 8601's.
func (p timePart) of(s string) string {
	when, ok := parseTime(s)
	if !ok {
		return ""
	}
	n := 0
	switch p {
	case minutePart:
		n = when.Minute()
	case hourPart:
		n = when.Hour()
	case dayPart:
		n = when.Day()
	case weekPart:
		_, n = when.ISOWeek()
	case monthPart:
		n = int(when.Month())
	case yearPart:
		n = when.Year()
	}
	return strconv.Itoa(n)
}

// parseTime reads RFC 3339 and its common variants: a space for the T, no
// zone, no time of day.
func parseTime(s string) (time.Time, bool) {
	if len(s) < len(time.DateOnly) || len(s) > 40 || s[4] != '-' {
		return time.Time{}, false
	}
	for _, layout := range [...]string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		time.DateTime, "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
