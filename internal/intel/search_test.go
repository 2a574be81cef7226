package intel_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

// leakyIndex forgets the filter.
type leakyIndex struct{ search.Index }

func (l leakyIndex) Search(ctx context.Context, _ sector.Filter, q search.Lookup) (search.Found, error) {
	return l.Index.Search(ctx, forget(), q)
}

// searchHit is what the checks read of a hit.
type searchHit struct {
	ID    string
	Title struct{ En string }
	State string
}

// search reads all pages of one kind, two hits at a time.
func (w *gateWorld) search(t inteltest.T, who string, kind search.Kind, text string) []searchHit {
	var hits []searchHit
	path := "/api/v1/search?limit=2&kind=" + string(kind) + "&q=" + url.QueryEscape(text)
	for next, pages := "", 0; ; pages++ {
		code, body, _ := w.get(t, who, path+next)
		var page struct {
			Groups []struct {
				Hits []searchHit
				Next string
			}
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 || pages > 20 {
			t.Fatalf("%s: search %q: %d %s %v", who, text, code, body, err)
		}
		if len(page.Groups) == 0 {
			return hits
		}
		hits = append(hits, page.Groups[0].Hits...)
		if page.Groups[0].Next == "" {
			return hits
		}
		next = "&cursor=" + page.Groups[0].Next
	}
}

// has is what a viewer has now: of each advisory the last version it was
// given.
func (m *model) has(viewer string) []*span {
	last := map[int]*span{}
	for _, s := range m.spans {
		if s.who[viewer] {
			last[s.advisory] = s
		}
	}
	var list []*span
	for _, s := range last {
		list = append(list, s)
	}
	return list
}

// checkSearch looks for everything that was ever written as a viewer: it finds
// what it has now, once each, and nothing else.
func (w *gateWorld) checkSearch(t inteltest.T, who string) {
	want := w.model.sees(who)
	for _, text := range []string{"warning number", "請檢查", "int"} {
		got := map[string]bool{}
		for _, h := range w.search(t, who, search.Advisory, text) {
			if _, twice := got[h.Title.En]; twice {
				t.Errorf("%s: %q comes twice", who, h.Title.En)
			}
			got[h.Title.En] = h.State == "withdrawn"
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: search for %q (-model +got):\n%s", who, text, d)
		}
	}
	w.checkSearchedValues(t, who)
	for _, a := range w.advisories {
		_, visible := want[a.Title.En]
		for _, h := range w.search(t, who, search.Advisory, string(a.ID)) {
			if _, seen := want[h.Title.En]; !seen {
				t.Errorf("%s: search for an id shows %q (newest visible: %v)", who, h.Title.En, visible)
			}
		}
	}
}

// checkSearchedValues looks for every indicator that ever was.
func (w *gateWorld) checkSearchedValues(t inteltest.T, who string) {
	has, all := map[string]int{}, map[string]bool{}
	for _, s := range w.model.spans {
		for _, v := range s.values {
			all[v] = true
		}
	}
	for _, s := range w.model.has(who) {
		for _, v := range s.values {
			has[v]++
		}
	}
	for v := range all {
		n := 0
		for _, h := range w.search(t, who, search.Indicator, strings.TrimPrefix(v, "*.")) {
			if h.Title.En == v {
				n++
			}
			if has[h.Title.En] == 0 {
				t.Errorf("%s: search for %q shows %s", who, v, h.Title.En)
			}
		}
		if n != has[v] {
			t.Errorf("%s: search for %q finds it %d times, the model %d", who, v, n, has[v])
		}
	}
}
