package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxCanonicalDepth bounds the recursion of Canonical on hostile input.
const maxCanonicalDepth = 100

// Canonical rewrites one JSON value by the JSON Canonicalization Scheme
// (RFC 8785): no white space, members sorted by their UTF-16 code units, strings
// with the fewest escapes, numbers as ECMAScript prints them.
func Canonical(data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("canonical JSON: not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("canonical JSON: more than one value")
	}
	var out bytes.Buffer
	if err := canonicalValue(&out, value, 0); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return out.Bytes(), nil
}

func canonicalValue(out *bytes.Buffer, value any, depth int) error {
	if depth > maxCanonicalDepth {
		return fmt.Errorf("nested deeper than %d", maxCanonicalDepth)
	}
	switch v := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case string:
		canonicalString(out, v)
	case json.Number:
		return canonicalNumber(out, v)
	case []any:
		return canonicalArray(out, v, depth)
	case map[string]any:
		return canonicalObject(out, v, depth)
	}
	return nil
}

func canonicalArray(out *bytes.Buffer, items []any, depth int) error {
	out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := canonicalValue(out, item, depth+1); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

func canonicalObject(out *bytes.Buffer, members map[string]any, depth int) error {
	out.WriteByte('{')
	for i, name := range sortedUTF16(members) {
		if i > 0 {
			out.WriteByte(',')
		}
		canonicalString(out, name)
		out.WriteByte(':')
		if err := canonicalValue(out, members[name], depth+1); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func sortedUTF16(members map[string]any) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return names
}

func canonicalString(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r >= 0x20:
			out.WriteRune(r)
		case strings.ContainsRune("\b\t\n\f\r", r):
			out.WriteByte('\\')
			out.WriteByte("btn?fr"[r-'\b'])
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
	}
	out.WriteByte('"')
}

// canonicalNumber prints a double as ECMAScript's Number.prototype.toString does
// (RFC 8785, section 3.2.2.3): plain digits from 1e-6 up to below 1e21.
func canonicalNumber(out *bytes.Buffer, n json.Number) error {
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return fmt.Errorf("number %s does not fit a double", clip(n.String()))
	}
	if f == 0 {
		out.WriteByte('0')
		return nil
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		out.WriteString(strconv.FormatFloat(f, 'f', -1, 64))
		return nil
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	sign, digits := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	out.WriteString(mantissa + "e" + sign + digits)
	return nil
}
