package web

import (
	"net/http"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

const (
	signInPath  = "/sign-in"
	signOutPath = "/sign-out"
)

type signInModel struct {
	Form *Form
	Next string
}

type signIn struct{ shell *Shell }

func (s *Shell) mountSignIn(routes *access.Routes) {
	h := signIn{s}
	s.Page(routes, "GET "+signInPath, sector.Public, h.show)
	s.Page(routes, "POST "+signInPath, sector.Public, h.submit)
	s.Page(routes, "POST "+signOutPath, sector.Public, s.signOut)
}

func signInForm() *Form {
	return NewForm(
		Field{Name: "email", Label: "signin.email", Kind: "email", Required: true, Autocomplete: "username", Autofocus: true, MaxLength: 254},
		Field{Name: "password", Label: "signin.password", Kind: "password", Required: true, Autocomplete: "current-password", MaxLength: maxPassword},
	)
}

func (h signIn) show(w http.ResponseWriter, r *http.Request) error {
	next := safeNext(r.URL.Query().Get("next"))
	if sector.ViewerFrom(r.Context()).User != "" {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return h.render(w, r, signInForm(), next)
}

func (h signIn) render(w http.ResponseWriter, r *http.Request, f *Form, next string) error {
	w.Header().Set("Cache-Control", "no-store")
	return h.shell.own.Page(w, r, "sign-in", Page{
		Title: "signin.title", Bare: true, Status: f.Status(), Data: signInModel{f, next},
	})
}

func (h signIn) submit(w http.ResponseWriter, r *http.Request) error {
	f := signInForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	next := safeNext(r.PostForm.Get("next"))
	if !f.OK() {
		return h.render(w, r, f, next)
	}
	v, err := h.check(r, f.Get("email"), f.Get("password"))
	switch {
	case errs.Is(err, errs.Unauthenticated):
		httpx.Note(r.Context(), err)
		f.Fail("", "signin.refused")
		return h.render(w, r, f, next)
	case err != nil:
		return err
	}
	if err := h.shell.signIn(r.Context(), v); err != nil {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// check asks the accounts, within the limits on failures.
func (h signIn) check(r *http.Request, email, password string) (sector.Viewer, error) {
	peer := httpx.ClientIP(r)
	if wait := h.shell.throttle.wait(peer, email); wait > 0 {
		e := errs.New(errs.TooMany, "signin.too_many", int(wait.Seconds())+1)
		e.RetryAfter = wait
		return sector.Viewer{}, e
	}
	v, err := h.shell.accounts.Authenticate(r.Context(), email, password)
	if errs.Is(err, errs.Unauthenticated) {
		h.shell.throttle.failed(peer, email)
	}
	return v, err
}

func (s *Shell) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return errs.New(errs.Unavailable, "error.session").Because(err)
	}
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, signInPath, http.StatusSeeOther)
	return nil
}
