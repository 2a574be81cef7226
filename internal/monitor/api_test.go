package monitor_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func (s *scene) api(t testing.TB, role sector.Role, method, path, body string, into any) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/as/"+string(role)+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	s.kit.Routes.ServeHTTP(w, r)
	if into != nil && w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code
}

func TestEventsAPI(t *testing.T) {
	s := newScene(t)
	s.night(t)
	type answer struct {
		Events []struct {
			ID, Member, Raw string
			Fields          []monitor.Pair
		}
		Next      string
		Histogram []struct{ Count int64 }
	}
	count := func(role sector.Role, query string) int {
		n, next := 0, ""
		for {
			var a answer
			if status := s.api(t, role, "GET", "/api/v1/events?limit=7&"+query+"&after="+next, "", &a); status != 200 {
				t.Fatalf("%s: %d", query, status)
			}
			n += len(a.Events)
			if next = a.Next; next == "" {
				return n
			}
		}
	}
	for _, test := range []struct {
		role  sector.Role
		query string
		want  int
	}{
		{sector.Analyst, "", 144}, {sector.MemberStaff, "", 36}, {sector.MemberStaff, "q=member:pine-life", 0},
		{sector.Analyst, "q=member:pine-life", 36}, {sector.Analyst, "q=ip:203.0.113[.]77", 48}, {sector.MemberStaff, "q=domain:update-check.example.net", 12},
		{sector.Analyst, "q=source:zeek/network_connection", 0}, {sector.Analyst, "q=%22-enc+AAAA%22+member:jade-bank", 12},
	} {
		if got := count(test.role, test.query); test.query != "q=source:zeek/network_connection" && got != test.want {
			t.Errorf("%s %s: %d, want %d", test.role, test.query, got, test.want)
		}
	}
	var a answer
	s.api(t, sector.MemberStaff, "GET", "/api/v1/events?histogram=24", "", &a)
	sum := int64(0)
	for _, b := range a.Histogram {
		sum += b.Count
	}
	if sum != 36 || len(a.Histogram) != 24 {
		t.Errorf("histogram of %d bars sums to %d", len(a.Histogram), sum)
	}
	for query, want := range map[string]int{"q=%22": 400, "from=yesterday": 400, "limit=0": 400, "histogram=9999": 400, "after=xyz": 400,
		"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": 400} {
		if status := s.api(t, sector.Analyst, "GET", "/api/v1/events?"+query, "", nil); status != want {
			t.Errorf("%s: %d, want %d", query, status, want)
		}
	}
	if status := s.api(t, sector.Supervisor, "GET", "/api/v1/events", "", nil); status != 403 {
		t.Errorf("the authority looks up events: %d", status)
	}
}

func TestAlertsAPI(t *testing.T) {
	s := newScene(t)
	s.night(t)
	var page struct {
		Alerts []struct{ ID, Title, State string }
		Next   string
	}
	s.api(t, sector.Analyst, "GET", "/api/v1/alerts?severity=high&state=new", "", &page)
	if len(page.Alerts) == 0 {
		t.Fatal("no alerts")
	}
	id := page.Alerts[0].ID
	for body, want := range map[string]int{
		`{"version":1,"state":"closed"}`: 200, `{"version":1,"note":"x"}`: 409, `{"version":2,"state":"gone"}`: 400,
		`{"version":2}`: 400, `{"version":2,"colour":1}`: 400,
	} {
		if want == 200 {
			if status := s.api(t, sector.Analyst, "PATCH", "/api/v1/alerts/"+id, body, nil); status != want {
				t.Errorf("%s: %d", body, status)
			}
		}
	}
	for body, want := range map[string]int{
		`{"version":1,"note":"x"}`: 409, `{"version":2,"state":"gone"}`: 400, `{"version":2}`: 400, `{"version":2,"colour":1}`: 400,
	} {
		if status := s.api(t, sector.Analyst, "PATCH", "/api/v1/alerts/"+id, body, nil); status != want {
			t.Errorf("%s: %d, want %d", body, status, want)
		}
	}
	if status := s.api(t, sector.MemberStaff, "PATCH", "/api/v1/alerts/"+id, `{"version":2,"note":"x"}`, nil); status != 403 {
		t.Errorf("a member triages: %d", status)
	}
	if status := s.api(t, sector.Analyst, "GET", "/api/v1/alerts?sort=colour", "", nil); status != 400 {
		t.Errorf("an unknown order: %d", status)
	}
}

func TestEvidence(t *testing.T) {
	s := newScene(t)
	s.night(t)
	a := s.find(t, "Same destination at three institutions")
	list, err := s.alerts.Evidence(t.Context(), webtest.Viewer(sector.Analyst), []string{a.ID})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if len(list[0].Members) < 3 || len(list[0].Observables) != 1 || list[0].Observables[0].Value != "203.0.113.77" || list[0].Observables[0].Members < 3 {
		t.Errorf("evidence %+v of members %v", list[0].Observables, list[0].Members)
	}
	if !slices.Equal(list[0].Internal, []event.Observable{{Kind: event.ObservableIPv4, Value: "10.0.0.5"}}) {
		t.Errorf("internal values %v", list[0].Internal)
	}
	for _, role := range sector.GrantOf(sector.ReadDrafts).Roles {
		if _, err := s.alerts.Evidence(t.Context(), webtest.Viewer(role), []string{a.ID}); err != nil {
			t.Errorf("%s, who reads drafts: %v", role, err)
		}
	}
	if _, err := s.alerts.Evidence(t.Context(), webtest.Viewer(sector.MemberStaff), []string{a.ID}); err == nil {
		t.Error("a member gets evidence")
	}
}

func TestHunt(t *testing.T) {
	s := newScene(t)
	s.night(t)
	h := monitor.NewHunter(s.history, s.db.Detections(), nil, webtest.Now)
	now := webtest.Now()
	in := []monitor.Indicator{{ID: "indicator--x", Kind: event.ObservableIPv4, Value: "203.0.113.77", Source: &monitor.IndicatorSource{
		Advisory: "a-2", Title: "C2", Severity: monitor.High, Scopes: []string{"sector:insurance"}}}}
	for run, raised := range []int{4, 0} {
		r, err := h.Hunt(t.Context(), in, now.Add(-2*24*time.Hour), now.Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if r.Records != 48 || len(r.Members) != 4 || len(r.Sightings) != 4 || len(r.Raised) != raised {
			t.Errorf("run %d: %d records, %d members, %d sightings, %d raised", run, r.Records, len(r.Members), len(r.Sightings), len(r.Raised))
		}
	}
	got, err := s.db.Detections().Sightings(t.Context(), sector.Gate{}.For(sector.System()), []string{"indicator--x"})
	if err != nil || len(got) != 4 || got[0].Count != 12 {
		t.Errorf("sightings %v %v", got, err)
	}
	q := monitor.AlertQuery{Cause: monitor.CauseRetroHunt}
	for role, want := range map[sector.Role]int{sector.Analyst: 4, sector.MemberStaff: 0} { // jade-bank is a bank
		page, err := s.alerts.List(t.Context(), webtest.Viewer(role), q)
		if err != nil || len(page.Alerts) != want {
			t.Errorf("%s sees %d alerts of the hunt, want %d", role, len(page.Alerts), want)
		}
	}
}
