package event

import "strings"

// What exporters put fields into beside the events themselves: columns with the
// names of fields, and fields as text.

// flattenFlat lifts what flat exporters nest all the same: the data of an event,
// as an object or as text. Some of their own columns have names that the data
// may have too; there the data's win.
func (e *Event) flattenFlat(lim Limits) error {
	t := &e.tape
	t.unspaceMembers(0)
	t.unsignKeywords()
	data := [...]uint32{t.firstOf("EventData", "event_data"), 0, 0, 0}
	switch {
	case t.has("RuleTitle"):
		defer t.flattenHayabusa()
		data = [...]uint32{t.lookup("AllFieldInfo"), t.lookup("Details"), t.lookup("ExtraFieldInfo"), 0}
	case !t.has("EventID"):
		t.stripMembers("Event.EventData.", "Event.System.", "Event.UserData.", "winlog.event_data.")
		data = [...]uint32{t.lookup("EventData"), t.lookup("UserData"), t.lookup("Payload"), t.lookup("_raw")}
	case data[0] == 0 && !t.has("StringInserts"):
		return nil
	}
	rendered := t.hasAny("Properties", "StringInserts")
	columns := [...]string{"Payload", "UserName", "UserId", "ProcessId", "ThreadId", "Type"}
	var hidden [len(columns)]uint32
	if data[0] != 0 || data[2] != 0 || rendered {
		for i, name := range columns {
			hidden[i] = t.hideName(name)
		}
	}
	var err error
	for _, i := range data {
		if err == nil {
			err = e.flattenMember(lim, i)
		}
	}
	if err == nil && rendered {
		err = e.flattenRendered(lim)
	}
	for i, name := range columns {
		t.showName(hidden[i], name)
	}
	return err
}

// firstOf returns the first of the fields that the record has, 0 for none.
func (t *tape) firstOf(names ...string) uint32 {
	for _, name := range names {
		if i := t.lookup(name); i != 0 {
			return i
		}
	}
	return 0
}

// hideName takes a field's name from it, and returns its node for [tape.showName].
func (t *tape) hideName(name string) uint32 {
	i := t.lookup(name)
	if i != 0 {
		t.nodes[i].hash = ^t.nodes[i].hash
	}
	return i
}

// showName gives a field its name back unless another has the name by now.
func (t *tape) showName(i uint32, name string) {
	if i != 0 && t.lookup(name) == 0 {
		t.nodes[i].hash = ^t.nodes[i].hash
		t.enter(i)
	}
}

// unfolded is what the name of a member ends in behind which lies what the
// member holds as text: the text itself stays the member's value.
const unfolded = "{}"

// unfold reads members that are text, and JSON in it, so that paths lead into
// them; see [tape.inside].
func (t *tape) unfold(lim Limits, names ...string) {
	for _, name := range names {
		t.unfoldMember(lim, t.lookup(name))
	}
}

func (t *tape) unfoldMember(lim Limits, i uint32) {
	n := t.nodes[i]
	text := t.body(&n)
	if i == 0 || n.kind != String || len(text) < 2 || text[0] != '{' && text[0] != '[' {
		return
	}
	before := uint32(len(t.nodes))
	key, end := t.intern(t.key(&n) + unfolded)
	s := scanner{tape: t, src: []byte(text), base: n.start, lim: lim}
	err := s.value(node{flags: isMember | shadowed, key: key, keyLen: uint16(end - key), hash: hashName(t.text(key, end))})
	if s.space(); err != nil || s.pos < len(s.src) {
		t.nodes = t.nodes[:before]
		return
	}
	t.enter(before)
}

// inside follows a path into a member that holds JSON as text.
func (t *tape) inside(name string) (Value, bool) {
	dot := strings.IndexByte(name, '.')
	if dot < 0 {
		return Value{}, false
	}
	i := t.lookup(name[:dot] + unfolded)
	if i == 0 {
		return Value{}, false
	}
	return t.named(name[:dot] + unfolded + name[dot:])
}

// flattenOpenTelemetry gives the members of a record of OpenTelemetry's receiver
// for Windows' event logs the names that Windows gives them.
func (t *tape) flattenOpenTelemetry() {
	for _, f := range [...]struct{ field, part, name string }{
		{"event_id", "id", "EventID"}, {"provider", "name", "Provider_Name"}, {"provider", "guid", "Provider_Guid"},
		{"execution", "process_id", "Execution_ProcessID"}, {"execution", "thread_id", "Execution_ThreadID"},
		{"security", "user_id", "Security_UserID"}, {"channel", "", "Channel"}, {"computer", "", "Computer"},
		{"record_id", "", "EventRecordID"}, {"system_time", "", "TimeCreated_SystemTime"}, {"level", "", "Level"},
		{"keywords", "", "Keywords"}, {"task", "", "Task"}, {"opcode", "", "Opcode"},
	} {
		i := t.lookup(f.field)
		if f.part != "" && i != 0 {
			i = t.child(i, f.part)
		}
		if t.nodes[i].kind == List && t.nodes[i].next > i+1 {
			i++ // keywords, of which there is one
		}
		if i != 0 && t.nodes[i].kind != Object && t.nodes[i].kind != List {
			t.stand(i, f.name)
		}
	}
	data := t.lookup("event_data")
	if list := t.child(data, "data"); list != 0 && t.nodes[list].kind == List {
		t.each(list, func(c uint32) bool { t.lift(c); return true })
	}
	t.lift(data)
	if i := t.lookup("message"); i != 0 && t.lookup("Message") == 0 {
		t.stand(i, "Message")
	}
}
