// Package ledger is the record of every state change: who did what to which
// object, when and why. Every mutating method of a store takes the [Entry]
// that explains it and writes both in one transaction, so that neither exists
// without the other. Entries are chained by hash.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Entry is one explained change.
type Entry struct {
	Actor  string // Viewer.Actor(): "user:…", "key:…", "system"
	Action string // noun.verb: "advisory.release"
	Object string // kind:id: "advisory:…"
	// Member is whom the change is about, so that a member can be shown the
	// entries about itself; empty for none.
	Member string
	// Detail is a small JSON object: versions, rule versions, reasons. Never
	// secrets or personal data beyond ids.
	Detail string
}

// Stored is an entry with its place in the chain.
type Stored struct {
	Entry
	Seq  int64
	At   time.Time
	Hash string // hex SHA-256 over the previous hash and this entry
}

// Chain computes the hash of an entry that follows prev (hex; empty for the
// first). Every field is length-prefixed, so no two entries hash alike.
func Chain(prev string, seq int64, at time.Time, e Entry) string {
	h := sha256.New()
	var n [8]byte
	put := func(s string) {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	put(prev)
	binary.BigEndian.PutUint64(n[:], uint64(seq))
	h.Write(n[:])
	binary.BigEndian.PutUint64(n[:], uint64(at.UnixMicro()))
	h.Write(n[:])
	for _, s := range []string{e.Actor, e.Action, e.Object, e.Member, e.Detail} {
		put(s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Notes takes entries about what somebody looked at, which changes nothing
// else: one for the first time that the actor sees a version of the object.
type Notes interface {
	NoteOnce(ctx context.Context, version string, e Entry) error
}

// Finding is something that a check of the ledger found to be wrong, and
// where.
type Finding struct {
	File  string `json:"file,omitempty"`  // below the data folder or the copy
	Entry int64  `json:"entry,omitempty"` // its number, 0 where it is no entry's
	// Key is the problem's words in the catalogue, and Args fill them. Problem
	// are the words, for who is told.
	Key     string `json:"code"`
	Args    []any  `json:"-"`
	Problem string `json:"problem"`
}

// Follows reports whether the entry comes right after last in the chain; the
// zero Stored is before the first.
func (s Stored) Follows(last Stored) bool {
	return s.Seq == last.Seq+1 && s.Hash == Chain(last.Hash, s.Seq, s.At, s.Entry)
}
