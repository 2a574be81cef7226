package web

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// layoutModel is the dot of the layout.
type layoutModel struct {
	Page
	Heading string // the title in words
	Lang    i18n.Lang
	Theme   string
	Zone    string
	Org     string // which body class: "console" or "portal"
	Viewer  sector.Viewer
	Nav     []navGroup
	Flash   *Flash
	Path    string // where preferences return to
	Script  string
	Style   string
	Mark    string
	Sprite  template.HTML
	Version string
	// MaySearch shows the box in the header; Asked is what was searched for.
	MaySearch bool
	Asked     string
	Langs     []option
	Themes    []option
	Zones     []option
	Bell      *bell // nil: there is none
	DraftKey  string
}

// Marked is the page's TLP as classes name it.
func (m layoutModel) Marked() string {
	return strings.ToLower(strings.ReplaceAll(string(m.TLP), "+", "-"))
}

// bell is the way to what the viewer has not read.
type bell struct{ Unread int64 }

// bellFor never fails a page: without a count there is no bell.
func (s *Shell) bellFor(r *http.Request, v sector.Viewer, p Page) *bell {
	if s.unread == nil || v.User == "" || p.Bare {
		return nil
	}
	n, err := s.unread(r.Context(), v)
	if err != nil {
		httpx.Note(r.Context(), err)
		return nil
	}
	return &bell{n}
}

// option is a preference to choose.
type option struct {
	Value   string
	Key     string
	Icon    string
	Current bool
}

func (s *Shell) layoutFor(r *http.Request, p Page) (layoutModel, error) {
	l := s.localeOf(r)
	heading, err := s.texts.Text(l.lang, p.Title, p.Args...)
	if err != nil {
		return layoutModel{}, err
	}
	v := sector.ViewerFrom(r.Context())
	m := layoutModel{
		Page: p, Heading: heading, Lang: l.lang, Zone: l.zone, Viewer: v, Org: bodyClass(v),
		Theme: choice(r, cookieTheme, themes()),
		Nav:   s.navFor(v, r.URL.Path), Path: returnPath(r), Version: s.version,
		Script: s.assets.URL("main.js"), Style: s.assets.URL("main.css"), Mark: s.assets.URL("mark.svg"), Sprite: s.assets.Sprite(),
	}
	if s.draftKey != nil && v.User != "" {
		m.DraftKey = s.draftKey(v.User)
	}
	m.Bell = s.bellFor(r, v, p)
	m.MaySearch = v.May(sector.SearchAll)
	if r.URL.Path == "/search" {
		m.Asked = bounded(r.URL.Query().Get("q"))
	}
	if !p.isError {
		m.Flash = s.popFlash(r.Context())
	}
	m.Langs = options([]string{"zh-Hant", "en"}, string(l.lang), "common.lang.", nil)
	m.Themes = options(themes(), m.Theme, "common.theme.", map[string]string{"auto": "monitor", "light": "sun", "dark": "moon"})
	m.Zones = options(zones(), l.zone, "common.zone.", nil)
	return m, nil
}

func options(values []string, current, prefix string, icons map[string]string) []option {
	var all []option
	for _, v := range values {
		all = append(all, option{Value: v, Key: prefix + lastWord(v), Icon: icons[v], Current: v == current})
	}
	return all
}

// lastWord of an IANA zone or a tag, as catalogue keys hold no slash.
func lastWord(v string) string {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] == '/' {
			return v[i+1:]
		}
	}
	return v
}

// bodyClass: members read at leisure in larger type, the centre watches.
func bodyClass(v sector.Viewer) string {
	if v.Org == sector.MemberOrg || v.Org == "" {
		return "portal"
	}
	return "console"
}

// returnPath is the page itself when it was read, else the start page: the
// answer to a POST has no address of its own.
func returnPath(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return "/"
}
