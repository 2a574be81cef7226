package tokens_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/tokens"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// drawer keeps tokens in memory.
type drawer struct{ all []sector.Token }

func (d *drawer) Create(_ context.Context, v sector.Viewer, name string, roles []sector.Role, life time.Duration) (sector.Token, string, error) {
	if name == "no" {
		return sector.Token{}, "", errs.New(errs.Conflict, "token.too_many", 20)
	}
	t := sector.Token{ID: "t1", User: v.User, Name: name, Roles: roles, CreatedAt: webtest.Now(), ExpiresAt: webtest.Now().Add(life)}
	d.all = append(d.all, t)
	return t, "aspis_pat_secret", nil
}

func (d *drawer) List(context.Context, sector.Viewer) ([]sector.Token, error) { return d.all, nil }

func (d *drawer) Revoke(_ context.Context, _ sector.Viewer, id string) error {
	for i := range d.all {
		if d.all[i].ID == id {
			d.all[i].RevokedAt = webtest.Now()
			return nil
		}
	}
	return errs.New(errs.NotFound, "token.unknown")
}

// TestPage walks the page in both languages: empty, a token that was made and
// shown once, expired ones, a mistake.
func TestPage(t *testing.T) {
	for _, lang := range []i18n.Lang{i18n.ZhHant, i18n.En} {
		d := &drawer{}
		kit := webtest.New(t)
		if err := tokens.Mount(kit.Routes, kit.Shell, d, webtest.Now); err != nil {
			t.Fatal(err)
		}
		webtest.Check(t, kit.Get(t, sector.Analyst, lang, "/tokens"))
		form := url.Values{"name": {"laptop"}, "days": {"7"}, "roles": {string(sector.Analyst)}}
		made := kit.Post(t, sector.Analyst, lang, "/tokens", form)
		webtest.Check(t, made)
		if made.Status != 201 || !strings.Contains(made.Body, "aspis_pat_secret") || d.all[0].ExpiresAt != webtest.Now().Add(7*24*time.Hour) {
			t.Errorf("%s: %d, %+v", lang, made.Status, d.all)
		}
		d.all = append(d.all, sector.Token{ID: "t2", Name: "old", Roles: []sector.Role{sector.Analyst}, ExpiresAt: webtest.Now().Add(-time.Hour)})
		kit.Post(t, sector.Analyst, lang, "/tokens/t1/revoke", nil)
		page := kit.Get(t, sector.Analyst, lang, "/tokens")
		webtest.Check(t, page)
		if strings.Contains(page.Body, "aspis_pat_secret") || strings.Contains(page.Body, "/revoke") {
			t.Errorf("%s: the secret, or a way to end what has ended, is on the page", lang)
		}
		form.Set("name", "no")
		if refused := kit.Post(t, sector.Analyst, lang, "/tokens", form); refused.Status < 400 || strings.Contains(refused.Body, "aspis_pat_secret") {
			t.Errorf("%s: a refusal is answered %d", lang, refused.Status)
		}
	}
}
