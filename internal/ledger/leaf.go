package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Field is one of the things that a leaf of the log commits to.
type Field string

// The fields, as they are named in proofs.
const (
	FieldAt     Field = "at" // microseconds since 1970, UTC, decimal
	FieldActor  Field = "actor"
	FieldAction Field = "action"
	FieldObject Field = "object"
	FieldMember Field = "member"
	FieldDetail Field = "detail"
	FieldChain  Field = "chain" // the row's hash, and by it every row before
)

// Fields lists every field in the order in which a leaf commits to them.
func Fields() []Field {
	return []Field{FieldAt, FieldActor, FieldAction, FieldObject, FieldMember, FieldDetail, FieldChain}
}

func (s Stored) value(f Field) string {
	switch f {
	case FieldAt:
		return strconv.FormatInt(s.At.UnixMicro(), 10)
	case FieldActor:
		return s.Actor
	case FieldAction:
		return s.Action
	case FieldObject:
		return s.Object
	case FieldMember:
		return s.Member
	case FieldDetail:
		return s.Detail
	case FieldChain:
		return s.Hash
	}
	return ""
}

// BlindSize is the length of the key of a [Blinder] in bytes.
const BlindSize = 32

const saltSize = 16

// Blinder makes the leaves of the log. A leaf is a commitment: it binds the
// centre to every field of an entry and shows none of them to whoever keeps a
// copy of the log. Each field can be shown by itself, with its salt. The salts
// come from one key, so nothing more need be kept for an entry.
type Blinder struct{ key [BlindSize]byte }

// NewBlinder takes a secret of BlindSize bytes.
func NewBlinder(key []byte) (Blinder, error) {
	var b Blinder
	if copy(b.key[:], key) != BlindSize || len(key) != BlindSize {
		return b, fmt.Errorf("ledger: a blinding key of %d bytes, want %d", len(key), BlindSize)
	}
	return b, nil
}

// LeafSize is the length of a leaf in bytes.
const LeafSize = sha256.Size

// leafDomain keeps leaves apart from every other hash of the program.
const leafDomain = "aspis ledger leaf 1\n"

// Leaf is what the log holds for an entry.
func (b Blinder) Leaf(s Stored) [LeafSize]byte {
	mac := hmac.New(sha256.New, b.key[:])
	hashes := make([][sha256.Size]byte, 0, len(Fields()))
	for _, f := range Fields() {
		hashes = append(hashes, commit(salt(mac, s.Seq, f), s.value(f)))
	}
	return leaf(s.Seq, hashes)
}

type resetter interface {
	Reset()
	Write(p []byte) (int, error)
	Sum(b []byte) []byte
}

func salt(mac resetter, seq int64, f Field) []byte {
	mac.Reset()
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(seq))
	mac.Write(n[:])      //nolint:errcheck // a hash never fails
	mac.Write([]byte(f)) //nolint:errcheck // a hash never fails
	return mac.Sum(nil)[:saltSize]
}

func commit(salt []byte, value string) [sha256.Size]byte {
	return sha256.Sum256(append(salt[:len(salt):len(salt)], value...))
}

func leaf(seq int64, hashes [][sha256.Size]byte) [LeafSize]byte {
	text := make([]byte, 0, len(leafDomain)+8+len(hashes)*sha256.Size)
	text = append(text, leafDomain...)
	text = binary.BigEndian.AppendUint64(text, uint64(seq))
	for _, h := range hashes {
		text = append(text, h[:]...)
	}
	return sha256.Sum256(text)
}

// Shown is an entry as a proof shows it: fields with what makes them
// checkable, and in place of those withheld their commitments.
type Shown struct {
	Seq    int64        `json:"seq"`
	Fields []ShownField `json:"fields"` // all of them, in the order of Fields
}

// ShownField is a field with its salt, or only its commitment.
type ShownField struct {
	Name  Field  `json:"name"`
	Salt  []byte `json:"salt,omitempty"` // empty: withheld
	Value string `json:"value,omitempty"`
	Hash  []byte `json:"hash,omitempty"` // of a field that is withheld
}

// Withheld reports whether the proof keeps the field's value back.
func (f ShownField) Withheld() bool { return len(f.Salt) == 0 }

// Show opens an entry's leaf, but for the fields that are withheld.
func (b Blinder) Show(s Stored, withhold ...Field) Shown {
	mac := hmac.New(sha256.New, b.key[:])
	shown := Shown{Seq: s.Seq}
	for _, f := range Fields() {
		field := ShownField{Name: f, Salt: salt(mac, s.Seq, f), Value: s.value(f)}
		for _, w := range withhold {
			if w == f {
				h := commit(field.Salt, field.Value)
				field = ShownField{Name: f, Hash: h[:]}
			}
		}
		shown.Fields = append(shown.Fields, field)
	}
	return shown
}

// ErrShown means that an opened entry is not in the form that Show gives.
var ErrShown = errors.New("ledger: the proof does not show an entry in the right form")

// Leaf recomputes the leaf from what is shown.
func (s Shown) Leaf() ([LeafSize]byte, error) {
	names := Fields()
	if s.Seq < 1 || len(s.Fields) != len(names) {
		return [LeafSize]byte{}, ErrShown
	}
	hashes := make([][sha256.Size]byte, len(names))
	for i, f := range s.Fields {
		switch {
		case f.Name != names[i]:
			return [LeafSize]byte{}, fmt.Errorf("%w: field %d is %q, want %q", ErrShown, i, f.Name, names[i])
		case f.Withheld() && len(f.Hash) == sha256.Size && f.Value == "":
			hashes[i] = [sha256.Size]byte(f.Hash)
		case len(f.Salt) == saltSize && len(f.Hash) == 0:
			hashes[i] = commit(f.Salt, f.Value)
		default:
			return [LeafSize]byte{}, fmt.Errorf("%w: field %s", ErrShown, f.Name)
		}
	}
	return leaf(s.Seq, hashes), nil
}

// At is the entry's time; zero where it is withheld or no number.
func (s Shown) At() time.Time {
	for _, f := range s.Fields {
		if us, err := strconv.ParseInt(f.Value, 10, 64); err == nil && f.Name == FieldAt {
			return time.UnixMicro(us).UTC()
		}
	}
	return time.Time{}
}

// SameLeaf compares two leaves.
func SameLeaf(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
