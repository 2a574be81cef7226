package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/wire"
)

type adminCmd struct {
	CreateMember createMemberCmd `cmd:"" help:"Add a member institution."`
	CreateKey    createKeyCmd    `cmd:"" help:"Add a machine key of a member and print it, once."`
	CreateUser   createUserCmd   `cmd:"" help:"Add a person."`
	Reindex      reindexCmd      `cmd:"" help:"Make the search index of a stopped data folder anew."`
	CreateLink   createLinkCmd   `cmd:"" help:"Print a one-time link for a person who has lost every way to sign in."`
}

// dataFlag is shared by the commands that work on a data folder.
type dataFlag struct {
	Data string `type:"path" default:"${default_data}" env:"ASPIS_DATA_DIR" help:"The data folder."`
}

// withAdmin runs fn against the server that runs on the folder, or, when none
// does, on the folder itself.
func (d dataFlag) withAdmin(e *env, fn func(wire.Admin) error) error {
	admin, done, err := wire.OpenAdmin(e.ctx, d.Data, e.log)
	if err != nil {
		return err
	}
	return errors.Join(fn(admin), done())
}

type createMemberCmd struct {
	dataFlag
	ID     string `required:"" help:"2 to 32 of a–z, 0–9 and '-'."`
	Name   string `required:"" help:"English name."`
	NameZh string `required:"" name:"name-zh" help:"Chinese name."`
	Sector string `required:"" help:"banking, insurance, securities or infrastructure."`
	Mail   string `help:"Where warnings are mailed to."`
}

type memberJSON struct {
	ID     sector.MemberID  `json:"id"`
	Name   string           `json:"name"`
	NameZh string           `json:"name_zh"`
	Sector sector.SubSector `json:"sector"`
	Mail   string           `json:"mail,omitempty"`
}

func (c createMemberCmd) Run(e *env) error {
	return c.withAdmin(e, func(a wire.Admin) error {
		m, err := a.CreateMember(e.ctx, sector.System(), sector.Member{
			ID: sector.MemberID(c.ID), Name: c.Name, NameZh: c.NameZh, Sector: sector.SubSector(c.Sector), Mail: c.Mail})
		if err != nil {
			return err
		}
		return e.printJSON(memberJSON{m.ID, m.Name, m.NameZh, m.Sector, m.Mail})
	})
}

type createUserCmd struct {
	dataFlag
	Email         string   `required:"" help:"The person's mail address, used to sign in."`
	Role          []string `required:"" help:"One or more of ${roles}."`
	Member        string   `help:"The member's id, for a member's people."`
	PasswordStdin bool     `help:"Read the password from standard input."`
}

type userJSON struct {
	ID     sector.UserID   `json:"id"`
	Email  string          `json:"email"`
	Role   string          `json:"role"` // with commas between several, as --role takes them
	Member sector.MemberID `json:"member,omitempty"`
}

func (c createUserCmd) roles() []sector.Role {
	roles := make([]sector.Role, len(c.Role))
	for i, name := range c.Role {
		roles[i] = sector.Role(name)
	}
	return roles
}

func (c createUserCmd) Run(e *env) error {
	var password string
	if c.PasswordStdin {
		line, err := bufio.NewReader(e.In).ReadString('\n')
		if password = strings.TrimRight(line, "\r\n"); password == "" {
			return fmt.Errorf("read the password from standard input: %w", errors.Join(err, errors.New("it is empty")))
		}
	}
	return c.withAdmin(e, func(a wire.Admin) error {
		u, err := a.CreateUser(e.ctx, sector.System(), sector.User{
			Email: c.Email, Roles: c.roles(), Member: sector.MemberID(c.Member)}, password)
		if err != nil {
			return err
		}
		return e.printJSON(userJSON{u.ID, u.Email, strings.Join(sector.Names(u.Roles), ","), u.Member})
	})
}

type createLinkCmd struct {
	dataFlag
	Email string        `required:"" help:"The person's mail address."`
	Valid time.Duration `default:"24h" help:"How long the link works, once."`
}

type linkJSON struct {
	Email string `json:"email"`
	// Path is to be opened below the centre's address.
	Path string `json:"path"`
}

func (c createLinkCmd) Run(e *env) error {
	return c.withAdmin(e, func(a wire.Admin) error {
		secret, err := a.CreateLinkFor(e.ctx, sector.System(), c.Email, c.Valid)
		if err != nil {
			return err
		}
		return e.printJSON(linkJSON{c.Email, web.LinkURL("", secret)})
	})
}

type reindexCmd struct{ dataFlag }

func (c reindexCmd) Run(e *env) error { return wire.Reindex(e.ctx, c.Data, e.log) }
