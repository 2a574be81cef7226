package sqldb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// TestTokens follows tokens from creation to their end, on every engine.
func TestTokens(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, now := context.Background(), time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		people := sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), clock)
		tokens := sector.NewTokens(db.Sector(), people, clock)
		u, err := people.CreateUser(ctx, sector.System(), sector.User{
			Email: "ana@centre.example", Roles: []sector.Role{sector.Administrator, sector.Analyst}}, "")
		must(t, err)
		v, err := people.Refresh(ctx, u.ID)
		must(t, err)

		all, secret, err := tokens.Create(ctx, v, " laptop ", nil, time.Hour)
		must(t, err)
		less, lessSecret, err := tokens.Create(ctx, v, "screen", []sector.Role{sector.Analyst}, 48*time.Hour)
		must(t, err)
		if !sector.IsToken(secret) || all.Name != "laptop" || len(all.Roles) != 2 {
			t.Errorf("token %+v", all)
		}
		by, err := tokens.Authenticate(ctx, lessSecret)
		must(t, err)
		if d := cmp.Diff(sector.Viewer{Org: sector.Centre, User: u.ID, Email: u.Email, Roles: []sector.Role{sector.Analyst}, Token: less.ID}, by); d != "" {
			t.Errorf("viewer (-want +got):\n%s", d)
		}
		if by.May(sector.WriteMembers) || !by.May(sector.WriteDrafts) {
			t.Error("the token's roles are not its limits")
		}
		for name, make := range map[string]func() error{
			"a token by a token": func() error { _, _, err := tokens.Create(ctx, by, "x", nil, time.Hour); return err },
			"a role not held": func() error {
				_, _, err := tokens.Create(ctx, v, "x", []sector.Role{sector.DutyManager}, time.Hour)
				return err
			},
			"no name":  func() error { _, _, err := tokens.Create(ctx, v, " ", nil, time.Hour); return err },
			"for ever": func() error { _, _, err := tokens.Create(ctx, v, "x", nil, 10000*time.Hour); return err },
			"a machine": func() error {
				_, _, err := tokens.Create(ctx, sector.Viewer{Key: "k"}, "x", nil, time.Hour)
				return err
			},
			"a token that is not": func() error { _, err := tokens.Authenticate(ctx, sector.TokenPrefix+"x"); return err },
			"somebody else's":     func() error { return tokens.Revoke(ctx, sector.Viewer{User: "other"}, less.ID) },
		} {
			if err := make(); err == nil || errs.Is(err, errs.Internal) {
				t.Errorf("%s: %v", name, err)
			}
		}
		now = now.Add(2 * time.Hour)
		if _, err := tokens.Authenticate(ctx, secret); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("an expired token: %v", err)
		}
		must(t, tokens.Revoke(ctx, v, less.ID))
		must(t, tokens.Revoke(ctx, v, less.ID))
		if _, err := tokens.Authenticate(ctx, lessSecret); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("a revoked token: %v", err)
		}
		list, err := tokens.List(ctx, v)
		must(t, err)
		if len(list) != 2 || list[0].LastUsed.IsZero() && list[1].LastUsed.IsZero() {
			t.Errorf("list %+v", list)
		}
		if n, err := db.VerifyLedger(ctx); err != nil || n != 4 { // person, two tokens, one revoked
			t.Errorf("the ledger has %d entries, %v", n, err)
		}
	})
}

func TestReplays(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, now := context.Background(), time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		s := db.Replays()
		day := now.Add(-access.ReplayLife)
		claim := func(slot, request string, at, since time.Time) (access.Replay, bool) {
			t.Helper()
			r, ok, err := s.Claim(ctx, slot, access.Replay{Request: request, At: at}, since)
			must(t, err)
			return r, ok
		}
		if _, ok := claim("a", "r1", now, day); !ok {
			t.Error("a free slot is not claimed")
		}
		if r, ok := claim("a", "r2", now, day); ok || r.Request != "r1" || r.Answer != "" || !r.At.Equal(now) {
			t.Errorf("a claimed slot: %v %+v", ok, r)
		}
		must(t, s.Keep(ctx, "a", "answer"))
		if r, ok := claim("a", "r1", now, day); ok || r.Answer != "answer" {
			t.Errorf("an answered slot: %v %+v", ok, r)
		}
		claim("b", "r1", now, day)
		must(t, s.Release(ctx, "b"))
		if _, ok := claim("b", "r1", now, day); !ok {
			t.Error("a released slot is not free")
		}
		if _, ok := claim("b", "r1", now.Add(time.Minute), now); !ok {
			t.Error("a slot that was given up is not free")
		}
		if r, ok := claim("a", "r1", now, day); ok || r.Answer != "answer" {
			t.Error("giving one up took another away")
		}
		if _, ok := claim("a", "r1", now.Add(25*time.Hour), now.Add(time.Hour)); !ok {
			t.Error("a day later the slot is not free")
		}
	})
}

// TestNamesAreWhatTheyLookLike: a key's or a token's name, which others read in
// lists, holds nothing unseen.
func TestNamesAreWhatTheyLookLike(t *testing.T) {
	ctx := context.Background()
	db := openForTest(t, t.TempDir()+"/a.db")
	d := newDirectory(t, db)
	li := person(t, d, "li@north.example")
	v, err := d.Refresh(ctx, li)
	must(t, err)
	tokens := sector.NewTokens(db.Sector(), d, func() time.Time { return d.now })
	for _, name := range []string{"siem\u202e gnp", "siem\u200b", "\uff53iem", "s\u0456em"} {
		if _, _, err := tokens.Create(ctx, v, name, nil, time.Hour); !errs.Is(err, errs.Invalid) {
			t.Errorf("a token named %+q: %v", name, err)
		}
		spec := sector.KeySpec{Member: "north-bank", Scopes: []sector.Scope{sector.ScopeRecords}, Name: name, Lifetime: 24 * time.Hour}
		if _, _, err := d.IssueKey(ctx, sector.System(), spec); !errs.Is(err, errs.Invalid) || strings.HasPrefix(err.Error(), "key.") {
			t.Errorf("a key named %+q: %v", name, err)
		}
	}
}
