package intel

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// figuresJSON are an advisory's totals. A number that is small, or would give
// a small one away, is a mark: "<3" or "*".
type figuresJSON struct {
	ID         AdvisoryID            `json:"id"`
	Title      Text                  `json:"title"`
	TLP        sector.TLP            `json:"tlp"`
	Category   Category              `json:"category"`
	ReleasedAt time.Time             `json:"released_at"`
	Recipients string                `json:"recipients"`
	Opened     string                `json:"opened"`
	Answered   string                `json:"answered"`
	Answers    map[AnswerKind]string `json:"answers"`
}

type figuresIn struct {
	Category Category `query:"category" enum:"ANA,EWA,INT,DEF,FBI"`
	Text     string   `query:"q" maxLength:"200"`
	Cursor   string   `query:"cursor" doc:"The next of the page before."`
	Limit    int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type figuresOut struct {
	Body struct {
		Figures []figuresJSON `json:"figures"`
		Next    string        `json:"next,omitempty"`
	}
}

// figures is what was released to the authority, with totals and no member in
// them.
func (a api) figures(ctx context.Context, in *figuresIn) (*figuresOut, error) {
	v := sector.ViewerFrom(ctx)
	q := ReleasedQuery{Text: in.Text, Category: in.Category, Limit: in.Limit + 1}
	tag := apiTag(v, q)
	var err error
	if in.Cursor != "" {
		if q.After, err = openPlace(a.sealer, tag, in.Cursor); err != nil {
			return nil, err
		}
	}
	found, err := a.svc.Released(ctx, v, q)
	if err != nil {
		return nil, err
	}
	out := &figuresOut{}
	out.Body.Figures = []figuresJSON{}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.Next = sealPlace(a.sealer, tag, found[in.Limit-1].Place())
	}
	ids := make([]AdvisoryID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	totals, err := a.svc.FiguresOf(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		t := totals[f.ID]
		one := figuresJSON{ID: f.ID, Title: f.Title, TLP: f.Marking.OrDefault().TLP, Category: f.Category, ReleasedAt: f.ReleasedAt,
			Recipients: t.Recipients.String(), Opened: t.Opened.String(), Answered: t.Answered.String(), Answers: map[AnswerKind]string{}}
		for kind, n := range t.ByAnswer {
			one.Answers[kind] = n.String()
		}
		out.Body.Figures = append(out.Body.Figures, one)
	}
	return out, nil
}

func (a api) mountFigures(routes *access.Routes) {
	access.Operation(routes, "GET /api/v1/figures", sector.ReadFigures, access.Doc{ID: "figure-list", Tag: "advisories"}, a.figures)
}
