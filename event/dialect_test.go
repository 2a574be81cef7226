package event

import (
	"slices"
	"testing"
	"time"
)

// dialectCases are synthetic records, one for each form of each dialect, with
// what they must say. A field that maps to "∅" must be missing.
var dialectCases = slices.Concat(firstCases, windowsCases, cloudCases, shapeCases, exportCases, lineCases, auditCases, agentCases, tableCases)

type dialectCase struct {
	name    string
	raw     string
	dialect Dialect
	source  Logsource
	when    string // RFC 3339, "" for none
	fields  map[string]string
}

var firstCases = []dialectCase{
	{
		"flat sysmon", sysmonFlat, WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "2025-03-04T05:06:07.88Z",
		map[string]string{
			"EventID": "1", "Image": `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, "Provider_Name": "Microsoft-Windows-Sysmon",
			"Computer": "teller-17.branch.example", "Product": "Microsoft® Windows® Operating System", "Nothing": "∅", "": "∅",
		},
	},
	{
		"flat 4688", `{"EventID":4688,"Channel":"security","SourceName":"Microsoft-Windows-Security-Auditing","TimeCreated":"2025-01-02 03:04:05.678",` +
			`"NewProcessName":"C:\\a.exe","ParentProcessName":"C:\\b.exe","SubjectLogonId":"0x3","MandatoryLabel":"S-1-16-12288","SubjectUserName":"u"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"Image": `C:\a.exe`, "ParentImage": `C:\b.exe`, "LogonId": "0x3", "IntegrityLevel": "High", "User": "∅", "ProcessId": "∅"},
	},
	{
		"flat names with spaces", `{"EventID":4624,"Channel":"Security","Logon Type":3,"IpAddress":"10.0.0.1"}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3", "Image": "∅"},
	},
	{
		"flat with EventData as JSON text", `{"EventID":3,"Provider":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational",` +
			`"EventData":"{\"UtcTime\":\"2025-01-02T03:04:05.1230000Z\",\"Image\":\"C:\\\\x.exe\",\"EventID\":99}"}`,
		WindowsFlat, Logsource{"windows", "network_connection", "sysmon"}, "2025-01-02T03:04:05.123Z",
		map[string]string{"Image": `C:\x.exe`, "EventID": "3"},
	},
	{
		"flat with EventData as XML text", `{"EventID":5156,"EventSourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","TimeGenerated":"2025-01-02T03:04:05.21Z",` +
			`"EventData":"<EventData xmlns=\"x\">\r\n <Data Name=\"Application\">\\device\\a &amp; b.exe</Data><Data Name=\"Empty\"/></EventData>"}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "2025-01-02T03:04:05.21Z",
		map[string]string{"Application": `\device\a & b.exe`, "Empty": ""},
	},
	{
		"flat with EventData", `{"EventID":"4104","ProviderName":"Microsoft-Windows-PowerShell","Channel":"Microsoft-Windows-PowerShell/Operational","EventData":{"ScriptBlockText":"iex"}}`,
		WindowsFlat, Logsource{"windows", "ps_script", "powershell"}, "", map[string]string{"ScriptBlockText": "iex", "Provider_Name": "Microsoft-Windows-PowerShell"},
	},
	{
		"evtx with #attributes", `{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"g"}},"EventID":{"#attributes":{"Qualifiers":0},"#text":13},` +
			`"TimeCreated":{"#attributes":{"SystemTime":"2025-01-02T03:04:05.678901Z"}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"H","EventRecordID":7},"EventData":{"Image":"C:\\i.exe","TargetObject":"HKLM\\x"}}}`,
		WindowsEVTX, Logsource{"windows", "registry_set", "sysmon"}, "2025-01-02T03:04:05.678901Z",
		map[string]string{
			"EventID": "13", "Provider_Name": "Microsoft-Windows-Sysmon", "Image": `C:\i.exe`, "EventRecordID": "7", "Computer": "H",
			"Event.EventData.Image": `C:\i.exe`, "Provider_Nothing": "∅",
		},
	},
	{
		"evtx with @ and Data list", `{"Event":{"@xmlns":"x","System":{"Provider":{"@Name":"Microsoft-Windows-Security-Auditing"},"EventID":"4688","TimeCreated":{"@SystemTime":"2025-01-02T03:04:05Z"},"Channel":"Security"},` +
			`"EventData":{"Data":[{"@Name":"NewProcessName","#text":"C:\\a.exe"},{"@Name":"CommandLine"},{"@Name":"EventID","#text":"1"}]}}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05Z",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": "", "EventID": "4688", "Provider_Name": "Microsoft-Windows-Security-Auditing"},
	},
	{
		"evtx with _attributes and UserData", `{"System":{"Provider_attributes":{"Name":"P"},"EventID":1,"Channel":"Microsoft-Windows-Windows Defender/Operational"},"EventData":null,"UserData":{"X":{"Path":"p"}}}`,
		WindowsEVTX, Logsource{"windows", "", "windefend"}, "", map[string]string{"Provider_Name": "P", "Path": "p"},
	},
	{
		"evtx with unnamed Data", `{"Event":{"System":{"EventID":400,"Channel":"Windows PowerShell"},"EventData":{"Data":["Available","None","x=1"]}}}`,
		WindowsEVTX, Logsource{"windows", "ps_classic_start", "powershell-classic"}, "", map[string]string{"Data": `["Available","None","x=1"]`},
	},
	{
		"evtx as XML", `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Sysmon' Guid='{g}'/><EventID Qualifiers=''>12</EventID>` +
			`<TimeCreated SystemTime='2025-01-02T03:04:05.6789012Z'/><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>H</Computer></System>` +
			`<EventData><Data Name='EventType'>DeleteKey</Data><Data Name='Image'>C:\a&lt;b&#x41;.exe</Data><Data>one</Data><Data>two</Data></EventData></Event>`,
		WindowsEVTX, Logsource{"windows", "registry_delete", "sysmon"}, "2025-01-02T03:04:05.6789012Z",
		map[string]string{"Image": `C:\a<bA.exe`, "Provider_Name": "Microsoft-Windows-Sysmon", "EventID": "12"},
	},
	{
		"winlogbeat", `{"@timestamp":"2025-01-02T03:04:05.678Z","event":{"code":"1"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":1,"provider_name":"Microsoft-Windows-Sysmon","computer_name":"H",` +
			`"event_data":{"Image":"C:\\a.exe"}},"process":{"command_line":"a -b"}}`,
		Winlogbeat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"Image": `C:\a.exe`, "EventID": "1", "CommandLine": "a -b", "Computer": "H", "Provider_Name": "Microsoft-Windows-Sysmon", "winlog.event_data.Image": `C:\a.exe`},
	},
	{
		"winlogbeat 6", `{"@timestamp":"2025-01-02T03:04:05.678Z","beat":{"name":"w"},"log_name":"Security","event_id":4688,"source_name":"Microsoft-Windows-Security-Auditing","computer_name":"H","record_number":"7","event_data":{"NewProcessName":"C:\\a.exe"}}`,
		Winlogbeat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"Image": `C:\a.exe`, "EventID": "4688", "Channel": "Security", "Provider_Name": "Microsoft-Windows-Security-Auditing", "Computer": "H", "EventRecordID": "7"},
	},
	{
		"ecs", `{"@timestamp":"2025-01-02T03:04:05.678+08:00","ecs":{"version":"8"},"host":{"name":"h","os":{"type":"linux"}},"event":{"category":["process"],"type":["start"]},` +
			`"process":{"executable":"/bin/a","command_line":"a -b","parent":{"executable":"/bin/sh"}}}`,
		ECS, Logsource{"linux", "process_creation", ""}, "2025-01-01T19:04:05.678Z",
		map[string]string{"Image": "/bin/a", "CommandLine": "a -b", "ParentImage": "/bin/sh", "User": "∅"},
	},
	{
		"zeek with literal dots", `{"_path":"dns","ts":"2025-01-02T03:04:05.678901Z","uid":"C1","id.orig_h":"10.0.0.1","id.resp_p":53,"query":"a.example","qtype_name":"A","answers":["b.example","10.0.0.2"]}`,
		Zeek, Logsource{"zeek", "dns", "dns"}, "2025-01-02T03:04:05.678901Z",
		map[string]string{"id.orig_h": "10.0.0.1", "src_ip": "10.0.0.1", "record_type": "A", "answer": `["b.example","10.0.0.2"]`, "dst_port": "53"},
	},
	{
		"zeek combined", `{"@stream":"conn","@system":"s","@proc":"zeek","ts":1735787045.678901,"uid":"C1","id_orig_h":"10.0.0.1","id_resp_h":"10.0.0.2","id_resp_p":80,"conn_state":"SF"}`,
		Zeek, Logsource{"zeek", "firewall", "conn"}, "2025-01-02T03:04:05.678901Z", map[string]string{"id.resp_h": "10.0.0.2", "dst_port": "80"},
	},
	{
		"zeek by shape, nested id", `{"ts":1735787045.5,"uid":"C1","id":{"orig_h":"10.0.0.1","resp_h":"10.0.0.2"},"method":"GET","host":"h.example","uri":"/x","user_agent":"u"}`,
		Zeek, Logsource{"zeek", "proxy", "http"}, "2025-01-02T03:04:05.5Z",
		map[string]string{"id.orig_h": "10.0.0.1", "c-uri": `["/x","http://h.example/x"]`, "c-useragent": "u", "cs-host": "h.example", "dst_ip": "10.0.0.2"},
	},
	{
		"cloudtrail", `{"eventVersion":"1.08","eventTime":"2025-01-02T03:04:05Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"x","userIdentity":{"type":"Root","sessionContext":{"sessionIssuer":{"type":"Role"}}},` +
			`"requestParameters":{"containerDefinitions":[{"command":"a"},{"command":["b","c"]},{"x":1}]}}`,
		CloudTrail, Logsource{"aws", "", "cloudtrail"}, "2025-01-02T03:04:05Z",
		map[string]string{
			"userIdentity.type": "Root", "userIdentity.sessionContext.sessionIssuer.type": "Role", "eventName": "CreateUser",
			"requestParameters.containerDefinitions.command": `["a",["b","c"]]`, "userIdentity.nothing": "∅", "requestParameters.containerDefinitions.y": "∅",
		},
	},
	{
		"suricata", `{"timestamp":"2025-01-02T03:04:05.678901+0800","flow_id":1,"event_type":"dns","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","dns":{"rrname":"a.example","rrtype":"A"}}`,
		Suricata, Logsource{"suricata", "dns", "dns"}, "2025-01-01T19:04:05.678901Z", map[string]string{"query": "a.example", "dst_ip": "10.0.0.2", "record_type": "A"},
	},
	{
		"rfc 5424", `<165>1 2025-01-02T03:04:05.678Z host sshd 4711 ID47 [x@1 a="b\"]"][y@1] ` + "\ufeff" + `Failed password`,
		Syslog, Logsource{"linux", "", "sshd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"message": "Failed password", "hostname": "host", "program": "sshd", "pid": "4711", "facility": "local4", "severity": "notice", "structured_data": `[x@1 a="b\"]"][y@1]`},
	},
	{
		"rfc 5424 with nils", `<34>1 - - su - - - words`, Syslog, Logsource{"linux", "", "auth"}, "",
		map[string]string{"message": "words", "hostname": "∅", "facility": "auth"},
	},
	{
		"rfc 3164", `<34>Oct 11 22:14:15 mymachine CRON[77]: (root) CMD (x)`, Syslog, Logsource{"linux", "", "cron"}, "",
		map[string]string{"message": "(root) CMD (x)", "hostname": "mymachine", "program": "CRON", "pid": "77"},
	},
	{
		"rfc 3164 with rfc 3339 time and no priority", `2025-01-02T03:04:05+08:00 h prog: x`, Syslog, Logsource{"linux", "", "syslog"}, "2025-01-01T19:04:05Z",
		map[string]string{"message": "x", "program": "prog"},
	},
	{
		"syslog as JSON", `{"EventTime":"2025-01-02T03:04:05Z","Facility":"auth","HostName":"h","ProcessName":"sudo","SyslogMessage":"x : y"}`,
		Syslog, Logsource{"linux", "", "sudo"}, "2025-01-02T03:04:05Z", map[string]string{"SyslogMessage": "x : y"},
	},
	{
		"auditd", `type=EXECVE msg=audit(1735787045.678:91): argc=3 a0="ls" a1=2F746D702F612062 a2="-l" key=(null)`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"type": "EXECVE", "a0": "ls", "a1": "/tmp/a b", "audit_id": "91", "key": "(null)"},
	},
	{
		"auditd numbers are not text", "node=h type=SYSCALL msg=audit(1735787045.678:91): a0=7f41 comm=6C7300 exe=\"/bin/ls\"\x1dSYSCALL=execve AUID=\"root\"",
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"a0": "7f41", "comm": "ls", "SYSCALL": "execve", "AUID": "root", "node": "h"},
	},
	{
		"auditd user message", `type=USER_LOGIN msg=audit(1735787045.678:91): pid=1 msg='op=login acct="root" res=failed'`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"op": "login", "acct": "root", "res": "failed"},
	},
	{
		"auditd in syslog", `<13>Jan  2 03:04:05 h audispd: type=PROCTITLE msg=audit(1735787045.678:91): proctitle=6C73002D6C`,
		Auditd, Logsource{"linux", "", "auditd"}, "", map[string]string{"proctitle": "ls -l", "hostname": "h"},
	},
	{
		"sysmon for linux", `Jan  2 03:04:05 h sysmon: <Event><System><Provider Name="Linux-Sysmon" Guid="{g}"/><EventID>1</EventID><TimeCreated SystemTime="2025-01-02T03:04:05.678901000Z"/><Channel>Linux-Sysmon/Operational</Channel></System><EventData><Data Name="UtcTime">2025-01-02 03:04:05.670</Data><Data Name="Image">/bin/ls</Data><Data Name="CommandLine">ls -l &quot;x&quot;</Data></EventData></Event>`,
		SysmonLinux, Logsource{"linux", "process_creation", "sysmon"}, "2025-01-02T03:04:05.67Z",
		map[string]string{"Image": "/bin/ls", "CommandLine": `ls -l "x"`, "EventID": "1"},
	},
	{
		"access log", `192.0.2.1 - u [02/Jan/2025:11:04:05 +0800] "GET /a/../b?x=\"1\" HTTP/1.1" 404 12 "http://r.example/" "sqlmap/1.0 (x)"`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z",
		map[string]string{
			"c-ip": "192.0.2.1", "cs-username": "u", "cs-method": "GET", "cs-uri-query": `/a/../b?x=\"1\"`, "cs-uri-stem": "/a/../b",
			"sc-status": "404", "cs-referer": "http://r.example/", "cs-user-agent": "sqlmap/1.0 (x)",
		},
	},
	{
		"access log, common form, broken request", `192.0.2.1 - - [02/Jan/2025:11:04:05 +0800] "\x16\x03" 400 -`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": `\x16\x03`, "cs-method": "∅", "sc-bytes": "∅", "cs-user-agent": "∅"},
	},
	{
		"access log in syslog", `<190>Jan  2 03:04:05 h nginx: 192.0.2.1 - - [02/Jan/2025:11:04:05 +0800] "GET / HTTP/1.1" 200 1 "-" "a"`,
		AccessLog, Logsource{"", "webserver", ""}, "", map[string]string{"cs-user-agent": "a", "hostname": "h", "cs-referer": "∅"},
	},
	{
		"no access log", `a - b [c] "d" 1x2 3`, Text, Logsource{}, "", nil,
	},
	{
		"text", "something happened", Text, Logsource{}, "", map[string]string{"message": "something happened"},
	},
	{
		"bracketed text is no list", "[error] something", Text, Logsource{}, "", map[string]string{"message": "[error] something"},
	},
	{
		"generic", `{"a.b":1,"a":{"b":2,"c":{"d.e":3}},"time":1735787045678,"l":[{"x":1}]}`, Generic, Logsource{}, "2025-01-02T03:04:05.678Z",
		map[string]string{"a.b": "1", "a.c.d.e": "3", "a": `{"b":2,"c":{"d.e":3}}`, "l.x": "1", "a.c.d": "∅"},
	},
	{
		"generic proxy", `{"c-uri":"http://a.example/","cs-method":"GET"}`, Generic, Logsource{Category: "proxy"}, "", nil,
	},
	{
		"stated log source", `{"logsource":{"product":"core-banking","service":"transfer"},"amount":1}`, Generic,
		Logsource{Product: "core-banking", Service: "transfer"}, "", nil,
	},
}

