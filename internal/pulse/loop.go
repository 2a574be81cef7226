package pulse

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// The picture is a closed track with twelve stations. It is drawn twice, lying
// for wide screens and standing for phones, and the stylesheet shows one.
// Lengths are in user units of the SVG, which are CSS pixels at full size.

// Station is one card on the track.
type Station struct {
	Stage   Stage
	X, Y    int // of the card's upper left corner
	Count   Count
	Href    string // empty: no way there
	Flow    int    // 0 to 6: how much leaves it, for the thickness of its segment
	Segment string // path from this station to the next
	Arrow   Arrow
}

// Rate is what passes a second; empty when nothing does, or when it is a
// number of institutions, which do not pass.
func (s Station) Rate() string {
	if s.Stage == Members || s.Count.Rate.PerSecond() < 0.05 {
		return ""
	}
	return perSecond(s.Count.Rate.PerSecond())
}

// Queue is what stands in front of it; empty for nothing.
func (s Station) Queue() string {
	if !s.Count.Waiting.Any() {
		return ""
	}
	return s.Count.Waiting.String()
}

// Right is where text at the card's right edge ends.
func (s Station) Right(l Loop) int { return l.CardW - 10 }

// Icon is the station's icon.
func (s Station) Icon() string {
	return map[Stage]string{
		Members: "building-2", Door: "plug", Stream: "layers", Normalise: "columns-2", Match: "crosshair",
		Rules: "scan-search", Correlate: "git-merge", Alerts: "bell", Review: "list-checks", Gate: "shield-check",
		Channels: "send", Answers: "message-square",
	}[s.Stage]
}

// Arrow is the mark in the middle of a segment.
type Arrow struct {
	X, Y  float64
	Angle int // degrees; 0 points right
}

// Loop is a laid-out picture.
type Loop struct {
	Name          string // "wide" or "tall"
	Width, Height int
	CardW, CardH  int
	Stations      []Station
	Track         string // the whole track, behind the cards
	Back          string // from the release gate back to matching
	Tip           string // its head
	BackX, BackY  int    // where its words stand
	Notes         []Note
	Figures       []Figure
}

// Note is a phase's name inside the ring.
type Note struct {
	Key    string
	X, Y   int
	Anchor string
}

// Figure is a number inside the ring; Part names it for live updates.
type Figure struct {
	Part  string // "rate", "to-alert", "to-member"
	Value string
	Key   string // catalogue key of its caption
	X, Y  int
}

// Below is where the caption stands.
func (f Figure) Below() int { return f.Y + 20 }

type place struct{ x, y, angle int } // the card's centre; the track's heading there

const (
	wideW, wideH = 1180, 424
	wideCardW    = 136
	wideCardH    = 76
	wideTop      = 42
	wideBottom   = 382
	wideRadius   = 170
	wideLeft     = 86
	wideRight    = wideW - wideLeft

	tallW, tallH = 360, 640
	tallCardW    = 148
	tallCardH    = 72
	tallStep     = 100
	tallTop      = 64
	tallLeft     = 78
	tallRight    = tallW - tallLeft
)

// wide is the lying picture: members at the left, detection along the top,
// warning along the bottom.
func wide() ([]place, Loop) {
	middle := (wideTop + wideBottom) / 2
	first, step := wideW/2-2*174, 174
	places := []place{{wideLeft, middle, -90}}
	for i := range 5 {
		places = append(places, place{first + i*step, wideTop, 0})
	}
	places = append(places, place{wideRight, middle, 90})
	for i := range 5 {
		places = append(places, place{first + (4-i)*step, wideBottom, 180})
	}
	return places, Loop{
		Name: "wide", Width: wideW, Height: wideH, CardW: wideCardW, CardH: wideCardH,
		Track: fmt.Sprintf("M%d %dH%dA%d %d 0 0 1 %d %dH%dA%d %d 0 0 1 %d %dZ",
			wideLeft+wideRadius, wideTop, wideRight-wideRadius, wideRadius, wideRadius, wideRight-wideRadius, wideBottom,
			wideLeft+wideRadius, wideRadius, wideRadius, wideLeft+wideRadius, wideTop),
		Back: fmt.Sprintf("M%d %dC%d %d %d %d %d %d", first+2*step, wideBottom-wideCardH/2,
			first+2*step, middle, first+3*step, middle, first+3*step, wideTop+wideCardH/2+6),
		Tip:   fmt.Sprintf("M%d %dl-5 8h10z", first+3*step, wideTop+wideCardH/2+2),
		BackX: first + 3*step - 14, BackY: wideTop + wideCardH/2 + 30,
		Notes: []Note{
			{"pulse.note.detect", first - wideCardW/2, wideTop + wideCardH/2 + 30, "start"},
			{"pulse.note.protect", first - wideCardW/2, wideBottom - wideCardH/2 - 18, "start"},
		},
		Figures: []Figure{
			{Part: "rate", Key: "pulse.figure.rate", X: first - wideCardW/2, Y: middle + 4},
			{Part: "to-alert", Key: "pulse.figure.to_alert", X: first + step - 40, Y: middle + 4},
			{Part: "to-member", Key: "pulse.figure.to_member", X: first + 3*step + 44, Y: middle + 4},
		},
	}
}

