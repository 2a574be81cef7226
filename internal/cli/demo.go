package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/wire"
)

type demoCmd struct {
	serveFlags
	Members int      `default:"24" help:"How many fictional member institutions."`
	Rate    float64  `default:"50" help:"Synthetic records a second, of all members together."`
	Replay  []string `type:"path" help:"Send the recordings below these folders instead, as if from the members, with times shifted to now."`
}

// Run starts a centre and, beside it, the members' systems, which know
// nothing of it but its address and their keys.
func (c demoCmd) Run(e *env) error {
	e.quieten() // a line for each of many batches would hide the links
	options := c.options(e)
	options.LinksEnter = true // nobody here has anything to protect
	p, err := build(e, options)
	if err != nil {
		return err
	}
	members, doors, closeDoors, err := c.prepare(e, p)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	defer closeDoors()
	group, ctx := errgroup.WithContext(e.ctx)
	group.Go(func() error { return p.Run(ctx) })
	group.Go(func() error { return c.send(ctx, e, members, doors) })
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (c demoCmd) send(ctx context.Context, e *env, members []sector.Member, doors []demo.Door) error {
	if len(c.Replay) > 0 {
		return demo.Replay(ctx, demo.ReplayConfig{Paths: c.Replay, Doors: doors, Rate: c.Rate, Loop: true, Log: e.log})
	}
	return demo.Run(ctx, demo.RunConfig{Members: members, Doors: doors, Options: demo.Options{Seed: 1, Rate: c.Rate}, Log: e.log})
}

// prepare brings the fictional sector into being and says how to enter.
func (c demoCmd) prepare(e *env, p *wire.Program) ([]sector.Member, []demo.Door, func(), error) {
	members := demo.Members(c.Members)
	keys, err := c.enlist(e.ctx, p, members)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := c.welcome(e, p, members); err != nil {
		return nil, nil, nil, err
	}
	doors, done, err := demo.Doors(p.URL(), keys)
	return members, doors, done, err
}

// enlist creates what is missing of the members and returns a key of each.
// The keys' secrets lie in the demonstration's data folder so that it goes on
// after a restart; a real centre keeps none.
func (c demoCmd) enlist(ctx context.Context, p *wire.Program, members []sector.Member) ([]string, error) {
	file := filepath.Join(c.Data, "demo-keys.json")
	known := map[sector.MemberID]string{}
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &known)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w; delete it to make new keys", file, err)
	}
	keys := make([]string, len(members))
	for i, m := range members {
		if _, err := p.Directory().CreateMember(ctx, sector.System(), m); err != nil && !errs.Is(err, errs.Conflict) {
			return nil, err
		}
		if known[m.ID] == "" {
			_, known[m.ID], err = p.Directory().CreateKey(ctx, sector.System(), m.ID, sector.Scopes())
			if err != nil {
				return nil, err
			}
		}
		keys[i] = known[m.ID]
	}
	if raw, err = json.MarshalIndent(known, "", "  "); err != nil {
		return nil, err
	}
	return keys, os.WriteFile(file, raw, 0o600)
}

// welcome prints a sign-in link for each side of the exchange.
func (c demoCmd) welcome(e *env, p *wire.Program, members []sector.Member) error {
	other := members[len(members)/2]
	people := []struct {
		label string
		user  sector.User
	}{
		{"centre, analyst          中心 分析人員", sector.User{Email: "analyst@centre.example", Roles: []sector.Role{sector.Analyst}}},
		{"centre, duty manager     中心 值班主管", sector.User{Email: "duty@centre.example", Roles: []sector.Role{sector.DutyManager}}},
		{"centre, administrator    中心 系統管理者", sector.User{Email: "admin@centre.example", Roles: []sector.Role{sector.Administrator}}},
		{"member, " + members[0].Name + " 會員機構 " + members[0].NameZh, staff(members[0])},
		{"member, " + other.Name + " 會員機構 " + other.NameZh, staff(other)},
		{"authority                主管機關", sector.User{Email: "supervisor@authority.example", Roles: []sector.Role{sector.Supervisor}}},
	}
	fmt.Fprintf(e.Out, "\nAspis demonstration: %d fictional members, synthetic records. Sign in with a link; each works once.\n"+
		"Aspis 展示：%d 家虛構會員機構與合成紀錄。請以下列連結登入，每個連結僅能使用一次。\n\n", len(members), len(members))
	for _, person := range people {
		link, err := p.SignInLink(e.ctx, person.user)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Out, "  %s\n    %s\n", person.label, link)
	}
	fmt.Fprintf(e.Out, "\nCtrl-C stops it; the next start goes on where it was.\n按 Ctrl-C 停止；下次啟動會接續進行。\n\n  %s\n\n", p.URL())
	return nil
}

func staff(m sector.Member) sector.User {
	return sector.User{Email: "soc@" + string(m.ID) + ".example", Roles: []sector.Role{sector.MemberStaff}, Member: m.ID}
}
