package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/wire"
)

type createKeyCmd struct {
	dataFlag
	Member  string         `required:"" help:"The member's id."`
	Scope   []sector.Scope `required:"" help:"What the key may do: records, taxii, advisories, events; separated by commas."`
	Name    string         `help:"What uses the key."`
	Notes   string         `help:"What else to know about it."`
	Expires string         `default:"365d" help:"When it ends: days (90d), a date (2027-06-30, at its end in UTC), or never."`
	Network []string       `help:"Addresses or networks from which it may be used, such as 192.0.2.0/24; separated by commas."`
}

type keyJSON struct {
	ID       string          `json:"id"`
	Key      string          `json:"key"`
	Member   sector.MemberID `json:"member"`
	Name     string          `json:"name,omitempty"`
	Scopes   []sector.Scope  `json:"scopes"`
	Networks []string        `json:"networks,omitempty"`
	Expires  *time.Time      `json:"expires"` // null: never
}

func (c createKeyCmd) Run(e *env) error {
	spec := sector.KeySpec{Member: sector.MemberID(c.Member), Name: c.Name, Notes: c.Notes, Scopes: c.Scope}
	var err error
	if spec.Lifetime, spec.Endless, err = lifetime(c.Expires, time.Now()); err != nil {
		return err
	}
	if spec.Networks, err = peer.ParseNetworks(c.Network); err != nil {
		return fmt.Errorf("--network %w", err)
	}
	return c.withAdmin(e, func(a wire.Admin) error {
		k, secret, err := a.IssueKey(e.ctx, sector.System(), spec)
		if err != nil {
			return err
		}
		out := keyJSON{ID: k.ID, Key: secret, Member: k.Member, Name: k.Name, Scopes: k.Scopes}
		for _, n := range k.Networks {
			out.Networks = append(out.Networks, n.String())
		}
		if !k.ExpiresAt.IsZero() {
			out.Expires = &k.ExpiresAt
		}
		return e.printJSON(out)
	})
}

// lifetime reads --expires as seen from now.
func lifetime(text string, now time.Time) (life time.Duration, endless bool, err error) {
	if text == "never" {
		return 0, true, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err == nil && n > 0 && n <= int(sector.MaxKeyLifetime.Hours()/24) {
			return time.Duration(n) * 24 * time.Hour, false, nil
		}
	}
	if date, err := time.ParseInLocation(time.DateOnly, text, time.UTC); err == nil {
		if life := date.AddDate(0, 0, 1).Sub(now); life > 0 {
			return life, false, nil
		}
		return 0, false, fmt.Errorf("--expires %s: that is past", text)
	}
	return 0, false, errors.New("--expires: want days such as 90d (at most 1825d), a date such as 2027-06-30, or never")
}
