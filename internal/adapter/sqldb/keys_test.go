package sqldb

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/sector"
)

// from is a context in which the peer has the address.
func from(addr string) context.Context {
	return peer.With(context.Background(), peer.Peer{Addr: netip.MustParseAddr(addr)})
}

func networks(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	all, err := peer.ParseNetworks(texts)
	must(t, err)
	return all
}

func TestKeyKeepsWhatItWasMadeWith(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		made, _, err := d.IssueKey(ctx, sector.System(), sector.KeySpec{
			Member: "north-bank", Name: "SIEM 主機", Notes: "two\nlines", Scopes: []sector.Scope{sector.ScopeRecords},
			Networks: networks(t, "192.0.2.77/24", "192.0.2.0/24", "2001:db8::/32")})
		must(t, err)
		got, err := d.Key(ctx, sector.System(), made.ID)
		must(t, err)
		if diff := cmp.Diff(made, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Errorf("(-made +got):\n%s", diff)
		}
		if len(got.Networks) != 2 || got.ExpiresAt.Sub(got.CreatedAt) != sector.KeyLifetime {
			t.Errorf("networks %v, expires %v", got.Networks, got.ExpiresAt)
		}
		endless, _, err := d.IssueKey(ctx, sector.System(), sector.KeySpec{
			Member: "north-bank", Scopes: []sector.Scope{sector.ScopeRecords}, Endless: true})
		if err != nil || !endless.ExpiresAt.IsZero() {
			t.Errorf("an endless key expires at %v, %v", endless.ExpiresAt, err)
		}
	})
}

func TestKeyEndsInTimeAndPlace(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		k, secret, err := d.IssueKey(ctx, sector.System(), sector.KeySpec{
			Member: "north-bank", Scopes: []sector.Scope{sector.ScopeRecords}, Networks: networks(t, "192.0.2.0/24"), Lifetime: 24 * time.Hour})
		must(t, err)
		_, err = d.AuthenticateKey(from("192.0.2.9"), secret)
		must(t, err)
		before, err := db.VerifyLedger(ctx)
		must(t, err)
		for _, c := range []context.Context{from("198.51.100.9"), from("2001:db8::1"), ctx, from("198.51.100.9")} {
			if _, err := d.AuthenticateKey(c, secret); !errs.Is(err, errs.Forbidden) {
				t.Errorf("from elsewhere: %v, want Forbidden", err)
			}
		}
		if after, err := db.VerifyLedger(ctx); err != nil || after != before+1 {
			t.Errorf("%d entries about four refusals within the hour, %v", after-before, err)
		}
		d.now = d.now.Add(61 * time.Minute)
		_, err = d.AuthenticateKey(from("198.51.100.9"), secret)
		if !errs.Is(err, errs.Forbidden) {
			t.Error(err)
		}
		var detail string
		must(t, db.Read().QueryRowContext(ctx, `SELECT detail FROM ledger WHERE action = 'key.refused' ORDER BY seq DESC`).Scan(&detail))
		if detail != `{"from":"198.51.100.9","reason":"network","unwritten":3}` {
			t.Errorf("the second entry says %s", detail)
		}
		d.now = k.ExpiresAt
		if _, err := d.AuthenticateKey(from("192.0.2.9"), secret); !errs.Is(err, errs.Unauthenticated) || !strings.Contains(err.Error(), "key.expired") {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestRotationOverlaps(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		k, old, err := d.CreateKey(ctx, sector.System(), "north-bank", []sector.Scope{sector.ScopeRecords})
		must(t, err)
		d.now = d.now.Add(300 * 24 * time.Hour)
		rotated, fresh, err := d.RotateKey(ctx, sector.System(), k.ID, 7*24*time.Hour)
		must(t, err)
		works := func(name, secret string, want bool) {
			t.Helper()
			if v, err := d.AuthenticateKey(ctx, secret); (err == nil) != want || want && v.Key != k.ID {
				t.Errorf("%s works: %v, want %v", name, err, want)
			}
		}
		works("old in the overlap", old, true)
		works("new in the overlap", fresh, true)
		if rotated.ExpiresAt.Sub(d.now) != sector.KeyLifetime || len(rotated.Credentials) != 2 {
			t.Errorf("rotated: %+v", rotated)
		}
		shown, err := d.Key(ctx, sector.System(), k.ID)
		must(t, err)
		for _, c := range shown.Credentials {
			if !c.LastUsed.Equal(d.now) {
				t.Errorf("credential %s was last used %v", c.ID, c.LastUsed)
			}
		}
		d.now = d.now.Add(8 * 24 * time.Hour)
		works("old after the overlap", old, false)
		works("new after the overlap", fresh, true)
		_, third, err := d.RotateKey(ctx, sector.System(), k.ID, 7*24*time.Hour)
		must(t, err)
		shown, err = d.Key(ctx, sector.System(), k.ID)
		must(t, err)
		if first := shown.Credentials[2]; !first.EndsAt.Before(d.now) {
			t.Errorf("the first secret came to life again: %+v", first)
		}
		works("the replaced one", fresh, true)
		must(t, d.EndCredential(ctx, sector.System(), k.ID, shown.Credentials[1].ID))
		works("ended at once", fresh, false)
		works("the third", third, true)
		must(t, d.RevokeKey(ctx, sector.System(), k))
		works("the third of a revoked key", third, false)
		if _, _, err := d.RotateKey(ctx, sector.System(), k.ID, 0); !errs.Is(err, errs.Conflict) {
			t.Errorf("rotating a revoked key: %v", err)
		}
	})
}

