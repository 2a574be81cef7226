package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile writes PREFIX.cpu.pprof until the returned function is called, and
// PREFIX.heap.pprof when ctx ends: then all that is being worked with is still
// there. The empty prefix takes none.
func profile(ctx context.Context, prefix string) (stop func() error, err error) {
	if prefix == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(prefix + ".cpu.pprof") //nolint:gosec // named by the operator
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), cpu.Close())
	}
	heap := make(chan error, 1)
	unused := context.AfterFunc(ctx, func() { heap <- writeHeap(prefix + ".heap.pprof") })
	return func() error {
		pprof.StopCPUProfile()
		if unused() {
			return cpu.Close()
		}
		return errors.Join(cpu.Close(), <-heap)
	}, nil
}

func writeHeap(path string) error {
	f, err := os.Create(path) //nolint:gosec // named by the operator
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	runtime.GC() // what is reachable, not what was
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
