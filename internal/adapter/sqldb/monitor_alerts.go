package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/huandu/go-sqlbuilder"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Alerts serves triage.
type Alerts struct{ db *DB }

var _ monitor.AlertStore = (*Alerts)(nil)

// Alerts is the store of alerts.
func (d *DB) Alerts() *Alerts { return &Alerts{d} }

// alertColumns are read for a row of a list. For a member the counts and
// times come from its own part.
func alertColumns(own bool) []string {
	columns := []string{
		"a.number", "a.id", "a.key", "a.cause", "a.rule_id", "a.rule_version", "a.title", "a.title_zh", "a.severity",
		"a.about", "a.why", "a.why_member", "a.restricted", "a.members", "a.state", "a.assignee", "a.advisory", "a.version",
	}
	if own {
		return append(columns, "m.first_at", "m.last_at", "m.count", "m.raised")
	}
	return append(columns, "a.first_at", "a.last_at", "a.count", "a.raised")
}

// alertRow is an alert and how many members it concerns.
type alertRow struct {
	monitor.Alert
	members int
}

func scanAlert(row scanner) (alertRow, error) {
	var a alertRow
	var about, why string
	var severity, restricted, first, last, raised int64
	err := row.Scan(&a.Number, &a.ID, &a.Key, &a.Cause, &a.RuleID, &a.RuleVersion, &a.Title, &a.TitleZh, &severity,
		&about, &why, &a.WhyMember, &restricted, &a.members, &a.State, &a.Assignee, &a.Advisory, &a.Version,
		&first, &last, &a.Count, &raised)
	if err != nil {
		return a, err
	}
	a.Severity, a.Restricted = monitor.Severity(severity), restricted != 0
	a.First, a.Last, a.Raised = fromMicros(first), fromMicros(last), fromMicros(raised)
	if why != "" {
		a.Why = json.RawMessage(why)
	}
	return a, json.Unmarshal([]byte(about), &a.Group)
}

// forMember cuts an alert down to what one of its members may know.
func (a alertRow) forMember(m sector.MemberID) monitor.Alert {
	out := a.Alert
	out.Number, out.Version, out.Key, out.Assignee, out.Advisory = 0, 0, "", "", ""
	out.Members = []sector.MemberID{m}
	if a.members > 1 || a.WhyMember != m {
		out.Why, out.WhyMember = nil, ""
	}
	out.Why = out.ForMember()
	if a.members > 1 {
		out.Group = nil
	}
	return out
}

// Alerts implements monitor.AlertStore.
func (s *Alerts) Alerts(ctx context.Context, f sector.Filter, q monitor.AlertQuery) (monitor.AlertPage, error) {
	if !f.All() && f.Owner() == "" {
		return monitor.AlertPage{}, nil
	}
	text, args, err := alertQuery(f, q)
	if err != nil {
		return monitor.AlertPage{}, err
	}
	rows, err := s.db.read.QueryContext(ctx, text, args...)
	list, err := collect(rows, err, scanAlert)
	if err != nil {
		return monitor.AlertPage{}, fmt.Errorf("list alerts: %w", err)
	}
	var page monitor.AlertPage
	if len(list) > q.Limit {
		list = list[:q.Limit]
		page.Next = alertKey(q.Sort, list[q.Limit-1])
	}
	for _, a := range list {
		if f.All() {
			page.Alerts = append(page.Alerts, a.Alert)
		} else {
			page.Alerts = append(page.Alerts, a.forMember(f.Owner()))
		}
	}
	if f.All() {
		err = s.fillMembers(ctx, page.Alerts)
	}
	return page, err
}

// alertKey names a row's place in the order: "<sort value>:<number>".
func alertKey(sort string, a alertRow) string {
	v := micros(a.Raised)
	switch sort {
	case "severity":
		v = int64(a.Severity)
	case "last":
		v = micros(a.Last)
	case "count":
		v = int64(a.Count)
	}
	return fmt.Sprintf("%d:%d", v, a.Number)
}

func sortColumn(sort string, own bool) (string, error) {
	table := "a."
	if own && sort != "severity" {
		table = "m."
	}
	switch sort {
	case "", "raised":
		return table + "raised", nil
	case "severity", "count":
		return table + sort, nil
	case "last":
		return table + "last_at", nil
	}
	return "", errs.New(errs.Invalid, "monitor.sort")
}

