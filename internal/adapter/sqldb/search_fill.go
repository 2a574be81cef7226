package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Each change puts what it changed on the shelves, in its own transaction.

// shelveAdvisory keeps the centre's newest version findable.
func (d *DB) shelveAdvisory(ctx context.Context, tx *sql.Tx, a intel.Advisory) error {
	return d.shelve(ctx, tx, newest(), []shelfSource{draftSource(a)})
}

func draftSource(a intel.Advisory) shelfSource {
	return messageSource(a.ID, "", micros(a.ChangedAt), a.Message, []string{shelfCentre})
}

// shelveRelease makes a released message findable by its audience. What the
// release before it gave to nobody else is taken away.
func (d *DB) shelveRelease(ctx context.Context, tx *sql.Tx, id intel.AdvisoryID, r sector.Release, m intel.Message, replaced string) error {
	if replaced != "" {
		if err := d.unshelveReplaced(ctx, tx, r.Audience, replaced); err != nil {
			return err
		}
	}
	return d.shelve(ctx, tx, newest(), []shelfSource{releaseSource(id, r.ID, micros(r.At), m, r.Audience.ScopeKeys())})
}

func releaseSource(id intel.AdvisoryID, release string, at int64, m intel.Message, scopes []string) shelfSource {
	shelves := make([]string, len(scopes))
	for i, scope := range scopes {
		shelves[i] = shelfRelease(scope)
	}
	return messageSource(id, release, at, m, shelves)
}

func messageSource(id intel.AdvisoryID, edition string, at int64, m intel.Message, shelves []string) shelfSource {
	src := shelfSource{
		kind: search.Advisory, object: string(id), edition: edition, at: at, tlp: string(m.Marking.OrDefault().TLP),
		class: string(m.Category), title: search.Text{Zh: m.Title.Zh, En: m.Title.En}, shelves: shelves,
	}
	src.docs = []shelfDoc{{kind: search.Advisory, class: src.class, terms: search.Document{
		Names: []string{string(id)}, Title: []string{m.Title.Zh, m.Title.En},
		Text: []string{m.Body.Zh, m.Body.En, string(m.Category), m.RSIT},
	}.Terms()}}
	for _, i := range m.Indicators {
		src.docs = append(src.docs, shelfDoc{kind: search.Indicator, item: i.ID, class: i.Kind.String(), value: i.Line(),
			terms: search.Document{Names: []string{i.Value, i.ID}}.Terms()})
	}
	return src
}

// unshelveReplaced takes a release's documents away if everybody who saw it
// sees the one that replaced it.
func (d *DB) unshelveReplaced(ctx context.Context, tx *sql.Tx, by sector.Audience, release string) error {
	rows, err := tx.QueryContext(ctx, `SELECT scope FROM release_scope WHERE release = $1`, release)
	scopes, err := collect(rows, err, func(row scanner) (scope string, err error) { return scope, row.Scan(&scope) })
	if err != nil {
		return fmt.Errorf("replaced scopes: %w", err)
	}
	holds := map[string]bool{}
	for _, key := range by.ScopeKeys() {
		holds[key] = true
	}
	for _, scope := range scopes {
		if !holds[scope] {
			return nil // somebody keeps it
		}
	}
	rows, err = tx.QueryContext(ctx, `SELECT d.number FROM search_source s JOIN search_doc d ON d.source = s.id
		WHERE s.kind = 'advisory' AND s.object = (SELECT advisory FROM release WHERE id = $1) AND s.edition = $1`, release)
	numbers, err := collect(rows, err, func(row scanner) (n int64, err error) { return n, row.Scan(&n) })
	if err != nil {
		return fmt.Errorf("replaced documents: %w", err)
	}
	return d.dropDocs(ctx, tx, numbers)
}

// shelveMember keeps a member findable by the centre. Who changes a member's
// row calls it in the same transaction.
func (d *DB) shelveMember(ctx context.Context, tx *sql.Tx, m sector.Member) error {
	return d.shelve(ctx, tx, newest(), []shelfSource{memberSource(m)})
}

