// Package seal makes tokens that only this installation can read: cursors and
// the like, which would otherwise tell a member things (positions, times of
// others) that are not its business.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeySize is the length of a sealing key in bytes.
const KeySize = 32

// ErrInvalid means a token that this key did not make for this purpose.
var ErrInvalid = errors.New("seal: not a valid token")

// Sealer seals small plaintexts for one purpose. It is deterministic: equal
// plaintexts give equal tokens, so that a repeated request gives the same
// answer byte for byte.
type Sealer struct {
	aead     cipher.AEAD
	nonceKey []byte
}

// New returns a sealer; sealers of different purposes do not read each
// other's tokens.
func New(key []byte, purpose string) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: key of %d bytes, want %d", len(key), KeySize)
	}
	keys, err := hkdf.Expand(sha256.New, key, "aspis seal "+purpose, 2*KeySize)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	block, err := aes.NewCipher(keys[:KeySize])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Sealer{aead: aead, nonceKey: keys[KeySize:]}, nil
}

// Seal returns a URL-safe token. The nonce is a MAC of the plaintext
// (synthetic IV, after RFC 5297), so it repeats only with the plaintext.
func (s *Sealer) Seal(plain []byte) string {
	mac := hmac.New(sha256.New, s.nonceKey)
	mac.Write(plain)
	nonce := mac.Sum(nil)[:s.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil))
}

// Open returns what was sealed, or ErrInvalid.
func (s *Sealer) Open(token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return nil, ErrInvalid
	}
	plain, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], nil)
	if err != nil {
		return nil, ErrInvalid
	}
	return plain, nil
}
