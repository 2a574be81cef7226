package pulse_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/pulse/pulsetest"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func newKit(t *testing.T, src *pulsetest.Source) *webtest.Kit {
	t.Helper()
	kit := webtest.New(t)
	way := pulse.Way{Stage: pulse.Alerts, Href: "/alerts", Need: sector.TriageAlerts}
	if err := pulse.Mount(kit.Routes, kit.Shell, src, way); err != nil {
		t.Fatal(err)
	}
	return kit
}

func TestPageForEveryRole(t *testing.T) {
	for _, role := range sector.Roles() {
		for _, lang := range i18n.Langs() {
			for _, quiet := range []bool{false, true} {
				kit := newKit(t, &pulsetest.Source{Now: webtest.Now, Quiet: quiet})
				page := kit.Get(t, role, lang, "/pulse")
				want := http.StatusOK
				if !webtest.Viewer(role).May(sector.ReadPulse) {
					want = http.StatusForbidden
				}
				if page.Status != want {
					t.Errorf("%s: status %d", role, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
}

func TestPictureHoldsEveryStageTwice(t *testing.T) {
	kit := newKit(t, &pulsetest.Source{Now: webtest.Now})
	doc := kit.Get(t, sector.Analyst, i18n.En, "/pulse").Doc(t)
	for _, stage := range pulse.Stages() {
		cards := webtest.Find(doc, func(n *html.Node) bool { return webtest.Attr(n, "data-stage") == string(stage) })
		flows := webtest.Find(doc, func(n *html.Node) bool { return webtest.Attr(n, "data-flow") == string(stage) })
		if len(cards) != 2 || len(flows) != 2 {
			t.Errorf("%s: %d cards and %d segments, want one of each in both pictures", stage, len(cards), len(flows))
		}
	}
}

func TestWaysAreForRoles(t *testing.T) {
	kit := newKit(t, &pulsetest.Source{Now: webtest.Now})
	for role, want := range map[sector.Role]bool{sector.Analyst: true, sector.MemberStaff: false} {
		body := kit.Get(t, role, i18n.En, "/pulse").Body
		if got := strings.Contains(body, `href="/alerts"`); got != want {
			t.Errorf("%s: way to the alerts is %v, want %v", role, got, want)
		}
	}
}

func TestNobodyIsAskedToSignIn(t *testing.T) {
	page := newKit(t, &pulsetest.Source{Now: webtest.Now}).Get(t, "", i18n.En, "/pulse")
	if page.Status != http.StatusSeeOther || page.Header.Get("Location") != "/sign-in?next=%2Fpulse" {
		t.Errorf("status %d, location %q", page.Status, page.Header.Get("Location"))
	}
}

func TestSourceFails(t *testing.T) {
	kit := newKit(t, &pulsetest.Source{Now: webtest.Now, Err: errors.New("table counts is locked")})
	page := kit.Get(t, sector.Analyst, i18n.ZhHant, "/pulse")
	if page.Status != http.StatusInternalServerError || strings.Contains(page.Body, "locked") {
		t.Errorf("status %d, or our internals are shown", page.Status)
	}
	webtest.Check(t, page)
}

// TestFiguresFollow reads the stream over a real connection: several people
// share one snapshot a second, and the stream ends with the request.
func TestFiguresFollow(t *testing.T) {
	src := &pulsetest.Source{Now: webtest.Now, Moving: true}
	kit := newKit(t, src)
	srv := httptest.NewServer(kit.Handler)
	defer srv.Close()
	cookie := kit.Cookie(t, sector.Analyst)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 3 {
		got := firstEvent(ctx, t, srv.URL, cookie)
		if len(got.Stages) != len(pulse.Stages()) || len(got.Stages["door"].Total) < len("4,000,000") {
			t.Errorf("an event with %d stages and %q accepted", len(got.Stages), got.Stages["door"].Total)
		}
		if n := len(got.Charts["warned"].Values); n != 4 {
			t.Errorf("the second chart has %d series, want 4", n)
		}
	}
	if src.Asked() != 1 {
		t.Errorf("three people within a second asked the source %d times, want 1", src.Asked())
	}
}

// TestAuthoritySeesNothingSmall: page and stream hold marks where the figures
// are small, and no line of the chart that has small minutes.
func TestAuthoritySeesNothingSmall(t *testing.T) {
	kit := newKit(t, &pulsetest.Source{Now: webtest.Now})
	page := kit.Get(t, sector.Supervisor, i18n.En, "/pulse")
	doc := page.Doc(t)
	for stage, want := range map[pulse.Stage]string{pulse.Gate: "<3", pulse.Door: "4,318,220"} {
		cards := webtest.Find(doc, func(n *html.Node) bool { return webtest.Attr(n, "data-stage") == string(stage) })
		for _, card := range cards {
			total := webtest.Find(card, func(n *html.Node) bool { return webtest.Attr(n, "data-part") == "total" })
			if got := webtest.Text(total[0]); got != want {
				t.Errorf("%s: %q, want %q", stage, got, want)
			}
		}
	}
	srv := httptest.NewServer(kit.Handler)
	defer srv.Close()
	got := firstEvent(t.Context(), t, srv.URL, kit.Cookie(t, sector.Supervisor))
	if s := got.Stages["gate"]; s.Total != "<3" || s.Waiting != "<3" {
		t.Errorf("the stream tells %+v of the gate", s)
	}
	if n := len(got.Charts["accepted"].Values[0]); n != pulse.Minutes {
		t.Errorf("%d minutes of accepted records", n)
	}
	for i, line := range got.Charts["warned"].Values {
		if line == nil || len(line) != 0 {
			t.Errorf("line %d of the second chart, which has small minutes: %v", i, line)
		}
	}
}

type event struct {
	Stages map[string]struct{ Total, Waiting string }
	Charts map[string]struct{ Values [][]int64 }
}

func firstEvent(ctx context.Context, t *testing.T, base string, cookie *http.Cookie) event {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/pulse/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(cookie)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("content type %q", kind)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
	t.Fatal("the stream ended without an event")
	return event{}
}

func TestStreamNeedsASession(t *testing.T) {
	kit := newKit(t, &pulsetest.Source{Now: webtest.Now})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/pulse/events", nil)
	r.Header.Set("Accept", "text/event-stream")
	page := kit.Do(t, "", i18n.En, r)
	if page.Status != http.StatusUnauthorized || page.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, type %q", page.Status, page.Header.Get("Content-Type"))
	}
}
