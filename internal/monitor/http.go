package monitor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// API serves alerts and the event look-up:
//
//	GET   /api/v1/events?q=&from=&to=&after=&limit=&histogram=n
//	GET   /api/v1/events/{id}
//	GET   /api/v1/alerts?state=&severity=&cause=&member=&rule=&q=&sort=&dir=&after=&limit=
//	GET   /api/v1/alerts/{id}
//	PATCH /api/v1/alerts/{id}   {"version":1,"state":…,"assignee":…,"note":…}
//
// Times are RFC 3339. The viewer is the one in the request's context; a
// machine needs the scope "events".
type API struct {
	alerts *Alerts
	events *Events
}

// NewAPI returns the routes.
func NewAPI(alerts *Alerts, events *Events) *API {
	return &API{alerts: alerts, events: events}
}

// Mount adds the routes.
func (a *API) Mount(routes *access.Routes) {
	access.Describe[eventsIn, eventsOut](routes, "GET /api/v1/events", sector.ReadEvents,
		access.Doc{ID: "event-list", Tag: "events"}, a.searchEvents)
	access.Describe[idIn, eventOut](routes, "GET /api/v1/events/{id}", sector.ReadEvents,
		access.Doc{ID: "event-show", Tag: "events"}, a.oneEvent)
	access.Describe[alertsIn, alertsOut](routes, "GET /api/v1/alerts", sector.ReadAlerts,
		access.Doc{ID: "alert-list", Tag: "alerts"}, a.listAlerts)
	access.Describe[idIn, alertOut](routes, "GET /api/v1/alerts/{id}", sector.ReadAlerts,
		access.Doc{ID: "alert-show", Tag: "alerts"}, a.oneAlert)
	access.Describe[triageIn, alertOut](routes, "PATCH /api/v1/alerts/{id}", sector.TriageAlerts,
		access.Doc{ID: "alert-triage", Tag: "alerts"}, a.triage)
}

type eventJSON struct {
	ID          string           `json:"id"`
	Time        string           `json:"time"`
	Received    string           `json:"received"`
	Clock       string           `json:"clock"`
	Member      sector.MemberID  `json:"member"`
	Product     string           `json:"product,omitempty"`
	Category    string           `json:"category,omitempty"`
	Service     string           `json:"service,omitempty"`
	Host        string           `json:"host,omitempty"`
	Account     string           `json:"account,omitempty"`
	SHA256      string           `json:"sha256"`
	Dialect     string           `json:"dialect,omitempty"`
	Observables []observableJSON `json:"observables,omitempty"`
	Fields      []Pair           `json:"fields,omitempty"`
	Raw         string           `json:"raw,omitempty"`
	RawBase64   []byte           `json:"raw_base64,omitempty"`
}

type observableJSON struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Field string `json:"field,omitempty"`
}

// String names the clock state as stored and shown.
func (c ClockState) String() string {
	switch c {
	case ClockMissing:
		return "missing"
	case ClockAhead:
		return "ahead"
	}
	return "own"
}

func eventOf(r *Record) eventJSON {
	e := eventJSON{
		ID: r.ID, Time: stamp(r.At), Received: stamp(r.Received), Clock: r.Clock.String(), Member: r.Member,
		Product: r.Source.Product, Category: r.Source.Category, Service: r.Source.Service,
		Host: r.Host, Account: r.Account, SHA256: hex.EncodeToString(r.SHA256[:]),
	}
	for _, o := range r.Observables {
		e.Observables = append(e.Observables, observableJSON{o.Kind.String(), o.Value, o.Field})
	}
	if utf8.Valid(r.Raw) {
		e.Raw = string(r.Raw)
	} else {
		e.RawBase64 = r.Raw
	}
	return e
}

type eventsJSON struct {
	Events   []eventJSON  `json:"events"`
	Next     string       `json:"next,omitempty"`
	Searched string       `json:"searched,omitempty"`
	From     string       `json:"from"`
	To       string       `json:"to"`
	Bars     []bucketJSON `json:"histogram,omitempty"`
}

