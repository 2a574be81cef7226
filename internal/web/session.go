package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/alexedwards/scs/v2"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Keeper knows the sessions that people have. The browser's cookie opens data
// that holds the name of one.
type Keeper interface {
	// Resume is a session as of now; errs.Unauthenticated or errs.NotFound
	// when it is over, or its person gone.
	Resume(ctx context.Context, id string) (Standing, error)
}

// Standing is a session as of now.
type Standing struct {
	Session string // its name
	Viewer  sector.Viewer
	// Setup: the person must set up a way to sign in before anything else.
	Setup bool
	// Fresh: the person has just proved who it is.
	Fresh bool
}

type standingKey struct{}

// StandingOf is the session of the request; zero without one.
func StandingOf(r *http.Request) Standing { return StandingIn(r.Context()) }

// StandingIn is the session of the request that the context is of; zero
// without one.
func StandingIn(ctx context.Context) Standing {
	st, _ := ctx.Value(standingKey{}).(Standing)
	return st
}

// Where people sign in and out, and set up how. What is below SetUpPath is
// open to sessions that must set up.
const (
	SignInPath  = "/sign-in"
	SignOutPath = "/sign-out"
	SetUpPath   = "/account/set-up"
	LinkPath    = "/enrol" // of one-time links
)

// LinkURL is the address of a one-time link below the base URL (empty: a path
// only). Its secret stands behind the #, which no browser sends to a server:
// it is in no log, no history of a proxy, no Referer.
func LinkURL(base, secret string) string {
	return strings.TrimSuffix(base, "/") + LinkPath + "#" + secret
}

// What the data behind a cookie holds.
const (
	keySession = "session"
	keyFlash   = "flash" // JSON of Flash
)

func (s *Shell) newSessions(store scs.Store) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Lifetime = cookieLife
	m.HashTokenInStore = true // a copy of the store opens no session
	m.Cookie.Name = "aspis"
	m.Cookie.Path = "/"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	if s.secure {
		m.Cookie.Name = "__Host-aspis"
		m.Cookie.Secure = true
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		s.fail(w, r, errs.New(errs.Unavailable, "error.session").Because(err))
	}
	return m
}

// session loads the session and puts the viewer into the request. The keeper
// is asked on every request, so that whoever is removed is out at once.
func (s *Shell) session(next http.Handler) http.Handler {
	return s.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := s.sessions.GetString(r.Context(), keySession)
		if id == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		st, err := s.keeper.Resume(r.Context(), id)
		switch {
		case err == nil && st.Setup && !opensInSetup(r.URL.Path):
			s.sendToSetup(w, r, next)
			return
		case err == nil:
			ctx := context.WithValue(sector.WithViewer(r.Context(), st.Viewer), standingKey{}, st)
			httpx.SetActor(ctx, st.Viewer.Actor())
			r = r.WithContext(ctx)
		case errs.Is(err, errs.Unauthenticated), errs.Is(err, errs.NotFound):
			if err := s.End(r); err != nil {
				s.fail(w, r, err)
				return
			}
		default:
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

func opensInSetup(path string) bool {
	return under(path, SetUpPath) || path == SignOutPath || path == "/preferences"
}

// sendToSetup shows people the way; for programs the session is none.
func (s *Shell) sendToSetup(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch {
	case isPartial(r):
		w.Header().Set("HX-Redirect", SetUpPath)
		w.WriteHeader(http.StatusForbidden)
	case wantsHTML(r):
		http.Redirect(w, r, SetUpPath, http.StatusSeeOther)
	default:
		next.ServeHTTP(w, r)
	}
}

// Begin puts the session with this name into the browser. The cookie is new
// and holds nothing from before, so that one planted earlier means nothing.
func (s *Shell) Begin(r *http.Request, id string) error {
	if err := s.sessions.Clear(r.Context()); err != nil {
		return errs.New(errs.Unavailable, "error.session").Because(err)
	}
	if err := s.Renew(r); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), keySession, id)
	return nil
}

// Renew gives the browser a new cookie for the same session.
func (s *Shell) Renew(r *http.Request) error {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return errs.New(errs.Unavailable, "error.session").Because(err)
	}
	return nil
}

// End takes everything out of the browser.
func (s *Shell) End(r *http.Request) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return errs.New(errs.Unavailable, "error.session").Because(err)
	}
	return nil
}

// Keep holds a value on this side for the browser, signed in or not, until it
// is taken or the session begins or ends.
func (s *Shell) Keep(r *http.Request, key, value string) {
	s.sessions.Put(r.Context(), "kept."+key, value)
}

// Kept is a value that Keep holds; empty for none.
func (s *Shell) Kept(r *http.Request, key string) string {
	return s.sessions.GetString(r.Context(), "kept."+key)
}

