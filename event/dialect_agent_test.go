package event

// agentCases are records of agents as their documentation shows them.
var agentCases = []dialectCase{
	{
		"osquery, event format", `{"name":"pack_it_process_events","hostIdentifier":"h.example","calendarTime":"Thu Jan  2 03:04:05 2025 UTC","unixTime":1735787045,"epoch":0,"counter":1,"columns":{"pid":"8","parent":"7","path":"/usr/bin/nc","cmdline":"nc -e /bin/sh","cwd":"\"/tmp\"","uid":"0"},"action":"added"}`,
		Osquery, Logsource{"linux", "process_creation", "osquery"}, "2025-01-02T03:04:05Z",
		map[string]string{"Image": "/usr/bin/nc", "CommandLine": "nc -e /bin/sh", "ProcessId": "8", "ParentProcessId": "7", "Computer": "h.example", "path": "/usr/bin/nc", "columns.path": "/usr/bin/nc"},
	},
	{"no osquery", `{"result":{"columns":{"path":"/bin/a","cmdline":"a -b"}},"name":"x"}`, Generic, Logsource{}, "", map[string]string{"Image": "∅"}},
	{
		"osquery, macos", `{"name":"p","hostIdentifier":"h","columns":{"event_type":"exec","path":"/usr/bin/osascript","cmdline":"osascript x","signing_id":"com.apple.osascript"},"action":"added"}`,
		Osquery, Logsource{"macos", "process_creation", "osquery"}, "", map[string]string{"Image": "/usr/bin/osascript"},
	},
	{
		"osquery, windows", `{"name":"p","hostIdentifier":"h","columns":{"type":"ProcessStart","path":"C:\\a.exe","cmdline":"a -b","username":"D\\u"},"action":"added"}`,
		Osquery, Logsource{"windows", "process_creation", "osquery"}, "", map[string]string{"Image": `C:\a.exe`, "User": `D\u`},
	},
	{
		"osquery, removed", `{"name":"p","hostIdentifier":"h","unixTime":1735787045,"columns":{"path":"/usr/bin/nc","cmdline":"nc"},"action":"removed"}`,
		Osquery, Logsource{"linux", "process_termination", "osquery"}, "2025-01-02T03:04:05Z", nil,
	},
	{
		"osquery, socket", `{"name":"s","hostIdentifier":"h","unixTime":1735787045,"columns":{"action":"connect","pid":"8","path":"/usr/bin/bash","family":"2","protocol":"6","local_address":"10.0.0.1","remote_address":"192.0.2.66","local_port":"1025","remote_port":"4444"},"action":"added"}`,
		Osquery, Logsource{"linux", "network_connection", "osquery"}, "2025-01-02T03:04:05Z",
		map[string]string{"Image": "/usr/bin/bash", "DestinationIp": "192.0.2.66", "DestinationPort": "4444", "SourceIp": "10.0.0.1", "Initiated": "true", "Protocol": "tcp"},
	},
	{
		"osquery, socket bound", `{"name":"s","hostIdentifier":"h","columns":{"action":"bind","path":"/usr/bin/nc","remote_address":"","remote_port":"0"},"action":"added"}`,
		Osquery, Logsource{"", "", "osquery"}, "", map[string]string{"Initiated": "∅"},
	},
	{
		"osquery, file", `{"name":"f","hostIdentifier":"h","columns":{"target_path":"/etc/cron.d/x","category":"etc","action":"CREATED","sha256":"ab"},"action":"added"}`,
		Osquery, Logsource{"linux", "file_event", "osquery"}, "", map[string]string{"TargetFilename": "/etc/cron.d/x", "Image": "∅"},
	},
	{
		"osquery, snapshot of one row", `{"action":"snapshot","snapshot":[{"path":"/bin/a","cmdline":"a -b"}],"name":"x","hostIdentifier":"h","unixTime":1735787045}`,
		Osquery, Logsource{"linux", "process_creation", "osquery"}, "2025-01-02T03:04:05Z", map[string]string{"CommandLine": "a -b"},
	},
	{
		"osquery, batch of two rows", `{"name":"x","hostIdentifier":"h","diffResults":{"added":[{"path":"/bin/a","cmdline":"a"},{"path":"/bin/b","cmdline":"b"}],"removed":[]}}`,
		Generic, Logsource{}, "", map[string]string{"Image": "∅"},
	},
	{
		"osquery, Windows event", `{"name":"w","hostIdentifier":"h","columns":{"time":"1735787045","source":"Security","provider_name":"Microsoft-Windows-Security-Auditing","computer_name":"H","eventid":"4688","data":"{\"EventData\":{\"NewProcessName\":\"C:\\\\a.exe\",\"CommandLine\":\"a -b\"}}"},"action":"added"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "", map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b", "EventID": "4688", "Computer": "H"},
	},
	{
		"osquery, PowerShell", `{"name":"p","hostIdentifier":"h","columns":{"script_text":"iex x","script_name":"","script_path":""},"action":"added"}`,
		Osquery, Logsource{"windows", "ps_script", "osquery"}, "", map[string]string{"ScriptBlockText": "iex x"},
	},
	{
		"osquery, syslog", `{"name":"s","hostIdentifier":"h","columns":{"time":"1735787045","host":"h1","facility":"auth","tag":"sshd","message":"Failed password"},"action":"added"}`,
		Syslog, Logsource{"linux", "", "sshd"}, "2025-01-02T03:04:05Z", map[string]string{"message": "Failed password", "program": "sshd"},
	},
	{
		"osquery through filebeat", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"osquery":{"result":{"name":"p","action":"added","columns":{"path":"/bin/a","cmdline":"a -b"}}}}`,
		Osquery, Logsource{"linux", "process_creation", "osquery"}, "2025-01-02T03:04:05Z", map[string]string{"CommandLine": "a -b"},
	},
	{
		"falco, program", `{"hostname":"h","output":"x","priority":"Notice","rule":"Terminal shell in container","source":"syscall","tags":["shell"],"time":"2025-01-02T03:04:05.678901234Z",` +
			`"output_fields":{"evt.type":"execve","evt.time":1735787045678901234,"proc.exepath":"/bin/bash","proc.cmdline":"bash -i","proc.name":"bash","proc.pname":"runc","user.name":"root","container.id":"x"}}`,
		Falco, Logsource{"linux", "process_creation", "falco"}, "2025-01-02T03:04:05.678901234Z",
		map[string]string{"Image": "/bin/bash", "CommandLine": "bash -i", "ParentImage": "/runc", "User": "root", "output_fields.proc.name": "bash"},
	},
	{
		"falco in a container's log", `2025-01-02T03:04:05.678901234Z stdout F {"output":"x","priority":"Notice","rule":"r","time":"2025-01-02T03:04:05Z","output_fields":{"evt.type":"execve","proc.exepath":"/bin/bash","proc.cmdline":"bash -i"}}`,
		Falco, Logsource{"linux", "process_creation", "falco"}, "2025-01-02T03:04:05Z", map[string]string{"Image": "/bin/bash", "hostname": "∅"},
	},
	{
		"access line in a container's log", `2025-01-02T03:04:05.678901234Z stdout F 192.0.2.1 - - [02/Jan/2025:11:04:05 +0800] "GET /x HTTP/1.1" 200 1 "-" "a"`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678901234Z", map[string]string{"cs-uri-query": "/x"},
	},
	{
		"falco, connection", `{"output":"x","priority":"Warning","rule":"r","time":"2025-01-02T03:04:05Z","output_fields":{"evt.type":"connect","fd.name":"10.0.0.1:1025->192.0.2.66:4444","proc.exepath":"/bin/nc","proc.cmdline":"nc"}}`,
		Falco, Logsource{"linux", "network_connection", "falco"}, "2025-01-02T03:04:05Z",
		map[string]string{"DestinationIp": "192.0.2.66", "DestinationPort": "4444", "SourceIp": "10.0.0.1", "SourcePort": "1025", "Initiated": "true"},
	},
	{
		"falco, file written", `{"output":"x","priority":"Error","rule":"Write below etc","time":"2025-01-02T03:04:05Z","output_fields":{"evt.type":"openat","evt.arg.flags":"O_TRUNC|O_CREAT|O_WRONLY","fd.name":"/etc/cron.d/x","proc.name":"sh","proc.cmdline":"sh"}}`,
		Falco, Logsource{"linux", "file_event", "falco"}, "2025-01-02T03:04:05Z", map[string]string{"TargetFilename": "/etc/cron.d/x", "Image": "/sh"},
	},
	{
		"falco, file read", `{"output":"x","priority":"Error","rule":"Read sensitive file","time":"2025-01-02T03:04:05Z","output_fields":{"evt.type":"openat","evt.arg.flags":"O_RDONLY","fd.name":"/etc/shadow","proc.cmdline":"cat"}}`,
		Falco, Logsource{"linux", "file_access", "falco"}, "2025-01-02T03:04:05Z", map[string]string{"TargetFilename": "/etc/shadow"},
	},
	{
		"falco, of a plugin", `{"output":"x","priority":"Error","rule":"r","source":"k8s_audit","time":"2025-01-02T03:04:05Z","output_fields":{"ka.verb":"create"}}`,
		Falco, Logsource{"falco", "", "k8s_audit"}, "2025-01-02T03:04:05Z", map[string]string{"Image": "∅"},
	},
	{
		"tetragon, program", `{"process_exec":{"process":{"exec_id":"x","pid":8,"uid":0,"cwd":"/tmp","binary":"/usr/bin/curl","arguments":"http://a.example/x.sh","flags":"execve"},"parent":{"pid":7,"binary":"/bin/bash","arguments":"-c x"}},"node_name":"n","time":"2025-01-02T03:04:05.678901234Z"}`,
		Tetragon, Logsource{"linux", "process_creation", "tetragon"}, "2025-01-02T03:04:05.678901234Z",
		map[string]string{
			"Image": "/usr/bin/curl", "CommandLine": "/usr/bin/curl http://a.example/x.sh", "ParentImage": "/bin/bash", "ParentCommandLine": "/bin/bash -c x",
			"CurrentDirectory": "/tmp", "ProcessId": "8", "User": "root", "Computer": "n",
		},
	},
	{
		"tetragon, end", `{"process_exit":{"process":{"binary":"/usr/bin/curl"}},"time":"2025-01-02T03:04:05Z"}`, Tetragon, Logsource{"linux", "process_termination", "tetragon"}, "2025-01-02T03:04:05Z", nil,
	},
	{
		"tetragon, connection", `{"process_kprobe":{"process":{"binary":"/usr/bin/curl","arguments":""},"function_name":"tcp_connect","args":[{"sock_arg":{"family":"AF_INET","protocol":"IPPROTO_TCP","saddr":"10.0.0.1","daddr":"192.0.2.66","sport":1025,"dport":4444}}]},"time":"2025-01-02T03:04:05Z"}`,
		Tetragon, Logsource{"linux", "network_connection", "tetragon"}, "2025-01-02T03:04:05Z",
		map[string]string{"DestinationIp": "192.0.2.66", "DestinationPort": "4444", "SourceIp": "10.0.0.1", "Protocol": "tcp", "Initiated": "true", "Image": "/usr/bin/curl"},
	},
	{
		"tetragon, file", `{"process_kprobe":{"process":{"binary":"/bin/sh"},"function_name":"security_file_permission","args":[{"file_arg":{"path":"/etc/cron.d/x"}},{"int_arg":2}]},"time":"2025-01-02T03:04:05Z"}`,
		Tetragon, Logsource{"linux", "file_event", "tetragon"}, "2025-01-02T03:04:05Z", map[string]string{"TargetFilename": "/etc/cron.d/x"},
	},
	{
		"tetragon, file read", `{"process_kprobe":{"process":{"binary":"/bin/sh"},"function_name":"security_file_permission","args":[{"file_arg":{"path":"/etc/shadow"}},{"int_arg":4}]},"time":"2025-01-02T03:04:05Z"}`,
		Tetragon, Logsource{"linux", "file_access", "tetragon"}, "2025-01-02T03:04:05Z", map[string]string{"TargetFilename": "/etc/shadow"},
	},
	{
		"crowdstrike, program", `{"event_simpleName":"ProcessRollup2","name":"ProcessRollup2V19","event_platform":"Win","aid":"a","cid":"c","timestamp":"1735787045678","ContextTimeStamp":"1735787045.670","ImageFileName":"\\Device\\HarddiskVolume3\\Windows\\System32\\cmd.exe","CommandLine":"cmd /c whoami",` +
			`"ParentBaseFileName":"WINWORD.EXE","IntegrityLevel":"12288","SHA256HashData":"ab","MD5HashData":"cd","RawProcessId":"8","UserName":"u","OriginalFilename":"Cmd.Exe"}`,
		CrowdStrike, Logsource{"windows", "process_creation", "crowdstrike"}, "2025-01-02T03:04:05.67Z",
		map[string]string{
			"Image": `\Device\HarddiskVolume3\Windows\System32\cmd.exe`, "CommandLine": "cmd /c whoami", "ParentImage": `\WINWORD.EXE`, "IntegrityLevel": "High",
			"Hashes": "MD5=cd,SHA256=ab", "ProcessId": "8", "User": "u", "OriginalFileName": "Cmd.Exe",
		},
	},
	{
		"crowdstrike, logscale", `{"#event_simpleName":"SyntheticProcessRollup2","event_platform":"Lin","@timestamp":1735787045678,"ImageFileName":"/usr/bin/nc","CommandLine":"nc -e","ParentBaseFileName":"bash"}`,
		CrowdStrike, Logsource{"linux", "process_creation", "crowdstrike"}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": "/usr/bin/nc", "ParentImage": "/bash"},
	},
	{
		"crowdstrike, dns", `{"event_simpleName":"DnsRequest","event_platform":"Win","timestamp":"1735787045678","DomainName":"a.example","RequestType":"1","IP4Records":"192.0.2.1;","ContextBaseFileName":"a.exe"}`,
		CrowdStrike, Logsource{"windows", "dns_query", "crowdstrike"}, "2025-01-02T03:04:05.678Z", map[string]string{"QueryName": "a.example", "QueryResults": "192.0.2.1;", "Image": `\a.exe`},
	},
	{
		"crowdstrike, connection", `{"event_simpleName":"NetworkReceiveAcceptIP4","event_platform":"Win","timestamp":"1735787045678","RemoteAddressIP4":"192.0.2.66","RemotePort":"4444","LocalAddressIP4":"10.0.0.1","LocalPort":"3389","Protocol":"6"}`,
		CrowdStrike, Logsource{"windows", "network_connection", "crowdstrike"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"DestinationIp": "192.0.2.66", "DestinationPort": "4444", "SourcePort": "3389", "Initiated": "false"},
	},
	{
		"crowdstrike, registry", `{"event_simpleName":"AsepValueUpdate","event_platform":"Win","timestamp":"1735787045678","RegObjectName":"\\REGISTRY\\MACHINE\\SOFTWARE\\x","RegValueName":"y","RegNumericValue":"1","ContextBaseFileName":"a.exe"}`,
		CrowdStrike, Logsource{"windows", "registry_set", "crowdstrike"}, "2025-01-02T03:04:05.678Z", map[string]string{"TargetObject": `HKLM\SOFTWARE\x\y`, "Details": "DWORD (0x00000001)", "Image": `\a.exe`},
	},
	{
		"crowdstrike, file", `{"event_simpleName":"PeFileWritten","event_platform":"Win","timestamp":"1735787045678","TargetFileName":"\\Device\\HarddiskVolume3\\x.exe"}`,
		CrowdStrike, Logsource{"windows", "file_event", "crowdstrike"}, "2025-01-02T03:04:05.678Z", map[string]string{"TargetFilename": `\Device\HarddiskVolume3\x.exe`},
	},
	{
		"crowdstrike, anything else", `{"event_simpleName":"AgentOnline","event_platform":"Win","timestamp":"1735787045678"}`, CrowdStrike, Logsource{"windows", "", "crowdstrike"}, "2025-01-02T03:04:05.678Z", nil,
	},
	{
		"sentinelone", `{"event.type":"Process Creation","event.category":"process","event.time":1735787045678,"endpoint.os":"windows","endpoint.name":"h","src.process.image.path":"C:\\Windows\\explorer.exe","src.process.cmdline":"explorer",` +
			`"tgt.process.image.path":"C:\\a.exe","tgt.process.cmdline":"a -b","tgt.process.user":"D\\u","tgt.process.integrityLevel":"HIGH","tgt.process.image.sha1":"ab"}`,
		SentinelOne, Logsource{"windows", "process_creation", "sentinelone"}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"Image": `C:\a.exe`, "CommandLine": "a -b", "ParentImage": `C:\Windows\explorer.exe`, "ParentCommandLine": "explorer", "User": `D\u`, "IntegrityLevel": "HIGH", "Hashes": "SHA1=ab",
		},
	},
	{
		"sentinelone, nested", `{"event":{"type":"Registry Value Modified","time":1735787045678},"endpoint":{"os":"windows"},"src":{"process":{"image":{"path":"C:\\a.exe"},"cmdline":"a"}},"registry":{"keyPath":"MACHINE\\SOFTWARE\\x","value":"DWORD (0x00000001)"}}`,
		SentinelOne, Logsource{"windows", "registry_set", "sentinelone"}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": `C:\a.exe`, "TargetObject": `HKLM\SOFTWARE\x`, "Details": "DWORD (0x00000001)"},
	},
	{
		"sentinelone, deep visibility", `{"EventType":"Process Creation","EndpointOS":"linux","SrcProcImagePath":"/bin/bash","TgtProcImagePath":"/usr/bin/nc","TgtProcCmdLine":"nc -e"}`,
		SentinelOne, Logsource{"linux", "process_creation", "sentinelone"}, "", map[string]string{"Image": "/usr/bin/nc", "CommandLine": "nc -e", "ParentImage": "/bin/bash"},
	},
	{
		"sentinelone, connection", `{"event.type":"IP Connect","event.network.direction":"OUTGOING","endpoint.os":"osx","src.process.image.path":"/usr/bin/nc","dst.ip.address":"192.0.2.66","dst.port.number":4444,"src.ip.address":"10.0.0.1"}`,
		SentinelOne, Logsource{"macos", "network_connection", "sentinelone"}, "", map[string]string{"DestinationIp": "192.0.2.66", "DestinationPort": "4444", "Initiated": "true", "Image": "/usr/bin/nc"},
	},
}
