package duckdb

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/aspis-platform/aspis/internal/monitor"
)

// row is what the database tells of a record: where to find it.
type row struct {
	number, at int64
	place      place
}

// needle is a text to look for without regard to case. The zero needle is in
// everything.
type needle struct {
	low   []byte // lower case
	plain bool   // has no case: digits, signs, Han
	ascii bool
}

func newNeedle(text string) needle {
	low := strings.ToLower(text)
	n := needle{low: []byte(low), plain: low == strings.ToUpper(text), ascii: true}
	for i := range len(low) {
		n.ascii = n.ascii && low[i] < utf8.RuneSelf
	}
	return n
}

// fold is the text in lower case, as far as the needle needs it; scratch is
// used again.
func (n needle) fold(scratch, text []byte) []byte {
	switch {
	case n.plain:
		return text
	case !n.ascii:
		return bytes.ToLower(text)
	}
	return lowerASCII(append(scratch[:0], text...))
}

// lowerASCII makes A to Z lower case in place, eight bytes at a time: every
// byte below 0x80 gets its top bit set by one sum if it is at least A, by the
// other if it is beyond Z.
func lowerASCII(text []byte) []byte {
	const (
		each = 0x0101010101010101
		top  = 0x80 * each
	)
	rest := text
	for ; len(rest) >= 8; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		seven := x &^ top
		upper := (seven + (0x80-'A')*each) &^ (seven + (0x7f-'Z')*each) &^ x & top
		binary.LittleEndian.PutUint64(rest, x|upper>>2)
	}
	for i, c := range rest {
		if 'A' <= c && c <= 'Z' {
			rest[i] = c | 0x20
		}
	}
	return text
}

// fetch reads the rows' records, in the order of the rows; of those in which
// the needle is not, there is none. Every frame is read once.
func (e *engine) fetch(ctx context.Context, rows []row, n needle) ([]*monitor.Record, error) {
	wanted := map[place][]int{}
	for i, r := range rows {
		wanted[r.place] = append(wanted[r.place], i)
	}
	out := make([]*monitor.Record, len(rows))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(e.threads)
	for at, indexes := range wanted {
		if working.Err() != nil {
			break // the group or the context has the reason
		}
		group.Go(func() error {
			f, err := e.archive.read(at)
			if err != nil {
				return err
			}
			f.pick(rows, indexes, n, out)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}

// pick puts the frame's records that are wanted and hold the needle into out.
func (f *frame) pick(rows []row, indexes []int, n needle, out []*monitor.Record) {
	var scratch []byte
	if len(n.low) > 0 {
		scratch = n.fold(nil, f.raw)
		if !bytes.Contains(scratch, n.low) {
			return
		}
		if n.plain {
			scratch = nil // it is f.raw, which fold must not write into
		}
	}
	for _, i := range indexes {
		for j := range f.records {
			r := &f.records[j]
			if r.Number == rows[i].number && (len(n.low) == 0 || bytes.Contains(n.fold(scratch, r.Raw), n.low)) {
				one := *r
				one.Raw = bytes.Clone(r.Raw) // not the whole frame's memory
				out[i] = &one
			}
		}
	}
}
