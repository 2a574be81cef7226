package monitor

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// alertLine is an alert as a row of the list.
type alertLine struct {
	ID       string
	Title    string
	Cause    Cause
	Severity Severity
	State    State
	Tone     string
	About    []string // values of the group, defanged where they may be links
	Members  string   // names
	More     int      // members beyond those named
	Count    int
	Last     time.Time
	Raised   time.Time
	Assignee string
}

type alertsModel struct {
	List   web.List
	Alerts []alertLine
	Centre bool
	Counts []severityCount
	Open   int64
	Empty  web.State
}

type severityCount struct {
	Severity Severity
	Count    int64
}

// tone is the badge's tone of a state.
func (s State) tone() string {
	switch s {
	case StateNew:
		return "warn"
	case StateInProgress:
		return "note"
	case StateTruePos:
		return "bad"
	case StateFalsePos:
		return "quiet"
	}
	return "good"
}

func (p *Pages) alertSpec(n *names, centre bool) web.ListSpec {
	states := []web.Option{{Value: "", Key: "monitor.states.open"}, {Value: "all", Key: "common.all"}}
	for _, s := range States() {
		states = append(states, web.Option{Value: string(s), Key: "monitor.state." + string(s)})
	}
	severities := []web.Option{{Value: "", Key: "common.all"}}
	for _, s := range Severities()[:4] {
		severities = append(severities, web.Option{Value: s.String(), Key: "monitor.at_least." + s.String()})
	}
	causes := []web.Option{{Value: "", Key: "common.all"}}
	for _, c := range Causes() {
		causes = append(causes, web.Option{Value: string(c), Key: "monitor.cause." + string(c)})
	}
	spec := web.ListSpec{Path: "/alerts", Sort: "raised", Desc: true, Export: true}
	spec.Filters = []web.Filter{
		{Name: "q", Key: "monitor.filter.text", Kind: "text"},
		{Name: "state", Key: "monitor.col.state", Kind: "select", Options: states},
		{Name: "severity", Key: "monitor.col.severity", Kind: "select", Options: severities},
		{Name: "cause", Key: "monitor.filter.cause", Kind: "select", Options: causes},
	}
	spec.Columns = []web.Column{
		{Key: "monitor.col.severity", Name: "severity", Sort: "severity", Class: "fit"},
		{Key: "monitor.col.alert"}, {Key: "monitor.filter.cause", Name: "cause", Class: "fit from-wide roomy"},
		{Key: "monitor.col.about", Name: "about", Class: "from-wide"},
	}
	if centre {
		members := []web.Option{{Value: "", Key: "common.all"}}
		for _, m := range n.list {
			members = append(members, web.Option{Value: string(m.ID), Text: n.member(m.ID)})
		}
		spec.Filters = append(spec.Filters, web.Filter{Name: "member", Key: "monitor.col.member", Kind: "select", Options: members})
		spec.Columns = append(spec.Columns, web.Column{Key: "monitor.col.member", Name: "member"})
	}
	spec.Columns = append(spec.Columns,
		web.Column{Key: "monitor.col.records", Name: "count", Sort: "count", Class: "num"},
		web.Column{Key: "monitor.col.last", Name: "last", Sort: "last", Class: "time from-wide roomy"},
		web.Column{Key: "monitor.col.raised", Name: "raised", Sort: "raised", Class: "time"},
		web.Column{Key: "monitor.col.state", Name: "state", Class: "fit"})
	if centre {
		spec.Columns = append(spec.Columns, web.Column{Key: "monitor.col.assignee", Name: "assignee", Class: "fit from-wide roomy"})
	}
	return spec
}

func (p *Pages) listAlerts(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	centre := v.Org == sector.Centre
	l, done, err := p.shell.Table(w, r, p.alertSpec(n, centre))
	if err != nil || done {
		return err
	}
	page, err := p.alerts.List(r.Context(), v, listQuery(l))
	if err != nil {
		return err
	}
	counts, err := p.alerts.Count(r.Context(), v)
	if err != nil {
		return err
	}
	l.Next = page.Next
	m := alertsModel{List: l, Centre: centre, Empty: noAlerts(l)}
	for i := range page.Alerts {
		m.Alerts = append(m.Alerts, n.alertLine(&page.Alerts[i]))
	}
	for _, s := range Severities() {
		m.Counts = append(m.Counts, severityCount{s, counts[s]})
		m.Open += counts[s]
	}
	return p.views.Page(w, r, "alerts", web.Page{Title: "monitor.alerts.title", Data: m, Wide: true})
}

// exportAlerts is the list as a file.
func (p *Pages) exportAlerts(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	centre := v.Org == sector.Centre
	l := p.shell.ReadList(r, p.alertSpec(n, centre))
	return p.shell.Export(w, r, l, "alerts", func(ctx context.Context, after string) ([][]any, string, error) {
		q := listQuery(l)
		q.After, q.Limit = after, maxListing
		page, err := p.alerts.List(ctx, v, q)
		rows := make([][]any, len(page.Alerts))
		for i := range page.Alerts {
			rows[i] = p.exportRow(r, n, &page.Alerts[i], centre)
		}
		return rows, page.Next, err
	})
}

