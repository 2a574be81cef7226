package secret

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

var (
	// ErrInvalid means a text that was not sealed for this purpose and id, or
	// that was changed since.
	ErrInvalid = errors.New("secret: the sealed text does not open")
	// ErrUnknownKey means that the key of a sealed text is not in the box.
	ErrUnknownKey = errors.New("secret: sealed with a key that this installation does not have; add the former key below the new one in the key file")
)

// Box seals with its first key and opens with all of them. It is safe for
// concurrent use.
type Box struct {
	keys    map[string]cipher.AEAD
	current string
}

// New returns a box over keys of KeySize bytes, the current one first.
func New(keys ...[]byte) (*Box, error) {
	if len(keys) == 0 {
		return nil, errors.New("secret: no key")
	}
	b := &Box{keys: make(map[string]cipher.AEAD, len(keys))}
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("secret: key %d has %d bytes, want %d", i+1, len(key), KeySize)
		}
		both, err := hkdf.Expand(sha256.New, key, "aspis secret v1", KeySize+4)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		aead, err := chacha20poly1305.NewX(both[:KeySize])
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		id := hex.EncodeToString(both[KeySize:])
		b.keys[id] = aead
		if i == 0 {
			b.current = id
		}
	}
	return b, nil
}

// version begins every sealed text: XChaCha20-Poly1305 with a random nonce.
const version = "v1"

// Seal returns a text of printable ASCII, 4/3 of the plain length and 70
// characters more. Sealing twice gives two texts.
func (b *Box) Seal(purpose, id string, plain []byte) (string, error) {
	if purpose == "" || id == "" {
		return "", errors.New("secret: seal without a purpose or an id")
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	rand.Read(nonce)
	sealed := b.keys[b.current].Seal(nonce, nonce, plain, bound(b.current, purpose, id))
	return strings.Join([]string{version, b.current, base64.RawURLEncoding.EncodeToString(sealed)}, "."), nil
}

// Open returns what was sealed for the purpose and id; ErrInvalid or
// ErrUnknownKey otherwise.
func (b *Box) Open(purpose, id, sealed string) ([]byte, error) {
	key, text, err := parts(sealed)
	if err != nil {
		return nil, err
	}
	aead, ok := b.keys[key]
	if !ok {
		return nil, ErrUnknownKey
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < chacha20poly1305.NonceSizeX {
		return nil, ErrInvalid
	}
	nonce, sealedBytes := raw[:chacha20poly1305.NonceSizeX], raw[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealedBytes, bound(key, purpose, id))
	if err != nil {
		return nil, ErrInvalid
	}
	return plain, nil
}

// Stale reports whether a sealed text wants to be sealed again because its
// key is no longer the current one.
func (b *Box) Stale(sealed string) bool {
	key, _, err := parts(sealed)
	return err == nil && key != b.current
}

func parts(sealed string) (key, text string, err error) {
	v, rest, _ := strings.Cut(sealed, ".")
	key, text, ok := strings.Cut(rest, ".")
	if v != version || !ok {
		return "", "", ErrInvalid
	}
	return key, text, nil
}

// bound is the associated data: each part behind its length, so that no two
// lists of parts are the same bytes.
func bound(parts ...string) []byte {
	var out []byte
	for _, p := range append([]string{version}, parts...) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
