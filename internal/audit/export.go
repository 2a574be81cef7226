package audit

import (
	"context"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
)

// exportPage is how many entries are read at once for a file.
const exportPage = 500

// exportList is the list as a file. Entries' numbers are not in it: they would
// let a member count what others do.
func (p pages) exportList(w http.ResponseWriter, r *http.Request) error {
	v, path := sector.ViewerFrom(r.Context()), base(r)
	names, err := p.names(r)
	if err != nil {
		return err
	}
	centre := path == allPath
	l := p.shell.ReadList(r, p.spec(centre, path, names.list, names.lang))
	l.Limit = exportPage
	return p.shell.Export(w, r, l, strings.TrimPrefix(path, "/"), func(ctx context.Context, after string) ([][]any, string, error) {
		l.After = after
		lines, err := p.lines(ctx, v, &l)
		rows := make([][]any, len(lines))
		for i, line := range lines {
			shown := p.row(names, path, line)
			rows[i] = []any{line.At, p.partyText(r, shown.By), p.word(r, "ledger.action.", line.Action), p.partyText(r, shown.On)}
			if centre {
				rows[i] = append(rows[i], shown.About)
			}
		}
		return rows, l.Next, err
	})
}

// partyText is a party as the template part of that name writes it.
func (p pages) partyText(r *http.Request, n named) string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if n.Kind == "person" {
		add(n.Mail)
		add(p.shell.Roles(r, n.Roles))
	} else {
		add(p.word(r, "ledger.party.", n.Kind))
		add(n.ID)
	}
	add(n.Name)
	return strings.Join(parts, " ")
}

// word is the text of a key, or its last part where there is none.
func (p pages) word(r *http.Request, prefix, name string) string {
	if !p.shell.Has(prefix + name) {
		return name
	}
	return p.shell.T(r, prefix+name)
}
