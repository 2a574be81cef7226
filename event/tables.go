package event

import "strings"

// Tables of Azure Monitor whose columns have other names than what they were made
// from (Azure Monitor reference, tables), and the Advanced Security Information
// Model, in which Microsoft Sentinel brings tables together.

// table recognises rows by columns that only one of the tables has.
func (t *tape) table() Dialect {
	switch {
	case t.hasAny("csUriStem", "CsUriStem") && t.hasAny("csMethod", "CsMethod"):
		return AccessLog // W3CIISLog, AppServiceHTTPLogs
	case t.has("DeviceVendor") && t.hasAny("DeviceEventClassID", "DeviceProduct"):
		return Pairs // CommonSecurityLog
	case t.has("EventName") && !t.has("CloudTrailEvent") && strings.HasSuffix(t.str("EventSource"), ".amazonaws.com"):
		return CloudTrail // AWSCloudTrail
	case t.asim() != "":
		return ASIM
	}
	return Generic
}

// asim is the schema of the model that a row is of, "" for none. What Azure has
// of DNS servers, DnsEvents, is older than the model and much the same.
func (t *tape) asim() string {
	if t.has("EventSchema") && t.hasAny("EventType", "EventProduct", "EventVendor") {
		return t.str("EventSchema")
	}
	if t.has("QueryType") && t.has("ClientIP") && t.hasAny("SubType", "IPAddresses") {
		return "Dns"
	}
	return ""
}

// flattenTable gives the columns the names of the fields that they were made from.
func (t *tape) flattenTable(d Dialect) {
	switch d {
	case AccessLog:
		t.give(
			naming{"cs-method", "csMethod"}, naming{"cs-uri-stem", "csUriStem"}, naming{"cs-uri-query", "csUriQuery"}, naming{"cs-user-agent", "csUserAgent"},
			naming{"cs-referer", "csReferer"}, naming{"cs-cookie", "csCookie"}, naming{"cs-host", "csHost"}, naming{"cs-username", "csUserName"},
			naming{"sc-status", "scStatus"}, naming{"c-ip", "cIP"}, naming{"s-ip", "sIP"}, naming{"s-port", "sPort"},
			naming{"cs-method", "CsMethod"}, naming{"cs-uri-stem", "CsUriStem"}, naming{"cs-uri-query", "CsUriQuery"}, naming{"cs-user-agent", "UserAgent"},
			naming{"cs-referer", "Referer"}, naming{"cs-cookie", "Cookie"}, naming{"cs-host", "CsHost"}, naming{"cs-username", "CsUsername"},
			naming{"sc-status", "ScStatus"}, naming{"c-ip", "CIp"},
		)
	case Pairs:
		t.give(
			naming{"src_ip", "SourceIP"}, naming{"src_port", "SourcePort"}, naming{"dst_ip", "DestinationIP"}, naming{"dst_port", "DestinationPort"},
			naming{"action", "DeviceAction"}, naming{"username", "SourceUserName"}, naming{"c-ip", "SourceIP"}, naming{"c-uri", "RequestURL"},
			naming{"cs-method", "RequestMethod"}, naming{"c-useragent", "RequestClientApplication"}, naming{"cs-host", "DestinationHostName"},
			naming{"Filename", "FilePath"}, naming{"Filename", "FileName"}, naming{"Signature", "Activity"},
		)
	case CloudTrail:
		t.give(
			naming{"eventName", "EventName"}, naming{"eventSource", "EventSource"}, naming{"awsRegion", "AWSRegion"}, naming{"eventType", "EventTypeName"},
			naming{"sourceIPAddress", "SourceIpAddress"}, naming{"userAgent", "UserAgent"}, naming{"errorCode", "ErrorCode"}, naming{"errorMessage", "ErrorMessage"},
			naming{"requestParameters", "RequestParameters"}, naming{"responseElements", "ResponseElements"}, naming{"additionalEventData", "AdditionalEventData"},
			naming{"userIdentity.type", "UserIdentityType"}, naming{"userIdentity.arn", "UserIdentityArn"}, naming{"userIdentity.principalId", "UserIdentityPrincipalid"},
			naming{"userIdentity.userName", "UserIdentityUserName"}, naming{"userIdentity.accountId", "UserIdentityAccountId"},
			naming{"userIdentity.invokedBy", "UserIdentityInvokedBy"}, naming{"userIdentity.accessKeyId", "UserIdentityAccessKeyId"},
			naming{"userIdentity.sessionContext.sessionIssuer.type", "SessionIssuerType"}, naming{"userIdentity.sessionContext.sessionIssuer.arn", "SessionIssuerArn"},
			naming{"userIdentity.sessionContext.attributes.mfaAuthenticated", "SessionMfaAuthenticated"}, naming{"eventTime", "TimeGenerated"},
		)
	}
}

