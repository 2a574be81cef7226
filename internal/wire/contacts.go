package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/sector"
)

// contacts are a member's deputies: whom its profile names, then its incident
// leads and administrators.
type contacts struct {
	people   notify.Directory
	profiles profiles
}

type profiles interface {
	Profile(ctx context.Context, m sector.MemberID) (organisation.Kept, error)
}

// Deputies implements notify.Contacts. Somebody with an account is reached as
// that person, once.
func (c contacts) Deputies(ctx context.Context, m sector.MemberID) ([]notify.Contact, error) {
	users, err := c.people.Users(ctx)
	if err != nil {
		return nil, err
	}
	users = slices.DeleteFunc(users, func(u sector.User) bool { return u.Member != m })
	kept, err := c.profiles.Profile(ctx, m)
	if err != nil {
		return nil, err
	}
	var all []notify.Contact
	for _, duty := range []organisation.Duty{organisation.Deputy, organisation.IncidentLead, organisation.Desk} {
		named, ok := kept.Profile.Contacts[duty]
		if !ok {
			continue
		}
		one := notify.Contact{Name: named.Name, Mail: named.Mail}
		if named.Round {
			one.Phone = named.Phone
		}
		if i := slices.IndexFunc(users, func(u sector.User) bool { return strings.EqualFold(u.Email, named.Mail) }); i >= 0 {
			one.User = users[i].ID
		}
		all = append(all, one)
	}
	for _, role := range []sector.Role{sector.IncidentLead, sector.MemberAdmin} {
		for _, u := range users {
			if slices.Contains(u.Roles, role) && !slices.ContainsFunc(all, func(c notify.Contact) bool { return c.User == u.ID }) {
				all = append(all, notify.Contact{Name: u.Email, User: u.ID})
			}
		}
	}
	return all, nil
}
