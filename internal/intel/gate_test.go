package intel_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
	"github.com/aspis-platform/aspis/taxii"
)

// The release-gate property: random advisories, audiences, releases,
// corrections and withdrawals, while members join groups and leave them, are
// suspended and come back; then every channel is read as every viewer and
// compared with a model of the gate that shares no code with it.

// step is one thing the centre or a member does.
type step struct {
	Move     move // if it has a member, nothing else is done
	Advisory int  // which advisory
	Withdraw bool
	Audience sector.Audience
	TLP      sector.TLP
	Values   []string // indicators
	Source   string   // the member whose alert the advisory is drafted from; empty for none
}

// move is what a member does besides.
type move struct {
	Member sector.MemberID
	What   string         // "join", "leave", "suspend" or "return"
	Group  sector.GroupID // to join or leave
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
	sectorOf  map[string]sector.SubSector
	inGroup   map[string]bool // "g1 m2"
	suspended map[string]bool
	spans     []*span
	life      map[int]int
}

func (m *model) move(x move) {
	who := string(x.Member)
	switch x.What {
	case "join", "leave":
		m.inGroup[string(x.Group)+" "+who] = x.What == "join"
	case "suspend", "return":
		m.suspended[who] = x.What == "suspend"
	}
}

func (m *model) who(a sector.Audience) map[string]bool {
	set := map[string]bool{}
	for id, sub := range m.sectorOf {
		set[id] = a.All || a.Public || slices.Contains(a.Sectors, sub) || slices.Contains(a.Members, sector.MemberID(id))
		for _, g := range a.Groups {
			set[id] = set[id] || m.inGroup[string(g)+" "+id] && !m.suspended[id]
		}
	}
	set["authority"] = a.Authority || a.Public
	set["public"] = a.Public
	return set
}

// told are the members that a release to the audience is delivered to.
func (m *model) told(a sector.Audience) map[string]bool {
	set := map[string]bool{}
	for id, sees := range m.who(a) {
		if _, member := m.sectorOf[id]; member && sees && !m.suspended[id] {
			set[id] = true
		}
	}
	return set
}

// pointless reports whether an audience of groups reaches nobody.
func (m *model) pointless(a sector.Audience) bool {
	return len(a.Groups) > 0 && !a.Authority && !a.Public && len(m.told(a)) == 0
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
	*inteltest.World
	db         *sqldb.DB
	store      *sqldb.Advisories
	model      model
	advisories map[int]intel.Advisory
	handler    http.Handler
	viewers    map[string]sector.Viewer
	index      search.Index
	cases      int // comparisons of what one viewer has of one release in one channel
}

// compared counts cases: each release in so many channels, for one viewer.
func (w *gateWorld) compared(channels int) { w.cases += channels * len(w.model.spans) }

// storeOf lets a test put a leaking store in place of the real one.
type storeOf func(*sqldb.Advisories) leakable

type leakable interface {
	intel.DraftStore
	intel.ReleaseStore
	intel.OccurrenceStore
}

func honest(s *sqldb.Advisories) leakable { return s }

func newGateWorld(t inteltest.T, path string, wrap storeOf) *gateWorld {
	db, err := sqldb.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	store := db.Advisories()
	w := &gateWorld{
		World: inteltest.New(t, store), db: db, store: store, advisories: map[int]intel.Advisory{}, viewers: map[string]sector.Viewer{},
		model: model{
			sectorOf: map[string]sector.SubSector{}, life: map[int]int{}, inGroup: map[string]bool{}, suspended: map[string]bool{}},
	}
	seen := wrap(store)
	w.index = db.Search()
	if l, leaks := seen.(leaky); leaks && l.what == "search" {
		w.index = leakyIndex{w.index}
	}
	w.Service.Drafts, w.Service.Releases = seen, seen
	for i, m := range w.Sector {
		w.model.sectorOf[string(m.ID)] = m.Sector
		w.viewers[string(m.ID)] = w.Viewer(i)
		w.Alerts["alert-of-"+string(m.ID)] = intel.Evidence{Members: []sector.MemberID{m.ID}}
	}
	w.viewers["authority"], w.viewers["public"] = inteltest.Supervisor(), sector.Viewer{Org: sector.Partner, User: "outsider", Roles: []sector.Role{sector.PartnerDesk}}
	w.handler = w.serve(t, seen)
	return w
}

