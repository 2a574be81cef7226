package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/sector"
)

// The planted attack: members one, two and three call the same address; a
// name of the attacker was looked up days ago at a member that gets the
// advisory and at one that does not.
const (
	attackerAddress = "198.51.100.77"
	attackerName    = "update.evil-depot.example.net"
)

// loop is the whole loop as one test drives it.
type loop struct {
	*testing.T
	institutions
	server   *process
	office   *postOffice
	analyst  *caller
	manager  *caller
	audience []sector.Member
	outsider sector.Member
	alert    string // the finding across institutions
	advisory string
	asked    time.Time // see started
	address  indicator // the attacker's, as members are given them
	name     indicator
}

// indicator is one of an advisory's, as the API gives it.
type indicator struct{ ID, Kind, Value, Pattern string }

// TestLoop drives a record of a member through the whole program to a
// released warning that protects the others, over the network, with a real
// process.
func TestLoop(t *testing.T) {
	checkGoroutines(t)
	var played recordings
	if data := os.Getenv("ASPIS_DATA"); data != "" {
		played = realRecordings(t, data)
	} else {
		t.Log("ASPIS_DATA is not set: synthetic records and rules instead of the real ones")
		played = madeRecordings(t)
	}
	l := &loop{T: t, office: openPostOffice(t)}
	l.open(filepath.Join(t.TempDir(), "data"), played)
	l.sendFile(played.paths[0])
	l.replay(played)
	l.plant()
	l.findAlerts(played)
	before := l.outsiderSees()
	l.draft()
	l.preview()
	l.release()
	l.taxii()
	l.mails()
	l.nothingOutside(before)
	l.answers()
	l.retroHunt()
	l.newSightings()
	l.withdraw()
	l.server.stop()
	l.ledger()
}

// open makes the folder: half the members and the people while it is
// stopped, the others while the server runs on it.
func (l *loop) open(data string, played recordings) {
	l.Helper()
	newPerson(l, data, analystMail, "analyst")
	newPerson(l, data, managerMail, "duty-manager")
	l.found(l, data, 12)
	l.server = serve(l, data, "--smtp", l.office.url, "--rules", played.rules)
	l.found(l, data, 12)
	newPerson(l, data, authorityMail, "authority")
	for _, m := range l.all {
		if m.Sector == sector.Banking || m.Sector == sector.Insurance {
			newPerson(l, data, staffOf(m.ID), "member", "--member", string(m.ID))
		}
	}
	l.analyst = person(l, l.server.url, analystMail, password)
	l.manager = person(l, l.server.url, managerMail, password)
	l.audience = l.of(sector.Banking)
	l.outsider = l.of(sector.Insurance)[0]
}

func (l *loop) of(s ...sector.SubSector) []sector.Member { return l.institutions.of(s...) }

func (l *loop) member(id sector.MemberID) *caller {
	l.Helper()
	return machine(l, l.server.url, l.keys[id])
}

// replay sends the recordings as if the members sent them now.
func (l *loop) replay(played recordings) {
	l.Helper()
	var keys []string
	for _, m := range l.all {
		keys = append(keys, l.keys[m.ID])
	}
	doors, closeThem, err := demo.Doors(l.server.url, keys)
	if err != nil {
		l.Fatal(err)
	}
	defer closeThem()
	stats, began := &demo.Stats{}, time.Now()
	if err := demo.Replay(l.Context(), demo.ReplayConfig{Paths: played.paths, Doors: doors, Rate: 15_000, Stats: stats}); err != nil {
		l.Fatal(err)
	}
	l.Logf("replayed %d records in %v", stats.Accepted.Load(), time.Since(began).Round(time.Millisecond))
	if n := stats.Accepted.Load(); n < played.total || stats.Failed.Load() > 0 || stats.Rejected.Load() > 0 {
		l.Fatalf("accepted %d (want %d at least), rejected %d, failed %d", n, played.total, stats.Rejected.Load(), stats.Failed.Load())
	}
}

