package identity

import (
	"context"
	"crypto/rand"
	"strings"
	"unicode"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/password"
	"github.com/aspis-platform/aspis/internal/platform/totp"
	"github.com/aspis-platform/aspis/internal/sector"
)

// issuer is what the app shows beside the code.
const issuer = "Aspis"

// Answer is what came of a right password.
type Answer struct {
	Viewer sector.Viewer
	Means  Means // Enough: a second step follows; else something must be set up
}

// Password checks address and password. An unknown address, a wrong password
// and an account without one look and take the same: errs.Unauthenticated.
func (s *Service) Password(ctx context.Context, email, pass string, c Client) (Answer, error) {
	u, err := s.People.Person(ctx, email)
	known := err == nil
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Answer{}, err
	}
	account := string(u.ID)
	if !known {
		account = "address " + strings.ToLower(strings.TrimSpace(email))
	}
	budgets := s.budgets(c, account)
	if err := s.throttle.check(budgets); err != nil {
		return Answer{}, err
	}
	// The same questions are asked for nobody as for somebody.
	secrets, err := s.Secrets.Secrets(ctx, u.ID)
	if err != nil {
		return Answer{}, err
	}
	hash := secrets.PasswordHash
	if hash == "" {
		hash = password.Decoy
	}
	ok, err := s.hasher.Verify(ctx, hash, pass)
	if err != nil {
		return Answer{}, err
	}
	if !ok || secrets.PasswordHash == "" {
		s.throttle.failed(budgets)
		return Answer{}, s.refused(ctx, u, "password", errs.New(errs.Unauthenticated, "signin.refused"))
	}
	v, err := s.People.Refresh(ctx, u.ID)
	if err != nil {
		return Answer{}, err
	}
	m, err := s.Means(ctx, u.ID)
	return Answer{v, m}, err
}

// refused notes a failure, folded, and returns why; the account's id is empty
// when there is none.
func (s *Service) refused(ctx context.Context, u sector.User, what string, why error) error {
	object := "sign-in:unknown"
	if u.ID != "" {
		object = "user:" + string(u.ID)
	}
	n, write := s.failures.add(object + " " + what)
	if !write {
		return why
	}
	e := about(sector.Viewer{}, "session.refuse", sector.Viewer{}, detail("method", what, "attempts", n))
	e.Actor, e.Object, e.Member = "nobody", object, string(u.Member)
	if err := s.Sessions.Note(ctx, e); err != nil {
		return err
	}
	return why
}

// Proof is what a person sends to prove who it is.
type Proof struct {
	Password  string // where it is asked for
	Code      string // of the app, or a recovery code
	Passkey   string // JSON of the browser's answer
	Challenge string // what Challenge returned with what the browser answers
}

// Second checks the second step after a right password: the app's code, a
// recovery code, or a passkey.
func (s *Service) Second(ctx context.Context, v sector.Viewer, p Proof, c Client) (Method, error) {
	budgets := s.secondBudgets(c, v.User)
	if err := s.throttle.check(budgets); err != nil {
		return "", err
	}
	by, err := s.second(ctx, v, p)
	if errs.Is(err, errs.Unauthenticated) {
		s.throttle.failed(budgets)
		return "", s.refused(ctx, sector.User{ID: v.User, Member: v.Member}, "second", err)
	}
	return by, err
}

func (s *Service) second(ctx context.Context, v sector.Viewer, p Proof) (Method, error) {
	if p.Passkey != "" {
		found, err := s.checkPasskey(ctx, p.Passkey, p.Challenge)
		if err == nil && found.User != v.User {
			err = errs.New(errs.Unauthenticated, "signin.passkey_refused")
		}
		return ByPasskey, err
	}
	return s.checkCode(ctx, v, p.Code)
}

