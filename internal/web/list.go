package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Column is a column of a list.
type Column struct {
	Key   string // catalogue key of its heading
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
}

// List is a ListSpec with what the viewer asked for.
type List struct {
	ListSpec
	Sorted   string
	Down     bool
	After    string // the key to go on after, as the store made it; empty: first page
	Next     string // set by the page when there is more
	Now      map[string]string
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

// ClearURL is the list without filters.
func (l List) ClearURL() string { return l.Path }

// State is what stands where rows would: Kind is "empty", "partial", "error"
// or "forbidden". It says what to do next.
type State struct {
	Kind    string
	Title   string // catalogue key
	Text    string // catalogue key
	Args    []any  // of the text
	Actions []Link
}
