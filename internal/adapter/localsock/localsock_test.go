package localsock

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// fake refuses the id "taken" and fails for the id "broken".
type fake struct{}

func (f *fake) CreateMember(_ context.Context, by sector.Viewer, m sector.Member) (sector.Member, error) {
	switch {
	case by.Actor() != "system":
		return m, errors.New("who is this?")
	case m.ID == "taken":
		return m, errs.New(errs.Conflict, "sector.member_taken")
	case m.ID == "broken":
		return m, errors.New("disk on fire")
	}
	m.CreatedAt = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	return m, nil
}

func (f *fake) CreateUser(_ context.Context, _ sector.Viewer, u sector.User, password string) (sector.User, error) {
	u.ID = sector.UserID("id-of-" + password)
	return u, nil
}

func (f *fake) IssueKey(_ context.Context, _ sector.Viewer, spec sector.KeySpec) (sector.Key, string, error) {
	return sector.Key{ID: "k", Member: spec.Member, Scopes: spec.Scopes, Networks: spec.Networks}, "secret", nil
}

func (f *fake) CreateLinkFor(_ context.Context, _ sector.Viewer, email string, valid time.Duration) (string, error) {
	if email != "lost@centre.example" || valid != time.Hour {
		return "", errs.New(errs.NotFound, "sector.user_unknown")
	}
	return "link-secret", nil
}

func TestOverTheSocket(t *testing.T) {
	for name, data := range map[string]string{
		"short path": t.TempDir(),
		"long path":  t.TempDir() + "/" + strings.Repeat("long/", 30),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(data, 0o700); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- Serve(ctx, data, &fake{}) }()
			client := waitFor(t, data)
			by := sector.System()
			m, err := client.CreateMember(ctx, by, sector.Member{ID: "north-bank", NameZh: "北方銀行"})
			if err != nil || m.NameZh != "北方銀行" || m.CreatedAt.IsZero() {
				t.Errorf("CreateMember = %+v, %v", m, err)
			}
			if _, err := client.CreateMember(ctx, by, sector.Member{ID: "taken"}); !errs.Is(err, errs.Conflict) {
				t.Errorf("taken: %v, want a conflict", err)
			}
			if _, err := client.CreateMember(ctx, by, sector.Member{ID: "broken"}); err == nil || err.Error() != "disk on fire" {
				t.Errorf("broken: %v", err)
			}
			if u, err := client.CreateUser(ctx, by, sector.User{Email: "a@b.example"}, "pw"); err != nil || u.ID != "id-of-pw" {
				t.Errorf("CreateUser = %+v, %v", u, err)
			}
			k, secret, err := client.IssueKey(ctx, by, sector.KeySpec{Member: "north-bank", Scopes: []sector.Scope{sector.ScopeTAXII},
				Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
			if err != nil || secret != "secret" || len(k.Scopes) != 1 || len(k.Networks) != 1 {
				t.Errorf("IssueKey = %+v, %q, %v", k, secret, err)
			}
			if link, err := client.CreateLinkFor(ctx, by, "lost@centre.example", time.Hour); err != nil || link != "link-secret" {
				t.Errorf("CreateLinkFor = %q, %v", link, err)
			}
			if _, err := client.CreateLinkFor(ctx, by, "other@centre.example", time.Hour); !errs.Is(err, errs.NotFound) {
				t.Errorf("nobody: %v", err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("Serve: %v", err)
			}
			if _, err := client.CreateMember(context.Background(), by, sector.Member{ID: "late"}); err == nil {
				t.Error("the socket still answers")
			}
		})
	}
}

// waitFor returns a client once the socket is there and only its owner's.
func waitFor(t *testing.T, data string) *Client {
	t.Helper()
	for range 500 {
		if info, err := os.Stat(Path(data)); err == nil && info.Mode().Perm() == 0o600 {
			return Dial(data)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the socket does not appear")
	return nil
}
