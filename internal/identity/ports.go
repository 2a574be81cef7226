package identity

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Passkey is a WebAuthn credential of a person.
type Passkey struct {
	ID        string // of the credential, base64url
	User      sector.UserID
	Name      string // given by the person
	Record    string // JSON of the credential record: public key, counter, flags
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// PasskeyStore keeps passkeys.
type PasskeyStore interface {
	// AddPasskey fails with errs.Conflict when the credential is known.
	AddPasskey(ctx context.Context, p Passkey, e ledger.Entry) error
	// Passkeys of a person, oldest first.
	Passkeys(ctx context.Context, user sector.UserID) ([]Passkey, error)
	// UsePasskey replaces the record read before by the one after a use;
	// errs.Conflict when it has changed meanwhile.
	UsePasskey(ctx context.Context, before Passkey, record string, at time.Time) error
	// RemovePasskey fails with errs.Conflict when the person would have
	// nothing left to sign in with, errs.NotFound when it has no such key.
	RemovePasskey(ctx context.Context, user sector.UserID, id string, e ledger.Entry) error
}

// Secrets are what a person knows, and what its app does.
type Secrets struct {
	PasswordHash string // PHC string; empty: none
	App          string // the app's secret, sealed; empty: none
	Step         int64  // the last period whose code was used
	Codes        int    // recovery codes left
	Since        time.Time
}

// SecretStore keeps passwords, apps' secrets and recovery codes.
type SecretStore interface {
	Secrets(ctx context.Context, user sector.UserID) (Secrets, error)
	SetPassword(ctx context.Context, user sector.UserID, hash string, e ledger.Entry) error
	// SetSecrets replaces password, app and recovery codes (by their hashes).
	SetSecrets(ctx context.Context, user sector.UserID, s Secrets, codes []string, e ledger.Entry) error
	SetCodes(ctx context.Context, user sector.UserID, codes []string, e ledger.Entry) error
	// UseStep fails with errs.Conflict unless the step is later than the
	// last one: a code works once.
	UseStep(ctx context.Context, user sector.UserID, step int64) error
	// UseCode uses a recovery code up; errs.NotFound when there is none.
	UseCode(ctx context.Context, user sector.UserID, hash string, e ledger.Entry) error
	// RemoveSecrets removes password, app and codes; errs.Conflict when the
	// person would have nothing left to sign in with.
	RemoveSecrets(ctx context.Context, user sector.UserID, e ledger.Entry) error
}

// Session is a person in a browser.
type Session struct {
	ID      string // names it; not the secret in the cookie
	User    sector.UserID
	Method  Method
	Browser string
	Address string
	Started time.Time
	Seen    time.Time // to the minute
	Proved  time.Time // when the person last proved who it is; zero: never
	Setup   bool      // nothing but setting up a way to sign in
	Ended   time.Time // zero: not yet
}

// Ending says which sessions of a person end.
type Ending struct {
	User sector.UserID
	ID   string // this one; empty: all
	But  string // except this one
}

// SessionStore keeps sessions.
type SessionStore interface {
	StartSession(ctx context.Context, s Session, e ledger.Entry) error
	// Session is errs.NotFound when there is none.
	Session(ctx context.Context, id string) (Session, error)
	// Sessions of a person that have not ended and were started after since,
	// newest first.
	Sessions(ctx context.Context, user sector.UserID, since time.Time) ([]Session, error)
	// TouchSession notes that it is used; not a change that the ledger
	// explains.
	TouchSession(ctx context.Context, id string, at time.Time) error
	// ProveSession notes the proof and that setting up is over.
	ProveSession(ctx context.Context, id string, at time.Time, e ledger.Entry) error
	// EndSessions ends those that have not ended yet and returns how many.
	EndSessions(ctx context.Context, which Ending, at time.Time, e ledger.Entry) (int, error)
	// Note writes an entry about something that changed nothing: a refusal.
	Note(ctx context.Context, e ledger.Entry) error
}

// Provider is a member's own OpenID provider.
type Provider struct {
	Member   sector.MemberID
	Issuer   string   // https URL
	ClientID string   // ours at the provider
	Secret   string   // sealed
	Domains  []string // of its people's addresses, A-labels
	Since    time.Time
}

// Subject is whom a member's provider calls by a name of its own (sub), which
// it never gives to anybody else (OpenID Connect Core 1.0, section 5.7).
type Subject struct {
	Member          sector.MemberID
	Issuer, Subject string
	User            sector.UserID
	Since           time.Time
}

// SubjectStore keeps who is whom at members' providers.
type SubjectStore interface {
	// SubjectOf is errs.NotFound for a subject that nobody is bound to.
	SubjectOf(ctx context.Context, s Subject) (sector.UserID, error)
	// BindSubject fails with errs.Conflict when the person is bound to another
	// subject of the issuer.
	BindSubject(ctx context.Context, s Subject, e ledger.Entry) error
	// SubjectsOf lists those that the person is bound to.
	SubjectsOf(ctx context.Context, user sector.UserID) ([]Subject, error)
	// ForgetSubject fails with errs.NotFound when the person is bound to none.
	ForgetSubject(ctx context.Context, user sector.UserID, e ledger.Entry) error
}

// ProviderStore keeps members' providers.
type ProviderStore interface {
	// PutProvider fails with errs.Conflict when another member has one of
	// the domains.
	PutProvider(ctx context.Context, p Provider, e ledger.Entry) error
	// Provider and ProviderFor are errs.NotFound when there is none.
	Provider(ctx context.Context, m sector.MemberID) (Provider, error)
	ProviderFor(ctx context.Context, domain string) (Provider, error)
	RemoveProvider(ctx context.Context, m sector.MemberID, e ledger.Entry) error
}

// Recovery is the wish to give an administrator a new way in, which a second
// person must confirm.
type Recovery struct {
	ID      string
	User    sector.UserID
	By      sector.UserID
	At      time.Time
	Expires time.Time
}

// RecoveryStore keeps what waits for a second person.
type RecoveryStore interface {
	// AskRecovery replaces an earlier request for the same person.
	AskRecovery(ctx context.Context, r Recovery, e ledger.Entry) error
	// Recoveries are those that wait at now, oldest first.
	Recoveries(ctx context.Context, now time.Time) ([]Recovery, error)
	// ConfirmRecovery takes the request; errs.NotFound when it does not wait
	// any more, or by is who asked or whom it is for.
	ConfirmRecovery(ctx context.Context, id string, by sector.UserID, now time.Time, e ledger.Entry) (Recovery, error)
}
