package event

import "strings"

// windowsSource names service and category of a Windows event by its channel
// and number (taxonomy appendix, Windows folder).
func (e *Event) windowsSource() Logsource {
	channel := e.channel()
	l := Logsource{Product: "windows", Service: windowsService(channel)}
	id := e.fieldText("EventID")
	switch l.Service {
	case "sysmon":
		l.Category = sysmonCategory(id, e.fieldText("EventType"))
	case "security":
		if id == "4688" {
			l.Category = "process_creation"
		}
	case "powershell":
		l.Category = powershellCategory(id)
	case "powershell-classic":
		l.Category = classicCategory(id)
	case "windefend":
		l.Category = defenderCategory(id)
	}
	switch {
	case channel == "RPCFW":
		return Logsource{Product: "rpc_firewall", Category: "application"}
	case l.Service == "" && (strings.HasPrefix(channel, "Microsoft-Windows-Kernel-File/") || e.fieldText("Provider_Name") == "Microsoft-Windows-Kernel-File"):
		l.Category = kernelFileCategory(id)
	case id == "" && (l.Service == "" || l.Service == "sysmon"):
		l.Category = e.tape.hostCategory()
	}
	return l
}

// channel is the channel that an event was written to, or must have been.
func (e *Event) channel() string {
	if channel := e.fieldText("Channel"); channel != "" {
		return channel
	}
	if provider := e.fieldText("Provider_Name"); provider != "" {
		return channelOf(provider)
	}
	for _, name := range [...]string{"source", "sourcetype"} { // Splunk's
		if _, channel, ok := strings.Cut(e.tape.str(name), "WinEventLog:"); ok {
			return channel
		}
	}
	return e.tape.shapeOfChannel()
}

// fieldText is the text of a field, of a list the text of its first element:
// some exporters make a list of every value.
func (e *Event) fieldText(name string) string {
	v, _ := e.Field(name)
	if v.Kind() == List {
		list := v
		v = Value{}
		list.Each(func(item Value) bool { v = item; return false })
	}
	return v.Text()
}

// channelOf is the channel of a provider that writes to one only, for records
// that do not name theirs.
func channelOf(provider string) string {
	switch provider {
	case "Microsoft-Windows-Security-Auditing":
		return "Security"
	case "PowerShell":
		return "Windows PowerShell"
	case "Service Control Manager", "Microsoft-Windows-Kernel-General", "Microsoft-Windows-DistributedCOM",
		"Microsoft-Windows-DHCP-Server", "NETLOGON", "Netlogon", "Microsoft-Windows-Kerberos-Key-Distribution-Center":
		return "System"
	case "Application Error", "MsiInstaller", "MSSQLSERVER", "ESENT", "Windows Error Reporting", "Microsoft-Windows-Audit-CVE":
		return "Application"
	case "OpenSSH", "PowerShellCore":
		return provider + "/Operational"
	}
	if strings.HasPrefix(provider, "Microsoft-Windows-") {
		if channel := provider + "/Operational"; windowsService(channel) != "" {
			return channel
		}
	}
	return ""
}

// windowsService is the service of a channel. Channels are compared without
// regard to case: exporters differ ("security").
func windowsService(channel string) string {
	const prefix = "microsoft-windows-"
	var buf [96]byte
	channel = lower(buf[:0], channel)
	if !strings.HasPrefix(channel, prefix) {
		return classicService(channel)
	}
	switch channel[len(prefix):] {
	case "sysmon/operational":
		return "sysmon"
	case "powershell/operational":
		return "powershell"
	case "taskscheduler/operational":
		return "taskscheduler"
	case "wmi-activity/operational":
		return "wmi"
	case "windows defender/operational":
		return "windefend"
	case "windows firewall with advanced security/firewall":
		return "firewall-as"
	case "bits-client/operational":
		return "bits-client"
	case "codeintegrity/operational":
		return "codeintegrity-operational"
	case "ntlm/operational":
		return "ntlm"
	case "dhcp-server/operational":
		return "dhcp"
	default:
		return restService(channel[len(prefix):])
	}
}

// lower is strings.ToLower of ASCII text into buf, so that it costs no memory.
func lower(buf []byte, text string) string {
	if len(text) > cap(buf) {
		return ""
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf = append(buf, c)
	}
	return view(buf)
}

// restService is the service of the less common Microsoft-Windows- channels.
func restService(channel string) string {
	switch channel {
	case "applocker/msi and script", "applocker/exe and dll", "applocker/packaged app-deployment", "applocker/packaged app-execution":
		return "applocker"
	case "application-experience/program-telemetry", "application-experience/program-compatibility-assistant":
		return "application-experience"
	case "appmodel-runtime/admin":
		return "appmodel-runtime"
	case "appxdeploymentserver/operational":
		return "appxdeployment-server"
	case "appxpackaging/operational":
		return "appxpackaging-om"
	case "bitlocker/bitlocker management":
		return "bitlocker"
	case "capi2/operational":
		return "capi2"
	case "certificateservicesclient-lifecycle-system/operational":
		return "certificateservicesclient-lifecycle-system"
	case "diagnosis-scripted/operational":
		return "diagnosis-scripted"
	case "dns client events/operational", "dns-client/operational":
		return "dns-client"
	case "dns-server/analytical":
		return "dns-server-analytic"
	case "dns-server/audit":
		return "dns-server-audit"
	case "driverframeworks-usermode/operational":
		return "driver-framework"
	case "hyper-v-worker", "hyper-v-worker-admin":
		return "hyper-v-worker"
	case "kernel-eventtracing", "kernel-eventtracing/admin":
		return "kernel-event-tracing"
	case "kernel-shimengine/operational", "kernel-shimengine/diagnostic":
		return "kernel-shimengine"
	case "ldap-client/debug":
		return "ldap"
	case "lsa/operational":
		return "lsa-server"
	default:
		return lastService(channel)
	}
}

