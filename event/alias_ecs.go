package event

import "strings"

// ecsAlias maps Sigma's process, file, network, DNS and registry fields to the
// Elastic Common Schema, as pySigma's ecs_windows pipeline does.
func ecsAlias(name string) string {
	switch name {
	case "Image", "NewProcessName", "ProcessName", "SourceImage", "Application":
		return "process.executable"
	case "CommandLine", "HostApplication":
		return "process.command_line"
	case "CurrentDirectory":
		return "process.working_directory"
	case "ProcessId", "NewProcessId", "SourceProcessId":
		return "process.pid"
	case "ProcessGuid", "SourceProcessGuid":
		return "process.entity_id"
	case "ParentImage", "ParentProcessName":
		return "process.parent.executable"
	case "ParentCommandLine":
		return "process.parent.command_line"
	case "ParentProcessId":
		return "process.parent.pid"
	case "ParentProcessGuid":
		return "process.parent.entity_id"
	case "SubjectUserName", "AccountName":
		return "user.name"
	case "SubjectDomainName", "TargetDomainName", "AccountDomain":
		return "user.domain"
	case "SubjectUserSid":
		return "user.id"
	case "SubjectLogonId", "TargetLogonId", "LogonId":
		return "winlog.logon.id"
	default:
		return ecsFileAlias(name)
	}
}

// foreign says whether a field is one that events of this category do not have,
// where one place of the schema stands for fields of several categories: the
// executable of a process is its Image, and its SourceImage only where another
// process is reached.
func (e *Event) foreign(name string) bool {
	category := e.source.Category
	switch e.dialect {
	case ECS, Winlogbeat, OCSF:
	default:
		return false
	}
	if category == "" {
		return false
	}
	switch name {
	case "SourceImage", "SourceProcessId", "SourceProcessGuid", "SourceCommandLine", "TargetImage":
		return category != "process_access" && category != "create_remote_thread"
	case "ImageLoaded", "Signed", "SignatureStatus":
		return category != "image_load" && category != "driver_load"
	case "Signature":
		return category != "image_load" && category != "driver_load" && category != "antivirus"
	case "TargetFilename", "FileName", "SourceFilename":
		return !strings.HasPrefix(category, "file_") && category != "create_stream_hash" && category != "antivirus"
	case "PipeName":
		return category != "pipe_created"
	case "Device":
		return category != "raw_access_thread"
	}
	return false
}

// ecsFileAlias maps what files, libraries and scripts have.
func ecsFileAlias(name string) string {
	switch name {
	case "TargetFilename", "ImageLoaded", "FileName", "ScriptName", "Device":
		return "file.path"
	case "PipeName":
		return "file.name"
	case "Signed":
		return "file.code_signature.signed"
	case "Signature":
		return "file.code_signature.subject_name"
	case "SignatureStatus":
		return "file.code_signature.status"
	case "Imphash":
		return "file.pe.imphash"
	case "TargetObject":
		return "registry.path"
	case "Details":
		return "registry.data.strings"
	case "ScriptBlockText", "Payload":
		return "powershell.file.script_block_text"
	case "ServiceName":
		return "service.name"
	case "EventID":
		return "event.code"
	case "Provider_Name":
		return "event.provider"
	case "Computer":
		return "host.name"
	default:
		return ecsNetworkAlias(name)
	}
}

func ecsNetworkAlias(name string) string {
	switch name {
	case "SourceIp", "src_ip", "c-ip", "IpAddress", "ClientAddress", "SourceAddress", "sourceIPAddress":
		return "source.ip"
	case "SourcePort", "src_port", "IpPort":
		return "source.port"
	case "SourceHostname", "WorkstationName", "ClientName":
		return "source.domain"
	case "DestinationIp", "dst_ip", "DestAddress":
		return "destination.ip"
	case "DestinationPort", "dst_port", "DestPort":
		return "destination.port"
	case "DestinationHostname":
		return "destination.domain"
	case "DestinationPortName":
		return "network.protocol"
	case "Protocol":
		return "network.transport"
	case "QueryName", "query":
		return "dns.question.name"
	case "record_type":
		return "dns.question.type"
	case "answer":
		return "dns.answers.data"
	case "eventName":
		return "event.action"
	case "eventSource":
		return "event.provider"
	default:
		return ecsWebAlias(name)
	}
}

