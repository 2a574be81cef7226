package event

import "strings"

// aliases returns the names that a dialect gives a field of Sigma's taxonomy,
// best first, with empty strings for none.
func (e *Event) aliases(name string) [3]string {
	switch e.dialect {
	case WindowsFlat:
		if a := e.auditAlias(name); a != "" {
			return [3]string{a}
		}
		return flatAliases(name)
	case WindowsEVTX:
		return [3]string{e.auditAlias(name)}
	case Winlogbeat:
		if a := e.auditAlias(name); a != "" {
			return [3]string{a, ecsAlias(name)}
		}
		if now, before := winlogbeatAliases(name); now != "" {
			return [3]string{now, before, ecsAlias(name)}
		}
		return [3]string{ecsAlias(name)}
	case ECS:
		return [3]string{ecsAlias(name)}
	case Zeek:
		return zeekAliases(name)
	case Suricata:
		return [3]string{suricataAlias(name)}
	default:
		return [3]string{}
	}
}

// auditAlias maps the process_creation fields to those of Security event 4688,
// as SigmaHQ's own windows-audit pipeline does (pySigma-pipeline-sysmon-audit:
// Image, ParentImage, LogonId and IntegrityLevel; not User or ProcessId).
func (e *Event) auditAlias(name string) string {
	if e.source.Service != "security" || e.source.Category != "process_creation" {
		return ""
	}
	switch name {
	case "Image":
		return "NewProcessName"
	case "ParentImage":
		return "ParentProcessName"
	case "LogonId":
		return "SubjectLogonId"
	}
	return ""
}

// integrityLevel is MandatoryLabel of Security 4688 in the words of Sysmon
// (same pipeline; the labels are in MS-DTYP section 2.4.2.4).
func (e *Event) integrityLevel(name string) (Value, bool) {
	if name != "IntegrityLevel" || e.source.Category != "process_creation" {
		return Value{}, false
	}
	label := e.tape.str("MandatoryLabel")
	for _, level := range [...]struct{ sid, word string }{
		{"S-1-16-4096", "Low"}, {"S-1-16-8192", "Medium"}, {"S-1-16-12288", "High"}, {"S-1-16-16384", "System"},
	} {
		if level.sid == label {
			return StringValue(level.word), true
		}
	}
	return Value{}, false
}

// flatAliases are the names that flat exporters (NXLog as in the OTRF sets,
// Azure's Windows tables) give the System part of an event.
func flatAliases(name string) [3]string {
	switch name {
	case "Provider_Name":
		return [3]string{"SourceName", "ProviderName"}
	case "Provider_Guid":
		return [3]string{"ProviderGuid"}
	case "Data": // unnamed strings (PowerShell 400–800, Exchange) are dropped, but stand in the rendered message
		return [3]string{"Message"}
	case "Computer":
		return [3]string{"Hostname", "ComputerName"}
	case "EventRecordID":
		return [3]string{"RecordNumber", "RecordID"}
	case "Execution_ProcessID":
		return [3]string{"ExecutionProcessID"}
	case "Execution_ThreadID":
		return [3]string{"ThreadID"}
	case "Security_UserID":
		return [3]string{"UserID"}
	case "TimeCreated_SystemTime":
		return [3]string{"TimeCreated", "SystemTime"}
	}
	return [3]string{}
}

// winlogbeatAliases are the names of Winlogbeat's own fields since version 7
// and before it (Beats reference, exported fields, winlog).
func winlogbeatAliases(name string) (now, before string) {
	switch name {
	case "EventID":
		return "winlog.event_id", "event_id"
	case "Channel":
		return "winlog.channel", "log_name"
	case "Provider_Name":
		return "winlog.provider_name", "source_name"
	case "Provider_Guid":
		return "winlog.provider_guid", "provider_guid"
	case "Computer":
		return "winlog.computer_name", "computer_name"
	case "EventRecordID":
		return "winlog.record_id", "record_number"
	case "Keywords":
		return "winlog.keywords", "keywords"
	case "Task":
		return "winlog.task", "task"
	case "Opcode":
		return "winlog.opcode", "opcode"
	case "Level":
		return "log.level", "level"
	case "Message", "Data":
		return "message", ""
	case "Security_UserID":
		return "winlog.user.identifier", "user.identifier"
	}
	return "", ""
}

