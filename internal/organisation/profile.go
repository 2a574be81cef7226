package organisation

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Duty is what a contact is asked for.
type Duty string

// The duties.
const (
	SecurityLead Duty = "security_lead"
	IncidentLead Duty = "incident_lead"
	Deputy       Duty = "deputy"
	ExecutiveOf  Duty = "executive"
	Desk         Duty = "desk" // answers at any hour
)

// Duties lists every duty in display order.
func Duties() []Duty { return []Duty{SecurityLead, IncidentLead, Deputy, ExecutiveOf, Desk} }

// Contact is who is asked for a duty.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Mail  string `json:"mail,omitempty"`
	Phone string `json:"phone,omitempty"`
	Round bool   `json:"round,omitempty"` // the number answers at any hour
}

// SizeClass is how large a member is.
type SizeClass string

// SizeClasses lists the classes, the empty one for "not said" first.
func SizeClasses() []SizeClass { return []SizeClass{"", "small", "medium", "large", "systemic"} }

// Profile is what a member says of itself. Lists are sorted and hold nothing
// twice.
type Profile struct {
	NameZh    string           `json:"name_zh,omitempty"` // as registered
	Name      string           `json:"name,omitempty"`
	Size      SizeClass        `json:"size,omitempty"`
	StockCode string           `json:"stock_code,omitempty"`
	BIC       string           `json:"bic,omitempty"` // ISO 9362
	Contacts  map[Duty]Contact `json:"contacts,omitempty"`
	Networks  []string         `json:"networks,omitempty"` // CIDR
	Domains   []string         `json:"domains,omitempty"`  // A-labels
	Brands    []string         `json:"brands,omitempty"`
	Products  []string         `json:"products,omitempty"` // CPE 2.3
	Suppliers []string         `json:"suppliers,omitempty"`
}

// Kept is a profile as it is kept.
type Kept struct {
	Member  sector.MemberID
	Version int // 0: nothing was ever saved
	Profile Profile
	By      string // [sector.Viewer.Actor] of who saved it
	At      time.Time
	// When the member last said that these are right, by saving them changed
	// or by confirming them as they are; zero for never.
	ContactsAt, NetworksAt time.Time
}

// Part is what has to be confirmed from time to time.
type Part string

// The parts.
const (
	Contacts Part = "contacts"
	Networks Part = "networks" // and domains
)

// ConfirmEvery is how long a confirmation holds.
const ConfirmEvery = 90 * 24 * time.Hour

// Due is when a part is to be confirmed next: ConfirmEvery after it last was,
// or after the member joined.
func (k Kept) Due(p Part, joined time.Time) time.Time {
	at := k.ContactsAt
	if p == Networks {
		at = k.NetworksAt
	}
	if at.IsZero() {
		at = joined
	}
	return at.Add(ConfirmEvery)
}

// ProfileStore keeps profiles with every version that ever was.
type ProfileStore interface {
	// Profile is the newest version; one of version 0 when there is none.
	Profile(ctx context.Context, m sector.MemberID) (Kept, error)
	ProfileVersion(ctx context.Context, m sector.MemberID, version int) (Profile, error)
	// SaveProfile stores a version if the stored one is the one before it;
	// otherwise the error's kind is errs.Conflict.
	SaveProfile(ctx context.Context, k Kept, e ledger.Entry) error
	// ConfirmProfile notes the time if the stored version is this one;
	// otherwise the error's kind is errs.Conflict.
	ConfirmProfile(ctx context.Context, m sector.MemberID, version int, p Part, at time.Time, e ledger.Entry) error
	Profiles(ctx context.Context) ([]Kept, error)
}

// Profile is the viewer's own profile; before anything was saved, one that
// has the member's names.
func (s *Service) Profile(ctx context.Context, v sector.Viewer) (Kept, error) {
	id, err := ownMember(v, sector.ReadProfile)
	if err != nil {
		return Kept{}, err
	}
	return s.profile(ctx, id)
}

// ProfileOf is a member's profile, for the centre.
func (s *Service) ProfileOf(ctx context.Context, v sector.Viewer, id sector.MemberID) (Kept, error) {
	if err := need(v, sector.ReadMembers); err != nil {
		return Kept{}, err
	}
	return s.profile(ctx, id)
}

func (s *Service) profile(ctx context.Context, id sector.MemberID) (Kept, error) {
	k, err := s.Profiles.Profile(ctx, id)
	if err != nil || k.Version > 0 {
		return k, err
	}
	k.Profile, err = s.blank(ctx, id)
	return k, err
}

// blank is the profile before anything was saved.
func (s *Service) blank(ctx context.Context, id sector.MemberID) (Profile, error) {
	m, err := s.Members.Member(ctx, id)
	return Profile{NameZh: m.NameZh, Name: m.Name}, err
}

// saveAttempts is how often a save is merged anew when others save meanwhile.
const saveAttempts = 4

