package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// asked is an advisory that asks for an answer within a day of the world's
// clock.
func asked(w *inteltest.World, n int, a sector.Audience) *intel.Content {
	c := inteltest.Content(n, a, fmt.Sprintf("198.51.100.%d", n))
	c.AnswerDue = w.Clock.Add(24 * time.Hour)
	return &c
}

func owedIDs(t *testing.T, db *DB, w *inteltest.World, member int) []string {
	t.Helper()
	list, all, err := db.Home().Owed(t.Context(), sector.Gate{}.For(w.Viewer(member)), 50)
	must(t, err)
	if int(all) != len(list) {
		t.Errorf("%d are owed and %d listed", all, len(list))
	}
	ids := []string{}
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	// The inbox says the same.
	found, err := w.Service.Released(t.Context(), w.Viewer(member), intel.ReleasedQuery{Unanswered: true, Ascending: true})
	must(t, err)
	inbox := []string{}
	for _, r := range found {
		inbox = append(inbox, string(r.ID))
	}
	if d := cmp.Diff(ids, inbox); d != "" {
		t.Errorf("home and inbox differ (-home +inbox):\n%s", d)
	}
	return ids
}

// TestOwedFollowsReleasesAndAnswers: what a member owes begins with a release
// to it, and ends with its answer, a withdrawal, or a correction to others.
func TestOwedFollowsReleasesAndAnswers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		both := sector.Audience{Members: []sector.MemberID{"m1", "m2"}}
		first := w.Release(t, w.Draft(t, *asked(w, 1, both)), nil)
		second := w.Release(t, w.Draft(t, *asked(w, 2, both)), nil)
		w.Release(t, w.Draft(t, inteltest.Content(3, both, "198.51.100.3")), nil) // asks nothing
		want := func(step string, member int, ids ...intel.AdvisoryID) {
			t.Helper()
			list := []string{}
			for _, id := range ids {
				list = append(list, string(id))
			}
			if d := cmp.Diff(list, owedIDs(t, db, w, member)); d != "" {
				t.Errorf("%s, member %d (-want +got):\n%s", step, member+1, d)
			}
		}
		want("released", 0, first.ID, second.ID)
		want("not released to it", 2)
		_, err := w.Service.Answer(t.Context(), w.Viewer(0), first.ID, intel.NotAffected, "")
		must(t, err)
		want("answered", 0, second.ID)
		want("answered by another", 1, first.ID, second.ID)
		// A correction of what was answered is not owed again.
		first = w.Release(t, first, asked(w, 1, both))
		want("corrected", 0, second.ID)
		want("corrected", 1, second.ID, first.ID)
		w.Withdraw(t, second)
		want("withdrawn", 0)
		want("withdrawn", 1, first.ID)
		st, err := db.Home().Standing(t.Context(), sector.Gate{}.For(w.Viewer(0)), w.Clock.Add(-time.Hour), w.Clock.Add(48*time.Hour))
		must(t, err)
		if st.Asked != 1 || st.InTime != 1 {
			t.Errorf("member 1 was asked %d times and in time %d times, want once", st.Asked, st.InTime)
		}
		late, all, err := db.Home().Overdue(t.Context(), sector.Gate{}.For(sector.System()), w.Clock.Add(48*time.Hour), 10)
		must(t, err)
		if len(late) != 1 || all != 1 || late[0].Member.ID != "m2" || late[0].N != 1 {
			t.Errorf("overdue: %v of %d", late, all)
		}
		d, err := db.Home().Delivered(t.Context(), sector.Gate{}.For(sector.System()), w.Clock.Add(-time.Hour))
		must(t, err)
		if d.Warnings != 4 || d.Deliveries != 8 || d.InTime != 2 || d.Late != 0 {
			t.Errorf("delivered: %+v", d)
		}
	})
}

