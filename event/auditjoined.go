package event

import (
	"net/url"
	"strconv"
	"strings"
)

// joinedAudit collects what the records of one audit event say under the same
// names, where a collector has put them together. The joined event has the
// fields of all of them: type, name and nametype are lists, a0 and on are the
// arguments of the program, if there is one, else those of the system call. If a
// program was started it is process_creation as well (see [tape.auditSource]).
type joinedAudit struct{ kinds, names, nametypes, args []piece }

// piece is a text on the tape.
type piece struct{ start, end uint32 }

// take notes a field of a record of the kind given.
func (j *joinedAudit) take(kind, name string, p piece) {
	switch {
	case name == "type":
		j.kinds = append(j.kinds, p)
	case kind == "PATH" && name == "name":
		j.names = append(j.names, p)
	case kind == "PATH" && name == "nametype":
		j.nametypes = append(j.nametypes, p)
	case kind == "EXECVE" && name == "a"+strconv.Itoa(len(j.args)):
		j.args = append(j.args, p)
	}
}

// join adds the fields of the joined event.
func (j *joinedAudit) join(b *builder) {
	j.same(b)
	call := b.auditCall()
	if b.str("exe") == "" || b.str("success") == "no" || !strings.HasPrefix(call, "execve") && (call != "" || j.args == nil) {
		return
	}
	words := make([]string, len(j.args))
	for i, arg := range j.args {
		words[i] = b.text(arg.start, arg.end)
	}
	b.say("CommandLine", strings.Join(words, " "))
	b.give([]naming{
		{"Image", "exe"}, {"CommandLine", "proctitle"}, {"CurrentDirectory", "cwd"}, {"ProcessId", "pid"},
		{"ParentProcessId", "ppid"}, {"User", "UID"},
		{"ParentImage", "PARENT_INFO.exe"}, {"ParentImage", "PPID.exe"},
	})
	b.say("User", linuxUser(b.str("uid")))
	b.finish()
}

// same adds what the records say under the same names.
func (j *joinedAudit) same(b *builder) {
	b.list("type", j.kinds)
	b.list("name", j.names)
	b.list("nametype", j.nametypes)
	for i, arg := range j.args {
		b.instead("a"+strconv.Itoa(i), arg)
	}
}

// list adds a list of texts in place of the first of them, if there are several.
func (b *builder) list(name string, pieces []piece) {
	if len(pieces) < 2 {
		return
	}
	i := b.add(name, List, pieces[0].start, pieces[0].start)
	if i == 0 {
		return
	}
	for _, p := range pieces {
		b.item(i, p.start, p.end)
	}
	b.put(b.index, i)
}

// instead adds a text in place of what has its name.
func (b *builder) instead(name string, p piece) {
	if i := b.add(name, String, p.start, p.end); i != 0 {
		b.put(b.index, i)
	}
}

// auditCall is the name of a record's system call, which raw records have the
// number of, enriched ones as SYSCALL, and interpreted ones in place of the number.
func (t *tape) auditCall() string {
	if t.kindOf("SYSCALL") == String {
		return t.str("SYSCALL")
	}
	call := t.str("syscall")
	if n := digits(call); call != "" && n >= 0 && len(call) < 5 {
		return syscallName(t.str("arch"), n)
	}
	return call
}

// derivedAudit finds the name of a system call that the record has the number of.
func (t *tape) derivedAudit(name string) (Value, bool) {
	if name != "SYSCALL" {
		return Value{}, false
	}
	call := t.auditCall()
	return StringValue(call), call != ""
}

// auditSource is the log source of an audit record, or of a joined event.
func (t *tape) auditSource() Logsource {
	l := Logsource{Product: "linux", Service: "auditd"}
	if t.has("Image") {
		l.Category = "process_creation"
	}
	return l
}

// laurel says whether a record is an audit event as LAUREL joins it: objects
// under the names of the kinds of records (laurel, json-format.md).
func (t *tape) laurel() bool {
	_, serial, ok := strings.Cut(t.str("ID"), ":")
	if !ok || digits(serial) < 0 {
		return false
	}
	found := false
	t.each(0, func(c uint32) bool {
		found = t.nodes[c].kind >= List && auditKind(t.key(&t.nodes[c]))
		return !found
	})
	return found
}

// auditKind says whether a name is that of a kind of audit records.
func auditKind(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'A' || c > 'Z') && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 2 && name != "NODE" && name != "PARENT_INFO" && name != "CONTAINER"
}

