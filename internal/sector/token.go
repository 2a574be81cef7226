package sector

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Token is a person's access for programs of its own, such as the command
// line: it may do what the person may with some of its roles, until it
// expires. The secret itself is shown once and kept only as a hash.
type Token struct {
	ID        string
	User      UserID
	Name      string // what it is for, in the person's words
	Roles     []Role
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time // zero while it is not
	LastUsed  time.Time // zero until used; to the minute
}

// Valid reports whether the token still opens something.
func (t Token) Valid(now time.Time) bool { return t.RevokedAt.IsZero() && now.Before(t.ExpiresAt) }

// TokenPrefix begins the secret of every token, so that it is found where it
// was left by mistake, and told from a member's key.
const TokenPrefix = "aspis_pat_"

// IsToken reports whether a secret is one of a token.
func IsToken(secret string) bool { return strings.HasPrefix(secret, TokenPrefix) }

// MaxTokenLife bounds how long a token is valid.
const MaxTokenLife = 366 * 24 * time.Hour

const (
	maxTokens    = 20 // valid ones of a person
	maxTokenName = 100
)

// TokenStore keeps tokens by the hash of their secret.
type TokenStore interface {
	CreateToken(ctx context.Context, t Token, hash string, e ledger.Entry) error
	TokenByHash(ctx context.Context, hash string) (Token, error)
	// Tokens lists a person's tokens, newest first.
	Tokens(ctx context.Context, u UserID) ([]Token, error)
	RevokeToken(ctx context.Context, id string, at time.Time, e ledger.Entry) error
	// TouchToken notes the token's use; not a change that the ledger explains.
	TouchToken(ctx context.Context, id string, at time.Time) error
}

// Persons tells who a person is now.
type Persons interface {
	Refresh(ctx context.Context, id UserID) (Viewer, error)
}

// Tokens is the service over people's tokens.
type Tokens struct {
	store   TokenStore
	persons Persons
	now     func() time.Time
}

// NewTokens returns the service.
func NewTokens(s TokenStore, p Persons, now func() time.Time) *Tokens { return &Tokens{s, p, now} }

// Create returns a new token of the viewer's with its secret, which is shown
// once. No roles: all that the person has. A token makes no tokens, or it
// could outlive its own expiry.
func (s *Tokens) Create(ctx context.Context, v Viewer, name string, roles []Role, life time.Duration) (Token, string, error) {
	name = strings.TrimSpace(name)
	now := s.now().UTC()
	switch {
	case v.User == "" || v.Token != "":
		return Token{}, "", errs.New(errs.Forbidden, "token.by_person")
	case name == "" || utf8.RuneCountInString(name) > maxTokenName || !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return Token{}, "", errs.New(errs.Invalid, "token.name", maxTokenName)
	case life < time.Hour || life > MaxTokenLife:
		return Token{}, "", errs.New(errs.Invalid, "token.life", int(MaxTokenLife/(24*time.Hour)))
	}
	name, err := Line(name, maxTokenName)
	if err != nil {
		return Token{}, "", err
	}
	if len(roles) == 0 {
		roles = v.Roles
	}
	for _, r := range roles {
		if !v.Is(r) {
			return Token{}, "", errs.New(errs.Invalid, "token.role", r)
		}
	}
	all, err := s.store.Tokens(ctx, v.User)
	if err != nil {
		return Token{}, "", err
	}
	if valid := slices.DeleteFunc(all, func(t Token) bool { return !t.Valid(now) }); len(valid) >= maxTokens {
		return Token{}, "", errs.New(errs.Conflict, "token.too_many", maxTokens)
	}
	t := Token{ID: newID(), User: v.User, Name: name, Roles: slices.Compact(slices.Sorted(slices.Values(roles))),
		CreatedAt: now, ExpiresAt: now.Add(life)}
	secret := newSecret(TokenPrefix)
	e := entry(v, "token.create", "token:"+t.ID, v.Member, map[string]any{"roles": t.Roles, "expires": t.ExpiresAt})
	return t, secret, s.store.CreateToken(ctx, t, HashSecret(secret), e)
}

// List returns the viewer's tokens, newest first.
func (s *Tokens) List(ctx context.Context, v Viewer) ([]Token, error) {
	if v.User == "" {
		return nil, errs.New(errs.Forbidden, "token.by_person")
	}
	return s.store.Tokens(ctx, v.User)
}

// Revoke makes a token of the viewer's useless at once.
func (s *Tokens) Revoke(ctx context.Context, v Viewer, id string) error {
	all, err := s.List(ctx, v)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t Token) bool { return t.ID == id })
	if i < 0 {
		return errs.New(errs.NotFound, "token.unknown")
	}
	if !all[i].RevokedAt.IsZero() {
		return nil
	}
	return s.store.RevokeToken(ctx, id, s.now().UTC(), entry(v, "token.revoke", "token:"+id, v.Member, nil))
}

// Authenticate returns the viewer of a token's secret: the person as it is
// now, with those of the token's roles that it still has.
func (s *Tokens) Authenticate(ctx context.Context, secret string) (Viewer, error) {
	t, err := s.store.TokenByHash(ctx, HashSecret(secret))
	now := s.now().UTC()
	if errs.Is(err, errs.NotFound) || (err == nil && !t.Valid(now)) {
		return Viewer{}, errs.New(errs.Unauthenticated, "token.invalid")
	}
	if err != nil {
		return Viewer{}, err
	}
	v, err := s.persons.Refresh(ctx, t.User)
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Unauthenticated) {
		return Viewer{}, errs.New(errs.Unauthenticated, "token.invalid")
	}
	if err != nil {
		return Viewer{}, err
	}
	v.Token = t.ID
	v.Roles = slices.DeleteFunc(slices.Clone(v.Roles), func(r Role) bool { return !slices.Contains(t.Roles, r) })
	if len(v.Roles) == 0 {
		return Viewer{}, errs.New(errs.Unauthenticated, "token.invalid")
	}
	if now.Sub(t.LastUsed) > time.Minute {
		if err := s.store.TouchToken(ctx, t.ID, now); err != nil && !errs.Is(err, errs.Full) {
			return Viewer{}, err
		}
	}
	return v, nil
}
