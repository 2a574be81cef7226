package natsbus_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, s monitortest.StreamSettings) monitortest.ClosableStream {
	t.Helper()
	b, err := natsbus.Open(t.Context(), natsbus.Config{Dir: s.Dir, MaxBytes: s.MaxBytes})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return b
}

func TestStream(t *testing.T) { monitortest.TestStream(t, open) }
