package tokens

import (
	"context"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is a person's own tokens and who it is.
type api struct{ svc Service }

// MountAPI adds
//
//	GET       /api/v1/me
//	GET, POST /api/v1/tokens
//	DELETE    /api/v1/tokens/{id}
func MountAPI(routes *access.Routes, svc Service) {
	a := api{svc}
	access.Operation(routes, "GET /api/v1/me", sector.SignedIn, access.Doc{ID: "me-show", Tag: "tokens"}, a.me)
	access.Operation(routes, "GET /api/v1/tokens", sector.SignedIn, access.Doc{ID: "token-list", Tag: "tokens"}, a.list)
	access.Operation(routes, "POST /api/v1/tokens", sector.SignedIn,
		access.Doc{ID: "token-create", Tag: "tokens", Creates: true, Proof: true, Status: http.StatusCreated}, a.create)
	access.Operation(routes, "DELETE /api/v1/tokens/{id}", sector.SignedIn, access.Doc{ID: "token-revoke", Tag: "tokens"}, a.revoke)
}

type meOut struct {
	Body struct {
		ID     sector.UserID   `json:"id"`
		Email  string          `json:"email"`
		Org    sector.OrgKind  `json:"organisation"`
		Member sector.MemberID `json:"member,omitempty"`
		Roles  []sector.Role   `json:"roles" doc:"Those that count here: with a token, the token's."`
		Token  string          `json:"token,omitempty" doc:"The id of the token that asks."`
	}
}

func (a api) me(ctx context.Context, _ *struct{}) (*meOut, error) {
	v, out := sector.ViewerFrom(ctx), &meOut{}
	out.Body.ID, out.Body.Email, out.Body.Org, out.Body.Member, out.Body.Roles, out.Body.Token = v.User, v.Email, v.Org, v.Member, v.Roles, v.Token
	return out, nil
}

// tokenJSON is a token without its secret.
type tokenJSON struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Roles     []sector.Role `json:"roles"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"`
	RevokedAt time.Time     `json:"revoked_at,omitzero"`
	LastUsed  time.Time     `json:"last_used,omitzero" doc:"To the minute."`
}

func newTokenJSON(t sector.Token) tokenJSON {
	return tokenJSON{t.ID, t.Name, t.Roles, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.LastUsed}
}

type listOut struct {
	Body struct {
		Tokens []tokenJSON `json:"tokens"`
	}
}

func (a api) list(ctx context.Context, _ *struct{}) (*listOut, error) {
	all, err := a.svc.List(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Tokens = access.Shown(all, newTokenJSON)
	return out, nil
}

type createIn struct {
	Body struct {
		Name  string        `json:"name" doc:"What it is for."`
		Roles []sector.Role `json:"roles,omitempty" maxItems:"10" doc:"Of the person's; all when left out."`
		Hours int           `json:"hours" minimum:"1" maximum:"8784" doc:"How long it is valid."`
	}
}

type createOut struct {
	Body struct {
		Token  tokenJSON `json:"token"`
		Secret string    `json:"secret" doc:"Shown once; kept nowhere."`
	}
}

func (a api) create(ctx context.Context, in *createIn) (*createOut, error) {
	t, secret, err := a.svc.Create(ctx, sector.ViewerFrom(ctx), in.Body.Name, in.Body.Roles, time.Duration(in.Body.Hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	out := &createOut{}
	out.Body.Token, out.Body.Secret = newTokenJSON(t), secret
	return out, nil
}

type tokenID struct {
	ID string `path:"id"`
}

func (a api) revoke(ctx context.Context, in *tokenID) (*struct{}, error) {
	return nil, a.svc.Revoke(ctx, sector.ViewerFrom(ctx), in.ID)
}
