package wire

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// TestWhatEntriesTell: every entry that somebody is told of, and to whom; all
// others tell nothing.
func TestWhatEntriesTell(t *testing.T) {
	type told struct {
		Line  string
		Topic notify.Topic
		Users []sector.UserID
	}
	secure := func(line string) []told {
		return []told{{"notify.line." + line, notify.Security, []sector.UserID{"mei"}}}
	}
	want := map[string][]told{
		"credential.add": secure("way_added"), "credential.change": secure("way_changed"), "credential.remove": secure("way_changed"),
		"subject.forget": secure("way_changed"), "passkey.copied": secure("passkey_copied"), "recovery.use": secure("link_used"),
		"token.create": secure("token_made"),
		"recovery.ask": append(secure("recovery_asked"), told{"notify.line.recovery_waits", notify.Request, nil}),
		"key.create":   {{"notify.line.key_made", notify.KeyMade, nil}}, "key.rotate": {{"notify.line.key_made", notify.KeyMade, nil}},
	}
	later := map[string]string{"group.ask": jobAsked, "profile.save": jobClaimed}
	for _, a := range ledger.Actions() {
		var got []told
		for _, j := range tell(ledger.Entry{Actor: "user:mei", Action: a.Name, Object: "user:mei", Member: "north-bank"}) {
			if j.Kind != notify.JobPost {
				if later[a.Name] != j.Kind {
					t.Errorf("%s makes the work %s", a.Name, j.Kind)
				}
				delete(later, a.Name)
				continue
			}
			e := eventOf(t, []jobs.Job{j})
			got = append(got, told{e.LineKey(), e.Topic, e.Audience.Users})
		}
		if diff := cmp.Diff(want[a.Name], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", a.Name, diff)
		}
		delete(want, a.Name)
	}
	if len(want) > 0 || len(later) > 0 {
		t.Errorf("no entry tells %v, %v", want, later)
	}
	for detail, n := range map[string]int{"": 0, `{"attempts":1}`: 0, `{"attempts":10}`: 1} {
		for object, known := range map[string]int{"user:mei": 1, "sign-in:unknown": 0} {
			if got := tell(ledger.Entry{Action: "session.refuse", Object: object, Detail: detail}); len(got) != n*known {
				t.Errorf("%s of %s tells %d times", detail, object, len(got))
			}
		}
	}
}

// TestEveryLineHasWords in both languages.
func TestEveryLineHasWords(t *testing.T) {
	p := running(t)
	for _, line := range []string{"way_added", "way_changed", "passkey_copied", "link_used", "token_made", "attempts", "recovery_asked", "recovery_waits",
		"key_made", "claimed", "engine", "silent", "invitation"} {
		if !p.texts.Has("notify.line." + line) {
			t.Errorf("notify.line.%s has no words", line)
		}
	}
}

// told waits for a person's notices with these lines, and no others.
func toldTo(t *testing.T, p *Program, v sector.Viewer, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		list, err := p.engines.db.Notifications().Notices(t.Context(), sector.Gate{}.For(v), v.User, notify.NoticeQuery{Limit: 20})
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, n := range list {
			got = append(got, strings.TrimPrefix(n.Event.LineKey(), "notify.line."))
		}
		slices.Sort(got)
		if len(got) >= len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s is told %q, want %q", v.Email, got, want)
	}
}

