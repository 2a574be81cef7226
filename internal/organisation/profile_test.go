package organisation_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// TestConcurrentEdits: what two people change in different fields is both
// kept; where both changed the same nothing is saved and both values are told.
func TestConcurrentEdits(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	v := w.as(t, "admin@jade-bank.example")
	start, err := w.Profile(ctx, v)
	must(t, err)
	if start.Version != 0 || start.Profile.NameZh != "玉山谷銀行" {
		t.Errorf("before anything is saved: %+v", start)
	}
	edit := func(change func(*organisation.Profile)) (organisation.Kept, error) {
		p := start.Profile
		change(&p)
		return w.SaveProfile(ctx, v, start.Version, p)
	}
	_, err = edit(func(p *organisation.Profile) { p.StockCode = "2884" })
	must(t, err)
	_, err = edit(func(p *organisation.Profile) { p.Networks = []string{"203.0.113.0/24"} })
	must(t, err)
	_, err = edit(func(p *organisation.Profile) { p.StockCode, p.BIC = "9999", "ESUNTWTP" })
	c, ok := errors.AsType[*organisation.CollisionError](err)
	if !ok {
		t.Fatalf("both changed the stock code: %v", err)
	}
	if d := cmp.Diff([]organisation.Collision{{Field: "stock_code", Mine: "9999", Theirs: "2884"}}, c.Fields); d != "" {
		t.Errorf("collisions (-want +got):\n%s", d)
	}
	now, err := w.Profile(ctx, v)
	must(t, err)
	if now.Version != 2 || now.Profile.StockCode != "2884" || now.Profile.BIC != "" || len(now.Profile.Networks) != 1 {
		t.Errorf("kept: %+v", now)
	}
	// Having seen both, the second one saves what the form has now.
	saved, err := w.SaveProfile(ctx, v, c.Version, c.Merged)
	must(t, err)
	if p := saved.Profile; p.StockCode != "9999" || p.BIC != "ESUNTWTP" || len(p.Networks) != 1 {
		t.Errorf("saved after the collision: %+v", p)
	}
}

// TestManySaveAtOnce: of many who add an entry of their own field at once,
// none is overwritten.
func TestManySaveAtOnce(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	v := w.as(t, "admin@jade-bank.example")
	start, err := w.Profile(ctx, v)
	must(t, err)
	var all sync.WaitGroup
	errors := make([]error, len(organisation.Duties()))
	for i, d := range organisation.Duties() {
		all.Go(func() {
			p := start.Profile
			p.Contacts = map[organisation.Duty]organisation.Contact{d: {Name: fmt.Sprint("Person ", i)}}
			for range 5 { // a conflict that does not end is told, and tried again by hand
				if _, errors[i] = w.SaveProfile(ctx, v, 0, p); !errs.Is(errors[i], errs.Conflict) {
					return
				}
			}
		})
	}
	all.Wait()
	kept, err := w.Profile(ctx, v)
	must(t, err)
	for i, d := range organisation.Duties() {
		if errors[i] != nil || kept.Profile.Contacts[d].Name != fmt.Sprint("Person ", i) {
			t.Errorf("%s: %v, kept %+v", d, errors[i], kept.Profile.Contacts[d])
		}
	}
}

func TestConfirmationFallsDue(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	v, centre := w.as(t, "admin@jade-bank.example"), w.as(t, "duty@centre.example")
	late := func() (who []string) {
		t.Helper()
		all, err := w.Standings(ctx, centre)
		must(t, err)
		for _, s := range all {
			if s.ContactsLate {
				who = append(who, string(s.Member.ID)+" contacts")
			}
			if s.NetsLate {
				who = append(who, string(s.Member.ID)+" networks")
			}
		}
		slices.Sort(who)
		return who
	}
	is := func(what string, expect ...string) {
		t.Helper()
		if got := late(); !slices.Equal(got, expect) {
			t.Errorf("%s: overdue %q, want %q", what, got, expect)
		}
	}
	must(t, w.SetState(ctx, w.as(t, "admin@centre.example"), "plum-sec", sector.Departed, "merged"))
	is("at first")
	p := organisation.Profile{Contacts: map[organisation.Duty]organisation.Contact{organisation.Desk: {Phone: "+886 2 2345 6789", Round: true}}}
	_, err := w.SaveProfile(ctx, v, 0, p)
	must(t, err)
	w.now = w.now.Add(organisation.ConfirmEvery + time.Second)
	is("after 90 days", "fir-bank contacts", "fir-bank networks", "jade-bank contacts", "jade-bank networks")
	must(t, w.Confirm(ctx, v, 1, organisation.Contacts))
	is("contacts confirmed", "fir-bank contacts", "fir-bank networks", "jade-bank networks")
	p.Domains = []string{"jade-bank.example"}
	_, err = w.SaveProfile(ctx, v, 1, p)
	must(t, err)
	is("domains changed", "fir-bank contacts", "fir-bank networks")
	want(t, "of an old version", w.Confirm(ctx, v, 1, organisation.Contacts), errs.Conflict, "profile.changed")
	want(t, "by staff", w.Confirm(ctx, w.as(t, "staff@jade-bank.example"), 2, organisation.Contacts), errs.Forbidden, "error.role")
	want(t, "of nothing", w.Confirm(ctx, v, 0, organisation.Contacts), errs.Invalid, "organisation.confirm_what")
	w.now = w.now.Add(organisation.ConfirmEvery - time.Second)
	is("just in time", "fir-bank contacts", "fir-bank networks")
	w.now = w.now.Add(2 * time.Second)
	is("again", "fir-bank contacts", "fir-bank networks", "jade-bank contacts", "jade-bank networks")
}

// TestProfilesAreApart: a member reads and writes its own; what it claims
// besides another is told to the centre only.
func TestProfilesAreApart(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	jade, fir, centre := w.as(t, "admin@jade-bank.example"), w.as(t, "admin@fir-bank.example"), w.as(t, "duty@centre.example")
	_, err := w.SaveProfile(ctx, jade, 0, organisation.Profile{Networks: []string{"203.0.113.0/24"}, Domains: []string{"shared.example"}})
	must(t, err)
	_, err = w.SaveProfile(ctx, fir, 0, organisation.Profile{Networks: []string{"203.0.113.128/25"}, Domains: []string{"www.shared.example"}})
	must(t, err)
	for _, v := range []sector.Viewer{fir, w.as(t, "staff@fir-bank.example")} {
		k, err := w.Profile(ctx, v)
		must(t, err)
		if k.Member != "fir-bank" {
			t.Errorf("%s reads the profile of %s", v.Email, k.Member)
		}
		_, err = w.ProfileOf(ctx, v, "jade-bank")
		want(t, "read another's", err, errs.Forbidden, "error.role")
		_, err = w.Overlaps(ctx, v, "fir-bank")
		want(t, "overlaps", err, errs.Forbidden, "error.role")
		_, err = w.Standings(ctx, v)
		want(t, "standings", err, errs.Forbidden, "error.role")
	}
	_, err = w.SaveProfile(ctx, w.as(t, "staff@fir-bank.example"), 1, organisation.Profile{})
	want(t, "staff writes", err, errs.Forbidden, "error.role")
	_, err = w.SaveProfile(ctx, centre, 1, organisation.Profile{})
	want(t, "the centre writes", err, errs.Forbidden, "error.role")
	found, err := w.Overlaps(ctx, centre, "fir-bank")
	must(t, err)
	if len(found) != 2 || found[0].Other != "jade-bank" {
		t.Errorf("the centre is told %+v", found)
	}
}
