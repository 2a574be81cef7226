package sector

import "slices"

// Permission is something that somebody may be allowed to do: noun.verb.
// Writing is not deleting, and reading evidence is not reading cases: each is
// a permission of its own.
type Permission string

// Permissions that are not in the table because nobody has to hold them.
const (
	Public   Permission = "public"    // anybody, signed in or not
	SignedIn Permission = "signed-in" // every person with a session
)

// The permissions.
const (
	ReadPulse          Permission = "pulse.read"
	ReadFigures        Permission = "figures.read"
	ReadAlerts         Permission = "alert.read"
	TriageAlerts       Permission = "alert.triage"
	ReadEvents         Permission = "event.read"
	SendRecords        Permission = "record.send"
	ReadRejected       Permission = "rejected.read"
	SendRejected       Permission = "rejected.resend"
	DropRejected       Permission = "rejected.drop"
	ReadDrafts         Permission = "draft.read"
	WriteDrafts        Permission = "draft.write"
	ReleaseAdvisories  Permission = "advisory.release"
	ApproveReleases    Permission = "advisory.approve" // the second person's signature
	WithdrawAdvisories Permission = "advisory.withdraw"
	ReadAdvisories     Permission = "advisory.read" // what was released to the viewer
	ReadInbox          Permission = "inbox.read"
	AnswerWarnings     Permission = "inbox.answer"
	ReadTAXII          Permission = "taxii.read"
	ReadMembers        Permission = "member.read"
	WriteMembers       Permission = "member.write"
	ReadAccounts       Permission = "account.read"   // of everybody
	InviteAccounts     Permission = "account.invite" // into any organisation
	ReadPeople         Permission = "person.read"    // of one's own organisation
	InvitePeople       Permission = "person.invite"
	RemovePeople       Permission = "person.remove"
	WriteProviders     Permission = "provider.write" // members' own providers of sign-in
	ReadKeys           Permission = "key.read"
	CreateKeys         Permission = "key.create"
	RevokeKeys         Permission = "key.revoke"
	BindCertificates   Permission = "key.certificate"
	ReadProfile        Permission = "profile.read" // of one's own organisation
	WriteProfile       Permission = "profile.write"
	ReadGroups         Permission = "group.read"
	WriteGroups        Permission = "group.write"
	JoinGroups         Permission = "group.join" // say yes for one's own organisation
	ReadHealth         Permission = "health.read"
	ReadLedger         Permission = "ledger.read"
	ReadOwnLedger      Permission = "ledger.own"
	SearchAll          Permission = "search"
	FollowChanges      Permission = "changes.read"
	WriteMailbox       Permission = "mailbox.write" // how a member's own address is told
	ReadHooks          Permission = "webhook.read"
	WriteHooks         Permission = "webhook.write"
	DropHooks          Permission = "webhook.drop"
	ReadUndelivered    Permission = "undelivered.read" // of one's own organisation; the centre: of all
	RetryUndelivered   Permission = "undelivered.retry"
	DropUndelivered    Permission = "undelivered.drop"
	ReadCalls          Permission = "call.read" // whom the duty desk must telephone
	CloseCalls         Permission = "call.close"
)

// Grant is who holds a permission.
type Grant struct {
	Permission Permission
	Roles      []Role  // people
	Scopes     []Scope // machines
}

