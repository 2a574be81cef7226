package event

import (
	"encoding/hex"
	"strings"
)

// maxAuditValue bounds the search for the end of a quoted value. The kernel
// bounds a whole record at 8,970 bytes (MAX_AUDIT_MESSAGE_LENGTH).
const maxAuditValue = 16 << 10

// auditNull is what stands for a value that there is none of. Enriched fields may
// follow it immediately, where what separates them was lost on the way.
const auditNull = "(null)"

// auditRecord says whether text is a record of the Linux audit daemon:
// "type=NAME msg=audit(SECONDS.MILLIS:SERIAL): key=value …", with or without
// "node=NAME " before it (audit record format, man auditd and ausearch).
func auditRecord(text string) bool {
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "node=") {
		cut := strings.IndexByte(text, ' ')
		if cut < 0 {
			return false
		}
		text = text[cut+1:]
	}
	if !strings.HasPrefix(text, "type=") && !strings.HasPrefix(text, "audit(") && !strings.HasPrefix(text, "msg=audit(") {
		return false
	}
	return strings.Contains(text[:min(len(text), 128)], "audit(")
}

// audit adds the fields of the audit record in [start,end) of the tape, or of
// the records of one event where a collector wrote them behind one another.
func (b *builder) audit(start, end uint32) {
	a := auditScanner{builder: b, src: b.text(start, end), base: start}
	for !b.full && a.pair() {
	}
	if len(a.kinds) > 1 {
		a.join(b)
	}
}

type auditScanner struct {
	*builder
	joinedAudit

	src  string
	base uint32
	pos  int
	kind string // value of type=
	long uint32 // the argument of which the last piece was read
}

// pair reads the next key=value and returns false at the end.
func (a *auditScanner) pair() bool {
	a.pos += leading(a.src[a.pos:])
	if a.pos >= len(a.src) {
		return false
	}
	if strings.HasPrefix(a.src[a.pos:], "audit(") {
		return a.stamp()
	}
	n := keyLength(a.src[a.pos:])
	if n == 0 {
		a.pos += word(a.src[a.pos:])
		return true
	}
	key := a.pos
	a.pos += n + 1
	name := a.src[key : key+n]
	if name == "msg" && strings.HasPrefix(a.src[a.pos:], "audit(") {
		return a.stamp()
	}
	if name == "msg" && a.pos < len(a.src) && a.src[a.pos] == '\'' {
		a.pos++ // the pairs inside the quotes are fields like any other
		return true
	}
	from, to := a.value()
	a.field(key, n, from, to)
	return true
}

// leading counts separators: spaces, the 0x1d before enriched fields, quotes
// left over from msg='…'.
func leading(s string) int {
	n := 0
	for n < len(s) && strings.IndexByte(" \x1d'\t\r\n,", s[n]) >= 0 {
		n++
	}
	return n
}

// keyLength returns the length of the name at the start of s that is followed
// by an equals sign, 0 when there is none. Pieces of long arguments have a number
// in brackets in their names.
func keyLength(s string) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', i > 0 && (c == '-' || c >= '0' && c <= '9'), i > 1 && s[0] == 'a' && (c == '[' || c == ']'):
		case c == '=':
			return i
		default:
			return 0
		}
	}
	return 0
}

// word returns the length up to the next separator.
func word(s string) int {
	if n := strings.IndexAny(s, " \x1d\r\n"); n >= 0 {
		return n
	}
	return len(s)
}

// stamp reads audit(SECONDS.MILLIS:SERIAL) and an optional colon.
func (a *auditScanner) stamp() bool {
	from := a.pos + len("audit(")
	end := strings.IndexByte(a.src[from:], ')')
	if end < 0 {
		return false
	}
	end += from
	if colon := strings.LastIndexByte(a.src[from:end], ':'); colon >= 0 && len(a.kinds) < 2 {
		a.add("timestamp", String, a.base+uint32(from), a.base+uint32(from+colon))
		a.add("audit_id", String, a.base+uint32(from+colon+1), a.base+uint32(end))
	}
	a.pos = end + 1
	if a.pos < len(a.src) && a.src[a.pos] == ':' {
		a.pos++
	}
	return true
}

