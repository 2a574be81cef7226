package event

import (
	"strconv"
	"strings"
)

// syslogHeader is what a syslog line says before its message. A part that is
// missing is empty. Parts are offsets into the line.
type syslogHeader struct {
	priority                         int // -1 for none
	stamp, host, program, pid, msgid span
	structured                       span
	message                          span
}

type span struct{ from, to int }

func (s span) of(line string) string { return line[s.from:s.to] }

// parseSyslog reads an RFC 5424 or RFC 3164 header, the latter also with the
// RFC 3339 time that many senders use. It returns false when the line has
// neither a priority nor a time that is recognised.
func parseSyslog(line string) (syslogHeader, bool) {
	h := syslogHeader{priority: -1}
	pos := 0
	if p, n := priority(line); n > 0 {
		h.priority, pos = p, n
	}
	if h.priority >= 0 && strings.HasPrefix(line[pos:], "1 ") {
		return h.rfc5424(line, pos+2)
	}
	return h.rfc3164(line, pos)
}

// priority reads <PRI>, 0 to 191 (RFC 5424 section 6.2.1).
func priority(line string) (value, length int) {
	if !strings.HasPrefix(line, "<") {
		return 0, 0
	}
	end := strings.IndexByte(line[:min(len(line), 5)], '>')
	if end < 2 {
		return 0, 0
	}
	p, err := strconv.Atoi(line[1:end])
	if err != nil || p < 0 || p > 191 {
		return 0, 0
	}
	return p, end + 1
}

// rfc5424 reads TIMESTAMP HOSTNAME APP-NAME PROCID MSGID SD MSG.
func (h syslogHeader) rfc5424(line string, pos int) (syslogHeader, bool) {
	for _, part := range [...]*span{&h.stamp, &h.host, &h.program, &h.pid, &h.msgid} {
		end := strings.IndexByte(line[pos:], ' ')
		if end < 0 {
			return h, false
		}
		if *part = (span{pos, pos + end}); part.of(line) == "-" {
			*part = span{pos, pos}
		}
		pos += end + 1
	}
	sd := structuredEnd(line, pos)
	h.structured = span{pos, sd}
	if sd < len(line) && line[sd] == ' ' {
		sd++
	}
	message := strings.TrimPrefix(line[sd:], "\ufeff")
	h.message = span{len(line) - len(message), len(line)}
	return h, true
}

// structuredEnd returns where the structured data that begins at pos ends.
func structuredEnd(line string, pos int) int {
	if strings.HasPrefix(line[pos:], "-") {
		return pos + 1
	}
	quoted := false
	for i := pos; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted && (i+1 == len(line) || line[i+1] != '['):
			return i + 1
		case c != '[' && !quoted && i == pos:
			return pos
		}
	}
	return pos
}

// rfc3164 reads TIMESTAMP HOSTNAME TAG[PID]: MSG.
func (h syslogHeader) rfc3164(line string, pos int) (syslogHeader, bool) {
	n := stampLength(line[pos:])
	h.stamp = span{pos, pos + n}
	pos += n
	if n == 0 {
		h.message = span{pos, len(line)}
		return h, h.priority >= 0
	}
	pos += len(line[pos:]) - len(strings.TrimLeft(line[pos:], " "))
	end := strings.IndexByte(line[pos:], ' ')
	if end < 0 {
		h.message = span{pos, len(line)}
		return h, true
	}
	if full := containerMessage(line[pos:]); full > 0 {
		h.message = span{pos + full, len(line)}
		return h, true
	}
	if host := line[pos : pos+end]; !strings.HasSuffix(host, ":") {
		h.host = span{pos, pos + end}
		pos += end + 1
	}
	return h.tag(line, pos), true
}

// containerMessage returns where the message begins that a container runtime wrote
// behind a time, a stream and a tag (Kubernetes, CRI logging), 0 where none did.
func containerMessage(rest string) int {
	for _, before := range [...]string{"stdout F ", "stderr F ", "stdout P ", "stderr P "} {
		if strings.HasPrefix(rest, before) {
			return len(before)
		}
	}
	return 0
}

// tag reads PROGRAM[PID]: and leaves the rest as the message.
func (h syslogHeader) tag(line string, pos int) syslogHeader {
	h.message = span{pos, len(line)}
	n := 0
	for n < len(line)-pos && n < 64 && tagByte(line[pos+n]) {
		n++
	}
	rest := pos + n
	pid := span{}
	if n > 0 && rest < len(line) && line[rest] == '[' {
		if end := strings.IndexByte(line[rest:], ']'); end > 0 {
			pid = span{rest + 1, rest + end}
			rest += end + 1
		}
	}
	if n == 0 || rest >= len(line) || line[rest] != ':' || pairsRecord(line[pos:]) {
		return h
	}
	h.program, h.pid = span{pos, pos + n}, pid
	if rest++; rest < len(line) && line[rest] == ' ' {
		rest++
	}
	h.message = span{rest, len(line)}
	return h
}

func tagByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("-_./()@%", c) >= 0
}

// stampLength returns the length of the time at the start of s: "Jan _2
// 15:04:05" (RFC 3164 section 4.1.2) or RFC 3339, 0 for none.
func stampLength(s string) int {
	if len(s) >= 15 && month(s[:3]) > 0 && s[3] == ' ' && s[9] == ':' && s[12] == ':' {
		if _, ok := parseTime(s[:15]); ok {
			return 15
		}
	}
	if n := strings.IndexByte(s[:min(len(s), 40)], ' '); n >= 19 && s[4] == '-' && s[10] == 'T' {
		if _, ok := parseTime(s[:n]); ok {
			return n
		}
	}
	return 0
}

// syslog adds the fields of a header to the object being built. The names are
// ours: Sigma has none for syslog, whose rules match keywords.
func (b *builder) syslog(line string, base uint32, h syslogHeader) {
	if h.priority >= 0 {
		b.literal("facility", facilityName(h.priority/8))
		b.literal("severity", severityName(h.priority%8))
	}
	for _, f := range [...]struct {
		name string
		span span
	}{
		{"timestamp", h.stamp}, {"hostname", h.host}, {"program", h.program}, {"pid", h.pid},
		{"msgid", h.msgid}, {"structured_data", h.structured},
	} {
		if text := f.span.of(line); text != "" && text != "-" {
			b.add(f.name, String, base+uint32(f.span.from), base+uint32(f.span.to))
		}
	}
	b.add("message", String, base+uint32(h.message.from), base+uint32(h.message.to))
}

func facilityName(n int) string {
	names := [...]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	return names[n%len(names)]
}

func severityName(n int) string {
	names := [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	return names[n%len(names)]
}
