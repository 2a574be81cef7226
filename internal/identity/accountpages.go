package identity

import (
	"fmt"
	"net/http"
	"strings"

	"rsc.io/qr"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/web"
)

type setUpModel struct {
	First     bool // nothing else opens until something is set up
	Means     Means
	Passkeys  bool // they work at this address
	Passkey   *web.Form
	App       App
	Secret    []string // the app's secret in groups of four
	AppForm   *web.Form
	NewSecret *web.Form // the password alone
}

func passkeyForm() *web.Form {
	return web.NewForm(web.Field{Name: "name", Label: "account.passkey_name", Hint: "account.passkey_name_hint",
		Required: true, MaxLength: maxName, Autocomplete: "off"})
}

// appForm asks for the password too unless the person keeps the one it has.
func appForm(st Standing, m Means) *web.Form {
	return web.NewForm(
		web.Field{Name: "password", Label: "signin.new_password", Kind: "password", Hint: passwordHint(st, m), Required: !keepsPassword(st, m.Password),
			Autocomplete: "new-password", MaxLength: maxPassword},
		web.Field{Name: "code", Label: "signin.app_code", Required: true, Autocomplete: "one-time-code", MaxLength: 10, Class: "mono"},
	)
}

func passwordHint(st Standing, m Means) string {
	if keepsPassword(st, m.Password) {
		return "signin.password_keep"
	}
	return "signin.password_hint"
}

func newPasswordForm() *web.Form {
	return web.NewForm(web.Field{Name: "password", Label: "signin.new_password", Kind: "password", Required: true, Hint: "signin.password_hint",
		Autocomplete: "new-password", MaxLength: maxPassword})
}

// forms is what the set-up page shows: one of them may hold a mistake.
type forms struct{ passkey, app, password *web.Form }

// setter is the session and means of somebody who may set up ways to sign in.
func (p pages) setter(r *http.Request) (Standing, Means, error) {
	st := standing(r)
	if err := p.svc.maySet(st); err != nil {
		return st, Means{}, err
	}
	session, err := p.svc.Sessions.Session(r.Context(), st.Session.ID)
	if err != nil {
		return st, Means{}, err
	}
	st.Session = session
	m, err := p.svc.Means(r.Context(), st.Viewer.User)
	return st, m, err
}

func (p pages) setUp(w http.ResponseWriter, r *http.Request) error {
	if st := standing(r); !st.Session.Setup && !st.Fresh { // an old tab, or the back button
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return nil
	}
	return p.showSetUp(w, r, forms{})
}

func (p pages) showSetUp(w http.ResponseWriter, r *http.Request, f forms) error {
	st, m, err := p.setter(r)
	if err != nil {
		return err
	}
	model := setUpModel{First: st.Session.Setup, Means: m, Passkeys: p.svc.HasPasskeys(r.Host), Passkey: f.passkey, AppForm: f.app, NewSecret: f.password}
	status := http.StatusOK
	for _, form := range []*web.Form{f.passkey, f.app, f.password} {
		if form != nil {
			status = max(status, form.Status())
		}
	}
	if model.Passkey == nil {
		model.Passkey = passkeyForm()
	}
	if model.AppForm == nil {
		model.AppForm = appForm(st, m)
	}
	if model.NewSecret == nil {
		model.NewSecret = newPasswordForm()
	}
	// The same secret in every tab and after going back.
	if sealed := p.shell.Kept(r, keptApp); sealed != "" {
		if model.App, err = p.svc.SameApp(st.Viewer, sealed); err != nil {
			return err
		}
	} else {
		if model.App, err = p.svc.NewApp(st.Viewer); err != nil {
			return err
		}
		p.shell.Keep(r, keptApp, model.App.Sealed)
	}
	for s := model.App.Secret; s != ""; s = s[min(4, len(s)):] {
		model.Secret = append(model.Secret, s[:min(4, len(s))])
	}
	return p.views.Page(w, r, "set-up", web.Page{Title: "account.setup.title", Bare: st.Session.Setup, Status: status, Data: model})
}

// appPicture is the app's secret for a camera.
func (p pages) appPicture(w http.ResponseWriter, r *http.Request) error {
	sealed := p.shell.Kept(r, keptApp)
	if sealed == "" {
		return errs.New(errs.NotFound, "error.no_page")
	}
	app, err := p.svc.SameApp(web.StandingOf(r).Viewer, sealed)
	if err != nil {
		return err
	}
	code, err := qr.Encode(app.URI, qr.M)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(picture(code)))
	return err
}

// quietZone is the empty border of a QR code in modules (ISO/IEC 18004).
const quietZone = 4

