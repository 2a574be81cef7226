package sqldb

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// intelWorld is package intel on a real store with a clock of its own.
type intelWorld struct {
	db       *DB
	store    *Advisories
	svc      *intel.Service
	members  []sector.Member
	evidence map[string]intel.Evidence // by alert
	now      time.Time
	changed  int
	ids      int // of which newID makes the next id
}

// newID makes ids that depend on nothing but w.ids.
func (w *intelWorld) newID() stix.UUID {
	w.ids++
	return stix.NameUUID(stix.UUID{}, fmt.Append(nil, "test ", w.ids))
}

var (
	analyst = sector.Viewer{Org: sector.Centre, User: "ana", Role: sector.Analyst}
	manager = sector.Viewer{Org: sector.Centre, User: "duty", Role: sector.DutyManager}
	admin   = sector.Viewer{Org: sector.Centre, User: "root", Role: sector.Administrator}
	// supervisor is the authority.
	supervisor = sector.Viewer{Org: sector.Authority, User: "sup", Role: sector.Supervisor}
)

func newIntelWorld(t fataler, db *DB) *intelWorld {
	t.Helper()
	rules, err := intel.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	w := &intelWorld{db: db, store: db.Advisories(), now: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), evidence: map[string]intel.Evidence{}}
	w.svc = intel.New(intel.Config{
		Drafts: w.store, Releases: w.store, Members: w, Evidence: w, Rules: rules,
		Now: w.tick, NewID: w.newID, Changed: func() { w.changed++ },
	})
	for i, sub := range []sector.SubSector{sector.Banking, sector.Banking, sector.Insurance, sector.Securities} {
		id := fmt.Sprintf("m%d", i+1)
		m := sector.Member{
			ID: sector.MemberID(id), Sector: sub, Name: "Institution Number " + string(rune('A'+i)) + " Co., Ltd.",
			NameZh: "測試機構" + string([]rune("甲乙丙丁")[i]) + "股份有限公司", Mail: "soc@" + id + ".example",
		}
		w.members = append(w.members, m)
	}
	return w
}

// tick moves the clock one second and returns it.
func (w *intelWorld) tick() time.Time {
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *intelWorld) Members(context.Context) ([]sector.Member, error) { return w.members, nil }

func (w *intelWorld) Evidence(_ context.Context, alerts []string) (intel.Evidence, error) {
	ev := intel.Evidence{Alerts: alerts}
	for _, a := range alerts {
		one := w.evidence[a]
		ev.Title = one.Title
		ev.Members = append(ev.Members, one.Members...)
		ev.Internal = append(ev.Internal, one.Internal...)
		ev.Observables = append(ev.Observables, one.Observables...)
	}
	return ev, nil
}

func (w *intelWorld) Drafted(context.Context, sector.Viewer, []string, intel.AdvisoryID) error {
	return nil
}

func (w *intelWorld) viewer(i int) sector.Viewer {
	m := w.members[i]
	return sector.Viewer{Org: sector.MemberOrg, Member: m.ID, Sector: m.Sector, User: sector.UserID("user-" + m.ID), Role: sector.MemberStaff}
}

// content is an advisory that can be released.
func content(n int, a sector.Audience, values ...string) intel.Content {
	c := intel.Content{Audience: a}
	c.Title = intel.Text{Zh: fmt.Sprintf("警訊第 %d 號", n), En: fmt.Sprintf("Warning number %d", n)}
	c.Body = intel.Text{Zh: "請檢查。", En: "Please check."}
	c.Category = intel.INT
	c.Marking = sector.Marking{TLP: sector.TLPAmber, PAP: sector.PAPGreen}
	for _, v := range values {
		ind, err := intel.ParseIndicator(v)
		if err != nil {
			panic(err)
		}
		c.Indicators = append(c.Indicators, ind)
	}
	return c
}

// draft makes a draft with the content.
func (w *intelWorld) draft(t *testing.T, c intel.Content) intel.Advisory {
	t.Helper()
	ctx := context.Background()
	a, err := w.svc.Draft(ctx, analyst, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.svc.Edit(ctx, analyst, a.ID, a.Version, c); err != nil {
		t.Fatal(err)
	}
	return a
}

// release edits (when c is not nil) and releases an advisory.
func (w *intelWorld) release(t *testing.T, a intel.Advisory, c *intel.Content) intel.Advisory {
	t.Helper()
	ctx := context.Background()
	var err error
	if c != nil {
		if a, err = w.svc.Edit(ctx, analyst, a.ID, a.Version, *c); err != nil {
			t.Fatal(err)
		}
	}
	if sector.NeedsSecondPerson(a.Marking, string(a.Category)) {
		if a, err = w.svc.Submit(ctx, analyst, a.ID, a.Version); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.svc.Release(ctx, manager, a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	return w.get(t, a.ID)
}

func (w *intelWorld) withdraw(t *testing.T, a intel.Advisory) intel.Advisory {
	t.Helper()
	if err := w.svc.Withdraw(context.Background(), manager, a.ID, a.Version, "wrong"); err != nil {
		t.Fatal(err)
	}
	return w.get(t, a.ID)
}

func (w *intelWorld) get(t *testing.T, id intel.AdvisoryID) intel.Advisory {
	t.Helper()
	a, err := w.svc.Advisory(context.Background(), analyst, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inbox is a member's list as "title" or "title withdrawn", oldest first.
func (w *intelWorld) inbox(t *testing.T, v sector.Viewer) []string {
	t.Helper()
	found, err := w.svc.Released(context.Background(), v, intel.ReleasedQuery{Ascending: true})
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

func entryForTest(a intel.Advisory) ledger.Entry {
	return ledger.Entry{Actor: "user:test", Action: "advisory.test", Object: "advisory:" + string(a.ID)}
}
