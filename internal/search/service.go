package search

import (
	"context"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Index finds what the stores hold. Every read takes the gate's filter, and
// what it costs depends on nothing that the filter hides.
type Index interface {
	// Search answers a lookup of one kind: hits in order of their places,
	// after l.After.
	Search(ctx context.Context, f sector.Filter, l Lookup) (Found, error)
	// Ready reports whether everything that is stored can be found; false
	// while the index is being made anew.
	Ready(ctx context.Context) (bool, error)
}
