package sector

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/password"
)

// MemberStore keeps member institutions.
type MemberStore interface {
	// CreateMember fails with errs.Conflict when the ID is taken.
	CreateMember(ctx context.Context, m Member, e ledger.Entry) error
	Member(ctx context.Context, id MemberID) (Member, error)
	Members(ctx context.Context) ([]Member, error)
	// SetMemberState fails with errs.Conflict when the member is in it already.
	SetMemberState(ctx context.Context, id MemberID, s MemberState, e ledger.Entry) error
}

// UserStore keeps people's accounts and one-time links.
type UserStore interface {
	// CreateUser fails with errs.Conflict when the address is taken.
	CreateUser(ctx context.Context, u User, e ledger.Entry) error
	User(ctx context.Context, id UserID) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
	Users(ctx context.Context) ([]User, error)
	// CreateLink stores a link and enqueues the work that it causes.
	CreateLink(ctx context.Context, hash string, user UserID, expires time.Time, work []jobs.Job, e ledger.Entry) error
	// RedeemLink marks the link used and returns its user; errs.NotFound
	// when it is unknown, used or expired at now.
	RedeemLink(ctx context.Context, hash string, now time.Time, e ledger.Entry) (User, error)
}

// Breaches knows passwords that others know.
type Breaches interface {
	Holds(password string) (bool, error)
}

// Directory is the service over members, people and keys.
type Directory struct {
	*Machines
	members  MemberStore
	users    UserStore
	now      func() time.Time
	hasher   *password.Hasher
	breached Breaches // nil: none are known
}

// NewDirectory returns a directory over its stores.
func NewDirectory(m MemberStore, u UserStore, k KeyStore, now func() time.Time) *Directory {
	return &Directory{Machines: newMachines(m, k, now), members: m, users: u, now: now, hasher: password.NewHasher(2)}
}

// Refusing makes the directory refuse first passwords that others know. It is
// called before the directory is used.
func (d *Directory) Refusing(known Breaches) { d.breached = known }

// checkPassword refuses a first password that is weak, or known to others.
func (d *Directory) checkPassword(first, email string, m MemberID) error {
	if err := password.Check(first, email, string(m)); err != nil || d.breached == nil {
		return err
	}
	known, err := d.breached.Holds(first)
	if err == nil && known {
		return errs.New(errs.Invalid, "password.breached")
	}
	return err
}

var memberIDForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,31}$`)

// CreateMember adds a member institution.
func (d *Directory) CreateMember(ctx context.Context, by Viewer, m Member) (Member, error) {
	switch {
	case !memberIDForm.MatchString(string(m.ID)):
		return Member{}, errs.New(errs.Invalid, "sector.member_id_form", m.ID)
	case strings.TrimSpace(m.Name) == "" || strings.TrimSpace(m.NameZh) == "":
		return Member{}, errs.New(errs.Invalid, "sector.member_name_missing")
	case !slices.Contains(SubSectors(), m.Sector):
		return Member{}, errs.New(errs.Invalid, "sector.unknown_sector", m.Sector)
	}
	if m.Mail != "" {
		if _, err := MailAddress(m.Mail); err != nil {
			return Member{}, err
		}
	}
	if err := d.checkNames(ctx, &m); err != nil {
		return Member{}, err
	}
	m.CreatedAt = d.now().UTC()
	e := entry(by, "member.create", "member:"+string(m.ID), m.ID, map[string]string{"sector": string(m.Sector)})
	return m, d.members.CreateMember(ctx, m, e)
}

// maxName bounds the name of a member in characters.
const maxName = 100

// checkNames brings the names into their one form and refuses those that
// people would take for another member's.
func (d *Directory) checkNames(ctx context.Context, m *Member) error {
	var err1, err2 error
	m.Name, err1 = Line(m.Name, maxName)
	m.NameZh, err2 = Line(m.NameZh, maxName)
	if err := cmp.Or(err1, err2); err != nil {
		return err
	}
	all, err := d.members.Members(ctx)
	for _, x := range all {
		if x.ID != m.ID && (Folded(x.Name) == Folded(m.Name) || Folded(x.NameZh) == Folded(m.NameZh)) {
			return errs.New(errs.Conflict, "sector.member_name_taken", x.ID)
		}
	}
	return err
}

// Member returns one member; errs.NotFound if there is none.
func (d *Directory) Member(ctx context.Context, id MemberID) (Member, error) {
	return d.members.Member(ctx, id)
}

// Members returns every member, by sub-sector and ID.
func (d *Directory) Members(ctx context.Context) ([]Member, error) { return d.members.Members(ctx) }

// SetMemberState stores whether a member takes part. Its people and keys are
// nobody, or somebody again, from this moment.
func (d *Directory) SetMemberState(ctx context.Context, id MemberID, s MemberState, e ledger.Entry) error {
	defer d.known.forget()
	return d.members.SetMemberState(ctx, id, s, e)
}

// CreateUser adds a person with a first password, to which the person adds a
// second factor when signing in. An empty one leaves the account waiting for
// a one-time link.
func (d *Directory) CreateUser(ctx context.Context, by Viewer, u User, first string) (User, error) {
	email, err := MailAddress(u.Email)
	if err != nil {
		return User{}, err
	}
	if err := d.checkRoles(ctx, u); err != nil {
		return User{}, err
	}
	u.ID, u.Email, u.CreatedAt = UserID(newID()), email, d.now().UTC()
	if first != "" {
		if err := d.checkPassword(first, email, u.Member); err != nil {
			return User{}, err
		}
		if u.PasswordHash, err = d.hasher.Hash(ctx, first); err != nil {
			return User{}, err
		}
	}
	e := entry(by, "user.create", "user:"+string(u.ID), u.Member, map[string][]Role{"roles": u.Roles})
	return u, d.users.CreateUser(ctx, u, e)
}

func (d *Directory) checkRoles(ctx context.Context, u User) error {
	if len(u.Roles) == 0 {
		return errs.New(errs.Invalid, "sector.roles_missing")
	}
	for _, r := range u.Roles {
		switch {
		case r.Org() == "":
			return errs.New(errs.Invalid, "sector.unknown_role", r, strings.Join(Names(Roles()), ", "))
		case r.Org() != u.Roles[0].Org():
			return errs.New(errs.Invalid, "sector.roles_mixed", u.Roles[0], r)
		}
	}
	if (u.Org() == MemberOrg) != (u.Member != "") {
		return errs.New(errs.Invalid, "sector.role_and_member")
	}
	if u.Member != "" {
		_, err := d.members.Member(ctx, u.Member)
		return err
	}
	return nil
}

// Names are roles or scopes as plain text.
func Names[T ~string](names []T) []string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return texts
}

// Users returns every account, without password hashes.
func (d *Directory) Users(ctx context.Context) ([]User, error) {
	users, err := d.users.Users(ctx)
	for i := range users {
		users[i].PasswordHash = ""
	}
	return users, err
}

// CreateLink returns the secret of a one-time sign-in link.
func (d *Directory) CreateLink(ctx context.Context, by Viewer, id UserID, valid time.Duration) (string, error) {
	var shown string
	err := d.SendLink(ctx, by, id, valid, func(secret string) ([]jobs.Job, error) {
		shown = secret
		return nil, nil
	})
	return shown, err
}

// SendLink is CreateLink for a link that nobody is shown: carry makes of its
// secret the work that brings it to the person, in the same transaction.
func (d *Directory) SendLink(ctx context.Context, by Viewer, id UserID, valid time.Duration, carry func(secret string) ([]jobs.Job, error)) error {
	u, err := d.users.User(ctx, id)
	if err != nil {
		return err
	}
	if !u.RemovedAt.IsZero() {
		return errs.New(errs.Conflict, "sector.user_removed")
	}
	secret := newSecret("")
	work, err := carry(secret)
	if err != nil {
		return err
	}
	e := entry(by, "link.create", "user:"+string(id), u.Member, nil)
	return d.users.CreateLink(ctx, HashSecret(secret), id, d.now().Add(valid), work, e)
}

// CreateLinkFor is CreateLink for whoever has the address.
func (d *Directory) CreateLinkFor(ctx context.Context, by Viewer, email string, valid time.Duration) (string, error) {
	u, err := d.Person(ctx, email)
	if err != nil {
		return "", err
	}
	return d.CreateLink(ctx, by, u.ID, valid)
}

// Redeem uses a one-time link and returns whom it signs in.
func (d *Directory) Redeem(ctx context.Context, secret string) (Viewer, error) {
	u, err := d.users.RedeemLink(ctx, HashSecret(secret), d.now(), ledger.Entry{Action: "link.redeem"})
	if errs.Is(err, errs.NotFound) {
		return Viewer{}, errs.New(errs.Unauthenticated, "signin.link_invalid")
	}
	if err != nil {
		return Viewer{}, err
	}
	return d.viewer(ctx, u)
}

// Person returns the account with the address in any spelling of it;
// errs.NotFound if there is none, errs.Invalid if it is no address.
func (d *Directory) Person(ctx context.Context, email string) (User, error) {
	email, err := MailAddress(email)
	if err != nil {
		return User{}, err
	}
	return d.users.UserByEmail(ctx, email)
}

// Refresh returns the viewer a person is now; roles and members change.
func (d *Directory) Refresh(ctx context.Context, id UserID) (Viewer, error) {
	u, err := d.users.User(ctx, id)
	if err != nil {
		return Viewer{}, err
	}
	return d.viewer(ctx, u)
}

// viewer is who an account is: nobody (errs.Unauthenticated) once it was
// removed, or while its member does not take part.
func (d *Directory) viewer(ctx context.Context, u User) (Viewer, error) {
	refused := errs.New(errs.Unauthenticated, "signin.refused")
	if !u.RemovedAt.IsZero() {
		return Viewer{}, refused
	}
	v := Viewer{Org: u.Org(), Member: u.Member, User: u.ID, Email: u.Email, Roles: u.Roles}
	if u.Member != "" {
		m, err := d.members.Member(ctx, u.Member)
		if err != nil {
			return Viewer{}, err
		}
		if m.State != TakesPart {
			return Viewer{}, refused
		}
		v.Sector = m.Sector
	}
	return v, nil
}

// HashSecret is how secrets of 128 bits and more are stored: a plain SHA-256,
// since nobody can guess them.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func newSecret(prefix string) string { return prefix + strings.ToLower(rand.Text()+rand.Text()) }

func newID() string { return strings.ToLower(rand.Text()[:16]) }

func entry(by Viewer, action, object string, about MemberID, detail any) ledger.Entry {
	e := ledger.Entry{Actor: by.Actor(), Action: action, Object: object, Member: string(about)}
	if raw, err := json.Marshal(detail); err == nil && detail != nil {
		e.Detail = string(raw)
	}
	return e
}