// loadTexts reads the catalogue once for all worlds.
var loadTexts = sync.OnceValues(i18n.Load)

// serve mounts the channels; the header X-Who says who asks.
func (w *gateWorld) serve(t inteltest.T, store leakable) http.Handler {
	texts, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err != nil {
		t.Fatal(err)
	}
	edge := httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil)
	routes := access.New(edge)
	intel.MountAPI(routes, w.Service, sealer)
	search.MountAPI(routes, search.New(w.index, search.NewStatic(nil), sealer, time.Now))
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
	routes.Handle("/taxii2/", sector.ReadTAXII, server)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		routes.ServeHTTP(rw, r.WithContext(sector.WithViewer(r.Context(), w.viewers[r.Header.Get("X-Who")])))
	})
}

// get asks a path as a viewer.
func (w *gateWorld) get(t inteltest.T, who, path string) (int, string, http.Header) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Who", who)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	if cut := leftOut.FindString(string(body)); cut != "" {
		t.Errorf("%s: %s shows %q", who, path, cut)
	}
	return rec.Code, string(body), rec.Header()
}

// leftOut is what every release leaves out: alerts, members and their groups,
// who wrote and decided it.
var leftOut = regexp.MustCompile(`alert-of-|Institution Number|測試機構|"ana"|"duty"|(?:member|group|user):|"g[12]"`)

// run does a step. Both sides refuse what would give an advisory back to
// somebody it was taken from.
func (w *gateWorld) run(t inteltest.T, n int, s step) {
	if s.Move.Member != "" {
		w.model.move(s.Move)
		w.move(s.Move)
		return
	}
	ctx := context.Background()
	a, ok := w.advisories[s.Advisory]
	var err error
	// Times and ids depend on the step alone, not on what else was done.
	w.Clock, w.IDs = time.Date(2026, 3, 2, 1, n, 0, 0, time.UTC), 100*(n+1)
	if !ok {
		var alerts []string
		if s.Source != "" {
			alerts = []string{"alert-of-" + s.Source}
		}
		if a, err = w.Service.Draft(ctx, inteltest.Analyst(), alerts); err != nil {
			t.Fatal(err)
		}
	}
	if s.Withdraw {
		if st := w.model.standing(s.Advisory); st != nil {
			if err := w.Service.Withdraw(ctx, inteltest.Manager(), a.ID, a.Version, "wrong"); err != nil {
				t.Fatal(err)
			}
			st.ended = true
			w.model.life[s.Advisory]++
			w.keep(t, s.Advisory, a.ID)
		}
		return
	}
	c := inteltest.Content(n, s.Audience, s.Values...)
	c.Marking.TLP = s.TLP
	if a, err = w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, c); err != nil {
		t.Fatal(err)
	}
	if sector.NeedsSecondPerson(a.Marking, string(a.Category)) {
		submitted, err := w.Service.Submit(ctx, inteltest.Analyst(), a.ID, a.Version)
		if w.refused(t, s, a, err) {
			return
		}
		a = submitted
	}
	_, err = w.Service.Release(ctx, inteltest.Manager(), a.ID, a.Version)
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

// move changes the program's members as the model's were.
func (w *gateWorld) move(x move) {
	for i := range w.Sector {
		m := &w.Sector[i]
		if m.ID != x.Member {
			continue
		}
		groups := slices.DeleteFunc(slices.Clone(m.Groups), func(g sector.GroupID) bool { return g == x.Group })
		switch x.What {
		case "join":
			m.Groups = append(groups, x.Group)
		case "leave":
			m.Groups = groups
		case "suspend":
			m.State = sector.Suspended
		case "return":
			m.State = sector.TakesPart
		}
	}
}

