package workbench

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// foreignForm writes an event of a log source as a product would, by the
// product's own documentation: the names are paths, with slashes between objects.
type foreignForm struct {
	source event.Logsource
	fixed  map[string]string
	names  map[string]string // of Sigma's fields
}

// foreignForms are written apart from the tables in package event that read them.
var foreignForms = map[string]foreignForm{
	"ecs process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "process", "event/type": "start",
	}, map[string]string{
		"Image": "process/executable", "CommandLine": "process/command_line", "ParentImage": "process/parent/executable", "ParentCommandLine": "process/parent/command_line",
		"OriginalFileName": "process/pe/original_file_name", "Product": "process/pe/product", "Company": "process/pe/company", "Description": "process/pe/description",
		"CurrentDirectory": "process/working_directory", "User": "user/name", "IntegrityLevel": "process/Ext/token/integrity_level_name",
	}},
	"ecs registry": {event.Logsource{Product: "windows", Category: "registry_set"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "registry", "event/type": "change",
	}, map[string]string{"Image": "process/executable", "TargetObject": "registry/path", "Details": "registry/data/strings"}},
	"ecs file": {event.Logsource{Product: "windows", Category: "file_event"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "file", "event/type": "creation",
	}, map[string]string{"Image": "process/executable", "TargetFilename": "file/path", "User": "user/name", "CommandLine": "process/command_line"}},
	"ecs dns": {event.Logsource{Product: "windows", Category: "dns_query"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "network", "event/type": "protocol", "process/executable": "x", "dns/question/name": "x",
	}, map[string]string{"Image": "process/executable", "QueryName": "dns/question/name"}},
	"ecs connection": {event.Logsource{Product: "windows", Category: "network_connection"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "network", "event/type": "start", "process/executable": "x",
	}, map[string]string{
		"Image": "process/executable", "DestinationIp": "destination/ip", "DestinationPort": "destination/port", "DestinationHostname": "destination/domain", "SourceIp": "source/ip", "SourcePort": "source/port",
	}},
	"ecs image": {event.Logsource{Product: "windows", Category: "image_load"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "windows", "event/category": "library", "event/type": "start",
	}, map[string]string{"Image": "process/executable", "ImageLoaded": "dll/path", "CommandLine": "process/command_line"}},
	"ocsf process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{
		"class_uid": "1007", "activity_id": "1", "metadata/version": "1", "device/os/type_id": "100",
	}, map[string]string{
		"Image": "process/file/path", "CommandLine": "process/cmd_line", "ParentImage": "process/parent_process/file/path", "ParentCommandLine": "process/parent_process/cmd_line",
		"User": "process/user/name", "CurrentDirectory": "process/working_directory", "IntegrityLevel": "process/integrity",
	}},
	"ocsf registry": {event.Logsource{Product: "windows", Category: "registry_set"}, map[string]string{
		"class_uid": "201002", "activity_id": "2", "metadata/version": "1", "device/os/type_id": "100",
	}, map[string]string{"Image": "actor/process/file/path", "TargetObject": "reg_value/path", "Details": "reg_value/data"}},
	"ocsf file": {event.Logsource{Product: "windows", Category: "file_event"}, map[string]string{
		"class_uid": "1001", "activity_id": "1", "metadata/version": "1", "device/os/type_id": "100",
	}, map[string]string{"Image": "actor/process/file/path", "TargetFilename": "file/path", "CommandLine": "actor/process/cmd_line"}},
	"ocsf dns": {event.Logsource{Product: "windows", Category: "dns_query"}, map[string]string{
		"class_uid": "4003", "activity_id": "1", "metadata/version": "1", "device/os/type_id": "100", "actor/process/pid": "1",
	}, map[string]string{"Image": "actor/process/file/path", "QueryName": "query/hostname"}},
	"defender process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{"ActionType": "ProcessCreated", "DeviceName": "h"}, map[string]string{
		"Image": "FolderPath", "CommandLine": "ProcessCommandLine", "ParentImage": "InitiatingProcessFolderPath", "ParentCommandLine": "InitiatingProcessCommandLine",
		"OriginalFileName": "ProcessVersionInfoOriginalFileName", "Product": "ProcessVersionInfoProductName", "Company": "ProcessVersionInfoCompanyName",
		"Description": "ProcessVersionInfoFileDescription", "User": "AccountName", "IntegrityLevel": "ProcessIntegrityLevel",
	}},
	"defender registry": {event.Logsource{Product: "windows", Category: "registry_set"}, map[string]string{"ActionType": "RegistryValueSet", "DeviceName": "h"}, map[string]string{
		"Image": "InitiatingProcessFolderPath", "TargetObject": "RegistryKey", "Details": "RegistryValueData",
	}},
	"defender file": {event.Logsource{Product: "windows", Category: "file_event"}, map[string]string{"ActionType": "FileCreated", "DeviceName": "h"}, map[string]string{
		"Image": "InitiatingProcessFolderPath", "TargetFilename": "FolderPath", "CommandLine": "InitiatingProcessCommandLine", "User": "InitiatingProcessAccountName",
	}},
	"defender connection": {event.Logsource{Product: "windows", Category: "network_connection"}, map[string]string{"ActionType": "ConnectionSuccess", "DeviceName": "h"}, map[string]string{
		"Image": "InitiatingProcessFolderPath", "DestinationIp": "RemoteIP", "DestinationPort": "RemotePort", "DestinationHostname": "RemoteUrl", "CommandLine": "InitiatingProcessCommandLine",
	}},
	"defender image": {event.Logsource{Product: "windows", Category: "image_load"}, map[string]string{"ActionType": "ImageLoaded", "DeviceName": "h"}, map[string]string{
		"Image": "InitiatingProcessFolderPath", "ImageLoaded": "FolderPath", "CommandLine": "InitiatingProcessCommandLine",
	}},
	"sentinelone process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{"event.type": "Process Creation", "endpoint.os": "windows", "src.process.name": "x"}, map[string]string{
		"Image": "tgt.process.image.path", "CommandLine": "tgt.process.cmdline", "ParentImage": "src.process.image.path", "ParentCommandLine": "src.process.cmdline",
		"User": "tgt.process.user", "IntegrityLevel": "tgt.process.integrityLevel",
	}},
	"sentinelone file": {event.Logsource{Product: "windows", Category: "file_event"}, map[string]string{"event.type": "File Creation", "endpoint.os": "windows", "src.process.name": "x"}, map[string]string{
		"Image": "src.process.image.path", "TargetFilename": "tgt.file.path", "CommandLine": "src.process.cmdline", "User": "src.process.user",
	}},
	"sentinelone registry": {event.Logsource{Product: "windows", Category: "registry_set"}, map[string]string{"event.type": "Registry Value Modified", "endpoint.os": "windows", "src.process.name": "x"}, map[string]string{
		"Image": "src.process.image.path", "TargetObject": "registry.keyPath", "Details": "registry.value",
	}},
	"crowdstrike process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{"event_simpleName": "ProcessRollup2", "event_platform": "Win"}, map[string]string{
		"Image": "ImageFileName", "CommandLine": "CommandLine", "OriginalFileName": "OriginalFilename", "User": "UserName",
	}},
	"crowdstrike dns": {event.Logsource{Product: "windows", Category: "dns_query"}, map[string]string{"event_simpleName": "DnsRequest", "event_platform": "Win"}, map[string]string{
		"Image": "ContextImageFileName", "QueryName": "DomainName",
	}},
	"asim process": {event.Logsource{Product: "windows", Category: "process_creation"}, map[string]string{"EventSchema": "ProcessEvent", "EventType": "ProcessCreated", "EventProduct": "x"}, map[string]string{
		"Image": "TargetProcessName", "CommandLine": "TargetProcessCommandLine", "ParentImage": "ActingProcessName", "ParentCommandLine": "ActingProcessCommandLine",
		"OriginalFileName": "TargetProcessFileOriginalName", "Description": "TargetProcessFileDescription", "User": "TargetUsername",
	}},
	"osquery process": {event.Logsource{Product: "linux", Category: "process_creation"}, map[string]string{"name": "x", "action": "added", "hostIdentifier": "h", "columns/path": "/x", "columns/cmdline": ""}, map[string]string{
		"Image": "columns/path", "CommandLine": "columns/cmdline", "CurrentDirectory": "columns/cwd", "ParentImage": "columns/parent_path", "ParentCommandLine": "columns/parent_cmdline",
	}},
	"falco process": {event.Logsource{Product: "linux", Category: "process_creation"}, map[string]string{"rule": "r", "priority": "Notice", "output_fields/evt.type": "execve"}, map[string]string{
		"Image": "output_fields/proc.exepath", "CommandLine": "output_fields/proc.cmdline", "ParentImage": "output_fields/proc.pexepath",
		"ParentCommandLine": "output_fields/proc.pcmdline", "CurrentDirectory": "output_fields/proc.cwd", "User": "output_fields/user.name",
	}},
	"laurel process": {event.Logsource{Product: "linux", Category: "process_creation"}, map[string]string{"ID": "1735787045.678:91", "SYSCALL/SYSCALL": "execve", "SYSCALL/exe": "/x"}, map[string]string{
		"Image": "SYSCALL/exe", "CommandLine": "EXECVE/ARGV", "CurrentDirectory": "CWD/cwd", "ParentImage": "PARENT_INFO/exe",
	}},
	"nginx": {event.Logsource{Category: "webserver"}, map[string]string{"remote_addr": "192.0.2.1", "request_uri": "/"}, map[string]string{
		"cs-uri-query": "request_uri", "cs-method": "request_method", "sc-status": "status", "cs-user-agent": "http_user_agent", "cs-referer": "http_referer",
	}},
	"caddy": {event.Logsource{Category: "webserver"}, map[string]string{"request/uri": "/", "request/method": "GET"}, map[string]string{
		"cs-uri-query": "request/uri", "cs-method": "request/method", "sc-status": "status", "cs-user-agent": "request/headers/User-Agent",
	}},
	"traefik": {event.Logsource{Category: "webserver"}, map[string]string{"RequestPath": "/", "RequestMethod": "GET"}, map[string]string{
		"cs-uri-query": "RequestPath", "cs-method": "RequestMethod", "sc-status": "DownstreamStatus", "cs-user-agent": "request_User-Agent",
	}},
	"zeek http": {event.Logsource{Category: "proxy"}, map[string]string{"_path": "http", "ts": "1735787045.678"}, map[string]string{
		"c-uri": "uri", "c-useragent": "user_agent", "cs-method": "method", "cs-host": "host", "sc-status": "status_code", "cs-referrer": "referrer",
	}},
	"suricata http": {event.Logsource{Category: "proxy"}, map[string]string{"event_type": "http", "flow_id": "1"}, map[string]string{
		"c-uri": "http/url", "c-useragent": "http/http_user_agent", "cs-method": "http/http_method", "cs-host": "http/hostname", "sc-status": "http/status",
	}},
	"common security log": {event.Logsource{Category: "proxy"}, map[string]string{"DeviceVendor": "v", "DeviceProduct": "p", "RequestURL": "/"}, map[string]string{
		"c-uri": "RequestURL", "c-useragent": "RequestClientApplication", "cs-method": "RequestMethod", "cs-host": "DestinationHostName",
	}},
	"cloudtrail's table": {event.Logsource{Product: "aws", Service: "cloudtrail"}, map[string]string{"EventName": "x", "EventSource": "x.amazonaws.com"}, map[string]string{
		"eventName": "EventName", "eventSource": "EventSource", "errorCode": "ErrorCode", "errorMessage": "ErrorMessage", "userAgent": "UserAgent",
		"userIdentity.type": "UserIdentityType", "userIdentity.arn": "UserIdentityArn", "eventType": "EventTypeName",
	}},
	"sentinel's sign-ins": {event.Logsource{Product: "azure", Service: "signinlogs"}, map[string]string{"Type": "SigninLogs"}, map[string]string{
		"ResultType": "ResultType", "ResultDescription": "ResultDescription", "Status": "Status", "ResourceDisplayName": "ResourceDisplayName",
		"AppDisplayName": "AppDisplayName", "ClientAppUsed": "ClientAppUsed", "AuthenticationRequirement": "AuthenticationRequirement",
	}},
	"auditbeat process": {event.Logsource{Product: "linux", Category: "process_creation"}, map[string]string{
		"@timestamp": "2025-01-02T03:04:05Z", "ecs/version": "8", "host/os/type": "linux", "event/module": "auditd", "event/category": "process", "event/type": "start", "auditd/message_type": "syscall",
	}, map[string]string{"Image": "process/executable", "CommandLine": "process/title", "CurrentDirectory": "process/working_directory"}},
}

