package cli

import (
	"bufio"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// table is text in columns. Widths are those of a terminal: a Chinese
// character takes two.
type table struct {
	head []string
	rows [][]string
}

// gap is between columns.
const gap = "  "

// print writes the table; cells lose what would move the cursor.
func (t table) print(w io.Writer) error {
	wide := runewidth.NewCondition()
	wide.EastAsianWidth = false // "…" and the like are narrow in the terminals of today
	lines := make([][]string, 0, len(t.rows)+1)
	if len(t.head) > 0 {
		lines = append(lines, t.head)
	}
	lines = append(lines, t.rows...)
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], wide.StringWidth(plain(cell)))
		}
	}
	out := bufio.NewWriter(w)
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			cell = plain(cell)
			if i < len(line)-1 {
				cell = wide.FillRight(cell, widths[i]) + gap
			}
			text.WriteString(cell)
		}
		_, _ = out.WriteString(strings.TrimRight(text.String(), " ") + "\n") // Flush tells
	}
	return out.Flush()
}

// plain replaces characters that a terminal would obey or that would show
// text in another order than it has.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// facts prints names and values, a line each. A value of several lines goes
// below its name.
func (e *env) facts(lines [][2]string) error {
	t := table{}
	for _, l := range lines {
		if l[1] == "" {
			continue
		}
		parts := strings.Split(strings.TrimRight(l[1], "\n"), "\n")
		t.rows = append(t.rows, []string{e.t("cli.col." + l[0]), parts[0]})
		for _, part := range parts[1:] {
			t.rows = append(t.rows, []string{"", part})
		}
	}
	return t.print(e.Out)
}

// stamp is a time in the user's zone, to the minute.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// stampText is stamp of a time as in RFC 3339.
func stampText(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return stamp(t)
}

// defang makes an indicator harmless to click on.
func defang(value string) string {
	return strings.NewReplacer("http", "hxxp", ".", "[.]", "@", "[@]").Replace(value)
}
