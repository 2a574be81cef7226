package sqldb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

type fixture struct {
	*sector.Directory
	now time.Time
}

func newDirectory(t *testing.T, db *DB) *fixture {
	f := &fixture{now: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)}
	f.Directory = sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), func() time.Time { return f.now })
	_, err := f.CreateMember(context.Background(), sector.System(), sector.Member{
		ID: "north-bank", Name: "North Bank", NameZh: "北方銀行", Sector: sector.Banking, Mail: "soc@north.example"})
	must(t, err)
	return f
}

func TestMembersAndUsers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		want := sector.Viewer{Org: sector.MemberOrg, Member: "north-bank", Sector: sector.Banking, Email: "li@north.example", Roles: []sector.Role{sector.MemberStaff}}
		u, err := d.CreateUser(ctx, sector.System(), sector.User{Email: "Li@North.example", Roles: []sector.Role{sector.MemberStaff}, Member: "north-bank"}, "correct horse battery")
		must(t, err)
		want.User = u.ID
		found, err := d.Person(ctx, " LI@north.example")
		must(t, err)
		got, err := d.Refresh(ctx, found.ID)
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("viewer (-want +got):\n%s", diff)
		}
		if _, err := d.Person(ctx, "who@north.example"); !errs.Is(err, errs.NotFound) {
			t.Errorf("nobody: %v", err)
		}
		if _, err := d.Person(ctx, "l\u0456@north.example"); !errs.Is(err, errs.Invalid) {
			t.Errorf("a look-alike: %v", err)
		}
		if n, err := db.VerifyLedger(ctx); err != nil || n != 2 {
			t.Errorf("ledger: %d entries, %v; want member.create and user.create", n, err)
		}
	})
}

func TestDirectoryRefuses(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		member := func(change func(*sector.Member)) error {
			m := sector.Member{ID: "east-life", Name: "East Life", NameZh: "東方人壽", Sector: sector.Insurance}
			change(&m)
			_, err := d.CreateMember(ctx, sector.System(), m)
			return err
		}
		user := func(u sector.User, password string) error {
			_, err := d.CreateUser(ctx, sector.System(), u, password)
			return err
		}
		staff := sector.User{Email: "a@b.example", Roles: []sector.Role{sector.MemberStaff}, Member: "north-bank"}
		must(t, user(staff, ""))
		for name, c := range map[string]struct {
			err  error
			kind errs.Kind
		}{
			"taken id":        {member(func(m *sector.Member) { m.ID = "north-bank" }), errs.Conflict},
			"id with space":   {member(func(m *sector.Member) { m.ID = "north bank" }), errs.Invalid},
			"no zh name":      {member(func(m *sector.Member) { m.NameZh = " " }), errs.Invalid},
			"unknown sector":  {member(func(m *sector.Member) { m.Sector = "farming" }), errs.Invalid},
			"bad mail":        {member(func(m *sector.Member) { m.Mail = "x\r\nBcc: y@z" }), errs.Invalid},
			"taken address":   {user(staff, ""), errs.Conflict},
			"unknown role":    {user(sector.User{Email: "c@d.example", Roles: []sector.Role{"god"}}, ""), errs.Invalid},
			"no member":       {user(sector.User{Email: "c@d.example", Roles: []sector.Role{sector.MemberStaff}}, ""), errs.Invalid},
			"centre + member": {user(sector.User{Email: "c@d.example", Roles: []sector.Role{sector.Analyst}, Member: "north-bank"}, ""), errs.Invalid},
			"unknown member":  {user(sector.User{Email: "c@d.example", Roles: []sector.Role{sector.MemberStaff}, Member: "none"}, ""), errs.NotFound},
			"weak password":   {user(sector.User{Email: "c@d.example", Roles: []sector.Role{sector.Analyst}}, "password1234"), errs.Invalid},
			"short password":  {user(sector.User{Email: "c@d.example", Roles: []sector.Role{sector.Analyst}}, "short"), errs.Invalid},
		} {
			if !errs.Is(c.err, c.kind) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
	})
}

