package sigma

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// restating writes a real Windows event as another collector would have, nil
// where that one has no such event.
type restating struct {
	name  string
	write func(flat map[string]any) map[string]any
}

var suricata = restating{"suricata", restateSuricata}

var restatings = []restating{
	{"windows-evtx", restateEVTX},
	{"winlogbeat", restateWinlogbeat},
	{"ecs", restateECS},
	{"ocsf", restateOCSF},
	{"defender-xdr", restateDefender},
}

// both is the events that have this form, as they are and in it.
func (r restating) both(tb testing.TB, events []*event.Event) (own, restated []*event.Event) {
	tb.Helper()
	for _, ev := range events {
		if other := r.of(tb, ev); other != nil {
			own, restated = append(own, ev), append(restated, other)
		}
	}
	return own, restated
}

// of is an event in this form, nil for none.
func (r restating) of(tb testing.TB, ev *event.Event) *event.Event {
	tb.Helper()
	var flat map[string]any
	if err := json.Unmarshal(ev.Raw(), &flat); err != nil {
		tb.Fatal(err)
	}
	members := r.write(flat)
	if members == nil {
		return nil
	}
	raw, err := json.Marshal(members)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := event.Decode(raw, event.Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	if out.Dialect().String() != r.name {
		tb.Fatalf("%s, want %s: %s", out.Dialect(), r.name, raw)
	}
	return out
}

// envelope is what the collector of the sets adds to the data of an event.
var envelope = names(`@timestamp @version AccountName AccountType Category Channel Domain EventID EventReceivedTime EventTime EventType
	ExecutionProcessID Hostname Keywords Level Message Opcode OpcodeValue ProviderGuid RecordNumber Severity SeverityValue SourceModuleName
	SourceModuleType SourceName Task ThreadID TimeCreated UserID Version host port tags`)

func names(list string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(list) {
		out[name] = true
	}
	return out
}

// data is the data of an event as the event has it.
func data(flat map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range flat {
		if !envelope[name] {
			out[name] = v
		}
	}
	if v, ok := flat["EventTypeOrignal"]; ok {
		out["EventType"] = v
	}
	return out
}

// put sets the value at a path, and does nothing for nil.
func put(m map[string]any, path string, v any) {
	if v == nil {
		return
	}
	for {
		head, rest, ok := strings.Cut(path, ".")
		if !ok {
			m[head] = v
			return
		}
		inner, _ := m[head].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			m[head] = inner
		}
		m, path = inner, rest
	}
}

// move puts the fields that the pairs of a name and a path name, and the others
// below the path for the rest.
func move(m, fields map[string]any, pairs, rest string) {
	to := map[string]string{}
	for words := strings.Fields(pairs); len(words) > 1; words = words[2:] {
		to[words[0]] = words[1]
	}
	for name, v := range fields {
		switch path := to[name]; {
		case path != "":
			put(m, path, v)
		case rest != "":
			put(m, rest+"."+name, v)
		}
	}
}

func number(flat map[string]any) int {
	n, _ := flat["EventID"].(float64)
	return int(n)
}

// sysmonNumber is the number of an event of Sysmon, 0 for others.
func sysmonNumber(flat map[string]any) int {
	if flat["SourceName"] != "Microsoft-Windows-Sysmon" {
		return 0
	}
	return number(flat)
}

func restateEVTX(flat map[string]any) map[string]any {
	m := map[string]any{}
	put(m, "Event.#attributes.xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")
	put(m, "Event.System.Provider.#attributes.Name", flat["SourceName"])
	put(m, "Event.System.Provider.#attributes.Guid", flat["ProviderGuid"])
	put(m, "Event.System.TimeCreated.#attributes.SystemTime", flat["@timestamp"])
	put(m, "Event.System.Execution.#attributes.ProcessID", flat["ExecutionProcessID"])
	put(m, "Event.System.Execution.#attributes.ThreadID", flat["ThreadID"])
	move(m, flat, `EventID Event.System.EventID Channel Event.System.Channel Hostname Event.System.Computer RecordNumber Event.System.EventRecordID
		Keywords Event.System.Keywords Task Event.System.Task Version Event.System.Version Message Event.RenderingInfo.Message`, "")
	put(m, "Event.EventData", data(flat))
	return m
}

