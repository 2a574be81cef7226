package monitor

import "github.com/aspis-platform/aspis/internal/sector"

// tally counts for the pulse what a chunk gave, until it is stored.
type tally struct {
	members map[sector.MemberID]*Counts
}

func (t *tally) add(s Stage, m sector.MemberID, n int) {
	if n == 0 {
		return
	}
	if t.members == nil {
		t.members = map[sector.MemberID]*Counts{}
	}
	if t.members[m] == nil {
		t.members[m] = &Counts{}
	}
	t.members[m][s] += int64(n)
}

func (t *tally) flush(p *Pulse) {
	for m, counts := range t.members {
		for s, n := range counts {
			p.Add(Stage(s), m, int(n))
		}
	}
}

// count notes one record and what it matched.
func (d *detector) count(it *item, f *found) {
	d.tally.add(StageNormalised, it.Member, 1)
	d.tally.add(StageRules, it.Member, len(f.rules))
	if len(f.sights) > 0 {
		d.tally.add(StageMatched, it.Member, 1)
	}
}
