// Package notify tells people what happened: on the page, by mail, and to
// machines by webhook; at once, in a digest, or not at all, as they chose.
//
// A domain posts an [Event] as a job of its own transaction, so that a
// release never waits for a mail server and never loses a mail. The job plans
// who is told how, folds bursts into summaries, and stores notices and
// messages; each message is a job again. What a message says is read when it
// is sent, through the release gate, for its recipient: what was withdrawn
// meanwhile is not mailed as valid.
//
// A message that cannot be delivered is tried again for a day and then lies
// among the dead letters, where the centre sees all and a member its own.
package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Topic is what an event is about. Its names are notify.topic.<topic>.
type Topic string

// The topics.
const (
	WarningUrgent  Topic = "warning_urgent"  // EWA: an answer is due
	WarningOther   Topic = "warning"         // every other category
	Withdrawn      Topic = "withdrawn"       // a warning was taken back
	AnswerOverdue  Topic = "answer_overdue"  // the member owes an answer
	AlertMine      Topic = "alert"           // an alert at the member
	Request        Topic = "request"         // somebody asks to join a group, or the sector
	KeyExpiring    Topic = "key_expiring"    // a machine's key runs out
	KeyMade        Topic = "key_made"        // a machine's key was made or renewed
	Security       Topic = "security"        // of one's own account
	ApprovalNeeded Topic = "approval"        // centre: a release waits for the second person
	DeliveryFails  Topic = "delivery"        // centre: something cannot be delivered
	SourceHealth   Topic = "source"          // centre: a source or an engine is ill
	Unopened       Topic = "urgent_unopened" // centre: nobody of a member opened an EWA
	digest         Topic = "digest"          // the folding's own: a day's collection
)

// Mode is how somebody is told. The page shows everything in each mode.
type Mode string

// The modes.
const (
	Now    Mode = "now"    // mail at once
	Digest Mode = "digest" // mail once a day
	Off    Mode = "off"    // no mail
)

// Modes lists the modes in display order.
func Modes() []Mode { return []Mode{Now, Digest, Off} }

// Rules are how a topic is told.
type Rules struct {
	Topic  Topic
	Icon   string
	Urgent bool // escalates when nobody opens it
	// Mailbox is how a member's own address is told by default; empty: never.
	Mailbox Mode
	// Fixed: nobody may choose less than at once.
	Fixed bool
	// Now and Digest are the roles that are told so by default; Off are those
	// that see it on the page and may choose mail. Other roles never see it.
	Now, Digest, Off []sector.Role
	// Hook: members' machines may be told.
	Hook bool
	// Window and Burst fold: no window of time has more than Burst mails;
	// what is beyond comes as one summary.
	Window time.Duration
	Burst  int
}

// Table is every topic with its rules, in display order: the only place that
// says who is told what.
func Table() []Rules {
	var (
		defence  = []sector.Role{sector.MemberStaff, sector.IncidentLead}
		heads    = []sector.Role{sector.MemberAdmin, sector.Executive}
		admins   = []sector.Role{sector.MemberAdmin}
		isac     = []sector.Role{sector.Analyst, sector.IntelAnalyst, sector.DutyManager}
		watch    = []sector.Role{sector.DutyManager}
		keepers  = []sector.Role{sector.Administrator}
		everyone = sector.Roles()
	)
	return []Rules{
		{Topic: WarningUrgent, Icon: "shield-alert", Urgent: true, Mailbox: Now, Fixed: true, Now: defence, Off: heads, Hook: true, Window: 5 * time.Minute, Burst: 3},
		{Topic: WarningOther, Icon: "megaphone", Mailbox: Now, Digest: defence, Off: heads, Hook: true, Window: 15 * time.Minute, Burst: 1},
		{Topic: Withdrawn, Icon: "undo-2", Mailbox: Now, Fixed: true, Digest: defence, Off: heads, Hook: true, Window: 5 * time.Minute, Burst: 3},
		{Topic: AnswerOverdue, Icon: "calendar-clock", Mailbox: Now, Now: defence, Digest: heads, Hook: true, Window: 15 * time.Minute, Burst: 1},
		{Topic: AlertMine, Icon: "bell", Mailbox: Off, Digest: defence, Off: admins, Hook: true, Window: 15 * time.Minute, Burst: 1},
		{Topic: Request, Icon: "user-plus", Now: slices.Concat(keepers, admins), Window: 15 * time.Minute, Burst: 1},
		{Topic: KeyExpiring, Icon: "key-round", Mailbox: Digest, Now: admins, Digest: everyone, Window: time.Hour, Burst: 1},
		{Topic: KeyMade, Icon: "key-round", Now: admins, Window: 15 * time.Minute, Burst: 1},
		{Topic: Security, Icon: "lock", Mailbox: Now, Fixed: true, Now: everyone, Window: 15 * time.Minute, Burst: 3},
		{Topic: ApprovalNeeded, Icon: "list-checks", Now: isac, Window: 15 * time.Minute, Burst: 1},
		{Topic: DeliveryFails, Icon: "mail", Now: keepers, Digest: watch, Window: time.Hour, Burst: 1},
		{Topic: SourceHealth, Icon: "heart-pulse", Now: keepers, Digest: watch, Window: time.Hour, Burst: 1},
		{Topic: Unopened, Icon: "triangle-alert", Fixed: true, Now: watch, Window: 5 * time.Minute, Burst: 1},
	}
}

