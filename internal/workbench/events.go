package workbench

import (
	"fmt"
	"iter"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// Bounds of one event. They are wider than those of a centre's door: who tries
// a rule on a file wants to see it judged.
const (
	maxEventBytes  = 16 << 20
	maxEventFields = 200_000
)

// Event is one event of a recording. It is valid until the next one is asked
// for.
type Event struct {
	*event.Event
	File  string // as named on the command line, with names inside archives after "!"
	Index int    // of the event in its file, from 0
	Line  int    // of the file, from 1
}

// Events yields the events of recordings: files, or folders of them; see
// [replay.Open]. An error names file and line and comes with a zero Event; the
// sequence goes on after it.
func Events(paths []string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		decoder := event.NewDecoder(event.Limits{MaxBytes: maxEventBytes, MaxFields: maxEventFields})
		for r, err := range replay.Open(paths, replay.Options{MaxRecord: maxEventBytes}) {
			if err != nil {
				if !yield(Event{}, err) {
					return
				}
				continue
			}
			at := Event{File: r.File, Index: r.Index, Line: r.Line}
			if at.Event, err = decoder.Decode(r.Raw); err != nil {
				at, err = Event{}, fmt.Errorf("%s:%d: %w", r.File, r.Line, err)
			}
			if !yield(at, err) {
				return
			}
		}
	}
}
