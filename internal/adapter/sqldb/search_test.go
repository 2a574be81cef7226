package sqldb

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

// find lists what a viewer finds, as "title" or the indicator's value.
func find(t *testing.T, db *DB, v sector.Viewer, k search.Kind, text string) []string {
	t.Helper()
	l := search.Lookup{Kind: k, Query: search.Ask(text), Limit: 3, Count: 100}
	list := []string{}
	for {
		found, err := db.Search().Search(context.Background(), sector.Gate{}.For(v), l)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, h := range found.Hits {
			list = append(list, h.Title.En)
			l.After = h.Place
		}
		if len(found.Hits) < l.Limit {
			if found.Count != len(list) {
				t.Errorf("%q: %d hits, counted %d", text, len(list), found.Count)
			}
			return list
		}
	}
}

func TestSearchFindsWhatWasReleased(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		c := inteltest.Content(1, sector.Audience{Sectors: []sector.SubSector{sector.Banking}}, "203.0.113.66", "198.51.0.0/16", "*.update-check.example", "https://login.bank.example/reset?x=1")
		c.Title = intel.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"}
		c.Body = intel.Text{Zh: "攻擊者利用 CVE-2026-12345 與 T1059.001，連往 203.0.113.66。", En: "See CVE-2026-12345."}
		a := w.Release(t, w.Draft(t, c), nil)
		bank, insurer, centre := w.Viewer(0), w.Viewer(2), inteltest.Analyst()
		title := []string{c.Title.En}
		for _, text := range []string{
			"惡意程式", "偽冒", "偽", "更新網站散布", "MALWARE", "ｍａｌｗａｒｅ", "mal", "CVE-2026-12345", "cve-2026-123", "CVE-2026", "T1059", "t1059.001",
			"203.0.113.66", "203[.]0[.]113[.]66", "203.0.113.", "203.0.", "203.0.11", "203.", string(a.ID), "惡意 update",
		} {
			for _, v := range []sector.Viewer{bank, centre} {
				if d := cmp.Diff(title, find(t, db, v, search.Advisory, text)); d != "" {
					t.Errorf("%s finds with %q:\n%s", v.User, text, d)
				}
			}
			if got := find(t, db, insurer, search.Advisory, text); len(got) > 0 {
				t.Errorf("an insurer finds %q with %q", got, text)
			}
		}
		for text, want := range map[string]string{
			"203.0.113.66": "203.0.113.66", "203.0.113.": "203.0.113.66", "203.0.113.6": "203.0.113.66", "198.51.7.9": "198.51.0.0/16", "198.51.": "198.51.0.0/16",
			"update-check.example": "*.update-check.example", "hxxps://login[.]bank[.]example/reset?x=1": "https://login.bank.example/reset?x=1",
			"bank.example": "https://login.bank.example/reset?x=1", "reset": "https://login.bank.example/reset?x=1",
		} {
			if d := cmp.Diff([]string{want}, find(t, db, bank, search.Indicator, text)); d != "" {
				t.Errorf("indicators with %q:\n%s", text, d)
			}
		}
		for _, text := range []string{"程惡", "勒索", "203.0.114.", "CVE-2026-54321", "T1060", "malwares", `"`, "malware OR x", "NOT malware", "a* b", "'; DROP"} {
			if got := find(t, db, centre, search.Advisory, text); len(got) > 0 {
				t.Errorf("%q finds %q", text, got)
			}
		}
		// A correction is not found before it is released, and what it left
		// out is not found afterwards.
		c.Title = intel.Text{Zh: "更正：釣魚網站", En: "Correction: phishing"}
		a, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, c)
		if err != nil {
			t.Fatal(err)
		}
		if got := find(t, db, bank, search.Advisory, "phishing"); len(got) > 0 {
			t.Errorf("a draft is found: %q", got)
		}
		if d := cmp.Diff(title, find(t, db, bank, search.Advisory, "malware")); d != "" {
			t.Error(d)
		}
		a = w.Release(t, a, nil)
		if got := find(t, db, bank, search.Advisory, "malware"); len(got) > 0 {
			t.Errorf("an old version is found: %q", got)
		}
		w.Withdraw(t, a)
		if d := cmp.Diff([]string{c.Title.En}, find(t, db, bank, search.Advisory, "釣魚")); d != "" {
			t.Error(d)
		}
		// Made anew, the index answers the same.
		before := find(t, db, centre, search.Indicator, "example")
		if err := db.Search().Rebuild(context.Background(), true); err != nil {
			t.Fatal(err)
		}
		slices.Sort(before)
		after := find(t, db, centre, search.Indicator, "example")
		slices.Sort(after)
		if d := cmp.Diff(before, after); d != "" || len(before) != 2 {
			t.Errorf("after a rebuild (-before +after):\n%s", d)
		}
	})
}
