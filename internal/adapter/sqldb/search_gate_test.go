package sqldb

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

func finding(key, title string, scopes []string, restricted bool, members ...sector.MemberID) monitor.Finding {
	return monitor.Finding{
		Key: key, Cause: monitor.CauseRule, RuleID: "rule-" + key, Title: title, TitleZh: "可疑連線", Severity: monitor.High,
		Group: []monitor.Pair{{Name: "host", Value: "ws-" + key + ".corp.example"}}, Members: members, Count: 1,
		First: time.Unix(1000, 0), Last: time.Unix(2000, 0), Restricted: restricted, Scopes: scopes,
	}
}

// record raises alerts as a hunt does.
func record(t *testing.T, db *DB, list ...monitor.Finding) {
	t.Helper()
	if _, err := db.Detections().Record(context.Background(), time.Unix(3000, 0), list, nil); err != nil {
		t.Fatal(err)
	}
}

func TestMembersFindTheirOwnAlerts(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		m1, m2, centre := w.Viewer(0), w.Viewer(1), inteltest.Analyst()
		record(t, db,
			finding("a", "Alert a", nil, false, "m1"), finding("b", "Alert b", nil, false, "m1", "m2"), finding("c", "Alert c", nil, false, "m2"),
			finding("d", "Alert d", nil, true, "m1"), finding("e", "Alert e", []string{"members"}, true, "m1"), finding("f", "Alert f", []string{"member:m2"}, true, "m1"))
		check := func(who string, v sector.Viewer, text string, want ...string) {
			t.Helper()
			got := find(t, db, v, search.Alert, text)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
				t.Errorf("%s finds with %q (-want +got):\n%s", who, text, d)
			}
		}
		check("m1", m1, "alert", "Alert a", "Alert b", "Alert e")
		check("m2", m2, "連線", "Alert b", "Alert c")
		check("centre", centre, "alert", "Alert a", "Alert b", "Alert c", "Alert d", "Alert e", "Alert f")
		check("m1", m1, "ws-a.corp.example", "Alert a")
		check("m1", m1, "ws-b.corp.example") // it may name the other
		check("m1", m1, "ws-c.corp.example")
		check("m1", m1, "ws-d.corp.example")
		check("centre", centre, "corp.example", "Alert a", "Alert b", "Alert c", "Alert d", "Alert e", "Alert f")
		check("authority", inteltest.Supervisor(), "alert")
		check("nobody", sector.Viewer{}, "alert")
		// The alert now concerns m2 too: m1 keeps it in its place, without
		// what may name m2.
		before := find(t, db, m1, search.Alert, "alert")
		record(t, db, finding("a", "Alert a", nil, false, "m1", "m2"))
		if d := cmp.Diff(before, find(t, db, m1, search.Alert, "alert")); d != "" {
			t.Errorf("m1's list after another member was hit (-before +after):\n%s", d)
		}
		check("m1", m1, "ws-a.corp.example")
		check("m2", m2, "alert a", "Alert a")
		if err := db.Search().Rebuild(context.Background(), true); err != nil {
			t.Fatal(err)
		}
		check("m1", m1, "alert", "Alert a", "Alert b", "Alert e")
		check("m2", m2, "alert", "Alert a", "Alert b", "Alert c")
	})
}

// The index itself, asked without the second wall, gives a viewer nothing of
// others': no row that is hidden is read on the way to those that are shown,
// so that none can be told by the time it took.
func TestShelvesHoldNothingOfOthers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		for i, a := range []sector.Audience{
			{All: true}, {Members: []sector.MemberID{"m1", "m2"}}, {Members: []sector.MemberID{"m3"}}, {Sectors: []sector.SubSector{sector.Insurance}}, {Authority: true, Members: []sector.MemberID{"m4"}},
		} {
			adv := w.Release(t, w.Draft(t, inteltest.Content(i, a, "198.51.100.7")), nil)
			if i%2 == 0 {
				c := inteltest.Content(100+i, a, "198.51.100.8")
				w.Draft(t, c)
				_, _ = w.Service.Edit(context.Background(), inteltest.Analyst(), adv.ID, adv.Version, c)
			}
		}
		record(t, db, finding("a", "Warning alert", nil, false, "m1"), finding("d", "Warning alert", []string{"member:m2"}, true, "m1", "m3"))
		for i, v := range []sector.Viewer{w.Viewer(0), w.Viewer(1), w.Viewer(2), w.Viewer(3), inteltest.Supervisor(), {}} {
			f := sector.Gate{}.For(v)
			for _, k := range []search.Kind{search.Advisory, search.Indicator, search.Alert, search.Member} {
				for _, text := range []string{"warning", "198.51.", "198.51.100.7", "number"} {
					l := search.Lookup{Kind: k, Query: search.Ask(text), Limit: 500, Count: 500}
					found, err := db.Search().Search(context.Background(), f, l)
					if err != nil {
						t.Fatal(err)
					}
					if raw := unguarded(t, db, f, l); raw != found.Count {
						t.Errorf("viewer %d, %s %q: the shelves hold %d, the gate shows %d", i, k, text, raw, found.Count)
					}
				}
			}
		}
	})
}

// unguarded counts what the index finds on the viewer's shelves.
func unguarded(t *testing.T, db *DB, f sector.Filter, l search.Lookup) int {
	t.Helper()
	var n int
	err := db.reading(context.Background(), func(q querier) error {
		shelves, err := findShelves(context.Background(), q, shelvesFor(f, l.Kind))
		if err != nil || len(shelves) == 0 {
			return err
		}
		a := newAsking(db.dialect, f, l, shelves)
		var b binder
		from := db.dialect.searchFrom(b.bind(db.dialect.matching().any(nonEmpty(a.names, a.all))))
		rows, err := q.QueryContext(context.Background(), "SELECT count(*) FROM "+from, b.args...)
		_, err = collect(rows, err, func(row scanner) (struct{}, error) { return struct{}{}, row.Scan(&n) })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// What an outsider is answered, cursors and all, is the same byte for byte
// before and after a release that does not reach it.
func TestReleaseToOthersChangesNothing(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		for i := range 5 {
			w.Release(t, w.Draft(t, inteltest.Content(i, sector.Audience{All: true}, fmt.Sprintf("198.51.100.%d", i))), nil)
		}
		outsider := sector.Gate{}.For(w.Viewer(3))
		answers := func() string {
			text := ""
			for _, k := range search.Kinds() {
				for _, ask := range []string{"warning", "198.51.", "請檢查", "secret"} {
					l := search.Lookup{Kind: k, Query: search.Ask(ask), Limit: 2, Count: 100}
					for {
						found, err := db.Search().Search(context.Background(), outsider, l)
						if err != nil {
							t.Fatal(err)
						}
						text += fmt.Sprintf("%s %s %+v\n", k, ask, found)
						if len(found.Hits) < l.Limit {
							break
						}
						l.After = found.Hits[1].Place
					}
				}
			}
			return text
		}
		before := answers()
		c := inteltest.Content(50, sector.Audience{Members: []sector.MemberID{"m1"}}, "198.51.100.77")
		c.Title.En = "Warning: secret"
		a := w.Release(t, w.Draft(t, c), nil)
		record(t, db, finding("x", "Warning: secret", nil, false, "m1"))
		if d := cmp.Diff(before, answers()); d != "" {
			t.Errorf("after a release to m1, m4 is answered (-before +after):\n%s", d)
		}
		w.Withdraw(t, a)
		if d := cmp.Diff(before, answers()); d != "" {
			t.Errorf("after its withdrawal, m4 is answered (-before +after):\n%s", d)
		}
	})
}
