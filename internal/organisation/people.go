package organisation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// PeopleStore keeps who belongs to an organisation.
type PeopleStore interface {
	// PeopleOf lists a member's accounts, or, for no member, those of the
	// centre, the authority and partners, by address.
	PeopleOf(ctx context.Context, m sector.MemberID) ([]sector.User, error)
	// ChangePerson stores a person's roles and removal. It fails with
	// errs.Conflict when nobody of the organisation would hold admin any more.
	ChangePerson(ctx context.Context, u sector.User, admin sector.Role, e ledger.Entry) error
}

// Accounts makes accounts and one-time links.
type Accounts interface {
	CreateUser(ctx context.Context, by sector.Viewer, u sector.User, password string) (sector.User, error)
	// CreateLink returns the secret token of a one-time link.
	CreateLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) (string, error)
}

// LinkLife is how long an invitation may lie in an inbox.
const LinkLife = 72 * time.Hour

// MaxInvitations is how many people are invited at once. What is beyond is
// handed back, to be sent next.
const MaxInvitations = 500

// administrator is the role that looks after the viewer's organisation.
func administrator(v sector.Viewer) sector.Role {
	if v.Org == sector.MemberOrg {
		return sector.MemberAdmin
	}
	return sector.Administrator
}

// RolesFor are the roles that the viewer may give: those of its own
// organisation; the centre's administrators also give the authority's and
// partners'.
func RolesFor(v sector.Viewer) []sector.Role {
	return slices.DeleteFunc(sector.Roles(), func(r sector.Role) bool {
		return (r.Org() == sector.MemberOrg) != (v.Org == sector.MemberOrg)
	})
}

// organisation checks the permission and is the member whose people the
// viewer looks after; empty for the centre's.
func organisation(v sector.Viewer, p sector.Permission) (sector.MemberID, error) {
	if (v.Org == sector.MemberOrg) != (v.Member != "") {
		return "", errs.New(errs.Forbidden, "error.role")
	}
	return v.Member, need(v, p)
}

// People are the accounts of the viewer's organisation.
func (s *Service) People(ctx context.Context, v sector.Viewer) ([]sector.User, error) {
	id, err := organisation(v, sector.ReadPeople)
	if err != nil {
		return nil, err
	}
	return s.Store.PeopleOf(ctx, id)
}

// Person is one of them. Who belongs to another organisation is not there.
func (s *Service) Person(ctx context.Context, v sector.Viewer, id sector.UserID) (sector.User, error) {
	all, err := s.People(ctx, v)
	if err != nil {
		return sector.User{}, err
	}
	if i := slices.IndexFunc(all, func(u sector.User) bool { return u.ID == id }); i >= 0 {
		return all[i], nil
	}
	return sector.User{}, errs.New(errs.NotFound, "sector.user_unknown")
}

// Invitation is what became of one line of an invitation.
type Invitation struct {
	Line   int // from 1
	Email  string
	Token  string // of the one-time link; empty when the person is not invited, or it is mailed
	Mailed bool   // the link is on its way to the person
	Err    *errs.Error
	Left   bool // beyond [MaxInvitations]: nothing was done
}

