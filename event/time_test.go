package event

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseTime(t *testing.T) {
	tests := map[string]string{
		"2025-01-02T03:04:05Z":            "2025-01-02T03:04:05Z",
		"2025-01-02 03:04:05":             "2025-01-02T03:04:05Z",
		"2025-01-02T03:04:05.1234567Z":    "2025-01-02T03:04:05.1234567Z",
		"2025-01-02 03:04:05,678":         "2025-01-02T03:04:05.678Z",
		"2025-01-02T03:04:05+0800":        "2025-01-01T19:04:05Z",
		"2025-01-02T03:04:05.5-03:30":     "2025-01-02T06:34:05.5Z",
		"2025-01-02T03:04:05+08":          "2025-01-01T19:04:05Z",
		"1735787045":                      "2025-01-02T03:04:05Z",
		"1735787045.678901":               "2025-01-02T03:04:05.678901Z",
		"1735787045678":                   "2025-01-02T03:04:05.678Z",
		"1735787045678901":                "2025-01-02T03:04:05.678901Z",
		"1735787045678901234":             "2025-01-02T03:04:05.678901234Z",
		"/Date(1735787045678)/":           "2025-01-02T03:04:05.678Z",
		"":                                "",
		"-":                               "",
		"2025-02-30T03:04:05Z":            "",
		"2025-13-01T03:04:05Z":            "",
		"2025-01-02T03:04:05X":            "",
		"2025-01-02T03:04:05.Z":           "",
		"2025-01-02T03:04":                "",
		"12345":                           "",
		"1e30":                            "",
		"17357870451735787045":            "",
		"yesterday":                       "",
		"20250102 03:04:05 or thereabout": "",
	}
	for text, want := range tests {
		s, ok := parseTime(text)
		got := ""
		if ok {
			got = s.when.UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestStampWritesWhatItRead: a time written in the form it was read in is the
// same text.
func TestStampWritesWhatItRead(t *testing.T) {
	layouts := []string{
		time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05.000000Z", "2006-01-02 15:04:05.000", "2006-01-02T15:04:05.0000000Z",
		"2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05,000-07:00",
	}
	rapid.Check(t, func(t *rapid.T) {
		when := time.Unix(rapid.Int64Range(1e9, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		zone := time.FixedZone("", rapid.IntRange(-12*4, 14*4).Draw(t, "quarter hours")*900)
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		if strings.Contains(layout, "07") {
			when = when.In(zone)
		}
		text := when.Format(layout)
		s, ok := parseTime(text)
		if !ok || s.write(s.when) != text {
			t.Fatalf("%q: %v, written %q", text, ok, s.write(s.when))
		}
	})
}

func TestShift(t *testing.T) {
	const delta = 20*24*time.Hour + 90*time.Minute // stays within a year, for the times without one
	for _, c := range dialectCases {
		before, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		shifted := Shift([]byte(c.raw), delta)
		after, err := Decode(shifted, Limits{})
		if err != nil {
			t.Fatalf("%s: %s: %v", c.name, shifted, err)
		}
		was, ok := before.Time()
		is, okNow := after.Time()
		if ok != okNow || ok && !is.Equal(was.Add(delta)) {
			t.Errorf("%s: %v became %v\n%s", c.name, was, is, shifted)
		}
		if before.Logsource() != after.Logsource() {
			t.Errorf("%s: log source changed", c.name)
		}
		if back := Shift(shifted, -delta); string(back) != c.raw {
			t.Errorf("%s: there and back again:\n%s\n%s", c.name, c.raw, back)
		}
	}
}

// TestShiftMovesRepetitions: Windows messages repeat the time in words.
func TestShiftMovesRepetitions(t *testing.T) {
	got := string(Shift([]byte(sysmonFlat), 24*time.Hour))
	if strings.Contains(got, "2025-03-04") || strings.Count(got, "2025-03-05 05:06:07.880") != 2 {
		t.Error(got)
	}
}

// FuzzShift: a shifted record decodes, and its time has moved by delta.
func FuzzShift(f *testing.F) {
	for _, c := range dialectCases {
		f.Add([]byte(c.raw), int64(86400))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seconds int64) {
		delta := time.Duration(seconds%(1<<30)) * time.Second
		before, err := Decode(raw, Limits{})
		if err != nil {
			return
		}
		after, err := Decode(Shift(raw, delta), Limits{MaxBytes: 2 * DefaultMaxBytes})
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		was, ok := before.Time()
		is, okNow := after.Time()
		if ok != okNow {
			t.Fatalf("%q: time %v, then %v", raw, ok, okNow)
		}
		if ok && !is.Equal(was) && !is.Equal(was.Add(delta)) {
			t.Fatalf("%q: %v became %v, not by %v", raw, was, is, delta)
		}
	})
}
