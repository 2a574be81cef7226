package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// ErrLimit is what every exceeded limit wraps.
var ErrLimit = errors.New("limit exceeded")

// Limits bound what a decoder accepts from outside.
type Limits struct {
	Bytes   int // of the whole text
	Depth   int // of nested objects and lists
	Objects int // in one bundle
	Values  int // of JSON values altogether
}

// DefaultLimits take the largest public bundles (ATT&CK Enterprise is some 50
// MB) with room to spare.
func DefaultLimits() Limits {
	return Limits{Bytes: 128 << 20, Depth: 32, Objects: 200_000, Values: 20_000_000}
}

// DecodeObject reads one object. Unknown properties are kept. Semantic rules are
// not checked: call Validate.
func DecodeObject(data []byte, limits Limits) (Object, error) {
	if err := checkText(data, limits); err != nil {
		return nil, fmt.Errorf("decode STIX object: %w", err)
	}
	o, err := decodeObject(data, "")
	if err != nil {
		return nil, fmt.Errorf("decode STIX object: %w", err)
	}
	return o, nil
}

func decodeObject(data []byte, path string) (Object, error) {
	var head struct {
		Type json.RawMessage `json:"type"`
	}
	var typ string
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, &PropertyError{Path: path, Reason: "must be a JSON object"}
	}
	if head.Type == nil || json.Unmarshal(head.Type, &typ) != nil || !validTypeName(typ) {
		return nil, &PropertyError{Path: joinPath(path, "type"), Reason: "must be an object type"}
	}
	o := emptyObject(typ)
	if err := decodeRecord(data, path, o); err != nil {
		return nil, err
	}
	if o.Head().Type != typ { // a second, differently cased "Type" misled the first look
		return nil, &PropertyError{Path: joinPath(path, "type"), Reason: "must be given once"}
	}
	if o.Head().ID.Type() != typ {
		return nil, &PropertyError{Path: joinPath(path, "id"), Reason: "must be an identifier of type " + typ, Err: ErrID}
	}
	return o, nil
}

type objectRecord interface {
	Object
	record
}

func emptyObject(typ string) objectRecord {
	switch typ {
	case "identity":
		return &Identity{}
	case "indicator":
		return &Indicator{}
	case "report":
		return &Report{}
	case "note":
		return &Note{}
	case "opinion":
		return &Opinion{}
	case "observed-data":
		return &ObservedData{}
	case "relationship":
		return &Relationship{}
	case "sighting":
		return &Sighting{}
	case "marking-definition":
		return &MarkingDefinition{}
	case "language-content":
		return &LanguageContent{}
	}
	return emptyObservable(typ)
}

func emptyObservable(typ string) objectRecord {
	switch typ {
	case "ipv4-addr":
		return &IPv4Addr{}
	case "ipv6-addr":
		return &IPv6Addr{}
	case "domain-name":
		return &DomainName{}
	case "url":
		return &URL{}
	case "email-addr":
		return &EmailAddr{}
	case "file":
		return &File{}
	case "user-account":
		return &UserAccount{}
	}
	return &Custom{}
}

// checkText walks the JSON once, before anything is built from it: encoding,
// size, depth, number of values, and names given twice in one object, of which
// different readers would believe different ones.
func checkText(data []byte, limits Limits) error {
	if len(data) > limits.Bytes {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrLimit, len(data), limits.Bytes)
	}
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data)), limits: limits}
	w.dec.UseNumber()
	if err := w.value(0); err != nil {
		return err
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one JSON value, at byte %d", w.dec.InputOffset())
	}
	return nil
}

type walker struct {
	dec    *json.Decoder
	limits Limits
	values int
}

func (w *walker) token() (json.Token, error) {
	token, err := w.dec.Token()
	if err != nil {
		return nil, fmt.Errorf("not JSON, at byte %d: %w", w.dec.InputOffset(), err)
	}
	return token, nil
}

func (w *walker) value(depth int) error {
	token, err := w.token()
	if err != nil {
		return err
	}
	if w.values++; w.values > w.limits.Values {
		return fmt.Errorf("%w: more than %d values", ErrLimit, w.limits.Values)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth >= w.limits.Depth {
		return fmt.Errorf("%w: nested deeper than %d, at byte %d", ErrLimit, w.limits.Depth, w.dec.InputOffset())
	}
	if delim == '{' {
		return w.object(depth)
	}
	for w.dec.More() {
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	_, err = w.token()
	return err
}

func (w *walker) object(depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok || seen[name] {
			return fmt.Errorf("property %q given twice, at byte %d", clip(name), w.dec.InputOffset())
		}
		seen[name] = true
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := w.token()
	return err
}
