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
	List   keyListCmd   `cmd:"" help:"List a member's keys, or all that you administer."`
	Show   keyShowCmd   `cmd:"" help:"Show a key and what proves it."`
	Create keyCreateCmd `cmd:"" help:"Create a key of a member and print it, once."`
	Rotate keyRotateCmd `cmd:"" help:"Give a key a new secret and print it, once."`
	Revoke keyRevokeCmd `cmd:"" help:"Make a key useless at once."`
}

func keysOf(member string) string { return members + "/" + url.PathEscape(member) + "/keys" }

// allKeys are those that the reader administers.
const allKeys = "/api/v1/keys"

type keyListCmd struct {
	listFlags
	Member string `arg:"" optional:"" help:"The member's id; default: all that you administer."`
}

func (c keyListCmd) Run(e *env) error {
	path := allKeys
	if c.Member != "" {
		path = keysOf(c.Member)
	}
	return listed(e, c.listFlags, client.Request{Path: path}, "keys", []string{"id", "member", "scopes", "created", "expires", "used", "state"},
		func(k client.Key) []string {
			return []string{k.ID, k.Member, strings.Join(k.Scopes, ","), stamp(k.CreatedAt), or(stamp(k.ExpiresAt), "-"), or(stamp(k.LastUsed), "-"),
				e.t("cli.key." + k.State)}
		})
}

type keyShowCmd struct {
	remoteFlags
	ID string `arg:"" help:"The key's id."`
}

func (c keyShowCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: below(allKeys, c.ID)}, func(k client.KeyWithCredentials) [][2]string {
		var proofs []string
		for _, p := range k.Credentials {
			proofs = append(proofs, strings.TrimSpace(strings.Join([]string{p.ID, p.Proof, p.Subject, stamp(p.EndsAt)}, " ")))
		}
		return [][2]string{{"id", k.ID}, {"member", k.Member}, {"purpose", k.Name}, {"scopes", strings.Join(k.Scopes, ",")},
			{"networks", strings.Join(k.Networks, "\n")}, {"created", stamp(k.CreatedAt)}, {"expires", or(stamp(k.ExpiresAt), "-")},
			{"used", or(stamp(k.LastUsed), "-")}, {"state", e.t("cli.key." + k.State)}, {"credentials", strings.Join(proofs, "\n")}}
	})
}

type keyRotateCmd struct {
	remoteFlags
	ID      string `arg:"" help:"The key's id."`
	Overlap int    `default:"7" help:"How many days the former secret works on, 0 to 90."`
}

func (c keyRotateCmd) Run(e *env) error {
	q := client.Request{Method: http.MethodPost, Path: below(allKeys, c.ID, "rotate"), Body: map[string]int{"overlap_days": c.Overlap}, Create: true}
	return one(e, c.remoteFlags, q, secretLines)
}

// secretLines are a key's, with its secret.
func secretLines(k client.NewKey) [][2]string {
	return [][2]string{{"id", k.Key.ID}, {"member", k.Key.Member}, {"scopes", strings.Join(k.Key.Scopes, ",")},
		{"expires", or(stamp(k.Key.ExpiresAt), "-")}, {"secret", k.Secret}}
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
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: keysOf(c.Member), Create: true, Body: body}, secretLines)
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