func TestDialects(t *testing.T) {
	for _, tt := range dialectCases {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Decode([]byte(tt.raw), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if e.Dialect() != tt.dialect || e.Logsource() != tt.source {
				t.Errorf("%v %+v, want %v %+v", e.Dialect(), e.Logsource(), tt.dialect, tt.source)
			}
			got := ""
			if when, ok := e.Time(); ok {
				got = when.Format(time.RFC3339Nano)
			}
			if got != tt.when {
				t.Errorf("time %q, want %q", got, tt.when)
			}
			for name, want := range tt.fields {
				v, ok := e.Field(name)
				text := v.Text()
				if !ok {
					text = "∅"
				}
				if v.Kind() == List && text == "" { // made of what stands apart in the record
					v.Each(func(item Value) bool { text += " " + item.Text(); return true })
				}
				if text != want {
					t.Errorf("%s = %q, want %q", name, text, want)
				}
			}
		})
	}
}

// TestEachTextNames: the names of leaves are those of the flat view. Where two
// leaves have one name, Field says the one that wins.
func TestEachTextNames(t *testing.T) {
	collisions := map[string]bool{
		"flat with EventData as JSON text/EventID": true, "evtx with @ and Data list/EventID": true,
		"user data in an object of its own/Channel": true, "auditd in syslog/timestamp": true, "access log in syslog/timestamp": true, "generic/a.b": true,
		"cloudtrail/requestParameters.containerDefinitions.command": true, // a list in a list
		"opentelemetry/message": true, "cef in syslog/severity": true, "get-winevent/ProcessId": true, "azure, the table's name among its columns/Type": true,
		"records behind one another/a0": true, "records behind one another/a1": true, "records behind one another/item": true,
		"access line in a container's log/timestamp": true, "osquery, socket/action": true, "defender, file read/FileName": true, "osquery, socket bound/action": true, "osquery, file/action": true,
		"long argument in a joined event/a0": true, "long argument in a joined event/a1": true, "auditbeat, program started/a0": true, "wazuh/timestamp": true, "wazuh, syslog/timestamp": true,
		"evtxecmd, columns with names of fields/UserName": true, "evtxecmd, columns with names of fields/Payload": true,
	}
	for _, c := range dialectCases {
		e, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		leaves := 0
		e.EachText(func(field, text string) bool {
			leaves++
			v, ok := e.Field(field)
			found := collisions[c.name+"/"+field]
			v.Each(func(item Value) bool { found = found || item.Text() == text; return true })
			if !ok || !found {
				t.Errorf("%s: leaf %s=%q, but Field says %q, %v", c.name, field, text, v.Text(), ok)
			}
			return true
		})
		if leaves == 0 {
			t.Errorf("%s: no leaves", c.name)
		}
	}
}

