package event

// Dialect is the form a record was written in.
type Dialect uint8

// The dialects that are recognised. Generic is any other JSON object, Text any
// other line of text.
const (
	Generic Dialect = iota
	WindowsFlat
	WindowsEVTX
	Winlogbeat
	ECS
	Zeek
	CloudTrail
	Suricata
	Syslog
	Auditd
	SysmonLinux
	Text
)

// String names the dialect as stored and shown.
func (d Dialect) String() string {
	names := [...]string{
		"generic", "windows-flat", "windows-evtx", "winlogbeat", "ecs", "zeek",
		"cloudtrail", "suricata", "syslog", "auditd", "sysmon-linux", "text",
	}
	if int(d) < len(names) {
		return names[d]
	}
	return names[0]
}
