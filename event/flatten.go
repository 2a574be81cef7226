package event

import (
	"strconv"
	"strings"
)

// flatten lifts what a dialect wraps to the top of the flat view.
func (e *Event) flatten(lim Limits) error {
	t := &e.tape
	switch e.dialect {
	case WindowsEVTX:
		e.flattenEVTX()
	case Winlogbeat:
		winlog := t.lookup("winlog") // the record itself before version 7
		t.liftData(t.child(winlog, "event_data"))
		t.liftUserData(t.child(winlog, "user_data"))
		t.stripMembers("winlog.event_data.", "winlog.user_data.")
	case WindowsFlat:
		return e.flattenFlat(lim)
	case Syslog:
		return e.flattenNested(lim, "SyslogMessage", "MESSAGE")
	case ECS:
		t.lift(t.down("kubernetes", "audit"))
		t.lift(t.down("o365", "audit"))
		if log, ok := strings.CutPrefix(e.text("event.dataset"), "zeek."); ok {
			t.lift(t.down("zeek", log))
		}
		if strings.HasPrefix(e.text("event.module"), "auditd") {
			if err := t.flattenAuditbeat(lim); err != nil {
				return err
			}
		}
		t.flattenRegistryECS()
		return e.flattenNested(lim, "message", "event.original")
	case CloudTrail:
		if t.table() == CloudTrail {
			t.flattenTable(CloudTrail)
		}
		t.unfold(lim, "requestParameters", "responseElements", "userIdentity", "additionalEventData")
	case Cloud:
		return e.flattenCloud(lim)
	case OCSF:
		if i := t.down("query", "hostname"); i != 0 {
			t.stand(i, "query")
		}
		t.flattenRegistryOCSF()
	case Auditd:
		return t.flattenLaurel(lim)
	case DefenderXDR:
		return e.flattenDefender(lim)
	case Pairs:
		t.flattenTable(Pairs)
	case AccessLog:
		if t.table() == AccessLog {
			t.flattenTable(AccessLog)
		} else {
			t.flattenWeb()
		}
	case ASIM:
		e.source = t.flattenASIM()
	case Osquery, Falco, Tetragon, CrowdStrike, SentinelOne:
		return e.flattenAgent(lim)
	case Generic:
		return e.flattenGeneric(lim)
	}
	return nil
}

// stand adds the value at node i to the flat view under another name, in place
// of what has that name.
func (t *tape) stand(i uint32, name string) { t.further(t.nodes[i], name) }

// further appends a value under a name, in place of what has that name.
func (t *tape) further(n node, name string) {
	start, end := t.intern(name)
	n.key, n.keyLen, n.hash, n.next = start, uint16(end-start), hashName(name), uint32(len(t.nodes))+1
	n.flags |= isMember
	t.nodes = append(t.nodes, n)
	if 2*(t.entered+1) > len(t.index) {
		t.grow()
	}
	if t.put(t.index, n.next-1) == 0 {
		t.entered++
	}
}

// unsignKeywords writes the keywords of an event as Windows and Sigma's rules do,
// in hexadecimal, where NXLog wrote the same 64 bits as a signed number.
func (t *tape) unsignKeywords() {
	i := t.lookup("Keywords")
	if i == 0 || t.nodes[i].kind != Number || t.body(&t.nodes[i])[0] != '-' {
		return
	}
	n, err := strconv.ParseInt(t.body(&t.nodes[i]), 10, 64)
	if err != nil {
		return
	}
	start := t.arenaEnd()
	t.arena = strconv.AppendUint(append(t.arena, "0x"...), uint64(n), 16)
	t.nodes[i].kind, t.nodes[i].start, t.nodes[i].end = String, start, t.arenaEnd()
}

// flattenEVTX lifts the parts of a nested Windows event.
func (e *Event) flattenEVTX() {
	t := &e.tape
	if win := t.wazuh(); win != 0 {
		for _, part := range [...]string{"system", "eventdata"} {
			i := t.child(win, part)
			t.raiseMembers(i)
			t.lift(i)
		}
		return
	}
	if t.openTelemetry() {
		t.flattenOpenTelemetry()
		return
	}
	system, data, user := t.lookup("System"), t.lookup("EventData"), t.lookup("UserData")
	if i := t.lookup("Event"); i != 0 {
		t.lift(i)
		system, data, user = t.child(i, "System"), t.child(i, "EventData"), t.child(i, "UserData")
	}
	t.lift(system)
	t.liftData(data)
	t.liftUserData(user)
	t.unwrapNumber()
	t.embrace("SubcategoryGuid")
}

