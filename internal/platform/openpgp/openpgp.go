// Package openpgp encrypts to people's public keys (RFC 9580) and puts what
// was encrypted into mail (RFC 3156).
package openpgp

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// The reasons for which a key is refused.
var (
	ErrNoKey        = errors.New("openpgp: not one public key")
	ErrTooLarge     = errors.New("openpgp: the key is too large")
	ErrPrivate      = errors.New("openpgp: a private key")
	ErrExpired      = errors.New("openpgp: the key has expired")
	ErrRevoked      = errors.New("openpgp: the key was revoked")
	ErrNoEncryption = errors.New("openpgp: the key has no part that encrypts")
)

// MaxKey bounds an armoured key in bytes. Keys with many signatures of others
// are larger; they can be exported without them.
const MaxKey = 64 << 10

// Key is a public key that can be encrypted to.
type Key struct {
	Armored     string
	Fingerprint string    // hex, lower case
	Expires     time.Time // of the key or its encrypting part, whichever is first; zero: never
	Names       []string  // its user ids, as their owner wrote them
	key         *crypto.Key
}

// maxNames bounds the user ids that are shown.
const maxNames = 5

// Parse reads one armoured public key and checks that it can be encrypted to
// at the time. The error is one of this package's.
func Parse(armored string, now time.Time) (Key, error) {
	if len(armored) > MaxKey {
		return Key{}, ErrTooLarge
	}
	if strings.Contains(armored, "PRIVATE KEY BLOCK") {
		return Key{}, ErrPrivate
	}
	k, err := crypto.NewKeyFromArmored(strings.TrimSpace(armored))
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	if k.IsPrivate() {
		return Key{}, ErrPrivate
	}
	if err := usable(k, now); err != nil {
		return Key{}, err
	}
	clean, err := k.GetArmoredPublicKey()
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	out := Key{Armored: clean, Fingerprint: k.GetFingerprint(), Expires: expiry(k, now), key: k}
	for _, id := range k.GetEntity().Identities {
		if len(out.Names) < maxNames {
			out.Names = append(out.Names, strings.ToValidUTF8(id.Name, "�"))
		}
	}
	return out, nil
}

func usable(k *crypto.Key, now time.Time) error {
	at := now.Unix()
	switch {
	case k.IsRevoked(at):
		return ErrRevoked
	case k.IsExpired(at):
		return ErrExpired
	case k.CanEncrypt(at):
		return nil
	case k.GetEntity().PrimaryKey.CreationTime.Before(now) && encryptedOnce(k):
		return ErrExpired
	}
	return ErrNoEncryption
}

// encryptedOnce reports whether a part of the key could be encrypted to when
// it was made: now it has expired.
func encryptedOnce(k *crypto.Key) bool {
	for _, sub := range k.GetEntity().Subkeys {
		if k.CanEncrypt(sub.PublicKey.CreationTime.Unix()) {
			return true
		}
	}
	return false
}

// expiry is when the key can no longer be encrypted to.
func expiry(k *crypto.Key, now time.Time) time.Time {
	var first time.Time
	note := func(created time.Time, life *uint32) {
		if life == nil || *life == 0 {
			return
		}
		if at := created.Add(time.Duration(*life) * time.Second).UTC(); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	e := k.GetEntity()
	if sig, err := e.PrimarySelfSignature(now, nil); err == nil {
		note(e.PrimaryKey.CreationTime, sig.KeyLifetimeSecs)
	}
	if sub, ok := e.EncryptionKey(now, nil); ok && sub.SelfSignature != nil {
		note(sub.PublicKey.CreationTime, sub.SelfSignature.KeyLifetimeSecs)
	}
	return first
}

// Encrypt encrypts the bytes to the key and armours them. It fails with
// ErrExpired when the key's time is over: nothing is ever encrypted to a key
// that its owner has let run out.
func (k Key) Encrypt(plain []byte, now time.Time) ([]byte, error) {
	if k.key == nil {
		return nil, ErrNoKey
	}
	if err := usable(k.key, now); err != nil {
		return nil, err
	}
	// The library asks for the part that encrypts at the time it is given.
	handle, err := crypto.PGP().Encryption().Recipient(k.key).EncryptionTime(now.Unix()).New()
	if err != nil {
		return nil, fmt.Errorf("openpgp: %w", err)
	}
	message, err := handle.Encrypt(plain)
	if err != nil {
		return nil, fmt.Errorf("openpgp: encrypt: %w", err)
	}
	armored, err := message.ArmorBytes()
	if err != nil {
		return nil, fmt.Errorf("openpgp: armour: %w", err)
	}
	return armored, nil
}

// Entity is a MIME part of plain text with its subject inside, to be
// encrypted (RFC 9788: the header outside tells nothing).
func Entity(subject, text string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("Content-Type: text/plain; charset=\"utf-8\"; hp=\"cipher\"\r\n")
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n")
	b.WriteString("Subject: " + mime.QEncoding.Encode("utf-8", subject) + "\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, fmt.Errorf("openpgp: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("openpgp: %w", err)
	}
	return b.Bytes(), nil
}
