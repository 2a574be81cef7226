package identity

import (
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

func (p pages) mountAdmin(routes *access.Routes) {
	p.shell.Nav(web.NavItem{Phase: web.House, Key: "recovery.title", Href: "/admin/recovery", Icon: "key-round", Need: sector.InvitePeople})
	p.shell.Page(routes, "GET /admin/recovery", sector.InvitePeople, p.recoveries)
	p.shell.Page(routes, "POST /admin/recovery/{id}/confirm", sector.InvitePeople, p.shell.StepUp(p.confirmRecovery))
	p.shell.Page(routes, "GET /admin/people/{id}/sessions", sector.InvitePeople, p.personSessions)
	p.shell.Page(routes, "POST /admin/people/{id}/sessions/end", sector.InvitePeople, p.endPersonSessions)
	p.shell.Page(routes, "POST /admin/people/{id}/subject/forget", sector.InvitePeople, p.shell.StepUp(p.forgetSubject))
	p.shell.Page(routes, "GET /admin/members/{id}/provider", sector.WriteProviders, p.provider)
	p.shell.Page(routes, "POST /admin/members/{id}/provider", sector.WriteProviders, p.shell.StepUp(p.saveProvider))
	p.shell.Page(routes, "POST /admin/members/{id}/provider/remove", sector.WriteProviders, p.shell.StepUp(p.removeProvider))
}

type recoveriesModel struct {
	Waiting []WaitingRecovery
	Empty   web.State
}

func (p pages) recoveries(w http.ResponseWriter, r *http.Request) error {
	waiting, err := p.svc.Waiting(r.Context(), sector.ViewerFrom(r.Context()))
	if err != nil {
		return err
	}
	return p.views.Page(w, r, "recoveries", web.Page{Title: "recovery.title", Data: recoveriesModel{waiting, web.State{
		Kind: "empty", Title: "recovery.none", Text: "recovery.none_text",
		Actions: []web.Link{peopleOf(r)},
	}}})
}

// peopleOf is where the viewer's list of people is.
func peopleOf(r *http.Request) web.Link {
	if sector.ViewerFrom(r.Context()).May(sector.ReadAccounts) {
		return web.Link{Key: "admin.people.title", Href: "/admin/people"}
	}
	return web.Link{Key: "people.title", Href: "/people"}
}

type recoveryModel struct {
	Person sector.Viewer
	Link   string
}

func (p pages) confirmRecovery(w http.ResponseWriter, r *http.Request) error {
	person, secret, err := p.svc.ConfirmRecovery(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	link := web.LinkURL(p.svc.BaseURL, secret)
	return p.views.Page(w, r, "recovery", web.Page{Title: "recovery.confirmed", Status: http.StatusCreated, Data: recoveryModel{person, link},
		Crumbs: []web.Link{{Key: "recovery.title", Href: "/admin/recovery"}}})
}

type personSessionsModel struct {
	Person   sector.Viewer
	Means    Means
	Subjects []Subject // whom the provider calls by a name of its own
	Sessions []sessionRow
	Empty    web.State
}

// person is the one in the address, if the viewer may administer it.
func (p pages) person(r *http.Request) (sector.Viewer, error) {
	v, err := p.svc.People.Refresh(r.Context(), sector.UserID(r.PathValue("id")))
	if err == nil && !mayRecover(sector.ViewerFrom(r.Context()), v) {
		err = errs.New(errs.NotFound, "sector.user_unknown")
	}
	return v, err
}

func (p pages) personSessions(w http.ResponseWriter, r *http.Request) error {
	v, err := p.person(r)
	if err != nil {
		return err
	}
	m := personSessionsModel{Person: v, Empty: web.State{Kind: "empty", Title: "account.no_sessions", Text: "account.no_sessions_text"}}
	if m.Means, err = p.svc.Means(r.Context(), v.User); err != nil {
		return err
	}
	if m.Subjects, err = p.svc.Subjects.SubjectsOf(r.Context(), v.User); err != nil {
		return err
	}
	sessions, err := p.svc.Active(r.Context(), v.User)
	if err != nil {
		return err
	}
	m.Sessions = rows(sessions, web.StandingOf(r).Session)
	return p.views.Page(w, r, "person-sessions", web.Page{Title: "account.sessions_of", Args: []any{v.Email}, Data: m,
		Crumbs: []web.Link{peopleOf(r)}})
}

func (p pages) endPersonSessions(w http.ResponseWriter, r *http.Request) error {
	v, err := p.person(r)
	if err != nil {
		return err
	}
	n, err := p.svc.Revoke(r.Context(), sector.ViewerFrom(r.Context()), Ending{User: v.User, But: web.StandingOf(r).Session})
	return p.ended(w, r, n, err, "/admin/people/"+string(v.User)+"/sessions")
}

// forgetSubject lets the person's provider name another account for it.
func (p pages) forgetSubject(w http.ResponseWriter, r *http.Request) error {
	v, err := p.person(r)
	if err != nil {
		return err
	}
	if err := p.svc.ForgetSubject(r.Context(), sector.ViewerFrom(r.Context()), v); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "provider.forgotten"})
	http.Redirect(w, r, "/admin/people/"+string(v.User)+"/sessions", http.StatusSeeOther)
	return nil
}

