package demo

import (
	"strconv"
	"time"
)

// record builds one record as a line of JSON. Values are our own text, without
// control characters.
type record struct{ b []byte }

func (r *record) text(name, value string) *record {
	r.name(name)
	r.b = append(r.b, '"')
	for i := range len(value) {
		if c := value[i]; c == '"' || c == '\\' {
			r.b = append(r.b, '\\')
		}
		r.b = append(r.b, value[i])
	}
	r.b = append(r.b, '"')
	return r
}

func (r *record) number(name string, n int64) *record {
	r.name(name)
	r.b = strconv.AppendInt(r.b, n, 10)
	return r
}

func (r *record) name(name string) {
	if len(r.b) == 0 {
		r.b = append(make([]byte, 0, 768), '{')
	} else {
		r.b = append(r.b, ',')
	}
	r.b = append(append(append(r.b, '"'), name...), '"', ':')
}

// done ends the record with the label that every made-up record carries.
func (r *record) done() []byte {
	r.name("synthetic")
	return append(r.b, "true}"...)
}

const (
	isoLayout    = "2006-01-02T15:04:05.000Z07:00"
	sysmonLayout = "2006-01-02 15:04:05.000"
)

// windows begins a flat Windows record as log shippers write them.
func windows(channel, provider string, id int64, h host, at time.Time) *record {
	r := &record{}
	return r.text("@timestamp", at.UTC().Format(isoLayout)).text("Channel", channel).text("SourceName", provider).
		number("EventID", id).text("Hostname", h.name)
}

func sysmon(id int64, h host, at time.Time) *record {
	return windows("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", id, h, at).
		text("UtcTime", at.UTC().Format(sysmonLayout)).text("RuleName", "-")
}

func security(id int64, h host, at time.Time) *record {
	return windows("Security", "Microsoft-Windows-Security-Auditing", id, h, at)
}

// process is a program that was started.
type process struct {
	image, command, parent string
	parentCommand          string
	original, company      string
	hashes                 string
	user                   string
}

