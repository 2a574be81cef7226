package intel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
	"github.com/aspis-platform/aspis/taxii"
)

// apiPage is the list as a client reads it.
type apiPage struct {
	Advisories []struct {
		ID         string
		Title      struct{ En string }
		State      string
		Indicators []struct{ Value string }
	}
	More bool
	Next string
}

func (w *gateWorld) checkAPI(t inteltest.T, who string) {
	got := map[string]bool{}
	ids := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		code, body, _ := w.get(t, who, "/api/v1/advisories?limit=2&cursor="+cursor)
		var page apiPage
		if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 || pages > 10 {
			t.Fatalf("%s: API list: %d %s %v", who, code, body, err)
		}
		for _, a := range page.Advisories {
			got[a.Title.En] = a.State == "withdrawn"
			ids[a.ID] = true
		}
		if cursor = page.Next; !page.More {
			break
		}
	}
	w.compared(2) // the list and each item
	if d := cmp.Diff(w.model.sees(who), got); d != "" {
		t.Errorf("%s: API list (-model +got):\n%s", who, d)
	}
	_, nothing, _ := w.get(t, who, "/api/v1/advisories/"+stix.RandomUUID().String())
	for _, a := range w.advisories {
		code, body, _ := w.get(t, who, "/api/v1/advisories/"+string(a.ID))
		if (code == 200) != ids[string(a.ID)] {
			t.Errorf("%s: API item answers %d, listed %v", who, code, ids[string(a.ID)])
		}
		if code != 200 && body != nothing {
			t.Errorf("%s: a hidden advisory answers %s, one that is not there %s", who, body, nothing)
		}
	}
}

