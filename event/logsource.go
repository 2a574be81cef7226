package event

import "strings"

// Logsource names what produced an event, in Sigma's terms
// (Sigma specification 2.1, Log sources). An empty part is unknown.
type Logsource struct {
	Product  string
	Category string
	Service  string
}

// Clone is a log source that stays valid when the bytes of its event do not.
func (l Logsource) Clone() Logsource {
	return Logsource{Product: strings.Clone(l.Product), Category: strings.Clone(l.Category), Service: strings.Clone(l.Service)}
}

// Covers says whether a rule with the log source given looks at events of l:
// each part the rule names is the event's, or that of another log source to
// which the event belongs (see [Logsource.Also]).
func (l Logsource) Covers(rule Logsource) bool {
	if l.has(rule) {
		return true
	}
	for _, other := range l.Also() {
		if other.has(rule) {
			return true
		}
	}
	return false
}

// has says whether each part that the rule names is l's.
func (l Logsource) has(rule Logsource) bool {
	return (rule.Product == "" || rule.Product == l.Product) &&
		(rule.Service == "" || rule.Service == l.Service) &&
		(rule.Category == "" || rule.Category == l.Category)
}

// Also returns the further log sources that an event of l belongs to, with
// zero values for none:
//
//   - registry_add, registry_delete, registry_set and registry_rename are all
//     registry_event (taxonomy appendix, Windows folder: Sysmon 12, 13, 14);
//   - file_delete_detected is file_delete (Sysmon 26; pySigma's sysmon pipeline
//     maps file_delete to 23 and 26);
//   - Sysmon 12 whose type is not said is registry_add and registry_delete;
//   - what is reported of HTTP is proxy and webserver;
//   - dns and firewall are the services dns and connection of the category
//     network (taxonomy appendix 2.1, Network Events).
func (l Logsource) Also() [2]Logsource {
	switch l.Category {
	case "registry_add", "registry_delete", "registry_set", "registry_rename":
		return [2]Logsource{l.as("registry_event")}
	case "registry_event":
		return [2]Logsource{l.as("registry_add"), l.as("registry_delete")}
	case "file_delete_detected":
		return [2]Logsource{l.as("file_delete")}
	case "proxy":
		return [2]Logsource{l.as("webserver")}
	case "dns":
		return [2]Logsource{{l.Product, "network", "dns"}}
	case "firewall":
		return [2]Logsource{{l.Product, "network", "connection"}}
	}
	return [2]Logsource{}
}

// as is l under another category.
func (l Logsource) as(category string) Logsource { return Logsource{l.Product, category, l.Service} }

// classify names the record's log source.
func (e *Event) classify() {
	t := &e.tape
	switch e.dialect {
	case WindowsFlat, WindowsEVTX, Winlogbeat:
		e.source = e.windowsSource()
	case SysmonLinux:
		e.source = Logsource{Product: "linux", Service: "sysmon", Category: sysmonCategory(t.str("EventID"), t.str("EventType"))}
	case Auditd:
		e.source = t.auditSource()
	case Syslog:
		e.source = e.syslogSource()
	case Zeek:
		log := t.zeekLog()
		e.source = Logsource{Product: "zeek", Service: log, Category: networkCategory(log)}
	case Suricata:
		kind := t.str("event_type")
		e.source = Logsource{Product: "suricata", Service: kind, Category: networkCategory(kind)}
	case CloudTrail:
		e.source = Logsource{Product: "aws", Service: "cloudtrail"}
	case ECS:
		e.source = e.ecsSource()
	case AccessLog:
		e.source = Logsource{Category: "webserver"}
		if t.has("c-uri") {
			e.source.Category = "proxy"
		}
	case OCSF:
		e.source = e.ocsfSource()
	case Cloud:
		e.source = t.cloudSource()
	case Pairs:
		e.source = e.pairsSource()
	case Generic:
		e.source = t.genericSource()
	}
	if stated := t.statedSource(); stated != (Logsource{}) {
		e.source = stated
	}
}

// statedSource is the log source that the record states itself, as an object
// logsource with Sigma's three names: how a sender whose format we do not know
// routes its records.
func (t *tape) statedSource() Logsource {
	i := t.lookup("logsource")
	if i == 0 || t.nodes[i].kind != Object {
		return Logsource{}
	}
	part := func(name string) string {
		if c := t.child(i, name); c != 0 && t.nodes[c].kind == String {
			return t.body(&t.nodes[c])
		}
		return ""
	}
	return Logsource{Product: part("product"), Category: part("category"), Service: part("service")}
}

// networkCategory is the generic category of a network monitor's log
// (taxonomy appendix, Other).
func networkCategory(log string) string {
	switch log {
	case "dns":
		return "dns"
	case "http":
		return "proxy"
	case "conn", "flow", "netflow":
		return "firewall"
	}
	return ""
}