type bucketJSON struct {
	From  string `json:"from"`
	Count int64  `json:"count"`
}

func (a *API) searchEvents(w http.ResponseWriter, r *http.Request) error {
	eq, err := eventQuery(r)
	if err != nil {
		return err
	}
	v := sector.ViewerFrom(r.Context())
	page, err := a.events.Search(r.Context(), v, eq)
	if err != nil {
		return err
	}
	out := eventsJSON{
		Events: []eventJSON{}, Next: page.Next, Searched: stamp(page.Searched),
		From: stamp(page.Query.From), To: stamp(page.Query.To),
	}
	for i := range page.Records {
		out.Events = append(out.Events, eventOf(&page.Records[i]))
	}
	if text := r.URL.Query().Get("histogram"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = 0
		}
		eq.From, eq.To = page.Query.From, page.Query.To
		bars, err := a.events.Histogram(r.Context(), v, eq, n)
		if err != nil {
			return err
		}
		for _, b := range bars {
			out.Bars = append(out.Bars, bucketJSON{stamp(b.From), b.Count})
		}
	}
	httpx.JSON(w, r, http.StatusOK, out)
	return nil
}

func eventQuery(r *http.Request) (EventQuery, error) {
	q := r.URL.Query()
	eq := EventQuery{Text: q.Get("q"), After: q.Get("after")}
	var err error
	if eq.Limit, err = limitOf(r, 50, maxSearch); err != nil {
		return eq, err
	}
	if eq.From, err = timeOf(q.Get("from"), "from"); err != nil {
		return eq, err
	}
	eq.To, err = timeOf(q.Get("to"), "to")
	return eq, err
}

func timeOf(text, name string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, errs.New(errs.Invalid, "monitor.time", name)
	}
	return t.UTC(), nil
}

