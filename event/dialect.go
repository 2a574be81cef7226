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
	OCSF
	AccessLog
	DefenderXDR
	Cloud // audit logs of cloud services and applications, each with names of its own
	Pairs // lines of names and values: CEF, LEEF, and those of firewalls
	Osquery
	Falco
	Tetragon
	CrowdStrike
	SentinelOne
	ASIM
)

// ownWindows says whether the dialect is Windows events under Windows' own names.
func (d Dialect) ownWindows() bool {
	return d == WindowsFlat || d == WindowsEVTX || d == SysmonLinux
}

// String names the dialect as stored and shown.
func (d Dialect) String() string {
	names := [...]string{
		"generic", "windows-flat", "windows-evtx", "winlogbeat", "ecs", "zeek",
		"cloudtrail", "suricata", "syslog", "auditd", "sysmon-linux", "text",
		"ocsf", "access-log", "defender-xdr", "cloud", "pairs",
		"osquery", "falco", "tetragon", "crowdstrike", "sentinelone", "asim",
	}
	if int(d) < len(names) {
		return names[d]
	}
	return names[0]
}

// detect recognises the dialect of a JSON record from the names at its top.
func (t *tape) detect() Dialect {
	switch {
	case t.has("EventID") && t.hasAny("Channel", "SourceName", "Provider_Name", "ProviderName", "EventSourceName", "Provider"):
		return WindowsFlat
	case t.nestedEvent():
		return WindowsEVTX
	case t.kindOf("winlog") == Object, t.has("event_id") && t.hasAny("log_name", "provider_name"):
		return Winlogbeat
	case t.zeekLog() != "":
		return Zeek
	case t.has("eventSource") && t.has("eventName") && t.hasAny("eventVersion", "awsRegion", "userIdentity"):
		return CloudTrail
	case t.has("event_type") && t.hasAny("flow_id", "src_ip", "stats"):
		return Suricata
	case t.has("SyslogMessage"), t.has("MESSAGE") && t.hasAny("__REALTIME_TIMESTAMP", "SYSLOG_IDENTIFIER", "_HOSTNAME"):
		return Syslog
	case t.kindOf("ecs") == Object, t.has("ecs.version"), t.has("@timestamp") && (t.kindOf("event") == Object || t.has("event.code")):
		return t.detectECS()
	case t.has("class_uid") && t.hasAny("category_uid", "activity_id", "type_uid", "metadata"):
		return OCSF
	case t.has("ActionType") && t.has("DeviceName"), t.hasAny("InitiatingProcessFolderPath", "InitiatingProcessFileName", "InitiatingProcessCommandLine"):
		return DefenderXDR
	case t.flatWindows():
		return WindowsFlat
	case strings.HasSuffix(t.str("eventSource"), ".amazonaws.com"):
		return CloudTrail
	case t.laurel():
		return Auditd
	}
	if d := t.table(); d != Generic {
		return d
	}
	if t.cloudSource() != (Logsource{}) {
		return Cloud
	}
	return t.agent()
}

// nestedEvent says whether a record is a Windows event as its XML is nested, or
// as Wazuh nests it.
func (t *tape) nestedEvent() bool {
	if event := t.lookup("Event"); event != 0 && t.firstChild(event, "System", "EventData") != 0 {
		return true
	}
	return t.kindOf("System") == Object && t.hasAny("EventData", "UserData") || t.wazuh() != 0 || t.openTelemetry()
}

// openTelemetry says whether a record is what OpenTelemetry's receiver for
// Windows' event logs makes of an event.
func (t *tape) openTelemetry() bool {
	return t.down("event_id", "id") != 0 && t.has("channel") && t.kindOf("provider") == Object
}

// wazuh returns the object that Wazuh's agent puts a Windows event into, 0 for
// none.
func (t *tape) wazuh() uint32 {
	win := t.lookup("win")
	if win == 0 {
		win = t.down("data", "win")
	}
	if win == 0 || t.firstChild(win, "system", "eventdata") == 0 {
		return 0
	}
	return win
}

