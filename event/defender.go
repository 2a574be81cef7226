package event

import "strings"

// advancedHunting says whether a category of Azure's diagnostic records is that of
// the tables, as they are streamed to event hubs and storage accounts.
func advancedHunting(category string) bool { return strings.HasPrefix(category, "AdvancedHunting-") }

// defenderXDRCategory names the category of a row of Microsoft Defender XDR's
// advanced hunting tables by what was done (Microsoft Learn, advanced hunting
// schema tables; ActionType).
func defenderXDRCategory(action string) string {
	switch action {
	case "ProcessCreated", "ProcessCreatedUsingWmiQuery":
		return "process_creation"
	case "FileCreated", "FileModified":
		return "file_event"
	case "FileTimestampModificationEvent":
		return "file_change"
	case "SensitiveFileRead":
		return "file_access"
	case "FileRenamed":
		return "file_rename"
	case "FileDeleted":
		return "file_delete"
	case "ImageLoaded":
		return "image_load"
	case "DriverLoad":
		return "driver_load"
	case "RegistryValueSet":
		return "registry_set"
	case "RegistryKeyCreated":
		return "registry_add"
	case "RegistryKeyDeleted", "RegistryValueDeleted":
		return "registry_delete"
	case "RegistryKeyRenamed":
		return "registry_rename"
	case "NamedPipeEvent":
		return "pipe_created"
	case "DnsQueryResponse", "DnsQueryRequest":
		return "dns_query"
	case "WmiBindEventFilterToConsumer":
		return "wmi_event"
	case "CreateRemoteThreadApiCall":
		return "create_remote_thread"
	case "OpenProcessApiCall":
		return "process_access"
	case "AntivirusDetection", "AntivirusReport":
		return "antivirus"
	}
	if strings.Contains(action, "Connection") {
		return "network_connection"
	}
	return ""
}

// flattenDefender gives the columns of a row Sigma's names, as pySigma's pipeline
// microsoft_xdr does, and their values Sysmon's words.
func (e *Event) flattenDefender(lim Limits) error {
	t := &e.tape
	if err := e.flattenNested(lim, "AdditionalFields"); err != nil {
		return err
	}
	for _, of := range [...]string{"", "InitiatingProcess", "Previous"} {
		t.wholePath(of+"FolderPath", of+"FileName")
	}
	action := t.str("ActionType")
	category := defenderXDRCategory(action)
	if action == "" {
		category = t.defenderTable()
	}
	t.sayRegistry(t.str("RegistryKey"), t.str("RegistryValueName"), t.str("RegistryValueType"), t.str("RegistryValueData"))
	t.say("EventType", defenderEventType(action))
	t.say("Hashes", t.hashesOf([]naming{{"MD5", "MD5"}, {"SHA1", "SHA1"}, {"SHA256", "SHA256"}}))
	switch {
	case strings.HasPrefix(action, "Inbound"):
		t.say("Initiated", "false")
	case strings.HasPrefix(action, "Connection"):
		t.say("Initiated", "true")
	}
	if category == "process_creation" {
		t.say("User", t.account("AccountDomain", "AccountName"))
		t.say("ParentUser", t.account("InitiatingProcessAccountDomain", "InitiatingProcessAccountName"))
		t.give(defenderProcess())
	} else {
		t.say("User", t.account("InitiatingProcessAccountDomain", "InitiatingProcessAccountName"))
		t.give(defenderObject(category))
	}
	if i := t.place("FolderPath"); i != 0 && category == "file_access" {
		t.stand(i, "FileName") // of which the column has the last part
	}
	e.source = Logsource{Product: t.hostProduct(), Category: category}
	names := []naming{{"Image", "InitiatingProcessFileName"}, {"ParentImage", "InitiatingProcessParentFileName"}}
	if category == "process_creation" {
		names = []naming{{"Image", "FileName"}, {"ParentImage", "InitiatingProcessFileName"}}
	}
	for _, n := range names {
		t.say(n.field, endOfPath(e.source.Product, t.str(n.own)))
	}
	return nil
}

