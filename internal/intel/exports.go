package intel

import (
	"context"
	"net/http"

	"github.com/aspis-platform/aspis/internal/sector"
)

// exportPage is how many rows an export reads at once.
const exportPage = 200

// exportList is the centre's list as a file.
func (p pages) exportList(w http.ResponseWriter, r *http.Request) error {
	v, l := sector.ViewerFrom(r.Context()), p.shell.ReadList(r, listSpec())
	l.Limit = exportPage
	return p.shell.Export(w, r, l, "advisories", func(ctx context.Context, after string) ([][]any, string, error) {
		l.After = after
		found, err := p.advisories(ctx, v, &l)
		if err != nil {
			return nil, "", err
		}
		rows, err := p.rows(ctx, r, v, found)
		out := make([][]any, len(rows))
		for i, a := range rows {
			out[i] = []any{a.ChangedAt, a.Name, p.shell.T(r, "advisory.state."+string(a.State)), "TLP:" + string(a.Marking.OrDefault().TLP),
				string(a.Category), len(a.Indicators), a.Who}
		}
		return out, l.Next, err
	})
}

// exportInbox is a member's list as a file.
func (p pages) exportInbox(w http.ResponseWriter, r *http.Request) error {
	v, l := sector.ViewerFrom(r.Context()), p.shell.ReadList(r, inboxSpec())
	l.Limit = exportPage
	return p.shell.Export(w, r, l, "inbox", func(ctx context.Context, after string) ([][]any, string, error) {
		l.After, l.Next = after, ""
		found, err := p.page(r, v, &l)
		rows := p.inboxRows(r, found)
		out := make([][]any, len(rows))
		for i, a := range rows {
			out[i] = []any{a.ChangedAt(), a.Name, "TLP:" + string(a.Marking.OrDefault().TLP), string(a.Category), len(a.Indicators),
				p.shell.T(r, a.Status.Key)}
		}
		return out, l.Next, err
	})
}