// tall is the standing picture: down the left, up the right.
func tall() ([]place, Loop) {
	var places []place
	for i := range 6 {
		places = append(places, place{tallLeft, tallTop + i*tallStep, 90})
	}
	for i := range 6 {
		places = append(places, place{tallRight, tallTop + (5-i)*tallStep, -90})
	}
	end := tallTop + 5*tallStep
	bend := (tallRight - tallLeft) / 2
	edge := 20 // how far the bends reach beyond the cards
	match, gate := tallTop+4*tallStep, tallTop+2*tallStep
	return places, Loop{
		Name: "tall", Width: tallW, Height: tallH, CardW: tallCardW, CardH: tallCardH,
		Track: fmt.Sprintf("M%d %dV%dQ%d %d %d %dT%d %dV%dQ%d %d %d %dT%d %dZ",
			tallLeft, tallTop, end, tallLeft, end+tallCardH/2+edge, tallLeft+bend, end+tallCardH/2+edge, tallRight, end,
			tallTop, tallRight, tallTop-tallCardH/2-edge, tallLeft+bend, tallTop-tallCardH/2-edge, tallLeft, tallTop),
		Back: fmt.Sprintf("M%d %dC%d %d %d %d %d %d", tallRight-tallCardW/2, gate,
			tallW/2, gate, tallW/2, match, tallLeft+tallCardW/2+6, match),
		Tip: fmt.Sprintf("M%d %dl8 -5v10z", tallLeft+tallCardW/2+2, match),
	}
}

// layout places the snapshot's figures on a picture.
func layout(plan func() ([]place, Loop), snap Snapshot, ways map[Stage]string) Loop {
	places, loop := plan()
	for i := range loop.Figures {
		loop.Figures[i].Value = figure(loop.Figures[i].Part, snap)
	}
	for i, stage := range Stages() {
		at, next := places[i], places[(i+1)%len(places)]
		count := snap.Counts[stage]
		loop.Stations = append(loop.Stations, Station{
			Stage: stage, X: at.x - loop.CardW/2, Y: at.y - loop.CardH/2, Count: count, Href: ways[stage],
			Flow: flow(count), Segment: loop.segment(at, next), Arrow: loop.arrow(at, next),
		})
	}
	return loop
}

// figure is a number inside the ring, as text: the same in both languages.
func figure(part string, s Snapshot) string {
	switch part {
	case "rate":
		return perSecond(s.Counts[Door].Rate.PerSecond())
	case "to-alert":
		return seconds(s.ToAlert)
	case "to-member":
		return seconds(s.ToMember)
	}
	return ""
}

// perSecond has one decimal below ten, and a dash stands for nothing.
func perSecond(n float64) string {
	switch {
	case n < 0.05:
		return "–"
	case n < 10:
		return strconv.FormatFloat(n, 'f', 1, 64) + "/s"
	}
	return i18n.Group(int64(math.Round(n))) + "/s"
}

func seconds(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
}

// segment is the piece of track between two stations.
func (l Loop) segment(from, to place) string {
	switch {
	case from.x == to.x || from.y == to.y && l.Name == "wide":
		return fmt.Sprintf("M%d %dL%d %d", from.x, from.y, to.x, to.y)
	case l.Name == "tall":
		side := 1
		if from.y < tallH/2 {
			side = -1
		}
		peak := from.y + side*(tallCardH/2+20)
		return fmt.Sprintf("M%d %dQ%d %d %d %dT%d %d", from.x, from.y, from.x, peak, (from.x+to.x)/2, peak, to.x, to.y)
	}
	return wideBend(from, to)
}

// wideBend is a quarter of the lying track's ends, with the straight piece
// between it and the next card.
func wideBend(from, to place) string {
	r := wideRadius
	if from.angle == 0 || from.angle == 180 { // from a row into an end
		x := wideRight - r
		if from.angle == 180 {
			x = wideLeft + r
		}
		return fmt.Sprintf("M%d %dH%dA%d %d 0 0 1 %d %d", from.x, from.y, x, r, r, to.x, to.y)
	}
	x := wideLeft + r
	if from.angle == 90 {
		x = wideRight - r
	}
	return fmt.Sprintf("M%d %dA%d %d 0 0 1 %d %dH%d", from.x, from.y, r, r, x, to.y, to.x)
}

// arrow stands halfway between two cards, on the track.
func (l Loop) arrow(from, to place) Arrow {
	mid := Arrow{X: float64(from.x+to.x) / 2, Y: float64(from.y+to.y) / 2, Angle: from.angle}
	if from.x == to.x || l.Name == "wide" && from.y == to.y {
		return mid
	}
	if l.Name == "tall" {
		side := 1.0
		mid.Angle = 0
		if from.y < tallH/2 {
			side, mid.Angle = -1, 180
		}
		mid.Y += side * (tallCardH/2 + 20)
		return mid
	}
	return bendArrow(from, to)
}

// bendArrow is the middle of the arc at an end of the lying track.
func bendArrow(from, to place) Arrow {
	end := to
	if from.angle == 90 || from.angle == -90 {
		end = from
	}
	other := from
	if end == from {
		other = to
	}
	cx, sx := float64(wideLeft+wideRadius), -1.0
	if end.x > wideW/2 {
		cx, sx = float64(wideRight-wideRadius), 1
	}
	sy := 1.0
	if other.y < end.y {
		sy = -1
	}
	d := wideRadius * math.Sqrt2 / 2
	angles := map[[2]float64]int{{1, -1}: 45, {1, 1}: 135, {-1, 1}: 225, {-1, -1}: 315}
	return Arrow{X: math.Round(cx + sx*d), Y: math.Round(float64(end.y) + sy*d), Angle: angles[[2]float64{sx, sy}]}
}

// flow is the thickness of a segment: a decade of the hour's total each. What
// is withheld is drawn as the first.
func flow(c Count) int {
	n, shown := c.Total.Shown()
	switch {
	case !shown:
		return 1
	case n <= 0:
		return 0
	}
	return min(6, 1+int(math.Log10(float64(n))))
}
