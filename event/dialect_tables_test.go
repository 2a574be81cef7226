package event

// tableCases are rows of Azure's tables, and what web servers and load balancers
// log in JSON and in lines of their own.
var tableCases = []dialectCase{
	{
		"defender, registry number", `{"Timestamp":"2025-01-02T03:04:05.678Z","ActionType":"RegistryValueSet","DeviceName":"h","RegistryKey":"HKEY_LOCAL_MACHINE\\SOFTWARE\\x","RegistryValueName":"y","RegistryValueType":"Dword","RegistryValueData":"1","InitiatingProcessFolderPath":"c:\\b.exe","InitiatingProcessParentFileName":"c.exe"}`,
		DefenderXDR, Logsource{"windows", "registry_set", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{"TargetObject": `HKLM\SOFTWARE\x\y`, "Details": "DWORD (0x00000001)", "EventType": "SetValue", "ParentImage": `\c.exe`},
	},
	{
		"ecs, registry number", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"host":{"os":{"type":"windows"}},"event":{"category":["registry"],"type":["change"]},"registry":{"path":"HKEY_USERS\\S-1-5-21\\x\\y","data":{"type":"REG_DWORD","strings":["1"]}},"process":{"executable":"C:\\b.exe"}}`,
		ECS, Logsource{"windows", "registry_set", ""}, "2025-01-02T03:04:05Z", map[string]string{"TargetObject": `HKU\S-1-5-21\x\y`, "Details": "DWORD (0x00000001)", "Image": `C:\b.exe`},
	},
	{
		"ecs, account and parts of a uri", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["web"]},"user":{"name":"SYSTEM","domain":"NT AUTHORITY"},"url":{"domain":"a.example","path":"/x.exe","scheme":"https"}}`,
		ECS, Logsource{"", "proxy", ""}, "2025-01-02T03:04:05Z", map[string]string{"User": `NT AUTHORITY\SYSTEM`, "SubjectUserName": "SYSTEM", "c-uri": `["/x.exe","https://a.example/x.exe"]`},
	},
	{
		"ecs, file renamed", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["file"],"type":["change"],"action":"rename"},"file":{"path":"C:\\y"}}`,
		ECS, Logsource{"", "file_rename", ""}, "2025-01-02T03:04:05Z", map[string]string{"TargetFilename": `C:\y`},
	},
	{
		"ecs, file overwritten", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["file"],"type":["change"],"action":"overwrite"},"file":{"path":"C:\\y"}}`,
		ECS, Logsource{"", "file_event", ""}, "2025-01-02T03:04:05Z", nil,
	},
	{
		"suricata, http", `{"timestamp":"2025-01-02T03:04:05.5+0000","flow_id":1,"event_type":"http","http":{"hostname":"a.example","url":"/x.exe?y","http_method":"GET","http_user_agent":"u"}}`,
		Suricata, Logsource{"suricata", "proxy", "http"}, "2025-01-02T03:04:05.5Z",
		map[string]string{"c-uri": `["/x.exe?y","http://a.example/x.exe?y"]`, "cs-uri-query": "/x.exe?y", "c-uri-extension": "exe", "c-uri-query": "y", "c-useragent": "u"},
	},
	{
		"ecs, registry texts", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["registry"],"type":["change"]},"registry":{"path":"HKLM\\x","data":{"type":"REG_MULTI_SZ","strings":["a","b"]}}}`,
		ECS, Logsource{"", "registry_set", ""}, "2025-01-02T03:04:05Z", map[string]string{"TargetObject": `HKLM\x`, "Details": `["a","b"]`},
	},
	{
		"ocsf, registry number", `{"class_uid":201002,"activity_id":2,"metadata":{},"device":{"os":{"type_id":100}},"reg_value":{"path":"HKEY_LOCAL_MACHINE\\x","name":"y","type_id":2,"data":2}}`,
		OCSF, Logsource{"windows", "registry_set", ""}, "", map[string]string{"TargetObject": `HKLM\x\y`, "Details": "DWORD (0x00000002)"},
	},
	{
		"ocsf, registry key", `{"class_uid":201001,"activity_id":1,"metadata":{},"device":{"os":{"type_id":100}},"reg_key":{"path":"HKEY_USERS\\x"}}`,
		OCSF, Logsource{"windows", "registry_add", ""}, "", map[string]string{"TargetObject": `HKU\x`, "Details": "∅"},
	},
	{
		"defender, folder alone", `{"ActionType":"ProcessCreated","DeviceName":"h","FileName":"a.exe","FolderPath":"C:\\x","AccountDomain":"nt authority","AccountName":"system","InitiatingProcessFolderPath":"c:\\b.exe","InitiatingProcessFileName":"B.exe"}`,
		DefenderXDR, Logsource{"windows", "process_creation", ""}, "", map[string]string{"Image": `C:\x\a.exe`, "ParentImage": `c:\b.exe`, "User": `nt authority\system`},
	},
	{
		"defender, columns chosen", `{"Timestamp":"Jan 2, 2025 3:04:05 AM","FileName":"hh.exe","ProcessCommandLine":"hh x","InitiatingProcessFileName":"WINWORD.EXE"}`,
		DefenderXDR, Logsource{"windows", "process_creation", ""}, "2025-01-02T03:04:05Z", map[string]string{"Image": `\hh.exe`, "CommandLine": "hh x", "ParentImage": `\WINWORD.EXE`},
	},
	{
		"defender, a table's name", `{"TimeGenerated [UTC]":"1/2/2025, 3:04:05.678 AM","RegistryKey":"HKEY_USERS\\x","RegistryValueName":"y","RegistryValueData":"z","InitiatingProcessFileName":"b.exe","Type":"DeviceRegistryEvents"}`,
		DefenderXDR, Logsource{"windows", "registry_set", ""}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": `\b.exe`, "TargetObject": `HKU\x\y`},
	},
	{
		"security event from the portal", `{"TimeGenerated [UTC]":"1/2/2025, 3:04:05.678 PM","EventID":"4688","Computer":"H","NewProcessName":"C:\\a.exe","Type":"SecurityEvent"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T15:04:05.678Z", map[string]string{"Image": `C:\a.exe`},
	},
	{
		"defender, linux", `{"ActionType":"ProcessCreated","DeviceName":"h","FileName":"nc","FolderPath":"/usr/bin/nc","ProcessCommandLine":"nc -e","InitiatingProcessFolderPath":"/bin/bash"}`,
		DefenderXDR, Logsource{"linux", "process_creation", ""}, "", map[string]string{"Image": "/usr/bin/nc", "ParentImage": "/bin/bash"},
	},
	{
		"defender, file read", `{"ActionType":"SensitiveFileRead","DeviceName":"h","FileName":"x","FolderPath":"C:\\Users\\u\\x","InitiatingProcessFolderPath":"c:\\b.exe"}`,
		DefenderXDR, Logsource{"windows", "file_access", ""}, "", map[string]string{"FileName": `C:\Users\u\x`, "Image": `c:\b.exe`},
	},
	{
		"defender, thread", `{"ActionType":"CreateRemoteThreadApiCall","DeviceName":"h","FolderPath":"C:\\t.exe","FileName":"t.exe","InitiatingProcessFolderPath":"c:\\b.exe","InitiatingProcessCommandLine":"b"}`,
		DefenderXDR, Logsource{"windows", "create_remote_thread", ""}, "", map[string]string{"SourceImage": `c:\b.exe`, "TargetImage": `C:\t.exe`},
	},
	{
		"security event", `{"TimeGenerated":"2025-01-02T03:04:05.678Z","Computer":"H","EventSourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventID":4688,"Activity":"4688 - A new process has been created.","NewProcessName":"C:\\a.exe","CommandLine":"a -b","ParentProcessName":"C:\\b.exe","SubjectUserName":"u","Type":"SecurityEvent"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "security"}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": `C:\a.exe`, "ParentImage": `C:\b.exe`, "Computer": "H"},
	},
	{
		"dns events", `{"TimeGenerated":"2025-01-02T03:04:05Z","Computer":"dc","SubType":"LookupQuery","ClientIP":"10.0.0.5","Name":"a.example","QueryType":"TXT","IPAddresses":"192.0.2.1","Type":"DnsEvents"}`,
		ASIM, Logsource{"", "dns", ""}, "2025-01-02T03:04:05Z", map[string]string{"query": "a.example", "record_type": "TXT", "answer": "192.0.2.1", "src_ip": "10.0.0.5"},
	},
	{
		"asim, dns", `{"TimeGenerated":"2025-01-02T03:04:05Z","EventSchema":"Dns","EventType":"Query","EventProduct":"x","DnsQuery":"a.example","DnsQueryTypeName":"A","SrcIpAddr":"10.0.0.5"}`,
		ASIM, Logsource{"", "dns", ""}, "2025-01-02T03:04:05Z", map[string]string{"query": "a.example", "record_type": "A", "src_ip": "10.0.0.5"},
	},
	{
		"asim, process", `{"EventSchema":"ProcessEvent","EventType":"ProcessCreated","EventProduct":"Sysmon","TargetProcessName":"C:\\a.exe","TargetProcessCommandLine":"a -b","ActingProcessName":"C:\\b.exe","TargetUsername":"D\\u"}`,
		ASIM, Logsource{"windows", "process_creation", ""}, "", map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b", "ParentImage": `C:\b.exe`, "User": `D\u`},
	},
	{
		"asim, registry", `{"EventSchema":"RegistryEvent","EventType":"RegistryValueSet","EventProduct":"x","RegistryKey":"HKEY_USERS\\x","RegistryValue":"y","RegistryValueType":"Reg_DWord","RegistryValueData":"0x2","ActingProcessName":"C:\\b.exe"}`,
		ASIM, Logsource{"windows", "registry_set", ""}, "", map[string]string{"TargetObject": `HKU\x\y`, "Details": "DWORD (0x00000002)", "Image": `C:\b.exe`},
	},
	{
		"asim, network", `{"EventSchema":"NetworkSession","EventType":"NetworkSession","EventProduct":"x","SrcIpAddr":"10.0.0.5","DstIpAddr":"192.0.2.66","DstPortNumber":4444,"DvcAction":"Deny"}`,
		ASIM, Logsource{"", "firewall", ""}, "", map[string]string{"dst_ip": "192.0.2.66", "dst_port": "4444", "src_ip": "10.0.0.5", "action": "Deny"},
	},
	{
		"asim, web", `{"EventSchema":"WebSession","EventType":"HTTPsession","EventProduct":"x","Url":"http://a.example/x.exe?y","HttpUserAgent":"u","HttpRequestMethod":"GET","HttpHost":"a.example"}`,
		ASIM, Logsource{"", "proxy", ""}, "", map[string]string{"c-uri": "http://a.example/x.exe?y", "c-useragent": "u", "cs-method": "GET", "cs-host": "a.example"},
	},
	{
		"common security log", `{"TimeGenerated":"2025-01-02T03:04:05Z","DeviceVendor":"V","DeviceProduct":"FW","DeviceEventClassID":"1","Activity":"TRAFFIC","SourceIP":"10.0.0.1","SourcePort":1025,"DestinationIP":"192.0.2.66","DestinationPort":4444,"DeviceAction":"allow","RequestURL":"","Type":"CommonSecurityLog"}`,
		Pairs, Logsource{"", "firewall", ""}, "2025-01-02T03:04:05Z", map[string]string{"src_ip": "10.0.0.1", "dst_ip": "192.0.2.66", "dst_port": "4444", "action": "allow"},
	},
	{
		"common security log, proxy", `{"DeviceVendor":"V","DeviceProduct":"Web","DeviceEventClassID":"1","SourceIP":"10.0.0.1","RequestURL":"http://a.example/x.exe","RequestMethod":"GET","RequestClientApplication":"curl/7","Type":"CommonSecurityLog"}`,
		Pairs, Logsource{"", "proxy", ""}, "", map[string]string{"c-uri": "http://a.example/x.exe", "cs-method": "GET", "c-useragent": "curl/7"},
	},
	{
		"iis in a table", `{"TimeGenerated":"2025-01-02T03:04:05Z","sSiteName":"W3SVC1","csMethod":"GET","csUriStem":"/x.aspx","csUriQuery":"a=b","csUserAgent":"u","csHost":"h","scStatus":"200","cIP":"10.0.0.5","Type":"W3CIISLog"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z",
		map[string]string{"cs-method": "GET", "cs-uri-stem": "/x.aspx", "cs-uri-query": "a=b", "cs-user-agent": "u", "sc-status": "200", "c-ip": "10.0.0.5", "cs-host": "h"},
	},
	{
		"cloudtrail in a table", `{"TimeGenerated":"2025-01-02T03:04:05Z","EventName":"StopLogging","EventSource":"cloudtrail.amazonaws.com","UserIdentityType":"Root","RequestParameters":"{\"name\":\"t\"}","SourceIpAddress":"192.0.2.1","Type":"AWSCloudTrail"}`,
		CloudTrail, Logsource{"aws", "", "cloudtrail"}, "2025-01-02T03:04:05Z",
		map[string]string{"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "userIdentity.type": "Root", "requestParameters.name": "t", "sourceIPAddress": "192.0.2.1"},
	},
	{
		"office activity", `{"TimeGenerated":"2025-01-02T03:04:05Z","Operation":"New-InboxRule","OfficeWorkload":"Exchange","RecordType":"ExchangeAdmin","UserId":"u","Type":"OfficeActivity"}`,
		Cloud, Logsource{"m365", "", "audit"}, "2025-01-02T03:04:05Z", map[string]string{"Operation": "New-InboxRule"},
	},
	{
		"syslog in a table", `{"TimeGenerated":"2025-01-02T03:04:05Z","Computer":"h","Facility":"auth","HostName":"h","ProcessName":"sshd","ProcessID":8,"SyslogMessage":"Failed password","Type":"Syslog"}`,
		Syslog, Logsource{"linux", "", "sshd"}, "2025-01-02T03:04:05Z", map[string]string{"message": "Failed password", "program": "sshd"},
	},
	{
		"vector", `{"event_id":4625,"provider_name":"Microsoft-Windows-Security-Auditing","channel":"Security","computer":"H","record_id":7,"event_data":{"LogonType":"3"},"timestamp":"2025-01-02T03:04:05Z"}`,
		Winlogbeat, Logsource{"windows", "", "security"}, "2025-01-02T03:04:05Z", map[string]string{"EventID": "4625", "LogonType": "3", "Computer": "H", "EventRecordID": "7", "Channel": "Security"},
	},
	{
		"nginx", `{"time_iso8601":"2025-01-02T11:04:05+08:00","remote_addr":"192.0.2.1","remote_user":"-","request":"GET /a/../b?x=1 HTTP/1.1","status":404,"body_bytes_sent":12,"http_referer":"-","http_user_agent":"sqlmap/1.0"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z",
		map[string]string{"c-ip": "192.0.2.1", "cs-method": "GET", "cs-uri-query": "/a/../b?x=1", "cs-uri-stem": "/a/../b", "sc-status": "404", "cs-user-agent": "sqlmap/1.0", "cs-referer": "∅", "cs-username": "∅"},
	},
	{
		"nginx, parts of the request", `{"time_local":"02/Jan/2025:11:04:05 +0800","remote_addr":"192.0.2.1","request_method":"GET","uri":"/x","args":"a=/etc/passwd","status":"200","http_user_agent":"u","http_host":"h"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x?a=/etc/passwd", "cs-uri-stem": "/x", "cs-host": "h", "cs-method": "GET"},
	},
	{
		"nginx in a container's log", `{"log":"192.0.2.1 - - [02/Jan/2025:11:04:05 +0800] \"GET /x HTTP/1.1\" 200 1 \"-\" \"a\"\n","stream":"stdout","time":"2025-01-02T03:04:05.678Z"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x", "cs-user-agent": "a"},
	},
	{
		"caddy", `{"level":"info","ts":1735787045.678,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.1","client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/x?y","headers":{"User-Agent":["curl/7"],"Referer":["r"]}},"size":12,"status":200}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{"cs-uri-query": "/x?y", "cs-uri-stem": "/x", "cs-method": "GET", "cs-user-agent": "curl/7", "cs-referer": "r", "cs-host": "a.example", "sc-status": "200", "c-ip": "192.0.2.1"},
	},
	{
		"traefik", `{"ClientHost":"192.0.2.1","DownstreamStatus":200,"RequestHost":"a.example","RequestMethod":"POST","RequestPath":"/x?y","RequestProtocol":"HTTP/1.1","StartUTC":"2025-01-02T03:04:05.678Z","request_User-Agent":"u","level":"info","msg":""}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678Z", map[string]string{"cs-uri-query": "/x?y", "cs-method": "POST", "cs-user-agent": "u", "sc-status": "200", "cs-host": "a.example"},
	},
	{
		"logstash", `{"@timestamp":"2025-01-02T03:04:05Z","clientip":"192.0.2.1","ident":"-","auth":"-","verb":"GET","request":"/x?y","httpversion":"1.1","response":"200","bytes":"1","referrer":"\"-\"","agent":"\"u\""}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x?y", "cs-method": "GET", "sc-status": "200", "cs-username": "∅"},
	},
	{
		"cloudflare", `{"ClientIP":"192.0.2.1","ClientRequestHost":"a.example","ClientRequestMethod":"GET","ClientRequestURI":"/x?y","EdgeResponseStatus":200,"ClientRequestUserAgent":"u","EdgeStartTimestamp":"2025-01-02T03:04:05Z"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x?y", "cs-host": "a.example", "sc-status": "200"},
	},
	{
		"aws waf", `{"timestamp":1735787045678,"formatVersion":1,"action":"BLOCK","httpRequest":{"clientIp":"192.0.2.1","headers":[{"name":"Host","value":"a.example"},{"name":"User-Agent","value":"u"}],"uri":"/x","args":"y=1","httpMethod":"GET"}}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678Z", map[string]string{"cs-uri-query": "/x?y=1", "cs-uri-stem": "/x", "cs-user-agent": "u", "cs-host": "a.example", "c-ip": "192.0.2.1"},
	},
	{
		"google's load balancer", `{"httpRequest":{"requestMethod":"GET","requestUrl":"https://a.example/x?y","status":200,"userAgent":"u","remoteIp":"192.0.2.1"},"timestamp":"2025-01-02T03:04:05.678Z","logName":"projects/p/logs/requests"}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678Z", map[string]string{"cs-uri-query": "/x?y", "cs-uri-stem": "/x", "cs-host": "a.example", "cs-user-agent": "u"},
	},
	{
		"azure's application gateway", `{"resourceId":"/SUBSCRIPTIONS/X","operationName":"ApplicationGatewayAccess","time":"2025-01-02T03:04:05Z","category":"ApplicationGatewayAccessLog","properties":{"clientIP":"192.0.2.1","httpMethod":"GET","requestUri":"/x","requestQuery":"y=1","userAgent":"u","httpStatus":200,"host":"a.example"}}`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x?y=1", "cs-host": "a.example", "sc-status": "200"},
	},
	{
		"aws application load balancer", `https 2025-01-02T03:04:05.678901Z app/x/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://a.example:443/x?y HTTP/1.1" "curl/7" ECDHE TLSv1.2 arn:aws:x "Root=1" "a.example"`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678901Z",
		map[string]string{"c-ip": "192.0.2.1", "cs-method": "GET", "cs-uri-query": "/x?y", "cs-uri-stem": "/x", "sc-status": "200", "cs-user-agent": "curl/7", "sc-bytes": "57"},
	},
	{
		"aws classic load balancer", `2025-01-02T03:04:05.678901Z lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://a.example:80/ HTTP/1.1" "curl/7" - -`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05.678901Z", map[string]string{"cs-uri-query": "/", "cs-user-agent": "curl/7"},
	},
	{
		"haproxy", `<142>Jan  2 03:04:05 h haproxy[8]: 192.0.2.1:33317 [02/Jan/2025:03:04:05.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a.example} {} "GET /x?y HTTP/1.1"`,
		AccessLog, Logsource{"", "webserver", ""}, "", map[string]string{"c-ip": "192.0.2.1", "cs-method": "GET", "cs-uri-query": "/x?y", "cs-uri-stem": "/x", "sc-status": "200"},
	},
	{"no load balancer", `2025-01-02T03:04:05Z a b c d e f g h i "j" "k"`, Syslog, Logsource{"linux", "", "syslog"}, "2025-01-02T03:04:05Z", nil},
	{"request that is no log", `{"request":"please","status":"open"}`, Generic, Logsource{}, "", nil},
}
