package web

import (
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Chart is a time series and its table twin. Every series has as many values
// as there are times. Template "chart".
type Chart struct {
	ID     string
	Title  string // catalogue key
	Args   []any  // of the title
	Unit   string // catalogue key: what the axis counts
	Source string // catalogue key: where the figures come from
	Times  []time.Time
	Series []Series
	// Stream, when set, is an event stream whose events named Event carry
	// {"charts":{ID:{"times":[Unix seconds], "values":[[…] per series]}}} to
	// replace the data.
	Stream string
	Event  string
	Height int // in CSS pixels; 0 is 180
}

// Series is one line of a chart. Tone is a token: "a" to "f", or a severity.
type Series struct {
	Key    string // catalogue key
	Tone   string
	Values []int64
	// Withheld: the values are not for the viewer, and there are none. The
	// line is not drawn; the twin has a mark in each cell.
	Withheld bool
}

// chartProps is what the island gets.
type chartProps struct {
	Times  []int64       `json:"times"` // Unix seconds
	Series []seriesProps `json:"series"`
	Stream string        `json:"stream,omitempty"`
	Event  string        `json:"event,omitempty"`
	Height int           `json:"height"`
	Zone   string        `json:"zone"`
	Time   string        `json:"time"` // the word
}

type seriesProps struct {
	Label  string  `json:"label"`
	Tone   string  `json:"tone"`
	Values []int64 `json:"values"`
}

const defaultHeight = 180

func (f words) chart(c Chart) (string, error) {
	props := chartProps{Stream: c.Stream, Event: c.Event, Height: c.Height, Zone: f.locale.zone}
	if props.Height == 0 {
		props.Height = defaultHeight
	}
	var err error
	if props.Time, err = f.t("common.chart.time"); err != nil {
		return "", err
	}
	for _, t := range c.Times {
		props.Times = append(props.Times, t.Unix())
	}
	for _, s := range c.Series {
		label, err := f.t(s.Key)
		if err != nil {
			return "", err
		}
		values := s.Values
		if s.Withheld {
			values = []int64{} // the island wants a list
		}
		props.Series = append(props.Series, seriesProps{Label: label, Tone: s.Tone, Values: values})
	}
	return toJSON(props)
}

// ChartRow is a line of the twin.
type ChartRow struct {
	At    time.Time
	Cells []string
}

// Rows are the twin's lines, the newest first.
func (c Chart) Rows() ([]ChartRow, error) {
	rows := make([]ChartRow, 0, len(c.Times))
	for i := len(c.Times) - 1; i >= 0; i-- {
		row := ChartRow{At: c.Times[i]}
		for _, s := range c.Series {
			if s.Withheld {
				row.Cells = append(row.Cells, "*")
				continue
			}
			if len(s.Values) != len(c.Times) {
				return nil, fmt.Errorf("chart %s: series %s has %d values for %d times", c.ID, s.Key, len(s.Values), len(c.Times))
			}
			row.Cells = append(row.Cells, i18n.Group(s.Values[i]))
		}
		rows = append(rows, row)
	}
	return rows, nil
}
