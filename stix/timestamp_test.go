package stix

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimestampKeepsItsSpelling(t *testing.T) {
	for _, s := range []string{
		"2016-01-20T12:31:12Z", "2016-01-20T12:31:12.1Z", "2016-01-20T12:31:12.000Z",
		"2016-01-20T12:31:12.123456Z", "2016-01-20T12:31:12.123456780Z", "0001-01-01T00:00:01Z",
	} {
		ts, err := ParseTimestamp(s)
		if err != nil || ts.String() != s {
			t.Errorf("ParseTimestamp(%q) = %s, %v", s, ts, err)
		}
	}
}

func TestParseTimestampRefuses(t *testing.T) {
	for _, s := range []string{
		"", "2016-01-20", "2016-01-20T12:31:12", "2016-01-20T12:31:12+08:00", "2016-01-20t12:31:12Z",
		"2016-01-20T12:31:12.Z", "2016-01-20T12:31:12,5Z", "2016-02-30T12:31:12Z", "2016-01-20T24:00:00Z",
		"2016-01-20T12:31:60Z", "2016-01-20T12:31:12.1234567890Z", "2016-01-20 12:31:12Z", "2016-01-20T12:31:12z",
		"2016-01-20T12:31:12.-1Z", "2016-1-20T12:31:12.10Z",
	} {
		if ts, err := ParseTimestamp(s); err == nil {
			t.Errorf("ParseTimestamp(%q) = %s, want an error", s, ts)
		}
	}
}

func TestAt(t *testing.T) {
	zone := time.FixedZone("Asia/Taipei", 8*3600)
	for _, tt := range []struct {
		in   time.Time
		want string
	}{
		{time.Date(2026, 1, 2, 3, 4, 5, 0, zone), "2026-01-01T19:04:05.000Z"},
		{time.Date(2026, 1, 2, 3, 4, 5, 7_000_000, time.UTC), "2026-01-02T03:04:05.007Z"},
		{time.Date(2026, 1, 2, 3, 4, 5, 7_001_999, time.UTC), "2026-01-02T03:04:05.007001Z"},
	} {
		if got := At(tt.in).String(); got != tt.want {
			t.Errorf("At(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
	if !At(time.Time{}).IsZero() {
		t.Error("At(zero) must be absent")
	}
}

func TestTimestampRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := At(time.UnixMicro(rapid.Int64Range(-6e16, 2e17).Draw(t, "µs")))
		raw, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		var back Timestamp
		if err := json.Unmarshal(raw, &back); err != nil || back != at {
			t.Fatalf("%s came back as %s: %v", at, back, err)
		}
	})
}
