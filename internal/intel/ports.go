package intel

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Place is a position in a recipient's list of releases.
type Place struct {
	At time.Time
	ID AdvisoryID
}

// ReleasedQuery selects released advisories for one viewer, oldest change
// first when Ascending, else newest first (inbox).
type ReleasedQuery struct {
	ID         AdvisoryID
	IDs        []AdvisoryID // of these alone; empty: of all
	AddedAfter time.Time
	After      Place // last row of the previous page
	Ascending  bool
	Text       string // in either title, without regard to case
	Category   Category
	Unanswered bool // stands, asks for an answer, has none of this member
	Limit      int  // 1 to MaxPage
}

// MaxPage bounds every list.
const MaxPage = 500

// AdvisoryQuery selects advisories for the centre, newest change first.
type AdvisoryQuery struct {
	States   []State
	Category Category
	Text     string
	After    Place // ChangedAt and ID of the last row of the previous page
	Limit    int
}

// DraftStore keeps advisories at the centre.
type DraftStore interface {
	// Save stores a new version if the stored one is a.Version-1 (none, for
	// version 1), with the jobs; otherwise the error's kind is Conflict.
	Save(ctx context.Context, a Advisory, e ledger.Entry, work ...jobs.Job) error
	Advisory(ctx context.Context, id AdvisoryID) (Advisory, error)
	Advisories(ctx context.Context, q AdvisoryQuery) ([]Advisory, error)
	// Deliveries lists the recipients of the last release, by member.
	Deliveries(ctx context.Context, id AdvisoryID) ([]Delivery, error)
	// Releases lists an advisory's releases, oldest first.
	Releases(ctx context.Context, id AdvisoryID) ([]PastRelease, error)
	// CountAdvisories counts those in each state, up to one more than
	// [MostCounted].
	CountAdvisories(ctx context.Context) (map[State]int64, error)
	// Content is what a version held; errs.NotFound when there is none.
	Content(ctx context.Context, id AdvisoryID, version int) (Content, error)
}

// PastRelease is a release with the lineage it belongs to.
type PastRelease struct {
	sector.Release
	Lineage string
	EndedAt time.Time // zero while it stands
}

// ReleaseStore is the outward side: every read takes the gate's filter.
type ReleaseStore interface {
	// Release stores a (as Save does) and makes it visible to the release's
	// audience, with the deliveries to members, the jobs and the ledger
	// entry, in one transaction. It gives the release its id, time and
	// sequence: both grow strictly over all releases and withdrawals, and
	// times keep [EventWindow] apart. The standing release ends.
	Release(ctx context.Context, a Advisory, r sector.Release, to []sector.MemberID, work func(sector.Release) []jobs.Job, e ledger.Entry) (sector.Release, error)
	// Withdraw stores a (as Save does) and ends the standing release at a
	// new time: recipients see that it was taken back.
	Withdraw(ctx context.Context, a Advisory, work func(sector.Release) []jobs.Job, e ledger.Entry) error
	Released(ctx context.Context, f sector.Filter, q ReleasedQuery) ([]ReleasedAdvisory, error)
	// Opened notes the first opening of the release by a member.
	Opened(ctx context.Context, f sector.Filter, id AdvisoryID, at time.Time, e ledger.Entry) error
	// SaveAnswer stores an answer of a member that sees the advisory.
	SaveAnswer(ctx context.Context, f sector.Filter, a Answer, e ledger.Entry) error
	// Totals counts over the recipients of the last release that the viewer
	// sees of each advisory; those it sees none of are not in the map.
	Totals(ctx context.Context, f sector.Filter, ids []AdvisoryID) (map[AdvisoryID]Totals, error)
}

// EventWindow is the least distance between the times of two releases or
// withdrawals. The objects of one event are dated one microsecond apart, so
// that a position in time is a position among objects.
const EventWindow = 16384 * time.Microsecond

