package event

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Value is one value of a record. It is small, is passed by value, and refers
// to the record's bytes. The zero Value is Missing.
type Value struct {
	tape *tape // of a List or Object
	text string
	node uint32
	kind Kind
}

// StringValue makes a String.
func StringValue(s string) Value { return Value{kind: String, text: s} }

// NumberValue makes a Number from its literal, which is kept as written.
func NumberValue(literal string) Value { return Value{kind: Number, text: literal} }

// BoolValue makes a Bool.
func BoolValue(b bool) Value { return Value{kind: Bool, text: strconv.FormatBool(b)} }

// NullValue makes a Null.
func NullValue() Value { return Value{kind: Null} }

// ListValue makes a List, for tests and tools: it builds a small record of its
// own. Numbers whose literal is not a JSON number come back as strings.
func ListValue(items ...Value) Value {
	raw := append([]byte(`{"":`), appendList(nil, items)...)
	raw = append(raw, '}')
	t, err := scanJSON(raw, Limits{MaxBytes: hardMaxBytes, MaxDepth: hardMaxDepth, MaxFields: len(raw)}.withDefaults())
	if err != nil || len(t.nodes) < 2 {
		return Value{}
	}
	return t.value(1)
}

func appendList(dst []byte, items []Value) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item.appendJSON(dst)
	}
	return append(dst, ']')
}

func (v Value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case Bool:
		return append(dst, v.text...)
	case Number:
		if json.Valid([]byte(v.text)) {
			return append(dst, v.text...)
		}
		return appendQuoted(dst, v.text)
	case String:
		return appendQuoted(dst, v.text)
	case List:
		var items []Value
		v.Each(func(item Value) bool { items = append(items, item); return true })
		return appendList(dst, items)
	case Object:
		return append(dst, v.text...)
	default:
		return append(dst, "null"...)
	}
}

// appendQuoted writes s as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}

// Kind returns the value's JSON kind.
func (v Value) Kind() Kind { return v.kind }

// Text returns the text that rules match: a string's content unescaped, a
// number as written, "true" or "false", "" for null and missing, and the JSON
// of a list or object as written.
func (v Value) Text() string { return v.text }

// Number returns the value as a number: a Number, or a String that holds one.
// Hexadecimal text ("0x10"), infinities and NaN are not numbers here.
func (v Value) Number() (float64, bool) {
	if v.kind != Number && v.kind != String {
		return 0, false
	}
	s := strings.TrimSpace(v.text)
	if !looksNumeric(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// looksNumeric admits decimal notation only.
func looksNumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return false
		}
	}
	return s != ""
}

// Len returns the number of elements of a List, 0 for Missing and Null, and 1
// for any other value.
func (v Value) Len() int {
	n := 0
	v.Each(func(Value) bool { n++; return true })
	return n
}

// Each calls f for the elements of a List in order until f returns false. Any
// other value yields itself, Missing and Null nothing.
func (v Value) Each(f func(Value) bool) {
	switch v.kind {
	case Missing, Null:
		return
	case List:
		v.tape.each(v.node, func(i uint32) bool { return f(v.tape.value(i)) })
	default:
		f(v)
	}
}

// value makes the Value of node i.
func (t *tape) value(i uint32) Value {
	n := &t.nodes[i]
	return Value{tape: t, node: i, kind: n.kind, text: t.valueText(n)}
}

func (t *tape) valueText(n *node) string {
	if n.kind == Null {
		return ""
	}
	return t.body(n)
}

// each calls f with the index of every live child of node i.
func (t *tape) each(i uint32, f func(uint32) bool) {
	end := t.nodes[i].next
	for c := i + 1; c < end; c = t.nodes[c].next {
		if t.nodes[c].flags&shadowed == 0 && !f(c) {
			return
		}
	}
}
