package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
)

type groupCmd struct {
	List   groupListCmd   `cmd:"" help:"List the sharing groups that you know of."`
	Show   groupShowCmd   `cmd:"" help:"Show a group and who is in it, as far as you may see."`
	Terms  groupTermsCmd  `cmd:"" help:"Print a group's terms."`
	Create groupCreateCmd `cmd:"" help:"Open a group."`
	Amend  groupAmendCmd  `cmd:"" help:"Put new terms of a group in force."`
	Invite groupInviteCmd `cmd:"" help:"Invite a member, or admit one that asks."`
	Remove groupRemoveCmd `cmd:"" help:"Take a member out, or its invitation or request back."`
	Close  groupCloseCmd  `cmd:"" help:"Close a group."`
	Agree  groupAgreeCmd  `cmd:"" help:"Agree to a group's terms for your member: accept, or ask to join."`
	Leave  groupLeaveCmd  `cmd:"" help:"Leave a group, decline, or take a request back."`
}

const groups = "/api/v1/groups"

type groupListCmd struct {
	listFlags
	Query string `short:"q" help:"Part of a name."`
}

func (c groupListCmd) Run(e *env) error {
	q := url.Values{}
	put(q, "q", c.Query)
	return listed(e, c.listFlags, client.Request{Path: groups, Query: q}, "groups", []string{"id", "group", "owner", "standing", "inside"},
		func(g client.Group) []string {
			return []string{g.ID, g.Title(string(e.lang())), e.owner(g), e.standing(g.Standing), e.yes(g.Inside)}
		})
}

func (e *env) owner(g client.Group) string {
	if g.Owner == "" {
		return e.t("group.centre")
	}
	return g.Owner
}

func (e *env) standing(side string) string {
	if side == "" {
		return "-"
	}
	return e.t("cli.standing." + side)
}

func (e *env) yes(is bool) string {
	if is {
		return e.t("cli.yes")
	}
	return "-"
}

// groupArg names a group.
type groupArg struct {
	remoteFlags
	ID string `arg:"" help:"The group's id."`
}

func (e *env) group(g client.Group) [][2]string {
	var list []string
	for _, m := range g.Members {
		list = append(list, strings.TrimSpace(m.Member+" "+strings.TrimPrefix(e.standing(m.Standing), "-")))
	}
	return [][2]string{
		{"id", g.ID}, {"group", g.Title(string(e.lang()))}, {"owner", e.owner(g)}, {"terms", fmt.Sprint(g.Terms)}, {"closed", stamp(g.ClosedAt)},
		{"standing", e.standing(g.Standing)}, {"inside", e.yes(g.Inside)}, {"members", strings.Join(list, "\n")},
	}
}

type groupShowCmd struct{ groupArg }

func (c groupShowCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: below(groups, c.ID)}, e.group)
}

type groupTermsCmd struct{ groupArg }

func (c groupTermsCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: below(groups, c.ID, "terms")}, e.terms)
}

func (e *env) terms(t client.Terms) [][2]string {
	return [][2]string{{"version", fmt.Sprint(t.Version)}, {"names", e.yes(t.NamesShown)}, {"terms_zh", t.Zh}, {"terms_en", t.En}}
}

// termsFlags are what who joins shall agree to.
type termsFlags struct {
	TermsZh string `required:"" help:"A file with the terms in Chinese."`
	TermsEn string `required:"" help:"A file with the terms in English."`
	Names   bool   `help:"Who is in the group sees who else is."`
}

func (f termsFlags) read(e *env) (client.Terms, error) {
	zh, err := e.file(f.TermsZh)
	if err != nil {
		return client.Terms{}, err
	}
	en, err := e.file(f.TermsEn)
	return client.Terms{Zh: string(zh), En: string(en), NamesShown: f.Names}, err
}

type groupCreateCmd struct {
	remoteFlags
	termsFlags
	NameZh string `required:"" help:"The name in Chinese."`
	Name   string `required:"" help:"The name in English."`
	Listed bool   `help:"Every member sees that there is one, and may ask to join."`
}

func (c groupCreateCmd) Run(e *env) error {
	terms, err := c.read(e)
	if err != nil {
		return err
	}
	body := struct {
		Name   string       `json:"name"`
		NameZh string       `json:"name_zh"`
		Listed bool         `json:"listed"`
		Terms  client.Terms `json:"terms"`
	}{c.Name, c.NameZh, c.Listed, terms}
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: groups, Body: body, Create: true}, e.group)
}

type groupAmendCmd struct {
	groupArg
	termsFlags
	Version int `help:"Of the terms that you read; default: the version there is."`
}

func (c groupAmendCmd) Run(e *env) error {
	terms, err := c.read(e)
	if err != nil {
		return err
	}
	path := below(groups, c.ID, "terms")
	return c.with(e, func(cl *client.Client) error {
		tag := fmt.Sprintf(`"v%d"`, c.Version)
		if c.Version == 0 {
			if tag, err = cl.Do(e.ctx, client.Request{Path: path}, nil); err != nil {
				return err
			}
		}
		var t client.Raw[client.Terms]
		if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodPut, Path: path, Body: terms, Match: tag}, &t); err != nil {
			return err
		}
		return show(e, c.remoteFlags, t, e.terms)
	})
}

type groupInviteCmd struct {
	groupArg
	Member string `arg:"" help:"The member's id."`
}

func (c groupInviteCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPut, Path: below(groups, c.ID, "members", c.Member)}, e.group)
}

type groupRemoveCmd struct {
	groupArg
	Member string `arg:"" help:"The member's id."`
}

func (c groupRemoveCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodDelete, Path: below(groups, c.ID, "members", c.Member)}, "cli.group.removed", c.Member)
}

type groupCloseCmd struct{ groupArg }

func (c groupCloseCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(groups, c.ID, "close")}, e.group)
}

type groupAgreeCmd struct {
	groupArg
	Terms int `required:"" help:"The version of the terms that you read."`
}

func (c groupAgreeCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(groups, c.ID, "agree"), Body: map[string]int{"terms": c.Terms}}, e.group)
}

type groupLeaveCmd struct{ groupArg }

func (c groupLeaveCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(groups, c.ID, "leave")}, "cli.group.left")
}