// detectECS tells the records of Winlogbeat whose names were flattened from
// others of the Elastic Common Schema.
func (t *tape) detectECS() Dialect {
	if t.hasAny("winlog.channel", "winlog.event_id", "winlog.provider_name") {
		return Winlogbeat
	}
	if t.osqueryRow() != 0 {
		return Osquery
	}
	return ECS
}

// flatWindows recognises what less common exporters make of Windows events:
// Azure Monitor's table Event, EvtxECmd, Get-WinEvent, Splunk, names with dots
// in place of nesting, and records that do not say who wrote them.
func (t *tape) flatWindows() bool {
	switch {
	case t.has("EventID"):
		return t.hasAny("EventLog", "Source", "LogName", "source", "sourcetype", "Computer") || t.shapeOfChannel() != ""
	case t.has("EventId"):
		return t.hasAny("Channel", "Provider")
	case t.has("Id"):
		return t.has("LogName") && t.has("ProviderName")
	case t.has("EventCode"):
		return t.hasAny("LogName", "SourceName", "Channel", "source", "sourcetype")
	}
	return t.hasAny("Event.System.EventID", "Event.System.Channel", "winlog.event_id", "winlog.channel") ||
		t.has("Channel") && t.hasAny("Provider_Name", "SourceName", "EventRecordID")
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
	if !t.has("ts") || !t.has("uid") || !t.hasAny("id.orig_h", "id_orig_h") && t.down("id", "orig_h") == 0 {
		return ""
	}
	return t.zeekShape()
}

// zeekShape names the log of a record that does not say.
func (t *tape) zeekShape() string {
	for _, shape := range [...]struct{ field, log string }{
		{"conn_state", "conn"}, {"request_type", "kerberos"}, {"qtype_name", "dns"}, {"query", "dns"}, {"user_agent", "http"}, {"uri", "http"},
		{"status_code", "http"}, {"cipher_alg", "ssh"}, {"cipher", "ssl"}, {"server_name", "ssl"},
		{"named_pipe", "dce_rpc"}, {"operation", "dce_rpc"}, {"share_type", "smb_mapping"},
		{"action", "smb_files"}, {"mailfrom", "smtp"}, {"helo", "smtp"}, {"note", "notice"}, {"security_protocol", "rdp"},
		{"server_nb_computer_name", "ntlm"}, {"cause", "analyzer"}, {"analyzer", "dpd"},
	} {
		if t.has(shape.field) {
			return shape.log
		}
	}
	return "unknown"
}

// wrapped returns the object that is the record proper where the one around it
// is an index's or a collector's: Elasticsearch's hits, Splunk's results and
// what its collector takes in, EventBridge's events, Chainsaw's findings,
// OpenTelemetry's log records, the stream of Defender's tables. 0 is none.
func (t *tape) wrapped() uint32 {
	switch {
	case t.has("detail-type"):
		return t.ifObject(t.lookup("detail"))
	case t.has("document"):
		return t.ifObject(t.down("document", "data"))
	case advancedHunting(t.str("category")):
		return t.ifObject(t.lookup("properties"))
	case t.down("body", "event_id") != 0:
		return t.lookup("body")
	case t.kindOf("_source") == Object:
		return t.lookup("_source")
	case t.kindOf("fields") == Object && t.has("_index"):
		return t.lookup("fields")
	case t.kindOf("result") == Object && (t.entered == 1 || t.hasAny("preview", "offset", "lastrow")):
		return t.lookup("result")
	case t.kindOf("event") == Object && t.has("sourcetype"):
		return t.lookup("event")
	}
	return 0
}

// ifObject returns i if it is an object, else 0.
func (t *tape) ifObject(i uint32) uint32 {
	if t.nodes[i].kind != Object {
		return 0
	}
	return i
}
