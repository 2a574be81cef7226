package evtx

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Types of values ([MS-EVEN6] section 2.2.12.3; libevtx, Value types).
const (
	typeNull     = 0x00
	typeString   = 0x01
	typeANSI     = 0x02
	typeInt8     = 0x03
	typeUint8    = 0x04
	typeInt16    = 0x05
	typeUint16   = 0x06
	typeInt32    = 0x07
	typeUint32   = 0x08
	typeInt64    = 0x09
	typeUint64   = 0x0a
	typeReal32   = 0x0b
	typeReal64   = 0x0c
	typeBool     = 0x0d
	typeBinary   = 0x0e
	typeGUID     = 0x0f
	typeSize     = 0x10
	typeFileTime = 0x11
	typeSysTime  = 0x12
	typeSID      = 0x13
	typeHex32    = 0x14
	typeHex64    = 0x15
	typeBinXML   = 0x21
	typeXML      = 0x23

	arrayFlag = 0x80
)

// addValue adds a value, or the items of an array, to a node.
func (d *document) addValue(parent int, kind byte, b []byte) {
	if kind&arrayFlag == 0 {
		d.addScalar(parent, kind, b, false)
		return
	}
	kind &^= arrayFlag
	if len(b) == 0 {
		d.add(parent, node{kind: quoted, item: true})
		return
	}
	for len(b) > 0 && len(d.nodes) <= maxTokens {
		n := itemLength(kind, b)
		d.addScalar(parent, kind, b[:n], true)
		b = b[n:]
	}
}

// itemLength is the length of the first item of an array. Texts end with a NUL.
func itemLength(kind byte, b []byte) int {
	n := len(b)
	switch kind {
	case typeString:
		for i := 0; i+1 < len(b); i += 2 {
			if b[i] == 0 && b[i+1] == 0 {
				return i + 2
			}
		}
	case typeANSI:
		for i, c := range b {
			if c == 0 {
				return i + 1
			}
		}
	case typeInt8, typeUint8:
		n = 1
	case typeInt16, typeUint16:
		n = 2
	case typeInt32, typeUint32, typeReal32, typeHex32:
		n = 4
	case typeBool: // of four bytes (libevtx) or one ([MS-EVEN6]): the whole says which
		n = 4
		if len(b)%4 != 0 {
			n = 1
		}
	case typeInt64, typeUint64, typeReal64, typeFileTime, typeHex64:
		n = 8
	case typeGUID, typeSysTime:
		n = 16
	case typeSize: // of four or eight bytes: the whole says which
		n = 8
		if len(b)%8 != 0 {
			n = 4
		}
	case typeSID:
		if len(b) > 1 {
			n = 8 + 4*int(b[1])
		}
	}
	return min(n, len(b))
}

// addScalar adds one value.
func (d *document) addScalar(parent int, kind byte, b []byte, item bool) {
	n := node{kind: quoted, item: item, from: len(d.text)}
	d.text, n.kind = appendValue(d.text, kind, b)
	n.to = len(d.text)
	d.add(parent, n)
}

// appendValue writes a value as Windows writes it in XML. Bytes that are too
// few or too many for their type are written in hexadecimal.
func appendValue(dst []byte, kind byte, b []byte) ([]byte, kind) {
	switch kind {
	case typeString, typeXML:
		return appendUTF16(dst, trimNUL16(b)), quoted
	case typeANSI:
		return appendANSI(dst, b), quoted
	case typeInt8, typeInt16, typeInt32, typeInt64:
		if u, ok := integer(b); ok {
			shift := 64 - 8*len(b)
			return strconv.AppendInt(dst, int64(u)<<shift>>shift, 10), literal
		}
	case typeUint8, typeUint16, typeUint32, typeUint64:
		if u, ok := integer(b); ok {
			return strconv.AppendUint(dst, u, 10), literal
		}
	case typeHex32, typeHex64, typeSize:
		if u, ok := integer(b); ok {
			return strconv.AppendUint(append(dst, "0x"...), u, 16), quoted
		}
	case typeBool:
		if u, ok := integer(b); ok {
			return strconv.AppendBool(dst, u != 0), literal
		}
	case typeReal32, typeReal64:
		return appendReal(dst, b)
	default:
		return appendStructure(dst, kind, b), quoted
	}
	return appendHex(dst, b), quoted
}

