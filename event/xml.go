package event

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxXMLDepth bounds nesting in an XML event; Windows events have at most six.
const maxXMLDepth = 32

// xmlScanner reads the XML of one Windows or Sysmon event into flat fields:
// an element's text under its name, its attributes as Element_Attribute, and
// <Data Name="x"> under x. It is no general XML reader: DTDs are refused,
// namespaces dropped, and what it cannot read it skips.
// Source: Windows Event schema (MS-EVEN6 section 2.2.13).
type xmlScanner struct {
	*builder
	src   string
	base  uint32
	pos   int
	depth int
	list  uint32 // open list of unnamed Data elements
}

// xmlEvent says whether text looks like an XML event.
func xmlEvent(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n\ufeff")
	if strings.HasPrefix(text, "<?xml") {
		if end := strings.Index(text, "?>"); end > 0 {
			text = strings.TrimLeft(text[end+2:], " \t\r\n")
		}
	}
	for _, tag := range [...]string{"<Event>", "<Event ", "<EventData", "<UserData", "<DataItem"} {
		if strings.HasPrefix(text, tag) {
			return true
		}
	}
	return false
}

// xml adds the fields of the XML event in [start,end) of the tape.
func (b *builder) xml(start, end uint32) {
	s := xmlScanner{builder: b, src: b.text(start, end), base: start}
	for !b.full && s.element() {
	}
}

// tag is one start tag.
type tag struct {
	name       string
	attributes string
	empty      bool // <x/>
}

// element moves past the next tag and, for a start tag that has only text in
// it, its end tag, and adds what it says. It returns false at the end.
func (s *xmlScanner) element() bool {
	open := strings.IndexByte(s.src[s.pos:], '<')
	if open < 0 {
		return false
	}
	s.pos += open
	if rest := s.src[s.pos:]; strings.HasPrefix(rest, "</") || strings.HasPrefix(rest, "<?") || strings.HasPrefix(rest, "<!--") {
		return s.skip(rest)
	}
	t, ok := s.startTag()
	if !ok || s.depth > maxXMLDepth {
		return false
	}
	s.fields(t)
	return true
}

// skip moves past an end tag, processing instruction or comment.
func (s *xmlScanner) skip(rest string) bool {
	end := ">"
	switch {
	case strings.HasPrefix(rest, "<!--"):
		end = "-->"
	case strings.HasPrefix(rest, "</"):
		s.depth--
	}
	n := strings.Index(rest, end)
	s.pos += n + len(end)
	return n >= 0
}

// startTag reads <name attributes> or <name attributes/>.
func (s *xmlScanner) startTag() (tag, bool) {
	from := s.pos + 1
	end := tagEnd(s.src, from)
	if end < 0 || s.src[from] == '!' {
		return tag{}, false
	}
	body := s.src[from:end]
	s.pos = end + 1
	t := tag{empty: strings.HasSuffix(body, "/")}
	body = strings.TrimSuffix(body, "/")
	t.name, t.attributes = body, ""
	if cut := strings.IndexAny(body, " \t\r\n"); cut >= 0 {
		t.name, t.attributes = body[:cut], body[cut:]
	}
	if cut := strings.IndexByte(t.name, ':'); cut >= 0 {
		t.name = t.name[cut+1:]
	}
	return t, t.name != ""
}

// tagEnd finds the > that ends a tag, past quoted attributes.
func tagEnd(src string, i int) int {
	quote := byte(0)
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// fields adds what one element says.
func (s *xmlScanner) fields(t tag) {
	name := t.name
	s.eachAttribute(t.attributes, func(attr, text string) {
		switch {
		case attr == "xmlns" || strings.HasPrefix(attr, "xmlns:"):
		case attr == "Name" && (t.name == "Data" || t.name == "ComplexData"):
			name = unescapeXML(text)
		default:
			s.literal(t.name+"_"+attr, unescapeXML(text))
		}
	})
	if t.empty {
		if name != t.name {
			s.text0(name, t.name, s.pos, s.pos)
		}
		return
	}
	end := strings.IndexByte(s.src[s.pos:], '<')
	if end < 0 {
		return
	}
	end += s.pos
	if !strings.HasPrefix(s.src[end:], "</") {
		s.list = 0
		s.depth++
		return
	}
	s.text0(name, t.name, s.pos, end)
	s.pos = end
	s.depth++
}

// text0 adds the text src[from:to] of an element under a name. Data elements
// without a Name form one list.
func (s *xmlScanner) text0(name, element string, from, to int) {
	start, end := s.base+uint32(from), s.base+uint32(to)
	if text := s.src[from:to]; strings.IndexByte(text, '&') >= 0 {
		start, end = s.intern(unescapeXML(text))
	}
	if element != "Data" || name != "Data" {
		s.list = 0
		s.add(name, String, start, end)
		return
	}
	if s.list == 0 {
		s.list = s.add(name, List, start, start)
	}
	if s.list != 0 {
		s.item(s.list, start, end)
	}
}

// eachAttribute calls f for every name="value".
func (s *xmlScanner) eachAttribute(attributes string, f func(name, text string)) {
	for {
		attributes = strings.TrimLeft(attributes, " \t\r\n")
		eq := strings.IndexByte(attributes, '=')
		if eq <= 0 || eq+2 > len(attributes)-1 {
			return
		}
		name := strings.TrimSpace(attributes[:eq])
		rest := strings.TrimLeft(attributes[eq+1:], " \t\r\n")
		if rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return
		}
		end := strings.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return
		}
		f(name, rest[1:end+1])
		attributes = rest[end+2:]
	}
}

// unescapeXML replaces the five named and the numeric references; any other
// is left as it is.
func unescapeXML(text string) string {
	if strings.IndexByte(text, '&') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for {
		amp := strings.IndexByte(text, '&')
		if amp < 0 {
			return string(append(out, text...))
		}
		out = append(out, text[:amp]...)
		text = text[amp:]
		semi := strings.IndexByte(text[:min(len(text), 12)], ';')
		r, ok := utf8.RuneError, false
		if semi > 1 {
			r, ok = xmlReference(text[1:semi])
		}
		if !ok {
			out, text = append(out, '&'), text[1:]
			continue
		}
		out, text = utf8.AppendRune(out, r), text[semi+1:]
	}
}

func xmlReference(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if !strings.HasPrefix(name, "#") {
		return 0, false
	}
	base, digits := 10, name[1:]
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 21)
	return rune(n), err == nil && utf8.ValidRune(rune(n))
}
