// Package home is what a person sees first: a member what it owes, what was
// seen at it and where it stands; the centre its duty queue; the authority the
// sector's figures; everybody else where to go. It counts nothing itself: a
// [Source] does, for one viewer at a time.
package home

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Source has what the homes show, as the viewer may see it. Every answer is
// bounded, whatever the store holds.
type Source interface {
	Member(ctx context.Context, v sector.Viewer) (Member, error)
	Centre(ctx context.Context, v sector.Viewer) (Centre, error)
	Sector(ctx context.Context, v sector.Viewer) (Sector, error)
}

// Store counts for the homes. Every read takes the gate's filter.
type Store interface {
	// Owed lists the first of what a member is to answer, soonest first, and
	// how much there is in all.
	Owed(ctx context.Context, f sector.Filter, limit int) ([]Owed, Capped, error)
	// Standing is a member's own: letters waiting, last record, and what it was
	// asked between two times.
	Standing(ctx context.Context, f sector.Filter, from, to time.Time) (Standing, error)
	// Queue is the new alerts by severity, worst first, each with its oldest.
	Queue(ctx context.Context, f sector.Filter, limit int) ([]Queued, error)
	// Overdue is who owes answers whose time is over, those who owe most first.
	Overdue(ctx context.Context, f sector.Filter, now time.Time, limit int) ([]Overdue, Capped, error)
	// LastRecords is when each member's last accepted record came, for members
	// who ever sent one.
	LastRecords(ctx context.Context, f sector.Filter) (map[sector.MemberID]time.Time, error)
	// Delivered sums up what was delivered since a time.
	Delivered(ctx context.Context, f sector.Filter, since time.Time) (Delivered, error)
}

// MostCounted is where counting stops.
const MostCounted = 1000

// Capped is a count that stops at [MostCounted].
type Capped int

// More reports whether there is more than was counted.
func (c Capped) More() bool { return c > MostCounted }

// Number is what was counted.
func (c Capped) Number() int { return min(int(c), MostCounted) }

// Text is a text in both languages.
type Text struct{ Zh, En string }

// In is the text in a language, "zh-Hant" or "en", or in the other where there
// is none.
func (t Text) In(lang string) string {
	if lang == "en" && t.En != "" || t.Zh == "" {
		return t.En
	}
	return t.Zh
}

// Owed is a warning that waits for the member's answer.
type Owed struct {
	ID    string
	Title Text
	TLP   sector.TLP
	Due   time.Time
}

// Seen is an alert as a home shows it.
type Seen struct {
	ID       string
	Title    Text
	Severity string // Sigma's word
	State    string
	Raised   time.Time
}

// SeverityCount is how many alerts of a severity wait.
type SeverityCount struct {
	Severity string
	N        int64
}

// Standing is how a member's side of the loop is doing.
type Standing struct {
	LastRecord time.Time // zero: none ever came
	Letters    Capped    // lines that were not accepted and wait
	Asked      int       // answers that were due between the two times
	InTime     int       // of these, given in time
}

// Keys is a member's machine access.
type Keys struct {
	Valid    int
	LastUsed time.Time // zero: never
}

// Member is a member's home.
type Member struct {
	Owed     []Owed
	OwedAll  Capped
	Seen     []Seen // newest first
	Open     []SeverityCount
	Standing Standing
	Keys     Keys
	// Confirmed is when the profile was last confirmed and Stale whether that
	// is too long ago; nil while nobody keeps profiles.
	Confirmed *Confirmed
}

// Confirmed is how fresh a member's profile is.
type Confirmed struct {
	At    time.Time
	Stale bool
}

// Queued is the new alerts of one severity.
type Queued struct {
	Severity string
	N        Capped
	Oldest   []Seen // oldest first, the first few
}

// Draft waits for the second person.
type Draft struct {
	ID      string
	Title   Text
	By      string // who submitted it
	Since   time.Time
	ForYou  bool // the viewer may decide
	Marking sector.Marking
}

// Overdue is what a member owes.
type Overdue struct {
	Member sector.Member
	N      int
	Oldest time.Time // when the oldest was due
}

// Senders is how the members' records arrive.
type Senders struct {
	Sending int // sent within the hour
	Silent  []Silent
	More    int // silent members that are not listed
}

// Silent is a member that used to send.
type Silent struct {
	Member sector.Member
	Last   time.Time
}

// Engine is a part of the program.
type Engine struct {
	Name string // health key: relational, stream, history, detector
	Well bool
}

// Pulse is the loop in a few figures.
type Pulse struct {
	Records, Alerts, Releases, Answers sector.Figure // in the last hour
	ToAlert                            time.Duration // 99th percentile; 0: not known
}

// Centre is the centre's home. Parts that the viewer may not work on are
// empty.
type Centre struct {
	Pulse      Pulse
	Queue      []Queued
	Drafts     []Draft
	DraftsMore bool
	Overdue    []Overdue
	OverdueAll Capped
	Senders    Senders
	Engines    []Engine
}

// Delivered is what was delivered to members, and what became of it.
type Delivered struct {
	Warnings, Deliveries, Opened int64
	InTime, Late                 int64 // first answers
}

// Sector is the authority's home: figures that the gate made.
type Sector struct {
	Days     int // what the figures below span
	Members  sector.Figure
	BySector []sector.Figure // as [sector.SubSectors] lists them
	Warnings sector.Figure
	Answers  sector.Funnel // by answer: in time, late
	Open     sector.Figure // alerts
	BySev    []SeverityFigure
	Records  sector.Figure // in the last hour
}

// SeverityFigure is a figure of one severity.
type SeverityFigure struct {
	Severity string
	N        sector.Figure
}
