package taxii

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/stix"
)

// Filter narrows a query (section 3.4). The conditions apply together; several
// values of one condition are alternatives.
type Filter struct {
	AddedAfter   time.Time // zero: no condition; DateAdded must be later than it
	IDs          []string  // empty: any
	Types        []string  // empty: any
	SpecVersions []string  // empty: the latest one the object is held in
	Versions     VersionFilter
}

// VersionFilter chooses among the versions of an object that the viewer may see
// in the collection, before AddedAfter is applied. The zero value is Last alone.
type VersionFilter struct {
	All, First, Last bool
	At               []time.Time // exact versions
}

// Matches reports whether a version passes. first and last tell whether it is the
// earliest and the latest that the viewer may see.
func (f VersionFilter) Matches(version time.Time, first, last bool) bool {
	none := !f.All && !f.First && !f.Last && len(f.At) == 0
	return f.All || f.First && first || (f.Last || none) && last ||
		slices.ContainsFunc(f.At, version.Equal)
}

// Matches reports whether a version of an object passes the whole filter; see
// VersionFilter.Matches. It is for backends that filter in memory.
func (f Filter) Matches(o Object, first, last bool) bool {
	return (f.AddedAfter.IsZero() || o.DateAdded.After(f.AddedAfter)) &&
		(len(f.IDs) == 0 || slices.Contains(f.IDs, string(o.ID))) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, o.ID.Type())) &&
		(len(f.SpecVersions) == 0 || slices.Contains(f.SpecVersions, o.specVersion())) &&
		f.Versions.Matches(o.Version.Time(), first, last)
}

// Bounds on what is read from a URL.
const (
	maxQuery  = 64 << 10 // bytes of the whole query
	maxValues = 1000     // alternatives in one condition
	maxCursor = 2048     // bytes
)

// request is the query part of a URL.
type request struct {
	filter Filter
	limit  int // 0: none given
	cursor string
}

// parseRequest reads the URL parameters of an endpoint. matches are the match
// fields the endpoint has. A match field it does not have is an error, because
// ignoring it would answer a question that was not asked; other unknown
// parameters are ignored.
func parseRequest(rawQuery string, matches ...string) (request, error) {
	var r request
	if len(rawQuery) > maxQuery {
		return r, fmt.Errorf("the query is longer than %d bytes", maxQuery)
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return r, fmt.Errorf("the query is malformed")
	}
	for name, given := range values {
		field, isMatch := matchField(name)
		if isMatch && !slices.Contains(matches, field) {
			return r, fmt.Errorf("match[%s] does not apply here", clip(field))
		}
		if err := r.set(name, given); err != nil {
			return r, err
		}
	}
	return r, nil
}

func matchField(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "match[")
	return strings.TrimSuffix(rest, "]"), ok
}

func (r *request) set(name string, given []string) (err error) {
	value := given[0]
	switch name {
	case "added_after":
		r.filter.AddedAfter, err = parseTime(name, value)
	case "limit":
		if r.limit, err = strconv.Atoi(value); err != nil || r.limit < 1 {
			err = fmt.Errorf("limit must be a whole number above zero")
		}
	case "next":
		if r.cursor = value; value == "" || len(value) > maxCursor {
			err = fmt.Errorf("next is not a value that this server gave")
		}
	case "match[id]":
		r.filter.IDs, err = alternatives(name, value)
	case "match[type]":
		r.filter.Types, err = alternatives(name, value)
	case "match[spec_version]":
		r.filter.SpecVersions, err = alternatives(name, value)
	case "match[version]":
		r.filter.Versions, err = parseVersions(value)
	default:
		return nil
	}
	if err == nil && len(given) > 1 {
		err = fmt.Errorf("%s must be given once, with commas between several values", name)
	}
	return err
}

func parseTime(name, value string) (time.Time, error) {
	t, err := stix.ParseTimestamp(value)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s must be a time such as 2026-01-31T08:00:00.000000Z", name)
	}
	return t.Time(), nil
}

func alternatives(name, value string) ([]string, error) {
	parts := strings.Split(value, ",")
	if len(parts) > maxValues {
		return nil, fmt.Errorf("%s has more than %d values", name, maxValues)
	}
	if slices.Contains(parts, "") {
		return nil, fmt.Errorf("%s has an empty value", name)
	}
	return parts, nil
}

func parseVersions(value string) (VersionFilter, error) {
	var f VersionFilter
	parts, err := alternatives("match[version]", value)
	if err != nil {
		return f, err
	}
	for _, part := range parts {
		switch part {
		case "all":
			f.All = true
		case "first":
			f.First = true
		case "last":
			f.Last = true
		default:
			at, err := parseTime("match[version]", part)
			if err != nil {
				return f, fmt.Errorf("match[version] must be all, first, last or times")
			}
			f.At = append(f.At, at)
		}
	}
	return f, nil
}

// clip keeps foreign text in messages short.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