// ecsFields are the fields that Winlogbeat's module for Sysmon copies too.
const ecsFields = `Image process.executable CommandLine process.command_line CurrentDirectory process.working_directory ProcessId process.pid
	ProcessGuid process.entity_id ParentImage process.parent.executable ParentCommandLine process.parent.command_line ParentProcessId process.parent.pid
	ParentProcessGuid process.parent.entity_id User user.name SourceImage process.executable SourceProcessGUID process.entity_id
	SourceProcessId process.pid OriginalFileName process.pe.original_file_name Company process.pe.company Description process.pe.description
	Product process.pe.product FileVersion process.pe.file_version TargetFilename file.path ImageLoaded dll.path Signed dll.code_signature.signed
	Signature dll.code_signature.subject_name SignatureStatus dll.code_signature.status TargetObject registry.path Details registry.data.strings
	SourceIp source.ip SourcePort source.port SourceHostname source.domain DestinationIp destination.ip DestinationPort destination.port
	DestinationHostname destination.domain Protocol network.transport QueryName dns.question.name PipeName file.name
	IntegrityLevel process.Ext.token.integrity_level_name ScriptBlockText powershell.file.script_block_text Payload powershell.file.script_block_text
	NewProcessName process.executable NewProcessId process.pid ParentProcessName process.parent.executable ProcessName process.executable
	SubjectUserName user.name SubjectDomainName user.domain SubjectUserSid user.id SubjectLogonId winlog.logon.id IpAddress source.ip IpPort source.port
	Application process.executable SourceAddress source.ip DestAddress destination.ip DestPort destination.port LogonType winlog.logon.type`

// ecsKinds are event.category and event.type of Sysmon's events.
var ecsKinds = map[int][2]string{
	1: {"process", "start"}, 3: {"network", "connection"}, 5: {"process", "end"}, 7: {"library", "start"}, 10: {"process", "access"},
	11: {"file", "creation"}, 12: {"registry", "creation"}, 13: {"registry", "change"}, 22: {"network", "protocol"}, 23: {"file", "deletion"},
}

func beat(flat map[string]any) map[string]any {
	m := map[string]any{}
	move(m, flat, `@timestamp @timestamp EventID event.code SourceName event.provider Hostname host.name Message message EventReceivedTime event.created`, "")
	put(m, "ecs.version", "8.11.0")
	put(m, "agent.type", "winlogbeat")
	put(m, "host.os.type", "windows")
	if kind, ok := ecsKinds[sysmonNumber(flat)]; ok {
		put(m, "event.category", []string{kind[0]})
		put(m, "event.type", []string{kind[1]})
	}
	return m
}

func restateWinlogbeat(flat map[string]any) map[string]any {
	m := beat(flat)
	move(m, flat, `EventID winlog.event_id SourceName winlog.provider_name ProviderGuid winlog.provider_guid Channel winlog.channel Hostname winlog.computer_name
		RecordNumber winlog.record_id Task winlog.task ExecutionProcessID winlog.process.pid ThreadID winlog.process.thread.id`, "")
	if sysmonNumber(flat) != 0 {
		move(m, data(flat), ecsFields, "")
	}
	put(m, "winlog.event_data", data(flat))
	return m
}

func restateECS(flat map[string]any) map[string]any {
	m := beat(flat)
	move(m, data(flat), ecsFields, "labels")
	put(m, "agent.type", "endpoint")
	delete(m, "winlog")
	ecsHashesOf(m, flat)
	if details, ok := flat["Details"].(string); ok {
		put(m, "registry.data.strings", []string{details})
	}
	if flat["Initiated"] != nil {
		put(m, "network.direction", map[any]string{"true": "egress", "false": "ingress"}[flat["Initiated"]])
	}
	return m
}

func ecsHashesOf(m, flat map[string]any) {
	of := "process."
	if flat["ImageLoaded"] != nil {
		of = "dll."
	}
	for kind, hash := range hashesOf(flat) {
		if kind == "imphash" {
			put(m, of+"pe.imphash", hash)
			continue
		}
		put(m, of+"hash."+kind, hash)
	}
}

func hashesOf(flat map[string]any) map[string]string {
	out := map[string]string{}
	all, _ := flat["Hashes"].(string)
	for part := range strings.SplitSeq(all, ",") {
		if kind, hash, ok := strings.Cut(part, "="); ok {
			out[strings.ToLower(kind)] = hash
		}
	}
	return out
}

// ocsfClasses are class, activity and where what acts lies, of Sysmon's events.
var ocsfClasses = map[int][3]string{
	1: {"1007", "1", "process"}, 3: {"4001", "1", "actor.process"}, 5: {"1007", "2", "process"}, 7: {"1005", "1", "actor.process"},
	8: {"1007", "4", "actor.process"}, 10: {"1007", "3", "actor.process"}, 11: {"1001", "1", "actor.process"}, 12: {"201001", "1", "actor.process"},
	13: {"201001", "3", "actor.process"}, 22: {"4003", "1", "actor.process"}, 23: {"1001", "4", "actor.process"},
}

