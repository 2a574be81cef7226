package event

// flattenHayabusa gives what Hayabusa's timelines call the details of an event
// the names that they have in it. Profiles that show all fields do so under
// their own names.
func (t *tape) flattenHayabusa() {
	details := t.lookup("Details")
	if details == 0 || t.nodes[details].kind != Object {
		return
	}
	t.each(details, func(c uint32) bool {
		for _, name := range hayabusaNames(t.key(&t.nodes[c])) {
			if name != "" && t.lookup(name) == 0 && t.nodes[c].kind != Object && t.nodes[c].kind != List {
				t.stand(c, name)
			}
		}
		return true
	})
}

// hayabusaNames are the fields that a detail may be, by Hayabusa's own mapping
// of details (hayabusa-rules, config/default_details.txt).
func hayabusaNames(detail string) [2]string {
	switch detail {
	case "Proc":
		return [2]string{"Image", "NewProcessName"}
	case "Cmdline":
		return [2]string{"CommandLine"}
	case "ParentCmdline":
		return [2]string{"ParentCommandLine"}
	case "ParentProc":
		return [2]string{"ParentImage", "ParentProcessName"}
	case "SrcProc":
		return [2]string{"SourceImage"}
	case "TgtProc":
		return [2]string{"TargetImage", "TargetProcessName"}
	case "Access":
		return [2]string{"GrantedAccess", "AccessMask"}
	case "TgtUser":
		return [2]string{"TargetUserName"}
	case "SrcUser":
		return [2]string{"SubjectUserName", "SourceUser"}
	case "SrcIP":
		return [2]string{"IpAddress", "SourceIp"}
	case "SrcComp":
		return [2]string{"WorkstationName", "SourceHostname"}
	case "TgtIP":
		return [2]string{"DestinationIp"}
	case "TgtPort":
		return [2]string{"DestinationPort"}
	case "TgtHost":
		return [2]string{"DestinationHostname"}
	case "Type":
		return [2]string{"LogonType"}
	case "Path":
		return [2]string{"TargetFilename", "ImagePath"}
	case "TgtObj":
		return [2]string{"TargetObject"}
	case "Image":
		return [2]string{"ImageLoaded"}
	case "Pipe":
		return [2]string{"PipeName"}
	case "Query":
		return [2]string{"QueryName"}
	case "ScriptBlock":
		return [2]string{"ScriptBlockText"}
	case "Svc":
		return [2]string{"ServiceName"}
	case "Name":
		return [2]string{"TaskName"}
	}
	return [2]string{}
}
