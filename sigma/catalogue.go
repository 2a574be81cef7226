package sigma

import (
	"embed" // the catalogue of fields
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
)

//go:embed fields/*.txt
var fieldFiles embed.FS //nolint:gochecknoglobals // embedded files must be package variables

// catalogue says which fields the events of a log source have. A log source
// that it does not have, or has without fields, may have any.
type catalogue map[event.Logsource]*fieldSet

// fieldSet is what is known of the fields of a log source.
type fieldSet struct {
	names    map[string]known // by their spelling
	prefixes []string         // of names that are all known
	by       string           // a field by whose values some events have sets of their own
	variants map[string]*fieldSet
	spelling spelling
}

// known is what is known of one field.
type known struct {
	name   string // as written
	values string // what it can be, between bars; "#" a whole number; "" anything
	rare   bool   // only some of the products that write such events have it
}

// newCatalogue reads the catalogue's files; fields/README.md describes them.
func newCatalogue() catalogue {
	var lines []string
	entries, err := fieldFiles.ReadDir("fields")
	for _, e := range entries {
		text, rerr := fieldFiles.ReadFile("fields/" + e.Name())
		if err != nil || rerr != nil { // embedded files are there
			continue
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	}
	return catalogueOf(lines)
}

func catalogueOf(lines []string) catalogue {
	shared := map[string][]string{}
	for _, line := range lines {
		if name, rest, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "@") {
			shared[name] = strings.Fields(rest)
		}
	}
	c := catalogue{}
	for _, line := range lines {
		head, rest, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "@") {
			continue
		}
		source, only, _ := strings.Cut(head, " ")
		part := strings.SplitN(source, "/", 3)
		if len(part) == 3 {
			c.add(event.Logsource{Product: part[0], Category: part[1], Service: part[2]}, only, expandNames(strings.Fields(rest), shared, 0))
		}
	}
	return c
}

// expandNames puts the names of other lines in the place of their names.
func expandNames(names []string, shared map[string][]string, depth int) []string {
	const deepest = 4
	var out []string
	for _, name := range names {
		if more, ok := shared[name]; ok && depth < deepest {
			out = append(out, expandNames(more, shared, depth+1)...)
		} else {
			out = append(out, name)
		}
	}
	return out
}

// add adds a line: all events of a log source, or those that only, a field with
// values, chooses.
func (c catalogue) add(l event.Logsource, only string, names []string) {
	set := c[l]
	if set == nil {
		set = &fieldSet{variants: map[string]*fieldSet{}, spelling: spellingOf(l.Product)}
		c[l] = set
	}
	if only == "" {
		if !slices.Equal(names, []string{"open"}) {
			set.fill(names)
		}
		return
	}
	field, values, _ := strings.Cut(only, "=")
	variant := &fieldSet{spelling: set.spelling}
	variant.fill(names)
	set.by = field
	for value := range strings.SplitSeq(values, ",") {
		set.variants[strings.ToLower(value)] = variant
	}
}

func (s *fieldSet) fill(names []string) {
	if s.names == nil {
		s.names = map[string]known{}
	}
	for _, name := range names {
		name, rare := strings.CutPrefix(name, "?")
		name, values, _ := strings.Cut(name, "=")
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			s.prefixes = append(s.prefixes, s.spelling.path(prefix))
			continue
		}
		if was, ok := s.names[s.spelling.name(name)]; !ok || was.values == "#" || was.rare {
			s.names[s.spelling.name(name)] = known{name: name, values: values, rare: rare}
		}
	}
}

// spelling makes one name of those that the decoder takes for the same (see
// package event): path of what is around a name, and name of that, too.
type spelling struct{ path, name func(string) string }

func spellingOf(product string) spelling {
	same := func(name string) string { return name }
	switch product {
	case "azure": // exports differ in capitals and in what is around the fields
		path := func(name string) string {
			parts := strings.Split(strings.TrimPrefix(name, "properties."), ".")
			for i, p := range parts {
				parts[i] = strings.ToLower(p[:min(1, len(p))]) + p[min(1, len(p)):]
			}
			return strings.Join(parts, ".")
		}
		return spelling{path, path}
	case "gcp": // what came through Pub/Sub lies in data
		path := func(name string) string { return strings.TrimPrefix(name, "data.") }
		return spelling{path, path}
	case "windows": // blanks in names are written as underscores, or not at all
		squeeze := strings.NewReplacer(" ", "", "_", "")
		return spelling{same, squeeze.Replace}
	}
	return spelling{same, same}
}

// fields is what is known of a log source, nil when that is nothing. A rule for
// a category may also name the service; the category decides.
func (c catalogue) fields(l event.Logsource) *fieldSet {
	set := c[l]
	if set == nil && l.Category != "" {
		l.Service = ""
		set = c[l]
	}
	if set == nil || set.names == nil && len(set.variants) == 0 {
		return nil
	}
	return set
}

// find returns what is known of a field. A set without names has all.
func (s *fieldSet) find(field string) (known, bool) {
	if s == nil || s.names == nil {
		return known{}, true
	}
	name, path := s.spelling.name(field), s.spelling.path(field)
	if k, ok := s.names[name]; ok {
		return k, true
	}
	inside := slices.ContainsFunc(s.prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
	if !inside {
		for _, v := range s.variants {
			if k, ok := v.names[name]; ok {
				return known{name: k.name, rare: k.rare}, true
			}
		}
	}
	return known{}, inside
}

// of is the set of the events whose field, by which they differ, has one of
// these values; s itself when one of them says nothing.
func (s *fieldSet) of(values []string) *fieldSet {
	out := &fieldSet{names: map[string]known{}, spelling: s.spelling}
	for _, value := range values {
		v := s.variants[strings.ToLower(value)]
		if v == nil {
			return s
		}
		for name, k := range v.names {
			if was, ok := out.names[name]; ok && was.values != k.values {
				k.values = ""
			}
			out.names[name] = k
		}
		out.prefixes = append(out.prefixes, v.prefixes...)
	}
	if len(values) == 0 {
		return s
	}
	return out
}

// similar returns the known name that a name is most likely a slip of, "" for
// none.
func (s *fieldSet) similar(field string) string {
	const far = 3
	best, least := "", far
	slip := strings.ToLower(s.spelling.name(field))
	look := func(names map[string]known) {
		for spelled, k := range names {
			d := distance(slip, strings.ToLower(spelled), far)
			if d < least || d == least && d < far && k.name < best {
				best, least = k.name, d
			}
		}
	}
	look(s.names)
	for _, v := range s.variants {
		look(v.names)
	}
	if least > 0 && len(field) < 4 {
		return ""
	}
	return best
}

// distance is the number of letters to insert, remove or replace to make b of
// a; most when it is not less.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most || len(a) > 128 {
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
