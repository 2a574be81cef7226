package monitor

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Rejection says why one line of a request was refused.
type Rejection struct {
	Line   int    `json:"line"`   // 1-based line of the request
	Reason string `json:"reason"` // one of event's reasons; text door.reason.<reason>
	Offset int    `json:"offset"` // byte in the line where it was noticed
}

// Receipt is what the door remembers of an answered request, for good: a
// retry is answered from it.
type Receipt struct {
	Batch    string // [Batch].ID
	Slot     string // hash of member and Idempotency-Key; empty without a key
	Body     string // hash of the request's decompressed bytes; empty if Partial
	Member   sector.MemberID
	Accepted int
	Rejected []Rejection
	At       time.Time
	// Partial receipts were written by the pipeline for a batch that is in
	// the stream although its request was never answered: the rejected lines
	// are not known and not yet kept.
	Partial bool
}

// DeadLetter is a refused line, kept for its member to read and send again.
type DeadLetter struct {
	ID     string // "<batch id>-<line>"
	Member sector.MemberID
	At     time.Time
	Rejection
	Bytes int // length of the line as sent
	// Raw is the line as sent, cut at [MaxLetterBytes].
	Raw []byte
}

// Cut reports whether Raw is only the line's beginning.
func (d DeadLetter) Cut() bool { return len(d.Raw) < d.Bytes }

// Size is the line's length in bytes.
func (d DeadLetter) Size() int64 { return int64(d.Bytes) }

// Resent is the dead letter that a request sent again, and the ledger's entry
// about it. The zero Resent is none.
type Resent struct {
	Letter string // [DeadLetter].ID
	Entry  ledger.Entry
}

const (
	// MaxLetterBytes bounds what is kept of a refused line.
	MaxLetterBytes = 64 << 10
	// MaxLetters bounds the dead letters kept per member; the oldest go first.
	MaxLetters = 10_000
)

// Receipts keeps receipts and dead letters. Every method is durable when it
// returns without an error; after an error the change may or may not be
// stored, and repeating it is safe.
type Receipts interface {
	// Find returns the receipts of a batch and of a slot (empty: none).
	Find(ctx context.Context, batch, slot string) ([]Receipt, error)
	// Keep stores a receipt (completing a partial one), the dead letters that
	// are not kept yet, and removes the letter that was sent again, if any,
	// with its ledger entry, in one transaction. A letter that is gone already
	// gets no second entry. An errs.Full error means no room.
	Keep(ctx context.Context, r Receipt, letters []DeadLetter, resent Resent) error
	// Letters lists a member's dead letters, newest first, after the letter
	// `after` (empty: from the first), without Raw beyond 200 bytes.
	Letters(ctx context.Context, member sector.MemberID, after string, limit int) ([]DeadLetter, error)
	// Letter returns one dead letter of the member, or an errs.NotFound.
	Letter(ctx context.Context, member sector.MemberID, id string) (DeadLetter, error)
	// DropLetter forgets one dead letter of the member and writes the entry,
	// in one transaction; errs.NotFound, and no entry, when there is none.
	DropLetter(ctx context.Context, member sector.MemberID, id string, e ledger.Entry) error
}