func restateOCSF(flat map[string]any) map[string]any {
	class, ok := ocsfClasses[sysmonNumber(flat)]
	if !ok {
		return nil
	}
	m := map[string]any{}
	m["class_uid"], m["activity_id"] = json.Number(class[0]), json.Number(class[1])
	move(m, flat, `@timestamp time EventID metadata.event_code Channel metadata.log_name SourceName metadata.log_provider Hostname device.hostname Message message`, "")
	put(m, "metadata.version", "1.4.0")
	put(m, "metadata.product.name", "Sysmon")
	put(m, "device.os.type_id", 100)
	move(m, data(flat), strings.ReplaceAll(`Image P.file.path CommandLine P.cmd_line ProcessId P.pid ProcessGuid P.uid CurrentDirectory P.working_directory
		OriginalFileName P.file.internal_name Product P.file.product.name Company P.file.company_name Description P.file.desc FileVersion P.file.version
		IntegrityLevel P.integrity User P.user.name ParentImage P.parent_process.file.path ParentCommandLine P.parent_process.cmd_line
		ParentProcessId P.parent_process.pid ParentProcessGuid P.parent_process.uid SourceImage P.file.path SourceProcessId P.pid SourceProcessGUID P.uid
		TargetImage process.file.path GrantedAccess actual_permissions TargetFilename file.path ImageLoaded module.file.path TargetObject reg_value.path
		Details reg_value.data SourceIp src_endpoint.ip SourcePort src_endpoint.port SourceHostname src_endpoint.hostname DestinationIp dst_endpoint.ip
		DestinationPort dst_endpoint.port DestinationHostname dst_endpoint.hostname Protocol connection_info.protocol_name QueryName query.hostname`, "P.", class[2]+"."), "unmapped")
	var hashes []map[string]string
	for kind, hash := range hashesOf(flat) {
		hashes = append(hashes, map[string]string{"algorithm": strings.ToUpper(kind), "value": hash})
	}
	if hashes != nil && class[2] == "process" {
		put(m, "process.file.hashes", hashes)
	}
	return m
}

// defenderActions are what Defender's tables call Sysmon's events.
var defenderActions = map[int]string{
	1: "ProcessCreated", 3: "ConnectionSuccess", 7: "ImageLoaded", 8: "CreateRemoteThreadApiCall", 10: "OpenProcessApiCall", 11: "FileCreated",
	12: "RegistryKeyCreated", 13: "RegistryValueSet", 17: "NamedPipeEvent", 18: "NamedPipeEvent", 22: "DnsQueryResponse", 23: "FileDeleted",
}

func restateDefender(flat map[string]any) map[string]any {
	action, ok := defenderActions[sysmonNumber(flat)]
	if !ok {
		return nil
	}
	m := map[string]any{"ActionType": action, "ReportId": flat["RecordNumber"], "DeviceId": "0"}
	move(m, flat, `@timestamp Timestamp Hostname DeviceName`, "")
	for kind, hash := range hashesOf(flat) {
		put(m, strings.ToUpper(kind), hash)
	}
	if action == "ProcessCreated" {
		move(m, data(flat), `Image FolderPath CommandLine ProcessCommandLine ProcessId ProcessId User AccountName IntegrityLevel ProcessIntegrityLevel
			OriginalFileName ProcessVersionInfoOriginalFileName Company ProcessVersionInfoCompanyName Description ProcessVersionInfoFileDescription
			Product ProcessVersionInfoProductName FileVersion ProcessVersionInfoProductVersion ParentImage InitiatingProcessFolderPath
			ParentCommandLine InitiatingProcessCommandLine ParentProcessId InitiatingProcessId`, "AdditionalFields")
		return m
	}
	move(m, data(flat), `Image InitiatingProcessFolderPath SourceImage InitiatingProcessFolderPath User InitiatingProcessAccountName ProcessId InitiatingProcessId
		TargetFilename FolderPath ImageLoaded FolderPath TargetImage FolderPath TargetObject RegistryKey Details RegistryValueData DestinationIp RemoteIP
		DestinationPort RemotePort DestinationHostname RemoteUrl SourceIp LocalIP SourcePort LocalPort QueryName DnsQueryString`, "AdditionalFields")
	return m
}

// restateSuricata writes an event of Zeek as Suricata would have.
func restateSuricata(zeek map[string]any) map[string]any {
	if zeek["id.orig_h"] == nil {
		return nil
	}
	m := map[string]any{"flow_id": 1, "event_type": "flow"}
	switch {
	case zeek["qtype_name"] != nil:
		m["event_type"] = "dns"
	case zeek["user_agent"] != nil:
		m["event_type"] = "http"
	case zeek["conn_state"] == nil:
		return nil
	}
	move(m, zeek, `ts timestamp id.orig_h src_ip id.orig_p src_port id.resp_h dest_ip id.resp_p dest_port proto proto uid community_id
		query dns.rrname qtype_name dns.rrtype rcode_name dns.rcode TTLs dns.ttl host http.hostname uri http.url user_agent http.http_user_agent
		method http.http_method status_code http.status referrer http.http_refer orig_bytes flow.bytes_toserver resp_bytes flow.bytes_toclient
		orig_pkts flow.pkts_toserver resp_pkts flow.pkts_toclient conn_state flow.state duration flow.age`, "")
	return m
}

