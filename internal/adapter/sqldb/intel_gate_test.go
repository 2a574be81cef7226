package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
	"github.com/aspis-platform/aspis/stix"
	"github.com/aspis-platform/aspis/taxii"
)

// The release-gate property: random advisories, audiences, releases,
// corrections and withdrawals; then every channel is read as every viewer and
// compared with a model of the gate that shares no code with it.

// step is one thing the centre does.
type step struct {
	Advisory int // which advisory
	Withdraw bool
	Audience sector.Audience
	TLP      sector.TLP
	Values   []string // indicators
}

// span is what the model remembers of one release: who was in it, and when it
// began and ended.
type span struct {
	advisory int
	life     int // grows with every withdrawal
	text     string
	who      map[string]bool
	values   []string
	ended    bool
	notice   bool
}

// model is the independent judgement. Viewers are named "m1", "authority",
// "public".
type model struct {
	sectorOf map[string]sector.SubSector
	spans    []*span
	life     map[int]int
}

func (m *model) who(a sector.Audience) map[string]bool {
	set := map[string]bool{}
	for id, sub := range m.sectorOf {
		set[id] = a.All || a.Public || slices.Contains(a.Sectors, sub) || slices.Contains(a.Members, sector.MemberID(id))
	}
	set["authority"] = a.Authority || a.Public
	set["public"] = a.Public
	return set
}

func (m *model) standing(advisory int) *span {
	for _, s := range m.spans {
		if s.advisory == advisory && !s.ended {
			return s
		}
	}
	return nil
}

// regains reports whether somebody lost the advisory in this life and would
// get it back.
func (m *model) regains(advisory int, a sector.Audience) bool {
	now := m.who(a)
	for viewer := range now {
		had, lost := false, false
		for _, s := range m.spans {
			if s.advisory != advisory || s.life != m.life[advisory] {
				continue
			}
			lost = lost || had && !s.who[viewer]
			had = had || s.who[viewer]
		}
		if lost && now[viewer] {
			return true
		}
	}
	return false
}

// sees is what a viewer's list holds: for each advisory the last text it was
// given, and whether that was taken back.
func (m *model) sees(viewer string) map[string]bool {
	last := map[int]*span{}
	for _, s := range m.spans {
		if s.who[viewer] {
			last[s.advisory] = s
		}
	}
	list := map[string]bool{}
	for _, s := range last {
		list[s.text] = s.ended
	}
	return list
}

// knows is every indicator value and text a viewer was ever given.
func (m *model) knows(viewer string) map[string]bool {
	set := map[string]bool{}
	for _, s := range m.spans {
		if s.who[viewer] {
			set[s.text] = true
			for _, v := range s.values {
				set[v] = true
			}
		}
	}
	return set
}

// live is every indicator value that stands for a viewer.
func (m *model) live(viewer string) map[string]bool {
	set := map[string]bool{}
	for _, s := range m.spans {
		if s.who[viewer] && !s.ended {
			for _, v := range s.values {
				set[v] = true
			}
		}
	}
	return set
}

// gateWorld runs steps against the program and the model.
type gateWorld struct {
	*intelWorld
	model      model
	advisories map[int]intel.Advisory
	handler    http.Handler
	viewers    map[string]sector.Viewer
	mails      map[string][]intel.Mail // by address
}

// storeOf lets a test put a leaking store in place of the real one.
type storeOf func(*Advisories) leakable

type leakable interface {
	intel.DraftStore
	intel.ReleaseStore
	intel.OccurrenceStore
}

func honest(s *Advisories) leakable { return s }

func newGateWorld(t fataler, path string, wrap storeOf) *gateWorld {
	db, err := Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &gateWorld{
		intelWorld: newIntelWorld(t, db), advisories: map[int]intel.Advisory{}, viewers: map[string]sector.Viewer{},
		mails: map[string][]intel.Mail{}, model: model{sectorOf: map[string]sector.SubSector{}, life: map[int]int{}},
	}
	store := wrap(w.store)
	w.svc.Drafts, w.svc.Releases = store, store
	for i, m := range w.members {
		w.model.sectorOf[string(m.ID)] = m.Sector
		w.viewers[string(m.ID)] = w.viewer(i)
	}
	w.viewers["authority"], w.viewers["public"] = supervisor, sector.Viewer{User: "outsider"}
	w.handler = w.serve(t, store)
	return w
}

