package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/sector"
)

// centre is a server with the demonstration sector's members, their machines'
// keys and the people that the benchmark acts as.
type centre struct {
	*server
	secrets
	doors   []demo.Door
	analyst *browser
	member  *browser // staff of the first member
	close   func()
}

// secrets are what people and machines of a folder identify themselves with.
// They are kept beside the folder, for a run that measures it again.
type secrets struct {
	Keys     []string // of each member's machine: records, taxii, advisories, events
	Password string   // of both people
	// Apps are the secrets of their authenticator apps, by address.
	Apps map[string]string
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
	var own secrets
	err = until(ctx, 10*time.Second, 10*time.Millisecond, func() (bool, error) {
		var err error
		own, err = populate(ctx, admin)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			return false, nil // the socket opens a moment after the door
		}
		return err == nil, err
	})
	if err = errors.Join(err, done()); err != nil {
		return nil, fmt.Errorf("create members and people: %w", err)
	}
	return s.as(ctx, own)
}

// as signs the people in through the form and opens the members' doors.
func (s *server) as(ctx context.Context, own secrets) (*centre, error) {
	c := &centre{server: s, secrets: own}
	var err error
	if c.analyst, err = newBrowser(ctx, s.url, analystMail, own.Password, own.Apps[analystMail]); err != nil {
		return nil, err
	}
	if c.member, err = newBrowser(ctx, s.url, memberMail, own.Password, own.Apps[memberMail]); err != nil {
		return nil, err
	}
	c.Apps = map[string]string{analystMail: c.analyst.app.String(), memberMail: c.member.app.String()}
	c.doors, c.close, err = demo.Doors(s.url, own.Keys)
	return c, err
}

func populate(ctx context.Context, admin Admin) (secrets, error) {
	own, by := secrets{Password: rand.Text()}, sector.System()
	for _, m := range demo.Members(members) {
		if _, err := admin.CreateMember(ctx, by, m); err != nil {
			return own, err
		}
		_, secret, err := admin.IssueKey(ctx, by, sector.KeySpec{Member: m.ID, Scopes: sector.Scopes()})
		if err != nil {
			return own, err
		}
		own.Keys = append(own.Keys, secret)
	}
	people := []sector.User{
		{Email: analystMail, Roles: []sector.Role{sector.Analyst}},
		{Email: memberMail, Roles: []sector.Role{sector.MemberStaff}, Member: demo.Members(1)[0].ID},
	}
	for _, u := range people {
		if _, err := admin.CreateUser(ctx, by, u, own.Password); err != nil {
			return own, err
		}
	}
	return own, nil
}
