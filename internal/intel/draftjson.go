package intel

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// DraftContent is what is edited of an advisory, on the wire. Indicators are lines as an
// analyst writes them: "*.evil.example", "198.51.100.7", defanged or not.
type DraftContent struct {
	Title      Text            `json:"title"`
	Body       Text            `json:"body"`
	TLP        sector.TLP      `json:"tlp"`
	PAP        sector.PAP      `json:"pap"`
	Category   Category        `json:"category"`
	RSIT       string          `json:"rsit,omitempty"`
	Indicators []string        `json:"indicators,omitempty" maxItems:"5000"`
	AnswerDue  time.Time       `json:"answer_due,omitzero"`
	Audience   sector.Audience `json:"audience"`
}

// draftJSON is an advisory as the centre works on it.
type draftJSON struct {
	ID      AdvisoryID `json:"id"`
	Version int        `json:"version"`
	State   State      `json:"state"`
	DraftContent
	Alerts      []string      `json:"alerts"`
	Author      sector.UserID `json:"author"`
	SubmittedBy sector.UserID `json:"submitted_by,omitempty"`
	CreatedAt   time.Time     `json:"created_at"`
	ChangedAt   time.Time     `json:"changed_at"`
	Standing    int           `json:"standing,omitempty" doc:"The version that recipients see now."`
	ReleasedAt  time.Time     `json:"released_at,omitzero"`
	WithdrawnAt time.Time     `json:"withdrawn_at,omitzero"`
}

func newDraftJSON(a Advisory) draftJSON {
	m := a.Marking.OrDefault()
	d := draftJSON{
		ID: a.ID, Version: a.Version, State: a.State, Alerts: a.Alerts, Author: a.Author, SubmittedBy: a.SubmittedBy,
		CreatedAt: a.CreatedAt, ChangedAt: a.ChangedAt, Standing: a.Standing, ReleasedAt: a.ReleasedAt, WithdrawnAt: a.WithdrawnAt,
		DraftContent: DraftContent{
			Title: a.Title, Body: a.Body, TLP: m.TLP, PAP: m.PAP, Category: a.Category, RSIT: a.RSIT,
			Indicators: []string{}, AnswerDue: a.AnswerDue, Audience: a.Audience,
		},
	}
	if d.Alerts == nil {
		d.Alerts = []string{}
	}
	for _, i := range a.Indicators {
		d.Indicators = append(d.Indicators, i.Line())
	}
	return d
}

// content reads what was sent; lines that are no indicators are reported
// together.
func (c DraftContent) content() (Content, error) {
	out := Content{Audience: c.Audience, Message: Message{
		Title: c.Title, Body: c.Body, Marking: sector.Marking{TLP: c.TLP, PAP: c.PAP},
		Category: c.Category, RSIT: c.RSIT, AnswerDue: c.AnswerDue.UTC(),
	}}
	var wrong problems
	for n, line := range c.Indicators {
		ind, err := ParseIndicator(line)
		if err != nil {
			wrong = append(wrong, Problem{Field: "indicators", Line: n + 1,
				Err: errs.New(errs.Invalid, "advisory.indicator_line", n+1, clip(line))})
			continue
		}
		out.Indicators = append(out.Indicators, ind)
	}
	return out, wrong.err()
}

// differences names the parts whose content is not the same.
func (c Content) differences(now Content) []string {
	changed := []string{}
	add := func(name string, same bool) {
		if !same {
			changed = append(changed, name)
		}
	}
	add("title.zh", c.Title.Zh == now.Title.Zh)
	add("title.en", c.Title.En == now.Title.En)
	add("body.zh", c.Body.Zh == now.Body.Zh)
	add("body.en", c.Body.En == now.Body.En)
	add("marking", c.Marking.OrDefault() == now.Marking.OrDefault())
	add("category", c.Category == now.Category)
	add("rsit", c.RSIT == now.RSIT)
	add("indicators", slices.EqualFunc(c.Indicators, now.Indicators, Indicator.same))
	add("answer_due", c.AnswerDue.Equal(now.AnswerDue))
	add("audience", reflect.DeepEqual(c.Audience.ScopeKeys(), now.Audience.ScopeKeys()))
	return changed
}