// flattenLaurel gives an event of LAUREL's the fields of audit records.
func (t *tape) flattenLaurel(lim Limits) error {
	b := t.build(lim, 0, 0)
	stamp, serial, _ := strings.Cut(t.str("ID"), ":")
	b.literal("timestamp", stamp)
	b.literal("audit_id", serial)
	var joined joinedAudit
	for c, end := uint32(1), t.nodes[0].next; c < end; c = t.nodes[c].next {
		n := t.nodes[c]
		if name := t.key(&n); auditKind(name) && n.kind >= List && n.flags&shadowed == 0 {
			joined.kinds = append(joined.kinds, piece{n.key, n.key + uint32(n.keyLen)})
			joined.member(b, name, c)
		}
	}
	if len(joined.kinds) == 1 {
		b.instead("type", joined.kinds[0])
	}
	if call := t.auditCall(); call != "" && t.kindOf("SYSCALL") != String {
		start, end := b.intern(call)
		b.instead("SYSCALL", piece{start, end})
	}
	joined.join(b)
	return b.err()
}

// member takes the fields of the records of one kind, at node i: one, or a list.
func (j *joinedAudit) member(b *builder, kind string, i uint32) {
	if b.nodes[i].kind == List {
		b.each(i, func(c uint32) bool { j.member(b, kind, c); return true })
		return
	}
	b.nodes[i].flags |= opened
	var argv []string
	if list := b.child(i, "ARGV"); list != 0 {
		b.each(list, func(c uint32) bool {
			n := b.unescaped(c)
			j.take(kind, "a"+strconv.Itoa(len(argv)), piece{n.start, n.end})
			argv = append(argv, b.body(n))
			return true
		})
	}
	b.each(i, func(c uint32) bool {
		n := b.unescaped(c)
		if strings.HasPrefix(b.body(n), "0x") {
			n.start += uint32(len("0x")) // the kernel writes such numbers without
		}
		j.take(kind, b.key(n), piece{n.start, n.end})
		if b.enter(c); b.key(n) == kind {
			b.put(b.index, c)
		}
		return true
	})
	if kind == "PROCTITLE" && argv != nil {
		b.literal("proctitle", strings.Join(argv, " "))
	}
}

// unescaped puts the bytes into a text that LAUREL has written with percent signs.
func (t *tape) unescaped(i uint32) *node {
	n := &t.nodes[i]
	if text := t.body(n); n.kind == String && strings.IndexByte(text, '%') >= 0 {
		if plain, err := url.PathUnescape(text); err == nil {
			n.start, n.end = t.intern(strings.ToValidUTF8(plain, "\ufffd"))
		}
	}
	return n
}

// flattenAuditbeat gives an event of Auditbeat's, or a record of Filebeat's, the
// fields of audit records (Beats reference, exported fields, auditd). Auditbeat
// names the kind of the first record only, and has arguments and paths where
// there were records of them.
func (t *tape) flattenAuditbeat(lim Limits) error {
	t.stripMembers("auditd.data.", "auditd.log.")
	t.lift(t.down("auditd", "data"))
	t.lift(t.down("auditd", "log"))
	t.give([]naming{
		{"type", "auditd.message_type"}, {"type", "event.action"}, {"SYSCALL", "syscall"}, {"exe", "process.executable"},
		{"comm", "process.name"}, {"cwd", "process.working_directory"}, {"proctitle", "process.title"},
		{"pid", "process.pid"}, {"ppid", "process.parent.pid"},
		{"uid", "user.id"}, {"euid", "user.effective.id"}, {"auid", "user.audit.id"}, {"UID", "user.name"},
	})
	b := t.build(lim, 0, 0)
	var joined joinedAudit
	if i := t.lookup("type"); i != 0 {
		joined.kinds = append(joined.kinds, piece{t.nodes[i].start, t.nodes[i].end})
	}
	if strings.HasPrefix(t.str("SYSCALL"), "execve") || strings.EqualFold(t.str("type"), "EXECVE") {
		joined.further(b, "EXECVE", "process.args", "")
	}
	joined.further(b, "PATH", "auditd.paths", "name")
	joined.further(b, "PATH", "auditd.paths", "nametype")
	joined.same(b)
	return b.err()
}

// further takes the elements of a list, or members of them, as fields of records
// of a kind.
func (j *joinedAudit) further(b *builder, kind, list, member string) {
	var few [8]uint32
	found := b.places(few[:0], list)
	if len(found) == 0 || b.nodes[found[0]].kind != List {
		return
	}
	if start, end := b.intern(kind); member != "nametype" && !strings.EqualFold(b.str("type"), kind) {
		j.kinds = append(j.kinds, piece{start, end})
	}
	b.each(found[0], func(c uint32) bool {
		name := member
		if name == "" {
			name = "a" + strconv.Itoa(len(j.args))
		} else {
			c = b.child(c, name)
		}
		if n := &b.nodes[c]; c != 0 {
			j.take(kind, name, piece{n.start, n.end})
		}
		return true
	})
}
