package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Column is a column of a list.
type Column struct {
	Key   string // catalogue key of its heading
	Name  string // the name by which it can be left out; empty: always shown
	Sort  string // the name to sort by in the URL; empty: cannot be sorted
	Class string // "num", "time", "fit", "wide": see tables.css
}

// Filter is a field of the form above a list. Kind is "text", "select" or
// "time".
type Filter struct {
	Name    string
	Key     string
	Kind    string
	Options []Option
}

// Option of a select. Text wins over Key.
type Option struct {
	Value string
	Key   string
	Text  string
}

// ListSpec says how a list can be filtered and sorted. All state is in the
// URL, so that a list can be bookmarked, shared and gone back to.
type ListSpec struct {
	Path    string
	Columns []Column
	Filters []Filter
	Sort    string // by default
	Desc    bool   // by default
	Limit   int    // rows a page; 0 is 50
	Export  bool   // POST /export + Path answers with a file of it
}

// List is a ListSpec with what the viewer asked for.
type List struct {
	ListSpec
	Sorted   string
	Down     bool
	After    string // the key to go on after, as the store made it; empty: first page
	Next     string // set by the page when there is more
	Now      map[string]string
	Cols     []string    // names of the columns asked for; nil: all
	Views    []SavedView // the viewer's, where the page is a [Shell.Table]
	tools    bool
	location *time.Location
}

const (
	defaultLimit = 50
	maxValue     = 300 // runes of a filter or cursor
)

// ReadList reads a list's state from the request. What the spec does not
// know is dropped, so a handler may pass the values on to its store.
func (s *Shell) ReadList(r *http.Request, spec ListSpec) List {
	if spec.Limit == 0 {
		spec.Limit = defaultLimit
	}
	q := r.URL.Query()
	l := List{ListSpec: spec, Sorted: spec.Sort, Down: spec.Desc, Now: map[string]string{}, location: s.Zone(r)}
	l.After = bounded(q.Get("after"))
	if by := q.Get("sort"); spec.sortable(by) {
		l.Sorted, l.Down = by, q.Get("dir") == "desc"
	}
	l.Cols = spec.accept(q["col"])
	for _, f := range spec.Filters {
		if v := f.accept(q.Get(f.Name)); v != "" {
			l.Now[f.Name] = v
		}
	}
	return l
}

func (sp ListSpec) sortable(by string) bool {
	return by != "" && slices.ContainsFunc(sp.Columns, func(c Column) bool { return c.Sort == by })
}

// accept is the names that are columns', in the columns' order; nil for all.
func (sp ListSpec) accept(names []string) []string {
	var cols []string
	missing := false
	for _, c := range sp.Columns {
		switch {
		case c.Name == "":
		case slices.Contains(names, c.Name):
			cols = append(cols, c.Name)
		default:
			missing = true
		}
	}
	if !missing {
		return nil
	}
	return cols
}

// Shows reports whether the column of that name is shown. Without a choice,
// and where none is named, everything is.
func (l List) Shows(name string) bool {
	return name == "" || len(l.Cols) == 0 || slices.Contains(l.Cols, name)
}

// Visible are the columns that are shown.
func (l List) Visible() []Column {
	return slices.DeleteFunc(slices.Clone(l.Columns), func(c Column) bool { return !l.Shows(c.Name) })
}

// Choosable are the columns that may be left out.
func (l List) Choosable() []Column {
	return slices.DeleteFunc(slices.Clone(l.Columns), func(c Column) bool { return c.Name == "" })
}

// Tools reports whether the list has views, columns to choose, or a file.
func (l List) Tools() bool { return l.tools }

// Query is the list's state as its address holds it, without the page.
func (l List) Query() string { return l.query().Encode() }

// Fixed is the state that a form on the list must carry along, without the
// parameters that the form sets itself.
func (l List) Fixed(but ...string) []Pair {
	var pairs []Pair
	q := l.query()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if slices.Contains(but, name) {
			continue
		}
		for _, v := range q[name] {
			pairs = append(pairs, Pair{name, v})
		}
	}
	return pairs
}

// Pair is a name and its value.
type Pair struct{ Name, Value string }

// ExportURL is the list as a file; format is "csv" or "xlsx".
func (l List) ExportURL(format string) string {
	q := l.query()
	q.Set("format", format)
	return "/export" + l.Path + "?" + q.Encode()
}

func (f Filter) accept(v string) string {
	v = bounded(strings.TrimSpace(v))
	if f.Kind == "select" && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }) {
		return ""
	}
	return v
}

func bounded(v string) string {
	if len(v) > maxValue {
		return strings.ToValidUTF8(v[:maxValue], "")
	}
	return strings.ToValidUTF8(v, "")
}

// Get is the value of a filter; empty when it is not set.
func (l List) Get(name string) string { return l.Now[name] }

// Time is the value of a time filter, typed in the viewer's zone; the zero
// time when it is not set or not a time.
func (l List) Time(name string) time.Time {
	loc := l.location
	if loc == nil {
		loc = time.UTC
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, l.Now[name], loc); err == nil {
			return t
		}
	}
	return time.Time{}
}

// Filtered reports whether any filter is set: an empty list then says so.
func (l List) Filtered() bool { return len(l.Now) > 0 }

func (l List) query() url.Values {
	q := url.Values{}
	for name, v := range l.Now {
		q.Set(name, v)
	}
	if l.Sorted != l.Sort || l.Down != l.Desc {
		q.Set("sort", l.Sorted)
		q.Set("dir", direction(l.Down))
	}
	if len(l.Cols) > 0 {
		q["col"] = l.Cols
	}
	return q
}

func direction(down bool) string {
	if down {
		return "desc"
	}
	return "asc"
}

func (l List) href(q url.Values) string {
	if len(q) == 0 {
		return l.Path
	}
	return l.Path + "?" + q.Encode()
}

// SortURL sorts by the column, and the other way when it already does.
func (l List) SortURL(c Column) string {
	down := l.Sorted == c.Sort && !l.Down
	l.Sorted, l.Down = c.Sort, down
	return l.href(l.query())
}

// AriaSort is the column's state for assistive technology.
func (l List) AriaSort(c Column) string {
	switch {
	case c.Sort == "" || c.Sort != l.Sorted:
		return "none"
	case l.Down:
		return "descending"
	}
	return "ascending"
}

// NextURL is the next page; empty on the last.
func (l List) NextURL() string {
	if l.Next == "" {
		return ""
	}
	q := l.query()
	q.Set("after", l.Next)
	return l.href(q)
}

// FirstURL is the first page with the same filters; empty on the first.
func (l List) FirstURL() string {
	if l.After == "" {
		return ""
	}
	return l.href(l.query())
}

// ClearURL is the list without filters, past the viewer's preferred view.
func (l List) ClearURL() string {
	if slices.ContainsFunc(l.Views, func(v SavedView) bool { return v.Preferred }) {
		return l.Path + "?view=" + everything
	}
	return l.Path
}

// State is what stands where rows would: Kind is "empty", "loading",
// "partial", "error" or "forbidden". It says what to do next.
type State struct {
	Kind    string
	Title   string // catalogue key
	Text    string // catalogue key
	Args    []any  // of the text
	Actions []Link
}
