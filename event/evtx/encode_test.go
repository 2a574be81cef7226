package evtx

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"
	"unicode/utf16"
)

// A small writer of event log files, so that the tests know exactly what the
// reader must find: files of any shape, whole and damaged.

// xml is a piece of an event's XML as binary XML holds it.
type xml interface{ write(w *chunkWriter) }

type (
	el struct {
		name     string
		attrs    []attr
		children []xml // nil for <name/>
	}
	dependent struct { // on a value of the template
		el
		on int
	}
	attr struct {
		name  string
		value []xml
	}
	text      string // value text
	cdata     string
	char      rune
	entityRef string
	pi        struct{ target, data string }
	sub       int // normal substitution
	opt       int // optional substitution
	typed     struct {
		token byte // of the substitution
		value int
		kind  byte
	}
	inst       instance
	fragmentOf []xml // fragment header, pieces, end
)

// instance is a template and the values to fill it with.
type instance struct {
	template string // its name in these tests
	body     xml
	values   []val
}

// val is a value of a template instance. A nested one is written in place.
type val struct {
	kind   byte
	data   []byte
	nested xml
}

// chunkWriter writes one chunk.
type chunkWriter struct {
	buf         []byte
	heads       [nameChains + templateChains]uint32 // of the chains of names and templates
	names       map[string]uint32
	templates   map[string]uint32
	inside      bool // a template, where elements have a dependency identifier
	records     int
	first, last uint64
	lastAt      int
}

// The header of a chunk has a table of chains of names and one of templates.
const (
	tablesAt       = 128
	nameChains     = 64
	templateChains = 32
)

func newChunk() *chunkWriter {
	return &chunkWriter{buf: make([]byte, chunkHeaderSize), names: map[string]uint32{}, templates: map[string]uint32{}}
}

func (w *chunkWriter) bytes(b ...byte) { w.buf = append(w.buf, b...) }
func (w *chunkWriter) u16(n int)       { w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(n)) }
func (w *chunkWriter) u32(n int)       { w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(n)) }
func (w *chunkWriter) set32(at, n int) { binary.LittleEndian.PutUint32(w.buf[at:], uint32(n)) }

// sized writes what f writes behind its length in four bytes.
func (w *chunkWriter) sized(f func()) {
	at := len(w.buf)
	w.u32(0)
	f()
	w.set32(at, len(w.buf)-at-4)
}

func (w *chunkWriter) name(name string) {
	if at, ok := w.names[name]; ok {
		w.u32(int(at))
		return
	}
	at := len(w.buf) + 4
	w.names[name] = uint32(at)
	w.u32(at)
	hash := nameHash(name)
	w.u32(0)
	w.chain(int(hash%nameChains), at)
	w.u16(int(hash))
	w.text(name)
	w.u16(0)
}

// nameHash is the hash of a name.
func nameHash(name string) uint16 { return uint16(hash16(utf16Bytes(name))) }

// hash16 is the hash of numbers of 16 bits ([MS-EVEN6] section 2.2.12, NameHash).
func hash16(b []byte) uint32 {
	hash := uint32(0)
	for ; len(b) > 1; b = b[2:] {
		hash = hash*65599 + uint32(binary.LittleEndian.Uint16(b))
	}
	return hash
}

// chain puts what begins at an offset, with the link to the next of its chain, at
// the head of a chain.
func (w *chunkWriter) chain(n, at int) {
	w.set32(at, int(w.heads[n]))
	w.heads[n] = uint32(at)
}

func (w *chunkWriter) text(s string) {
	units := utf16.Encode([]rune(s))
	w.u16(len(units))
	for _, u := range units {
		w.u16(int(u))
	}
}

func (e el) write(w *chunkWriter) { e.element(w, 0xffff) }

func (d dependent) write(w *chunkWriter) { d.element(w, d.on) }

// element writes an element that depends on a value, 0xffff for none.
func (e el) element(w *chunkWriter, on int) {
	token := byte(tokenOpenStart)
	if len(e.attrs) > 0 {
		token |= moreFlag
	}
	w.bytes(token)
	if w.inside {
		w.u16(on)
	}
	w.sized(func() {
		w.name(e.name)
		if len(e.attrs) > 0 {
			w.sized(func() { e.writeAttributes(w) })
		}
		if e.children == nil {
			w.bytes(tokenCloseEmpty)
			return
		}
		w.bytes(tokenCloseStart)
		w.pieces(e.children)
		w.bytes(tokenEndElement)
	})
}

// pieces writes pieces one after the other, and says at each piece of text
// whether another follows.
func (w *chunkWriter) pieces(list []xml) {
	for i, x := range list {
		at := len(w.buf)
		x.write(w)
		if i == len(list)-1 {
			break
		}
		switch w.buf[at] {
		case tokenValue, tokenCDATA, tokenCharRef, tokenEntityRef:
			switch list[i+1].(type) {
			case text, cdata, char, entityRef:
				w.buf[at] |= moreFlag
			}
		}
	}
}

func (e el) writeAttributes(w *chunkWriter) {
	for i, a := range e.attrs {
		token := byte(tokenAttribute)
		if i < len(e.attrs)-1 {
			token |= moreFlag
		}
		w.bytes(token)
		w.name(a.name)
		w.pieces(a.value)
	}
}

func (t text) write(w *chunkWriter) {
	w.bytes(tokenValue, typeString)
	w.text(string(t))
}

func (t cdata) write(w *chunkWriter) {
	w.bytes(tokenCDATA)
	w.text(string(t))
}

func (c char) write(w *chunkWriter) {
	w.bytes(tokenCharRef)
	w.u16(int(c))
}

func (e entityRef) write(w *chunkWriter) {
	w.bytes(tokenEntityRef)
	w.name(string(e))
}