// Grants is the whole table: a line a permission. It is the only place that
// says who may do what; pages, API and guide read it.
func Grants() []Grant {
	var (
		soc      = []Role{Analyst, SOCAnalyst, DutyManager}
		isac     = []Role{Analyst, IntelAnalyst, DutyManager}
		desk     = []Role{Analyst, SOCAnalyst, IntelAnalyst, IncidentHandler, DutyManager}
		centre   = []Role{Administrator, DutyManager, Analyst, IntelAnalyst, SOCAnalyst, IncidentHandler, Assessor}
		defence  = []Role{MemberStaff, IncidentLead}
		member   = []Role{MemberAdmin, MemberStaff, IncidentLead, Executive, AssessmentOwner}
		watchers = []Role{Supervisor}
	)
	return []Grant{
		{ReadPulse, slices.Concat(centre, member, watchers), nil},
		{ReadFigures, watchers, nil},
		{ReadAlerts, slices.Concat(desk, defence), []Scope{ScopeEvents}},
		{TriageAlerts, soc, nil},
		{ReadEvents, slices.Concat([]Role{Analyst, SOCAnalyst, IncidentHandler, DutyManager}, defence), []Scope{ScopeEvents}},
		{SendRecords, nil, []Scope{ScopeRecords}},
		{ReadRejected, defence, []Scope{ScopeRecords}},
		{SendRejected, defence, []Scope{ScopeRecords}},
		{DropRejected, defence, []Scope{ScopeRecords}},
		{ReadDrafts, slices.Concat(desk, []Role{Administrator}), nil},
		{WriteDrafts, isac, nil},
		{ReleaseAdvisories, isac, nil},
		{ApproveReleases, isac, nil},
		{WithdrawAdvisories, isac, nil},
		{ReadAdvisories, slices.Concat(centre, member, watchers, []Role{PartnerDesk}), []Scope{ScopeAdvisories}},
		{ReadInbox, slices.Concat(member, []Role{PartnerDesk}), nil},
		{AnswerWarnings, defence, []Scope{ScopeAdvisories}},
		{ReadTAXII, nil, []Scope{ScopeTAXII}},
		{ReadMembers, centre, nil},
		{WriteMembers, []Role{Administrator}, nil},
		{ReadAccounts, []Role{Administrator}, nil},
		{InviteAccounts, []Role{Administrator}, nil},
		{ReadPeople, []Role{Administrator, MemberAdmin}, nil},
		{InvitePeople, []Role{Administrator, MemberAdmin}, nil},
		{RemovePeople, []Role{Administrator, MemberAdmin}, nil},
		{WriteProviders, []Role{Administrator}, nil},
		{ReadKeys, []Role{Administrator, MemberAdmin}, nil},
		{CreateKeys, []Role{Administrator, MemberAdmin}, nil},
		{RevokeKeys, []Role{Administrator, MemberAdmin}, nil},
		{BindCertificates, []Role{Administrator}, nil},
		{ReadProfile, member, nil},
		{WriteProfile, []Role{MemberAdmin}, nil},
		{ReadGroups, slices.Concat(centre, member), nil},
		{WriteGroups, []Role{Administrator, DutyManager, MemberAdmin}, nil},
		{JoinGroups, []Role{MemberAdmin}, nil},
		{ReadHealth, centre, nil},
		{ReadLedger, []Role{Administrator, DutyManager}, nil},
		{ReadOwnLedger, []Role{MemberAdmin}, nil},
		{FollowChanges, slices.Concat(centre, member, watchers, []Role{PartnerDesk}), []Scope{ScopeAdvisories, ScopeEvents}},
		{WriteMailbox, []Role{MemberAdmin}, nil},
		{ReadHooks, []Role{MemberAdmin}, nil},
		{WriteHooks, []Role{MemberAdmin}, nil},
		{DropHooks, []Role{MemberAdmin}, nil},
		{ReadUndelivered, []Role{Administrator, DutyManager, MemberAdmin}, nil},
		{RetryUndelivered, []Role{Administrator, DutyManager, MemberAdmin}, nil},
		{DropUndelivered, []Role{Administrator, MemberAdmin}, nil},
		{ReadCalls, desk, nil},
		{CloseCalls, []Role{DutyManager, IncidentHandler}, nil},
		{SearchAll, slices.Concat(centre, member, watchers, []Role{PartnerDesk, Trainee}), []Scope{ScopeAdvisories}},
	}
}

// grants is the table by permission, made once.
var grants = func() map[Permission]Grant { //nolint:gochecknoglobals // read only
	m := map[Permission]Grant{}
	for _, g := range Grants() {
		m[g.Permission] = g
	}
	return m
}()

// GrantOf is the permission's line of the table; nobody holds what has none.
func GrantOf(p Permission) Grant { return grants[p] }

// May reports whether the viewer holds the permission: a person by one of its
// roles, a machine by one of its key's scopes.
func (v Viewer) May(p Permission) bool {
	switch p {
	case Public:
		return true
	case SignedIn:
		return v.User != ""
	}
	g := grants[p]
	if v.Key != "" {
		return slices.ContainsFunc(g.Scopes, func(s Scope) bool { return slices.Contains(v.Scopes, s) })
	}
	return v.User != "" && slices.ContainsFunc(g.Roles, v.Is)
}

// Is reports whether the viewer is a person with the role.
func (v Viewer) Is(r Role) bool { return v.User != "" && slices.Contains(v.Roles, r) }