func TestExpiredSecretStaysDead(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		k, old, err := d.CreateKey(ctx, sector.System(), "north-bank", []sector.Scope{sector.ScopeRecords})
		must(t, err)
		d.now = k.ExpiresAt.Add(time.Hour)
		_, fresh, err := d.RotateKey(ctx, sector.System(), k.ID, 7*24*time.Hour)
		must(t, err)
		if _, err := d.AuthenticateKey(ctx, old); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("the expired secret works again: %v", err)
		}
		_, err = d.AuthenticateKey(ctx, fresh)
		must(t, err)
	})
}

func TestKeysBelongToTheirMember(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		_, err := d.CreateMember(ctx, sector.System(), sector.Member{ID: "east-life", Name: "East", NameZh: "東", Sector: sector.Insurance})
		must(t, err)
		scopes := []sector.Scope{sector.ScopeRecords}
		k, _, err := d.CreateKey(ctx, sector.System(), "north-bank", scopes)
		must(t, err)
		stranger := sector.Viewer{Org: sector.MemberOrg, Member: "east-life", User: "u", Roles: []sector.Role{sector.MemberAdmin}}
		_, unknown := d.Key(ctx, stranger, "no-such-key")
		_, _, rotated := d.RotateKey(ctx, stranger, k.ID, 0)
		_, _, issued := d.IssueKey(ctx, stranger, sector.KeySpec{Member: "north-bank", Scopes: scopes})
		_, _, nowhere := d.IssueKey(ctx, stranger, sector.KeySpec{Member: "no-such-bank", Scopes: scopes})
		_, looked := d.Key(ctx, stranger, k.ID)
		_, changed := d.ChangeKey(ctx, stranger, k.ID, "mine", "", nil)
		for name, c := range map[string]struct{ got, want error }{
			"read": {looked, unknown}, "rotate": {rotated, unknown}, "change": {changed, unknown},
			"revoke": {d.RevokeKey(ctx, stranger, k), unknown}, "end": {d.EndCredential(ctx, stranger, k.ID, k.Credentials[0].ID), unknown},
			"issue": {issued, fmt.Errorf("%s", strings.ReplaceAll(nowhere.Error(), "no-such-bank", "north-bank"))},
		} {
			if c.got == nil || c.got.Error() != c.want.Error() {
				t.Errorf("%s: %v, want the words %v", name, c.got, c.want)
			}
		}
		if keys, err := d.KeysFor(ctx, stranger, sector.KeyQuery{}); err != nil || len(keys) != 0 {
			t.Errorf("a stranger lists %v, %v", keys, err)
		}
		if keys, err := d.KeysFor(ctx, sector.Viewer{Org: sector.Partner}, sector.KeyQuery{}); err != nil || len(keys) != 0 {
			t.Errorf("a partner lists %v, %v", keys, err)
		}
	})
}

func TestKeyListPagesAndFilters(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx := context.Background()
		d := newDirectory(t, db)
		start, want := d.now, map[sector.KeyState]int{}
		for i := range 23 {
			spec := sector.KeySpec{Member: "north-bank", Scopes: []sector.Scope{sector.ScopeTAXII}}
			spec.Lifetime = []time.Duration{0, 35 * 24 * time.Hour, time.Hour}[i%3]
			k, _, err := d.IssueKey(ctx, sector.System(), spec)
			must(t, err)
			if i%5 == 0 {
				must(t, d.RevokeKey(ctx, sector.System(), k))
			}
			if i%4 == 0 { // several keys of one moment
				d.now = d.now.Add(time.Hour)
			}
		}
		d.now = start.Add(20 * 24 * time.Hour)
		all, err := d.Keys(ctx, "north-bank")
		must(t, err)
		for _, k := range all {
			want[k.State(d.now)]++
		}
		got := map[sector.KeyState]int{}
		for _, state := range append(sector.KeyStates(), "") {
			var seen []string
			q := sector.KeyQuery{State: state, Limit: 4}
			for {
				page, err := d.KeysFor(ctx, sector.System(), q)
				must(t, err)
				for _, k := range page {
					seen = append(seen, k.ID)
					if state != "" && k.State(d.now) != state {
						t.Errorf("%s among the %s ones", k.State(d.now), state)
					}
				}
				if len(page) < q.Limit {
					break
				}
				q.Before, q.AfterID = page[3].CreatedAt, page[3].ID
			}
			got[state] = len(seen)
			if slices.Sort(seen); len(slices.Compact(seen)) != got[state] {
				t.Errorf("%s: a key is on two pages", state)
			}
		}
		want[""] = 23
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestKeyChecksAreCheap: a machine that is known costs neither a query nor a
// write.
func TestKeyChecksAreCheap(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "aspis.db"))
	ctx := context.Background()
	d := newDirectory(t, db)
	_, secret, err := d.CreateKey(ctx, sector.System(), "north-bank", []sector.Scope{sector.ScopeRecords})
	must(t, err)
	_, err = d.AuthenticateKey(ctx, secret)
	must(t, err)
	must(t, db.read.Close()) // every question to the store fails from here on
	if _, err := d.AuthenticateKey(ctx, secret); err != nil {
		t.Errorf("the store was asked again: %v", err)
	}
	d.now = d.now.Add(6 * time.Second)
	if _, err := d.AuthenticateKey(ctx, secret); err == nil {
		t.Error("what another process changes is never seen")
	}
}

func BenchmarkAuthenticateKey(b *testing.B) {
	db, err := Open(b.Context(), b.TempDir()+"/bench.db", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	d := sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), time.Now)
	_, err = d.CreateMember(b.Context(), sector.System(), sector.Member{ID: "north-bank", Name: "N", NameZh: "北", Sector: sector.Banking})
	if err != nil {
		b.Fatal(err)
	}
	_, secret, err := d.CreateKey(b.Context(), sector.System(), "north-bank", sector.Scopes())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.AuthenticateKey(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}
