package sqldb

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var errChain = errors.New("the chain does not hold")

// VerifyLedger recomputes the chain of the rows, for tests of stores: the
// program's own check looks at the log as well (package tiles).
func (d *DB) VerifyLedger(ctx context.Context) (int64, error) {
	var last ledger.Stored
	l := d.Ledger()
	err := l.ScanLedger(ctx, func(s ledger.Stored) error {
		if !s.Follows(last) {
			return fmt.Errorf("%w at entry %d", errChain, last.Seq+1)
		}
		last = s
		return nil
	})
	if err != nil {
		return last.Seq, err
	}
	seq, hash, err := l.LedgerHead(ctx)
	if err == nil && (seq != last.Seq || hash != last.Hash) {
		err = errChain
	}
	return last.Seq, err
}

func viewerAt(m sector.MemberID) sector.Viewer {
	return sector.Viewer{Org: sector.MemberOrg, Member: m, User: "u", Roles: []sector.Role{sector.MemberAdmin}}
}

// fillLedger writes a hundred entries about two members and none.
func fillLedger(t *testing.T, db *DB) *Ledger {
	t.Helper()
	l := db.Ledger()
	for i := range 100 {
		e := ledger.Entry{Actor: fmt.Sprint("user:u", i%3), Action: fmt.Sprint("test.a", i%2), Object: fmt.Sprint("n:", i%10)}
		if i%4 > 0 {
			e.Member = fmt.Sprint("m", i%4%2+1)
		}
		must(t, l.Note(t.Context(), e))
	}
	return l
}

func TestLedgerIsPagedThroughTheGate(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, l := t.Context(), fillLedger(t, db)
		gate := sector.Gate{}
		for v, want := range map[string]int{"centre": 100, "m1": 25, "m2": 50, "authority": 0, "nobody": 0} {
			viewer := viewerAt(sector.MemberID(v))
			switch v {
			case "centre":
				viewer = sector.System()
			case "authority":
				viewer = sector.Viewer{Org: sector.Authority}
			case "nobody":
				viewer = sector.Viewer{}
			}
			seen, q := 0, audit.Query{Limit: 7}
			for {
				page := value[[]ledger.Stored](t)(l.LedgerEntries(ctx, gate.For(viewer), q))
				for _, e := range page {
					if q.Before > 0 && e.Seq >= q.Before {
						t.Fatalf("%s: %d after %d", v, e.Seq, q.Before)
					}
					if viewer.Org == sector.MemberOrg && e.Member != v {
						t.Fatalf("%s sees an entry about %q", v, e.Member)
					}
					q.Before = e.Seq
					seen++
				}
				if len(page) < q.Limit {
					break
				}
			}
			if seen != want {
				t.Errorf("%s sees %d entries, want %d", v, seen, want)
			}
		}
		if _, err := l.LedgerEntry(ctx, gate.For(viewerAt("m1")), 1); !errs.Is(err, errs.NotFound) {
			t.Errorf("an entry about nobody is shown to a member: %v", err)
		}
		all := gate.For(sector.System())
		for _, test := range []struct {
			q    audit.Query
			want int
		}{
			{audit.Query{Action: "test.a1"}, 50}, {audit.Query{Object: "n:3"}, 10}, {audit.Query{Actor: "user:u0"}, 34},
			{audit.Query{Member: "m1"}, 25}, {audit.Query{From: time.Now().Add(time.Hour)}, 0}, {audit.Query{To: time.Now().Add(time.Hour)}, 100},
		} {
			test.q.Limit = 200
			if got := value[[]ledger.Stored](t)(l.LedgerEntries(ctx, all, test.q)); len(got) != test.want {
				t.Errorf("%+v lists %d, want %d", test.q, len(got), test.want)
			}
		}
	})
}

func TestLedgerReadsInOrder(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, l := t.Context(), fillLedger(t, db)
		var after int64
		for {
			page := value[[]ledger.Stored](t)(l.LedgerAfter(ctx, after, 9))
			for _, e := range page {
				if e.Seq != after+1 {
					t.Fatalf("%d after %d", e.Seq, after)
				}
				after = e.Seq
			}
			if len(page) < 9 {
				break
			}
		}
		if end := value[int64](t)(l.LedgerEnd(ctx)); after != 100 || end != 100 {
			t.Errorf("read to %d, the end is %d", after, end)
		}
		last, ok, err := l.LastOf(ctx, "test.a0")
		if err != nil || !ok || last.Seq != 99 {
			t.Errorf("the last of an action is %d, %v, %v", last.Seq, ok, err)
		}
		if _, ok, err := l.LastOf(ctx, "test.never"); ok || err != nil {
			t.Errorf("an action that never was: %v, %v", ok, err)
		}
	})
}

func TestNoteOnce(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, l := t.Context(), db.Ledger()
		e := ledger.Entry{Actor: "user:a", Action: "advisory.view", Object: "advisory:1"}
		for range 3 {
			must(t, l.NoteOnce(ctx, "1", e))
		}
		must(t, l.NoteOnce(ctx, "2", e))
		e.Actor = "user:b"
		must(t, l.NoteOnce(ctx, "1", e))
		if n := value[int64](t)(db.VerifyLedger(ctx)); n != 3 {
			t.Errorf("%d entries, want 3", n)
		}
	})
}

// Who reads an advisory that is TLP:AMBER is in the ledger once a version, of
// the centre and of members; who reads a green one is not.
func TestRestrictedViewsAreNoted(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		w := inteltest.New(t, db.Advisories())
		w.Service.Notes = db.Ledger()
		for tlp, want := range map[sector.TLP]int{sector.TLPGreen: 0, sector.TLPAmber: 2} {
			c := inteltest.Content(1, sector.Audience{All: true})
			c.Marking.TLP = tlp
			id := w.Release(t, w.Draft(t, c), nil).ID
			before := len(viewsOf(t, db, id)) // by those who drafted and released it
			for range 2 {
				if _, err := w.Service.Open(ctx, w.Viewer(0), id); err != nil {
					t.Fatal(err)
				}
				reader := inteltest.Analyst()
				reader.User = "reader"
				if _, err := w.Service.Advisory(ctx, reader, id); err != nil {
					t.Fatal(err)
				}
			}
			if noted := viewsOf(t, db, id); len(noted)-before != want {
				t.Errorf("%s: %d views are noted, want %d: %+v", tlp, len(noted)-before, want, noted)
			}
		}
	})
}

func viewsOf(t *testing.T, db *DB, id intel.AdvisoryID) []ledger.Stored {
	t.Helper()
	return value[[]ledger.Stored](t)(db.Ledger().LedgerEntries(t.Context(), sector.Gate{}.For(sector.System()),
		audit.Query{Action: "advisory.view", Object: "advisory:" + string(id), Limit: 10}))
}
