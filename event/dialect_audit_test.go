package event

// auditCases are audit events whose records were joined before they came, and
// records in the other ways that auditd's tools write them.
var auditCases = []dialectCase{
	{
		"laurel", `{"ID":"1735787045.678:91","NODE":"h","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","exit":0,"a0":"0x55c0","a1":"0x55c1","items":2,"ppid":7,"pid":8,"auid":1000,"uid":33,"euid":33,"comm":"nc","exe":"/usr/bin/nc","key":"exec","ARCH":"x86_64","SYSCALL":"execve","UID":"www-data","PPID":{"comm":"apache2","exe":"/usr/sbin/apache2"}},` +
			`"EXECVE":{"argc":3,"ARGV":["nc","-e","/bin/sh x"]},"CWD":{"cwd":"/tmp"},"PATH":[{"item":0,"name":"/usr/bin/nc","nametype":"NORMAL"},{"item":1,"name":"/lib64/ld.so","nametype":"NORMAL"}],"PROCTITLE":{"ARGV":["nc","-e"]}}`,
		Auditd, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"type": " SYSCALL EXECVE CWD PATH PROCTITLE", "name": " /usr/bin/nc /lib64/ld.so", "a0": "nc", "a2": "/bin/sh x", "a3": "∅", "SYSCALL": "execve", "syscall": "59", "exe": "/usr/bin/nc", "comm": "nc", "key": "exec",
			"euid": "33", "cwd": "/tmp", "proctitle": "nc -e", "audit_id": "91", "Image": "/usr/bin/nc", "CommandLine": "nc -e /bin/sh x",
			"CurrentDirectory": "/tmp", "ParentImage": "/usr/sbin/apache2", "User": "www-data", "ProcessId": "8", "ParentProcessId": "7",
		},
	},
	{
		"laurel, no program started", `{"ID":"1735787045.678:92","SYSCALL":{"arch":"0xc000003e","syscall":103,"success":"yes","a0":"0x4","a1":"0x0","exe":"/bin/dmesg","comm":"dmesg"}}`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"type": "SYSCALL", "SYSCALL": "syslog", "a0": "4", "arch": "c000003e", "Image": "∅", "CommandLine": "∅"},
	},
	{
		"laurel, bytes in percent signs", `{"ID":"1735787045.678:91","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","exe":"/usr/bin/chmod"},"EXECVE":{"argc":3,"ARGV":["chmod","%2bx","100%","0x7f"]}}`,
		Auditd, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"a1": "+x", "a2": "100%", "CommandLine": "chmod +x 100% 0x7f"},
	},
	{
		"laurel, user message", `{"ID":"1735787045.678:93","ADD_USER":[{"pid":1,"op":"adding user","acct":"x","exe":"/usr/sbin/useradd","res":"success"}]}`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"type": "ADD_USER", "exe": "/usr/sbin/useradd", "acct": "x"},
	},
	{"no laurel", `{"ID":"a:b","SYSCALL":{"a":1}}`, Generic, Logsource{}, "", map[string]string{"type": "∅"}},
	{
		"records behind one another", `type=SYSCALL msg=audit(1735787045.678:91): arch=c000003e syscall=59 success=yes exit=0 a0=55c0 a1=55c1 ppid=7 pid=8 uid=0 comm="cat" exe="/bin/cat" key=(null)ARCH=x86_64 UID="root"` +
			` type=EXECVE msg=audit(1735787045.678:91): argc=2 a0="cat" a1=2F6574632F736861646F77 type=CWD msg=audit(1735787045.678:91): cwd="/root"` +
			` type=PATH msg=audit(1735787045.678:91): item=0 name="/bin/cat" nametype=NORMAL type=PATH msg=audit(1735787045.678:91): item=1 name="/lib/ld.so" nametype=NORMAL type=PROCTITLE msg=audit(1735787045.678:91): proctitle=636174`,
		Auditd, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{
			"type": " SYSCALL EXECVE CWD PATH PATH PROCTITLE", "name": " /bin/cat /lib/ld.so", "nametype": " NORMAL NORMAL",
			"a0": "cat", "a1": "/etc/shadow", "SYSCALL": "execve", "key": "(null)", "ARCH": "x86_64", "Image": "/bin/cat", "CommandLine": "cat /etc/shadow",
			"CurrentDirectory": "/root", "User": "root", "audit_id": "91",
		},
	},
	{
		"program not started", "type=SYSCALL msg=audit(1735787045.678:91): arch=c000003e syscall=59 success=no exe=\"/bin/sh\"\ntype=EXECVE msg=audit(1735787045.678:91): argc=1 a0=\"x\"",
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"a0": "x", "exe": "/bin/sh", "Image": "∅"},
	},
	{
		"system call by number", `type=SYSCALL msg=audit(1735787045.678:91): arch=c000003e syscall=133 success=yes a0=7f41 comm="mknod" exe="/usr/bin/mknod" key=(null)`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"SYSCALL": "mknod", "syscall": "133", "a0": "7f41"},
	},
	{
		"system call of another architecture", `type=SYSCALL msg=audit(1735787045.678:91): arch=c00000b7 syscall=92 a0=40000`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"SYSCALL": "personality"},
	},
	{
		"system call of no architecture", `type=SYSCALL msg=audit(1735787045.678:91): arch=15 syscall=92`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"SYSCALL": "∅"},
	},
	{
		"interpreted", `type=SYSCALL msg=audit(01/02/2025 03:04:05.678:91) : arch=x86_64 syscall=execve success=yes exit=0 a0=0x55c0 ppid=7 pid=8 auid=u uid=root euid=root comm=cat exe=/usr/bin/cat key=(null)`,
		Auditd, Logsource{"linux", "", "auditd"}, "", map[string]string{"SYSCALL": "execve", "exe": "/usr/bin/cat", "uid": "root", "audit_id": "91", "key": "(null)"},
	},
	{
		"interpreted arguments", `type=EXECVE msg=audit(01/02/2025 03:04:05.678:91) : argc=3 a0=touch a1=-t a2=two words`,
		Auditd, Logsource{"linux", "", "auditd"}, "", map[string]string{"type": "EXECVE", "a2": "two words"},
	},
	{
		"long argument", `type=EXECVE msg=audit(1735787045.678:91): argc=3 a0="sh" a1="-c" a2_len=14 a2[0]=6375726C20 a2[1]="http://a" a2[2]=20`,
		Auditd, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"a1": "-c", "a2": "curl http://a ", "a2_len": "14", "a2[1]": "∅"},
	},
	{
		"long argument in a joined event", `type=SYSCALL msg=audit(1735787045.678:91): arch=c000003e syscall=59 success=yes a0=1 a1=2 exe="/bin/sh" type=EXECVE msg=audit(1735787045.678:91): argc=2 a0="sh" a1[0]="one " a1[1]="two"`,
		Auditd, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"a1": "one two", "CommandLine": "sh one two"},
	},
	{
		"wazuh", `{"timestamp":"2025-01-02T03:04:05.678+0000","agent":{"name":"h"},"decoder":{"name":"auditd"},"full_log":"type=SYSCALL msg=audit(1735787045.678:91): arch=c000003e syscall=59 success=yes exe=\"/bin/cat\" type=EXECVE msg=audit(1735787045.678:91): argc=1 a0=\"cat\"","data":{"audit":{"type":"SYSCALL"}}}`,
		Auditd, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"a0": "cat", "exe": "/bin/cat", "Image": "/bin/cat"},
	},
	{
		"wazuh, syslog", `{"timestamp":"2025-01-02T03:04:05.678+0000","agent":{"name":"h"},"predecoder":{"program_name":"sshd"},"full_log":"Jan  2 03:04:05 h sshd[1]: Failed password for x"}`,
		Syslog, Logsource{"linux", "", "sshd"}, "2025-01-02T03:04:05.678Z", map[string]string{"message": "Failed password for x", "program": "sshd"},
	},
	{
		"auditbeat, program started", `{"@timestamp":"2025-01-02T03:04:05.678Z","ecs":{"version":"8"},"event":{"module":"auditd","category":["process"],"type":["start"],"action":"executed"},"auditd":{"message_type":"syscall","data":{"a0":"1081","syscall":"execve","arch":"x86_64"},` +
			`"paths":[{"name":"/bin/uname","nametype":"NORMAL"},{"name":"/lib64/ld.so","nametype":"NORMAL"}]},"process":{"args":["uname","-a"],"executable":"/bin/uname","name":"uname","title":"uname -a","working_directory":"/tmp"},"user":{"id":"0","name":"root"},"tags":["k"]}`,
		ECS, Logsource{"linux", "process_creation", "auditd"}, "2025-01-02T03:04:05.678Z",
		map[string]string{"a0": "uname", "a1": "-a", "SYSCALL": "execve", "exe": "/bin/uname", "comm": "uname", "key": `["k"]`, "Image": "/bin/uname", "CommandLine": "uname -a", "type": " syscall EXECVE PATH", "name": " /bin/uname /lib64/ld.so"},
	},
	{
		"auditbeat, system call", `{"@timestamp":"2025-01-02T03:04:05.678Z","ecs":{"version":"8"},"event":{"module":"auditd","action":"x"},"auditd":{"message_type":"syscall","data":{"a0":"4","syscall":"syslog"}},"process":{"executable":"/bin/dmesg"}}`,
		ECS, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"type": "syscall", "a0": "4", "SYSCALL": "syslog"},
	},
	{
		"filebeat's auditd", `{"@timestamp":"2025-01-02T03:04:05.678Z","ecs":{"version":"8"},"event":{"module":"auditd","dataset":"auditd.log","action":"execve"},"auditd":{"log":{"sequence":91}},"process":{"args":["cat","/etc/shadow"],"executable":"cat"}}`,
		ECS, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"type": "execve", "a0": "cat", "a1": "/etc/shadow"},
	},
	{
		"filebeat's auditd, path", `{"@timestamp":"2025-01-02T03:04:05.678Z","ecs":{"version":"8"},"event":{"module":"auditd","action":"path"},"auditd":{"log":{"name":"/etc/ld.so.preload","nametype":"CREATE"}}}`,
		ECS, Logsource{"linux", "", "auditd"}, "2025-01-02T03:04:05.678Z", map[string]string{"type": "path", "name": "/etc/ld.so.preload", "nametype": "CREATE"},
	},
}
