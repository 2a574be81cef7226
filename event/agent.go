package event

import (
	"strconv"
	"strings"
)

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
	kind := t.tetragonEvent()
	of := kind + "."
	l := Logsource{Product: "linux", Service: "tetragon", Category: t.tetragonCategory(kind)}
	for _, p := range [...]struct{ field, of string }{{"CommandLine", "process."}, {"ParentCommandLine", "parent."}} {
		t.say(p.field, strings.TrimRight(t.called(of+p.of+"binary")+" "+t.called(of+p.of+"arguments"), " "))
	}
	t.give([]naming{
		{"Image", of + "process.binary"}, {"ParentImage", of + "parent.binary"}, {"CurrentDirectory", of + "process.cwd"},
		{"ProcessId", of + "process.pid"}, {"ParentProcessId", of + "parent.pid"}, {"User", of + "process.user.name"},
		{"ProcessGuid", of + "process.exec_id"}, {"Computer", "node_name"},
	})
	t.say("User", linuxUser(t.called(of+"process.uid")))
	switch l.Category {
	case "network_connection":
		t.say("Initiated", "true")
		t.say("Protocol", sysmonProtocol(t.called(of+"args.sock_arg.protocol")))
		t.give([]naming{
			{"DestinationIp", of + "args.sock_arg.daddr"}, {"DestinationPort", of + "args.sock_arg.dport"},
			{"DestinationIp", of + "args.sockaddr_arg.addr"}, {"DestinationPort", of + "args.sockaddr_arg.port"},
			{"SourceIp", of + "args.sock_arg.saddr"}, {"SourcePort", of + "args.sock_arg.sport"},
		})
	case "file_event", "file_access", "file_delete":
		t.give([]naming{{"TargetFilename", of + "args.file_arg.path"}, {"TargetFilename", of + "args.path_arg.path"}, {"TargetFilename", of + "args.string_arg"}})
	}
	return l
}

// tetragonCategory is that of what a program did, for probes by the function in
// the kernel that they were put on.
func (t *tape) tetragonCategory(kind string) string {
	const mayWrite = "2"
	switch call := t.called(kind + ".function_name"); {
	case kind == "process_exec":
		return "process_creation"
	case kind == "process_exit":
		return "process_termination"
	case call == "tcp_connect", call == "security_socket_connect", strings.HasSuffix(call, "sys_connect"):
		return "network_connection"
	case call == "security_path_truncate", call == "security_file_permission" && t.called(kind+".args.int_arg") == mayWrite:
		return "file_event"
	case call == "security_file_permission":
		return "file_access"
	case call == "security_path_unlink", strings.HasSuffix(call, "sys_unlink"), strings.HasSuffix(call, "sys_unlinkat"):
		return "file_delete"
	}
	return ""
}

// flattenFalco names the fields of an alert: those that its rule put into its
// output, which are all that is known of the event.
func (t *tape) flattenFalco() Logsource {
	if source := t.str("source"); source != "" && source != "syscall" {
		return Logsource{Product: "falco", Service: source} // of plugins, whose records are other dialects
	}
	l := Logsource{Product: "linux", Service: "falco", Category: t.falcoCategory()}
	const of = "output_fields."
	t.give([]naming{
		{"Image", of + "proc.exepath"}, {"CommandLine", of + "proc.cmdline"}, {"CurrentDirectory", of + "proc.cwd"},
		{"ParentImage", of + "proc.pexepath"}, {"ParentCommandLine", of + "proc.pcmdline"}, {"User", of + "user.name"},
		{"ProcessId", of + "proc.pid"}, {"ParentProcessId", of + "proc.ppid"}, {"Computer", "hostname"},
	})
	t.say("Image", endOfPath(l.Product, t.called(of+"proc.name")))
	t.say("ParentImage", endOfPath(l.Product, t.called(of+"proc.pname")))
	switch name := t.called(of + "fd.name"); {
	case l.Category == "network_connection":
		t.give([]naming{
			{"DestinationIp", of + "fd.rip"}, {"DestinationIp", of + "fd.sip"}, {"DestinationPort", of + "fd.rport"},
			{"DestinationPort", of + "fd.sport"}, {"SourceIp", of + "fd.lip"}, {"SourceIp", of + "fd.cip"},
			{"SourcePort", of + "fd.lport"}, {"SourcePort", of + "fd.cport"}, {"Protocol", of + "fd.l4proto"},
			{"DestinationHostname", of + "fd.rip.name"}, {"DestinationHostname", of + "fd.sip.name"},
		})
		from, to, _ := strings.Cut(name, "->")
		t.endpoint("Source", from)
		t.endpoint("Destination", to)
		t.say("Initiated", strconv.FormatBool(t.called(of+"evt.type") == "connect"))
	case strings.HasPrefix(l.Category, "file_"):
		t.give([]naming{
			{"TargetFilename", of + "fs.path.target"}, {"TargetFilename", of + "fs.path.name"}, {"TargetFilename", of + "fd.name"},
			{"TargetFilename", of + "evt.arg.newpath"}, {"TargetFilename", of + "evt.arg.path"}, {"TargetFilename", of + "evt.arg.name"},
			{"SourceFilename", of + "fs.path.source"}, {"SourceFilename", of + "evt.arg.oldpath"},
		})
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
