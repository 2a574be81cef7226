package sigma

import (
	_ "embed" // the catalogue of fields
	"strings"

	"github.com/aspis-platform/aspis/event"
)

//go:embed fields.txt
var fieldsText string //nolint:gochecknoglobals // embedded files must be package variables

// catalogue says which fields the events of a log source have.
type catalogue map[event.Logsource]map[string]bool

// newCatalogue reads the catalogue's text, whose form it describes itself.
func newCatalogue(text string) catalogue {
	c := catalogue{}
	shared := map[string][]string{}
	for line := range strings.Lines(text) {
		head, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(head, "#") {
			continue
		}
		var names []string
		for name := range strings.FieldsSeq(rest) {
			if more, ok := shared[name]; ok {
				names = append(names, more...)
			} else {
				names = append(names, name)
			}
		}
		if strings.HasPrefix(head, "@") {
			shared[head] = names
			continue
		}
		part := strings.SplitN(head, "/", 3)
		known := map[string]bool{}
		for _, name := range names {
			known[name] = true
		}
		if len(part) == 3 {
			c[event.Logsource{Product: part[0], Category: part[1], Service: part[2]}] = known
		}
	}
	return c
}

// fields are those of a log source, nil when nothing is known of it. A rule for
// a category may also name the service; the category decides.
func (c catalogue) fields(l event.Logsource) map[string]bool {
	if known := c[l]; known != nil || l.Category == "" {
		return known
	}
	l.Service = ""
	return c[l]
}

// similar returns the known name that a name is most likely a slip of, "" for
// none.
func similar(name string, known map[string]bool) string {
	const far = 3
	best, least := "", far
	for k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
		if d := distance(name, k, far); d < least || d == least && d < far && k < best {
			best, least = k, d
		}
	}
	if len(name) < 4 {
		return ""
	}
	return best
}

// distance is the number of letters to insert, remove or replace to make b of
// a; most when it is not less.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most || len(a) > 64 {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, corner+1)
		}
	}
	return min(row[len(b)], most)
}
