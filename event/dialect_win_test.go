package event

// windowsCases are the forms in which Windows events come that are not in
// firstCases.
var windowsCases = []dialectCase{
	{
		"evtx with text in objects", `{"Event":{"System":{"EventID":{"#attributes":{"Qualifiers":0},"#text":600},"Provider":{"#attributes":{"Name":"PowerShell"}},"Channel":"Windows PowerShell"},` +
			`"EventData":{"Data":{"#text":["Environment","Started","HostApplication=powershell.exe Set-MpPreference"]},"Binary":null}}}`,
		WindowsEVTX, Logsource{"windows", "ps_classic_provider_start", "powershell-classic"}, "",
		map[string]string{"EventID": "600", "Data": `["Environment","Started","HostApplication=powershell.exe Set-MpPreference"]`, "Binary": ""},
	},
	{
		"evtx with one named element", `{"Event":{"System":{"EventID":4104,"Channel":"Microsoft-Windows-PowerShell/Operational"},"EventData":{"Data":{"@Name":"ScriptBlockText","#text":"iex"}}}}`,
		WindowsEVTX, Logsource{"windows", "ps_script", "powershell"}, "", map[string]string{"ScriptBlockText": "iex"},
	},
	{
		"evtx with data as a list", `{"System":{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":[{"Name":"Image","Value":"C:\\a.exe"},{"Name":"CommandLine","Content":"a -b"}]}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b"},
	},
	{
		"evtx of xml2js", `{"Event":{"System":{"Provider":{"$":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":"11","Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"Data":[{"_":"C:\\x.txt","$":{"Name":"TargetFilename"}}]}}}`,
		WindowsEVTX, Logsource{"windows", "file_event", "sysmon"}, "", map[string]string{"TargetFilename": `C:\x.txt`, "Provider_Name": "Microsoft-Windows-Sysmon"},
	},
	{
		"evtx of velociraptor", `{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon","Guid":"G"},"EventID":{"Value":1},"TimeCreated":{"SystemTime":1735787045.678},"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"Image":"C:\\a.exe"}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.678Z", map[string]string{"EventID": "1", "Image": `C:\a.exe`, "Provider_Name": "Microsoft-Windows-Sysmon"},
	},
	{
		"evtx with attributes apart", `{"Event":{"System":{"Provider":{},"Provider_attributes":{"Name":"Microsoft-Windows-Security-Auditing"},"EventID":4688,"TimeCreated_attributes":{"SystemTime":"2025-01-02T03:04:05.678Z"},"Channel":"Security"},"EventData":null}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.678Z", map[string]string{"Provider_Name": "Microsoft-Windows-Security-Auditing"},
	},
	{
		"evtx_dump's identifiers", `{"Event":{"System":{"EventID":4719,"Channel":"Security"},"EventData":{"SubcategoryGuid":"0CCE9217-69AE-11D9-BED3-505054503030","Other":"0CCE9217"}}}`,
		WindowsEVTX, Logsource{"windows", "", "security"}, "", map[string]string{"SubcategoryGuid": "{0CCE9217-69AE-11D9-BED3-505054503030}", "Other": "0CCE9217"},
	},
	{
		"evtx without channel", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-TaskScheduler"}},"EventID":129},"EventData":{"TaskName":"\\x","Path":"a.exe"}}}`,
		WindowsEVTX, Logsource{"windows", "", "taskscheduler"}, "", map[string]string{"TaskName": `\x`},
	},
	{
		"evtx without system", `{"Event":{"EventData":{"UtcTime":"2025-01-02 03:04:05.670","Image":"C:\\a.exe","CommandLine":"a -b"}}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.67Z", map[string]string{"CommandLine": "a -b"},
	},
	{
		"defender's names have spaces", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Windows Defender"}},"EventID":1116,"Channel":"Microsoft-Windows-Windows Defender/Operational"},` +
			`"EventData":{"Threat Name":"HackTool:Win32/Mimikatz","Feature Name":"x","Path":"file:_C:\\a.exe","Process Name":"p"}}}`,
		WindowsEVTX, Logsource{"windows", "antivirus", "windefend"}, "",
		map[string]string{
			"ThreatName": "HackTool:Win32/Mimikatz", "Threat Name": "HackTool:Win32/Mimikatz", "Feature_Name": "x", "ProcessName": "p",
			"Signature": "HackTool:Win32/Mimikatz", "Filename": `file:_C:\a.exe`, "No Such Name": "∅",
		},
	},
	{
		"a provider in the data", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing","Guid":"{1}"}},"EventID":5447,"Channel":"Security"},` +
			`"EventData":{"ProviderName":"Microsoft Corporation","ProviderGuid":"{2}"}}}`,
		WindowsEVTX, Logsource{"windows", "", "security"}, "", map[string]string{
			"Provider_Name": "Microsoft-Windows-Security-Auditing", "Provider_Guid": "{1}", "ProviderName": "Microsoft Corporation", "ProviderGuid": "{2}",
		},
	},
	{
		"user data in an object of its own", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"EventID":104,"Channel":"System"},` +
			`"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"x"},"SubjectUserName":"a","Channel":"Security","BackupPath":null}}}}`,
		WindowsEVTX, Logsource{"windows", "", "system"}, "", map[string]string{"SubjectUserName": "a", "Channel": "System", "BackupPath": ""},
	},
	{
		"wazuh", `{"timestamp":"2025-01-02T03:04:06Z","agent":{"id":"1"},"data":{"win":{"system":{"providerName":"Microsoft-Windows-Sysmon","eventID":"1","channel":"Microsoft-Windows-Sysmon/Operational","computer":"H","systemTime":"2025-01-02T03:04:05.6789012Z"},` +
			`"eventdata":{"image":"C:\\a.exe","commandLine":"a -b","originalFileName":"A.EXE"}}}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.6789012Z",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b", "OriginalFileName": "A.EXE", "EventID": "1", "Computer": "H", "Provider_Name": "Microsoft-Windows-Sysmon"},
	},
	{
		"names with the path in them", `{"Event.System.EventID":1,"Event.System.Channel":"Microsoft-Windows-Sysmon/Operational","Event.System.Provider_Name":"Microsoft-Windows-Sysmon","Event.EventData.Image":"C:\\a.exe"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "",
		map[string]string{"EventID": "1", "Image": `C:\a.exe`, "Event.EventData.Image": `C:\a.exe`, "Provider_Name": "Microsoft-Windows-Sysmon", "Event.EventData.No": "∅"},
	},
	{
		"path in front of the name of a flat record", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\a.exe"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Event.EventData.Image": `C:\a.exe`, "Event.System.EventID": "1"},
	},
	{
		"winlogbeat, names with the path in them", `{"@timestamp":"2025-01-02T03:04:05.678Z","event.code":"1","winlog.channel":"Microsoft-Windows-Sysmon/Operational","winlog.event_id":1,"winlog.event_data.Image":"C:\\a.exe","process.command_line":"a -b"}`,
		Winlogbeat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"EventID": "1", "Image": `C:\a.exe`, "CommandLine": "a -b", "winlog.event_data.Image": `C:\a.exe`},
	},
	{
		"winlogbeat, ecs only", `{"@timestamp":"2025-01-02T03:04:05.678Z","event":{"code":1,"provider":"Microsoft-Windows-Sysmon"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","user_data":{"x":{"Param":"p"}}},` +
			`"process":{"executable":"C:\\a.exe","pe":{"original_file_name":"A.EXE","company":"c"},"hash":{"md5":"AB"},"parent":{"executable":"C:\\b.exe","command_line":"b"}},"user":{"name":"u"}}`,
		Winlogbeat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"EventID": "1", "Image": `C:\a.exe`, "OriginalFileName": "A.EXE", "Company": "c", "Hashes": "MD5=AB", "ParentImage": `C:\b.exe`,
			"ParentCommandLine": "b", "User": "u", "Param": "p", "process.executable": `C:\a.exe`,
		},
	},
	{
		"ecs from sysmon without winlog", `{"@timestamp":"2025-01-02T03:04:05Z","event":{"code":"7","provider":"Microsoft-Windows-Sysmon","original":"{\"a\":1}"},"file":{"path":"C:\\x.dll","pe":{"imphash":"IH","description":"d"},"code_signature":{"signed":false}},"process":{"executable":"C:\\a.exe"}}`,
		ECS, Logsource{"windows", "image_load", "sysmon"}, "2025-01-02T03:04:05Z",
		map[string]string{"ImageLoaded": `C:\x.dll`, "Hashes": "IMPHASH=IH", "Description": "d", "Signed": "false", "Image": `C:\a.exe`, "EventID": "7", "a": "1"},
	},
	{
		"ecs registry", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"host":{"os":{"type":"windows"}},"event":{"category":["registry"],"type":["change"]},"registry":{"path":"HKLM\\x","data":{"strings":["y"]}},"process":{"executable":"C:\\a.exe"}}`,
		ECS, Logsource{"windows", "registry_set", ""}, "2025-01-02T03:04:05Z", map[string]string{"TargetObject": `HKLM\x`, "Details": `["y"]`, "Image": `C:\a.exe`, "SourceImage": "∅"},
	},
	{
		"ecs process access", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":"process","type":"access"},"process":{"executable":"/bin/a"}}`,
		ECS, Logsource{"", "process_access", ""}, "2025-01-02T03:04:05Z", map[string]string{"SourceImage": "/bin/a"},
	},
	{
		"ecs connection", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["network"],"type":["start"]},"network":{"direction":"egress","transport":"tcp"},"destination":{"ip":"192.0.2.1","port":443},"process":{"executable":"/bin/a"}}`,
		ECS, Logsource{"", "network_connection", ""}, "2025-01-02T03:04:05Z", map[string]string{"Initiated": "true", "DestinationIp": "192.0.2.1", "Protocol": "tcp"},
	},
	{
		"azure monitor, table Event", `{"TimeGenerated":"2025-01-02T03:04:05.21Z","Source":"Microsoft-Windows-Sysmon","EventLog":"Microsoft-Windows-Sysmon/Operational","Computer":"H","EventID":1,"RenderedDescription":"r",` +
			`"EventData":"<DataItem type=\"System.XmlData\" time=\"2025\" sourceHealthServiceId=\"x\"><EventData xmlns=\"x\"><Data Name=\"Image\">C:\\a.exe</Data><Data Name=\"CommandLine\">a &quot;b&quot;</Data></EventData></DataItem>"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.21Z",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": `a "b"`, "Provider_Name": "Microsoft-Windows-Sysmon", "Channel": "Microsoft-Windows-Sysmon/Operational"},
	},
	{
		"azure monitor, table WindowsEvent", `{"TimeGenerated":"2025-01-02T03:04:05.21Z","Provider":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventID":4688,"EventData":{"NewProcessName":"C:\\a.exe"}}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.21Z",
		map[string]string{"Image": `C:\a.exe`, "Provider_Name": "Microsoft-Windows-Security-Auditing"},
	},
	{
		"evtxecmd", `{"Payload":"{\"EventData\":{\"Data\":[{\"@Name\":\"Image\",\"#text\":\"C:\\\\a.exe\"},{\"@Name\":\"Empty\"}]}}","Channel":"Microsoft-Windows-Sysmon/Operational","Provider":"Microsoft-Windows-Sysmon","EventId":1,"TimeCreated":"2025-01-02T03:04:05.6789012+00:00"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.6789012Z",
		map[string]string{"EventID": "1", "Image": `C:\a.exe`, "Empty": "", "Provider_Name": "Microsoft-Windows-Sysmon"},
	},
	{
		"get-winevent", `{"Id":4625,"ProviderName":"Microsoft-Windows-Security-Auditing","LogName":"Security","MachineName":"H","TimeCreated":"/Date(1735787045678)/","Message":"An account failed to log on."}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "2025-01-02T03:04:05.678Z", map[string]string{"EventID": "4625", "Channel": "Security", "Computer": "H"},
	},
	{
		"splunk", `{"preview":false,"offset":0,"result":{"EventCode":"1","source":"XmlWinEventLog:Microsoft-Windows-Sysmon/Operational","host":"H","Image":"C:\\a.exe","_time":"2025-01-02T03:04:05.678+00:00"}}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"EventID": "1", "Image": `C:\a.exe`, "Computer": "H", "result.Image": "∅"},
	},
	{
		"splunk with the event as it came", `{"result":{"sourcetype":"XmlWinEventLog","_raw":"<Event xmlns='x'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>3</EventID><Channel>Microsoft-Windows-Sysmon/Operational</Channel></System><EventData><Data Name='Image'>C:\\a.exe</Data></EventData></Event>"}}`,
		WindowsEVTX, Logsource{"windows", "network_connection", "sysmon"}, "", map[string]string{"EventID": "3", "Image": `C:\a.exe`},
	},
	{
		"splunk's collector", `{"time":1735787045.678,"host":"H","sourcetype":"x","event":{"EventID":4624,"Channel":"Security","LogonType":3}}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3"},
	},
	{
		"elasticsearch hit", `{"_index":"x","_id":"1","_score":1.0,"_source":{"@timestamp":"2025-01-02T03:04:05.678Z","winlog":{"channel":"Security","event_id":4688,"event_data":{"NewProcessName":"C:\\a.exe"}}}}`,
		Winlogbeat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": `C:\a.exe`, "_index": "∅"},
	},
	{
		"elasticsearch hit with fields", `{"_index":"x","fields":{"@timestamp":["2025-01-02T03:04:05.678Z"],"event.code":["1"],"winlog.channel":["Microsoft-Windows-Sysmon/Operational"],"process.executable":["C:\\a.exe"]}}`,
		Winlogbeat, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `["C:\\a.exe"]`},
	},
	{
		"record in a message", `{"message":"{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"C:\\\\a.exe\"}","agent":"x"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `C:\a.exe`, "agent": "x"},
	},
	{
		"nested event in a message", `{"log":"{\"Event\":{\"System\":{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\"},\"EventData\":{\"Image\":\"C:\\\\a.exe\"}}}"}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `C:\a.exe`},
	},
	{
		"all but the channel", `{"EventID":"7045","Provider_Name":"Service Control Manager","ServiceName":"x","ImagePath":"C:\\a.exe"}`,
		WindowsFlat, Logsource{"windows", "", "system"}, "", map[string]string{"ImagePath": `C:\a.exe`},
	},
	{
		"number and fields of sysmon", `{"EventID":13,"UtcTime":"2025-01-02 03:04:05.670","TargetObject":"HKLM\\x","Details":"y"}`,
		WindowsFlat, Logsource{"windows", "registry_set", "sysmon"}, "2025-01-02T03:04:05.67Z", map[string]string{"Details": "y"},
	},
	{
		"number and fields of security", `{"EventID":"4688","NewProcessName":"C:\\a.exe","CommandLine":"a -b"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "", map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b"},
	},
	{
		"keywords of nxlog", `{"EventID":4625,"Channel":"Security","Keywords":-9218868437227405312}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"Keywords": "0x8010000000000000"},
	},
	{
		"number of security", `{"EventID":4624,"LogonType":3}`, WindowsFlat, Logsource{"windows", "", "security"}, "", nil,
	},
	{
		"number of anything", `{"EventID":5007,"NewValue":"x"}`, Generic, Logsource{}, "", nil,
	},
	{
		"kernel file events", `{"EventID":12,"Provider_Name":"Microsoft-Windows-Kernel-File","FileName":"\\x","Image":"C:\\a.exe"}`,
		WindowsFlat, Logsource{"windows", "file_access", ""}, "", nil,
	},
	{
		"channel only", `{"Channel":"Microsoft-Windows-Sysmon/Operational","Provider_Name":"Microsoft-Windows-Sysmon","Image":"C:\\a.exe","CommandLine":"a"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "", nil,
	},
	{
		"rpc firewall", `{"EventID":3,"EventLog":"RPCFW","InterfaceUuid":"e1af8308-5d1f-11c9-91a4-08002b14a0fa","OpNum":1}`,
		WindowsFlat, Logsource{"rpc_firewall", "application", ""}, "", map[string]string{"EventLog": "RPCFW", "OpNum": "1"},
	},
}