func memberSource(m sector.Member) shelfSource {
	return shelfSource{
		kind: search.Member, object: string(m.ID), at: micros(m.CreatedAt), class: string(m.Sector), stays: true,
		title: search.Text{Zh: m.NameZh, En: m.Name}, shelves: []string{shelfCentre},
		docs: []shelfDoc{{kind: search.Member, class: string(m.Sector), terms: search.Document{
			Names: []string{string(m.ID)}, Title: []string{m.NameZh, m.Name}, Text: []string{m.Mail, string(m.Sector)},
		}.Terms()}},
	}
}

// shelveAlerts keeps alerts findable: by the centre, and by each of their
// members as far as the member may know of it.
func (d *DB) shelveAlerts(ctx context.Context, tx *sql.Tx, o order, numbers []any) error {
	for part := range chunks(numbers, 100) {
		alerts, err := alertsToShelve(ctx, tx, part)
		if err != nil {
			return err
		}
		var sources []shelfSource
		for _, a := range alerts {
			sources = append(sources, a.sources()...)
		}
		if err := d.shelve(ctx, tx, o, sources); err != nil {
			return err
		}
	}
	return nil
}

// alertToShelve is what alerts are found by.
type alertToShelve struct {
	number     int64
	id, rule   string
	title      search.Text
	severity   monitor.Severity
	group      []string
	members    int
	restricted bool
	raised     int64
	shares     map[string]int64 // when each member was first concerned
	scopes     []string
}

func (a *alertToShelve) sources() []shelfSource {
	list := []shelfSource{a.source("", a.raised, []string{shelfCentre}, true)}
	for member, raised := range a.shares {
		shelves := []string{shelfAlerts(member, "")}
		if a.restricted {
			shelves = nil
			for _, scope := range a.scopes {
				shelves = append(shelves, shelfAlerts(member, scope))
			}
		}
		// The group of an alert over several members may name the others.
		list = append(list, a.source(member, raised, shelves, a.members == 1))
	}
	return list
}

func (a *alertToShelve) source(edition string, at int64, shelves []string, group bool) shelfSource {
	doc := search.Document{Names: []string{a.id, a.rule}, Title: []string{a.title.Zh, a.title.En}}
	if group {
		doc.Text = a.group
	}
	return shelfSource{
		kind: search.Alert, object: a.id, edition: edition, at: at, class: a.severity.String(), title: a.title, stays: true,
		shelves: shelves, docs: []shelfDoc{{kind: search.Alert, class: a.severity.String(), terms: doc.Terms()}},
	}
}

func alertsToShelve(ctx context.Context, tx *sql.Tx, numbers []any) ([]*alertToShelve, error) {
	in := "(" + placeholders(1, len(numbers)) + ")"
	rows, err := tx.QueryContext(ctx, `SELECT number, id, rule_id, title_zh, title, severity, about, members, restricted, raised FROM alert
		WHERE number IN `+in+` ORDER BY number DESC`, numbers...)
	list, err := collect(rows, err, scanToShelve)
	if err != nil {
		return nil, fmt.Errorf("alerts to shelve: %w", err)
	}
	at := make(map[int64]*alertToShelve, len(list))
	for _, a := range list {
		at[a.number] = a
	}
	rows, err = tx.QueryContext(ctx, `SELECT alert, member, raised FROM alert_member WHERE alert IN `+in, numbers...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var number, raised int64
		var member string
		err := row.Scan(&number, &member, &raised)
		if a := at[number]; a != nil {
			a.shares[member] = raised
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("members of alerts: %w", err)
	}
	rows, err = tx.QueryContext(ctx, `SELECT alert, scope FROM alert_scope WHERE alert IN `+in+` ORDER BY alert, scope`, numbers...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var number int64
		var scope string
		err := row.Scan(&number, &scope)
		if a := at[number]; a != nil {
			a.scopes = append(a.scopes, scope)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("scopes of alerts: %w", err)
	}
	return list, nil
}

func scanToShelve(row scanner) (*alertToShelve, error) {
	a := &alertToShelve{shares: map[string]int64{}}
	var severity, restricted int64
	var about string
	err := row.Scan(&a.number, &a.id, &a.rule, &a.title.Zh, &a.title.En, &severity, &about, &a.members, &restricted, &a.raised)
	if err != nil {
		return nil, err
	}
	a.severity, a.restricted = monitor.Severity(severity), restricted != 0 //nolint:gosec // 0 to 4
	var group []monitor.Pair
	err = json.Unmarshal([]byte(about), &group)
	for _, p := range group {
		a.group = append(a.group, p.Value)
	}
	return a, err
}

// rebuildBatch is how many objects one transaction of a rebuild has.
const rebuildBatch = 100

// rebuildStep puts the next objects below a position on the shelves and
// returns where it came to; empty at the end.
type rebuildStep func(ctx context.Context, tx *sql.Tx, after string) (next string, err error)

func (s *Search) rebuildSteps() []rebuildStep {
	return []rebuildStep{s.rebuildMembers, s.rebuildReleases, s.rebuildAdvisories, s.rebuildAlerts}
}

func (s *Search) rebuildMembers(ctx context.Context, tx *sql.Tx, _ string) (string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+memberColumns+` FROM member ORDER BY created_at DESC, id`)
	members, err := collect(rows, err, scanMember)
	if err != nil {
		return "", fmt.Errorf("members: %w", err)
	}
	sources := make([]shelfSource, len(members))
	for i, m := range members {
		sources[i] = memberSource(m)
	}
	return "", s.db.shelve(ctx, tx, oldest(), sources)
}

func (s *Search) rebuildAdvisories(ctx context.Context, tx *sql.Tx, after string) (string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+advisoryColumns+` FROM advisory
		WHERE (changed_at, id) < ($1, $2) OR $1 = 0 ORDER BY changed_at DESC, id DESC LIMIT $3`, append(position(after), rebuildBatch)...)
	list, err := collect(rows, err, scanAdvisory)
	if err != nil || len(list) == 0 {
		return "", err
	}
	sources := make([]shelfSource, len(list))
	for i, a := range list {
		sources[i] = draftSource(a)
	}
	last := list[len(list)-1]
	return fmt.Sprintf("%d %s", micros(last.ChangedAt), last.ID), s.db.shelve(ctx, tx, oldest(), sources)
}

