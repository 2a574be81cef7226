package web

import (
	"net/http"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

const (
	enrolPath    = "/enrol"
	passwordPath = "/enrol/password"
)

// maxPassword bounds a password in characters. The accounts decide how short
// one may be and how many bytes they hash.
const maxPassword = 128

// maxToken bounds a one-time token in bytes.
const maxToken = 256

type enrolModel struct {
	Token string
	Form  *Form
}

// mountEnrol adds the pages behind a one-time link. Reading the link uses
// nothing up, since mail scanners read links too: the button does.
func (s *Shell) mountEnrol(routes *access.Routes) {
	s.Page(routes, "GET "+enrolPath, sector.Public, s.enrolShow)
	s.Page(routes, "POST "+enrolPath, sector.Public, s.enrolRedeem)
	s.Page(routes, "GET "+passwordPath, sector.SignedIn, s.passwordShow)
	s.Page(routes, "POST "+passwordPath, sector.SignedIn, s.passwordSet)
}

func (s *Shell) enrolShow(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if token == "" || len(token) > maxToken {
		return errs.New(errs.Invalid, "signin.link_broken")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the token is in the address
	return s.own.Page(w, r, "enrol", Page{Title: "signin.enrol.title", Bare: true, Data: enrolModel{Token: token}})
}

func (s *Shell) enrolRedeem(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	token := r.PostFormValue("token")
	peer := httpx.ClientIP(r)
	if s.throttle.wait(peer, "one-time link") > 0 {
		return errs.New(errs.TooMany, "error.too_many.text")
	}
	if token == "" || len(token) > maxToken {
		return errs.New(errs.Invalid, "signin.link_broken")
	}
	v, err := s.accounts.Redeem(r.Context(), token)
	if errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.NotFound) {
		s.throttle.failed(peer, "one-time link")
		return errs.New(errs.Invalid, "signin.link_invalid").Because(err)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(r.Context(), v); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), keyEnrol, true)
	http.Redirect(w, r, passwordPath, http.StatusSeeOther)
	return nil
}

func passwordForm() *Form {
	return NewForm(Field{
		Name: "password", Label: "signin.new_password", Kind: "password", Required: true, Autofocus: true,
		Hint: "signin.password_hint", Autocomplete: "new-password", MaxLength: maxPassword,
	})
}

func (s *Shell) passwordShow(w http.ResponseWriter, r *http.Request) error {
	return s.passwordRender(w, r, passwordForm())
}

func (s *Shell) passwordRender(w http.ResponseWriter, r *http.Request, f *Form) error {
	if !s.sessions.GetBool(r.Context(), keyEnrol) {
		return errs.New(errs.Forbidden, "signin.enrol_first")
	}
	return s.own.Page(w, r, "password", Page{
		Title: "signin.choose.title", Bare: true, Status: f.Status(), Data: enrolModel{Form: f},
	})
}

// passwordSet stores a password. Only the session that a one-time link began
// may, and only once: nobody else proved anything but a cookie.
func (s *Shell) passwordSet(w http.ResponseWriter, r *http.Request) error {
	f := passwordForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !s.sessions.GetBool(r.Context(), keyEnrol) {
		return errs.New(errs.Forbidden, "signin.enrol_first")
	}
	if !f.OK() {
		return s.passwordRender(w, r, f)
	}
	v := sector.ViewerFrom(r.Context())
	if err := s.accounts.SetPassword(r.Context(), v, f.Get("password")); err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return s.passwordRender(w, r, f)
	}
	s.sessions.Remove(r.Context(), keyEnrol)
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return errs.New(errs.Unavailable, "error.session").Because(err)
	}
	s.Flash(r, Flash{Tone: "good", Key: "signin.password_set"})
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
