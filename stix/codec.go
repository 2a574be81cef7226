package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// PropertyError says which property is wrong and why. Path is written like
// "objects[3].external_references[0].url"; it is empty for the value itself.
type PropertyError struct {
	Path   string
	Reason string
	Err    error // the cause, when there is one to tell apart (ErrID, ErrTimestamp)
}

// Error implements error.
func (e *PropertyError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// Unwrap gives the cause.
func (e *PropertyError) Unwrap() error { return e.Err }

// record is anything with known properties and a place for the others.
type record interface {
	// props names each known property once, in the order it is written.
	props(*codec)
	rest() *map[string]json.RawMessage
}

// codec carries one record in one direction. The same props method serves both,
// so that reading and writing cannot drift apart.
//
// A property that is present but empty ("", false, []) is left in the rest when
// decoding and written from there as long as the typed field is still empty.
// That keeps decode and encode lossless without a pointer for every field.
type codec struct {
	decoding bool
	path     string
	in       map[string]json.RawMessage
	out      bytes.Buffer
	written  map[string]bool
	err      error
}

func decodeRecord(data []byte, path string, r record) error {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil || in == nil {
		return &PropertyError{Path: path, Reason: "must be a JSON object"}
	}
	c := &codec{decoding: true, path: path, in: in}
	r.props(c)
	if c.err != nil {
		return c.err
	}
	if len(in) > 0 {
		*r.rest() = in
	}
	return nil
}

func encodeRecord(r record) ([]byte, error) {
	c := &codec{written: map[string]bool{}}
	c.out.WriteByte('{')
	r.props(c)
	rest := *r.rest()
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if !c.written[name] {
			c.write(name, rest[name])
		}
	}
	c.out.WriteByte('}')
	return c.out.Bytes(), c.err
}

// prop carries one property whose Go value p points to.
func (c *codec) prop(name string, p any) {
	if c.err != nil {
		return
	}
	if c.decoding {
		c.take(name, func(raw json.RawMessage, path string) error { return decodeValue(raw, path, p) }, p)
		return
	}
	if isEmpty(p) {
		return
	}
	raw, err := marshal(p)
	if err != nil {
		c.err = &PropertyError{Path: name, Reason: err.Error(), Err: err}
		return
	}
	c.write(name, raw)
}

// list carries an array of records.
func list[T any, P interface {
	*T
	record
}](c *codec, name string, items *[]T) {
	if !c.decoding {
		c.prop(name, items)
		return
	}
	c.take(name, func(raw json.RawMessage, path string) error {
		var parts []json.RawMessage
		if err := json.Unmarshal(raw, &parts); err != nil {
			return &PropertyError{Path: path, Reason: "must be a list"}
		}
		*items = make([]T, len(parts))
		for i, part := range parts {
			if err := decodeRecord(part, fmt.Sprintf("%s[%d]", path, i), P(&(*items)[i])); err != nil {
				return err
			}
		}
		return nil
	}, items)
}

// take decodes one property and removes it from the rest unless it is empty.
func (c *codec) take(name string, decode func(json.RawMessage, string) error, p any) {
	raw, ok := c.in[name]
	if !ok || c.err != nil {
		return
	}
	path := joinPath(c.path, name)
	if string(raw) == "null" {
		c.err = &PropertyError{Path: path, Reason: "null is not allowed"}
		return
	}
	if c.err = decode(raw, path); c.err == nil && !isEmpty(p) {
		delete(c.in, name)
	}
}

func (c *codec) write(name string, raw []byte) {
	if c.out.Len() > 1 {
		c.out.WriteByte(',')
	}
	key, err := marshal(name)
	if err != nil {
		c.err = err
	}
	c.out.Write(key)
	c.out.WriteByte(':')
	c.out.Write(raw)
	c.written[name] = true
}

func decodeValue(raw json.RawMessage, path string, p any) error {
	switch p := p.(type) {
	case *ID:
		return decodeID(raw, path, p)
	case *[]ID:
		return decodeIDs(raw, path, p)
	case *[]string:
		return decodeStrings(raw, path, p)
	}
	err := json.Unmarshal(raw, p)
	if err == nil {
		return nil
	}
	reason := "must be " + kindOf(p)
	if errors.Is(err, ErrTimestamp) {
		reason = err.Error()
	}
	return &PropertyError{Path: path, Reason: reason, Err: err}
}

func decodeID(raw json.RawMessage, path string, p *ID) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return &PropertyError{Path: path, Reason: "must be an identifier", Err: ErrID}
	}
	id, err := ParseID(s)
	if err != nil {
		return &PropertyError{Path: path, Reason: err.Error(), Err: err}
	}
	*p = id
	return nil
}

func decodeIDs(raw json.RawMessage, path string, p *[]ID) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return &PropertyError{Path: path, Reason: "must be a list of identifiers"}
	}
	ids := make([]ID, len(parts))
	for i, part := range parts {
		if err := decodeID(part, fmt.Sprintf("%s[%d]", path, i), &ids[i]); err != nil {
			return err
		}
	}
	*p = ids
	return nil
}

func decodeStrings(raw json.RawMessage, path string, p *[]string) error {
	var parts []*string // pointers, because a null would pass as ""
	if err := json.Unmarshal(raw, &parts); err != nil {
		return &PropertyError{Path: path, Reason: "must be a list of strings"}
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		if part == nil {
			return &PropertyError{Path: fmt.Sprintf("%s[%d]", path, i), Reason: "null is not allowed"}
		}
		texts[i] = *part
	}
	*p = texts
	return nil
}

func kindOf(p any) string {
	switch p.(type) {
	case *string:
		return "a string"
	case *bool:
		return "true or false"
	case *int, **int, *int64, **int64:
		return "an integer"
	case *Timestamp:
		return "a timestamp"
	}
	return "an object of the right shape"
}

func isEmpty(p any) bool {
	v := reflect.ValueOf(p).Elem()
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// marshal is json.Marshal without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

func joinPath(parent, name string) string {
	if parent == "" || strings.HasPrefix(name, "[") {
		return parent + name
	}
	return parent + "." + name
}
