package event

import "strings"

// aliasNames are the names that a dialect gives a field, best first, and then
// empty strings.
type aliasNames [5]string

// aliases returns the names that a dialect gives a field of Sigma's taxonomy.
func (e *Event) aliases(name string) aliasNames {
	switch e.dialect {
	case WindowsFlat:
		if a := e.auditAlias(name); a != "" {
			return aliasNames{a}
		}
		return flatAliases(name)
	case WindowsEVTX:
		if a := e.auditAlias(name); a != "" {
			return aliasNames{a}
		}
		return evtxAliases(name)
	case Winlogbeat:
		if a := e.auditAlias(name); a != "" {
			return aliasNames{a, ecsAlias(name)}
		}
		return winlogbeatAliases(name)
	case ECS:
		return aliasNames{ecsAlias(name)}
	case Zeek:
		return zeekAliases(name)
	case Suricata:
		return suricataAliases(name)
	case Pairs:
		return pairAliases(name)
	case Syslog:
		return syslogAliases(name)
	case Generic, AccessLog:
		return w3cAliases(name)
	default:
		return aliasNames{}
	}
}

// auditAlias maps the process_creation fields to those of Security event 4688,
// as SigmaHQ's own windows-audit pipeline does (pySigma-pipeline-sysmon-audit:
// Image, ParentImage, LogonId and IntegrityLevel; not User or ProcessId), and
// those of antivirus rules to Defender's (SigmaHQ's tests/thor.yml).
func (e *Event) auditAlias(name string) string {
	switch {
	case e.source.Category == "process_creation" && e.source.Service == "security":
		switch name {
		case "Image":
			return "NewProcessName"
		case "ParentImage":
			return "ParentProcessName"
		case "LogonId":
			return "SubjectLogonId"
		}
	case e.source.Category == "antivirus":
		switch name {
		case "Signature":
			return "ThreatName"
		case "Filename":
			return "Path"
		}
	}
	return ""
}

// integrityLevel is MandatoryLabel of Security 4688 in the words of Sysmon
// (same pipeline).
func (e *Event) integrityLevel(name string) (Value, bool) {
	if name != "IntegrityLevel" || e.source.Category != "process_creation" {
		return Value{}, false
	}
	if level := sysmonIntegrity(e.tape.str("MandatoryLabel")); level != "" {
		return StringValue(level), true
	}
	return Value{}, false
}

// evtxAliases are the names that Wazuh gives the System part of an event, and
// rules for the RPC firewall the channel.
func evtxAliases(name string) aliasNames {
	switch name {
	case "TimeCreated_SystemTime":
		return aliasNames{"SystemTime"}
	case "EventLog":
		return aliasNames{"Channel"}
	}
	return aliasNames{}
}

// flatAliases are the names that flat exporters (NXLog as in the OTRF sets,
// Azure's Windows tables, EvtxECmd, Get-WinEvent, Splunk) give the System part
// of an event.
func flatAliases(name string) aliasNames {
	switch name {
	case "EventID":
		return aliasNames{"EventId", "EventCode", "Id", "winlog.event_id", "event.code"}
	case "Channel":
		return aliasNames{"EventLog", "LogName", "winlog.channel"}
	case "EventLog":
		return aliasNames{"Channel", "LogName"}
	case "Provider_Name":
		return aliasNames{"SourceName", "ProviderName", "Provider", "EventSourceName", "Source"}
	case "Provider_Guid":
		return aliasNames{"ProviderGuid"}
	case "Data": // unnamed strings (PowerShell 400–800, Exchange) are dropped, but stand in the rendered message
		return aliasNames{"Message", "RenderedDescription"}
	case "Computer":
		return aliasNames{"Hostname", "ComputerName", "MachineName", "host"}
	case "EventRecordID":
		return aliasNames{"RecordNumber", "RecordID", "EventRecordId", "RecordId"}
	case "Execution_ProcessID":
		return aliasNames{"ExecutionProcessID"}
	case "Execution_ThreadID":
		return aliasNames{"ThreadID", "ThreadId"}
	case "Security_UserID":
		return aliasNames{"UserID", "UserId"}
	case "TimeCreated_SystemTime":
		return aliasNames{"TimeCreated", "SystemTime"}
	}
	return aliasNames{}
}

// winlogbeatAliases are the names of Winlogbeat's own fields since version 7
// and before it (Beats reference, exported fields, winlog).
func winlogbeatAliases(name string) aliasNames {
	switch name {
	case "EventID":
		return aliasNames{"winlog.event_id", "event_id", ecsAlias(name)}
	case "Channel":
		return aliasNames{"winlog.channel", "log_name", "channel", ecsAlias(name)}
	case "Provider_Name":
		return aliasNames{"winlog.provider_name", "source_name", "provider_name", ecsAlias(name)}
	case "Provider_Guid":
		return aliasNames{"winlog.provider_guid", "provider_guid", ecsAlias(name)}
	case "Computer":
		return aliasNames{"winlog.computer_name", "computer_name", "computer", ecsAlias(name)}
	case "EventRecordID":
		return aliasNames{"winlog.record_id", "record_number", "record_id", ecsAlias(name)}
	case "Keywords":
		return aliasNames{"winlog.keywords", "keywords", ecsAlias(name)}
	case "Task":
		return aliasNames{"winlog.task", "task", ecsAlias(name)}
	case "Opcode":
		return aliasNames{"winlog.opcode", "opcode", ecsAlias(name)}
	case "Level":
		return aliasNames{"log.level", "level", ecsAlias(name)}
	case "Message", "Data":
		return aliasNames{"message"}
	case "Security_UserID":
		return aliasNames{"winlog.user.identifier", "user.identifier", ecsAlias(name)}
	}
	return aliasNames{ecsAlias(name)}
}

