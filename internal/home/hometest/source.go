// Package hometest invents what the homes show.
package hometest

import (
	"context"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Source is a [home.Source] with invented work; Empty has none, and Err is
// what it answers instead.
type Source struct {
	Now   func() time.Time
	Empty bool
	Err   error
}

var _ home.Source = (*Source)(nil)

// Long is a title that no column holds, with what turns text around and what
// shows nothing.
func Long() home.Text {
	return home.Text{
		Zh: strings.Repeat("冒用銀行名義之釣魚簡訊與偽冒網站持續擴散", 6) + "\u202etxt.exe\u202c\u200b",
		En: strings.Repeat("Phishing messages and imitated sites that use banks' names are spreading ", 4) + "\u202etxt.exe\u202c\u200b",
	}
}

func (s *Source) seen(n int) []home.Seen {
	levels := []string{"critical", "high", "medium", "low", "informational"}
	var list []home.Seen
	for i := range n {
		title := home.Text{Zh: "多家機構出現相同的登入失敗", En: "The same failed sign-ins at several institutions"}
		if i == 1 {
			title = Long()
		}
		list = append(list, home.Seen{ID: "a1b2c3", Title: title, Severity: levels[i%len(levels)], State: "new",
			Raised: s.Now().Add(-time.Duration(i*i+1) * 17 * time.Minute)})
	}
	return list
}

// Member implements home.Source.
func (s *Source) Member(context.Context, sector.Viewer) (home.Member, error) {
	if s.Empty || s.Err != nil {
		return home.Member{}, s.Err
	}
	m := home.Member{
		Owed: []home.Owed{
			{ID: "w1", Title: home.Text{Zh: "勒索軟體利用遠端桌面入侵", En: "Ransomware through remote desktops"}, TLP: sector.TLPAmber, Due: s.Now().Add(-3 * time.Hour)},
			{ID: "w2", Title: Long(), TLP: sector.TLPAmberStrict, Due: s.Now().Add(26 * time.Hour)},
		},
		OwedAll: home.MostCounted + 1, Seen: s.seen(6),
		Open:      []home.SeverityCount{{Severity: "critical", N: 1}, {Severity: "high", N: 3}, {Severity: "medium", N: 12}, {Severity: "low"}, {Severity: "informational"}},
		Standing:  home.Standing{LastRecord: s.Now().Add(-4 * time.Minute), Letters: 7, Asked: 20, InTime: 19},
		Keys:      home.Keys{Valid: 2, LastUsed: s.Now().Add(-time.Minute)},
		Confirmed: &home.Confirmed{At: s.Now().AddDate(0, 0, -100), Stale: true},
	}
	return m, nil
}

// Centre implements home.Source.
func (s *Source) Centre(_ context.Context, v sector.Viewer) (home.Centre, error) {
	if s.Err != nil {
		return home.Centre{}, s.Err
	}
	see := sector.Gate{}.Counts(v)
	c := home.Centre{
		Pulse:   home.Pulse{Records: see.Figure(0), Alerts: see.Figure(0), Releases: see.Figure(0), Answers: see.Figure(0)},
		Engines: []home.Engine{{Name: "relational", Well: true}, {Name: "stream", Well: true}, {Name: "history", Well: s.Empty}, {Name: "detector", Well: true}},
	}
	if s.Empty {
		return c, nil
	}
	jade := sector.Member{ID: "jade-bank", Name: "Jade Bank", NameZh: "翠玉商業銀行"}
	long := sector.Member{ID: "long-name", Name: "The Very Long Name Securities and Futures Clearing Company", NameZh: "名稱很長很長的證券暨期貨結算股份有限公司"}
	c.Pulse = home.Pulse{Records: see.Figure(1_234_567), Alerts: see.Figure(42), Releases: see.Figure(3), Answers: see.Figure(128), ToAlert: 1400 * time.Millisecond}
	for i, level := range []string{"critical", "high", "medium", "low", "informational"} {
		c.Queue = append(c.Queue, home.Queued{Severity: level, N: []home.Capped{2, 40, home.MostCounted + 1, 3, 0}[i]})
	}
	for _, x := range s.seen(4) {
		for i := range c.Queue {
			if c.Queue[i].Severity == x.Severity {
				c.Queue[i].Oldest = append(c.Queue[i].Oldest, x)
			}
		}
	}
	c.Drafts = []home.Draft{
		{ID: "d1", Title: home.Text{Zh: "假冒客服之簡訊", En: "Messages from a false help desk"}, By: "analyst@aspis.example", Since: s.Now().Add(-time.Hour), ForYou: true},
		{ID: "d2", By: "someone.with.a.long.address@centre.example", Since: s.Now().Add(-30 * time.Hour)},
	}
	c.DraftsMore = true
	c.Overdue = []home.Overdue{{Member: long, N: 12, Oldest: s.Now().AddDate(0, 0, -9)}, {Member: jade, N: 1, Oldest: s.Now().Add(-5 * time.Hour)}}
	c.OverdueAll = 13
	c.Senders = home.Senders{Sending: 20, Silent: []home.Silent{{Member: jade, Last: s.Now().Add(-3 * time.Hour)}}, More: 4}
	return c, nil
}

// Sector implements home.Source.
func (s *Source) Sector(_ context.Context, v sector.Viewer) (home.Sector, error) {
	if s.Err != nil {
		return home.Sector{}, s.Err
	}
	see := sector.Gate{}.Counts(v)
	h := home.Sector{Days: 30, Warnings: see.Figure(92), Answers: see.Funnel(31_000, 30_100, []int64{29_000, 2}), Records: see.Figure(2)}
	h.Members, h.BySector = see.Series([]int64{150, 80, 100, 8})
	var each []sector.Figure
	h.Open, each = see.Series([]int64{1, 40, 300, 12, 0})
	for i, level := range []string{"critical", "high", "medium", "low", "informational"} {
		h.BySev = append(h.BySev, home.SeverityFigure{Severity: level, N: each[i]})
	}
	return h, nil
}