// serve mounts the channels; the header X-Who says who asks.
func (w *gateWorld) serve(t fataler, store leakable) http.Handler {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err != nil {
		t.Fatal(err)
	}
	edge := httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil)
	mux := http.NewServeMux()
	intel.MountAPI(mux, edge, w.svc, sealer, func(r *http.Request) (sector.Viewer, error) { return w.viewers[r.Header.Get("X-Who")], nil })
	backend := intel.NewTAXII(store, sealer, intel.Centre{
		ID: "identity--9c3e2f3a-4f4b-4c55-8a77-6c1d3f6d2a10", Name: "Test centre", Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	server, err := taxii.NewServer(taxii.Config[sector.Viewer]{
		Title: "test", Backend: backend, Roots: []taxii.Root{{Name: "sector", Path: "/taxii2/sector/", Title: "sector"}},
		Authenticate: func(r *http.Request) (sector.Viewer, error) { return w.viewers[r.Header.Get("X-Who")], nil },
		PageSize:     3, // small, so that pages end inside releases
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/taxii2/", server)
	return mux
}

// get asks a path as a viewer.
func (w *gateWorld) get(t fataler, who, path string) (int, string, http.Header) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Who", who)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Code, string(body), rec.Header()
}

// fataler is what a test and a property have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// run does a step. Both sides refuse what would give an advisory back to
// somebody it was taken from.
func (w *gateWorld) run(t fataler, n int, s step) {
	ctx := context.Background()
	a, ok := w.advisories[s.Advisory]
	var err error
	// Times and ids depend on the step alone, not on what else was done.
	w.now, w.ids = time.Date(2026, 3, 2, 1, n, 0, 0, time.UTC), 100*(n+1)
	if !ok {
		if a, err = w.svc.Draft(ctx, analyst, nil); err != nil {
			t.Fatal(err)
		}
	}
	if s.Withdraw {
		if st := w.model.standing(s.Advisory); st != nil {
			if err := w.svc.Withdraw(ctx, manager, a.ID, a.Version, "wrong"); err != nil {
				t.Fatal(err)
			}
			st.ended = true
			w.model.life[s.Advisory]++
			w.keep(t, s.Advisory, a.ID)
		}
		return
	}
	c := content(n, s.Audience, s.Values...)
	c.Marking.TLP = s.TLP
	if a, err = w.svc.Edit(ctx, analyst, a.ID, a.Version, c); err != nil {
		t.Fatal(err)
	}
	if sector.NeedsSecondPerson(a.Marking, string(a.Category)) {
		submitted, err := w.svc.Submit(ctx, analyst, a.ID, a.Version)
		if w.refused(t, s, a, err) {
			return
		}
		a = submitted
	}
	_, err = w.svc.Release(ctx, manager, a.ID, a.Version)
	if w.refused(t, s, a, err) {
		return
	}
	if st := w.model.standing(s.Advisory); st != nil {
		st.ended = true
	}
	w.model.spans = append(w.model.spans, &span{
		advisory: s.Advisory, life: w.model.life[s.Advisory], text: c.Title.En, who: w.model.who(s.Audience),
		values: s.Values, notice: s.TLP == sector.TLPRed || s.TLP == sector.TLPAmberStrict,
	})
	w.keep(t, s.Advisory, a.ID)
}

// refused compares the refusal with the model's.
func (w *gateWorld) refused(t fataler, s step, a intel.Advisory, err error) bool {
	want := w.model.regains(s.Advisory, s.Audience)
	if got := intel.ProblemsOf(err) != nil; got != want {
		t.Fatalf("release to %+v: %v; the model refuses: %v", s.Audience, err, want)
	}
	if err != nil && !want {
		t.Fatal(err)
	}
	if want {
		w.keep(t, s.Advisory, a.ID)
	}
	return want
}

func (w *gateWorld) keep(t fataler, n int, id intel.AdvisoryID) {
	a, err := w.store.Advisory(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.advisories[n] = a
}

// drawSteps draws what the centre does.
func drawSteps(t *rapid.T) []step {
	values := []string{"198.51.100.7", "198.51.100.8", "203.0.113.0/24", "evil.example", "*.bad.example", "https://evil.example/x",
		strings.Repeat("ab", 32), "x@phish.example"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		s := step{Advisory: rapid.IntRange(0, 3).Draw(t, "advisory"), Withdraw: rapid.IntRange(0, 4).Draw(t, "kind") == 0}
		s.Values = rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 3, rapid.ID).Draw(t, "values")
		s.Audience, s.TLP = drawAudience(t)
		return s
	}), 1, 8).Draw(t, "steps")
}

