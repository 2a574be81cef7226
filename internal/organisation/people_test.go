package organisation_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func keyOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Key
	}
	return ""
}

// giveDomain lets a member invite people with addresses under the domain.
func (w *world) giveDomain(t *testing.T, admin, domain string) {
	t.Helper()
	v := w.as(t, admin)
	k, err := w.Profile(t.Context(), v)
	must(t, err)
	k.Profile.Domains = append(k.Profile.Domains, domain)
	_, err = w.SaveProfile(t.Context(), v, k.Version, k.Profile)
	must(t, err)
}

// TestOthersPeopleAreNotThere: whatever an administrator asks of a person of
// another organisation is answered as for one that does not exist.
func TestOthersPeopleAreNotThere(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	strangers := map[string]string{
		"admin@jade-bank.example": "staff@fir-bank.example", "admin@centre.example": "staff@fir-bank.example",
		"admin@fir-bank.example": "duty@centre.example",
	}
	for me, other := range strangers {
		v := w.as(t, me)
		for _, id := range []sector.UserID{w.people[other].ID, "nobody"} {
			_, err := w.Person(ctx, v, id)
			want(t, me+" reads", err, errs.NotFound, "sector.user_unknown")
			_, err = w.Link(ctx, v, id)
			want(t, me+" links", err, errs.NotFound, "sector.user_unknown")
			want(t, me+" removes", w.Remove(ctx, v, id), errs.NotFound, "sector.user_unknown")
			want(t, me+" restores", w.Restore(ctx, v, id), errs.NotFound, "sector.user_unknown")
			want(t, me+" promotes", w.SetRoles(ctx, v, id, []sector.Role{sector.MemberAdmin}), errs.NotFound, "sector.user_unknown")
		}
		all, err := w.People(ctx, v)
		must(t, err)
		if slices.ContainsFunc(all, func(u sector.User) bool { return u.Email == other }) {
			t.Errorf("%s sees %s", me, other)
		}
	}
	want(t, "staff", w.Remove(ctx, w.as(t, "staff@jade-bank.example"), w.people["admin@jade-bank.example"].ID), errs.Forbidden, "error.role")
}

// TestRemovedPersonIsOutAtOnce: session, password and links are dead, the
// account is kept.
func TestRemovedPersonIsOutAtOnce(t *testing.T) {
	w := newWorld(t)
	ctx, boss := t.Context(), w.as(t, "admin@jade-bank.example")
	id := w.people["staff@jade-bank.example"].ID
	unused, err := w.Link(ctx, boss, id)
	must(t, err)
	must(t, w.Remove(ctx, boss, id))
	_, err = w.directory.Refresh(ctx, id)
	want(t, "session", err, errs.Unauthenticated, "signin.refused")
	_, err = w.directory.Redeem(ctx, unused)
	want(t, "link", err, errs.Unauthenticated, "signin.link_invalid")
	_, err = w.Link(ctx, boss, id)
	want(t, "new link", err, errs.Conflict, "sector.user_removed")
	want(t, "again", w.Remove(ctx, boss, id), errs.Conflict, "people.changed")
	must(t, w.Restore(ctx, boss, id))
	if v, err := w.directory.Refresh(ctx, id); err != nil || !v.Is(sector.MemberStaff) {
		t.Errorf("restored: %+v, %v", v, err)
	}
	_, err = w.directory.Redeem(ctx, unused)
	want(t, "link from before", err, errs.Unauthenticated, "signin.link_invalid")
}

func TestLastAdministratorStays(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, me := range []string{"admin@jade-bank.example", "admin@centre.example"} {
		v := w.as(t, me)
		other := sector.MemberStaff
		if v.Org == sector.Centre {
			other = sector.Analyst
		}
		want(t, me, w.Remove(ctx, v, v.User), errs.Conflict, "people.last_administrator")
		want(t, me, w.SetRoles(ctx, v, v.User, []sector.Role{other}), errs.Conflict, "people.last_administrator")
	}
	// With two, both may not go, even at once.
	boss := w.as(t, "admin@jade-bank.example")
	second := w.people["staff@jade-bank.example"].ID
	must(t, w.SetRoles(ctx, boss, second, []sector.Role{sector.MemberAdmin, sector.MemberStaff}))
	var all sync.WaitGroup
	failed := make([]error, 2)
	for i, id := range []sector.UserID{boss.User, second} {
		all.Go(func() { failed[i] = w.Remove(ctx, boss, id) })
	}
	all.Wait()
	if (failed[0] == nil) == (failed[1] == nil) {
		t.Errorf("two administrators remove each other: %v", failed)
	}
}

func TestRolesStayWithinTheOrganisation(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	member, centre := w.as(t, "admin@jade-bank.example"), w.as(t, "admin@centre.example")
	staff := w.people["staff@jade-bank.example"].ID
	want(t, "centre's role", w.SetRoles(ctx, member, staff, []sector.Role{sector.Administrator}), errs.Invalid, "people.role_not_yours")
	want(t, "no role", w.SetRoles(ctx, member, staff, nil), errs.Invalid, "sector.roles_missing")
	want(t, "member's role", w.SetRoles(ctx, centre, w.people["duty@centre.example"].ID, []sector.Role{sector.MemberAdmin}), errs.Invalid, "people.role_not_yours")
	want(t, "another kind", w.SetRoles(ctx, centre, w.people["duty@centre.example"].ID, []sector.Role{sector.Supervisor}), errs.Invalid, "sector.roles_mixed")
	_, err := w.Invite(ctx, member, []string{"x@jade-bank.example"}, []sector.Role{sector.Administrator})
	want(t, "invite as", err, errs.Invalid, "people.role_not_yours")
}

