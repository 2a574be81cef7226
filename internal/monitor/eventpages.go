package monitor

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

type eventsModel struct {
	List    web.List
	Problem *web.Message // what is wrong with the query
	Events  []eventLine
	Centre  bool
	Picture string // where the histogram is; empty where there is nothing to count
	From    time.Time
	To      time.Time
	Partial *web.State
	Empty   web.State
	Fields  []string
	Spans   []span
}

// span is a quick choice of a time range.
type span struct {
	Key  string
	Href string
	Now  bool
}

type eventLine struct {
	ID      string
	At      time.Time
	Member  string
	Source  string
	Host    string
	Account string
	Preview string
	Clock   ClockState
}

const previewSize = 240 // bytes

func eventSpec(centre bool) web.ListSpec {
	spec := web.ListSpec{Path: "/events", Sort: "at", Desc: true, Limit: 100, Export: true}
	spec.Filters = []web.Filter{
		{Name: "q", Key: "monitor.events.query", Kind: "text"},
		{Name: "from", Key: "monitor.events.from", Kind: "time"},
		{Name: "to", Key: "monitor.events.to", Kind: "time"},
	}
	spec.Columns = []web.Column{{Key: "monitor.events.at", Class: "time"}}
	if centre {
		spec.Columns = append(spec.Columns, web.Column{Key: "monitor.col.member", Name: "member"})
	}
	spec.Columns = append(spec.Columns,
		web.Column{Key: "monitor.events.source", Name: "source"}, web.Column{Key: "monitor.events.host", Name: "host"},
		web.Column{Key: "monitor.events.account", Name: "account", Class: "from-wide roomy"}, web.Column{Key: "monitor.events.record", Name: "record", Class: "wide"})
	return spec
}

func (p *Pages) searchEvents(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	centre := v.Org == sector.Centre
	l, done, err := p.shell.Table(w, r, eventSpec(centre))
	if err != nil || done {
		return err
	}
	m := eventsModel{List: l, Centre: centre, Fields: QueryFields(), Spans: spans(r.URL.Query(), l, p.events.now().In(p.shell.Zone(r)))}
	if !centre {
		m.Fields = m.Fields[1:] // "member" would find the one member only
	}
	eq := listed(l)
	status := http.StatusOK
	if err := p.fillEvents(r, v, n, eq, &m); err != nil {
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Kind != errs.Invalid {
			return err
		}
		m.Problem, status = &web.Message{Key: e.Key, Args: e.Args}, http.StatusUnprocessableEntity
	}
	return p.views.Page(w, r, "events", web.Page{Title: "monitor.events.title", Data: m, Wide: true, Status: status})
}

// exportEvents is what was looked up as a file, searched page by page as the
// list is; the span of the first page holds for all.
func (p *Pages) exportEvents(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	centre := v.Org == sector.Centre
	l := p.shell.ReadList(r, eventSpec(centre))
	eq := p.events.Complete(listed(l))
	eq.Limit = maxSearch
	return p.shell.Export(w, r, l, "events", func(ctx context.Context, after string) ([][]any, string, error) {
		eq.After = after
		page, err := p.events.Search(ctx, v, eq)
		rows := make([][]any, len(page.Records))
		for i := range page.Records {
			line := n.eventLine(&page.Records[i])
			rows[i] = []any{line.At}
			if centre {
				rows[i] = append(rows[i], line.Member)
			}
			rows[i] = append(rows[i], line.Source, line.Host, line.Account, line.Preview)
		}
		return rows, page.Next, err
	})
}

// listed is the query of a list's state, as the rows and the histogram ask it.
func listed(l web.List) EventQuery {
	return EventQuery{Text: l.Get("q"), From: l.Time("from"), To: l.Time("to"), After: l.After, Limit: l.Limit}
}

func (p *Pages) fillEvents(r *http.Request, v sector.Viewer, n *names, eq EventQuery, m *eventsModel) error {
	eq = p.events.Complete(eq)
	page, err := p.events.Search(r.Context(), v, eq)
	if err != nil {
		return err
	}
	m.From, m.To, m.List.Next = eq.From, eq.To, page.Next
	for i := range page.Records {
		m.Events = append(m.Events, n.eventLine(&page.Records[i]))
	}
	m.Empty = noneFound(page.Query.Text)
	if !page.Searched.IsZero() {
		m.Partial = &web.State{Kind: "partial", Title: "monitor.events.partial", Text: "monitor.events.partial_text"}
		if older := m.List.NextURL(); older != "" {
			m.Partial.Actions = []web.Link{{Key: "monitor.events.older", Href: older}}
		}
	}
	if len(m.Events) > 0 || m.Partial != nil {
		m.Picture = pictureURL(m.List)
	}
	return nil
}

