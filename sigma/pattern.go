package sigma

import "strings"

// partKind says what one part of a pattern stands for.
type partKind uint8

const (
	literal  partKind = iota
	star              // any run of characters, also none
	question          // exactly one character
)

type part struct {
	kind partKind
	text string // of a literal
}

// pattern is a Sigma string value: literals and wildcards in order, without
// two literals or two stars side by side. The empty pattern is the empty text.
type pattern []part

// parsePattern reads a string value. A backslash escapes only *, ? and itself;
// before anything else it is an ordinary character (Sigma specification 2.1,
// Escaping).
func parsePattern(s string) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		p = p.addText(lit.String())
		lit.Reset()
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			lit.WriteByte(s[i])
		case c == '*':
			flush()
			p = p.add(part{kind: star})
		case c == '?':
			flush()
			p = p.add(part{kind: question})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}

// plainPattern is the pattern of a text without wildcards.
func plainPattern(s string) pattern { return pattern(nil).addText(s) }

func (p pattern) addText(s string) pattern {
	if s == "" {
		return p
	}
	return p.add(part{kind: literal, text: s})
}

func (p pattern) add(next part) pattern {
	if n := len(p); n > 0 {
		last := p[n-1]
		if last.kind == star && next.kind == star {
			return p
		}
		if last.kind == literal && next.kind == literal {
			return append(p[:n-1:n-1], part{kind: literal, text: last.text + next.text})
		}
	}
	return append(p[:len(p):len(p)], next)
}

func (p pattern) join(q pattern) pattern {
	for _, x := range q {
		p = p.add(x)
	}
	return p
}

// plain returns the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].kind == literal:
		return p[0].text, true
	default:
		return "", false
	}
}

// withStars puts a star before and after the pattern where asked.
func (p pattern) withStars(before, after bool) pattern {
	var out pattern
	if before {
		out = out.add(part{kind: star})
	}
	out = out.join(p)
	if after {
		out = out.add(part{kind: star})
	}
	return out
}

// mapText replaces every literal by f of it.
func (p pattern) mapText(f func(string) string) pattern {
	var out pattern
	for _, x := range p {
		if x.kind == literal {
			out = out.addText(f(x.text))
		} else {
			out = out.add(x)
		}
	}
	return out
}

// String writes the pattern back in Sigma's notation; parsePattern reads it as
// the same pattern.
func (p pattern) String() string {
	var b strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)
	for _, x := range p {
		switch x.kind {
		case star:
			b.WriteByte('*')
		case question:
			b.WriteByte('?')
		default:
			b.WriteString(escape.Replace(x.text))
		}
	}
	return b.String()
}