// TestInvitationsByLine: each line stands for itself, and an address that has
// an account elsewhere is answered as one that is not the organisation's.
func TestInvitationsByLine(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.giveDomain(t, "admin@jade-bank.example", "jade-bank.example")
	w.person(t, "moved@jade-bank.example", "fir-bank", sector.MemberStaff)
	v := w.as(t, "admin@jade-bank.example")
	got, err := w.Invite(ctx, v, []string{
		"New@jade-bank.example", "", " x@sub.jade-bank.example;", "staff@jade-bank.example", "moved@jade-bank.example",
		"a@elsewhere.example", "staff@fir-bank.example", "not an address", "ｆull@jade-bank.example", "new@jade-bank.example",
	}, []sector.Role{sector.MemberStaff})
	must(t, err)
	var lines []string
	for _, one := range got {
		key := "invited"
		if one.Err != nil {
			key = one.Err.Key
		}
		lines = append(lines, fmt.Sprint(one.Line, " ", key))
		if (one.Token != "") != (one.Err == nil) {
			t.Errorf("line %d: token %q, %v", one.Line, one.Token, one.Err)
		}
	}
	expect := []string{"1 invited", "3 invited", "4 people.is_here", "5 people.not_yours", "6 people.not_yours", "7 people.not_yours",
		"8 sector.mail_form", "9 sector.mail_width", "10 people.is_here"}
	if !slices.Equal(lines, expect) {
		t.Errorf("got %q\nwant %q", lines, expect)
	}
	if v, err := w.directory.Redeem(ctx, got[0].Token); err != nil || v.Member != "jade-bank" {
		t.Errorf("the link signs in %+v, %v", v, err)
	}
}

// TestThousandsOfInvitations: what is beyond the bound is handed back.
func TestThousandsOfInvitations(t *testing.T) {
	w := newWorld(t)
	w.giveDomain(t, "admin@jade-bank.example", "jade-bank.example")
	addresses := make([]string, 3000)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("p%d@jade-bank.example", i)
	}
	began := time.Now()
	got, err := w.Invite(t.Context(), w.as(t, "admin@jade-bank.example"), addresses, []sector.Role{sector.Trainee})
	must(t, err)
	done, left := 0, 0
	for i, one := range got {
		switch {
		case one.Email != addresses[i]:
			t.Fatalf("line %d is %s", i+1, one.Email)
		case one.Left && one.Token == "":
			left++
		case one.Token != "":
			done++
		}
	}
	if done != organisation.MaxInvitations || left != len(addresses)-done {
		t.Errorf("%d invited, %d left of %d", done, left, len(addresses))
	}
	t.Logf("%d invitations in %v", done, time.Since(began))
}

// TestMemberThatDoesNotTakePartIsNobody: people and keys stop at once, and
// go on when it returns; nothing is lost.
func TestMemberThatDoesNotTakePartIsNobody(t *testing.T) {
	w := newWorld(t)
	ctx, centre := t.Context(), w.as(t, "admin@centre.example")
	person := w.people["staff@jade-bank.example"].ID
	_, secret, err := w.directory.CreateKey(ctx, centre, "jade-bank", []sector.Scope{sector.ScopeRecords})
	must(t, err)
	if _, err := w.directory.AuthenticateKey(ctx, secret); err != nil { // from now on it is remembered
		t.Fatal(err)
	}
	for _, state := range []sector.MemberState{sector.Suspended, sector.Departed} {
		must(t, w.SetState(ctx, centre, "jade-bank", state, "in an exercise"))
		_, err = w.directory.Refresh(ctx, person)
		want(t, "person", err, errs.Unauthenticated, "signin.refused")
		_, err = w.directory.AuthenticateKey(ctx, secret)
		want(t, "key", err, errs.Unauthenticated, "key.invalid")
		members, err := w.directory.Members(ctx)
		must(t, err)
		for _, m := range (sector.Gate{}).Reached(sector.Audience{All: true, Public: true, Members: []sector.MemberID{"jade-bank"}}, members) {
			if m.ID == "jade-bank" {
				t.Errorf("%s: a release reaches it", state)
			}
		}
	}
	want(t, "same", w.SetState(ctx, centre, "jade-bank", sector.Departed, "again"), errs.Conflict, "organisation.state_same")
	want(t, "why", w.SetState(ctx, centre, "jade-bank", sector.TakesPart, " "), errs.Invalid, "organisation.reason_missing")
	want(t, "who", w.SetState(ctx, w.as(t, "duty@centre.example"), "fir-bank", sector.Suspended, "no"), errs.Forbidden, "error.role")
	must(t, w.SetState(ctx, centre, "jade-bank", sector.TakesPart, "over"))
	w.as(t, "staff@jade-bank.example")
	if _, err := w.directory.AuthenticateKey(ctx, secret); err != nil {
		t.Error(err)
	}
}
