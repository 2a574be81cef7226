// Package inteltest drives package intel on any store, with a clock, members
// and evidence of its own, for tests of stores and of channels.
package inteltest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// World is package intel on a store.
type World struct {
	ticking sync.Mutex
	Store   Store
	Service *intel.Service
	Sector  []sector.Member
	Alerts  map[string]intel.Evidence // by alert
	Clock   time.Time                 // moves a second each time it is asked
	Woken   int                       // how often the matcher was woken
	IDs     int                       // of which the next id is made
}

// newID makes ids that depend on nothing but w.ids.
func (w *World) newID() stix.UUID {
	w.IDs++
	return stix.NameUUID(stix.UUID{}, fmt.Append(nil, "test ", w.IDs))
}

// Store is all that package intel needs of a store.
type Store interface {
	intel.DraftStore
	intel.ReleaseStore
}

// Analyst drafts and releases.
func Analyst() sector.Viewer {
	return sector.Viewer{Org: sector.Centre, User: "ana", Roles: []sector.Role{sector.Analyst}}
}

// Manager is a second person.
func Manager() sector.Viewer {
	return sector.Viewer{Org: sector.Centre, User: "duty", Roles: []sector.Role{sector.DutyManager}}
}

// Supervisor is the authority's.
func Supervisor() sector.Viewer {
	return sector.Viewer{Org: sector.Authority, User: "sup", Roles: []sector.Role{sector.Supervisor}}
}

// T is what tests, benchmarks and properties have in common.
type T interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// New returns a world of four members on a store: m1 and m2 are banks, m3 an
// insurer, m4 a securities firm.
func New(t T, store Store) *World {
	t.Helper()
	rules, err := intel.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Store: store, Clock: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), Alerts: map[string]intel.Evidence{}}
	w.Service = intel.New(intel.Config{
		Drafts: store, Releases: store, Members: w, Evidence: w, Rules: rules,
		Now: w.Tick, NewID: w.newID, Changed: func() { w.Woken++ },
	})
	for i, sub := range []sector.SubSector{sector.Banking, sector.Banking, sector.Insurance, sector.Securities} {
		id := fmt.Sprintf("m%d", i+1)
		m := sector.Member{
			ID: sector.MemberID(id), Sector: sub, Name: "Institution Number " + string(rune('A'+i)) + " Co., Ltd.",
			NameZh: "測試機構" + string([]rune("甲乙丙丁")[i]) + "股份有限公司", Mail: "soc@" + id + ".example",
		}
		w.Sector = append(w.Sector, m)
	}
	return w
}

// Tick moves the clock one second and returns it. Jobs may ask at once.
func (w *World) Tick() time.Time {
	w.ticking.Lock()
	defer w.ticking.Unlock()
	w.Clock = w.Clock.Add(time.Second)
	return w.Clock
}

// Members implements intel.Members.
func (w *World) Members(context.Context) ([]sector.Member, error) { return w.Sector, nil }

// Evidence implements intel.EvidenceSource.
func (w *World) Evidence(_ context.Context, alerts []string) (intel.Evidence, error) {
	ev := intel.Evidence{Alerts: alerts}
	for _, a := range alerts {
		one := w.Alerts[a]
		ev.Title = one.Title
		ev.Members = append(ev.Members, one.Members...)
		ev.Internal = append(ev.Internal, one.Internal...)
		ev.Observables = append(ev.Observables, one.Observables...)
		part := intel.AlertEvidence{ID: a, Title: one.Title}
		for _, o := range one.Observables {
			part.Values = append(part.Values, o.Value)
		}
		ev.Of = append(ev.Of, part)
	}
	return ev, nil
}

// Drafted implements intel.EvidenceSource.
func (w *World) Drafted(context.Context, sector.Viewer, []string, intel.AdvisoryID) error {
	return nil
}

// Viewer is a person of the member with this index.
func (w *World) Viewer(i int) sector.Viewer {
	m := w.Sector[i]
	return sector.Viewer{Org: sector.MemberOrg, Member: m.ID, Sector: m.Sector, User: sector.UserID("user-" + m.ID), Roles: []sector.Role{sector.MemberStaff}}
}

// Content is an advisory that can be released.
func Content(n int, a sector.Audience, values ...string) intel.Content {
	c := intel.Content{Audience: a}
	c.Title = intel.Text{Zh: fmt.Sprintf("警訊第 %d 號", n), En: fmt.Sprintf("Warning number %d", n)}
	c.Body = intel.Text{Zh: "請檢查。", En: "Please check."}
	c.Category = intel.INT
	c.Marking = sector.Marking{TLP: sector.TLPAmber, PAP: sector.PAPGreen}
	for _, v := range values {
		ind, err := intel.ParseIndicator(v)
		if err != nil {
			continue // a mistake in the test: the indicator is missed there
		}
		c.Indicators = append(c.Indicators, ind)
	}
	return c
}

// Draft makes a draft with the content.
func (w *World) Draft(t T, c intel.Content) intel.Advisory {
	t.Helper()
	ctx := context.Background()
	a, err := w.Service.Draft(ctx, Analyst(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Service.Edit(ctx, Analyst(), a.ID, a.Version, c); err != nil {
		t.Fatal(err)
	}
	return a
}

// Release edits (when c is not nil) and releases an advisory.
func (w *World) Release(t T, a intel.Advisory, c *intel.Content) intel.Advisory {
	t.Helper()
	ctx := context.Background()
	var err error
	if c != nil {
		if a, err = w.Service.Edit(ctx, Analyst(), a.ID, a.Version, *c); err != nil {
			t.Fatal(err)
		}
	}
	if sector.NeedsSecondPerson(a.Marking, string(a.Category)) {
		if a, err = w.Service.Submit(ctx, Analyst(), a.ID, a.Version); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Service.Release(ctx, Manager(), a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	return w.Get(t, a.ID)
}

// Withdraw takes an advisory back.
func (w *World) Withdraw(t T, a intel.Advisory) intel.Advisory {
	t.Helper()
	if err := w.Service.Withdraw(context.Background(), Manager(), a.ID, a.Version, "wrong"); err != nil {
		t.Fatal(err)
	}
	return w.Get(t, a.ID)
}

// Get is the newest version of an advisory.
func (w *World) Get(t T, id intel.AdvisoryID) intel.Advisory {
	t.Helper()
	a, err := w.Service.Advisory(context.Background(), Analyst(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Inbox is a member's list as "title" or "title withdrawn", oldest first.
func (w *World) Inbox(t T, v sector.Viewer) []string {
	t.Helper()
	found, err := w.Service.Released(context.Background(), v, intel.ReleasedQuery{Ascending: true})
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, r := range found {
		text := r.Title.En
		if !r.WithdrawnAt.IsZero() {
			text += " withdrawn"
		}
		list = append(list, text)
	}
	return list
}
