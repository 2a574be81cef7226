package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Bounds.
const (
	maxPasskeys = 10
	maxName     = 60       // characters of a passkey's name
	maxAnswer   = 64 << 10 // bytes of a browser's answer
)

// relyingParty is us in WebAuthn (Level 3, section 5.1.2): bound to the host
// of the address that people use, which must be a name; nil on an IP address.
// This machine's own address has the name localhost, which people must then
// use.
func relyingParty(base *url.URL) (*webauthn.WebAuthn, error) {
	host, origin := base.Hostname(), base.Scheme+"://"+base.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		host = localhost
		origin = base.Scheme + "://" + net.JoinHostPort(localhost, base.Port())
	} else if ip != nil || host == "" {
		return nil, nil //nolint:nilnil // no passkeys here
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: issuer, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys for %s: %w", base, err)
	}
	return rp, nil
}

const localhost = "localhost"

// HasPasskeys reports whether passkeys work for a browser that asked for the
// host (with or without port). A proxy may change what is asked for, so it
// matters only where people could have used either of two names.
func (s *Service) HasPasskeys(host string) bool {
	if s.rp == nil || s.base.Hostname() == s.rp.Config.RPID {
		return s.rp != nil
	}
	return host == localhost || strings.HasPrefix(host, localhost+":")
}

func (s *Service) needPasskeys() error {
	if s.rp == nil {
		return errs.New(errs.Unavailable, "signin.passkey_address")
	}
	return nil
}

// holder is a person in WebAuthn.
type holder struct {
	viewer  sector.Viewer
	records []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return []byte(h.viewer.User) }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.viewer.Email }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.viewer.Email }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.records }

func (s *Service) holder(ctx context.Context, v sector.Viewer) (holder, error) {
	passkeys, err := s.Passkeys.Passkeys(ctx, v.User)
	if err != nil {
		return holder{}, err
	}
	h := holder{viewer: v}
	for _, p := range passkeys {
		var record webauthn.Credential
		if err := json.Unmarshal([]byte(p.Record), &record); err != nil {
			return holder{}, fmt.Errorf("stored passkey: %w", err)
		}
		h.records = append(h.records, record)
	}
	return h, nil
}

// Ceremony is a question to the browser. State stays on this side and is
// given back once with the answer.
type Ceremony struct {
	Options json.RawMessage // what navigator.credentials takes, in JSON
	State   string
}

func ceremony(options any, state *webauthn.SessionData, err error) (Ceremony, error) {
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkey: %w", err)
	}
	raw, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkey: %w", err)
	}
	kept, err := json.Marshal(state)
	return Ceremony{raw, string(kept)}, err
}

// Challenge asks for a passkey of the person; of whoever it is when user is
// empty.
func (s *Service) Challenge(ctx context.Context, user sector.UserID) (Ceremony, error) {
	if err := s.needPasskeys(); err != nil {
		return Ceremony{}, err
	}
	required := webauthn.WithUserVerification(protocol.VerificationRequired)
	if user == "" {
		options, state, err := s.rp.BeginDiscoverableLogin(required)
		return ceremony(options, state, err)
	}
	h, err := s.holder(ctx, sector.Viewer{User: user})
	if err != nil {
		return Ceremony{}, err
	}
	if len(h.records) == 0 {
		return Ceremony{}, errs.New(errs.Invalid, "signin.passkey_none")
	}
	allowed := make([]protocol.CredentialDescriptor, len(h.records))
	for i, r := range h.records {
		allowed[i] = r.Descriptor()
	}
	options, state, err := s.rp.BeginDiscoverableLogin(required, webauthn.WithAllowedCredentials(allowed))
	return ceremony(options, state, err)
}

// Question is Challenge for whoever it is. Each is kept, so a network may ask
// for so many only.
func (s *Service) Question(ctx context.Context, c Client) (Ceremony, error) {
	if err := s.throttle.spend(budget{"questions " + network(c.Address), 60, 2 * time.Second}); err != nil {
		return Ceremony{}, err
	}
	return s.Challenge(ctx, "")
}

// Passkey signs in with a passkey alone, without a name.
func (s *Service) Passkey(ctx context.Context, p Proof, c Client) (sector.Viewer, error) {
	budgets := []budget{networkBudget(c)}
	if err := s.throttle.check(budgets); err != nil {
		return sector.Viewer{}, err
	}
	v, err := s.checkPasskey(ctx, p.Passkey, p.Challenge)
	if errs.Is(err, errs.Unauthenticated) {
		s.throttle.failed(budgets)
		return v, s.refused(ctx, sector.User{ID: v.User, Member: v.Member}, "passkey", err)
	}
	return v, err
}

