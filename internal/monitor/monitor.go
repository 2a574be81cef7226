// Package monitor is F-SOC, the second-line SOC: it takes in members'
// records, keeps them, matches them with indicators and rules, correlates
// across institutions, and raises alerts.
//
// The way of a record: [Door] checks and answers only after the batch is on
// disk in the [Stream]; the pipeline reads the stream in order and feeds two
// sinks, each with a cursor that it stores in the same transaction as its
// effects: the [History] and the [Detections]. A crash anywhere therefore
// repeats or loses nothing.
package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Batch is what one accepted request put into the stream: all of it or none; or
// a tick, by which the pipeline puts the time there.
type Batch struct {
	// ID is the hex of 16 bytes: a hash of the member and the request's
	// Idempotency-Key, or of the member and the body where none was given.
	ID       string
	Member   sector.MemberID
	Received time.Time
	// Lines are the accepted records, byte for byte as sent, without line
	// ends. At most [MaxBatchLines].
	Lines [][]byte
	// Numbers are the lines' 1-based numbers in the request, for RecordID.
	Numbers []int
}

// Tick reports whether the batch holds no records and only says what time it was:
// no member's, and without lines.
func (b *Batch) Tick() bool { return b.Member == "" && len(b.Lines) == 0 }

// MaxBatchLines bounds the records of a batch.
const MaxBatchLines = 1 << 14

// Errors a Stream reports.
var (
	// ErrStreamFull means nothing was stored for want of room.
	ErrStreamFull = errors.New("stream: no room")
	// ErrTrimmed means the asked position is no longer in the stream.
	ErrTrimmed = errors.New("stream: position was trimmed")
)

// Stream is the durable, ordered queue of batches.
type Stream interface {
	// Append returns after the batch is on disk (fsync). seq counts from 1
	// without reuse. dup is true when a batch with this ID was appended
	// within the stream's duplicate window; nothing was added then.
	// After an error the batch may or may not be stored; appending it again
	// with the same ID is safe. ErrStreamFull: nothing was stored.
	Append(ctx context.Context, b Batch) (seq uint64, dup bool, err error)
	// Read returns the batches after position `after`, in order, at least
	// one and at most max; it blocks until there is one or ctx is done.
	Read(ctx context.Context, after uint64, max int) ([]Positioned, error)
	// Trim forgets everything up to and including seq. Idempotent.
	Trim(ctx context.Context, seq uint64) error
	// State tells the first and last position held and the bytes on disk.
	State(ctx context.Context) (StreamState, error)
}

// Positioned is a batch with its place in the stream.
type Positioned struct {
	Seq uint64
	Batch
}

// StreamState describes a stream. First > Last means empty.
type StreamState struct {
	First, Last uint64
	Bytes       uint64
}

// Record is one record after normalisation.
type Record struct {
	// Number orders records: position in the stream << 16 | line in the
	// batch. It is the centre's own and is never shown to a member.
	Number int64
	// ID is "<batch id>-<line number in the request>", stable over retries.
	ID       string
	Member   sector.MemberID
	At       time.Time // event time; Received where the record has none or a wrong clock
	Received time.Time
	Clock    ClockState
	Source   event.Logsource
	Host     string
	Account  string
	SHA256   [32]byte // of Raw
	Raw      []byte
	// Observables are deduplicated, at most 256.
	Observables []event.Observable
}

// ClockState says how the record's own time was used.
type ClockState uint8

// The clock states.
const (
	ClockOwn     ClockState = iota // the record's own time
	ClockMissing                   // it had none since 1970; At is Received
	ClockAhead                     // more than 10 minutes in the future; At is Received
)

// Term is something looked for in history: one simple comparison of an
// indicator's pattern.
type Term struct {
	Kind  event.ObservableKind
	Value string // normalised; for a network "192.0.2.0/24"
	// Under means that sub-domains match as well (domains only).
	Under bool
}

// Hit is a record in which a term was found.
type Hit struct {
	Term   Term
	Record Record // without Raw and Observables
}

// Query selects records of the history, newest first.
type Query struct {
	From, To time.Time // event time, half open; both are set
	Member   sector.MemberID
	Product  string
	Category string
	Service  string
	Host     string
	Account  string
	// Observable selects records that mention this exact normalised value.
	Observable string
	// Text is looked for in the raw bytes, without regard to case.
	Text string
	// After is the last record of the previous page; zero for the first.
	After RecordKey
	Limit int // 1 to 500
}