func alertQuery(f sector.Filter, q monitor.AlertQuery) (string, []any, error) {
	own := !f.All()
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	b.Select(alertColumns(own)...).From("alert a")
	if own {
		b.Join("alert_member m", "m.alert = a.number").Where(b.Equal("m.member", string(f.Owner())))
		restrict(b, f)
	}
	column, err := sortColumn(q.Sort, own)
	if err != nil {
		return "", nil, err
	}
	direction, beyond := " DESC", "<"
	if q.Ascending {
		direction, beyond = " ASC", ">"
	}
	alertFilters(b, q, own)
	if q.After != "" {
		v, n, err := parseAlertKey(q.After)
		if err != nil {
			return "", nil, err
		}
		b.Where(fmt.Sprintf("(%s, a.number) %s (%s, %s)", column, beyond, b.Var(v), b.Var(n)))
	}
	b.OrderBy(column+direction, "a.number"+direction).Limit(q.Limit + 1)
	text, args := b.Build()
	return text, args, nil
}

// restrict leaves out what came from intelligence that was not released to
// the viewer.
func restrict(b *sqlbuilder.SelectBuilder, f sector.Filter) {
	scopes := make([]any, 0, 4)
	for _, k := range f.ScopeKeys() {
		scopes = append(scopes, k)
	}
	b.Where(b.Or(b.Equal("a.restricted", 0),
		"EXISTS (SELECT 1 FROM alert_scope s WHERE s.alert = a.number AND "+b.In("s.scope", scopes...)+")"))
}

func parseAlertKey(key string) (value, number int64, err error) {
	left, right, ok := strings.Cut(key, ":")
	value, err1 := strconv.ParseInt(left, 10, 64)
	number, err2 := strconv.ParseInt(right, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, errs.New(errs.Invalid, "monitor.cursor")
	}
	return value, number, nil
}

func alertFilters(b *sqlbuilder.SelectBuilder, q monitor.AlertQuery, own bool) {
	switch {
	case len(q.States) == 2 && q.States[0] == monitor.StateNew && q.States[1] == monitor.StateInProgress:
		b.Where("a.active = 1")
	case len(q.States) > 0:
		states := make([]any, len(q.States))
		for i, st := range q.States {
			states[i] = string(st)
		}
		b.Where(b.In("a.state", states...))
	}
	if q.MinSeverity > 0 {
		// The plus keeps SQLite from collecting and sorting all of a severity
		// where the list is read in another order anyway.
		b.Where(b.GE("+a.severity", int64(q.MinSeverity)))
	}
	if q.Cause != "" {
		b.Where(b.Equal("a.cause", string(q.Cause)))
	}
	if len(q.IDs) > 0 {
		b.Where(b.In("a.id", sqlbuilder.List(q.IDs)))
	}
	if q.Rule != "" {
		b.Where(b.Equal("a.rule_id", q.Rule))
	}
	if q.Member != "" && !own {
		b.Where("EXISTS (SELECT 1 FROM alert_member x WHERE x.alert = a.number AND " + b.Equal("x.member", string(q.Member)) + ")")
	}
	if q.Text != "" {
		b.Where(textFilter(b, q.Text, own))
	}
}

// textFilter looks in titles and group values. The group of an alert over
// several members may name the others, so a member does not find by it.
func textFilter(b *sqlbuilder.SelectBuilder, text string, own bool) string {
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
	words, about := `a.words LIKE `+b.Var(like)+` ESCAPE '\'`, `a.about_words LIKE `+b.Var(like)+` ESCAPE '\'`
	if own {
		about = "(a.members = 1 AND " + about + ")"
	}
	return b.Or(words, about)
}

