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

// What a session holds.
const (
	keyUser  = "user"  // sector.UserID
	keyEnrol = "enrol" // true after a one-time link, until a password is set or skipped
	keyFlash = "flash" // JSON of Flash
)

func (s *Shell) newSessions(store scs.Store) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Lifetime = sessionLife
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

// session loads the session and puts the viewer into the request. The account
// is asked on every request, so that a removed person is out at once.
func (s *Shell) session(next http.Handler) http.Handler {
	return s.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := sector.UserID(s.sessions.GetString(r.Context(), keyUser))
		if user == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		v, err := s.accounts.Refresh(r.Context(), user)
		switch {
		case err == nil:
			r = r.WithContext(sector.WithViewer(r.Context(), v))
			httpx.SetActor(r.Context(), v.Actor())
		case errs.Is(err, errs.Unauthenticated), errs.Is(err, errs.NotFound):
			if err := s.sessions.Destroy(r.Context()); err != nil {
				s.fail(w, r, errs.New(errs.Unavailable, "error.session").Because(err))
				return
			}
		default:
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// signIn starts a session for the viewer. The token is new, so that one
// planted before means nothing afterwards.
func (s *Shell) signIn(ctx context.Context, v sector.Viewer) error {
	if err := s.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	s.sessions.Put(ctx, keyUser, string(v.User))
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
	where := signInPath
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

// safeNext is the path to go to after signing in: only a path of this site,
// else the start page.
func safeNext(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", u.Opaque != "", u.User != nil:
		return "/"
	case !strings.HasPrefix(next, "/"), strings.HasPrefix(next, "//"), strings.ContainsAny(next, "\\\x00\r\n\t"):
		return "/"
	case strings.HasPrefix(u.Path, "//"), strings.Contains(u.Path, "\\"):
		return "/"
	case u.Path == signInPath, u.Path == signOutPath, strings.HasPrefix(u.Path, enrolPath):
		return "/"
	}
	return next
}

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
