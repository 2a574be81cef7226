package identity

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// keeper is the service as the shell knows it.
type keeper struct{ svc *Service }

// Keeper is the service as the shell's keeper of sessions.
func Keeper(svc *Service) web.Keeper { return keeper{svc} }

// Resume implements web.Keeper.
func (k keeper) Resume(ctx context.Context, id string) (web.Standing, error) {
	st, err := k.svc.Resume(ctx, id)
	return web.Standing{Session: id, Viewer: st.Viewer, Setup: st.Session.Setup, Fresh: st.Fresh}, err
}

type pages struct {
	svc    *Service
	shell  *web.Shell
	views  *web.Views
	secure bool // cookies over TLS only
}

// What is kept on this side between two requests of a browser.
const (
	keptSecond    = "second"      // JSON of pending: a right password
	keptPasskey   = "passkey"     // state of a question for a passkey
	keptNew       = "passkey-new" // state of a question for a new one
	keptApp       = "app"         // sealed secret of the app being set up
	keptDeparture = "departure"   // state of a person at its provider
	keptNext      = "next"        // where to go after setting up
)

// Mount adds signing in and out, the account page, what administrators do for
// people's ways to sign in, and becomes the prover of the shell.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("identity: pages: %w", err)
	}
	p := pages{svc: svc, shell: sh, views: views, secure: svc.base.Scheme == "https"}
	sh.UseProver(p.prove)
	p.mountSignIn(routes)
	p.mountAccount(routes)
	p.mountAdmin(routes)
	return nil
}

func (p pages) mountSignIn(routes *access.Routes) {
	public := func(pattern string, h httpx.Handler) { p.shell.Page(routes, pattern, sector.Public, h) }
	public("GET "+web.SignInPath, p.signIn)
	public("POST "+web.SignInPath, p.checkPassword)
	public("GET /sign-in/second", p.second)
	public("POST /sign-in/second", p.checkSecond)
	public("POST /sign-in/second/options", p.secondOptions)
	public("POST /sign-in/passkey", p.checkPasskey)
	public("POST /sign-in/passkey/options", p.passkeyOptions)
	public("GET /sign-in/institution", p.institution)
	public("POST /sign-in/institution", p.depart)
	public("GET /sign-in/institution/{member}", p.arrive)
	public("GET "+web.LinkPath, p.link)
	public("POST "+web.LinkPath, p.redeem)
	public("POST "+web.SignOutPath, p.signOut)
}

func (p pages) mountAccount(routes *access.Routes) {
	own := func(pattern string, h httpx.Handler) { p.shell.Page(routes, pattern, sector.SignedIn, h) }
	own("GET "+web.SetUpPath, p.setUp)
	own("GET /account/set-up/app.svg", p.appPicture)
	own("POST /account/set-up/app", p.shell.StepUp(p.setApp))
	own("POST /account/set-up/password", p.shell.StepUp(p.setPassword))
	own("POST /account/set-up/passkey", p.shell.StepUp(p.addPasskey))
	own("POST /account/set-up/passkey/options", p.newPasskeyOptions)
	own("GET /account", p.account)
	own("POST /account/change", p.shell.StepUp(p.change))
	own("POST /account/codes", p.shell.StepUp(p.newCodes))
	own("POST /account/app/remove", p.shell.StepUp(p.removeApp))
	own("POST /account/passkeys/{id}/remove", p.shell.StepUp(p.removePasskey))
	own("POST /account/sessions/{id}/end", p.shell.StepUp(p.endSession))
	own("POST /account/sessions/end", p.shell.StepUp(p.endOthers))
	own("POST /prove/options", p.proveOptions)
	own("POST /prove/institution", p.proveInstitution)
}

// client is where a request comes from.
func (p pages) client(r *http.Request) Client {
	c := Client{Address: httpx.ClientIP(r), Browser: r.UserAgent()}
	if cookie, err := r.Cookie(p.deviceCookie()); err == nil {
		c.Device = cookie.Value
	}
	return c
}

func (p pages) deviceCookie() string {
	if p.secure {
		return "__Host-device"
	}
	return "device"
}

// enter begins a session and leads to next, or to what must be set up first.
func (p pages) enter(w http.ResponseWriter, r *http.Request, v sector.Viewer, by Method, next string) error {
	c := p.client(r)
	session, err := p.svc.Start(r.Context(), v, by, c)
	if err != nil {
		return err
	}
	if err := p.shell.Begin(r, session.ID); err != nil {
		return err
	}
	if !session.Setup && !p.svc.Knows(c, v.User) {
		http.SetCookie(w, &http.Cookie{
			Name: p.deviceCookie(), Value: p.svc.Remember(v.User), Path: "/", MaxAge: int(DeviceLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure,
		})
	}
	next = web.SafeNext(next)
	if session.Setup {
		p.shell.Keep(r, keptNext, next)
		next = web.SetUpPath
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// standing is the request's session as the service takes it.
func standing(r *http.Request) Standing {
	st := web.StandingOf(r)
	return Standing{Session: Session{ID: st.Session, User: st.Viewer.User, Setup: st.Setup}, Viewer: st.Viewer, Fresh: st.Fresh}
}

// answerJSON answers a script with a question for the authenticator, whose
// state is kept under key.
func (p pages) answerJSON(w http.ResponseWriter, r *http.Request, key string, c Ceremony, err error) error {
	if err != nil {
		return err
	}
	p.shell.Keep(r, key, c.State)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(c.Options)
}

// failed puts an error that the person can do something about on the form,
// and returns every other.
func failed(f *web.Form, err error) error {
	if errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.TooMany) {
		f.Error = message(err)
		return nil
	}
	return f.FailWith(err)
}

func readForm(w http.ResponseWriter, r *http.Request) error { return web.NewForm().Read(w, r) }

// browserName is a User-Agent in two words; the whole of it says too much.
func browserName(agent string) string {
	find := func(marks ...string) string {
		for i := 0; i+1 < len(marks); i += 2 {
			if strings.Contains(agent, marks[i]) {
				return marks[i+1]
			}
		}
		return ""
	}
	browser := find("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := find("Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Mac OS", "macOS", "Linux", "Linux")
	return strings.TrimSpace(browser + " " + system)
}
