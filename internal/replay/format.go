package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/aspis-platform/aspis/event/evtx"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// headBytes is how much of a file is looked at to tell its format.
const headBytes = 4096

// content reads an unpacked file in the format that its first bytes tell or its
// name, which before it was unpacked was another.
func (r *reader) content(packed, name string, src io.Reader) bool {
	r.index, r.grown = 0, growth{ratio: r.opt.MaxRatio}
	in := bufio.NewReaderSize(src, 1<<16)
	head, _ := in.Peek(headBytes) // what is wrong is said when it is read
	if evtx.IsFile(head) || ending(name) == ".evtx" {
		return r.eventLog(packed, in)
	}
	if order, ok := utf16Order(head); ok {
		decoder := unicode.UTF16(order, unicode.UseBOM).NewDecoder()
		in = bufio.NewReaderSize(transform.NewReader(in, decoder), 1<<16)
		head, _ = in.Peek(headBytes)
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(head, []byte("#separator ")):
		return r.headed(packed, in, newZeekLog())
	case w3c(head):
		return r.headed(packed, in, &w3cLog{})
	case ending(name) == ".csv" || ending(name) == ".tsv":
		return r.table(packed, in, delimiter(head))
	case !plain(name) && bytes.IndexByte(head, 0) >= 0:
		return r.fail(packed, 0, ErrFormat)
	default:
		return r.split(packed, in)
	}
}

// w3c says whether a file begins like one in the Extended Log File Format.
func w3c(head []byte) bool {
	for _, directive := range [...]string{"#Software:", "#Version:", "#Fields:", "#Date:"} {
		if bytes.HasPrefix(head, []byte(directive)) {
			return true
		}
	}
	return false
}

// utf16Order says whether text is UTF-16: by its byte order mark, or by the NULs
// around its first character, which is ASCII in everything that is read here.
func utf16Order(head []byte) (unicode.Endianness, bool) {
	if len(head) < 4 || head[0] == 0 && head[1] == 0 {
		return unicode.LittleEndian, false
	}
	switch {
	case head[0] == 0xff && head[1] == 0xfe, head[1] == 0 && head[3] == 0:
		return unicode.LittleEndian, true
	case head[0] == 0xfe && head[1] == 0xff, head[0] == 0 && head[2] == 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// eventLog reads a Windows event log file.
func (r *reader) eventLog(name string, src io.Reader) bool {
	log := evtx.NewReader(src, evtx.Limits{MaxRecord: r.opt.MaxRecord})
	for {
		rec, err := log.Next()
		var broken *evtx.Error
		var more bool
		switch {
		case errors.Is(err, io.EOF):
			return true
		case errors.As(err, &broken):
			more = r.fail(name, 0, broken)
		case err != nil:
			return r.fail(name, 0, fmt.Errorf("read event log: %w", err))
		default:
			more = r.record(name, r.index+1, bytes.Clone(rec.JSON))
		}
		if !more {
			return false
		}
	}
}
