package evtx

import (
	"bytes"
	"encoding/binary"
)

// chunk walks the records of one chunk and renders them.
type chunk struct {
	data  []byte
	pos   int    // of the next record
	limit int    // of the records
	last  uint64 // number of the record before
	fault *fault // found on the way, not yet reported
	names map[uint32]string
	doc   document
}

// open begins a chunk, whole or cut off.
func (c *chunk) open(data []byte) {
	c.data = data
	c.pos, c.limit, c.last = chunkHeaderSize, len(data), 0
	if free := int(binary.LittleEndian.Uint32(data[freeSpaceAt:])); free > chunkHeaderSize && free <= len(data) {
		c.limit = free
	}
	if c.names == nil {
		c.names = map[uint32]string{}
	}
	clear(c.names)
}

// stop passes over the rest of the chunk.
func (c *chunk) stop() { c.pos, c.limit = len(c.data), len(c.data) }

// damage returns what was found damaged since it was asked last.
func (c *chunk) damage() *fault {
	f := c.fault
	c.fault = nil
	return f
}

// next returns the offset of the next whole record. Behind a damaged one it
// looks for another.
func (c *chunk) next() (int, bool) {
	if c.fault != nil {
		return 0, false
	}
	if c.pos >= c.limit {
		c.extend()
	}
	if c.limit-c.pos < recordOverhead {
		return 0, false
	}
	at := c.pos
	size, reason := recordSize(c.data[at:])
	switch {
	case reason == "":
		c.pos, c.last = at+size, c.id(at)
		return at, true
	case binary.LittleEndian.Uint32(c.data[at:]) != 0:
		c.fault = &fault{at, reason}
	}
	if c.resync(at); c.fault == nil && c.pos < c.limit {
		c.fault = &fault{at, "there are zeroes between records"}
	}
	return 0, false
}

// recordSize is the size of the record at the beginning of b, or why there is
// none.
func recordSize(b []byte) (size int, reason string) {
	if !bytes.HasPrefix(b, []byte(recordSignature)) {
		return 0, "a record has no signature"
	}
	size = int(binary.LittleEndian.Uint32(b[4:]))
	switch {
	case size < recordOverhead || size > len(b):
		return 0, "a record's size is wrong"
	case int(binary.LittleEndian.Uint32(b[size-4:])) != size:
		return 0, "a record's size differs from its copy at the end"
	}
	return size, ""
}

// extend takes in a record beyond what the header says: in the copy of a log that
// was being written to, the header is older than the records. What numbers show
// to be left from an earlier use of the chunk stays out.
func (c *chunk) extend() {
	rest := c.data[min(c.pos, len(c.data)):]
	if len(rest) < recordOverhead || c.last == 0 {
		return
	}
	if size, reason := recordSize(rest); reason == "" && c.id(c.pos) == c.last+1 {
		c.limit = c.pos + size
	}
}

// resync moves to the next signature behind an offset, or to the end.
func (c *chunk) resync(at int) {
	c.pos = c.limit
	if i := bytes.Index(c.data[at+1:c.limit], []byte(recordSignature)); i >= 0 {
		c.pos = at + 1 + i
	}
}

// id returns the number of the record at an offset.
func (c *chunk) id(at int) uint64 { return binary.LittleEndian.Uint64(c.data[at+8:]) }

// render returns the JSON of the record at an offset. It is valid until the
// next call.
func (c *chunk) render(at, limit int) ([]byte, error) {
	size := int(binary.LittleEndian.Uint32(c.data[at+4:]))
	c.doc.reset(limit)
	p := parser{chunk: c, doc: &c.doc, src: c.data[:at+size-4], pos: at + 24}
	if err := p.fragment(0, 0); err != nil {
		return nil, err
	}
	return c.doc.json(at)
}

// name returns the name at an offset of the chunk, false when it is not in it.
func (c *chunk) name(at uint32) (string, bool) {
	if name, ok := c.names[at]; ok {
		return name, true
	}
	const header = 8 // link to the next name, hash, number of characters
	if uint64(at)+header > uint64(len(c.data)) {
		return "", false
	}
	end := int(at) + nameLength(c.data, at)
	if end > len(c.data) {
		return "", false
	}
	name := string(appendUTF16(nil, c.data[int(at)+header:end-2]))
	if len(name) <= maxKeptName {
		c.names[at] = name
	}
	return name, true
}

// maxKeptName bounds the names that are kept for a chunk, in bytes: any offset
// may be one, and they may overlap.
const maxKeptName = 256

// nameLength is the length of the name at an offset, with its header and the
// NUL at its end.
func nameLength(data []byte, at uint32) int {
	return 8 + 2*int(binary.LittleEndian.Uint16(data[at+6:])) + 2
}