// noneFound says what to do when nothing fits. Signs and words that elsewhere
// are operators are part of the text here, which is easily overlooked.
func noneFound(text string) web.State {
	s := web.State{Kind: "empty", Title: "monitor.events.none", Text: "monitor.events.none_text"}
	operator := func(word string) bool { return word == "AND" || word == "OR" || word == "NOT" }
	if strings.ContainsAny(text, "()[]{}<>*?|^$\"\\") || slices.ContainsFunc(strings.Fields(text), operator) {
		s.Text, s.Args = "monitor.events.none_literal", []any{text}
	}
	return s
}

// spans are links to the last hour, day, week and month with the same query.
func spans(q url.Values, l web.List, now time.Time) []span {
	var list []span
	shown := q.Get("span")
	if shown == "" && l.Get("from") == "" && l.Get("to") == "" {
		shown = "day" // what Complete fills in
	}
	for _, s := range []struct {
		key  string
		long time.Duration
	}{{"hour", time.Hour}, {"day", 24 * time.Hour}, {"week", 7 * 24 * time.Hour}, {"month", 30 * 24 * time.Hour}} {
		u := url.Values{"span": {s.key}}
		if text := l.Get("q"); text != "" {
			u.Set("q", text)
		}
		u.Set("from", now.Add(-s.long).Format("2006-01-02T15:04"))
		list = append(list, span{Key: "monitor.events.span." + s.key, Href: "/events?" + u.Encode(), Now: s.key == shown})
	}
	return list
}

func (n *names) eventLine(r *Record) eventLine {
	parts := []string{r.Source.Product, r.Source.Category, r.Source.Service}
	source := ""
	for _, s := range parts {
		if s != "" {
			source += "/" + s
		}
	}
	return eventLine{
		ID: r.ID, At: r.At, Member: n.member(r.Member), Source: strings.TrimPrefix(source, "/"), Host: r.Host, Account: r.Account,
		Preview: summary(r), Clock: r.Clock,
	}
}

// preview is the beginning of a record as one line of text.
func preview(raw []byte) string {
	raw = raw[:min(len(raw), previewSize)]
	for len(raw) > 0 && !utf8.Valid(raw[max(0, len(raw)-utf8.UTFMax):]) {
		raw = raw[:len(raw)-1]
	}
	return strings.ToValidUTF8(string(bytes.TrimSpace(raw)), "\uFFFD")
}

// telling are the fields that say the most about a record, in the order in
// which a line of the list names them.
func telling() []string {
	return []string{
		"CommandLine", "Image", "TargetFilename", "TargetObject", "DestinationHostname", "DestinationIp", "DestinationPort",
		"QueryName", "query", "id.orig_h", "id.resp_h", "id.resp_p", "host", "uri", "service", "eventName", "eventSource",
		"sourceIPAddress", "LogonType", "IpAddress", "ServiceName", "ParentImage", "message", "msg",
	}
}

// summary is a record in one line: its telling fields, else its beginning.
func summary(r *Record) (line string) {
	defer func() {
		if recover() != nil || line == "" {
			line = preview(r.Raw)
		}
	}()
	ev, err := event.Decode(r.Raw, event.Limits{MaxBytes: max(len(r.Raw), 1)})
	if err != nil || ev.Dialect() == event.Text {
		return ""
	}
	var b strings.Builder
	for _, name := range telling() {
		v, ok := ev.Field(name)
		if !ok || v.Text() == "" || b.Len() > previewSize {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("  ")
		}
		b.WriteString(name + "=" + preview([]byte(v.Text())))
	}
	return b.String()
}

type eventModel struct {
	EventDetail
	Member string
	Source string
	Text   string // the record as sent
	Hash   string
	Cut    bool
	Centre bool
	Late   time.Duration
}

// maxShown bounds the bytes of a record that a page shows.
const maxShown = 256 << 10

func (p *Pages) showEvent(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	d, err := p.events.Get(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	m := eventModel{
		EventDetail: d, Member: n.member(d.Member), Source: n.eventLine(&d.Record).Source, Hash: hex.EncodeToString(d.SHA256[:]),
		Text: strings.ToValidUTF8(string(d.Raw[:min(len(d.Raw), maxShown)]), "\uFFFD"), Cut: len(d.Raw) > maxShown || len(d.Fields) == maxFields,
		Centre: v.Org == sector.Centre,
	}
	return p.views.Page(w, r, "event", web.Page{
		Title: "monitor.event.title", Data: m, Crumbs: []web.Link{{Key: "monitor.nav.events", Href: "/events"}},
	})
}
