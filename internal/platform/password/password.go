// Package password hashes passwords and tells which are too easy to guess.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// argon2id (RFC 9106) with 19 MiB, two passes, one lane.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKeySize = 32
	saltSize     = 16
)

// Bounds of a password.
const (
	MinLength = 12  // characters
	MaxBytes  = 256 // a bound on work
)

// scored bounds, in characters, what the estimate of strength reads of a
// password and of each penalised word: its work grows with the square. What
// is strong this far is strong.
const (
	scored       = 64
	maxPenalised = 24
)

// minScore is what zxcvbn calls safely unguessable online: 10^8 guesses and
// more (Wheeler, USENIX Security 2016, section 5).
const minScore = 3

// Decoy is verified when there is no such account, so that the time taken
// does not tell.
const Decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Hasher hashes a few passwords at a time: each takes 19 MiB.
type Hasher struct{ turns chan struct{} }

// NewHasher returns a hasher that works on n passwords at once.
func NewHasher(n int) *Hasher { return &Hasher{make(chan struct{}, n)} }

func (h *Hasher) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Hash is the PHC string of a password that Check has passed. The same
// password typed with composed or decomposed characters hashes alike.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, saltSize)
	rand.Read(salt)
	key := argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, argonTime, argonMemory, argonThreads, argonKeySize)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Verify checks a password against a PHC string of Hash's.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
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
	if len(password) > MaxBytes {
		password = "" // no stored password is; the time is the same
	}
	done, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	got := argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Check refuses (errs.Invalid) a password that is too short, too long, or
// easy to guess for somebody who knows the words: the person's address, the
// institution's names.
func Check(password string, words ...string) error {
	switch {
	case utf8.RuneCountInString(password) < MinLength:
		return errs.New(errs.Invalid, "password.short", MinLength)
	case len(password) > MaxBytes:
		return errs.New(errs.Invalid, "password.long", MaxBytes)
	}
	text, known := head(norm.NFC.String(password), scored), penalised(words)
	if fewCharacters(text, known) || zxcvbn.PasswordStrength(text, known).Score < minScore {
		return errs.New(errs.Invalid, "password.weak")
	}
	return nil
}

// minDistinct is how many different characters must be left of a password
// without the known words.
const minDistinct = 6

// fewCharacters is for what zxcvbn, which reads bytes, does not see: words in
// Chinese, and few characters over and over.
func fewCharacters(text string, known []string) bool {
	text = strings.ToLower(text)
	for _, word := range known {
		text = strings.ReplaceAll(text, word, "")
	}
	distinct := map[rune]bool{}
	for _, r := range text {
		distinct[r] = true
	}
	return len(distinct) < minDistinct
}

// penalised are the words as zxcvbn compares them: in lower case, whole and
// in their parts.
func penalised(words []string) []string {
	var all []string
	for _, w := range words {
		w = strings.ToLower(norm.NFC.String(w))
		all = append(all, head(w, maxPenalised))
		for _, between := range []string{" @", " @.", " @.-_·,()"} {
			for _, p := range strings.FieldsFunc(w, func(r rune) bool { return strings.ContainsRune(between, r) }) {
				if utf8.RuneCountInString(p) > 2 {
					all = append(all, head(p, maxPenalised))
				}
			}
		}
	}
	return all
}

func head(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
