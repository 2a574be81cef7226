package event

import "strings"

// flattenRendered adds the fields of a Windows event of which the record has no
// data but the message that Event Viewer shows, as Get-WinEvent and Fluent Bit
// write it: lines of a label, a colon and a value, perhaps in sections. Sysmon's
// labels are the names of the fields; those of Security are words for them.
func (e *Event) flattenRendered(lim Limits) error {
	t := &e.tape
	i := t.lookup("Message")
	if i == 0 || t.nodes[i].kind != String {
		return nil
	}
	n := t.nodes[i]
	if id := e.fieldText("EventID"); (id == "4104" || id == "4103") && strings.HasPrefix(e.fieldText("Provider_Name"), "Microsoft-Windows-PowerShell") {
		return e.renderedScript(lim, id, n)
	}
	b := t.build(lim, n.start, n.end)
	r := rendering{builder: b, start: n.start, text: t.text(n.start, n.end)}
	for r.line() {
	}
	return b.err()
}

// renderedScript adds what PowerShell's messages hold: the script block, behind a
// line that announces it, or all of a pipeline's payload.
func (e *Event) renderedScript(lim Limits, id string, n node) error {
	b := e.tape.build(lim, n.start, n.end)
	name, start, end := "Payload", n.start, n.end
	if id == "4104" {
		text := b.text(n.start, n.end)
		name = "ScriptBlockText"
		if cut := strings.IndexByte(text, '\n'); cut >= 0 && strings.HasPrefix(text, "Creating Scriptblock text") {
			start += uint32(cut) + 1
		}
		if cut := strings.LastIndex(text, "ScriptBlock ID: "); cut > int(start-n.start) {
			end = n.start + uint32(len(strings.TrimRight(text[:cut], "\r\n")))
		}
	}
	b.add(name, String, start, end)
	return b.err()
}

// rendering reads a message line by line.
type rendering struct {
	*builder
	start   uint32 // of the text on the tape
	text    string
	pos     int
	section string
}

// line reads the next line and returns false at the end.
func (r *rendering) line() bool {
	if r.pos >= len(r.text) || r.full {
		return false
	}
	from, to := r.pos, len(r.text)
	if end := strings.IndexByte(r.text[from:], '\n'); end >= 0 {
		to = from + end
	}
	r.pos = to + 1
	line := strings.TrimRight(r.text[from:to], " \t\r")
	colon := strings.IndexByte(line, ':')
	if colon < 0 || strings.Count(line[:colon], " ") > 5 {
		return true
	}
	label, value := strings.TrimSpace(line[:colon]), line[colon+1:]
	if strings.TrimSpace(value) == "" {
		r.section = label
		return true
	}
	lead := len(value) - len(strings.TrimLeft(value, " \t"))
	begin := r.start + uint32(from+colon+1+lead)
	r.add(renderedName(r.section, label), String, begin, r.start+uint32(from+len(line)))
	return true
}

// renderedName is the field that a label stands for. Labels that mean different
// fields in different sections are those of Security's events about logons,
// accounts and processes.
func renderedName(section, label string) string {
	prefix := "Target"
	if section == "Subject" || section == "Creator Subject" {
		prefix = "Subject"
	}
	switch label {
	case "Security ID":
		return prefix + "UserSid"
	case "Account Name":
		return prefix + "UserName"
	case "Account Domain":
		return prefix + "DomainName"
	case "Logon ID":
		return prefix + "LogonId"
	case "Source Network Address", "Network Address":
		return "IpAddress"
	case "Source Port":
		if section == "Network Information" {
			return "IpPort"
		}
	case "Process Command Line":
		return "CommandLine"
	case "Creator Process Name":
		return "ParentProcessName"
	case "Logon Process":
		return "LogonProcessName"
	case "Authentication Package":
		return "AuthenticationPackageName"
	case "Sub Status":
		return "SubStatus"
	}
	return strings.ReplaceAll(label, " ", "")
}
