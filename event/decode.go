package event

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Event is one decoded record. It is safe for concurrent readers.
type Event struct {
	tape       tape
	raw        []byte // the record, of which the tape may hold only a part
	base       int    // where that part begins
	dialect    Dialect
	source     Logsource
	duplicates int
}

// Decode reads one record in any dialect: a JSON object, or a line of text. The
// record's bytes must not change while the Event is in use. The error, if any,
// is a *[DecodeError].
func Decode(raw []byte, lim Limits) (*Event, error) {
	e := &Event{}
	if err := e.decode(raw, lim.withDefaults()); err != nil {
		return nil, err
	}
	return e, nil
}

// Decoder decodes records one after another in memory that it reuses: an Event
// it returns, and every text taken from that Event, is valid until the next
// call. It is not safe for concurrent use.
type Decoder struct {
	lim   Limits
	event Event
}

// NewDecoder returns a Decoder for records within lim.
func NewDecoder(lim Limits) *Decoder { return &Decoder{lim: lim.withDefaults()} }

// Decode reads one record. The error, if any, is a *[DecodeError].
func (d *Decoder) Decode(raw []byte) (*Event, error) {
	d.event = Event{tape: d.event.tape}
	if err := d.event.decode(raw, d.lim); err != nil {
		return nil, err
	}
	return &d.event, nil
}

// Check says whether a record can be decoded, without naming what is in it:
// what a door asks of every line. The error, if any, is a *[DecodeError].
func (d *Decoder) Check(raw []byte) error {
	if isObject(raw) {
		_, err := d.event.tape.scan(raw, d.lim)
		return err
	}
	_, err := d.Decode(raw)
	return err
}

func isObject(raw []byte) bool {
	text := bytes.TrimLeft(raw, " \t\r\n")
	return len(text) == 0 || text[0] == '{'
}

func (e *Event) decode(raw []byte, lim Limits) error {
	e.raw = raw
	if !isObject(raw) {
		return e.decodeText(raw, lim)
	}
	if err := e.open(raw, lim); err != nil {
		return err
	}
	if err := e.flatten(lim); err != nil {
		return err
	}
	e.finish()
	return nil
}

// finish notes what is known once the tape is whole.
func (e *Event) finish() {
	e.classify()
	e.joinHashes()
	e.tape.ascii = e.tape.ascii && isASCII(e.tape.arena)
}

// maxWrappings bounds records within records.
const maxWrappings = 3

// open scans a record and, where it only wraps another, that one.
func (e *Event) open(raw []byte, lim Limits) error {
	for range maxWrappings {
		dups, err := e.tape.scan(raw, lim)
		if err != nil {
			return err
		}
		e.duplicates = dups
		if e.dialect = e.tape.detect(); e.dialect != Generic {
			return nil
		}
		i := e.tape.wrapped()
		if i == 0 {
			return nil
		}
		n := &e.tape.nodes[i]
		e.base += int(n.start)
		raw = raw[n.start:n.end]
	}
	return nil
}

// decodeText reads a line that is no JSON object.
func (e *Event) decodeText(raw []byte, lim Limits) error {
	if err := checkText(raw, lim); err != nil {
		return err
	}
	t := &e.tape
	if t.otherJSON(raw, lim) {
		return refuse(ReasonNotObject, 0)
	}
	t.reset(raw)
	t.ascii = isASCII(raw)
	end := uint32(len(bytes.TrimRight(raw, " \t\r\n")))
	b := t.build(lim, 0, uint32(len(raw)))
	e.dialect = b.line(0, end)
	if err := b.err(); err != nil {
		return err
	}
	if e.dialect == Syslog {
		if err := e.decodeMessage(lim); err != nil {
			return err
		}
	}
	e.finish()
	return nil
}

