package event

import "strings"

// What agents on hosts report of processes, files, connections and the registry,
// under names of their own. As they are read their fields get the names that
// Sigma's taxonomy has for the category; their own names stay.

// agent recognises the records of agents by the names at their top:
//
//   - osquery's results, one row each (osquery, Logging: event format, and the
//     others where they hold one row);
//   - Falco's alerts (Falco, Output channels and Supported fields);
//   - Tetragon's events (Tetragon, gRPC API: GetEventsResponse);
//   - CrowdStrike's Falcon Data Replicator (events data dictionary);
//   - SentinelOne's Cloud Funnel and Deep Visibility.
func (t *tape) agent() Dialect {
	switch {
	case t.osqueryRow() != 0:
		return Osquery
	case t.kindOf("output_fields") == Object && t.has("rule") && t.has("priority"):
		return Falco
	case t.tetragonEvent() != "":
		return Tetragon
	case t.hasAny("event_simpleName", "#event_simpleName"):
		return CrowdStrike
	case t.sentinelEvent() != "" && t.sentinelProcess():
		return SentinelOne
	}
	if _, ok := t.webForm(); ok {
		return AccessLog
	}
	return Generic
}

// flattenAgent names the fields of an agent's record and its log source.
func (e *Event) flattenAgent(lim Limits) error {
	t := &e.tape
	switch e.dialect {
	case Osquery:
		return e.flattenOsquery(lim)
	case Falco:
		e.source = t.flattenFalco()
	case Tetragon:
		e.source = t.flattenTetragon()
	case CrowdStrike:
		e.source = t.flattenCrowdStrike()
	case SentinelOne:
		e.source = t.flattenSentinel()
	}
	return nil
}

// tetragonEvent is the kind of a Tetragon event, "" for other records.
func (t *tape) tetragonEvent() string {
	for _, kind := range [...]string{"process_exec", "process_exit", "process_kprobe", "process_tracepoint", "process_lsm", "process_uprobe", "process_loader"} {
		if t.down(kind, "process") != 0 {
			return kind
		}
	}
	return ""
}

func (t *tape) flattenTetragon() Logsource {
	l := Logsource{Product: "linux", Service: "tetragon"}
	kind := t.tetragonEvent()
	of := kind + "."
	call := t.called(of + "function_name")
	switch {
	case kind == "process_exec":
		l.Category = "process_creation"
	case kind == "process_exit":
		l.Category = "process_termination"
	case strings.HasPrefix(call, "tcp_connect"), strings.HasSuffix(call, "sys_connect"), call == "security_socket_connect":
		l.Category = "network_connection"
		t.say("Initiated", "true")
		t.say("Protocol", sysmonProtocol(t.called(of+"args.sock_arg.protocol")))
	case call == "security_file_permission", call == "security_path_truncate", call == "file_permission":
		l.Category = "file_access"
		if t.called(of+"args.int_arg") == "2" || call == "security_path_truncate" { // MAY_WRITE
			l.Category = "file_event"
		}
	case strings.HasSuffix(call, "sys_unlinkat"), strings.HasSuffix(call, "sys_unlink"), call == "security_path_unlink":
		l.Category = "file_delete"
	}
	for _, p := range [...]struct{ field, of string }{{"CommandLine", "process."}, {"ParentCommandLine", "parent."}} {
		t.say(p.field, strings.TrimRight(t.called(of+p.of+"binary")+" "+t.called(of+p.of+"arguments"), " "))
	}
	t.give(
		naming{"Image", of + "process.binary"}, naming{"ParentImage", of + "parent.binary"}, naming{"CurrentDirectory", of + "process.cwd"},
		naming{"ProcessId", of + "process.pid"}, naming{"ParentProcessId", of + "parent.pid"}, naming{"User", of + "process.user.name"},
		naming{"User", of + "process.uid"}, naming{"ProcessGuid", of + "process.exec_id"}, naming{"Computer", "node_name"},
	)
	switch l.Category {
	case "network_connection":
		t.give(
			naming{"DestinationIp", of + "args.sock_arg.daddr"}, naming{"DestinationPort", of + "args.sock_arg.dport"},
			naming{"DestinationIp", of + "args.sockaddr_arg.addr"}, naming{"DestinationPort", of + "args.sockaddr_arg.port"},
			naming{"SourceIp", of + "args.sock_arg.saddr"}, naming{"SourcePort", of + "args.sock_arg.sport"},
		)
	case "file_event", "file_access", "file_delete":
		t.give(naming{"TargetFilename", of + "args.file_arg.path"}, naming{"TargetFilename", of + "args.path_arg.path"}, naming{"TargetFilename", of + "args.string_arg"})
	}
	return l
}

