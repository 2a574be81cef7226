// Package intel is F-ISAC: it turns alerts and submissions into reviewed
// advisories without the member's name, decides with the release gate who
// sees them, carries them through the channels (inbox, API, TAXII, mail), and
// takes the members' answers back.
//
// # What a recipient sees over time
//
// An advisory is worked on in versions; a release makes one version visible
// to an audience and ends the release before it. For one viewer an advisory
// is therefore a list of spans: a release whose audience holds the viewer,
// from its time until it ended. When the release that followed does not hold
// the viewer (a narrowed audience), or the advisory was withdrawn, the viewer
// keeps the last version it was given, marked as withdrawn at the time the
// span ended. It learns nothing of what followed.
//
// STIX says that a revocation is for ever, so a withdrawn advisory that is
// released again starts a new lineage with new STIX ids, and within one
// lineage an audience that lost a recipient cannot take it in again.
package intel

import (
	"slices"
	"time"

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

// Categories lists every category in display order.
func Categories() []Category { return []Category{ANA, EWA, INT, DEF, FBI} }

// State is where an advisory stands.
type State string

// The states of an advisory.
const (
	Draft     State = "draft"
	InReview  State = "in_review" // waits for the second person
	Released  State = "released"
	Withdrawn State = "withdrawn" // taken back, or a draft given up
)

// States lists every state in display order.
func States() []State { return []State{Draft, InReview, Released, Withdrawn} }

// Text is a text in both languages.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Message is the part of an advisory that recipients see.
type Message struct {
	Title    Text           `json:"title"`
	Body     Text           `json:"body"`
	Marking  sector.Marking `json:"marking"`
	Category Category       `json:"category"`
	// RSIT is a Reference Security Incident Taxonomy class,
	// "malicious-code:c2-server"; empty for none.
	RSIT       string      `json:"rsit,omitempty"`
	Indicators []Indicator `json:"indicators,omitempty"`
	// AnswerDue is when answers are due; zero: none asked.
	AnswerDue time.Time `json:"answer_due,omitzero"`
}

// Advisory is one version of an advisory, as the centre sees it.
type Advisory struct {
	ID      AdvisoryID
	Version int // grows with every saved change
	State   State
	Message
	Audience sector.Audience
	// Alerts are what it was drafted from. They never leave the centre.
	Alerts []string
	// Author made the last change of the content.
	Author sector.UserID
	// SubmittedBy put it to the second person; empty unless InReview.
	SubmittedBy sector.UserID
	CreatedAt   time.Time
	ChangedAt   time.Time
	// Lineage is the UUID its STIX ids are derived from: the advisory's own
	// until it is withdrawn, then a new one.
	Lineage string
	// Standing is the version that recipients see now; 0 for none. It may be
	// older than Version while a correction is being written.
	Standing    int
	ReleasedAt  time.Time // of the last release; zero for none
	WithdrawnAt time.Time // zero unless State is Withdrawn
}

// ReleasedAdvisory is what a recipient sees: a released version and the
// release, cut to the recipient. It has no alerts, no author, no audience and
// no number that grows with what others do.
type ReleasedAdvisory struct {
	ID AdvisoryID
	// Release names the release, for the program only; never shown.
	Release string
	Message
	CreatedAt time.Time // of the first release that this recipient saw
	// Revision counts the versions this recipient was given, from 1.
	Revision    int
	ReleasedAt  time.Time
	WithdrawnAt time.Time // zero while it stands
	OpenedAt    time.Time // by anybody of the member; zero if not yet
	Answer      *Answer   // the member's own; nil if none
}

// ChangedAt orders a recipient's list: when it was released, or, once
// withdrawn, when that was. No two entries of a list share it.
func (r ReleasedAdvisory) ChangedAt() time.Time {
	if !r.WithdrawnAt.IsZero() {
		return r.WithdrawnAt
	}
	return r.ReleasedAt
}

// Place is where the list goes on after r.
func (r ReleasedAdvisory) Place() Place { return Place{At: r.ChangedAt(), ID: r.ID} }

// AwaitsAnswer reports whether the member still owes an answer.
func (r ReleasedAdvisory) AwaitsAnswer() bool {
	return !r.AnswerDue.IsZero() && r.Answer == nil && r.WithdrawnAt.IsZero()
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

// AnswerKinds lists every answer in display order.
func AnswerKinds() []AnswerKind {
	return []AnswerKind{NotAffected, Affected, Blocked, FalseAlarm, TrueIncident, Undetermined}
}

// AnswersTo lists the answers a category takes, in display order.
func AnswersTo(c Category) []AnswerKind {
	if c == EWA {
		return AnswerKinds()
	}
	return AnswerKinds()[:3]
}

// NeedsReason reports whether the answer must say why.
func (k AnswerKind) NeedsReason() bool {
	return slices.Contains([]AnswerKind{FalseAlarm, TrueIncident, Undetermined}, k)
}

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

// Totals are the numbers of one advisory over its present recipients.
type Totals struct {
	Recipients, Opened, Answered int64
	ByAnswer                     map[AnswerKind]int64
}

// Plus adds recipients that gave one answer ("" for none).
func (t Totals) Plus(kind AnswerKind, recipients, opened int64) Totals {
	if t.ByAnswer == nil {
		t.ByAnswer = map[AnswerKind]int64{}
	}
	t.Recipients += recipients
	t.Opened += opened
	if kind != "" {
		t.ByAnswer[kind] += recipients
		t.Answered += recipients
	}
	return t
}

// In is the text in a language, "zh-Hant" or "en".
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.En
	}
	return t.Zh
}
