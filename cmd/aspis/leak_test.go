package main

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// checkGoroutines fails the test when it leaves goroutines behind.
func checkGoroutines(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t, before)
	})
}