// flattenASIM names the columns of the model (Microsoft Sentinel, ASIM schemas)
// and the log source: its types of events are those of Defender's tables.
func (t *tape) flattenASIM() Logsource {
	switch t.asim() {
	case "Dns":
		t.give(
			naming{"query", "DnsQuery"}, naming{"query", "Name"}, naming{"record_type", "DnsQueryTypeName"}, naming{"record_type", "QueryType"},
			naming{"answer", "DnsResponseName"}, naming{"answer", "IPAddresses"}, naming{"src_ip", "SrcIpAddr"}, naming{"src_ip", "ClientIP"}, naming{"dst_ip", "DstIpAddr"},
		)
		return Logsource{Category: "dns"}
	case "NetworkSession":
		t.give(
			naming{"src_ip", "SrcIpAddr"}, naming{"src_port", "SrcPortNumber"}, naming{"dst_ip", "DstIpAddr"}, naming{"dst_port", "DstPortNumber"},
			naming{"action", "DvcAction"}, naming{"username", "SrcUsername"},
		)
		return Logsource{Category: "firewall"}
	case "WebSession":
		t.give(
			naming{"cs-uri-query", "Url"}, naming{"c-useragent", "HttpUserAgent"}, naming{"cs-method", "HttpRequestMethod"}, naming{"cs-host", "HttpHost"},
			naming{"cs-referrer", "HttpReferrer"}, naming{"sc-status", "EventResultDetails"}, naming{"c-ip", "SrcIpAddr"},
		)
		if strings.HasPrefix(t.str("EventType"), "WebServer") {
			return Logsource{Category: "webserver"}
		}
		t.give(naming{"c-uri", "Url"})
		return Logsource{Category: "proxy"}
	}
	kind := t.str("EventType")
	l := Logsource{Category: defenderXDRCategory(kind)}
	switch kind {
	case "ProcessTerminated":
		l.Category = "process_termination"
	case "FileAccessed":
		l.Category = "file_access"
	}
	t.give(asimNames(l.Category)...)
	t.sayRegistry(t.str("RegistryKey"), t.str("RegistryValue"), t.str("RegistryValueType"), t.str("RegistryValueData"))
	l.Product = t.hostProduct()
	return l
}

func asimNames(category string) []naming {
	if category == "process_creation" || category == "process_termination" {
		return []naming{
			{"Image", "TargetProcessName"}, {"CommandLine", "TargetProcessCommandLine"}, {"User", "TargetUsername"}, {"ProcessId", "TargetProcessId"},
			{"CurrentDirectory", "TargetProcessCurrentDirectory"}, {"IntegrityLevel", "TargetProcessIntegrityLevel"}, {"ParentImage", "ActingProcessName"},
			{"ParentCommandLine", "ActingProcessCommandLine"}, {"ParentProcessId", "ActingProcessId"}, {"OriginalFileName", "TargetProcessFileOriginalName"},
			{"Description", "TargetProcessFileDescription"}, {"Product", "TargetProcessFileProduct"}, {"Company", "TargetProcessFileCompany"},
			{"FileVersion", "TargetProcessFileVersion"}, {"Computer", "DvcHostname"},
		}
	}
	return []naming{
		{"Image", "ActingProcessName"}, {"CommandLine", "ActingProcessCommandLine"}, {"ProcessId", "ActingProcessId"}, {"User", "ActorUsername"},
		{"ParentImage", "ParentProcessName"}, {"TargetFilename", "TargetFilePath"}, {"SourceFilename", "SrcFilePath"}, {"Computer", "DvcHostname"},
	}
}
