package stix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bundle is a collection of objects for transport; it means nothing by itself
// (STIX 2.1, chapter 8).
type Bundle struct {
	ID      ID
	Objects []Object
	Extra   map[string]json.RawMessage
}

// NewBundle collects objects under a random identifier. The same version of an
// object is taken once.
func NewBundle(objects ...Object) *Bundle {
	b := &Bundle{ID: NewID("bundle")}
	type version struct {
		id ID
		at int64
	}
	seen := map[version]bool{}
	for _, o := range objects {
		head := o.Head()
		v := version{head.ID, head.Modified.Time().UnixNano()}
		if !seen[v] {
			seen[v] = true
			b.Objects = append(b.Objects, o)
		}
	}
	return b
}

// MarshalJSON implements json.Marshaler.
func (b *Bundle) MarshalJSON() ([]byte, error) { return encodeRecord(&bundleRecord{bundle: b}) }

// bundleRecord is the bundle on the wire.
type bundleRecord struct {
	bundle  *Bundle
	kind    string
	objects []json.RawMessage
}

func (r *bundleRecord) rest() *map[string]json.RawMessage { return &r.bundle.Extra }

func (r *bundleRecord) props(k *codec) {
	if !k.decoding {
		r.kind = "bundle"
	}
	k.prop("type", &r.kind)
	k.prop("id", &r.bundle.ID)
	if k.decoding {
		k.prop("objects", &r.objects)
		return
	}
	k.prop("objects", &r.bundle.Objects)
}

// BadObjects says which objects of a bundle could not be read. Each error names
// its path, "objects[3]…".
type BadObjects struct{ Errors []error }

// Error names the first few.
func (e *BadObjects) Error() string {
	const most = 5
	shown := e.Errors
	if len(shown) > most {
		shown = append(append([]error{}, shown[:most]...), fmt.Errorf("and %d more", len(e.Errors)-most))
	}
	return errors.Join(shown...).Error()
}

// Unwrap gives all of them.
func (e *BadObjects) Unwrap() []error { return e.Errors }

// DecodeBundle reads a bundle. When only single objects are wrong it returns the
// bundle of the others together with a *BadObjects, and the caller decides
// whether to go on without them; on any other error the bundle is nil.
func DecodeBundle(data []byte, limits Limits) (*Bundle, error) {
	if err := checkText(data, limits); err != nil {
		return nil, fmt.Errorf("decode STIX bundle: %w", err)
	}
	b := &Bundle{}
	r := &bundleRecord{bundle: b}
	if err := decodeRecord(data, "", r); err != nil {
		return nil, fmt.Errorf("decode STIX bundle: %w", err)
	}
	if r.kind != "bundle" || b.ID.Type() != "bundle" {
		return nil, fmt.Errorf("decode STIX bundle: %w", &PropertyError{Path: "type", Reason: "type and id must be those of a bundle"})
	}
	if len(r.objects) > limits.Objects {
		return nil, fmt.Errorf("decode STIX bundle: %w: %d objects, at most %d are read", ErrLimit, len(r.objects), limits.Objects)
	}
	if err := b.decodeObjects(r.objects); err != nil {
		return b, fmt.Errorf("decode STIX bundle: %w", err)
	}
	return b, nil
}

func (b *Bundle) decodeObjects(parts []json.RawMessage) error {
	bad := &BadObjects{}
	for i, part := range parts {
		o, err := decodeObject(part, fmt.Sprintf("objects[%d]", i))
		if err != nil {
			bad.Errors = append(bad.Errors, err)
			continue
		}
		b.Objects = append(b.Objects, o)
	}
	if len(bad.Errors) > 0 {
		return bad
	}
	return nil
}

// ReadBundle reads a bundle from r, never more than limits.Bytes of it.
func ReadBundle(r io.Reader, limits Limits) (*Bundle, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(limits.Bytes)+1))
	if err != nil {
		return nil, fmt.Errorf("read STIX bundle: %w", err)
	}
	return DecodeBundle(data, limits)
}
