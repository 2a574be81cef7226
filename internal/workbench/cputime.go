package workbench

import (
	"syscall"
	"time"
)

// processorTime is the processor time that the program has used: unlike the
// clock it does not count what other programs take.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
