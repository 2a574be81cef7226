package event

import (
	"strconv"
	"strings"
)

// flattenCrowdStrike names the fields of an event as pySigma's pipelines for
// Falcon do. Its paths begin with the devices of volumes, not with letters of
// drives: rules for the end of a path hold, those for its beginning cannot.
func (t *tape) flattenCrowdStrike() Logsource {
	name := t.str("event_simpleName") + t.str("#event_simpleName")
	l := Logsource{Service: "crowdstrike", Category: crowdStrikeCategory(name)}
	switch t.str("event_platform") {
	case "Win", "":
		l.Product = "windows"
	case "Lin":
		l.Product = "linux"
	case "Mac":
		l.Product = "macos"
	}
	if word := sysmonIntegrity(t.str("IntegrityLevel")); word != "" {
		n := &t.nodes[t.lookup("IntegrityLevel")]
		n.kind = String
		n.start, n.end = t.intern(word)
	}
	t.give(crowdStrikeNames(l.Category))
	t.say("ParentImage", endOfPath(l.Product, t.str("ParentBaseFileName")))
	t.say("Image", endOfPath(l.Product, t.str("ContextBaseFileName")))
	t.say("Hashes", t.hashesOf([]naming{{"MD5", "MD5HashData"}, {"SHA1", "SHA1HashData"}, {"SHA256", "SHA256HashData"}}))
	switch l.Category {
	case "network_connection":
		t.say("Initiated", strconv.FormatBool(strings.HasPrefix(name, "NetworkConnect")))
	case "registry_set", "registry_add", "registry_event":
		t.sayRegistry(t.str("RegObjectName"), t.str("RegValueName"), "", t.str("RegStringValue"))
		t.say("Details", sysmonData("DWORD", t.str("RegNumericValue")))
	}
	return l
}

func crowdStrikeCategory(event string) string {
	switch event {
	case "ProcessRollup2", "SyntheticProcessRollup2":
		return "process_creation"
	case "EndOfProcess", "TerminateProcess":
		return "process_termination"
	case "DnsRequest":
		return "dns_query"
	case "NetworkConnectIP4", "NetworkConnectIP6", "NetworkReceiveAcceptIP4", "NetworkReceiveAcceptIP6":
		return "network_connection"
	case "ModuleLoad", "ClassifiedModuleLoad", "UnsignedModuleLoad", "ImageLoad":
		return "image_load"
	case "DriverLoad":
		return "driver_load"
	case "FileDeleteInfo", "ExecutableDeleted":
		return "file_delete"
	case "FileRenameInfo", "NewExecutableRenamed":
		return "file_rename"
	case "AsepKeyUpdate":
		return "registry_add"
	case "AsepValueUpdate", "RegGenericValueUpdate", "RegSystemConfigValueUpdate":
		return "registry_set"
	}
	if strings.HasSuffix(event, "Written") || event == "FileCreateInfo" {
		return "file_event"
	}
	return ""
}

func crowdStrikeNames(category string) []naming {
	names := []naming{{"Computer", "ComputerName"}, {"User", "UserName"}, {"ProcessId", "RawProcessId"}, {"ProcessGuid", "TargetProcessId"}}
	switch category {
	case "process_creation", "process_termination":
		return append(names, []naming{{"Image", "ImageFileName"}, {"OriginalFileName", "OriginalFilename"}}...)
	case "image_load", "driver_load":
		return append(names, []naming{{"ImageLoaded", "ImageFileName"}, {"Image", "ContextImageFileName"}}...)
	case "dns_query":
		return append(names, []naming{{"QueryName", "DomainName"}, {"QueryResults", "IP4Records"}, {"QueryResults", "IP6Records"}, {"Image", "ContextImageFileName"}}...)
	case "network_connection":
		return append(names, []naming{{"DestinationIp", "RemoteAddressIP4"}, {"DestinationIp", "RemoteAddressIP6"}, {"DestinationPort", "RemotePort"},
			{"SourceIp", "LocalAddressIP4"}, {"SourceIp", "LocalAddressIP6"}, {"SourcePort", "LocalPort"}, {"Image", "ContextImageFileName"}}...)
	case "file_event", "file_delete", "file_rename":
		return append(names, []naming{{"TargetFilename", "TargetFileName"}, {"SourceFilename", "SourceFileName"}, {"Image", "ContextImageFileName"}}...)
	}
	return append(names, naming{"Image", "ContextImageFileName"})
}

// sentinelEvent is the type of a SentinelOne event, "" for other records.
func (t *tape) sentinelEvent() string {
	if kind := t.called("event.type"); kind != "" {
		return kind
	}
	return t.str("EventType")
}

// sentinelProcess says whether a record has SentinelOne's names of processes.
func (t *tape) sentinelProcess() bool {
	for _, name := range [...]string{"src.process.image.path", "tgt.process.image.path", "src.process.cmdline", "tgt.process.cmdline", "src.process.name"} {
		if t.place(name) != 0 {
			return true
		}
	}
	return t.hasAny("SrcProcImagePath", "TgtProcImagePath", "SrcProcCmdLine", "TgtProcCmdLine", "SrcProcName")
}

