package intel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/sector"
)

// trueStore names the embedded field: Advisories is a method's name, too.
type trueStore = sqldb.Advisories

// leaky is a store one of whose reads forgets the filter.
type leaky struct {
	*trueStore
	what string
}

// forget is a filter that shows everything.
func forget() sector.Filter { return sector.Gate{}.For(sector.System()) }

func (l leaky) Released(ctx context.Context, f sector.Filter, q intel.ReleasedQuery) ([]intel.ReleasedAdvisory, error) {
	if l.what == "list" && q.ID == "" || l.what == "item" && q.ID != "" {
		f = forget()
	}
	return l.trueStore.Released(ctx, f, q)
}

func (l leaky) Occurrences(ctx context.Context, f sector.Filter, q intel.OccurrenceQuery) ([]intel.Occurrence, error) {
	if l.what == "taxii" {
		f = forget()
	}
	return l.trueStore.Occurrences(ctx, f, q)
}

func (l leaky) FirstSeen(ctx context.Context, f sector.Filter, ids []string) (map[string]time.Time, error) {
	if l.what == "first seen" {
		f = forget()
	}
	return l.trueStore.FirstSeen(ctx, f, ids)
}

func (l leaky) Totals(ctx context.Context, f sector.Filter, ids []intel.AdvisoryID) (map[intel.AdvisoryID]intel.Totals, error) {
	if l.what == "totals" {
		f = forget()
	}
	return l.trueStore.Totals(ctx, f, ids)
}

// counting notes that a check failed instead of failing the test.
type counting struct {
	*testing.T
	failed []string
}

func (c *counting) Errorf(format string, args ...any) {
	c.failed = append(c.failed, fmt.Sprintf(format, args...))
}

// TestPlantedLeaksAreFound proves that the property can fail: each read that
// forgets the filter is caught.
func TestPlantedLeaksAreFound(t *testing.T) {
	fresh := freshFiles(t)
	steps := []step{
		{Advisory: 0, Audience: sector.Audience{Members: []sector.MemberID{"m1"}}, TLP: sector.TLPAmber, Values: []string{"198.51.100.7"}},
		{Advisory: 1, Audience: sector.Audience{All: true}, TLP: sector.TLPGreen, Values: []string{"198.51.100.7"}},
	}
	for _, what := range []string{"", "list", "item", "taxii", "first seen", "totals", "search"} {
		t.Run("forgets in "+what, func(t *testing.T) {
			w := newGateWorld(t, fresh(t), func(s *sqldb.Advisories) leakable { return leaky{s, what} })
			defer w.db.Close()
			for i, s := range steps {
				w.run(t, i, s)
			}
			c := &counting{T: t}
			for who := range w.viewers {
				w.checkAPI(c, who)
				w.checkTAXII(c, who)
				w.checkTotals(c, who)
				w.checkSearch(c, who)
			}
			w.checkMail(c)
			if (len(c.failed) > 0) != (what != "") {
				t.Errorf("leak %q: found %v", what, c.failed)
			}
		})
	}
}

// wrongMembers says something wrong of who is in which group.
type wrongMembers struct {
	*gateWorld
	what string
}

func (w wrongMembers) Members(ctx context.Context) ([]sector.Member, error) {
	members, err := w.World.Members(ctx)
	members = slices.Clone(members)
	for i := range members {
		switch {
		case w.what == "everybody" || w.what == "who left" && members[i].ID == "m2":
			members[i].Groups = []sector.GroupID{"g1"}
		case w.what == "who is suspended":
			members[i].State = sector.TakesPart
		}
	}
	return members, err
}

// TestPlantedGroupFaultsAreFound: a group that takes in whoever has left it,
// is suspended, or never joined is caught.
func TestPlantedGroupFaultsAreFound(t *testing.T) {
	fresh := freshFiles(t)
	toGroup := sector.Audience{Groups: []sector.GroupID{"g1"}}
	steps := []step{
		{Move: move{"m1", "join", "g1"}}, {Move: move{"m2", "join", "g1"}}, {Move: move{"m3", "join", "g1"}},
		{Move: move{"m2", "leave", "g1"}}, {Move: move{"m3", "suspend", ""}},
		{Advisory: 0, Audience: toGroup, TLP: sector.TLPAmber, Values: []string{"198.51.100.7"}},
	}
	for _, what := range []string{"", "everybody", "who left", "who is suspended"} {
		t.Run("takes in "+what, func(t *testing.T) {
			w := newGateWorld(t, fresh(t), honest)
			defer w.db.Close()
			w.Service.Members = wrongMembers{w, what}
			for i, s := range steps {
				w.run(t, i, s)
			}
			c := &counting{T: t}
			for who := range w.viewers {
				w.checkAPI(c, who)
				w.checkTAXII(c, who)
			}
			w.checkMail(c)
			if (len(c.failed) > 0) != (what != "") {
				t.Errorf("a group that takes in %q: found %v", what, c.failed)
			}
		})
	}
}