// defenderTable is the category of a row that does not say what was done, by the
// table that it says it is of, or by columns that only one table has.
func (t *tape) defenderTable() string {
	table := t.any("Type|$table|TableName")
	switch {
	case table == "DeviceProcessEvents", t.has("ProcessCommandLine"):
		return "process_creation"
	case table == "DeviceRegistryEvents", t.has("RegistryKey"):
		if t.called("RegistryValueData") != "" {
			return "registry_set"
		}
		return "registry_event"
	case table == "DeviceNetworkEvents", t.hasAny("RemoteIP", "RemoteUrl"):
		return "network_connection"
	case table == "DeviceImageLoadEvents":
		return "image_load"
	case table == "DeviceFileEvents":
		return "file_event"
	}
	return ""
}

// wholePath puts the name of a file behind its folder where the folder has been
// written alone, as the documentation has it. The tables hold whole paths.
func (t *tape) wholePath(folder, file string) {
	path, name := t.str(folder), t.str(file)
	if path == "" || name == "" || len(path) >= len(name) && strings.EqualFold(path[len(path)-len(name):], name) {
		return
	}
	separator := `\`
	if strings.HasPrefix(path, "/") {
		separator = "/"
	}
	n := &t.nodes[t.lookup(folder)]
	n.start, n.end = t.intern(strings.TrimSuffix(path, separator) + separator + name)
}

func defenderEventType(action string) string {
	switch action {
	case "RegistryValueSet":
		return "SetValue"
	case "RegistryValueDeleted":
		return "DeleteValue"
	case "RegistryKeyCreated":
		return "CreateKey"
	case "RegistryKeyDeleted":
		return "DeleteKey"
	case "RegistryKeyRenamed":
		return "RenameKey"
	}
	return ""
}

// defenderProcess names the columns of a process that was started: what acts,
// InitiatingProcess…, is its parent.
func defenderProcess() []naming {
	return []naming{
		{"Image", "FolderPath"}, {"CommandLine", "ProcessCommandLine"}, {"IntegrityLevel", "ProcessIntegrityLevel"},
		{"ParentImage", "InitiatingProcessFolderPath"}, {"ParentCommandLine", "InitiatingProcessCommandLine"}, {"ParentProcessId", "InitiatingProcessId"},
		{"OriginalFileName", "ProcessVersionInfoOriginalFileName"}, {"Company", "ProcessVersionInfoCompanyName"},
		{"Description", "ProcessVersionInfoFileDescription"}, {"Product", "ProcessVersionInfoProductName"},
		{"FileVersion", "ProcessVersionInfoProductVersion"}, {"Computer", "DeviceName"},
	}
}

// defenderObject names the columns of what a process acted upon.
func defenderObject(category string) []naming {
	names := []naming{
		{"Image", "InitiatingProcessFolderPath"}, {"CommandLine", "InitiatingProcessCommandLine"}, {"ProcessId", "InitiatingProcessId"},
		{"ParentProcessId", "InitiatingProcessParentId"}, {"IntegrityLevel", "InitiatingProcessIntegrityLevel"}, {"Computer", "DeviceName"},
	}
	switch category {
	case "file_event", "file_change", "file_delete", "file_rename":
		return append(names, []naming{{"TargetFilename", "FolderPath"}, {"SourceFilename", "PreviousFolderPath"}}...)
	case "image_load", "driver_load":
		return append(names, naming{"ImageLoaded", "FolderPath"})
	case "process_access", "create_remote_thread":
		return append(names, []naming{{"SourceImage", "InitiatingProcessFolderPath"}, {"TargetImage", "FolderPath"},
			{"SourceProcessId", "InitiatingProcessId"}, {"TargetProcessId", "ProcessId"}, {"SourceCommandLine", "InitiatingProcessCommandLine"}}...)
	case "network_connection":
		return append(names, []naming{{"DestinationIp", "RemoteIP"}, {"DestinationPort", "RemotePort"}, {"DestinationHostname", "RemoteUrl"},
			{"SourceIp", "LocalIP"}, {"SourcePort", "LocalPort"}}...)
	case "dns_query":
		return append(names, []naming{{"QueryName", "DnsQueryString"}, {"QueryResults", "DnsQueryResult"}}...)
	case "antivirus":
		return append(names, []naming{{"Signature", "ThreatName"}, {"Filename", "FolderPath"}}...)
	}
	return names
}
