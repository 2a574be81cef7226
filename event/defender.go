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
	case "ProcessCreated":
		return "process_creation"
	case "FileCreated", "FileModified":
		return "file_event"
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
	case "DnsQueryResponse":
		return "dns_query"
	case "CreateRemoteThreadApiCall":
		return "create_remote_thread"
	case "OpenProcessApiCall":
		return "process_access"
	case "AntivirusDetection":
		return "antivirus"
	}
	if strings.Contains(action, "Connection") {
		return "network_connection"
	}
	return ""
}

// defenderAliases are the tables' names of Sigma's fields, as pySigma's pipeline
// microsoft_xdr has them. What acts is InitiatingProcess…, but for a process
// that was created: there it is the parent.
func (e *Event) defenderAliases(name string) aliasNames {
	created := e.source.Category == "process_creation"
	switch name {
	case "Image":
		if created {
			return aliasNames{"FolderPath"}
		}
		return aliasNames{"InitiatingProcessFolderPath"}
	case "CommandLine":
		if created {
			return aliasNames{"ProcessCommandLine"}
		}
		return aliasNames{"InitiatingProcessCommandLine"}
	case "User":
		if created {
			return aliasNames{"AccountName"}
		}
		return aliasNames{"InitiatingProcessAccountName"}
	case "ParentImage":
		if created {
			return aliasNames{"InitiatingProcessFolderPath"}
		}
		return aliasNames{"InitiatingProcessParentFileName"}
	case "ParentCommandLine":
		return aliasNames{"InitiatingProcessCommandLine"}
	case "ParentUser":
		return aliasNames{"InitiatingProcessAccountName"}
	case "ParentProcessId":
		return aliasNames{"InitiatingProcessId"}
	case "SourceImage":
		return aliasNames{"InitiatingProcessFolderPath"}
	case "OriginalFileName":
		return aliasNames{"ProcessVersionInfoOriginalFileName"}
	case "Company":
		return aliasNames{"ProcessVersionInfoCompanyName"}
	case "Description":
		return aliasNames{"ProcessVersionInfoFileDescription"}
	case "Product":
		return aliasNames{"ProcessVersionInfoProductName"}
	case "FileVersion":
		return aliasNames{"ProcessVersionInfoProductVersion"}
	case "IntegrityLevel":
		return aliasNames{"ProcessIntegrityLevel"}
	default:
		return defenderObjectAliases(name)
	}
}

// defenderObjectAliases are those of what is acted upon.
func defenderObjectAliases(name string) aliasNames {
	switch name {
	case "TargetFilename", "ImageLoaded", "TargetImage", "Filename":
		return aliasNames{"FolderPath"}
	case "SourceFilename":
		return aliasNames{"PreviousFolderPath"}
	case "TargetObject":
		return aliasNames{"RegistryKey"}
	case "Details":
		return aliasNames{"RegistryValueData"}
	case "DestinationIp":
		return aliasNames{"RemoteIP"}
	case "DestinationPort":
		return aliasNames{"RemotePort"}
	case "DestinationHostname":
		return aliasNames{"RemoteUrl"}
	case "SourceIp":
		return aliasNames{"LocalIP"}
	case "SourcePort":
		return aliasNames{"LocalPort"}
	case "Computer":
		return aliasNames{"DeviceName"}
	case "QueryName":
		return aliasNames{"DnsQueryString"}
	case "Signature":
		return aliasNames{"ThreatName"}
	}
	return aliasNames{}
}

// derivedDefender finds what the tables keep in several columns.
func (e *Event) derivedDefender(name string) (Value, bool) {
	t := &e.tape
	switch name {
	case "Hashes":
		var parts []string
		for _, kind := range [...]string{"MD5", "SHA1", "SHA256"} {
			if hash := t.str(kind); hash != "" {
				parts = append(parts, kind+"="+hash)
			}
		}
		return StringValue(strings.Join(parts, ",")), parts != nil
	case "Initiated":
		switch action := t.str("ActionType"); {
		case strings.HasPrefix(action, "Inbound"):
			return StringValue("false"), true
		case strings.HasPrefix(action, "Connection"):
			return StringValue("true"), true
		}
	}
	return Value{}, false
}

// joinRegistry puts the name of a value behind its key, as Sysmon writes it.
func (t *tape) joinRegistry() {
	key, value := t.str("RegistryKey"), t.str("RegistryValueName")
	if key == "" || value == "" {
		return
	}
	n := &t.nodes[t.lookup("RegistryKey")]
	n.start, n.end = t.intern(key + `\` + value)
}