// TestRealRulesInAuditRecords is TestRealRulesInForeignForms for lines of auditd.
func TestRealRulesInAuditRecords(t *testing.T) {
	rules := realRules(t)
	router := newRouter(rules.Set.Rules(), true)
	source := event.Logsource{Product: "linux", Service: "auditd"}
	judged := 0
	for _, r := range rules.Set.Rules() {
		ev := matching(t, r)
		if ev == nil || r.Logsource != source {
			continue
		}
		fields := fieldsOf(t, ev)
		if fields["type"] == "" || fields["message"] != "" {
			continue
		}
		judged++
		line := auditLine(fields)
		want, got := found(t, router, asOwn(fields, source), source), found(t, router, []byte(line), source)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: wanted (-) and got (+):\n%s", line, diff)
		}
	}
	if t.Logf("%d records", judged); judged < 30 {
		t.Errorf("only %d records could be written", judged)
	}
}

// auditLine writes a record as the kernel and auditd do: texts in quotation marks,
// or in hexadecimal where they have a space in them.
func auditLine(fields map[string]string) string {
	line := "type=" + fields["type"] + " msg=audit(1735787045.678:91):"
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch value := fields[name]; {
		case name == "type":
		case strings.Contains(value, " ") && fields["type"] != "SYSCALL":
			line += fmt.Sprintf(" %s=%X", name, value)
		default:
			line += fmt.Sprintf(" %s=%q", name, value)
		}
	}
	return line
}

