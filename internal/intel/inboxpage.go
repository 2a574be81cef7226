package intel

import (
	"net/http"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

func inboxSpec() web.ListSpec {
	return web.ListSpec{
		Path: "/inbox", Export: true,
		Columns: []web.Column{
			{Key: "inbox.changed", Name: "changed", Class: "time"}, {Key: "advisory.title"}, {Key: "advisory.tlp", Name: "tlp", Class: "fit"},
			{Key: "advisory.category", Name: "category", Class: "fit from-wide"}, {Key: "advisory.indicators", Name: "indicators", Class: "num from-wide"},
			{Key: "inbox.status", Name: "status", Class: "fit"},
		},
		Filters: []web.Filter{
			{Name: "q", Key: "advisory.search", Kind: "text"},
			{Name: "category", Key: "advisory.category", Kind: "select", Options: withAll(keyed("advisory.category.", Categories()))},
		},
	}
}

// inboxRow is an advisory in a recipient's list.
type inboxRow struct {
	ReleasedAdvisory
	Name   string
	Status web.Message
	Tone   string
	Late   bool // an answer is owed and its time is over
	Figure *Figures
}

type inboxModel struct {
	List  web.List
	Owed  []inboxRow // what waits for the member's answer, soonest first
	Rows  []inboxRow
	Empty web.State
}

// maxOwed bounds the rows above the list.
const maxOwed = 50

func (p pages) inbox(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	l, done, err := p.shell.Table(w, r, inboxSpec())
	if err != nil || done {
		return err
	}
	found, err := p.page(r, v, &l)
	if err != nil {
		return err
	}
	m := inboxModel{List: l, Rows: p.inboxRows(r, found), Empty: emptyInbox(l)}
	if l.After == "" && !l.Filtered() && v.Org == sector.MemberOrg {
		owed, err := p.svc.Released(r.Context(), v, ReleasedQuery{Unanswered: true, Limit: maxOwed})
		if err != nil {
			return err
		}
		m.Owed = p.inboxRows(r, owed)
		sortByDue(m.Owed)
	}
	return p.views.Page(w, r, "inbox", web.Page{Title: "inbox.title", Data: m})
}

// page reads one page of what the viewer was released.
func (p pages) page(r *http.Request, v sector.Viewer, l *web.List) ([]ReleasedAdvisory, error) {
	q := ReleasedQuery{Text: l.Get("q"), Category: Category(l.Get("category")), Limit: l.Limit + 1}
	tag := apiTag(v, q)
	var err error
	if l.After != "" {
		if q.After, err = openPlace(p.sealer, tag, l.After); err != nil {
			return nil, err
		}
	}
	found, err := p.svc.Released(r.Context(), v, q)
	for i := range found {
		found[i] = asked(v, found[i])
	}
	if len(found) > l.Limit {
		found = found[:l.Limit]
		l.Next = sealPlace(p.sealer, tag, found[l.Limit-1].Place())
	}
	return found, err
}

// asked is an item without the time for an answer where the viewer's
// organisation is not asked for one: partners read, members answer.
func asked(v sector.Viewer, item ReleasedAdvisory) ReleasedAdvisory {
	if v.Org == sector.Partner {
		item.AnswerDue = time.Time{}
	}
	return item
}

func emptyInbox(l web.List) web.State {
	if l.Filtered() {
		return web.State{Kind: "empty", Title: "advisory.none_found", Text: "advisory.none_found_text",
			Actions: []web.Link{{Key: "common.list.clear", Href: l.ClearURL()}}}
	}
	return web.State{Kind: "empty", Title: "inbox.empty", Text: "inbox.empty_text"}
}

func (p pages) inboxRows(r *http.Request, found []ReleasedAdvisory) []inboxRow {
	rows := make([]inboxRow, len(found))
	for i, f := range found {
		rows[i] = inboxRow{ReleasedAdvisory: f, Name: f.Title.In(p.lang(r)), Late: f.AwaitsAnswer() && f.AnswerDue.Before(p.svc.Now())}
		rows[i].Tone, rows[i].Status.Key = statusOf(f)
	}
	return rows
}

// statusOf is the one thing a member should know about an advisory.
func statusOf(f ReleasedAdvisory) (tone, key string) {
	switch {
	case !f.WithdrawnAt.IsZero():
		return "bad", "inbox.withdrawn"
	case f.Answer != nil:
		return "good", "answer." + string(f.Answer.Kind)
	case f.AwaitsAnswer():
		return "warn", "inbox.answer_owed"
	case f.OpenedAt.IsZero():
		return "note", "inbox.unread"
	}
	return "quiet", "inbox.read"
}

func sortByDue(rows []inboxRow) {
	slices.SortStableFunc(rows, func(a, b inboxRow) int { return a.AnswerDue.Compare(b.AnswerDue) })
}

// readModel is an advisory as a member reads it.
type readModel struct {
	Item   inboxRow
	Body   string // in the page's language
	Other  Text   // title and body in the other language, as Zh and En
	RSIT   string
	Form   *web.Form
	EWA    bool
	Now    time.Time
	Asked  bool // the viewer's organisation answers
	Answer bool // the viewer can answer
}

func answerForm(r ReleasedAdvisory) *web.Form {
	f := web.NewForm(
		web.Field{Name: "answer", Label: "answer.label", Kind: "radio", Required: true, Options: keyed("answer.", AnswersTo(r.Category))},
		web.Field{Name: "reason", Label: "answer.reason", Kind: "textarea", Rows: 4, MaxLength: maxReason, Hint: "answer.reason_hint"},
	)
	if r.Answer != nil {
		if field, err := f.Field("answer"); err == nil {
			field.Value = string(r.Answer.Kind)
		}
		if field, err := f.Field("reason"); err == nil {
			field.Value = r.Answer.Reason
		}
	}
	return f
}

func (p pages) read(w http.ResponseWriter, r *http.Request) error {
	item, err := p.svc.Open(r.Context(), sector.ViewerFrom(r.Context()), idOf(r))
	if err != nil {
		return err
	}
	item = asked(sector.ViewerFrom(r.Context()), item)
	return p.showRead(w, r, item, answerForm(item))
}

func (p pages) showRead(w http.ResponseWriter, r *http.Request, item ReleasedAdvisory, f *web.Form) error {
	lang, other := p.lang(r), "en"
	if lang == "en" {
		other = "zh-Hant"
	}
	v := sector.ViewerFrom(r.Context())
	m := readModel{
		Item: p.inboxRows(r, []ReleasedAdvisory{item})[0], Body: item.Body.In(lang),
		Other: Text{Zh: item.Title.In(other), En: item.Body.In(other)}, RSIT: p.svc.Rules.RSITLabel(item.RSIT).In(lang),
		Form: f, EWA: item.Category == EWA, Now: p.svc.Now(), Asked: v.Org == sector.MemberOrg, Answer: item.WithdrawnAt.IsZero() && v.May(sector.AnswerWarnings),
	}
	return p.views.Page(w, r, "read", web.Page{
		Title: "advisory.detail", Args: []any{m.Item.Name}, Data: m, Status: f.Status(), TLP: item.Marking.OrDefault().TLP,
		Crumbs: []web.Link{{Key: "inbox.title", Href: "/inbox"}},
	})
}

func (p pages) answer(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	item, err := p.svc.ReleasedItem(ctx, v, idOf(r))
	if err != nil {
		return err
	}
	f := answerForm(item)
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		_, err := p.svc.Answer(ctx, v, item.ID, AnswerKind(f.Get("answer")), f.Get("reason"))
		if err == nil {
			p.shell.Flash(r, web.Flash{Tone: "good", Key: "answer.saved"})
			http.Redirect(w, r, "/inbox/"+string(item.ID), http.StatusSeeOther)
			return nil
		}
		if errs.Is(err, errs.Invalid) {
			f.Fail("reason", "answer.reason_missing")
		} else if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showRead(w, r, item, f)
}

func figuresSpec() web.ListSpec {
	return web.ListSpec{
		Path: "/figures",
		Columns: []web.Column{
			{Key: "inbox.changed", Class: "time"}, {Key: "advisory.title"}, {Key: "advisory.tlp", Class: "fit"}, {Key: "advisory.category", Class: "fit from-wide"},
			{Key: "figures.recipients", Class: "num"}, {Key: "advisory.opened", Class: "num"}, {Key: "advisory.answered", Class: "num"},
			{Key: "answer.affected", Class: "num"}, {Key: "answer.blocked", Class: "num"}, {Key: "answer.not_affected", Class: "num"},
		},
		Filters: inboxSpec().Filters,
	}
}

// figures is the authority's page: what was released to it, with totals and
// no member in them.
func (p pages) figures(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	l := p.shell.ReadList(r, figuresSpec())
	found, err := p.page(r, v, &l)
	if err != nil {
		return err
	}
	ids := make([]AdvisoryID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	all, err := p.svc.FiguresOf(r.Context(), v, ids)
	if err != nil {
		return err
	}
	m := inboxModel{List: l, Rows: p.inboxRows(r, found), Empty: web.State{Kind: "empty", Title: "figures.empty", Text: "figures.empty_text"}}
	for i := range m.Rows {
		if f, ok := all[m.Rows[i].ID]; ok {
			m.Rows[i].Figure = &f
		}
	}
	return p.views.Page(w, r, "figures", web.Page{Title: "figures.title", Data: m, Wide: true})
}

// Affected adds up the answers that say so, for the table.
func (f Figures) Affected() sector.Figure { return f.ByAnswer[Affected].Plus(f.ByAnswer[TrueIncident]) }

// Blocked is how many blocked it.
func (f Figures) Blocked() sector.Figure { return f.ByAnswer[Blocked] }

// NotAffected adds up the answers that say so.
func (f Figures) NotAffected() sector.Figure {
	return f.ByAnswer[NotAffected].Plus(f.ByAnswer[FalseAlarm])
}
