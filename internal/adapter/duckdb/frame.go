package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// A frame holds some records of one batch or of neighbours, whole:
//
//	length    4 bytes little endian, of the body
//	checksum  8 bytes little endian, xxHash64 of the body
//	body      uvarint, length of the plain bytes; one zstd frame of them
//
// The plain bytes are the number of records, then the head of each (see
// putHead), then their raw bytes end to end, so that a text can be looked for
// in all at once.
const (
	frameHeader  = 4 + 8
	frameRecords = 128
	frameBytes   = 128 << 10 // of raw bytes, after which a frame is closed
	maxFrame     = 64 << 20
)

var errFrame = errors.New("damaged frame")

// frameCodec packs frames; safe for concurrent use.
type frameCodec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newFrameCodec(threads int) (*frameCodec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<18), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(max(threads, 1)),
		zstd.WithDecoderMaxMemory(maxFrame), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd decoder: %w", err)
	}
	return &frameCodec{enc: enc, dec: dec}, nil
}

func (c *frameCodec) close() {
	c.dec.Close()
	_ = c.enc.Close() // nothing is being written
}

// frameEnd is how many of the records, at least one, make the next frame.
func frameEnd(records []monitor.Record) int {
	size := 0
	for i := range records {
		size += len(records[i].Raw)
		if i+1 == frameRecords || size >= frameBytes {
			return i + 1
		}
	}
	return len(records)
}

// pack appends the frame of the records to dst.
func (c *frameCodec) pack(dst []byte, records []monitor.Record) []byte {
	size := 0
	for i := range records {
		size += len(records[i].Raw)
	}
	plain := make([]byte, 0, size+200*len(records)+8)
	plain = binary.AppendUvarint(plain, uint64(len(records)))
	for i := range records {
		plain = putHead(plain, &records[i])
	}
	for i := range records {
		plain = append(plain, records[i].Raw...)
	}
	start := len(dst)
	dst = append(dst, make([]byte, frameHeader)...)
	dst = binary.AppendUvarint(dst, uint64(len(plain)))
	dst = c.enc.EncodeAll(plain, dst)
	body := dst[start+frameHeader:]
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(body)))
	binary.LittleEndian.PutUint64(dst[start+4:], xxhash.Sum64(body))
	return dst
}

// putHead appends what is not raw bytes, and their length.
func putHead(p []byte, r *monitor.Record) []byte {
	batch, line, _ := splitID(r.ID)
	p = binary.AppendVarint(p, r.Number)
	p = binary.AppendUvarint(p, uint64(line))
	p = binary.AppendVarint(p, r.At.UnixMicro())
	p = binary.AppendVarint(p, r.Received.UnixMicro())
	p = append(p, byte(r.Clock))
	for _, s := range []string{
		batch, string(r.Member), r.Source.Product, r.Source.Category, r.Source.Service, r.Host, r.Account,
	} {
		p = binary.AppendUvarint(p, uint64(len(s)))
		p = append(p, s...)
	}
	p = append(p, r.SHA256[:]...)
	return binary.AppendUvarint(p, uint64(len(r.Raw)))
}

// frame is an unpacked one. The records share its memory.
type frame struct {
	records []monitor.Record
	raw     []byte // of all records, end to end
}

// unpack reads a body whose checksum stood before it.
func (c *frameCodec) unpack(body []byte, sum uint64) (frame, error) {
	if xxhash.Sum64(body) != sum {
		return frame{}, fmt.Errorf("%w: checksum", errFrame)
	}
	size, n := binary.Uvarint(body)
	if n <= 0 || size > maxFrame {
		return frame{}, fmt.Errorf("%w: length", errFrame)
	}
	plain, err := c.dec.DecodeAll(body[n:], make([]byte, 0, size))
	if err != nil {
		return frame{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	return readFrame(plain)
}

func readFrame(plain []byte) (frame, error) {
	r := frameReader{rest: plain}
	count := r.uvarint(1 << 20)
	if count > len(plain) {
		return frame{}, fmt.Errorf("%w: %d records in %d bytes", errFrame, count, len(plain))
	}
	f := frame{records: make([]monitor.Record, count)}
	lengths := make([]int, count)
	for i := range f.records {
		lengths[i] = r.head(&f.records[i])
	}
	f.raw = r.rest
	for i := range f.records {
		f.records[i].Raw = r.bytes(lengths[i])
	}
	if r.bad || len(r.rest) != 0 {
		return frame{}, fmt.Errorf("%w: head", errFrame)
	}
	return f, nil
}

// frameReader takes values off the front of bytes; after the first that is
// wrong it gives zeroes and stays bad.
type frameReader struct {
	rest []byte
	bad  bool
}

func (r *frameReader) head(rec *monitor.Record) (rawLength int) {
	rec.Number = r.varint()
	line := r.uvarint(math.MaxInt32)
	rec.At, rec.Received = fromMicro(r.varint()), fromMicro(r.varint())
	if b := r.bytes(1); len(b) == 1 {
		rec.Clock = monitor.ClockState(b[0])
	}
	rec.ID = r.text() + "-" + strconv.Itoa(line)
	rec.Member = sector.MemberID(r.text())
	rec.Source.Product, rec.Source.Category, rec.Source.Service = r.text(), r.text(), r.text()
	rec.Host, rec.Account = r.text(), r.text()
	copy(rec.SHA256[:], r.bytes(len(rec.SHA256)))
	return r.uvarint(maxFrame)
}

func (r *frameReader) text() string { return string(r.bytes(r.uvarint(maxFrame))) }

func (r *frameReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *frameReader) uvarint(limit int) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(limit) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *frameReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
