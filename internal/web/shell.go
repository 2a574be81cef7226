package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// Config is what a shell is made of.
type Config struct {
	Texts    *i18n.Catalogue
	Edge     *httpx.Edge
	Assets   *static.Assets
	Keeper   Keeper
	Sessions scs.Store
	Lists    ListStore        // nil: lists have no saved views and no files
	Secure   bool             // reached over TLS: cookies are Secure and __Host-
	Now      func() time.Time // nil: time.Now
	Version  string           // shown in the footer
	// Admit refuses a page to a person who asks too often; nil admits.
	Admit func(sector.Viewer) error
	// Unread counts what the viewer has not read, for the header; nil: the
	// header has no bell.
	Unread func(ctx context.Context, v sector.Viewer) (int64, error)
	// DraftKey is a person's AES-256 key in Base64, with which its browser
	// keeps drafts; nil: no drafts are kept.
	DraftKey func(sector.UserID) string
}

// Shell is the frame of all pages: sessions, navigation, layout, components.
// Mount everything before serving; afterwards it is read-only.
type Shell struct {
	texts    *i18n.Catalogue
	edge     *httpx.Edge
	assets   *static.Assets
	keeper   Keeper
	prover   Prover // nil: who is not fresh is refused
	sessions *scs.SessionManager
	secure   bool
	now      func() time.Time
	version  string
	admit    func(sector.Viewer) error
	unread   func(ctx context.Context, v sector.Viewer) (int64, error)
	draftKey func(sector.UserID) string
	nav      []NavItem
	lists    ListStore
	own      *Views // the shell's pages: errors
}

// cookieLife ends what a cookie opens, whatever its use; the keeper may end a
// session earlier.
const cookieLife = 12 * time.Hour

// New returns a shell.
func New(c Config) (*Shell, error) {
	if c.Texts == nil || c.Edge == nil || c.Assets == nil || c.Keeper == nil || c.Sessions == nil {
		return nil, errors.New("web: shell: a part is missing from the configuration")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Admit == nil {
		c.Admit = func(sector.Viewer) error { return nil }
	}
	s := &Shell{
		texts: c.Texts, edge: c.Edge, assets: c.Assets, keeper: c.Keeper,
		secure: c.Secure, now: c.Now, version: c.Version, admit: c.Admit, unread: c.Unread, draftKey: c.DraftKey, lists: c.Lists,
	}
	s.sessions = s.newSessions(c.Sessions)
	own, err := s.Views(templates, "templates/pages")
	if err != nil {
		return nil, fmt.Errorf("web: shell: %w", err)
	}
	s.own = own
	return s, nil
}

// Mount adds the shell's own routes: assets, preferences, and the answer for
// everything nobody else serves.
func (s *Shell) Mount(routes *access.Routes) {
	routes.Handle("GET "+static.Prefix, sector.Public, s.assets)
	s.mountLists(routes)
	s.Page(routes, "POST /preferences", sector.Public, s.setPreference)
	routes.Handle("/", sector.Public, s.session(s.page(notFound)))
}

// Page adds a page for people who hold the permission. Others are sent to the
// sign-in page, or told that they may not. An error becomes an error page.
func (s *Shell) Page(routes *access.Routes, pattern string, need sector.Permission, h httpx.Handler) {
	routes.Handle(pattern, need, s.session(s.require(need, s.page(h))))
}

// Identify puts the viewer of the session, if there is one, into the request,
// for routes that are no pages.
func (s *Shell) Identify(next http.Handler) http.Handler { return s.session(next) }

// Fail answers with an error, for requests that reach no page: as a page to
// browsers, as problem+json to everybody else.
func (s *Shell) Fail(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) }

// Texts is the catalogue, for mail and other words outside pages.
func (s *Shell) Texts() *i18n.Catalogue { return s.texts }

// Lang is the language of the request.
func (s *Shell) Lang(r *http.Request) i18n.Lang { return i18n.Negotiate(r) }

// MemberName is a member's name in the language of the request.
func (s *Shell) MemberName(r *http.Request, m sector.Member) string {
	return words{s, s.localeOf(r)}.member(m)
}

// T is a text in the language of the request.
func (s *Shell) T(r *http.Request, key string, args ...any) string {
	return s.texts.T(i18n.Negotiate(r), key, args...)
}

// Has reports whether there is a text for the key.
func (s *Shell) Has(key string) bool { return s.texts.Has(key) }
