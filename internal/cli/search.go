package cli

import "github.com/aspis-platform/aspis/internal/client"

type searchCmd struct {
	listFlags
	Query string `arg:"" help:"Words, an address, a hash, a CVE or ATT&CK id."`
	Kind  string `help:"Only one kind: advisory, indicator, alert, member, rule …"`
}

func (c searchCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		rows := client.Search(e.ctx, cl, c.Query, c.Kind, c.Limit)
		return list(e, c.listFlags, rows, []string{"kind", "id", "title"}, func(h client.Hit) []string {
			return []string{h.Kind, h.ID, h.Title.In(string(e.lang()))}
		})
	})
}