// checkFigures reads the list with totals: the authority sees in it what it
// was released, and nobody else has it.
func (w *gateWorld) checkFigures(t inteltest.T, who string) {
	w.compared(1)
	got := map[string]bool{}
	for cursor, pages := "", 0; ; pages++ {
		code, body, _ := w.get(t, who, "/api/v1/figures?limit=2&cursor="+cursor)
		if who != "authority" {
			if code != 403 {
				t.Errorf("%s: figures answer %d", who, code)
			}
			return
		}
		var page struct {
			Figures []struct{ Title struct{ En string } }
			Next    string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 || pages > 10 {
			t.Fatalf("%s: figures: %d %s %v", who, code, body, err)
		}
		for _, f := range page.Figures {
			got[f.Title.En] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	want := map[string]bool{}
	for title := range w.model.sees(who) {
		want[title] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: figures (-model +got):\n%s", who, d)
	}
}

// taxiiObject is what the checks read of a STIX object.
type taxiiObject struct {
	Type, ID, Name, Pattern, Value string
	Revoked                        bool
	Modified                       string
	ObjectRefs                     []string `json:"object_refs"`
	SourceRef                      string   `json:"source_ref"`
	TargetRef                      string   `json:"target_ref"`
	CreatedByRef                   string   `json:"created_by_ref"`
	MarkingRefs                    []string `json:"object_marking_refs"`
	ObjectRef                      string   `json:"object_ref"`
}

func (o taxiiObject) refs() []string {
	refs := slices.Concat(o.ObjectRefs, o.MarkingRefs, []string{o.SourceRef, o.TargetRef, o.CreatedByRef, o.ObjectRef})
	return slices.DeleteFunc(refs, func(s string) bool { return s == "" })
}

// objects reads all pages of a collection, by next or by added_after.
func (w *gateWorld) objects(t inteltest.T, who, collection, query string, byTime bool) []taxiiObject {
	var all []taxiiObject
	path := "/taxii2/sector/collections/" + collection + "/objects/?" + query
	for next, pages := "", 0; ; pages++ {
		code, body, header := w.get(t, who, path+next)
		var page struct {
			More    bool
			Next    string
			Objects []taxiiObject
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 || pages > 200 {
			t.Fatalf("%s: TAXII objects: %d %s %v", who, code, body, err)
		}
		all = append(all, page.Objects...)
		if !page.More {
			return all
		}
		next = "&next=" + page.Next
		if byTime {
			next = "&added_after=" + header.Get(taxii.HeaderLast)
		}
	}
}

func (w *gateWorld) checkTAXII(t inteltest.T, who string) {
	all := w.objects(t, who, "advisories", "match[version]=all", false)
	known, live := w.model.knows(who), map[string]bool{}
	ids := map[string]bool{}
	for _, o := range all {
		ids[o.ID] = true
	}
	for _, o := range all {
		for _, ref := range o.refs() {
			if !ids[ref] {
				t.Errorf("%s: %s refers to %s, which the viewer does not have", who, o.ID, ref)
			}
		}
	}
	last := w.objects(t, who, "advisories", "limit=50", false)
	titles := map[string]bool{}
	seen := map[string]bool{}
	for _, o := range last {
		if seen[o.ID] {
			t.Errorf("%s: %s comes twice among last versions", who, o.ID)
		}
		seen[o.ID] = true
		if o.Type == "indicator" && !o.Revoked {
			live[o.Name] = true
		}
		if o.Type == "report" && !o.Revoked {
			titles[o.Name] = true
		}
	}
	for id := range ids {
		if !seen[id] {
			t.Errorf("%s: %s has versions but no last one", who, id)
		}
	}
	want := map[string]bool{}
	for v := range w.model.live(who) {
		want[strings.TrimPrefix(v, "*.")] = true
	}
	if d := cmp.Diff(want, live); d != "" {
		t.Errorf("%s: TAXII indicators that stand (-model +got):\n%s", who, d)
	}
	w.compared(7) // both collections, all versions and the last, by cursor and by time, manifest, object, versions
	w.checkWords(t, who, all, known)
	if d := cmp.Diff(last, w.objects(t, who, "advisories", "limit=4", true)); d != "" {
		t.Errorf("%s: reading by added_after (-by next +by time):\n%s", who, d)
	}
	w.checkDevices(t, who, last)
	w.checkVersions(t, who, all)
}

// checkWords finds values in the objects that the viewer was never given.
func (w *gateWorld) checkWords(t inteltest.T, who string, all []taxiiObject, known map[string]bool) {
	for _, o := range all {
		if o.Type == "indicator" && !known[o.Name] && !known["*."+o.Name] {
			t.Errorf("%s: TAXII shows indicator %s", who, o.Name)
		}
		if o.Value != "" && !known[o.Value] && !known["*."+o.Value] {
			t.Errorf("%s: TAXII shows observable %s", who, o.Value)
		}
	}
}

// checkDevices compares the two collections.
func (w *gateWorld) checkDevices(t inteltest.T, who string, last []taxiiObject) {
	var want []taxiiObject
	for _, o := range last {
		if o.Type != "report" && o.Type != "language-content" {
			want = append(want, o)
		}
	}
	if d := cmp.Diff(want, w.objects(t, who, "indicators", "limit=50", false)); d != "" {
		t.Errorf("%s: collection of indicators (-want +got):\n%s", who, d)
	}
}

// checkVersions asks manifest, object and versions of what there is, and of
// what only others have.
func (w *gateWorld) checkVersions(t inteltest.T, who string, all []taxiiObject) {
	versions := map[string][]string{}
	for _, o := range all {
		versions[o.ID] = append(versions[o.ID], o.Modified)
	}
	base := "/taxii2/sector/collections/advisories/"
	_, manifest, _ := w.get(t, who, base+"manifest/?match[version]=all&limit=1000")
	var m struct {
		Objects []struct{ ID, Version string }
	}
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Objects) != len(all) {
		t.Errorf("%s: manifest has %d versions, objects %d", who, len(m.Objects), len(all))
	}
	for _, a := range w.advisories {
		id := "report--" + string(a.ID)
		code, body, _ := w.get(t, who, base+"objects/"+id+"/versions/?limit=1000")
		var v struct{ Versions []string }
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if (code == 200) != (len(versions[id]) > 0) || code == 200 && !slices.Equal(v.Versions, versions[id]) {
			t.Errorf("%s: versions of %s: %d %v, objects %v", who, id, code, v.Versions, versions[id])
		}
		if code, _, _ := w.get(t, who, base+"objects/"+id+"/"); (code == 200) != (len(versions[id]) > 0) {
			t.Errorf("%s: object %s answers %d", who, id, code)
		}
	}
}

func (w *gateWorld) checkTotals(t inteltest.T, who string) {
	w.compared(1)
	for n, a := range w.advisories {
		_, err := w.Service.Figures(context.Background(), w.viewers[who], a.ID)
		want := false
		for _, s := range w.model.spans {
			want = want || who == "authority" && s.advisory == n && s.who[who]
		}
		if (err == nil) != want || err != nil && !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: totals of advisory %d: %v, the model shows them: %v", who, n, err, want)
		}
	}
}

// checkMail writes the letter of every pair of release and member, also of
// those that nobody was told of.
func (w *gateWorld) checkMail(t inteltest.T) {
	letters, err := intel.NewLetters(w.Service, w.store, "https://centre.example")
	if err != nil {
		t.Fatal(err)
	}
	mails := map[sector.MemberID][]intel.Letter{}
	for _, a := range w.advisories {
		past, err := w.store.Releases(context.Background(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range past {
			for i, m := range w.Sector {
				n := intel.Notice{Kind: intel.NoticeReleased, Advisory: a.ID, Release: r.ID}
				l, err := letters.Write(context.Background(), w.Viewer(i), n, false)
				if err == nil {
					mails[m.ID] = append(mails[m.ID], l)
				} else if !errs.Is(err, errs.NotFound) {
					t.Fatal(err)
				}
			}
		}
	}
	for _, m := range w.Sector {
		w.checkMailOf(t, string(m.ID), mails[m.ID])
	}
}

func (w *gateWorld) checkMailOf(t inteltest.T, who string, mails []intel.Letter) {
	w.compared(1)
	want := 0
	for _, s := range w.model.spans {
		if s.ended || !s.who[who] {
			for _, m := range mails {
				if strings.Contains(m.Text+m.Subject, s.text+"\n") {
					t.Errorf("%s was mailed %q", who, s.text)
				}
			}
			continue
		}
		want++
		told := slices.ContainsFunc(mails, func(m intel.Letter) bool { return strings.Contains(m.Text+m.Subject, s.text+"\n") })
		if told == s.notice {
			t.Errorf("%s: mail with %q: %v, notice only: %v", who, s.text, told, s.notice)
		}
	}
	if len(mails) != want {
		t.Errorf("%s got %d mails, want %d", who, len(mails), want)
	}
}

// checkWatch compares what the matcher looks for: everything that stands, and
// what the newest drafts hold.
func (w *gateWorld) checkWatch(t inteltest.T) {
	found, _, err := w.store.Watched(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, s := range w.model.spans {
		if !s.ended {
			for _, v := range s.values {
				want[fmt.Sprint(s.advisory, " ", v)] = true
			}
		}
	}
	index := map[intel.AdvisoryID]int{}
	for n, a := range w.advisories {
		index[a.ID] = n
	}
	for _, f := range found {
		if f.Released {
			got[fmt.Sprint(index[f.Advisory], " ", f.Line())] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("released indicators to match (-model +got):\n%s", d)
	}
}
