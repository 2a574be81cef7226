package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Search finds things across the stores.
type Search struct{ db *DB }

// Search is the store of package search.
func (d *DB) Search() *Search { return &Search{d} }

var _ search.Index = (*Search)(nil)

// Ready implements search.Index.
func (s *Search) Ready(ctx context.Context) (bool, error) {
	var version int64
	err := s.db.read.QueryRowContext(ctx, `SELECT value FROM search_counter WHERE name = 'version'`).Scan(&version)
	if err != nil {
		return false, fmt.Errorf("search version: %w", err)
	}
	return version == search.TermsVersion, nil
}

// Rebuild makes the index anew from everything that is stored, newest first,
// if its version is another than this program's or force is set. Searches
// find what is there already meanwhile, and changes go on.
func (s *Search) Rebuild(ctx context.Context, force bool) error {
	ready, err := s.Ready(ctx)
	if err != nil || ready && !force {
		return err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error { return s.clear(ctx, tx) })
	for _, step := range s.rebuildSteps() {
		for after, more := "", err == nil; more; more = after != "" && err == nil {
			var next string
			err = s.db.Write(ctx, func(tx *sql.Tx) (err error) {
				next, err = step(ctx, tx, after)
				return err
			})
			after = next
		}
	}
	if err == nil {
		err = s.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE search_counter SET value = $1 WHERE name = 'version'`, search.TermsVersion)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("make search index: %w", err)
	}
	return nil
}

func (s *Search) clear(ctx context.Context, tx *sql.Tx) error {
	for _, text := range []string{
		`DELETE FROM search_doc`, `DELETE FROM search_source`, `UPDATE search_counter SET value = 0 WHERE name = 'version'`,
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("clear: %w", err)
		}
	}
	return s.db.emptyIndex(ctx, tx)
}

// shelvesFor are the shelves on which a viewer may look for a kind. It is the
// first of two walls; [asking.gate] is the other.
func shelvesFor(f sector.Filter, k search.Kind) []string {
	if f.All() {
		return []string{shelfCentre}
	}
	var list []string
	switch k {
	case search.Advisory, search.Indicator:
		for _, scope := range f.ScopeKeys() {
			list = append(list, shelfRelease(scope))
		}
	case search.Alert:
		if f.Owner() == "" {
			return nil
		}
		list = append(list, shelfAlerts(string(f.Owner()), ""))
		for _, scope := range f.ScopeKeys() {
			list = append(list, shelfAlerts(string(f.Owner()), scope))
		}
	}
	return list
}

// Search implements search.Index. Its cost depends on what is on the viewer's
// own shelves alone.
func (s *Search) Search(ctx context.Context, f sector.Filter, l search.Lookup) (search.Found, error) {
	var found search.Found
	names := shelvesFor(f, l.Kind)
	if searchKind(l.Kind) == 0 || len(names) == 0 || l.Query.Empty() && len(l.Query.Names) == 0 {
		return found, nil
	}
	err := s.db.reading(ctx, func(q querier) error {
		shelves, err := findShelves(ctx, q, names)
		if err != nil || len(shelves) == 0 {
			return err
		}
		ask := newAsking(s.db.dialect, f, l, shelves)
		if err := ask.resume(ctx, q); err != nil {
			return err
		}
		found, err = ask.run(ctx, q)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("search %s: %w", l.Kind, err)
	}
	return found, nil
}

// resume finds the number of the hit after which the page begins.
func (a *asking) resume(ctx context.Context, q querier) error {
	if a.After.Tier == 0 {
		return nil
	}
	var b binder
	source := search.Advisory
	if a.Kind != search.Indicator {
		source = a.Kind
	}
	rows, err := q.QueryContext(ctx, `SELECT d.number FROM search_source s JOIN search_doc d ON d.source = s.id
		WHERE s.kind = `+b.bind(source)+` AND s.object = `+b.bind(a.After.ID)+` AND d.item = `+b.bind(a.After.Item)+` AND `+a.gate(&b), b.args...)
	numbers, err := collect(rows, err, func(row scanner) (n int64, err error) { return n, row.Scan(&n) })
	if err == nil && len(numbers) != 1 {
		err = errs.New(errs.Invalid, "search.cursor")
	}
	if err == nil {
		a.after = numbers[0]
	}
	return err
}

// run asks tier by tier until the page is full.
func (a asking) run(ctx context.Context, q querier) (found search.Found, err error) {
	m := a.dialect.matching()
	for i, match := range []string{a.names, m.but(a.title, a.names), m.but(m.but(a.all, a.title), a.names)} {
		tier := search.ByName + search.Tier(i)
		if match == "" || tier < a.After.Tier || len(found.Hits) == a.Limit {
			continue
		}
		text, args := a.page(match, tier == a.After.Tier, a.Limit-len(found.Hits))
		rows, err := q.QueryContext(ctx, text, args...)
		hits, err := collect(rows, err, func(row scanner) (search.Hit, error) { return scanHit(row, a.Kind, tier) })
		if err != nil {
			return found, err
		}
		found.Hits = append(found.Hits, hits...)
	}
	if a.Count == 0 {
		return found, nil
	}
	text, args := a.count()
	rows, err := q.QueryContext(ctx, text, args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) { return struct{}{}, row.Scan(&found.Count) })
	return found, err
}

func scanHit(row scanner, k search.Kind, tier search.Tier) (search.Hit, error) {
	h := search.Hit{Kind: k, Place: search.Place{Tier: tier}}
	var item, value, class, message string
	var at int64
	err := row.Scan(&h.ID, &item, &class, &value,
		&h.Class, &h.TLP, &h.Title.Zh, &h.Title.En, &at, &h.State, &message)
	if err != nil {
		return h, err
	}
	h.At, h.Place.ID, h.Place.Item = fromMicros(at), h.ID, item
	switch k {
	case search.Indicator:
		h.Parent, h.ParentTitle = h.ID, h.Title
		h.ID, h.Title, h.Class = item, search.Text{Zh: value, En: value}, class
	case search.Advisory:
		var m intel.Message
		if err := json.Unmarshal([]byte(message), &m); err != nil {
			return h, fmt.Errorf("message of %s: %w", h.ID, err)
		}
		h.Body = search.Text{Zh: m.Body.Zh, En: m.Body.En}
	}
	return h, nil
}

// asking composes the statements of a lookup.
type asking struct {
	dialect Dialect
	filter  sector.Filter
	search.Lookup
	names, title, all string // the engine's queries; empty: nothing fits
	after             int64  // the number of the hit at After
}

func newAsking(d Dialect, f sector.Filter, l search.Lookup, shelves map[string]int64) asking {
	a := asking{dialect: d, filter: f, Lookup: l}
	e := expression{d.matching(), slices.Sorted(maps.Values(shelves)), searchKind(l.Kind)}
	a.names = e.named(l.Query)
	if !l.Query.Empty() {
		a.title, a.all = e.groups(l.Query, fieldTitle), e.groups(l.Query, fieldAll)
	}
	if l.Kind == search.Indicator {
		a.title = "" // they have none
	}
	return a
}

// expression writes questions for an engine.
type expression struct {
	matching
	shelves []int64
	kind    byte
}

func (e expression) on(field byte, term string, prefix bool) []string {
	list := make([]string, len(e.shelves))
	for i, shelf := range e.shelves {
		list[i] = e.term(searchTerm(shelf, e.kind, field, term), prefix)
	}
	return list
}

func (e expression) named(q search.Query) string {
	var list []string
	for _, n := range q.Names {
		list = append(list, e.on(fieldName, n, false)...)
	}
	return e.any(list)
}

func (e expression) groups(q search.Query, field byte) string {
	parts := make([]string, len(q.Groups))
	for i, g := range q.Groups {
		var forms []string
		for _, t := range g {
			if t.Network && e.kind != searchKind(search.Indicator) {
				continue
			}
			if !t.Network {
				forms = append(forms, e.on(field, t.Text, t.Prefix)...)
			}
			if t.Name {
				forms = append(forms, e.on(fieldName, t.Text, t.Prefix)...)
			}
		}
		parts[i] = e.any(forms)
	}
	return e.all(parts)
}

// page is the statement for the newest hits of one tier; resumed: after the
// place where the page before ended.
func (a asking) page(match string, resumed bool, limit int) (string, []any) {
	var b binder
	var beyond string
	if resumed {
		beyond = "x.rowid < " + b.bind(a.after)
	}
	return `WITH page AS (` + a.arm(&b, match, beyond, limit) + `)
		SELECT s.object, d.item, d.class, d.value, s.class, s.tlp, s.title_zh, s.title_en, ` +
		a.details() + ` ORDER BY page.number DESC`, b.args
}

// details are the columns and joins that only some kinds have: time, state
// and message as they are now.
func (a asking) details() string {
	from := ` FROM page JOIN search_doc d ON d.number = page.number JOIN search_source s ON s.id = d.source `
	switch a.Kind {
	case search.Member:
		return `s.at, '', ''` + from
	case search.Alert:
		return `s.at, o.state, ''` + from + `JOIN alert o ON o.id = s.object`
	}
	message := "''"
	if a.Kind == search.Advisory {
		message = "o.message"
	}
	if a.filter.All() {
		return `s.at, o.state, ` + message + from + `JOIN advisory o ON o.id = s.object`
	}
	return `o.changed_at, CASE WHEN o.ended_at = 0 THEN 'released' ELSE 'withdrawn' END, ` + message + from +
		`JOIN release o ON o.id = s.edition`
}

// count is the statement for the number of hits.
func (a asking) count() (string, []any) {
	var b binder
	m := a.dialect.matching()
	var list []string
	for _, match := range []string{a.names, a.all} { // a title is part of all
		if match != "" {
			list = append(list, match)
		}
	}
	return `SELECT count(*) FROM (` + a.arm(&b, m.any(list), "", a.Count) + `) counted`, b.args
}

// arm is a query for the newest documents that match and that the filter
// shows. The index is read first, newest first, until there are enough.
func (a asking) arm(b *binder, match, beyond string, limit int) string {
	from := a.dialect.searchFrom(b.bind(match))
	conditions := []string{"d.number = x.rowid", "s.id = d.source", a.gate(b)}
	if beyond != "" {
		conditions = append(conditions, beyond)
	}
	if !a.Since.IsZero() {
		conditions = append(conditions, "s.at >= "+b.bind(micros(a.Since)))
	}
	if a.TLP != "" {
		conditions = append(conditions, "s.tlp = "+b.bind(a.TLP))
	}
	return "SELECT x.rowid AS number FROM " + from + " CROSS JOIN search_doc d CROSS JOIN search_source s WHERE " +
		strings.Join(conditions, " AND ") + " ORDER BY x.rowid DESC LIMIT " + b.bind(limit)
}

// gate is the filter in SQL over a source s: what the stores of the domains
// ask too.
func (a asking) gate(b *binder) string {
	if a.filter.All() {
		return "s.edition = ''"
	}
	g := b.gate(a.filter)
	switch a.Kind {
	case search.Advisory, search.Indicator:
		return `EXISTS (SELECT 1 FROM release_scope g WHERE g.release = s.edition AND ` + g.sees("g") + `)
			AND NOT EXISTS (SELECT 1 FROM release_scope n WHERE n.advisory = s.object AND n.at > s.at AND ` + g.sees("n") + `)`
	case search.Alert:
		owner := b.bind(string(a.filter.Owner()))
		return `s.edition = ` + owner + ` AND EXISTS (SELECT 1 FROM alert o JOIN alert_member m ON m.alert = o.number
			WHERE o.id = s.object AND m.member = ` + owner + ` AND (o.restricted = 0
				OR EXISTS (SELECT 1 FROM alert_scope g WHERE g.alert = o.number AND ` + g.sees("g") + `)))`
	}
	return "1 = 0"
}
