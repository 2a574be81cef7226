// Package sector knows who takes part in the joint defence (members, people,
// roles, keys), how things are marked (TLP, PAP), and who may see what: the
// release gate. Everything outward asks it; it asks nobody.
package sector

import (
	"context"
	"time"
)

// OrgKind says on which side of the exchange somebody stands.
type OrgKind string

// The kinds of organisation.
const (
	Centre    OrgKind = "centre"    // 中心: the operating body
	MemberOrg OrgKind = "member"    // 會員機構: the tenant boundary
	Authority OrgKind = "authority" // 主管機關: the supervisor
	Partner   OrgKind = "partner"
)

// SubSector is a part of the financial sector.
type SubSector string

// The four sub-sectors.
const (
	Banking        SubSector = "banking"
	Insurance      SubSector = "insurance"
	Securities     SubSector = "securities"
	Infrastructure SubSector = "infrastructure"
)

// SubSectors lists every sub-sector in display order.
func SubSectors() []SubSector {
	return []SubSector{Banking, Insurance, Securities, Infrastructure}
}

// MemberID names a member institution: 2 to 32 of a-z, 0-9 and '-'.
type MemberID string

// Member is a member institution.
type Member struct {
	ID        MemberID
	Name      string // English
	NameZh    string
	Sector    SubSector
	Mail      string // where warnings are mailed; empty: no mail
	CreatedAt time.Time
}

// Role decides what a person may do.
type Role string

// The roles of this stage; the portal issue splits them further.
const (
	Administrator Role = "administrator" // centre: members, people, keys
	Analyst       Role = "analyst"       // centre: alerts, drafts, releases of everyday markings
	DutyManager   Role = "duty-manager"  // centre: what an analyst may, and the second signature
	MemberStaff   Role = "member"        // a member's security staff
	Supervisor    Role = "authority"     // statistics, no member data
)

// Org is the kind of organisation a role belongs to.
func (r Role) Org() OrgKind {
	switch r {
	case Administrator, Analyst, DutyManager:
		return Centre
	case MemberStaff:
		return MemberOrg
	case Supervisor:
		return Authority
	}
	return ""
}

// Roles lists every role in display order.
func Roles() []Role {
	return []Role{Administrator, DutyManager, Analyst, MemberStaff, Supervisor}
}

// UserID names a person's account.
type UserID string

// User is a person with an account.
type User struct {
	ID           UserID
	Email        string
	Role         Role
	Member       MemberID // set for MemberStaff only
	PasswordHash string   // argon2id, PHC string; empty until enrolled
	CreatedAt    time.Time
}

// Scope is what a machine key may be used for.
type Scope string

// The scopes of this stage.
const (
	ScopeRecords    Scope = "records"    // send records
	ScopeTAXII      Scope = "taxii"      // read TAXII collections
	ScopeAdvisories Scope = "advisories" // read /api/v1/advisories and answer
	ScopeEvents     Scope = "events"     // look up own events
)

// Scopes lists every scope.
func Scopes() []Scope {
	return []Scope{ScopeRecords, ScopeTAXII, ScopeAdvisories, ScopeEvents}
}

// Key is a machine's access for one member. The secret itself is shown once
// and kept only as a hash.
type Key struct {
	ID        string
	Member    MemberID
	Scopes    []Scope
	CreatedAt time.Time
	RevokedAt time.Time // zero while valid
	LastUsed  time.Time // zero until used; to the minute
}

// Viewer is on whose behalf something is read or done. The zero Viewer is
// nobody and sees nothing that is not public.
type Viewer struct {
	Org    OrgKind
	Member MemberID  // for MemberOrg
	Sector SubSector // the member's sub-sector, for MemberOrg
	User   UserID    // empty for a machine
	Email  string    // of the person, for display
	Role   Role      // empty for a machine
	Key    string    // the key's id, for a machine
	Scopes []Scope   // of the key, for a machine
}

// Actor is how the viewer is written into the ledger.
func (v Viewer) Actor() string {
	switch {
	case v.User != "":
		return "user:" + string(v.User)
	case v.Key != "":
		return "key:" + v.Key
	case v.Org == Centre:
		return "system"
	}
	return "nobody"
}

// System is the program itself acting for the centre (jobs, workers).
func System() Viewer { return Viewer{Org: Centre} }

// May reports whether the viewer is a person whose role is one of roles.
func (v Viewer) May(roles ...Role) bool {
	for _, r := range roles {
		if v.Role == r {
			return true
		}
	}
	return false
}

type viewerKey struct{}

// WithViewer returns a context that carries the viewer.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom is the viewer of the request; nobody if none was set.
func ViewerFrom(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}
