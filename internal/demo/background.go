package demo

import (
	"crypto/md5"  //nolint:gosec // names a made-up file, protects nothing
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// ordinary makes one record of an ordinary day. None of these fires a rule of
// the catalogue, however many there are.
func (s *scene) ordinary() []byte {
	ws := s.site.workstation(s.rng.IntN(workstations))
	switch n := s.rng.IntN(100); {
	case n < 20:
		return s.processCreation(ws, s.program())
	case n < 28:
		return s.processAudit(ws, s.program())
	case n < 42:
		name := s.publicName()
		return s.connection(ws, browser, publicAddress(name), 443, name)
	case n < 48:
		name := s.publicName()
		return s.dnsQuery(ws, browser, name, publicAddress(name))
	case n < 51:
		return s.access(ws, `C:\Windows\System32\svchost.exe`, `C:\Windows\System32\lsass.exe`, "0x1000")
	case n < 59:
		return s.logon(s.site.server(s.rng.IntN(servers)), ws.user, ws.address, false)
	default:
		return s.network(ws, n)
	}
}

// network makes what sensors, proxies and servers log.
func (s *scene) network(ws host, n int) []byte {
	name := s.publicName()
	switch {
	case n < 71:
		return s.zeekDNS(ws, name, pick(s.rng, "A", "AAAA", "HTTPS"), publicAddress(name))
	case n < 81:
		return s.zeekConn(ws, publicAddress(name), 443, "ssl")
	case n < 84:
		return s.zeekHTTP(ws, publicAddress(name), name, pick(s.rng, "/", "/status", "/pki/list.crl"))
	case n < 92:
		return s.proxy(ws, pick(s.rng, "GET", "GET", "CONNECT", "POST"), "https://"+name+s.path(), pick[int64](s.rng, 200, 200, 200, 304, 404))
	case n < 96:
		return s.firewall(ws.address, publicAddress(name), 443, "allow")
	default:
		return s.unix()
	}
}

func (s *scene) unix() []byte {
	h, from := s.site.server(s.rng.IntN(servers)), s.site.workstation(s.rng.IntN(workstations))
	switch s.rng.IntN(3) {
	case 0:
		return s.syslog(86, h, "sshd", fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2", h.user, from.address, s.port()))
	case 1:
		return s.syslog(85, h, "sudo", fmt.Sprintf("%s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=/usr/bin/systemctl status batch", h.user, h.user))
	}
	return s.syslog(78, h, "CRON", "(root) CMD (/usr/local/sbin/rotate-reports)")
}

const (
	browser    = `C:\Program Files\Sample Browser\browser.exe`
	explorer   = `C:\Windows\explorer.exe`
	shell      = `C:\Windows\System32\cmd.exe`
	powershell = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
	services   = `C:\Windows\System32\services.exe`
	svchost    = `C:\Windows\System32\svchost.exe`
	mailer     = `C:\Program Files\Sample Office\mail.exe`
)

// program is something that starts every day somewhere.
func (s *scene) program() process {
	p := pick(s.rng,
		process{image: browser, command: "browser.exe --type=renderer", parent: browser, company: "Sample Browser"},
		process{image: mailer, command: "mail.exe /recycle", parent: explorer, company: "Sample Office"},
		process{image: `C:\Program Files\Sample Office\table.exe`, command: `table.exe "D:\Reports\daily.xlsx"`, parent: explorer, company: "Sample Office"},
		process{image: `C:\CoreBanking\teller.exe`, command: "teller.exe /branch 0102", parent: explorer, company: "Sample Core Banking"},
		process{image: svchost, command: "svchost.exe -k netsvcs -p", parent: services, company: "Microsoft Corporation"},
		process{image: `C:\Windows\System32\conhost.exe`, command: "conhost.exe 0xffffffff -ForceV1", parent: shell, company: "Microsoft Corporation"},
		process{image: `C:\Windows\System32\taskhostw.exe`, command: "taskhostw.exe", parent: svchost, company: "Microsoft Corporation"},
		process{image: shell, command: `cmd.exe /c C:\Batch\close-day.cmd`, parent: svchost, company: "Microsoft Corporation"},
		process{image: powershell, command: `powershell.exe -NoProfile -File C:\Scripts\inventory.ps1`, parent: svchost, company: "Microsoft Corporation"},
		process{image: `C:\ProgramData\Microsoft\Windows Defender\Platform\4.18\MpCmdRun.exe`, command: "MpCmdRun.exe SignatureUpdate", parent: services, company: "Microsoft Corporation"},
	)
	p.original = p.image[strings.LastIndexByte(p.image, '\\')+1:]
	p.hashes = hashes(p.image)
	return p
}

// hashes are those of a made-up file, as Sysmon writes them.
func hashes(file string) string {
	content := []byte("synthetic file " + file)
	return fmt.Sprintf("SHA1=%X,MD5=%X,SHA256=%X", sha1.Sum(content), md5.Sum(content), sha256.Sum256(content))
}

// publicName is a name of the wide world, under the domains for examples
// (RFC 2606).
func (s *scene) publicName() string {
	site := pick(s.rng, "river-news", "weather", "cloud-mail", "rates", "maps", "travel", "video", "search", "updates", "market-data", "lunchbox", "library")
	return pick(s.rng, "www.", "api.", "cdn.", "static.") + site + pick(s.rng, ".example.com", ".example.org")
}

// publicAddress is where a public name leads: in 192.0.2.0/24 (RFC 5737), the
// other two blocks being left to the adversaries.
func publicAddress(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("192.0.2.%d", 1+int(sum[0])%250)
}

func (s *scene) path() string {
	return pick(s.rng, "/", "/news/today", "/v2/quotes?symbol=0000", "/img/logo.png", "/account/login", "/search?q=lunch", "/dl/setup.exe")
}

// rare makes what happens a few times in an hour at each member, however high
// the rate: noise that is close to what rules look for.
func (s *scene) rare(slot time.Time) []byte {
	second := slot.Unix() + int64(s.site.salt%600)
	s.at = within(slot, s.rng)
	ws := s.site.workstation(int(second / 30 % workstations))
	if second%30 == 0 { // each source address comes round once in an hour
		return s.logon(s.site.server(0), ws.user, ws.address, true)
	}
	if second%45 != 7 {
		return nil
	}
	return s.nearMiss(ws)
}

func (s *scene) nearMiss(ws host) []byte {
	sv := s.site.server(s.rng.IntN(servers))
	switch s.rng.IntN(8) {
	case 0:
		return s.processCreation(sv, process{image: `C:\Windows\System32\vssadmin.exe`, command: "vssadmin list shadows", parent: shell, hashes: hashes("vssadmin")})
	case 1:
		return s.processCreation(ws, process{image: powershell, command: "powershell.exe -enc " + encoded(`Get-Service | Export-Csv C:\Audit\services.csv`), parent: shell, hashes: hashes(powershell)})
	case 2:
		return s.access(ws, `C:\Program Files\Sample Shield\agent.exe`, `C:\Windows\System32\lsass.exe`, "0x1410")
	case 3:
		return s.proxy(ws, "GET", "http://198.51.100.250/firmware/readme.txt", 200)
	case 4:
		return s.firewall(fmt.Sprintf("203.0.113.%d", 200+s.rng.IntN(50)), sv.address, 4444, "deny")
	case 5:
		return s.zeekDNS(ws, "d41d8cd98f00b204e9800998ecf8427e.cdn.example.org", "A", "192.0.2.9")
	case 6:
		return windows("System", "Service Control Manager", 7045, sv, s.at).
			text("ServiceName", "SampleShieldAgent").text("ImagePath", `"C:\Program Files\Sample Shield\agent.exe" --service`).
			text("ServiceType", "user mode service").text("StartType", "auto start").text("AccountName", "LocalSystem").done()
	}
	return s.syslog(86, sv, "sshd", fmt.Sprintf("Failed password for %s from %s port %d ssh2", ws.user, ws.address, s.port()))
}