// exportRow has the columns of alertSpec.
func (p *Pages) exportRow(r *http.Request, n *names, a *Alert, centre bool) []any {
	line := n.alertLine(a)
	word := func(key string) string { return p.shell.T(r, key) }
	row := []any{word("common.severity." + line.Severity.String()), line.Title, word("monitor.cause." + string(line.Cause)), strings.Join(line.About, " ")}
	if centre {
		row = append(row, n.memberList(a.Members))
	}
	row = append(row, line.Count, line.Last, line.Raised, word("monitor.state."+string(line.State)))
	if centre {
		row = append(row, line.Assignee)
	}
	return row
}

func listQuery(l web.List) AlertQuery {
	q := AlertQuery{
		Cause: Cause(l.Get("cause")), Member: sector.MemberID(l.Get("member")), Text: l.Get("q"),
		Sort: l.Sorted, Ascending: !l.Down, After: l.After, Limit: l.Limit,
	}
	q.MinSeverity, _ = ParseSeverity(l.Get("severity"))
	switch state := l.Get("state"); state {
	case "":
		q.States = []State{StateNew, StateInProgress}
	case "all":
	default:
		q.States = []State{State(state)}
	}
	return q
}

func noAlerts(l web.List) web.State {
	if l.Filtered() || l.After != "" {
		return web.State{Kind: "empty", Title: "monitor.alerts.none_found", Text: "monitor.alerts.none_found_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: l.ClearURL()}}}
	}
	return web.State{Kind: "empty", Title: "monitor.alerts.none", Text: "monitor.alerts.none_text",
		Actions: []web.Link{{Key: "monitor.alerts.show_all", Href: "/alerts?state=all"}}}
}

const namedMembers = 2

// aboutOf writes the group's values: hosts and accounts as they are, anything
// that may come from outside so that it is no link.
func aboutOf(group []Pair) []string {
	var list []string
	for _, p := range group {
		switch p.Name {
		case InstitutionField: // the members have a column of their own
		case "host", "account", "source":
			list = append(list, p.Value)
		default:
			list = append(list, web.Defang(p.Value))
		}
	}
	return list
}

func (n *names) alertLine(a *Alert) alertLine {
	line := alertLine{
		ID: a.ID, Title: n.title(&a.Finding), Cause: a.Cause, Severity: a.Severity, State: a.State, Tone: a.State.tone(),
		About: aboutOf(a.Group), Count: a.Count, Last: a.Last, Raised: a.Raised,
	}
	if a.Assignee != "" {
		line.Assignee = n.user(a.Assignee)
	}
	shown := min(len(a.Members), namedMembers)
	line.Members, line.More = n.memberList(a.Members[:shown]), len(a.Members)-shown
	return line
}

// alertModel is the page of one alert.
type alertModel struct {
	Alert
	Heading  string
	Tone     string
	Why      Explained
	WhyOf    string   // whose record is explained
	Values   []string // what a correlation counted, members by name
	Counted  []string // titles of the rules it counts
	Parts    []memberPart
	Lines    []recordLine
	Lanes    []lane // none when it stayed at one member
	Graph    web.Graph
	Cut      bool // there are more records than are kept
	Steps    []stepLine
	Comments []noteLine
	Centre   bool
	May      struct{ Triage, Draft bool }
	Form     *web.Form
	Who      string // the assignee's address
}

type memberPart struct {
	ID   sector.MemberID
	Name string
	Share
}

type recordLine struct {
	RecordRef
	Name     string
	Mentions []mention
}

// mention is an observable as a page writes it.
type mention struct {
	Field, Shown string
}

const maxMentions = 6

// mentions are the most telling observables of a record: those that mean
// something outside first.
func mentions(r *RecordRef) []mention {
	var list, inward []mention
	for _, o := range r.Observables {
		if Outward(o) {
			list = append(list, mention{o.Field, web.Defang(o.Value)})
		} else {
			inward = append(inward, mention{o.Field, o.Value})
		}
	}
	list = append(list, inward...)
	return list[:min(len(list), maxMentions)]
}

type noteLine struct {
	At   time.Time
	By   string
	Text string
}

// stepLine is one line of an alert's history. WordKeys are catalogue keys.
type stepLine struct {
	At       time.Time
	By       string
	What     string
	From, To string
}

func (p *Pages) showAlert(w http.ResponseWriter, r *http.Request) error {
	a, err := p.alerts.Get(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	return p.alertPage(w, r, n, &a, n.triageForm(&a))
}

func (p *Pages) alertPage(w http.ResponseWriter, r *http.Request, n *names, a *Alert, form *web.Form) error {
	v := sector.ViewerFrom(r.Context())
	m := alertModel{
		Alert: *a, Heading: n.title(&a.Finding), Tone: a.State.tone(), Why: a.Explanation(), Form: form,
		Centre: v.Org == sector.Centre, Cut: len(a.Records) < a.Count,
	}
	m.May.Triage, m.May.Draft = v.May(sector.TriageAlerts), v.May(sector.WriteDrafts)
	if a.WhyMember != "" {
		m.WhyOf = n.member(a.WhyMember)
	}
	if a.Assignee != "" {
		m.Who = n.user(a.Assignee)
	}
	if c := m.Why.Correlation; c != nil {
		m.Values, m.Counted = n.counted(c), n.ruleTitles(c)
	}
	for _, s := range a.Shares {
		m.Parts = append(m.Parts, memberPart{s.Member, n.member(s.Member), s})
	}
	for _, ref := range a.Records {
		m.Lines = append(m.Lines, recordLine{ref, n.member(ref.Member), mentions(&ref)})
	}
	m.Lanes, m.Graph = lanes(m.Lines), m.graph(p.shell.Zone(r))
	for _, c := range a.History {
		m.Steps = append(m.Steps, n.step(c))
	}
	for _, c := range a.Notes {
		m.Comments = append(m.Comments, noteLine{c.At, n.user(c.By), c.Text})
	}
	return p.views.Page(w, r, "alert", web.Page{
		Title: "monitor.alert.title", Args: []any{m.Heading}, Data: m, Status: form.Status(),
		Crumbs: []web.Link{{Key: "monitor.nav.alerts", Href: "/alerts"}},
	})
}

// counted are the values of a correlation, members by name.
func (n *names) counted(c *CorrelationWhy) []string {
	if len(c.Fields) != 1 || c.Fields[0] != InstitutionField {
		return c.Values
	}
	list := make([]string, len(c.Values))
	for i, id := range c.Values {
		list[i] = n.member(sector.MemberID(id))
	}
	return list
}

func (n *names) ruleTitles(c *CorrelationWhy) []string {
	var list []string
	for _, r := range c.Rules {
		list = append(list, n.title(&Finding{Title: r.Title, TitleZh: r.TitleZh}))
	}
	return list
}

func (n *names) step(c Change) stepLine {
	s := stepLine{At: c.At, By: n.user(sector.UserID(c.Actor)), What: c.What, From: c.From, To: c.To}
	if c.What == "assignee" {
		s.From, s.To = n.user(sector.UserID(c.From)), n.user(sector.UserID(c.To))
	}
	return s
}

func (n *names) triageForm(a *Alert) *web.Form {
	var states []web.Option
	for _, s := range States() {
		states = append(states, web.Option{Value: string(s), Key: "monitor.state." + string(s)})
	}
	people := []web.Option{{Value: "", Key: "monitor.nobody"}}
	for _, u := range n.people {
		people = append(people, web.Option{Value: string(u.ID), Text: u.Email})
	}
	return web.NewForm(
		web.Field{Name: "version", Kind: "hidden", Value: strconv.Itoa(a.Version), Label: "monitor.col.state"},
		web.Field{Name: "state", Kind: "select", Label: "monitor.col.state", Value: string(a.State), Options: states, Required: true},
		web.Field{Name: "assignee", Kind: "select", Label: "monitor.col.assignee", Value: string(a.Assignee), Options: people},
		web.Field{Name: "note", Kind: "textarea", Label: "monitor.alert.note", Rows: 4, MaxLength: maxNote, Hint: "monitor.alert.note_hint"},
	)
}

func (p *Pages) triageAlert(w http.ResponseWriter, r *http.Request) error {
	v, id := sector.ViewerFrom(r.Context()), r.PathValue("id")
	a, err := p.alerts.Get(r.Context(), v, id)
	if err != nil {
		return err
	}
	n, err := p.namesFor(r)
	if err != nil {
		return err
	}
	form := n.triageForm(&a)
	if err := form.Read(w, r); err != nil {
		return err
	}
	version, err := strconv.Atoi(form.Get("version"))
	if err != nil {
		return errs.New(errs.Invalid, "error.form").Because(err)
	}
	step := Step{Note: form.Get("note")}
	if s := State(form.Get("state")); s != a.State {
		step.State = s
	}
	if who := sector.UserID(form.Get("assignee")); who != a.Assignee {
		step.Assignee = &who
	}
	if form.OK() {
		_, err := p.alerts.Triage(r.Context(), v, id, version, step)
		if err == nil {
			p.shell.Flash(r, web.Flash{Tone: "good", Key: "monitor.alert.saved"})
			http.Redirect(w, r, "/alerts/"+id, http.StatusSeeOther)
			return nil
		}
		if err := form.FailWith(err); err != nil {
			return err
		}
		if field, err := form.Field("version"); err == nil {
			field.Value = strconv.Itoa(a.Version) // what the page shows now, for a second try
		}
	}
	return p.alertPage(w, r, n, &a, form)
}
