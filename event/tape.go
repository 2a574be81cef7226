package event

import "unsafe"

// node is one value on the tape. A record is a flat list of nodes in the order
// of its bytes; an object's or list's members follow it up to next.
//
// Offsets are into the tape's address space: below len(raw) they are bytes of
// the record, from len(raw) on bytes of the arena, where text lies that had to
// be unescaped.
type node struct {
	start, end uint32 // the value's text; for objects and lists their JSON
	key        uint32 // the member name, when the parent is an object
	hash       uint32 // of the member name
	next       uint32 // first node after this value and all it contains
	keyLen     uint16
	kind       Kind
	flags      uint8
}

const (
	shadowed uint8 = 1 << iota // a later member of the same object has the same name
	isMember                   // has a key
	lifted                     // its members appear in the flat view without its name
	opened                     // some do, and are leaves below its name
)

// tape is a scanned record.
type tape struct {
	raw   []byte
	arena []byte
	nodes []node
	ascii bool // raw has no byte above 0x7f; once decoded, nor has arena

	index   []uint32                 // open addressing over the names of the flat view
	entered int                      // names in the index
	known   hashes                   // of the names in it
	scratch []uint32                 // for finding duplicate names in inner objects
	missing func(name string) uint32 // in place of an index, see [experiment]; nil for none
}

// text returns the bytes [start,end) of the tape's address space as a string
// without copying: the record and the arena never change after the scan.
func (t *tape) text(start, end uint32) string {
	if start >= end {
		return ""
	}
	if n := uint32(len(t.raw)); start >= n {
		return view(t.arena[start-n : end-n])
	}
	return view(t.raw[start:end])
}

func (t *tape) key(n *node) string  { return t.text(n.key, n.key+uint32(n.keyLen)) }
func (t *tape) body(n *node) string { return t.text(n.start, n.end) }

// view lends bytes as a string. It is the only use of unsafe here, and holds
// because a record's bytes must not change while its Event is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