// TestPeopleAreTold runs the whole program: what is done to an account is told
// to its person alone, a request to join to whoever runs the group, a key to
// its member's administrators, an overlap to the centre.
func TestPeopleAreTold(t *testing.T) {
	p := running(t)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, name := range map[sector.MemberID][2]string{"north-bank": {"North Bank", "北方銀行"}, "south-bank": {"South Bank", "南方銀行"}, "west-bank": {"West Bank", "西方銀行"}} {
		_, err := p.directory.CreateMember(ctx, sector.System(), sector.Member{ID: id, Name: name[0], NameZh: name[1], Sector: sector.Banking})
		must(err)
	}
	north, south := person(t, p, "admin@north.example", "north-bank", sector.MemberAdmin), person(t, p, "admin@south.example", "south-bank", sector.MemberAdmin)
	west, staff := person(t, p, "admin@west.example", "west-bank", sector.MemberAdmin), person(t, p, "staff@south.example", "south-bank", sector.MemberStaff)
	chief := person(t, p, "chief@centre.example", "", sector.Administrator)

	_, _, err := p.tokens.Create(ctx, staff, "cli", nil, 24*time.Hour)
	must(err)
	toldTo(t, p, staff, "token_made")
	_, _, err = p.directory.CreateKey(ctx, chief, "south-bank", []sector.Scope{sector.Scopes()[0]})
	must(err)
	toldTo(t, p, south, "key_made")

	orgs := newOrganisation(p)
	g, err := orgs.CreateGroup(ctx, north, organisation.Group{Group: sector.Group{Name: "Desk", NameZh: "小組"}, Listed: true, Terms: organisation.Terms{Zh: "條款", En: "Terms"}})
	must(err)
	must(orgs.Agree(ctx, south, g.ID, 1))
	toldTo(t, p, north, "request")

	save := func(v sector.Viewer, domain string) {
		t.Helper()
		_, err := orgs.SaveProfile(ctx, v, 0, organisation.Profile{NameZh: "銀行 " + string(v.Member), Name: "Bank " + string(v.Member), Domains: []string{domain}})
		must(err)
	}
	save(north, "north.example")
	save(west, "mail.north.example")
	toldTo(t, p, chief, "claimed")
	for v, want := range map[*sector.Viewer][]string{&west: nil, &staff: {"token_made"}, &south: {"key_made"}, &north: {"request"}} {
		toldTo(t, p, *v, want...)
	}
}

// TestGuessingIsToldOnceADay: who guesses decides how often it happens, not how
// often somebody is told.
func TestGuessingIsToldOnceADay(t *testing.T) {
	p := running(t)
	v := person(t, p, "mei@centre.example", "", sector.Analyst)
	for i := range 30 {
		client := identity.Client{Address: "192.0.2." + string(rune('1'+i%9))}
		if _, err := p.identity.Password(t.Context(), v.Email, "wrong", client); err == nil {
			t.Fatal("let in")
		}
	}
	toldTo(t, p, v, "attempts")
}

// TestIllPartsAreTold: an engine that stays down, and a member that has stopped
// sending, are told once; a hiccup, a member that never sent and one that has
// long been silent are not.
func TestIllPartsAreTold(t *testing.T) {
	now := time.Now().UTC()
	p := running(t)
	chief, duty := person(t, p, "chief@centre.example", "", sector.Administrator), person(t, p, "analyst@centre.example", "", sector.Analyst)
	addMember(t, p, "north-bank")
	addMember(t, p, "south-bank")
	receipt := monitor.Receipt{Batch: "b", Member: "north-bank", At: now, Accepted: 1}
	if err := p.engines.db.Receipts().Keep(t.Context(), receipt, nil, monitor.Resent{}); err != nil {
		t.Fatal(err)
	}
	var down error
	w := newWatch(p)
	w.checks = []check{{"history", "DuckDB", func(context.Context) error { return down }}}
	at := func(d time.Duration) {
		t.Helper()
		w.now = func() time.Time { return now.Add(d) }
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	down = errors.New("gone")
	at(time.Minute)
	down = nil
	at(4 * time.Minute) // a hiccup
	down = errors.New("gone")
	at(5 * time.Minute)
	at(6 * time.Minute)
	toldTo(t, p, chief)
	at(8 * time.Minute)
	at(9 * time.Minute)
	toldTo(t, p, chief, "engine")
	down = nil
	at(3 * time.Hour)
	at(4 * time.Hour)
	at(30 * 24 * time.Hour)
	toldTo(t, p, chief, "engine", "silent")
	toldTo(t, p, duty)
}
