package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
)

type personCmd struct {
	List     personListCmd     `cmd:"" help:"List the people of your organisation."`
	Show     personShowCmd     `cmd:"" help:"Show a person."`
	Invite   personInviteCmd   `cmd:"" help:"Invite people and print their one-time links."`
	Roles    personRolesCmd    `cmd:"" help:"Give a person other roles."`
	Link     personLinkCmd     `cmd:"" help:"Print another one-time link for a person."`
	Remove   personRemoveCmd   `cmd:"" help:"Remove a person at once."`
	Restore  personRestoreCmd  `cmd:"" help:"Bring a removed person back."`
	Sessions personSessionsCmd `cmd:"" help:"List a person's sessions."`
	SignOut  personSignOutCmd  `cmd:"" help:"End a person's sessions."`
}

const (
	colleagues = "/api/v1/organisation/people"
	accounts   = "/api/v1/people"
)

type personListCmd struct {
	listFlags
	All    bool   `help:"For the centre: of every organisation."`
	Member string `help:"With --all: of this member."`
	Query  string `short:"q" help:"Part of an address."`
}

func (c personListCmd) Run(e *env) error {
	q, path := url.Values{}, colleagues
	put(q, "q", c.Query)
	if c.All {
		path = accounts
		put(q, "member", c.Member)
	}
	return listed(e, c.listFlags, client.Request{Path: path, Query: q}, "people", []string{"id", "mail", "roles", "member", "created", "removed"},
		func(p client.Person) []string {
			return []string{p.ID, p.Email, strings.Join(p.Roles, ","), or(p.Member, "-"), stamp(p.CreatedAt), or(stamp(p.RemovedAt), "-")}
		})
}

// personArg names a person.
type personArg struct {
	remoteFlags
	ID string `arg:"" help:"The person's id."`
}

func (e *env) person(p client.Person) [][2]string {
	return [][2]string{{"id", p.ID}, {"mail", p.Email}, {"roles", strings.Join(e.roles(p.Roles), "\n")}, {"member", p.Member},
		{"created", stamp(p.CreatedAt)}, {"removed", stamp(p.RemovedAt)}}
}

func (e *env) roles(names []string) []string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = e.t("common.role." + name)
	}
	return words
}

type personShowCmd struct{ personArg }

func (c personShowCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: below(colleagues, c.ID)}, e.person)
}

type personInviteCmd struct {
	remoteFlags
	Emails []string `arg:"" help:"Their addresses."`
	Role   []string `required:"" help:"Their roles; separated by commas."`
}

func (c personInviteCmd) Run(e *env) error {
	body := map[string][]string{"emails": c.Emails, "roles": c.Role}
	return c.with(e, func(cl *client.Client) error {
		q := client.Request{Method: http.MethodPost, Path: colleagues, Body: body, Create: true}
		rows := client.List[client.Raw[client.Invitation]](e.ctx, cl, q, "invitations", "cursor", 0)
		return list(e, listFlags{remoteFlags: c.remoteFlags}, rows, []string{"mail", "link"}, func(i client.Invitation) []string {
			if i.Problem != nil {
				return []string{i.Email, i.Problem.Text}
			}
			return []string{i.Email, i.Link}
		})
	})
}

type personRolesCmd struct {
	personArg
	Role []string `required:"" help:"In place of those there are; separated by commas."`
}

func (c personRolesCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPut, Path: below(colleagues, c.ID, "roles"), Body: map[string][]string{"roles": c.Role}}, e.person)
}

type personLinkCmd struct{ personArg }

func (c personLinkCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(colleagues, c.ID, "link"), Create: true}, func(l client.Link) [][2]string {
		return [][2]string{{"link", l.Link}, {"expires", stamp(l.ExpiresAt)}}
	})
}

type personRemoveCmd struct{ personArg }

func (c personRemoveCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodDelete, Path: below(colleagues, c.ID)}, "cli.person.removed", c.ID)
}

type personRestoreCmd struct{ personArg }

func (c personRestoreCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(colleagues, c.ID, "restore")}, e.person)
}

type personSessionsCmd struct {
	listFlags
	ID string `arg:"" help:"The person's id."`
}

func (c personSessionsCmd) Run(e *env) error {
	return e.sessions(c.listFlags, below(accounts, c.ID, "sessions"))
}

type personSignOutCmd struct{ personArg }

func (c personSignOutCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodDelete, Path: below(accounts, c.ID, "sessions")}, ended)
}

type sessionCmd struct {
	List sessionListCmd `cmd:"" help:"List your sessions in browsers."`
	End  sessionEndCmd  `cmd:"" help:"End one of your sessions, or all."`
}

const sessions = "/api/v1/sessions"

type sessionListCmd struct{ listFlags }

func (c sessionListCmd) Run(e *env) error { return e.sessions(c.listFlags, sessions) }

func (e *env) sessions(f listFlags, path string) error {
	return listed(e, f, client.Request{Path: path}, "sessions", []string{"id", "method", "address", "browser", "started", "last"}, func(s client.Session) []string {
		return []string{s.ID, s.Method, s.Address, s.Browser, stamp(s.StartedAt), stamp(s.SeenAt)}
	})
}

type sessionEndCmd struct {
	remoteFlags
	ID string `arg:"" optional:"" help:"The session's id; default: all."`
}

func (c sessionEndCmd) Run(e *env) error {
	path := sessions
	if c.ID != "" {
		path = below(sessions, c.ID)
	}
	return one(e, c.remoteFlags, client.Request{Method: http.MethodDelete, Path: path}, ended)
}

func ended(n client.Ended) [][2]string { return [][2]string{{"ended", fmt.Sprint(n.Ended)}} }
