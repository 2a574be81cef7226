// Package jobs names background work. A change that causes work hands its
// jobs to the store together with itself, and the store enqueues them in the
// same transaction: no change without its work, no work without its change.
// Jobs run at least once, so handlers are idempotent.
package jobs

import (
	"context"
	"encoding/json"
	"time"
)

// Job is one piece of work.
type Job struct {
	Kind string          // noun.verb: "mail.send"
	Args json.RawMessage // what the handler of the kind decodes
	At   time.Time       // not before; zero: at once
}

// New encodes args as a job of the kind. Args are plain data of our own, so
// a failure to encode is a defect and comes back as an error from the store.
func New(kind string, args any) Job {
	raw, err := json.Marshal(args)
	if err != nil {
		raw = nil
	}
	return Job{Kind: kind, Args: raw}
}

// Handler does the work of one kind. An error means: try again later, with
// growing pauses.
type Handler func(ctx context.Context, args json.RawMessage) error
