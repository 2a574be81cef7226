package intel

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// previewModel is the page that shows, before anybody decides, exactly who
// would see what.
type previewModel struct {
	Advisory Advisory
	Preview  Preview
	Check    checkModel
	RSIT     string
	// Can: the viewer can release it now. Submit: it can be put to the
	// second person. Why says, as a message, why neither.
	Can, Submit bool
	Why         *web.Message
	Author      string
}

func (p pages) preview(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	a, pre, err := p.svc.Preview(ctx, v, idOf(r))
	if err != nil {
		return err
	}
	names, err := p.names(ctx)
	if err != nil {
		return err
	}
	m := previewModel{Advisory: a, Preview: pre, Author: names(a.Author), RSIT: p.svc.Rules.RSITLabel(a.RSIT).In(p.lang(r))}
	var leaks []Leak
	for _, pr := range pre.Problems {
		if pr.Leak != nil {
			leaks = append(leaks, *pr.Leak)
		}
	}
	m.Check = newCheckModel(pre.Problems, append(leaks, pre.Warnings...))
	m.decide(v)
	return p.views.Page(w, r, "preview", web.Page{Title: "advisory.preview", Data: m, Wide: true, TLP: a.Marking.OrDefault().TLP, Crumbs: p.crumbs(r, a)})
}

// decide says what the viewer can do with the advisory.
func (m *previewModel) decide(v sector.Viewer) {
	a, ready := m.Advisory, len(m.Preview.Problems) == 0
	open := a.State == Draft || a.State == InReview
	m.Can = open && ready && m.Preview.May == nil
	m.Submit = a.State == Draft && ready && m.Preview.SecondPerson && mayWork(v) == nil
	switch e, ok := m.Preview.May.(*errs.Error); { //nolint:errorlint // SecondPerson returns it bare
	case !open:
		m.Why = &web.Message{Key: "advisory.not_draft"}
	case !ready:
		m.Why = &web.Message{Key: "advisory.fix_first"}
	case ok && !m.Submit:
		m.Why = &web.Message{Key: e.Key}
	}
}

// versionOf is the version a form was made of; -1 when there is none.
func versionOf(r *http.Request) int {
	if n, err := strconv.Atoi(r.PostFormValue("version")); err == nil {
		return n
	}
	return -1
}

func (p pages) submit(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	v, id := sector.ViewerFrom(r.Context()), idOf(r)
	if _, err := p.svc.Submit(r.Context(), v, id, versionOf(r)); err != nil {
		return p.again(w, r, err)
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "advisory.submitted"})
	http.Redirect(w, r, "/advisories/"+string(id), http.StatusSeeOther)
	return nil
}

func (p pages) release(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	v, id := sector.ViewerFrom(r.Context()), idOf(r)
	if _, err := p.svc.Release(r.Context(), v, id, versionOf(r)); err != nil {
		return p.again(w, r, err)
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "advisory.released_now"})
	http.Redirect(w, r, "/advisories/"+string(id), http.StatusSeeOther)
	return nil
}

// again goes back to the preview, which shows what stands in the way.
func (p pages) again(w http.ResponseWriter, r *http.Request, err error) error {
	if ProblemsOf(err) == nil && !errs.Is(err, errs.Conflict) {
		return err
	}
	key := "advisory.fix_first"
	if errs.Is(err, errs.Conflict) {
		key = "advisory.changed"
	}
	p.shell.Flash(r, web.Flash{Tone: "bad", Key: key})
	http.Redirect(w, r, "/advisories/"+string(idOf(r))+"/preview", http.StatusSeeOther)
	return nil
}

// withdrawModel asks before an advisory is taken back.
type withdrawModel struct {
	Advisory Advisory
	Form     *web.Form
	Members  int // who see it now
	Standing bool
}

func withdrawForm() *web.Form {
	return web.NewForm(web.Field{Name: "reason", Label: "advisory.reason_label", Kind: "textarea", Rows: 4, Required: true, MaxLength: maxReason, Hint: "advisory.reason_hint"})
}

func (p pages) askWithdraw(w http.ResponseWriter, r *http.Request) error {
	return p.showWithdraw(w, r, withdrawForm())
}

func (p pages) showWithdraw(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	a, err := p.svc.Advisory(ctx, v, idOf(r))
	if err != nil {
		return err
	}
	m := withdrawModel{Advisory: a, Form: f, Standing: a.Standing > 0}
	if m.Standing {
		d, err := p.svc.Deliveries(ctx, v, a.ID)
		if err != nil {
			return err
		}
		m.Members = len(d)
	}
	title := "advisory.withdraw"
	if !m.Standing {
		title = "advisory.discard"
	}
	return p.views.Page(w, r, "withdraw", web.Page{Title: title, Data: m, Status: f.Status(), TLP: a.Marking.OrDefault().TLP, Crumbs: p.crumbs(r, a)})
}

func (p pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	f := withdrawForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		err := p.svc.Withdraw(r.Context(), sector.ViewerFrom(r.Context()), idOf(r), versionOf(r), f.Get("reason"))
		if err == nil {
			p.shell.Flash(r, web.Flash{Tone: "good", Key: "advisory.withdrawn_now"})
			http.Redirect(w, r, "/advisories/"+string(idOf(r)), http.StatusSeeOther)
			return nil
		}
		if err := failWith(f, err); err != nil {
			return err
		}
	}
	return p.showWithdraw(w, r, f)
}

// detailModel is an advisory with how far it has come at each member.
type detailModel struct {
	Advisory   Advisory
	Tone       string
	RSIT       string
	Author     string
	Releases   []releaseRow
	Deliveries []deliveryRow
	Progress   []progress
	Answers    []answerCount
	Work       bool // the viewer may edit and withdraw
	Review     bool // the viewer may release it as the second person
	Scopes     []string
	Named      []sector.Member
	Groups     []string // names
	Graph      web.Graph
}