// ecsWebAlias maps the W3C names of proxy and webserver rules.
func ecsWebAlias(name string) string {
	switch name {
	case "cs-uri-stem", "c-uri-stem":
		return "url.path"
	case "cs-uri-query": // of a web server: the path with the query, see access
		return "url.original"
	case "c-uri-query":
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

// flattenRegistryECS says in Sysmon's words what the schema has of the registry:
// numbers in decimal, beside their type.
func (t *tape) flattenRegistryECS() {
	t.sayRegistry(t.called("registry.path"), "", "", "")
	data := t.called("registry.data.strings")
	if text := sysmonData(t.called("registry.data.type"), data); text != data {
		t.say("Details", text)
	}
}

// derivedECS finds what the schema keeps in other forms than Windows events, or
// in places that depend on what the event is about.
func (e *Event) derivedECS(name string) (Value, bool) {
	t := &e.tape
	switch name {
	case "OriginalFileName", "Product", "Company", "Description", "FileVersion":
		field := peField(name)
		if v, ok := t.namedIn("process.pe.", field); ok && e.source.Category != "image_load" {
			return v, true
		}
		for _, of := range [...]string{"dll.pe.", "file.pe."} {
			if v, ok := t.namedIn(of, field); ok {
				return v, true
			}
		}
	case "ImageLoaded":
		return t.named("dll.path")
	case "Signed":
		return t.named("dll.code_signature.signed")
	case "Signature":
		return t.named("dll.code_signature.subject_name")
	case "SignatureStatus":
		return t.named("dll.code_signature.status")
	case "Hashes":
		return e.ecsHashes()
	case "Initiated":
		return e.initiated("network.direction")
	case "IntegrityLevel":
		return t.named("process.Ext.token.integrity_level_name")
	case "Details":
		return t.named("registry.data.bytes")
	case "LogonType":
		return t.named("winlog.logon.type")
	case "CommandLine":
		return e.ecsArguments()
	case "key": // of audit rules, which Auditbeat has among its tags
		if e.source.Service == "auditd" {
			return t.named("tags")
		}
	case "User": // behind its domain, as Windows and Sysmon write it
		if account := t.account("user.domain", "user.name"); account != "" {
			return StringValue(account), true
		}
	case "c-uri", "cs-uri":
		return bothURIs(t.called("url.scheme"), t.called("url.domain"), t.any("url.original|url.full|url.path"))
	case "cs-uri-query":
		return t.named("url.query")
	}
	if v, ok := e.derivedWeb(name); ok {
		return v, true
	}
	return e.derivedCloud(name)
}

// ecsArguments is the command line of a process of which the record has only the
// arguments, as Auditbeat's have.
func (e *Event) ecsArguments() (Value, bool) {
	if v, ok := e.tape.named("process.title"); ok {
		return v, true
	}
	args, ok := e.tape.named("process.args")
	if !ok {
		return Value{}, false
	}
	var parts []string
	args.Each(func(item Value) bool { parts = append(parts, item.Text()); return true })
	return StringValue(strings.Join(parts, " ")), true
}

// peField is the schema's name for a part of a program's version information.
func peField(name string) string {
	switch name {
	case "OriginalFileName":
		return "original_file_name"
	case "FileVersion":
		return "file_version"
	case "Product":
		return "product"
	case "Company":
		return "company"
	}
	return "description"
}

// initiated is Sysmon's Initiated, from a field that says the direction.
func (e *Event) initiated(field string) (Value, bool) {
	switch strings.ToLower(e.text(field)) {
	case "egress", "outbound", "outgoing":
		return StringValue("true"), true
	case "ingress", "inbound", "incoming":
		return StringValue("false"), true
	}
	return Value{}, false
}

// ecsHashes is Sysmon's Hashes: all of the process or file, in one text.
func (e *Event) ecsHashes() (Value, bool) {
	var parts []string
	for _, of := range [...]string{"dll.", "file.", "process."} {
		for _, h := range [...]struct{ name, field string }{
			{"MD5", "hash.md5"}, {"SHA1", "hash.sha1"}, {"SHA256", "hash.sha256"}, {"IMPHASH", "pe.imphash"},
		} {
			if v, ok := e.tape.named(of + h.field); ok {
				parts = append(parts, h.name+"="+v.Text())
			}
		}
		if parts != nil {
			return StringValue(strings.Join(parts, ",")), true
		}
	}
	return Value{}, false
}