func drawAudience(t *rapid.T) (sector.Audience, sector.TLP) {
	var a sector.Audience
	members := rapid.SliceOfNDistinct(rapid.SampledFrom([]sector.MemberID{"m1", "m2", "m3", "m4"}), 1, 2, rapid.ID).Draw(t, "members")
	subs := rapid.SliceOfNDistinct(rapid.SampledFrom(sector.SubSectors()), 1, 2, rapid.ID).Draw(t, "sectors")
	a.Authority = rapid.Bool().Draw(t, "authority")
	switch rapid.IntRange(0, 5).Draw(t, "audience") {
	case 0:
		a.All = true
		return a, sector.TLPGreen
	case 1:
		a.Public = true
		return a, sector.TLPClear
	case 2, 3:
		a.Sectors, a.Members = subs, members
		return a, sector.TLPAmber
	case 4:
		a.Members = members
		return a, sector.TLPRed
	}
	a.Sectors = subs
	return a, sector.TLPAmberStrict
}

// freshFiles gives new database files with the schema in them.
func freshFiles(t *testing.T) func(fataler) string {
	t.Helper()
	dir, n := t.TempDir(), 0
	template := filepath.Join(dir, "template.db")
	db, err := Open(context.Background(), template, slog.New(slog.DiscardHandler))
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	return func(t fataler) string {
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

func TestNoChannelShowsMoreThanTheGate(t *testing.T) {
	fresh := freshFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newGateWorld(t, fresh(t), honest)
		defer w.db.Close()
		for i, s := range drawSteps(t) {
			w.run(t, i, s)
		}
		all := slices.Sorted(maps.Keys(w.viewers))
		for _, who := range rapid.SliceOfNDistinct(rapid.SampledFrom(all), 3, 3, rapid.ID).Draw(t, "viewers") {
			w.checkAPI(t, who)
			w.checkTAXII(t, who)
			w.checkTotals(t, who)
		}
		w.checkMail(t)
		w.checkWatch(t)
	})
}

// TestNoPageShowsMoreThanTheGate reads the pages of a member and of the
// authority after random steps.
func TestNoPageShowsMoreThanTheGate(t *testing.T) {
	fresh := freshFiles(t)
	pages := newPagesWorld(t)
	tt := t
	rapid.Check(t, func(t *rapid.T) {
		w := newGateWorld(t, fresh(t), honest)
		defer w.db.Close()
		w.members = pages.members // with the member that the kit signs in
		w.model.sectorOf["jade-bank"] = sector.Banking
		pages.svc.Config = w.svc.Config
		for i, s := range drawSteps(t) {
			w.run(t, i, s)
		}
		read := map[string]string{
			"jade-bank": pages.kit.Get(tt, sector.MemberStaff, i18n.En, "/inbox").Body,
			"authority": pages.kit.Get(tt, sector.Supervisor, i18n.En, "/figures").Body,
		}
		for _, a := range w.advisories {
			item := pages.kit.Get(tt, sector.MemberStaff, i18n.En, "/inbox/"+string(a.ID))
			read["jade-bank"] += item.Body
			found, err := w.svc.Released(context.Background(), webtest.Viewer(sector.MemberStaff), intel.ReleasedQuery{ID: a.ID})
			if err != nil || (item.Status == 200) != (len(found) == 1) {
				t.Errorf("page of %s answers %d, released %d, %v", a.ID, item.Status, len(found), err)
			}
		}
		for who, html := range read {
			sees := w.model.sees(who)
			for _, s := range w.model.spans {
				_, visible := sees[s.text]
				if strings.Contains(html, s.text) != visible {
					t.Errorf("%s: the pages show %q: %v, the model: %v", who, s.text, !visible, visible)
				}
			}
			known := w.model.knows(who)
			for _, v := range []string{"evil.example", "198.51.100.7", "198.51.100.8", "x@phish.example"} {
				defanged := strings.NewReplacer(".", "[.]", "@", "[@]").Replace(v)
				if strings.Contains(html, defanged) && !known[v] && !known["https://"+v+"/x"] {
					t.Errorf("%s: the pages show %s", who, v)
				}
			}
		}
	})
}

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

