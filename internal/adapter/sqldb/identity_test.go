package sqldb

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var testEntry = ledger.Entry{Actor: "system", Action: "test.change", Object: "user:x"}

// person adds somebody to north-bank and returns its id.
func person(t *testing.T, d *fixture, email string) sector.UserID {
	t.Helper()
	u, err := d.CreateUser(context.Background(), sector.System(), sector.User{Email: email, Roles: []sector.Role{sector.MemberStaff}, Member: "north-bank"}, "")
	must(t, err)
	return u.ID
}

// entries counts the ledger.
func entries(t *testing.T, db *DB) int64 {
	t.Helper()
	n, err := db.VerifyLedger(context.Background())
	must(t, err)
	return n
}

func TestPasskeys(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li, mei := person(t, d, "li@north.example"), person(t, d, "mei@north.example")
		want := identity.Passkey{ID: "one", User: li, Name: "筆電", Record: `{"n":0}`, CreatedAt: d.now}
		must(t, i.AddPasskey(ctx, want, testEntry))
		taken := want
		taken.User = mei
		if err := i.AddPasskey(ctx, taken, testEntry); !errs.Is(err, errs.Conflict) {
			t.Errorf("a known credential: %v", err)
		}
		must(t, i.UsePasskey(ctx, want, `{"n":1}`, d.now.Add(time.Minute)))
		if err := i.UsePasskey(ctx, want, `{"n":1}`, d.now.Add(time.Hour)); !errs.Is(err, errs.Conflict) {
			t.Errorf("the same use again: %v", err)
		}
		got, err := i.Passkeys(ctx, li)
		must(t, err)
		want.Record, want.UsedAt = `{"n":1}`, d.now.Add(time.Minute)
		if diff := cmp.Diff([]identity.Passkey{want}, got); diff != "" {
			t.Errorf("passkeys (-want +got):\n%s", diff)
		}
		before := entries(t, db)
		if err := i.RemovePasskey(ctx, mei, "one", testEntry); !errs.Is(err, errs.NotFound) {
			t.Errorf("somebody else's: %v", err)
		}
		if err := i.RemovePasskey(ctx, li, "one", testEntry); !errs.Is(err, errs.Conflict) {
			t.Errorf("the last way in: %v", err)
		}
		if n := entries(t, db); n != before {
			t.Errorf("refusals wrote %d entries", n-before)
		}
		must(t, i.AddPasskey(ctx, identity.Passkey{ID: "two", User: li, Name: "x", Record: "{}", CreatedAt: d.now}, testEntry))
		must(t, i.RemovePasskey(ctx, li, "one", testEntry))
	})
}

func TestSecrets(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li := person(t, d, "li@north.example")
		none, err := i.Secrets(ctx, "nobody")
		if err != nil || none != (identity.Secrets{}) {
			t.Errorf("nobody: %+v, %v", none, err)
		}
		want := identity.Secrets{PasswordHash: "phc", App: "sealed", Step: 10, Since: d.now}
		must(t, i.SetSecrets(ctx, li, want, []string{"a", "b"}, testEntry))
		want.Codes = 2
		if got, err := i.Secrets(ctx, li); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		for step, ok := range map[int64]bool{9: false, 10: false} {
			if err := i.UseStep(ctx, li, step); (err == nil) != ok {
				t.Errorf("step %d: %v", step, err)
			}
		}
		must(t, i.UseStep(ctx, li, 11))
		if err := i.UseStep(ctx, li, 11); !errs.Is(err, errs.Conflict) {
			t.Errorf("a step twice: %v", err)
		}
		must(t, i.UseCode(ctx, li, "a", testEntry))
		for _, hash := range []string{"a", "c"} {
			if err := i.UseCode(ctx, li, hash, testEntry); !errs.Is(err, errs.NotFound) {
				t.Errorf("code %s: %v", hash, err)
			}
		}
		must(t, i.SetCodes(ctx, li, []string{"x", "y", "z"}, testEntry))
		must(t, i.SetPassword(ctx, li, "phc2", testEntry))
		if err := i.RemoveSecrets(ctx, li, testEntry); !errs.Is(err, errs.Conflict) {
			t.Errorf("the last way in: %v", err)
		}
		if got, err := i.Secrets(ctx, li); err != nil || got.Codes != 3 || got.PasswordHash != "phc2" || got.Step != 11 {
			t.Errorf("%+v, %v", got, err)
		}
		must(t, i.AddPasskey(ctx, identity.Passkey{ID: "one", User: li, Name: "x", Record: "{}", CreatedAt: d.now}, testEntry))
		must(t, i.RemoveSecrets(ctx, li, testEntry))
		if got, err := i.Secrets(ctx, li); err != nil || got != (identity.Secrets{}) {
			t.Errorf("removed: %+v, %v", got, err)
		}
	})
}

