package identity_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/platform/totp"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/static"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

const pass = "a sentence that nobody guesses"

// world is a portal with real sessions, credentials and people on SQLite, and
// a clock that can be moved.
type world struct {
	t       *testing.T
	db      *sqldb.DB
	dir     *sector.Directory
	svc     *identity.Service
	base    string
	handler http.Handler
	log     *bytes.Buffer
	ahead   atomic.Int64 // of the real clock, in nanoseconds
}

func (w *world) now() time.Time        { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }
func (w *world) ctx() context.Context  { return w.t.Context() }
func (w *world) must(err error)        { w.t.Helper(); must(w.t, err) }
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T, change ...func(*identity.Config)) *world {
	t.Helper()
	w := &world{t: t, base: "http://localhost:8080", log: &bytes.Buffer{}}
	var err error
	w.db, err = sqldb.Open(t.Context(), filepath.Join(t.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, w.db.Close()) })
	w.dir = sector.NewDirectory(w.db.Sector(), w.db.Sector(), w.db.Sector(), w.now)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, seal.KeySize), "identity")
	must(t, err)
	vault, err := secret.New(bytes.Repeat([]byte{8}, secret.KeySize))
	must(t, err)
	config := identity.Config{Stores: w.db.Identity().Stores(), People: w.dir, Sealer: sealer, Vault: vault, BaseURL: w.base, Now: w.now}
	for _, c := range change {
		c(&config)
	}
	w.base = config.BaseURL
	w.svc, err = identity.New(config)
	must(t, err)
	w.mount()
	return w
}

func (w *world) mount() {
	texts, err := i18n.Load()
	w.must(err)
	assets, err := static.Load()
	w.must(err)
	edge := httpx.NewEdge(slog.New(slog.NewJSONHandler(w.log, nil)), texts, nil)
	shell, err := web.New(web.Config{Texts: texts, Edge: edge, Assets: assets, Keeper: identity.Keeper(w.svc),
		Sessions: w.db.Sessions(), Secure: strings.HasPrefix(w.base, "https:"), Version: "test"})
	w.must(err)
	routes := access.New(edge)
	shell.Mount(routes)
	w.must(identity.Mount(routes, shell, w.svc))
	echo := func(rw http.ResponseWriter, r *http.Request) error {
		_, err := rw.Write([]byte("inside: " + sector.ViewerFrom(r.Context()).Email + " " + r.PostFormValue("text")))
		return err
	}
	shell.Page(routes, "GET /{$}", sector.SignedIn, echo)
	shell.Page(routes, "GET /inside", sector.SignedIn, echo)
	shell.Page(routes, "POST /release", sector.SignedIn, shell.StepUp(echo))
	w.handler = edge.Wrap(routes)
}

// member adds an institution, person somebody with a password, as the command
// line does; without one when it is empty.
func (w *world) member(id sector.MemberID) {
	w.t.Helper()
	_, err := w.dir.CreateMember(w.ctx(), sector.System(), sector.Member{ID: id, Name: "Jade Commercial Bank " + string(id), NameZh: "翠玉商業銀行 " + string(id), Sector: sector.Banking})
	w.must(err)
}

func (w *world) person(email string, role sector.Role, member sector.MemberID, password string) sector.Viewer {
	w.t.Helper()
	u, err := w.dir.CreateUser(w.ctx(), sector.System(), sector.User{Email: email, Roles: []sector.Role{role}, Member: member}, password)
	w.must(err)
	v, err := w.dir.Refresh(w.ctx(), u.ID)
	w.must(err)
	return v
}

// link is a one-time link's path.
func (w *world) link(v sector.Viewer) string {
	w.t.Helper()
	secret, err := w.dir.CreateLink(w.ctx(), sector.System(), v.User, time.Hour)
	w.must(err)
	return "/enrol#" + secret
}