// position reads "number id"; 0 and "" for the beginning.
func position(after string) []any {
	var at int64
	left, id, _ := strings.Cut(after, " ")
	_, _ = fmt.Sscan(left, &at)
	return []any{at, id}
}

// rebuildReleases puts every release that is the last one of its advisory for
// at least one of its scopes.
func (s *Search) rebuildReleases(ctx context.Context, tx *sql.Tx, after string) (string, error) {
	type row struct {
		id, advisory, message, scopes string
		at                            int64
	}
	rows, err := tx.QueryContext(ctx, `SELECT r.id, r.advisory, r.message, r.audience, r.at FROM release r
		WHERE (r.at < $1 OR $1 = 0) AND EXISTS (SELECT 1 FROM release_scope s WHERE s.release = r.id AND NOT EXISTS (
			SELECT 1 FROM release_scope n WHERE n.advisory = s.advisory AND n.at > s.at AND n.scope = s.scope))
		ORDER BY r.at DESC LIMIT $2`, position(after)[0], rebuildBatch)
	list, err := collect(rows, err, func(sc scanner) (r row, err error) {
		return r, sc.Scan(&r.id, &r.advisory, &r.message, &r.scopes, &r.at)
	})
	if err != nil || len(list) == 0 {
		return "", err
	}
	sources := make([]shelfSource, len(list))
	for i, r := range list {
		var m intel.Message
		var audience sector.Audience
		if err := errors.Join(json.Unmarshal([]byte(r.message), &m), json.Unmarshal([]byte(r.scopes), &audience)); err != nil {
			return "", fmt.Errorf("release %s: %w", r.id, err)
		}
		sources[i] = releaseSource(intel.AdvisoryID(r.advisory), r.id, r.at, m, audience.ScopeKeys())
	}
	return fmt.Sprint(list[len(list)-1].at), s.db.shelve(ctx, tx, oldest(), sources)
}

func (s *Search) rebuildAlerts(ctx context.Context, tx *sql.Tx, after string) (string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT number FROM alert WHERE number < $1 OR $1 = 0 ORDER BY number DESC LIMIT $2`,
		position(after)[0], rebuildBatch)
	numbers, err := collect(rows, err, func(row scanner) (any, error) {
		var n int64
		err := row.Scan(&n)
		return n, err
	})
	if err != nil || len(numbers) == 0 {
		return "", err
	}
	return fmt.Sprint(numbers[len(numbers)-1]), s.db.shelveAlerts(ctx, tx, oldest(), numbers)
}
