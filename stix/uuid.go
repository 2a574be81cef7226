package stix

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 9562 defines version 5 over SHA-1; it is a name, not a seal.
	"encoding/hex"
	"errors"
	"fmt"
)

// UUID is a 128-bit identifier in network byte order (RFC 9562).
type UUID [16]byte

// ObservableNamespace is the namespace of deterministic observable identifiers
// (STIX 2.1, section 2.9).
func ObservableNamespace() UUID {
	return UUID{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}
}

var errUUID = errors.New("not a UUID of version 1 to 5 in 8-4-4-4-12 form")

// ParseUUID reads the 36-character form, in either case. Versions 1 to 5 with
// the RFC variant are accepted, as in the OASIS schema.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, errUUID
	}
	packed := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(u[:], []byte(packed)); err != nil {
		return UUID{}, errUUID
	}
	if version := u[6] >> 4; version < 1 || version > 5 || u[8]&0xc0 != 0x80 {
		return UUID{}, errUUID
	}
	return u, nil
}

// RandomUUID returns a version 4 UUID.
func RandomUUID() UUID {
	var u UUID
	rand.Read(u[:]) //nolint:errcheck // crypto/rand.Read does not return errors since Go 1.24.
	return u.stamp(4)
}

// NameUUID returns the version 5 UUID of name in the namespace.
func NameUUID(namespace UUID, name []byte) UUID {
	h := sha1.New() //nolint:gosec // see the import.
	h.Write(namespace[:])
	h.Write(name)
	var u UUID
	copy(u[:], h.Sum(nil))
	return u.stamp(5)
}

func (u UUID) stamp(version byte) UUID {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	return u
}

// String is the lower-case 36-character form.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
