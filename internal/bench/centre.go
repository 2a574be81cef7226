package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/sector"
)

// centre is a server with the demonstration sector's members, their machines'
// keys and the people that the benchmark acts as.
type centre struct {
	*server
	keys    []string // of each member: records, taxii, advisories, events
	doors   []demo.Door
	analyst *browser
	member  *browser // staff of the first member
	close   func()
}

const (
	analystMail = "analyst@bench.example"
	memberMail  = "staff@bench.example"
)

// found makes the members, people and keys at a server.
func (b *run) found(ctx context.Context, s *server) (*centre, error) {
	admin, done, err := b.Admin(ctx, s.data)
	if err != nil {
		return nil, err
	}
	c := &centre{server: s}
	err = c.populate(ctx, admin)
	if err = errors.Join(err, done()); err != nil {
		return nil, fmt.Errorf("create members and people: %w", err)
	}
	c.doors, c.close, err = demo.Doors(s.url, c.keys)
	return c, err
}

func (c *centre) populate(ctx context.Context, admin Admin) error {
	by := sector.System()
	for _, m := range demo.Members(members) {
		if _, err := admin.CreateMember(ctx, by, m); err != nil {
			return err
		}
		_, secret, err := admin.CreateKey(ctx, by, m.ID,
			[]sector.Scope{sector.ScopeRecords, sector.ScopeTAXII, sector.ScopeAdvisories, sector.ScopeEvents})
		if err != nil {
			return err
		}
		c.keys = append(c.keys, secret)
	}
	password := rand.Text()
	people := []sector.User{
		{Email: analystMail, Role: sector.Analyst},
		{Email: memberMail, Role: sector.MemberStaff, Member: demo.Members(1)[0].ID},
	}
	for _, u := range people {
		if _, err := admin.CreateUser(ctx, by, u, password); err != nil {
			return err
		}
	}
	return c.signIn(ctx, password)
}

// signIn opens both sessions through the sign-in form.
func (c *centre) signIn(ctx context.Context, password string) error {
	var err error
	if c.analyst, err = newBrowser(ctx, c.url, analystMail, password); err != nil {
		return err
	}
	c.member, err = newBrowser(ctx, c.url, memberMail, password)
	return err
}

// moved is the same centre after a restart at another address. Sessions are
// in the data folder and go on.
func (c *centre) moved(s *server) (*centre, error) {
	next := *c
	next.server = s
	var err error
	if next.analyst, err = c.analyst.at(s.url); err != nil {
		return nil, err
	}
	if next.member, err = c.member.at(s.url); err != nil {
		return nil, err
	}
	next.doors, next.close, err = demo.Doors(s.url, c.keys)
	return &next, err
}
