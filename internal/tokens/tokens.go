// Package tokens is a person's tokens for programs of its own: the page and
// the API.
package tokens

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// Service is what makes and ends tokens.
type Service interface {
	Create(ctx context.Context, v sector.Viewer, name string, roles []sector.Role, life time.Duration) (sector.Token, string, error)
	List(ctx context.Context, v sector.Viewer) ([]sector.Token, error)
	Revoke(ctx context.Context, v sector.Viewer, id string) error
}

//go:embed all:templates
var templates embed.FS

type pages struct {
	svc   Service
	shell *web.Shell
	views *web.Views
	now   func() time.Time
}

// Mount adds the page /tokens.
func Mount(routes *access.Routes, sh *web.Shell, svc Service, now func() time.Time) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("tokens: pages: %w", err)
	}
	p := pages{svc, sh, views, now}
	sh.Page(routes, "GET /tokens", sector.SignedIn, p.list)
	sh.Page(routes, "POST /tokens", sector.SignedIn, sh.StepUp(p.create))
	sh.Page(routes, "POST /tokens/{id}/revoke", sector.SignedIn, p.revoke)
	return nil
}

type model struct {
	Form   *web.Form
	Tokens []row
	Empty  web.State
	Secret string // of a token that was just made
}

type row struct {
	sector.Token
	Valid, Expired bool
}

const day = 24 * time.Hour

func (p pages) form(v sector.Viewer) *web.Form {
	days := web.Field{Name: "days", Label: "tokens.life", Kind: "select", Required: true, Value: "30"}
	for _, n := range []string{"1", "7", "30", "90", "365"} {
		days.Options = append(days.Options, web.Option{Value: n, Key: "tokens.days." + n})
	}
	roles := web.Field{Name: "roles", Label: "tokens.roles", Hint: "tokens.roles_hint", Kind: "checks", Required: true, Values: sector.Names(v.Roles)}
	for _, r := range v.Roles {
		roles.Options = append(roles.Options, web.Option{Value: string(r), Key: "common.role." + string(r)})
	}
	return web.NewForm(
		web.Field{Name: "name", Label: "tokens.name", Hint: "tokens.name_hint", Required: true, MaxLength: 100, Autocomplete: "off"},
		days, roles)
}

func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, p.form(sector.ViewerFrom(r.Context())), "")
}

func (p pages) show(w http.ResponseWriter, r *http.Request, f *web.Form, secret string) error {
	all, err := p.svc.List(r.Context(), sector.ViewerFrom(r.Context()))
	if err != nil {
		return err
	}
	m := model{Form: f, Secret: secret, Empty: web.State{Kind: "empty", Title: "tokens.none", Text: "tokens.none_text"}}
	for _, t := range all {
		m.Tokens = append(m.Tokens, row{t, t.Valid(p.now()), t.RevokedAt.IsZero() && !t.Valid(p.now())})
	}
	status := f.Status()
	if secret != "" {
		status = http.StatusCreated
	}
	return p.views.Page(w, r, "tokens", web.Page{Title: "tokens.title", Data: m, Status: status})
}

// create answers the POST itself: nothing that could show the secret again is
// kept.
func (p pages) create(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	f := p.form(v)
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.show(w, r, f, "")
	}
	var roles []sector.Role
	for _, name := range f.All("roles") {
		roles = append(roles, sector.Role(name))
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil {
		days = 0 // refused as too short
	}
	_, secret, err := p.svc.Create(r.Context(), v, f.Get("name"), roles, time.Duration(days)*day)
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.show(w, r, f, "")
	}
	return p.show(w, r, p.form(v), secret)
}

func (p pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.Revoke(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "tokens.revoked"})
	http.Redirect(w, r, "/tokens", http.StatusSeeOther)
	return nil
}
