package event

import "strings"

// cloudSource recognises the audit logs of cloud services and applications
// (taxonomy appendix, Cloud and Application folders). Rules for them use the
// names of the records themselves, so that only the log source is ours to say.
func (t *tape) cloudSource() Logsource {
	if l := t.azureSource(); l.Product != "" {
		return l
	}
	switch {
	case t.has("eventType") && t.hasAny("actor", "published", "displayMessage", "legacyEventType", "debugContext", "securityContext", "outcome"):
		return Logsource{Product: "okta", Service: "okta"}
	case t.has("Operation") && t.hasAny("Workload", "RecordType"), t.hasAny("RawEventData", "AuditData"):
		return Logsource{Product: "m365", Service: "audit"}
	case t.str("eventSource") == "SecurityComplianceCenter":
		return Logsource{Product: "m365", Service: "threat_management"}
	case t.str("eventSource") == "Exchange":
		return Logsource{Product: "m365", Service: "exchange"}
	case t.hasAny("protoPayload", "gcp.audit.method_name", "data.protoPayload.methodName") || t.down("data", "protoPayload") != 0 || t.down("gcp", "audit") != 0:
		return t.googleSource()
	case t.has("eventService") && t.has("eventName"):
		return Logsource{Product: "gcp", Service: "google_workspace.admin"}
	case t.oneOf("kind", "admin#reports#activity", "reports#activity"):
		return t.workspaceSource()
	}
	return t.applicationSource()
}

