package identity

import (
	"context"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// recoveryLife is how long a request waits for a second person.
const recoveryLife = 72 * time.Hour

// LinkLife is how long a link that was asked for on the pages works.
const LinkLife = 72 * time.Hour

// CreateLink is a one-time link for a person: the invitation of somebody new,
// or the recovery of somebody who has lost every way in. Whoever controls an
// administrator controls everybody, so the recovery of an administrator is
// only asked for here (errs.Conflict, signin.second_person) and done by
// another one with ConfirmRecovery.
func (s *Service) CreateLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) (string, error) {
	v, err := s.People.Refresh(ctx, id)
	if err != nil {
		return "", err
	}
	m, err := s.Means(ctx, id)
	if err != nil {
		return "", err
	}
	if !administers(v) || !m.Enough() || by.User == "" {
		return s.People.CreateLink(ctx, by, id, valid)
	}
	r := Recovery{ID: newID(), User: id, By: by.User, At: s.now(), Expires: s.now().Add(recoveryLife)}
	if err := s.Recoveries.AskRecovery(ctx, r, about(by, "recovery.ask", v, detail("recovery", r.ID))); err != nil {
		return "", err
	}
	return "", errs.New(errs.Conflict, "signin.second_person")
}

func administers(v sector.Viewer) bool {
	return v.May(sector.InvitePeople) || v.May(sector.CreateKeys)
}

// Waiting are the requests that by may see: of its own organisation, or all
// for the centre.
func (s *Service) Waiting(ctx context.Context, by sector.Viewer) ([]WaitingRecovery, error) {
	all, err := s.Recoveries.Recoveries(ctx, s.now())
	if err != nil {
		return nil, err
	}
	var waiting []WaitingRecovery
	for _, r := range all {
		w := WaitingRecovery{Recovery: r, Mine: r.By == by.User || r.User == by.User}
		w.Person, err = s.People.Refresh(ctx, r.User)
		if errs.Is(err, errs.Unauthenticated) { // removed, or the member takes no part
			continue
		}
		if err != nil {
			return nil, err
		}
		if !mayRecover(by, w.Person) {
			continue
		}
		if w.AskedBy, err = s.People.Refresh(ctx, r.By); err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Unauthenticated) {
			return nil, err
		}
		waiting = append(waiting, w)
	}
	return waiting, nil
}

// WaitingRecovery is a request with whom it is about.
type WaitingRecovery struct {
	Recovery
	Person  sector.Viewer
	AskedBy sector.Viewer
	Mine    bool // the viewer asked, or it is about the viewer: another must confirm
}

// mayRecover: the centre's administrators for everybody, a member's for its
// own people.
func mayRecover(by, person sector.Viewer) bool {
	return by.May(sector.InvitePeople) && (by.Org == sector.Centre || by.Member != "" && by.Member == person.Member)
}

// ConfirmRecovery is the second person's word. It returns whose link it is,
// and the link's secret.
func (s *Service) ConfirmRecovery(ctx context.Context, by sector.Viewer, id string) (sector.Viewer, string, error) {
	waiting, err := s.Waiting(ctx, by)
	if err != nil {
		return sector.Viewer{}, "", err
	}
	i := slices.IndexFunc(waiting, func(w WaitingRecovery) bool { return w.ID == id })
	if i < 0 {
		return sector.Viewer{}, "", errs.New(errs.NotFound, "signin.recovery_gone")
	}
	if waiting[i].Mine {
		return sector.Viewer{}, "", errs.New(errs.Forbidden, "signin.recovery_own")
	}
	person := waiting[i].Person
	e := about(by, "recovery.confirm", person, detail("recovery", id))
	if _, err := s.Recoveries.ConfirmRecovery(ctx, id, by.User, s.now(), e); err != nil {
		return sector.Viewer{}, "", err
	}
	secret, err := s.People.CreateLink(ctx, by, person.User, LinkLife)
	return person, secret, err
}

// Redeem uses a one-time link up. Somebody who could sign in before is being
// recovered: what others hold of the account's sessions ends.
func (s *Service) Redeem(ctx context.Context, secret string, c Client) (sector.Viewer, error) {
	budgets := []budget{{"links " + network(c.Address), 20, 10 * time.Second}}
	if err := s.throttle.check(budgets); err != nil {
		return sector.Viewer{}, err
	}
	v, err := s.People.Redeem(ctx, secret)
	if errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.NotFound) {
		s.throttle.failed(budgets)
		return v, errs.New(errs.Invalid, "signin.link_invalid").Because(err)
	}
	if err != nil {
		return v, err
	}
	m, err := s.Means(ctx, v.User)
	if err != nil || !m.Enough() {
		return v, err
	}
	_, err = s.Sessions.EndSessions(ctx, Ending{User: v.User}, s.now(), about(v, "session.revoke", v, detail("which", "all", "why", "recovery")))
	if err != nil {
		return v, err
	}
	return v, s.Sessions.Note(ctx, about(v, "recovery.use", v, ""))
}
