package organisation

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

type pages struct {
	shell *web.Shell
	views *web.Views
	svc   *Service
	base  string
}

// Mount adds the pages. BaseURL is how people reach the program, for one-time
// links.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service, baseURL string) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("organisation: pages: %w", err)
	}
	p := pages{sh, views, svc, strings.TrimSuffix(baseURL, "/")}
	sh.Nav(
		web.NavItem{Phase: web.House, Key: "profile.title", Href: "/profile", Icon: "building-2", Need: sector.ReadProfile},
		web.NavItem{Phase: web.House, Key: "people.title", Href: "/people", Icon: "user", Need: sector.ReadPeople},
		web.NavItem{Phase: web.House, Key: "group.title", Href: "/groups", Icon: "waypoints", Need: sector.ReadGroups},
		web.NavItem{Phase: web.House, Key: "confirm.title", Href: "/admin/confirmations", Icon: "calendar-clock", Need: sector.ReadMembers},
	)
	sh.Page(routes, "GET /profile", sector.ReadProfile, p.profile)
	sh.Page(routes, "POST /profile", sector.WriteProfile, p.saveProfile)
	sh.Page(routes, "POST /profile/confirm", sector.WriteProfile, p.confirm)
	sh.Page(routes, "GET /admin/confirmations", sector.ReadMembers, p.confirmations)
	sh.Page(routes, "GET /admin/members/{id}/profile", sector.ReadMembers, p.memberProfile)
	sh.Page(routes, "POST /admin/members/{id}/state", sector.WriteMembers, p.setState)
	p.mountPeople(routes)
	p.mountGroups(routes)
	return nil
}

func (p pages) mountPeople(routes *access.Routes) {
	p.shell.Page(routes, "GET /people", sector.ReadPeople, p.people)
	p.shell.Page(routes, "POST /export/people", sector.ReadPeople, p.shell.StepUp(p.exportPeople))
	p.shell.Page(routes, "GET /people/new", sector.InvitePeople, p.newPeople)
	p.shell.Page(routes, "POST /people/new", sector.InvitePeople, p.shell.StepUp(p.invite))
	p.shell.Page(routes, "GET /people/{id}", sector.ReadPeople, p.person)
	p.shell.Page(routes, "POST /people/{id}/roles", sector.InvitePeople, p.setRoles)
	p.shell.Page(routes, "POST /people/{id}/link", sector.InvitePeople, p.shell.StepUp(p.link))
	p.shell.Page(routes, "POST /people/{id}/remove", sector.RemovePeople, p.remove)
	p.shell.Page(routes, "POST /people/{id}/restore", sector.RemovePeople, p.restore)
}

func (p pages) mountGroups(routes *access.Routes) {
	p.shell.Page(routes, "GET /groups", sector.ReadGroups, p.groups)
	p.shell.Page(routes, "GET /groups/new", sector.WriteGroups, p.newGroup)
	p.shell.Page(routes, "POST /groups/new", sector.WriteGroups, p.createGroup)
	p.shell.Page(routes, "GET /groups/{id}", sector.ReadGroups, p.group)
	p.shell.Page(routes, "POST /groups/{id}/terms", sector.WriteGroups, p.setTerms)
	p.shell.Page(routes, "POST /groups/{id}/invite", sector.WriteGroups, p.inviteMember)
	p.shell.Page(routes, "POST /groups/{id}/remove", sector.WriteGroups, p.removeMember)
	p.shell.Page(routes, "POST /groups/{id}/close", sector.WriteGroups, p.closeGroup)
	p.shell.Page(routes, "POST /groups/{id}/agree", sector.JoinGroups, p.agree)
	p.shell.Page(routes, "POST /groups/{id}/leave", sector.JoinGroups, p.leave)
}

func viewer(r *http.Request) sector.Viewer { return sector.ViewerFrom(r.Context()) }

// done says what was done on the next page.
func (p pages) done(w http.ResponseWriter, r *http.Request, key, to string) error {
	p.shell.Flash(r, web.Flash{Tone: "good", Key: key})
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// act does what a button asks for and goes back. What the viewer can do
// something about is said on the next page, everything else is returned.
func (p pages) act(w http.ResponseWriter, r *http.Request, key, back string, do func() error) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	err := do()
	if err == nil {
		return p.done(w, r, key, back)
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.Invalid && e.Kind != errs.Conflict {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "bad", Key: e.Key, Args: e.Args})
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// failWith puts what is wrong beside its field.
func failWith(f *web.Form, err error) error {
	found, ok := errors.AsType[*ProblemsError](err)
	if !ok {
		return f.FailWith(err)
	}
	for _, pr := range found.Problems {
		if pr.Line > 0 {
			f.FailLine(pr.Field, pr.Line, pr.Err.Key, pr.Err.Args...)
			continue
		}
		f.Fail(pr.Field, pr.Err.Key, pr.Err.Args...)
	}
	return nil
}

func fill(f *web.Form, name, value string) {
	if field, err := f.Field(name); err == nil {
		field.Value = value
	}
}

// nameOf finds members' names for a page.
func (p pages) nameOf(ctx context.Context, r *http.Request) (func(sector.MemberID) string, error) {
	members, err := p.svc.Members.Members(ctx)
	if err != nil {
		return nil, err
	}
	names := map[sector.MemberID]string{}
	for _, m := range members {
		names[m.ID] = p.shell.MemberName(r, m)
	}
	return func(id sector.MemberID) string {
		if n := names[id]; n != "" {
			return n
		}
		return string(id)
	}, nil
}
