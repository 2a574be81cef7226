package identity

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// maxPassword bounds a password in characters; password.MaxBytes in bytes.
const maxPassword = 128

type signInModel struct {
	Form     *web.Form
	Next     string
	Passkeys bool
}

func signInForm() *web.Form {
	return web.NewForm(
		web.Field{Name: "email", Label: "signin.email", Kind: "email", Required: true, Autocomplete: "username", MaxLength: 254},
		web.Field{Name: "password", Label: "signin.password", Kind: "password", Required: true, Autocomplete: "current-password", MaxLength: maxPassword},
	)
}

func (p pages) signIn(w http.ResponseWriter, r *http.Request) error {
	next := web.SafeNext(r.URL.Query().Get("next"))
	if sector.ViewerFrom(r.Context()).User != "" {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return p.showSignIn(w, r, signInForm(), next)
}

func (p pages) showSignIn(w http.ResponseWriter, r *http.Request, f *web.Form, next string) error {
	w.Header().Set("Cache-Control", "no-store")
	return p.views.Page(w, r, "sign-in", web.Page{
		Title: "signin.title", Bare: true, Status: f.Status(), Data: signInModel{f, next, p.svc.HasPasskeys(r.Host)},
	})
}

// pending is somebody who knew the password.
type pending struct {
	User sector.UserID `json:"user"`
	At   time.Time     `json:"at"`
	Next string        `json:"next"`
}

// secondLife is how long a right password waits for the second step.
const secondLife = 10 * time.Minute

func (p pages) checkPassword(w http.ResponseWriter, r *http.Request) error {
	f := signInForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	next := web.SafeNext(r.PostForm.Get("next"))
	if !f.OK() {
		return p.showSignIn(w, r, f, next)
	}
	answer, err := p.svc.Password(r.Context(), f.Get("email"), f.Get("password"), p.client(r))
	if errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.Invalid) {
		httpx.Note(r.Context(), err)
		f.Error = message(err)
		return p.showSignIn(w, r, f, next)
	}
	if err != nil {
		return err
	}
	if !answer.Means.Enough() {
		return p.enter(w, r, answer.Viewer, ByPassword, next)
	}
	raw, err := json.Marshal(pending{answer.Viewer.User, p.svc.now(), next})
	if err != nil {
		return err
	}
	if err := p.shell.Renew(r); err != nil {
		return err
	}
	p.shell.Keep(r, keptSecond, string(raw))
	http.Redirect(w, r, "/sign-in/second", http.StatusSeeOther)
	return nil
}

// message is an error's words, for a form.
func message(err error) *web.Message {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return &web.Message{Key: e.Key, Args: e.Args}
	}
	return &web.Message{Key: "error.internal.text"}
}

type secondModel struct {
	Form    *web.Form
	Means   Means
	Passkey bool
	Email   string
}

func codeForm() *web.Form {
	return web.NewForm(web.Field{Name: "code", Label: "signin.code", Hint: "signin.code_hint", Required: true, Autofocus: true,
		Autocomplete: "one-time-code", MaxLength: 40, Class: "mono"})
}

// waiting is who has given the right password in this browser.
func (p pages) waiting(r *http.Request) (pending, sector.Viewer, error) {
	var who pending
	again := errs.New(errs.Unauthenticated, "signin.second_over")
	raw := p.shell.Kept(r, keptSecond)
	if raw == "" {
		return who, sector.Viewer{}, again
	}
	if err := json.Unmarshal([]byte(raw), &who); err != nil {
		return who, sector.Viewer{}, err
	}
	if p.svc.now().Sub(who.At) > secondLife {
		return who, sector.Viewer{}, again
	}
	v, err := p.svc.People.Refresh(r.Context(), who.User)
	return who, v, err
}

func (p pages) second(w http.ResponseWriter, r *http.Request) error {
	_, v, err := p.waiting(r)
	if err != nil {
		return p.startOver(w, r, err)
	}
	return p.showSecond(w, r, v, codeForm())
}

// startOver leads people whose first step is too long ago, or was made in a
// session that is gone, back to it.
func (p pages) startOver(w http.ResponseWriter, r *http.Request, err error) error {
	if !errs.Is(err, errs.Unauthenticated) && !errs.Is(err, errs.NotFound) {
		return err
	}
	if sector.ViewerFrom(r.Context()).User == "" {
		p.shell.Flash(r, web.Flash{Tone: "note", Key: "signin.second_over"})
	}
	http.Redirect(w, r, web.SignInPath, http.StatusSeeOther)
	return nil
}

func (p pages) showSecond(w http.ResponseWriter, r *http.Request, v sector.Viewer, f *web.Form) error {
	m, err := p.svc.Means(r.Context(), v.User)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.views.Page(w, r, "second", web.Page{Title: "signin.second.title", Bare: true, Status: f.Status(), Data: secondModel{
		Form: f, Means: m, Passkey: len(m.Passkeys) > 0 && p.svc.HasPasskeys(r.Host), Email: v.Email,
	}})
}

func (p pages) checkSecond(w http.ResponseWriter, r *http.Request) error {
	f := codeForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	who, v, err := p.waiting(r)
	if err != nil {
		return p.startOver(w, r, err)
	}
	proof := Proof{Code: f.Get("code"), Passkey: r.PostForm.Get("passkey")}
	if proof.Passkey != "" {
		f, proof.Challenge = codeForm(), p.shell.Take(r, keptPasskey)
	}
	if !f.OK() {
		return p.showSecond(w, r, v, f)
	}
	by, err := p.svc.Second(r.Context(), v, proof, p.client(r))
	if errs.Is(err, errs.TooMany) {
		return err
	}
	if err != nil {
		httpx.Note(r.Context(), err)
		if err := failed(f, err); err != nil {
			return err
		}
		return p.showSecond(w, r, v, f)
	}
	return p.enter(w, r, v, by, who.Next)
}

