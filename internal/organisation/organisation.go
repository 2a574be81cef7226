// Package organisation is what an organisation looks after itself: its
// profile and the confirmation of it, its people and their roles, and the
// sharing groups that it owns or is in. A member sees and changes its own and
// nothing of another; to ask for another's is answered like asking for what
// is not there.
package organisation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Members is the sector's members.
type Members interface {
	Member(ctx context.Context, id sector.MemberID) (sector.Member, error)
	Members(ctx context.Context) ([]sector.Member, error)
}

// States keeps whether members take part.
type States interface {
	// SetMemberState makes the member's people and keys nobody, or somebody
	// again, from that moment.
	SetMemberState(ctx context.Context, id sector.MemberID, s sector.MemberState, e ledger.Entry) error
}

// Mailer sends one-time links.
type Mailer interface {
	// MailLink makes a one-time link and has it mailed to the person, both or
	// neither; nobody else sees it.
	MailLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) error
}

// Config is what a service is made of. All fields but Mail are required.
type Config struct {
	Members  Members
	States   States
	Profiles ProfileStore
	Store    PeopleStore
	Accounts Accounts
	Groups   GroupStore
	Mail     Mailer // nil: whoever invites is shown the links
	Now      func() time.Time
}

// Service is safe for concurrent use.
type Service struct{ Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// need reports an error unless the viewer holds the permission.
func need(v sector.Viewer, p sector.Permission) error {
	if !v.May(p) {
		return errs.New(errs.Forbidden, "error.role")
	}
	return nil
}

// ownMember is the member that the viewer acts for, when it holds the
// permission there.
func ownMember(v sector.Viewer, p sector.Permission) (sector.MemberID, error) {
	if v.Org != sector.MemberOrg || v.Member == "" {
		return "", errs.New(errs.Forbidden, "error.role")
	}
	return v.Member, need(v, p)
}

// maxReason bounds a reason in characters.
const maxReason = 500

// SetState lets a member take part, suspends it, or notes that it left. Its
// people and keys are nobody from that moment, or are somebody again; nothing
// is deleted.
func (s *Service) SetState(ctx context.Context, v sector.Viewer, id sector.MemberID, state sector.MemberState, reason string) error {
	if err := need(v, sector.WriteMembers); err != nil {
		return err
	}
	m, err := s.Members.Member(ctx, id)
	if err != nil {
		return err
	}
	if reason, err = sector.Prose(reason, maxReason); err != nil {
		return err
	}
	switch {
	case reason == "":
		return errs.New(errs.Invalid, "organisation.reason_missing")
	case state != sector.TakesPart && state != sector.Suspended && state != sector.Departed:
		return errs.New(errs.Invalid, "organisation.state_unknown", string(state))
	case state == m.State:
		return errs.New(errs.Conflict, "organisation.state_same")
	}
	e := entry(v, "member.state", "member:"+string(id), id, map[string]any{"was": m.State.Name(), "state": state.Name(), "reason": reason})
	return s.States.SetMemberState(ctx, id, state, e)
}

func entry(by sector.Viewer, action, object string, about sector.MemberID, detail any) ledger.Entry {
	e := ledger.Entry{Actor: by.Actor(), Action: action, Object: object, Member: string(about)}
	if raw, err := json.Marshal(detail); err == nil && detail != nil {
		e.Detail = string(raw)
	}
	return e
}

func newID() string { return strings.ToLower(rand.Text()[:16]) }