// otherEvents is real events of a folder of the sets that are of a dialect, at
// most perSource of each log source.
func otherEvents(tb testing.TB, folder string, dialect event.Dialect, perSource int) (events []*event.Event) {
	tb.Helper()
	seen := map[event.Logsource]int{}
	for record, err := range replay.Open([]string{filepath.Join(dataDir(tb), "events", folder)}, replay.Options{}) {
		if err != nil {
			tb.Fatal(err)
		}
		ev, err := event.Decode(record.Raw, event.Limits{})
		if err != nil {
			tb.Fatal(err)
		}
		if seen[ev.Logsource()]++; ev.Dialect() == dialect && seen[ev.Logsource()] <= perSource {
			events = append(events, ev)
		}
	}
	return events
}

// cloudEvents is an audit record of each of several services, written for this
// test.
func cloudEvents(tb testing.TB) (events []*event.Event) {
	tb.Helper()
	for _, raw := range []string{
		`{"TimeGenerated":"2025-03-04T05:06:07Z","Type":"SigninLogs","OperationName":"Sign-in activity","Category":"SignInLogs","ResultType":"50126","ResultDescription":"Invalid username or password",` +
			`"AppDisplayName":"Office 365 Exchange Online","AuthenticationRequirement":"singleFactorAuthentication","ClientAppUsed":"IMAP4","ConditionalAccessStatus":"notApplied",` +
			`"DeviceDetail":"{\"deviceId\":\"\",\"operatingSystem\":\"Windows 10\",\"browser\":\"Chrome 120\"}","IPAddress":"192.0.2.7","Location":"TW","UserPrincipalName":"teller@branch.example","UserAgent":"Mozilla/5.0"}`,
		`{"time":"2025-03-04T05:06:07Z","category":"AuditLogs","operationName":"Add member to role","properties":{"activityDisplayName":"Add member to role","result":"success","loggedByService":"Core Directory",` +
			`"initiatedBy":{"user":{"userPrincipalName":"admin@branch.example","ipAddress":"192.0.2.7"}},"targetResources":[{"type":"User","userPrincipalName":"teller@branch.example",` +
			`"modifiedProperties":[{"displayName":"Role.DisplayName","newValue":"\"Global Reader\""}]}]}}`,
		`{"CreationTime":"2025-03-04T05:06:07","Operation":"New-InboxRule","Workload":"Exchange","RecordType":1,"ResultStatus":"True","UserId":"teller@branch.example","ClientIP":"192.0.2.7","Parameters":[{"Name":"ForwardTo","Value":"x@a.example"},{"Name":"Name","Value":"."}]}`,
		`{"uuid":"1","published":"2025-03-04T05:06:07Z","eventType":"user.session.start","displayMessage":"User login to Okta","outcome":{"result":"SUCCESS"},"actor":{"alternateId":"teller@branch.example","type":"User"},` +
			`"client":{"ipAddress":"192.0.2.7","userAgent":{"rawUserAgent":"Mozilla/5.0"}},"securityContext":{"isProxy":false},"target":[{"type":"AppInstance","displayName":"Mail"}]}`,
		`{"insertId":"1","timestamp":"2025-03-04T05:06:07Z","protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.instances.list","authenticationInfo":{"principalEmail":"ops@branch.example"},` +
			`"authorizationInfo":[{"permission":"compute.instances.list","granted":true}],"requestMetadata":{"callerIp":"192.0.2.7"}},"resource":{"type":"gce_instance"}}`,
		`{"@timestamp":1741064767000,"action":"repo.create","actor":"dev","org":"branch","repo":"branch/core","visibility":"private","user_agent":"Mozilla/5.0"}`,
		`{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"list","user":{"username":"system:serviceaccount:a:b","groups":["system:authenticated"]},"sourceIPs":["192.0.2.7"],` +
			`"objectRef":{"resource":"pods","namespace":"a","apiVersion":"v1"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2025-03-04T05:06:07Z"}`,
	} {
		ev, err := event.Decode([]byte(raw), event.Limits{})
		if err != nil || ev.Dialect() != event.Cloud {
			tb.Fatalf("%v: %s", err, raw)
		}
		events = append(events, ev)
	}
	return events
}
