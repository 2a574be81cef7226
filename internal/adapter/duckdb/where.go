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

// query adds the query's conditions but for text and After, and returns the
// table to read: that of the observables suffices where nothing else is asked
// for, and is much less to look through.
func (c *conditions) query(e *engine, q monitor.Query, from, to int64) (table string) {
	c.add("happened >= ?", from)
	c.add("happened < ?", to)
	wide := false
	for _, column := range []struct{ is, value string }{
		{"product = ?", q.Product}, {"category = ?", q.Category}, {"service = ?", q.Service},
		{"host = ?", q.Host}, {"account = ?", q.Account},
	} {
		if column.value != "" {
			c.add(column.is, column.value)
			wide = true
		}
	}
	if q.Observable == "" {
		return "history.events"
	}
	table, is, args := e.observable(q.Observable)
	if !wide {
		c.add(is, args...)
		return table
	}
	c.add("number IN (SELECT number FROM "+table+" WHERE "+is+" AND happened >= ? AND happened < ?)",
		append(args, from, to)...)
	return "history.events"
}

// observable is the table and the condition for a value.
func (e *engine) observable(value string) (table, is string, args []any) {
	if ip, ok := parseAddress(value); ok {
		return "history.all_addresses", "hi = ? AND lo = ?", []any{ip.hi, ip.lo}
	}
	return "history.all_seen", "hash = ? AND kind < ?", []any{e.hash(value), kindParent}
}
