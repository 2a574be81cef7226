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
		t.give([]naming{
			{"cs-method", "csMethod"}, {"cs-uri-stem", "csUriStem"}, {"cs-uri-query", "csUriQuery"}, {"cs-user-agent", "csUserAgent"},
			{"cs-referer", "csReferer"}, {"cs-cookie", "csCookie"}, {"cs-host", "csHost"}, {"cs-username", "csUserName"},
			{"sc-status", "scStatus"}, {"c-ip", "cIP"}, {"s-ip", "sIP"}, {"s-port", "sPort"},
			{"cs-method", "CsMethod"}, {"cs-uri-stem", "CsUriStem"}, {"cs-uri-query", "CsUriQuery"}, {"cs-user-agent", "UserAgent"},
			{"cs-referer", "Referer"}, {"cs-cookie", "Cookie"}, {"cs-host", "CsHost"}, {"cs-username", "CsUsername"},
			{"sc-status", "ScStatus"}, {"c-ip", "CIp"},
		})
	case Pairs:
		t.give([]naming{
			{"src_ip", "SourceIP"}, {"src_port", "SourcePort"}, {"dst_ip", "DestinationIP"}, {"dst_port", "DestinationPort"},
			{"action", "DeviceAction"}, {"username", "SourceUserName"}, {"c-ip", "SourceIP"}, {"c-uri", "RequestURL"},
			{"cs-method", "RequestMethod"}, {"c-useragent", "RequestClientApplication"}, {"cs-host", "DestinationHostName"},
			{"Filename", "FilePath"}, {"Filename", "FileName"}, {"Signature", "Activity"},
		})
	case CloudTrail:
		t.give([]naming{
			{"eventName", "EventName"}, {"eventSource", "EventSource"}, {"awsRegion", "AWSRegion"}, {"eventType", "EventTypeName"},
			{"sourceIPAddress", "SourceIpAddress"}, {"userAgent", "UserAgent"}, {"errorCode", "ErrorCode"}, {"errorMessage", "ErrorMessage"},
			{"requestParameters", "RequestParameters"}, {"responseElements", "ResponseElements"}, {"additionalEventData", "AdditionalEventData"},
			{"userIdentity.type", "UserIdentityType"}, {"userIdentity.arn", "UserIdentityArn"}, {"userIdentity.principalId", "UserIdentityPrincipalid"},
			{"userIdentity.userName", "UserIdentityUserName"}, {"userIdentity.accountId", "UserIdentityAccountId"},
			{"userIdentity.invokedBy", "UserIdentityInvokedBy"}, {"userIdentity.accessKeyId", "UserIdentityAccessKeyId"},
			{"userIdentity.sessionContext.sessionIssuer.type", "SessionIssuerType"}, {"userIdentity.sessionContext.sessionIssuer.arn", "SessionIssuerArn"},
			{"userIdentity.sessionContext.attributes.mfaAuthenticated", "SessionMfaAuthenticated"}, {"eventTime", "TimeGenerated"},
		})
	}
}

// flattenASIM names the columns of the model (Microsoft Sentinel, ASIM schemas)
// and the log source: its types of events are those of Defender's tables.
func (t *tape) flattenASIM() Logsource {
	switch t.asim() {
	case "Dns":
		t.give([]naming{
			{"query", "DnsQuery"}, {"query", "Name"}, {"record_type", "DnsQueryTypeName"}, {"record_type", "QueryType"},
			{"answer", "DnsResponseName"}, {"answer", "IPAddresses"}, {"src_ip", "SrcIpAddr"}, {"src_ip", "ClientIP"}, {"dst_ip", "DstIpAddr"},
		})
		return Logsource{Category: "dns"}
	case "NetworkSession":
		t.give([]naming{
			{"src_ip", "SrcIpAddr"}, {"src_port", "SrcPortNumber"}, {"dst_ip", "DstIpAddr"}, {"dst_port", "DstPortNumber"},
			{"action", "DvcAction"}, {"username", "SrcUsername"},
		})
		return Logsource{Category: "firewall"}
	case "WebSession":
		t.give([]naming{
			{"cs-uri-query", "Url"}, {"c-useragent", "HttpUserAgent"}, {"cs-method", "HttpRequestMethod"}, {"cs-host", "HttpHost"},
			{"cs-referrer", "HttpReferrer"}, {"sc-status", "EventResultDetails"}, {"c-ip", "SrcIpAddr"},
		})
		if strings.HasPrefix(t.str("EventType"), "WebServer") {
			return Logsource{Category: "webserver"}
		}
		t.give([]naming{{"c-uri", "Url"}})
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
	t.give(asimNames(l.Category))
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