// processCreation is Sysmon event 1.
func (s *scene) processCreation(h host, p process) []byte {
	if p.user == "" {
		p.user = s.site.netbios + `\` + h.user
	}
	if p.parentCommand == "" {
		p.parentCommand = p.parent
	}
	r := sysmon(1, h, s.at).
		text("ProcessGuid", s.guid()).number("ProcessId", s.pid()).
		text("Image", p.image).text("OriginalFileName", p.original).text("Company", p.company).
		text("CommandLine", p.command).text("CurrentDirectory", `C:\Windows\system32\`).
		text("User", p.user).text("IntegrityLevel", "Medium").text("Hashes", p.hashes).
		number("ParentProcessId", s.pid()).text("ParentImage", p.parent).text("ParentCommandLine", p.parentCommand)
	return r.done()
}

// processAudit is Security event 4688.
func (s *scene) processAudit(h host, p process) []byte {
	return security(4688, h, s.at).
		text("SubjectUserName", h.user).text("SubjectDomainName", s.site.netbios).
		text("NewProcessId", "0x"+strconv.FormatInt(s.pid(), 16)).text("NewProcessName", p.image).
		text("CommandLine", p.command).text("ParentProcessName", p.parent).
		text("TokenElevationType", "%%1938").text("MandatoryLabel", "S-1-16-8192").done()
}

// connection is Sysmon event 3.
func (s *scene) connection(h host, image, to string, port int64, name string) []byte {
	return sysmon(3, h, s.at).
		text("ProcessGuid", s.guid()).number("ProcessId", s.pid()).text("Image", image).
		text("User", s.site.netbios+`\`+h.user).text("Protocol", "tcp").text("Initiated", "true").
		text("SourceIp", h.address).number("SourcePort", s.port()).
		text("DestinationIp", to).number("DestinationPort", port).text("DestinationHostname", name).done()
}

// access is Sysmon event 10.
func (s *scene) access(h host, source, target, rights string) []byte {
	return sysmon(10, h, s.at).
		number("SourceProcessId", s.pid()).text("SourceImage", source).
		number("TargetProcessId", s.pid()).text("TargetImage", target).text("GrantedAccess", rights).
		text("CallTrace", `C:\Windows\SYSTEM32\ntdll.dll+9d104|C:\Windows\System32\KERNELBASE.dll+2c13e`).done()
}

// dnsQuery is Sysmon event 22.
func (s *scene) dnsQuery(h host, image, name, answer string) []byte {
	return sysmon(22, h, s.at).
		number("ProcessId", s.pid()).text("Image", image).text("QueryName", name).
		text("QueryStatus", "0").text("QueryResults", "::ffff:"+answer+";").done()
}

// logon is Security event 4624 or, when it fails, 4625.
func (s *scene) logon(h host, user, from string, failed bool) []byte {
	id := int64(4624)
	if failed {
		id = 4625
	}
	r := security(id, h, s.at).
		text("TargetUserName", user).text("TargetDomainName", s.site.netbios).text("LogonType", "3").
		text("IpAddress", from).text("IpPort", strconv.FormatInt(s.port(), 10)).
		text("LogonProcessName", "NtLmSsp ").text("AuthenticationPackageName", "NTLM")
	if failed {
		r.text("Status", "0xc000006d").text("SubStatus", "0xc000006a")
	}
	return r.done()
}

// zeek begins a record of Zeek's JSON streaming.
func (s *scene) zeek(log string, from, to string, port int64, proto string) *record {
	r := &record{}
	r.text("_path", log).name("ts")
	r.b = strconv.AppendFloat(r.b, float64(s.at.UnixMicro())/1e6, 'f', 6, 64)
	return r.text("uid", s.uid()).text("id.orig_h", from).number("id.orig_p", s.port()).
		text("id.resp_h", to).number("id.resp_p", port).text("proto", proto)
}

func (s *scene) zeekDNS(h host, name, kind, answer string) []byte {
	r := s.zeek("dns", h.address, s.site.resolver(), 53, "udp").
		text("query", name).text("qtype_name", kind).text("rcode_name", "NOERROR")
	r.name("answers")
	r.b = append(append(append(r.b, '[', '"'), answer...), '"', ']')
	return r.done()
}

func (s *scene) zeekConn(h host, to string, port int64, service string) []byte {
	sent, received := s.rng.Int64N(9000)+200, s.rng.Int64N(90_000)+300
	return s.zeek("conn", h.address, to, port, "tcp").
		text("service", service).text("conn_state", "SF").
		number("orig_bytes", sent).number("resp_bytes", received).done()
}

func (s *scene) zeekHTTP(h host, to, name, uri string) []byte {
	return s.zeek("http", h.address, to, 80, "tcp").
		text("method", "GET").text("host", name).text("uri", uri).
		text("user_agent", "Microsoft-CryptoAPI/10.0").number("status_code", 200).done()
}

// proxy is a web proxy's record in the names of the W3C extended log format.
func (s *scene) proxy(h host, method, url string, status int64) []byte {
	r := &record{}
	return r.text("@timestamp", s.at.UTC().Format(isoLayout)).text("c-ip", h.address).
		text("cs-username", h.user).text("cs-method", method).text("c-uri", url).number("sc-status", status).
		number("sc-bytes", s.rng.Int64N(200_000)+400).
		text("c-useragent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36").done()
}

// firewall is a packet filter's record.
func (s *scene) firewall(from, to string, port int64, action string) []byte {
	r := &record{}
	return r.text("@timestamp", s.at.UTC().Format(isoLayout)).text("src_ip", from).number("src_port", s.port()).
		text("dst_ip", to).number("dst_port", port).text("protocol", "tcp").text("action", action).done()
}

// syslog is a line of RFC 5424. The label stands in its structured data, under
// the enterprise number for examples (RFC 5612).
func (s *scene) syslog(priority int, h host, program, message string) []byte {
	b := make([]byte, 0, 256)
	b = strconv.AppendInt(append(b, '<'), int64(priority), 10)
	b = append(b, ">1 "...)
	b = s.at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	b = append(append(append(append(b, ' '), h.name...), ' '), program...)
	b = strconv.AppendInt(append(b, ' '), s.pid(), 10)
	b = append(b, ` - [demo@32473 synthetic="true"] `...)
	return append(b, message...)
}