// Invite makes an account and a one-time link for each address. Each line
// stands for itself: one that cannot be done does not stop the others.
func (s *Service) Invite(ctx context.Context, v sector.Viewer, addresses []string, roles []sector.Role) ([]Invitation, error) {
	id, err := organisation(v, sector.InvitePeople)
	if err != nil {
		return nil, err
	}
	if err := checkRoles(v, roles); err != nil {
		return nil, err
	}
	var domains []string
	if id != "" {
		k, err := s.Profiles.Profile(ctx, id)
		if err != nil {
			return nil, err
		}
		domains = k.Profile.Domains
	}
	var all []Invitation
	done := 0
	for n, text := range addresses {
		text = strings.Trim(text, " \t\r\n,;")
		if text == "" {
			continue
		}
		one := Invitation{Line: n + 1, Email: text, Left: done >= MaxInvitations}
		if !one.Left {
			done++
			if err := s.invite(ctx, v, id, domains, roles, &one); err != nil {
				return all, err
			}
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, errs.New(errs.Invalid, "people.nobody")
	}
	return all, nil
}

// invite does one line. What is wrong with the line is noted in it; what is
// wrong with us is returned.
func (s *Service) invite(ctx context.Context, v sector.Viewer, id sector.MemberID, domains []string, roles []sector.Role, one *Invitation) error {
	email, err := sector.MailAddress(one.Email)
	if err == nil && id != "" && !slices.ContainsFunc(domains, func(d string) bool { return under(email[strings.LastIndexByte(email, '@')+1:], d) }) {
		err = notYours()
	}
	var u sector.User
	if err == nil {
		one.Email = email
		u, err = s.Accounts.CreateUser(ctx, v, sector.User{Email: email, Roles: roles, Member: id}, "")
		if errs.Is(err, errs.Conflict) {
			err = s.taken(ctx, id, email)
		}
	}
	switch {
	case err != nil:
	case s.Mail != nil:
		err = s.Mail.MailLink(ctx, v, u.ID, LinkLife)
		one.Mailed = err == nil
	default:
		one.Token, err = s.Accounts.CreateLink(ctx, v, u.ID, LinkLife)
	}
	if e, ok := errors.AsType[*errs.Error](err); ok && (e.Kind == errs.Invalid || e.Kind == errs.Conflict) {
		one.Err = e
		return nil
	}
	return err
}

// notYours is the one answer for an address that is not the organisation's
// and for one that has an account elsewhere: who is known here is not told.
func notYours() error { return errs.New(errs.Invalid, "people.not_yours") }

// taken says what the viewer may know of an address that has an account.
func (s *Service) taken(ctx context.Context, id sector.MemberID, email string) error {
	all, err := s.Store.PeopleOf(ctx, id)
	if err != nil {
		return err
	}
	switch i := slices.IndexFunc(all, func(u sector.User) bool { return u.Email == email }); {
	case i < 0:
		return notYours()
	case !all[i].RemovedAt.IsZero():
		return errs.New(errs.Conflict, "people.was_removed")
	}
	return errs.New(errs.Conflict, "people.is_here")
}

// Link makes another one-time link for a person of the viewer's organisation,
// for whoever asks to hand over.
func (s *Service) Link(ctx context.Context, v sector.Viewer, id sector.UserID) (string, error) {
	if err := need(v, sector.InvitePeople); err != nil {
		return "", err
	}
	u, err := s.Person(ctx, v, id)
	if err != nil {
		return "", err
	}
	return s.Accounts.CreateLink(ctx, v, u.ID, LinkLife)
}

// SetRoles gives a person these roles instead of those it has.
func (s *Service) SetRoles(ctx context.Context, v sector.Viewer, id sector.UserID, roles []sector.Role) error {
	if err := need(v, sector.InvitePeople); err != nil {
		return err
	}
	u, err := s.Person(ctx, v, id)
	if err != nil {
		return err
	}
	if err := checkRoles(v, roles); err != nil {
		return err
	}
	if roles[0].Org() != u.Org() {
		return errs.New(errs.Invalid, "sector.roles_mixed", string(u.Roles[0]), string(roles[0]))
	}
	before := u.Roles
	u.Roles = roles
	e := entry(v, "user.roles", "user:"+string(id), u.Member, map[string][]sector.Role{"was": before, "roles": roles})
	return s.Store.ChangePerson(ctx, u, administrator(v), e)
}

// Remove takes the account away at once: sessions and links are dead with the
// next request. What the person did keeps its name.
func (s *Service) Remove(ctx context.Context, v sector.Viewer, id sector.UserID) error {
	return s.setRemoved(ctx, v, id, s.Now().UTC(), entry(v, "user.remove", "user:"+string(id), v.Member, nil))
}

// Restore brings a removed account back, with the roles it had.
func (s *Service) Restore(ctx context.Context, v sector.Viewer, id sector.UserID) error {
	return s.setRemoved(ctx, v, id, time.Time{}, entry(v, "user.restore", "user:"+string(id), v.Member, nil))
}

func (s *Service) setRemoved(ctx context.Context, v sector.Viewer, id sector.UserID, at time.Time, e ledger.Entry) error {
	if err := need(v, sector.RemovePeople); err != nil {
		return err
	}
	u, err := s.Person(ctx, v, id)
	if err != nil {
		return err
	}
	if u.RemovedAt.IsZero() == at.IsZero() {
		return errs.New(errs.Conflict, "people.changed")
	}
	u.RemovedAt = at
	return s.Store.ChangePerson(ctx, u, administrator(v), e)
}

func checkRoles(v sector.Viewer, roles []sector.Role) error {
	if len(roles) == 0 {
		return errs.New(errs.Invalid, "sector.roles_missing")
	}
	for _, r := range roles {
		if !slices.Contains(RolesFor(v), r) {
			return errs.New(errs.Invalid, "people.role_not_yours", string(r))
		}
		if r.Org() != roles[0].Org() {
			return errs.New(errs.Invalid, "sector.roles_mixed", string(roles[0]), string(r))
		}
	}
	return nil
}
