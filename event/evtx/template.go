package evtx

import (
	"encoding/binary"
	"slices"
)

// value is one value of a template instance: its type and where it lies in the
// chunk.
type value struct {
	kind     byte
	from, to int
}

// templateHeader is what stands before a template's XML: the next template, a
// GUID, and the size.
const templateHeader = 4 + 16 + 4

// template reads a template instance: where its definition is, the definition
// itself if it stands here, and the values to fill in.
func (p *parser) template(parent, depth int) error {
	if depth >= maxDepth {
		return p.fault("templates are nested too deep")
	}
	p.pos += 2 // the token, and a byte that is always 1
	if _, err := p.u32(); err != nil {
		return err
	}
	at, err := p.u32()
	if err != nil {
		return err
	}
	body := parser{chunk: p.chunk, doc: p.doc, inside: true}
	if !body.define(int64(at)) {
		return p.fault("a template lies outside of the chunk")
	}
	if int64(at) == int64(p.pos) {
		p.pos = len(body.src)
	}
	if body.values, err = p.instance(); err != nil {
		return err
	}
	return body.fragment(parent, depth+1)
}

// define moves the parser to the XML of the template at an offset of the chunk,
// and returns false when it is not in it.
func (p *parser) define(at int64) bool {
	data := p.chunk.data
	if at+templateHeader > int64(len(data)) {
		return false
	}
	p.pos = int(at) + templateHeader
	end := int64(p.pos) + int64(binary.LittleEndian.Uint32(data[p.pos-4:]))
	if end > int64(len(data)) {
		return false
	}
	p.src = data[:end]
	return true
}

// instance reads the values of a template instance: how many, the size and type
// of each, and then their bytes.
func (p *parser) instance() ([]value, error) {
	count, err := p.u32()
	if err != nil {
		return nil, err
	}
	const descriptor = 4
	if uint64(count)*descriptor > uint64(len(p.src)-p.pos) {
		return nil, p.fault("a template has more values than its record has room for")
	}
	if !p.doc.spend(int(count)) {
		return nil, p.fault(tooLarge)
	}
	first := len(p.doc.vals)
	p.doc.vals = slices.Grow(p.doc.vals, int(count))[:first+int(count)]
	values := p.doc.vals[first:]
	from := p.pos + descriptor*len(values)
	for i := range values {
		d := p.src[p.pos+descriptor*i:]
		to := from + int(binary.LittleEndian.Uint16(d))
		if to > len(p.src) {
			return nil, p.fault("a template's value goes beyond its record")
		}
		values[i] = value{d[2], from, to}
		from = to
	}
	p.pos = from
	return values, nil
}

// substitute reads the number and type of a substitution and fills the value
// in. The value's own type counts: templates say less. A null leaves out an
// attribute that it is optional in. An element stays, empty, but for one that
// depends on the value: an empty text is a null to Windows, and it writes
// <Data Name="x"/>.
func (p *parser) substitute(optional bool, parent, depth int) error {
	id, err := p.u16()
	if err != nil {
		return err
	}
	p.pos++ // the type
	if id >= len(p.values) {
		return p.fault("a template asks for a value that its record does not have")
	}
	v := p.values[id]
	switch {
	case v.kind == typeNull && optional && p.doc.nodes[parent].kind == attribute:
		p.doc.nodes[parent].void = true
		return nil
	case v.kind == typeNull:
		p.doc.add(parent, node{kind: quoted})
		return nil
	case v.kind == typeBinXML && p.doc.nodes[parent].kind != attribute:
		return p.nested(v, parent, depth+1)
	}
	if !p.doc.spend(v.to - v.from) {
		return p.fault(tooLarge)
	}
	p.doc.addValue(parent, v.kind, p.chunk.data[v.from:v.to])
	return nil
}

// nested reads a value that is binary XML itself.
func (p *parser) nested(v value, parent, depth int) error {
	if depth >= maxDepth {
		return p.fault("values are nested too deep")
	}
	inner := parser{chunk: p.chunk, doc: p.doc, src: p.chunk.data[:v.to], pos: v.from}
	return inner.fragment(parent, depth)
}