func TestSignIns(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li := person(t, d, "li@north.example")
		start := func(id string, at time.Time) identity.Session {
			s := identity.Session{ID: id, User: li, Method: identity.ByPassword, Browser: "b", Address: "192.0.2.1", Started: at, Seen: at, Setup: true}
			must(t, i.StartSession(ctx, s, testEntry))
			return s
		}
		start("ancient", d.now.Add(-60*24*time.Hour))
		start("old", d.now.Add(-20*time.Hour))
		want := start("one", d.now)
		start("two", d.now.Add(time.Minute))
		if _, err := i.Session(ctx, "ancient"); !errs.Is(err, errs.NotFound) {
			t.Errorf("after two months: %v", err)
		}
		must(t, i.ProveSession(ctx, "one", d.now.Add(time.Hour), testEntry))
		must(t, i.TouchSession(ctx, "one", d.now.Add(time.Hour)))
		want.Proved, want.Seen, want.Setup = d.now.Add(time.Hour), d.now.Add(time.Hour), false
		got, err := i.Session(ctx, "one")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("session (-want +got):\n%s", diff)
		}
		all, err := i.Sessions(ctx, li, d.now.Add(-12*time.Hour))
		if err != nil || len(all) != 2 || all[0].ID != "two" || all[1].ID != "one" {
			t.Errorf("sessions %+v, %v", all, err)
		}
		before := entries(t, db)
		if n, err := i.EndSessions(ctx, identity.Ending{User: "other", ID: "one"}, d.now, testEntry); n != 0 || err != nil || entries(t, db) != before {
			t.Errorf("somebody else's: %d, %v", n, err)
		}
		if n, err := i.EndSessions(ctx, identity.Ending{User: li, But: "one"}, d.now, testEntry); n != 2 || err != nil || entries(t, db) != before+1 {
			t.Errorf("all but one: %d, %v", n, err)
		}
		if err := i.ProveSession(ctx, "two", d.now, testEntry); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("an ended session is proved: %v", err)
		}
		if n, err := i.EndSessions(ctx, identity.Ending{User: li, ID: "one"}, d.now, testEntry); n != 1 || err != nil {
			t.Errorf("one: %d, %v", n, err)
		}
		must(t, i.Note(ctx, testEntry))
	})
}

