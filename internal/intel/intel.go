// Package intel is F-ISAC: it turns alerts and submissions into reviewed
// advisories without the member's name, decides with the release gate who
// sees them, carries them through the channels (inbox, API, TAXII, mail), and
// takes the members' answers back.
package intel

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// AdvisoryID names an advisory; a random UUID, used in its STIX ids too.
type AdvisoryID string

// Category is an exchange category used between Taiwan's ISACs.
type Category string

// The categories.
const (
	ANA Category = "ANA" // 資安訊息情報: announcement
	EWA Category = "EWA" // 資安預警情報: early warning to named members, answer due
	INT Category = "INT" // 入侵事件情報: intrusion
	DEF Category = "DEF" // 網頁攻擊情報: defacement, phishing page
	FBI Category = "FBI" // 回饋情資: feedback on earlier intelligence
)

// State is where an advisory stands.
type State string

// The states of an advisory.
const (
	Draft     State = "draft"
	InReview  State = "in_review" // waits for the second person
	Released  State = "released"
	Withdrawn State = "withdrawn"
)

// Text is a text in both languages.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Indicator is one thing to look for, part of an advisory.
type Indicator struct {
	ID    string // STIX id "indicator--…", deterministic per advisory and value
	Kind  event.ObservableKind
	Value string // normalised; a network as a prefix
	Under bool   // sub-domains match too
}

// Advisory is one version of an advisory.
type Advisory struct {
	ID         AdvisoryID
	Version    int // grows with every saved change
	State      State
	Title      Text
	Body       Text
	Marking    sector.Marking
	Category   Category
	RSIT       string // Reference Security Incident Taxonomy, "malicious-code:c2-server"
	Audience   sector.Audience
	Indicators []Indicator
	// Alerts are what it was drafted from. They never leave the centre.
	Alerts    []string
	AnswerDue time.Time // when answers are due; zero: none asked
	Author    sector.UserID
	CreatedAt time.Time
	ChangedAt time.Time
}

// Released is what a recipient sees: a released version and the release, cut
// to the recipient. It has no alerts, no author and no audience.
type ReleasedAdvisory struct {
	ID         AdvisoryID
	Version    int
	Title      Text
	Body       Text
	Marking    sector.Marking
	Category   Category
	RSIT       string
	Indicators []Indicator
	AnswerDue  time.Time
	CreatedAt  time.Time // of the first release that this recipient saw
	// ReleasedAt is the time of the release for this recipient, distinct per
	// recipient's list: (ReleasedAt, ID) orders it.
	ReleasedAt  time.Time
	WithdrawnAt time.Time // zero while it stands
	OpenedAt    time.Time // by anybody of the member
	Answer      *Answer   // the member's own
}

// AnswerKind is what a member says to an advisory.
type AnswerKind string

// The answers. The last three are for EWA and take a reason.
const (
	NotAffected  AnswerKind = "not_affected"  // 未受影響
	Affected     AnswerKind = "affected"      // 受影響
	Blocked      AnswerKind = "blocked"       // 已阻擋
	FalseAlarm   AnswerKind = "false_alarm"   // 誤判
	TrueIncident AnswerKind = "true_incident" // 確實事件
	Undetermined AnswerKind = "undetermined"  // 無法判斷
)

// Answer is a member's answer; the last one counts, all are kept.
type Answer struct {
	Advisory AdvisoryID
	Member   sector.MemberID
	Kind     AnswerKind
	Reason   string
	By       string // Viewer.Actor of who answered
	At       time.Time
}

// Delivery is how far an advisory has come at one member. For the centre.
type Delivery struct {
	Member    sector.MemberID
	Delivered time.Time // in the inbox: the release's time
	Mailed    time.Time
	MailError string
	Opened    time.Time
	Answer    *Answer
}

// Totals are the numbers an authority sees of one advisory.
type Totals struct {
	Recipients, Opened, Answered int64
	ByAnswer                     map[AnswerKind]int64
}

// ReleasedQuery selects released advisories for one viewer, oldest release
// first when Ascending (TAXII), else newest first (inbox).
type ReleasedQuery struct {
	ID         AdvisoryID
	AddedAfter time.Time
	After      Place // last row of the previous page
	Ascending  bool
	Text       string
	Category   Category
	Unanswered bool
	Limit      int
}

// Place is a position in a recipient's list of releases.
type Place struct {
	At time.Time
	ID AdvisoryID
}

// DraftStore keeps advisories at the centre.
type DraftStore interface {
	// Save stores a new version if the stored one is a.Version-1.
	Save(ctx context.Context, a Advisory, e ledger.Entry) error
	Advisory(ctx context.Context, id AdvisoryID) (Advisory, error)
	Advisories(ctx context.Context, q AdvisoryQuery) ([]Advisory, error)
	Deliveries(ctx context.Context, id AdvisoryID) ([]Delivery, error)
}

// AdvisoryQuery selects advisories for the centre, newest change first.
type AdvisoryQuery struct {
	States []State
	Text   string
	After  AdvisoryID
	Limit  int
}

// ReleaseStore is the outward side: every read takes the gate's filter.
type ReleaseStore interface {
	// Release makes a version visible to the release's audience, together
	// with its jobs (mail, retro-hunt) and ledger entry in one transaction.
	// It sets the release's time and sequence: both grow strictly.
	Release(ctx context.Context, a Advisory, r sector.Release, work []jobs.Job, e ledger.Entry) (sector.Release, error)
	// Withdraw marks the advisory's releases as withdrawn at a new time and
	// sequence: recipients see that it was taken back.
	Withdraw(ctx context.Context, id AdvisoryID, version int, at time.Time, work []jobs.Job, e ledger.Entry) error
	Released(ctx context.Context, f sector.Filter, q ReleasedQuery) ([]ReleasedAdvisory, error)
	// Opened notes the first opening by a member.
	Opened(ctx context.Context, f sector.Filter, id AdvisoryID, at time.Time, e ledger.Entry) error
	// SaveAnswer stores an answer of a member that sees the advisory.
	SaveAnswer(ctx context.Context, f sector.Filter, a Answer, e ledger.Entry) error
	Totals(ctx context.Context, f sector.Filter, id AdvisoryID) (Totals, error)
}

// Members is what intel needs to know of the sector's members.
type Members interface {
	Members(ctx context.Context) ([]sector.Member, error)
}

// Evidence is what alerts offer to an advisory: observables of their records
// that are not internal, most frequent first. Never a member's name.
type Evidence struct {
	Alerts      []string
	Title       Text
	Severity    string
	Observables []ProposedIndicator
	// Members are whose records these are: for the centre's eyes, and to
	// check that their names are not in the text.
	Members []sector.MemberID
}

// ProposedIndicator is an observable that may become an indicator.
type ProposedIndicator struct {
	Kind    event.ObservableKind
	Value   string
	Records int
	Members int
	// Warning says why it may be a bad indicator ("popular", "shared
	// infrastructure"); empty for none. A catalogue key.
	Warning string
}

// EvidenceSource gives the evidence of alerts. The monitor does, in wire.
type EvidenceSource interface {
	Evidence(ctx context.Context, alerts []string) (Evidence, error)
	// Drafted tells the alerts that an advisory came of them.
	Drafted(ctx context.Context, v sector.Viewer, alerts []string, id AdvisoryID) error
}
