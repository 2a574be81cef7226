package wire

import (
	"context"
	"slices"
	"testing"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/sector"
)

// person is the session of a new person.
func person(t *testing.T, p *Program, email string, m sector.MemberID, role sector.Role) sector.Viewer {
	t.Helper()
	u, err := p.directory.CreateUser(t.Context(), sector.System(), sector.User{Email: email, Member: m, Roles: []sector.Role{role}}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.directory.Refresh(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestReleaseToAGroup runs the whole program: who is in a group when something
// is released to it has it in its inbox, then and after it left; who joins
// later has not.
func TestReleaseToAGroup(t *testing.T) {
	p := running(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	names := map[sector.MemberID][2]string{"north-bank": {"North Bank", "北方銀行"}, "south-bank": {"South Bank", "南方銀行"}}
	admins := map[sector.MemberID]sector.Viewer{}
	for id, name := range names {
		_, err := p.directory.CreateMember(ctx, sector.System(), sector.Member{ID: id, Name: name[0], NameZh: name[1], Sector: sector.Banking})
		must(err)
		admins[id] = person(t, p, "admin@"+string(id)+".example", id, sector.MemberAdmin)
	}
	duty := person(t, p, "duty@centre.example", "", sector.DutyManager)
	orgs := newOrganisation(p)
	g, err := orgs.CreateGroup(ctx, duty, organisation.Group{Group: sector.Group{Name: "Desk", NameZh: "小組"}, Listed: true, Terms: organisation.Terms{Zh: "條款", En: "Terms"}})
	must(err)
	join := func(m sector.MemberID) {
		t.Helper()
		must(orgs.Agree(ctx, admins[m], g.ID, 1))
		must(orgs.InviteMember(ctx, duty, g.ID, m))
	}
	release := func(title string) error {
		a, err := p.isac.service.Draft(ctx, duty, nil)
		must(err)
		a, err = p.isac.service.Edit(ctx, duty, a.ID, a.Version, intel.Content{
			Message: intel.Message{Title: intel.Text{Zh: title, En: title}, Body: intel.Text{Zh: "內容", En: "Text"}, Category: intel.INT,
				Marking: sector.Marking{TLP: sector.TLPAmber, PAP: sector.PAPGreen}},
			Audience: sector.Audience{Groups: []sector.GroupID{g.ID}}})
		must(err)
		_, err = p.isac.service.Release(ctx, duty, a.ID, a.Version)
		return err
	}
	has := func(m sector.MemberID, want ...string) {
		t.Helper()
		found, err := p.isac.service.Released(context.Background(), admins[m], intel.ReleasedQuery{Ascending: true})
		must(err)
		var titles []string
		for _, f := range found {
			titles = append(titles, f.Title.En)
		}
		if !slices.Equal(titles, want) {
			t.Errorf("%s has %q, want %q", m, titles, want)
		}
	}
	if err := release("to nobody"); intel.ProblemsOf(err) == nil {
		t.Errorf("a release to an empty group: %v", err)
	}
	join("north-bank")
	must(release("first"))
	has("north-bank", "first")
	has("south-bank")
	join("south-bank")
	has("south-bank")
	must(release("second"))
	must(orgs.Leave(ctx, admins["north-bank"], g.ID))
	must(release("third"))
	has("north-bank", "first", "second")
	has("south-bank", "second", "third")
}
