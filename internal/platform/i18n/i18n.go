// Package i18n holds the program's words in Traditional Chinese (Taiwan
// usage) and English. The two are equal: every key exists in both, with the
// same placeholders, and the tests refuse anything else.
//
// A catalogue is a set of files catalogue/<lang>/<area>.json, each a flat
// object from key to text. Areas only keep people who add words apart; keys
// are unique across areas.
//
// A text may hold placeholders:
//
//	{0}               the first argument
//	{0|alert|alerts}  the first word when the argument is one, else the second
//
// Whole numbers are grouped by thousands, so identifiers such as ports are
// passed as strings. An argument of type [Key] is translated in turn.
package i18n

import (
	"fmt"
	"strings"
)

// Lang is a language the program speaks, as a BCP 47 tag.
type Lang string

// The languages.
const (
	ZhHant Lang = "zh-Hant"
	En     Lang = "en"
)

// Langs lists every language in display order.
func Langs() []Lang { return []Lang{ZhHant, En} }

// Valid reports whether the program speaks l.
func (l Lang) Valid() bool { return l == ZhHant || l == En }

// Key is an argument that is itself a catalogue key and is translated before
// it is filled in.
type Key string

// Catalogue is all texts in all languages. It is read-only after [Load] and
// safe for concurrent use.
type Catalogue struct {
	texts map[Lang]map[string]message
}

// Text is the text for key with the arguments filled in. It fails when the
// key is unknown or the text asks for an argument that is not given.
func (c *Catalogue) Text(lang Lang, key string, args ...any) (string, error) {
	m, ok := c.texts[lang][key]
	if !ok {
		return "", fmt.Errorf("i18n: no text for %q in %q", key, lang)
	}
	if m.needs > len(args) {
		return "", fmt.Errorf("i18n: %q wants %d arguments, got %d", key, m.needs, len(args))
	}
	if len(m.parts) == 1 && m.parts[0].arg < 0 {
		return m.parts[0].text, nil
	}
	return c.fill(lang, m, args)
}

// T is Text for places that cannot fail, such as mail and error answers: a
// missing text becomes the key in white brackets, which no test lets pass.
func (c *Catalogue) T(lang Lang, key string, args ...any) string {
	text, err := c.Text(lang, key, args...)
	if err != nil {
		return "⟦" + key + "⟧"
	}
	return text
}

// Has reports whether the key exists.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.texts[En][key]
	return ok
}

func (c *Catalogue) fill(lang Lang, m message, args []any) (string, error) {
	var b strings.Builder
	for _, p := range m.parts {
		if p.arg < 0 {
			b.WriteString(p.text)
			continue
		}
		if p.one != "" || p.many != "" {
			b.WriteString(p.choose(args[p.arg]))
			continue
		}
		text, err := c.argument(lang, args[p.arg])
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (c *Catalogue) argument(lang Lang, arg any) (string, error) {
	switch v := arg.(type) {
	case Key:
		return c.Text(lang, string(v))
	case int:
		return Group(int64(v)), nil
	case int32:
		return Group(int64(v)), nil
	case int64:
		return Group(v), nil
	case uint64:
		return Group(int64(min(v, 1<<63-1))), nil
	}
	return fmt.Sprint(arg), nil
}

// Group writes n with a comma between thousands, as both languages do.
func Group(n int64) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