func (p pages) secondOptions(w http.ResponseWriter, r *http.Request) error {
	_, v, err := p.waiting(r)
	if err != nil {
		return err // the script loads the page anew, which leads back to the first step
	}
	c, err := p.svc.Challenge(r.Context(), v.User)
	return p.answerJSON(w, r, keptPasskey, c, err)
}

func (p pages) passkeyOptions(w http.ResponseWriter, r *http.Request) error {
	c, err := p.svc.Question(r.Context(), p.client(r))
	return p.answerJSON(w, r, keptPasskey, c, err)
}

func (p pages) checkPasskey(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	next := web.SafeNext(r.PostForm.Get("next"))
	proof := Proof{Passkey: r.PostForm.Get("passkey"), Challenge: p.shell.Take(r, keptPasskey)}
	v, err := p.svc.Passkey(r.Context(), proof, p.client(r))
	if errs.Is(err, errs.TooMany) {
		return err
	}
	if err != nil {
		httpx.Note(r.Context(), err)
		f := signInForm()
		if err := failed(f, err); err != nil {
			return err
		}
		return p.showSignIn(w, r, f, next)
	}
	return p.enter(w, r, v, ByPasskey, next)
}

func (p pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if st := web.StandingOf(r); st.Session != "" {
		if err := p.svc.SignOut(r.Context(), st.Viewer, st.Session); err != nil {
			return err
		}
	}
	if err := p.shell.End(r); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, web.SignInPath, http.StatusSeeOther)
	return nil
}

// maxToken bounds a one-time token in bytes.
const maxToken = 256

type linkModel struct{ Form *web.Form }

func linkForm() *web.Form {
	return web.NewForm(web.Field{Name: "token", Label: "signin.link.code", Hint: "signin.link.code_hint", Required: true,
		Autocomplete: "off", MaxLength: 2048, Class: "mono"})
}

// link shows a form. The secret stands behind the # of the address, where a
// script finds it; without scripts the person pastes the link. Reading a link
// uses nothing up, since mail scanners read links too: the button does.
func (p pages) link(w http.ResponseWriter, r *http.Request) error {
	return p.showLink(w, r, linkForm())
}

func (p pages) showLink(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	return p.views.Page(w, r, "link", web.Page{Title: "signin.link.title", Bare: true, Status: f.Status(), Data: linkModel{f}})
}

// tokenIn is the secret in what was pasted: the whole link, or what stands
// behind its #.
func tokenIn(text string) string {
	return strings.TrimSpace(text[strings.LastIndexByte(text, '#')+1:])
}

func (p pages) redeem(w http.ResponseWriter, r *http.Request) error {
	f := linkForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	token := tokenIn(f.Get("token"))
	if f.OK() && (token == "" || len(token) > maxToken) {
		f.Fail("token", "signin.link_broken")
	}
	if !f.OK() {
		return p.showLink(w, r, f)
	}
	v, err := p.svc.Redeem(r.Context(), token, p.client(r))
	if err != nil {
		return err
	}
	return p.enter(w, r, v, ByLink, "/")
}

type institutionModel struct {
	Form *web.Form
	Next string
}

func institutionForm() *web.Form {
	return web.NewForm(web.Field{Name: "email", Label: "signin.email", Kind: "email", Required: true, Autofocus: true,
		Autocomplete: "username", MaxLength: 254})
}

func (p pages) institution(w http.ResponseWriter, r *http.Request) error {
	return p.showInstitution(w, r, institutionForm(), web.SafeNext(r.URL.Query().Get("next")))
}

func (p pages) showInstitution(w http.ResponseWriter, r *http.Request, f *web.Form, next string) error {
	return p.views.Page(w, r, "institution", web.Page{Title: "provider.sign_in", Bare: true, Status: f.Status(), Data: institutionModel{f, next}})
}

func (p pages) depart(w http.ResponseWriter, r *http.Request) error {
	f := institutionForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	next := web.SafeNext(r.PostForm.Get("next"))
	if !f.OK() {
		return p.showInstitution(w, r, f, next)
	}
	d, err := p.svc.Depart(r.Context(), f.Get("email"), next, p.client(r))
	if errs.Is(err, errs.Unavailable) {
		httpx.Note(r.Context(), err)
		f.Error = message(err)
		return p.showInstitution(w, r, f, next)
	}
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showInstitution(w, r, f, next)
	}
	return p.showDeparture(w, r, d, false)
}

type departureModel struct {
	Departure
	Proving bool
}

// showDeparture shows where the way leads: the policy of our pages lets no
// form lead away from this site.
func (p pages) showDeparture(w http.ResponseWriter, r *http.Request, d Departure, proving bool) error {
	p.shell.Keep(r, keptDeparture, d.State)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	return p.views.Page(w, r, "departure", web.Page{Title: "provider.going", Bare: true, Data: departureModel{d, proving}})
}

func (p pages) arrive(w http.ResponseWriter, r *http.Request) error {
	state := p.shell.Take(r, keptDeparture)
	a, err := p.svc.Arrive(r.Context(), sector.MemberID(r.PathValue("member")), state, r.URL.Query(), p.client(r))
	if err != nil {
		return err
	}
	if !a.Proved {
		return p.enter(w, r, a.Viewer, ByInstitution, a.Next)
	}
	if err := p.shell.Renew(r); err != nil {
		return err
	}
	return p.views.Page(w, r, "proved", web.Page{Title: "signin.proved.title", Bare: true, Data: nil})
}
