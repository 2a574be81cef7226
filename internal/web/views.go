package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

//go:embed all:templates
var templates embed.FS

// Views are the pages of one domain: each NAME.html in its folder is the
// content of a page, each _NAME.html holds {{define}}d parts that the folder
// shares. Every page is parsed at start, to find what is wrong with it, and
// kept from its first visit in a language and zone on: functions such as t
// need no context, and nobody pays for pages that nobody opens.
type Views struct {
	shell *Shell
	fsys  fs.FS
	parts []string          // the folder's shared files
	files map[string]string // of each page, by its name
	mu    sync.RWMutex
	ready map[view]*template.Template
}

// view is a page in a language and zone.
type view struct {
	page string
	locale
}

// Page is what the layout needs to know about a page.
type Page struct {
	Title string // catalogue key
	// Args fill the title's placeholders.
	Args []any
	Data any // the template's dot
	// Status is the HTTP status; 0 is 200.
	Status int
	// Bare leaves out navigation and header, as on the sign-in page.
	Bare bool
	// Wide lets the content use the whole width.
	Wide bool
	// TLP marks every sheet of the page on paper; empty: it has no marking.
	TLP sector.TLP
	// Crumbs lead from the section to this page; the title is not repeated.
	Crumbs []Link
	// Back is set by the error page only.
	isError bool
}

// Link is a text that leads somewhere. Text wins over Key.
type Link struct {
	Key  string
	Args []any
	Text string
	Href string
}

// Views finds the templates in dir of fsys. A page that does not parse is an
// error at start, not on the first visit.
func (s *Shell) Views(fsys fs.FS, dir string) (*Views, error) {
	found, err := fs.Glob(fsys, path.Join(dir, "*.html"))
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	v := &Views{shell: s, fsys: fsys, files: map[string]string{}, ready: map[view]*template.Template{}}
	for _, file := range found {
		if name := path.Base(file); strings.HasPrefix(name, "_") {
			v.parts = append(v.parts, file)
		} else {
			v.files[strings.TrimSuffix(name, ".html")] = file
		}
	}
	if len(v.files) == 0 {
		return nil, fmt.Errorf("views: no pages in %s", dir)
	}
	return v, v.verify()
}

// verify parses every page in one language, and keeps none.
func (v *Views) verify() error {
	base, err := v.base(locale{i18n.Langs()[0], zones()[0]})
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	for _, file := range v.files {
		page, err := base.Clone()
		if err != nil {
			return fmt.Errorf("views: %w", err)
		}
		if err := v.content(page, file); err != nil {
			return err
		}
		if err := v.shell.verify(page); err != nil {
			return fmt.Errorf("views: %s: %w", file, err)
		}
	}
	return nil
}

// base is the layout, the components and the folder's shared parts.
func (v *Views) base(l locale) (*template.Template, error) {
	t := template.New("base").Option("missingkey=error").Funcs(v.shell.funcs(l))
	t, err := t.ParseFS(templates, "templates/layout/*.html")
	if err != nil || len(v.parts) == 0 {
		return t, err
	}
	return t.ParseFS(v.fsys, v.parts...)
}

// content adds a page's own file to the base.
func (v *Views) content(base *template.Template, file string) error {
	raw, err := fs.ReadFile(v.fsys, file)
	if err != nil {
		return fmt.Errorf("views: %w", err)
	}
	if _, err := base.New("content").Parse(string(raw)); err != nil {
		return fmt.Errorf("views: %s: %w", file, err)
	}
	return nil
}

// Page answers with the named page in the layout. The whole page is made
// before the first byte is sent: an error becomes an error page, never half a
// page. A request by htmx for an element inside the page (HX-Target set) gets
// the content without the layout.
func (v *Views) Page(w http.ResponseWriter, r *http.Request, name string, p Page) error {
	t, err := v.template(r, name)
	if err != nil {
		return err
	}
	model, err := v.shell.layoutFor(r, p)
	if err != nil {
		return err
	}
	root := "layout"
	if isPartial(r) && r.Header.Get("HX-Boosted") == "" {
		root = "partial"
	}
	return v.send(w, t, root, model, p.Status)
}

// Part answers with a template that the page defines, without the layout, for
// partial updates.
func (v *Views) Part(w http.ResponseWriter, r *http.Request, name, part string, data any) error {
	t, err := v.template(r, name)
	if err != nil {
		return err
	}
	return v.send(w, t, part, data, http.StatusOK)
}

func (v *Views) template(r *http.Request, name string) (*template.Template, error) {
	want := view{name, v.shell.localeOf(r)}
	v.mu.RLock()
	t := v.ready[want]
	v.mu.RUnlock()
	if t != nil {
		return t, nil
	}
	return v.parse(want)
}

// parse makes a page ready and keeps it.
func (v *Views) parse(want view) (*template.Template, error) {
	file, ok := v.files[want.page]
	if !ok {
		return nil, fmt.Errorf("views: no page %q", want.page)
	}
	t, err := v.base(want.locale)
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	if err := v.content(t, file); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ready[want] = t
	return t, nil
}

func (v *Views) send(w http.ResponseWriter, t *template.Template, root string, model any, status int) error {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, root, model); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	if status == 0 {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", "Accept-Language, Cookie, HX-Request")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the client is gone; nobody to tell
	return nil
}

// page runs a handler and answers for its error.
func (s *Shell) page(h httpx.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &started{ResponseWriter: w}
		err := h(tracked, r)
		switch {
		case err == nil:
		case tracked.yes:
			httpx.Note(r.Context(), err)
		case errs.Is(err, errs.Unauthenticated) && sector.ViewerFrom(r.Context()).User == "":
			s.askToSignIn(w, r)
		default:
			s.fail(w, r, err)
		}
	})
}

// started remembers whether an answer has begun.
type started struct {
	http.ResponseWriter
	yes bool
}

func (w *started) WriteHeader(status int) {
	w.yes = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *started) Write(p []byte) (int, error) {
	w.yes = true
	return w.ResponseWriter.Write(p)
}

func (w *started) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fail answers with an error: a page for browsers, a fragment for partial
// updates, problem+json for everybody else. It does not touch the session,
// which may be what failed.
func (s *Shell) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !wantsHTML(r) && !isPartial(r) {
		s.edge.Problem(w, r, err)
		return
	}
	httpx.Note(r.Context(), err)
	problem := httpx.Explain(s.texts, i18n.Negotiate(r), err)
	httpx.SetRetryAfter(w.Header(), err)
	model := errorModel{Problem: problem, RequestID: httpx.RequestID(r.Context()), Kind: httpx.KindName(errs.KindOf(err))}
	page := Page{Title: "error." + model.Kind + ".title", Data: model, Status: problem.Status, isError: true}
	page.Bare = sector.ViewerFrom(r.Context()).User == ""
	if isPartial(r) {
		if t, err := s.own.template(r, "error"); err == nil && s.own.send(w, t, "error-part", model, problem.Status) == nil {
			return
		}
	}
	if err := s.own.Page(w, r, "error", page); err != nil {
		httpx.Note(r.Context(), errors.Join(errors.New("the error page failed"), err))
		http.Error(w, problem.Title, problem.Status)
	}
}

type errorModel struct {
	Problem   httpx.Problem
	RequestID string
	Kind      string
}

func notFound(_ http.ResponseWriter, _ *http.Request) error {
	return errs.New(errs.NotFound, "error.no_page")
}