// embrace puts the braces around an identifier that Windows writes, rules ask
// for, and evtx_dump leaves out.
func (t *tape) embrace(name string) {
	const length = 36 // of a GUID
	i := t.lookup(name)
	if i == 0 || t.nodes[i].kind != String || len(t.body(&t.nodes[i])) != length {
		return
	}
	n := &t.nodes[i]
	n.start, n.end = t.intern("{" + t.body(n) + "}")
}

// unwrapNumber takes the number of an event out of the object that Velociraptor
// writes it into.
func (t *tape) unwrapNumber() {
	i := t.lookup("EventID")
	if i == 0 {
		return
	}
	if v := t.child(i, "Value"); v != 0 {
		outer, inner := &t.nodes[i], &t.nodes[v]
		outer.flags |= lifted
		inner.key, inner.keyLen, inner.hash = outer.key, outer.keyLen, outer.hash
		t.put(t.index, v)
	}
}

// flattenGeneric looks for a record within one that is no dialect of its own:
// what a collector puts around the lines that it collects.
func (e *Event) flattenGeneric(lim Limits) error {
	if e.tape.has("short_message") {
		e.tape.unlineMembers()
	}
	if err := e.flattenNested(lim, "message", "event.original", "_raw", "log", "full_message", "short_message", "full_log", "RawEventData", "AuditData", "CloudTrailEvent"); err != nil {
		return err
	}
	if e.tape.kindOf("event") == String {
		if err := e.flattenNested(lim, "event"); err != nil {
			return err
		}
	}
	if e.dialect == Generic && e.tape.hasAny("decoder", "predecoder") {
		if err := e.flattenLine(lim, e.tape.lookup("full_log")); err != nil {
			return err
		}
	}
	if e.dialect != Generic {
		return nil
	}
	if e.dialect = e.tape.detect(); e.dialect == Generic || e.dialect == ECS {
		return nil
	}
	return e.flatten(lim)
}