// SaveProfile saves what the viewer made of version base. What others changed
// meanwhile is merged field by field; where both changed the same field
// nothing is saved and the error is a [*CollisionError].
func (s *Service) SaveProfile(ctx context.Context, v sector.Viewer, base int, mine Profile) (Kept, error) {
	id, err := ownMember(v, sector.WriteProfile)
	if err != nil {
		return Kept{}, err
	}
	if mine, err = Check(mine); err != nil {
		return Kept{}, err
	}
	for attempt := 1; ; attempt++ {
		k, err := s.saveOnce(ctx, v, id, base, mine)
		if !errs.Is(err, errs.Conflict) || attempt == saveAttempts {
			return k, err
		}
	}
}

// ChangeProfile saves what change makes of version base, as SaveProfile does.
func (s *Service) ChangeProfile(ctx context.Context, v sector.Viewer, base int, change func(Profile) Profile) (Kept, error) {
	id, err := ownMember(v, sector.WriteProfile)
	if err != nil {
		return Kept{}, err
	}
	now, err := s.profile(ctx, id)
	if err != nil {
		return Kept{}, err
	}
	was, err := s.version(ctx, now, base)
	if err != nil {
		return Kept{}, err
	}
	return s.SaveProfile(ctx, v, base, change(was))
}

func (s *Service) saveOnce(ctx context.Context, v sector.Viewer, id sector.MemberID, base int, mine Profile) (Kept, error) {
	now, err := s.profile(ctx, id)
	if err != nil {
		return Kept{}, err
	}
	was, err := s.version(ctx, now, base)
	if err != nil {
		return Kept{}, err
	}
	merged, collisions := merge(was, mine, now.Profile)
	if len(collisions) > 0 {
		return Kept{}, &CollisionError{Version: now.Version, Fields: collisions, Merged: merged}
	}
	changed := changes(now.Profile, merged)
	if len(changed) == 0 && now.Version > 0 {
		return now, nil
	}
	next := now
	next.Version, next.Profile, next.By, next.At = now.Version+1, merged, v.Actor(), s.Now().UTC()
	for _, f := range changed {
		switch {
		case strings.HasPrefix(f, "contact_"):
			next.ContactsAt = next.At
		case f == "networks", f == "domains":
			next.NetworksAt = next.At
		}
	}
	e := entry(v, "profile.save", "profile:"+string(id), id, map[string]any{"version": next.Version, "fields": changed})
	return next, s.Profiles.SaveProfile(ctx, next, e)
}

// version is the profile that an edit began with.
func (s *Service) version(ctx context.Context, now Kept, base int) (Profile, error) {
	switch {
	case base == now.Version:
		return now.Profile, nil
	case base == 0:
		return s.blank(ctx, now.Member)
	case base < 0 || base > now.Version:
		return Profile{}, errs.New(errs.Invalid, "error.form")
	}
	return s.Profiles.ProfileVersion(ctx, now.Member, base)
}

// Confirm says that a part of the version is right as it is.
func (s *Service) Confirm(ctx context.Context, v sector.Viewer, version int, p Part) error {
	id, err := ownMember(v, sector.WriteProfile)
	if err != nil {
		return err
	}
	if p != Contacts && p != Networks || version < 1 {
		return errs.New(errs.Invalid, "organisation.confirm_what")
	}
	e := entry(v, "profile.confirm", "profile:"+string(id), id, map[string]any{"version": version, "part": p})
	return s.Profiles.ConfirmProfile(ctx, id, version, p, s.Now().UTC(), e)
}

// Standing is how a member's profile stands, for the centre.
type Standing struct {
	Member                 sector.Member
	Version                int
	ContactsDue            time.Time
	NetworksDue            time.Time
	ContactsLate, NetsLate bool
}

// Late reports whether something is overdue.
func (s Standing) Late() bool { return s.ContactsLate || s.NetsLate }

// Standings are all members that take part, those first whose confirmation is
// due first.
func (s *Service) Standings(ctx context.Context, v sector.Viewer) ([]Standing, error) {
	if err := need(v, sector.ReadMembers); err != nil {
		return nil, err
	}
	members, err := s.Members.Members(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := s.Profiles.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	byMember := map[sector.MemberID]Kept{}
	for _, k := range kept {
		byMember[k.Member] = k
	}
	var all []Standing
	for _, m := range members {
		if m.State == sector.TakesPart {
			all = append(all, s.standing(m, byMember[m.ID]))
		}
	}
	slices.SortFunc(all, func(a, b Standing) int {
		return cmp.Or(earlier(a.ContactsDue, a.NetworksDue).Compare(earlier(b.ContactsDue, b.NetworksDue)), cmp.Compare(a.Member.ID, b.Member.ID))
	})
	return all, nil
}

func (s *Service) standing(m sector.Member, k Kept) Standing {
	now := s.Now()
	st := Standing{Member: m, Version: k.Version, ContactsDue: k.Due(Contacts, m.CreatedAt), NetworksDue: k.Due(Networks, m.CreatedAt)}
	st.ContactsLate, st.NetsLate = st.ContactsDue.Before(now), st.NetworksDue.Before(now)
	return st
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// OwnStanding is the viewer's own.
func (s *Service) OwnStanding(ctx context.Context, v sector.Viewer) (Standing, error) {
	k, err := s.Profile(ctx, v)
	if err != nil {
		return Standing{}, err
	}
	m, err := s.Members.Member(ctx, v.Member)
	return s.standing(m, k), err
}
