package sqldb

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

func TestReleasedFollowsTheAudience(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		bank := sector.Audience{Sectors: []sector.SubSector{sector.Banking}}
		a := w.Release(t, w.Draft(t, inteltest.Content(1, bank, "198.51.100.7")), nil)
		w.Release(t, w.Draft(t, inteltest.Content(2, sector.Audience{All: true, Members: []sector.MemberID{"m1"}})), nil)
		w.Release(t, w.Draft(t, inteltest.Content(3, sector.Audience{Authority: true})), nil)
		w.Draft(t, inteltest.Content(4, sector.Audience{All: true}))
		want := map[string][]string{
			"bank":      {"Warning number 1", "Warning number 2"},
			"insurer":   {"Warning number 2"},
			"authority": {"Warning number 3"},
			"nobody":    {},
			"centre":    {"Warning number 1", "Warning number 2", "Warning number 3"},
		}
		got := map[string][]string{
			"bank": w.Inbox(t, w.Viewer(0)), "insurer": w.Inbox(t, w.Viewer(2)),
			"authority": w.Inbox(t, inteltest.Supervisor()), "nobody": w.Inbox(t, sector.Viewer{}), "centre": w.Inbox(t, inteltest.Analyst()),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("lists (-want +got):\n%s", d)
		}

		// A narrower release takes the advisory back from those left out.
		narrow := inteltest.Content(5, sector.Audience{Members: []sector.MemberID{"m2"}})
		a = w.Release(t, a, &narrow)
		if d := cmp.Diff([]string{"Warning number 2", "Warning number 1 withdrawn"}, w.Inbox(t, w.Viewer(0))); d != "" {
			t.Errorf("left out (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"Warning number 2", "Warning number 5"}, w.Inbox(t, w.Viewer(1))); d != "" {
			t.Errorf("kept (-want +got):\n%s", d)
		}

		// Who was left out cannot be taken in again within the lineage.
		wide := inteltest.Content(6, bank)
		a, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, wide)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Service.Release(context.Background(), inteltest.Manager(), a.ID, a.Version)
		if p := intel.ProblemsOf(err); len(p) != 1 || p[0].Err.Key != "advisory.taken_back" {
			t.Errorf("release to whom it was taken back from: %v", err)
		}
		// After a withdrawal it can: that is a new lineage.
		a = w.Withdraw(t, a)
		if d := cmp.Diff([]string{"Warning number 2", "Warning number 5 withdrawn"}, w.Inbox(t, w.Viewer(1))); d != "" {
			t.Errorf("withdrawn (-want +got):\n%s", d)
		}
		w.Release(t, a, &wide)
		for i := range 2 {
			if d := cmp.Diff([]string{"Warning number 2", "Warning number 6"}, w.Inbox(t, w.Viewer(i))); d != "" {
				t.Errorf("again, member %d (-want +got):\n%s", i, d)
			}
		}
	})
}

func TestSaveIsOptimistic(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		ctx := context.Background()
		a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}))
		if _, err := w.Service.Edit(ctx, inteltest.Manager(), a.ID, a.Version, inteltest.Content(2, sector.Audience{All: true})); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, inteltest.Content(3, sector.Audience{All: true})); !errs.Is(err, errs.Conflict) {
			t.Errorf("second edit of version %d: %v", a.Version, err)
		}
		stale := a
		stale.Version++
		if err := w.Store.Save(ctx, stale, entryForTest(a)); !errs.Is(err, errs.Conflict) {
			t.Errorf("store saved over a newer version: %v", err)
		}
		if got := w.Get(t, a.ID); got.Title.En != "Warning number 2" {
			t.Errorf("kept %q", got.Title.En)
		}
	})
}

func entryForTest(a intel.Advisory) ledger.Entry {
	return ledger.Entry{Actor: "user:test", Action: "advisory.test", Object: "advisory:" + string(a.ID)}
}
