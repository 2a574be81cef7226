package taxii

import (
	"context"
	"encoding/json"
	"errors"
)

// Errors that an authenticator, a backend or a writer returns, wrapped or not, to
// choose the answer. Any other error is answered with 500 and an error_id, is
// logged with it, and its text is not sent.
var (
	ErrUnauthenticated = errors.New("not authenticated") // 401
	ErrForbidden       = errors.New("forbidden")         // 403; from a backend it would tell that something is there: prefer ErrNotFound
	ErrNotFound        = errors.New("not found")         // 404
	ErrCursor          = errors.New("invalid cursor")    // 400
	ErrUnavailable     = errors.New("unavailable")       // 503
)

// RejectedError is a writer's refusal of a whole envelope, answered with 422.
// Reason is sent.
type RejectedError struct{ Reason string }

// Error implements error.
func (e *RejectedError) Error() string { return e.Reason }

// Backend tells what a viewer of type V may see. Both methods may be called at
// the same time.
type Backend[V any] interface {
	// Collections lists the collections of an API root that the viewer may know
	// of, in a steady order. The server answers 404 for every other one.
	Collections(ctx context.Context, viewer V, root string) ([]Collection, error)

	// Objects returns the page of object versions that the query asks for and the
	// viewer may see, oldest DateAdded first, at most Query.Limit of them.
	//
	// Viewers that have caught up ask again with added_after set to the latest
	// DateAdded they were sent. So a version that becomes visible to a viewer must
	// get a DateAdded later than all that viewer has been sent, else it is missed.
	//
	// Page.Next is a token that only the backend understands: given back as
	// Query.Cursor with the same query it continues after the last object of the
	// page, in the same order, also for objects added meanwhile. It must work more
	// than once. It goes to the viewer as it is, so it must not hold or reveal
	// anything the viewer may not know: not a row number or an offset, of which the
	// gaps would count what others may see, but for example (DateAdded, sequence
	// among what this viewer sees), or something sealed. ErrCursor refuses a token
	// that is malformed or was made for another query or viewer.
	Objects(ctx context.Context, viewer V, query Query) (Page, error)
}

// Writer takes objects into collections; it is optional. Both methods may be
// called at the same time.
type Writer[V any] interface {
	// Add takes the objects of one envelope, each a JSON object that has not been
	// looked at. The status it returns can be asked for later by its id.
	Add(ctx context.Context, viewer V, root, collection string, objects []json.RawMessage) (Status, error)
	// Status returns ErrNotFound for an id that is not the viewer's own.
	Status(ctx context.Context, viewer V, root, id string) (Status, error)
}

// Query asks for object versions of one collection.
type Query struct {
	Root       string // the Name of the API root
	Collection string // the ID of the collection, never the alias
	Filter     Filter
	Limit      int    // at least 1
	Cursor     string // empty for the first page
	NoBodies   bool   // Object.Body is not needed
}

// Page is one page of an answer.
type Page struct {
	Objects []Object
	More    bool   // there was more when the page was made
	Next    string // not empty when More
}
