// Package memory keeps what a pipeline needs in memory, for tests: the ports
// of package monitor without durability, and with faults on demand.
package memory

import (
	"context"
	"errors"
	"sync"
)

// Fault is how a call goes wrong.
type Fault uint8

// The faults. Persisted is the nasty one: the effect is stored and the caller
// is told that it failed.
const (
	None Fault = iota
	Failed
	Persisted
	Stuck // until the caller's time is up; only where a method says so
)

// ErrInjected is what a faulty call returns.
var ErrInjected = errors.New("memory: injected fault")

// Faults decides, per call, how it goes. The zero Faults lets all calls pass.
// Safe for concurrent use.
type Faults struct {
	mu     sync.Mutex
	decide func(op string) Fault
}

// Set replaces the decision; op is the method's name.
func (f *Faults) Set(decide func(op string) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decide = decide
}

// stuck waits for the end of ctx where that is decided.
func (f *Faults) stuck(ctx context.Context, op string) error {
	f.mu.Lock()
	wait := f.decide != nil && f.decide(op) == Stuck
	f.mu.Unlock()
	if !wait {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// run does the effect, or not, as decided.
func (f *Faults) run(op string, effect func() error) error {
	f.mu.Lock()
	fault := None
	if f.decide != nil {
		fault = f.decide(op)
	}
	f.mu.Unlock()
	switch fault {
	case Failed:
		return ErrInjected
	case Persisted:
		if err := effect(); err != nil {
			return err
		}
		return ErrInjected
	}
	return effect()
}
