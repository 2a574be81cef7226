package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// api is sessions, recoveries and providers for programs. The ways in which a
// person signs in are changed on the pages only: who found a token must not
// be able to make itself a way in.
type api struct{ svc *Service }

// MountAPI adds
//
//	GET              /api/v1/account
//	GET, DELETE      /api/v1/sessions
//	DELETE           /api/v1/sessions/{id}
//	GET, DELETE      /api/v1/people/{id}/sessions
//	DELETE           /api/v1/people/{id}/subject
//	GET              /api/v1/recoveries
//	POST             /api/v1/recoveries/{id}/confirm
//	GET, PUT, DELETE /api/v1/members/{id}/provider
func MountAPI(routes *access.Routes, svc *Service) {
	a := api{svc}
	doc := func(id, tag string) access.Doc { return access.Doc{ID: id, Tag: tag} }
	proven := func(id, tag string) access.Doc { return access.Doc{ID: id, Tag: tag, Proof: true} }
	confirm := proven("recovery-confirm", "people")
	confirm.Creates, confirm.Status = true, http.StatusCreated
	access.Operation(routes, "GET /api/v1/account", sector.SignedIn, doc("account-show", "tokens"), a.account)
	access.Operation(routes, "GET /api/v1/sessions", sector.SignedIn, doc("session-list", "tokens"), a.sessions)
	access.Operation(routes, "DELETE /api/v1/sessions", sector.SignedIn, proven("session-end-others", "tokens"), a.endOthers)
	access.Operation(routes, "DELETE /api/v1/sessions/{id}", sector.SignedIn, proven("session-end", "tokens"), a.end)
	access.Operation(routes, "GET /api/v1/people/{id}/sessions", sector.InvitePeople, doc("person-sessions", "people"), a.sessionsOf)
	access.Operation(routes, "DELETE /api/v1/people/{id}/sessions", sector.InvitePeople, doc("person-sign-out", "people"), a.endSessionsOf)
	access.Operation(routes, "DELETE /api/v1/people/{id}/subject", sector.InvitePeople, proven("person-subject-forget", "people"), a.forgetSubject)
	access.Operation(routes, "GET /api/v1/recoveries", sector.InvitePeople, doc("recovery-list", "people"), a.recoveries)
	access.Operation(routes, "POST /api/v1/recoveries/{id}/confirm", sector.InvitePeople, confirm, a.confirmRecovery)
	access.Operation(routes, "GET /api/v1/members/{id}/provider", sector.WriteProviders, doc("provider-show", "members"), a.provider)
	access.Operation(routes, "PUT /api/v1/members/{id}/provider", sector.WriteProviders, proven("provider-set", "members"), a.setProvider)
	access.Operation(routes, "DELETE /api/v1/members/{id}/provider", sector.WriteProviders, proven("provider-remove", "members"), a.removeProvider)
}

// passkeyJSON is a passkey of a person.
type passkeyJSON struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

type accountOut struct {
	Body struct {
		Email    string        `json:"email"`
		Passkeys []passkeyJSON `json:"passkeys"`
		App      bool          `json:"app" doc:"An app's codes, with a password."`
		Codes    int           `json:"recovery_codes" doc:"How many are left."`
	}
}

// account is the ways in which the reader signs in.
func (a api) account(ctx context.Context, _ *struct{}) (*accountOut, error) {
	v := sector.ViewerFrom(ctx)
	m, err := a.svc.Means(ctx, v.User)
	if err != nil {
		return nil, err
	}
	out := &accountOut{}
	out.Body.Email, out.Body.Passkeys, out.Body.App, out.Body.Codes = v.Email, []passkeyJSON{}, m.App, m.Codes
	for _, p := range m.Passkeys {
		out.Body.Passkeys = append(out.Body.Passkeys, passkeyJSON{p.Name, p.CreatedAt, p.UsedAt})
	}
	return out, nil
}

// sessionJSON is a session of a person in a browser.
type sessionJSON struct {
	ID        string    `json:"id" doc:"Names it; opens nothing."`
	Method    Method    `json:"method" doc:"How the person signed in."`
	Browser   string    `json:"browser"`
	Address   string    `json:"address"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at" doc:"To the minute."`
	This      bool      `json:"this,omitempty" doc:"The one that asks."`
}

type sessionsOut struct {
	Body struct {
		Sessions []sessionJSON `json:"sessions"`
	}
}

func (a api) list(ctx context.Context, user sector.UserID) ([]sessionJSON, error) {
	found, err := a.svc.Active(ctx, user)
	this, all := web.StandingIn(ctx).Session, []sessionJSON{}
	for _, s := range found {
		all = append(all, sessionJSON{s.ID, s.Method, s.Browser, s.Address, s.Started, s.Seen, s.ID == this})
	}
	return all, err
}

func (a api) sessions(ctx context.Context, _ *struct{}) (*sessionsOut, error) {
	all, err := a.list(ctx, sector.ViewerFrom(ctx).User)
	if err != nil {
		return nil, err
	}
	out := &sessionsOut{}
	out.Body.Sessions = all
	return out, nil
}

type endedOut struct {
	Body struct {
		Ended int `json:"ended" doc:"How many sessions."`
	}
}

func (a api) revoke(ctx context.Context, which Ending) (*endedOut, error) {
	n, err := a.svc.Revoke(ctx, sector.ViewerFrom(ctx), which)
	if err != nil {
		return nil, err
	}
	out := &endedOut{}
	out.Body.Ended = n
	return out, nil
}

// endOthers ends all but the one that asks.
func (a api) endOthers(ctx context.Context, _ *struct{}) (*endedOut, error) {
	return a.revoke(ctx, Ending{User: sector.ViewerFrom(ctx).User, But: web.StandingIn(ctx).Session})
}

