package evtx

import (
	"encoding/binary"
	"unicode/utf8"
)

// Tokens of binary XML, without the flag that more follows ([MS-EVEN6] section
// 2.2.12.1; libevtx, Token types).
const (
	tokenEOF          = 0x00
	tokenOpenStart    = 0x01
	tokenCloseStart   = 0x02
	tokenCloseEmpty   = 0x03
	tokenEndElement   = 0x04
	tokenValue        = 0x05
	tokenAttribute    = 0x06
	tokenCDATA        = 0x07
	tokenCharRef      = 0x08
	tokenEntityRef    = 0x09
	tokenPITarget     = 0x0a
	tokenPIData       = 0x0b
	tokenTemplate     = 0x0c
	tokenSubstitution = 0x0d
	tokenOptional     = 0x0e
	tokenFragment     = 0x0f

	moreFlag = 0x40
)

// parser reads binary XML at a place of the chunk into a document. Whatever
// the bytes, it reads each at most once per token that it may spend.
type parser struct {
	chunk  *chunk
	doc    *document
	src    []byte // the chunk up to the end of what is read
	pos    int
	inside bool    // a template
	values []value // to fill into it
}

func (p *parser) fault(reason string) error { return &fault{p.pos, reason} }

// token returns the next token, counted.
func (p *parser) token() (byte, error) {
	if p.pos >= len(p.src) {
		return 0, p.fault("a record ends within its XML")
	}
	if !p.doc.spend(1) || len(p.doc.nodes) > maxTokens {
		return 0, p.fault(tooLarge)
	}
	return p.src[p.pos] &^ moreFlag, nil
}

func (p *parser) has(n int) bool { return n <= len(p.src)-p.pos }

func (p *parser) u16() (int, error) {
	if !p.has(2) {
		return 0, p.fault("a record ends within a number")
	}
	n := binary.LittleEndian.Uint16(p.src[p.pos:])
	p.pos += 2
	return int(n), nil
}

func (p *parser) u32() (uint32, error) {
	if !p.has(4) {
		return 0, p.fault("a record ends within a number")
	}
	n := binary.LittleEndian.Uint32(p.src[p.pos:])
	p.pos += 4
	return n, nil
}