// RulesOf are the rules of a topic.
func RulesOf(t Topic) (Rules, bool) {
	for _, r := range Table() {
		if r.Topic == t {
			return r, true
		}
	}
	return Rules{}, false
}

// Default is how a person with the roles is told; false: never.
func (r Rules) Default(roles []sector.Role) (Mode, bool) {
	has := func(some []sector.Role) bool {
		return slices.ContainsFunc(some, func(one sector.Role) bool { return slices.Contains(roles, one) })
	}
	switch {
	case has(r.Now):
		return Now, true
	case has(r.Digest):
		return Digest, true
	case has(r.Off):
		return Off, true
	}
	return "", false
}

// Audience is whom an event concerns: members through the gate, the centre's
// people by role, and single people. The zero Audience is nobody.
type Audience struct {
	Members sector.Audience `json:"members,omitzero"`
	Roles   []sector.Role   `json:"roles,omitempty"`
	Users   []sector.UserID `json:"users,omitempty"`
}

// Event is something that happened. Its ID makes it one event however often
// it is posted.
type Event struct {
	ID    string `json:"id"`
	Topic Topic  `json:"topic"`
	// Object is what it is about, "advisory:…", and Ref which version or
	// release of it.
	Object   string   `json:"object,omitempty"`
	Ref      string   `json:"ref,omitempty"`
	Audience Audience `json:"audience"`
	// Key is the catalogue key of a line that says what happened; empty:
	// notify.line.<topic>. Args fill it; all of the audience see them.
	Key  string    `json:"key,omitempty"`
	Args []string  `json:"args,omitempty"`
	At   time.Time `json:"at"`
}

// LineKey is the catalogue key of the event's words.
func (e Event) LineKey() string {
	if e.Key != "" {
		return e.Key
	}
	return "notify.line." + string(e.Topic)
}

// Kind is the kind of the event's object: "advisory".
func (e Event) Kind() string {
	kind, _, _ := strings.Cut(e.Object, ":")
	return kind
}

// ObjectID is the object's id without its kind.
func (e Event) ObjectID() string {
	_, id, _ := strings.Cut(e.Object, ":")
	return id
}

// Text is a text in both languages.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// In is the text in a language, "zh-Hant" or "en".
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.En
	}
	return t.Zh
}

// Recipient is who a message goes to: "user:ID", a member's own address
// "member:ID", a contact's address "address:MAIL", or "hook:ID".
type Recipient string

// UserRecipient is a person.
func UserRecipient(id sector.UserID) Recipient { return Recipient("user:" + string(id)) }

// MemberRecipient is a member's own address.
func MemberRecipient(id sector.MemberID) Recipient { return Recipient("member:" + string(id)) }

// AddressRecipient is a contact without an account.
func AddressRecipient(mail string) Recipient { return Recipient("address:" + mail) }

// HookRecipient is a member's machine.
func HookRecipient(id string) Recipient { return Recipient("hook:" + id) }

// Split is the recipient's kind and id.
func (r Recipient) Split() (kind, id string) {
	kind, id, _ = strings.Cut(string(r), ":")
	return kind, id
}

// Notice is a line on somebody's page.
type Notice struct {
	ID     string
	User   sector.UserID
	Member sector.MemberID // whom the user belonged to then; empty for the centre
	Event  Event
	At     time.Time
	ReadAt time.Time // zero until read
}

// MessageState is where a message stands.
type MessageState string

// The states of a message.
const (
	Waiting MessageState = "waiting" // until it is due
	Sending MessageState = "sending"
	Sent    MessageState = "sent"
	Void    MessageState = "void" // nothing (more) to tell
	Dead    MessageState = "dead" // given up; somebody must look
	Dropped MessageState = "dropped"
)

// Message is one mail or one call of a webhook, about one or more events.
type Message struct {
	ID        string
	Recipient Recipient
	Member    sector.MemberID // whom the recipient belongs to; empty for the centre
	Topic     Topic           // digest for a day's collection
	State     MessageState
	Due       time.Time
	Attempts  int
	// FirstAt is when it was tried first; zero until then.
	FirstAt   time.Time
	Reason    string // a catalogue key that says why it failed; empty for none
	Detail    string // the other side's own words; for the centre
	CreatedAt time.Time
	DoneAt    time.Time
	Events    []Event
}