func TestLinksWorkOnce(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		u, err := d.CreateUser(ctx, sector.System(), sector.User{Email: "admin@centre.example", Roles: []sector.Role{sector.Administrator}}, "")
		must(t, err)
		secret, err := d.CreateLink(ctx, sector.System(), u.ID, time.Hour)
		must(t, err)
		if v, err := d.Redeem(ctx, secret); err != nil || v.User != u.ID || v.Org != sector.Centre {
			t.Fatalf("Redeem = %+v, %v", v, err)
		}
		late, err := d.CreateLink(ctx, sector.System(), u.ID, time.Hour)
		must(t, err)
		d.now = d.now.Add(2 * time.Hour)
		for name, s := range map[string]string{"used": secret, "expired": late, "unknown": "nothing"} {
			if _, err := d.Redeem(ctx, s); !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("%s: %v, want Unauthenticated", name, err)
			}
		}
	})
}

func TestKeys(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		k, secret, err := d.CreateKey(ctx, sector.System(), "north-bank", []sector.Scope{sector.ScopeTAXII, sector.ScopeRecords})
		must(t, err)
		v, err := d.AuthenticateKey(ctx, secret)
		must(t, err)
		want := sector.Viewer{Org: sector.MemberOrg, Member: "north-bank", Sector: sector.Banking, Key: k.ID,
			Scopes: []sector.Scope{sector.ScopeRecords, sector.ScopeTAXII}}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Errorf("viewer (-want +got):\n%s", diff)
		}
		must(t, d.RevokeKey(ctx, sector.System(), k))
		for name, s := range map[string]string{"revoked": secret, "unknown": "aspis_nothing", "empty": ""} {
			if _, err := d.AuthenticateKey(ctx, s); !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("%s: %v, want Unauthenticated", name, err)
			}
		}
		keys, err := d.Keys(ctx, "north-bank")
		must(t, err)
		if len(keys) != 1 || keys[0].RevokedAt.IsZero() || keys[0].LastUsed.IsZero() {
			t.Errorf("keys = %+v", keys)
		}
	})
}

func TestSessions(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		s := db.Sessions()
		must(t, s.Commit("live", []byte("one"), time.Now().Add(time.Hour)))
		must(t, s.Commit("live", []byte("two"), time.Now().Add(time.Hour)))
		must(t, s.Commit("past", []byte("old"), time.Now().Add(-time.Hour)))
		if data, ok, err := s.Find("live"); err != nil || !ok || string(data) != "two" {
			t.Errorf("live: %q, %v, %v", data, ok, err)
		}
		if _, ok, err := s.Find("past"); err != nil || ok {
			t.Errorf("past: %v, %v", ok, err)
		}
		must(t, s.Delete("live"))
		if _, ok, err := s.Find("live"); err != nil || ok {
			t.Errorf("deleted: %v, %v", ok, err)
		}
	})
}

// TestLookAlikeMembers: a name that people would take for another member's is
// refused, however it is spelt, in either language.
func TestLookAlikeMembers(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		d := newDirectory(t, db)
		first := sector.Member{ID: "cafe-bank", Name: "Caf\u00e9 Bank", NameZh: "咖啡銀行", Sector: sector.Banking}
		if _, err := d.CreateMember(context.Background(), sector.System(), first); err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct{ name, zh, key string }{
			"decomposed":                   {"Cafe\u0301 Bank", "另一家", "sector.member_name_taken"},
			"other case and blanks":        {"CAF\u00c9   bank", "另一家", "sector.member_name_taken"},
			"compatibility forms":          {"Other", "咖啡銀\u2f8f", "sector.member_name_taken"}, // ⾏, a radical drawn as 行
			"full-width letters":           {"Ｃaf\u00e9 Bank", "另一家", "text.wide"},
			"zero-width":                   {"Caf\u00e9\u200b Bank", "另一家", "text.unseen"},
			"bidi override":                {"Caf\u00e9\u202e Bank", "另一家", "text.unseen"},
			"a letter of another alphabet": {"C\u0430f\u00e9 Bank", "另一家", "text.scripts"},
		} {
			_, err := d.CreateMember(context.Background(), sector.System(), sector.Member{ID: "other-bank", Name: c.name, NameZh: c.zh, Sector: sector.Banking})
			if err == nil || !strings.HasPrefix(err.Error(), c.key) {
				t.Errorf("%s: %v, want %s", what, err, c.key)
			}
		}
	})
}