// integer reads one to eight bytes.
func integer(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 8 {
		return 0, false
	}
	var all [8]byte
	copy(all[:], b)
	return binary.LittleEndian.Uint64(all[:]), true
}

// appendReal writes a number; those that JSON does not have as the C library
// of Windows writes them (libevtx, Floating point).
func appendReal(dst []byte, b []byte) ([]byte, kind) {
	bits := 8 * len(b)
	var f float64
	switch len(b) {
	case 4:
		f = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case 8:
		f = math.Float64frombits(binary.LittleEndian.Uint64(b))
	default:
		return appendHex(dst, b), quoted
	}
	switch {
	case math.IsNaN(f):
		return append(dst, "-1.#IND"...), quoted
	case math.IsInf(f, 1):
		return append(dst, "1.#INF"...), quoted
	case math.IsInf(f, -1):
		return append(dst, "-1.#INF"...), quoted
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits), literal
}

// appendStructure writes GUIDs, times, security identifiers, and as
// hexadecimal whatever else there is.
func appendStructure(dst []byte, kind byte, b []byte) []byte {
	switch {
	case kind == typeGUID && len(b) == 16:
		return appendGUID(dst, b)
	case kind == typeFileTime && len(b) == 8:
		return appendFileTime(dst, binary.LittleEndian.Uint64(b))
	case kind == typeSysTime && len(b) == 16:
		part := func(i int) uint16 { return binary.LittleEndian.Uint16(b[2*i:]) }
		return fmt.Appendf(dst, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
			part(0), part(1), part(3), part(4), part(5), part(6), part(7))
	case kind == typeSID && len(b) >= 8 && len(b) >= 8+4*int(b[1]):
		return appendSID(dst, b)
	}
	return appendHex(dst, b)
}

// appendGUID writes an identifier, the first three parts of which are numbers
// ([MS-DTYP] section 2.3.4).
func appendGUID(dst, b []byte) []byte {
	b = []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
	dst = hex.AppendEncode(append(dst, '{'), b[:4])
	for _, part := range [...][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), part)
	}
	return append(dst, '}')
}

// appendFileTime writes a count of 100 ns since 1601 ([MS-DTYP] section 2.3.3).
func appendFileTime(dst []byte, ticks uint64) []byte {
	const perSecond, from1601To1970 = 10_000_000, 11_644_473_600
	t := time.Unix(int64(ticks/perSecond)-from1601To1970, int64(ticks%perSecond)*100).UTC()
	return t.AppendFormat(dst, "2006-01-02T15:04:05.0000000Z")
}

// appendSID writes a security identifier ([MS-DTYP] section 2.4.2).
func appendSID(dst []byte, b []byte) []byte {
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	dst = strconv.AppendUint(append(dst, "S-"...), uint64(b[0]), 10)
	dst = strconv.AppendUint(append(dst, '-'), authority, 10)
	for i := range int(b[1]) {
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(b[8+4*i:])), 10)
	}
	return dst
}

func appendHex(dst, b []byte) []byte {
	from := len(dst)
	dst = hex.AppendEncode(dst, b)
	for i := from; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}

// trimNUL16 takes the NULs off the end of a text.
func trimNUL16(b []byte) []byte {
	b = b[:len(b)&^1]
	for len(b) > 0 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	return b
}

// appendUTF16 writes UTF-16, little-endian, as UTF-8. Halves of surrogate pairs
// become U+FFFD.
func appendUTF16(dst, b []byte) []byte {
	for len(b) > 1 {
		r := rune(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
			continue
		}
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if len(b) > 1 {
				low = rune(binary.LittleEndian.Uint16(b))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				b = b[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendANSI writes text of one byte a character. Which code page it is in the
// file does not say: UTF-8 stays, anything else is taken as Windows-1252.
func appendANSI(dst, b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	if utf8.Valid(b) {
		return append(dst, b...)
	}
	for _, c := range b {
		dst = utf8.AppendRune(dst, charmap.Windows1252.DecodeByte(c))
	}
	return dst
}
