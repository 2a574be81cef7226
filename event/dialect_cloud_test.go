package event

// cloudCases are the audit logs of cloud services and applications, and OCSF.
var cloudCases = []dialectCase{
	{
		"ocsf process", `{"class_uid":1007,"category_uid":1,"activity_id":1,"time":1735787045678,"metadata":{"version":"1.1.0","log_name":"Security","event_code":"4688"},"device":{"hostname":"H","os":{"type":"Windows","type_id":100}},` +
			`"process":{"pid":7,"cmd_line":"a -b","file":{"path":"C:\\a.exe","name":"a.exe","hashes":[{"algorithm":"MD5","value":"AB"},{"algorithm":"SHA-256","value":"CD"}]},"user":{"name":"u"}},"actor":{"process":{"cmd_line":"b","file":{"path":"C:\\b.exe"}},"user":{"name":"x"}}}`,
		OCSF, Logsource{"windows", "process_creation", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"Image": `C:\a.exe`, "CommandLine": "a -b", "ParentImage": `C:\b.exe`, "ParentCommandLine": "b", "User": "u", "ProcessId": "7",
			"Hashes": "MD5=AB,SHA256=CD", "Computer": "H", "EventID": "4688", "process.cmd_line": "a -b", "OriginalFileName": "∅", "SourceImage": "∅", "TargetFilename": "∅",
		},
	},
	{
		"ocsf file", `{"class_uid":1001,"activity_id":1,"metadata":{},"device":{"os":{"type_id":200}},"file":{"path":"/tmp/x","name":"x"},"actor":{"process":{"file":{"path":"/bin/a"},"cmd_line":"a"},"user":{"name":"u"}}}`,
		OCSF, Logsource{"linux", "file_event", ""}, "", map[string]string{"TargetFilename": "/tmp/x", "Image": "/bin/a", "User": "u", "ParentImage": "∅"},
	},
	{
		"ocsf network", `{"class_uid":4001,"activity_id":1,"metadata":{},"device":{"os":{"type":"macOS"}},"actor":{"process":{"file":{"path":"/bin/a"}}},"src_endpoint":{"ip":"10.0.0.1","port":1},"dst_endpoint":{"ip":"192.0.2.1","port":443,"hostname":"a.example"},"connection_info":{"protocol_name":"tcp","direction":"Outbound"}}`,
		OCSF, Logsource{"macos", "network_connection", ""}, "",
		map[string]string{"DestinationIp": "192.0.2.1", "DestinationPort": "443", "DestinationHostname": "a.example", "Initiated": "true", "SourceIp": "10.0.0.1", "Protocol": "tcp", "Image": "/bin/a"},
	},
	{
		"ocsf firewall", `{"class_uid":4001,"activity_id":6,"metadata":{},"src_endpoint":{"ip":"10.0.0.1"},"dst_endpoint":{"port":53}}`,
		OCSF, Logsource{"", "firewall", ""}, "", map[string]string{"dst_port": "53", "src_ip": "10.0.0.1"},
	},
	{
		"ocsf dns", `{"class_uid":4003,"activity_id":1,"metadata":{},"query":{"hostname":"a.example","type":"TXT"},"answers":[{"rdata":"192.0.2.1"},{"rdata":"192.0.2.2"}]}`,
		OCSF, Logsource{"", "dns", ""}, "", map[string]string{"query": "a.example", "record_type": "TXT", "answer": `["192.0.2.1","192.0.2.2"]`},
	},
	{
		"ocsf http", `{"class_uid":4002,"activity_id":1,"metadata":{},"http_request":{"http_method":"GET","user_agent":"u","url":{"url_string":"http://a.example/x?y","hostname":"a.example","query_string":"y"}},"http_response":{"code":404}}`,
		OCSF, Logsource{"", "proxy", ""}, "", map[string]string{"c-uri": "http://a.example/x?y", "cs-method": "GET", "c-useragent": "u", "sc-status": "404", "cs-host": "a.example", "cs-uri-query": "y"},
	},
	{
		"ocsf authentication", `{"class_uid":3002,"activity_id":1,"metadata":{},"device":{"os":{"type_id":100}},"user":{"name":"u"},"actor":{"user":{"name":"a"}},"src_endpoint":{"ip":"10.0.0.1"},"logon_type_id":3}`,
		OCSF, Logsource{"windows", "", ""}, "", map[string]string{"TargetUserName": "u", "SubjectUserName": "a", "IpAddress": "10.0.0.1", "LogonType": "3"},
	},
	{
		"ocsf api", `{"class_uid":6003,"activity_id":1,"metadata":{},"cloud":{"provider":"AWS"},"api":{"operation":"StopLogging","service":{"name":"cloudtrail.amazonaws.com"}},"actor":{"user":{"type":"Root"}}}`,
		OCSF, Logsource{"aws", "", "cloudtrail"}, "", map[string]string{"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "userIdentity.type": "Root"},
	},
	{
		"ocsf registry", `{"class_uid":201002,"activity_id":2,"metadata":{},"device":{"os":{"type_id":100}},"reg_value":{"path":"HKLM\\x","data":"y"},"actor":{"process":{"file":{"path":"C:\\a.exe"}}}}`,
		OCSF, Logsource{"windows", "registry_set", ""}, "", map[string]string{"TargetObject": `HKLM\x`, "Details": "y", "Image": `C:\a.exe`},
	},
	{
		"ocsf module", `{"class_uid":1005,"activity_id":1,"metadata":{},"device":{"os":{"type_id":100}},"module":{"file":{"path":"C:\\x.dll","hashes":[{"algorithm":"IMPHASH","value":"AB"}]}},"actor":{"process":{"file":{"path":"C:\\a.exe"}}}}`,
		OCSF, Logsource{"windows", "image_load", ""}, "", map[string]string{"ImageLoaded": `C:\x.dll`, "Image": `C:\a.exe`, "Hashes": "IMPHASH=AB"},
	},
	{
		"defender xdr process", `{"Timestamp":"2025-01-02T03:04:05.678Z","DeviceName":"h","ActionType":"ProcessCreated","FileName":"a.exe","FolderPath":"C:\\a.exe","ProcessCommandLine":"a -b","SHA256":"AB","AccountName":"u","InitiatingProcessFolderPath":"c:\\b.exe","InitiatingProcessCommandLine":"b","ProcessVersionInfoOriginalFileName":"A.EXE"}`,
		DefenderXDR, Logsource{"windows", "process_creation", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b", "ParentImage": `c:\b.exe`, "ParentCommandLine": "b", "Hashes": "SHA256=AB", "OriginalFileName": "A.EXE", "User": "u", "Computer": "h", "TargetFilename": "∅"},
	},
	{
		"defender xdr registry", `{"Timestamp":"2025-01-02T03:04:05.678Z","ActionType":"RegistryValueSet","RegistryKey":"HKLM\\x","RegistryValueName":"y","RegistryValueData":"z","InitiatingProcessFolderPath":"c:\\b.exe"}`,
		DefenderXDR, Logsource{"windows", "registry_set", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{"TargetObject": `HKLM\x\y`, "Details": "z", "Image": `c:\b.exe`, "Hashes": "∅"},
	},
	{
		"defender xdr network", `{"ActionType":"ConnectionSuccess","DeviceName":"h","RemoteIP":"192.0.2.1","RemotePort":443,"RemoteUrl":"a.example","InitiatingProcessFolderPath":"c:\\b.exe","InitiatingProcessCommandLine":"b"}`,
		DefenderXDR, Logsource{"windows", "network_connection", ""}, "",
		map[string]string{"DestinationIp": "192.0.2.1", "DestinationPort": "443", "DestinationHostname": "a.example", "Initiated": "true", "Image": `c:\b.exe`, "CommandLine": "b"},
	},
	{
		"defender xdr pipe", `{"ActionType":"NamedPipeEvent","DeviceName":"h","AdditionalFields":"{\"PipeName\":\"\\\\x\"}","InitiatingProcessFolderPath":"c:\\b.exe"}`,
		DefenderXDR, Logsource{"windows", "pipe_created", ""}, "", map[string]string{"PipeName": `\x`, "Image": `c:\b.exe`},
	},
	{
		"defender xdr file", `{"ActionType":"FileCreated","DeviceName":"h","FolderPath":"C:\\x.txt","InitiatingProcessFolderPath":"c:\\b.exe"}`,
		DefenderXDR, Logsource{"windows", "file_event", ""}, "", map[string]string{"TargetFilename": `C:\x.txt`, "Image": `c:\b.exe`, "ImageLoaded": "∅"},
	},
	{
		"azure activity", `{"time":"2025-01-02T03:04:05Z","resourceId":"/SUBSCRIPTIONS/X","operationName":"MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE","category":"Administrative","properties":{"message":"m"}}`,
		Cloud, Logsource{"azure", "", "activitylogs"}, "2025-01-02T03:04:05Z", map[string]string{"operationName": "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE", "properties.message": "m"},
	},
	{
		"azure activity, log analytics", `{"TimeGenerated":"2025-01-02T03:04:05Z","OperationNameValue":"MICROSOFT.PORTAL/CONSOLES/WRITE","CategoryValue":"Administrative"}`,
		Cloud, Logsource{"azure", "", "activitylogs"}, "2025-01-02T03:04:05Z", map[string]string{"operationName": "MICROSOFT.PORTAL/CONSOLES/WRITE", "category": "Administrative"},
	},
	{
		"azure audit, graph", `{"activityDateTime":"2025-01-02T03:04:05Z","loggedByService":"Core Directory","category":"UserManagement","operationName":"Update user","targetResources":[{"modifiedProperties":[{"displayName":"StrongAuthenticationRequirement","newValue":"x"}]}]}`,
		Cloud, Logsource{"azure", "", "auditlogs"}, "2025-01-02T03:04:05Z",
		map[string]string{
			"LoggedByService": "Core Directory", "Category": "UserManagement", "OperationName": "Update user", "Nothing": "∅",
			"TargetResources.ModifiedProperties.DisplayName": "StrongAuthenticationRequirement",
		},
	},
	{
		"azure audit, diagnostics", `{"time":"2025-01-02T03:04:05Z","category":"AuditLogs","operationName":"Add owner to application","properties":{"loggedByService":"Core Directory","message":"Add owner to application"}}`,
		Cloud, Logsource{"azure", "", "auditlogs"}, "2025-01-02T03:04:05Z", map[string]string{"LoggedByService": "Core Directory", "properties.message": "Add owner to application"},
	},
	{
		"azure sign-in", `{"TimeGenerated":"2025-01-02T03:04:05Z","Type":"SigninLogs","ResultType":"50053","UserPrincipalName":"u@a.example","AuthenticationRequirement":"singleFactorAuthentication","DeviceDetail":{"trusttype":""}}`,
		Cloud, Logsource{"azure", "", "signinlogs"}, "2025-01-02T03:04:05Z", map[string]string{"ResultType": "50053", "DeviceDetail.trusttype": "", "userPrincipalName": "u@a.example"},
	},
	{
		"azure risk", `{"riskEventType":"unfamiliarFeatures","userId":"x"}`, Cloud, Logsource{"azure", "", "riskdetection"}, "", map[string]string{"riskEventType": "unfamiliarFeatures"},
	},
	{
		"azure pim", `{"riskEventType":"staleSignInAlertIncident"}`, Cloud, Logsource{"azure", "", "pim"}, "", nil,
	},
	{
		"gcp audit", `{"protoPayload":{"@type":"x","serviceName":"storage.googleapis.com","methodName":"storage.buckets.delete","authorizationInfo":[{"permission":"p","granted":true}]},"timestamp":"2025-01-02T03:04:05.678Z","logName":"l"}`,
		Cloud, Logsource{"gcp", "", "gcp.audit"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"gcp.audit.method_name": "storage.buckets.delete", "data.protoPayload.authorizationInfo.permission": "p", "data.protoPayload.logName": "∅"},
	},
	{
		"gcp audit through pub/sub", `{"data":{"protoPayload":{"serviceName":"x","methodName":"y"}},"insertId":"1"}`,
		Cloud, Logsource{"gcp", "", "gcp.audit"}, "", map[string]string{"data.protoPayload.methodName": "y", "protoPayload.serviceName": "x", "gcp.audit.method_name": "y"},
	},
	{
		"google workspace", `{"eventService":"admin.googleapis.com","eventName":"REMOVE_APPLICATION"}`, Cloud, Logsource{"gcp", "", "google_workspace.admin"}, "", nil,
	},
	{
		"google workspace login", `{"protoPayload":{"serviceName":"login.googleapis.com","metadata":{"event":[{"eventName":"x"}]}}}`,
		Cloud, Logsource{"gcp", "", "google_workspace.login"}, "", map[string]string{"protoPayload.metadata.event.eventName": "x"},
	},
	{
		"okta", `{"eventType":"user.session.start","published":"2025-01-02T03:04:05.678Z","actor":{"alternateId":"a"},"outcome":{"result":"FAILURE"},"target":[{"displayName":"d"}]}`,
		Cloud, Logsource{"okta", "", "okta"}, "2025-01-02T03:04:05.678Z", map[string]string{"eventType": "user.session.start", "actor.alternateId": "a", "target.displayName": "d"},
	},
	{
		"m365", `{"CreationTime":"2025-01-02T03:04:05","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","ResultStatus":"Success"}`,
		Cloud, Logsource{"m365", "", "audit"}, "2025-01-02T03:04:05Z", map[string]string{"Operation": "UserLoggedIn"},
	},
	{
		"m365 in a table", `{"ActionType":"x","RawEventData":"{\"Operation\":\"Set-Mailbox\",\"Workload\":\"Exchange\"}"}`,
		Cloud, Logsource{"m365", "", "audit"}, "", map[string]string{"Operation": "Set-Mailbox", "ActionType": "x"},
	},
	{
		"m365 in a table, as object", `{"RawEventData":{"Operation":"Set-Mailbox"}}`, Cloud, Logsource{"m365", "", "audit"}, "", map[string]string{"Operation": "Set-Mailbox", "RawEventData.Operation": "Set-Mailbox"},
	},
	{
		"m365 threats", `{"eventSource":"SecurityComplianceCenter","eventName":"Potential ransomware activity","status":"success"}`,
		Cloud, Logsource{"m365", "", "threat_management"}, "", nil,
	},
	{
		"m365 exchange", `{"eventSource":"Exchange","eventName":"Add-FederatedDomain","status":"success"}`, Cloud, Logsource{"m365", "", "exchange"}, "", nil,
	},
	{
		"github", `{"@timestamp":1735787045678,"_document_id":"x","action":"repo.destroy","actor":"a","org":"o"}`, Cloud, Logsource{"github", "", "audit"}, "2025-01-02T03:04:05.678Z", map[string]string{"action": "repo.destroy"},
	},
	{
		"bitbucket", `{"auditType":{"category":"Auditing","action":"x"}}`, Cloud, Logsource{"bitbucket", "", "audit"}, "", map[string]string{"auditType.category": "Auditing"},
	},
	{
		"kubernetes", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","objectRef":{"resource":"secrets","apiGroup":"x"},"requestReceivedTimestamp":"2025-01-02T03:04:05.678901Z"}`,
		Cloud, Logsource{"kubernetes", "application", "audit"}, "2025-01-02T03:04:05.678901Z", map[string]string{"objectRef.resource": "secrets"},
	},
	{"onelogin", `{"event_type_id":3}`, Cloud, Logsource{"onelogin", "", "onelogin.events"}, "", nil},
	{"duo", `{"event_type":"authentication","reason":"bypass_user","factor":"x"}`, Cloud, Logsource{"cisco", "", "duo"}, "", nil},
	{"opencanary", `{"logtype":3000,"node_id":"n","dst_port":80}`, Cloud, Logsource{"opencanary", "application", ""}, "", nil},
	{"fortigate", `{"action":"Add","cfgpath":"firewall.policy","logid":"1"}`, Cloud, Logsource{"fortigate", "", "event"}, "", nil},
	{
		"okta through filebeat", `{"@timestamp":"2025-01-02T03:04:05Z","event":{"dataset":"okta.system","original":"{\"eventType\":\"user.lifecycle.create\",\"actor\":{\"alternateId\":\"a\"}}"},"okta":{}}`,
		ECS, Logsource{"okta", "", "okta"}, "2025-01-02T03:04:05Z", map[string]string{"eventType": "user.lifecycle.create", "actor.alternateId": "a"},
	},
}

// shapeCases are records that say neither program nor channel.
var shapeCases = []dialectCase{
	{"shape process", `{"Image":"C:\\a.exe","CommandLine":"a -b"}`, Generic, Logsource{"windows", "process_creation", ""}, "", nil},
	{"shape process, linux", `{"Image":"/bin/a","CommandLine":"a -b"}`, Generic, Logsource{"linux", "process_creation", ""}, "", nil},
	{"shape process, macos", `{"Image":"/Applications/A.app/a","ParentImage":"/bin/sh"}`, Generic, Logsource{"macos", "process_creation", ""}, "", nil},
	{"shape registry", `{"TargetObject":"HKLM\\x","Details":"y","Image":"C:\\a.exe"}`, Generic, Logsource{"windows", "registry_set", ""}, "", nil},
	{"shape registry key", `{"TargetObject":"HKLM\\x","EventType":"DeleteKey"}`, Generic, Logsource{"windows", "registry_delete", ""}, "", nil},
	{"shape file", `{"TargetFilename":"C:\\x","Image":"C:\\a.exe"}`, Generic, Logsource{"windows", "file_event", ""}, "", nil},
	{"shape image", `{"ImageLoaded":"C:\\x.dll","Image":"C:\\a.exe"}`, Generic, Logsource{"windows", "image_load", ""}, "", nil},
	{"shape driver", `{"ImageLoaded":"C:\\x.sys","Hashes":"MD5=x"}`, Generic, Logsource{"windows", "driver_load", ""}, "", nil},
	{"shape connection", `{"Image":"C:\\a.exe","DestinationIp":"192.0.2.1"}`, Generic, Logsource{"windows", "network_connection", ""}, "", nil},
	{"shape query", `{"Image":"C:\\a.exe","QueryName":"a.example"}`, Generic, Logsource{"windows", "dns_query", ""}, "", nil},
	{"shape pipe", `{"Image":"C:\\a.exe","PipeName":"\\x"}`, Generic, Logsource{"windows", "pipe_created", ""}, "", nil},
	{"shape access", `{"SourceImage":"C:\\a.exe","TargetImage":"C:\\b.exe","GrantedAccess":"0x1"}`, Generic, Logsource{"windows", "process_access", ""}, "", nil},
	{"shape thread", `{"SourceImage":"C:\\a.exe","TargetImage":"C:\\b.exe","StartFunction":"x"}`, Generic, Logsource{"windows", "create_remote_thread", ""}, "", nil},
	{"shape rename", `{"Image":"C:\\a.exe","SourceFilename":"x","TargetFilename":"y"}`, Generic, Logsource{"windows", "file_rename", ""}, "", nil},
	{"shape stream", `{"Image":"C:\\a.exe","Contents":"x","TargetFilename":"y"}`, Generic, Logsource{"windows", "create_stream_hash", ""}, "", nil},
	{"shape read", `{"Image":"C:\\a.exe","FileName":"x"}`, Generic, Logsource{"windows", "file_access", ""}, "", nil},
	{"shape raw", `{"Image":"C:\\a.exe","Device":"x"}`, Generic, Logsource{"windows", "raw_access_thread", ""}, "", nil},
	{"shape module", `{"ContextInfo":"x","Payload":"y"}`, Generic, Logsource{"windows", "ps_module", ""}, "", nil},
	{"shape auditd", `{"type":"EXECVE","a0":"ls"}`, Generic, Logsource{"linux", "", "auditd"}, "", nil},
	{"shape webserver", `{"cs-method":"GET","cs-uri-query":"x","sc-status":200}`, Generic, Logsource{Category: "webserver"}, "", nil},
	{"shape proxy", `{"cs-host":"a.example"}`, Generic, Logsource{Category: "proxy"}, "", nil},
	{
		"shape w3c", `{"cs-method":"GET","cs-uri-stem":"/x","cs(User-Agent)":"u","cs(Referer)":"r","timestamp":"2025-01-02T03:04:05Z"}`,
		Generic, Logsource{Category: "webserver"}, "2025-01-02T03:04:05Z", map[string]string{"cs-user-agent": "u", "cs-referer": "r", "c-useragent": "u"},
	},
	{"shape firewall", `{"dst_port":53,"action":"blocked"}`, Generic, Logsource{Category: "firewall"}, "", nil},
	{"shape cloudtrail", `{"eventSource":"iam.amazonaws.com","eventName":"CreateUser"}`, CloudTrail, Logsource{"aws", "", "cloudtrail"}, "", nil},
	{"shape script", `{"ScriptBlockText":"iex"}`, Generic, Logsource{"windows", "ps_script", ""}, "", nil},
	{"shape dns", `{"query":"a.example","record_type":"TXT"}`, Generic, Logsource{Category: "dns"}, "", nil},
	{"shape antivirus", `{"Signature":"x","Filename":"y"}`, Generic, Logsource{Category: "antivirus"}, "", nil},
	{"no shape", `{"Image":"C:\\a.exe"}`, Generic, Logsource{}, "", nil},
	{"result that is the record's own", `{"result":{"a":1},"name":"x","status":"ok"}`, Generic, Logsource{}, "", map[string]string{"result.a": "1", "name": "x"}},
}
