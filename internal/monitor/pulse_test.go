package monitor

import (
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// A member's figures hold no alert that the member may not see.
func TestPulseCountsWhatIsSeen(t *testing.T) {
	members := []sector.MemberID{"m1", "m2"}
	for _, c := range []struct {
		name       string
		restricted bool
		scopes     []string
		m1, m2     int64
	}{
		{"of a rule", false, nil, 1, 1},
		{"of a draft", true, nil, 0, 0},
		{"released to m1", true, []string{"member:m1"}, 1, 0},
		{"released to all", true, []string{"members"}, 1, 1},
		{"released to a sub-sector", true, []string{"sector:banking"}, 0, 0},
	} {
		p := NewPulse(time.Now)
		p.Raised([]Alert{{Finding: Finding{Members: members, Restricted: c.restricted, Scopes: c.scopes}}})
		for who, want := range map[sector.MemberID]int64{"m1": c.m1, "m2": c.m2} {
			f := sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: who, User: "u"})
			if got := p.For(f).Total[StageAlerts]; got != want {
				t.Errorf("%s: %s sees %v, want %d", c.name, who, got, want)
			}
		}
		if got := p.For(sector.Gate{}.For(sector.Viewer{Org: sector.Centre, User: "u"})).Total[StageAlerts]; got != 1 {
			t.Errorf("%s: the centre sees %v", c.name, got)
		}
	}
}
