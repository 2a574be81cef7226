package event

import "strings"

// What a record is about by the names of its fields alone, for records that say
// neither program nor channel: samples that come with rules, mostly.

// genericSource recognises the field names that the taxonomy gives to its
// categories.
func (t *tape) genericSource() Logsource {
	switch {
	case t.hasAny("c-uri", "c-useragent", "c-uri-query", "c-uri-extension", "cs-uri-scheme", "cs-uri-path"):
		return Logsource{Category: "proxy"}
	case t.hasAny("cs-uri-query", "cs-uri-stem", "cs-user-agent"):
		return Logsource{Category: "webserver"}
	case t.hasAny("cs-uri", "cs-host", "cs-cookie"):
		return Logsource{Category: "proxy"}
	case t.has("dst_port") && t.hasAny("src_ip", "dst_ip", "action"):
		return Logsource{Category: "firewall"}
	case t.has("query") && t.hasAny("record_type", "answer"):
		return Logsource{Category: "dns"}
	case t.has("Signature") && t.has("Filename"):
		return Logsource{Category: "antivirus"}
	case t.has("type") && t.hasAny("a0", "syscall", "SYSCALL", "nametype", "auid"):
		return Logsource{Product: "linux", Service: "auditd"}
	}
	if category := t.hostCategory(); category != "" {
		return Logsource{Product: t.hostProduct(), Category: category}
	}
	return Logsource{}
}

// hostCategory is the category of a record with the names of Sysmon's fields.
func (t *tape) hostCategory() string {
	switch {
	case t.has("SourceImage") && t.has("TargetImage"):
		if t.hasAny("StartAddress", "StartFunction", "StartModule", "NewThreadId") {
			return "create_remote_thread"
		}
		return "process_access"
	case t.has("ScriptBlockText"):
		return "ps_script"
	case t.has("ContextInfo"):
		return "ps_module"
	case t.has("ImageLoaded"):
		if t.has("Image") {
			return "image_load"
		}
		return "driver_load"
	case t.has("TargetObject"):
		return registryShape(t.has("Details"), t.str("EventType"))
	case t.has("Image"):
		return t.processCategory()
	case t.has("CommandLine") && t.hasAny("ParentImage", "OriginalFileName"):
		return "process_creation"
	}
	return ""
}

// processCategory is the category of what a process did.
func (t *tape) processCategory() string {
	switch {
	case t.has("PipeName"):
		return "pipe_created"
	case t.has("QueryName"):
		return "dns_query"
	case t.hasAny("DestinationIp", "DestinationHostname"):
		return "network_connection"
	case t.has("Device"):
		return "raw_access_thread"
	case t.has("TargetFilename") && t.has("SourceFilename"):
		return "file_rename"
	case t.has("TargetFilename") && t.hasAny("Contents", "Hash"):
		return "create_stream_hash"
	case t.has("TargetFilename"):
		return "file_event"
	case t.has("FileName"):
		return "file_access"
	case t.hasAny("CommandLine", "ParentImage"):
		return "process_creation"
	}
	return ""
}

func registryShape(details bool, eventType string) string {
	if details {
		return "registry_set"
	}
	return registryCategory(eventType)
}

// hostProduct tells Windows from others by its paths.
func (t *tape) hostProduct() string {
	for _, name := range [...]string{"Image", "ImageLoaded", "ParentImage", "SourceImage", "TargetFilename", "TargetObject", "ScriptBlockText"} {
		path := t.str(name)
		if path == "" {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			return "windows"
		}
		if strings.HasPrefix(path, "/Applications/") || strings.HasPrefix(path, "/System/") || strings.HasPrefix(path, "/Library/") ||
			strings.HasPrefix(path, "/Users/") || strings.HasPrefix(path, "/private/") {
			return "macos"
		}
		return "linux"
	}
	return "windows"
}

// shapeOfChannel is the channel of a Windows event that has a number and says
// neither channel nor provider, by fields that only that channel's events have.
func (t *tape) shapeOfChannel() string {
	switch {
	case t.hasAny("UtcTime", "ProcessGuid", "SourceProcessGUID", "SourceProcessGuid"):
		return "Microsoft-Windows-Sysmon/Operational"
	case t.hasAny("SubjectUserSid", "SubjectUserName", "SubjectLogonId", "NewProcessName", "TargetUserSid"):
		return "Security"
	case t.hasAny("ScriptBlockText", "ScriptBlockId", "ContextInfo"):
		return "Microsoft-Windows-PowerShell/Operational"
	case t.hostCategory() != "":
		return "Microsoft-Windows-Sysmon/Operational"
	}
	return numberChannel(t.str("EventID"))
}

// numberChannel is the channel of the numbers that hardly any other uses:
// Security's own ranges, the service control manager's, PowerShell's two.
func numberChannel(id string) string {
	n := 0
	if len(id) == 4 {
		n = digits(id)
	}
	switch {
	case n >= 4608 && n < 5000, n >= 5024 && n < 5160:
		return "Security"
	case n >= 7030 && n <= 7045:
		return "System"
	case n == 4103, n == 4104:
		return "Microsoft-Windows-PowerShell/Operational"
	}
	return ""
}