// problemJSON is a problem on the wire.
type problemJSON struct {
	Field string    `json:"field,omitempty"`
	Line  int       `json:"line,omitempty"`
	Code  string    `json:"code"`
	Text  string    `json:"text" doc:"In the language of the request."`
	Leak  *leakJSON `json:"leak,omitempty"`
}

// leakJSON is something that points at a member.
type leakJSON struct {
	Kind   LeakKind        `json:"kind"`
	Field  string          `json:"field"`
	Line   int             `json:"line"`
	Column int             `json:"column"`
	Text   string          `json:"text"`
	Member sector.MemberID `json:"member,omitempty"`
}

func newLeakJSON(l Leak) leakJSON {
	return leakJSON{l.Kind, l.Field, l.Line, l.Column, l.Text, l.Member}
}

func (a api) problems(ctx context.Context, found []Problem) []problemJSON {
	out := []problemJSON{}
	for _, p := range found {
		one := problemJSON{Field: p.Field, Line: p.Line, Code: p.Err.Key, Text: a.texts.T(access.Lang(ctx), p.Err.Key, p.Err.Args...)}
		if p.Leak != nil {
			leak := newLeakJSON(*p.Leak)
			one.Leak = &leak
		}
		out = append(out, one)
	}
	return out
}

// explain attaches the single problems of an error that counts them.
func (a api) explain(ctx context.Context, err error) error {
	found := ProblemsOf(err)
	if found == nil {
		return err
	}
	return errs.New(errs.Invalid, "advisory.problems", len(found)).With(a.problems(ctx, found)).Because(err)
}

// previewJSON says who would see what.
type previewJSON struct {
	Version      int               `json:"version"`
	Members      []sector.MemberID `json:"members"`
	Losing       []sector.MemberID `json:"losing" doc:"See the standing release and would see it withdrawn."`
	Authority    bool              `json:"authority"`
	Public       bool              `json:"public"`
	Channels     []channelJSON     `json:"channels"`
	Problems     []problemJSON     `json:"problems"`
	Warnings     []leakJSON        `json:"warnings"`
	SecondPerson bool              `json:"second_person" doc:"A second person must approve."`
	MayRelease   bool              `json:"may_release" doc:"The reader may release it as it is."`
}

type channelJSON struct {
	Channel string `json:"channel"`
	Members int    `json:"members"`
	Without int    `json:"without,omitempty" doc:"Members that it does not reach."`
	Notice  bool   `json:"notice_only,omitempty"`
}

func (a api) newPreviewJSON(ctx context.Context, d Advisory, p Preview) previewJSON {
	out := previewJSON{
		Version: d.Version, Members: ids(p.Members), Losing: ids(p.Losing), Authority: p.Authority, Public: p.Public,
		Problems: a.problems(ctx, p.Problems), Warnings: []leakJSON{}, SecondPerson: p.SecondPerson,
		MayRelease: p.May == nil && len(p.Problems) == 0 && (d.State == Draft || d.State == InReview),
	}
	for _, c := range p.Channels {
		out.Channels = append(out.Channels, channelJSON{c.Channel, c.Members, c.Without, c.Note == "channel.notice_only"})
	}
	for _, l := range p.Warnings {
		out.Warnings = append(out.Warnings, newLeakJSON(l))
	}
	return out
}

// deliveryJSON is how far an advisory has come at a member.
type deliveryJSON struct {
	Member    sector.MemberID `json:"member"`
	Delivered time.Time       `json:"delivered_at,omitzero"`
	Mailed    time.Time       `json:"mailed_at,omitzero"`
	MailError string          `json:"mail_error,omitempty"`
	Opened    time.Time       `json:"opened_at,omitzero"`
	Answer    *answerJSON     `json:"answer,omitempty"`
}

func newDeliveryJSON(d Delivery) deliveryJSON {
	out := deliveryJSON{d.Member, d.Delivered, d.Mailed, d.MailError, d.Opened, nil}
	if d.Answer != nil {
		out.Answer = &answerJSON{d.Answer.Kind, d.Answer.Reason, d.Answer.At}
	}
	return out
}

// parsePlace reads "MICROSECONDS ID"; the zero place for anything else.
func parsePlace(position string) Place {
	at, id, ok := strings.Cut(position, " ")
	us, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return Place{}
	}
	return Place{At: time.UnixMicro(us).UTC(), ID: AdvisoryID(id)}
}
