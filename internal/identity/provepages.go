package identity

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/web"
)

// proofPrefix marks the fields of the proof among those of the form that is
// kept.
const proofPrefix = "proof-"

type proveModel struct {
	Form        *web.Form
	Action      string
	Kept        []keptField
	Means       Means
	Passkey     bool
	Institution bool
}

type keptField struct{ Name, Value string }

func proofForm() *web.Form {
	return web.NewForm(
		web.Field{Name: proofPrefix + "password", Label: "signin.password", Kind: "password", Autocomplete: "current-password", MaxLength: maxPassword, Required: true},
		web.Field{Name: proofPrefix + "code", Label: "signin.code", Hint: "signin.code_hint", Autocomplete: "one-time-code", MaxLength: 40, Class: "mono", Required: true},
	)
}

// prove is the shell's prover. The page that asks sends what was sent before
// together with the proof, to the same address, so nothing typed is lost and
// nothing is done before the proof is right.
func (p pages) prove(w http.ResponseWriter, r *http.Request) (bool, error) {
	f := proofForm()
	if err := f.Read(w, r); err != nil {
		return false, err
	}
	proof := Proof{Password: f.Get(proofPrefix + "password"), Code: f.Get(proofPrefix + "code"), Passkey: r.PostForm.Get(proofPrefix + "passkey")}
	tried := proof.Passkey != "" || r.PostForm.Has(proofPrefix+"code")
	if proof.Passkey != "" {
		proof.Challenge = p.shell.Take(r, keptPasskey)
	}
	if !tried || proof.Passkey != "" {
		f = proofForm()
	}
	if tried && f.OK() {
		err := p.svc.Prove(r.Context(), standing(r), proof, p.client(r))
		if err == nil {
			return true, p.admit(r)
		}
		httpx.Note(r.Context(), err)
		if err := failed(f, err); err != nil {
			return false, err
		}
	}
	return false, p.askProof(w, r, f)
}

// admit renews the cookie and leaves the handler the form that it expects.
func (p pages) admit(r *http.Request) error {
	for name := range r.PostForm {
		if strings.HasPrefix(name, proofPrefix) {
			delete(r.PostForm, name)
			delete(r.Form, name)
		}
	}
	return p.shell.Renew(r)
}

func (p pages) askProof(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := web.StandingOf(r).Viewer
	m := proveModel{Form: f, Action: r.URL.RequestURI(), Kept: kept(r)}
	var err error
	if m.Means, err = p.svc.Means(r.Context(), v.User); err != nil {
		return err
	}
	m.Passkey = len(m.Means.Passkeys) > 0 && p.svc.HasPasskeys(r.Host)
	if v.Member != "" {
		_, err := p.svc.Providers.Provider(r.Context(), v.Member)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		m.Institution = err == nil
	}
	return p.views.Page(w, r, "prove", web.Page{Title: "signin.prove.title", Status: f.Status(), Data: m})
}

// kept are the fields that were sent, but for the proof, in order.
func kept(r *http.Request) []keptField {
	var fields []keptField
	for name, values := range r.PostForm {
		if strings.HasPrefix(name, proofPrefix) {
			continue
		}
		for _, v := range values {
			fields = append(fields, keptField{name, v})
		}
	}
	slices.SortStableFunc(fields, func(a, b keptField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

func (p pages) proveOptions(w http.ResponseWriter, r *http.Request) error {
	c, err := p.svc.Challenge(r.Context(), web.StandingOf(r).Viewer.User)
	return p.answerJSON(w, r, keptPasskey, c, err)
}

func (p pages) proveInstitution(w http.ResponseWriter, r *http.Request) error {
	d, err := p.svc.DepartToProve(r.Context(), standing(r))
	if err != nil {
		return err
	}
	return p.showDeparture(w, r, d, true)
}