// sendFile sends one of the recordings with the command that members have,
// and once more, which must add nothing.
func (l *loop) sendFile(file string) {
	l.Helper()
	args := []string{"records", "send", "--url", l.server.url, "--key", l.keys[l.of(sector.Infrastructure)[0].ID], "--state-dir", l.TempDir(), file}
	var sent, again struct{ Records, Accepted, Duplicate, Rejected int64 }
	aspisJSON(l, &sent, "", args...)
	if sent.Accepted == 0 || sent.Accepted != sent.Records || sent.Duplicate+sent.Rejected != 0 {
		l.Errorf("sending %s: %+v", file, sent)
	}
	aspisJSON(l, &again, "", args...)
	if again != sent {
		l.Errorf("sending %s again: %+v, before %+v", file, again, sent)
	}
	aspisJSON(l, &again, "", append(args, "--again")...)
	if again.Accepted != 0 || again.Duplicate != sent.Accepted {
		l.Errorf("sending all of %s again: %+v", file, again)
	}
}

// send sends records as a member and expects all of them to be accepted.
func (l *loop) send(id sector.MemberID, records ...string) {
	l.Helper()
	got := l.member(id).do(http.MethodPost, "/api/v1/records", []byte(strings.Join(records, "")))
	var told struct{ Accepted int }
	if err := json.Unmarshal([]byte(got.body), &told); err != nil || got.status != http.StatusOK || told.Accepted != len(records) {
		l.Fatalf("records of %s: %d %s", id, got.status, got.body)
	}
}

func (l *loop) plant() {
	l.Helper()
	now := time.Now()
	l.send(l.audience[2].ID, lookup("past-inside", attackerName, now.Add(-72*time.Hour)))
	l.send(l.outsider.ID, lookup("past-outside", attackerName, now.Add(-72*time.Hour)))
	for i, m := range l.attacked() {
		l.send(m.ID, connection(fmt.Sprintf("planted-%d", i), attackerAddress, now))
	}
}

// attacked are two banks and a securities firm.
func (l *loop) attacked() []sector.Member {
	return []sector.Member{l.audience[0], l.audience[1], l.of(sector.Securities)[0]}
}

// alertJSON is what the tests read of an alert.
type alertJSON struct {
	ID, Cause, Rule, Title, Host string
	Count                        int
	Members                      []string
	Group                        []struct{ Name, Value string }
	Records                      []struct{ ID, Member string }
	Advisory                     string
}

func (c *caller) alerts(query string) []alertJSON {
	c.t.Helper()
	var all []alertJSON
	for after := ""; ; {
		var page struct {
			Alerts []alertJSON
			Next   string
		}
		c.read("/api/v1/alerts?limit=200&"+query+"&after="+url.QueryEscape(after), &page)
		all = append(all, page.Alerts...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

func (l *loop) findAlerts(played recordings) {
	l.Helper()
	eventually(l, time.Minute, func() string {
		found := l.analyst.alerts("cause=correlation&q=" + attackerAddress)
		if len(found) != 1 {
			return fmt.Sprintf("%d alerts across institutions about %s", len(found), attackerAddress)
		}
		l.alert = found[0].ID
		return ""
	})
	var found alertJSON
	l.analyst.read("/api/v1/alerts/"+l.alert, &found)
	var want []string
	for _, m := range l.attacked() {
		want = append(want, string(m.ID))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(found.Members))); diff != "" {
		l.Errorf("members of the alert across institutions (-want +got):\n%s", diff)
	}
	for _, rule := range played.fires {
		if len(l.analyst.alerts("cause=rule&rule="+rule)) == 0 {
			l.Errorf("rule %s raised no alert on the replayed records", rule)
		}
	}
	eventually(l, 2*time.Minute, func() string { // the history may be behind the alerts
		if len(l.member(l.outsider.ID).events("host:past-outside", l.span()).Events) == 0 {
			return "the record of days ago is not in the history"
		}
		return ""
	})
	page := l.analyst.page("/alerts/" + l.alert)
	for _, m := range l.attacked() {
		if !strings.Contains(page.body, m.Name) {
			l.Errorf("the centre's page of the alert does not name %s", m.Name)
		}
	}
}
