// Package demo is the demonstration sector: fictional member institutions and
// a synthetic generator of their monitoring records, the replay of recorded
// event sets as if from them, and the load that the benchmark puts on the
// door. Nothing in it is a real institution, host, person or attack, and every
// record it makes says so.
package demo

import (
	"fmt"
	"hash/fnv"

	"github.com/aspis-platform/aspis/internal/sector"
)

// MaxMembers bounds a demonstration sector.
const MaxMembers = 1000

// Members returns the first n institutions of the demonstration sector, its
// four sub-sectors mixed from the beginning on. All are invented; those beyond
// the 24th only have numbers. n is held between 1 and [MaxMembers].
func Members(n int) []sector.Member {
	n = min(max(n, 1), MaxMembers)
	cast := institutions()
	out := make([]sector.Member, 0, n)
	for i := range n {
		if i < len(cast) {
			out = append(out, cast[i])
			continue
		}
		out = append(out, numbered(i+1))
	}
	return out
}

func institutions() []sector.Member {
	const b, i, s, f = sector.Banking, sector.Insurance, sector.Securities, sector.Infrastructure
	return []sector.Member{
		invented("lotus-harbour-bank", "Lotus Harbour Bank", "蓮港銀行", b),
		invented("clay-tiger-mutual", "Clay Tiger Mutual Insurance", "陶虎相互保險", i),
		invented("north-kite-securities", "North Kite Securities", "北鳶證券", s),
		invented("copper-gate-clearing", "Copper Gate Clearing House", "銅門結算所", f),
		invented("jade-crane-bank", "Jade Crane Bank", "玉鶴銀行", b),
		invented("snow-goose-insurance", "Snow Goose General Insurance", "雪雁產物保險", i),
		invented("inkstone-futures", "Inkstone Futures", "墨硯期貨", s),
		invented("whistling-ferry-payments", "Whistling Ferry Payments", "汽笛支付網路", f),
		invented("camphor-lane-bank", "Camphor Lane Bank", "樟巷銀行", b),
		invented("umbrella-tree-life", "Umbrella Tree Life", "傘樹人壽", i),
		invented("abacus-garden-securities", "Abacus Garden Securities", "算園證券", s),
		invented("paper-lock-depository", "Paper Lock Depository", "紙鎖集中保管所", f),
		invented("tidewheel-bank", "Tidewheel Bank", "潮輪銀行", b),
		invented("moonraft-reinsurance", "Moonraft Reinsurance", "月筏再保險", i),
		invented("three-gibbons-securities", "Three Gibbons Securities", "三猿證券", s),
		invented("morning-drum-exchange", "Morning Drum Exchange", "晨鼓交易所", f),
		invented("seven-lanterns-credit", "Seven Lanterns Credit Cooperative", "七燈信用合作社", b),
		invented("firefly-casualty", "Firefly Casualty Insurance", "流螢產物保險", i),
		invented("cloud-stair-funds", "Cloud Stair Funds", "雲梯投信", s),
		invented("fogbell-bank", "Fogbell Commercial Bank", "霧鐘商業銀行", b),
		invented("windbreak-life", "Windbreak Life", "擋風林人壽", i),
		invented("tea-ledger-futures", "Tea Ledger Futures", "茶簿期貨", s),
		invented("plum-rain-bank", "Plum Rain Bank", "梅雨銀行", b),
		invented("paper-boat-savings", "Paper Boat Savings Bank", "紙船儲蓄銀行", b),
	}
}

func invented(id, name, zh string, s sector.SubSector) sector.Member {
	return sector.Member{
		ID: sector.MemberID(id), Name: name, NameZh: zh, Sector: s,
		Mail: "security@" + id + ".example",
	}
}

func numbered(n int) sector.Member {
	kinds := sector.SubSectors()
	id := fmt.Sprintf("invented-member-%04d", n)
	return invented(id, fmt.Sprintf("Invented Member %d", n), fmt.Sprintf("虛構會員機構 %d", n), kinds[n%len(kinds)])
}

// site is what a member's network looks like. It follows from the member's id
// alone.
type site struct {
	member  sector.MemberID
	domain  string // lotus-harbour-bank.example
	netbios string // LOTUS
	net     byte   // its hosts are in 10.<net>.0.0/16
	salt    uint64
}

// Sizes of a site.
const (
	workstations = 120
	servers      = 12
)

func newSite(m sector.MemberID) *site {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m)) // a hash does not fail
	salt := h.Sum64()
	short := string(m)
	for i := range short {
		if short[i] == '-' {
			short = short[:i]
			break
		}
	}
	return &site{
		member: m, domain: string(m) + ".example", netbios: upper(short),
		net: byte(16 + salt%200), salt: salt,
	}
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// host is one machine of a site and who works at it.
type host struct {
	name    string
	address string
	user    string
}

func (s *site) workstation(n int) host {
	n %= workstations
	return host{
		name:    fmt.Sprintf("WS-%04d.%s", n+1, s.domain),
		address: fmt.Sprintf("10.%d.%d.%d", s.net, 4+n/100, 10+n%100),
		user:    person(s.salt, n),
	}
}

func (s *site) server(n int) host {
	roles := [servers]string{"DC-01", "DC-02", "FILE-01", "EBANK-01", "EBANK-02", "DB-01", "DB-02", "MAIL-01", "BACKUP-01", "JUMP-01", "SWIFTGW-01", "REPORT-01"}
	n %= servers
	return host{
		name:    roles[n] + "." + s.domain,
		address: fmt.Sprintf("10.%d.1.%d", s.net, 10+n),
		user:    "svc-" + [4]string{"backup", "batch", "report", "monitor"}[n%4],
	}
}

func (s *site) resolver() string { return fmt.Sprintf("10.%d.0.53", s.net) }

// person is a made-up account name.
func person(salt uint64, n int) string {
	families := [...]string{"lin", "chen", "huang", "wu", "tsai", "yang", "hsu", "cheng", "kuo", "liao", "su", "yeh"}
	given := [...]string{"yt", "mh", "cj", "wl", "ph", "sy", "kc", "jr", "hf", "tn"}
	at := uint64(n)*7 + salt%97
	return fmt.Sprintf("%s.%s%d", families[at%uint64(len(families))], given[at/3%uint64(len(given))], n%10)
}