// Take is Kept, once.
func (s *Shell) Take(r *http.Request, key string) string {
	return s.sessions.PopString(r.Context(), "kept."+key)
}

// Prover asks people to prove who they are. It reports whether that has been
// done; if not, it has answered the request with a page that asks, and that
// sends the same form again.
type Prover func(w http.ResponseWriter, r *http.Request) (proved bool, err error)

// UseProver names the one that StepUp asks.
func (s *Shell) UseProver(p Prover) { s.prover = p }

// StepUp is h for people who have proved who they are in the last minutes.
// Others are asked first; what they sent is kept. It is for POST. Sessions
// that set up have nothing to prove it with, and reach nothing else.
func (s *Shell) StepUp(h httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		st := StandingOf(r)
		if st.Fresh || st.Setup {
			return h(w, r)
		}
		if s.prover == nil {
			return errs.New(errs.Forbidden, "signin.prove_first")
		}
		if proved, err := s.prover(w, r); err != nil || !proved {
			return err
		}
		st.Fresh = true
		return h(w, r.WithContext(context.WithValue(r.Context(), standingKey{}, st)))
	}
}

// Fresh refuses (errs.Forbidden) requests of people whose last proof is older
// than StepUp asks for: for routes that are no pages. Tokens and keys pass:
// programs have nothing to prove it with.
func Fresh(r *http.Request) error {
	if v := sector.ViewerFrom(r.Context()); v.User != "" && v.Token == "" && !StandingOf(r).Fresh {
		return errs.New(errs.Forbidden, "signin.prove_first")
	}
	return nil
}

// require passes people who hold the permission.
func (s *Shell) require(need sector.Permission, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := sector.ViewerFrom(r.Context())
		err := s.admit(v)
		if err == nil {
			err = access.Check(v, need)
		}
		switch {
		case err == nil:
			next.ServeHTTP(w, r)
		case errs.Is(err, errs.Unauthenticated):
			s.askToSignIn(w, r)
		default:
			s.fail(w, r, err)
		}
	})
}

func (s *Shell) askToSignIn(w http.ResponseWriter, r *http.Request) {
	where := SignInPath
	if r.Method == http.MethodGet && r.URL.Path != "/" && !isPartial(r) {
		where += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	switch {
	case isPartial(r):
		w.Header().Set("HX-Redirect", where)
		w.WriteHeader(http.StatusUnauthorized)
	case wantsHTML(r):
		http.Redirect(w, r, where, http.StatusSeeOther)
	default:
		s.fail(w, r, errs.New(errs.Unauthenticated, "error.sign_in_first"))
	}
}

// SafeNext is the path to go to after signing in: only a path of this site,
// and none that would sign out or ask again; else the start page.
func SafeNext(next string) string {
	path, ok := ownPath(next)
	if !ok || path == SignOutPath || signsIn(path) {
		return "/"
	}
	return next
}

// signsIn: the pages of people who are not in yet.
func signsIn(path string) bool {
	return under(path, SignInPath) || under(path, LinkPath) || under(path, SetUpPath)
}

// ownPath is the path of an address within this site.
func ownPath(next string) (string, bool) {
	u, err := url.Parse(next)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", u.Opaque != "", u.User != nil:
		return "", false
	case !strings.HasPrefix(next, "/"), strings.HasPrefix(next, "//"), strings.ContainsAny(next, "\\\x00\r\n\t"):
		return "", false
	case strings.HasPrefix(u.Path, "//"), strings.Contains(u.Path, "\\"):
		return "", false
	}
	return u.Path, true
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// Flash is a message shown once, on the next page.
type Flash struct {
	Tone string `json:"tone"` // "good", "bad" or "note"
	Key  string `json:"key"`
	Args []any  `json:"args,omitempty"` // strings and numbers
	// Undo, where it can be undone, is the path a POST goes to.
	Undo string `json:"undo,omitempty"`
}

// Flash keeps a message for the next page.
func (s *Shell) Flash(r *http.Request, f Flash) {
	raw, err := json.Marshal(f)
	if err != nil {
		httpx.Note(r.Context(), fmt.Errorf("flash: %w", err))
		return
	}
	s.sessions.Put(r.Context(), keyFlash, string(raw))
}

func (s *Shell) popFlash(ctx context.Context) *Flash {
	raw := s.sessions.PopString(ctx, keyFlash)
	if raw == "" {
		return nil
	}
	var f Flash
	if err := json.Unmarshal([]byte(raw), &f); err != nil {
		return nil
	}
	for i, arg := range f.Args {
		if n, ok := arg.(float64); ok {
			f.Args[i] = int64(n) // JSON knows no whole numbers
		}
	}
	return &f
}

func isPartial(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

func wantsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
