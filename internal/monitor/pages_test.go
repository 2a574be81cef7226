package monitor_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// people is a monitor.Directory of invented members and the kit's people.
type people struct{}

func (people) Members(context.Context) ([]sector.Member, error) {
	return []sector.Member{
		{ID: "jade-bank", Name: "Jade Bank", NameZh: "翠玉銀行", Sector: sector.Banking},
		{ID: "pine-life", Name: "Pine Life", NameZh: "松濤人壽", Sector: sector.Insurance},
		{ID: "river-sec", Name: "River Securities", NameZh: "大河證券", Sector: sector.Securities},
		{ID: "clear-net", Name: "ClearNet", NameZh: "清算網路", Sector: sector.Infrastructure},
	}, nil
}

func (people) Users(context.Context) ([]sector.User, error) {
	var all []sector.User
	for _, r := range sector.Roles() {
		all = append(all, sector.User{ID: sector.UserID("u-" + string(r)), Email: webtest.Email(r), Roles: []sector.Role{r}})
	}
	return all, nil
}

// scene is the pages over a relational store and an invented night.
type scene struct {
	*world
	kit    *webtest.Kit
	alerts *monitor.Alerts
	db     *sqldb.DB
}

func sealer(t testing.TB, purpose string) *seal.Sealer {
	t.Helper()
	s, err := seal.New(make([]byte, seal.KeySize), purpose)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newScene(t testing.TB) *scene {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := sqldb.Open(t.Context(), filepath.Join(t.TempDir(), "aspis.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &scene{world: newWorld(t), kit: webtest.New(t), db: db}
	s.door = monitor.NewDoor(monitor.DoorConfig{Stream: s.stream, Receipts: db.Receipts(), Now: webtest.Now, Log: log})
	s.alerts = monitor.NewAlerts(db.Alerts(), sealer(t, "alerts"), webtest.Now)
	events := monitor.NewEvents(s.history, sealer(t, "events"), webtest.Now, nil)
	pages, err := monitor.NewPages(s.kit.Shell, s.alerts, events, s.door, people{})
	if err != nil {
		t.Fatal(err)
	}
	pages.Mount(s.kit.Routes)
	edge := httpx.NewEdge(log, s.kit.Texts, nil)
	api := access.New(edge)
	monitor.NewAPI(s.alerts, events).Mount(api)
	for _, role := range []sector.Role{sector.Analyst, sector.MemberStaff, sector.Supervisor} {
		s.kit.Routes.Handle("/as/"+string(role)+"/", sector.Public, http.StripPrefix("/as/"+string(role), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			api.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), webtest.Viewer(role))))
		})))
	}
	return s
}