func lastService(channel string) string {
	switch channel {
	case "ntfs/operational":
		return "ntfs"
	case "printservice/admin":
		return "printservice-admin"
	case "printservice/operational":
		return "printservice-operational"
	case "security-mitigations/kernel mode", "security-mitigations/user mode", "security-mitigations/kernelmode", "security-mitigations/usermode":
		return "security-mitigations"
	case "sense/operational":
		return "sense"
	case "shell-core/operational":
		return "shell-core"
	case "smbclient/connectivity":
		return "smbclient-connectivity"
	case "smbclient/security":
		return "smbclient-security"
	case "smbserver/connectivity":
		return "smbserver-connectivity"
	case "terminalservices-localsessionmanager/operational":
		return "terminalservices-localsessionmanager"
	case "vhdmp/operational", "vhdmp-operational":
		return "vhdmp"
	}
	return ""
}

// classicService is the service of a channel outside Microsoft-Windows-.
func classicService(channel string) string {
	switch channel {
	case "security", "sec":
		return "security"
	case "system", "sys":
		return "system"
	case "application", "app":
		return "application"
	case "windows powershell", "pwshclassic":
		return "powershell-classic"
	case "powershellcore/operational":
		return "powershell"
	case "dns server":
		return "dns-server"
	case "msexchange management":
		return "msexchange-management"
	case "openssh/operational":
		return "openssh"
	case "microsoft-iis-configuration/operational":
		return "iis-configuration"
	case "microsoft-servicebus-client/operational", "microsoft-servicebus-client/admin":
		return "microsoft-servicebus-client"
	}
	return shortService(channel)
}

// shortService is the service of a channel as Hayabusa shortens it.
func shortService(channel string) string {
	switch channel {
	case "sysmon":
		return "sysmon"
	case "applocker":
		return "applocker"
	case "ntlm":
		return "ntlm"
	case "wmi":
		return "wmi"
	case "openssh":
		return "openssh"
	case "pwsh":
		return "powershell"
	case "defender":
		return "windefend"
	case "tasksch":
		return "taskscheduler"
	case "bitscli":
		return "bits-client"
	case "firewall":
		return "firewall-as"
	case "rds-lsm":
		return "terminalservices-localsessionmanager"
	}
	return ""
}

// sysmonCategory is the category of a Sysmon event. Event 12 is an addition or
// a deletion by its EventType.
func sysmonCategory(id, eventType string) string {
	switch id {
	case "1":
		return "process_creation"
	case "2":
		return "file_change"
	case "3":
		return "network_connection"
	case "4", "16":
		return "sysmon_status"
	case "5":
		return "process_termination"
	case "6":
		return "driver_load"
	case "7":
		return "image_load"
	case "8":
		return "create_remote_thread"
	case "9":
		return "raw_access_thread"
	case "10":
		return "process_access"
	case "11":
		return "file_event"
	case "12":
		return registryCategory(eventType)
	case "13":
		return "registry_set"
	case "14":
		return "registry_rename"
	default:
		return laterSysmonCategory(id)
	}
}

func registryCategory(eventType string) string {
	switch {
	case strings.HasPrefix(eventType, "Create"):
		return "registry_add"
	case strings.HasPrefix(eventType, "Delete"):
		return "registry_delete"
	}
	return "registry_event"
}

func laterSysmonCategory(id string) string {
	switch id {
	case "15":
		return "create_stream_hash"
	case "17", "18":
		return "pipe_created"
	case "19", "20", "21":
		return "wmi_event"
	case "22":
		return "dns_query"
	case "23":
		return "file_delete"
	case "24":
		return "clipboard_capture"
	case "25":
		return "process_tampering"
	case "26":
		return "file_delete_detected"
	case "27":
		return "file_block_executable"
	case "28":
		return "file_block_shredding"
	case "29":
		return "file_executable_detected"
	case "255":
		return "sysmon_error"
	}
	return ""
}

func powershellCategory(id string) string {
	switch id {
	case "4103":
		return "ps_module"
	case "4104":
		return "ps_script"
	}
	return ""
}

func classicCategory(id string) string {
	switch id {
	case "400":
		return "ps_classic_start"
	case "600":
		return "ps_classic_provider_start"
	case "800":
		return "ps_classic_script"
	}
	return ""
}

// defenderCategory is antivirus for the events that name a threat (SigmaHQ's
// tests/thor.yml, after Microsoft's list of Defender's events).
func defenderCategory(id string) string {
	switch id {
	case "1006", "1007", "1008", "1009", "1010", "1011", "1012", "1017", "1018", "1019", "1115", "1116":
		return "antivirus"
	}
	return ""
}

// kernelFileCategory is the category of a file event of the kernel's own
// provider: 12 and 15 are opening and reading, 19 and 27 renaming (manifest of
// Microsoft-Windows-Kernel-File).
func kernelFileCategory(id string) string {
	switch id {
	case "12", "15":
		return "file_access"
	case "19", "27":
		return "file_rename"
	}
	return ""
}
