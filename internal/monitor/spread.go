package monitor

import (
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// lane is one member's line in the picture of how an alert spread: a mark for
// each record, by time. The table of records says the same in words.
type lane struct {
	Name  string
	Marks []int // from 0 to [laneWidth]
}

// laneWidth is the length of a lane in the picture's own units; laneEdge is
// left free at both ends so that no mark is cut.
const (
	laneWidth = 1000
	laneEdge  = 6
)

// lanes draws the records of an alert at several members, in the order in
// which they were reached; nothing when only one was.
func lanes(records []recordLine) []lane {
	if len(records) == 0 {
		return nil
	}
	first, last := records[0].At, records[0].At
	for _, r := range records {
		if r.At.Before(first) {
			first = r.At
		}
		if r.At.After(last) {
			last = r.At
		}
	}
	var list []lane
	at := map[sector.MemberID]int{}
	for _, r := range records {
		i, known := at[r.Member]
		if !known {
			i = len(list)
			at[r.Member] = i
			list = append(list, lane{Name: r.Name})
		}
		list[i].Marks = append(list[i].Marks, laneAt(r.At.Sub(first), last.Sub(first)))
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

// laneAt places a mark; when all happened at once it stands in the middle.
func laneAt(after, span time.Duration) int {
	if span <= 0 {
		return laneWidth / 2
	}
	return laneEdge + int(float64(laneWidth-2*laneEdge)*float64(after)/float64(span))
}
