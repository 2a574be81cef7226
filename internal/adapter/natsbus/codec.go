package natsbus

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// A payload is
//
//	version   1 byte, payloadVersion
//	checksum  8 bytes little endian, xxHash64 of all that follows
//	plain     uvarint, length of what is compressed
//	frame     one zstd frame of: head, then the lines end to end
//
// and the head is uvarints and bytes in this order: received (microseconds
// since 1970, zigzag), member (length, bytes), number of lines, then for each
// line its length and how much its number grew from the line before (zigzag).
// Lines have lengths rather than separators, so that they may hold anything.
// The batch's id is not in it: it is the message's Nats-Msg-Id.
const (
	payloadVersion = 1
	payloadFixed   = 1 + 8

	// maxLinesBytes bounds the lines of one batch: the door's body limit of
	// 16 MiB and a little.
	maxLinesBytes = 17 << 20
	// maxPlain bounds what a payload may unpack to.
	maxPlain = maxLinesBytes + monitor.MaxBatchLines*2*binary.MaxVarintLen32 + 1<<10
	// maxPayload bounds a message: incompressible lines grow a little.
	maxPayload = maxPlain + 1<<16
	maxMember  = 64
)

var errDamaged = errors.New("damaged payload")

// codec packs batches. It is safe for concurrent use; the zstd coders keep
// their own pools.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// newCodec allows for as many compressions at a time. The small window keeps
// an idle coder under a megabyte and costs records of one kind no ratio.
func newCodec(concurrency int) (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(concurrency), zstd.WithWindowSize(1<<18),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(concurrency),
		zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd decoder: %w", err)
	}
	return &codec{enc: enc, dec: dec}, nil
}

func (c *codec) close() {
	c.dec.Close()
	_ = c.enc.Close() // nothing is being written
}

// checkBatch refuses what the payload could not hold.
func checkBatch(b monitor.Batch) error {
	switch id, err := hex.DecodeString(b.ID); {
	case err != nil || len(id) != 16 || hex.EncodeToString(id) != b.ID:
		return fmt.Errorf("batch id %q is not 32 lower-case hex digits", b.ID)
	case b.Tick():
		return nil
	case len(b.Member) == 0 || len(b.Member) > maxMember:
		return fmt.Errorf("batch %s: member of %d bytes", b.ID, len(b.Member))
	case len(b.Lines) == 0 || len(b.Lines) > monitor.MaxBatchLines:
		return fmt.Errorf("batch %s: %d lines, not 1 to %d", b.ID, len(b.Lines), monitor.MaxBatchLines)
	case len(b.Numbers) != len(b.Lines):
		return fmt.Errorf("batch %s: %d numbers for %d lines", b.ID, len(b.Numbers), len(b.Lines))
	}
	total := 0
	for _, l := range b.Lines {
		total += len(l)
	}
	if total > maxLinesBytes {
		return fmt.Errorf("batch %s: lines of %d bytes, over %d", b.ID, total, maxLinesBytes)
	}
	return nil
}

// encode packs a batch that checkBatch has passed.
func (c *codec) encode(b monitor.Batch) []byte {
	total := 0
	for _, l := range b.Lines {
		total += len(l)
	}
	plain := make([]byte, 0, 64+len(b.Member)+4*len(b.Lines)+total)
	plain = binary.AppendVarint(plain, b.Received.UnixMicro())
	plain = binary.AppendUvarint(plain, uint64(len(b.Member)))
	plain = append(plain, b.Member...)
	plain = binary.AppendUvarint(plain, uint64(len(b.Lines)))
	last := 0
	for i, l := range b.Lines {
		plain = binary.AppendUvarint(plain, uint64(len(l)))
		plain = binary.AppendVarint(plain, int64(b.Numbers[i]-last))
		last = b.Numbers[i]
	}
	for _, l := range b.Lines {
		plain = append(plain, l...)
	}
	out := make([]byte, payloadFixed, payloadFixed+binary.MaxVarintLen32+len(plain)/4)
	out = binary.AppendUvarint(out, uint64(len(plain)))
	out = c.enc.EncodeAll(plain, out)
	out[0] = payloadVersion
	binary.LittleEndian.PutUint64(out[1:], xxhash.Sum64(out[payloadFixed:]))
	return out
}

// decode unpacks a payload; id is the message's Nats-Msg-Id. The lines share
// one piece of memory.
func (c *codec) decode(id string, payload []byte) (monitor.Batch, error) {
	if len(payload) < payloadFixed+1 {
		return monitor.Batch{}, fmt.Errorf("%w: %d bytes", errDamaged, len(payload))
	}
	if payload[0] != payloadVersion {
		return monitor.Batch{}, fmt.Errorf("payload version %d is not known to this program", payload[0])
	}
	body := payload[payloadFixed:]
	if binary.LittleEndian.Uint64(payload[1:]) != xxhash.Sum64(body) {
		return monitor.Batch{}, fmt.Errorf("%w: checksum", errDamaged)
	}
	size, n := binary.Uvarint(body)
	if n <= 0 || size > maxPlain {
		return monitor.Batch{}, fmt.Errorf("%w: length", errDamaged)
	}
	plain, err := c.dec.DecodeAll(body[n:], make([]byte, 0, size))
	if err != nil {
		return monitor.Batch{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if uint64(len(plain)) != size {
		return monitor.Batch{}, fmt.Errorf("%w: %d bytes, not %d", errDamaged, len(plain), size)
	}
	return readPlain(id, plain)
}

func readPlain(id string, plain []byte) (monitor.Batch, error) {
	r := reader{rest: plain}
	b := monitor.Batch{ID: id, Received: time.UnixMicro(r.varint()).UTC()}
	b.Member = sector.MemberID(r.bytes(r.uvarint(maxMember)))
	count := r.uvarint(monitor.MaxBatchLines)
	b.Lines = make([][]byte, count)
	b.Numbers = make([]int, count)
	lengths := make([]int, count)
	last := int64(0)
	for i := range count {
		lengths[i] = r.uvarint(maxLinesBytes)
		last += r.varint()
		b.Numbers[i] = int(last)
	}
	for i, n := range lengths {
		b.Lines[i] = r.bytes(n)
	}
	if r.bad || len(r.rest) != 0 {
		return monitor.Batch{}, fmt.Errorf("%w: head", errDamaged)
	}
	return b, nil
}

// reader takes values off the front of bytes; after the first that is wrong
// it gives zeroes and stays bad.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.bad, r.rest = true, nil }

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 || v == math.MinInt64 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) uvarint(limit int) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(limit) {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
