package search

import (
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

type pages struct {
	shell *web.Shell
	views *web.Views
	svc   *Service
}

// Mount adds the page /search and what the header's box shows while somebody
// types.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("search: pages: %w", err)
	}
	p := pages{sh, views, svc}
	sh.Page(routes, "GET /search", sector.SearchAll, p.page)
	sh.Page(routes, "GET /search/suggest", sector.SearchAll, p.suggest)
	return nil
}

// Hits of each kind.
const (
	perGroup   = 5  // on the page over all kinds
	perPage    = 20 // on the page of one kind
	perSuggest = 3  // while typing
)

// hitRow is a hit as a page shows it.
type hitRow struct {
	Hit
	Name    []Span
	Snippet []Span
	Parent  string // the advisory's title, of an indicator
	Tone    string // of the state
	StateAs string // catalogue key of the state
	ClassAs string // catalogue key of the class
	Code    bool   // the name is shown as code, with Copy
	Copy    string
}

type groupView struct {
	Kind  Kind
	Icon  string
	Rows  []hitRow
	Count int
	More  bool   // there are more than were counted
	All   string // the page of this kind alone; empty when this is all
}

type tab struct {
	Kind  Kind // empty: all
	Href  string
	Count int
	More  bool
	Now   bool
}

type resultsModel struct {
	Text    string
	Kind    Kind
	Groups  []groupView
	Tabs    []tab
	Since   []choice
	TLPs    []choice
	Next    string
	First   string
	Kinds   []Kind // that the viewer may look for
	Asked   bool   // there is something to look for
	Cut     bool
	Partial bool
	Max     int
	Empty   web.State
}

type choice struct {
	Value string
	Key   string
	Now   bool
}

// spans of time that can be asked for, in days.
func days() []string { return []string{"", "1", "7", "30", "365"} }

// form is the state of the page in its address.
type form struct {
	text, since, tlp string
	kind             Kind
}

func (f form) href(kind Kind, cursor string) string {
	q := url.Values{}
	for name, v := range map[string]string{"q": f.text, "kind": string(kind), "since": f.since, "tlp": f.tlp, "cursor": cursor} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return "/search?" + q.Encode()
}

// maxShown bounds the text that is shown again, in bytes.
const maxShown = 4 * MaxQuery

// readForm takes what it knows and drops the rest: a page is never refused
// for what was typed.
func readForm(r *http.Request) form {
	q := r.URL.Query()
	f := form{text: strings.ToValidUTF8(q.Get("q"), ""), since: q.Get("since"), tlp: q.Get("tlp"), kind: Kind(q.Get("kind"))}
	f.text = strings.ReplaceAll(cutRunes(f.text[:min(len(f.text), maxShown)], MaxQuery), "\x00", "")
	f.text = strings.ToValidUTF8(f.text, "")
	if !slices.Contains(days(), f.since) {
		f.since = ""
	}
	if !sector.TLP(f.tlp).Valid() {
		f.tlp = ""
	}
	if !f.kind.Valid() {
		f.kind = ""
	}
	return f
}

func (p pages) request(f form) Request {
	r := Request{Text: f.text, Kind: f.kind, TLP: sector.TLP(f.tlp), Limit: perGroup}
	if f.since != "" {
		var n int
		_, _ = fmt.Sscan(f.since, &n) // one of days()
		r.Since = p.svc.now().AddDate(0, 0, -n)
	}
	return r
}

func (p pages) page(w http.ResponseWriter, r *http.Request) error {
	v, f := sector.ViewerFrom(r.Context()), readForm(r)
	whole := p.request(f)
	whole.Kind, whole.Count = "", true
	answer, err := p.svc.Search(r.Context(), v, whole)
	if err != nil {
		return err
	}
	m := resultsModel{Text: f.text, Kind: f.kind, Kinds: answer.Kinds, Asked: !answer.Query.Empty(), Max: MaxQuery,
		Cut: answer.Query.Cut || len(r.URL.Query().Get("q")) > len(f.text), Partial: answer.Partial}
	m.choices(f)
	m.tabs(f, answer)
	results := answer.Results
	if f.kind != "" {
		one := p.request(f)
		one.Limit, one.Cursor = perPage, r.URL.Query().Get("cursor")
		if answer, err = p.svc.Search(r.Context(), v, one); err != nil {
			return err
		}
		results = answer.Results
		if len(results) > 0 && results[0].Next != "" {
			m.Next = f.href(f.kind, results[0].Next)
		}
		if one.Cursor != "" {
			m.First = f.href(f.kind, "")
		}
	}
	for _, res := range results {
		g := groupView{Kind: res.Kind, Icon: iconOf(res.Kind), Count: res.Count, More: res.More, Rows: p.rows(r, f.text, res.Hits)}
		if f.kind == "" && res.Next != "" {
			g.All = f.href(res.Kind, "")
		}
		m.Groups = append(m.Groups, g)
	}
	m.Empty = web.State{Kind: "empty", Title: "search.none", Text: "search.none_text"}
	if f.since != "" || f.tlp != "" || f.kind != "" {
		m.Empty.Text = "search.none_filtered"
		m.Empty.Actions = []web.Link{{Key: "search.without_filters", Href: form{text: f.text}.href("", "")}}
	}
	return p.views.Page(w, r, "search", web.Page{Title: "search.title", Data: m})
}

