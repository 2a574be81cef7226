// Package pulse is the loop of the joint defence as one picture with live
// counts. A member sees its own share of every figure, the authority totals
// without members, the centre everything; the source decides that by the
// viewer.
package pulse

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Stage is a station of the loop.
type Stage string

// The stations, in the order in which a record and what it becomes pass them.
const (
	Members   Stage = "members"   // institutions that sent within the last hour
	Door      Stage = "door"      // records accepted
	Stream    Stage = "stream"    // records on disk, not yet worked on, are its waiting
	Normalise Stage = "normalise" // records made events
	Match     Stage = "match"     // events that held a known indicator
	Rules     Stage = "rules"     // rule findings
	Correlate Stage = "correlate" // findings across events and institutions
	Alerts    Stage = "alerts"    // alerts raised; waiting: not yet triaged
	Review    Stage = "review"    // drafts begun; waiting: not yet decided
	Gate      Stage = "gate"      // releases; waiting: for the second person
	Channels  Stage = "channels"  // deliveries; waiting: not yet delivered
	Answers   Stage = "answers"   // answers of members; waiting: answers due
)

// Stages lists the stations in the order of the loop.
func Stages() []Stage {
	return []Stage{Members, Door, Stream, Normalise, Match, Rules, Correlate, Alerts, Review, Gate, Channels, Answers}
}

// Condition is how a station is doing.
type Condition string

// The conditions.
const (
	Fine Condition = ""     // works
	Slow Condition = "slow" // works, and falls behind
	Down Condition = "down" // does not work
)

// Count is the figures of one station, as the viewer is shown them.
type Count struct {
	Total     sector.Figure // in the last hour
	Rate      sector.Rate   // now, over the last minute
	Waiting   sector.Figure // what stands in front of it
	Condition Condition
}

// Minutes is how many minutes a snapshot has.
const Minutes = 60

// Series are figures minute by minute, [Minutes] of each. Of those that are
// withheld none is shown.
type Series struct {
	Accepted, Matched, Alerts, Released, Answers []sector.Figure
}

// Snapshot is the loop at a moment, as one viewer may see it.
type Snapshot struct {
	At     time.Time
	Counts map[Stage]Count
	Times  []time.Time // begins of minutes, [Minutes] of them, the oldest first; the last is under way
	Series Series
	// ToAlert is the 99th percentile of the time from accepted to alert, and
	// ToMember of that from release to being readable by a member, both over
	// the last hour; zero when not known.
	ToAlert, ToMember time.Duration
}

// Source has the figures. Snapshot is called once a second for each group of
// viewers who see the same; it must answer within that second from what it
// already counts.
type Source interface {
	Snapshot(ctx context.Context, v sector.Viewer) (Snapshot, error)
}

// Way leads from a station to the page that works on it.
type Way struct {
	Stage Stage
	Href  string
	Need  sector.Permission // who may go there
}

// audience names the group of viewers who see the same snapshot as v.
func audience(v sector.Viewer) string {
	if v.Org == sector.MemberOrg {
		return "member:" + string(v.Member)
	}
	return string(v.Org)
}