// fragment reads elements and template instances into a node, up to the token
// that ends them or the end of the bytes.
func (p *parser) fragment(parent, depth int) error {
	for p.pos < len(p.src) {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t {
		case tokenEOF:
			p.pos++
			return nil
		case tokenOpenStart:
			err = p.element(parent, depth)
		case tokenTemplate:
			err = p.template(parent, depth)
		default:
			err = p.aside(t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// aside passes what adds nothing: fragment headers, processing instructions.
func (p *parser) aside(t byte) error {
	switch t {
	case tokenFragment:
		if !p.has(4) {
			return p.fault("a record ends within a fragment header")
		}
		p.pos += 4
		return nil
	case tokenPITarget:
		p.pos++
		_, err := p.name()
		return err
	case tokenPIData:
		p.pos++
		_, err := p.text()
		return err
	default:
		return p.fault("an unknown token in the XML")
	}
}

// name reads the offset of a name and, where the name stands right behind its
// offset, passes it.
func (p *parser) name() (string, error) {
	at, err := p.u32()
	if err != nil {
		return "", err
	}
	name, ok := p.chunk.name(at)
	if !ok {
		return "", p.fault("a name lies outside of the chunk")
	}
	if int(at) == p.pos {
		if p.pos += nameLength(p.chunk.data, at); p.pos > len(p.src) {
			return "", p.fault("a name goes beyond its record")
		}
	}
	if !p.doc.spend(len(name)) {
		return "", p.fault(tooLarge)
	}
	return name, nil
}

// text reads a text with its length before it.
func (p *parser) text() ([]byte, error) {
	n, err := p.u16()
	if err != nil {
		return nil, err
	}
	if !p.has(2 * n) {
		return nil, p.fault("a text goes beyond its record")
	}
	text := p.src[p.pos : p.pos+2*n]
	p.pos += 2 * n
	return trimNUL16(text), nil
}

// element reads an element from its start tag to its end tag. One that depends
// on a value that is null is not in the document ([MS-EVEN6] section 2.2.12.1),
// but for the outermost: Windows says of every event that it depends on its data.
func (p *parser) element(parent, depth int) error {
	if depth >= maxDepth {
		return p.fault("elements are nested too deep")
	}
	nodes, last := len(p.doc.nodes), p.doc.nodes[parent].last
	self, attributes, err := p.startTag(parent)
	if err != nil {
		return err
	}
	if attributes {
		if _, err := p.u32(); err != nil { // the size of the list
			return err
		}
		if err := p.attributes(self, depth); err != nil {
			return err
		}
	}
	t, err := p.token()
	if err != nil {
		return err
	}
	p.pos++
	switch t {
	case tokenCloseEmpty:
	case tokenCloseStart:
		if err := p.content(self, depth); err != nil {
			return err
		}
	default:
		p.pos--
		return p.fault("a start tag has no end")
	}
	if p.doc.nodes[self].void && parent != 0 {
		p.doc.truncate(parent, last, nodes)
	}
	return nil
}

// startTag reads an element up to its name, adds it to its parent, and says
// whether a list of attributes follows.
func (p *parser) startTag(parent int) (self int, attributes bool, err error) {
	attributes = p.src[p.pos]&moreFlag != 0
	p.pos++
	void := false
	if p.dependent() {
		id, err := p.u16()
		if err != nil {
			return 0, false, err
		}
		void = id < len(p.values) && p.values[id].kind == typeNull
	}
	if _, err := p.u32(); err != nil { // its size: the end tag says it too
		return 0, false, err
	}
	name, err := p.name()
	if err != nil {
		return 0, false, err
	}
	return p.doc.add(parent, node{kind: element, name: name, void: void}), attributes, nil
}

// dependent says whether a dependency identifier stands here. In the elements of
// templates it does, and nowhere else (libevtx, Element start), but for writers
// that know no such difference. Read wrongly, the size that follows is a part of
// the name's offset or has the identifier in it, and so is beyond every chunk.
func (p *parser) dependent() bool {
	with, without := p.sized(p.pos+2), p.sized(p.pos)
	if with == without {
		return p.inside
	}
	return with
}

// sized says whether the size of an element may stand at an offset: what it
// measures lies in the chunk.
func (p *parser) sized(at int) bool {
	return at+4 <= len(p.src) && int64(at)+4+int64(binary.LittleEndian.Uint32(p.src[at:])) <= int64(len(p.chunk.data))
}

// attributes reads the attributes of an element.
func (p *parser) attributes(parent, depth int) error {
	for {
		t, err := p.token()
		if err != nil || t != tokenAttribute {
			return err
		}
		p.pos++
		name, err := p.name()
		if err != nil {
			return err
		}
		nodes, last := len(p.doc.nodes), p.doc.nodes[parent].last
		self := p.doc.add(parent, node{kind: attribute, name: name})
		for {
			if t, err = p.token(); err != nil {
				return err
			}
			if known, err := p.scalar(t, self, depth); err != nil {
				return err
			} else if !known {
				break
			}
		}
		if p.doc.nodes[self].void {
			p.doc.truncate(parent, last, nodes)
		}
	}
}

// content reads what stands between a start tag and its end tag.
func (p *parser) content(parent, depth int) error {
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t {
		case tokenEndElement:
			p.pos++
			return nil
		case tokenOpenStart:
			err = p.element(parent, depth+1)
		case tokenTemplate:
			err = p.template(parent, depth+1)
		default:
			var known bool
			if known, err = p.scalar(t, parent, depth); err == nil && !known {
				err = p.aside(t)
			}
		}
		if err != nil {
			return err
		}
	}
}

// scalar reads a token that adds text, and says whether it was one.
func (p *parser) scalar(t byte, parent, depth int) (bool, error) {
	var err error
	switch t {
	case tokenValue:
		p.pos += 2 // the token and the type, which is always text
		err = p.addText(parent)
	case tokenCDATA:
		p.pos++
		err = p.addText(parent)
	case tokenCharRef:
		p.pos++
		var r int
		if r, err = p.u16(); err == nil {
			p.doc.addUTF8(parent, utf8.AppendRune(nil, rune(r)))
		}
	case tokenEntityRef:
		p.pos++
		var name string
		if name, err = p.name(); err == nil {
			p.doc.addUTF8(parent, []byte(entity(name)))
		}
	case tokenSubstitution, tokenOptional:
		p.pos++
		err = p.substitute(t == tokenOptional, parent, depth)
	default:
		return false, nil
	}
	return true, err
}

func (p *parser) addText(parent int) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	if !p.doc.spend(len(text)) {
		return p.fault(tooLarge)
	}
	from := len(p.doc.text)
	p.doc.text = appendUTF16(p.doc.text, text)
	p.doc.add(parent, node{kind: quoted, from: from, to: len(p.doc.text)})
	return nil
}

// addUTF8 adds a value to a node.
func (d *document) addUTF8(parent int, text []byte) {
	from := len(d.text)
	d.text = append(d.text, text...)
	d.add(parent, node{kind: quoted, from: from, to: len(d.text)})
}

func entity(name string) string {
	switch name {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	return "&" + name + ";"
}
