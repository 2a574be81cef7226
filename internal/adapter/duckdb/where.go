package duckdb

import (
	"strconv"
	"strings"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

// conditions builds a WHERE clause; values only ever become parameters.
type conditions struct {
	terms []string
	args  []any
}

// add puts a condition in, each ? standing for the next of args.
func (c *conditions) add(term string, args ...any) {
	for _, a := range args {
		c.args = append(c.args, a)
		term = strings.Replace(term, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.terms = append(c.terms, term)
}

func (c *conditions) String() string { return strings.Join(c.terms, " AND ") }

// gate restricts to what the viewer may see; false when that is nothing.
func (c *conditions) gate(f sector.Filter, member sector.MemberID) bool {
	switch {
	case f.All():
		if member != "" {
			c.add("member = ?", string(member))
		}
		return true
	case f.Owner() == "" || member != "" && member != f.Owner():
		return false
	}
	c.add("member = ?", string(f.Owner()))
	return true
}

// query adds the query's conditions but for the times.
func (c *conditions) query(q monitor.Query) {
	for _, column := range []struct{ is, value string }{
		{"product = ?", q.Product}, {"category = ?", q.Category}, {"service = ?", q.Service},
		{"host = ?", q.Host}, {"account = ?", q.Account},
	} {
		if column.value != "" {
			c.add(column.is, column.value)
		}
	}
	switch needle := text(q.Text); {
	case needle == "":
	case strings.ToLower(needle) == strings.ToUpper(needle): // digits, Han: half the work
		c.add("contains(raw, ?)", needle)
	default: // several times faster than ILIKE, and nothing to escape
		c.add("contains(lower(raw), lower(?))", needle)
	}
}

// observable adds the condition on what a record mentions, in a span of time.
func (c *conditions) observable(e *engine, value string, from, to int64) {
	if value == "" {
		return
	}
	if ip, ok := parseAddress(value); ok {
		c.add(`number IN (SELECT number FROM history.addresses
			WHERE hi = ? AND lo = ? AND happened >= ? AND happened < ?)`, ip.hi, ip.lo, from, to)
		return
	}
	c.add(`number IN (SELECT number FROM history.seen
		WHERE hash = ? AND kind < ? AND happened >= ? AND happened < ?)`,
		e.hash(value), kindParent, from, to)
}