// RecordKey is a place in the order of the history (newest first).
type RecordKey struct {
	At     time.Time
	Number int64
}

// Page is one answer to a Query.
type Page struct {
	Records []Record
	// More is true when there are records after the last one.
	More bool
	// Searched is set when the time budget ended the search: nothing older
	// than this was looked at. Go on from there.
	Searched time.Time
}

// Bucket is one bar of a histogram.
type Bucket struct {
	From  time.Time
	Count int64
}

// History keeps every record and finds it again. Every read takes the gate's
// filter: the centre sees all, a member its own, others nothing.
type History interface {
	// Append stores the records and the cursor in one transaction; durable
	// when it returns. Records at or before the stored cursor are the
	// caller's mistake and refused.
	Append(ctx context.Context, upTo uint64, records []Record) error
	// Cursor is the last stream position stored; 0 for none.
	Cursor(ctx context.Context) (uint64, error)
	// Search returns a page within the context's deadline: when that ends,
	// what was found so far with Searched set.
	Search(ctx context.Context, f sector.Filter, q Query) (Page, error)
	// Histogram counts the query's records in n equal steps of From–To.
	Histogram(ctx context.Context, f sector.Filter, q Query, n int) ([]Bucket, error)
	// Get returns one record with its bytes.
	Get(ctx context.Context, f sector.Filter, id string) (Record, error)
	// Find looks for terms between two event times (retro-hunt) and yields
	// at most max hits, oldest first.
	Find(ctx context.Context, terms []Term, from, to time.Time, max int) ([]Hit, error)
}

// Cause says what raised an alert.
type Cause string

// The causes.
const (
	CauseRule        Cause = "rule"        // a Sigma rule
	CauseCorrelation Cause = "correlation" // a Sigma correlation
	CauseIndicator   Cause = "indicator"   // a match with intelligence as records came in
	CauseRetroHunt   Cause = "retrohunt"   // the same, found in history after a release
)

// Severity follows Sigma's levels.
type Severity uint8

// The severities, in Sigma's words.
const (
	Informational Severity = iota
	Low
	Medium
	High
	Critical
)

// State is where an alert stands in triage.
type State string

// The states of an alert.
const (
	StateNew        State = "new"
	StateInProgress State = "in_progress"
	StateTruePos    State = "true_positive"
	StateFalsePos   State = "false_positive"
	StateClosed     State = "closed"
)

// Finding is what the pipeline derived from records and the store turns into
// an alert: findings with one Key are one alert.
type Finding struct {
	// Key identifies the alert: a hash over cause, rule or indicator, group
	// and episode. The same records give the same key, always.
	Key         string
	Cause       Cause
	RuleID      string // or the indicator's id
	RuleVersion string
	Title       string
	TitleZh     string
	Severity    Severity
	Group       []Pair // what the finding is about: host, destination, …
	Members     []sector.MemberID
	// Shares says what each of several members contributed; empty when there
	// is one member.
	Shares []Share
	First  time.Time // event times
	Last   time.Time
	// Total says that Count, First, Last and Shares are the whole of a growing
	// finding and not an addition to what is stored.
	Total bool
	// Count is how many records this finding adds; Records names at most
	// [MaxAlertRecords] of them.
	Count   int
	Records []RecordRef
	// Why explains the first record: each selection and the values. JSON, as
	// [Explained]. WhyMember is whose record it explains.
	Why       json.RawMessage
	WhyMember sector.MemberID
	// Restricted findings come from intelligence: beside the centre, only
	// those members may see them that hold one of Scopes (release scopes of
	// the advisory; none for a draft). Others only by members of theirs.
	Restricted bool
	Scopes     []string
}

// MaxAlertRecords bounds the records an alert names.
const MaxAlertRecords = 100

// Pair is a named value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Share is one member's part of a finding.
type Share struct {
	Member      sector.MemberID
	Count       int
	First, Last time.Time
}

// RecordRef names a record of an alert.
type RecordRef struct {
	ID     string
	Member sector.MemberID
	At     time.Time
	// Observables are kept with the alert, so that an advisory can be drafted
	// while the history is down; at most [MaxRefObservables].
	Observables []event.Observable
}

