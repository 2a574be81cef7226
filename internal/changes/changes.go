// Package changes tells programs what changed, as server-sent events: an
// advisory was released to them, withdrawn or answered, an alert was raised or
// got another state. Everybody hears only of what the release gate shows
// them; a stream about nothing but others' affairs stays silent, byte for
// byte.
package changes

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Kind is what happened.
type Kind string

// The kinds.
const (
	Released  Kind = "advisory.released"
	Withdrawn Kind = "advisory.withdrawn"
	Answered  Kind = "advisory.answered"
	Raised    Kind = "alert.raised"
	Changed   Kind = "alert.changed"
)

// Change is one thing that happened, as one viewer may know it.
type Change struct {
	Kind   Kind            `json:"kind"`
	ID     string          `json:"id"` // of the advisory or alert
	Member sector.MemberID `json:"member,omitempty"`
	At     time.Time       `json:"at"`
}

// Place is how far a viewer has been told, made of what it could see only.
type Place struct {
	Advisory int64 `json:"a"` // time of the last release or withdrawal, microseconds
	Answer   int64 `json:"w"` // the last answer's entry in the ledger
	Triage   int64 `json:"t"` // the last triage's entry in the ledger
	Raised   int64 `json:"r"` // time of the last alert, microseconds
	Alert    int64 `json:"n"` // its number
}

// Source finds changes. Every read takes the gate's filter.
type Source interface {
	// Head is the place after everything that the viewer could see until now.
	Head(ctx context.Context, f sector.Filter) (Place, error)
	// After returns at most limit changes after the place, in order of time,
	// and the place after them.
	After(ctx context.Context, f sector.Filter, p Place, limit int) ([]Change, Place, error)
}

// Limits of streams.
const (
	perViewer = 4
	inTotal   = 2000
	batch     = 100
	// Life ends a stream, so that who lost its rights hears nothing any more;
	// programs come again with Last-Event-ID and miss nothing.
	Life = 5 * time.Minute
	tick = time.Second
)

// Feed serves the streams.
type Feed struct {
	source  Source
	gate    sector.Gate
	cursors access.Cursors
	mu      sync.Mutex
	open    map[string]int // streams by viewer
	total   int
}

// New returns a feed.
func New(s Source, c access.Cursors) *Feed {
	return &Feed{source: s, cursors: c, open: map[string]int{}}
}

type streamIn struct {
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was read; without it the stream begins now."`
}

// Mount adds GET /api/v1/changes.
func (f *Feed) Mount(routes *access.Routes) {
	access.Describe[streamIn, struct{}](routes, "GET /api/v1/changes", sector.FollowChanges,
		access.Doc{ID: "change-stream", Tag: "changes", Media: "text/event-stream"}, f.serve)
}

const question = "changes"

func (f *Feed) serve(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	leave, err := f.enter(v.Actor())
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), Life)
	defer cancel()
	from, err := f.begin(ctx, v, r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	events := make(chan httpx.Event)
	done := make(chan error, 1)
	go func() {
		defer close(events)
		done <- f.follow(ctx, v, from, events)
	}()
	err = httpx.Events(w, r, events)
	cancel()
	if followed := <-done; followed != nil && !errors.Is(followed, context.Canceled) && !errors.Is(followed, context.DeadlineExceeded) {
		httpx.Note(r.Context(), followed)
	}
	return err
}

// enter takes one of the viewer's streams.
func (f *Feed) enter(actor string) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[actor] >= perViewer || f.total >= inTotal {
		e := errs.New(errs.TooMany, "changes.too_many", perViewer)
		e.RetryAfter = 30 * time.Second
		return nil, e
	}
	f.open[actor]++
	f.total++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.total--
		if f.open[actor]--; f.open[actor] == 0 {
			delete(f.open, actor)
		}
	}, nil
}

func (f *Feed) begin(ctx context.Context, v sector.Viewer, last string) (Place, error) {
	text, err := f.cursors.Open(v, question, last)
	if err != nil {
		return Place{}, err
	}
	if text == "" {
		return f.source.Head(ctx, f.gate.For(v))
	}
	var p Place
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Place{}, errs.New(errs.Invalid, "query.cursor").Because(err)
	}
	return p, nil
}

func (f *Feed) cursor(v sector.Viewer, p Place) (string, error) {
	raw, err := json.Marshal(p)
	return f.cursors.Seal(v, question, string(raw)), err
}

// follow sends where the stream begins, then what changes, until the context
// ends. A round that fails is tried again at the next tick.
func (f *Feed) follow(ctx context.Context, v sector.Viewer, at Place, out chan<- httpx.Event) error {
	id, err := f.cursor(v, at)
	if err != nil {
		return err
	}
	if err := send(ctx, out, httpx.Event{Name: "begin", ID: id, Data: struct{}{}}); err != nil {
		return err
	}
	round := time.NewTicker(tick)
	defer round.Stop()
	for {
		found, next, err := f.source.After(ctx, f.gate.For(v), at, batch)
		if err != nil {
			httpx.Note(ctx, err)
			found, next = nil, at
		}
		if id, err = f.cursor(v, next); err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(c Change) bool { return !concerns(v, c.Kind) })
		for i, c := range found {
			e := httpx.Event{Name: string(c.Kind), Data: c}
			if i == len(found)-1 { // the place is after all of them
				e.ID = id
			}
			if err := send(ctx, out, e); err != nil {
				return err
			}
		}
		at = next
		select {
		case <-round.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// concerns reports whether the viewer may read what changed at all.
func concerns(v sector.Viewer, k Kind) bool {
	if k == Raised || k == Changed {
		return v.May(sector.ReadAlerts)
	}
	return v.May(sector.ReadAdvisories)
}

func send(ctx context.Context, out chan<- httpx.Event, e httpx.Event) error {
	select {
	case out <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
