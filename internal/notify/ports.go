package notify

import (
	"context"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Letter is what a recipient is told about one event.
type Letter struct {
	Subject string
	Text    string // line ends of "\n"
	TLP     sector.TLP
	Title   Text // for machines; empty when the marking says that no content goes out
}

// Source knows what the events of one kind of object are about. It reads
// through the release gate for the viewer, at that moment.
type Source interface {
	// Letter is errs.NotFound when there is nothing (any more) to tell.
	// sealed: it will be encrypted, so that it may carry content that mail
	// otherwise may not.
	Letter(ctx context.Context, v sector.Viewer, e Event, sealed bool) (Letter, error)
	// Titles are a line about each of the events' objects that the viewer may
	// see, by object, in one query.
	Titles(ctx context.Context, v sector.Viewer, objects []string) (map[string]Text, error)
	// Concerned are those of the members that the event still concerns:
	// who has not opened it, who owes an answer.
	Concerned(ctx context.Context, e Event, members []sector.MemberID) ([]sector.MemberID, error)
	// Told and Failed note how the member's mail about the event went.
	Told(ctx context.Context, m sector.MemberID, e Event) error
	Failed(ctx context.Context, m sector.MemberID, e Event, reason string) error
}

// Mail is one mail to one recipient. Text has line ends of "\n".
type Mail struct {
	To string
	// ID names the mail: the same mail sent again has the same.
	ID      string
	Subject string
	Text    string
	// Sealed is an armoured OpenPGP message instead of the text (RFC 3156).
	Sealed []byte
}

// Mailer sends mail. An error means that it may be tried again.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Caller makes checked HTTP requests to others' machines.
type Caller interface {
	Do(r *http.Request) (outbound.Answer, error)
}

// Directory is who there is.
type Directory interface {
	Members(ctx context.Context) ([]sector.Member, error)
	Users(ctx context.Context) ([]sector.User, error)
	// Refresh is the viewer that a person is now; errs.NotFound when gone.
	Refresh(ctx context.Context, id sector.UserID) (sector.Viewer, error)
}

// Contact is whom to reach when nobody opens an urgent warning. User, where
// set, is preferred to Mail.
type Contact struct {
	Name  string
	User  sector.UserID
	Mail  string
	Phone string // reached around the clock; empty when not known
}

// Contacts are a member's deputies, in the order in which they are reached.
type Contacts interface {
	Deputies(ctx context.Context, m sector.MemberID) ([]Contact, error)
}

// Plan is what is stored of an event.
type Plan struct {
	Notices  []Notice
	Messages []Message       // new ones, without their events
	Items    map[string]bool // messages that the event is added to, new and old
	Folds    map[FoldKey]Fold
	Jobs     []jobs.Job
}

// EventStore keeps events, notices and messages. Every change is one
// transaction with its jobs and its ledger entry.
type EventStore interface {
	// Post stores an event and what plan makes of the recipients' folds, as
	// they are when nothing else changes them. It does nothing when the event
	// is there already.
	Post(ctx context.Context, e Event, keys []FoldKey, plan func(map[FoldKey]Fold) Plan, entry ledger.Entry) error
	// Claim takes a message up for sending when it is due, once; its fold
	// closes. false: it is not there, not due, or somebody else's.
	Claim(ctx context.Context, id string, now time.Time) (Message, bool, error)
	// Settle stores how the sending went; a state other than Sending.
	Settle(ctx context.Context, m Message, work []jobs.Job, entry ledger.Entry) error
	// Revive sets a dead message waiting again, and Drop gives it up; errs.
	// NotFound when the filter does not show it or it is not dead.
	Revive(ctx context.Context, f sector.Filter, id string, now time.Time, work []jobs.Job, entry ledger.Entry) error
	Drop(ctx context.Context, f sector.Filter, id string, now time.Time, entry ledger.Entry) error
	// Letters lists dead messages with their events, newest first.
	Letters(ctx context.Context, f sector.Filter, after Place, limit int) ([]Message, error)
	// Backlog counts messages that were tried in vain or are dead, and tells
	// since when the oldest waits.
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog is what has not been delivered.
type Backlog struct {
	Retrying, Dead int64
	Oldest         time.Time
}

// Place is a position in a list, newest first.
type Place struct {
	At time.Time
	ID string
}

// NoticeStore keeps what people see on their page.
type NoticeStore interface {
	Notices(ctx context.Context, f sector.Filter, u sector.UserID, q NoticeQuery) ([]Notice, error)
	Notice(ctx context.Context, f sector.Filter, u sector.UserID, id string) (Notice, error)
	Unread(ctx context.Context, f sector.Filter, u sector.UserID) (int64, error)
	// Read marks notices up to a time as read, or one by its ID. Reading is
	// no change that the ledger explains: only the reader sees it.
	Read(ctx context.Context, u sector.UserID, id string, upTo, now time.Time) error
}

// NoticeQuery selects notices, newest first.
type NoticeQuery struct {
	Unread bool
	Topic  Topic
	After  Place
	Limit  int
}

// Preferences are what somebody chose; topics that are not in Modes have
// their default.
type Preferences struct {
	Modes map[Topic]Mode
	Hour  int // of the digest, 0 to 23 in Taipei
}

// PublicKey is a recipient's OpenPGP key.
type PublicKey struct {
	Recipient   Recipient
	Fingerprint string
	Armored     string
	Expires     time.Time
	AddedAt     time.Time
}

// ChoiceStore keeps what people chose and their keys.
type ChoiceStore interface {
	Preferences(ctx context.Context, r Recipient) (Preferences, error)
	SetPreferences(ctx context.Context, r Recipient, p Preferences, entry ledger.Entry) error
	// Chosen is everybody's choice of a topic that is not their default, and
	// every hour that was chosen.
	Chosen(ctx context.Context, t Topic) (map[Recipient]Mode, map[Recipient]int, error)
	Key(ctx context.Context, r Recipient) (PublicKey, error) // errs.NotFound for none
	SetKey(ctx context.Context, k PublicKey, entry ledger.Entry) error
	DropKey(ctx context.Context, r Recipient, entry ledger.Entry) error
	// KeysUntil lists the keys that expire before a time.
	KeysUntil(ctx context.Context, at time.Time) ([]PublicKey, error)
}

// HookStore keeps members' webhooks.
type HookStore interface {
	Hooks(ctx context.Context, f sector.Filter) ([]Hook, error)
	HooksFor(ctx context.Context, t Topic) ([]Hook, error)
	Hook(ctx context.Context, f sector.Filter, id string) (Hook, error)
	// PutHook adds a hook or changes it.
	PutHook(ctx context.Context, h Hook, entry ledger.Entry) error
	DropHook(ctx context.Context, f sector.Filter, id string, entry ledger.Entry) error
}

// Escalation is an urgent event that nobody of a member has opened.
type Escalation struct {
	Event   Event
	Member  sector.MemberID
	Step    int // 1: deputies were told; 2: the centre's desk must call
	Name    string
	Phone   string
	At      time.Time // of the step
	DoneAt  time.Time
	DoneBy  string // Viewer.Actor; empty while open
	Outcome string // "opened", "called", "withdrawn"
}

// EscalationStore keeps escalations.
type EscalationStore interface {
	// Escalate stores the step of each escalation that is not done.
	Escalate(ctx context.Context, list []Escalation, work []jobs.Job, entry ledger.Entry) error
	// Escalations lists those that are not done, of an event, or of every
	// event at step 2.
	Escalations(ctx context.Context, event string) ([]Escalation, error)
	// Settle ends escalations of an event; errs.NotFound when none was open.
	EndEscalations(ctx context.Context, event string, members []sector.MemberID, now time.Time, by, outcome string, entry ledger.Entry) error
	Event(ctx context.Context, id string) (Event, error)
}

// Store is everything that is kept.
type Store interface {
	EventStore
	NoticeStore
	ChoiceStore
	HookStore
	EscalationStore
}
