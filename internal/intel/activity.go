package intel

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Activity is what happened to advisories since a time, as one viewer may
// see it.
type Activity struct {
	Releases  []time.Time // when each release became visible to the viewer
	Answers   []time.Time // when each answer was given
	Drafted   int64       // advisories begun; for the centre only
	Delivered int64       // deliveries to members
	Unopened  int64       // of these, not opened yet
	// Mailing is how long each mailed warning took from its release until the
	// mail server had it, the shortest first.
	Mailing []time.Duration
}

// ActivityStore counts for the start page.
type ActivityStore interface {
	Activity(ctx context.Context, f sector.Filter, since time.Time) (Activity, error)
}
