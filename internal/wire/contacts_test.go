package wire

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/sector"
)

type profileOf map[sector.MemberID]organisation.Profile

func (p profileOf) Profile(_ context.Context, m sector.MemberID) (organisation.Kept, error) {
	return organisation.Kept{Member: m, Profile: p[m]}, nil
}

type roll []sector.User

func (r roll) Users(context.Context) ([]sector.User, error) { return append(roll(nil), r...), nil }

func (roll) Members(context.Context) ([]sector.Member, error) { return nil, nil }

func (roll) Refresh(context.Context, sector.UserID) (sector.Viewer, error) {
	return sector.Viewer{}, nil
}

// TestDeputies: those whom the profile names come first, a number is given
// only where it answers at any hour, nobody twice, and nobody of another
// member.
func TestDeputies(t *testing.T) {
	c := contacts{
		roll{
			{ID: "ann", Email: "ann@north.example", Member: "north-bank", Roles: []sector.Role{sector.MemberAdmin}},
			{ID: "bo", Email: "bo@north.example", Member: "north-bank", Roles: []sector.Role{sector.IncidentLead, sector.MemberAdmin}},
			{ID: "cy", Email: "cy@south.example", Member: "south-bank", Roles: []sector.Role{sector.IncidentLead}},
			{ID: "di", Email: "di@north.example", Member: "north-bank", Roles: []sector.Role{sector.MemberStaff}},
		},
		profileOf{"north-bank": {Contacts: map[organisation.Duty]organisation.Contact{
			organisation.Desk:         {Name: "Desk", Phone: "+886 2 5555 0100", Round: true},
			organisation.IncidentLead: {Name: "Bo", Mail: "Bo@north.example", Phone: "+886 2 5555 0101"},
			organisation.ExecutiveOf:  {Name: "Boss", Mail: "boss@north.example", Phone: "+886 2 5555 0102", Round: true},
		}}},
	}
	got, err := c.Deputies(t.Context(), "north-bank")
	if err != nil {
		t.Fatal(err)
	}
	want := []notify.Contact{
		{Name: "Bo", User: "bo", Mail: "Bo@north.example"},
		{Name: "Desk", Phone: "+886 2 5555 0100"},
		{Name: "ann@north.example", User: "ann"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deputies (-want +got):\n%s", diff)
	}
	if got, err := c.Deputies(t.Context(), "south-bank"); err != nil || len(got) != 1 || got[0].User != "cy" {
		t.Errorf("a member without a profile: %v, %v", got, err)
	}
}