type releaseRow struct {
	PastRelease
	Decided, Approved string
	// Ended is a catalogue key: how it ended; empty while it stands.
	Ended string
}

type deliveryRow struct {
	Delivery
	Name   string
	Sector sector.SubSector
}

// progress is one bar: delivered, opened, answered.
type progress struct {
	Key   string
	N, Of int
}

type answerCount struct {
	Kind AnswerKind
	N    int
}

func (p pages) detail(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	a, err := p.svc.Advisory(ctx, v, idOf(r))
	if err != nil {
		return err
	}
	members, err := p.membersByID(ctx)
	if err != nil {
		return err
	}
	names, err := p.names(ctx)
	if err != nil {
		return err
	}
	m := detailModel{
		Advisory: a, Tone: tone(a.State), RSIT: p.svc.Rules.RSITLabel(a.RSIT).In(p.lang(r)), Author: names(a.Author),
		Work: mayWork(v) == nil, Review: a.State == InReview && SecondPerson(v, a) == nil,
		Scopes: reachKeys(a.Audience),
	}
	for _, id := range a.Audience.Members {
		m.Named = append(m.Named, members[id])
	}
	groups, err := p.svc.groups(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if slices.Contains(a.Audience.Groups, g.ID) {
			m.Groups = append(m.Groups, Text{g.NameZh, g.Name}.In(p.lang(r)))
		}
	}
	if m.Releases, err = p.releases(r, a, names); err != nil {
		return err
	}
	deliveries, err := p.svc.Deliveries(ctx, v, a.ID)
	if err != nil {
		return err
	}
	m.deliver(p.lang(r), deliveries, members)
	shown := a
	shown.Alerts = a.Alerts[:min(len(a.Alerts), graphAlerts)]
	ev, err := p.svc.EvidenceFor(ctx, v, shown)
	if err != nil {
		return err
	}
	m.Graph = advisoryGraph(v, a, p.titleOf(r, a.Title), p.lang(r), ev)
	return p.views.Page(w, r, "advisory", web.Page{
		Title: "advisory.detail", Args: []any{p.titleOf(r, a.Title)}, Data: m, Wide: true, TLP: a.Marking.OrDefault().TLP, Crumbs: p.crumbs(r, a)[:1],
	})
}

func reachKeys(a sector.Audience) []string {
	f := web.NewForm(web.Field{Name: "reach", Kind: "checks"}, web.Field{Name: "members", Kind: "checks"}, web.Field{Name: "groups", Kind: "checks"})
	choose(f, a)
	var keys []string
	for _, v := range f.All("reach") {
		keys = append(keys, "advisory.reach."+v)
	}
	return keys
}

func (p pages) releases(r *http.Request, a Advisory, names func(sector.UserID) string) ([]releaseRow, error) {
	past, err := p.svc.Drafts.Releases(r.Context(), a.ID)
	if err != nil {
		return nil, err
	}
	var rows []releaseRow
	for i, pr := range past {
		row := releaseRow{PastRelease: pr, Decided: names(pr.DecidedBy)}
		if pr.ApprovedBy != "" {
			row.Approved = names(pr.ApprovedBy)
		}
		switch {
		case pr.EndedAt.IsZero():
		case i+1 < len(past) && past[i+1].At.Equal(pr.EndedAt):
			row.Ended = "advisory.superseded"
		default:
			row.Ended = "advisory.state.withdrawn"
		}
		rows = append(rows, row)
	}
	slices.Reverse(rows)
	return rows, nil
}

// deliver fills in the recipients, those who owe an answer first.
func (m *detailModel) deliver(lang string, deliveries []Delivery, members map[sector.MemberID]sector.Member) {
	opened, answered := 0, 0
	counts := map[AnswerKind]int{}
	for _, d := range deliveries {
		member := members[d.Member]
		m.Deliveries = append(m.Deliveries, deliveryRow{d, memberName(lang, member), member.Sector})
		if !d.Opened.IsZero() {
			opened++
		}
		if d.Answer != nil {
			answered++
			counts[d.Answer.Kind]++
		}
	}
	slices.SortStableFunc(m.Deliveries, func(a, b deliveryRow) int { return a.rank() - b.rank() })
	if n := len(deliveries); n > 0 {
		m.Progress = []progress{{"advisory.delivered", n, n}, {"advisory.opened", opened, n}, {"advisory.answered", answered, n}}
	}
	for _, k := range AnswerKinds() {
		if counts[k] > 0 {
			m.Answers = append(m.Answers, answerCount{k, counts[k]})
		}
	}
}

// rank puts first what may need the centre: affected, then silent members.
func (d deliveryRow) rank() int {
	switch {
	case d.Answer != nil && (d.Answer.Kind == Affected || d.Answer.Kind == TrueIncident):
		return 0
	case d.Answer == nil && d.Opened.IsZero():
		return 1
	case d.Answer == nil:
		return 2
	}
	return 3
}

// AnswerTone is the badge's tone of an answer.
func (k AnswerKind) AnswerTone() string {
	switch k {
	case Affected, TrueIncident:
		return "bad"
	case Undetermined:
		return "warn"
	}
	return "good"
}

// FieldKey is the catalogue key of the field's name.
func (l Leak) FieldKey() string { return "field." + l.Field }

// FieldKey is the catalogue key of the field's name.
func (p Problem) FieldKey() string {
	if p.Field == "" {
		return ""
	}
	return "field." + strings.ToLower(p.Field)
}