func (s *Service) checkCode(ctx context.Context, v sector.Viewer, typed string) (Method, error) {
	wrong := errs.New(errs.Unauthenticated, "signin.code_wrong")
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, typed)
	secrets, err := s.Secrets.Secrets(ctx, v.User)
	if err != nil {
		return "", err
	}
	if secrets.App == "" {
		return "", wrong
	}
	if len(code) == recoverySize || len(code) == formerRecoverySize {
		err := s.Secrets.UseCode(ctx, v.User, sector.HashSecret(code), about(v, "code.use", v, ""))
		if errs.Is(err, errs.NotFound) {
			err = wrong
		}
		return ByRecoveryCode, err
	}
	secret, err := s.openApp(v.User, secrets.App)
	if err != nil {
		return "", err
	}
	step, ok := secret.Find(code, s.now())
	if !ok {
		return "", wrong
	}
	err = s.Secrets.UseStep(ctx, v.User, step)
	if errs.Is(err, errs.Conflict) {
		err = errs.New(errs.Unauthenticated, "signin.code_used")
	}
	return ByApp, err
}

// Prove checks that the session's person is still the one who signed in: by a
// passkey, or by password and code.
func (s *Service) Prove(ctx context.Context, st Standing, p Proof, c Client) error {
	v := st.Viewer
	budgets := s.secondBudgets(c, v.User)
	if err := s.throttle.check(budgets); err != nil {
		return err
	}
	by, err := s.prove(ctx, v, p)
	if errs.Is(err, errs.Unauthenticated) {
		s.throttle.failed(budgets)
		return s.refused(ctx, sector.User{ID: v.User, Member: v.Member}, "proof", err)
	}
	if err != nil {
		return err
	}
	return s.proved(ctx, v, st.Session.ID, by)
}

func (s *Service) prove(ctx context.Context, v sector.Viewer, p Proof) (Method, error) {
	if p.Passkey == "" {
		secrets, err := s.Secrets.Secrets(ctx, v.User)
		if err != nil {
			return "", err
		}
		hash := secrets.PasswordHash
		if hash == "" {
			hash = password.Decoy
		}
		ok, err := s.hasher.Verify(ctx, hash, p.Password)
		if err != nil {
			return "", err
		}
		if !ok || secrets.PasswordHash == "" {
			return "", errs.New(errs.Unauthenticated, "signin.proof_refused")
		}
	}
	return s.second(ctx, v, p)
}

// App is an authenticator app being set up.
type App struct {
	Sealed string // to be kept until Confirm
	Secret string // for people who type it
	URI    string // for people who scan it
}

// NewApp makes a secret for a person's app.
func (s *Service) NewApp(v sector.Viewer) (App, error) {
	secret := totp.NewSecret()
	sealed, err := s.Vault.Seal(sealedApp, string(v.User), secret)
	return App{sealed, secret.String(), secret.URI(issuer, v.Email)}, err
}

// SameApp is the app of a sealed secret, to be shown again.
func (s *Service) SameApp(v sector.Viewer, sealed string) (App, error) {
	secret, err := s.openApp(v.User, sealed)
	return App{sealed, secret.String(), secret.URI(issuer, v.Email)}, err
}

func (s *Service) openApp(user sector.UserID, sealed string) (totp.Secret, error) {
	raw, err := s.Vault.Open(sealedApp, string(user), sealed)
	if err != nil {
		return nil, errs.New(errs.Invalid, "signin.app_again").Because(err)
	}
	return raw, nil
}

// SetApp sets password and app once the person has shown that the app makes
// the right codes, and returns recovery codes, which exist nowhere else. An
// empty password keeps the one there is, where it may be kept.
func (s *Service) SetApp(ctx context.Context, st Standing, pass, sealed, code string) ([]string, error) {
	if err := s.maySet(st); err != nil {
		return nil, err
	}
	v := st.Viewer
	old, err := s.Secrets.Secrets(ctx, v.User)
	if err != nil {
		return nil, err
	}
	next := Secrets{PasswordHash: old.PasswordHash, App: sealed, Since: s.now()}
	if pass != "" || !keepsPassword(st, old.PasswordHash != "") {
		if next.PasswordHash, err = s.newPassword(ctx, v, pass); err != nil {
			return nil, err
		}
	}
	secret, err := s.openApp(v.User, sealed)
	if err != nil {
		return nil, err
	}
	step, ok := secret.Find(strings.TrimSpace(code), s.now())
	if !ok {
		return nil, errs.New(errs.Invalid, "signin.app_code_wrong")
	}
	next.Step = step
	codes, hashes := newCodes()
	if err := s.Secrets.SetSecrets(ctx, v.User, next, hashes, about(v, "credential.add", v, detail("kind", "app"))); err != nil {
		return nil, err
	}
	return codes, s.setUp(ctx, st, ByApp)
}

