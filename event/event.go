// Package event turns one monitoring record, in whatever dialect a member's
// system wrote it, into an [Event]: the original bytes, a flat view of their
// fields in Sigma's field taxonomy, the log source they belong to, and the
// observables they mention:
//
//	ev, err := event.Decode(record, event.Limits{})
//	image, ok := ev.Field("Image") // whatever the dialect calls it
//
// These dialects are recognised by what is in the record:
//
//   - Windows events: flat, as NXLog, Azure Monitor, EvtxECmd, Hayabusa and
//     Splunk write them; nested like their XML, with attributes as #attributes,
//     @name or $; as XML; as Wazuh, Winlogbeat, OpenTelemetry and Chainsaw nest
//     them; with EventData as an object, a list, or text that holds JSON or XML;
//     from Get-WinEvent and Fluent Bit, which have the rendered message alone.
//     Package evtx makes such JSON of event log files.
//   - the Elastic Common Schema, OCSF, Microsoft Sentinel's information model and
//     the hunting tables of Microsoft Defender XDR, under Sigma's names and their own;
//   - agents' reports: osquery, Falco, Tetragon, CrowdStrike, SentinelOne;
//   - Zeek, Suricata EVE, CloudTrail;
//   - the audit logs of Azure, Google Cloud and Workspace, Microsoft 365, Okta,
//     GitHub, Bitbucket, Kubernetes, OneLogin, Duo, OpenCanary, FortiGate;
//   - syslog, systemd's journal, containers' logs, and in these or alone auditd's
//     records, Sysmon for Linux, lines of web servers' and Squid's access logs,
//     CEF, LEEF, and the pairs of names and values that firewalls write;
//   - audit events as LAUREL, Auditbeat and Wazuh join them; access logs in JSON of
//     web servers, load balancers and firewalls for them;
//   - any of these inside an Elasticsearch hit, a Splunk result, an EventBridge
//     event, or the message of a collector.
//
// Any other JSON object is kept as it is; fields that only one of Sigma's
// categories has tell which it is. A record may also state its log source, as
// an object named logsource.
//
// A record is scanned once, onto a tape of offsets into its bytes; only text
// with escapes is copied. Nothing is turned into maps or other objects, and
// what a reader asks for is found through a small index of names. An Event is
// safe for concurrent readers once decoded and refers to the bytes it was
// decoded from, which must not change.
package event

// Kind is the JSON kind of a [Value].
type Kind uint8

// The kinds a value can have. Missing is the zero value: no such field.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	List
	Object
)
