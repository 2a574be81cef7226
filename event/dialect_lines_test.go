package event

// lineCases are lines of pairs, of proxies and of the journal, and records about
// HTTP and DNS whose parts have other names than Sigma's.
var lineCases = []dialectCase{
	{
		"cef", `CEF:0|Vendor|FW \| x|1|100|Allowed|3|src=10.0.0.1 spt=1025 dst=192.0.2.66 dpt=4444 act=allow msg=a b\=c \\ d cs1Label=Rule Name cs1=r 1 rt=1735787045678`,
		Pairs, Logsource{"", "firewall", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"src_ip": "10.0.0.1", "dst_ip": "192.0.2.66", "dst_port": "4444", "action": "allow", "msg": `a b=c \ d`, "deviceProduct": "FW | x",
			"name": "Allowed", "Rule Name": "r 1", "dpt": "4444", "nothing": "∅",
		},
	},
	{
		"cef in syslog", `<134>Jan  2 03:04:05 fw CEF:0|V|P|1|1|n|3|request=http://a.example/x.exe?y=z requestMethod=GET requestClientApplication=curl/7 (x)`,
		Pairs, Logsource{"", "proxy", ""}, "", map[string]string{"c-uri": "http://a.example/x.exe?y=z", "cs-method": "GET", "c-useragent": "curl/7 (x)", "hostname": "fw"},
	},
	{
		"cef in a message", `{"message":"CEF:0|V|P|1|1|n|3|src=10.0.0.1 dpt=22","agent":{"name":"x"}}`, Pairs, Logsource{"", "firewall", ""}, "",
		map[string]string{"src_ip": "10.0.0.1", "dst_port": "22", "agent.name": "x"},
	},
	{
		"leef", "LEEF:1.0|V|P|1|allow|src=10.0.0.1\tdst=192.0.2.66\tdstPort=4444\tusrName=a b", Pairs, Logsource{"", "firewall", ""}, "",
		map[string]string{"src_ip": "10.0.0.1", "dst_port": "4444", "username": "a b", "deviceEventClassId": "allow"},
	},
	{
		"leef 2", "<13>Jan  2 03:04:05 h LEEF:2.0|V|P|1|e|x5E|src=10.0.0.1^url=http://a.example/", Pairs, Logsource{"", "proxy", ""}, "", map[string]string{"c-ip": "10.0.0.1", "c-uri": "http://a.example/"},
	},
	{"cef, cut off", `CEF:0|V|P`, Pairs, Logsource{}, "", map[string]string{"message": `CEF:0|V|P`, "deviceVendor": "V"}},
	{
		"fortigate", `<185>date=2025-01-02 time=03:04:05 devname="FG" devid="F1" logid="0100044547" type="event" user="a b" action="Add" cfgpath="system.admin"`,
		Pairs, Logsource{"fortigate", "", "event"}, "", map[string]string{"action": "Add", "cfgpath": "system.admin", "user": "a b", "Computer": "FG"},
	},
	{
		"fortigate, traffic", `date=2025-01-02 time=03:04:05 devid="F1" logid="0000000013" type="traffic" srcip=10.0.0.1 dstip=192.0.2.66 dstport=4444 action="accept"`,
		Pairs, Logsource{"fortigate", "firewall", "traffic"}, "", map[string]string{"src_ip": "10.0.0.1", "dst_port": "4444", "action": "accept"},
	},
	{
		"pairs in syslog", `<134>Jan  2 03:04:05 fw filter[1]: src_ip=10.0.0.1 dst_ip=192.0.2.66, dst_port=4444; action=deny by rule`,
		Pairs, Logsource{"", "firewall", ""}, "", map[string]string{"dst_port": "4444", "dst_ip": "192.0.2.66", "action": "deny", "program": "filter"},
	},
	{"no pairs", `<134>Jan  2 03:04:05 h app: a=1 b=2`, Syslog, Logsource{"linux", "", "syslog"}, "", map[string]string{"a": "∅"}},
	{"pairs of a known program", `Jan  2 03:04:05 h sshd[1]: a=1 b=2 c=3`, Syslog, Logsource{"linux", "", "sshd"}, "", map[string]string{"a": "∅"}},
	{"sshd's sessions", `Jan  2 03:04:05 h sshd-session[1]: Failed password`, Syslog, Logsource{"linux", "", "sshd"}, "", nil},
	{
		"journal", `{"__REALTIME_TIMESTAMP":"1735787045678901","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"sudo","_COMM":"sudo","MESSAGE":"x : y"}`,
		Syslog, Logsource{"linux", "", "sudo"}, "2025-01-02T03:04:05.678901Z", map[string]string{"message": "x : y", "program": "sudo", "hostname": "h"},
	},
	{
		"squid", `1735787045.678    180 10.0.0.5 TCP_MISS/200 411 GET http://u@evil.example:8080/x/a.exe?b#c - HIER_DIRECT/192.0.2.1 text/html`,
		AccessLog, Logsource{"", "proxy", ""}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"c-ip": "10.0.0.5", "sc-status": "200", "cs-method": "GET", "c-uri": "http://u@evil.example:8080/x/a.exe?b#c", "cs-uri": "http://u@evil.example:8080/x/a.exe?b#c",
			"c-uri-extension": "exe", "c-uri-query": "b", "c-uri-stem": "/x/a.exe", "cs-host": "evil.example", "r-dns": "evil.example", "cs-username": "∅",
		},
	},
	{"no squid", `1735787045.678 a 10.0.0.5 TCP_MISS/200 411 GET / - HIER/x -`, Text, Logsource{}, "", nil},
	{
		"squid, tunnel", `1735787045.678 1 10.0.0.5 TCP_TUNNEL/200 4 CONNECT evil.example:443 u HIER_DIRECT/192.0.2.1 -`,
		AccessLog, Logsource{"", "proxy", ""}, "2025-01-02T03:04:05.678Z", map[string]string{"cs-host": "evil.example", "cs-method": "CONNECT", "cs-username": "u", "c-uri-extension": "∅"},
	},
	{
		"access log, virtual host", `www.a.example:443 192.0.2.1 - - [02/Jan/2025:11:04:05 +0800] "GET /x HTTP/1.1" 200 1 "-" "a" "-" 0.003`,
		AccessLog, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"c-ip": "192.0.2.1", "cs-uri-query": "/x", "cs-user-agent": "a"},
	},
	{
		"proxy, parts of the uri", `{"c-ip":"10.0.0.5","cs-host":"evil.example","cs-uri-scheme":"http","cs-uri-port":"8080","cs-uri-path":"/x/a.exe","cs-uri-query":"?b","cs-uri-extension":"exe"}`,
		Generic, Logsource{"", "proxy", ""}, "", map[string]string{"c-uri": "http://evil.example:8080/x/a.exe?b", "c-uri-extension": "exe", "c-uri-stem": "/x/a.exe"},
	},
	{
		"web server, no query", `{"cs-method":"GET","cs-uri-stem":"/etc/passwd","sc-status":"200"}`, Generic, Logsource{"", "webserver", ""}, "", map[string]string{"cs-uri-query": "/etc/passwd", "c-uri": "∅"},
	},
	{
		"zeek, parts of the uri", `{"_path":"http","ts":1735787045.5,"uri":"/a.b/c.docm?x=1","host":"a.example"}`, Zeek, Logsource{"zeek", "proxy", "http"}, "2025-01-02T03:04:05.5Z",
		map[string]string{"c-uri-extension": "docm", "c-uri-query": "x=1", "cs-host": "a.example"},
	},
	{
		"filebeat, zeek", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"dataset":"zeek.kerberos"},"zeek":{"kerberos":{"request_type":"TGS","cipher":"rc4-hmac"}}}`,
		ECS, Logsource{"zeek", "", "kerberos"}, "2025-01-02T03:04:05Z", map[string]string{"request_type": "TGS", "cipher": "rc4-hmac"},
	},
	{
		"filebeat, nginx", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"event":{"dataset":"nginx.access","category":["web"]},"url":{"original":"/x?y","query":"y"}}`,
		ECS, Logsource{"", "webserver", ""}, "2025-01-02T03:04:05Z", map[string]string{"cs-uri-query": "/x?y", "c-uri-query": "y"},
	},
	{
		"auditbeat", `{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"1.12"},"event":{"module":"auditd","category":["process"],"type":["start"]},"process":{"executable":"/bin/nc","args":["nc","-e","/bin/sh"]}}`,
		ECS, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05Z", map[string]string{"Image": "/bin/nc", "CommandLine": "nc -e /bin/sh"},
	},
	{
		"suricata, dns version 3", `{"timestamp":"2025-01-02T03:04:05.5+0000","flow_id":1,"event_type":"dns","dns":{"version":3,"type":"response","queries":[{"rrname":"a.example","rrtype":"TXT"}],"answers":[{"rdata":"x"}]}}`,
		Suricata, Logsource{"suricata", "dns", "dns"}, "2025-01-02T03:04:05.5Z", map[string]string{"query": "a.example", "record_type": "TXT", "answer": "x", "dns.question.name": "a.example"},
	},
	{
		"kernel's file events", `{"EventID":12,"Channel":"Microsoft-Windows-Kernel-File/Analytic","FileName":"C:\\a"}`, WindowsFlat, Logsource{"windows", "file_access", ""}, "", map[string]string{"FileName": `C:\a`},
	},
}
