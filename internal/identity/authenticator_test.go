package identity_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// authenticator is a security key in software: one ES256 credential, made and
// used as WebAuthn Level 3 says (sections 6.1 and 6.5).
type authenticator struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte // of the user, from the registration
	origin  string
	rp      string
	counter uint32
	flags   byte // user present, user verified
}

const (
	userPresent  = 0x01
	userVerified = 0x04
	withKey      = 0x40
)

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &authenticator{t: t, key: key, id: id, origin: "http://localhost:8080", rp: "localhost", counter: 1, flags: userPresent | userVerified}
}

type question struct {
	PublicKey struct {
		Challenge string
		User      struct{ ID string }
		RPID      string
	}
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (a *authenticator) clientData(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	must(a.t, err)
	return raw
}

func (a *authenticator) data(flags byte) []byte {
	rp := sha256.Sum256([]byte(a.rp))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), a.counter)
}

// cbor writes the few things of RFC 8949 that an attestation needs.
func cborBytes(raw []byte) []byte {
	return append([]byte{0x59, byte(len(raw) >> 8), byte(len(raw))}, raw...)
}

func cborText(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) }

// publicKey is the key in COSE (RFC 9053, section 7.1.1).
func (a *authenticator) publicKey() []byte {
	point, err := a.key.PublicKey.Bytes()
	must(a.t, err)
	return bytes.Join([][]byte{
		{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, cborBytes(point[1:33]), {0x22}, cborBytes(point[33:]),
	}, nil)
}

// create answers a question for a new passkey.
func (a *authenticator) create(options []byte) string {
	a.t.Helper()
	var q question
	must(a.t, json.Unmarshal(options, &q))
	handle, err := base64.RawURLEncoding.DecodeString(q.PublicKey.User.ID)
	must(a.t, err)
	a.handle = handle
	data := bytes.Join([][]byte{
		a.data(a.flags | withKey), make([]byte, 16), {0, byte(len(a.id))}, a.id, a.publicKey(),
	}, nil)
	object := bytes.Join([][]byte{
		{0xa3}, cborText("fmt"), cborText("none"), cborText("attStmt"), {0xa0}, cborText("authData"), cborBytes(data),
	}, nil)
	return a.answer(map[string]any{
		"clientDataJSON": b64(a.clientData("webauthn.create", q.PublicKey.Challenge)), "attestationObject": b64(object),
	})
}

// get answers a question for a passkey.
func (a *authenticator) get(options []byte) string {
	a.t.Helper()
	var q question
	must(a.t, json.Unmarshal(options, &q))
	client, data := a.clientData("webauthn.get", q.PublicKey.Challenge), a.data(a.flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	must(a.t, err)
	return a.answer(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle),
	})
}

func (a *authenticator) answer(response map[string]any) string {
	raw, err := json.Marshal(map[string]any{
		"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	})
	must(a.t, err)
	return string(raw)
}
