package sigma

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const maxWildcards = 1000 // in one value

type valueKind uint8

const (
	textValue valueKind = iota
	numberValue
	boolValue
	nullValue
)

// value is one value of a detection item before it is compiled.
type value struct {
	kind    valueKind
	source  string  // as written
	pattern pattern // of text; of numbers and booleans their plain text
	unsure  bool    // a number that YAML versions read differently
	bytes   bool    // the pattern's literals are encoded bytes, perhaps not UTF-8
	bom     bool    // begins with a UTF-16 byte order mark
}

// readValue reads a scalar of a detection.
func readValue(n *yaml.Node) (value, error) {
	if n.Kind != yaml.ScalarNode {
		return value{}, faultf(n.Line, n.Column, "a value must be text, a number, true, false or null")
	}
	if strings.Count(n.Value, "*")+strings.Count(n.Value, "?") > maxWildcards {
		return value{}, faultf(n.Line, n.Column, "more than %d wildcards in one value", maxWildcards)
	}
	switch n.Tag {
	case "!!null":
		return value{kind: nullValue, source: "null"}, nil
	case "!!bool":
		s := strings.ToLower(n.Value)
		return value{kind: boolValue, source: s, pattern: plainPattern(s)}, nil
	case "!!int", "!!float":
		if unsure, odd := oddNumber(n.Value); odd {
			return value{source: n.Value, pattern: plainPattern(n.Value), unsure: unsure}, nil
		}
		return value{kind: numberValue, source: n.Value, pattern: plainPattern(n.Value)}, nil
	case "!!str", "!!timestamp":
		return value{kind: textValue, source: n.Value, pattern: parsePattern(n.Value)}, nil
	default:
		return value{}, faultf(n.Line, n.Column, "value of type %s is not supported", n.Tag)
	}
}

// oddNumber reports numbers that are not plain decimal. They are taken as the
// text they are written as; where that could change the meaning, because some
// YAML version reads another number, unsure is true as well.
func oddNumber(s string) (unsure, odd bool) {
	digits := strings.TrimPrefix(s, "-")
	leadingZero := len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'
	if leadingZero && strings.Trim(digits, "0123456789") == "" && strings.ContainsAny(digits, "89") {
		return false, true // no octal number: text to YAML 1.1
	}
	odd = leadingZero || canonicalNumber(s) == "" || strings.HasPrefix(digits, "+")
	return odd, odd
}

// number returns the value as a number for a comparison.
func (v value) number() (float64, error) {
	if v.kind != numberValue && v.kind != textValue {
		return 0, fmt.Errorf("%s is not a number", v.source)
	}
	if v.unsure || canonicalNumber(v.source) == "" {
		return 0, fmt.Errorf("%q is not a number", v.source)
	}
	return strconv.ParseFloat(v.source, 64)
}
