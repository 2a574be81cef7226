// Package errs gives errors a kind, which the edge maps to a status once, and
// a catalogue key, which the edge renders in the user's language. The wrapped
// cause is for the log only; a user never sees it.
package errs

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies an error by what the caller can do about it.
type Kind uint8

// The kinds, from "our fault" to the caller's.
const (
	Internal        Kind = iota // a defect or an unexpected failure; 500
	Invalid                     // the input is wrong; 400
	Unauthenticated             // nobody is known; 401
	Forbidden                   // somebody is known and may not; 403
	NotFound                    // no such thing for this viewer; 404
	Conflict                    // somebody else changed it first; 409
	TooLarge                    // over a size limit; 413
	TooMany                     // over a rate or quota; 429
	Unavailable                 // a part is down, try later; 503
	Full                        // no room to store; 507
	Stale                       // the If-Match is not that of what is there now; 412
)

// Error is an error with a kind and a message for people.
type Error struct {
	Kind Kind
	// Key names the message in the catalogue, for example "door.over_quota".
	Key string
	// Args fill the message's placeholders {0}, {1}, … in order.
	Args []any
	// RetryAfter, when positive, tells the caller when to try again.
	RetryAfter time.Duration
	// Details is for programs, beside the message: what changed, which fields
	// are wrong. It is encoded as JSON; nil for none.
	Details any
	cause   error
}

// New returns an error of the kind with the catalogue key and its arguments.
func New(kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Args: args}
}

// Because attaches the cause, for the log.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// With attaches details for programs.
func (e *Error) With(details any) *Error {
	e.Details = details
	return e
}

func (e *Error) Error() string {
	text := e.Key
	if len(e.Args) > 0 {
		text = fmt.Sprint(text, " ", e.Args)
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the first *Error in err's chain; Internal if none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind. A nil error is of no kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
