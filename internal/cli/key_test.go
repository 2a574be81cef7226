package cli

import (
	"testing"
	"time"
)

func TestLifetime(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"365d": 365 * 24 * time.Hour, "1d": 24 * time.Hour, "2026-11-25": 12 * time.Hour, "2026-11-26": 36 * time.Hour,
	} {
		if life, endless, err := lifetime(text, now); err != nil || endless || life != want {
			t.Errorf("%s: %v, %v, %v; want %v", text, life, endless, err, want)
		}
	}
	if _, endless, err := lifetime("never", now); err != nil || !endless {
		t.Errorf("never: %v, %v", endless, err)
	}
	for _, text := range []string{"", "0d", "-1d", "9999999d", "d", "2026-11-24", "2026-13-01", "forever", "365"} {
		if life, endless, err := lifetime(text, now); err == nil {
			t.Errorf("%q is taken for %v, %v", text, life, endless)
		}
	}
}