func TestProviders(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		_, err := d.CreateMember(ctx, sector.System(), sector.Member{ID: "east-life", Name: "East Life", NameZh: "東方人壽", Sector: sector.Insurance})
		must(t, err)
		want := identity.Provider{Member: "north-bank", Issuer: "https://login.north.example", ClientID: "c", Secret: "s", Domains: []string{"a.example", "b.example"}, Since: d.now}
		must(t, i.PutProvider(ctx, want, testEntry))
		thief := want
		thief.Member, thief.Domains = "east-life", []string{"east.example", "b.example"}
		if err := i.PutProvider(ctx, thief, testEntry); !errs.Is(err, errs.Conflict) {
			t.Errorf("another member's domain: %v", err)
		}
		if _, err := i.ProviderFor(ctx, "east.example"); !errs.Is(err, errs.NotFound) {
			t.Errorf("half of a refused provider is there: %v", err)
		}
		want.Domains = []string{"b.example", "c.example"}
		must(t, i.PutProvider(ctx, want, testEntry))
		got, err := i.ProviderFor(ctx, "c.example")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("provider (-want +got):\n%s", diff)
		}
		if _, err := i.ProviderFor(ctx, "a.example"); !errs.Is(err, errs.NotFound) {
			t.Errorf("a domain that was given up: %v", err)
		}
		must(t, i.RemoveProvider(ctx, "north-bank", testEntry))
		if _, err := i.Provider(ctx, "north-bank"); !errs.Is(err, errs.NotFound) {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestRecoveries(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li, mei, wu := person(t, d, "li@north.example"), person(t, d, "mei@north.example"), person(t, d, "wu@north.example")
		ask := func(id string) {
			must(t, i.AskRecovery(ctx, identity.Recovery{ID: id, User: li, By: mei, At: d.now, Expires: d.now.Add(time.Hour)}, testEntry))
		}
		ask("first")
		ask("again")
		waiting, err := i.Recoveries(ctx, d.now)
		if err != nil || len(waiting) != 1 || waiting[0].ID != "again" {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		for name, by := range map[string]sector.UserID{"who asked": mei, "whom it is for": li} {
			if _, err := i.ConfirmRecovery(ctx, "again", by, d.now, testEntry); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s confirms: %v", name, err)
			}
		}
		if _, err := i.ConfirmRecovery(ctx, "again", wu, d.now.Add(2*time.Hour), testEntry); !errs.Is(err, errs.NotFound) {
			t.Errorf("too late: %v", err)
		}
		r, err := i.ConfirmRecovery(ctx, "again", wu, d.now, testEntry)
		if err != nil || r.User != li || r.By != mei {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := i.ConfirmRecovery(ctx, "again", wu, d.now, testEntry); !errs.Is(err, errs.NotFound) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestSubjects(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li, mei := person(t, d, "li@north.example"), person(t, d, "mei@north.example")
		one := identity.Subject{Member: "north-bank", Issuer: "https://login.north.example", Subject: "1", User: li, Since: d.now}
		if _, err := i.SubjectOf(ctx, one); !errs.Is(err, errs.NotFound) {
			t.Errorf("nobody yet: %v", err)
		}
		must(t, i.BindSubject(ctx, one, testEntry))
		before := entries(t, db)
		again, another := one, one
		again.User, another.Subject = mei, "2"
		for name, s := range map[string]identity.Subject{"a subject twice": again, "a person twice": another} {
			if err := i.BindSubject(ctx, s, testEntry); !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := entries(t, db); n != before {
			t.Errorf("refusals wrote %d entries", n-before)
		}
		elsewhere := one
		elsewhere.Issuer = "https://other.example"
		must(t, i.BindSubject(ctx, elsewhere, testEntry))
		if got, err := i.SubjectOf(ctx, one); got != li || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		got, err := i.SubjectsOf(ctx, li)
		must(t, err)
		if diff := cmp.Diff([]identity.Subject{one, elsewhere}, got); diff != "" {
			t.Errorf("subjects (-want +got):\n%s", diff)
		}
		must(t, i.ForgetSubject(ctx, li, testEntry))
		if err := i.ForgetSubject(ctx, li, testEntry); !errs.Is(err, errs.NotFound) {
			t.Errorf("forgotten twice: %v", err)
		}
		must(t, i.BindSubject(ctx, another, testEntry))
		must(t, i.PutProvider(ctx, identity.Provider{Member: "north-bank", Issuer: one.Issuer, ClientID: "c", Domains: []string{"north.example"}}, testEntry))
		must(t, i.RemoveProvider(ctx, "north-bank", testEntry))
		if _, err := i.SubjectOf(ctx, another); !errs.Is(err, errs.NotFound) {
			t.Errorf("the provider is gone, its subject is not: %v", err)
		}
	})
}

// TestWhoIsRemovedStaysOut: sessions, tokens and links of somebody who is
// removed end in the same transaction, and do not live again with the account;
// so do the sessions of a member's people when it takes no part.
func TestWhoIsRemovedStaysOut(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i, org := newDirectory(t, db), db.Identity(), db.Organisation()
		li, mei := person(t, d, "li@north.example"), person(t, d, "mei@north.example")
		session := func(id string, user sector.UserID) {
			must(t, i.StartSession(ctx, identity.Session{ID: id, User: user, Started: d.now, Seen: d.now}, testEntry))
		}
		ended := func(id string) bool {
			s, err := i.Session(ctx, id)
			must(t, err)
			return !s.Ended.IsZero()
		}
		session("li", li)
		session("mei", mei)
		token := sector.Token{ID: "t", User: li, Name: "x", Roles: []sector.Role{sector.MemberStaff}, CreatedAt: d.now, ExpiresAt: d.now.Add(time.Hour)}
		must(t, db.Sector().CreateToken(ctx, token, "hash", testEntry))
		link, err := d.CreateLink(ctx, sector.System(), li, time.Hour)
		must(t, err)
		u, err := db.Sector().User(ctx, li)
		must(t, err)
		u.RemovedAt = d.now
		if err := org.ChangePerson(ctx, u, sector.MemberAdmin, testEntry); !errs.Is(err, errs.Conflict) || ended("li") {
			t.Errorf("nobody would administer any more: %v; the session ended: %v", err, ended("li"))
		}
		must(t, org.ChangePerson(ctx, u, sector.MemberStaff, testEntry))
		u.RemovedAt = time.Time{}
		must(t, org.ChangePerson(ctx, u, sector.MemberStaff, testEntry))
		tokens, err := db.Sector().Tokens(ctx, li)
		must(t, err)
		if !ended("li") || ended("mei") || tokens[0].RevokedAt.IsZero() {
			t.Errorf("brought back: the session ended: %v, another's: %v, the token: %+v", ended("li"), ended("mei"), tokens[0])
		}
		if _, err := d.Redeem(ctx, link); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("the link lives again: %v", err)
		}
		must(t, d.SetMemberState(ctx, "north-bank", sector.Suspended, testEntry))
		must(t, d.SetMemberState(ctx, "north-bank", sector.TakesPart, testEntry))
		if !ended("mei") {
			t.Error("a session outlives its member's suspension")
		}
	})
}