// fillMembers reads the members of all alerts at once.
func (s *Alerts) fillMembers(ctx context.Context, list []monitor.Alert) error {
	if len(list) == 0 {
		return nil
	}
	at := make(map[int64]*monitor.Alert, len(list))
	args := make([]any, len(list))
	for i := range list {
		at[list[i].Number], args[i] = &list[i], list[i].Number
	}
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT alert, member, count, first_at, last_at FROM alert_member
		 WHERE alert IN (`+placeholders(1, len(args))+`) ORDER BY alert, member`, args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var number, first, last int64
		var sh monitor.Share
		err := row.Scan(&number, &sh.Member, &sh.Count, &first, &last)
		sh.First, sh.Last = fromMicros(first), fromMicros(last)
		if a := at[number]; a != nil {
			a.Members = append(a.Members, sh.Member)
			a.Shares = append(a.Shares, sh)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("members of alerts: %w", err)
	}
	return nil
}

func noAlert() error { return errs.New(errs.NotFound, "monitor.no_alert") }

// Alert implements monitor.AlertStore.
func (s *Alerts) Alert(ctx context.Context, f sector.Filter, id string) (monitor.Alert, error) {
	if !f.All() && f.Owner() == "" {
		return monitor.Alert{}, noAlert()
	}
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	b.Select(alertColumns(!f.All())...).From("alert a").Where(b.Equal("a.id", id))
	if !f.All() {
		b.Join("alert_member m", "m.alert = a.number").Where(b.Equal("m.member", string(f.Owner())))
		restrict(b, f)
	}
	text, args := b.Build()
	row, err := scanAlert(s.db.read.QueryRowContext(ctx, text, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return monitor.Alert{}, noAlert()
	}
	if err != nil {
		return monitor.Alert{}, fmt.Errorf("read alert: %w", err)
	}
	return s.whole(ctx, f, row)
}

// whole reads what hangs on an alert.
func (s *Alerts) whole(ctx context.Context, f sector.Filter, row alertRow) (monitor.Alert, error) {
	number := row.Number
	records, err := s.records(ctx, number, f)
	if err != nil {
		return monitor.Alert{}, err
	}
	if !f.All() {
		a := row.forMember(f.Owner())
		a.Records = records
		return a, nil
	}
	list := []monitor.Alert{row.Alert}
	if err := s.fillMembers(ctx, list); err != nil {
		return monitor.Alert{}, err
	}
	a := list[0]
	a.Records = records
	if a.Notes, err = s.notes(ctx, number); err != nil {
		return monitor.Alert{}, err
	}
	a.History, err = s.changes(ctx, number)
	return a, err
}

func (s *Alerts) records(ctx context.Context, number int64, f sector.Filter) ([]monitor.RecordRef, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT record, member, at, observables FROM alert_record
		 WHERE alert = $1 AND ($2 = '' OR member = $2) ORDER BY at, record LIMIT $3`,
		number, string(f.Owner()), monitor.MaxAlertRecords)
	list, err := collect(rows, err, func(row scanner) (monitor.RecordRef, error) {
		var r monitor.RecordRef
		var at int64
		var obs string
		if err := row.Scan(&r.ID, &r.Member, &at, &obs); err != nil {
			return r, err
		}
		r.At = fromMicros(at)
		return r, decodeObservables(obs, &r)
	})
	if err != nil {
		return nil, fmt.Errorf("records of alert: %w", err)
	}
	return list, nil
}

func (s *Alerts) notes(ctx context.Context, number int64) ([]monitor.Note, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT at, author, text FROM alert_note WHERE alert = $1 ORDER BY number`, number)
	return collect(rows, err, func(row scanner) (monitor.Note, error) {
		var n monitor.Note
		var at int64
		err := row.Scan(&at, &n.By, &n.Text)
		n.At = fromMicros(at)
		return n, err
	})
}

func (s *Alerts) changes(ctx context.Context, number int64) ([]monitor.Change, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT at, actor, what, old, new FROM alert_change WHERE alert = $1 ORDER BY number`, number)
	return collect(rows, err, func(row scanner) (monitor.Change, error) {
		var c monitor.Change
		var at int64
		err := row.Scan(&at, &c.Actor, &c.What, &c.From, &c.To)
		c.At = fromMicros(at)
		return c, err
	})
}

// CountAlerts implements monitor.AlertStore.
func (s *Alerts) CountAlerts(ctx context.Context, f sector.Filter) (map[monitor.Severity]int64, error) {
	counts := map[monitor.Severity]int64{}
	if !f.All() && f.Owner() == "" {
		return counts, nil
	}
	b := sqlbuilder.PostgreSQL.NewSelectBuilder()
	b.Select("a.severity", "count(*)").From("alert a").GroupBy("a.severity")
	if f.All() {
		b.Where("a.active = 1")
	} else {
		// The plus keeps SQLite from going through everybody's open alerts: a
		// member's own are few.
		b.Where("+a.active = 1").Join("alert_member m", "m.alert = a.number").Where(b.Equal("m.member", string(f.Owner())))
		restrict(b, f)
	}
	text, args := b.Build()
	rows, err := s.db.read.QueryContext(ctx, text, args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var severity, n int64
		err := row.Scan(&severity, &n)
		counts[monitor.Severity(severity)] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	return counts, nil
}