// night sends records of four members through the pipeline.
func (s *scene) night(t testing.TB) {
	t.Helper()
	s.matcher.Replace([]monitor.Indicator{{
		ID: "indicator--5f2c8f1e-0000-4000-8000-000000000001", Kind: event.ObservableDomain, Value: "update-check.example.net",
		Source: &monitor.IndicatorSource{Advisory: "a-1", Title: "Loader posing as an updater", TitleZh: "偽裝成更新程式的下載器", Severity: monitor.High, Scopes: []string{"members"}},
	}})
	p := monitor.NewPipeline(monitor.PipelineConfig{
		Stream: s.stream, History: s.history, Detections: s.db.Detections(), Catalogue: s.catalogue, Matcher: s.matcher,
		Log: slog.New(slog.DiscardHandler), Now: webtest.Now, Linger: -1,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	at := webtest.Now()
	for i, m := range []sector.MemberID{"jade-bank", "pine-life", "river-sec", "clear-net"} {
		var text strings.Builder
		for j := range 12 {
			text.WriteString(conn(at.Add(-time.Duration(j*37+i)*time.Minute), "203.0.113.77") + "\n")
			text.WriteString(powershell(at.Add(-time.Duration(j*11)*time.Minute), fmt.Sprintf("ws%02d.%s.local", j%3, m)) + "\n")
			fmt.Fprintf(&text, `{"_path":"dns","ts":%d,"uid":"C9","id.orig_h":"10.0.0.9","id.resp_h":"10.0.0.53","query":"update-check.example.net","qtype_name":"A"}`+"\n", at.Add(-time.Duration(j)*time.Hour).Unix())
		}
		text.WriteString("{\"broken\": \n")
		s.send(t, m, "", text.String())
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		h, _ := s.history.Cursor(ctx)
		d, err := s.db.Detections().Cursor(ctx)
		if err == nil && h == 4 && d == 4 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the pipeline does not come to the end")
		}
	}
	cancel()
	<-done
}

// find returns the id of an alert by its title as the centre sees it.
func (s *scene) find(t testing.TB, title string) monitor.Alert {
	t.Helper()
	page, err := s.alerts.List(t.Context(), webtest.Viewer(sector.Analyst), monitor.AlertQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range page.Alerts {
		if a.Title == title {
			return a
		}
	}
	t.Fatalf("no alert %q", title)
	return monitor.Alert{}
}

func TestPages(t *testing.T) {
	s := newScene(t)
	empty := []string{"/alerts", "/alerts?q=x", "/events", "/events?q=%22open", "/events?q=x&from=2026-01-01T00:00"}
	visit := func(paths []string, roles ...sector.Role) {
		for _, path := range paths {
			for _, role := range roles {
				for _, lang := range i18n.Langs() {
					page := s.kit.Get(t, role, lang, path)
					if page.Status != 200 && page.Status != 422 {
						t.Errorf("%s as %s in %s: %d", path, role, lang, page.Status)
					}
					webtest.Check(t, page)
				}
			}
		}
	}
	visit(empty, sector.Analyst, sector.MemberStaff)
	visit([]string{"/rejected"}, sector.MemberStaff)
	s.night(t)
	var full []string
	for _, title := range []string{"Odd PowerShell", "Same destination at three institutions", "Loader posing as an updater"} {
		full = append(full, "/alerts/"+s.find(t, title).ID)
	}
	full = append(full, "/alerts", "/alerts?state=all&sort=severity&dir=asc", "/events?q=update-check", "/events?q=ip:203.0.113.77",
		"/events/"+s.history.All()[0].ID, "/events/"+s.history.All()[1].ID)
	visit(full, sector.Analyst)
	visit([]string{"/alerts", "/events", "/rejected", "/alerts/" + s.find(t, "Same destination at three institutions").ID}, sector.MemberStaff)
	letters, err := s.db.Receipts().Letters(t.Context(), "jade-bank", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	visit([]string{"/rejected/" + letters[0].ID}, sector.MemberStaff)
}

func TestAMembersPagesNameNobodyElse(t *testing.T) {
	s := newScene(t)
	s.night(t)
	shared := s.find(t, "Same destination at three institutions")
	paths := []string{"/alerts", "/alerts?state=all", "/events", "/events?q=203.0.113.77", "/rejected", "/alerts/" + shared.ID}
	for _, path := range paths {
		for _, lang := range i18n.Langs() {
			body := s.kit.Get(t, sector.MemberStaff, lang, path).Body
			for _, other := range []string{"pine-life", "Pine Life", "松濤", "river-sec", "River Sec", "大河", "clear-net", "ClearNet", "清算"} {
				if strings.Contains(body, other) {
					t.Errorf("%s names %s", path, other)
				}
			}
		}
	}
	for _, r := range s.history.All() {
		if r.Member != "jade-bank" {
			if page := s.kit.Get(t, sector.MemberStaff, i18n.En, "/events/"+r.ID); page.Status != 404 {
				t.Fatalf("another member's event: %d", page.Status)
			}
		}
	}
	for _, role := range []sector.Role{sector.Supervisor, sector.Administrator} {
		for _, path := range []string{"/alerts", "/events"} {
			if page := s.kit.Get(t, role, i18n.En, path); page.Status != 403 {
				t.Errorf("%s as %s: %d", path, role, page.Status)
			}
		}
	}
}

// TestExportsAreTheMembersOwn: the files have what the lists have, and of a
// member nothing of another.
func TestExportsAreTheMembersOwn(t *testing.T) {
	s := newScene(t)
	s.night(t)
	for path, want := range map[string]string{"/export/events?format=csv": "203.0.113.77", "/export/rejected?format=csv": "JSON"} {
		page := s.kit.Post(t, sector.MemberStaff, i18n.En, path, nil)
		if page.Status != 200 || !strings.Contains(page.Body, want) || strings.Count(page.Body, "\n") < 2 {
			t.Errorf("%s: %d %.500s", path, page.Status, page.Body)
		}
		for _, other := range []string{"pine-life", "Pine Life", "river-sec", "River Sec", "clear-net", "ClearNet"} {
			if strings.Contains(page.Body, other) {
				t.Errorf("%s names %s", path, other)
			}
		}
	}
	centre := s.kit.Post(t, sector.Analyst, i18n.En, "/export/events?format=csv&col=member", nil).Body
	for _, want := range []string{"Time,Member", "Pine Life", "River Sec"} {
		if !strings.Contains(centre, want) {
			t.Errorf("the centre's file lacks %q:\n%.500s", want, centre)
		}
	}
	if page := s.kit.Post(t, sector.Analyst, i18n.En, "/export/rejected?format=csv", nil); page.Status != 403 {
		t.Errorf("the centre takes a member's rejected lines: %d", page.Status)
	}
}

func TestTriagePage(t *testing.T) {
	s := newScene(t)
	s.night(t)
	a := s.find(t, "Odd PowerShell")
	form := url.Values{"version": {"1"}, "state": {"in_progress"}, "assignee": {"u-analyst"}, "note": {"看過 <b>了</b>"}}
	if page := s.kit.Post(t, sector.Analyst, i18n.En, "/alerts/"+a.ID, form); page.Status != 303 {
		t.Fatalf("triage: %d %s", page.Status, page.Body)
	}
	page := s.kit.Get(t, sector.Analyst, i18n.ZhHant, "/alerts/"+a.ID)
	for _, want := range []string{"處理中", "看過 &lt;b&gt;了&lt;/b&gt;", "指派給 analyst@aspis.example"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("after triage the page lacks %q", want)
		}
	}
	if page := s.kit.Post(t, sector.DutyManager, i18n.En, "/alerts/"+a.ID, form); page.Status != 422 || !strings.Contains(page.Body, "Somebody else changed this alert") ||
		!strings.Contains(page.Body, `name="version" value="2"`) {
		t.Errorf("an old version: %d", page.Status)
	}
	if page := s.kit.Post(t, sector.MemberStaff, i18n.En, "/alerts/"+a.ID, form); page.Status != 403 {
		t.Errorf("a member triages: %d", page.Status)
	}
}

func TestRejectedPage(t *testing.T) {
	s := newScene(t)
	s.send(t, "jade-bank", "", "{\"broken\": \n")
	letters, err := s.db.Receipts().Letters(t.Context(), "jade-bank", "", 1)
	if err != nil || len(letters) != 1 {
		t.Fatal(letters, err)
	}
	path := "/rejected/" + letters[0].ID
	if page := s.kit.Post(t, sector.MemberStaff, i18n.En, path, url.Values{"line": {`{"broken":`}}); page.Status != 422 {
		t.Errorf("sent again as it was: %d", page.Status)
	}
	if page := s.kit.Post(t, sector.MemberStaff, i18n.En, path, url.Values{"line": {`{"broken":false}`}}); page.Status != 303 {
		t.Errorf("corrected: %d", page.Status)
	}
	if page := s.kit.Get(t, sector.MemberStaff, i18n.En, path); page.Status != 404 {
		t.Errorf("the letter is still there: %d", page.Status)
	}
}
