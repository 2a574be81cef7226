package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// scanner reads one JSON object into a tape in a single pass. It accepts what
// encoding/json accepts (RFC 8259), except that text must be UTF-8 and the
// limits hold. Strings with escapes are unescaped into the arena as they are
// passed, so that reading a value later costs nothing and needs no lock.
type scanner struct {
	*tape
	src   []byte // what is being read: the record, or text within it
	base  uint32 // address of src[0] on the tape
	pos   int
	depth int
	lim   Limits
	dups  int
}

// scanJSON scans a whole record.
func scanJSON(raw []byte, lim Limits) (*tape, error) {
	t := &tape{}
	_, err := t.scan(raw, lim)
	return t, err
}

// scan fills the tape from raw, reusing its memory, and returns the number of
// values that a later duplicate name hides.
func (t *tape) scan(raw []byte, lim Limits) (int, error) {
	t.reset(raw)
	if len(raw) > lim.MaxBytes {
		return 0, refuse(ReasonTooLarge, lim.MaxBytes)
	}
	if t.ascii = isASCII(raw); !t.ascii && !utf8.Valid(raw) {
		return 0, refuse(ReasonNotUTF8, invalidAt(raw))
	}
	s := scanner{tape: t, src: raw, lim: lim}
	err := s.document()
	return s.dups, err
}

// reset empties the tape for another record, keeping what memory it may.
func (t *tape) reset(raw []byte) {
	t.raw = raw
	t.arena = t.arena[:0]
	t.nodes = t.nodes[:0]
	t.index, t.entered, t.known = t.index[:0], 0, hashes{}
	if t.nodes == nil {
		t.nodes = make([]node, 0, 16+len(raw)/24)
	}
}

func invalidAt(raw []byte) int {
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(raw)
}

// document reads white space, one object, white space.
func (s *scanner) document() error {
	switch s.space() {
	case 0:
		if s.pos == len(s.src) {
			return refuse(ReasonEmpty, 0)
		}
		return refuse(ReasonControlChar, s.pos)
	case '{':
	default:
		return refuse(ReasonNotObject, s.pos)
	}
	if err := s.value(node{}); err != nil {
		return err
	}
	if s.space(); s.pos < len(s.src) {
		return refuse(ReasonTrailing, s.pos)
	}
	return nil
}

// space skips white space and returns the next byte, 0 at the end.
func (s *scanner) space() byte {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// value reads one value at the position into n, which names it, and appends
// it to the tape.
func (s *scanner) value(n node) error {
	if len(s.nodes) >= s.lim.MaxFields {
		return refuse(ReasonTooManyFields, s.pos)
	}
	switch c := s.space(); {
	case c == '"':
		return s.stringValue(n)
	case c == '{':
		return s.object(n)
	case c == '[':
		return s.list(n)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(n)
	case c == 't':
		return s.literal(n, "true", Bool)
	case c == 'f':
		return s.literal(n, "false", Bool)
	case c == 'n':
		return s.literal(n, "null", Null)
	default:
		return refuse(ReasonBadJSON, s.pos)
	}
}

// leaf appends a value without members.
func (s *scanner) leaf(n node, kind Kind, start, end uint32) {
	n.kind, n.start, n.end, n.next = kind, start, end, uint32(len(s.nodes))+1
	s.nodes = append(s.nodes, n)
}

func (s *scanner) stringValue(n node) error {
	start, end, err := s.str()
	if err != nil {
		return err
	}
	s.leaf(n, String, start, end)
	return nil
}

func (s *scanner) literal(n node, word string, kind Kind) error {
	end := s.pos + len(word)
	if end > len(s.src) || string(s.src[s.pos:end]) != word {
		return refuse(ReasonBadJSON, s.pos)
	}
	s.leaf(n, kind, s.at(s.pos), s.at(end))
	s.pos = end
	return nil
}

func (s *scanner) at(pos int) uint32 { return s.base + uint32(pos) }

// number reads a number literal (RFC 8259 section 6).
func (s *scanner) number(n node) error {
	start := s.pos
	if s.src[s.pos] == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return refuse(ReasonBadJSON, s.pos)
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return refuse(ReasonBadJSON, s.pos)
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return refuse(ReasonBadJSON, s.pos)
		}
	}
	if s.pos-start > maxNumberDigits {
		return refuse(ReasonNumberTooLong, start)
	}
	s.leaf(n, Number, s.at(start), s.at(s.pos))
	return nil
}

func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// digits skips a run of digits and says whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > start
}

// open appends a list or object whose end is not known yet.
func (s *scanner) open(n node, kind Kind) (uint32, error) {
	s.depth++
	if s.depth > s.lim.MaxDepth {
		return 0, refuse(ReasonTooDeep, s.pos)
	}
	self := uint32(len(s.nodes))
	n.kind, n.start = kind, s.at(s.pos)
	s.nodes = append(s.nodes, n)
	s.pos++
	return self, nil
}

// shut ends the list or object self after its closing bracket.
func (s *scanner) shut(self uint32) {
	s.pos++
	s.depth--
	n := &s.nodes[self]
	n.end, n.next = s.at(s.pos), uint32(len(s.nodes))
}