// TestTelling: what is to be told of a change is enqueued with it, or not at
// all.
func TestTelling(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d, i := newDirectory(t, db), db.Identity()
		li := person(t, d, "li@north.example")
		db.Telling(func(e ledger.Entry) []jobs.Job {
			if e.Action == "credential.change" {
				return []jobs.Job{jobs.New("told", e.Object)}
			}
			return nil
		})
		told := func() (n int) {
			must(t, db.read.QueryRowContext(ctx, `SELECT count(*) FROM river_job`).Scan(&n))
			return n
		}
		change := ledger.Entry{Actor: "user:x", Action: "credential.change", Object: "user:" + string(li)}
		must(t, i.SetPassword(ctx, li, "phc", change))
		if n := told(); n != 1 {
			t.Errorf("%d jobs after a change", n)
		}
		if err := i.SetPassword(ctx, "nobody", "phc", change); err == nil {
			t.Error("nobody's password was set")
		}
		must(t, i.SetCodes(ctx, li, []string{"a"}, testEntry))
		if n := told(); n != 1 {
			t.Errorf("%d jobs after a refusal and an entry that tells nothing", n)
		}
		must(t, db.Sector().CreateLink(ctx, "h", li, d.now.Add(time.Hour), []jobs.Job{jobs.New("told", 1)}, testEntry))
		if err := db.Sector().CreateLink(ctx, "h", li, d.now.Add(time.Hour), []jobs.Job{jobs.New("told", 2)}, testEntry); err == nil {
			t.Error("two links have one secret")
		}
		if n := told(); n != 2 {
			t.Errorf("%d jobs after a link and one that failed", n)
		}
	})
}
