package web

import (
	"fmt"
	"math"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Heat is a strip of days with one cell an hour. Template "heat".
type Heat struct {
	ID     string
	Title  string // catalogue key
	Args   []any
	Unit   string    // catalogue key: what is counted
	Source string    // catalogue key: where the figures come from
	Start  time.Time // of the first hour; rounded down to an hour
	Counts []int64   // one an hour
}

// Geometry of a strip in user units.
const (
	heatCell = 14
	heatStep = 16
	heatLeft = 48
	heatTop  = 0
	heatMax  = 5 // the hottest level; 0 is none
)

type heatPlan struct {
	Width, Height, Cell, TickY int
	Days                       []heatDay
	Ticks                      []heatTick
}

type heatDay struct {
	Label string
	TextY int
	Cells []heatCellPlan
}

type heatCellPlan struct {
	X, Y, Level int
	Title       string
	At          time.Time
	Count       int64
}

type heatTick struct {
	X     int
	Label string
}

// heat lays the strip out in the viewer's days.
func (f words) heat(h Heat) heatPlan {
	loc := f.locale.location()
	top := int64(0)
	for _, n := range h.Counts {
		top = max(top, n)
	}
	p := heatPlan{Cell: heatCell, Width: heatLeft + 24*heatStep}
	start := h.Start.Truncate(time.Hour)
	for i, n := range h.Counts {
		at := start.Add(time.Duration(i) * time.Hour).In(loc)
		label := at.Format("01-02")
		if len(p.Days) == 0 || p.Days[len(p.Days)-1].Label != label {
			p.Days = append(p.Days, heatDay{Label: label, TextY: heatTop + len(p.Days)*heatStep + 11})
		}
		row := len(p.Days) - 1
		p.Days[row].Cells = append(p.Days[row].Cells, heatCellPlan{
			X: heatLeft + at.Hour()*heatStep, Y: heatTop + row*heatStep, Level: heatLevel(n, top),
			Title: fmt.Sprintf("%s  %s", at.Format("01-02 15:00"), i18n.Group(n)), At: at, Count: n,
		})
	}
	p.TickY = heatTop + len(p.Days)*heatStep + 10
	p.Height = p.TickY + 4
	for hour := 0; hour < 24; hour += 6 {
		p.Ticks = append(p.Ticks, heatTick{X: heatLeft + hour*heatStep, Label: fmt.Sprintf("%02d", hour)})
	}
	return p
}

// heatLevel is on a square-root scale, so that one loud hour does not hide the
// others; anything above zero is at least 1.
func heatLevel(n, top int64) int {
	if n <= 0 || top <= 0 {
		return 0
	}
	share := math.Sqrt(float64(n) / float64(top))
	return max(1, int(math.Ceil(share*heatMax)))
}