// decodeMessage reads the message of a line of syslog that is a JSON object,
// perhaps behind the cookie of Common Event Expression.
func (e *Event) decodeMessage(lim Limits) error {
	t := &e.tape
	n := t.nodes[t.lookup("message")]
	text := t.body(&n)
	rest := strings.TrimLeft(strings.TrimPrefix(text, "@cee:"), " ")
	if !strings.HasPrefix(rest, "{") {
		return nil
	}
	if err := t.nested(lim, n.start+uint32(len(text)-len(rest)), n.end); err != nil {
		return err
	}
	d := t.detect()
	if d == Generic || d == ECS {
		return nil
	}
	e.dialect = d
	return e.flatten(lim)
}

func checkText(raw []byte, lim Limits) error {
	if len(raw) > lim.MaxBytes {
		return refuse(ReasonTooLarge, lim.MaxBytes)
	}
	if !utf8.Valid(raw) {
		return refuse(ReasonNotUTF8, invalidAt(raw))
	}
	if nul := bytes.IndexByte(raw, 0); nul >= 0 {
		return refuse(ReasonControlChar, nul)
	}
	return nil
}

// otherJSON says whether a line is a JSON list or scalar: a mistake of the
// sender, not a line of text.
func (t *tape) otherJSON(raw []byte, lim Limits) bool {
	t.reset(raw)
	s := scanner{tape: t, src: raw, lim: lim}
	if strings.IndexByte(`["-0123456789tfn`, s.space()) < 0 {
		return false
	}
	if s.value(node{}) != nil {
		return false
	}
	s.space()
	return s.pos == len(raw)
}

// line adds the fields of the line of text in [start,end) of the tape: an XML
// event, an audit record, or syslog around either, around JSON, or around
// words. What it does not recognise is one field, message.
func (b *builder) line(start, end uint32) Dialect {
	text := b.text(start, end)
	if d, ok := b.payload(start, end); ok {
		return d
	}
	h, ok := parseSyslog(text)
	if !ok {
		b.add("message", String, start, end)
		if b.plainPairs(start, end) {
			return Pairs
		}
		return Text
	}
	b.syslog(text, start, h)
	from, to := start+uint32(h.message.from), start+uint32(h.message.to)
	if d, ok := b.payload(from, to); ok {
		return d
	}
	if programService(b.str("program")) == "syslog" && b.plainPairs(from, to) {
		return Pairs
	}
	return Syslog
}

// payload adds the fields of an XML event, an audit record or an access line.
func (b *builder) payload(start, end uint32) (Dialect, bool) {
	switch text := b.text(start, end); {
	case xmlEvent(text):
		b.xml(start, end)
		if b.sysmonLinux() {
			return SysmonLinux, true
		}
		return WindowsEVTX, true
	case auditRecord(text):
		b.audit(start, end)
		if !b.has("message") {
			b.add("message", String, start, end)
		}
		return Auditd, true
	case pairsRecord(text):
		if b.add("message", String, start, end); text[0] == 'C' {
			b.cef(start, end)
		} else {
			b.leef(start, end)
		}
		return Pairs, true
	}
	for _, parse := range [...]func(string) (accessLine, bool){parseAccess, parseBalancer, parseProxied} {
		if a, ok := parse(b.text(start, end)); ok {
			b.access(start, end, a)
			return AccessLog, true
		}
	}
	if s, ok := parseSquid(b.text(start, end)); ok {
		b.squid(start, end, s)
		return AccessLog, true
	}
	return Text, false
}

// pairsRecord says whether text is in one of the formats of pairs that say so.
func pairsRecord(text string) bool {
	return strings.HasPrefix(text, "CEF:") || strings.HasPrefix(text, "LEEF:")
}

func (t *tape) sysmonLinux() bool {
	return t.str("Provider_Name") == "Linux-Sysmon" || strings.HasPrefix(t.str("Channel"), "Linux-Sysmon/")
}

// Dialect returns the form that the record was recognised as.
func (e *Event) Dialect() Dialect { return e.dialect }

// Raw returns the record's original bytes.
func (e *Event) Raw() []byte { return e.raw }

// Duplicates returns how many values are hidden by a later member of the same
// name in the same object. The last one wins.
func (e *Event) Duplicates() int { return e.duplicates }

// Logsource returns what produced the record.
func (e *Event) Logsource() Logsource { return e.source }
