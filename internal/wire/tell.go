package wire

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// The work behind entries whose audience has to be looked up.
const (
	jobAsked   = "tell.asked"   // a member asks to join a group
	jobClaimed = "tell.claimed" // a member has saved its profile
)

// aboutEntry is what that work needs.
type aboutEntry struct {
	Object string          `json:"object"`
	Member sector.MemberID `json:"member"`
}

// manyAttempts is from how many failed attempts of an hour on a person is told.
const manyAttempts = 10

// tell makes of the entry that explains a change what somebody must be told of
// it: the security of one's account, machines' keys, who asks to join.
func tell(e ledger.Entry) []jobs.Job {
	switch e.Action {
	case "credential.add":
		return security(e.Object, "notify.line.way_added")
	case "credential.change", "credential.remove", "subject.forget":
		return security(e.Object, "notify.line.way_changed")
	case "passkey.copied":
		return security(e.Object, "notify.line.passkey_copied")
	case "recovery.use":
		return security(e.Object, "notify.line.link_used")
	case "token.create":
		return security(e.Actor, "notify.line.token_made")
	case "session.refuse":
		return attempts(e)
	case "recovery.ask":
		return append(security(e.Object, "notify.line.recovery_asked"), post(notify.Event{
			ID: "recovery-" + rand.Text(), Topic: notify.Request, Object: "path:/admin/recovery", Key: "notify.line.recovery_waits",
			Audience: administrators(sector.MemberID(e.Member))}))
	case "key.create", "key.rotate":
		return []jobs.Job{post(notify.Event{ID: "key-made-" + rand.Text(), Topic: notify.KeyMade, Object: "path:/keys/" + after(e.Object),
			Audience: notify.Audience{Members: sector.Audience{Members: []sector.MemberID{sector.MemberID(e.Member)}}}})}
	case "group.ask":
		return []jobs.Job{jobs.New(jobAsked, aboutEntry{e.Object, sector.MemberID(e.Member)})}
	case "profile.save":
		return []jobs.Job{jobs.New(jobClaimed, aboutEntry{e.Object, sector.MemberID(e.Member)})}
	}
	return nil
}

func post(e notify.Event) jobs.Job { return notify.Job(e, time.Time{}) }

// after is what stands behind the kind of an object.
func after(object string) string {
	_, id, _ := strings.Cut(object, ":")
	return id
}

// administrators are who looks after a member's people, or the centre's; the
// centre's look after everybody's.
func administrators(m sector.MemberID) notify.Audience {
	all := notify.Audience{Roles: []sector.Role{sector.Administrator}}
	if m != "" {
		all.Members = sector.Audience{Members: []sector.MemberID{m}}
	}
	return all
}

// security tells the person whom "user:ID" names; nobody, where it names none.
func security(who, line string, args ...string) []jobs.Job {
	id, ok := strings.CutPrefix(who, "user:")
	if !ok {
		return nil
	}
	return []jobs.Job{post(notify.Event{ID: "security-" + rand.Text(), Topic: notify.Security, Object: "path:/account", Key: line, Args: args,
		Audience: notify.Audience{Users: []sector.UserID{sector.UserID(id)}}})}
}

// attempts tells a person once a day that somebody keeps failing to sign in as
// it: once a day, since a stranger decides how often it happens.
func attempts(e ledger.Entry) []jobs.Job {
	var d struct {
		Attempts int `json:"attempts"`
	}
	id, ok := strings.CutPrefix(e.Object, "user:")
	if err := json.Unmarshal([]byte(e.Detail), &d); !ok || err != nil || d.Attempts < manyAttempts {
		return nil
	}
	return []jobs.Job{jobs.New(jobAttempts, attemptsArgs{sector.UserID(id), d.Attempts})}
}

// jobAttempts is a job of its own: the day is the program's, not the entry's.
const jobAttempts = "tell.attempts"

type attemptsArgs struct {
	User     sector.UserID `json:"user"`
	Attempts int           `json:"attempts"`
}

// tellers are the handlers of the work that tell makes.
func (p *Program) tellers() map[string]jobs.Handler {
	return map[string]jobs.Handler{jobAsked: p.tellAsked, jobClaimed: p.tellClaimed, jobAttempts: p.tellAttempts}
}

func (p *Program) tellAttempts(ctx context.Context, raw json.RawMessage) error {
	var a attemptsArgs
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("%s: %w", jobAttempts, err)
	}
	day := p.opts.Now().UTC().Format(time.DateOnly)
	return p.notify.Post(ctx, notify.Event{ID: "attempts-" + string(a.User) + "-" + day, Topic: notify.Security, Object: "path:/account",
		Key: "notify.line.attempts", Args: []string{fmt.Sprint(a.Attempts)}, Audience: notify.Audience{Users: []sector.UserID{a.User}}})
}

// tellAsked tells whoever runs the group.
func (p *Program) tellAsked(ctx context.Context, raw json.RawMessage) error {
	var a aboutEntry
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("%s: %w", jobAsked, err)
	}
	id := sector.GroupID(after(a.Object))
	store := p.engines.db.Organisation()
	g, err := store.Group(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := store.Memberships(ctx, id, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(m organisation.Membership) bool { return m.Member == a.Member && m.Side == organisation.Asking })
	if i < 0 || !g.ClosedAt.IsZero() { // decided meanwhile
		return nil
	}
	to := notify.Audience{Roles: centreRoles(sector.WriteGroups)}
	if g.Owner != "" {
		to = notify.Audience{Members: sector.Audience{Members: []sector.MemberID{g.Owner}}}
	}
	return p.notify.Post(ctx, notify.Event{ID: fmt.Sprintf("asked-%s-%s-%d", id, a.Member, all[i].ChangedAt.UnixMicro()),
		Topic: notify.Request, Object: "path:/groups/" + string(id), Audience: to})
}

// centreRoles are the centre's roles with a permission.
func centreRoles(p sector.Permission) []sector.Role {
	return slices.DeleteFunc(slices.Clone(sector.GrantOf(p).Roles), func(r sector.Role) bool { return r.Org() != sector.Centre })
}

// tellClaimed tells the centre when a member claims a network or a domain that
// another claims too, once for each set of them, whoever of the two saved.
func (p *Program) tellClaimed(ctx context.Context, raw json.RawMessage) error {
	var a aboutEntry
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("%s: %w", jobClaimed, err)
	}
	kept, err := p.engines.db.Organisation().Profiles(ctx)
	if err != nil {
		return err
	}
	found := organisation.Overlapping(kept, a.Member)
	if len(found) == 0 {
		return nil
	}
	claims := make([]string, 0, len(found))
	for _, o := range found {
		both := []string{string(a.Member) + " " + o.Mine, string(o.Other) + " " + o.Theirs}
		slices.Sort(both)
		claims = append(claims, strings.Join(both, " "))
	}
	slices.Sort(claims)
	sum := sha256.Sum256([]byte(strings.Join(claims, "\n")))
	return p.notify.Post(ctx, notify.Event{ID: "claimed-" + hex.EncodeToString(sum[:8]), Topic: notify.Request,
		Object: "path:/admin/members/" + string(a.Member), Key: "notify.line.claimed", Args: []string{string(a.Member)},
		Audience: notify.Audience{Roles: []sector.Role{sector.Administrator}}})
}