func (p pi) write(w *chunkWriter) {
	w.bytes(tokenPITarget)
	w.name(p.target)
	w.bytes(tokenPIData)
	w.text(p.data)
}

func (s sub) write(w *chunkWriter) { typed{tokenSubstitution, int(s), typeString}.write(w) }
func (o opt) write(w *chunkWriter) { typed{tokenOptional, int(o), typeString}.write(w) }

func (t typed) write(w *chunkWriter) {
	w.bytes(t.token)
	w.u16(t.value)
	w.bytes(t.kind)
}

func (f fragmentOf) write(w *chunkWriter) {
	w.bytes(tokenFragment, 1, 1, 0)
	for _, x := range f {
		x.write(w)
	}
	w.bytes(tokenEOF)
}

func (i inst) write(w *chunkWriter) {
	id := crc32.ChecksumIEEE([]byte(i.template))
	w.bytes(tokenTemplate, 1)
	w.u32(int(id))
	if at, ok := w.templates[i.template]; ok {
		w.u32(int(at))
	} else {
		at := len(w.buf) + 4
		w.templates[i.template] = uint32(at)
		w.u32(at)
		w.u32(0)
		w.u32(int(id)) // the GUID, of which the identifier is the beginning
		w.buf = append(w.buf, guid[4:]...)
		w.chain(nameChains+int(hash16(w.buf[at+4:])%templateChains), at)
		outer := w.inside
		w.inside = true
		w.sized(func() { fragmentOf{i.body}.write(w) })
		w.inside = outer
	}
	w.u32(len(i.values))
	table := len(w.buf)
	for range i.values {
		w.u32(0)
	}
	for n, v := range i.values {
		from := len(w.buf)
		if v.nested != nil {
			w.inside = false
			v.nested.write(w)
		}
		w.buf = append(w.buf, v.data...)
		w.set32(table+4*n, len(w.buf)-from|int(v.kind)<<16)
	}
}

// record appends a record and returns where it begins.
func (w *chunkWriter) record(id uint64, x xml) int {
	w.inside = false
	at := len(w.buf)
	w.buf = append(w.buf, recordSignature...)
	w.u32(0)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, id)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, fileTime(time.Unix(1735787045, 0)))
	x.write(w)
	for (len(w.buf)+4-at)%8 != 0 {
		w.bytes(0)
	}
	size := len(w.buf) + 4 - at
	w.u32(size)
	w.set32(at+4, size)
	if w.records++; w.records == 1 {
		w.first = id
	}
	w.last, w.lastAt = id, at
	return at
}

// chunk returns the whole chunk, with its checksums.
func (w *chunkWriter) chunk() []byte {
	c := append(w.buf[:len(w.buf):len(w.buf)], make([]byte, chunkSize-len(w.buf))...)
	copy(c, chunkSignature)
	le := binary.LittleEndian
	le.PutUint64(c[8:], w.first)
	le.PutUint64(c[16:], w.last)
	le.PutUint64(c[24:], w.first)
	le.PutUint64(c[32:], w.last)
	le.PutUint32(c[40:], 128)
	le.PutUint32(c[44:], uint32(w.lastAt))
	le.PutUint32(c[freeSpaceAt:], uint32(len(w.buf)))
	le.PutUint32(c[chunkFlagsAt:], 1) // as Windows writes
	for i, at := range w.heads {
		le.PutUint32(c[tablesAt+4*i:], at)
	}
	le.PutUint32(c[recordsCRCAt:], crc32.ChecksumIEEE(w.buf[chunkHeaderSize:]))
	sum := crc32.ChecksumIEEE(c[:headerCRCFirst])
	le.PutUint32(c[checksumAt:], crc32.Update(sum, crc32.IEEETable, c[tablesAt:chunkHeaderSize]))
	return c
}

// file returns a file of the chunks given.
func file(chunks ...[]byte) []byte {
	h := make([]byte, fileHeaderSize)
	copy(h, fileSignature)
	le := binary.LittleEndian
	le.PutUint64(h[16:], uint64(max(len(chunks)-1, 0)))
	le.PutUint64(h[24:], 100)
	le.PutUint32(h[32:], 128)
	le.PutUint16(h[36:], 1)
	le.PutUint16(h[38:], 3)
	le.PutUint16(h[40:], fileHeaderSize)
	le.PutUint16(h[42:], uint16(len(chunks)))
	le.PutUint32(h[checksumAt:], crc32.ChecksumIEEE(h[:headerCRCFirst]))
	for _, c := range chunks {
		h = append(h, c...)
	}
	return h
}

// one returns a file with one record.
func one(x xml) []byte {
	w := newChunk()
	w.record(1, x)
	return file(w.chunk())
}

func fileTime(t time.Time) uint64 { return uint64(t.Unix()+11_644_473_600) * 10_000_000 }

// Values as files hold them.

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func str(s string) val { return val{kind: typeString, data: utf16Bytes(s)} }

func integerOf(kind byte, n uint64, size int) val {
	return val{kind: kind, data: binary.LittleEndian.AppendUint64(nil, n)[:size]}
}

func real64(f float64) val { return integerOf(typeReal64, math.Float64bits(f), 8) }
func real32(f float32) val { return integerOf(typeReal32, uint64(math.Float32bits(f)), 4) }

func sid(parts ...uint32) []byte {
	b := []byte{1, byte(len(parts)), 0, 0, 0, 0, 0, 5}
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint32(b, p)
	}
	return b
}

var guid = []byte{0x5f, 0x38, 0x70, 0x57, 0x2a, 0xc2, 0xe0, 0x43, 0xbf, 0x4c, 0x06, 0xf5, 0x69, 0x8f, 0xfb, 0xd9}
