package sender

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/aspis-platform/aspis/internal/replay"
)

// source yields the records of one file, io.EOF after the last.
type source interface {
	Next() (replay.Record, error)
}

// batch is the unit of sending.
type batch struct {
	after   int64   // records of the source before this batch
	upTo    int64   // records of the source up to and including it
	numbers []int64 // the 1-based number in the source of each line
	places  []place
	lines   []byte // newline-delimited
	ends    []int  // where each line ends in lines, its newline included
}

// place is where a line comes from.
type place struct {
	file string
	line int
}

// key is the batch's idempotency key: the same file, place and bytes always
// give the same key, anything else another.
func (b *batch) key(identity string) string {
	h := sha256.New()
	var place [16]byte
	binary.BigEndian.PutUint64(place[:8], uint64(b.after))
	binary.BigEndian.PutUint64(place[8:], uint64(len(b.lines)))
	h.Write([]byte("aspis records send\x00" + identity + "\x00"))
	h.Write(place[:])
	h.Write(b.lines)
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// halves splits a batch that the door found too large.
func (b *batch) halves() (*batch, *batch) {
	n := len(b.numbers) / 2
	cut := b.ends[n-1]
	first := &batch{after: b.after, upTo: b.numbers[n-1], numbers: b.numbers[:n], places: b.places[:n], lines: b.lines[:cut], ends: b.ends[:n]}
	second := &batch{after: first.upTo, upTo: b.upTo, numbers: b.numbers[n:], places: b.places[n:], lines: b.lines[cut:]}
	for _, end := range b.ends[n:] {
		second.ends = append(second.ends, end-cut)
	}
	return first, second
}

// batcher cuts a source into batches. The cuts depend on the records and the
// limits only, so that a resumed run makes the same batches.
type batcher struct {
	src      source
	maxLines int
	maxBytes int
	position int64          // records taken from the source
	kept     *replay.Record // the record that did not fit into the last batch
}

// skip passes over the first n records of the source.
func (b *batcher) skip(n int64) error {
	for b.position < n {
		if _, err := b.src.Next(); errors.Is(err, io.EOF) {
			return fmt.Errorf("sender: the file has %d records where %d were sent before", b.position, n)
		} else if err != nil {
			return fmt.Errorf("sender: read record %d: %w", b.position+1, err)
		}
		b.position++
	}
	return nil
}

// next returns the next batch, nil after the last. Blank records are passed
// over.
func (b *batcher) next() (*batch, error) {
	out := &batch{after: b.position}
	if b.kept != nil {
		out.after--
		out.add(b.position, *b.kept)
		b.kept = nil
	}
	for len(out.numbers) < b.maxLines {
		rec, err := b.src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("sender: read record %d: %w", b.position+1, err)
		}
		b.position++
		rec.Raw = oneRecord(rec.Raw)
		if len(out.numbers) > 0 && len(out.lines)+len(rec.Raw) >= b.maxBytes {
			b.kept = &rec
			break
		}
		if len(rec.Raw) > 0 {
			out.add(b.position, rec)
		}
	}
	out.upTo = b.position
	if b.kept != nil {
		out.upTo--
	}
	if len(out.numbers) == 0 {
		return nil, nil
	}
	return out, nil
}

func (b *batch) add(number int64, rec replay.Record) {
	b.lines = append(append(b.lines, rec.Raw...), '\n')
	b.ends = append(b.ends, len(b.lines))
	b.numbers = append(b.numbers, number)
	b.places = append(b.places, place{rec.File, rec.Line})
}

// oneRecord trims a record and makes it one line: in JSON a line break can
// only stand between tokens, where a space means the same.
func oneRecord(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if bytes.IndexByte(line, '\n') < 0 {
		return line
	}
	return bytes.ReplaceAll(bytes.Clone(line), []byte{'\n'}, []byte{' '})
}
