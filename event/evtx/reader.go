package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Sizes of the file's parts in bytes (libevtx, sections 2 and 3).
const (
	fileHeaderSize  = 4096
	chunkSize       = 64 << 10
	chunkHeaderSize = 512
	recordOverhead  = 28 // header and the copy of the size at the end
)

const (
	fileSignature   = "ElfFile\x00"
	chunkSignature  = "ElfChnk\x00"
	recordSignature = "\x2a\x2a\x00\x00"
)

// Flags of files whose checksums need not hold, such as a log that was copied
// while it was written to. On chunks the first means nothing known: those of
// logs that were closed have it too.
const (
	dirtyFlag      = 1
	noCRCFlag      = 4 // of chunks too
	fileFlagsAt    = 120
	chunkFlagsAt   = 120
	checksumAt     = 124
	freeSpaceAt    = 48
	recordsCRCAt   = 52
	headerCRCFirst = 120 // bytes under the header's checksum, in both headers
)

// IsFile says whether data begins like an event log file.
func IsFile(data []byte) bool { return bytes.HasPrefix(data, []byte(fileSignature)) }

// Reader yields the records of one file. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	lim    Limits
	begun  bool
	trust  bool // in the checksums of chunks
	number int  // of the chunk that is being read
	left   int  // what its records may still cost, in bytes
	chunk  chunk
	buf    []byte
	end    error // why no chunk comes after this one
	faults []Error
}

// NewReader returns a Reader of the file that src holds.
func NewReader(src io.Reader, lim Limits) *Reader {
	return &Reader{src: src, lim: lim.withDefaults(), number: -1, buf: make([]byte, chunkSize)}
}

// Next returns the next record. It returns io.EOF at the end, an *[Error] for
// what is passed over, after which Next may be called again, and the error of
// the source, after which it may not.
func (r *Reader) Next() (Record, error) {
	for {
		if len(r.faults) > 0 {
			first := r.faults[0]
			r.faults = r.faults[1:]
			return Record{}, &first
		}
		if !r.begun {
			r.begun = true
			r.header()
			continue
		}
		if at, ok := r.chunk.next(); ok {
			return r.record(at)
		}
		if f := r.chunk.damage(); f != nil {
			r.report(f.at, f.reason)
			continue
		}
		if r.end != nil {
			return Record{}, r.end
		}
		r.nextChunk()
	}
}

// record renders the record at an offset of the chunk.
func (r *Reader) record(at int) (Record, error) {
	json, err := r.chunk.render(at, min(r.lim.MaxRecord, r.left))
	r.left -= max(len(json), r.chunk.doc.spent)
	var f *fault
	if errors.As(err, &f) {
		if r.left <= 0 {
			r.chunk.stop()
			return Record{}, r.at(f.at, "the records of this chunk are larger than allowed; the rest of it is passed over")
		}
		return Record{}, r.at(f.at, f.reason)
	}
	return Record{ID: r.chunk.id(at), Chunk: r.number, Offset: r.offset(at), JSON: json}, nil
}

// offset returns where an offset of the chunk lies in the file.
func (r *Reader) offset(at int) int64 {
	if r.number < 0 {
		return int64(at)
	}
	return fileHeaderSize + int64(r.number)*chunkSize + int64(at)
}

func (r *Reader) at(at int, reason string) *Error {
	return &Error{Chunk: r.number, Offset: r.offset(at), Reason: reason}
}

func (r *Reader) report(at int, reason string) { r.faults = append(r.faults, *r.at(at, reason)) }

// header reads the file header. Only a missing signature ends the file: what
// else the header says the chunks say better.
func (r *Reader) header() {
	h := r.buf[:fileHeaderSize]
	n, err := io.ReadFull(r.src, h)
	switch {
	case err != nil && !cutOff(err):
		r.end = err
	case !IsFile(h[:n]):
		r.report(0, "this is no event log file: its signature is missing")
		r.end = io.EOF
	case err != nil:
		r.report(n, "the file ends within its header")
		r.end = io.EOF
	default:
		flags := binary.LittleEndian.Uint32(h[fileFlagsAt:])
		r.trust = flags&(dirtyFlag|noCRCFlag) == 0
		if flags&noCRCFlag == 0 && crc32.ChecksumIEEE(h[:headerCRCFirst]) != binary.LittleEndian.Uint32(h[checksumAt:]) {
			r.report(checksumAt, "the checksum of the file header is wrong")
		}
	}
}

func cutOff(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// nextChunk reads the next chunk, which may be cut off at the file's end.
func (r *Reader) nextChunk() {
	n, err := io.ReadFull(r.src, r.buf)
	if err != nil {
		r.end = io.EOF
		if !cutOff(err) {
			r.end = err
		}
	}
	if n == 0 {
		return
	}
	r.number++
	r.left = r.lim.MaxChunk
	data := r.buf[:n]
	if len(bytes.TrimLeft(data, "\x00")) == 0 {
		return // space that was set aside and not used
	}
	switch {
	case !bytes.HasPrefix(data, []byte(chunkSignature)):
		r.report(0, "this is no chunk: its signature is missing")
		if n < chunkHeaderSize || !bytes.HasPrefix(data[chunkHeaderSize:], []byte(recordSignature)) {
			return
		}
		// Its records may be whole all the same.
	case n < chunkHeaderSize:
		r.report(n, "the file ends within the header of this chunk")
		return
	case n < chunkSize:
		r.report(n, "the file ends within this chunk")
	default:
		r.checksums(data)
	}
	r.chunk.open(data)
}

// checksums compares both checksums of a chunk, unless it says that they need
// not hold. Records are read all the same: most of them are usually whole.
func (r *Reader) checksums(data []byte) {
	flags := binary.LittleEndian.Uint32(data[chunkFlagsAt:])
	if !r.trust || flags&noCRCFlag != 0 {
		return
	}
	sum := crc32.ChecksumIEEE(data[:headerCRCFirst])
	sum = crc32.Update(sum, crc32.IEEETable, data[headerCRCFirst+8:chunkHeaderSize])
	if sum != binary.LittleEndian.Uint32(data[checksumAt:]) {
		r.report(checksumAt, "the checksum of this chunk's header is wrong")
		return // and with it the place that says how far the records go
	}
	free := binary.LittleEndian.Uint32(data[freeSpaceAt:])
	if free < chunkHeaderSize || free > chunkSize {
		r.report(freeSpaceAt, "the free space of this chunk begins outside of it")
		return
	}
	if crc32.ChecksumIEEE(data[chunkHeaderSize:free]) != binary.LittleEndian.Uint32(data[recordsCRCAt:]) {
		r.report(recordsCRCAt, "the checksum of this chunk's records is wrong")
	}
}
