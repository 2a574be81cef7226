package event

import "strings"

// ocsfSource names category and service of an OCSF event by its class and
// activity (Open Cybersecurity Schema Framework 1.x, class_uid and
// activity_id), in the way of SigmaHQ's pySigma-pipeline-ocsf.
func (e *Event) ocsfSource() Logsource {
	if provider := e.text("cloud.provider"); provider == "AWS" && e.text("api.operation") != "" {
		return Logsource{Product: "aws", Service: "cloudtrail"}
	}
	return Logsource{Product: e.ocsfProduct(), Category: e.ocsfCategory()}
}

// ocsfProduct is the operating system of the device.
func (e *Event) ocsfProduct() string {
	switch e.text("device.os.type_id") {
	case "100", "101":
		return "windows"
	case "200", "201":
		return "linux"
	case "300", "301":
		return "macos"
	}
	system := e.text("device.os.type")
	for _, known := range [...]string{"windows", "linux", "macos"} {
		if strings.EqualFold(system, known) {
			return known
		}
	}
	return ""
}

func (e *Event) ocsfCategory() string {
	activity := e.tape.str("activity_id")
	switch e.tape.str("class_uid") {
	case "1001":
		return ocsfFileCategory(activity)
	case "1002":
		return "driver_load"
	case "1005":
		if activity == "1" {
			return "image_load"
		}
	case "1007":
		return ocsfProcessCategory(activity, e.tape.str("activity_name"))
	case "201001":
		return ocsfRegistryCategory(activity)
	case "201002":
		if activity == "4" {
			return "registry_delete"
		}
		return "registry_set"
	case "2004":
		return "antivirus"
	case "4001":
		if _, host := e.tape.named("actor.process"); host {
			return "network_connection"
		}
		return "firewall"
	case "4002":
		return "proxy"
	case "4003":
		if _, host := e.tape.named("actor.process"); host {
			return "dns_query"
		}
		return "dns"
	}
	return ""
}

func ocsfProcessCategory(activity, name string) string {
	switch {
	case activity == "1":
		return "process_creation"
	case activity == "2":
		return "process_termination"
	case activity == "3", name == "Access":
		return "process_access"
	case activity == "4":
		return "create_remote_thread"
	}
	return ""
}

func ocsfFileCategory(activity string) string {
	switch activity {
	case "1":
		return "file_event"
	case "2", "14":
		return "file_access"
	case "3", "6":
		return "file_change"
	case "4":
		return "file_delete"
	case "5":
		return "file_rename"
	}
	return ""
}

func ocsfRegistryCategory(activity string) string {
	switch activity {
	case "1":
		return "registry_add"
	case "3":
		return "registry_set"
	case "4":
		return "registry_delete"
	case "5":
		return "registry_rename"
	}
	return "registry_event"
}

// flattenRegistryOCSF says in Sysmon's words what the schema has of the registry:
// the path of a value is that of its key (object win/reg_value).
func (t *tape) flattenRegistryOCSF() {
	kind := t.called("reg_value.type")
	switch t.called("reg_value.type_id") {
	case "1":
		kind = "BINARY"
	case "2":
		kind = "DWORD"
	case "8":
		kind = "QWORD"
	}
	t.sayRegistry(t.called("reg_value.path"), t.called("reg_value.name"), kind, t.any("reg_value.data|reg_value.reg_integer_data|reg_value.reg_string_data"))
	t.sayRegistry(t.called("reg_key.path"), "", "", "")
}

// derivedOCSF finds Sigma's fields in an OCSF event. What is about the process
// that acts lies under actor.process; in events about processes, process is the
// one that was started or reached, and the actor is its parent.
func (e *Event) derivedOCSF(name string) (Value, bool) {
	process, parent := "actor.process.", "actor.process.parent_process."
	switch e.source.Category {
	case "process_creation", "process_termination":
		process, parent = "process.", "process.parent_process."
	}
	if v, ok := e.ocsfProcess(name, process); ok {
		return v, true
	}
	if field := ocsfParent(name); field != "" {
		if v, ok := e.tape.namedIn(parent, field); ok || process != "process." {
			return v, ok
		}
		return e.tape.namedIn("actor.process.", field)
	}
	for _, other := range ocsfAliases(name) {
		if other == "" {
			break
		}
		if v, ok := e.tape.named(other); ok {
			return v, true
		}
	}
	switch name {
	case "Initiated":
		return e.initiated("connection_info.direction")
	case "Hashes":
		return e.ocsfHashes()
	}
	return Value{}, false
}

// ocsfHashes is Sysmon's Hashes: all of what the event is about, in one text.
func (e *Event) ocsfHashes() (Value, bool) {
	for _, of := range [...]string{"module", "driver", "process", "file"} {
		path := of + ".file.hashes"
		if of == "file" {
			path = "file.hashes"
		}
		hashes, ok := e.tape.named(path)
		if !ok {
			continue
		}
		var parts []string
		hashes.Each(func(h Value) bool {
			if h.tape == nil {
				return true
			}
			algorithm, value := h.tape.child(h.node, "algorithm"), h.tape.child(h.node, "value")
			if algorithm != 0 && value != 0 {
				name := strings.ReplaceAll(h.tape.body(&h.tape.nodes[algorithm]), "-", "")
				parts = append(parts, name+"="+h.tape.body(&h.tape.nodes[value]))
			}
			return true
		})
		return StringValue(strings.Join(parts, ",")), true
	}
	return Value{}, false
}