// checkPasskey is whose passkey answered the challenge. On a refusal after
// the person is known the viewer is returned too, for the ledger.
func (s *Service) checkPasskey(ctx context.Context, answer, state string) (sector.Viewer, error) {
	refused := func(err error) error { return errs.New(errs.Unauthenticated, "signin.passkey_refused").Because(err) }
	if err := s.needPasskeys(); err != nil {
		return sector.Viewer{}, err
	}
	if state == "" { // it was used, or a sign-in in another tab replaced it
		return sector.Viewer{}, errs.New(errs.Unauthenticated, "signin.passkey_again")
	}
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(state), &session); err != nil {
		return sector.Viewer{}, fmt.Errorf("passkey challenge: %w", err)
	}
	if len(answer) > maxAnswer {
		return sector.Viewer{}, errs.New(errs.TooLarge, "error.form_size")
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return sector.Viewer{}, refused(err)
	}
	var h holder
	find := func(_, handle []byte) (webauthn.User, error) {
		v, err := s.People.Refresh(ctx, sector.UserID(handle))
		if err != nil {
			return nil, err
		}
		h, err = s.holder(ctx, v)
		return h, err
	}
	_, record, err := s.rp.ValidatePasskeyLogin(find, session, parsed)
	if err != nil {
		return h.viewer, refused(err)
	}
	return h.viewer, s.usePasskey(ctx, h.viewer, record)
}

// usePasskey keeps the record after a use. A counter that does not go up
// (WebAuthn Level 3, section 6.1.1) means a copy of the key somewhere.
func (s *Service) usePasskey(ctx context.Context, v sector.Viewer, record *webauthn.Credential) error {
	if record.Authenticator.CloneWarning {
		e := about(v, "passkey.copied", v, detail("passkey", encodeID(record.ID)))
		if err := s.Sessions.Note(ctx, e); err != nil {
			return err
		}
		return errs.New(errs.Unauthenticated, "signin.passkey_copied")
	}
	passkeys, err := s.Passkeys.Passkeys(ctx, v.User)
	if err != nil {
		return err
	}
	for _, p := range passkeys {
		if p.ID != encodeID(record.ID) {
			continue
		}
		raw, err := json.Marshal(record)
		if err != nil {
			return fmt.Errorf("passkey: %w", err)
		}
		err = s.Passkeys.UsePasskey(ctx, p, string(raw), s.now())
		if errs.Is(err, errs.Conflict) {
			err = errs.New(errs.Unauthenticated, "signin.passkey_again").Because(err)
		}
		return err
	}
	return errs.New(errs.Unauthenticated, "signin.passkey_refused")
}

func encodeID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// NewPasskey asks the browser to make a passkey for the session's person.
func (s *Service) NewPasskey(ctx context.Context, st Standing) (Ceremony, error) {
	if err := s.needPasskeys(); err != nil {
		return Ceremony{}, err
	}
	if err := s.maySet(st); err != nil {
		return Ceremony{}, err
	}
	h, err := s.holder(ctx, st.Viewer)
	if err != nil {
		return Ceremony{}, err
	}
	if len(h.records) >= maxPasskeys {
		return Ceremony{}, errs.New(errs.Invalid, "signin.passkey_many", maxPasskeys)
	}
	known := make([]protocol.CredentialDescriptor, len(h.records))
	for i, r := range h.records {
		known[i] = r.Descriptor()
	}
	options, state, err := s.rp.BeginRegistration(h, webauthn.WithExclusions(known))
	return ceremony(options, state, err)
}

// AddPasskey keeps the passkey that the browser made.
func (s *Service) AddPasskey(ctx context.Context, st Standing, name, answer, state string) error {
	if err := s.needPasskeys(); err != nil {
		return err
	}
	if err := s.maySet(st); err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return errs.New(errs.Invalid, "signin.passkey_name", maxName)
	}
	name, err := sector.Line(name, maxName)
	if err != nil {
		return err
	}
	again := errs.New(errs.Invalid, "signin.passkey_again")
	if state == "" || len(answer) > maxAnswer {
		return again
	}
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(state), &session); err != nil {
		return fmt.Errorf("passkey challenge: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return again.Because(err)
	}
	v := st.Viewer
	record, err := s.rp.CreateCredential(holder{viewer: v}, session, parsed)
	if err != nil {
		return again.Because(err)
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("passkey: %w", err)
	}
	p := Passkey{ID: encodeID(record.ID), User: v.User, Name: name, Record: string(raw), CreatedAt: s.now()}
	e := about(v, "credential.add", v, detail("kind", "passkey", "id", p.ID))
	if err := s.Passkeys.AddPasskey(ctx, p, e); err != nil {
		return err
	}
	return s.setUp(ctx, st, ByPasskey)
}

// RemovePasskey takes a passkey away, unless it is the last way in.
func (s *Service) RemovePasskey(ctx context.Context, st Standing, id string) error {
	if err := s.maySet(st); err != nil {
		return err
	}
	v := st.Viewer
	return s.Passkeys.RemovePasskey(ctx, v.User, id, about(v, "credential.remove", v, detail("kind", "passkey", "id", id)))
}
