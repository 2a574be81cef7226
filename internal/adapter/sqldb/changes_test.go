package sqldb

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/changes"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
)

// story is what happens in these tests: m1 gets an advisory and answers it,
// it is withdrawn, and an alert of m1 is raised and closed.
type story struct {
	w     *inteltest.World
	db    *DB
	times int
}

func (s *story) happen(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	s.times++
	key := "k" + string(rune('0'+s.times))
	at := time.Now().Add(-time.Minute).UTC()
	a := s.w.Release(t, s.w.Draft(t, inteltest.Content(s.times, sector.Audience{Members: []sector.MemberID{"m1"}}, "198.51.100.1")), nil)
	value[intel.Answer](t)(s.w.Service.Answer(ctx, s.w.Viewer(0), a.ID, intel.Blocked, ""))
	s.w.Withdraw(t, a)
	value[[]monitor.Alert](t)(s.db.Detections().Apply(ctx, monitor.Commit{UpTo: uint64(s.times), At: at, Findings: []monitor.Finding{one(key, "m1", at, 1)}}))
	id := monitor.AlertID(key)
	note := monitor.Step{Note: "looked at", By: "u1", At: at}
	value[monitor.Alert](t)(s.db.Alerts().ChangeAlert(ctx, id, 1, note, ledger.Entry{Actor: "user:u1", Action: "alert.triage", Object: "alert:" + id, Detail: `{"note":true}`}))
	done := monitor.Step{State: monitor.StateClosed, By: "u1", At: at}
	value[monitor.Alert](t)(s.db.Alerts().ChangeAlert(ctx, id, 2, done, ledger.Entry{Actor: "user:u1", Action: "alert.triage", Object: "alert:" + id, Detail: `{"state":"closed"}`}))
}

// TestChangesThroughTheGate: each side is told what it may know, once, and
// the place of one that may know nothing does not move.
func TestChangesThroughTheGate(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		s := &story{w: inteltest.New(t, db.Advisories()), db: db}
		ctx, gate, source := context.Background(), sector.Gate{}, db.Changes()
		viewers := map[string]sector.Viewer{
			"centre": inteltest.Analyst(), "m1": s.w.Viewer(0), "m2": s.w.Viewer(1), "authority": inteltest.Supervisor(),
		}
		places := map[string]changes.Place{}
		s.happen(t)
		for name, v := range viewers {
			places[name] = value[changes.Place](t)(source.Head(ctx, gate.For(v)))
		}
		s.happen(t)
		got, outside := map[string]map[changes.Kind]int{}, places["m2"]
		for name, v := range viewers {
			got[name] = map[changes.Kind]int{}
			for range 9 { // pages of one, to the end
				found, next, err := source.After(ctx, gate.For(v), places[name], 1)
				must(t, err)
				for _, c := range found {
					got[name][c.Kind]++
				}
				places[name] = next
			}
		}
		want := map[string]map[changes.Kind]int{
			"centre": {changes.Released: 1, changes.Withdrawn: 1, changes.Answered: 1, changes.Raised: 1, changes.Changed: 2},
			"m1":     {changes.Released: 1, changes.Withdrawn: 1, changes.Answered: 1, changes.Raised: 1, changes.Changed: 1},
			"m2":     {}, "authority": {},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("told (-want +got):\n%s", d)
		}
		if places["m2"] != outside || outside != (changes.Place{}) {
			t.Errorf("an outsider's place moved from %+v to %+v", outside, places["m2"])
		}
	})
}

// TestChangeStream reads the stream over HTTP: m1 hears, an outsider's bytes
// stay what they are when nothing happens.
func TestChangeStream(t *testing.T) {
	db := openForTest(t, t.TempDir()+"/aspis.db")
	s := &story{w: inteltest.New(t, db.Advisories()), db: db}
	texts, err := i18n.Load()
	must(t, err)
	sealer, err := seal.New(make([]byte, seal.KeySize), "changes")
	must(t, err)
	edge := httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil)
	routes := access.New(edge)
	changes.New(db.Changes(), access.NewCursors(sealer)).Mount(routes)
	keys := keyring{"m1": s.w.Viewer(0), "m2": s.w.Viewer(1)}
	server := httptest.NewServer(edge.Wrap(routes, keys.identify))
	t.Cleanup(server.Close)

	quiet := streamFor(t, server, "m2", "", 2500*time.Millisecond, nil)
	s.happen(t)
	loud := streamFor(t, server, "m2", "", 2500*time.Millisecond, func() { s.happen(t) })
	if quiet != loud || !strings.Contains(quiet, "event: begin") {
		t.Errorf("an outsider hears of others:\n%s", cmp.Diff(quiet, loud))
	}
	heard := streamFor(t, server, "m1", "", 2500*time.Millisecond, func() { s.happen(t) })
	for _, k := range []changes.Kind{changes.Released, changes.Withdrawn, changes.Answered, changes.Raised, changes.Changed} {
		if strings.Count(heard, "event: "+string(k)+"\n") != 1 {
			t.Errorf("m1 does not hear %s once:\n%s", k, heard)
		}
	}
	first := strings.TrimPrefix(strings.Split(heard[strings.Index(heard, "id: "):], "\n")[0], "id: ")
	again := streamFor(t, server, "m1", first, 1500*time.Millisecond, nil)
	if strings.Count(again, "event: ") != 6 {
		t.Errorf("from the stream's beginning again:\n%s", again)
	}
	if status, body, _ := call(t, server, "GET", "/api/v1/changes", "m2", "", "Last-Event-ID", first); status != 400 {
		t.Errorf("another member's place: %d %s", status, body)
	}
	if status, body, _ := call(t, server, "GET", "/api/v1/changes", "", ""); status != 401 {
		t.Errorf("nobody: %d %s", status, body)
	}
	manyStreams(t, server)
}

// manyStreams: the fifth stream of a person is refused.
func manyStreams(t *testing.T, server *httptest.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for n := range 5 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/changes", nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer m1")
		resp, err := server.Client().Do(r)
		must(t, err)
		defer resp.Body.Close()
		if want := map[bool]int{true: 200, false: 429}[n < 4]; resp.StatusCode != want {
			t.Errorf("stream %d: %d, want %d", n+1, resp.StatusCode, want)
		}
	}
}

// streamFor reads a stream for a while; do happens once it has begun.
func streamFor(t *testing.T, server *httptest.Server, who, last string, d time.Duration, do func()) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/changes", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+who)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := server.Client().Do(r)
	must(t, err)
	defer resp.Body.Close()
	var text strings.Builder
	body := bufio.NewReader(io.TeeReader(resp.Body, &text))
	for !strings.Contains(text.String(), "data: ") {
		if _, err := body.ReadString('\n'); err != nil {
			t.Fatalf("%v after %q", err, text.String())
		}
	}
	if do != nil {
		do()
	}
	time.AfterFunc(d, cancel)
	_, _ = io.Copy(io.Discard, body) // ends with the context
	return text.String()
}
