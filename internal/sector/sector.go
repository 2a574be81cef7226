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

// MemberState says whether a member takes part.
type MemberState string

// The states of a member. Whoever does not take part is kept with all its
// history, but its people and keys are nobody and nothing is released to it.
const (
	TakesPart MemberState = ""
	Suspended MemberState = "suspended"
	Departed  MemberState = "departed"
)

// Name is the state in forms, keys and the API.
func (s MemberState) Name() string {
	if s == TakesPart {
		return "active"
	}
	return string(s)
}

// MemberStateNamed is the inverse of Name.
func MemberStateNamed(name string) MemberState {
	if name == TakesPart.Name() {
		return TakesPart
	}
	return MemberState(name)
}

// MemberStates lists every state.
func MemberStates() []MemberState { return []MemberState{TakesPart, Suspended, Departed} }

// GroupID names an ad-hoc sharing group.
type GroupID string

// Group is an ad-hoc sharing group as a release may be for it.
type Group struct {
	ID     GroupID
	Name   string // English
	NameZh string
}

// Member is a member institution.
type Member struct {
	ID        MemberID
	Name      string // English
	NameZh    string
	Sector    SubSector
	Mail      string // where warnings are mailed; empty: no mail
	State     MemberState
	Groups    []GroupID // the sharing groups it is in, sorted
	CreatedAt time.Time
}

// Viewer is how the gate sees the member: as nobody unless it takes part.
func (m Member) Viewer() Viewer {
	if m.State != TakesPart {
		return Viewer{}
	}
	return Viewer{Org: MemberOrg, Member: m.ID, Sector: m.Sector}
}

// Role decides what a person may do.
type Role string

// The roles. A person holds one or more, all of one organisation.
const (
	Administrator   Role = "administrator"        // centre: members, people, keys
	DutyManager     Role = "duty-manager"         // centre: what analysts may, and the second signature
	Analyst         Role = "analyst"              // centre: both analysts' work, for a small team
	IntelAnalyst    Role = "intelligence-analyst" // centre: drafts, releases of everyday markings
	SOCAnalyst      Role = "soc-analyst"          // centre: alerts
	IncidentHandler Role = "incident-handler"     // centre: incidents
	Assessor        Role = "assessor"             // centre: training and assessment

	MemberAdmin     Role = "member-administrator" // a member's people, keys and profile
	MemberStaff     Role = "member"               // a member's security staff
	IncidentLead    Role = "incident-lead"
	Executive       Role = "executive" // crisis decisions
	AssessmentOwner Role = "assessment-owner"
	Trainee         Role = "trainee"

	Supervisor  Role = "authority" // statistics, no member data
	PartnerDesk Role = "partner"
)

// Org is the kind of organisation a role belongs to; empty for no role.
func (r Role) Org() OrgKind {
	switch r {
	case Administrator, DutyManager, Analyst, IntelAnalyst, SOCAnalyst, IncidentHandler, Assessor:
		return Centre
	case MemberAdmin, MemberStaff, IncidentLead, Executive, AssessmentOwner, Trainee:
		return MemberOrg
	case Supervisor:
		return Authority
	case PartnerDesk:
		return Partner
	}
	return ""
}

// Roles lists every role in display order.
func Roles() []Role {
	return []Role{
		Administrator, DutyManager, Analyst, IntelAnalyst, SOCAnalyst, IncidentHandler, Assessor,
		MemberAdmin, MemberStaff, IncidentLead, Executive, AssessmentOwner, Trainee,
		Supervisor, PartnerDesk,
	}
}

// UserID names a person's account.
type UserID string

// User is a person with an account.
type User struct {
	ID           UserID
	Email        string
	Roles        []Role   // one or more, all of one kind of organisation
	Member       MemberID // set for a member's people only
	PasswordHash string   // argon2id, PHC string; empty until enrolled
	CreatedAt    time.Time
	RemovedAt    time.Time // zero while the account may be used
}

// Org is the kind of organisation the person belongs to.
func (u User) Org() OrgKind {
	if len(u.Roles) == 0 {
		return ""
	}
	return u.Roles[0].Org()
}

// May reports whether the person holds the permission.
func (u User) May(p Permission) bool {
	return Viewer{User: u.ID, Roles: u.Roles}.May(p)
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

// Viewer is on whose behalf something is read or done. The zero Viewer is
// nobody and sees nothing that is not public.
type Viewer struct {
	Org    OrgKind
	Member MemberID  // for MemberOrg
	Sector SubSector // the member's sub-sector, for MemberOrg
	User   UserID    // empty for a machine
	Email  string    // of the person, for display
	Roles  []Role    // none for a machine
	Key    string    // the key's id, for a machine
	Scopes []Scope   // of the key, for a machine
	Token  string    // the id of the person's token, when one of its programs asks
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