// transcript is everything a viewer can ask for, byte for byte.
func (w *gateWorld) transcript(t inteltest.T, who string, ids []intel.AdvisoryID) string {
	var b strings.Builder
	ask := func(path string) string {
		code, body, header := w.get(t, who, path)
		fmt.Fprintf(&b, "%s %d %v\n%s\n", path, code, header, body)
		return body
	}
	follow := func(path, parameter string) {
		for next, pages := "", 0; pages < 100; pages++ {
			var page struct {
				More bool
				Next string
			}
			if err := json.Unmarshal([]byte(ask(path+next)), &page); err != nil {
				t.Fatal(err)
			}
			if !page.More {
				return
			}
			next = "&" + parameter + "=" + page.Next
		}
	}
	follow("/api/v1/advisories?limit=1", "cursor")
	follow("/api/v1/advisories?order=asc&limit=2", "cursor")
	follow("/api/v1/advisories?unanswered=true", "cursor")
	for _, collection := range []string{"advisories", "indicators"} {
		base := "/taxii2/sector/collections/" + collection
		ask(base + "/")
		follow(base+"/objects/?limit=2", "next")
		follow(base+"/manifest/?match[version]=all", "next")
		follow(base+"/objects/?match[type]=ipv4-addr", "next")
	}
	for _, q := range []string{"warning", "warning number", "請檢查", "198.51.", "evil.example", "203.0.113.9", "zzz"} {
		ask("/api/v1/search?limit=1&q=" + url.QueryEscape(q))
		for next := ""; ; {
			var page struct{ Groups []struct{ Next string } }
			if err := json.Unmarshal([]byte(ask("/api/v1/search?kind=advisory&limit=1&q="+url.QueryEscape(q)+"&cursor="+next)), &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Groups) == 0 || page.Groups[0].Next == "" {
				break
			}
			next = page.Groups[0].Next
		}
	}
	for _, id := range ids {
		ask("/api/v1/search?q=" + string(id))
		ask("/api/v1/advisories/" + string(id))
		ask("/taxii2/sector/collections/advisories/objects/report--" + string(id) + "/")
	}
	return b.String()
}

// TestHiddenAdvisoriesLeaveNoTrace runs the same steps with and without those
// that a member has no part in: what the member can read is the same byte for
// byte, cursors, dates, tags and headers included.
func TestHiddenAdvisoriesLeaveNoTrace(t *testing.T) {
	fresh := freshFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		const me = "m3"
		steps := drawSteps(t)
		full, cut := newGateWorld(t, fresh(t), honest), newGateWorld(t, fresh(t), honest)
		defer full.db.Close()
		defer cut.db.Close()
		mine, lost := map[int]bool{}, map[int]bool{} // advisories I have; that I no longer may get
		touched := map[int]bool{}
		for i, s := range steps {
			if s.Move.Member != "" {
				full.run(t, i, s)
				cut.run(t, i, s)
				continue
			}
			// What began without me stays without me, and what I lost I do not
			// get again: else ids would tell the two runs apart.
			if lost[s.Advisory] || touched[s.Advisory] && !mine[s.Advisory] {
				s.Audience = withoutM3(s.Audience)
			}
			sees := full.model.who(s.Audience)[me]
			touched[s.Advisory] = true
			full.run(t, i, s)
			if mine[s.Advisory] || sees && !s.Withdraw {
				cut.run(t, i, s)
			}
			had := mine[s.Advisory]
			standing := full.model.standing(s.Advisory) // the step may have been refused
			mine[s.Advisory] = standing != nil && standing.who[me]
			lost[s.Advisory] = lost[s.Advisory] || had && !mine[s.Advisory]
		}
		var hidden []intel.AdvisoryID
		for n, a := range full.advisories {
			if _, ok := cut.advisories[n]; !ok {
				hidden = append(hidden, a.ID)
			}
		}
		slices.Sort(hidden)
		if d := cmp.Diff(cut.transcript(t, me, hidden), full.transcript(t, me, hidden)); d != "" {
			t.Errorf("with what is hidden the member reads something else (-without +with):\n%s", d)
		}
	})
}

func withoutM3(a sector.Audience) sector.Audience {
	a.All, a.Public, a.Groups = false, false, nil
	a.Sectors = slices.DeleteFunc(slices.Clone(a.Sectors), func(s sector.SubSector) bool { return s == sector.Insurance })
	a.Members = slices.DeleteFunc(slices.Clone(a.Members), func(m sector.MemberID) bool { return m == "m3" })
	if len(a.Sectors)+len(a.Members) == 0 {
		a.Members = []sector.MemberID{"m1"}
	}
	return a
}