// value reads a quoted, bracketed or bare value. A bare value goes on over
// words that are not pairs, as in proctitle=ls -l.
func (a *auditScanner) value() (from, to int) {
	from = a.pos
	if from >= len(a.src) {
		return from, from
	}
	if closing := closingOf(a.src[from]); closing != 0 {
		window := a.src[from+1 : min(len(a.src), from+1+maxAuditValue)]
		if end := strings.IndexByte(window, closing); end >= 0 {
			a.pos = from + 1 + end + 1
			if closing == ']' {
				return from, a.pos
			}
			return from + 1, a.pos - 1
		}
	}
	if strings.HasPrefix(a.src[from:], auditNull) {
		a.pos += len(auditNull)
		return from, a.pos
	}
	a.pos += word(a.src[a.pos:])
	to = a.pos
	for a.pos < len(a.src) && a.src[a.pos] == ' ' {
		next := a.pos + 1
		n := word(a.src[next:])
		if n == 0 || keyLength(a.src[next:]) > 0 || strings.HasPrefix(a.src[next:], "audit(") {
			break
		}
		a.pos = next + n
		to = a.pos
	}
	return from, len(strings.TrimRight(a.src[:to], "'"))
}

func closingOf(c byte) byte {
	switch c {
	case '"':
		return '"'
	case '[':
		return ']'
	default:
		return 0
	}
}

// field adds a pair, with its text decoded where the kernel wrote it as
// hexadecimal because it had a space, quote or control character in it.
func (a *auditScanner) field(key, n, from, to int) {
	name, text := a.src[key:key+n], a.src[from:max(from, to)]
	if name == "type" {
		a.kind = text
	}
	start, end := a.base+uint32(from), a.base+uint32(from+len(text))
	quoted := from > 0 && a.src[from-1] == '"'
	if bracket := strings.IndexByte(name, '['); bracket > 0 {
		a.piece(key, bracket, name[bracket:], text, quoted)
		return
	}
	if !quoted && hexField(a.kind, name) {
		if plain, ok := decodeHex(text); ok {
			start, end = a.intern(plain)
		}
	}
	a.addAt(a.base+uint32(key), n, String, start, end)
	a.take(a.kind, name, piece{start, end})
}

// piece adds a piece of an argument that was too long for one value, a1[0] and on:
// the first as a1, the others to its end.
func (a *auditScanner) piece(key, n int, number, text string, quoted bool) {
	if plain, err := hex.DecodeString(text); err == nil && !quoted {
		text = strings.ToValidUTF8(string(plain), "\ufffd")
	}
	if number == "[0]" {
		start, end := a.intern(text)
		a.long = a.addAt(a.base+uint32(key), n, String, start, end)
		a.take(a.kind, a.src[key:key+n], piece{start, end})
		return
	}
	long := &a.nodes[a.long]
	if a.long == 0 || long.end != a.arenaEnd() || a.key(long) != a.src[key:key+n] {
		return
	}
	_, long.end = a.intern(text)
	if last := len(a.args) - 1; last >= 0 && a.args[last].start == long.start {
		a.args[last].end = long.end
	}
}

// hexField says whether a field holds untrusted text that may be written as
// hexadecimal. In SYSCALL records a0…a3 are numbers, not text.
func hexField(kind, name string) bool {
	switch name {
	case "proctitle", "comm", "exe", "cwd", "name", "cmd", "data", "path", "key_r", "acct":
		return true
	}
	return kind == "EXECVE" && len(name) > 1 && name[0] == 'a' && digits(name[1:]) >= 0
}

// decodeHex decodes upper-case hexadecimal text, with spaces for the NULs
// that separate arguments. Text that is not UTF-8 stays as written.
func decodeHex(text string) (string, bool) {
	if len(text) < 2 || len(text)%2 != 0 || strings.ToUpper(text) != text {
		return "", false
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return "", false
	}
	plain := strings.TrimRight(strings.ReplaceAll(string(b), "\x00", " "), " ")
	return strings.ToValidUTF8(plain, "\ufffd"), plain != ""
}