func (w *gateWorld) checkAPI(t fataler, who string) {
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
func (w *gateWorld) objects(t fataler, who, collection, query string, byTime bool) []taxiiObject {
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

func (w *gateWorld) checkTAXII(t fataler, who string) {
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
	last := w.objects(t, who, "advisories", "", false)
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
	w.checkWords(t, who, all, known)
	if d := cmp.Diff(last, w.objects(t, who, "advisories", "limit=4", true)); d != "" {
		t.Errorf("%s: reading by added_after (-by next +by time):\n%s", who, d)
	}
	w.checkDevices(t, who, last)
	w.checkVersions(t, who, all)
}

// checkWords finds values in the objects that the viewer was never given.
func (w *gateWorld) checkWords(t fataler, who string, all []taxiiObject, known map[string]bool) {
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
func (w *gateWorld) checkDevices(t fataler, who string, last []taxiiObject) {
	var want []taxiiObject
	for _, o := range last {
		if o.Type != "report" && o.Type != "language-content" {
			want = append(want, o)
		}
	}
	if d := cmp.Diff(want, w.objects(t, who, "indicators", "", false)); d != "" {
		t.Errorf("%s: collection of indicators (-want +got):\n%s", who, d)
	}
}

// checkVersions asks manifest, object and versions of what there is, and of
// what only others have.
func (w *gateWorld) checkVersions(t fataler, who string, all []taxiiObject) {
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

func (w *gateWorld) checkTotals(t fataler, who string) {
	for n, a := range w.advisories {
		_, err := w.svc.Figures(context.Background(), w.viewers[who], a.ID)
		want := false
		for _, s := range w.model.spans {
			want = want || who == "authority" && s.advisory == n && s.who[who]
		}
		if (err == nil) != want || err != nil && !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: totals of advisory %d: %v, the model shows them: %v", who, n, err, want)
		}
	}
}

// Send implements intel.Mailer.
func (w *gateWorld) Send(_ context.Context, m intel.Mail) error {
	w.mails[m.To] = append(w.mails[m.To], m)
	return nil
}

// Hunt implements intel.Hunter.
func (w *gateWorld) Hunt(context.Context, intel.AdvisoryID, intel.Text, []intel.Indicator) error {
	return nil
}

// checkMail runs a mail job for every pair of release and member, also those
// that were never enqueued.
func (w *gateWorld) checkMail(t fataler) {
	worker, err := intel.NewWorker(w.svc, w.store, w, w, "https://centre.example")
	if err != nil {
		t.Fatal(err)
	}
	send := worker.Handlers()[intel.JobMail]
	for _, a := range w.advisories {
		past, err := w.store.Releases(context.Background(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range past {
			for _, m := range w.members {
				job := jobs.New(intel.JobMail, map[string]any{"advisory": a.ID, "release": r.ID, "member": m.ID})
				for range 2 { // jobs run at least once
					if err := send(context.Background(), job.Args); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	for _, m := range w.members {
		w.checkMailOf(t, string(m.ID), w.mails[m.Mail])
	}
}

func (w *gateWorld) checkMailOf(t fataler, who string, mails []intel.Mail) {
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
		told := slices.ContainsFunc(mails, func(m intel.Mail) bool { return strings.Contains(m.Text+m.Subject, s.text+"\n") })
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
func (w *gateWorld) checkWatch(t fataler) {
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
