package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// splitter cuts a stream into records.
type splitter struct {
	in    *bufio.Reader
	line  int    // of the next byte
	lists []int  // open lists around records, each with the number of objects around it that end after it
	start []byte // of an XML event that was met where another had not ended
	max   int
}

// split yields the records of a stream.
func (r *reader) split(name string, src *bufio.Reader) bool {
	s := splitter{in: src, line: 1, max: r.opt.MaxRecord}
	for {
		raw, line, err := s.next()
		var more bool
		switch {
		case errors.Is(err, io.EOF):
			return true
		case errors.Is(err, ErrBroken), errors.Is(err, ErrRecordTooLarge):
			more = r.skip(name, line, err)
		case err != nil:
			return r.fail(name, line, err)
		default:
			more = r.record(name, line, raw)
		}
		if !more {
			return false
		}
	}
}

// next returns the next record and the line that it begins at, io.EOF at the
// end, or why a record is passed over.
func (s *splitter) next() ([]byte, int, error) {
	for {
		at := s.line
		if s.start != nil {
			raw, err := s.event()
			return raw, at, err
		}
		c, err := s.skipSpace()
		if err != nil {
			return nil, s.line, err
		}
		at = s.line
		switch {
		case c == '{':
			if s.envelope() {
				continue
			}
			raw, err := s.object()
			return raw, at, err
		case c == '<' && s.aroundEvents():
			continue
		case c == '<' && s.atEvent():
			raw, err := s.event()
			return raw, at, err
		case c == '[' && s.listOfRecords():
			continue
		case len(s.lists) > 0 && (c == ',' || c == ']'):
			s.leave(c)
			continue
		}
		raw, err := s.text()
		if err == nil && len(raw) == 0 {
			continue
		}
		return raw, at, err
	}
}

// skipSpace moves to the next byte that is no white space and peeks at it. A
// byte order mark is white space here.
func (s *splitter) skipSpace() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r', 0x1e: // 0x1e begins a record of a JSON text sequence (RFC 7464)
		case 0xef:
			if bom, _ := s.in.Peek(2); bytes.Equal(bom, []byte{0xbb, 0xbf}) {
				s.discard(2)
				continue
			}
			return c, s.in.UnreadByte()
		default:
			return c, s.in.UnreadByte()
		}
	}
}

// discard drops bytes that were peeked at.
func (s *splitter) discard(n int) {
	head, _ := s.in.Peek(n)
	s.line += bytes.Count(head, []byte{'\n'})
	_, _ = s.in.Discard(n) // cannot fail: the bytes are buffered
}

// listOfRecords enters a list whose first element is an object, and says
// whether there was one: lines of text, too, may begin with a bracket.
func (s *splitter) listOfRecords() bool {
	head, _ := s.in.Peek(256)
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	if len(rest) == 0 || rest[0] != '{' && rest[0] != ']' || len(s.lists) > 8 {
		return false
	}
	s.discard(1)
	s.lists = append(s.lists, 0)
	return true
}

// leave passes a comma or closing bracket between records.
func (s *splitter) leave(c byte) {
	s.discard(1)
	if c == ',' {
		return
	}
	last := len(s.lists) - 1
	rest := balance{depth: s.lists[last]}
	s.lists = s.lists[:last]
	for rest.depth > 0 {
		if _, err := s.in.Peek(1); err != nil {
			return // the next read says what is wrong
		}
		chunk, _ := s.in.Peek(s.in.Buffered())
		s.discard(rest.scan(chunk))
	}
}

// text reads a line.
func (s *splitter) text() ([]byte, error) {
	var line []byte
	for {
		part, err := s.in.ReadSlice('\n')
		if len(line)+len(part) > s.max+2 {
			return nil, s.overlong(err)
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		s.line++
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return nil, err
		}
		return bytes.TrimRight(line, " \t\r\n"), nil
	}
}

// overlong passes the rest of a line that is too long.
func (s *splitter) overlong(err error) error {
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = s.in.ReadSlice('\n')
	}
	s.line++
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%w (%d bytes)", ErrRecordTooLarge, s.max)
}

// object reads a JSON object, over several lines if need be, and returns it in
// one line.
func (s *splitter) object() ([]byte, error) {
	var b balance
	var raw []byte
	lines := 0
	for {
		if _, err := s.in.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				err = ErrBroken
			}
			return nil, err
		}
		chunk, _ := s.in.Peek(s.in.Buffered())
		n := b.scan(chunk)
		if len(raw) <= s.max {
			raw = append(raw, chunk[:n]...)
		}
		ended := chunk[n-1] == '\n'
		_, _ = s.in.Discard(n) // cannot fail: the bytes are buffered
		if ended {
			s.line++
			lines++
		}
		switch {
		case b.depth == 0 && len(raw) > s.max:
			return nil, fmt.Errorf("%w (%d bytes)", ErrRecordTooLarge, s.max)
		case b.depth == 0:
			return oneLine(raw, lines)
		case ended && (b.quoted || s.startsAnew(&b)):
			return nil, ErrBroken
		}
	}
}

// startsAnew says whether a line begins with an object where the unfinished one
// cannot have any: the record before was cut off.
func (s *splitter) startsAnew(b *balance) bool {
	head, err := s.in.Peek(1)
	return err == nil && head[0] == '{' && bytes.IndexByte([]byte(",[:"), b.last) < 0
}

// oneLine takes the white space out of an object that was written over several
// lines. Its values stay as they were written.
func oneLine(raw []byte, lines int) ([]byte, error) {
	if lines == 0 {
		return raw, nil
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return out.Bytes(), nil
}

// balance follows brackets and strings through the bytes of an object.
type balance struct {
	depth   int
	quoted  bool
	escaped bool
	last    byte // that is no white space
}

// scan takes bytes up to the end of the object, the end of a line or the end of
// chunk, whichever is first, and returns their number, at least one.
func (b *balance) scan(chunk []byte) int {
	for i, c := range chunk {
		if c == '\n' {
			return i + 1
		}
		if b.quoted {
			b.inString(c)
			continue
		}
		switch c {
		case '"':
			b.quoted = true
		case '{', '[':
			b.depth++
		case '}', ']':
			b.depth--
			if b.depth == 0 {
				return i + 1
			}
		}
		if c != ' ' && c != '\t' && c != '\r' {
			b.last = c
		}
	}
	return len(chunk)
}

func (b *balance) inString(c byte) {
	switch {
	case b.escaped:
		b.escaped = false
	case c == '\\':
		b.escaped = true
	case c == '"':
		b.quoted = false
	}
}
