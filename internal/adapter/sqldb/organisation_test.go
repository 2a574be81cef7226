package sqldb

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func explain(action string) ledger.Entry {
	return ledger.Entry{Actor: "user:u", Action: action, Object: "test:1"}
}

func TestProfilesAreVersioned(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Organisation()
		newDirectory(t, db)
		at := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
		if k, err := s.Profile(ctx, "north-bank"); err != nil || k.Version != 0 || k.Member != "north-bank" {
			t.Errorf("before anything is saved: %+v, %v", k, err)
		}
		first := organisation.Kept{Member: "north-bank", Version: 1, By: "user:u", At: at, ContactsAt: at,
			Profile: organisation.Profile{BIC: "NORTTWTP", Contacts: map[organisation.Duty]organisation.Contact{organisation.Desk: {Phone: "0223456789", Round: true}}}}
		must(t, s.SaveProfile(ctx, first, explain("profile.save")))
		second := first
		second.Version, second.Profile, second.NetworksAt = 2, organisation.Profile{Networks: []string{"203.0.113.0/24"}}, at.Add(time.Hour)
		for range 2 { // the second time it is not the next version any more
			err := s.SaveProfile(ctx, second, explain("profile.save"))
			if k, read := s.Profile(ctx, "north-bank"); read != nil || !cmp.Equal(k, second, cmpopts.EquateEmpty()) {
				t.Fatalf("kept %+v, %v; saving: %v", k, read, err)
			}
		}
		if err := s.SaveProfile(ctx, first, explain("profile.save")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a version that is there is saved again: %v", err)
		}
		if p, err := s.ProfileVersion(ctx, "north-bank", 1); err != nil || p.BIC != "NORTTWTP" {
			t.Errorf("the first version: %+v, %v", p, err)
		}
		later := at.Add(24 * time.Hour)
		must(t, s.ConfirmProfile(ctx, "north-bank", 2, organisation.Contacts, later, explain("profile.confirm")))
		if err := s.ConfirmProfile(ctx, "north-bank", 1, organisation.Networks, later, explain("profile.confirm")); !errs.Is(err, errs.Conflict) {
			t.Errorf("an old version is confirmed: %v", err)
		}
		all, err := s.Profiles(ctx)
		must(t, err)
		if len(all) != 1 || !all[0].ContactsAt.Equal(later) || !all[0].NetworksAt.Equal(second.NetworksAt) {
			t.Errorf("profiles: %+v", all)
		}
		// member.create, two saves, one confirmation: what is refused leaves no entry.
		if n, err := db.VerifyLedger(ctx); err != nil || n != 4 {
			t.Errorf("ledger: %d entries, %v", n, err)
		}
	})
}

// TestOneAdministratorIsLeft: many who remove each other at once leave one.
func TestOneAdministratorIsLeft(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, d, s := context.Background(), newDirectory(t, db), db.Organisation()
		var people []sector.User
		for _, name := range []string{"a", "b", "c", "d"} {
			u, err := d.CreateUser(ctx, sector.System(), sector.User{Email: name + "@north.example", Member: "north-bank",
				Roles: []sector.Role{sector.MemberStaff, sector.MemberAdmin}}, "")
			must(t, err)
			people = append(people, u)
		}
		_, err := d.CreateUser(ctx, sector.System(), sector.User{Email: "e@north.example", Member: "north-bank", Roles: []sector.Role{sector.MemberStaff}}, "")
		must(t, err)
		var all sync.WaitGroup
		for _, u := range people {
			all.Go(func() {
				u.RemovedAt = time.Now()
				if err := s.ChangePerson(ctx, u, sector.MemberAdmin, explain("user.remove")); err != nil && !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		left, err := s.PeopleOf(ctx, "north-bank")
		must(t, err)
		left = slices.DeleteFunc(left, func(u sector.User) bool { return !u.RemovedAt.IsZero() })
		if len(left) != 2 || !slices.Contains(left[0].Roles, sector.MemberAdmin) {
			t.Errorf("left: %+v", left)
		}
		other := people[0]
		other.Member = "elsewhere"
		if err := s.ChangePerson(ctx, other, sector.MemberAdmin, explain("user.remove")); !errs.Is(err, errs.Conflict) {
			t.Errorf("a person of another organisation: %v", err)
		}
	})
}

func TestGroupMembership(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, d, s := context.Background(), newDirectory(t, db), db.Organisation()
		at := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
		g := organisation.Group{Group: sector.Group{ID: "g1", Name: "Desk", NameZh: "小組"}, Owner: "north-bank", Listed: true, CreatedAt: at,
			Terms: organisation.Terms{Version: 1, Zh: "條款", En: "Terms", NamesShown: true, By: "user:u", At: at}}
		must(t, s.CreateGroup(ctx, g, explain("group.create")))
		got, err := s.Group(ctx, "g1")
		must(t, err)
		if diff := cmp.Diff(g, got); diff != "" {
			t.Errorf("group (-want +got):\n%s", diff)
		}
		in := func(what string, want ...sector.GroupID) {
			t.Helper()
			m, err := d.Member(ctx, "north-bank")
			must(t, err)
			all, err := d.Members(ctx)
			must(t, err)
			if !slices.Equal(m.Groups, want) || !slices.Equal(all[0].Groups, want) {
				t.Errorf("%s: the member is in %v, %v", what, m.Groups, all[0].Groups)
			}
		}
		in("the owner", "g1")
		ask := organisation.Membership{Group: "g1", Member: "east-life", Side: organisation.Asking, Terms: 1, ChangedAt: at}
		must(t, s.SetMembership(ctx, ask, []organisation.Side{organisation.Stranger}, 1, explain("group.ask")))
		for what, err := range map[string]error{
			"from where it is not": s.SetMembership(ctx, ask, []organisation.Side{organisation.Stranger, organisation.Left}, 1, explain("group.ask")),
			"under old terms":      s.SetMembership(ctx, ask, []organisation.Side{organisation.Asking}, 2, explain("group.ask")),
			"terms that skip one":  s.SetTerms(ctx, g, organisation.Terms{Version: 3, At: at}, explain("group.terms")),
		} {
			if !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", what, err)
			}
		}
		must(t, s.SetTerms(ctx, g, organisation.Terms{Version: 2, Zh: "新", En: "New", At: at}, explain("group.terms")))
		in("the owner under its new terms", "g1")
		members, err := s.Memberships(ctx, "g1", "")
		must(t, err)
		mine, err := s.Memberships(ctx, "", "east-life")
		must(t, err)
		if len(members) != 2 || len(mine) != 1 || mine[0] != ask {
			t.Errorf("memberships %+v, of one member %+v", members, mine)
		}
		if groups, err := db.Sector().Groups(ctx); err != nil || len(groups) != 1 || groups[0] != g.Group {
			t.Errorf("groups to release to: %+v, %v", groups, err)
		}
		must(t, s.CloseGroup(ctx, "g1", at, explain("group.close")))
		in("a closed group")
		if groups, err := db.Sector().Groups(ctx); err != nil || len(groups) != 0 {
			t.Errorf("groups to release to: %+v, %v", groups, err)
		}
		if _, err := s.Group(ctx, "g2"); !errs.Is(err, errs.NotFound) {
			t.Errorf("no group: %v", err)
		}
	})
}
