package cli

import (
	"net/url"

	"github.com/aspis-platform/aspis/internal/client"
)

type memberCmd struct {
	List memberListCmd `cmd:"" help:"List member institutions."`
	Show memberShowCmd `cmd:"" help:"Show a member institution."`

	Profile memberProfileCmd `cmd:"" help:"Read, change and confirm profiles."`
}

const members = "/api/v1/members"

type memberListCmd struct {
	listFlags
	Sector string `enum:",banking,insurance,securities,infrastructure" default:"" help:"banking, insurance, securities or infrastructure."`
	Query  string `short:"q" help:"Part of an id or a name."`
}

func (c memberListCmd) Run(e *env) error {
	q := url.Values{}
	put(q, "sector", c.Sector)
	put(q, "q", c.Query)
	return c.with(e, func(cl *client.Client) error {
		rows := client.List[client.Raw[client.Member]](e.ctx, cl, client.Request{Path: members, Query: q}, "members", "cursor", c.Limit)
		return list(e, c.listFlags, rows, []string{"id", "name_zh", "name", "sector", "mail"}, func(m client.Member) []string {
			return []string{m.ID, m.NameZh, m.Name, e.t("common.sector." + m.Sector), m.Mail}
		})
	})
}

type memberShowCmd struct {
	remoteFlags
	ID string `arg:"" help:"The member's id."`
}

func (c memberShowCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		var m client.Raw[client.Member]
		if _, err := cl.Do(e.ctx, client.Request{Path: members + "/" + url.PathEscape(c.ID)}, &m); err != nil {
			return err
		}
		return show(e, c.remoteFlags, m, func(m client.Member) [][2]string {
			return [][2]string{{"id", m.ID}, {"name_zh", m.NameZh}, {"name", m.Name}, {"sector", e.t("common.sector." + m.Sector)},
				{"mail", m.Mail}, {"created", stamp(m.CreatedAt)}}
		})
	})
}