// zeekAliases gives Zeek's names for the generic dns, proxy, webserver and
// firewall fields (taxonomy appendix, Other; Zeek log reference), and both ways
// of writing the connection's four parts.
func zeekAliases(name string) aliasNames {
	switch name {
	case "src_ip", "c-ip", "SourceIp", "id.orig_h", "source.ip":
		return aliasNames{"id.orig_h", "id_orig_h"}
	case "src_port", "SourcePort", "id.orig_p", "source.port":
		return aliasNames{"id.orig_p", "id_orig_p"}
	case "dst_ip", "DestinationIp", "id.resp_h", "destination.ip":
		return aliasNames{"id.resp_h", "id_resp_h"}
	case "dst_port", "DestinationPort", "id.resp_p", "destination.port":
		return aliasNames{"id.resp_p", "id_resp_p"}
	case "cs-uri-query":
		return aliasNames{"uri"}
	case "c-useragent", "cs-user-agent":
		return aliasNames{"user_agent"}
	case "cs-host", "r-dns":
		return aliasNames{"host"}
	case "cs-method":
		return aliasNames{"method"}
	case "cs-referrer", "cs-referer":
		return aliasNames{"referrer"}
	case "sc-status":
		return aliasNames{"status_code"}
	case "record_type", "dns.question.type":
		return aliasNames{"qtype_name"}
	case "answer", "dns.answers.data":
		return aliasNames{"answers"}
	case "dns.question.name":
		return aliasNames{"query"}
	case "network.transport":
		return aliasNames{"proto"}
	case "network.protocol":
		return aliasNames{"service"}
	case "network.state":
		return aliasNames{"conn_state"}
	}
	return underscored(name)
}

// underscored is a dotted name as combined Zeek logs write it.
func underscored(name string) aliasNames {
	if strings.IndexByte(name, '.') < 0 {
		return aliasNames{}
	}
	return aliasNames{strings.ReplaceAll(name, ".", "_")}
}

// syslogAliases are the names that systemd's journal gives what a line of syslog
// says (systemd.journal-fields).
func syslogAliases(name string) aliasNames {
	switch name {
	case "message":
		return aliasNames{"MESSAGE", "SyslogMessage"}
	case "program":
		return aliasNames{"SYSLOG_IDENTIFIER", "_COMM", "ProcessName"}
	case "hostname":
		return aliasNames{"_HOSTNAME", "HostName"}
	case "pid":
		return aliasNames{"SYSLOG_PID", "_PID"}
	}
	return aliasNames{}
}

// w3cAliases are the names that the Extended Log File Format gives headers, and
// the two names that Sigma's categories proxy and webserver have for one thing.
func w3cAliases(name string) aliasNames {
	switch name {
	case "cs-user-agent":
		return aliasNames{"cs(User-Agent)", "c-useragent"}
	case "c-useragent":
		return aliasNames{"cs(User-Agent)", "cs-user-agent"}
	case "cs-referer":
		return aliasNames{"cs(Referer)", "cs-referrer"}
	case "cs-referrer":
		return aliasNames{"cs(Referer)", "cs-referer"}
	case "cs-cookie":
		return aliasNames{"cs(Cookie)"}
	case "cs-host":
		return aliasNames{"cs(Host)"}
	}
	return webAliases(name)
}

// suricataAliases gives EVE's names for the generic dns, proxy, firewall and
// network fields (Suricata user guide, EVE JSON format; its DNS records have
// three versions).
func suricataAliases(name string) aliasNames {
	switch name {
	case "dst_ip", "DestinationIp", "destination.ip":
		return aliasNames{"dest_ip"}
	case "dst_port", "DestinationPort", "destination.port":
		return aliasNames{"dest_port"}
	case "SourceIp", "c-ip", "source.ip":
		return aliasNames{"src_ip"}
	case "SourcePort", "source.port":
		return aliasNames{"src_port"}
	case "network.transport":
		return aliasNames{"proto"}
	case "query", "QueryName", "dns.question.name":
		return aliasNames{"dns.rrname", "dns.queries.rrname", "dns.query.rrname"}
	case "record_type", "dns.question.type":
		return aliasNames{"dns.rrtype", "dns.queries.rrtype", "dns.query.rrtype"}
	case "answer", "dns.answers.data":
		return aliasNames{"dns.answers.rdata", "dns.rdata", "dns.grouped.A", "dns.grouped.TXT", "dns.grouped.CNAME"}
	case "cs-uri-query":
		return aliasNames{"http.url"}
	case "cs-host", "r-dns":
		return aliasNames{"http.hostname"}
	case "c-useragent", "cs-user-agent":
		return aliasNames{"http.http_user_agent"}
	case "cs-method":
		return aliasNames{"http.http_method"}
	case "cs-referrer", "cs-referer":
		return aliasNames{"http.http_refer"}
	case "sc-status":
		return aliasNames{"http.status"}
	}
	return aliasNames{}
}