func (s *scanner) list(n node) error {
	self, err := s.open(n, List)
	if err != nil {
		return err
	}
	if s.space() == ']' {
		s.shut(self)
		return nil
	}
	for {
		if err := s.value(node{}); err != nil {
			return err
		}
		switch s.space() {
		case ',':
			s.pos++
		case ']':
			s.shut(self)
			return nil
		default:
			return refuse(ReasonBadJSON, s.pos)
		}
	}
}

func (s *scanner) object(n node) error {
	self, err := s.open(n, Object)
	if err != nil {
		return err
	}
	if s.space() == '}' {
		s.shut(self)
		return nil
	}
	for members := 1; ; members++ {
		if err := s.member(); err != nil {
			return err
		}
		switch s.space() {
		case ',':
			s.pos++
		case '}':
			s.shut(self)
			s.hideDuplicates(self, members)
			return nil
		default:
			return refuse(ReasonBadJSON, s.pos)
		}
	}
}

// member reads a name, a colon and a value.
func (s *scanner) member() error {
	if s.space() != '"' {
		return refuse(ReasonBadJSON, s.pos)
	}
	at := s.pos
	start, end, err := s.str()
	if err != nil {
		return err
	}
	if end-start > maxKeyBytes {
		return refuse(ReasonKeyTooLong, at)
	}
	if s.space() != ':' {
		return refuse(ReasonBadJSON, s.pos)
	}
	s.pos++
	return s.value(node{
		key: start, keyLen: uint16(end - start), flags: isMember,
		hash: hashName(s.text(start, end)),
	})
}

// str reads a string and returns where its content lies on the tape.
func (s *scanner) str() (start, end uint32, err error) {
	s.pos++
	from := s.pos
	to := s.plain(from)
	if to >= len(s.src) {
		return 0, 0, refuse(ReasonBadJSON, len(s.src))
	}
	switch s.src[to] {
	case '"':
		s.pos = to + 1
		return s.at(from), s.at(to), nil
	case '\\':
		return s.escaped(from, to)
	default:
		return 0, 0, refuse(ReasonControlChar, to)
	}
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// isASCII says whether no byte is above 0x7f, 32 of them at a time.
func isASCII(b []byte) bool {
	var seen uint64
	for ; len(b) >= 32; b = b[32:] {
		seen |= binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
	}
	for _, c := range b {
		seen |= uint64(c)
	}
	return seen&highs == 0
}

// plain returns the position of the first quote, backslash or control
// character at or after i, eight bytes at a time.
func (s *scanner) plain(i int) int {
	src := s.src
	for ; i+8 <= len(src); i += 8 {
		w := binary.LittleEndian.Uint64(src[i:])
		q := w ^ lows*'"'
		b := w ^ lows*'\\'
		// A byte's high bit is set where it is below 0x20, or is one of the two.
		// False positives lie only above a true one, and the lowest one counts.
		hit := ((w - lows*0x20) &^ w) | ((q - lows) &^ q) | ((b - lows) &^ b)
		if hit &= highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return i
}

// escaped reads the rest of a string that has escapes, from being its start
// and at its first backslash, into the arena.
func (s *scanner) escaped(from, at int) (start, end uint32, err error) {
	start = s.arenaEnd()
	if s.arena == nil {
		s.arena = make([]byte, 0, len(s.src)-from)
	}
	for {
		s.arena = append(s.arena, s.src[from:at]...)
		if at >= len(s.src) {
			return 0, 0, refuse(ReasonBadJSON, len(s.src))
		}
		switch c := s.src[at]; {
		case c == '"':
			s.pos = at + 1
			return start, s.arenaEnd(), nil
		case c != '\\':
			return 0, 0, refuse(ReasonControlChar, at)
		}
		n := s.escape(at)
		if n == 0 {
			return 0, 0, refuse(ReasonBadJSON, at)
		}
		from = at + n
		at = s.plain(from)
	}
}

func (t *tape) arenaEnd() uint32 { return uint32(len(t.raw) + len(t.arena)) }

// escape appends what the escape at src[at] stands for and returns its
// length, 0 for none (RFC 8259 section 7).
func (s *scanner) escape(at int) int {
	if at+1 >= len(s.src) {
		return 0
	}
	c := s.src[at+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode(at)
	default:
		return 0
	}
	s.arena = append(s.arena, c)
	return 2
}

// unicode appends the \u escape at src[at], joined with the one after it when
// both form a surrogate pair. A lone surrogate becomes U+FFFD.
func (s *scanner) unicode(at int) int {
	r := hex4(s.src, at+2)
	if r < 0 {
		return 0
	}
	n := 6
	if r >= 0xD800 && r < 0xE000 {
		low := rune(-1)
		if bytes.HasPrefix(s.src[at+6:], []byte(`\u`)) {
			low = hex4(s.src, at+8)
		}
		if r < 0xDC00 && low >= 0xDC00 && low < 0xE000 {
			r, n = (r-0xD800)<<10+(low-0xDC00)+0x10000, 12
		} else {
			r = utf8.RuneError
		}
	}
	s.arena = utf8.AppendRune(s.arena, r)
	return n
}

// hex4 reads four hexadecimal digits, -1 when they are not.
func hex4(src []byte, at int) rune {
	if at+4 > len(src) {
		return -1
	}
	r := rune(0)
	for _, c := range src[at : at+4] {
		d := unhex(c)
		if d > 15 {
			return -1
		}
		r = r<<4 | rune(d)
	}
	return r
}

// unhex returns the value of a hexadecimal digit, 255 for any other byte.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	default:
		return 255
	}
}
