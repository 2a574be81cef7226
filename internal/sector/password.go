package sector

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Password hashing: argon2id (RFC 9106) with 19 MiB, two passes, one lane.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKeySize = 32
	saltSize     = 16
)

const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes, a bound on work
)

// decoy is verified when there is no such account, so that the time taken
// does not tell.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Authenticate returns whom an address and password sign in. A wrong address
// and a wrong password look and take the same.
func (d *Directory) Authenticate(ctx context.Context, email, password string) (Viewer, error) {
	refused := errs.New(errs.Unauthenticated, "signin.refused")
	u, err := d.users.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Viewer{}, err
	}
	hash := u.PasswordHash
	if hash == "" {
		hash = decoy
	}
	ok, err := d.verifyPassword(ctx, hash, password)
	if err != nil {
		return Viewer{}, err
	}
	if !ok || u.PasswordHash == "" {
		return Viewer{}, refused
	}
	return d.viewer(ctx, u)
}

// SetPassword sets the viewer's own password.
func (d *Directory) SetPassword(ctx context.Context, v Viewer, password string) error {
	if v.User == "" {
		return errs.New(errs.Forbidden, "signin.people_only")
	}
	hash, err := d.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "user.password", Object: "user:" + string(v.User), Member: string(v.Member)}
	return d.users.SetPassword(ctx, v.User, hash, e)
}

// turn waits for a place among the few that may hash at once: 19 MiB each.
func (d *Directory) turn(ctx context.Context) (done func(), err error) {
	select {
	case d.hashing <- struct{}{}:
		return func() { <-d.hashing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *Directory) hashPassword(ctx context.Context, password string) (string, error) {
	if utf8.RuneCountInString(password) < minPassword {
		return "", errs.New(errs.Invalid, "signin.password_short", minPassword)
	}
	if len(password) > maxPassword {
		return "", errs.New(errs.Invalid, "signin.password_long", maxPassword)
	}
	done, err := d.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, saltSize)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKeySize)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// verifyPassword checks a password against a PHC string of hashPassword's.
func (d *Directory) verifyPassword(ctx context.Context, phc, password string) (bool, error) {
	var version, memory, passes, lanes int
	head, keyText, _ := cutLast(phc, "$")
	head, saltText, _ := cutLast(head, "$")
	if _, err := fmt.Sscanf(head, "$argon2id$v=%d$m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil {
		return false, fmt.Errorf("stored password hash: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(saltText)
	if err != nil {
		return false, fmt.Errorf("stored password salt: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(keyText)
	if err != nil {
		return false, fmt.Errorf("stored password key: %w", err)
	}
	if len(password) > maxPassword {
		return false, nil
	}
	done, err := d.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
