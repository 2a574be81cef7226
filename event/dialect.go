package event

import "strings"

// Dialect is the form a record was written in.
type Dialect uint8

// The dialects that are recognised. Generic is any other JSON object, Text any
// other line of text.
const (
	Generic Dialect = iota
	WindowsFlat
	WindowsEVTX
	Winlogbeat
	ECS
	Zeek
	CloudTrail
	Suricata
	Syslog
	Auditd
	SysmonLinux
	Text
)

// String names the dialect as stored and shown.
func (d Dialect) String() string {
	names := [...]string{
		"generic", "windows-flat", "windows-evtx", "winlogbeat", "ecs", "zeek",
		"cloudtrail", "suricata", "syslog", "auditd", "sysmon-linux", "text",
	}
	if int(d) < len(names) {
		return names[d]
	}
	return names[0]
}

// detect recognises the dialect of a JSON record from the names at its top.
func (t *tape) detect() Dialect {
	switch {
	case t.at(0, "Event", "System") != 0, t.kindOf("System") == Object && (t.has("EventData") || t.has("UserData")):
		return WindowsEVTX
	case t.kindOf("winlog") == Object, t.has("event_id") && t.has("log_name"):
		return Winlogbeat
	case t.has("EventID") && t.hasAny("Channel", "SourceName", "Provider_Name", "ProviderName", "EventSourceName", "Provider"):
		return WindowsFlat
	case t.zeekLog() != "":
		return Zeek
	case t.has("eventSource") && t.has("eventName") && t.hasAny("eventVersion", "awsRegion", "userIdentity"):
		return CloudTrail
	case t.has("event_type") && t.hasAny("flow_id", "src_ip", "stats"):
		return Suricata
	case t.has("SyslogMessage"):
		return Syslog
	case t.kindOf("ecs") == Object, t.has("ecs.version"), t.has("@timestamp") && t.kindOf("event") == Object:
		return ECS
	default:
		return Generic
	}
}

func (t *tape) hasAny(names ...string) bool {
	for _, name := range names {
		if t.has(name) {
			return true
		}
	}
	return false
}

// zeekLog returns the Zeek log that a record belongs to, "" when it is not
// Zeek's: by its own name (_path as Zeek's JSON streaming writes it, @stream as
// Corelight's combined log does), else by the fields that Zeek's logs begin
// with (docs.zeek.org, Log Files).
func (t *tape) zeekLog() string {
	if path := t.str("_path"); path != "" && t.hasAny("ts", "_write_ts") {
		return path
	}
	if path := t.str("@stream"); path != "" && t.hasAny("@system", "@proc") {
		return path
	}
	if !t.has("ts") || !t.has("uid") || !t.hasAny("id.orig_h", "id_orig_h") && t.at(0, "id", "orig_h") == 0 {
		return ""
	}
	return t.zeekShape()
}

// zeekShape names the log of a record that does not say.
func (t *tape) zeekShape() string {
	for _, shape := range [...]struct{ field, log string }{
		{"conn_state", "conn"}, {"qtype_name", "dns"}, {"query", "dns"}, {"user_agent", "http"}, {"uri", "http"},
		{"status_code", "http"}, {"cipher_alg", "ssh"}, {"cipher", "ssl"}, {"server_name", "ssl"},
		{"request_type", "kerberos"}, {"named_pipe", "dce_rpc"}, {"operation", "dce_rpc"}, {"share_type", "smb_mapping"},
		{"action", "smb_files"}, {"mailfrom", "smtp"}, {"helo", "smtp"}, {"note", "notice"}, {"security_protocol", "rdp"},
		{"server_nb_computer_name", "ntlm"}, {"cause", "analyzer"}, {"analyzer", "dpd"},
	} {
		if t.has(shape.field) {
			return shape.log
		}
	}
	return "unknown"
}

// flatten lifts what a dialect wraps to the top of the flat view.
func (e *Event) flatten(lim Limits) error {
	t := &e.tape
	switch e.dialect {
	case WindowsEVTX:
		root := uint32(0)
		if i := t.child(0, "Event"); i != 0 {
			root = i
			t.lift(i)
		}
		t.lift(t.child(root, "System"))
		t.liftData(t.child(root, "EventData"))
		t.liftUserData(t.child(root, "UserData"))
	case Winlogbeat:
		winlog := t.child(0, "winlog") // the record itself before version 7
		t.liftData(t.child(winlog, "event_data"))
		t.lift(t.child(winlog, "user_data"))
	case WindowsFlat:
		t.unspaceMembers(0)
		return e.flattenNested(lim, "EventData")
	case Syslog:
		return e.flattenNested(lim, "SyslogMessage")
	case ECS, Generic:
		return e.flattenNested(lim, "message")
	}
	return nil
}

// flattenNested adds the fields of a top-level member that is an object, or
// text that holds JSON, an XML event or an audit record.
func (e *Event) flattenNested(lim Limits, name string) error {
	t := &e.tape
	i := t.lookup(name)
	if i == 0 {
		return nil
	}
	n := t.nodes[i]
	if n.kind == Object {
		t.liftData(i)
		return nil
	}
	text := t.body(&n)
	if n.kind != String || len(text) < 2 {
		return nil
	}
	if e.dialect == WindowsFlat && text[0] == '{' {
		return t.nested(lim, n.start, n.end)
	}
	if !xmlEvent(text) && !auditRecord(text) {
		return nil
	}
	b := t.build(lim, n.start, n.end)
	d, _ := b.payload(n.start, n.end)
	if e.dialect != WindowsFlat {
		e.dialect = d
	}
	return b.err()
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
	t.lift(uint32(before))
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

// liftData lifts the members of EventData. Where Data is a list of named
// elements, each becomes a field of that name.
func (t *tape) liftData(i uint32) {
	if i == 0 {
		return
	}
	data := t.child(i, "Data")
	if data != 0 && t.nodes[data].kind == List && t.nameElements(data) {
		t.nodes[data].flags |= lifted
	}
	t.lift(i)
}

// nameElements renames the text of {"Name": n, "#text": v} elements to n and
// enters it. It returns false when the list has other elements.
func (t *tape) nameElements(list uint32) bool {
	named := false
	t.each(list, func(c uint32) bool {
		name := t.firstChild(c, "@Name", "Name", "-Name", "name")
		if name == 0 {
			name = t.at(c, "#attributes", "Name")
		}
		if name == 0 || t.nodes[name].kind != String {
			return false
		}
		t.rename(c, name)
		named = true
		return true
	})
	return named
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
	text := t.firstChild(c, "#text", "Value", "content", "value", "$t", "_")
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