// refused compares the refusal with the model's.
func (w *gateWorld) refused(t inteltest.T, s step, a intel.Advisory, err error) bool {
	want := w.model.regains(s.Advisory, s.Audience) || w.model.pointless(s.Audience)
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

func (w *gateWorld) keep(t inteltest.T, n int, id intel.AdvisoryID) {
	a, err := w.store.Advisory(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.advisories[n] = a
}

// drawSteps draws a short story.
func drawSteps(t *rapid.T) []step { return drawStory(t, 1, 10) }

// drawStory draws what the centre and members do.
func drawStory(t *rapid.T, least, most int) []step {
	values := []string{"198.51.100.7", "198.51.100.8", "203.0.113.0/24", "evil.example", "*.bad.example", "https://evil.example/x",
		strings.Repeat("ab", 32), "x@phish.example"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		if rapid.IntRange(0, 2).Draw(t, "move") == 0 {
			return step{Move: drawMove(t)}
		}
		s := step{Advisory: rapid.IntRange(0, 3).Draw(t, "advisory"), Withdraw: rapid.IntRange(0, 4).Draw(t, "kind") == 0}
		s.Values = rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 3, rapid.ID).Draw(t, "values")
		s.Audience, s.TLP = drawAudience(t)
		s.Source = rapid.SampledFrom([]string{"", "m1", "m2", "m3", "m4"}).Draw(t, "source")
		return s
	}), least, most).Draw(t, "steps")
}

func drawMove(t *rapid.T) move {
	return move{
		Member: rapid.SampledFrom([]sector.MemberID{"m1", "m2", "m3", "m4"}).Draw(t, "who"),
		What:   rapid.SampledFrom([]string{"join", "join", "join", "leave", "suspend", "return"}).Draw(t, "what"),
		Group:  rapid.SampledFrom([]sector.GroupID{"g1", "g2"}).Draw(t, "group"),
	}
}

func drawAudience(t *rapid.T) (sector.Audience, sector.TLP) {
	var a sector.Audience
	members := rapid.SliceOfNDistinct(rapid.SampledFrom([]sector.MemberID{"m1", "m2", "m3", "m4"}), 1, 2, rapid.ID).Draw(t, "members")
	subs := rapid.SliceOfNDistinct(rapid.SampledFrom(sector.SubSectors()), 1, 2, rapid.ID).Draw(t, "sectors")
	a.Authority = rapid.Bool().Draw(t, "authority")
	if rapid.IntRange(0, 2).Draw(t, "to groups") == 0 {
		a.Groups = rapid.SliceOfNDistinct(rapid.SampledFrom([]sector.GroupID{"g1", "g2"}), 1, 2, rapid.ID).Draw(t, "groups")
		if rapid.Bool().Draw(t, "groups only") {
			return a, sector.TLPAmber
		}
		a.Members = members
		return a, sector.TLPAmberStrict
	}
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
func freshFiles(t *testing.T) func(inteltest.T) string {
	t.Helper()
	dir, n := t.TempDir(), 0
	template := filepath.Join(dir, "template.db")
	db, err := sqldb.Open(context.Background(), template, slog.New(slog.DiscardHandler))
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
	return func(t inteltest.T) string {
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// gateCases is how many cases the long suite compares: what one viewer has of
// one release, of random marking, audience and source, in one channel.
const gateCases = 100_000

func TestNoChannelShowsMoreThanTheGate(t *testing.T) {
	fresh := freshFiles(t)
	cases, want, readers, least, most := 0, 1, 3, 1, 10
	if os.Getenv("ASPIS_LONG") != "" { // longer stories give more cases for a world's cost
		want, readers, least, most = gateCases, 6, 12, 24
	}
	for began := time.Now(); cases < want && !t.Failed(); {
		rapid.Check(t, func(t *rapid.T) {
			w := newGateWorld(t, fresh(t), honest)
			defer w.db.Close()
			for i, s := range drawStory(t, least, most) {
				w.run(t, i, s)
			}
			all := slices.Sorted(maps.Keys(w.viewers))
			for _, who := range rapid.SliceOfNDistinct(rapid.SampledFrom(all), readers, readers, rapid.ID).Draw(t, "viewers") {
				w.checkAPI(t, who)
				w.checkFigures(t, who)
				w.checkTAXII(t, who)
				w.checkTotals(t, who)
				w.checkSearch(t, who)
			}
			w.checkMail(t)
			w.checkWatch(t)
			cases += w.cases
		})
		t.Logf("%d cases in %v", cases, time.Since(began).Round(time.Second))
	}
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
		w.Sector = slices.Clone(pages.Sector) // with the member that the kit signs in
		w.model.sectorOf["jade-bank"] = sector.Banking
		pages.Service.Config = w.Service.Config
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
			found, err := w.Service.Released(context.Background(), webtest.Viewer(sector.MemberStaff), intel.ReleasedQuery{ID: a.ID})
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