func TestCovers(t *testing.T) {
	set := Logsource{"windows", "registry_set", "sysmon"}
	tests := []struct {
		event, rule Logsource
		want        bool
	}{
		{set, Logsource{}, true},
		{set, Logsource{Product: "windows"}, true},
		{set, Logsource{Product: "windows", Service: "sysmon"}, true},
		{set, Logsource{Product: "windows", Category: "registry_set"}, true},
		{set, Logsource{Product: "windows", Category: "registry_event"}, true},
		{set, Logsource{Product: "windows", Category: "registry_add"}, false},
		{set, Logsource{Product: "linux", Category: "registry_event"}, false},
		{Logsource{"windows", "registry_event", "sysmon"}, Logsource{Product: "windows", Category: "registry_delete"}, true},
		{Logsource{"windows", "file_delete_detected", "sysmon"}, Logsource{Product: "windows", Category: "file_delete"}, true},
		{Logsource{"zeek", "proxy", "http"}, Logsource{Category: "webserver"}, true},
		{Logsource{"zeek", "firewall", "conn"}, Logsource{Category: "network", Service: "connection"}, true},
		{Logsource{"zeek", "firewall", "conn"}, Logsource{Category: "network", Service: "dns"}, false},
		{Logsource{"", "dns", ""}, Logsource{Category: "network", Service: "dns"}, true},
		{Logsource{"zeek", "", "ssl"}, Logsource{Category: "dns"}, false},
		{Logsource{}, Logsource{Category: "dns"}, false},
	}
	for _, tt := range tests {
		if got := tt.event.Covers(tt.rule); got != tt.want {
			t.Errorf("%+v covers %+v: %v", tt.event, tt.rule, got)
		}
	}
}

func TestTimeNear(t *testing.T) {
	taipei := time.FixedZone("CST", 8*3600)
	tests := []struct{ stamp, received, want string }{
		{"Jan  2 03:04:05", "2025-01-02T03:04:06+08:00", "2025-01-01T19:04:05Z"},
		{"Dec 31 23:59:59", "2025-01-01T00:00:01+08:00", "2024-12-31T15:59:59Z"},
		{"Jan  1 00:00:01", "2024-12-31T23:59:59+08:00", "2024-12-31T16:00:01Z"},
		{"Feb 29 12:00:00", "2025-03-01T00:00:00+08:00", "2024-02-29T04:00:00Z"},
	}
	for _, tt := range tests {
		e, err := Decode([]byte("<13>"+tt.stamp+" h p: x"), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		received, err := time.Parse(time.RFC3339, tt.received)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e.Time(); ok {
			t.Errorf("%s: a time without a year is given as whole", tt.stamp)
		}
		got, ok := e.TimeNear(received.In(taipei))
		if !ok || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s near %s: %v, want %s", tt.stamp, tt.received, got, tt.want)
		}
	}
}
