package stix

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// ErrID is what every identifier error wraps.
var ErrID = errors.New("invalid identifier")

// ID is a STIX identifier: an object type, two hyphens, a UUID
// (STIX 2.1, section 2.9). The empty ID means "absent".
type ID string

// ParseID checks s strictly: a legal type name of 3 to 250 characters and a UUID
// of version 1 to 5.
func ParseID(s string) (ID, error) {
	typ, tail, ok := strings.Cut(s, "--")
	if !ok {
		return "", fmt.Errorf("%w: %q has no \"--\"", ErrID, clip(s))
	}
	if !validTypeName(typ) {
		return "", fmt.Errorf("%w: %q is not an object type", ErrID, clip(typ))
	}
	if _, err := ParseUUID(tail); err != nil {
		return "", fmt.Errorf("%w: %q: %w", ErrID, clip(s), err)
	}
	return ID(s), nil
}

// NewID returns typ with a random version 4 UUID.
func NewID(typ string) ID { return MakeID(typ, RandomUUID()) }

// MakeID joins a type and a UUID.
func MakeID(typ string, u UUID) ID { return ID(typ + "--" + u.String()) }

// NameID returns the identifier that typ and parts always get in the caller's
// namespace: version 5 over the canonical JSON array [typ, parts...]. The parts
// are delimited by JSON, so ("a", "bc") and ("ab", "c") differ.
func NameID(namespace UUID, typ string, parts ...string) ID {
	var name bytes.Buffer
	name.WriteByte('[')
	canonicalString(&name, typ)
	for _, part := range parts {
		name.WriteByte(',')
		canonicalString(&name, part)
	}
	name.WriteByte(']')
	return MakeID(typ, NameUUID(namespace, name.Bytes()))
}

// Type is the part before the two hyphens, empty when there are none.
func (id ID) Type() string {
	typ, _, ok := strings.Cut(string(id), "--")
	if !ok {
		return ""
	}
	return typ
}

// UUID is the part after the two hyphens.
func (id ID) UUID() (UUID, error) {
	_, tail, _ := strings.Cut(string(id), "--")
	return ParseUUID(tail)
}

// validTypeName implements section 2.2 ("type"): lower-case letters, digits and
// single hyphens, a letter first, 3 to 250 characters. The deprecated single
// trailing hyphen that the schema tolerates is not.
func validTypeName(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && s[i-1] != '-' && i < len(s)-1:
		default:
			return false
		}
	}
	return true
}

// clip keeps foreign text in error messages short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
