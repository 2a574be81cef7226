package event

// exportCases are records as tools export them whose columns, wrappings and
// texts stand between a field and its name.
var exportCases = []dialectCase{
	{
		"chainsaw", `{"group":"Sigma","document":{"kind":"evtx","path":"x.evtx","data":{"Event":{"System":{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"Image":"C:\\a.exe"}}}},"name":"x"}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `C:\a.exe`},
	},
	{
		"opentelemetry", `{"channel":"Security","computer":"H","event_data":{"LogonType":"3","message":"m"},"event_id":{"id":4625,"qualifiers":0},"provider":{"guid":"{g}","name":"Microsoft-Windows-Security-Auditing"},` +
			`"keywords":["0x8010000000000000"],"record_id":7,"system_time":"2025-01-02T03:04:05.678Z","execution":{"process_id":4},"message":"An account failed to log on."}`,
		WindowsEVTX, Logsource{"windows", "", "security"}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"EventID": "4625", "LogonType": "3", "Provider_Name": "Microsoft-Windows-Security-Auditing", "Computer": "H", "EventRecordID": "7",
			"Keywords": "0x8010000000000000", "Execution_ProcessID": "4", "Message": "An account failed to log on.",
		},
	},
	{
		"opentelemetry, older data, in a body", `{"body":{"channel":"Microsoft-Windows-Sysmon/Operational","event_data":{"data":[{"Image":"C:\\a.exe"},{"User":"u"}]},"event_id":{"id":1},"provider":{"name":"Microsoft-Windows-Sysmon"}},"attributes":{}}`,
		WindowsEVTX, Logsource{"windows", "process_creation", "sysmon"}, "", map[string]string{"Image": `C:\a.exe`, "User": "u"},
	},
	{
		"wazuh, names that begin small", `{"data":{"win":{"system":{"eventID":"10001","channel":"System","providerName":"Microsoft-Windows-DistributedCOM"},"eventdata":{"param1":"a.exe","image":"b"}}},"param2":"x"}`,
		WindowsEVTX, Logsource{"windows", "", "system"}, "", map[string]string{"param1": "a.exe", "Param1": "a.exe", "Image": "b", "param2": "x"},
	},
	{
		"evtxecmd, columns with names of fields", `{"UserName":"outer","ProcessId":4,"Payload":"{\"EventData\":{\"Data\":[{\"@Name\":\"Payload\",\"#text\":\"iex\"},{\"@Name\":\"UserName\",\"#text\":\"\"}]}}",` +
			`"Channel":"Microsoft-Windows-PowerShell/Operational","Provider":"Microsoft-Windows-PowerShell","EventId":4103,"Level":"Info"}`,
		WindowsFlat, Logsource{"windows", "ps_module", "powershell"}, "", map[string]string{"Payload": "iex", "UserName": "", "ProcessId": "4", "EventID": "4103"},
	},
	{
		"azure, the table's name among its columns", `{"EventID":25,"EventLog":"Microsoft-Windows-Sysmon/Operational","Source":"Microsoft-Windows-Sysmon","EventData":"<EventData><Data Name=\"Type\">Image is replaced</Data></EventData>","Type":"Event","UserName":"u"}`,
		WindowsFlat, Logsource{"windows", "process_tampering", "sysmon"}, "", map[string]string{"Type": "Image is replaced", "UserName": "u"},
	},
	{
		"get-winevent", `{"Id":1,"ProviderName":"Microsoft-Windows-Sysmon","LogName":"Microsoft-Windows-Sysmon/Operational","ProcessId":4,"TimeCreated":"/Date(1735787045678)/","Properties":[{"Value":"-"}],` +
			`"Message":"Process Create:\r\nRuleName: -\r\nUtcTime: 2025-01-02 03:04:05.670\r\nProcessId: 7\r\nImage: C:\\a.exe\r\nCommandLine: a: -b"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.67Z",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": "a: -b", "ProcessId": "7", "EventID": "1"},
	},
	{
		"get-winevent, logon", `{"Id":4625,"ProviderName":"Microsoft-Windows-Security-Auditing","LogName":"Security","Properties":[],"Message":"An account failed to log on.\r\n\r\nSubject:\r\n\tAccount Name:\t\tA$\r\n\r\nLogon Type:\t\t\t3\r\n\r\n` +
			`Account For Which Logon Failed:\r\n\tAccount Name:\t\tbob\r\n\r\nNetwork Information:\r\n\tSource Network Address:\t192.0.2.1\r\n\tSource Port:\t\t49152\r\n"}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "",
		map[string]string{"LogonType": "3", "SubjectUserName": "A$", "TargetUserName": "bob", "IpAddress": "192.0.2.1", "IpPort": "49152"},
	},
	{
		"fluent bit, script block", `{"ProviderName":"Microsoft-Windows-PowerShell","EventID":4104,"Channel":"Microsoft-Windows-PowerShell/Operational","StringInserts":[1,1,"iex x\r\niex y","id",""],` +
			`"Message":"Creating Scriptblock text (1 of 1):\r\niex x\r\niex y\r\n\r\nScriptBlock ID: id\r\nPath: "}`,
		WindowsFlat, Logsource{"windows", "ps_script", "powershell"}, "", map[string]string{"ScriptBlockText": "iex x\r\niex y", "Path": "∅"},
	},
	{
		"eventbridge", `{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","detail":{"eventVersion":"1.08","eventTime":"2025-01-02T03:04:05Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser"}}`,
		CloudTrail, Logsource{"aws", "", "cloudtrail"}, "2025-01-02T03:04:05Z", map[string]string{"eventName": "CreateUser", "detail.eventName": "∅"},
	},
	{
		"cloudtrail's look-up", `{"EventId":"1","EventName":"CreateUser","EventSource":"iam.amazonaws.com","CloudTrailEvent":"{\"eventVersion\":\"1.08\",\"eventTime\":\"2025-01-02T03:04:05Z\",\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"CreateUser\"}"}`,
		CloudTrail, Logsource{"aws", "", "cloudtrail"}, "2025-01-02T03:04:05Z", map[string]string{"eventName": "CreateUser"},
	},
	{
		"cloudtrail with parts as text", `{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"x","requestParameters":"{\"bucketName\":\"b\"}"}`,
		CloudTrail, Logsource{"aws", "", "cloudtrail"}, "", map[string]string{"requestParameters.bucketName": "b", "requestParameters": `{"bucketName":"b"}`},
	},
	{
		"azure activity, its own interface", `{"operationName":{"value":"Microsoft.Compute/virtualMachines/delete","localizedValue":"Delete"},"category":{"value":"Administrative","localizedValue":"Administrative"},"subscriptionId":"s","eventTimestamp":"2025-01-02T03:04:05Z"}`,
		Cloud, Logsource{"azure", "", "activitylogs"}, "2025-01-02T03:04:05Z", map[string]string{"operationName": "Microsoft.Compute/virtualMachines/delete", "category": "Administrative"},
	},
	{
		"azure, columns as json text", `{"Type":"SigninLogs","ResultType":"0","DeviceDetail":"{\"isCompliant\":\"false\"}","NetworkLocationDetails":"[]"}`,
		Cloud, Logsource{"azure", "", "signinlogs"}, "", map[string]string{"DeviceDetail.isCompliant": "false", "DeviceDetail": `{"isCompliant":"false"}`, "NetworkLocationDetails": "[]"},
	},
	{
		"azure sign-in, graph", `{"createdDateTime":"2025-01-02T03:04:05Z","userPrincipalName":"u","appDisplayName":"a","conditionalAccessStatus":"notApplied","status":{"errorCode":50053,"failureReason":"locked"}}`,
		Cloud, Logsource{"azure", "", "signinlogs"}, "2025-01-02T03:04:05Z", map[string]string{"ResultType": "50053", "ResultDescription": "locked", "Status.errorCode": "50053"},
	},
	{
		"azure risk, log analytics", `{"Type":"AADUserRiskEvents","RiskEventType":"anomalousToken","OperationName":"User Risk Detection"}`,
		Cloud, Logsource{"azure", "", "riskdetection"}, "", map[string]string{"riskEventType": "anomalousToken"},
	},
	{
		"google workspace, reports", `{"kind":"admin#reports#activity","id":{"time":"2025-01-02T03:04:05Z","applicationName":"admin"},"events":[{"type":"x","name":"CHANGE_APPLICATION_SETTING","parameters":[{"name":"SETTING_NAME","value":"s"},{"name":"NEW_VALUE","boolValue":true}]}]}`,
		Cloud, Logsource{"gcp", "", "google_workspace.admin"}, "2025-01-02T03:04:05Z",
		map[string]string{"eventService": "admin.googleapis.com", "eventName": "CHANGE_APPLICATION_SETTING", "setting_name": "s", "new_value": "true", "old_value": "∅"},
	},
	{
		"google workspace, cloud logging", `{"protoPayload":{"serviceName":"admin.googleapis.com","methodName":"x","metadata":{"event":[{"eventName":"CREATE_ROLE"}]}},"timestamp":"2025-01-02T03:04:05Z"}`,
		Cloud, Logsource{"gcp", "", "google_workspace.admin"}, "2025-01-02T03:04:05Z", map[string]string{"eventService": "admin.googleapis.com", "eventName": "CREATE_ROLE"},
	},
	{
		"filebeat, google", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"dataset":"gcp.audit","original":"{\"protoPayload\":{\"methodName\":\"m\"}}"}}`,
		ECS, Logsource{"gcp", "", "gcp.audit"}, "2025-01-02T03:04:05Z", map[string]string{"gcp.audit.method_name": "m", "data.protoPayload.methodName": "m"},
	},
	{
		"filebeat, kubernetes", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"dataset":"kubernetes.audit_logs"},"kubernetes":{"audit":{"verb":"create","objectRef":{"resource":"secrets"}}}}`,
		ECS, Logsource{"kubernetes", "application", "audit"}, "2025-01-02T03:04:05Z", map[string]string{"verb": "create", "objectRef.resource": "secrets"},
	},
	{
		"filebeat, microsoft 365", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"dataset":"o365.audit"},"o365":{"audit":{"Operation":"New-InboxRule"}}}`,
		ECS, Logsource{"m365", "", "audit"}, "2025-01-02T03:04:05Z", map[string]string{"Operation": "New-InboxRule"},
	},
	{
		"zeek's kerberos, by shape", `{"ts":1735787045.5,"uid":"C1","id.orig_h":"10.0.0.1","request_type":"TGS","cipher":"rc4-hmac"}`,
		Zeek, Logsource{"zeek", "", "kerberos"}, "2025-01-02T03:04:05.5Z", map[string]string{"cipher": "rc4-hmac"},
	},
	{
		"defender xdr, streamed", `{"time":"2025-01-02T03:04:06Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-DeviceProcessEvents","properties":{"ActionType":"ProcessCreated","DeviceName":"h","FolderPath":"C:\\a.exe"}}`,
		DefenderXDR, Logsource{"windows", "process_creation", ""}, "", map[string]string{"Image": `C:\a.exe`},
	},
	{
		"hayabusa", `{"Timestamp":"2025-01-02 03:04:05.678 +00:00","RuleTitle":"x","Level":"high","Computer":"H","Channel":"Sysmon","EventID":1,"Details":{"Proc":"C:\\a.exe","Cmdline":"a -b","Path":"p"},"ExtraFieldInfo":{"CurrentDirectory":"d"}}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "",
		map[string]string{"Image": `C:\a.exe`, "CommandLine": "a -b", "CurrentDirectory": "d", "TargetFilename": "p"},
	},
	{
		"hayabusa, all fields", `{"RuleTitle":"x","Channel":"Sec","EventID":4625,"AllFieldInfo":{"LogonType":3,"TargetUserName":"u"}}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3", "TargetUserName": "u"},
	},
	{
		"gelf", `{"version":"1.1","host":"H","short_message":"m","timestamp":1735787045.678,"_EventID":1,"_Channel":"Microsoft-Windows-Sysmon/Operational","_Image":"C:\\a.exe"}`,
		WindowsFlat, Logsource{"windows", "process_creation", "sysmon"}, "2025-01-02T03:04:05.678Z", map[string]string{"Image": `C:\a.exe`, "Computer": "H"},
	},
	{
		"winlogbeat in a log", `{"log":"{\"winlog\":{\"channel\":\"Security\",\"event_id\":4625,\"event_data\":{\"LogonType\":\"3\"}}}","stream":"stdout"}`,
		Winlogbeat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3"},
	},
	{
		"splunk's collector, event as text", `{"time":1735787045.678,"sourcetype":"x","event":"{\"EventID\":4625,\"Channel\":\"Security\",\"LogonType\":3}"}`,
		WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3"},
	},
	{
		"flat with event_data", `{"EventID":4625,"Channel":"Security","event_data":{"LogonType":3}}`, WindowsFlat, Logsource{"windows", "", "security"}, "", map[string]string{"LogonType": "3"},
	},
	{
		"json in syslog", `<14>Jan  2 03:04:05 h nxlog: {"EventID":4625,"Channel":"Security","LogonType":3}`, WindowsFlat, Logsource{"windows", "", "security"}, "",
		map[string]string{"LogonType": "3", "hostname": "h"},
	},
	{
		"json of nobody in syslog", `<14>Jan  2 03:04:05 h app: @cee: {"a":{"b":1}}`, Syslog, Logsource{"linux", "", "syslog"}, "", map[string]string{"a.b": "1"},
	},
	{"braces in syslog", `<14>Jan  2 03:04:05 h app: {not json}`, Syslog, Logsource{"linux", "", "syslog"}, "", map[string]string{"message": "{not json}"}},
	{
		"ecs library", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"category":["library"],"type":["start"]},"host":{"os":{"type":"windows"}},"dll":{"path":"C:\\x.dll","code_signature":{"signed":false,"status":"s","subject_name":"n"}}}`,
		ECS, Logsource{"windows", "image_load", ""}, "2025-01-02T03:04:05Z", map[string]string{"ImageLoaded": `C:\x.dll`, "Signed": "false", "SignatureStatus": "s", "Signature": "n"},
	},
}
