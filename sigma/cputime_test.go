package sigma

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is the processor time that the process has used: unlike the clock
// it does not count what other programs take.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