// keepsPassword: whoever has just given its password, or proved itself, need
// not choose another; after a one-time link the old one means nothing.
func keepsPassword(st Standing, has bool) bool {
	return has && (!st.Session.Setup || st.Session.Method == ByPassword)
}

// setUp notes that the session's person has a way to sign in. The first one
// ends every other session: somebody who knew no more than a password, or
// held another link, may be waiting in one to set up its own.
func (s *Service) setUp(ctx context.Context, st Standing, by Method) error {
	v := st.Viewer
	if st.Session.Setup {
		others := Ending{User: v.User, But: st.Session.ID}
		if _, err := s.Sessions.EndSessions(ctx, others, s.now(), about(v, "session.revoke", v, detail("which", "all", "why", "set-up"))); err != nil {
			return err
		}
	}
	return s.proved(ctx, v, st.Session.ID, by)
}

func (s *Service) newPassword(ctx context.Context, v sector.Viewer, pass string) (string, error) {
	words := []string{v.Email, issuer, string(v.Member)}
	if v.Member != "" {
		m, err := s.People.Member(ctx, v.Member)
		if err != nil {
			return "", err
		}
		words = append(words, m.Name, m.NameZh)
	}
	if err := password.Check(pass, words...); err != nil {
		return "", err
	}
	if s.Breached != nil {
		if known, err := s.Breached.Holds(pass); err != nil {
			return "", err
		} else if known {
			return "", errs.New(errs.Invalid, "password.breached")
		}
	}
	return s.hasher.Hash(ctx, pass)
}

// ChangePassword replaces the password of somebody who has one.
func (s *Service) ChangePassword(ctx context.Context, st Standing, pass string) error {
	if err := s.maySet(st); err != nil {
		return err
	}
	hash, err := s.newPassword(ctx, st.Viewer, pass)
	if err != nil {
		return err
	}
	v := st.Viewer
	return s.Secrets.SetPassword(ctx, v.User, hash, about(v, "credential.change", v, detail("kind", "password")))
}

// NewCodes replaces the recovery codes.
func (s *Service) NewCodes(ctx context.Context, st Standing) ([]string, error) {
	if err := s.maySet(st); err != nil {
		return nil, err
	}
	v := st.Viewer
	if secrets, err := s.Secrets.Secrets(ctx, v.User); err != nil {
		return nil, err
	} else if secrets.App == "" {
		return nil, errs.New(errs.Invalid, "signin.app_first")
	}
	codes, hashes := newCodes()
	return codes, s.Secrets.SetCodes(ctx, v.User, hashes, about(v, "credential.change", v, detail("kind", "recovery-codes")))
}

// RemoveApp removes password, app and recovery codes of somebody who can
// still sign in with a passkey.
func (s *Service) RemoveApp(ctx context.Context, st Standing) error {
	if err := s.maySet(st); err != nil {
		return err
	}
	v := st.Viewer
	return s.Secrets.RemoveSecrets(ctx, v.User, about(v, "credential.remove", v, detail("kind", "app")))
}

// maySet is nil for sessions that may change how the person signs in: one
// that sets up, or a fresh proof.
func (s *Service) maySet(st Standing) error {
	if st.Session.Setup || st.Fresh {
		return nil
	}
	return errs.New(errs.Forbidden, "signin.prove_first")
}

const (
	recoveryCodes = 10
	recoverySize  = 24 // characters of base32: 120 bits, so a plain hash keeps them
	// formerRecoverySize is that of codes made by earlier versions, which work
	// until they are used or replaced.
	formerRecoverySize = 16
)

// newCodes are codes as people write them down, and their hashes.
func newCodes() (codes, hashes []string) {
	for range recoveryCodes {
		c := strings.ToLower(rand.Text()[:recoverySize])
		codes = append(codes, strings.Join([]string{c[:4], c[4:8], c[8:12], c[12:16], c[16:20], c[20:]}, "-"))
		hashes = append(hashes, sector.HashSecret(c))
	}
	return codes, hashes
}
