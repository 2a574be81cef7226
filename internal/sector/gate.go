package sector

import (
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Audience is whom a release reaches: the union of its parts. The zero
// Audience reaches nobody.
type Audience struct {
	All       bool        `json:"all,omitempty"`       // every member
	Sectors   []SubSector `json:"sectors,omitempty"`   // every member of these sub-sectors
	Members   []MemberID  `json:"members,omitempty"`   // these members
	Groups    []GroupID   `json:"groups,omitempty"`    // who is in these groups at the release; see [Audience.Resolve]
	Authority bool        `json:"authority,omitempty"` // the supervisor
	Public    bool        `json:"public,omitempty"`    // anybody, and so everybody above
}

// The scope strings a release is stored under, one row each. A viewer sees a
// release when it holds one of the release's scopes.
const (
	scopePublic    = "public"
	scopeAll       = "members"
	scopeAuthority = "authority"
	scopeSector    = "sector:"
	scopeMember    = "member:"
	scopeGroup     = "group:" // of an audience that is not resolved; no viewer holds one
)

// ScopeKeys are the audience's scope strings, sorted, without duplicates.
func (a Audience) ScopeKeys() []string {
	var keys []string
	if a.Public {
		keys = append(keys, scopePublic)
	}
	if a.All {
		keys = append(keys, scopeAll)
	}
	if a.Authority {
		keys = append(keys, scopeAuthority)
	}
	for _, s := range a.Sectors {
		keys = append(keys, scopeSector+string(s))
	}
	for _, m := range a.Members {
		keys = append(keys, scopeMember+string(m))
	}
	for _, g := range a.Groups {
		keys = append(keys, scopeGroup+string(g))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Empty reports whether the audience reaches nobody.
func (a Audience) Empty() bool { return len(a.ScopeKeys()) == 0 }

// Resolve puts the members that are in the groups in the groups' place: a
// release to a group is for those who are in it at that moment (ADR 12). A
// group that nobody is in leaves nothing.
func (a Audience) Resolve(members []Member) Audience {
	if len(a.Groups) == 0 {
		return a
	}
	named := slices.Clone(a.Members)
	for _, m := range members {
		in := slices.ContainsFunc(m.Groups, func(g GroupID) bool { return slices.Contains(a.Groups, g) })
		if in && m.State == TakesPart {
			named = append(named, m.ID)
		}
	}
	slices.Sort(named)
	a.Members, a.Groups = slices.Compact(named), nil
	return a
}

// Reached are the members that an audience reaches: they take part, and the
// gate lets them see it.
func (g Gate) Reached(a Audience, members []Member) []Member {
	a = a.Resolve(members)
	var to []Member
	for _, m := range members {
		if m.State == TakesPart && g.For(m.Viewer()).Allows(a) {
			to = append(to, m)
		}
	}
	return to
}

// CheckAudience refuses an audience wider than the marking allows
// (TLP 2.0: RED is for named recipients; AMBER+STRICT and AMBER stay within
// the members; GREEN within the community; only CLEAR may be public).
func CheckAudience(m Marking, a Audience) error {
	m = m.OrDefault()
	switch {
	case a.Empty():
		return errs.New(errs.Invalid, "gate.audience_empty")
	case a.Public && m.TLP != TLPClear:
		return errs.New(errs.Invalid, "gate.public_needs_clear", m.TLP)
	case m.TLP == TLPRed && (a.All || len(a.Sectors) > 0 || len(a.Groups) > 0):
		return errs.New(errs.Invalid, "gate.red_needs_names")
	}
	return nil
}

// NeedsSecondPerson reports whether a release with this marking and exchange
// category must be approved by someone other than its author.
func NeedsSecondPerson(m Marking, category string) bool {
	t := m.OrDefault().TLP
	return category == "EWA" || t == TLPAmberStrict || t == TLPRed
}

// Release is the decision that an audience may see one version of an object.
type Release struct {
	ID         string
	Object     string // "advisory:…"
	Version    int
	Audience   Audience
	Marking    Marking
	At         time.Time
	Seq        int64 // order of releases; never shown to a recipient
	DecidedBy  UserID
	ApprovedBy UserID   // the second person, where one is needed
	Redacted   []string // what was left out, in words of the catalogue
	// WithdrawnAt is when the release was taken back; zero while it stands.
	// A withdrawn release stays visible as withdrawn to those who saw it.
	WithdrawnAt time.Time
}

// Filter restricts a read to what one viewer may see. Only [Gate.For] makes
// one; the zero Filter shows nothing. Stores turn it into SQL with All, Owner
// and ScopeKeys and must apply it to rows, counts and cursors alike.
type Filter struct {
	all    bool
	owner  MemberID
	scopes []string
}

// All reports whether the viewer sees everything (the centre's people and
// the program itself).
func (f Filter) All() bool { return f.all }

// Owner is the member whose own objects the viewer sees; empty for none.
func (f Filter) Owner() MemberID { return f.owner }

// ScopeKeys are the release scopes the viewer holds, sorted.
func (f Filter) ScopeKeys() []string { return slices.Clone(f.scopes) }

func (f Filter) matches(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(f.scopes, s) })
}

// Allows reports whether a release with this audience is visible, for checks
// outside a store (previews, tests, live pushes).
func (f Filter) Allows(a Audience) bool { return f.all || f.matches(a.ScopeKeys()) }

// Gate is the release gate, the only maker of filters. It is stateless: what
// was released is in the store, next to what it releases, so that one query
// answers both.
type Gate struct{}

// For is the filter for a viewer.
func (Gate) For(v Viewer) Filter { return gateFilter(v) }

func gateFilter(v Viewer) Filter {
	switch v.Org {
	case Centre:
		return Filter{all: true}
	case MemberOrg:
		if v.Member == "" {
			return Filter{scopes: []string{scopePublic}}
		}
		scopes := []string{scopePublic, scopeAll, scopeMember + string(v.Member)}
		if v.Sector != "" {
			scopes = append(scopes, scopeSector+string(v.Sector))
		}
		slices.Sort(scopes)
		return Filter{owner: v.Member, scopes: scopes}
	case Authority:
		return Filter{scopes: []string{scopeAuthority, scopePublic}}
	}
	return Filter{scopes: []string{scopePublic}}
}

// ParseAudience reads the scope strings back, for stores.
func ParseAudience(keys []string) Audience {
	var a Audience
	for _, k := range keys {
		switch {
		case k == scopePublic:
			a.Public = true
		case k == scopeAll:
			a.All = true
		case k == scopeAuthority:
			a.Authority = true
		case strings.HasPrefix(k, scopeSector):
			a.Sectors = append(a.Sectors, SubSector(k[len(scopeSector):]))
		case strings.HasPrefix(k, scopeMember):
			a.Members = append(a.Members, MemberID(k[len(scopeMember):]))
		case strings.HasPrefix(k, scopeGroup):
			a.Groups = append(a.Groups, GroupID(k[len(scopeGroup):]))
		}
	}
	return a
}