// actions are the ledger's actions about an object, in order.
func (w *world) actions(object string) string {
	w.t.Helper()
	rows, err := w.db.Read().QueryContext(w.ctx(), `SELECT action, detail FROM ledger WHERE object = $1 ORDER BY seq`, object)
	w.must(err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var action, detail string
		w.must(rows.Scan(&action, &detail))
		all = append(all, action+detail)
	}
	w.must(rows.Err())
	return strings.Join(all, " ")
}

// browser keeps cookies between requests, as one person's browser does.
type browser struct {
	*world
	cookies map[string]*http.Cookie
	addr    string
	lang    i18n.Lang
}

func (w *world) browser() *browser {
	return &browser{world: w, cookies: map[string]*http.Cookie{}, addr: "192.0.2.1:40000", lang: i18n.En}
}

func (b *browser) do(method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	path, _, _ = strings.Cut(path, "#") // which no browser sends
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.addr
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", string(b.lang))
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
		b.t.Logf("%s %s answers %d; the log says\n%s", method, path, w.Code, b.log)
	}
	return w
}

// get visits a page and checks what every page owes its readers.
func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.checked(b.do(http.MethodGet, path, nil), path)
}

func (b *browser) post(path string, pairs ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.checked(b.do(http.MethodPost, path, form), path)
}

func (b *browser) checked(w *httptest.ResponseRecorder, path string) *httptest.ResponseRecorder {
	b.t.Helper()
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && strings.Contains(w.Body.String(), "<html") {
		webtest.Check(b.t, webtest.Page{Status: w.Code, Body: w.Body.String(), Lang: b.lang, Path: path})
	}
	return w
}

// leads expects a redirect.
func leads(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		t.Fatalf("leads to %d %q, want %q\n%s", w.Code, w.Header().Get("Location"), to, plain(w.Body.String()))
	}
}

// says expects a page with the words.
func says(t *testing.T, w *httptest.ResponseRecorder, status int, words string) {
	t.Helper()
	if text := plain(w.Body.String()); w.Code != status || !strings.Contains(text, words) {
		t.Fatalf("answers %d without %q:\n%s", w.Code, words, text)
	}
}

func plain(page string) string {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return page
	}
	var main *html.Node
	for _, n := range webtest.Find(doc, func(n *html.Node) bool { return n.Data == "main" }) {
		main = n
	}
	if main == nil {
		main = doc
	}
	return strings.Join(strings.Fields(webtest.Text(main)), " ")
}

var (
	secretText = regexp.MustCompile(`data-copy="([A-Z2-7]{32})"`)
	codeText   = regexp.MustCompile(`<li><code>([a-z2-7-]{29})</code>`)
)

// device is a person's authenticator app and sheet of recovery codes.
type device struct {
	secret totp.Secret
	codes  []string
}

func (d device) code(w *world) string { return d.secret.Code(totp.Step(w.now())) }

// app sets up an authenticator app in a session that may.
func (b *browser) app(password string) device {
	b.t.Helper()
	page := b.get(web.SetUpPath)
	found := secretText.FindStringSubmatch(page.Body.String())
	if page.Code != http.StatusOK || found == nil {
		b.t.Fatalf("setting up answers %d %q:\n%s", page.Code, page.Header().Get("Location"), plain(page.Body.String()))
	}
	secret, err := totp.Parse(found[1])
	b.must(err)
	d := device{secret: secret}
	done := b.post("/account/set-up/app", "password", password, "code", d.code(b.world))
	if done.Code != http.StatusCreated {
		b.t.Fatalf("saving the app answers %d:\n%s", done.Code, plain(done.Body.String()))
	}
	for _, m := range codeText.FindAllStringSubmatch(done.Body.String(), -1) {
		d.codes = append(d.codes, m[1])
	}
	return d
}

// enter signs in with password and a code of the app, half a minute later
// so that it is a new one.
func (b *browser) enter(email string, d device) {
	b.t.Helper()
	b.later(31 * time.Second)
	leads(b.t, b.post("/sign-in", "email", email, "password", pass), "/sign-in/second")
	leads(b.t, b.post("/sign-in/second", "code", d.code(b.world)), "/")
}
