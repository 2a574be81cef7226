package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table reads rows of comma separated values (RFC 4180), or with another
// delimiter, and yields each as an object of the texts in its cells under the
// names in the first row.
func (r *reader) table(name string, src *bufio.Reader, comma byte) bool {
	t := tableReader{in: src, comma: comma, line: 1, max: r.opt.MaxRecord}
	var names []string
	for {
		cells, line, err := t.row()
		more := true
		switch {
		case errors.Is(err, io.EOF):
			return true
		case errors.Is(err, ErrBroken), errors.Is(err, ErrRecordTooLarge):
			more = r.skip(name, line, err)
		case err != nil:
			return r.fail(name, line, err)
		case names == nil:
			names = cells
		case len(cells) > len(names):
			more = r.skip(name, line, fmt.Errorf("%w: %d cells under %d names", ErrBroken, len(cells), len(names)))
		default:
			record := object(names, cells)
			if over := r.grown.add(t.size, len(record)); over != nil {
				return r.fail(name, line, over)
			}
			more = r.record(name, line, record)
		}
		if !more {
			return false
		}
	}
}

// delimiter finds what separates the names in the first line: the comma unless
// there are more of another.
func delimiter(head []byte) byte {
	if bytes.HasPrefix(head, []byte("sep=")) && len(head) > 4 {
		return head[4] // a hint for spreadsheet programs, in a line of its own
	}
	line := head
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		line = head[:end]
	}
	best := byte(',')
	for _, c := range []byte{';', '\t', '|'} {
		if bytes.Count(line, []byte{c}) > bytes.Count(line, []byte{best}) {
			best = c
		}
	}
	return best
}

// tableReader cuts a stream into rows.
type tableReader struct {
	in    *bufio.Reader
	comma byte
	line  int // of the next byte
	max   int // bytes of a row
	size  int // of the last row
	begun bool
}

// row returns the cells of the next row that is not blank and the line that it
// begins at, io.EOF at the end, or why a row is passed over.
func (t *tableReader) row() ([]string, int, error) {
	if !t.begun {
		t.begun = true
		t.beginning()
	}
	for {
		line := t.line
		cells, err := t.cells()
		if err != nil {
			return nil, line, err
		}
		if len(cells) > 1 || cells[0] != "" {
			return cells, line, nil
		}
	}
}

// beginning passes a byte order mark and the line that names the delimiter.
func (t *tableReader) beginning() {
	if head, _ := t.in.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = t.in.Discard(3) // cannot fail: the bytes are buffered
	}
	if head, _ := t.in.Peek(4); bytes.Equal(head, []byte("sep=")) {
		_, _ = t.in.ReadString('\n') // what is wrong is said when it is read again
		t.line++
	}
}

// cells reads one row.
func (t *tableReader) cells() ([]string, error) {
	var cells []string
	var cell []byte
	quoted := false
	t.size = 0
	for first := true; ; first = false {
		c, err := t.in.ReadByte()
		if errors.Is(err, io.EOF) && !first && !quoted {
			c, err = '\n', nil
			t.line--
		}
		switch {
		case err != nil && quoted && errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: a quotation mark is missing", ErrBroken)
		case err != nil:
			return nil, err
		}
		if c == '\n' {
			t.line++
		}
		if t.size++; t.size > t.max {
			return nil, t.overlong(c)
		}
		switch {
		case c == '"' && (quoted || len(cell) == 0):
			if next, _ := t.in.Peek(1); quoted && len(next) > 0 && next[0] == '"' {
				_, _ = t.in.Discard(1) // cannot fail: the byte is buffered
				cell = append(cell, '"')
				continue
			}
			quoted = !quoted
		case quoted || c != t.comma && c != '\n':
			cell = append(cell, c)
		case c == t.comma:
			cells, cell = append(cells, string(cell)), cell[:0]
		default:
			cells = append(cells, strings.TrimSuffix(string(cell), "\r"))
			return cells, validText(cells)
		}
	}
}

// overlong passes the rest of the line that c belongs to.
func (t *tableReader) overlong(c byte) error {
	for c != '\n' {
		next, err := t.in.ReadByte()
		if err != nil {
			break // the next read says what is wrong
		}
		if c = next; c == '\n' {
			t.line++
		}
	}
	return fmt.Errorf("%w (%d bytes)", ErrRecordTooLarge, t.max)
}

func validText(cells []string) error {
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return fmt.Errorf("%w: cell %d is not UTF-8", ErrBroken, i+1)
		}
	}
	return nil
}

// object writes cells under their names as a JSON object of texts.
func object(names, cells []string) []byte {
	var o objectWriter
	for i, cell := range cells {
		o.member(names[i], func(dst []byte) []byte { return appendText(dst, cell) })
	}
	return o.bytes()
}

// objectWriter writes a JSON object.
type objectWriter struct{ out []byte }

func (o *objectWriter) member(name string, value func(dst []byte) []byte) {
	separator := byte(',')
	if len(o.out) == 0 {
		separator = '{'
	}
	o.out = append(o.out, separator)
	o.out = append(appendText(o.out, name), ':')
	o.out = value(o.out)
}

func (o *objectWriter) bytes() []byte {
	if len(o.out) == 0 {
		return []byte("{}")
	}
	return append(o.out, '}')
}

// appendText writes a text as JSON, as readable as may be.
func appendText(dst []byte, text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil { // a text can always be written
		return append(dst, `""`...)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}
