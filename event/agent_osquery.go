package event

import "strings"

// osqueryRow returns the row of an osquery result: that of the event format, or
// the only one of a snapshot or batch. Rows of which there are several stay
// apart: fields of different rows must not be mixed.
func (t *tape) osqueryRow() uint32 {
	if row := t.lookup("columns"); row != 0 && t.hasAny("action", "hostIdentifier") {
		return t.ifObject(row)
	}
	if row := t.down("osquery", "result", "columns"); row != 0 { // Filebeat's module
		return t.ifObject(row)
	}
	list := uint32(0)
	if t.has("hostIdentifier") {
		if list = t.lookup("snapshot"); list == 0 {
			list = t.down("diffResults", "added")
		}
	}
	if list == 0 || t.nodes[list].kind != List || list+1 >= t.nodes[list].next || t.nodes[list+1].next != t.nodes[list].next {
		return 0
	}
	return t.ifObject(list + 1)
}

// flattenOsquery names the columns of a row. What a query is about its columns
// say (osquery, Schema): its own name is anybody's choice.
func (e *Event) flattenOsquery(lim Limits) error {
	t := &e.tape
	t.lift(t.osqueryRow())
	t.give([]naming{{"Computer", "computer_name"}, {"Computer", "hostIdentifier"}, {"Computer", "decorations.hostname"}})
	switch {
	case t.has("eventid") && t.has("provider_name"): // windows_events
		t.give([]naming{{"EventID", "eventid"}, {"Channel", "source"}, {"Provider_Name", "provider_name"}})
		e.dialect = WindowsFlat
		return e.flattenMember(lim, t.lookup("data"))
	case t.has("script_text"): // powershell_events
		t.give([]naming{{"ScriptBlockText", "script_text"}, {"Path", "script_path"}})
		e.source = Logsource{Product: "windows", Category: "ps_script"}
	case t.has("tag") && t.has("message") && t.has("facility"): // syslog_events
		t.give([]naming{{"program", "tag"}, {"hostname", "host"}})
		e.dialect = Syslog
		return nil
	default:
		e.source = Logsource{Category: t.osqueryCategory()}
		t.give(osqueryNames(e.source.Category))
		t.say("User", linuxUser(t.str("uid")))
		t.say("Protocol", sysmonProtocol(t.str("protocol")))
		if e.source.Category == "network_connection" {
			t.say("Initiated", map[string]string{"connect": "true", "accept": "false"}[t.osqueryAction()])
		}
		if e.source.Category != "" {
			e.source.Product = t.osqueryProduct()
		}
	}
	e.source.Service = "osquery"
	return nil
}

// osqueryAction is what a row says was done, where that is not the result's own
// "added" or "removed".
func (t *tape) osqueryAction() string {
	row := t.osqueryRow()
	if c := t.firstChild(row, "action", "event_type", "operation", "type"); c != 0 {
		return t.body(&t.nodes[c])
	}
	return ""
}

// osqueryProduct tells operating systems apart, which results do not name, by
// columns that only macOS has and by paths.
func (t *tape) osqueryProduct() string {
	path := t.any("path|executable|target_path|dest_filename")
	switch {
	case t.hasAny("signing_id", "team_id", "cdhash", "platform_binary"):
		return "macos"
	case strings.IndexByte(path, '\\') >= 0, strings.HasPrefix(path, "/"):
		return t.hostProduct()
	}
	return "linux"
}

func (t *tape) osqueryCategory() string {
	removed := t.str("action") == "removed"
	switch action := strings.ToLower(t.osqueryAction()); {
	case t.has("remote_port") && t.has("remote_address"):
		if action == "bind" || removed {
			return ""
		}
		return "network_connection"
	case t.hasAny("target_path", "dest_filename", "dest_path"):
		return osqueryFileCategory(action)
	case !t.has("cmdline") || !t.has("path"), action == "fork", action == "clone":
		return ""
	case removed, action == "exit", action == "processstop":
		return "process_termination"
	}
	return "process_creation"
}

func osqueryFileCategory(action string) string {
	switch action {
	case "created", "create", "updated", "write", "moved_to", "close_modified":
		return "file_event"
	case "deleted", "delete", "unlink", "moved_from":
		return "file_delete"
	case "rename":
		return "file_rename"
	case "attributes_modified":
		return "file_change"
	case "accessed", "opened", "open", "read":
		return "file_access"
	}
	return ""
}

func osqueryNames(category string) []naming {
	names := []naming{
		{"Image", "path"}, {"CommandLine", "cmdline"}, {"CurrentDirectory", "cwd"}, {"ProcessId", "pid"}, {"ParentProcessId", "parent"},
		{"ParentProcessId", "ppid"}, {"User", "username"}, {"ParentImage", "parent_path"}, {"ParentCommandLine", "parent_cmdline"},
	}
	switch category {
	case "network_connection":
		return append(names, []naming{{"DestinationIp", "remote_address"}, {"DestinationPort", "remote_port"},
			{"SourceIp", "local_address"}, {"SourcePort", "local_port"}}...)
	case "file_event", "file_delete", "file_rename", "file_change", "file_access":
		names[0] = naming{"Image", "executable"}
		return append(names, []naming{{"TargetFilename", "target_path"}, {"TargetFilename", "dest_filename"}, {"TargetFilename", "dest_path"}}...)
	}
	return names
}