// flattenSentinel names the fields of an event as pySigma's pipelines for
// SentinelOne do.
func (t *tape) flattenSentinel() Logsource {
	l := Logsource{Service: "sentinelone", Category: sentinelCategory(t.sentinelEvent()), Product: strings.ToLower(t.called("endpoint.os") + t.str("EndpointOS"))}
	if l.Product == "osx" {
		l.Product = "macos"
	}
	if l.Category == "process_creation" {
		t.give(sentinelNames("tgt.process.", "TgtProc", "src.process.", "SrcProc"))
		t.say("Hashes", t.hashesOf([]naming{{"MD5", "tgt.process.image.md5"}, {"SHA1", "tgt.process.image.sha1"}, {"SHA256", "tgt.process.image.sha256"}}))
	} else {
		t.give(sentinelNames("src.process.", "SrcProc", "src.process.parent.", "SrcProcParent"))
		t.give(sentinelObject(l.Category))
	}
	switch l.Category {
	case "registry_set", "registry_add", "registry_delete", "registry_rename":
		t.sayRegistry(t.called("registry.keyPath")+t.str("RegistryKeyPath"), "", "", "")
	case "network_connection":
		t.say("Initiated", map[string]string{"OUTGOING": "true", "INCOMING": "false"}[t.called("event.network.direction")+t.str("NetConnStatus")])
	}
	return l
}

func sentinelCategory(event string) string {
	switch strings.ToLower(strings.ReplaceAll(event, " ", "")) {
	case "processcreation":
		return "process_creation"
	case "processtermination", "processexit":
		return "process_termination"
	case "filecreation", "filemodification":
		return "file_event"
	case "filedeletion", "filedelete":
		return "file_delete"
	case "filerename":
		return "file_rename"
	case "filescan", "fileopen":
		return "file_access"
	case "moduleload":
		return "image_load"
	case "driverload":
		return "driver_load"
	case "namedpipecreation", "namedpipeconnection":
		return "pipe_created"
	case "registryvaluemodified", "registryvaluecreate":
		return "registry_set"
	case "registrykeycreate":
		return "registry_add"
	case "registrykeydelete", "registryvaluedelete":
		return "registry_delete"
	case "registrykeyrename":
		return "registry_rename"
	case "ipconnect", "ipconnection":
		return "network_connection"
	case "dnsresolved", "dnsunresolved":
		return "dns_query"
	case "remotethreadcreation":
		return "create_remote_thread"
	case "openremoteprocesshandle":
		return "process_access"
	}
	return ""
}

// sentinelNames names a process and its parent, in the names of Cloud Funnel
// and of Deep Visibility before it.
func sentinelNames(of, old, parent, oldParent string) []naming {
	return []naming{
		{"Image", of + "image.path"}, {"Image", old + "ImagePath"}, {"CommandLine", of + "cmdline"}, {"CommandLine", old + "CmdLine"},
		{"User", of + "user"}, {"User", old + "User"}, {"ProcessId", of + "pid"}, {"ProcessId", old + "PID"}, {"ProcessGuid", of + "uid"},
		{"IntegrityLevel", of + "integrityLevel"}, {"IntegrityLevel", old + "IntegrityLevel"}, {"Description", of + "displayName"},
		{"Company", of + "publisher"}, {"ParentImage", parent + "image.path"}, {"ParentImage", oldParent + "ImagePath"},
		{"ParentCommandLine", parent + "cmdline"}, {"ParentCommandLine", oldParent + "CmdLine"}, {"ParentProcessId", parent + "pid"},
		{"ParentUser", parent + "user"}, {"Computer", "endpoint.name"}, {"Computer", "EndpointName"},
	}
}

func sentinelObject(category string) []naming {
	switch category {
	case "file_event", "file_delete", "file_rename", "file_access":
		return []naming{{"TargetFilename", "tgt.file.path"}, {"TargetFilename", "TgtFilePath"}, {"SourceFilename", "tgt.file.oldPath"}, {"SourceFilename", "TgtFileOldPath"}}
	case "image_load", "driver_load":
		return []naming{{"ImageLoaded", "module.path"}, {"ImageLoaded", "ModulePath"}, {"ImageLoaded", "driver.path"}}
	case "pipe_created":
		return []naming{{"PipeName", "namedPipe.name"}, {"PipeName", "NamedPipeName"}}
	case "registry_set":
		return []naming{{"Details", "registry.value"}, {"Details", "RegistryValue"}}
	case "registry_rename":
		return []naming{{"NewName", "registry.value"}}
	case "dns_query":
		return []naming{{"QueryName", "event.dns.request"}, {"QueryName", "DNSRequest"}, {"QueryResults", "event.dns.response"}, {"QueryResults", "DNSResponse"}}
	case "network_connection":
		return []naming{
			{"DestinationIp", "dst.ip.address"}, {"DestinationIp", "DstIP"}, {"DestinationPort", "dst.port.number"}, {"DestinationPort", "DstPort"},
			{"SourceIp", "src.ip.address"}, {"SourceIp", "SrcIP"}, {"SourcePort", "src.port.number"}, {"SourcePort", "SrcPort"}, {"DestinationHostname", "url.address"},
		}
	case "process_access", "create_remote_thread":
		return []naming{{"SourceImage", "src.process.image.path"}, {"TargetImage", "tgt.process.image.path"}, {"SourceCommandLine", "src.process.cmdline"}}
	}
	return nil
}