// syslogSource names the service of a syslog line after its program.
func (e *Event) syslogSource() Logsource {
	return Logsource{Product: "linux", Service: programService(e.fieldText("program"))}
}

// programService is the service of a program (taxonomy appendix, Linux folder),
// syslog for any other.
func programService(program string) string {
	switch program {
	case "sshd", "sudo", "vsftpd":
		return program
	case "sshd-session", "sshd-auth":
		return "sshd"
	case "cron", "CRON", "crond", "anacron":
		return "cron"
	case "clamd", "freshclam", "clamav":
		return "clamav"
	case "guacd", "guacamole":
		return "guacamole"
	case "su", "login", "systemd-logind", "polkitd", "passwd", "useradd", "groupadd", "usermod":
		return "auth"
	case "auditd", "audispd", "audisp-syslog":
		return "auditd"
	}
	return "syslog"
}

// ecsSource reads event.category and event.type (ECS reference, Categorization
// fields).
func (e *Event) ecsSource() Logsource {
	if channelOf(e.text("event.provider")) != "" {
		return e.windowsSource()
	}
	if l, ok := datasetSource(e.text("event.dataset")); ok {
		return l
	}
	l := Logsource{Product: e.text("host.os.type")}
	if l.Product == "" {
		l.Product = e.text("host.os.family")
	}
	if strings.HasPrefix(e.text("event.module"), "auditd") { // Elastic Agent's is auditd_manager
		l = Logsource{Product: "linux", Service: "auditd"}
	}
	kind := func(name string) bool { return e.holds("event.type", name) }
	switch {
	case e.holds("event.category", "process"):
		l.Category = ecsProcessCategory(kind)
	case e.holds("event.category", "file"):
		if l.Category = ecsFileCategory(kind); e.text("event.action") == "rename" {
			l.Category = "file_rename"
		}
	case e.holds("event.category", "library"):
		l.Category = "image_load"
	case e.holds("event.category", "driver"):
		l.Category = "driver_load"
	case e.holds("event.category", "registry"):
		l.Category = ecsRegistryCategory(kind)
	}
	if l.Category == "" {
		l.Category = e.ecsNetwork()
	}
	return l
}

func ecsProcessCategory(kind func(string) bool) string {
	switch {
	case kind("start"):
		return "process_creation"
	case kind("end"):
		return "process_termination"
	case kind("access"):
		return "process_access"
	}
	return ""
}

func ecsFileCategory(kind func(string) bool) string {
	switch {
	case kind("deletion"):
		return "file_delete"
	case kind("creation"), kind("change"):
		return "file_event"
	case kind("access"):
		return "file_access"
	}
	return ""
}

func ecsRegistryCategory(kind func(string) bool) string {
	switch {
	case kind("deletion"):
		return "registry_delete"
	case kind("creation"):
		return "registry_add"
	case kind("change"):
		return "registry_set"
	}
	return "registry_event"
}

// datasetSource is the log source of what Filebeat's modules collect.
func datasetSource(dataset string) (Logsource, bool) {
	if log, ok := strings.CutPrefix(dataset, "zeek."); ok {
		return Logsource{Product: "zeek", Category: networkCategory(log), Service: log}, true
	}
	switch dataset {
	case "nginx.access", "apache.access", "iis.access", "traefik.access":
		return Logsource{Category: "webserver"}, true
	case "aws.cloudtrail":
		return Logsource{Product: "aws", Service: "cloudtrail"}, true
	case "azure.activitylogs", "azure.auditlogs", "azure.signinlogs":
		return Logsource{Product: "azure", Service: dataset[len("azure."):]}, true
	case "gcp.audit":
		return Logsource{Product: "gcp", Service: "gcp.audit"}, true
	case "github.audit":
		return Logsource{Product: "github", Service: "audit"}, true
	case "kubernetes.audit_logs":
		return Logsource{Product: "kubernetes", Category: "application", Service: "audit"}, true
	case "o365.audit":
		return Logsource{Product: "m365", Service: "audit"}, true
	case "okta.system":
		return Logsource{Product: "okta", Service: "okta"}, true
	}
	return Logsource{}, false
}

func (e *Event) ecsNetwork() string {
	if _, ok := e.Field("dns.question.name"); ok {
		if _, host := e.Field("process.executable"); host {
			return "dns_query"
		}
		return "dns"
	}
	switch {
	case e.holds("event.category", "web"):
		return "proxy"
	case !e.holds("event.category", "network"):
		return ""
	}
	if _, host := e.Field("process.executable"); host {
		return "network_connection"
	}
	return "firewall"
}

func (e *Event) text(field string) string {
	v, _ := e.tape.named(field)
	return v.Text()
}

// holds says whether a field is, or lists, the text given.
func (e *Event) holds(field, text string) bool {
	v, ok := e.tape.named(field)
	found := false
	if ok {
		v.Each(func(item Value) bool {
			found = item.Text() == text
			return !found
		})
	}
	return found
}
