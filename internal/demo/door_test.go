package demo

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sender"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeDoor keeps what it is given, once for each key.
type fakeDoor struct {
	mu    sync.Mutex
	keys  map[string]bool
	lines [][]byte
	posts int
	at    []time.Time // of each line's arrival
	fail  func(post int) error
	wait  time.Duration
}

func fakeDoors(n int) ([]*fakeDoor, []Door) {
	fakes, doors := make([]*fakeDoor, n), make([]Door, n)
	for i := range fakes {
		fakes[i] = &fakeDoor{keys: map[string]bool{}}
		doors[i] = fakes[i]
	}
	return fakes, doors
}

func (d *fakeDoor) Post(ctx context.Context, key string, lines []byte) (sender.Answer, error) {
	if d.wait > 0 && !pause(ctx, d.wait) {
		return sender.Answer{}, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.posts++
	if d.fail != nil {
		if err := d.fail(d.posts); err != nil {
			return sender.Answer{}, err
		}
	}
	split := bytes.Split(bytes.TrimSuffix(bytes.Clone(lines), []byte("\n")), []byte("\n"))
	if d.keys[key] {
		return sender.Answer{Duplicate: len(split)}, nil
	}
	d.keys[key] = true
	for _, line := range split {
		d.lines, d.at = append(d.lines, line), append(d.at, time.Now())
	}
	return sender.Answer{Accepted: len(split)}, nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func timeOf(t *testing.T, line []byte) time.Time {
	t.Helper()
	ev, err := event.Decode(line, event.Limits{})
	if err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	at, ok := ev.Time()
	if !ok {
		t.Fatalf("no time in %s", line)
	}
	return at
}