// ecsAlias maps Sigma's process, file, network, DNS and registry fields to the
// Elastic Common Schema, as pySigma's ecs_windows pipeline does.
func ecsAlias(name string) string {
	switch name {
	case "Image", "NewProcessName":
		return "process.executable"
	case "CommandLine":
		return "process.command_line"
	case "CurrentDirectory":
		return "process.working_directory"
	case "OriginalFileName":
		return "process.pe.original_file_name"
	case "ProcessId":
		return "process.pid"
	case "ProcessGuid":
		return "process.entity_id"
	case "ParentImage", "ParentProcessName":
		return "process.parent.executable"
	case "ParentCommandLine":
		return "process.parent.command_line"
	case "ParentProcessId":
		return "process.parent.pid"
	case "User":
		return "user.name"
	case "TargetFilename", "ImageLoaded":
		return "file.path"
	default:
		return ecsNetworkAlias(name)
	}
}

func ecsNetworkAlias(name string) string {
	switch name {
	case "SourceIp", "src_ip", "c-ip":
		return "source.ip"
	case "SourcePort", "src_port":
		return "source.port"
	case "DestinationIp", "dst_ip":
		return "destination.ip"
	case "DestinationPort", "dst_port":
		return "destination.port"
	case "DestinationHostname":
		return "destination.domain"
	case "Protocol":
		return "network.transport"
	case "QueryName", "query":
		return "dns.question.name"
	case "TargetObject":
		return "registry.path"
	case "Details":
		return "registry.data.strings"
	case "EventID":
		return "event.code"
	case "Computer":
		return "host.name"
	default:
		return ecsWebAlias(name)
	}
}

// ecsWebAlias maps the W3C names of proxy and webserver rules.
func ecsWebAlias(name string) string {
	switch name {
	case "c-uri", "cs-uri":
		return "url.original"
	case "cs-uri-stem", "c-uri-stem":
		return "url.path"
	case "cs-uri-query", "c-uri-query":
		return "url.query"
	case "c-uri-extension":
		return "url.extension"
	case "cs-host", "r-dns":
		return "url.domain"
	case "c-useragent", "cs-user-agent":
		return "user_agent.original"
	case "cs-method":
		return "http.request.method"
	case "cs-referrer", "cs-referer":
		return "http.request.referrer"
	case "sc-status":
		return "http.response.status_code"
	}
	return ""
}

// zeekAliases gives Zeek's names for the generic dns, proxy, webserver and
// firewall fields (taxonomy appendix, Other; Zeek log reference), and both ways
// of writing the connection's four parts.
func zeekAliases(name string) [3]string {
	switch name {
	case "src_ip", "c-ip", "SourceIp", "id.orig_h":
		return [3]string{"id.orig_h", "id_orig_h"}
	case "src_port", "SourcePort", "id.orig_p":
		return [3]string{"id.orig_p", "id_orig_p"}
	case "dst_ip", "DestinationIp", "id.resp_h":
		return [3]string{"id.resp_h", "id_resp_h"}
	case "dst_port", "DestinationPort", "id.resp_p":
		return [3]string{"id.resp_p", "id_resp_p"}
	case "c-uri", "cs-uri", "cs-uri-query":
		return [3]string{"uri"}
	case "c-useragent", "cs-user-agent":
		return [3]string{"user_agent"}
	case "cs-host", "r-dns":
		return [3]string{"host"}
	case "cs-method":
		return [3]string{"method"}
	case "cs-referrer", "cs-referer":
		return [3]string{"referrer"}
	case "sc-status":
		return [3]string{"status_code"}
	case "record_type":
		return [3]string{"qtype_name"}
	case "answer":
		return [3]string{"answers"}
	}
	return underscored(name)
}

// underscored is a dotted name as combined Zeek logs write it.
func underscored(name string) [3]string {
	if strings.IndexByte(name, '.') < 0 {
		return [3]string{}
	}
	return [3]string{strings.ReplaceAll(name, ".", "_")}
}

// suricataAlias gives EVE's names for the generic dns, proxy and firewall
// fields (Suricata user guide, EVE JSON format).
func suricataAlias(name string) string {
	switch name {
	case "dst_ip", "DestinationIp":
		return "dest_ip"
	case "dst_port", "DestinationPort":
		return "dest_port"
	case "SourceIp", "c-ip":
		return "src_ip"
	case "SourcePort":
		return "src_port"
	case "query", "QueryName":
		return "dns.rrname"
	case "record_type":
		return "dns.rrtype"
	case "c-uri", "cs-uri", "cs-uri-query":
		return "http.url"
	case "cs-host", "r-dns":
		return "http.hostname"
	case "c-useragent", "cs-user-agent":
		return "http.http_user_agent"
	case "cs-method":
		return "http.http_method"
	case "sc-status":
		return "http.status"
	}
	return ""
}