func (m *resultsModel) choices(f form) {
	for _, d := range days() {
		key := "search.since." + d
		if d == "" {
			key = "search.since.any"
		}
		m.Since = append(m.Since, choice{d, key, d == f.since})
	}
	m.TLPs = []choice{{"", "common.all", f.tlp == ""}}
	for _, t := range sector.TLPs() {
		m.TLPs = append(m.TLPs, choice{string(t), "", string(t) == f.tlp})
	}
}

func (m *resultsModel) tabs(f form, a Answer) {
	m.Tabs = []tab{{Href: f.href("", ""), Now: f.kind == ""}}
	for _, k := range a.Kinds {
		t := tab{Kind: k, Href: f.href(k, ""), Now: f.kind == k}
		for _, res := range a.Results {
			if res.Kind == k {
				t.Count, t.More = res.Count, res.More
			}
		}
		m.Tabs = append(m.Tabs, t)
	}
}

// suggestModel is what stands under the box while somebody types.
type suggestModel struct {
	Groups []groupView
	All    string
	Asked  bool
	Failed string // catalogue key of what to say instead
}

func (p pages) suggest(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r)
	req := p.request(form{text: f.text})
	req.Limit = perSuggest
	answer, err := p.svc.Search(r.Context(), sector.ViewerFrom(r.Context()), req)
	m := suggestModel{All: form{text: f.text}.href("", ""), Asked: !answer.Query.Empty()}
	switch {
	case errs.Is(err, errs.Unavailable):
		m.Failed = "search.slow"
	case err != nil:
		return err
	}
	for _, res := range answer.Results {
		m.Groups = append(m.Groups, groupView{Kind: res.Kind, Icon: iconOf(res.Kind), Rows: p.rows(r, f.text, res.Hits)})
	}
	return p.views.Part(w, r, "search", "suggest", m)
}

func iconOf(k Kind) string {
	return map[Kind]string{Advisory: "megaphone", Indicator: "crosshair", Alert: "bell", Member: "building-2", Rule: "workflow", Guide: "book-open"}[k]
}

func (p pages) rows(r *http.Request, text string, hits []Hit) []hitRow {
	mark, lang := NewMarker(text), string(p.shell.Lang(r))
	rows := make([]hitRow, len(hits))
	for i, h := range hits {
		row := hitRow{Hit: h, Name: mark.Mark(h.Title.In(lang)), Parent: h.ParentTitle.In(lang)}
		row.Snippet = mark.Snippet(h.Body.In(lang))
		if other := (Text{Zh: h.Body.En, En: h.Body.Zh}).In(lang); len(row.Snippet) == 0 {
			row.Snippet = mark.Snippet(other)
		}
		row.describe()
		rows[i] = row
	}
	return rows
}

// describe picks the words for a hit's state and class.
func (row *hitRow) describe() {
	switch row.Kind {
	case Advisory, Indicator:
		row.StateAs = "advisory.state." + row.State
		row.Tone = map[string]string{"draft": "quiet", "in_review": "warn", "released": "good", "withdrawn": "bad"}[row.State]
		row.ClassAs = "advisory.category." + row.Class
	case Alert:
		row.StateAs = "monitor.state." + row.State
		row.Tone = map[string]string{"new": "warn", "in_progress": "note", "true_positive": "bad", "false_positive": "quiet"}[row.State]
	case Member:
		row.ClassAs = "common.sector." + row.Class
	}
	if row.Tone == "" {
		row.Tone = "quiet"
	}
	if row.Kind == Indicator {
		row.ClassAs, row.Code, row.Copy = "observable."+row.Class, true, row.Title.En
		row.Name = markIndicator(row.Title.En, row.Name)
	}
	if row.Name == nil {
		row.Name = []Span{{Text: row.ID}}
	}
}

// markIndicator shows a value defanged. A mark that begins inside the scheme
// or ends inside a bracket would break it, so it is only kept on whole parts.
func markIndicator(value string, marked []Span) []Span {
	var b strings.Builder
	var list []Span
	for _, s := range marked {
		part := Span{Text: strings.NewReplacer(".", "[.]", "@", "[@]").Replace(s.Text), Hit: s.Hit}
		b.WriteString(part.Text)
		list = append(list, part)
	}
	if b.String() != web.Defang(value) {
		return []Span{{Text: web.Defang(value)}}
	}
	return list
}