// azureSource tells Azure's logs apart: by the table or category that they
// state, else by fields that only one of them has (Azure Monitor reference,
// tables and resource log categories; Microsoft Graph, audit log resources).
func (t *tape) azureSource() Logsource {
	var service string
	switch {
	case advancedHunting(t.str("category")), t.down("properties", "httpMethod") != 0:
		return Logsource{}
	case t.hasAny("riskEventType", "RiskEventType") || t.down("properties", "riskEventType") != 0:
		service = "riskdetection"
		if kind := t.str("riskEventType"); strings.HasSuffix(kind, "AlertIncident") || strings.HasSuffix(kind, "AlertConfiguration") {
			service = "pim"
		}
	case t.oneOf("Type", "SigninLogs", "AADNonInteractiveUserSignInLogs", "AADServicePrincipalSignInLogs"),
		t.oneOf("category", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs"),
		t.hasAny("ResultType", "conditionalAccessStatus", "ConditionalAccessStatus", "authenticationRequirement", "AuthenticationRequirement") &&
			t.hasAny("UserPrincipalName", "userPrincipalName", "AppDisplayName", "appDisplayName", "UserAgent", "userAgent", "Identity"):
		service = "signinlogs"
	case t.oneOf("Type", "AuditLogs"), t.oneOf("category", "AuditLogs"),
		t.hasAny("LoggedByService", "loggedByService", "ActivityDisplayName", "activityDisplayName"),
		t.hasAny("TargetResources", "targetResources") && t.hasAny("OperationName", "operationName"):
		service = "auditlogs"
	case t.oneOf("Type", "AzureActivity"), t.hasAny("OperationNameValue", "CategoryValue"),
		hasPrefixFold(t.str("operationName"), "microsoft."),
		t.has("operationName") && t.hasAny("resourceId", "ResourceId", "subscriptionId", "tenantId"):
		service = "activitylogs"
	default:
		return Logsource{}
	}
	return Logsource{Product: "azure", Service: service}
}

// flattenCloud lifts what exports of audit logs keep as text or in objects of
// its own.
func (e *Event) flattenCloud(lim Limits) error {
	t := &e.tape
	if t.azureSource() != (Logsource{}) {
		t.flattenAzure(lim)
	}
	t.flattenWorkspace()
	return e.flattenNested(lim, "RawEventData", "AuditData")
}

// flattenAzure reads the columns that Log Analytics exports as JSON text, and
// takes the words of Azure's own out of {"value": …, "localizedValue": …}, in
// which its interface for activity logs gives them.
func (t *tape) flattenAzure(lim Limits) {
	for i, end := uint32(1), t.nodes[0].next; i < end; i = t.nodes[i].next {
		switch t.nodes[i].kind {
		case String:
			t.unfoldMember(lim, i)
		case Object:
			if v := t.child(i, "value"); v != 0 && t.child(i, "localizedValue") != 0 {
				t.stand(v, t.key(&t.nodes[i]))
			}
		}
	}
}

// flattenWorkspace gives an activity of Google Workspace's Reports interface the
// names that Cloud Logging and Sigma's rules have for it.
func (t *tape) flattenWorkspace() {
	if i := t.down("id", "applicationName"); i != 0 && t.lookup("events") != 0 {
		start, end := t.intern(t.body(&t.nodes[i]) + ".googleapis.com")
		t.stand(i, "eventService")
		n := &t.nodes[len(t.nodes)-1]
		n.start, n.end = start, end
	}
}

// oneOf says whether a field is one of the texts given.
func (t *tape) oneOf(field string, texts ...string) bool {
	is := t.str(field)
	for _, text := range texts {
		if is == text {
			return true
		}
	}
	return false
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// googleSource tells Google Cloud's audit logs from those of Workspace that
// come by the same way.
func (t *tape) googleSource() Logsource {
	service := t.down("protoPayload", "serviceName")
	if service == 0 {
		service = t.down("data", "protoPayload", "serviceName")
	}
	l := Logsource{Product: "gcp", Service: "gcp.audit"}
	if service != 0 {
		switch t.body(&t.nodes[service]) {
		case "admin.googleapis.com":
			l.Service = "google_workspace.admin"
		case "login.googleapis.com":
			l.Service = "google_workspace.login"
		}
	}
	return l
}

// workspaceSource names the application of an activity of Google Workspace's
// Reports interface.
func (t *tape) workspaceSource() Logsource {
	l := Logsource{Product: "gcp", Service: "google_workspace.admin"}
	if i := t.down("id", "applicationName"); i != 0 && t.body(&t.nodes[i]) != "admin" {
		l.Service = "google_workspace." + t.body(&t.nodes[i])
	}
	return l
}

// applicationSource recognises the logs of applications.
func (t *tape) applicationSource() Logsource {
	switch {
	case t.oneOf("kind", "Event") && strings.HasPrefix(t.str("apiVersion"), "audit.k8s.io"), t.has("verb") && t.hasAny("objectRef", "objectRef.resource"):
		return Logsource{Product: "kubernetes", Category: "application", Service: "audit"}
	case t.kindOf("auditType") == Object, t.has("auditType.category"):
		return Logsource{Product: "bitbucket", Service: "audit"}
	case t.has("action") && strings.IndexByte(t.str("action"), '.') > 0 && t.hasAny("org", "org_id", "business", "actor", "repo", "_document_id"):
		return Logsource{Product: "github", Service: "audit"}
	case t.has("event_type_id"):
		return Logsource{Product: "onelogin", Service: "onelogin.events"}
	case t.has("event_type") && t.has("reason") && t.hasAny("txid", "access_device", "auth_device", "factor", "result"):
		return Logsource{Product: "cisco", Service: "duo"}
	case t.has("logtype") && t.hasAny("node_id", "logdata", "dst_host", "src_host", "dst_port"):
		return Logsource{Product: "opencanary", Category: "application"}
	case t.hasAny("cfgpath", "cfgattr") && t.hasAny("action", "logid", "devid", "devname"):
		return Logsource{Product: "fortigate", Service: "event"}
	}
	return Logsource{}
}

// derivedCloud finds the fields of Azure's and Google's logs in the other ways
// that they are exported.
func (e *Event) derivedCloud(name string) (Value, bool) {
	switch e.source.Product {
	case "gcp":
		return e.tape.derivedGoogle(name)
	case "azure":
		return e.tape.derivedAzure(name)
	}
	return Value{}, false
}

// derivedGoogle finds a field under data, where it came through Pub/Sub, and the
// names and parameters of Workspace's events.
func (t *tape) derivedGoogle(name string) (Value, bool) {
	switch name {
	case "gcp.audit.method_name":
		name = "protoPayload.methodName"
	case "eventService":
		name = "protoPayload.serviceName"
	case "eventName":
		if v, ok := t.named("events.name"); ok {
			return v, true
		}
		name = "protoPayload.metadata.event.eventName"
	}
	name = strings.TrimPrefix(name, "data.")
	if v, ok := t.named(name); ok {
		return v, true
	}
	if v, ok := t.named("data." + name); ok {
		return v, true
	}
	return t.parameter(name)
}

// parameter finds a parameter of the events of Workspace's Reports interface,
// {"name": "SETTING_NAME", "value": …}, under its name in small letters.
func (t *tape) parameter(name string) (Value, bool) {
	var found Value
	events := t.lookup("events")
	if events == 0 {
		return found, false
	}
	t.each(events, func(event uint32) bool {
		if list := t.child(event, "parameters"); list != 0 {
			t.each(list, func(p uint32) bool {
				label, value := t.child(p, "name"), t.firstChild(p, "value", "intValue", "boolValue", "multiValue")
				if label != 0 && value != 0 && strings.EqualFold(t.body(&t.nodes[label]), name) {
					found = t.value(value)
				}
				return found.Kind() == Missing
			})
		}
		return found.Kind() == Missing
	})
	return found, found.Kind() != Missing
}

// derivedAzure finds a field under the other spelling of its initials (the names
// of Log Analytics have capitals), under properties, where diagnostic settings
// have it, and the outcome of a sign-in where Microsoft Graph has that.
func (t *tape) derivedAzure(name string) (Value, bool) {
	if name == "" {
		return Value{}, false
	}
	small, capital := withInitials(name, 'a'-'A'), withInitials(name, 0)
	for _, other := range [...]string{name, small, capital, "properties." + name, "properties." + small, capital + "Value"} {
		if v, ok := t.named(other); ok {
			return v, true
		}
		if v, ok := t.inside(other); ok {
			return v, true
		}
	}
	switch capital {
	case "ResultType":
		name = "status.errorCode"
	case "ResultDescription":
		name = "status.failureReason"
	default:
		return Value{}, false
	}
	if v, ok := t.named(name); ok {
		return v, true
	}
	return t.named("properties." + name)
}

// withInitials writes every part of a dotted name with a small letter or a
// capital: bit is what a small letter has and a capital has not.
func withInitials(name string, bit byte) string {
	out := []byte(name)
	for i, c := range out {
		if c |= 'a' - 'A'; (i == 0 || out[i-1] == '.') && c >= 'a' && c <= 'z' {
			out[i] = c&^('a'-'A') | bit
		}
	}
	return string(out)
}
