package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/client"
)

type keyCmd struct {
	List   keyListCmd   `cmd:"" help:"List a member's keys."`
	Create keyCreateCmd `cmd:"" help:"Create a key of a member and print it, once."`
	Revoke keyRevokeCmd `cmd:"" help:"Make a key useless at once."`
}

func keysOf(member string) string { return members + "/" + url.PathEscape(member) + "/keys" }

type keyListCmd struct {
	listFlags
	Member string `arg:"" help:"The member's id."`
}

func (c keyListCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		rows := client.List[client.Raw[client.Key]](e.ctx, cl, client.Request{Path: keysOf(c.Member)}, "keys", "cursor", c.Limit)
		return list(e, c.listFlags, rows, []string{"id", "scopes", "created", "expires", "used", "state"}, func(k client.Key) []string {
			state := "cli.key.valid"
			switch {
			case !k.RevokedAt.IsZero():
				state = "cli.key.revoked"
			case !k.ExpiresAt.IsZero() && !time.Now().Before(k.ExpiresAt):
				state = "cli.key.expired"
			}
			return []string{k.ID, strings.Join(k.Scopes, ","), stamp(k.CreatedAt), or(stamp(k.ExpiresAt), "-"), or(stamp(k.LastUsed), "-"), e.t(state)}
		})
	})
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

type keyCreateCmd struct {
	remoteFlags
	Member  string   `arg:"" help:"The member's id."`
	Scope   []string `required:"" help:"What the key may do: records, taxii, advisories, events; separated by commas."`
	Name    string   `help:"What uses the key."`
	Expires string   `default:"365d" help:"When it ends: days (90d), a date (2027-06-30, at its end in UTC), or never."`
	Network []string `help:"Addresses or networks from which it may be used, such as 192.0.2.0/24; separated by commas."`
}

// newKey is what the API takes to make a key.
type newKey struct {
	Name      string    `json:"name,omitempty"`
	Scopes    []string  `json:"scopes"`
	Networks  []string  `json:"networks,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Endless   bool      `json:"endless,omitempty"`
}

func (c keyCreateCmd) Run(e *env) error {
	now := time.Now()
	life, endless, err := lifetime(c.Expires, now)
	if err != nil {
		return err
	}
	body := newKey{Name: c.Name, Scopes: c.Scope, Networks: c.Network, Endless: endless}
	if !endless {
		body.ExpiresAt = now.Add(life).UTC()
	}
	return c.with(e, func(cl *client.Client) error {
		var k client.Raw[client.NewKey]
		_, err := cl.Do(e.ctx, client.Request{Method: http.MethodPost, Path: keysOf(c.Member), Create: true,
			Body: body}, &k)
		if err != nil {
			return err
		}
		return show(e, c.remoteFlags, k, func(k client.NewKey) [][2]string {
			return [][2]string{{"id", k.Key.ID}, {"member", k.Key.Member}, {"scopes", strings.Join(k.Key.Scopes, ",")},
				{"expires", or(stamp(k.Key.ExpiresAt), "-")}, {"secret", k.Secret}}
		})
	})
}

type keyRevokeCmd struct {
	remoteFlags
	Member string `arg:"" help:"The member's id."`
	ID     string `arg:"" help:"The key's id."`
}

func (c keyRevokeCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodDelete, Path: keysOf(c.Member) + "/" + url.PathEscape(c.ID)}, nil); err != nil {
			return err
		}
		if c.Output == "json" {
			return e.printJSON(map[string]string{"revoked": c.ID})
		}
		_, err := fmt.Fprintln(e.Out, e.t("cli.key.done", c.ID))
		return err
	})
}
