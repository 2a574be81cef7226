package machine

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is machine access for programs.
type api struct {
	Config
	cursors access.Cursors
}

// MountAPI adds
//
//	GET, POST  /api/v1/members/{id}/keys
//	DELETE     /api/v1/members/{id}/keys/{key}
//	POST       /api/v1/members/{id}/certificates
//	GET        /api/v1/keys
//	GET, PATCH /api/v1/keys/{id}
//	POST       /api/v1/keys/{id}/rotate
//	POST       /api/v1/keys/{id}/certificate
//	DELETE     /api/v1/keys/{id}/credentials/{credential}
func MountAPI(routes *access.Routes, c Config, cursors access.Cursors) {
	a := api{c, cursors}
	doc := func(id string) access.Doc { return access.Doc{ID: id, Tag: "keys"} }
	proven := func(id string) access.Doc {
		return access.Doc{ID: id, Tag: "keys", Creates: true, Proof: true, Status: http.StatusCreated}
	}
	access.Operation(routes, "GET /api/v1/members/{id}/keys", sector.ReadKeys, doc("key-list"), a.list)
	access.Operation(routes, "POST /api/v1/members/{id}/keys", sector.CreateKeys, proven("key-create"), a.create)
	access.Operation(routes, "DELETE /api/v1/members/{id}/keys/{key}", sector.RevokeKeys, doc("key-revoke"), a.revoke)
	access.Operation(routes, "POST /api/v1/members/{id}/certificates", sector.BindCertificates, proven("certificate-create"), a.createCertificate)
	access.Operation(routes, "GET /api/v1/keys", sector.ReadKeys, doc("key-find"), a.find)
	access.Operation(routes, "GET /api/v1/keys/{id}", sector.ReadKeys, doc("key-show"), a.show)
	access.Operation(routes, "PATCH /api/v1/keys/{id}", sector.CreateKeys, doc("key-change"), a.change)
	access.Operation(routes, "POST /api/v1/keys/{id}/rotate", sector.CreateKeys, proven("key-rotate"), a.rotate)
	access.Operation(routes, "POST /api/v1/keys/{id}/certificate", sector.BindCertificates, proven("certificate-replace"), a.replaceCertificate)
	access.Operation(routes, "DELETE /api/v1/keys/{id}/credentials/{credential}", sector.RevokeKeys, doc("credential-end"), a.end)
}

// keyJSON is a machine key of a member.
type keyJSON struct {
	ID          string           `json:"id"`
	Member      sector.MemberID  `json:"member"`
	Name        string           `json:"name,omitempty"`
	Notes       string           `json:"notes,omitempty"`
	State       sector.KeyState  `json:"state" enum:"valid,expiring,expired,revoked"`
	Scopes      []sector.Scope   `json:"scopes"`
	Networks    []string         `json:"networks,omitempty" doc:"From where it may be used; left out: from anywhere."`
	CreatedAt   time.Time        `json:"created_at"`
	ExpiresAt   time.Time        `json:"expires_at,omitzero" doc:"Left out: never."`
	RevokedAt   time.Time        `json:"revoked_at,omitzero"`
	LastUsed    time.Time        `json:"last_used,omitzero" doc:"To the minute."`
	Credentials []credentialJSON `json:"credentials" doc:"What proves it: one, or several while it is being replaced; newest first."`
}

// credentialJSON is one proof of a key.
type credentialJSON struct {
	ID        string       `json:"id"`
	Proof     sector.Proof `json:"proof" enum:"secret,certificate,subject"`
	Subject   string       `json:"subject,omitempty" doc:"Of the certificate (RFC 4514)."`
	CreatedAt time.Time    `json:"created_at"`
	EndsAt    time.Time    `json:"ends_at,omitzero" doc:"Left out: with the key."`
	LastUsed  time.Time    `json:"last_used,omitzero" doc:"To the minute."`
}

func (a api) keyJSON(k sector.Key) keyJSON {
	out := keyJSON{ID: k.ID, Member: k.Member, Name: k.Name, Notes: k.Notes, State: k.State(a.Now()), Scopes: k.Scopes,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsed: k.LastUsed, Credentials: []credentialJSON{}}
	for _, n := range k.Networks {
		out.Networks = append(out.Networks, n.String())
	}
	for _, c := range k.Credentials {
		out.Credentials = append(out.Credentials, credentialJSON{c.ID, c.Proof, c.Label, c.CreatedAt, c.EndsAt, c.LastUsed})
	}
	return out
}