// Occurrence is one thing that happened to a recipient's copy of an advisory:
// it got a version, or the last one was taken back.
type Occurrence struct {
	Release  string // id of the release whose message is given or taken back
	Advisory AdvisoryID
	Lineage  string
	Message  Message
	At       time.Time // distinct among a viewer's occurrences
	Revoked  bool
	// First is when the viewer was given the lineage's first version.
	First time.Time
	// Dropped are indicators of the version the viewer had before that are
	// not in this one.
	Dropped []Indicator
	// Replaced: a later occurrence of the lineage follows for the viewer.
	Replaced bool
}

// OccurrenceQuery selects occurrences in order of time.
type OccurrenceQuery struct {
	After   time.Time // exclusive
	Objects []string  // only of lineages that have one of these STIX ids; empty for all
	Limit   int
}

// OccurrenceStore is what TAXII reads.
type OccurrenceStore interface {
	Occurrences(ctx context.Context, f sector.Filter, q OccurrenceQuery) ([]Occurrence, error)
	// FirstSeen is, for each STIX id that the viewer was ever given, the time
	// of the occurrence that first had it.
	FirstSeen(ctx context.Context, f sector.Filter, ids []string) (map[string]time.Time, error)
}

// Mailing is the state of one member's mails about one release.
type Mailing struct {
	Sent   time.Time // the warning
	Recall time.Time // the notice that it was taken back
}

// MailStore remembers what was mailed.
type MailStore interface {
	Mailing(ctx context.Context, release string, m sector.MemberID) (Mailing, error)
	Mailed(ctx context.Context, release string, m sector.MemberID, recall bool, at time.Time, e ledger.Entry) error
	MailFailed(ctx context.Context, release string, m sector.MemberID, reason string) error
}

// Watched is one indicator to match records with, or that it no longer is.
type Watched struct {
	Indicator
	Advisory AdvisoryID
	Title    Text
	Released bool // false: only in a draft
	Removed  bool
	// Scopes are the release scopes that hold it: who may know that it was
	// seen. None while it is only in a draft.
	Scopes []string
}

// IndicatorSource feeds the monitor's matcher.
type IndicatorSource interface {
	// Watched returns what changed after the given version (0: everything
	// that is to be matched now) and the version that it leads to.
	Watched(ctx context.Context, since int64) ([]Watched, int64, error)
	// WatchedOf returns what is to be matched now of one advisory, released
	// or drafted, and a version of [IndicatorSource.Watched] that has it. An
	// advisory that is not there has nothing to match.
	WatchedOf(ctx context.Context, id AdvisoryID) ([]Watched, int64, error)
}

// Members is what intel needs to know of the sector's members.
type Members interface {
	Members(ctx context.Context) ([]sector.Member, error)
}

// Groups is the sharing groups that a release may be for.
type Groups interface {
	Groups(ctx context.Context) ([]sector.Group, error)
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
	// Internal are the hosts, accounts and private addresses of the records.
	// They must not be in the text; at most MaxInternal, most frequent first.
	Internal []event.Observable
	// Of is what each alert is called and shows, in the order of Alerts.
	Of []AlertEvidence
}

// AlertEvidence is one of the alerts of an Evidence.
type AlertEvidence struct {
	ID     string
	Title  Text
	Values []string // of its observables
}

// MaxInternal bounds Evidence.Internal.
const MaxInternal = 2000

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

// Hunter looks for indicators in history (retro-hunt) and raises sightings
// and alerts for the members concerned. The monitor does, in wire. Hunting
// the same again changes nothing.
type Hunter interface {
	Hunt(ctx context.Context, id AdvisoryID, title Text, indicators []Indicator) error
}

// Sealer makes cursors that tell their holder nothing and cannot be forged.
type Sealer interface {
	Seal(plain []byte) string
	Open(sealed string) ([]byte, error)
}

// People names accounts, for the centre's pages.
type People interface {
	Users(ctx context.Context) ([]sector.User, error)
}
