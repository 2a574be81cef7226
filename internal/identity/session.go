package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// How long sessions last.
const (
	SessionLife = 12 * time.Hour // whatever its use: a shift
	IdleLife    = 2 * time.Hour  // without a request
	ProofLife   = 5 * time.Minute
)

// touchEvery is how exactly "last seen" is kept.
const touchEvery = time.Minute

// maxBrowser bounds what is kept of a User-Agent, in bytes.
const maxBrowser = 256

// Standing is a session as of now.
type Standing struct {
	Session Session
	Viewer  sector.Viewer
	// Fresh: the person has proved who it is within ProofLife, or, where
	// one-time links enter, has nothing to prove it with.
	Fresh bool
}

// Start begins a session. Somebody who has proved less than Means.Enough gets
// one that only sets up what is missing.
func (s *Service) Start(ctx context.Context, v sector.Viewer, by Method, c Client) (Session, error) {
	now := s.now()
	session := Session{ID: newID(), User: v.User, Method: by, Browser: head(c.Browser, maxBrowser), Address: c.Address,
		Started: now, Seen: now, Setup: by == ByPassword || by == ByLink && !s.LinksEnter}
	if !session.Setup && by != ByLink {
		session.Proved = now
	}
	return session, s.Sessions.StartSession(ctx, session, about(v, "session.start", v, detail("method", by)))
}

// Resume is a session as of now; errs.Unauthenticated or errs.NotFound when
// it is over, or the person gone.
func (s *Service) Resume(ctx context.Context, id string) (Standing, error) {
	session, err := s.Sessions.Session(ctx, id)
	if err != nil {
		return Standing{}, err
	}
	now := s.now()
	if !session.Ended.IsZero() || now.Sub(session.Started) > SessionLife || now.Sub(session.Seen) > IdleLife {
		return Standing{}, errs.New(errs.Unauthenticated, "signin.session_over")
	}
	v, err := s.People.Refresh(ctx, session.User)
	if err != nil {
		return Standing{}, err
	}
	if now.Sub(session.Seen) > touchEvery {
		if err := s.Sessions.TouchSession(ctx, id, now); err != nil && !errs.Is(err, errs.Full) {
			return Standing{}, err
		}
	}
	st := Standing{Session: session, Viewer: v, Fresh: fresh(session.Proved, now)}
	if !st.Fresh && s.LinksEnter && session.Method == ByLink {
		m, err := s.Means(ctx, v.User)
		if err != nil {
			return Standing{}, err
		}
		st.Fresh = !m.Enough()
	}
	return st, nil
}

// fresh reports whether a proof is of the last minutes. One that lies ahead
// is none: the clock was set back, and nobody knows how old it is.
func fresh(proved, now time.Time) bool {
	age := now.Sub(proved)
	return age < ProofLife && age > -touchEvery
}

// Active lists a person's sessions, newest first.
func (s *Service) Active(ctx context.Context, user sector.UserID) ([]Session, error) {
	now := s.now()
	all, err := s.Sessions.Sessions(ctx, user, now.Add(-SessionLife))
	var live []Session
	for _, session := range all {
		if now.Sub(session.Seen) <= IdleLife {
			live = append(live, session)
		}
	}
	return live, err
}

// SignOut ends the person's own session.
func (s *Service) SignOut(ctx context.Context, v sector.Viewer, id string) error {
	_, err := s.Sessions.EndSessions(ctx, Ending{User: v.User, ID: id}, s.now(), about(v, "session.end", v, ""))
	return err
}

// Revoke ends sessions of the person: one, or all but one. It returns how
// many.
func (s *Service) Revoke(ctx context.Context, by sector.Viewer, which Ending) (int, error) {
	v, err := s.People.Refresh(ctx, which.User)
	if err != nil {
		return 0, err
	}
	scope := "one"
	if which.ID == "" {
		scope = "all"
	}
	return s.Sessions.EndSessions(ctx, which, s.now(), about(by, "session.revoke", v, detail("which", scope)))
}

// proved notes that the session's person has proved who it is.
func (s *Service) proved(ctx context.Context, v sector.Viewer, id string, by Method) error {
	return s.Sessions.ProveSession(ctx, id, s.now(), about(v, "session.prove", v, detail("method", by)))
}

func detail(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if key, ok := pairs[i].(string); ok {
			m[key] = pairs[i+1]
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	return string(raw)
}

func newID() string { return strings.ToLower(rand.Text()[:16]) }

func head(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
