package pulse_test

import (
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/pulse/pulsetest"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// BenchmarkPage is the whole request: session, snapshot, two pictures, two
// charts with their tables.
func BenchmarkPage(b *testing.B) {
	kit := webtest.New(b)
	if err := pulse.Mount(kit.Routes, kit.Shell, &pulsetest.Source{Now: webtest.Now}); err != nil {
		b.Fatal(err)
	}
	kit.Get(b, sector.Analyst, i18n.ZhHant, "/pulse")
	for b.Loop() {
		kit.Get(b, sector.Analyst, i18n.ZhHant, "/pulse")
	}
}
