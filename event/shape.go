package event

import "strings"

// What a record is about by the names of its fields alone, for records that say
// neither program nor channel: samples that come with rules, mostly.

// genericSource recognises the field names that the taxonomy gives to its
// categories.
func (t *tape) genericSource() Logsource {
	switch {
	case t.hasAny("c-uri", "c-useragent"):
		return Logsource{Category: "proxy"}
	case t.hasAny("cs-uri-query", "cs-uri-stem"):
		return Logsource{Category: "webserver"}
	case t.has("src_ip") && t.has("dst_ip") && t.has("dst_port"):
		return Logsource{Category: "firewall"}
	case t.has("query") && t.hasAny("record_type", "answer"):
		return Logsource{Category: "dns"}
	case t.has("Signature") && t.has("Filename"):
		return Logsource{Category: "antivirus"}
	}
	if category := t.hostCategory(); category != "" {
		return Logsource{Product: t.hostProduct(), Category: category}
	}
	return Logsource{}
}

// hostCategory is the category of a record with the names of Sysmon's fields.
func (t *tape) hostCategory() string {
	image := t.has("Image")
	switch {
	case t.has("SourceImage") && t.has("TargetImage"):
		if t.hasAny("StartAddress", "StartFunction", "StartModule", "NewThreadId") {
			return "create_remote_thread"
		}
		return "process_access"
	case t.has("ScriptBlockText"):
		return "ps_script"
	case t.has("ImageLoaded"):
		if image {
			return "image_load"
		}
		return "driver_load"
	case t.has("TargetObject"):
		return registryShape(t.has("Details"), t.str("EventType"))
	case image && t.has("PipeName"):
		return "pipe_created"
	case image && t.has("QueryName"):
		return "dns_query"
	case image && t.hasAny("DestinationIp", "DestinationHostname"):
		return "network_connection"
	case image && t.has("TargetFilename"):
		return "file_event"
	case t.has("CommandLine") && (image || t.hasAny("ParentImage", "OriginalFileName")), image && t.has("ParentImage"):
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
	return ""
}