// ocsfProcess finds a field of the process whose path is given.
func (e *Event) ocsfProcess(name, process string) (Value, bool) {
	var field string
	switch name {
	case "Image", "SourceImage":
		field = "file.path"
	case "CommandLine", "SourceCommandLine":
		field = "cmd_line"
	case "ProcessId", "SourceProcessId":
		field = "pid"
	case "ProcessGuid":
		field = "uid"
	case "CurrentDirectory":
		field = "working_directory"
	case "OriginalFileName":
		field = "file.internal_name"
	case "Product":
		field = "file.product.name"
	case "Company":
		field = "file.company_name"
	case "Description":
		field = "file.desc"
	case "FileVersion":
		field = "file.version"
	case "IntegrityLevel":
		field = "integrity"
	case "User":
		field = "user.name"
	default:
		return Value{}, false
	}
	return e.tape.namedIn(process, field)
}

func ocsfParent(name string) string {
	switch name {
	case "ParentImage", "SourceParentImage":
		return "file.path"
	case "ParentCommandLine":
		return "cmd_line"
	case "ParentProcessId":
		return "pid"
	case "ParentUser":
		return "user.name"
	}
	return ""
}

// ocsfAliases are the places of what is about no process.
func ocsfAliases(name string) aliasNames {
	switch name {
	case "User", "SubjectUserName":
		return aliasNames{"actor.user.name", "user.name"}
	case "TargetUserName":
		return aliasNames{"user.name"}
	case "TargetImage":
		return aliasNames{"process.file.path"}
	case "GrantedAccess":
		return aliasNames{"actual_permissions", "requested_permissions"}
	case "TargetFilename", "Filename", "FileName":
		return aliasNames{"file_result.path", "file.path", "evidences.file.path", "evidences.file.name"}
	case "SourceFilename":
		return aliasNames{"file.path"}
	case "ImageLoaded":
		return aliasNames{"module.file.path", "driver.file.path"}
	case "Signature":
		return aliasNames{"finding_info.analytic.name", "malware.name", "finding_info.title"}
	case "EventID":
		return aliasNames{"metadata.event_code"}
	case "Channel", "EventLog":
		return aliasNames{"metadata.log_name"}
	case "Provider_Name":
		return aliasNames{"metadata.log_provider"}
	case "Computer":
		return aliasNames{"device.hostname", "device.name"}
	default:
		return ocsfNetworkAliases(name)
	}
}

func ocsfNetworkAliases(name string) aliasNames {
	switch name {
	case "SourceIp", "src_ip", "c-ip", "IpAddress", "sourceIPAddress":
		return aliasNames{"src_endpoint.ip"}
	case "SourcePort", "src_port", "IpPort":
		return aliasNames{"src_endpoint.port"}
	case "SourceHostname", "WorkstationName":
		return aliasNames{"src_endpoint.hostname"}
	case "DestinationIp", "dst_ip":
		return aliasNames{"dst_endpoint.ip"}
	case "DestinationPort", "dst_port":
		return aliasNames{"dst_endpoint.port"}
	case "DestinationHostname":
		return aliasNames{"dst_endpoint.hostname", "dst_endpoint.domain"}
	case "Protocol":
		return aliasNames{"connection_info.protocol_name"}
	case "action":
		return aliasNames{"disposition"}
	case "QueryName", "query":
		return aliasNames{"query.hostname"}
	case "record_type":
		return aliasNames{"query.type"}
	case "answer", "QueryResults":
		return aliasNames{"answers.rdata"}
	case "LogonType":
		return aliasNames{"logon_type_id"}
	default:
		return ocsfWebAliases(name)
	}
}

// ocsfWebAliases are those of HTTP, and of the calls of a cloud's interfaces.
func ocsfWebAliases(name string) aliasNames {
	switch name {
	case "c-uri", "cs-uri":
		return aliasNames{"http_request.url.url_string"}
	case "cs-uri-stem", "c-uri-stem":
		return aliasNames{"http_request.url.path"}
	case "cs-uri-query", "c-uri-query":
		return aliasNames{"http_request.url.query_string"}
	case "cs-host", "r-dns":
		return aliasNames{"http_request.url.hostname"}
	case "c-useragent", "cs-user-agent", "userAgent":
		return aliasNames{"http_request.user_agent"}
	case "cs-method":
		return aliasNames{"http_request.http_method"}
	case "cs-referrer", "cs-referer":
		return aliasNames{"http_request.referrer"}
	case "sc-status":
		return aliasNames{"http_response.code"}
	case "eventName":
		return aliasNames{"api.operation"}
	case "eventSource":
		return aliasNames{"api.service.name"}
	case "errorCode":
		return aliasNames{"api.response.error"}
	case "errorMessage":
		return aliasNames{"api.response.error_message"}
	case "userIdentity.type":
		return aliasNames{"actor.user.type"}
	case "userIdentity.arn":
		return aliasNames{"actor.user.uid_alt", "actor.user.uid"}
	}
	return aliasNames{}
}