func picture(code *qr.Code) string {
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	size := code.Size + 2*quietZone
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`, size, size, size, size, path.String())
}

type codesModel struct {
	Codes []string
	Next  string
}

func (p pages) setApp(w http.ResponseWriter, r *http.Request) error {
	st, m, err := p.setter(r)
	if err != nil {
		return err
	}
	f := appForm(st, m)
	if err := f.Read(w, r); err != nil {
		return err
	}
	sealed := p.shell.Kept(r, keptApp)
	if sealed == "" {
		f.Fail("", "signin.app_again")
	}
	if !f.OK() {
		return p.showSetUp(w, r, forms{app: f})
	}
	codes, err := p.svc.SetApp(r.Context(), st, f.Get("password"), sealed, f.Get("code"))
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showSetUp(w, r, forms{app: f})
	}
	p.shell.Take(r, keptApp)
	return p.showCodes(w, r, codes)
}

// showCodes answers the POST itself: codes are shown once and kept nowhere.
func (p pages) showCodes(w http.ResponseWriter, r *http.Request, codes []string) error {
	if err := p.shell.Renew(r); err != nil {
		return err
	}
	next := p.shell.Take(r, keptNext)
	if next == "" {
		next = "/account"
	}
	return p.views.Page(w, r, "codes", web.Page{Title: "account.codes.title", Bare: true, Status: http.StatusCreated, Data: codesModel{codes, next}})
}

func (p pages) setPassword(w http.ResponseWriter, r *http.Request) error {
	st, m, err := p.setter(r)
	if err != nil {
		return err
	}
	f := newPasswordForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !m.App { // alone it signs nobody in
		return errs.New(errs.Invalid, "signin.app_first")
	}
	if f.OK() {
		err := p.svc.ChangePassword(r.Context(), st, f.Get("password"))
		if err == nil {
			return p.done(w, r, "account.password_changed")
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showSetUp(w, r, forms{password: f})
}

func (p pages) newPasskeyOptions(w http.ResponseWriter, r *http.Request) error {
	c, err := p.svc.NewPasskey(r.Context(), standing(r))
	return p.answerJSON(w, r, keptNew, c, err)
}

func (p pages) addPasskey(w http.ResponseWriter, r *http.Request) error {
	f := passkeyForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		err := p.svc.AddPasskey(r.Context(), standing(r), f.Get("name"), r.PostForm.Get("passkey"), p.shell.Take(r, keptNew))
		if err == nil {
			return p.done(w, r, "account.passkey_added")
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showSetUp(w, r, forms{passkey: f})
}

// done goes on after a change to how the person signs in: with a new cookie,
// and to where it wanted to go before it had to set up.
func (p pages) done(w http.ResponseWriter, r *http.Request, key string) error {
	if err := p.shell.Renew(r); err != nil {
		return err
	}
	next := p.shell.Take(r, keptNext)
	if next == "" {
		next = "/account"
	}
	p.shell.Take(r, keptApp)
	p.shell.Flash(r, web.Flash{Tone: "good", Key: key})
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

type accountModel struct {
	Email    string
	Means    Means
	Passkeys bool // they work at this address
	Fresh    bool
	Sessions []sessionRow
	Others   int
}

type sessionRow struct {
	Session
	Name string
	This bool
}

func rows(sessions []Session, this string) []sessionRow {
	all := make([]sessionRow, len(sessions))
	for i, s := range sessions {
		all[i] = sessionRow{s, browserName(s.Browser), s.ID == this}
	}
	return all
}

func (p pages) account(w http.ResponseWriter, r *http.Request) error {
	st := web.StandingOf(r)
	means, err := p.svc.Means(r.Context(), st.Viewer.User)
	if err != nil {
		return err
	}
	sessions, err := p.svc.Active(r.Context(), st.Viewer.User)
	if err != nil {
		return err
	}
	m := accountModel{Email: st.Viewer.Email, Means: means, Passkeys: p.svc.HasPasskeys(r.Host), Fresh: st.Fresh, Sessions: rows(sessions, st.Session)}
	m.Others = len(sessions) - 1
	return p.views.Page(w, r, "account", web.Page{Title: "account.title", Data: m})
}

// change opens the set-up page to somebody who has just proved itself.
func (p pages) change(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, web.SetUpPath, http.StatusSeeOther)
	return nil
}

func (p pages) newCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := p.svc.NewCodes(r.Context(), standing(r))
	if err != nil {
		return err
	}
	return p.showCodes(w, r, codes)
}

func (p pages) removeApp(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.RemoveApp(r.Context(), standing(r)); err != nil {
		return err
	}
	return p.done(w, r, "account.app_removed")
}

func (p pages) removePasskey(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.RemovePasskey(r.Context(), standing(r), r.PathValue("id")); err != nil {
		return err
	}
	return p.done(w, r, "account.passkey_removed")
}

func (p pages) endSession(w http.ResponseWriter, r *http.Request) error {
	st := web.StandingOf(r)
	if r.PathValue("id") == st.Session {
		return p.signOut(w, r)
	}
	n, err := p.svc.Revoke(r.Context(), st.Viewer, Ending{User: st.Viewer.User, ID: r.PathValue("id")})
	return p.ended(w, r, n, err, "/account")
}

func (p pages) endOthers(w http.ResponseWriter, r *http.Request) error {
	st := web.StandingOf(r)
	n, err := p.svc.Revoke(r.Context(), st.Viewer, Ending{User: st.Viewer.User, But: st.Session})
	return p.ended(w, r, n, err, "/account")
}

func (p pages) ended(w http.ResponseWriter, r *http.Request, n int, err error, back string) error {
	if err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "account.sessions_ended", Args: []any{n}})
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}