type memberIn struct {
	ID sector.MemberID `path:"id"`
}

type keysOut struct {
	Body struct {
		Keys []keyJSON `json:"keys"`
		Next string    `json:"next,omitempty"`
	}
}

// administered is nil when the viewer administers the member's keys. A member
// that asks for another's is answered as if there were none such.
func (a api) administered(ctx context.Context, id sector.MemberID) error {
	if v := sector.ViewerFrom(ctx); v.Org != sector.Centre && v.Member != id {
		return errs.New(errs.NotFound, "sector.member_unknown", id)
	}
	_, err := a.Members.Member(ctx, id)
	return err
}

func (a api) list(ctx context.Context, in *memberIn) (*keysOut, error) {
	if err := a.administered(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.keys(ctx, sector.KeyQuery{Member: in.ID})
}

func (a api) keys(ctx context.Context, q sector.KeyQuery) (*keysOut, error) {
	keys, err := a.Keys.KeysFor(ctx, sector.ViewerFrom(ctx), q)
	if err != nil {
		return nil, err
	}
	out := &keysOut{}
	out.Body.Keys = access.Shown(keys, a.keyJSON)
	return out, nil
}

type findIn struct {
	Member sector.MemberID `query:"member" doc:"For the centre: of this member."`
	State  sector.KeyState `query:"state" enum:"valid,expiring,expired,revoked"`
	Cursor string          `query:"cursor" doc:"The next of the page before."`
	Limit  int             `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (a api) find(ctx context.Context, in *findIn) (*keysOut, error) {
	v, question := sector.ViewerFrom(ctx), "keys\n"+string(in.Member)+"\n"+string(in.State)
	after, err := a.cursors.Open(v, question, in.Cursor)
	if err != nil {
		return nil, err
	}
	q := sector.KeyQuery{Member: in.Member, State: in.State, Limit: in.Limit + 1}
	q.Before, q.AfterID = position(after)
	out, err := a.keys(ctx, q)
	if err == nil && len(out.Body.Keys) > in.Limit {
		out.Body.Keys = out.Body.Keys[:in.Limit]
		last := out.Body.Keys[in.Limit-1]
		out.Body.Next = a.cursors.Seal(v, question, place(last.CreatedAt, last.ID))
	}
	return out, err
}

// place is where a page ends, as position reads it.
func place(at time.Time, id string) string { return strconv.FormatInt(at.UnixMicro(), 10) + "." + id }

type keyIn struct {
	ID string `path:"id"`
}

type keyOut struct{ Body keyJSON }

func (a api) show(ctx context.Context, in *keyIn) (*keyOut, error) {
	k, err := a.Keys.Key(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &keyOut{a.keyJSON(k)}, nil
}

// specJSON is what a new key shall be.
type specJSON struct {
	Name      string         `json:"name,omitempty" doc:"What uses the key."`
	Notes     string         `json:"notes,omitempty"`
	Scopes    []sector.Scope `json:"scopes" minItems:"1" maxItems:"20"`
	Networks  []string       `json:"networks,omitempty" maxItems:"50" doc:"Addresses or networks from which it may be used; left out: from anywhere."`
	ExpiresAt time.Time      `json:"expires_at,omitzero" doc:"When it ends; left out: in a year."`
	Endless   bool           `json:"endless,omitempty" doc:"It never expires."`
}

func (a api) spec(m sector.MemberID, s specJSON) (sector.KeySpec, error) {
	spec := sector.KeySpec{Member: m, Name: s.Name, Notes: s.Notes, Scopes: s.Scopes, Endless: s.Endless}
	if !s.ExpiresAt.IsZero() {
		spec.Lifetime = s.ExpiresAt.Sub(a.Now())
	}
	var err error
	spec.Networks, err = networks(s.Networks)
	return spec, err
}

func networks(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		n, err := peer.ParseNetwork(text)
		if err != nil {
			return nil, errs.New(errs.Invalid, "key.network_form", text).Because(err)
		}
		all = append(all, n)
	}
	return all, nil
}

type createIn struct {
	ID   sector.MemberID `path:"id"`
	Body specJSON
}

type secretOut struct {
	Body struct {
		Key    keyJSON `json:"key"`
		Secret string  `json:"secret" doc:"Shown once; kept nowhere."`
	}
}

func (a api) secret(k sector.Key, secret string) *secretOut {
	out := &secretOut{}
	out.Body.Key, out.Body.Secret = a.keyJSON(k), secret
	return out
}

func (a api) create(ctx context.Context, in *createIn) (*secretOut, error) {
	spec, err := a.spec(in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	k, secret, err := a.Issuer.IssueKey(ctx, sector.ViewerFrom(ctx), spec)
	if err != nil {
		return nil, err
	}
	return a.secret(k, secret), nil
}

type changeIn struct {
	ID   string `path:"id"`
	Body struct {
		Name     *string  `json:"name,omitempty"`
		Notes    *string  `json:"notes,omitempty"`
		Networks []string `json:"networks,omitempty" maxItems:"50" doc:"In place of those there are; an empty list: from anywhere."`
	}
}

// change leaves what is left out as it is.
func (a api) change(ctx context.Context, in *changeIn) (*keyOut, error) {
	v := sector.ViewerFrom(ctx)
	k, err := a.Keys.Key(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		k.Name = *in.Body.Name
	}
	if in.Body.Notes != nil {
		k.Notes = *in.Body.Notes
	}
	if in.Body.Networks != nil {
		if k.Networks, err = networks(in.Body.Networks); err != nil {
			return nil, err
		}
	}
	if k, err = a.Keys.ChangeKey(ctx, v, k.ID, k.Name, k.Notes, k.Networks); err != nil {
		return nil, err
	}
	return &keyOut{a.keyJSON(k)}, nil
}

type rotateIn struct {
	ID   string `path:"id"`
	Body struct {
		Overlap int `json:"overlap_days" minimum:"0" maximum:"90" doc:"How long the former secret works on."`
	}
}

func (a api) rotate(ctx context.Context, in *rotateIn) (*secretOut, error) {
	k, secret, err := a.Issuer.RotateKey(ctx, sector.ViewerFrom(ctx), in.ID, time.Duration(in.Body.Overlap)*day)
	if err != nil {
		return nil, err
	}
	return a.secret(k, secret), nil
}

type revokeIn struct {
	ID  sector.MemberID `path:"id"`
	Key string          `path:"key"`
}

func (a api) revoke(ctx context.Context, in *revokeIn) (*struct{}, error) {
	v := sector.ViewerFrom(ctx)
	k, err := a.Keys.Key(ctx, v, in.Key)
	if err == nil && k.Member != in.ID {
		err = errs.New(errs.NotFound, "key.unknown")
	}
	if err != nil {
		return nil, err
	}
	return nil, a.Keys.RevokeKey(ctx, v, k)
}

type endIn struct {
	ID         string `path:"id"`
	Credential string `path:"credential"`
}

func (a api) end(ctx context.Context, in *endIn) (*struct{}, error) {
	return nil, a.Keys.EndCredential(ctx, sector.ViewerFrom(ctx), in.ID, in.Credential)
}

// certificateJSON says which certificates prove a key: one, or those of an
// authority for a subject.
type certificateJSON struct {
	Certificate string `json:"certificate,omitempty" doc:"PEM."`
	Authority   string `json:"authority,omitempty" doc:"PEM of the authority's certificate, in place of the certificate."`
	Subject     string `json:"subject,omitempty" doc:"RFC 4514; whom the authority certifies."`
}

type createCertificateIn struct {
	ID   sector.MemberID `path:"id"`
	Body struct {
		Key   specJSON        `json:"key"`
		Proof certificateJSON `json:"proof"`
	}
}

func (a api) createCertificate(ctx context.Context, in *createCertificateIn) (*keyOut, error) {
	spec, err := a.spec(in.ID, in.Body.Key)
	if err != nil {
		return nil, err
	}
	k, err := a.Issuer.IssueCertificateKey(ctx, sector.ViewerFrom(ctx), spec, sector.CertificateSpec(in.Body.Proof))
	if err != nil {
		return nil, err
	}
	return &keyOut{a.keyJSON(k)}, nil
}

type replaceIn struct {
	ID   string `path:"id"`
	Body struct {
		Proof   certificateJSON `json:"proof"`
		Overlap int             `json:"overlap_days" minimum:"0" maximum:"90" doc:"How long the former certificate works on."`
	}
}

func (a api) replaceCertificate(ctx context.Context, in *replaceIn) (*keyOut, error) {
	k, err := a.Issuer.ReplaceCertificate(ctx, sector.ViewerFrom(ctx), in.ID, time.Duration(in.Body.Overlap)*day, sector.CertificateSpec(in.Body.Proof))
	if err != nil {
		return nil, err
	}
	return &keyOut{a.keyJSON(k)}, nil
}