// flattenNested adds the fields of members that are objects, or text that holds
// JSON, an XML event or an audit record.
func (e *Event) flattenNested(lim Limits, names ...string) error {
	for _, name := range names {
		if err := e.flattenMember(lim, e.tape.literalOrDown(name)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Event) flattenMember(lim Limits, i uint32) error {
	t := &e.tape
	if i == 0 {
		return nil
	}
	n := t.nodes[i]
	if n.kind == Object || n.kind == List {
		t.liftData(i)
		return nil
	}
	text := t.body(&n)
	if n.kind != String || len(text) < 2 {
		return nil
	}
	if text[0] == '{' {
		return t.nested(lim, n.start, n.end)
	}
	b := t.build(lim, n.start, n.end)
	d, ok := b.payload(n.start, n.end)
	switch {
	case !ok:
		t.nodes = t.nodes[:b.self]
	case e.dialect != WindowsFlat:
		e.dialect = d
	}
	return b.err()
}

// flattenLine adds the fields of a line of text that Wazuh's agents have sent.
func (e *Event) flattenLine(lim Limits, i uint32) error {
	t := &e.tape
	if n := t.nodes[i]; i != 0 && n.kind == String && n.start < n.end {
		b := t.build(lim, n.start, n.end)
		if d := b.line(n.start, n.end); d != Text {
			e.dialect = d
		}
		return b.err()
	}
	return nil
}

// nested scans JSON that stands as text in a field and lifts its members. Text
// that is not JSON after all stays text.
func (t *tape) nested(lim Limits, start, end uint32) error {
	before := len(t.nodes)
	s := scanner{tape: t, src: []byte(t.text(start, end)), base: start, lim: lim}
	if err := s.document(); err != nil {
		t.nodes = t.nodes[:before]
		return nil //nolint:nilerr // see above
	}
	self := uint32(before)
	t.lift(self)
	t.liftData(t.child(self, "EventData"))
	return nil
}

// lift enters the members of object i into the flat view.
func (t *tape) lift(i uint32) {
	if i == 0 || t.nodes[i].kind != Object {
		return
	}
	t.nodes[i].flags |= lifted
	t.unspaceMembers(i)
	t.each(i, func(c uint32) bool {
		t.enter(c)
		return true
	})
}

// liftData lifts the members of EventData. Where it, or Data in it, is a list of
// named elements, or one such element, each becomes a field of that name.
func (t *tape) liftData(i uint32) {
	if i == 0 {
		return
	}
	if t.nodes[i].kind == List {
		if t.nameElements(i) {
			t.nodes[i].flags |= lifted
		}
		return
	}
	if data := t.child(i, "Data"); data != 0 {
		switch t.nodes[data].kind {
		case List:
			if t.nameElements(data) {
				t.nodes[data].flags |= lifted
			}
		case Object:
			t.nameElement(data)
		}
	}
	t.lift(i)
}

// nameElements renames the text of {"Name": n, "#text": v} elements to n and
// enters it. It returns false when the list has other elements.
func (t *tape) nameElements(list uint32) bool {
	named := false
	t.each(list, func(c uint32) bool {
		named = t.nameElement(c)
		return named
	})
	return named
}

// nameElement is nameElements for one element.
func (t *tape) nameElement(c uint32) bool {
	name := t.firstChild(c, "@Name", "Name", "-Name", "name", "_Name")
	if name == 0 {
		name = t.at(c, "#attributes", "Name")
	}
	if name == 0 {
		name = t.at(c, "$", "Name")
	}
	if name == 0 || t.nodes[name].kind != String {
		return false
	}
	t.rename(c, name)
	return true
}

func (t *tape) firstChild(i uint32, names ...string) uint32 {
	for _, name := range names {
		if c := t.child(i, name); c != 0 {
			return c
		}
	}
	return 0
}

// rename gives the text of element c the name held by node name. An element
// without text is an empty field.
func (t *tape) rename(c, name uint32) {
	label := t.nodes[name]
	if label.end-label.start > maxKeyBytes {
		return
	}
	t.nodes[c].flags |= lifted
	text := t.firstChild(c, "#text", "Value", "Content", "content", "value", "text", "$t", "_", "__text")
	if text == 0 {
		text = name
		t.nodes[name].end = label.start
	} else {
		t.nodes[name].flags |= shadowed
	}
	n := &t.nodes[text]
	n.key, n.keyLen = label.start, uint16(label.end-label.start)
	n.hash = hashName(t.key(n))
	t.enter(text)
}

// liftUserData lifts the members of the one element in UserData.
func (t *tape) liftUserData(i uint32) {
	if i == 0 || t.nodes[i].kind != Object {
		return
	}
	t.nodes[i].flags |= lifted
	t.each(i, func(c uint32) bool {
		t.lift(c)
		return true
	})
}

// unspaceMembers takes the spaces out of the names in object i: some exporters
// write Windows names as Event Viewer shows them ("New Process Name"), Sigma's
// taxonomy has none.
func (t *tape) unspaceMembers(i uint32) {
	t.each(i, func(c uint32) bool {
		n := &t.nodes[c]
		name := t.key(n)
		if strings.IndexByte(name, ' ') < 0 {
			return true
		}
		start, end := t.intern(strings.ReplaceAll(name, " ", ""))
		n.key, n.keyLen = start, uint16(end-start)
		n.hash = hashName(t.key(n))
		t.enter(c)
		return true
	})
}

// stripMembers takes prefixes off the names of the record's members: exporters
// that know no nesting write the path as the name.
func (t *tape) stripMembers(prefixes ...string) {
	t.each(0, func(c uint32) bool {
		n := &t.nodes[c]
		name := t.key(n)
		if strings.IndexByte(name, '.') < 0 {
			return true
		}
		for _, prefix := range prefixes {
			if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
				n.key += uint32(len(prefix))
				n.keyLen = uint16(len(rest))
				n.hash = hashName(rest)
				t.enter(c)
				break
			}
		}
		return true
	})
}

// unlineMembers takes the line off the beginning of the record's names: in
// Graylog's format all further fields have one (GELF 1.1).
func (t *tape) unlineMembers() {
	t.each(0, func(c uint32) bool {
		n := &t.nodes[c]
		if name, ok := strings.CutPrefix(t.key(n), "_"); ok && name != "" {
			n.key++
			n.keyLen--
			n.hash = hashName(name)
			t.enter(c)
		}
		return true
	})
}

// raiseMembers writes the names in object i with a capital: Wazuh writes them
// with a small letter. Some begin with one in Windows too; they are found under
// both.
func (t *tape) raiseMembers(i uint32) {
	if i == 0 || t.nodes[i].kind != Object {
		return
	}
	t.each(i, func(c uint32) bool {
		n := &t.nodes[c]
		name := t.key(n)
		if name == "" || name[0] < 'a' || name[0] > 'z' {
			return true
		}
		start, end := t.intern(name)
		t.arena[start-uint32(len(t.raw))] -= 'a' - 'A'
		n.key, n.hash = start, hashName(t.text(start, end))
		if n.kind != Object && n.kind != List && t.lookup(name) == 0 {
			t.stand(c, name)
		}
		return true
	})
}
