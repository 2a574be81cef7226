package event

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// stamp is a time as it was written: the moment, and how to write another one
// the same way.
type stamp struct {
	when     time.Time
	layout   string // for time.Format; empty for a count since 1970
	yearless bool
	unit     time.Duration // of a count
	decimals int           // of a count
	wrap     [2]string     // text before and after
}

// portalLayouts are those of Azure's and Defender's portals.
func portalLayouts() [4]string {
	return [4]string{"1/2/2006, 3:04:05.000 PM", "1/2/2006, 3:04:05 PM", "Jan 2, 2006 3:04:05.000 PM", "Jan 2, 2006 3:04:05 PM"}
}

// parsePortal reads a time as portals write it into tables.
func parsePortal(text string) (stamp, bool) {
	for _, layout := range portalLayouts() {
		if t, err := time.Parse(layout, text); err == nil && t.Format(layout) == text {
			return stamp{when: t, layout: layout}, true
		}
	}
	return stamp{}, false
}

// accessLayout is how web servers write times into their access logs.
const accessLayout = "02/Jan/2006:15:04:05 -0700"

// parseTime reads a time in any form that the dialects use: RFC 3339 and its
// relatives (a space for the T, no zone, which means UTC, one to nine digits of
// fraction), RFC 3164 ("Jan _2 15:04:05", no year), access logs
// ("02/Jan/2006:15:04:05 -0700"), a count since 1970 in
// seconds, milliseconds, microseconds or nanoseconds by its size, with or
// without a fraction, /Date(milliseconds)/, and those of Microsoft's portals.
func parseTime(text string) (stamp, bool) {
	switch {
	case len(text) >= 19 && text[4] == '-' && (text[10] == 'T' || text[10] == ' '):
		return parseISO(text)
	case len(text) == len(accessLayout) && text[2] == '/' && text[11] == ':':
		t, err := time.Parse(accessLayout, text)
		return stamp{when: t, layout: accessLayout}, err == nil
	case len(text) == 15 && text[9] == ':':
		t, err := time.Parse(time.Stamp, text)
		return stamp{when: t, layout: time.Stamp, yearless: true}, err == nil
	case strings.HasPrefix(text, "/Date(") && strings.HasSuffix(text, ")/"):
		s, ok := parseCount(text[6 : len(text)-2])
		s.wrap = [2]string{"/Date(", ")/"}
		return s, ok
	case strings.HasSuffix(text, " AM"), strings.HasSuffix(text, " PM"):
		return parsePortal(text)
	default:
		return parseCount(text)
	}
}

// parseISO reads yyyy-mm-dd, T or space, hh:mm:ss, fraction, zone. It is
// written by hand because it runs for every record.
func parseISO(text string) (stamp, bool) {
	year, month, day := digits(text[0:4]), digits(text[5:7]), digits(text[8:10])
	hour, minute, second := digits(text[11:13]), digits(text[14:16]), digits(text[17:19])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || second < 0 || second > 60 ||
		text[7] != '-' || text[13] != ':' || text[16] != ':' {
		return stamp{}, false
	}
	nanos, n := fraction(text[19:])
	zone, layout, ok := zoneOf(text[19+n:])
	if !ok || n == 1 {
		return stamp{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day {
		return stamp{}, false
	}
	s := stamp{when: t.Add(-zone)}
	s.layout = "2006-01-02" + text[10:11] + "15:04:05" + fractionLayout(text[19:19+n]) + layout
	if zone != 0 {
		s.when = s.when.In(time.FixedZone("", int(zone/time.Second)))
	}
	return s, true
}

// digits reads a short decimal number, -1 when it is none.
func digits(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return -1
		}
		n = n*10 + int(d)
	}
	return n
}

// fraction reads "." or "," and digits; n is its length in bytes.
func fraction(s string) (nanos, n int) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, 0
	}
	scale := 100_000_000
	for n = 1; n < len(s) && s[n]-'0' <= 9; n++ {
		nanos += int(s[n]-'0') * scale
		scale /= 10
	}
	return nanos, n
}

func fractionLayout(written string) string {
	if len(written) < 2 {
		return ""
	}
	return written[:1] + "000000000"[:min(len(written)-1, 9)]
}

// zoneOf reads Z, ±hh, ±hhmm, ±hh:mm or nothing.
func zoneOf(s string) (offset time.Duration, layout string, ok bool) {
	switch {
	case s == "":
		return 0, "", true
	case s == "Z" || s == "z" || s == " UTC":
		return 0, s, true
	case s[0] != '+' && s[0] != '-':
		return 0, "", false
	}
	sign := time.Duration(1)
	if s[0] == '-' {
		sign = -1
	}
	var h, m int
	switch {
	case len(s) == 3:
		h, layout = digits(s[1:]), "-07"
	case len(s) == 5:
		h, m, layout = digits(s[1:3]), digits(s[3:]), "-0700"
	case len(s) == 6 && s[3] == ':':
		h, m, layout = digits(s[1:3]), digits(s[4:]), "-07:00"
	default:
		return 0, "", false
	}
	if h < 0 || h > 15 || m < 0 || m > 59 {
		return 0, "", false
	}
	return sign * (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute), layout, true
}

// parseCount reads a count since 1970. Its unit follows from its size: seconds
// until the year 5138, then milli-, micro- and nanoseconds.
func parseCount(text string) (stamp, bool) {
	if len(text) < 9 || len(text) > 30 || !looksNumeric(text) || strings.IndexByte(text, 'e') >= 0 {
		return stamp{}, false
	}
	whole, frac, dotted := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 100_000_000 || dotted && (frac == "" || digits(frac[:min(len(frac), 9)]) < 0) {
		return stamp{}, false
	}
	s := stamp{unit: time.Second, decimals: len(frac)}
	switch {
	case n >= 1e17:
		s.unit = time.Nanosecond
	case n >= 1e14:
		s.unit = time.Microsecond
	case n >= 1e11:
		s.unit = time.Millisecond
	}
	if n > math.MaxInt64/int64(s.unit) {
		return stamp{}, false
	}
	nanos := n * int64(s.unit)
	part, _ := fraction("." + frac)
	s.when = time.Unix(0, nanos+int64(part)/int64(time.Second/s.unit)).UTC()
	return s, true
}

// write writes t in the form of s.
func (s stamp) write(t time.Time) string {
	if s.layout != "" {
		return t.In(s.when.Location()).Format(s.layout)
	}
	count := t.UnixNano()
	text := strconv.FormatInt(count/int64(s.unit), 10)
	if s.decimals > 0 {
		rest := strconv.FormatInt(int64(time.Second)+count%int64(s.unit)*int64(time.Second/s.unit), 10)[1:]
		for len(rest) < s.decimals {
			rest += "0"
		}
		text += "." + rest[:s.decimals]
	}
	return s.wrap[0] + text + s.wrap[1]
}

// month returns the number of an English month's three letters, 0 for none.
func month(s string) int {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if i := strings.Index(names, s); len(s) == 3 && i >= 0 && i%3 == 0 {
		return i/3 + 1
	}
	return 0
}