func (a *API) oneEvent(w http.ResponseWriter, r *http.Request) error {
	d, err := a.events.Get(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	out := eventOf(&d.Record)
	out.Dialect, out.Fields = d.Dialect, d.Fields
	httpx.JSON(w, r, http.StatusOK, out)
	return nil
}

type alertJSON struct {
	ID          string            `json:"id"`
	Version     int               `json:"version,omitempty"`
	Cause       Cause             `json:"cause"`
	Rule        string            `json:"rule"`
	RuleVersion string            `json:"rule_version,omitempty"`
	Title       string            `json:"title"`
	TitleZh     string            `json:"title_zh"`
	Severity    string            `json:"severity"`
	State       State             `json:"state"`
	Assignee    sector.UserID     `json:"assignee,omitempty"`
	Advisory    string            `json:"advisory,omitempty"`
	Raised      string            `json:"raised"`
	First       string            `json:"first"`
	Last        string            `json:"last"`
	Count       int               `json:"count"`
	Members     []sector.MemberID `json:"members"`
	Group       []Pair            `json:"group,omitempty"`
	Why         json.RawMessage   `json:"why,omitempty"`
	Records     []recordJSON      `json:"records,omitempty"`
	Notes       []noteJSON        `json:"notes,omitempty"`
	History     []changeJSON      `json:"history,omitempty"`
}

type recordJSON struct {
	ID     string          `json:"id"`
	Member sector.MemberID `json:"member"`
	Time   string          `json:"time"`
}

type noteJSON struct {
	At   string        `json:"at"`
	By   sector.UserID `json:"by"`
	Text string        `json:"text"`
}

type changeJSON struct {
	At    string `json:"at"`
	Actor string `json:"actor"`
	What  string `json:"what"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

func alertOf(x *Alert) alertJSON {
	out := alertJSON{
		ID: x.ID, Version: x.Version, Cause: x.Cause, Rule: x.RuleID, RuleVersion: x.RuleVersion, Title: x.Title, TitleZh: x.TitleZh,
		Severity: x.Severity.String(), State: x.State, Assignee: x.Assignee, Advisory: x.Advisory, Raised: stamp(x.Raised),
		First: stamp(x.First), Last: stamp(x.Last), Count: x.Count, Members: x.Members, Group: x.Group, Why: x.Why,
	}
	for _, r := range x.Records {
		out.Records = append(out.Records, recordJSON{r.ID, r.Member, stamp(r.At)})
	}
	for _, n := range x.Notes {
		out.Notes = append(out.Notes, noteJSON{stamp(n.At), n.By, n.Text})
	}
	for _, c := range x.History {
		out.History = append(out.History, changeJSON{stamp(c.At), c.Actor, c.What, c.From, c.To})
	}
	return out
}

func (a *API) listAlerts(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	q, err := alertQuery(r)
	if err != nil {
		return err
	}
	page, err := a.alerts.List(r.Context(), v, q)
	if err != nil {
		return err
	}
	out := alertPageJSON{Alerts: []alertJSON{}, Next: page.Next}
	for i := range page.Alerts {
		page.Alerts[i].Why = nil // one alert shows it; a list would be megabytes
		out.Alerts = append(out.Alerts, alertOf(&page.Alerts[i]))
	}
	httpx.JSON(w, r, http.StatusOK, out)
	return nil
}

func alertQuery(r *http.Request) (AlertQuery, error) {
	v := r.URL.Query()
	q := AlertQuery{
		Cause: Cause(v.Get("cause")), Member: sector.MemberID(v.Get("member")), Rule: v.Get("rule"), Text: v.Get("q"),
		Sort: v.Get("sort"), Ascending: v.Get("dir") == "asc", After: v.Get("after"),
	}
	var err error
	if q.Limit, err = limitOf(r, 50, maxListing); err != nil {
		return q, err
	}
	for s := range strings.SplitSeq(v.Get("state"), ",") {
		if s != "" {
			q.States = append(q.States, State(s))
		}
	}
	if word := v.Get("severity"); word != "" {
		s, ok := ParseSeverity(word)
		if !ok {
			return q, errs.New(errs.Invalid, "monitor.severity")
		}
		q.MinSeverity = s
	}
	return q, nil
}

func (a *API) oneAlert(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	x, err := a.alerts.Get(r.Context(), v, r.PathValue("id"))
	if err != nil {
		return err
	}
	if x.Version > 0 { // members are not shown that others work on it
		w.Header().Set("ETag", access.VersionTag(x.Version))
	}
	httpx.JSON(w, r, http.StatusOK, alertOf(&x))
	return nil
}

// patchJSON is a triage step on the wire.
type patchJSON struct {
	Version  int            `json:"version"`
	State    State          `json:"state"`
	Assignee *sector.UserID `json:"assignee"`
	Note     string         `json:"note"`
}

const maxPatch = 64 << 10

func (a *API) triage(w http.ResponseWriter, r *http.Request) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPatch))
	if err != nil {
		return errs.New(errs.TooLarge, "error.form_size").Because(err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var p patchJSON
	if err := dec.Decode(&p); err != nil {
		return errs.New(errs.Invalid, "monitor.patch").Because(err)
	}
	seen := r.Header.Get("If-Match")
	if seen != "" {
		if p.Version, err = access.Version(seen); err != nil {
			return err
		}
	}
	v, id := sector.ViewerFrom(r.Context()), r.PathValue("id")
	x, err := a.alerts.Triage(r.Context(), v, id, p.Version, Step{State: p.State, Assignee: p.Assignee, Note: p.Note})
	if seen != "" && errs.Is(err, errs.Conflict) {
		return a.stale(r, id, p.Version, err)
	}
	if err != nil {
		return err
	}
	w.Header().Set("ETag", access.VersionTag(x.Version))
	httpx.JSON(w, r, http.StatusOK, alertOf(&x))
	return nil
}

// stale says what became of an alert since the version that was seen.
func (a *API) stale(r *http.Request, id string, seen int, err error) error {
	x, readErr := a.alerts.Get(r.Context(), sector.ViewerFrom(r.Context()), id)
	if readErr != nil || x.Version == seen {
		return err
	}
	now := alertOf(&x)
	return access.Changed(map[string]any{"version": now.Version, "state": now.State, "assignee": now.Assignee, "history": now.History})
}