// flattenFalco names the fields of an alert: those that its rule put into its
// output, which are all that is known of the event.
func (t *tape) flattenFalco() Logsource {
	if source := t.str("source"); source != "" && source != "syscall" {
		return Logsource{} // of plugins, whose records are other dialects
	}
	l := Logsource{Product: "linux", Service: "falco", Category: t.falcoCategory()}
	const of = "output_fields."
	t.give(
		naming{"Image", of + "proc.exepath"}, naming{"CommandLine", of + "proc.cmdline"}, naming{"CurrentDirectory", of + "proc.cwd"},
		naming{"ParentImage", of + "proc.pexepath"}, naming{"ParentCommandLine", of + "proc.pcmdline"}, naming{"User", of + "user.name"},
		naming{"ProcessId", of + "proc.pid"}, naming{"ParentProcessId", of + "proc.ppid"}, naming{"Computer", "hostname"},
	)
	t.say("Image", endOfPath(l.Product, t.called(of+"proc.name")))
	t.say("ParentImage", endOfPath(l.Product, t.called(of+"proc.pname")))
	switch name := t.called(of + "fd.name"); {
	case l.Category == "network_connection":
		t.give(
			naming{"DestinationIp", of + "fd.rip"}, naming{"DestinationIp", of + "fd.sip"}, naming{"DestinationPort", of + "fd.rport"},
			naming{"DestinationPort", of + "fd.sport"}, naming{"SourceIp", of + "fd.lip"}, naming{"SourceIp", of + "fd.cip"},
			naming{"SourcePort", of + "fd.lport"}, naming{"SourcePort", of + "fd.cport"}, naming{"Protocol", of + "fd.l4proto"},
			naming{"DestinationHostname", of + "fd.rip.name"}, naming{"DestinationHostname", of + "fd.sip.name"},
		)
		from, to, _ := strings.Cut(name, "->")
		t.endpoint("Source", from)
		t.endpoint("Destination", to)
		if accept := strings.HasPrefix(t.called(of+"evt.type"), "accept"); accept {
			t.say("Initiated", "false")
		} else {
			t.say("Initiated", "true")
		}
	case strings.HasPrefix(l.Category, "file_"):
		t.give(
			naming{"TargetFilename", of + "fs.path.target"}, naming{"TargetFilename", of + "fs.path.name"}, naming{"TargetFilename", of + "fd.name"},
			naming{"TargetFilename", of + "evt.arg.newpath"}, naming{"TargetFilename", of + "evt.arg.path"}, naming{"TargetFilename", of + "evt.arg.name"},
			naming{"SourceFilename", of + "fs.path.source"}, naming{"SourceFilename", of + "evt.arg.oldpath"},
		)
	}
	return l
}

// endpoint says address and port of one end of a connection, address:port.
func (t *tape) endpoint(end, text string) {
	if cut := strings.LastIndexByte(text, ':'); cut > 0 && digits(text[cut+1:]) > 0 {
		t.say(end+"Ip", text[:cut])
		t.say(end+"Port", text[cut+1:])
	}
}

func (t *tape) falcoCategory() string {
	const of = "output_fields."
	switch call := t.called(of + "evt.type"); call {
	case "execve", "execveat":
		return "process_creation"
	case "procexit":
		return "process_termination"
	case "connect", "accept", "accept4":
		return "network_connection"
	case "unlink", "unlinkat", "rmdir":
		return "file_delete"
	case "rename", "renameat", "renameat2":
		return "file_rename"
	case "open", "openat", "openat2", "creat":
		flags := t.called(of + "evt.arg.flags")
		if call == "creat" || t.called(of+"evt.is_open_write") == "true" || strings.Contains(flags, "O_WRONLY") || strings.Contains(flags, "O_RDWR") || strings.Contains(flags, "O_CREAT") {
			return "file_event"
		}
		return "file_access"
	case "":
		if t.called(of+"proc.cmdline") != "" && t.called(of+"fd.name") == "" {
			return "process_creation" // of rules older than evt.type in their outputs
		}
	}
	return ""
}
