package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Campaign is what an adversary uses against several members in one go.
type Campaign struct {
	Kind     CampaignKind
	Began    time.Time
	Domain   string // of its command server
	Address  string // of its command server, or of the spraying host
	Hashes   string // of its program, as Sysmon writes them
	Members  []int  // attacked, three at least where there are as many
	Bystands []int  // only saw the domain: nothing there fires a rule
}

// CampaignKind is a way of attacking.
type CampaignKind uint8

// The kinds of campaign, one for each rule across institutions.
const (
	Statement CampaignKind = iota // a program by mail, the same file everywhere
	Spray                         // stolen passwords tried from one address
	Implant                       // an implant that calls the same address
	campaignKinds
)

// String names the kind.
func (k CampaignKind) String() string {
	return [...]string{"statement", "spray", "implant", "unknown"}[min(k, campaignKinds)]
}

// Campaign returns the last campaign that has begun at a time, and false when
// the generator makes none.
func (g *Generator) Campaign(at time.Time) (Campaign, bool) {
	if g.opt.CampaignEvery < 0 {
		return Campaign{}, false
	}
	every := max(g.opt.CampaignEvery, minEvery)
	k := at.UnixMicro() / every.Microseconds()
	c := g.campaign(k)
	c.Began = time.UnixMicro(k * every.Microseconds()).UTC()
	return c, true
}

func (g *Generator) campaign(k int64) Campaign {
	rng := g.dice("campaign", k, 0)
	order := rng.Perm(len(g.sites))
	hit := min(3+rng.IntN(3), len(order))
	seen := min(hit+1+rng.IntN(2), len(order))
	return Campaign{
		Kind:     CampaignKind(k % int64(campaignKinds)),
		Domain:   campaignDomain(rng, k),
		Address:  campaignAddress(k),
		Hashes:   hashes(fmt.Sprintf("campaign %d of seed %d", k, g.opt.Seed)),
		Members:  order[:hit],
		Bystands: order[hit:seen],
	}
}

func campaignDomain(rng *rand.Rand, k int64) string {
	return fmt.Sprintf("%s-%s-%d.example.net",
		pick(rng, "pale", "quiet", "amber", "hollow", "velvet", "rusty", "silent", "crooked"),
		pick(rng, "comet", "otter", "lantern", "harbour", "kettle", "meadow", "anchor", "sparrow"), k%10_000)
}

// campaignAddress goes through the documentation addresses (RFC 5737, RFC
// 3849) so that none comes again within a day at the default pace: rules
// across institutions look back that far. Only sprays come over IPv6, because
// the members' inside networks have none.
func campaignAddress(k int64) string {
	const perBlock = 199
	n := k / int64(campaignKinds) * 137
	switch CampaignKind(k % int64(campaignKinds)) {
	case Spray:
		return fmt.Sprintf("2001:db8:%x::%x", k%0xffff+1, k%251+1)
	case Statement:
		n += perBlock
	}
	if n %= 2 * perBlock; n >= perBlock {
		return fmt.Sprintf("203.0.113.%d", n-perBlock+1)
	}
	return fmt.Sprintf("198.51.100.%d", n+1)
}

func (g *Generator) campaignRecords(member int, slot time.Time) []timed {
	return g.due("campaign step", g.opt.CampaignEvery, g.campaignPlan, member, slot)
}

// campaignPlan lets bystanders see the domain first, then goes from member to
// member.
func (g *Generator) campaignPlan(k int64) []step {
	c := g.campaign(k)
	rng := g.dice("campaign plan", k, 0)
	var out []step
	if c.Kind != Spray {
		for _, m := range c.Bystands {
			ws := g.sites[m].workstation(rng.IntN(workstations))
			out = append(out, step{after: 2 * time.Second, member: m, make: func(s *scene) []byte {
				return s.zeekDNS(ws, c.Domain, "A", c.Address)
			}})
		}
	}
	for i, m := range c.Members {
		begin := time.Duration(15+20*i+rng.IntN(15)) * time.Second
		ws := g.sites[m].workstation(rng.IntN(workstations))
		out = append(out, c.against(m, begin, ws, g.sites[m])...)
	}
	return out
}

// against is what the campaign does at one member.
func (c Campaign) against(member int, begin time.Duration, ws host, at *site) []step {
	do := func(after time.Duration, make func(*scene) []byte) step {
		return step{after: begin + after, member: member, make: make}
	}
	switch c.Kind {
	case Spray:
		var out []step
		for i := range 4 {
			out = append(out, do(time.Duration(i)*4*time.Second, func(s *scene) []byte {
				return s.logon(at.server(9), at.workstation(i*17).user, c.Address, true)
			}))
		}
		return out
	case Implant:
		return []step{
			do(0, func(s *scene) []byte { return s.encodedDownload(ws, c.Domain) }),
			do(2*time.Second, func(s *scene) []byte { return s.dnsQuery(ws, powershell, c.Domain, c.Address) }),
			do(3*time.Second, func(s *scene) []byte { return s.connection(ws, powershell, c.Address, 443, c.Domain) }),
			do(9*time.Second, func(s *scene) []byte { return s.zeekConn(ws, c.Address, 4444, "-") }),
		}
	default:
		attachment := `C:\Users\` + ws.user + `\Downloads\statement.pdf.exe`
		return []step{
			do(0, func(s *scene) []byte {
				return s.processCreation(ws, process{image: attachment, command: `"` + attachment + `"`, parent: explorer, hashes: c.Hashes, original: "viewer.exe"})
			}),
			do(2*time.Second, func(s *scene) []byte { return s.dnsQuery(ws, attachment, c.Domain, c.Address) }),
			do(3*time.Second, func(s *scene) []byte { return s.proxy(ws, "POST", "https://"+c.Domain+"/b", 200) }),
		}
	}
}