type idIn struct {
	ID string `path:"id"`
}

func (a api) end(ctx context.Context, in *idIn) (*endedOut, error) {
	return a.revoke(ctx, Ending{User: sector.ViewerFrom(ctx).User, ID: in.ID})
}

// person is somebody whom the viewer may administer.
func (s *Service) person(ctx context.Context, by sector.Viewer, id sector.UserID) (sector.Viewer, error) {
	v, err := s.People.Refresh(ctx, id)
	if err == nil && !mayRecover(by, v) {
		err = errs.New(errs.NotFound, "sector.user_unknown")
	}
	return v, err
}

type personIn struct {
	ID sector.UserID `path:"id"`
}

type personSessionsOut struct {
	Body struct {
		Sessions []sessionJSON `json:"sessions"`
		Passkeys int           `json:"passkeys" doc:"How many the person has."`
		App      bool          `json:"app" doc:"An app's codes, with a password."`
	}
}

func (a api) sessionsOf(ctx context.Context, in *personIn) (*personSessionsOut, error) {
	v, err := a.svc.person(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	m, err := a.svc.Means(ctx, v.User)
	if err != nil {
		return nil, err
	}
	out := &personSessionsOut{}
	out.Body.Passkeys, out.Body.App = len(m.Passkeys), m.App
	out.Body.Sessions, err = a.list(ctx, v.User)
	return out, err
}

func (a api) endSessionsOf(ctx context.Context, in *personIn) (*endedOut, error) {
	v, err := a.svc.person(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return a.revoke(ctx, Ending{User: v.User, But: web.StandingIn(ctx).Session})
}

// forgetSubject is for accounts that the provider has made anew.
func (a api) forgetSubject(ctx context.Context, in *personIn) (*struct{}, error) {
	by := sector.ViewerFrom(ctx)
	v, err := a.svc.person(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, a.svc.ForgetSubject(ctx, by, v)
}

// recoveryJSON is a lost way in that waits for a second person.
type recoveryJSON struct {
	ID        string          `json:"id"`
	Person    sector.UserID   `json:"person"`
	Email     string          `json:"email"`
	Member    sector.MemberID `json:"member,omitempty"`
	AskedBy   string          `json:"asked_by,omitempty" doc:"The address of who asked."`
	AskedAt   time.Time       `json:"asked_at"`
	ExpiresAt time.Time       `json:"expires_at"`
	Mine      bool            `json:"mine,omitempty" doc:"The reader asked, or it is about the reader: another must confirm."`
}

type recoveriesOut struct {
	Body struct {
		Recoveries []recoveryJSON `json:"recoveries"`
	}
}

func (a api) recoveries(ctx context.Context, _ *struct{}) (*recoveriesOut, error) {
	waiting, err := a.svc.Waiting(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &recoveriesOut{}
	out.Body.Recoveries = []recoveryJSON{}
	for _, w := range waiting {
		out.Body.Recoveries = append(out.Body.Recoveries,
			recoveryJSON{w.ID, w.User, w.Person.Email, w.Person.Member, w.AskedBy.Email, w.At, w.Expires, w.Mine})
	}
	return out, nil
}

type recoveredOut struct {
	Body struct {
		Email string `json:"email"`
		Link  string `json:"link" doc:"Signs the person in, once; shown once."`
	}
}

func (a api) confirmRecovery(ctx context.Context, in *idIn) (*recoveredOut, error) {
	person, secret, err := a.svc.ConfirmRecovery(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := &recoveredOut{}
	out.Body.Email, out.Body.Link = person.Email, web.LinkURL(a.svc.BaseURL, secret)
	return out, nil
}

type memberIn struct {
	ID sector.MemberID `path:"id"`
}

// providerJSON is a member's identity provider, without the secret.
type providerJSON struct {
	Member   sector.MemberID `json:"member"`
	Issuer   string          `json:"issuer"`
	ClientID string          `json:"client_id"`
	Domains  []string        `json:"domains" doc:"Of its people's addresses."`
	Since    time.Time       `json:"since"`
	Return   string          `json:"return_url" doc:"What the provider must be told."`
}

type providerOut struct{ Body providerJSON }

func (a api) provider(ctx context.Context, in *memberIn) (*providerOut, error) {
	p, err := a.svc.Providers.Provider(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &providerOut{providerJSON{p.Member, p.Issuer, p.ClientID, p.Domains, p.Since, a.svc.ReturnURL(p.Member)}}, nil
}

type setProviderIn struct {
	ID   sector.MemberID `path:"id"`
	Body struct {
		Issuer   string   `json:"issuer" maxLength:"500"`
		ClientID string   `json:"client_id" maxLength:"200"`
		Secret   string   `json:"client_secret,omitempty" maxLength:"500" doc:"Left out: the one there is."`
		Domains  []string `json:"domains" minItems:"1" maxItems:"20"`
	}
}

func (a api) setProvider(ctx context.Context, in *setProviderIn) (*providerOut, error) {
	p := Provider{Member: in.ID, Issuer: in.Body.Issuer, ClientID: in.Body.ClientID, Domains: in.Body.Domains}
	if err := a.svc.SaveProvider(ctx, sector.ViewerFrom(ctx), p, in.Body.Secret); err != nil {
		return nil, err
	}
	return a.provider(ctx, &memberIn{in.ID})
}

func (a api) removeProvider(ctx context.Context, in *memberIn) (*struct{}, error) {
	return nil, a.svc.DropProvider(ctx, sector.ViewerFrom(ctx), in.ID)
}
