package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// NewKey makes the key that signs checkpoints, as one line of text
// (c2sp.org/signed-note). Its name is the log's origin and unlike any other's.
func NewKey() ([]byte, error) {
	skey, _, err := note.GenerateKey(rand.Reader, "aspis-ledger-"+strings.ToLower(rand.Text()[:12]))
	if err != nil {
		return nil, fmt.Errorf("ledger: make a key: %w", err)
	}
	return []byte(skey + "\n"), nil
}

// ErrKey means that a signing key is not in the form that NewKey gives.
var ErrKey = errors.New("ledger: this is no signing key of a ledger; restore it from a backup")

// PublicKey is the verifier key of a signing key: what proofs, checkpoints and
// copies are checked with.
func PublicKey(key []byte) (string, error) {
	text := strings.TrimSpace(string(key))
	signer, err := note.NewSigner(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	// NewSigner has checked the form: PRIVATE+KEY+NAME+HASH+base64(1 ‖ seed).
	parts := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", ErrKey
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", ErrKey
	}
	vkey, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	return vkey, nil
}