// TestHomesOfTheCentreAreForTheCentre: a member's filter counts nothing of
// others.
func TestHomesOfTheCentreAreForTheCentre(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Home()
		must(t, db.Sector().CreateMember(ctx, sector.Member{ID: "m1", Name: "One", Sector: sector.Banking}, ledger.Entry{Action: "test"}))
		must(t, db.Write(ctx, func(tx *sql.Tx) error {
			for _, text := range []string{
				`INSERT INTO receipt (batch, slot, body, member, accepted, rejected, at, partial) VALUES ('b', '', '', 'm1', 1, '', 5000000, 0)`,
				`INSERT INTO dead_letter (id, member, at, line, reason, place, bytes, raw) VALUES ('l', 'm1', 1, 1, '', 0, 0, '')`,
				`INSERT INTO alert (id, key, cause, rule_id, rule_version, title, title_zh, severity, about, words, about_words, why, why_member,
					restricted, first_at, last_at, count, members, kept, raised, state, active, assignee, advisory, version)
				 VALUES ('old', 'k1', 'rule', '', '', 'Old', '舊', 3, '[]', '', '', '', '', 0, 1, 1, 1, 1, 0, 1000000, 'new', 1, '', '', 1),
					('young', 'k2', 'rule', '', '', 'Young', '新', 3, '[]', '', '', '', '', 0, 1, 1, 1, 1, 0, 2000000, 'new', 1, '', '', 1),
					('worst', 'k3', 'rule', '', '', 'Worst', '重', 4, '[]', '', '', '', '', 0, 1, 1, 1, 1, 0, 3000000, 'new', 1, '', '', 1),
					('taken', 'k4', 'rule', '', '', 'Taken', '中', 4, '[]', '', '', '', '', 0, 1, 1, 1, 1, 0, 1, 'in_progress', 1, '', '', 1)`,
			} {
				if _, err := tx.ExecContext(ctx, text); err != nil {
					return err
				}
			}
			return nil
		}))
		all, own := sector.Gate{}.For(sector.System()), sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: "m1", User: "u"})
		queue, err := s.Queue(ctx, all, 1)
		must(t, err)
		var got []string
		for _, q := range queue {
			line := fmt.Sprint(q.Severity, " ", q.N)
			for _, o := range q.Oldest {
				line += " " + o.ID
			}
			got = append(got, line)
		}
		if d := cmp.Diff([]string{"critical 1 worst", "high 2 old", "medium 0", "low 0", "informational 0"}, got); d != "" {
			t.Errorf("queue (-want +got):\n%s", d)
		}
		last, err := s.LastRecords(ctx, all)
		must(t, err)
		if len(last) != 1 || !last["m1"].Equal(time.Unix(5, 0)) {
			t.Errorf("last records: %v", last)
		}
		st, err := s.Standing(ctx, own, time.Unix(0, 0), time.Unix(10, 0))
		must(t, err)
		if !st.LastRecord.Equal(time.Unix(5, 0)) || st.Letters != 1 {
			t.Errorf("standing: %+v", st)
		}
		for what, empty := range map[string]func() bool{
			"queue": func() bool { q, err := s.Queue(ctx, own, 1); return err == nil && len(q) == 0 },
			"overdue": func() bool {
				o, n, err := s.Overdue(ctx, own, time.Now(), 1)
				return err == nil && len(o) == 0 && n == 0
			},
			"last records": func() bool { l, err := s.LastRecords(ctx, own); return err == nil && len(l) == 0 },
			"delivered":    func() bool { d, err := s.Delivered(ctx, own, time.Time{}); return err == nil && d == home.Delivered{} },
		} {
			if !empty() {
				t.Errorf("a member is told the centre's %s", what)
			}
		}
	})
}

func TestSavedViews(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s, e := context.Background(), db.Lists(), ledger.Entry{Actor: "user:u", Action: "view.save", Object: "list:/alerts"}
		names := func(user sector.UserID) string {
			views, err := s.Views(ctx, user, "/alerts")
			must(t, err)
			text := ""
			for _, v := range views {
				text += fmt.Sprint(v.Name, "?", v.Query, " ", v.Preferred, "; ")
			}
			return text
		}
		must(t, s.SaveView(ctx, "u", "/alerts", SavedView{Name: "a", Query: "q=1", Preferred: true}, 2, e))
		must(t, s.SaveView(ctx, "u", "/alerts", SavedView{Name: "b", Query: "q=2", Preferred: true}, 2, e))
		if got := names("u"); got != "a?q=1 false; b?q=2 true; " {
			t.Errorf("views: %s", got)
		}
		if err := s.SaveView(ctx, "u", "/alerts", SavedView{Name: "c"}, 2, e); !errs.Is(err, errs.Conflict) {
			t.Errorf("a view too many: %v", err)
		}
		must(t, s.SaveView(ctx, "u", "/alerts", SavedView{Name: "a", Query: "q=3"}, 2, e))
		must(t, s.SaveView(ctx, "other", "/alerts", SavedView{Name: "a", Query: "q=4"}, 2, e))
		if got := names("u") + names("other") + names("nobody"); got != "a?q=3 false; b?q=2 true; a?q=4 false; " {
			t.Errorf("views: %s", got)
		}
		views, err := s.Views(ctx, "u", "/alerts")
		must(t, err)
		if err := s.DropView(ctx, "other", views[0].ID, e); !errs.Is(err, errs.NotFound) {
			t.Errorf("another's view is dropped: %v", err)
		}
		must(t, s.DropView(ctx, "u", views[0].ID, e))
		must(t, s.Exported(ctx, ledger.Entry{Actor: "user:u", Action: "list.export", Object: "list:/alerts"}))
		if got := names("u"); got != "b?q=2 true; " {
			t.Errorf("views: %s", got)
		}
		if n, err := db.VerifyLedger(ctx); err != nil || n != 6 {
			t.Errorf("the ledger has %d entries, %v, want 6", n, err)
		}
	})
}