// MaxRefObservables bounds the observables kept per record of an alert.
const MaxRefObservables = 64

// SightingCount says how often an indicator was seen at a member in a span.
type SightingCount struct {
	Indicator   string // STIX id
	Value       string
	Member      sector.MemberID
	First, Last time.Time
	Count       int
}

// Commit is the effect of the records up to a stream position.
type Commit struct {
	UpTo      uint64
	At        time.Time // when; the time alerts are raised
	Findings  []Finding
	Sightings []SightingCount
	// Batches are those that were read. Their receipts are written where the
	// door died before it could.
	Batches []BatchMark
	// Withdrawn are keys of findings that late records showed to be part of
	// another, or not to hold: their alerts are closed.
	Withdrawn []string
	// Letters are records that the pipeline could not work on. They are in
	// the history as they came.
	Letters []DeadLetter
}

// BatchMark names a batch that is in the stream.
type BatchMark struct {
	ID       string
	Member   sector.MemberID
	Accepted int
	Received time.Time
}

// Detections is where the pipeline's results go. Apply stores findings (as
// new alerts or as growth of existing ones), sightings, the ledger entries of
// alerts that were raised, and the cursor in one transaction. A commit at or
// before the stored cursor changes nothing and returns no alerts, so that a
// commit that "failed" but was stored can be repeated.
type Detections interface {
	Apply(ctx context.Context, c Commit) (raised []Alert, err error)
	Cursor(ctx context.Context) (uint64, error)
	// Record stores what a hunt in history found, without moving the cursor.
	// Repeating it changes nothing: counts become the larger of the two.
	Record(ctx context.Context, at time.Time, findings []Finding, sightings []SightingCount) (raised []Alert, err error)
	// SaveState and LoadState keep the correlator's snapshot with the stream
	// position it stands for; nil and 0 when there is none.
	SaveState(ctx context.Context, upTo uint64, state []byte) error
	LoadState(ctx context.Context) (upTo uint64, state []byte, err error)
}

// Alert is one row to be triaged.
type Alert struct {
	Number   int64 // the centre's running number; not shown to members
	ID       string
	Finding  // Count and Records are totals here
	Raised   time.Time
	State    State
	Assignee sector.UserID
	Version  int // for optimistic locking: grows with every triage step
	Notes    []Note
	History  []Change
	Advisory string // the advisory drafted from it, if any
}

// Note is a comment on an alert.
type Note struct {
	At   time.Time
	By   sector.UserID
	Text string
}

// Change is one step in an alert's history.
type Change struct {
	At    time.Time
	Actor string
	What  string // "state", "assignee", "note", "advisory"; From and To are empty for a note
	From  string
	To    string
}

// AlertQuery selects alerts.
type AlertQuery struct {
	IDs         []string // of these alone; empty: of all
	States      []State
	MinSeverity Severity
	Cause       Cause
	Member      sector.MemberID
	Rule        string
	Text        string // in title and group values
	Sort        string // "raised" (default), "severity", "last", "count"; the largest first
	Ascending   bool   // the smallest first
	After       string // opaque key of the last row of the previous page
	Limit       int
}

// AlertPage is one page of alerts and the key that goes on.
type AlertPage struct {
	Alerts []Alert
	Next   string
}

// AlertStore serves triage. Every read takes the gate's filter; a member's
// view holds only what concerns it: of an alert over several members it sees
// its own records, and neither the others nor how many they are.
type AlertStore interface {
	Alerts(ctx context.Context, f sector.Filter, q AlertQuery) (AlertPage, error)
	Alert(ctx context.Context, f sector.Filter, id string) (Alert, error)
	// ChangeAlert applies a triage step if the alert still has the version.
	ChangeAlert(ctx context.Context, id string, version int, step Step, e ledger.Entry) (Alert, error)
	// AlertRecords returns the kept records of several alerts by alert id, for
	// the centre only.
	AlertRecords(ctx context.Context, f sector.Filter, ids []string) (map[string][]RecordRef, error)
	// CountAlerts counts open alerts by severity.
	CountAlerts(ctx context.Context, f sector.Filter) (map[Severity]int64, error)
}

// Step is one triage step; empty parts stay as they are.
type Step struct {
	State    State
	Assignee *sector.UserID
	Note     string
	Advisory string
	By       sector.UserID
	At       time.Time
}