type providerModel struct {
	Member sector.Member
	Form   *web.Form
	Known  bool
	Return string // what the provider must be told
}

func providerForm(p Provider) *web.Form {
	return web.NewForm(
		web.Field{Name: "issuer", Label: "provider.issuer", Kind: "url", Hint: "provider.issuer_hint", Required: true, MaxLength: 500, Value: p.Issuer, Class: "mono"},
		web.Field{Name: "client", Label: "provider.client", Required: true, MaxLength: 200, Value: p.ClientID, Autocomplete: "off", Class: "mono"},
		web.Field{Name: "secret", Label: "provider.secret", Kind: "password", Hint: "provider.secret_hint", MaxLength: 500, Autocomplete: "off"},
		web.Field{Name: "domains", Label: "provider.domains", Kind: "textarea", Rows: 3, Hint: "provider.domains_hint", Required: true, MaxLength: 2000,
			Value: strings.Join(p.Domains, "\n"), Class: "mono"},
	)
}

func (p pages) provider(w http.ResponseWriter, r *http.Request) error {
	now, err := p.svc.Providers.Provider(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return p.showProvider(w, r, providerForm(now))
}

func (p pages) showProvider(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	m, err := p.svc.People.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	_, err = p.svc.Providers.Provider(r.Context(), m.ID)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return p.views.Page(w, r, "provider", web.Page{
		Title: "provider.title", Status: f.Status(), Data: providerModel{m, f, err == nil, p.svc.ReturnURL(m.ID)},
		Crumbs: []web.Link{{Key: "admin.members.title", Href: "/admin/members"}, {Text: p.shell.MemberName(r, m), Href: "/admin/members/" + string(m.ID)}},
	})
}

func (p pages) saveProvider(w http.ResponseWriter, r *http.Request) error {
	f := providerForm(Provider{})
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showProvider(w, r, f)
	}
	id := sector.MemberID(r.PathValue("id"))
	err := p.svc.SaveProvider(r.Context(), sector.ViewerFrom(r.Context()), Provider{
		Member: id, Issuer: f.Get("issuer"), ClientID: f.Get("client"), Domains: strings.Fields(f.Get("domains")),
	}, f.Get("secret"))
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showProvider(w, r, f)
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "provider.saved"})
	http.Redirect(w, r, "/admin/members/"+string(id)+"/provider", http.StatusSeeOther)
	return nil
}

func (p pages) removeProvider(w http.ResponseWriter, r *http.Request) error {
	id := sector.MemberID(r.PathValue("id"))
	if err := p.svc.DropProvider(r.Context(), sector.ViewerFrom(r.Context()), id); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "provider.removed"})
	http.Redirect(w, r, "/admin/members/"+string(id), http.StatusSeeOther)
	return nil
}
