package admin

import (
	"net/http"
	"slices"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

func keyForm() *web.Form {
	scopes := web.Field{Name: "scopes", Label: "admin.keys.scopes", Kind: "checks", Required: true,
		Values: []string{string(sector.ScopeRecords), string(sector.ScopeTAXII)}}
	for _, s := range sector.Scopes() {
		scopes.Options = append(scopes.Options, web.Option{Value: string(s), Key: "common.scope." + string(s)})
	}
	return web.NewForm(scopes)
}

// secretModel is a secret that is shown once.
type secretModel struct {
	Title  string // catalogue key
	Lead   string // catalogue key
	Label  string // catalogue key
	Secret string
	Member *sector.Member
	Scopes []sector.Scope
	Sends  bool   // the key may send records: show how
	Base   string // address of this program
	Done   web.Link
}

func (p pages) createKey(w http.ResponseWriter, r *http.Request) error {
	f := keyForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showMember(w, r, f)
	}
	m, err := p.Members.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	var scopes []sector.Scope
	for _, s := range f.All("scopes") {
		scopes = append(scopes, sector.Scope(s))
	}
	key, secret, err := p.Members.CreateKey(r.Context(), sector.ViewerFrom(r.Context()), m.ID, scopes)
	if err != nil {
		return err
	}
	return p.showSecret(w, r, secretModel{
		Title: "admin.keys.created", Lead: "admin.keys.created_lead", Label: "admin.keys.secret",
		Secret: secret, Member: &m, Scopes: key.Scopes, Base: p.base(r),
		Sends: slices.Contains(key.Scopes, sector.ScopeRecords),
		Done:  web.Link{Key: "admin.keys.noted", Href: "/admin/members/" + string(m.ID)},
	})
}

// showSecret answers the POST itself: nothing that could show the secret
// again is kept, not even in the session.
func (p pages) showSecret(w http.ResponseWriter, r *http.Request, m secretModel) error {
	return p.views.Page(w, r, "secret", web.Page{Title: m.Title, Data: m, Status: http.StatusCreated})
}

// base is the address under which people reach the program.
func (p pages) base(r *http.Request) string {
	if p.BaseURL != "" {
		return p.BaseURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

type revokeModel struct {
	Member sector.Member
	Key    sector.Key
}

func (p pages) findKey(r *http.Request) (revokeModel, error) {
	m, err := p.Members.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return revokeModel{}, err
	}
	keys, err := p.Members.Keys(r.Context(), m.ID)
	if err != nil {
		return revokeModel{}, err
	}
	i := slices.IndexFunc(keys, func(k sector.Key) bool { return k.ID == r.PathValue("key") })
	if i < 0 {
		return revokeModel{}, errs.New(errs.NotFound, "key.unknown")
	}
	return revokeModel{m, keys[i]}, nil
}

// askRevoke says what will happen: a revoked key cannot be brought back.
func (p pages) askRevoke(w http.ResponseWriter, r *http.Request) error {
	m, err := p.findKey(r)
	if err != nil {
		return err
	}
	return p.views.Page(w, r, "revoke", web.Page{Title: "admin.keys.revoke_title", Data: m, Crumbs: []web.Link{
		{Key: "admin.members.title", Href: "/admin/members"},
		{Text: string(m.Member.ID), Href: "/admin/members/" + string(m.Member.ID)},
	}})
}

func (p pages) revoke(w http.ResponseWriter, r *http.Request) error {
	m, err := p.findKey(r)
	if err != nil {
		return err
	}
	if err := p.Members.RevokeKey(r.Context(), sector.ViewerFrom(r.Context()), m.Key); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "admin.keys.revoked"})
	http.Redirect(w, r, "/admin/members/"+string(m.Member.ID), http.StatusSeeOther)
	return nil
}