// TestRealRulesInForeignForms makes for every public rule of a form's log source
// an event that matches it. Written in the form, the event must match the same
// rules of the log source as when it says them in Sigma's own names.
func TestRealRulesInForeignForms(t *testing.T) {
	rules := realRules(t)
	router := newRouter(rules.Set.Rules(), true)
	made := map[event.Logsource][]map[string]string{}
	for _, r := range rules.Set.Rules() {
		if ev := matching(t, r); ev != nil {
			made[r.Logsource] = append(made[r.Logsource], fieldsOf(t, ev))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(foreignForms)) {
		t.Run(name, func(t *testing.T) { judgeForm(t, router, foreignForms[name], made) })
	}
}

func judgeForm(t *testing.T, router *router, form foreignForm, made map[event.Logsource][]map[string]string) {
	judged := 0
	for _, fields := range made[form.source] {
		raw, ok := form.write(fields)
		if !ok {
			continue
		}
		judged++
		own := asOwn(fields, form.source)
		want, got := found(t, router, own, form.source), found(t, router, raw, form.source)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s: wanted (-) and got (+):\n%s", own, raw, diff)
		}
	}
	t.Logf("%d events", judged)
	if judged < 5 {
		t.Errorf("only %d events could be written", judged)
	}
}

// found returns the rules of a log source that match.
func found(t *testing.T, router *router, raw []byte, source event.Logsource) []string {
	t.Helper()
	ev, err := event.Decode(raw, event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	router.match(ev, func(r *sigma.Rule) {
		if r.Logsource == source {
			ids = append(ids, r.File)
		}
	})
	slices.Sort(ids)
	return ids
}

// asOwn writes an event in Sigma's names, with its log source.
func asOwn(fields map[string]string, source event.Logsource) []byte {
	record := map[string]any{"logsource": map[string]string{"product": source.Product, "category": source.Category, "service": source.Service}}
	for name, value := range fields {
		record[name] = value
	}
	raw, _ := json.Marshal(record) // texts can always be written
	return raw
}

// write writes an event in the form, false where the form has no name for a field.
func (f foreignForm) write(fields map[string]string) ([]byte, bool) {
	record := map[string]any{}
	for path, value := range f.fixed {
		put(record, path, value)
	}
	for name, value := range fields {
		path, ok := f.names[name]
		if !ok {
			return nil, false
		}
		if strings.HasSuffix(path, "/ARGV") {
			put(record, path, strings.Split(value, " "))
			continue
		}
		put(record, path, value)
	}
	raw, _ := json.Marshal(record) // texts can always be written
	return raw, true
}

func put(record map[string]any, path string, value any) {
	head, rest, deeper := strings.Cut(path, "/")
	if !deeper {
		record[head] = value
		return
	}
	inner, ok := record[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		record[head] = inner
	}
	put(inner, rest, value)
}

func fieldsOf(t *testing.T, ev *event.Event) map[string]string {
	t.Helper()
	fields := map[string]string{}
	if err := json.Unmarshal(ev.Raw(), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
