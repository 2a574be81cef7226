package main

import (
	"testing"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/sector"
)

// password of every person in these tests.
const password = "a sentence that nobody guesses"

// people of the centre and the authority.
const (
	analystMail   = "analyst@centre.example"
	managerMail   = "duty@centre.example"
	adminMail     = "chief@centre.example"
	authorityMail = "supervisor@authority.example"
)

// institutions are the members of a data folder, with a key of all scopes
// each.
type institutions struct {
	all  []sector.Member
	keys map[sector.MemberID]string
}

func mailOf(id sector.MemberID) string  { return "soc@" + string(id) + ".example" }
func staffOf(id sector.MemberID) string { return "staff@" + string(id) + ".example" }

// found adds n institutions of the demonstration sector, after those that are
// there, with the commands of an administrator.
func (i *institutions) found(t testing.TB, data string, n int) {
	t.Helper()
	if i.keys == nil {
		i.keys = map[sector.MemberID]string{}
	}
	for _, m := range demo.Members(len(i.all) + n)[len(i.all):] {
		var made struct{ ID, Name, NameZh, Sector, Mail string }
		aspisJSON(t, &made, "", "admin", "create-member", "--data", data, "--id", string(m.ID),
			"--name", m.Name, "--name-zh", m.NameZh, "--sector", string(m.Sector), "--mail", mailOf(m.ID))
		if made.ID != string(m.ID) || made.Mail != mailOf(m.ID) {
			t.Fatalf("create-member printed %+v for %s", made, m.ID)
		}
		i.keys[m.ID] = newKey(t, data, m.ID, "records,taxii,advisories,events")
		i.all = append(i.all, m)
	}
}

func newKey(t testing.TB, data string, member sector.MemberID, scopes string) string {
	t.Helper()
	var made struct{ Key string }
	aspisJSON(t, &made, "", "admin", "create-key", "--data", data, "--member", string(member), "--scope", scopes)
	if made.Key == "" {
		t.Fatal("create-key printed no key")
	}
	return made.Key
}

func newPerson(t testing.TB, data, email, role string, more ...string) {
	t.Helper()
	var made struct{ Email, Role string }
	args := append([]string{"admin", "create-user", "--data", data, "--email", email, "--role", role, "--password-stdin"}, more...)
	aspisJSON(t, &made, password+"\n", args...)
	if made.Email != email || made.Role != role {
		t.Fatalf("create-user printed %+v for %s", made, email)
	}
}

// of are the members of the sub-sectors.
func (i *institutions) of(sectors ...sector.SubSector) []sector.Member {
	var some []sector.Member
	for _, m := range i.all {
		for _, s := range sectors {
			if m.Sector == s {
				some = append(some, m)
			}
		}
	}
	return some
}
