package organisation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func newGroup(listed, names bool) organisation.Group {
	return organisation.Group{Group: sector.Group{Name: "Ransomware desk", NameZh: "勒索應變小組"}, Listed: listed,
		Terms: organisation.Terms{Zh: "僅供防禦使用。", En: "For defence only.", NamesShown: names}}
}

// reached are the members that a release to the group reaches, in order.
func (w *world) reached(t testing.TB, id sector.GroupID) string {
	t.Helper()
	members, err := w.directory.Members(t.Context())
	must(t, err)
	var ids []string
	for _, m := range (sector.Gate{}).Reached(sector.Audience{Groups: []sector.GroupID{id}}, members) {
		ids = append(ids, string(m.ID))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// TestJoiningNeedsBothSides follows the two ways in and the ways out.
func TestJoiningNeedsBothSides(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	owner, jade, fir := w.as(t, "duty@centre.example"), w.as(t, "admin@jade-bank.example"), w.as(t, "admin@fir-bank.example")
	g, err := w.CreateGroup(ctx, owner, newGroup(true, false))
	must(t, err)
	is := func(what, members string) {
		t.Helper()
		if got := w.reached(t, g.ID); got != members {
			t.Errorf("%s: the group reaches %q, want %q", what, got, members)
		}
	}
	is("empty", "")
	must(t, w.InviteMember(ctx, owner, g.ID, "jade-bank"))
	is("invited", "")
	must(t, w.Agree(ctx, jade, g.ID, 1))
	is("agreed", "jade-bank")
	must(t, w.Agree(ctx, fir, g.ID, 1))
	is("asking", "jade-bank")
	must(t, w.InviteMember(ctx, owner, g.ID, "fir-bank"))
	is("admitted", "fir-bank jade-bank")
	must(t, w.SetTerms(ctx, owner, g.ID, 1, organisation.Terms{Zh: "新條款", En: "New terms"}))
	is("new terms", "")
	want(t, "old terms", w.Agree(ctx, jade, g.ID, 1), errs.Conflict, "group.terms_changed")
	want(t, "old form", w.SetTerms(ctx, owner, g.ID, 1, organisation.Terms{Zh: "x", En: "x"}), errs.Conflict, "group.changed")
	must(t, w.Agree(ctx, jade, g.ID, 2))
	must(t, w.Agree(ctx, fir, g.ID, 2))
	is("agreed again", "fir-bank jade-bank")
	must(t, w.SetState(ctx, w.as(t, "admin@centre.example"), "fir-bank", sector.Suspended, "exercise"))
	is("suspended", "jade-bank")
	must(t, w.SetState(ctx, w.as(t, "admin@centre.example"), "fir-bank", sector.TakesPart, "over"))
	must(t, w.Leave(ctx, jade, g.ID))
	is("left", "fir-bank")
	must(t, w.RemoveMember(ctx, owner, g.ID, "fir-bank"))
	is("removed", "")
	must(t, w.InviteMember(ctx, owner, g.ID, "jade-bank"))
	must(t, w.Agree(ctx, jade, g.ID, 2))
	must(t, w.CloseGroup(ctx, owner, g.ID))
	is("closed", "")
	want(t, "after the end", w.InviteMember(ctx, owner, g.ID, "fir-bank"), errs.Conflict, "group.closed")
}

// TestOnlyAdministratorsSayYes: staff reads and cannot agree; who does not
// run a group cannot change it.
func TestOnlyAdministratorsSayYes(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	jade, fir, staff := w.as(t, "admin@jade-bank.example"), w.as(t, "admin@fir-bank.example"), w.as(t, "staff@fir-bank.example")
	g, err := w.CreateGroup(ctx, jade, newGroup(true, false))
	must(t, err)
	if got := w.reached(t, g.ID); got != "jade-bank" {
		t.Errorf("a member's new group reaches %q", got)
	}
	want(t, "staff agrees", w.Agree(ctx, staff, g.ID, 1), errs.Forbidden, "error.role")
	want(t, "another invites", w.InviteMember(ctx, fir, g.ID, "plum-sec"), errs.Forbidden, "group.not_owner")
	want(t, "another sets terms", w.SetTerms(ctx, fir, g.ID, 1, newGroup(true, false).Terms), errs.Forbidden, "group.not_owner")
	want(t, "another closes", w.CloseGroup(ctx, fir, g.ID), errs.Forbidden, "group.not_owner")
	want(t, "the owner leaves", w.Leave(ctx, jade, g.ID), errs.Invalid, "group.owner_stays")
	must(t, w.SetTerms(ctx, jade, g.ID, 1, newGroup(true, false).Terms))
	if got := w.reached(t, g.ID); got != "jade-bank" {
		t.Errorf("the owner is not under its own new terms: %q", got)
	}
}

// TestUnknownGroupsAreNotThere: a group that a member has no part in and that
// is not listed is answered as one that does not exist.
func TestUnknownGroupsAreNotThere(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	jade, fir := w.as(t, "admin@jade-bank.example"), w.as(t, "admin@fir-bank.example")
	g, err := w.CreateGroup(ctx, jade, newGroup(false, true))
	must(t, err)
	for _, id := range []sector.GroupID{g.ID, "nothing"} {
		_, err := w.GroupSeen(ctx, fir, id)
		want(t, "read", err, errs.NotFound, "group.unknown")
		want(t, "agree", w.Agree(ctx, fir, id, 1), errs.NotFound, "group.unknown")
		want(t, "leave", w.Leave(ctx, fir, id), errs.NotFound, "group.unknown")
		want(t, "invite", w.InviteMember(ctx, fir, id, "fir-bank"), errs.NotFound, "group.unknown")
		want(t, "remove", w.RemoveMember(ctx, fir, id, "jade-bank"), errs.NotFound, "group.unknown")
		want(t, "terms", w.SetTerms(ctx, fir, id, 1, organisation.Terms{}), errs.NotFound, "group.unknown")
		want(t, "close", w.CloseGroup(ctx, fir, id), errs.NotFound, "group.unknown")
	}
	if seen, err := w.GroupsSeen(ctx, fir); err != nil || len(seen) != 0 {
		t.Errorf("fir-bank sees %v, %v", seen, err)
	}
	// An owner is not told whether there is the member that it invites.
	for _, id := range []sector.MemberID{"fir-bank", "no-such-bank"} {
		must(t, w.InviteMember(ctx, jade, g.ID, id))
	}
	view, err := w.GroupSeen(ctx, jade, g.ID)
	must(t, err)
	if len(view.Members) != 3 || view.Members[0].Side != view.Members[2].Side {
		t.Errorf("the owner sees %+v", view.Members)
	}
}

// TestNamesAreShownWhenTheTermsSaySo: a member sees other members of a group
// only while it is in it itself and the terms in force show names.
func TestNamesAreShownWhenTheTermsSaySo(t *testing.T) {
	for _, shown := range []bool{false, true} {
		w := newWorld(t)
		ctx := t.Context()
		owner, jade := w.as(t, "duty@centre.example"), w.as(t, "admin@jade-bank.example")
		g, err := w.CreateGroup(ctx, owner, newGroup(true, shown))
		must(t, err)
		for _, m := range []string{"fir-bank", "plum-sec"} {
			must(t, w.InviteMember(ctx, owner, g.ID, sector.MemberID(m)))
		}
		must(t, w.Agree(ctx, w.as(t, "admin@fir-bank.example"), g.ID, 1))
		sees := func() int {
			t.Helper()
			view, err := w.GroupSeen(ctx, jade, g.ID)
			must(t, err)
			return len(view.Members)
		}
		if n := sees(); n != 0 {
			t.Errorf("names shown %v: a stranger sees %d", shown, n)
		}
		must(t, w.InviteMember(ctx, owner, g.ID, "jade-bank"))
		if n := sees(); n != 0 {
			t.Errorf("names shown %v: who is invited sees %d", shown, n)
		}
		must(t, w.Agree(ctx, jade, g.ID, 1))
		expect := map[bool]int{false: 0, true: 2}[shown] // itself and fir-bank; plum-sec did not say yes
		if n := sees(); n != expect {
			t.Errorf("names shown %v: who is in it sees %d, want %d", shown, n, expect)
		}
	}
}

// TestGroupsReachWhoBothSidesSaid drives a group with random moves of both
// sides and compares whom it reaches with a model.
func TestGroupsReachWhoBothSidesSaid(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	admins := map[sector.MemberID]sector.Viewer{"jade-bank": w.as(t, "admin@jade-bank.example"), "fir-bank": w.as(t, "admin@fir-bank.example")}
	owner := w.as(t, "duty@centre.example")
	type side struct{ owner, member bool }
	rapid.Check(t, func(rt *rapid.T) {
		g, err := w.CreateGroup(ctx, owner, newGroup(true, false))
		must(t, err)
		terms, model, agreed := 1, map[sector.MemberID]side{}, map[sector.MemberID]int{}
		for range rapid.IntRange(1, 25).Draw(rt, "moves") {
			m := rapid.SampledFrom([]sector.MemberID{"jade-bank", "fir-bank"}).Draw(rt, "member")
			w.now = w.now.Add(time.Minute)
			s := model[m]
			switch what := rapid.SampledFrom([]string{"invite", "agree", "leave", "remove", "terms"}).Draw(rt, "what"); what {
			case "invite":
				if w.InviteMember(ctx, owner, g.ID, m) == nil {
					s.owner = true
				}
			case "agree":
				if w.Agree(ctx, admins[m], g.ID, terms) == nil {
					s.member, agreed[m] = true, terms
				}
			case "leave":
				if w.Leave(ctx, admins[m], g.ID) == nil {
					s = side{}
				}
			case "remove":
				if w.RemoveMember(ctx, owner, g.ID, m) == nil {
					s = side{}
				}
			case "terms":
				must(t, w.SetTerms(ctx, owner, g.ID, terms, organisation.Terms{Zh: "條款", En: "Terms"}))
				terms++
			}
			model[m] = s
			var in []string
			for _, id := range []sector.MemberID{"fir-bank", "jade-bank"} {
				if model[id].owner && model[id].member && agreed[id] == terms {
					in = append(in, string(id))
				}
			}
			if got := w.reached(t, g.ID); got != strings.Join(in, " ") {
				rt.Fatalf("the group reaches %q, both sides said yes for %q", got, in)
			}
		}
	})
}
