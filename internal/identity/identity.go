// Package identity is how people prove who they are: passkeys, a password
// with codes of an app, the provider of their institution, one-time links;
// the sessions that follow from it; and proving it again before what cannot
// be taken back. Who a person is and what it may do is package sector's.
package identity

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/password"
	"github.com/aspis-platform/aspis/internal/sector"
)

// People is who there is: package sector's directory.
type People interface {
	// Person is the account with the address in any spelling of it;
	// errs.NotFound, or errs.Invalid when it is no address.
	Person(ctx context.Context, email string) (sector.User, error)
	// Refresh is the viewer a person is now; errs.NotFound or
	// errs.Unauthenticated when the account is gone.
	Refresh(ctx context.Context, id sector.UserID) (sector.Viewer, error)
	Member(ctx context.Context, id sector.MemberID) (sector.Member, error)
	CreateLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) (string, error)
	// Redeem uses a one-time link up; errs.Unauthenticated when it was used,
	// has expired or never was.
	Redeem(ctx context.Context, secret string) (sector.Viewer, error)
}

// Sealer makes what browsers keep for us, and what earlier versions kept
// secrets with.
type Sealer interface {
	Seal(plain []byte) string
	Open(token string) ([]byte, error)
}

// Vault keeps at rest what must be read again: secrets of apps and of
// providers. What is sealed for one id does not open for another.
type Vault interface {
	Seal(purpose, id string, plain []byte) (string, error)
	Open(purpose, id, sealed string) ([]byte, error)
	// Stale reports whether a sealed text wants to be sealed again.
	Stale(sealed string) bool
}

// Breaches knows passwords that others know.
type Breaches interface {
	Holds(password string) (bool, error)
}

// Stores is where everything is kept; one engine is all of them.
type Stores struct {
	Passkeys   PasskeyStore
	Secrets    SecretStore
	Sessions   SessionStore
	Providers  ProviderStore
	Recoveries RecoveryStore
	Subjects   SubjectStore
	Sealed     SealedStore
}

// Config is what the service is made of.
type Config struct {
	Stores
	People People
	Sealer Sealer
	Vault  Vault
	// Breached passwords may not be chosen; nil: none are known.
	Breached Breaches
	// BaseURL is how browsers reach the program. Passkeys are bound to its
	// host; they need a name there, so on a bare address there are none.
	BaseURL string
	// LinksEnter lets a one-time link sign in without anything being set up:
	// for the demonstration, whose people have nothing to prove.
	LinksEnter bool
	// PrivateProviders allows institutions' providers on private addresses
	// and over plain HTTP: for a closed network, and for tests.
	PrivateProviders bool
	Now              func() time.Time // nil: time.Now
}

// Service is how people prove who they are.
type Service struct {
	Config
	base     *url.URL
	rp       *webauthn.WebAuthn // nil: no passkeys here
	outward  *http.Client       // to institutions' providers
	hasher   *password.Hasher
	throttle *throttle
	failures *tally
}

// New returns the service.
func New(c Config) (*Service, error) {
	if c.People == nil || c.Sealer == nil || c.Vault == nil || c.Passkeys == nil || c.Secrets == nil || c.Sessions == nil ||
		c.Providers == nil || c.Recoveries == nil || c.Subjects == nil || c.Sealed == nil {
		return nil, errors.New("identity: a part is missing from the configuration")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, err
	}
	s := &Service{Config: c, base: base, outward: outwardClient(c.PrivateProviders), hasher: password.NewHasher(2), throttle: newThrottle(c.Now), failures: newTally(c.Now)}
	if s.rp, err = relyingParty(base); err != nil {
		return nil, err
	}
	return s, nil
}

// Client is where a request comes from.
type Client struct {
	Address string // of the peer
	Browser string // its User-Agent
	Device  string // the token of a known device, from Remember; empty if none
}

// Method is how somebody proved who they are.
type Method string

// The methods. Their names are identity.method.<method>.
const (
	ByPasskey      Method = "passkey"
	ByPassword     Method = "password" // alone: only as far as setting up a second factor
	ByApp          Method = "app"      // password and the code of an app
	ByRecoveryCode Method = "code"     // password and a recovery code
	ByInstitution  Method = "institution"
	ByLink         Method = "link"
)

// Means is what a person can prove itself with.
type Means struct {
	Passkeys []Passkey
	Password bool
	App      bool // codes of an authenticator app
	Codes    int  // recovery codes left
	Since    time.Time
}

// Enough reports whether the person can sign in with it.
func (m Means) Enough() bool { return len(m.Passkeys) > 0 || m.Password && m.App }

// Means of a person.
func (s *Service) Means(ctx context.Context, user sector.UserID) (Means, error) {
	passkeys, err := s.Passkeys.Passkeys(ctx, user)
	if err != nil {
		return Means{}, err
	}
	secrets, err := s.Secrets.Secrets(ctx, user)
	return Means{Passkeys: passkeys, Password: secrets.PasswordHash != "", App: secrets.App != "",
		Codes: secrets.Codes, Since: secrets.Since}, err
}

func (s *Service) now() time.Time { return s.Now().UTC() }

// about is an entry on what somebody does to a person's account.
func about(by sector.Viewer, action string, v sector.Viewer, detail string) ledger.Entry {
	return ledger.Entry{Actor: by.Actor(), Action: action, Object: "user:" + string(v.User), Member: string(v.Member), Detail: detail}
}
