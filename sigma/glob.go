package sigma

import (
	"strings"
	"unicode/utf8"
)

// glob is a pattern that is more than one anchored literal: segments between
// stars, each a run of literals and question marks.
type glob struct {
	segments   []segment
	openStart  bool // a star comes first
	openEnd    bool // a star comes last
	minimumLen int  // bytes a text has at least
}

// segment is literals with question marks between them: texts[0] ? texts[1] …
type segment struct {
	texts []string // len is one more than the question marks; some may be empty
}

func newGlob(p pattern) *glob {
	g := &glob{}
	cur := segment{texts: []string{""}}
	for i, x := range p {
		switch x.kind {
		case star:
			g.openStart = g.openStart || i == 0
			g.openEnd = i == len(p)-1
			if i > 0 {
				g.segments = append(g.segments, cur)
			}
			cur = segment{texts: []string{""}}
		case question:
			cur.texts = append(cur.texts, "")
			g.minimumLen++
		case literal:
			cur.texts[len(cur.texts)-1] += x.text
			g.minimumLen += len(x.text)
		}
	}
	if !g.openEnd {
		g.segments = append(g.segments, cur)
	}
	return g
}

// match reports whether the whole text has the form of the glob.
func (g *glob) match(text string) bool {
	if len(text) < g.minimumLen {
		return false
	}
	rest, segs := text, g.segments
	if !g.openStart {
		n := segs[0].prefix(rest)
		if n < 0 {
			return false
		}
		if rest, segs = rest[n:], segs[1:]; len(segs) == 0 {
			return g.openEnd || len(rest) == 0
		}
	}
	last := len(segs)
	if !g.openEnd {
		last--
	}
	for _, s := range segs[:last] {
		from, n := s.find(rest)
		if from < 0 {
			return false
		}
		rest = rest[from+n:]
	}
	return g.openEnd || segs[last].suffix(rest)
}

// prefix returns how many bytes of text the segment takes at its start, -1
// when it does not fit.
func (s segment) prefix(text string) int {
	at := 0
	for i, lit := range s.texts {
		if i > 0 {
			_, n := utf8.DecodeRuneInString(text[at:])
			if n == 0 {
				return -1
			}
			at += n
		}
		if !strings.HasPrefix(text[at:], lit) {
			return -1
		}
		at += len(lit)
	}
	return at
}

// suffix reports whether the segment fits at the end of text.
func (s segment) suffix(text string) bool {
	for i := len(s.texts) - 1; i >= 0; i-- {
		lit := s.texts[i]
		if !strings.HasSuffix(text, lit) {
			return false
		}
		text = text[:len(text)-len(lit)]
		if i > 0 {
			_, n := utf8.DecodeLastRuneInString(text)
			if n == 0 {
				return false
			}
			text = text[:len(text)-n]
		}
	}
	return true
}

// find returns the first place where the segment fits and the bytes it takes.
func (s segment) find(text string) (from, n int) {
	for at := 0; ; {
		if s.texts[0] != "" {
			skip := strings.Index(text[at:], s.texts[0])
			if skip < 0 {
				return -1, 0
			}
			at += skip
		}
		if n := s.prefix(text[at:]); n >= 0 {
			return at, n
		}
		_, step := utf8.DecodeRuneInString(text[at:])
		if step == 0 {
			return -1, 0
		}
		at += step
	}
}

// literals returns the texts between wildcards.
func (g *glob) literals() []string {
	var out []string
	for _, s := range g.segments {
		out = append(out, s.texts...)
	}
	return out
}
