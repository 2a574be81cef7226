package monitor

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

type rejectedModel struct {
	List    web.List
	Letters []letterLine
	Empty   web.State
}

type letterLine struct {
	DeadLetter
	Preview string
}

func rejectedSpec() web.ListSpec {
	return web.ListSpec{Path: "/rejected", Export: true, Columns: []web.Column{
		{Key: "monitor.rejected.at", Class: "time"}, {Key: "monitor.rejected.line", Name: "line", Class: "num"},
		{Key: "monitor.rejected.reason", Name: "reason"}, {Key: "monitor.rejected.text", Name: "text", Class: "wide"},
		{Key: "monitor.rejected.size", Name: "size", Class: "num"},
	}}
}

// exportRejected is the list as a file.
func (p *Pages) exportRejected(w http.ResponseWriter, r *http.Request) error {
	member, l := sector.ViewerFrom(r.Context()).Member, p.shell.ReadList(r, rejectedSpec())
	return p.shell.Export(w, r, l, "rejected", func(ctx context.Context, after string) ([][]any, string, error) {
		list, err := p.door.receipts.Letters(ctx, member, after, maxSearch)
		rows, next := make([][]any, len(list)), ""
		for i, d := range list {
			rows[i] = []any{d.At, d.Line, p.shell.T(r, "door.reason."+d.Reason), preview(d.Raw), d.Size}
			if len(list) == maxSearch {
				next = d.ID
			}
		}
		return rows, next, err
	})
}

func (p *Pages) listRejected(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	l, done, err := p.shell.Table(w, r, rejectedSpec())
	if err != nil || done {
		return err
	}
	list, err := p.door.receipts.Letters(r.Context(), v.Member, l.After, l.Limit+1)
	if err != nil {
		return err
	}
	if len(list) > l.Limit {
		list = list[:l.Limit]
		l.Next = list[l.Limit-1].ID
	}
	m := rejectedModel{List: l, Empty: web.State{Kind: "empty", Title: "monitor.rejected.none", Text: "monitor.rejected.none_text"}}
	for _, d := range list {
		m.Letters = append(m.Letters, letterLine{d, preview(d.Raw)})
	}
	return p.views.Page(w, r, "rejected", web.Page{Title: "monitor.rejected.title", Data: m})
}

type letterModel struct {
	DeadLetter
	Form *web.Form
}

func (p *Pages) showRejected(w http.ResponseWriter, r *http.Request) error {
	d, err := p.door.receipts.Letter(r.Context(), sector.ViewerFrom(r.Context()).Member, r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.letterPage(w, r, &d, letterForm(&d))
}

// letterForm shows the line for correction. Bytes that are no text are shown
// replaced: whoever sends that again has corrected it.
func letterForm(d *DeadLetter) *web.Form {
	return web.NewForm(web.Field{
		Name: "line", Kind: "textarea", Label: "monitor.rejected.text", Hint: "monitor.rejected.text_hint", Rows: 10, Class: "mono",
		Value: strings.ToValidUTF8(strings.ReplaceAll(string(d.Raw), "\x00", "\uFFFD"), "\uFFFD"), Required: true,
	})
}

func (p *Pages) letterPage(w http.ResponseWriter, r *http.Request, d *DeadLetter, form *web.Form) error {
	return p.views.Page(w, r, "letter", web.Page{
		Title: "monitor.rejected.one", Data: letterModel{*d, form}, Status: form.Status(),
		Crumbs: []web.Link{{Key: "monitor.nav.rejected", Href: "/rejected"}},
	})
}

func (p *Pages) resendRejected(w http.ResponseWriter, r *http.Request) error {
	v, id := sector.ViewerFrom(r.Context()), r.PathValue("id")
	d, err := p.door.receipts.Letter(r.Context(), v.Member, id)
	if err != nil {
		return err
	}
	form := letterForm(&d)
	if err := form.Read(w, r); err != nil {
		return err
	}
	if form.OK() {
		answer, err := p.door.Resend(r.Context(), v, id, resent(&d, form.Get("line")))
		switch {
		case err == nil && len(answer.Rejected) == 0:
			p.shell.Flash(r, web.Flash{Tone: "good", Key: "monitor.rejected.taken"})
			http.Redirect(w, r, "/rejected", http.StatusSeeOther)
			return nil
		case err == nil:
			form.Fail("line", "door.reason."+answer.Rejected[0].Reason)
		default:
			if err := form.FailWith(err); err != nil {
				return err
			}
		}
	}
	return p.letterPage(w, r, &d, form)
}

// resent is what goes out again: the line as it was when nobody touched it.
func resent(d *DeadLetter, typed string) []byte {
	if utf8.Valid(d.Raw) && typed == strings.TrimSpace(string(d.Raw)) {
		return nil
	}
	return []byte(strings.NewReplacer("\r\n", " ", "\n", " ").Replace(typed))
}

func (p *Pages) dropRejected(w http.ResponseWriter, r *http.Request) error {
	err := p.door.Drop(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "note", Key: "monitor.rejected.dropped"})
	http.Redirect(w, r, "/rejected", http.StatusSeeOther)
	return nil
}
