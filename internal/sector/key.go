package sector

import (
	"context"
	"net/netip"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// Key is a machine's access for one member, proven by one credential or,
// while it is being replaced, by several. Secrets are shown once and kept
// only as hashes.
type Key struct {
	ID          string
	Member      MemberID
	Name        string // what it is for, in its owner's words
	Notes       string
	Scopes      []Scope
	Networks    []netip.Prefix // from where it may be used; none: from anywhere
	CreatedAt   time.Time
	ExpiresAt   time.Time    // zero: never
	RevokedAt   time.Time    // zero while valid
	LastUsed    time.Time    // zero until used; to the minute
	Credentials []Credential // newest first
}

// Proof is how a machine proves who it is.
type Proof string

// The proofs.
const (
	BySecret      Proof = "secret"      // a secret, as Bearer token
	ByCertificate Proof = "certificate" // one certificate, known by its SHA-256
	BySubject     Proof = "subject"     // any certificate of one authority for one subject
)

// Credential is one proof of a key.
type Credential struct {
	ID        string
	Proof     Proof
	Label     string // the certificate's subject (RFC 4514); empty for a secret
	Authority []byte // the authority's certificate in DER, for BySubject
	CreatedAt time.Time
	EndsAt    time.Time // zero: with the key
	LastUsed  time.Time // zero until used; to the minute
}

// Live reports whether the credential is accepted at the time, as far as it
// alone decides.
func (c Credential) Live(at time.Time) bool { return c.EndsAt.IsZero() || at.Before(c.EndsAt) }

// KeyState is what a key is good for at a moment.
type KeyState string

// The states.
const (
	KeyValid    KeyState = "valid"
	KeyExpiring KeyState = "expiring" // valid, and not for long
	KeyExpired  KeyState = "expired"
	KeyRevoked  KeyState = "revoked"
)

// KeyStates lists every state in display order.
func KeyStates() []KeyState { return []KeyState{KeyValid, KeyExpiring, KeyExpired, KeyRevoked} }

// KeyWarning is how long before its end a key is shown as expiring.
const KeyWarning = 30 * 24 * time.Hour

// State is the key's state at the time.
func (k Key) State(at time.Time) KeyState {
	switch {
	case !k.RevokedAt.IsZero():
		return KeyRevoked
	case k.ExpiresAt.IsZero():
		return KeyValid
	case !at.Before(k.ExpiresAt):
		return KeyExpired
	case at.Add(KeyWarning).After(k.ExpiresAt):
		return KeyExpiring
	}
	return KeyValid
}

// Proof is how the key is proven; its credentials are all of one sort.
func (k Key) Proof() Proof {
	if len(k.Credentials) == 0 {
		return ""
	}
	return k.Credentials[0].Proof
}

// KeySpec is what a new key shall be.
type KeySpec struct {
	Member   MemberID
	Name     string
	Notes    string
	Scopes   []Scope
	Networks []netip.Prefix
	Lifetime time.Duration // 0: KeyLifetime
	Endless  bool          // never expires; must be said
}

// KeyQuery selects keys, newest first.
type KeyQuery struct {
	Member MemberID // empty: of every member
	State  KeyState // empty: in any state
	Now    time.Time
	// Before and AfterID are where the last page ended; zero: at the start.
	Before  time.Time
	AfterID string
	Limit   int // 0: all
}

// KeyStore keeps machine keys.
type KeyStore interface {
	KeyRecords
	KeyChecks
}

// KeyRecords is what the administration of keys needs.
type KeyRecords interface {
	// CreateKey stores a key with its one credential, recognised by the hash;
	// errs.Conflict when the hash is taken.
	CreateKey(ctx context.Context, k Key, hash string, e ledger.Entry) error
	// Key returns a key with its credentials; errs.NotFound.
	Key(ctx context.Context, id string) (Key, error)
	Keys(ctx context.Context, q KeyQuery) ([]Key, error)
	// ChangeKey stores name, notes and networks.
	ChangeKey(ctx context.Context, k Key, e ledger.Entry) error
	// AddCredential gives the key one more credential and the expiry of k;
	// those it has end at ends at the latest.
	AddCredential(ctx context.Context, k Key, c Credential, hash string, ends time.Time, e ledger.Entry) error
	EndCredential(ctx context.Context, key, id string, at time.Time, e ledger.Entry) error
	RevokeKey(ctx context.Context, id string, at time.Time, e ledger.Entry) error
}

// KeyChecks is what recognising a machine needs.
type KeyChecks interface {
	// KeyByHash returns the key with only the credential of the hash;
	// errs.NotFound.
	KeyByHash(ctx context.Context, hash string) (Key, error)
	// KeysBySubject returns keys with only the credential BySubject that
	// names the subject, at most limit.
	KeysBySubject(ctx context.Context, subject string, limit int) ([]Key, error)
	// TouchCredential notes the use of a key and its credential; not a change
	// that the ledger explains.
	TouchCredential(ctx context.Context, key, id string, at time.Time) error
	// NoteKey writes an entry that explains what was refused.
	NoteKey(ctx context.Context, e ledger.Entry) error
}
