package stix

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrPattern is what every pattern error wraps, except exceeded limits.
var ErrPattern = errors.New("invalid STIX pattern")

// PatternError says where in a pattern the error is.
type PatternError struct {
	Offset int // in bytes, from 0
	Reason string
	Err    error
}

// Error implements error.
func (e *PatternError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason) }

// Unwrap is ErrPattern or ErrLimit.
func (e *PatternError) Unwrap() error { return e.Err }

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenName             // identifier without hyphen
	tokenHyphen           // identifier with a hyphen, only an object type
	tokenWord             // keyword
	tokenSymbol           // operator or bracket
	tokenValue            // literal
)

type token struct {
	kind   tokenKind
	text   string // of names, words and symbols; "==" and "<>" are already "=" and "!="
	value  Value
	offset int
}

// lexer cuts a pattern into tokens by the lexical rules of the grammar; the
// longest match wins, and keywords win over names.
type lexer struct {
	text string
	at   int
}

func (l *lexer) fail(at int, format string, args ...any) error {
	return &PatternError{Offset: at, Reason: fmt.Sprintf(format, args...), Err: ErrPattern}
}

func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	start := l.at
	if start >= len(l.text) {
		return token{kind: tokenEnd, offset: start}, nil
	}
	c := l.text[start]
	switch {
	case c == '\'':
		s, err := l.quoted()
		return token{kind: tokenValue, value: Value{KindString, s}, offset: start}, err
	case strings.IndexByte("thb", c) >= 0 && strings.HasPrefix(l.text[start+1:], "'"):
		return l.prefixed(c)
	case isNameByte(c) && !isDigit(c):
		return l.name(), nil
	case isDigit(c), strings.IndexByte("+-.", c) >= 0 && l.numberFollows():
		return l.number()
	}
	return l.symbol()
}

// skip passes white space and comments.
func (l *lexer) skip() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case isPatternSpace(r):
			l.at += size
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.fail(l.at, "comment without end")
			}
			l.at += end + 4
		default:
			return nil
		}
	}
	return nil
}

func isPatternSpace(r rune) bool {
	return strings.ContainsRune(" \t\r\n\v\f\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000", r) ||
		r >= 0x2000 && r <= 0x200a
}

// quoted reads a string in apostrophes; only \' and \\ are escapes.
func (l *lexer) quoted() (string, error) {
	start := l.at
	var out strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; c {
		case '\'':
			l.at++
			return out.String(), nil
		case '\\':
			l.at++
			if l.at >= len(l.text) || l.text[l.at] != '\'' && l.text[l.at] != '\\' {
				return "", l.fail(l.at-1, `a backslash must be followed by ' or \`)
			}
			out.WriteByte(l.text[l.at])
		default:
			out.WriteByte(c)
		}
	}
	return "", l.fail(start, "string without end")
}

// prefixed reads t'…', h'…' and b'…'.
func (l *lexer) prefixed(prefix byte) (token, error) {
	start := l.at
	l.at++
	text, err := l.quoted()
	if err != nil {
		return token{}, err
	}
	kind, ok := KindTimestamp, true
	switch prefix {
	case 't':
		ok = isPatternTime(text)
	case 'h':
		kind, ok = KindHex, len(text)%2 == 0 && (text == "" || isHex(text))
	case 'b':
		raw, decodeErr := base64.StdEncoding.DecodeString(text)
		kind, ok = KindBinary, decodeErr == nil && len(raw) > 0 && !strings.ContainsAny(text, "\r\n")
	}
	if !ok {
		return token{}, l.fail(start, "not a literal of kind %c'…'", prefix)
	}
	return token{kind: tokenValue, value: Value{kind, text}, offset: start}, nil
}

// isPatternTime follows TimestampLiteral: RFC 3339 with any number of digits of
// a second, and second 60.
func isPatternTime(s string) bool {
	base, fraction, dotted := strings.Cut(strings.TrimSuffix(s, "Z"), ".")
	if !strings.HasSuffix(s, "Z") || dotted && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return false
	}
	if minute, leap := strings.CutSuffix(base, ":60"); leap {
		base = minute + ":59"
	}
	_, err := ParseTimestamp(base + "Z")
	return err == nil
}

func (l *lexer) name() token {
	start := l.at
	for l.at < len(l.text) && (isNameByte(l.text[l.at]) || l.text[l.at] == '-') {
		l.at++
	}
	t := token{kind: tokenName, text: l.text[start:l.at], offset: start}
	switch {
	case strings.Contains(t.text, "-"):
		t.kind = tokenHyphen
	case t.text == "true" || t.text == "false":
		t.kind, t.value = tokenValue, Value{KindBool, t.text}
	case isKeyword(t.text):
		t.kind = tokenWord
	}
	return t
}

func isKeyword(s string) bool {
	switch s {
	case "AND", "OR", "NOT", "FOLLOWEDBY", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS",
		"LAST", "IN", "START", "STOP", "SECONDS", "true", "false", "WITHIN", "REPEATS", "TIMES":
		return true
	}
	return false
}

// numberFollows tells a number from the point of a path and a stray sign.
func (l *lexer) numberFollows() bool {
	rest := strings.TrimLeft(l.text[l.at:l.at+1], "+-") + l.text[l.at+1:]
	rest = strings.TrimPrefix(rest, ".")
	return rest != "" && isDigit(rest[0])
}

// number reads an integer or a float; a leading zero stands alone.
func (l *lexer) number() (token, error) {
	start := l.at
	if c := l.text[l.at]; c == '+' || c == '-' {
		l.at++
	}
	whole := l.digits()
	kind := KindInteger
	if strings.HasPrefix(l.text[l.at:], ".") && l.at+1 < len(l.text) && isDigit(l.text[l.at+1]) {
		kind = KindFloat
		l.at++
		l.digits()
	}
	if kind == KindInteger && len(whole) > 1 && whole[0] == '0' {
		return token{}, l.fail(start, "a number must not start with 0")
	}
	text := strings.TrimPrefix(l.text[start:l.at], "+")
	return token{kind: tokenValue, value: Value{kind, text}, offset: start}, nil
}

func (l *lexer) digits() string {
	start := l.at
	for l.at < len(l.text) && isDigit(l.text[l.at]) {
		l.at++
	}
	return l.text[start:l.at]
}

func (l *lexer) symbol() (token, error) {
	rest := l.text[l.at:]
	for _, s := range []string{"==", "!=", "<>", "<=", ">=", "=", "<", ">", "[", "]", "(", ")", ":", ".", ",", "*"} {
		if !strings.HasPrefix(rest, s) {
			continue
		}
		t := token{kind: tokenSymbol, text: s, offset: l.at}
		l.at += len(s)
		switch s {
		case "==":
			t.text = "="
		case "<>":
			t.text = "!="
		}
		return t, nil
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, l.fail(l.at, "unexpected character %q", r)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || isDigit(c)
}
